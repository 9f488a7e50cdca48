"""Who wants to have nothing to do with us: the local opt-out list, obeyed by every crawl, and by the dashboard when a
visitor asks for a check. Who types a name for `check` at the keyboard of the census may look all the same.

One entry a line, `#` starts a comment: a server name (`example.org`), all servers of a domain (`*.example.org`, itself
included), a room ID or a room alias. A server on it is never contacted, a room on it never stored.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from crawler.errors import UsageError
from crawler.model.names import ServerName, alias_domain, is_room_id, try_server_name
from crawler.model.observation import ServerObservation
from crawler.model.rooms import AliasAnswer, PublicRoom


@dataclass(frozen=True, slots=True)
class OptOuts:
    """Keys of servers, domains whose every server is meant, room IDs and aliases."""

    servers: frozenset[str] = frozenset()
    domains: frozenset[str] = frozenset()
    rooms: frozenset[str] = frozenset()

    def has_server(self, name: ServerName) -> bool:
        """Whether this server is never to be contacted. An entry without a port means the host at every port."""
        host = name.host.lower()
        labels = host.split(".")
        above = {".".join(labels[n:]) for n in range(len(labels))}
        return name.key in self.servers or host in self.servers or not self.domains.isdisjoint(above)

    def has_room(self, room: PublicRoom) -> bool:
        """Whether this room is never to be stored."""
        return room.room_id in self.rooms or room.canonical_alias in self.rooms

    def leave_out(self, seen: ServerObservation) -> ServerObservation:
        """What was seen without the rooms that are never to be stored, which count among those that opted out."""
        if not self.rooms:
            return seen
        rooms = tuple(room for room in seen.directory.rooms if not self.has_room(room))
        left_out = len(seen.directory.rooms) - len(rooms)
        directory = replace(seen.directory, rooms=rooms, noindex=seen.directory.noindex + left_out)
        return replace(seen, directory=directory, aliases=self.answers_left(seen.aliases))

    def answers_left(self, answers: tuple[AliasAnswer, ...]) -> tuple[AliasAnswer, ...]:
        """Those about rooms that may be stored."""
        return tuple(answer for answer in answers if self.rooms.isdisjoint((answer.room_id, answer.alias)))


NOBODY = OptOuts()

OPT_OUT_LIST = "opt-out.txt"
"""A census's own list, beside its file."""


def opt_out_lists(census: Path, given: Iterable[Path] = ()) -> list[Path]:
    """The lists that hold for a census file: those that are given, and its own, if it has one."""
    own = census.parent / OPT_OUT_LIST
    return [*given, *([own] if own.is_file() else [])]


def read_opt_outs(paths: Iterable[Path]) -> OptOuts:
    """Read opt-out lists.

    Raises:
        UsageError: a list that cannot be read or a line that is none of the above. A list that is only half understood
            would leave somebody out who trusts that it is obeyed.
    """
    servers: set[str] = set()
    domains: set[str] = set()
    rooms: set[str] = set()
    for path in paths:
        try:
            text = path.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"cannot read the opt-out list {path}: {error}") from error
        for number, line in enumerate(text.splitlines(), start=1):
            # Aliases begin with what starts a comment elsewhere; a comment is followed by a blank or begins the line
            # with a blank after it.
            entry = line.split(" #")[0].strip()
            if not entry or entry == "#" or entry.startswith("# "):
                continue
            name = try_server_name(entry.removeprefix("*."))
            if (entry.startswith("#") and alias_domain(entry) is not None) or is_room_id(entry):
                rooms.add(entry)
            elif name is not None and entry.startswith("*.") and name.port is None and not name.is_ip:
                domains.add(name.host.lower())
            elif name is not None and not entry.startswith("*."):
                servers.add(name.key)
            else:
                raise UsageError(
                    f"{path}, line {number}: {entry!r} is no server name, no *.DOMAIN, no room ID and no room alias"
                )
    return OptOuts(frozenset(servers), frozenset(domains), frozenset(rooms))
