"""The rows of `suppression`: who was forgotten, as salted hashes."""

import secrets
from collections.abc import Iterable
from datetime import datetime

from crawler.model.suppression import Suppressed, SuppressedKind, digest_of
from crawler.store.connection import Connection

_SALT_BYTES = 32


def read_suppressed(connection: Connection) -> Suppressed:
    """All that is suppressed in a census file."""
    rows = connection.execute("SELECT kind, salt, digest FROM suppression").fetchall()
    if not rows:
        return Suppressed()
    by_kind = {kind: frozenset(digest for k, _, digest in rows if k == kind) for kind in SuppressedKind}
    return Suppressed(rows[0][1], by_kind[SuppressedKind.SERVER], by_kind[SuppressedKind.ROOM])


def suppress(connection: Connection, kind: SuppressedKind, names: Iterable[str], now: datetime) -> None:
    """Suppress names that are not yet; the caller holds a transaction."""
    known = read_suppressed(connection)
    salt = known.salt or secrets.token_hex(_SALT_BYTES)
    for name in names:
        digest = digest_of(kind, salt, name)
        if digest not in known.servers | known.rooms:
            connection.execute("INSERT INTO suppression VALUES (?, ?, ?, ?)", [kind.value, salt, digest, now])


def allow_again(connection: Connection, kind: SuppressedKind, name: str) -> bool:
    """Suppress a name no longer.

    Returns:
        Whether it was suppressed.
    """
    salt = read_suppressed(connection).salt
    if not salt:
        return False
    where = [kind.value, digest_of(kind, salt, name)]
    was = connection.execute("DELETE FROM suppression WHERE kind = ? AND digest = ? RETURNING kind", where).fetchall()
    return bool(was)
