"""Aliases, asked of the server that owns them: which servers are in the room (client-server API,
`GET /_matrix/client/v3/directory/room/{roomAlias}`, no authentication).

The richest source of names there is: Synapse, Dendrite and the Conduit family answer with the servers joined to the
room. Only the owner of an alias is asked; any other server would have to ask the owner on our behalf.
"""

from collections.abc import Mapping, Sequence
from functools import partial

from crawler.config import Limits
from crawler.engine.patience import patiently
from crawler.errors import Failure, ProtocolError
from crawler.model.observation import Failed, Ok
from crawler.model.rooms import AliasAnswer, PublicRoom
from crawler.net.session import Session
from crawler.protocol.federation import alias_uri, parse_alias_answer

GIVE_UP_AFTER = 3
"""Look-ups in a row that got no HTTP answer at all: the client API is not where we think it is."""


def aliases_to_ask(rooms: Sequence[PublicRoom], owner: str, last_asked: Mapping[str, int]) -> tuple[str, ...]:
    """The listed aliases that `owner` (a server name's key) itself owns, in the order of asking."""
    own: dict[str, int] = {}
    for room in rooms:
        alias = room.canonical_alias
        if alias is not None and alias.partition(":")[2].lower() == owner:
            own[alias] = max(room.members or 0, own.get(alias, 0))
    return in_order(own, last_asked)


def in_order(members: Mapping[str, int], last_asked: Mapping[str, int]) -> tuple[str, ...]:
    """Aliases in the order of asking: those never asked, of the biggest room first; then the others, those asked
    longest ago first.

    Args:
        members: alias -> members of its room.
        last_asked: alias -> the crawl that last asked for it.
    """
    return tuple(sorted(members, key=lambda alias: (last_asked.get(alias, 0), -members[alias], alias)))


async def ask_aliases(
    session: Session, client_base: str, aliases: Sequence[str], limits: Limits
) -> tuple[tuple[AliasAnswer, ...], int]:
    """Ask for each alias in turn.

    Returns:
        The answers, and how many aliases were not asked because the server stopped answering or a budget was spent.
    """
    answers: list[AliasAnswer] = []
    silent = 0
    for asked, alias in enumerate(aliases):
        if silent >= GIVE_UP_AFTER or session.spent:
            return tuple(answers), len(aliases) - asked
        ask = partial(session.get, client_base + alias_uri(alias), body_limit_bytes=limits.body_bytes)
        attempt = await patiently(session, ask)
        match attempt:
            case Ok(answer) if answer.status == 200:
                silent = 0
                try:
                    answers.append(parse_alias_answer(answer.body, alias, limits.alias_servers))
                except ProtocolError:
                    continue
            case Failed(Failure(http_status=None)):
                silent += 1
            case _:
                silent = 0
    return tuple(answers), 0
