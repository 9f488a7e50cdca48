"""What moved beyond its interval since the census before: for cron, which reads exit codes.

A few rules on stored rows, each with its threshold. A number that is not known on either side raises nothing: absence
is told by `status`. A census that is less complete than the one before would look like a collapse, so a fall counts
only where coverage did not fall with it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from analytics.decentralisation import CONCENTRATION
from analytics.federation_graph import Holder
from analytics.funnel import SERVERS
from analytics.rooms import MEMBERSHIPS, ROOMS
from analytics.schemas import MetricRow
from analytics.software import BY_SOFTWARE

FALL = 0.1
"""A tenth of the servers, rooms or memberships gone."""

COLLAPSE = 0.5
LEAST_SERVERS = 20
"""An implementation that half of its servers leave; below so many, chance does that."""

COVERAGE_FALL = 0.05


@dataclass(frozen=True, slots=True)
class Alert:
    """One number that moved. `why` is a sentence."""

    metric: str
    dimension: str
    before: float
    now: float
    why: str


def alerts(before: Sequence[MetricRow], now: Sequence[MetricRow]) -> Iterator[Alert]:
    """Compare the rows of two censuses of one file, the earlier first."""
    earlier = {(row.metric, row.dimension): row for row in before}
    for row in now:
        was = earlier.get((row.metric, row.dimension))
        if was is not None and was.value is not None and row.value is not None and not _looked_at_less(was, row):
            yield from _judge(was, was.value, row, row.value)
    present = {row.dimension for row in now if row.metric == BY_SOFTWARE}
    for row in before:
        gone = row.metric == BY_SOFTWARE and row.dimension not in present
        if gone and row.value is not None and row.value >= LEAST_SERVERS and present:
            yield Alert(row.metric, row.dimension, row.value, 0, "no online server gives this name any more")


def _judge(was: MetricRow, old: float, row: MetricRow, new: float) -> Iterator[Alert]:
    if row.metric in (SERVERS, ROOMS, MEMBERSHIPS) and new < old * (1 - FALL) and not _overlap(was, row):
        yield Alert(row.metric, row.dimension, old, new, f"fell by more than {FALL:.0%}")
    if row.metric == BY_SOFTWARE and old >= LEAST_SERVERS and new < old * (1 - COLLAPSE):
        yield Alert(row.metric, row.dimension, old, new, f"fell by more than {COLLAPSE:.0%}")
    if (
        row.metric == CONCENTRATION[Holder.OPERATOR]
        and row.dimension.endswith("Nakamoto, more than half")
        and new < old
    ):
        yield Alert(row.metric, row.dimension, old, new, "fewer operators hold more than half")


def _overlap(was: MetricRow, row: MetricRow) -> bool:
    """Whether two closed intervals leave room for no change; open ends say nothing of the other side."""
    if row.hi is None or was.lo is None:
        return False
    return row.hi >= was.lo


def _looked_at_less(was: MetricRow, row: MetricRow) -> bool:
    return was.coverage is not None and row.coverage is not None and row.coverage < was.coverage - COVERAGE_FALL
