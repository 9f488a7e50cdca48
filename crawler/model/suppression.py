"""Who was forgotten on request: recognised by a salted hash, so that no list of names is kept. Pure.

Apart from opt-out lists (`engine.optouts`), which an operator writes and can read: here only a name that somebody
brings can be asked about. Who holds salt and digests can try names, but not read them.
"""

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from crawler.model.names import ServerName, alias_domain, room_id_domain, try_server_name
from crawler.model.observation import ServerObservation
from crawler.model.rooms import AliasAnswer, PublicRoom, SpaceAnswer


class SuppressedKind(StrEnum):
    """What a digest stands for. ROOM: a room ID or a room alias."""

    SERVER = "server"
    ROOM = "room"


def digest_of(kind: SuppressedKind, salt: str, name: str) -> str:
    """The digest under which a name is suppressed, hex.

    Args:
        salt: hex.
        name: key of a server, room ID or alias.
    """
    return hmac.new(bytes.fromhex(salt), f"{kind}:{name}".encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()


@dataclass(frozen=True, slots=True)
class Suppressed:
    """All that is suppressed in a census. `salt` is "" while nothing is."""

    salt: str = ""
    servers: frozenset[str] = frozenset()
    rooms: frozenset[str] = frozenset()

    def has_server(self, name: ServerName) -> bool:
        """Whether this server was forgotten. A name without a port stands for its host at every port."""
        if not self.servers:
            return False
        candidates = (name.key, name.host_for_url.lower())
        return any(digest_of(SuppressedKind.SERVER, self.salt, text) in self.servers for text in candidates)

    def has_key(self, key: str) -> bool:
        """`has_server` of a name as text; what is no server name was not forgotten."""
        name = try_server_name(key) if self.servers else None
        return name is not None and self.has_server(name)

    def has_room(self, room_id: str | None, alias: str | None = None) -> bool:
        """Whether this room was forgotten, or bears the name of a server that was, in its ID or its alias."""
        for text in (room_id, alias):
            if text and self.rooms and digest_of(SuppressedKind.ROOM, self.salt, text) in self.rooms:
                return True
        owners = (room_id_domain(room_id or ""), alias_domain(alias or ""))
        return any(owner is not None and self.has_key(owner) for owner in owners)

    def leave_out(self, seen: ServerObservation) -> ServerObservation:
        """What was seen, without rooms that were forgotten, which count among those that opted out."""
        if not self.salt:
            return seen
        rooms = tuple(room for room in seen.directory.rooms if not self._has(room))
        left_out = len(seen.directory.rooms) - len(rooms)
        networks = tuple(room for room in seen.directory.network_rooms if not self._has(room))
        noindex = seen.directory.noindex + left_out
        directory = replace(seen.directory, rooms=rooms, network_rooms=networks, noindex=noindex)
        return replace(seen, directory=directory, aliases=self.answers_left(seen.aliases))

    def answers_left(self, answers: Iterable[AliasAnswer]) -> tuple[AliasAnswer, ...]:
        """Those about rooms that were not forgotten, each with the servers that were not."""
        if not self.salt:
            return tuple(answers)
        return tuple(
            replace(answer, servers=tuple(server for server in answer.servers if not self.has_key(server)))
            for answer in answers
            if not self.has_room(answer.room_id, answer.alias)
        )

    def spaces_left(self, answers: Iterable[SpaceAnswer]) -> tuple[SpaceAnswer, ...]:
        """Those about spaces that were not forgotten, each with the rooms and servers that were not."""
        if not self.salt:
            return tuple(answers)
        return tuple(
            replace(
                answer,
                children=tuple(
                    replace(child, via=tuple(server for server in child.via if not self.has_key(server)))
                    for child in answer.children
                    if not self.has_room(child.room_id)
                ),
                rooms=tuple(room for room in answer.rooms if not self._has(room)),
                inaccessible=tuple(room_id for room_id in answer.inaccessible if not self.has_room(room_id)),
            )
            for answer in answers
            if not self.has_room(answer.space_id)
        )

    def _has(self, room: PublicRoom) -> bool:
        return self.has_room(room.room_id, room.canonical_alias)


NOBODY_SUPPRESSED = Suppressed()
