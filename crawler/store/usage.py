"""Usage reports in the census file: kept for a while, summed over each census, and then only the sums.

A report comes through the inbox or with an import. Nobody but the census file holds what one server said: a serving
file has the sums. Those of the newest census of a series are computed when it is published (`open_sums`), since
reports still come; once the next census is sealed they are settled into `usage_sum` (`settle`), and reports may go.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from crawler.errors import ProtocolError
from crawler.model.usage import FIELDS, Proof, ReceivedReport
from crawler.protocol.json_body import clean_text
from crawler.protocol.usage import build_usage_report
from crawler.store.connection import Connection
from crawler.store.inbox import Entry
from crawler.store.insert import column_types, insert_rows
from crawler.store.suppression import read_suppressed

USAGE = "usage"
"""Kind of an inbox entry: what `content_of` makes of a report."""

KEPT = timedelta(days=90)
"""How long a verified report is kept; sums stay."""

KEPT_UNVERIFIED = timedelta(days=7)
MOST_UNVERIFIED = 5_000
"""Servers may be named by anybody; the newest of these reports stay."""

NEAR = timedelta(days=7)
"""How far from the seal of a census a report may be to count with it."""


def content_of(received: ReceivedReport) -> dict[str, Any]:
    """A report as an inbox entry has it; when it was received is the entry's own time."""
    report = received.report
    return {
        "homeserver": report.server_name.raw,
        "timestamp": report.reported_at.timestamp() if report.reported_at is not None else None,
        "proof": received.proof.value,
        "software": received.software,
        **report.counts,
    }


def report_in(entry: Entry) -> ReceivedReport | None:
    """The report in an inbox entry; None when it is none."""
    try:
        report = build_usage_report(entry.content)
        proof = Proof(entry.content.get("proof", ""))
    except (ProtocolError, ValueError):
        return None
    return ReceivedReport(report, entry.at, proof, clean_text(entry.content.get("software"), 100))


def keep(connection: Connection, reports: Iterable[ReceivedReport]) -> int:
    """Keep reports, of each server, day and proof the last. In a transaction. Keeping twice is keeping.

    Returns:
        How many were of a server that was not forgotten.
    """
    forgotten = read_suppressed(connection)
    rows: dict[tuple[str, str, str], tuple[object, ...]] = {}
    taken = 0
    for received in sorted(reports, key=lambda each: each.received_at):
        report = received.report
        if forgotten.has_server(report.server_name):
            continue
        taken += 1
        key = (report.server_name.key, received.received_at.date().isoformat(), received.proof.value)
        counts = [report.counts.get(field) for field in FIELDS]
        rows[key] = (*key, received.received_at, report.reported_at, received.software, *counts)
    types = column_types(connection, "usage_report")
    insert_rows(connection, "usage_report", types, rows.values(), replacing=True)
    connection.execute(_DROP_MANY_UNVERIFIED, [MOST_UNVERIFIED])
    return taken


def settle(connection: Connection, now: datetime) -> None:
    """Sum up what is near censuses that were followed by another, and let go of old reports. In a transaction.

    Args:
        now: The end of the crawl that is being sealed; it may be the census that follows.
    """
    for crawl in connection.execute(_CLOSED, {"near": NEAR}).fetchall():
        _sum_up(connection, crawl, "")
    for proof, kept in ((True, KEPT), (False, KEPT_UNVERIFIED)):
        connection.execute(
            "DELETE FROM usage_report WHERE received_at < $before AND (proof <> 'none') = $proven",
            {"before": now - kept, "proven": proof},
        )


def open_sums(connection: Connection, reports: str) -> None:
    """Sum up for the newest census of each series, in a serving file in the making.

    Args:
        connection: Has the tables of the census, and in `reports`, a catalog's name, the reports.
    """
    for crawl in connection.execute(_OPEN.format(catalog=f"{reports}."), {"near": NEAR}).fetchall():
        _sum_up(connection, crawl, f"{reports}.")


def _sum_up(connection: Connection, crawl: tuple[Any, ...], catalog: str) -> None:
    crawl_id, series_id, since, until = crawl
    values: Mapping[str, Any] = {"series": series_id, "crawl": crawl_id, "since": since, "until": until}
    connection.execute(_NEAR_IT.format(catalog=catalog), values)
    connection.execute(_SUMS, {"crawl": crawl_id})
    connection.execute(_REPORTING, {"crawl": crawl_id})
    connection.execute("DROP TABLE temp.near_it")


_DROP_MANY_UNVERIFIED = """
DELETE FROM usage_report WHERE proof = 'none' AND received_at < (
    SELECT received_at FROM usage_report WHERE proof = 'none' ORDER BY received_at DESC OFFSET ? - 1 LIMIT 1
)
"""

_SPANS = """
SELECT crawl_id, series_id, finished_at - $near AS since,
    least(finished_at + $near, coalesce(next_at, finished_at + $near)) AS until, next_at
FROM (
    SELECT crawl_id, series_id, finished_at,
        lead(finished_at) OVER (PARTITION BY series_id ORDER BY finished_at, crawl_id) AS next_at
    FROM census WHERE crawl_id > 0
)
"""
"""Of our own censuses, which reports are near them."""

_UNSETTLED = """
SELECT crawl_id, series_id, since, until FROM ({spans}) s
WHERE {which} AND crawl_id NOT IN (SELECT crawl_id FROM usage_reporting)
    AND EXISTS (FROM {{catalog}}usage_report r WHERE r.received_at > s.since AND r.received_at <= s.until)
ORDER BY crawl_id
"""

_CLOSED = _UNSETTLED.format(spans=_SPANS, which="next_at IS NOT NULL").format(catalog="")
_OPEN = _UNSETTLED.format(spans=_SPANS, which="true")

_NEAR_IT = """
CREATE OR REPLACE TEMP TABLE near_it AS
SELECT r.*, r.server_key IN (
    SELECT n.server_key FROM server_state s JOIN server n USING (server_id)
    WHERE s.series_id = $series AND s.valid_from <= $crawl AND (s.valid_to IS NULL OR s.valid_to > $crawl) AND s.online
) AS online
FROM (
    SELECT DISTINCT ON (server_key) * FROM {catalog}usage_report
    WHERE received_at > $since AND received_at <= $until
    ORDER BY server_key, proof = 'none', received_at DESC
) r
"""
"""Of each server the last that is believed, else the last."""

BRIDGED = "bridged_users"
"""A field of the sums that no report has: total_users less total_nonbridged_users, of each server that says both."""

_SUMS = f"""
INSERT INTO usage_sum SELECT $crawl, field, count(*)::INTEGER, sum(said)::BIGINT FROM (
    UNPIVOT (
        SELECT {", ".join(FIELDS)},
            CASE WHEN total_users >= total_nonbridged_users THEN total_users - total_nonbridged_users END AS {BRIDGED}
        FROM temp.near_it WHERE online AND proof <> 'none'
    )
    ON {", ".join(FIELDS)}, {BRIDGED} INTO NAME field VALUE said
) GROUP BY field ORDER BY field
"""  # noqa: S608 - our own names
"""What a server contradicts itself about (fewer users than users of its own) is in no difference."""

_REPORTING = """
INSERT INTO usage_reporting SELECT $crawl, proof, online, count(*)::INTEGER FROM temp.near_it GROUP BY ALL ORDER BY ALL
"""
