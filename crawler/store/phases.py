"""How long each phase of a crawl's visits took, from what it has committed, all its sittings together."""

from crawler.store.connection import Connection

_PHASES = """
WITH took AS (
    SELECT what AS phase, total_s AS s FROM attempt WHERE crawl_id = $crawl
    UNION ALL SELECT 'first_byte', first_byte_s FROM attempt WHERE crawl_id = $crawl
)
SELECT phase, count(*), quantile_disc(s, 0.5), quantile_disc(s, 0.9), quantile_disc(s, 0.99), max(s)
FROM took WHERE s IS NOT NULL GROUP BY phase ORDER BY phase
"""


def phase_times(connection: Connection, crawl_id: int) -> dict[str, dict[str, float]]:
    """Phase -> n, p50_s, p90_s, p99_s, max_s, in wall seconds: of what was attempted, whether it succeeded or failed.
    A phase that nobody came to is absent."""
    rows = connection.execute(_PHASES, {"crawl": crawl_id}).fetchall()
    return {
        phase: {
            "n": n,
            **{name: round(s, 4) for name, s in zip(("p50_s", "p90_s", "p99_s", "max_s"), took, strict=True)},
        }
        for phase, n, *took in rows
    }
