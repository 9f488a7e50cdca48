"""The right to vanish: a server or a room leaves the census file, its history included.

What speaks of it is removed (`removal`): its rows in every table, rooms that only it listed or that bear its name, and
text that nothing uses any more. Where the rows of others mention it in passing (a delegation, a report, a topic) the
name gives way to another. Then the file is written anew (`rewrite`), and looked through before it takes the place of
the old one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from crawler.errors import StoreError, UsageError
from crawler.model.names import ServerName, alias_domain, is_room_id, try_server_name
from crawler.model.suppression import SuppressedKind
from crawler.store.clock import Now, utc_now
from crawler.store.connection import Connection, connect_to_read, transaction
from crawler.store.insert import column_types, quoted
from crawler.store.removal import Removal
from crawler.store.rewrite import locked_census, opened_census, rewrite, tables_of
from crawler.store.serving import publish_anew
from crawler.store.suppression import allow_again, suppress

_SEARCHED_BYTES = 8
"""Shorter texts may stand in a file by chance."""


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What was removed."""

    servers: int
    rooms: int
    rows: int


def subject_of(text: str) -> ServerName | str:
    """A server name, or a room ID or alias, as somebody types it.

    Raises:
        UsageError: it is none of them.
    """
    if is_room_id(text) or (text.startswith("#") and alias_domain(text) is not None):
        return text
    name = try_server_name(text)
    if name is None:
        raise UsageError(f"{text!r} is no server name, no room ID (!...) and no room alias (#...:...)")
    return name


def forget(census: Path, subjects: Sequence[ServerName | str], *, now: Now = utc_now) -> Forgotten:
    """Remove servers and rooms from a census file and keep them out of it. Done again, it does it again: what an
    interrupted one left is finished. Serving files are the caller's to drop.

    Raises:
        CensusLockedError: another process has the file.
        StoreError: there is none, or it cannot be written, or the name is still in the file.
    """
    with locked_census(census):
        publish_anew(census)
        with opened_census(census, now) as connection, transaction(connection, census):
            removal = Removal(connection)
            for subject in subjects:
                removal.find(subject)
            removal.remove()
            for subject in subjects:
                if isinstance(subject, ServerName):
                    suppress(connection, SuppressedKind.SERVER, [subject.key], now())
            rooms = [subject for subject in subjects if isinstance(subject, str)]
            suppress(connection, SuppressedKind.ROOM, [*rooms, *sorted(removal.asked_rooms)], now())
            done = Forgotten(len(removal.servers), len(removal.rooms), removal.rows)
        rewrite(census, now, lambda fresh: _look_through(fresh, removal.texts))
        return done


def unforget(census: Path, subject: ServerName | str, *, now: Now = utc_now) -> bool:
    """Let a server or room be crawled and stored again. What was removed stays removed.

    Returns:
        Whether it was forgotten.

    Raises:
        CensusLockedError: another process has the file.
        StoreError: there is none, or it cannot be written.
    """
    kind, name = (SuppressedKind.ROOM, subject) if isinstance(subject, str) else (SuppressedKind.SERVER, subject.key)
    with locked_census(census), opened_census(census, now) as connection, transaction(connection, census):
        return allow_again(connection, kind, name)


def _look_through(fresh: Path, texts: set[str]) -> None:
    """Hold a fresh file to it: nobody is named in it, and bytes that no value holds are not in it."""
    content = fresh.read_bytes().lower()
    connection = connect_to_read(fresh)
    try:
        columns = [
            (table, column)
            for table in tables_of(connection)
            for column, sql_type in column_types(connection, table).items()
            if sql_type in ("VARCHAR", "JSON")
        ]
        for text in texts:
            raw = text.lower().encode()
            if len(raw) < _SEARCHED_BYTES or raw not in content:
                continue
            # Part of a longer name, or of a text that another room has too, it may be there.
            if not any(_holds(connection, table, column, text) for table, column in columns):
                raise StoreError(f"{fresh} still holds the bytes of what is to be forgotten; nothing was replaced")
    finally:
        connection.close()


def _holds(connection: Connection, table: str, column: str, text: str) -> bool:
    query = f"SELECT 1 FROM {quoted(table)} WHERE contains(lower({quoted(column)}::VARCHAR), lower(?)) LIMIT 1"  # noqa: S608 - our own names
    return connection.execute(query, [text]).fetchone() is not None
