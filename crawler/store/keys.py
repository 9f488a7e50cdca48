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


def reused_keys(connection: Connection, crawl_id: int) -> tuple[ReusedKey, ...]:
    """Key IDs that a server published in one crawl and that had another key in an earlier crawl of the same kind (real
    or synthetic), by server and key ID."""
    uses_of_reusers = f"SELECT * FROM ({_USES_UNTIL}) WHERE server_id IN ({_REUSED})"  # noqa: S608 - parts of our own
    source = f"FROM ({uses_of_reusers}) {_ORDER}"
    uses = all_of(connection, KeyUse, source, {"crawl": crawl_id})
    return tuple(found for found in _by_key_id(uses) if len(found.uses) > 1 and _last(found) == crawl_id)


def _by_key_id(uses: Iterable[KeyUse]) -> Iterable[ReusedKey]:
    for (server_name, key_id), same in groupby(uses, key=lambda use: (use.server_name, use.key_id)):
        yield ReusedKey(server_name, key_id, tuple(same))


def _last(found: ReusedKey) -> int:
    return max(use.last_crawl for use in found.uses)


# Key IDs hold any visible character, so they are never made part of a JSON path.
_PUBLISHED = """
SELECT crawl_id, server_id, unnest(map_entries(from_json(verify_keys, '"MAP(VARCHAR, VARCHAR)"'))) AS entry
FROM server_observation WHERE verify_keys IS NOT NULL
"""

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

_USES_UNTIL = f"""
{_GROUPED} FROM ({_PUBLISHED} AND {_OF_THE_KIND}) JOIN server USING (server_id) GROUP BY server_id, key_id, key
"""

_REUSED = f"""
SELECT server_id FROM ({_PUBLISHED} AND {_OF_THE_KIND})
GROUP BY server_id, entry.key HAVING count(DISTINCT entry.value) > 1
"""  # noqa: S608 - parts of our own

_ORDER = "ORDER BY server_key, key_id, first_crawl, key"
