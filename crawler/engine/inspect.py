"""Depth `check`: one server, everything there is to see of it, in one go.

Apart from the visit, which every crawl makes of every server; this asks more than a crawl may ask of everybody.
"""

from collections.abc import Mapping, Set

import trio

from crawler.engine.client_side import ClientSide, ask_client_side
from crawler.engine.task import Visit
from crawler.engine.visit import is_silent, visit_within
from crawler.model.close_look import Inspection
from crawler.model.names import ServerName
from crawler.model.observation import Families, Skipped, SkipReason
from crawler.net.transport import Network
from crawler.protocol.signing import Identity

OUT_OF_TIME = Skipped(SkipReason.CANCELLED)


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
    async with network.visit(name) as session:
        task = Visit(name, closely=True, hurried=False)
        visited = await visit_within(session, identity, task, directory_pages=1)
        seen = visited.observation
        client_api = None if is_silent(seen.client_well_known) else visited.client_base
        said = ClientSide(OUT_OF_TIME, OUT_OF_TIME, OUT_OF_TIME, OUT_OF_TIME, OUT_OF_TIME, OUT_OF_TIME)
        with trio.move_on_after(network.limits.server_timeout_s):
            said = await ask_client_side(session, name, client_api, registration=registration)
    return Inspection(
        observation=seen,
        addresses=seen.addresses,
        families=seen.families or Families.UNKNOWN,
        login_flows=said.login_flows,
        oauth=said.oauth,
        policy_server=said.policy_server,
        robots=said.robots,
        registration=said.registration,
        past_keys=past_keys or {},
    )
