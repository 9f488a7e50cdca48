"""Every address of a server: over real sockets, and what follows from what they said."""

import json
import random
from datetime import UTC, datetime

import pytest
import trio

from crawler.engine.close_look import Matter, choose, disagreements, judge_families
from crawler.engine.inspect import inspect
from crawler.errors import Failure, FailureKind
from crawler.model.discovery import Branch, Endpoint
from crawler.model.names import parse_server_name
from crawler.model.observation import AddressLook, Failed, Families, Ok, Skipped, SkipReason, TlsFacts
from crawler.protocol.signing import Identity, build_key_document, new_signing_key
from tests.net.certificates import DAY, Authority
from tests.net.conftest import MakeNetwork, authority, make_network  # noqa: F401 - fixtures
from tests.net.nameserver import from_zone, start_name_server
from tests.net.peers import Script, ok, start_peer
from tests.net.world import routes

NAME = "split.test"
V4 = [f"127.0.9.{number}" for number in range(1, 5)]
NOT_REACHED = Skipped(SkipReason.NOT_REACHED)


def homeserver(seed: int, version: str = "1.0") -> Script:
    rng = random.Random(seed)
    identity = Identity(parse_server_name(NAME), new_signing_key(lambda count: rng.randbytes(count).hex()))
    document = build_key_document(identity, datetime.now(UTC), 3600.0)
    said = {"server": {"name": "Synapse", "version": version}}
    return routes(
        {
            "/_matrix/federation/v1/version": ok(json.dumps(said).encode()),
            "/_matrix/key/v2/server": ok(json.dumps(document).encode()),
        }
    )


async def test_every_address_of_every_target_is_asked_for_itself(
    authority: Authority,  # noqa: F811 - a fixture
    make_network: MakeNetwork,  # noqa: F811 - a fixture
) -> None:
    """Two SRV targets, two addresses each: one good, one with another key and version, one with an expired certificate,
    one that refuses; and the inspection tells all four apart."""
    zone = {
        (f"_matrix-fed._tcp.{NAME}", "SRV"): ["60 10 0 8448 a.test.", "60 20 0 8448 b.test."],
        ("a.test", "A"): [f"60 {V4[0]}", f"60 {V4[1]}"],
        ("b.test", "A"): [f"60 {V4[2]}", f"60 {V4[3]}"],
    }
    async with trio.open_nursery() as nursery:
        nameserver = await start_name_server(nursery, from_zone(zone))
        peers = {
            V4[0]: await start_peer(nursery, homeserver(1), authority.server(NAME)),
            V4[1]: await start_peer(nursery, homeserver(2, "2.0"), authority.server(NAME)),
            V4[2]: await start_peer(nursery, homeserver(1), authority.server(NAME, starts=-9 * DAY, ends=-DAY)),
        }
        rules = tuple(f"{address}:8448={peer.address}:{peer.port}" for address, peer in peers.items())
        async with make_network(dns=nameserver.where, connect=rules) as network:
            seen = await inspect(network, None, parse_server_name(NAME), past_keys={"ed25519:a": {"k"}})
        nursery.cancel_scope.cancel()
    looks = {look.endpoint.address: look for look in seen.addresses}
    assert set(looks) == set(V4)
    good, other, expired, refusing = (looks[address] for address in V4)
    assert isinstance(good.keys, Ok)
    assert isinstance(other.keys, Ok)
    assert isinstance(good.presented, Ok)
    assert good.keys.value.verify_keys != other.keys.value.verify_keys
    assert isinstance(expired.tls, Failed)
    assert (expired.tls.failure.kind, expired.tls.failure.verify_code) == (FailureKind.TLS_EXPIRED, 10)
    assert isinstance(expired.presented, Ok)
    assert expired.presented.value.verify_code == 10
    assert expired.presented.value.chain[0].names == (NAME,)
    assert (expired.version, expired.keys) == (NOT_REACHED, NOT_REACHED)
    assert isinstance(refusing.tcp, Failed)
    assert refusing.tcp.failure.kind is FailureKind.TCP_REFUSED
    assert refusing.presented == NOT_REACHED
    told = {each.matter: each.said for each in disagreements(seen.addresses)}
    assert set(told) == {Matter.KEYS, Matter.VERSION}
    assert {words: [place.address for place in places] for words, places in told[Matter.VERSION]} == {
        "Synapse 1.0": [V4[0]],
        "Synapse 2.0": [V4[1]],
    }
    assert seen.families is Families.IPV4_ONLY
    assert seen.past_keys == {"ed25519:a": {"k"}}
    # Version and keys were asked of each once, and nothing of the one whose certificate does not verify.
    federation = {
        address: sum(b"/version" in head or b"/key/" in head for head in peer.requests)
        for address, peer in peers.items()
    }
    assert federation == {V4[0]: 2, V4[1]: 2, V4[2]: 0}
    assert peers[V4[2]].requests == []


