"""What of a census file is published: which rows of each table. A new table must be thought of here."""

from crawler.store.connection import Connection
from crawler.store.insert import column_types, quoted
from crawler.store.intervals import INTERVALS, ORDER
from crawler.store.journal import JOURNAL

_JOURNAL = """crawl_id IN (
    SELECT c.crawl_id FROM census_file.crawl c WHERE c.state = 'completed' AND c.crawl_id >= (
        SELECT coalesce(max(n.crawl_id), 0) FROM census_file.crawl n
        WHERE n.state = 'completed' AND n.scope = 'full' AND n.series_id = c.series_id
    )
)"""
"""Of the newest census of each series, and of what came after it: what a reader shows. The rest is history."""

_ALL = "true"
"""Only completed crawls write history."""

NEVER = "false"

_COMPLETED = "SELECT crawl_id FROM census_file.crawl WHERE state = 'completed'"

PUBLISHED = {
    "crawl": "state <> 'running'",
    "series": _ALL,
    **dict.fromkeys(JOURNAL, _JOURNAL),
    "attempt_summary": f"crawl_id IN ({_COMPLETED})",
    "lead_summary": f"crawl_id IN ({_COMPLETED})",
    "lead_span": _ALL,
    "known_room": _ALL,
    "room_text": _ALL,
    "client_api": _ALL,
    **{interval.table: _ALL for interval in INTERVALS},
    # Whom to write to is personal data, and a serving file is for anybody.
    "support_contact": NEVER,
    "cached_answer": NEVER,
    # What the next crawl is to know; readers see what was observed.
    "server_schedule": NEVER,
    "alias_schedule": NEVER,
    # What the writer alone needs to know.
    "suppression": NEVER,
    "inbox_entry": NEVER,
    "imported_series": _ALL,
    # What one server said of itself, and who wrote code on which day: readers get sums and counts.
    "usage_report": NEVER,
    "developer_day": NEVER,
    "developer_salt": NEVER,
    "usage_sum": _ALL,
    "usage_reporting": _ALL,
    "outside_source": _ALL,
    "developer_count": _ALL,
    "developer_month": _ALL,
    "developer_overlap": _ALL,
    "repository_activity": _ALL,
    "spec_release": _ALL,
    "spec_proposal": _ALL,
    # The names of all that completed crawls met. Nearly all were met first by one of them, which is quickly seen; only
    # for the others is it looked who names them.
    "server": f"""first_crawl_id IN ({_COMPLETED}) OR server_id IN (
        SELECT server_id FROM (
            SELECT server_id FROM server_state
            UNION ALL SELECT server_id FROM lead UNION ALL SELECT named_by FROM lead
            UNION ALL SELECT server_id FROM lead_span UNION ALL SELECT named_by FROM lead_span
            UNION ALL SELECT server_id FROM room_participation UNION ALL SELECT named_by FROM room_participation
        ) WHERE server_id IN (SELECT server_id FROM census_file.server WHERE first_crawl_id NOT IN ({_COMPLETED}))
    )""",  # noqa: S608 - our own words
}
"""Which rows of a table are published, in the order of copying. A new table must be thought of here."""


def insert_published(connection: Connection, table: str, also: str = "true") -> None:
    """Copy the rows of a table that are published from `census_file`, as it is attached; of them those that `also`."""
    columns = ", ".join(quoted(column) for column in column_types(connection, table))
    connection.execute(
        f"""INSERT INTO {quoted(table)} ({columns}) SELECT {columns} FROM census_file.{quoted(table)}
        WHERE ({PUBLISHED[table]}) AND ({also}) {ORDER.get(table, "")}"""  # noqa: S608 - our own names
    )
