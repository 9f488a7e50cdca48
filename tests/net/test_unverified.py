"""What is presented by peers that do not verify, and by those that do."""

import ssl
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import trio
from cryptography.hazmat.primitives import serialization

from crawler.errors import FailureKind
from crawler.model.discovery import Branch, Endpoint
from crawler.model.names import parse_server_name
from crawler.model.observation import Attempt, Failed, Ok, PresentedTls
from tests.net.certificates import DAY, Authority
from tests.net.conftest import MakeNetwork
from tests.net.loopback import has_ipv6_loopback
from tests.net.peers import Peer, Script, Stream, always, ok, silent, start_peer

needs_ipv6 = pytest.mark.skipif(not has_ipv6_loopback(), reason="this machine has no ::1")

NAME = "peer.test"
HELLO = ok(b"hello")


@asynccontextmanager
async def listening(script: Script, context: ssl.SSLContext | None) -> AsyncIterator[Peer]:
    async with trio.open_nursery() as nursery:
        yield await start_peer(nursery, script, context)
        nursery.cancel_scope.cancel()


async def look(make_network: MakeNetwork, peer: Peer, **limits: float) -> tuple[Attempt[object], Attempt[PresentedTls]]:
    """The verified try, then, where it failed, the unverified look: as the close look does it."""
    endpoint = Endpoint(peer.address, peer.port, NAME, NAME, Branch.DEFAULT)
    async with make_network(**limits).visit(parse_server_name(NAME)) as session, session.apart(endpoint) as connection:
        await connection.connect()
        tls, presented = connection.tls, connection.presented()
        if not isinstance(tls, Ok):
            presented = await session.look_unverified(
                endpoint, tls.failure.verify_code if isinstance(tls, Failed) else None
            )
        return tls, presented


def leaf(authority: Authority) -> bytes:
    return authority.last_issued.public_bytes(serialization.Encoding.DER)


@pytest.mark.parametrize(
    ("name", "fields", "kind", "code"),
    [
        (NAME, {"starts": -30 * DAY, "ends": -2 * DAY}, FailureKind.TLS_EXPIRED, 10),
        (NAME, {"starts": 2 * DAY, "ends": 3 * DAY}, FailureKind.TLS_NOT_YET_VALID, 9),
        (NAME, {"self_signed": True}, FailureKind.TLS_SELF_SIGNED, 18),
        ("other.test", {}, FailureKind.TLS_WRONG_NAME, 62),
        (NAME, {"client_only": True}, FailureKind.TLS_VERIFY, 26),
    ],
    ids=["expired", "not yet valid", "self-signed", "another name", "no server's"],
)
async def test_a_certificate_that_does_not_verify_is_seen_and_nothing_is_asked(
    authority: Authority,
    make_network: MakeNetwork,
    name: str,
    fields: dict[str, Any],
    kind: FailureKind,
    code: int,
) -> None:
    context = authority.server(name, **fields)
    issued = authority.last_issued
    async with listening(always(HELLO), context) as peer:
        tls, presented = await look(make_network, peer)
        assert isinstance(tls, Failed)
        assert (tls.failure.kind, tls.failure.verify_code) == (kind, code)
        assert isinstance(presented, Ok)
        assert presented.value.verify_code == code
        assert presented.value.protocol == "TLSv1.3"
        assert presented.value.cipher.startswith("TLS_")
        (seen,) = presented.value.chain
        assert seen.names == (name,)
        assert (seen.not_before, seen.not_after) == (issued.not_valid_before_utc, issued.not_valid_after_utc)
        assert seen.issuer == issued.issuer.rfc4514_string()
        assert (peer.connections, peer.requests, peer.sni) == (2, [], [NAME, NAME])


