"""Bridges: rooms whose alias is a portal's, and memberships in them."""

from collections.abc import Mapping, Sequence

from analytics import bridges as counted
from dashboard.charts.chart import Chart
from dashboard.charts.series import COLUMNS, NOW_COLUMNS, newest, series
from dashboard.choices import SCALE
from dashboard.figures.count_bars import CountBars
from dashboard.figures.lines import DASHES, OTHER, Line, Lines, fixed

_CONFIDENCES = ("high confidence", "medium confidence", "low confidence")
_TOGETHER = {counted.LIVING: Line("all that live", 0), counted.DEAD: Line("ended", OTHER, "dot")}


def _protocols(keys: Sequence[str]) -> Mapping[str, Line]:
    """All together, those that ended, then each protocol in the next hue."""
    protocols = [key for key in keys if key not in _TOGETHER]
    return {key: line for key, line in _TOGETHER.items() if key in keys} | {
        key: Line(key[:22], 1 + at % 6, DASHES[(at + 1) % len(DASHES)]) for at, key in enumerate(protocols)
    }


_NO_CONFIDENCE = f"m.dimension NOT IN ({', '.join(repr(word) for word in _CONFIDENCES)})"

ROOMS_BY_PROTOCOL = Chart(
    name="bridged-rooms",
    title="Rooms with bridge evidence",
    unit="rooms",
    window="each census",
    denominator="listed rooms",
    sql=series(counted.BRIDGED_ROOMS, where=_NO_CONFIDENCE),
    columns=COLUMNS,
    drawing=Lines(_protocols),
    metrics=(counted.BRIDGED_ROOMS,),
    looks=(SCALE,),
    absent="No room directory answered.",
)

MEMBERSHIPS_BY_PROTOCOL = Chart(
    name="bridged-memberships",
    title="Memberships in rooms with bridge evidence",
    unit="memberships: people of Matrix, ghosts and bots alike",
    window="each census",
    denominator="rooms with bridge evidence that say their members",
    sql=series(counted.BRIDGED_MEMBERSHIPS, where=_NO_CONFIDENCE),
    columns=COLUMNS,
    drawing=Lines(_protocols),
    metrics=(counted.BRIDGED_MEMBERSHIPS,),
    looks=(SCALE,),
    absent="No such room says its members.",
)

CONFIDENCE = Chart(
    name="bridge-confidence",
    title="How sure the evidence is",
    unit="rooms by what the pattern of their alias tells",
    window="newest census",
    denominator="listed rooms",
    sql=newest(
        counted.BRIDGED_ROOMS,
        where=f"m.dimension IN ({', '.join(repr(word) for word in _CONFIDENCES)}, 'dead bridges')",
    ),
    columns=NOW_COLUMNS,
    drawing=CountBars("evidence"),
    metrics=(counted.BRIDGED_ROOMS,),
    absent="No room directory answered.",
)

USERS = Chart(
    name="bridged-users",
    title="Bridged users: between none and all",
    unit="users; only the bounds mean anything, the line is their middle",
    window="each census",
    denominator="rooms with bridge evidence",
    sql=series(counted.BRIDGED_USERS),
    columns=COLUMNS,
    drawing=Lines(fixed(**{counted.LIVING: Line("middle of bounds", 3, "dot")})),
    metrics=(counted.BRIDGED_USERS,),
    absent="No room directory answered.",
)

CHARTS = (ROOMS_BY_PROTOCOL, MEMBERSHIPS_BY_PROTOCOL, CONFIDENCE, USERS)
