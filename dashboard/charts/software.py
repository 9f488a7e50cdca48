"""Software: lineages, implementations and versions, now and over time."""

from collections.abc import Mapping, Sequence

from analytics import code, versions
from analytics import software as counted
from dashboard.charts.chart import Chart, Column
from dashboard.charts.series import COLUMNS, NEWEST, NOW_COLUMNS, SHARE, over_time, reworded, series
from dashboard.choices import AS, SCALE, Choice
from dashboard.data import software_reference
from dashboard.figures.count_bars import CountBars
from dashboard.figures.implementations import label
from dashboard.figures.lines import DASHES, OTHER, Line, Lines, fixed
from dashboard.figures.template import shortened
from dashboard.palette import LINEAGES

_LABEL_MOST = 22

SOFTWARE = Choice(
    "software",
    "Implementation",
    (
        ("synapse", "Synapse"),
        *sorted(
            ((key, named.display_name) for key, named in software_reference().items() if key != "synapse"),
            key=lambda option: option[1].casefold(),
        ),
    ),
)


def name_of(key: str) -> str:
    """How people write the name of an implementation or of a family of forks."""
    return counted.NOT_SAID if key == counted.NOT_SAID else shortened(label(key, software_reference()), _LABEL_MOST)


def _hue(key: str) -> int:
    named = software_reference().get(key)
    lineage = named.lineage if named else key
    return LINEAGES.index(lineage) if lineage in LINEAGES else OTHER


def coloured(keys: Sequence[str]) -> Mapping[str, Line]:
    """Lines in the colour of their family; members of one family differ by dash."""
    used: dict[int, int] = {}
    lines: dict[str, Line] = {}
    for key in keys:
        hue = _hue(key)
        nth = used.get(hue, 0)
        used[hue] = nth + 1
        lines[key] = Line(name_of(key), hue, DASHES[nth % len(DASHES)])
    return lines


def shaded(keys: Sequence[str]) -> Mapping[str, Line]:
    """Lines of versions, the most used first, each in the next hue."""
    return {
        key: Line(shortened(key, _LABEL_MOST), at if at < len(LINEAGES) else OTHER, DASHES[at % len(DASHES)])
        for at, key in enumerate(keys)
    }


LINEAGES_OVER_TIME = Chart(
    name="lineages",
    title="Servers by family of forks",
    unit="servers",
    window="each census",
    denominator="online servers",
    sql=series(counted.BY_LINEAGE, share=True),
    columns=(*COLUMNS, SHARE),
    drawing=Lines(coloured),
    metrics=(counted.BY_LINEAGE,),
    looks=(SCALE, AS),
    absent="No server was online.",
)

IMPLEMENTATIONS_OVER_TIME = Chart(
    name="implementations-over-time",
    title="Servers by implementation",
    unit="servers; one colour for each family of forks",
    window="each census",
    denominator="online servers",
    sql=series(counted.BY_SOFTWARE, share=True),
    columns=(*COLUMNS, SHARE),
    drawing=Lines(coloured),
    metrics=(counted.BY_SOFTWARE,),
    looks=(SCALE, AS),
    absent="No server was online.",
)

IMPLEMENTATION_COUNT = Chart(
    name="implementation-count",
    title="Implementations and families in use",
    unit="names, or families of forks, that any online server gives",
    window="each census",
    denominator="online servers",
    sql=over_time(f"m.metric IN ('{counted.IMPLEMENTATIONS}', '{counted.LINEAGES}')", line="m.metric"),
    columns=COLUMNS,
    drawing=Lines(fixed(**{counted.IMPLEMENTATIONS: Line("names", 0), counted.LINEAGES: Line("families", 1, "dash")})),
    metrics=(counted.IMPLEMENTATIONS,),
    looks=(SCALE,),
)

WITH_CODE = Chart(
    name="lineages-with-code",
    title="Families with living code",
    unit="families of forks with a public repository that a person committed to within 90 days, at least",
    window="the 90 days before each census",
    denominator="families of which a repository was read",
    sql=series(code.WITH_CODE),
    columns=reworded(COLUMNS, n="families of which a repository was read"),
    drawing=Lines(fixed(**{code.ACTIVE: Line("families", 0)}), steps=True),
    metrics=(code.WITH_CODE,),
    looks=(SCALE,),
    absent="No repository of an implementation was read. Whoever runs this census can have them read with: "
    "matrix-census import developers.",
)

DIVERSITY_OVER_TIME = Chart(
    name="lineage-diversity",
    title="Effective number of families",
    unit="families, used equally, that would be as diverse; with 95 % intervals",
    window="each census",
    denominator="online servers that name their software",
    sql=series(counted.DIVERSITY),
    columns=COLUMNS,
    drawing=Lines(
        fixed(
            **{
                "effective number, order 0": Line("all alike (order 0)", 0),
                "effective number, order 1": Line("order 1", 1, "dash"),
                "effective number, order 2": Line("large ones (2)", 2, "dot"),
            }
        )
    ),
    metrics=(counted.DIVERSITY,),
)

_OF_SOFTWARE = (
    "starts_with(m.dimension, $software || ' ') AND position(' ' IN substr(m.dimension, length($software) + 2)) = 0"
)
"""The versions of one implementation: of `conduit` not those of an implementation whose name only begins so."""

VERSIONS_OVER_TIME = Chart(
    name="versions",
    title="Versions over time",
    unit="servers",
    window="each census",
    denominator="online servers",
    sql=series(counted.BY_VERSION, where=_OF_SOFTWARE, line="substr(m.dimension, length($software) + 2)", share=True),
    columns=(*COLUMNS, SHARE),
    drawing=Lines(shaded),
    metrics=(counted.BY_VERSION,),
    choices=(SOFTWARE,),
    looks=(SCALE, AS),
    absent="No online server says that it runs this.",
)

