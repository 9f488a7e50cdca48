"""Names of servers that visitors asked to be crawled, from the inbox to the next crawl.

Whoever takes a name in (the API) leaves it in the inbox; the owner of the census file drains it into `inbox_entry`;
the next crawl that begins hears of it as it hears of a seed, and then drops it. Killed in between, the next one hears
of it once more, which changes nothing.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from crawler.model.names import ServerName, try_server_name
from crawler.store.clock import Now, utc_now
from crawler.store.connection import Connection
from crawler.store.inbox import append

SUBMIT = "submit"
"""Kind of the entry: `{"server_name": NAME}`. Who left it is not in it."""


@dataclass(frozen=True, slots=True)
class Submitted:
    """What waits: `names`, each once, in the order in which they came, and the entries that hold them."""

    names: tuple[ServerName, ...]
    digests: tuple[str, ...]


def submit(census: Path, name: ServerName, *, now: Now = utc_now) -> None:
    """Leave a name for the next crawl; when this returns it is on the disk.

    Raises:
        StoreError: the inbox is full, or the disk gave out.
    """
    append(census, SUBMIT, {"server_name": name.raw}, now=now)


def read_submitted(connection: Connection) -> Submitted:
    """What waits in a census file. An entry that names no server, as any process may leave, is there to be dropped."""
    rows = connection.execute(
        "SELECT digest, content::VARCHAR FROM inbox_entry WHERE kind = ? ORDER BY left_at, digest", [SUBMIT]
    ).fetchall()
    names: dict[str, ServerName] = {}
    for _, content in rows:
        text = json.loads(content).get("server_name")
        name = try_server_name(text) if isinstance(text, str) else None
        if name is not None:
            names.setdefault(name.key, name)
    return Submitted(tuple(names.values()), tuple(str(digest) for digest, _ in rows))


def drop_submitted(connection: Connection, digests: Sequence[str]) -> None:
    """Forget entries that a crawl has heard of; the caller holds a transaction."""
    for digest in digests:
        connection.execute("DELETE FROM inbox_entry WHERE digest = ?", [digest])
