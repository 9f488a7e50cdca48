"""How the crawls went: where servers fall out, what failed, how complete and how long each crawl was."""

from dashboard import wording
from dashboard.charts.chart import Chart, Column
from dashboard.charts.series import COLUMNS, SAME_SERIES, reworded
from dashboard.choices import SCALE
from dashboard.figures.flow import Flow
from dashboard.figures.lines import DASHES, OTHER, Line, Lines, fixed
from dashboard.figures.template import shortened

STAGES = ("known", "resolves", "reachable", "secure", "online", "federating", "listing")
NOT_VISITED = "not_visited"


def why(kind: str) -> str:
    """The words of a reason: a kind of failure, a state of a directory, or that there was no visit."""
    if kind == NOT_VISITED:
        return "not visited by this census"
    if kind.startswith("directory: "):
        state = kind.removeprefix("directory: ")
        return f"directory: {wording.DIRECTORY[state].word}" if state in wording.DIRECTORY else "directory not asked"
    return wording.FAILURES.get(kind, kind.replace("_", " "))


FALL_OUT = Chart(
    name="fall-out",
    title="Where servers fall out, from known to listing",
    unit="servers, by the last stage passed and what stopped them",
    window="newest census",
    denominator="all that anything named",
    sql="""
-- As server_observation has it, which looks through all crawls unless it is given a number.
WITH this AS (SELECT * FROM census WHERE crawl_id = $census),
visited AS (SELECT v.server_id FROM visit v JOIN this USING (crawl_id)),
stands AS (
    SELECT s.*, d.directory_state
    FROM this n
    JOIN server_state s ON s.series_id = n.series_id AND s.valid_from <= n.crawl_id
        AND (s.valid_to IS NULL OR s.valid_to > n.crawl_id)
    JOIN directory_state d ON d.series_id = n.series_id AND d.server_id = s.server_id AND d.valid_from <= n.crawl_id
        AND (d.valid_to IS NULL OR d.valid_to > n.crawl_id)
    WHERE s.server_id IN (SELECT server_id FROM visited) OR NOT EXISTS (FROM visited)
),
seen AS (
    SELECT CASE WHEN federating AND listing THEN 'listing' WHEN federating THEN 'federating' WHEN online THEN 'online'
            WHEN secure THEN 'secure' WHEN reachable THEN 'reachable' WHEN resolves THEN 'resolves' ELSE 'known'
        END AS stage,
        CASE WHEN federating AND listing THEN 'listing'
            WHEN federating THEN 'directory: ' || coalesce(directory_state, 'skipped')
            ELSE coalesce(failed_kind, 'unknown') END AS why
    FROM stands
)
SELECT stage, why, value FROM (
    SELECT stage, why, count(*) AS value FROM seen GROUP BY ALL
    UNION ALL
    SELECT 'known', 'not_visited', known - servers FROM this WHERE known > servers
)
ORDER BY list_position(['known', 'resolves', 'reachable', 'secure', 'online', 'federating', 'listing'], stage),
    value DESC, why
""",
    columns=(
        Column("stage", "the last stage passed: known, resolves, reachable, secure, online, federating, listing"),
        Column("why", "kind of failure that stopped it; after federating how its directory answers"),
        Column("value", "servers"),
    ),
    drawing=Flow(STAGES, why),
    metrics=("servers",),
)

_OF_ATTEMPTS = """
    SELECT crawl_id, what, outcome, failed_kind, attempts FROM attempt_summary
    UNION ALL
    SELECT crawl_id, what, outcome, failed_kind, count(*) FROM attempt
    WHERE crawl_id NOT IN (SELECT crawl_id FROM attempt_summary) GROUP BY ALL
"""

FAILURES = Chart(
    name="failed-attempts",
    title="Failed attempts by kind",
    unit="attempts: a step of a visit, its last try",
    window="each census",
    denominator="attempts that were made",
    sql=f"""
WITH tried AS ({_OF_ATTEMPTS})
SELECT c.finished_at AS at, c.crawl_id AS census, t.failed_kind AS line, sum(t.attempts)::DOUBLE AS value,
    NULL::DOUBLE AS lo, NULL::DOUBLE AS hi, 'none' AS "interval",
    sum(sum(t.attempts)) OVER (PARTITION BY c.crawl_id)::BIGINT AS n, NULL::DOUBLE AS coverage
FROM tried t JOIN census c ON c.crawl_id = t.crawl_id
WHERE t.outcome = 'failed' AND {SAME_SERIES}
GROUP BY c.finished_at, c.crawl_id, t.failed_kind
ORDER BY census, line
""",  # noqa: S608 - text of ours
    columns=reworded(COLUMNS, n="failed attempts of all kinds"),
    drawing=Lines(
        lambda keys: {
            key: Line(shortened(why(key), 24), at if at < len(DASHES) else OTHER, DASHES[at % len(DASHES)])
            for at, key in enumerate(keys)
        }
    ),
    metrics=("servers",),
    looks=(SCALE,),
    absent="No attempt failed, or none is kept.",
)

COMPLETENESS = Chart(
    name="completeness",
    title="How complete each census was",
    unit="share of known servers that were visited",
    window="each census",
    denominator="servers that anything named",
    sql=f"""
SELECT c.finished_at AS at, c.crawl_id AS census, 'visited' AS line, c.completeness AS value, NULL::DOUBLE AS lo,
    NULL::DOUBLE AS hi, 'none' AS "interval", c.known::BIGINT AS n, c.completeness AS coverage
FROM census c WHERE {SAME_SERIES} ORDER BY census
""",  # noqa: S608 - text of ours
    columns=COLUMNS,
    drawing=Lines(fixed(visited=Line("visited", 0)), share=True),
    metrics=("servers",),
)

DURATION = Chart(
    name="crawl-duration",
    title="How long each census took",
    unit="minutes from start to seal",
    window="each census",
    denominator="",
    sql=f"""
SELECT c.finished_at AS at, c.crawl_id AS census, 'minutes' AS line,
    epoch(c.finished_at - c.started_at) / 60 AS value, NULL::DOUBLE AS lo, NULL::DOUBLE AS hi, 'none' AS "interval",
    c.servers::BIGINT AS n, c.completeness AS coverage
FROM census c WHERE {SAME_SERIES} ORDER BY census
""",  # noqa: S608 - text of ours
    columns=COLUMNS,
    drawing=Lines(fixed(minutes=Line("minutes", 0))),
    metrics=("servers",),
    looks=(SCALE,),
)

CHARTS = (FALL_OUT, FAILURES, COMPLETENESS, DURATION)
