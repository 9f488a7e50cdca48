"""The whole of a check over real sockets: what it asks beside the visit, all of it counted, and how it is told."""

import io

from rich.console import Console

from crawler.cli.check_tree import check_tree
from crawler.engine.check import check_one
from crawler.model.close_look import Families
from crawler.model.names import parse_server_name
from crawler.model.observation import Ok
from crawler.model.verdict import Outcome
from tests.engine.test_close_look import homeserver
from tests.net.certificates import Authority
from tests.net.conftest import MakeNetwork, authority, make_network
from tests.net.nameserver import Zone
from tests.net.peers import ok
from tests.net.world import Site, redirect, routes, world

__all__ = ["authority", "make_network"]

NAME = "split.test"
HOST, CLIENT = "127.0.9.10", "127.0.9.11"
ZONE: Zone = {(NAME, "A"): [f"300 {HOST}"], ("client.split.test", "A"): [f"300 {CLIENT}"]}
ROBOTS = b"User-agent: matrix-census\nDisallow: /\n"
WEB = {
    "/.well-known/matrix/client": ok(b'{"m.homeserver": {"base_url": "https://client.split.test"}}'),
    "/.well-known/matrix/server": redirect(f"https://{NAME}/elsewhere", b"308 Permanent Redirect"),
    "/elsewhere": ok(b'{"m.server": "split.test:8448"}', b"Content-Type: application/json"),
}


async def test_the_robots_txt_of_the_client_api_is_heard_and_every_request_counted(
    authority: Authority, make_network: MakeNetwork
) -> None:
    sites = (
        Site(HOST, (NAME,), routes(WEB)),
        Site(HOST, (NAME,), homeserver(1), port=8448),
        Site(CLIENT, ("client.split.test",), routes({"/robots.txt": ok(ROBOTS)})),
    )
    async with world(authority, make_network, ZONE, *sites) as w:
        checked = await check_one(w.network, None, parse_server_name(NAME))
        asked = sum(len(peer.requests) for peer in w.peers.values())
    seen = checked.inspection
    assert isinstance(seen.client.robots, Ok)
    assert isinstance(seen.client.client_robots, Ok)
    assert (seen.client.robots.value, seen.client.client_robots.value) == (None, ROBOTS.decode())
    assert seen.requests == asked > seen.observation.requests
    assert seen.duration_s >= seen.observation.duration_s
    assert seen.families is Families.IPV4_ONLY
    assert next(found.outcome for found in checked.findings if found.id == "manners.robots") is Outcome.WARN
    told = checked.document.model_dump(mode="json")
    assert told["requests"] == asked
    assert told["client"]["client_robots"]["value"] == ROBOTS.decode()
    facts = {step["question"]: step["facts"] for step in told["resolution"]["steps"]}
    assert facts["well_known"]["redirects"] == [f"https://{NAME}/elsewhere"]
    assert (facts["well_known"]["content_type"], facts["well_known"]["body_bytes"]) == ("application/json", 31)
    assert (facts["addresses"]["usable"], facts["addresses"]["port"]) == ([HOST], 8448)
    paper = io.StringIO()
    Console(file=paper, width=200).print(check_tree(checked))
    assert "robots.txt: not published" in paper.getvalue()
    assert "robots.txt of the client API: asks for the room directory to be left alone" in paper.getvalue()
