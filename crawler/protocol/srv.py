"""The order in which the targets of an SRV record set are tried (RFC 2782, "Usage rules").

Priority ascending; within one priority, a weighted draw without replacement. Apart from `discovery`, since its rule is
statistical and is tested as such.
"""

import random
from collections.abc import Iterable, Iterator
from itertools import groupby, islice

from crawler.model.discovery import SrvRecord


def order(records: Iterable[SrvRecord], rng: random.Random, at_most: int | None = None) -> tuple[SrvRecord, ...]:
    """`records` in the order to be tried, drawn with `rng`; only the first `at_most` when given.

    A record set as long as a DNS message allows costs a pass over it for each record drawn, so hostile input is to be
    drawn from with `at_most`.
    """
    return tuple(islice(_ordered(records, rng), at_most))


def _ordered(records: Iterable[SrvRecord], rng: random.Random) -> Iterator[SrvRecord]:
    for _, same_priority in groupby(sorted(records, key=lambda r: r.priority), key=lambda r: r.priority):
        left = list(same_priority)
        # "any order, except that all those with weight 0 are placed at the beginning": shuffled first, so that no zero
        # weight is preferred to another by its place in the answer.
        rng.shuffle(left)
        left.sort(key=lambda r: r.weight > 0)
        while left:
            yield left.pop(_draw(left, rng))


def _draw(left: list[SrvRecord], rng: random.Random) -> int:
    """Index of the first record whose running sum of weights reaches a number drawn from 0 to the sum, inclusive."""
    drawn = rng.randint(0, sum(record.weight for record in left))
    running = 0
    for index, record in enumerate(left):
        running += record.weight
        if running >= drawn:
            return index
    raise AssertionError("the running sum reaches the sum")
