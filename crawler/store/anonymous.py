"""What of a census may be told without pointing to small servers: a list of what is kept, not of what is left out.

How many people use a server is not known. What stands in for it is the largest room that its own public directory ever
listed: a server that shows a room of k members shows itself to at least so many. All others, and all that list nothing,
get a name made up for the one export. Room IDs carry the name of a server, so all of them are made up.
"""

from collections.abc import Mapping

from crawler.store.connection import Connection

_NULL = "NULL"
_SERVER = "(SELECT p.number FROM temp.pseudonym p WHERE p.server_id = t.{0})"
_NAME = "(SELECT p.name FROM temp.pseudonym p WHERE p.server_id = t.server_id)"
_COMMON = "CASE WHEN t.software IN (FROM temp.common_software) THEN t.software END"

NUMBERS: Mapping[str, str] = {
    "server_id": _SERVER.format("server_id"),
    "named_by": _SERVER.format("named_by"),
    "room_number": "(SELECT p.number FROM temp.room_pseudonym p WHERE p.room_number = t.room_number)",
}
"""Columns of any table that are given other numbers: those of the census stand in its public files beside the names."""

_TOLD_APART = (
    "delegated",
    "software_raw",
    "version_raw",
    "verify_keys",
    "client_base",
    "identity_server",
    "rtc_foci",
    "sliding_sync_proxy",
    "oauth_issuer",
)
"""Columns of a server's state that name it, or tell it from all others."""

ANONYMOUS: Mapping[str, Mapping[str, str]] = {
    "snapshot": {},
    "crawl": {"identity": _NULL, "settings": "'{}'", "report": _NULL},
    "series": {},
    "server": {"server_key": _NAME, "server_name": _NAME},
    "known_room": {"room_id": f"'!' || {NUMBERS['room_number']}"},
    "room_text": {"name": _NULL, "topic": _NULL, "canonical_alias": _NULL},
    "client_api": {"unstable_features": _NULL},
    "server_state": {**dict.fromkeys(_TOLD_APART, _NULL), "software": _COMMON},
    "directory_state": {},
    "server_families": {},
    "room_state": {},
    "room_listing": {},
    "room_participation": {},
    "attempt_summary": {},
    "lead_summary": {},
    # Sums and counts, of which none names a server or a person.
    "usage_sum": {},
    "usage_reporting": {},
    "outside_source": {"summary": "'{}'"},
    "developer_count": {},
    "developer_month": {},
    "developer_overlap": {},
    "repository_activity": {},
    "spec_release": {},
    "spec_proposal": {},
}
"""Tables that are kept -> columns that are replaced, and by what. `t` is the table. All other tables are left out."""


def make_pseudonyms(connection: Connection, k: int) -> None:
    """Make the temporary tables that `ANONYMOUS` and `NUMBERS` speak of.

    Args:
        k: members of a room that a server's directory listed, from which on it keeps its name; and servers that run a
            software, from which on it is told.
    """
    connection.execute(
        """
        CREATE TEMP TABLE pseudonym AS
        SELECT server_id, number, CASE WHEN server_id IN (
            SELECT l.server_id FROM room_listing l JOIN room_state r
            ON r.series_id = l.series_id AND r.room_number = l.room_number
                AND r.valid_from < coalesce(l.valid_to, 2147483647) AND l.valid_from < coalesce(r.valid_to, 2147483647)
            WHERE r.members >= $1
        ) THEN server_key ELSE 'server-' || number || '.invalid' END AS name
        FROM (
            SELECT *, row_number() OVER (ORDER BY chance)::INTEGER AS number
            FROM (SELECT *, random() AS chance FROM server)
        )
        """,
        [k],
    )
    connection.execute(
        "CREATE TEMP TABLE room_pseudonym AS"
        " SELECT room_number, row_number() OVER (ORDER BY chance)::INTEGER AS number"
        " FROM (SELECT room_number, random() AS chance FROM known_room)"
    )
    # Some servers call their software by their own name.
    connection.execute(
        "CREATE TEMP TABLE common_software AS SELECT software FROM server_state WHERE software IS NOT NULL"
        " GROUP BY software HAVING count(DISTINCT server_id) >= $1",
        [k],
    )
