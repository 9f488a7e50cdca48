"""An audit of the signs of noise by people: a blinded sample is drawn, labelled, and taken back.

Apart from `analytics.signal`, whose scores are no verdict: with labels they become a prevalence. Rooms are drawn by
score, so that the few with many signs are among them; whoever labels them sees name, topic and alias in random order
and neither score nor signs. What was drawn is in a key that stays with whoever drew it. A label is `noise` (spam, bait,
a copy of no use), `signal`, or `unsure`. Two people's labels tell how far they agree; where they do not, the room
counts as unsure. Rogan and Gladen's formula then corrects the share of flagged rooms, for every threshold.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from analytics.agreement import cohen_kappa
from analytics.estimate import Estimate
from analytics.misclassification import Audit, corrected_prevalence
from analytics.signal import FEATURES

NOISE, SIGNAL, UNSURE = "noise", "signal", "unsure"
LABELS = (NOISE, SIGNAL, UNSURE)

SCORE_TOP = 3
"""Rooms with so many signs, or more, are drawn from one pot."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """The key of an audit: what was drawn from what. `items` are (room ID, score) in the order in which they are shown,
    from item 1; `rooms_by_score` counts the listed rooms of the census."""

    snapshot_id: str
    crawl_id: int
    synthetic: bool
    seed: int
    rooms_by_score: Mapping[int, int]
    items: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class AtThreshold:
    """What labels say of the rule "at least `threshold` signs": shares of rooms; None where the audit cannot say."""

    threshold: int
    flagged: float
    sensitivity: float | None
    specificity: float | None
    prevalence: Estimate


@dataclass(frozen=True, slots=True)
class Scored:
    """An audit taken back. `kappa` is None with one person's labels; `used` counts the items with a label that counts,
    `unsure` the others."""

    kappa: Estimate | None
    used: int
    unsure: int
    thresholds: tuple[AtThreshold, ...]


def stratum(score: int) -> int:
    """The pot a room is drawn from."""
    return min(score, SCORE_TOP)


def draw(rooms: Sequence[tuple[str, int]], wanted: int, rng: np.random.Generator) -> tuple[tuple[str, int], ...]:
    """At most `wanted` rooms (room ID, score), as many from each pot as there are, in random order.

    What a small pot cannot give is taken from the others.
    """
    pots: dict[int, list[tuple[str, int]]] = {}
    for room in sorted(rooms):
        pots.setdefault(stratum(room[1]), []).append(room)
    left = min(wanted, len(rooms))
    drawn: list[tuple[str, int]] = []
    for number, pot in enumerate(sorted(pots.values(), key=len)):
        take = min(len(pot), -(-left // (len(pots) - number)))
        drawn += [pot[i] for i in rng.choice(len(pot), take, replace=False).tolist()]
        left -= take
    return tuple(drawn[i] for i in rng.permutation(len(drawn)).tolist())


def agreed(labels: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """One label for each item: that of all who labelled it, else unsure."""
    return tuple(of_item[0] if len(set(of_item)) == 1 else UNSURE for of_item in zip(*labels, strict=True))


def score(drawn: Drawn, labels: Sequence[Sequence[str]], rng: np.random.Generator) -> Scored:
    """Take labels back.

    Args:
        drawn: The key.
        labels: Of each person, a label for each item.
        rng: For the bootstrap.

    Returns:
        Agreement and, for every threshold, the errors of the rule and the share of noise among all listed rooms with a
        95 % bootstrap interval, in which items are drawn again within their pot.
    """
    kappa = None
    if len(labels) > 1:
        both = [pair for pair in zip(*labels[:2], strict=True) if UNSURE not in pair]
        kappa = cohen_kappa([one for one, _ in both], [other for _, other in both])
    truth = agreed(labels)
    used = [(score, label) for (_, score), label in zip(drawn.items, truth, strict=True) if label != UNSURE]
    in_pot = Counter(stratum(score) for score, _ in used)
    of_pot: Counter[int] = Counter()
    for value, rooms in drawn.rooms_by_score.items():
        of_pot[stratum(value)] += rooms
    weights = [of_pot[stratum(score)] / in_pot[stratum(score)] for score, _ in used]
    whole = sum(drawn.rooms_by_score.values())
    found = []
    for threshold in range(1, len(FEATURES) + 1):
        audit = Audit.of_items(
            [score >= threshold for score, _ in used],
            [label == NOISE for _, label in used],
            weights,
            [stratum(score) for score, _ in used],
        )
        flagged = sum(rooms for value, rooms in drawn.rooms_by_score.items() if value >= threshold)
        if set(of_pot) - set(in_pot):
            why = "of rooms with some number of signs none has a label that counts"
            prevalence = Estimate.unknown(len(used), "Rogan-Gladen", why)
        else:
            prevalence = corrected_prevalence(flagged, whole, audit, rng=rng, screened_is_census=True)
        share = flagged / whole if whole else 0.0
        found.append(AtThreshold(threshold, share, audit.sensitivity(), audit.specificity(), prevalence))
    return Scored(kappa, len(used), len(truth) - len(used), tuple(found))