VERSIONS_NOW = Chart(
    name="versions-now",
    title="Versions in the newest census",
    unit="servers",
    window="newest census",
    denominator="online servers",
    sql=f"""
SELECT substr(m.dimension, length($software) + 2) AS line, m.value, m.lo, m.hi, m.interval_kind AS "interval",
    sum(m.value) OVER ()::BIGINT AS n, m.coverage
FROM metric m
WHERE m.metric = '{counted.BY_VERSION}' AND {NEWEST} AND {_OF_SOFTWARE}
ORDER BY m.value DESC, line
""",  # noqa: S608 - text of ours
    columns=reworded(NOW_COLUMNS, n="online servers that say they run this implementation"),
    drawing=CountBars("version", of_whole=True),
    metrics=(counted.BY_VERSION,),
    choices=(SOFTWARE,),
    absent="No online server says that it runs this.",
)

ADOPTION = Chart(
    name="version-adoption",
    title="How versions take over from each other",
    unit="share of servers; Wilson intervals in the table",
    window="each census",
    denominator="online servers of the implementation that say a version",
    # A version that nobody ran in a census has no row of it in the table, and here one of zero.
    sql="""
WITH said AS (FROM version_adoption WHERE software = $software AND crawl_id <= $census),
census_of AS (SELECT s.crawl_id, s.at, sum(s.servers)::BIGINT AS n FROM said s GROUP BY ALL)
SELECT c.at, c.crawl_id AS census, v.version AS line, coalesce(s.share, 0) AS value, coalesce(s.lo, 0) AS lo,
    coalesce(s.hi, 3.841459 / (c.n + 3.841459)) AS hi, 'confidence' AS "interval", c.n,
    NULL::DOUBLE AS coverage, coalesce(s.servers, 0)::BIGINT AS servers
FROM census_of c CROSS JOIN (SELECT DISTINCT version FROM said) v
LEFT JOIN said s ON s.crawl_id = c.crawl_id AND s.version = v.version
ORDER BY c.crawl_id, line
""",
    columns=(
        *reworded(COLUMNS, coverage="empty: it is told with the versions"),
        Column("servers", "online servers that say this version"),
    ),
    drawing=Lines(shaded, share=True, bands=False),
    metrics=(counted.BY_VERSION,),
    choices=(SOFTWARE,),
    absent=f"Fewer than {versions.SERVERS_MIN} servers ever ran this: a curve would be of single servers.",
    table="version_adoption",
)


def _own(keys: Sequence[str]) -> Mapping[str, Line]:
    return coloured(sorted(keys))


VERSION_LAG = Chart(
    name="version-lag",
    title="Days from a release to its adoption",
    unit="days, the median (Kaplan and Meier), with 95 % intervals",
    window=f"releases of the {versions.RELEASES_D} days before each census that the series saw come out",
    denominator="pairs of a server and a release newer than what it ran",
    sql=series(versions.LAG, where="m.dimension LIKE '%, median'", line="split_part(m.dimension, ', ', 1)"),
    columns=COLUMNS,
    drawing=Lines(_own),
    metrics=(versions.LAG,),
    looks=(SCALE,),
    absent="Not known yet: less than half of the servers that were behind have adopted a release that came out while "
    "the series looked on, or the table of releases (data/reference/releases.csv) has none of these days.",
)

ADOPTED = Chart(
    name="version-adopted",
    title="Servers that had adopted a release so many days after it",
    unit="share of pairs (Kaplan and Meier), with 95 % intervals",
    window=f"releases of the {versions.RELEASES_D} days before each census that the series saw come out",
    denominator="pairs of a server and a release newer than what it ran",
    sql=series(
        versions.LAG,
        where="starts_with(m.dimension, $software || ', adopted after ')",
        line="replace(m.dimension, $software || ', adopted after ', '')",
    ),
    columns=COLUMNS,
    drawing=Lines(
        fixed(
            **{
                "7 d": Line("after 7 days", 0),
                "30 d": Line("after 30 days", 1, "dash"),
                "90 d": Line("after 90 days", 2, "dot"),
            }
        ),
        share=True,
    ),
    metrics=(versions.LAG,),
    choices=(SOFTWARE,),
    absent="Not known: no release of it in the table of releases (data/reference/releases.csv) came out while the "
    "series looked on, or nobody was behind.",
)

BELOW_SECURITY = Chart(
    name="below-security-release",
    title="Servers below the last security release",
    unit="share of servers, with Wilson intervals",
    window="each census",
    denominator="online servers that say a version of the implementation",
    sql=series(
        versions.BELOW,
        line="split_part(m.dimension, ', below ', 1)",
        more=", split_part(m.dimension, ', below ', 2) AS release",
    ),
    columns=(*COLUMNS, Column("release", "the last release then known to mend a vulnerability, and its day")),
    drawing=Lines(_own, share=True),
    metrics=(versions.BELOW,),
    absent="No online server says a version of an implementation whose security releases are in the table of releases "
    "(data/reference/releases.csv).",
)

CHARTS = (
    LINEAGES_OVER_TIME,
    IMPLEMENTATIONS_OVER_TIME,
    IMPLEMENTATION_COUNT,
    WITH_CODE,
    DIVERSITY_OVER_TIME,
    VERSIONS_OVER_TIME,
    VERSIONS_NOW,
    ADOPTION,
    VERSION_LAG,
    ADOPTED,
    BELOW_SECURITY,
)
