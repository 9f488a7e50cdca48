"""Developers: who writes the code of a list of repositories, which no crawl sees and which is imported."""

from analytics import developers as counted
from dashboard.charts.chart import Chart
from dashboard.charts.series import COLUMNS, SAME_SERIES, reworded, series
from dashboard.choices import SCALE, Choice
from dashboard.figures.lines import Lines, ranked
from dashboard.wording import one_line

_LABEL_MOST = 22

WINDOW = Choice("window", "Commits within", (("365", "a year"), ("90", "90 days"), ("30", "30 days")))

_ABSENT = (
    "No repositories were read. Whoever runs this census can have them read with: matrix-census import developers "
    "(by data/reference/developers.toml, or a list of your own)."
)
_LISTED = f"m.denominator = '{counted.LISTED}'"
_LISTS = Lines(ranked(lambda name: one_line(name, _LABEL_MOST)))
_REPOSITORIES = reworded(COLUMNS, n="repositories of the list that could be read")

OVER_TIME = Chart(
    name="developers",
    title="Developers",
    unit="authors of commits; the band from one for each full name to one for each address",
    window="the days before each census, as chosen",
    denominator="the repositories of a list",
    sql=series(
        counted.DEVELOPERS,
        where=f"{_LISTED} AND ends_with(m.dimension, ', in ' || $window || ' d')",
        line="replace(m.dimension, ', in ' || $window || ' d', '')",
    ),
    columns=_REPOSITORIES,
    drawing=_LISTS,
    metrics=(counted.DEVELOPERS,),
    choices=(WINDOW,),
    looks=(SCALE,),
    absent=_ABSENT,
)

NEW_AND_RETURNING = Chart(
    name="developers-new",
    title="New and returning developers",
    unit="authors of commits; new: their first one there lies in the window",
    window="the days before each census, as chosen",
    denominator="the repositories of a list",
    sql=series(
        counted.DEVELOPERS,
        where="""(ends_with(m.dimension, ', new in ' || $window || ' d')
    OR ends_with(m.dimension, ', returning in ' || $window || ' d'))""",
        line="replace(m.dimension, ' in ' || $window || ' d', '')",
    ),
    columns=_REPOSITORIES,
    drawing=_LISTS,
    metrics=(counted.DEVELOPERS,),
    choices=(WINDOW,),
    looks=(SCALE,),
    absent=_ABSENT,
)

BY_MONTH = Chart(
    name="developers-by-month",
    title="Developers by month",
    unit="authors of commits",
    window="each whole month, as the newest census that tells of it has it",
    denominator="the repositories of a list",
    sql=f"""
WITH told AS (
    SELECT m.snapshot, regexp_extract(m.dimension, '^(.*), [0-9]+-[0-9]+', 1) AS line,
        (right(m.dimension, 7) || '-01 00:00:00+00')::TIMESTAMPTZ AS month, m.value, m.n, m.coverage
    FROM metric m JOIN crawl c ON c.crawl_id = m.snapshot
    WHERE m.metric = '{counted.BY_MONTH}' AND m.value IS NOT NULL AND {SAME_SERIES}
)
SELECT month AS at, max(snapshot) AS census, line, arg_max(value, snapshot) AS value, NULL::DOUBLE AS lo,
    NULL::DOUBLE AS hi, 'none' AS "interval", arg_max(n, snapshot) AS n, max_by(coverage, snapshot) AS coverage
FROM told GROUP BY month, line ORDER BY month, line
""",  # noqa: S608 - texts of ours
    columns=reworded(
        _REPOSITORIES, at="the month: its first moment, UTC", census="number of the newest census that tells of it"
    ),
    drawing=_LISTS,
    metrics=(counted.BY_MONTH,),
    looks=(SCALE,),
    absent=_ABSENT,
)

CHARTS = (OVER_TIME, NEW_AND_RETURNING, BY_MONTH)
