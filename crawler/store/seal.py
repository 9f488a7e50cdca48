"""The end of a crawl, in one transaction: it is counted, what it saw becomes intervals, and what is old is let go.

Apart from the writer, which knows batches and the status, because a seal is what moves and what is measured.
"""

from datetime import datetime, timedelta

from crawler.model.crawl import CrawlState
from crawler.store.connection import Connection
from crawler.store.fold import fold
from crawler.store.journal import let_go
from crawler.store.leads import extend_spans
from crawler.store.usage import settle

SUPPORT_CENSUSES = 3
"""Censuses for which the contacts of a server are kept that none of them saw: it is gone, or hides them."""


def seal(
    connection: Connection,
    crawl_id: int,
    state: CrawlState,
    finished_at: datetime,
    report_json: str | None,
    journal_days: int,
) -> None:
    """Seal a running crawl.

    Args:
        connection: In a transaction of the caller's.
        crawl_id: The crawl.
        state: How it ended; only a completed one writes history.
        finished_at: When.
        report_json: What it has to say of itself.
        journal_days: How long before this end another may have ended whose journal is kept.
    """
    values = {"crawl": crawl_id, "state": state.value, "finished_at": finished_at, "report": report_json}
    connection.execute(_SEAL, values)
    connection.execute(_COMPLETENESS, [crawl_id])
    if state is CrawlState.COMPLETED:
        fold(connection, crawl_id)
        extend_spans(connection, crawl_id)
    else:
        connection.execute(_ROOMS, [crawl_id])
    let_go(connection, finished_at - timedelta(days=journal_days))
    settle(connection, finished_at)
    connection.execute(_FORGET_UNSEEN_SUPPORT, {"crawl": crawl_id, "skipped": SUPPORT_CENSUSES - 1})


_SEAL = """
UPDATE crawl SET
    state = $state,
    finished_at = $finished_at,
    servers = (SELECT count(*) FROM seen_server o WHERE o.crawl_id = $crawl),
    online = (SELECT count(*) FROM seen_server o WHERE o.crawl_id = $crawl AND o.online),
    known = (SELECT count(DISTINCT server_id) FROM (
        SELECT server_id FROM lead l WHERE l.crawl_id = $crawl
        UNION ALL SELECT server_id FROM seen_server o WHERE o.crawl_id = $crawl
    )),
    report = $report
WHERE crawl_id = $crawl AND state = 'running'
"""

_ROOMS = """
UPDATE crawl SET rooms = (SELECT count(DISTINCT room_id) FROM seen_listing l WHERE l.crawl_id = $1) WHERE crawl_id = $1
"""
"""The fold counts those of a completed crawl, whose rooms it has numbered."""

_COMPLETENESS = "UPDATE crawl SET completeness = servers / known WHERE crawl_id = ? AND known > 0"

_FORGET_UNSEEN_SUPPORT = """
WITH same_kind AS (SELECT crawl_id FROM crawl WHERE synthetic = (SELECT synthetic FROM crawl WHERE crawl_id = $crawl))
DELETE FROM support_contact
WHERE crawl_id IN (SELECT crawl_id FROM same_kind) AND crawl_id < (
    SELECT crawl_id FROM census JOIN same_kind USING (crawl_id) ORDER BY crawl_id DESC OFFSET $skipped LIMIT 1
)
"""
