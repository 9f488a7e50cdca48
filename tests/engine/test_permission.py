"""What robots.txt says of us, over real sockets: who is obeyed, and that whoever said no is not asked for rooms."""

import pytest

from crawler.engine.permission import judge_robots
from crawler.engine.task import Visit, Visited
from crawler.engine.visit import visit
from crawler.model.names import parse_server_name
from crawler.model.rooms import DirectoryState
from crawler.model.schedule import Robots
from tests.net.certificates import Authority
from tests.net.conftest import MakeNetwork, authority, make_network
from tests.net.nameserver import Zone
from tests.net.peers import ok
from tests.net.world import Site, routes, world

__all__ = ["authority", "make_network"]

HOST = "127.0.1.1"
ZONE: Zone = {("a.test", "A"): [f"300 {HOST}"]}
VERSION = ok(b'{"server": {"name": "Synapse", "version": "1"}}')
ROOMS = ok(b'{"chunk": [], "total_room_count_estimate": 0}')


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", Robots.ALLOWS),
        ("User-agent: *\nDisallow: /private", Robots.ALLOWS),
        ("User-agent: *\nDisallow: /", Robots.DISALLOWS_ALL),
        ("User-agent: *\nDisallow: /\nUser-agent: Matrix-Census\nAllow: /", Robots.ALLOWS),
        ("User-agent: matrix-census\nDisallow: /", Robots.DISALLOWS_US_ENTIRELY),
        ("User-agent: matrix-census\nDisallow: /_matrix/federation/v1/publicRooms", Robots.DISALLOWS_US),
        ("User-agent: matrix-census\nDisallow: /*/publicRooms$", Robots.DISALLOWS_US),
        ("User-agent: MRSBot\nDisallow: /", Robots.ALLOWS),
    ],
)
def test_what_a_file_says_of_us(text: str, says: Robots) -> None:
    assert judge_robots(text) is says


async def look(
    authority: Authority, make_network: MakeNetwork, robots: bytes | None, *, denied: bool = False
) -> tuple[Visited, list[str]]:
    answers = {"/_matrix/federation/v1/version": VERSION, "/_matrix/client/v3/publicRooms?limit=100": ROOMS}
    if robots is not None:
        answers["/robots.txt"] = robots
    sites = [Site(HOST, ("a.test",), routes(answers), port) for port in (443, 8448)]
    async with world(authority, make_network, ZONE, *sites) as w:
        task = Visit(parse_server_name("a.test"), directory_denied=denied)
        visited = await visit(w.network, None, task)
        requests = [r for port in (443, 8448) for r in w.at(HOST, port).requests]
    return visited, [request.split(b" ", 2)[1].decode() for request in requests]


DISALLOW_US = b"User-agent: matrix-census\nDisallow: /_matrix/client/v3/publicRooms\n"


@pytest.mark.parametrize(
    ("robots", "says", "state"),
    [
        (None, Robots.ALLOWS, DirectoryState.OPEN_EMPTY),
        (ok(DISALLOW_US), Robots.DISALLOWS_US, DirectoryState.SKIPPED),
        (ok(b"User-agent: *\nDisallow: /\n"), Robots.DISALLOWS_ALL, DirectoryState.OPEN_EMPTY),
        (ok(b"", status=b"502 Bad Gateway"), Robots.UNREACHABLE, DirectoryState.SKIPPED),
    ],
)
async def test_whoever_named_us_is_not_asked_for_rooms(
    authority: Authority, make_network: MakeNetwork, robots: bytes | None, says: Robots, state: DirectoryState
) -> None:
    visited, targets = await look(authority, make_network, robots)
    assert (visited.robots, visited.observation.directory.state) == (says, state)
    assert any("publicRooms" in target for target in targets) == (state is DirectoryState.OPEN_EMPTY)


async def test_whoever_denied_us_lately_is_asked_neither_for_rooms_nor_for_robots(
    authority: Authority, make_network: MakeNetwork
) -> None:
    visited, targets = await look(authority, make_network, None, denied=True)
    assert visited.observation.online
    assert visited.observation.directory.skipped_because == "denied_lately"
    assert not any("publicRooms" in target or "robots" in target for target in targets)
