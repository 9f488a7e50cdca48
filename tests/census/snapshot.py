"""A published crawl as plain values, so that two of the same federation can be laid beside each other.

Left out is what no two crawls have in common: times, the numbers of rows, and how often and how much was asked until an
answer was had.
"""

from pathlib import Path
from typing import Any

from tests.census.practice import rows

NOT_COMPARED = frozenset(
    {
        "crawl_id", "server_id", "ordinal", "observed_at", "keys_valid_until", "requests", "bytes_read", "duration_s",
        "total_s", "tcp_s", "tls_s", "first_byte_s", "cache_s", "cached_at", "detail", "named_by",
    }
)  # fmt: skip

TABLES = ("server_observation", "attempt", "resolution_step", "endpoint", "address_look", "listing", "participation")

SRV_BRANCHES = ("3.3", "3.4", "4", "5")
"""Branches in which several targets may be equally good."""

LEADS = """
SELECT named.server_key AS server, source,
    CASE WHEN source NOT LIKE 'space%' THEN teller.server_key END AS teller, sum(count)::INTEGER AS count
FROM lead JOIN server AS named USING (server_id) LEFT JOIN server AS teller ON teller.server_id = lead.named_by
GROUP BY ALL
"""

SPACES = "SELECT space_id, child_id FROM space_child"
"""Whoever is asked first tells of a space; which server that is depends on who was heard of first."""

UNLISTED = "SELECT DISTINCT * EXCLUDE (crawl_id, server_id) FROM unlisted_room"

ROOMS = "SELECT * EXCLUDE (crawl_id) FROM room"

Comparable = dict[str, list[str]]


def comparable(serving: Path) -> Comparable:
    """Table -> its rows as text, sorted; a row that is there twice is there twice."""
    found = {table: [_told(row) for row in rows(serving, _query(table))] for table in TABLES}
    found["lead"] = [_told(row) for row in rows(serving, LEADS)]
    found["space_child"] = [_told(row) for row in rows(serving, SPACES)]
    found["unlisted_room"] = [_told(row) for row in rows(serving, UNLISTED)]
    found["room"] = [_told(row) for row in rows(serving, ROOMS)]
    return {table: sorted(lines) for table, lines in found.items()}


def differences(one: Comparable, other: Comparable) -> dict[str, tuple[list[str], list[str]]]:
    """Table -> (rows of the one alone, rows of the other alone); empty when they are the same."""
    found = {}
    for table in one:
        ours, theirs = list(one[table]), list(other[table])
        for line in one[table]:
            if line in theirs:
                theirs.remove(line)
                ours.remove(line)
        if ours or theirs:
            found[table] = (ours, theirs)
    return found


def _query(table: str) -> str:
    teller = ", teller.server_key AS teller" if table == "participation" else ""
    join = "JOIN server AS teller ON teller.server_id = t.named_by" if table == "participation" else ""
    return f"SELECT t.*, s.server_name{teller} FROM {table} t JOIN server s ON s.server_id = t.server_id {join}"


def _told(row: dict[str, Any]) -> str:
    if row.get("question") == "srv":  # RFC 2782 draws lots among targets of one priority
        row["answer"] = sorted(row["answer"].split("; "))
    if row.get("branch") in SRV_BRANCHES:
        row["address"] = None
    return repr({column: value for column, value in row.items() if column not in NOT_COMPARED})
