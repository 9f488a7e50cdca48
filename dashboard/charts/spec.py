"""The specification: who advertises which version and feature, how often it is released, how long proposals wait, and
who does as it says where a crawl can see it."""

from collections.abc import Mapping, Sequence

from analytics import conformance
from analytics import spec as counted
from dashboard.charts.chart import Chart
from dashboard.charts.series import COLUMNS, NOW_COLUMNS, literal, newest, reworded, series
from dashboard.choices import SCALE
from dashboard.figures.count_bars import CountBars
from dashboard.figures.lines import DASHES, LINES_MOST, Line, Lines, fixed
from dashboard.wording import one_line


def _newest_versions(keys: Sequence[str]) -> Mapping[str, Line]:
    """The newest versions of the specification; the others are in the data."""

    def order(version: str) -> tuple[int, ...]:
        return tuple(int(part) for part in version.removeprefix("v").split(".") if part.isdecimal())

    latest = sorted(keys, key=order, reverse=True)[:LINES_MOST]
    return {key: Line(key[:12], at, DASHES[at]) for at, key in enumerate(latest)}


def _features(keys: Sequence[str]) -> Mapping[str, Line]:
    return {key: Line(one_line(key, 26), at, DASHES[at]) for at, key in enumerate(keys[:LINES_MOST])}


def _checks(keys: Sequence[str]) -> Mapping[str, Line]:
    """Each check in the same hue in every picture."""
    told = (*(each.dimension for each in conformance.DOCUMENTS), conformance.ERROR_CODES, conformance.PAGING)
    return {key: Line(key[:24], at, DASHES[at]) for at, key in enumerate(told) if key in keys}


_SAYS = "online servers that answer /_matrix/client/versions"

VERSIONS_NOW = Chart(
    name="spec-versions-now",
    title="Versions advertised",
    unit="share of servers, with Wilson intervals",
    window="newest census",
    denominator=_SAYS,
    sql=newest(counted.VERSIONS),
    columns=NOW_COLUMNS,
    drawing=CountBars("version", share=True, most=24),
    metrics=(counted.VERSIONS,),
    absent="No online server advertises versions.",
)

VERSIONS_OVER_TIME = Chart(
    name="spec-versions",
    title="The newest versions over time",
    unit="share of servers, with Wilson intervals",
    window="each census",
    denominator=_SAYS,
    sql=series(counted.VERSIONS),
    columns=COLUMNS,
    drawing=Lines(_newest_versions, share=True),
    metrics=(counted.VERSIONS,),
    absent="No online server advertises versions.",
)

ACCEPTED = Chart(
    name="spec-accepted",
    title="Proposals accepted",
    unit="proposals whose text was merged in that quarter",
    window="the last eight whole quarters",
    denominator="proposals accepted so far",
    sql=newest(counted.ACCEPTED),
    columns=NOW_COLUMNS,
    drawing=CountBars("quarter", sums=False),
    metrics=(counted.ACCEPTED,),
)

LAG = Chart(
    name="spec-lag",
    title="Days from acceptance to release",
    unit="days; quartiles leave accepted proposals out that still wait, and are too short; one line has them",
    window="all time up to each census",
    denominator="accepted proposals that stand in a release; with those waiting: accepted since the first release",
    sql=series(counted.LAG),
    columns=COLUMNS,
    drawing=Lines(
        fixed(
            **{
                "third quartile": Line("third quartile", 2, "dash"),
                "median": Line("median", 0),
                "first quartile": Line("first quartile", 1, "dot"),
                counted.WITH_WAITING: Line("with those waiting", 3, "dashdot"),
            }
        )
    ),
    metrics=(counted.LAG,),
    looks=(SCALE,),
)

FEATURES_NOW = Chart(
    name="spec-features-now",
    title="Unstable features advertised",
    unit="share of servers, with Wilson intervals",
    window="newest census",
    denominator=_SAYS,
    sql=newest(counted.FEATURES),
    columns=NOW_COLUMNS,
    drawing=CountBars("feature", label_of=lambda name: one_line(name, 34), share=True, most=20),
    metrics=(counted.FEATURES,),
    absent="No online server advertises an unstable feature.",
)

FEATURES_OVER_TIME = Chart(
    name="spec-features",
    title="The most advertised features over time",
    unit="share of servers, with Wilson intervals",
    window="each census",
    denominator=_SAYS,
    sql=series(counted.FEATURES),
    columns=COLUMNS,
    drawing=Lines(_features, share=True),
    metrics=(counted.FEATURES,),
    absent="No online server advertises an unstable feature.",
)

CONFORMANCE_NOW = Chart(
    name="conformance-now",
    title="Who does as the specification says",
    unit="share of servers, with Wilson intervals",
    window="newest census",
    denominator="online servers of which the check could be made",
    sql=newest(conformance.CONFORMANCE),
    columns=reworded(
        NOW_COLUMNS,
        n="servers of which the check could be made",
        coverage="share, 0 to 1, of the online servers of which it could be made",
    ),
    drawing=CountBars("check", share=True),
    metrics=(conformance.CONFORMANCE,),
    absent="No server was online.",
)

CONFORMANCE_OVER_TIME = Chart(
    name="conformance",
    title="The checks over time",
    unit="share of servers, with Wilson intervals",
    window="each census",
    denominator="online servers of which the check could be made",
    sql=series(conformance.CONFORMANCE, where=f"m.dimension <> {literal(conformance.ALL)}"),
    columns=COLUMNS,
    drawing=Lines(_checks, share=True, bands=False),
    metrics=(conformance.CONFORMANCE,),
    absent="No server was online.",
)

CHARTS = (
    VERSIONS_NOW,
    VERSIONS_OVER_TIME,
    ACCEPTED,
    LAG,
    FEATURES_NOW,
    FEATURES_OVER_TIME,
    CONFORMANCE_NOW,
    CONFORMANCE_OVER_TIME,
)
