"""All that a serving file says of one server in one crawl."""

from crawler.store.answer import all_of, fetch
from crawler.store.connection import Connection
from crawler.store.question import search_text
from crawler.store.rows import AddressLookRow, AttemptRow, EndpointRow, LeadRow, Observation, ServerDetail, StepRow

_LEADS = 100
"""Leads shown of one server."""


def server_detail(connection: Connection, name: str, crawl_id: int) -> ServerDetail | None:
    """None when nothing ever named it.

    Args:
        connection: To a serving file.
        name: Its name, in any case.
        crawl_id: The crawl.
    """
    rows = fetch(
        connection,
        "SELECT server_id, server_name FROM server WHERE server_key = lower($name)",
        {"name": search_text(name)},
    )
    if not rows:
        return None
    server_id, server_name = rows[0]
    place = {"crawl": crawl_id, "server": server_id}
    where = "WHERE crawl_id = $crawl AND server_id = $server"
    seen = all_of(connection, Observation, f"FROM server_observation {where}", place)
    leads = all_of(connection, LeadRow, _LEADS_OF_SERVER, place)
    counts = fetch(connection, _COUNTS_OF_SERVER, place)[0]
    return ServerDetail(
        server_name=server_name,
        crawl_id=crawl_id,
        observation=seen[0] if seen else None,
        attempts=all_of(connection, AttemptRow, f"FROM attempt {where} ORDER BY ordinal", place),
        steps=all_of(connection, StepRow, f"FROM resolution_step {where} ORDER BY ordinal", place),
        endpoints=all_of(connection, EndpointRow, f"FROM endpoint {where} ORDER BY ordinal", place),
        addresses=all_of(connection, AddressLookRow, f"FROM address_look {where} ORDER BY ordinal", place),
        listings=counts[0],
        participations=counts[1],
        leads=leads[:_LEADS],
        leads_total=len(leads),
    )


_LEADS_OF_SERVER = """
FROM (
    SELECT source, teller.server_name AS named_by, sum(count)::BIGINT AS count
    FROM lead LEFT JOIN server teller ON lead.named_by = teller.server_id
    WHERE crawl_id = $crawl AND lead.server_id = $server
    GROUP BY source, teller.server_name
)
ORDER BY count DESC, source, named_by NULLS FIRST
"""

_COUNTS_OF_SERVER = """
SELECT
    (SELECT count(*) FROM listing WHERE crawl_id = $crawl AND server_id = $server),
    (SELECT count(DISTINCT room_id) FROM participation WHERE crawl_id = $crawl AND server_id = $server)
"""
