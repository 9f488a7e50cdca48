"""Every lead for good: the completed crawls that saw it first and last (`lead_span`).

Apart from the intervals, because a lead is no state: what servers say of aliases is asked in turns, so a lead that a
crawl did not see has not ended, and rows that end and begin again with every turn would say nothing. Apart from the
journal, because this stays when that is let go.
"""

from crawler.store.connection import Connection


def extend_spans(connection: Connection, crawl_id: int) -> None:
    """Take in what a completed crawl was told. In the transaction that seals it, once, and in the order of crawls."""
    connection.execute(_SEEN_NOW, {"crawl": crawl_id})
    for statement in _EXTEND:
        connection.execute(statement, {"crawl": crawl_id})
    connection.execute("DROP TABLE temp.lead_now")


def make_spans(connection: Connection, crawls: str) -> None:
    """Make the spans anew of what the journal still has.

    Args:
        crawls: Condition of ours on the rows of `crawl`.
    """
    connection.execute(
        f"""
        INSERT INTO lead_span
        SELECT c.series_id, l.server_id, l.source, l.named_by, min(l.crawl_id), max(l.crawl_id),
            count(DISTINCT l.crawl_id)::INTEGER
        FROM lead l JOIN (SELECT crawl_id, series_id FROM crawl WHERE state = 'completed' AND {crawls}) c
        USING (crawl_id) GROUP BY ALL ORDER BY ALL
        """  # noqa: S608 - our own conditions
    )


_SEEN_NOW = """
CREATE OR REPLACE TEMP TABLE lead_now AS
SELECT DISTINCT c.series_id, l.server_id, l.source, l.named_by
FROM lead l JOIN crawl c USING (crawl_id) WHERE l.crawl_id = $crawl
"""

_SAME = """
s.series_id = n.series_id AND s.server_id = n.server_id AND s.source = n.source
AND s.named_by IS NOT DISTINCT FROM n.named_by
"""

_EXTEND = (
    f"UPDATE lead_span s SET last_crawl_id = $crawl, crawls = s.crawls + 1 FROM temp.lead_now n WHERE {_SAME}",  # noqa: S608 - our own names
    f"""
    INSERT INTO lead_span
    SELECT n.series_id, n.server_id, n.source, n.named_by, $crawl, $crawl, 1
    FROM temp.lead_now n ANTI JOIN lead_span s ON {_SAME} ORDER BY n.server_id, n.source, n.named_by
    """,  # noqa: S608 - our own names
)
