"""The servers of one crawl, counted: how far each came, and what those online run.

Apart from the reader's pages, which list them.
"""

from crawler.store.answer import fetch
from crawler.store.connection import Connection
from crawler.store.rows import Funnel, SoftwareCount


def funnel(connection: Connection, crawl_id: int) -> Funnel:
    """Servers by predicate."""
    return Funnel(*fetch(connection, _FUNNEL, {"crawl": crawl_id})[0])


def software_counts(connection: Connection, crawl_id: int) -> list[SoftwareCount]:
    """Online servers by software and version, the most common first."""
    return [SoftwareCount(*row) for row in fetch(connection, _SOFTWARE_COUNTS, {"crawl": crawl_id})]


_SOFTWARE_COUNTS = """
SELECT software, version, count(*) AS servers
FROM server_observation WHERE crawl_id = $crawl AND online
GROUP BY software, version
ORDER BY servers DESC, software NULLS LAST, version NULLS LAST
"""

_FUNNEL = """
SELECT
    coalesce((SELECT known FROM crawl WHERE crawl_id = $crawl AND state = 'completed'), 0),
    count(*),
    count(*) FILTER (resolves),
    count(*) FILTER (reachable),
    count(*) FILTER (secure),
    count(*) FILTER (online),
    count(*) FILTER (federating),
    count(*) FILTER (accepting),
    count(*) FILTER (federating AND accepting IS NOT NULL),
    count(*) FILTER (listing)
FROM server_observation WHERE crawl_id = $crawl
"""
