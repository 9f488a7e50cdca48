"""Bridges: rooms whose alias is a portal's, rooms in lists of third-party networks, and memberships in them."""

from collections.abc import Mapping, Sequence

from analytics import bridges as counted
from dashboard.charts.chart import Chart
from dashboard.charts.series import COLUMNS, NOW_COLUMNS, literal, newest, series
from dashboard.choices import SCALE
from dashboard.figures.count_bars import CountBars
from dashboard.figures.lines import DASHES, OTHER, Line, Lines, fixed

_CONFIDENCES = tuple(f"{word} confidence" for word in counted.CONFIDENCES)
_TOGETHER = {counted.LIVING: Line("all that live", 0), counted.DEAD: Line("ended", OTHER, "dot")}
_OF_NETWORKS = f"{counted.NETWORKS}: "


def _protocols(keys: Sequence[str]) -> Mapping[str, Line]:
    """All together, those that ended, then each protocol in the next hue."""
    protocols = [key for key in keys if key not in _TOGETHER]
    return {key: line for key, line in _TOGETHER.items() if key in keys} | {
        key: Line(key[:22], 1 + at % 6, DASHES[(at + 1) % len(DASHES)]) for at, key in enumerate(protocols)
    }


_IN_NETWORKS = f"starts_with(m.dimension, {literal(counted.NETWORKS)})"
_NO_CONFIDENCE = "m.dimension NOT LIKE '% confidence'"
_LISTED = f"NOT {_IN_NETWORKS} AND {_NO_CONFIDENCE}"
_OF_LISTS = f"{_IN_NETWORKS} AND {_NO_CONFIDENCE}"
_PART = (
    f"CASE m.dimension WHEN {literal(counted.NETWORKS)} THEN {literal(counted.LIVING)} "
    f"ELSE replace(m.dimension, {literal(_OF_NETWORKS)}, '') END"
)
"""Of rooms in lists of third-party networks, the same lines as of listed ones."""

_NOT_ASKED = "No directory was asked for the lists of third-party networks."

_UNITS = {
    counted.BRIDGED_ROOMS: "rooms",
    counted.BRIDGED_MEMBERSHIPS: "memberships: people of Matrix, ghosts and bots alike",
}


def _by_protocol(
    name: str, title: str, metric: str, denominator: str, absent: str, where: str, line: str = "m.dimension"
) -> Chart:
    """Rooms, or memberships in them, with a line for each protocol; `where` and `line` as `series` takes them."""
    return Chart(
        name=name,
        title=title,
        unit=_UNITS[metric],
        window="each census",
        denominator=denominator,
        sql=series(metric, where=where, line=line),
        columns=COLUMNS,
        drawing=Lines(_protocols),
        metrics=(metric,),
        looks=(SCALE,),
        absent=absent,
    )


ROOMS_BY_PROTOCOL = _by_protocol(
    "bridged-rooms",
    "Listed rooms with bridge evidence",
    counted.BRIDGED_ROOMS,
    denominator="listed rooms",
    absent="No room directory answered.",
    where=_LISTED,
)

MEMBERSHIPS_BY_PROTOCOL = _by_protocol(
    "bridged-memberships",
    "Memberships in listed rooms with bridge evidence",
    counted.BRIDGED_MEMBERSHIPS,
    denominator="rooms with bridge evidence that say their members",
    absent="No such room says its members.",
    where=_LISTED,
)

NETWORK_ROOMS = _by_protocol(
    "network-rooms",
    "Rooms in lists of third-party networks",
    counted.BRIDGED_ROOMS,
    denominator="rooms in the lists of third-party networks, listed elsewhere or not",
    absent=_NOT_ASKED,
    where=_OF_LISTS,
    line=_PART,
)

NETWORK_MEMBERSHIPS = _by_protocol(
    "network-memberships",
    "Memberships in rooms of third-party networks",
    counted.BRIDGED_MEMBERSHIPS,
    denominator="rooms with bridge evidence that say their members",
    absent=f"{_NOT_ASKED[:-1]}, or no such room says its members.",
    where=_OF_LISTS,
    line=_PART,
)

CONFIDENCE = Chart(
    name="bridge-confidence",
    title="How sure the evidence is",
    unit="rooms by what the pattern of their alias tells",
    window="newest census",
    denominator="listed rooms",
    sql=newest(
        counted.BRIDGED_ROOMS,
        where=f"m.dimension IN ({', '.join(map(literal, (*_CONFIDENCES, counted.DEAD)))})",
    ),
    columns=NOW_COLUMNS,
    drawing=CountBars("evidence"),
    metrics=(counted.BRIDGED_ROOMS,),
    absent="No room directory answered.",
)

NETWORK_CONFIDENCE = Chart(
    name="network-confidence",
    title="How sure the protocol is",
    unit="rooms by what the pattern of their alias tells, if it has one",
    window="newest census",
    denominator="rooms in the lists of third-party networks, listed elsewhere or not",
    sql=newest(
        counted.BRIDGED_ROOMS,
        where=f"{_IN_NETWORKS} AND (NOT {_NO_CONFIDENCE} OR m.dimension = {literal(_OF_NETWORKS + counted.DEAD)})",
    ),
    columns=NOW_COLUMNS,
    drawing=CountBars("evidence", label_of=lambda name: name.removeprefix(_OF_NETWORKS)),
    metrics=(counted.BRIDGED_ROOMS,),
    absent=_NOT_ASKED,
)

USERS = Chart(
    name="bridged-users",
    title="Bridged users: between none and all",
    unit="users; only the bounds mean anything, the line is their middle",
    window="each census",
    denominator="rooms with bridge evidence",
    sql=series(counted.BRIDGED_USERS),
    columns=COLUMNS,
    drawing=Lines(
        fixed(
            **{
                counted.LIVING: Line("middle, listed rooms", 3, "dot"),
                counted.WITH_NETWORKS: Line("middle, all rooms", 4, "dash"),
            }
        )
    ),
    metrics=(counted.BRIDGED_USERS,),
    looks=(SCALE,),
    absent="No room directory answered.",
)

CHARTS = (
    ROOMS_BY_PROTOCOL,
    MEMBERSHIPS_BY_PROTOCOL,
    NETWORK_ROOMS,
    NETWORK_MEMBERSHIPS,
    CONFIDENCE,
    NETWORK_CONFIDENCE,
    USERS,
)
