"""Whose report it is, found out over DNS and TLS of a network of its own."""

from collections.abc import AsyncIterator, Iterator

import pytest
import trio

from crawler.model.names import parse_server_name
from crawler.model.usage import Proof
from crawler.net.transport import Network
from crawler.protocol.usage import token_digest
from crawler.settings import load_settings
from crawler.sources.usage import Prover, one_spelling
from tests.synapse.federation import Network as World
from tests.synapse.federation import json_reply, open_network, web_server
from tests.synapse.front import Front

NAME = "server.test"
TOKEN = "t0ken-" * 8
OTHER = "0ther-" * 8


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """server.test delegates to two addresses, and publishes the digest of a token in both ways."""
    with open_network(tmp_path_factory.mktemp("usage")) as opened:
        for host in (7, 8):
            opened.dns.put(f"matrix{host}.{NAME}", "A", opened.address(host))
        opened.dns.put(f"_matrix-fed._tcp.{NAME}", "SRV", f"10 5 8448 matrix7.{NAME}.", f"20 5 8448 matrix8.{NAME}.")
        opened.dns.put(f"_matrix-census.{NAME}", "TXT", '"v=other"', f'"usage=" "{token_digest(OTHER)}"')
        with web(opened):
            yield opened


def web(world: World) -> Front:
    published = json_reply({"usage_tokens": ["nonsense", token_digest(TOKEN)]})
    return web_server(world, NAME, 1, {"/.well-known/matrix-census": published})


@pytest.fixture
async def network(world: World) -> AsyncIterator[Network]:
    settings = load_settings(
        dns=str(world.dns), ca=str(world.authority.file), connect=(world.https_rule,), allow_address=("127.0.0.0/8",)
    )
    async with Network(settings, version="0") as opened:
        yield opened


@pytest.mark.parametrize(
    ("host", "token", "proof"),
    [
        (7, None, Proof.ADDRESS),
        (8, None, Proof.ADDRESS),
        (9, None, Proof.NONE),
        (1, None, Proof.NONE),  # the web server's address is not where the homeserver is
        (9, TOKEN, Proof.WELL_KNOWN),
        (9, OTHER, Proof.DNS),
        (9, TOKEN[:-1], Proof.NONE),
        (9, "short", Proof.NONE),
        (9, token_digest(TOKEN), Proof.NONE),  # what is published is not what proves
    ],
)
async def test_by_address_or_by_token(
    world: World, network: Network, host: int, token: str | None, proof: Proof
) -> None:
    assert await Prover(network).prove(parse_server_name(NAME), world.address(host), token) is proof


async def test_an_address_that_a_socket_for_both_families_tells(world: World, network: Network) -> None:
    name = parse_server_name(NAME)
    assert await Prover(network).prove(name, f"::ffff:{world.address(7)}", None) is Proof.ADDRESS
    assert one_spelling("2001:DB8::0:1") == "2001:db8::1"
    assert one_spelling("no address") == "no address"


async def test_a_name_that_does_not_exist_proves_nothing(world: World, network: Network) -> None:
    assert await Prover(network).prove(parse_server_name("nobody.test"), world.address(7), TOKEN) is Proof.NONE


async def test_special_addresses_prove_nothing_on_the_live_network(world: World) -> None:
    """Who names a server that resolves into our own network must not be believed from there."""
    settings = load_settings(dns=str(world.dns), ca=str(world.authority.file))
    async with Network(settings, version="0") as live:
        assert await Prover(live).prove(parse_server_name(NAME), world.address(7), None) is Proof.NONE
        assert (
            await Prover(live).prove(parse_server_name(f"{world.address(7)}:8448"), world.address(7), TOKEN)
            is Proof.NONE
        )


async def test_a_server_is_asked_once_however_many_report_in_its_name(world: World, network: Network) -> None:
    prover = Prover(network)
    asked = len(world.dns.queries)
    proofs = [await prover.prove(parse_server_name(NAME), world.address(9), token) for token in (None, OTHER, TOKEN)]
    once = len(world.dns.queries)
    assert proofs == [Proof.NONE, Proof.DNS, Proof.WELL_KNOWN]
    assert once > asked
    for sender in range(9, 20):
        await prover.prove(parse_server_name(NAME), world.address(sender), f"{sender:x}" * 40)
    assert await prover.prove(parse_server_name(NAME), world.address(7), None) is Proof.ADDRESS
    assert len(world.dns.queries) == once


async def test_who_comes_while_it_is_asked_waits_for_the_answer(world: World, network: Network) -> None:
    prover = Prover(network)
    proofs: list[Proof] = []

    async def report(host: int) -> None:
        proofs.append(await prover.prove(parse_server_name(NAME), world.address(host), None))

    async with trio.open_nursery() as nursery:
        for host in (9, 7, 8):
            nursery.start_soon(report, host)
    assert sorted(proofs) == [Proof.ADDRESS, Proof.ADDRESS, Proof.NONE]
