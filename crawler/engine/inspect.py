"""Depth `check`: one server, everything there is to see of it, in one go.

Apart from the visit, which every crawl makes of every server; this asks more than a crawl may ask of everybody.
"""

from collections.abc import Mapping, Set

import trio

from crawler.engine.client_side import ask_client_side
from crawler.engine.task import Visit
from crawler.engine.visit import is_silent, visit_within
from crawler.model.close_look import ClientSide, Inspection
from crawler.model.names import ServerName
from crawler.model.observation import Skipped, SkipReason
from crawler.net.transport import Network
from crawler.protocol.signing import Identity

_CUT = Skipped(SkipReason.CANCELLED)
OUT_OF_TIME = ClientSide(_CUT, _CUT, _CUT, _CUT, _CUT, _CUT)


async def inspect(
    network: Network,
    identity: Identity | None,
    name: ServerName,
    *,
    registration: bool = False,
    past_keys: Mapping[str, Set[str]] | None = None,
) -> Inspection:
    """Look at one server: the visit of a crawl (the first page of its directory only), every address, and the client
    side. The visit with the addresses, and the client side, may each take `limits.server_timeout_s`.

    Args:
        network: the process's network.
        identity: signs the directory request; None asks unsigned.
        name: whom to look at.
        registration: ask whether anybody may sign up, too.
        past_keys: what earlier crawls saw, for the inspection to carry.
    """
    began = trio.current_time()
    async with network.visit(name) as session:
        task = Visit(name, closely=True, hurried=False)
        visited = await visit_within(session, identity, task, directory_pages=1)
        seen = visited.observation
        client_api = None if is_silent(seen.resolution, seen.client_well_known) else visited.client_base
        said = OUT_OF_TIME
        with trio.move_on_after(network.limits.server_timeout_s):
            said = await ask_client_side(session, name, client_api, registration=registration)
        return Inspection(seen, said, session.requests, trio.current_time() - began, past_keys or {})