def endpoint(address: str) -> Endpoint:
    return Endpoint(address, 8448, NAME, NAME, Branch.DEFAULT)


FACTS = TlsFacts("TLSv1.3", "AES", "CA", datetime(2026, 1, 1, tzinfo=UTC), "00")


def a_look(address: str, reached: str) -> AddressLook:
    """An address that was reached so far: "no", "tcp" or "tls"."""
    refused = Failed(Failure(FailureKind.TCP_REFUSED))
    tcp = refused if reached == "no" else Ok(address)
    tls = Ok(FACTS) if reached == "tls" else NOT_REACHED
    return AddressLook(endpoint(address), tcp, tls, NOT_REACHED, NOT_REACHED, NOT_REACHED)


@pytest.mark.parametrize(
    ("v4", "v6", "routes_known", "expected"),
    [
        ("tls", "tls", True, Families.BOTH),
        ("tls", None, True, Families.IPV4_ONLY),
        (None, "tls", True, Families.IPV6_ONLY),
        ("tls", "no", True, Families.IPV6_BROKEN),
        ("tls", "tcp", True, Families.IPV6_BROKEN),
        ("no", "tls", True, Families.IPV4_BROKEN),
        ("tcp", "tcp", True, Families.BOTH),
        ("tcp", "no", True, Families.IPV6_BROKEN),
        ("no", "no", True, Families.NEITHER),
        ("tls", "no", False, Families.UNKNOWN),
        ("no", None, False, Families.UNKNOWN),
        ("tls", "tls", False, Families.BOTH),
        (None, None, True, Families.UNKNOWN),
    ],
)
def test_families(v4: str | None, v6: str | None, routes_known: bool, expected: Families) -> None:
    given = {"192.0.2.1": v4, "2001:db8::1": v6}
    looks = [a_look(address, reached) for address, reached in given.items() if reached is not None]
    assert judge_families(looks, lambda _: routes_known) is expected


@pytest.mark.parametrize(
    ("v6", "v4", "at_most", "kept"),
    [
        (2, 2, 16, (2, 2)),
        (20, 3, 16, (13, 3)),
        (3, 20, 16, (3, 13)),
        (20, 20, 16, (8, 8)),
        (0, 20, 16, (0, 16)),
        (5, 5, 1, (1, 0)),
    ],
)
def test_both_families_are_among_the_chosen(v6: int, v4: int, at_most: int, kept: tuple[int, int]) -> None:
    every = [endpoint(f"192.0.2.{n}") for n in range(v4)] + [endpoint(f"2001:db8::{n}") for n in range(v6)]
    chosen = choose(every, at_most)
    assert (sum(":" in place.address for place in chosen), sum(":" not in place.address for place in chosen)) == kept
    assert list(chosen) == [place for place in every if place in chosen]


def test_a_lone_answer_disagrees_with_nobody() -> None:
    assert disagreements([a_look("192.0.2.1", "tls"), a_look("192.0.2.2", "no")]) == ()