async def test_a_chain_as_openssl_itself_shows_it(
    authority: Authority, make_network: MakeNetwork, tmp_path: Path
) -> None:
    """The chain is compared with what `openssl s_client -showcerts` is sent by the same peer."""
    context = authority.server(NAME)
    path = tmp_path / "chain.pem"
    path.write_bytes(
        (authority.folder / f"{authority.last_issued.serial_number}.pem").read_bytes() + authority.pem.read_bytes()
    )
    context.load_cert_chain(path)
    async with listening(always(HELLO), context) as peer:
        tls, presented = await look(make_network, peer)
        assert isinstance(tls, Ok)
        assert isinstance(presented, Ok)
        shown = await trio.run_process(
            ["openssl", "s_client", "-showcerts", "-connect", f"{peer.address}:{peer.port}", "-servername", NAME],
            capture_stdout=True,
            stderr=subprocess.DEVNULL,
            check=False,
        )
    pems = shown.stdout.decode().split("-----BEGIN CERTIFICATE-----")[1:]
    end = "-----END CERTIFICATE-----"
    sent = [ssl.PEM_cert_to_DER_cert(f"-----BEGIN CERTIFICATE-----{pem.partition(end)[0]}{end}") for pem in pems]
    assert [certificate.fingerprint_sha256 for certificate in presented.value.chain] == [
        sha256(der).hexdigest() for der in sent
    ]
    assert len(sent) == 2
    assert sent[0] == leaf(authority)
    assert presented.value.verify_code is None


async def test_garbage_instead_of_tls(make_network: MakeNetwork) -> None:
    async def garbage(_peer: Peer, stream: Stream) -> None:
        await stream.send_all(b"220 mail.test ESMTP\r\n" * 20)

    async with listening(garbage, None) as peer:
        tls, presented = await look(make_network, peer)
        assert isinstance(tls, Failed)
        assert isinstance(presented, Failed)
        assert tls.failure.kind is presented.failure.kind is FailureKind.TLS_HANDSHAKE
        assert tls.failure.verify_code is None


async def test_a_tarpit_costs_two_time_outs_and_no_more(make_network: MakeNetwork) -> None:
    async with listening(silent, None) as peer:
        with trio.fail_after(30):
            tls, presented = await look(make_network, peer, connect_timeout_s=0.2)
        assert isinstance(tls, Failed)
        assert isinstance(presented, Failed)
        assert tls.failure.kind is presented.failure.kind is FailureKind.TLS_TIMEOUT


async def test_the_guard_stands_before_the_unverified_look_too(make_network: MakeNetwork) -> None:
    endpoint = Endpoint("127.0.0.1", 1, NAME, NAME, Branch.DEFAULT)
    async with make_network(allow_address=()).visit(parse_server_name(NAME)) as session:
        presented = await session.look_unverified(endpoint, None)
    assert isinstance(presented, Failed)
    assert presented.failure.kind is FailureKind.POLICY_ADDRESS


async def test_a_chain_with_an_intermediate_is_kept_whole_and_a_leaf_without_it_is_untrusted(
    authority: Authority, make_network: MakeNetwork
) -> None:
    """The commonest mistake of all: cert.pem instead of fullchain.pem."""
    middle = authority.intermediate("Practice Intermediate")
    whole, alone = middle.server(NAME, with_issuer=True), middle.server(NAME)
    async with listening(always(HELLO), whole) as peer:
        tls, presented = await look(make_network, peer)
    assert isinstance(tls, Ok)
    assert isinstance(presented, Ok)
    first, second = presented.value.chain
    assert (first.issuer, second.subject) == (second.subject, middle.certificate.subject.rfc4514_string())
    assert second.issuer == authority.certificate.subject.rfc4514_string()
    async with listening(always(HELLO), alone) as peer:
        tls, presented = await look(make_network, peer)
    assert isinstance(tls, Failed)
    assert (tls.failure.kind, tls.failure.verify_code) == (FailureKind.TLS_UNTRUSTED, 20)
    assert isinstance(presented, Ok)
    assert [certificate.issuer for certificate in presented.value.chain] == [second.subject]


@needs_ipv6
async def test_an_address_of_ipv6_is_dialled_verified_and_shown(
    authority: Authority, make_network: MakeNetwork
) -> None:
    async with trio.open_nursery() as nursery:
        peer = await start_peer(nursery, always(HELLO), authority.server(NAME), "::1")
        endpoint = Endpoint("::1", peer.port, NAME, NAME, Branch.DEFAULT)
        network = make_network(allow_address=("::1/128",))
        async with network.visit(parse_server_name(NAME)) as session, session.apart(endpoint) as connection:
            await connection.connect()
            assert session.has_route(endpoint)
            assert isinstance(connection.tls, Ok)
            presented = await session.look_unverified(endpoint, None)
        nursery.cancel_scope.cancel()
    assert isinstance(presented, Ok)
    assert presented.value.chain[0].fingerprint_sha256 == sha256(leaf(authority)).hexdigest()
    assert peer.sni == [NAME, NAME]
