"""Depth `check`: one server, everything there is to see of it, in one go.

Apart from the visit, which every crawl makes of every server; this asks more than a crawl may ask of everybody.
"""

from collections.abc import Mapping, Set

from crawler.engine.visit import visit
from crawler.model.close_look import Inspection
from crawler.model.names import ServerName
from crawler.model.observation import Families, Skipped, SkipReason
from crawler.net.transport import Network
from crawler.protocol.signing import Identity

NOT_NEEDED = Skipped(SkipReason.NOT_NEEDED)


async def inspect(
    network: Network,
    identity: Identity | None,
    name: ServerName,
    *,
    registration: bool = False,  # noqa: ARG001 - of the client side, which is not asked yet
    past_keys: Mapping[str, Set[str]] | None = None,
) -> Inspection:
    """Look at one server: the visit of a crawl (the first page of its directory only), every address, and the client
    side.

    Args:
        network: the process's network.
        identity: signs the directory request; None asks unsigned.
        name: whom to look at.
        registration: ask whether anybody may sign up, too.
        past_keys: what earlier crawls saw, for the inspection to carry.
    """
    visited = await visit(network, identity, name, directory_pages=1, closely=True)
    seen = visited.observation
    return Inspection(
        observation=seen,
        addresses=seen.addresses,
        families=seen.families or Families.UNKNOWN,
        login_flows=NOT_NEEDED,
        oauth=NOT_NEEDED,
        policy_server=NOT_NEEDED,
        robots=NOT_NEEDED,
        registration=NOT_NEEDED,
        past_keys=past_keys or {},
    )
