"""What crawls remember for those after them: `server_schedule` and `alias_schedule`, read whole, replaced by row.

Apart from the writer's other tables, which only ever grow: this is working state.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from operator import attrgetter
from typing import Any

from crawler.model.schedule import Life, Remembered, Robots, ServerSchedule
from crawler.protocol.json_body import clean_text
from crawler.store.connection import Connection
from crawler.store.insert import insert_rows

ALIAS = 255
"""Most characters of an alias."""


def read_remembered(connection: Connection, synthetic: bool) -> Remembered:
    """All that crawls of one kind (real or synthetic) remember."""
    # By the journal also those whom only a crawl has visited that is not completed, as one that is resumed.
    kind = """server_id IN (
        SELECT v.server_id FROM visit v JOIN crawl c USING (crawl_id) WHERE c.synthetic = $1
        UNION ALL SELECT i.server_id FROM server_state i JOIN series s USING (series_id) WHERE s.synthetic = $1
    )"""
    rows = connection.execute(
        "SELECT server_key, life, failures, tried_at, online_at, due_at, not_before, denied_until, robots, first_key,"  # noqa: S608 - our own words
        f" address FROM server_schedule JOIN server USING (server_id) WHERE {kind}",
        [synthetic],
    ).fetchall()
    servers = {row[0]: _schedule(*row) for row in rows}
    aliases: defaultdict[str, dict[str, int]] = defaultdict(dict)
    asked = connection.execute(
        f"SELECT server_key, alias, crawl_id FROM alias_schedule JOIN server USING (server_id) WHERE {kind}",  # noqa: S608 - likewise
        [synthetic],
    ).fetchall()
    for key, alias, crawl_id in asked:
        aliases[key][alias] = crawl_id
    return Remembered(servers, dict(aliases))


def _schedule(*row: Any) -> ServerSchedule:
    values = dict(zip((column.name for column in fields(ServerSchedule)), row, strict=True))
    values["life"] = Life(values["life"])
    values["robots"] = None if values["robots"] is None else Robots(values["robots"])
    return ServerSchedule(**values)


def remember_servers(
    connection: Connection, types: Mapping[str, str], number: Callable[[str], int], rows: Iterable[ServerSchedule]
) -> None:
    """Replace what is remembered of these servers; the caller holds a transaction.

    Args:
        types: of the columns of `server_schedule`.
        number: key -> number of a server.
    """
    latest = {number(row.server): row for row in rows}
    values = ((server_id, *_values(row)) for server_id, row in latest.items())
    insert_rows(connection, "server_schedule", types, values, replacing=True)


_values = attrgetter(*(column.name for column in fields(ServerSchedule)[1:]))
"""All that is remembered of a server, behind its name."""


def remember_aliases(
    connection: Connection,
    types: Mapping[str, str],
    number: Callable[[str], int],
    crawl_id: int,
    asked: Iterable[tuple[str, str]],
) -> None:
    """Note that `crawl_id` asked for these aliases, (owner's key, alias). `types` are those of `alias_schedule`."""
    rows = {(number(owner), clean_text(alias, ALIAS) or "") for owner, alias in asked}
    values = ((owner, alias, crawl_id) for owner, alias in sorted(rows))
    insert_rows(connection, "alias_schedule", types, values, replacing=True)
