"""What an observation makes us look at next: the servers it names, each with who told us and how. Pure.

A server naming itself is no news and no lead. Names that do not parse are dropped here: they can never be dialled.
"""

from collections import Counter
from collections.abc import Iterable, Iterator

from crawler.model.crawl import Lead, LeadSource
from crawler.model.names import ServerName, alias_domain, room_id_domain, try_server_name
from crawler.model.observation import ServerObservation
from crawler.model.rooms import AliasAnswer, SpaceAnswer


def named_by_visit(observation: ServerObservation, limit: int) -> list[tuple[ServerName, Lead]]:
    """Servers named by a directory's room IDs and aliases, by the alias answers of the visit, and by the delegate of a
    .well-known; at most `limit`."""
    return _leads(observation.server_name, _mentions(observation), limit)


def named_by_answers(
    answering: ServerName, answers: Iterable[AliasAnswer], limit: int
) -> list[tuple[ServerName, Lead]]:
    """Servers named by the answers to alias look-ups; at most `limit`."""
    return _leads(answering, _in_answers(answers), limit)


def named_by_spaces(answering: ServerName, answers: Iterable[SpaceAnswer], limit: int) -> list[tuple[ServerName, Lead]]:
    """Servers named by the children of spaces: in their IDs, as a way into them, as who put them there."""
    return _leads(answering, _in_spaces(answers), limit)


def _in_spaces(answers: Iterable[SpaceAnswer]) -> Iterator[tuple[str | None, LeadSource]]:
    for answer in answers:
        for child in answer.children:
            yield room_id_domain(child.room_id), LeadSource.SPACE_CHILD
            yield child.sender, LeadSource.SPACE_SENDER
            for server in child.via:
                yield server, LeadSource.SPACE_VIA


def foreign_aliases(observation: ServerObservation) -> Iterator[tuple[str, ServerName, int]]:
    """(alias, its owner, members of its room) for listed aliases that belong to another server."""
    own = observation.server_name.key
    for room in observation.directory.rooms:
        if room.canonical_alias is None:
            continue
        owner = try_server_name(alias_domain(room.canonical_alias) or "")
        if owner is not None and owner.key != own:
            yield room.canonical_alias, owner, room.members or 0


def _mentions(observation: ServerObservation) -> Iterator[tuple[str | None, LeadSource]]:
    for room in observation.directory.rooms:
        yield room_id_domain(room.room_id), LeadSource.ROOM_ID
        if room.canonical_alias is not None:
            yield alias_domain(room.canonical_alias), LeadSource.ALIAS
    yield from _in_answers(observation.aliases)
    if observation.resolution.delegated is not None:
        # The host delegated to is no server name, and need not be one. What stands there says itself whose it is.
        yield observation.keys_named, LeadSource.WELL_KNOWN


def _in_answers(answers: Iterable[AliasAnswer]) -> Iterator[tuple[str | None, LeadSource]]:
    for answer in answers:
        for server in answer.servers:
            yield server, LeadSource.ALIAS_SERVERS


def _leads(
    teller: ServerName, mentions: Iterable[tuple[str | None, LeadSource]], limit: int
) -> list[tuple[ServerName, Lead]]:
    counts = Counter((text, source) for text, source in mentions if text)
    names: dict[str, ServerName] = {}
    merged: Counter[tuple[str, LeadSource]] = Counter()
    for (text, source), count in counts.items():
        name = try_server_name(text or "")
        if name is None or name.key == teller.key:
            continue
        if name.key not in names and len(names) >= limit:
            continue
        names.setdefault(name.key, name)
        merged[name.key, source] += count
    return [(names[key], Lead(key, source, teller.key, count)) for (key, source), count in merged.items()]
