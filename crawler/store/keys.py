"""Which keys servers published over the crawls, and which key IDs were given to another key.

A key ID names one key for ever ("Retrieving server keys"): whoever kept the old key under it takes every signature by
the new one for forged. Apart from the reader and the writer, which both ask; a key counts by what is between two crawls
that saw it, so the crawl whose document did not verify says nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

from crawler.store.answer import all_of
from crawler.store.connection import Connection


@dataclass(frozen=True, slots=True)
class KeyUse:
    """One key that one server published under one key ID. `first_crawl` and `last_crawl` are the first and the last
    that saw it there; `crawls` how many did."""

    server_name: str
    key_id: str
    key: str
    first_crawl: int
    last_crawl: int
    crawls: int


@dataclass(frozen=True, slots=True)
class ReusedKey:
    """A key ID of one server with all keys that it was given, in the order of their first crawls."""

    server_name: str
    key_id: str
    uses: tuple[KeyUse, ...]


def key_uses(connection: Connection, server_key: str) -> tuple[KeyUse, ...]:
    """Every key that a server published, by key ID, then in the order of crawls.

    Args:
        connection: A serving file, or the census file.
        server_key: The server's name in ASCII lower case.
    """
    source = f"FROM ({_USES}) WHERE server_key = $server {_ORDER}"
    return all_of(connection, KeyUse, source, {"server": server_key})


def past_keys(connection: Connection, server_key: str) -> dict[str, set[str]]:
    """Key ID -> all keys (unpadded base64) that completed crawls saw a server publish under it; empty when none saw a
    key document of it. The name in ASCII lower case."""
    found: dict[str, set[str]] = {}
    for use in key_uses(connection, server_key):
        found.setdefault(use.key_id, set()).add(use.key)
    return found


def reused_keys(connection: Connection, crawl_id: int) -> tuple[ReusedKey, ...]:
    """Key IDs that a server published in one crawl and that had another key in an earlier crawl of the same kind (real
    or synthetic), by server and key ID."""
    uses = all_of(connection, KeyUse, f"FROM ({_USES_UNTIL}) {_ORDER}", {"crawl": crawl_id})
    return tuple(found for found in _by_key_id(uses) if len(found.uses) > 1 and _last(found) == crawl_id)


def _by_key_id(uses: Iterable[KeyUse]) -> Iterable[ReusedKey]:
    for (server_name, key_id), same in groupby(uses, key=lambda use: (use.server_name, use.key_id)):
        yield ReusedKey(server_name, key_id, tuple(same))


def _last(found: ReusedKey) -> int:
    return max(use.last_crawl for use in found.uses)


# Key IDs hold any visible character, so they are never made part of a JSON path.
_ENTRIES = """unnest(map_entries(from_json(verify_keys, '"MAP(VARCHAR, VARCHAR)"'))) AS entry"""

_PUBLISHED = f"SELECT crawl_id, server_id, {_ENTRIES} FROM server_observation WHERE verify_keys IS NOT NULL"  # noqa: S608 - parts of our own

# What a crawl saw is in no interval before its seal. Only census files have it.
_BEFORE_THE_SEAL = f"SELECT crawl_id, server_id, {_ENTRIES} FROM seen_server WHERE verify_keys IS NOT NULL"  # noqa: S608 - likewise

_GROUPED = """
SELECT server_id, any_value(server_key) AS server_key, any_value(server_name) AS server_name, entry.key AS key_id,
    entry.value AS key, min(crawl_id) AS first_crawl, max(crawl_id) AS last_crawl, count(*) AS crawls
"""

_USES = f"{_GROUPED} FROM ({_PUBLISHED}) JOIN server USING (server_id) GROUP BY server_id, key_id, key"

_OF_THE_KIND = """
crawl_id <= $crawl AND crawl_id IN (
    SELECT crawl_id FROM crawl WHERE synthetic = (SELECT synthetic FROM crawl WHERE crawl_id = $crawl)
)
"""

# Few: without them the keys of every server in every crawl would have to be counted.
_CHANGED = f"""
SELECT server_id FROM (
    SELECT server_id, key_id, verify_key FROM server_key
    UNION ALL SELECT server_id, entry.key, entry.value FROM ({_BEFORE_THE_SEAL})
) GROUP BY server_id, key_id HAVING count(DISTINCT verify_key) > 1
"""  # noqa: S608 - likewise

_OF_THE_CHANGED = f"""
SELECT * FROM ({_PUBLISHED} UNION ALL {_BEFORE_THE_SEAL}) WHERE server_id IN ({_CHANGED}) AND {_OF_THE_KIND}
"""  # noqa: S608 - likewise

_USES_UNTIL = f"""
{_GROUPED} FROM ({_OF_THE_CHANGED}) JOIN server USING (server_id) GROUP BY server_id, key_id, key
"""

_ORDER = "ORDER BY server_key, key_id, first_crawl, key"
