"""What was attempted is kept for a while, then summarised and let go.

Attempts are what grows without end: every visit of every crawl leaves a dozen rows that nobody asks for a year later.
The intervals keep what was found; of the journal of an old crawl there remain how many attempts went how, and how many
servers had how many witnesses. The newest census of each series keeps its journal however old it is: it is what readers
look at. Attempts are summarised as soon as a newer census stands, for then readers get no more of them.
"""

from datetime import datetime

from crawler.store.connection import Connection
from crawler.store.intervals import SEEN

JOURNAL_DAYS = 30
"""How long the journal of a crawl is kept, unless told otherwise."""

JOURNAL = (
    "visit", "attempt", "resolution_step", "endpoint", "address_look", "lead", "listing_deviation", "space_child",
    "unlisted_room",
)  # fmt: skip
"""Its tables."""


def let_go(connection: Connection, before: datetime) -> list[int]:
    """Summarise the attempts of all completed crawls but the newest censuses, and remove the journals of crawls that
    ended before a time, summarised. In a transaction.

    Returns:
        The crawls whose journals went.
    """
    # A crawl that was killed never ended; its start says how old it is.
    old = [int(crawl_id) for (crawl_id,) in connection.execute(_OLD, [before]).fetchall()]
    for (crawl_id,) in connection.execute(_NOT_SUMMARISED, [old]).fetchall():
        connection.execute(_ATTEMPTS, [crawl_id])
    for crawl_id in old:
        connection.execute(_LEADS, [crawl_id])
        for table in (*JOURNAL, *SEEN):
            connection.execute(f"DELETE FROM {table} WHERE crawl_id = ?", [crawl_id])  # noqa: S608 - our own names
    return old


_OLD = """
SELECT crawl_id FROM crawl
WHERE state <> 'running' AND coalesce(finished_at, started_at) < ?
    AND crawl_id IN (SELECT crawl_id FROM visit UNION ALL SELECT crawl_id FROM lead)
    AND crawl_id NOT IN (SELECT max(crawl_id) FROM census GROUP BY series_id)
    AND (folded OR state <> 'completed')
ORDER BY crawl_id
"""

_NOT_SUMMARISED = """
SELECT DISTINCT crawl_id FROM attempt
WHERE crawl_id NOT IN (SELECT crawl_id FROM attempt_summary) AND (
    list_contains(?, crawl_id)
    OR crawl_id IN (
        SELECT c.crawl_id FROM crawl c
        JOIN (SELECT series_id, max(crawl_id) AS newest FROM census GROUP BY series_id) n USING (series_id)
        WHERE c.state = 'completed' AND c.folded AND c.crawl_id < n.newest
    )
)
ORDER BY crawl_id
"""

_ATTEMPTS = """
INSERT INTO attempt_summary
SELECT crawl_id, what, outcome, failed_kind, skip_reason, count(*),
    quantile_disc(total_s, 0.5), quantile_disc(total_s, 0.9), max(total_s), quantile_disc(first_byte_s, 0.5)
FROM attempt WHERE crawl_id = ?
GROUP BY ALL ORDER BY ALL
"""

_LEADS = """
INSERT INTO lead_summary
SELECT crawl_id, source, witnesses, count(*) FROM (
    SELECT crawl_id, source, server_id, count(DISTINCT named_by)::INTEGER AS witnesses
    FROM lead WHERE crawl_id = ? GROUP BY ALL
)
GROUP BY ALL ORDER BY ALL
"""
