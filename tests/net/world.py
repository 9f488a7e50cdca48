"""A small world: names in a real DNS server, each leading to a real TLS peer on an address of its own."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

import trio

from crawler.net.transport import Network
from tests.net.certificates import Authority
from tests.net.conftest import MakeNetwork
from tests.net.nameserver import NameServer, Zone, from_zone, start_name_server
from tests.net.peers import Peer, Script, Stream, ok, start_peer


@dataclass(frozen=True)
class Site:
    """A listener that stands for `address:port`, whatever port it really has, with a certificate for `names`."""

    address: str
    names: tuple[str, ...]
    script: Script
    port: int = 443


@dataclass
class World:
    network: Network
    nameserver: NameServer
    peers: dict[tuple[str, int], Peer]

    def at(self, address: str, port: int = 443) -> Peer:
        return self.peers[address, port]


@asynccontextmanager
async def world(
    authority: Authority,
    make_network: MakeNetwork,
    zone: Zone,
    *sites: Site,
    allow_address: tuple[str, ...] = ("127.0.0.0/8",),
    **limits: float,
) -> AsyncIterator[World]:
    async with trio.open_nursery() as nursery:
        nameserver = await start_name_server(nursery, from_zone(zone))
        peers = {
            (site.address, site.port): await start_peer(nursery, site.script, authority.server(*site.names))
            for site in sites
        }
        rules = tuple(f"{address}:{port}={peer.address}:{peer.port}" for (address, port), peer in peers.items())
        async with make_network(dns=nameserver.where, connect=rules, allow_address=allow_address, **limits) as network:
            yield World(network, nameserver, peers)
        nursery.cancel_scope.cancel()


def routes(answers: Mapping[str, bytes]) -> Script:
    """Answer by path, over and over; what has no answer is not found."""

    async def script(peer: Peer, stream: Stream) -> None:
        while request := await peer.read_request(stream):
            path = request.split(b" ", 2)[1].decode("ascii")
            await stream.send_all(answers.get(path, ok(b"{}", status=b"404 Not Found")))

    return script


def redirect(location: str, status: bytes = b"302 Found") -> bytes:
    return ok(b"", b"Location: " + location.encode("latin-1"), status=status)
