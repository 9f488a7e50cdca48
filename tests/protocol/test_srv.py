"""The order of SRV targets: exact properties, and the distribution of RFC 2782 with a seeded generator."""

import random
from collections import Counter
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.model.discovery import SrvRecord
from crawler.protocol.srv import order

DRAWS = 4000


def record(target: str, weight: int, priority: int = 0) -> SrvRecord:
    return SrvRecord(priority, weight, 443, target)


def first_by_rfc_2782(weights: list[int]) -> list[Fraction]:
    """The chance of each record to come first, from the text of the RFC: zeros at the beginning in any order, a whole
    number drawn from 0 to the sum inclusive, the first running sum that is not less. Weights must be sorted."""
    outcomes = sum(weights) + 1
    chances = []
    running = 0
    for index, weight in enumerate(weights):
        hits = weight + (1 if index == 0 else 0)
        chances.append(Fraction(hits, outcomes))
        running += weight
    assert sum(chances) == 1
    return chances


def test_the_oracle_itself() -> None:
    assert first_by_rfc_2782([0, 1, 3]) == [Fraction(1, 5), Fraction(1, 5), Fraction(3, 5)]


@pytest.mark.parametrize("weights", [[0, 1, 3], [0, 10, 90], [0, 100], [0, 65535]])
def test_the_first_target_is_drawn_with_the_chances_of_the_rfc(weights: list[int]) -> None:
    rng = random.Random(2782)
    records = [record(str(index), weight) for index, weight in enumerate(weights)]
    firsts = Counter(order(records, rng)[0].target for _ in range(DRAWS))
    for index, chance in enumerate(first_by_rfc_2782(weights)):
        expected = float(chance) * DRAWS
        # Five standard deviations of a binomial count, and one for counts near zero.
        assert abs(firsts[str(index)] - expected) <= 5 * (expected * (1 - float(chance))) ** 0.5 + 1


def test_equal_weights_are_equally_often_first_and_second() -> None:
    rng = random.Random(1)
    orders = Counter(
        tuple(r.target for r in order([record("a", 5), record("b", 5), record("c", 5)], rng)) for _ in range(6000)
    )
    assert len(orders) == 6
    assert all(abs(count - 1000) < 150 for count in orders.values())


def test_all_zero_weights_are_shuffled() -> None:
    rng = random.Random(1)
    orders = Counter(tuple(r.target for r in order([record(t, 0) for t in "abc"], rng)) for _ in range(6000))
    assert len(orders) == 6
    assert all(abs(count - 1000) < 150 for count in orders.values())


def test_priorities_ascend_whatever_the_weights() -> None:
    rng = random.Random(1)
    records = [record("late", 65535, 2), record("early", 0, 1), record("latest", 9, 3)]
    for _ in range(50):
        assert [r.target for r in order(records, rng)] == ["early", "late", "latest"]


def test_the_same_seed_gives_the_same_order() -> None:
    records = [record(str(n), n) for n in range(20)]
    assert order(records, random.Random(5)) == order(records, random.Random(5))


RECORDS = st.builds(
    SrvRecord, st.integers(0, 3), st.integers(0, 65535), st.integers(0, 65535), st.sampled_from("abcdef")
)


@given(st.lists(RECORDS, max_size=30), st.integers(0, 2**32))
def test_nothing_is_lost_or_made_up(records: list[SrvRecord], seed: int) -> None:
    ordered = order(records, random.Random(seed))
    assert Counter(ordered) == Counter(records)
    assert [r.priority for r in ordered] == sorted(r.priority for r in records)


@given(st.lists(RECORDS, max_size=30), st.integers(0, 2**32), st.integers(0, 40))
def test_a_bounded_order_is_the_beginning_of_the_whole(records: list[SrvRecord], seed: int, at_most: int) -> None:
    assert order(records, random.Random(seed), at_most) == order(records, random.Random(seed))[:at_most]


def test_a_record_set_as_large_as_a_message_allows_is_drawn_from_lazily() -> None:
    class Counting(random.Random):
        draws = 0

        def randint(self, a: int, b: int) -> int:
            Counting.draws += 1
            return super().randint(a, b)

    order([record(str(n), n) for n in range(4000)], Counting(1), at_most=8)
    assert Counting.draws <= 9
