"""Look-ups against a real name server that is honest, broken, silent or lying."""

import errno
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.resolver
import pytest
import trio
import trio.testing
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crawler.errors import FailureKind, LocalResourcesError, UsageError
from crawler.model.discovery import SrvRecord
from crawler.net import dns as net_dns
from crawler.net import dnswire
from crawler.net.dns import Dns
from crawler.net.traffic import Traffic
from crawler.protocol.questions import AddressAnswer, SrvAnswer
from tests.net.nameserver import (
    Respond,
    failing,
    from_zone,
    silence,
    start_name_server,
    zone_answer,
)

LONG_S = 30.0
SHORT_S = 0.6
"""For look-ups that are to time out; half of it for each attempt."""

ZONE = {
    ("two.test", "A"): ["300 192.0.2.1", "300 192.0.2.2"],
    ("two.test", "AAAA"): ["120 2001:db8::1"],
    ("four.test", "A"): ["300 192.0.2.4"],
    ("alias.test", "CNAME"): ["60 two.test."],
    ("to-nowhere.test", "CNAME"): ["60 nowhere.test."],
    ("mail.test", "MX"): ["300 10 two.test."],
    ("_matrix-fed._tcp.two.test", "SRV"): ["90 10 5 8448 two.test.", "90 20 0 443 four.test."],
    ("_matrix._tcp.two.test", "SRV"): ["90 0 0 0 ."],
    ("_matrix-fed._tcp.alias.test", "CNAME"): ["30 _matrix-fed._tcp.two.test."],
    **{(f"loop{number}.test", "CNAME"): [f"60 loop{number + 1}.test."] for number in range(40)},
}

QUESTION = dnswire.Question.about("two.test", dns.rdatatype.A)


BOTH_FAMILIES = ("2001:db8::1", "192.0.2.1", "192.0.2.2")


def in_order(answer: AddressAnswer) -> tuple[str, ...]:
    """Its addresses, those of one family sorted: the practice server shuffles them, as real ones do."""
    is_ipv4 = ["." in address for address in answer.addresses]
    assert is_ipv4 == sorted(is_ipv4), "IPv6 stands first"
    return tuple(sorted(answer.addresses, key=lambda address: ("." in address, address)))


async def ask(
    respond: Respond,
    *questions: str,
    by_tcp: Respond | None = None,
    traffic: Traffic | None = None,
    timeout_s: float = LONG_S,
) -> list[AddressAnswer | SrvAnswer]:
    """Ask a name server about hosts, and about SRV owners (names that begin with an underscore)."""
    answers: list[AddressAnswer | SrvAnswer] = []
    async with trio.open_nursery() as nursery:
        server = await start_name_server(nursery, respond, respond_by_tcp=by_tcp)
        lookups = Dns((server.address, server.port), timeout_s, traffic)
        for question in questions:
            is_srv = question.startswith("_")
            answers.append(await (lookups.lookup_srv if is_srv else lookups.lookup_addresses)(question))
        lookups.close()
        nursery.cancel_scope.cancel()
    return answers


async def addresses(respond: Respond, host: str, **how: Any) -> AddressAnswer:
    (answer,) = await ask(respond, host, **how)
    assert isinstance(answer, AddressAnswer)
    return answer


async def srv(respond: Respond, owner: str, timeout_s: float = LONG_S) -> SrvAnswer:
    (answer,) = await ask(respond, owner, timeout_s=timeout_s)
    assert isinstance(answer, SrvAnswer)
    return answer


async def test_both_families_ipv6_first_with_the_shorter_ttl() -> None:
    answer = await addresses(from_zone(ZONE), "two.test")
    assert in_order(answer) == BOTH_FAMILIES
    assert (answer.ttl_s, answer.cname, answer.failure, answer.other_failure) == (120, None, None, None)
    assert answer.duration_s > 0


async def test_a_family_without_records_is_no_failure() -> None:
    answer = await addresses(from_zone(ZONE), "four.test")
    assert answer.addresses == ("192.0.2.4",)
    assert (answer.failure, answer.other_failure) == (None, None)


@pytest.mark.parametrize("soa", [True, False], ids=["recursive", "authoritative"])
async def test_cnames_are_followed_and_noted(soa: bool) -> None:
    answer = await addresses(from_zone(ZONE, soa=soa), "Alias.test")
    assert in_order(answer) == BOTH_FAMILIES
    assert (answer.cname, answer.ttl_s) == ("two.test", 60)


async def test_a_server_that_stops_at_the_cname_is_asked_on() -> None:
    def one_step(query: dns.message.Message) -> list[bytes]:
        response = zone_answer(query, ZONE)
        response.answer = response.answer[:1]
        response.authority = []
        return [response.to_wire()]

    answer = await addresses(one_step, "alias.test")
    assert set(answer.addresses) == {"2001:db8::1", "192.0.2.1", "192.0.2.2"}
    assert answer.cname == "two.test"


@pytest.mark.parametrize("in_one_answer", [True, False])
async def test_endless_cnames_end(in_one_answer: bool) -> None:
    def one_step(query: dns.message.Message) -> list[bytes]:
        response = zone_answer(query, ZONE)
        response.answer = response.answer[:1]
        response.authority = []
        return [response.to_wire()]

    traffic = Traffic()
    answer = await addresses(from_zone(ZONE) if in_one_answer else one_step, "loop0.test", traffic=traffic)
    assert answer.failure is not None
    assert answer.failure.kind is FailureKind.DNS_MALFORMED
    assert traffic.dns_queries <= 2 * net_dns.MAX_CNAMES


async def test_neither_family_crowds_out_the_other() -> None:
    zone = {
        ("many.test", "A"): [f"60 192.0.2.{i}" for i in range(1, 60)],
        ("many.test", "AAAA"): [f"60 2001:db8::{i}" for i in range(1, 60)],
        ("six.test", "AAAA"): [f"60 2001:db8::{i}" for i in range(1, 80)],
        ("six.test", "A"): ["60 192.0.2.1"],
    }
    many, six = await ask(from_zone(zone), "many.test", "six.test")
    assert isinstance(many, AddressAnswer)
    assert isinstance(six, AddressAnswer)
    assert [":" in address for address in many.addresses] == [True] * 32 + [False] * 32
    assert [":" in address for address in six.addresses] == [True] * 63 + [False]


@pytest.mark.parametrize(
    ("respond", "host", "kind"),
    [
        pytest.param(from_zone(ZONE), "nowhere.test", FailureKind.DNS_NXDOMAIN, id="nxdomain"),
        pytest.param(from_zone(ZONE), "to-nowhere.test", FailureKind.DNS_NXDOMAIN, id="alias of nothing"),
        pytest.param(from_zone(ZONE), "mail.test", FailureKind.DNS_NODATA, id="nodata"),
        pytest.param(failing(dns.rcode.SERVFAIL), "two.test", FailureKind.DNS_SERVFAIL, id="servfail"),
        pytest.param(failing(dns.rcode.REFUSED), "two.test", FailureKind.DNS_REFUSED, id="refused"),
        pytest.param(failing(dns.rcode.NOTIMP), "two.test", FailureKind.DNS_NOT_IMPLEMENTED, id="notimp"),
        pytest.param(failing(dns.rcode.FORMERR), "two.test", FailureKind.DNS_MALFORMED, id="formerr"),
        pytest.param(failing(dns.rcode.YXDOMAIN), "two.test", FailureKind.DNS_SERVFAIL, id="another rcode"),
        pytest.param(silence, "two.test", FailureKind.DNS_TIMEOUT, id="silence"),
        pytest.param(from_zone(ZONE), "a" * 64 + ".test", FailureKind.NAME_INVALID, id="no name"),
    ],
)
async def test_every_way_to_have_no_address(respond: Respond, host: str, kind: FailureKind) -> None:
    answer = await addresses(respond, host, timeout_s=SHORT_S if respond is silence else LONG_S)
    assert answer.addresses == ()
    assert answer.failure is not None
    assert answer.failure.kind is kind


@pytest.mark.parametrize(
    ("a", "aaaa", "kind"),
    [
        (dns.rcode.SERVFAIL, None, FailureKind.DNS_SERVFAIL),
        (None, dns.rcode.REFUSED, FailureKind.DNS_REFUSED),
        (dns.rcode.NXDOMAIN, dns.rcode.SERVFAIL, FailureKind.DNS_NXDOMAIN),
    ],
)
async def test_an_unanswered_family_is_not_an_absent_one(
    a: dns.rcode.Rcode | None, aaaa: dns.rcode.Rcode | None, kind: FailureKind
) -> None:
    def respond(query: dns.message.Message) -> list[bytes]:
        rcode = a if query.question[0].rdtype == dns.rdatatype.A else aaaa
        return failing(dns.rcode.NOERROR if rcode is None else rcode)(query)

    answer = await addresses(respond, "two.test")
    assert answer.failure is not None
    assert answer.failure.kind is kind


async def test_one_family_failing_beside_the_other_is_told() -> None:
    def respond(query: dns.message.Message) -> list[bytes]:
        if query.question[0].rdtype == dns.rdatatype.AAAA:
            return failing(dns.rcode.SERVFAIL)(query)
        return from_zone(ZONE)(query)

    answer = await addresses(respond, "two.test")
    assert in_order(answer) == ("192.0.2.1", "192.0.2.2")
    assert answer.failure is None
    assert answer.other_failure is not None
    assert answer.other_failure.kind is FailureKind.DNS_SERVFAIL


async def test_srv_records_as_published() -> None:
    answer = await srv(from_zone(ZONE), "_matrix-fed._tcp.two.test")
    assert set(answer.records) == {SrvRecord(10, 5, 8448, "two.test"), SrvRecord(20, 0, 443, "four.test")}
    assert (answer.ttl_s, answer.cname, answer.failure) == (90, None, None)


async def test_srv_that_says_the_service_is_not_available() -> None:
    answer = await srv(from_zone(ZONE), "_matrix._tcp.two.test")
    assert answer.records == (SrvRecord(0, 0, 0, ""),)


async def test_srv_behind_an_alias() -> None:
    answer = await srv(from_zone(ZONE), "_matrix-fed._tcp.alias.test")
    assert len(answer.records) == 2
    assert (answer.cname, answer.ttl_s) == ("_matrix-fed._tcp.two.test", 30)


@pytest.mark.parametrize(
    ("respond", "owner", "kind"),
    [
        (from_zone(ZONE), "_matrix-fed._tcp.nowhere.test", FailureKind.DNS_NXDOMAIN),
        (from_zone({**ZONE, ("_x._tcp.two.test", "TXT"): ["60 x"]}), "_x._tcp.two.test", FailureKind.DNS_NODATA),
        (failing(dns.rcode.NOTIMP), "_matrix-fed._tcp.two.test", FailureKind.DNS_NOT_IMPLEMENTED),
        (failing(dns.rcode.SERVFAIL), "_matrix-fed._tcp.two.test", FailureKind.DNS_SERVFAIL),
        (silence, "_matrix-fed._tcp.two.test", FailureKind.DNS_TIMEOUT),
        # A host of 243 characters is a name; with the service's labels before it, it is one no longer.
        (from_zone(ZONE), "_matrix-fed._tcp." + ".".join(["a" * 60] * 4), FailureKind.DNS_NODATA),
    ],
)
async def test_every_way_to_have_no_srv_record(respond: Respond, owner: str, kind: FailureKind) -> None:
    answer = await srv(respond, owner, timeout_s=SHORT_S if respond is silence else LONG_S)
    assert answer.records == ()
    assert answer.failure is not None
    assert answer.failure.kind is kind


async def test_an_ip_literal_is_never_asked_about() -> None:
    traffic = Traffic()
    one, two = await ask(silence, "192.0.2.7", "2001:db8::7", traffic=traffic)
    assert (one, two) == (AddressAnswer(("192.0.2.7",)), AddressAnswer(("2001:db8::7",)))
    assert traffic.dns_queries == 0


async def test_a_lost_query_is_sent_once_more() -> None:
    seen: set[dns.rdatatype.RdataType] = set()

    def respond(query: dns.message.Message) -> list[bytes]:
        kind = query.question[0].rdtype
        if kind in seen:
            return from_zone(ZONE)(query)
        seen.add(kind)
        return []

    traffic = Traffic()
    (answer,) = await ask(respond, "two.test", traffic=traffic, timeout_s=3.0)
    assert isinstance(answer, AddressAnswer)
    assert len(answer.addresses) == 3
    assert traffic.dns_queries == 4


async def test_a_truncated_answer_is_fetched_by_tcp() -> None:
    zone = {("big.test", "A"): [f"60 192.0.2.{i}" for i in range(200)]}

    def truncated(query: dns.message.Message) -> list[bytes]:
        response = zone_answer(query, zone)
        if response.answer:
            response.flags |= dns.flags.TC
            return [response.to_wire(max_size=65535)[:512]]  # cut anywhere, as some servers do
        return [response.to_wire()]

    traffic = Traffic()
    (answer,) = await ask(truncated, "big.test", by_tcp=from_zone(zone), traffic=traffic)
    assert isinstance(answer, AddressAnswer)
    assert len(answer.addresses) == net_dns.MAX_ADDRESSES
    assert traffic.dns_queries == 3


@pytest.mark.parametrize(
    ("by_tcp", "kind"),
    [
        (silence, FailureKind.DNS_TIMEOUT),  # accepts, then closes without a word
        (lambda _query: [b"\x00" * 40], FailureKind.DNS_MALFORMED),
        (lambda query: [_with_other_id(from_zone(ZONE)(query)[0])], FailureKind.DNS_MALFORMED),
    ],
)
async def test_a_truncated_answer_with_nothing_good_behind_it(by_tcp: Respond, kind: FailureKind) -> None:
    def truncated(query: dns.message.Message) -> list[bytes]:
        response = dns.message.make_response(query)
        response.flags |= dns.flags.TC
        return [response.to_wire()]

    answer = await addresses(truncated, "two.test", by_tcp=by_tcp)
    assert answer.failure is not None
    assert answer.failure.kind is kind


def _with_other_id(wire: bytes) -> bytes:
    return bytes([wire[0] ^ 0xFF]) + wire[1:]


def _for_another_question(query: dns.message.Message) -> bytes:
    other = dns.message.make_query("forged.test", query.question[0].rdtype, id=query.id)
    return zone_answer(other, {("forged.test", "A"): ["60 192.0.2.66"]}).to_wire()


def _as_a_query(query: dns.message.Message) -> bytes:
    wire = bytearray(from_zone(ZONE)(query)[0])
    wire[2] &= 0x7F
    return bytes(wire)


FORGERIES: list[Callable[[dns.message.Message], bytes]] = [
    lambda query: _with_other_id(from_zone({("two.test", "A"): ["60 192.0.2.66"]})(query)[0]),
    _for_another_question,
    _as_a_query,
    lambda query: query.id.to_bytes(2, "big") + b"\x81\x80\x00\x01\x00\xff\x00\x00\x00\x00\xff\xff\xff",
    lambda _query: b"\x00",
]


@pytest.mark.parametrize("forge", FORGERIES, ids=["id", "question", "query", "garbage", "runt"])
async def test_a_forgery_that_comes_first_does_not_keep_the_answer_out(
    forge: Callable[[dns.message.Message], bytes],
) -> None:
    answer = await addresses(lambda query: [forge(query), *from_zone(ZONE)(query)], "two.test")
    assert in_order(answer) == BOTH_FAMILIES


@pytest.mark.parametrize(
    ("forge", "kind"),
    [
        (FORGERIES[0], FailureKind.DNS_TIMEOUT),  # another id may be anybody's
        (FORGERIES[1], FailureKind.DNS_MALFORMED),
        (FORGERIES[2], FailureKind.DNS_MALFORMED),
        (FORGERIES[3], FailureKind.DNS_MALFORMED),
        (FORGERIES[4], FailureKind.DNS_TIMEOUT),
    ],
    ids=["id", "question", "query", "garbage", "runt"],
)
async def test_forgeries_alone_are_no_answer(forge: Callable[[dns.message.Message], bytes], kind: FailureKind) -> None:
    answer = await addresses(lambda query: [forge(query)], "two.test", timeout_s=SHORT_S)
    assert answer.failure is not None
    assert answer.failure.kind is kind


async def test_datagrams_from_elsewhere_are_not_heard() -> None:
    async with trio.open_nursery() as nursery:
        liar = trio.socket.socket(trio.socket.AF_INET, trio.socket.SOCK_DGRAM)
        await liar.bind(("127.0.0.1", 0))
        clients: list[tuple[str, int]] = []
        real = trio.socket.socket(trio.socket.AF_INET, trio.socket.SOCK_DGRAM)
        await real.bind(("127.0.0.1", 0))

        async def serve() -> None:
            while True:
                datagram, client = await real.recvfrom(65535)
                clients.append(client)
                query = dns.message.from_wire(datagram)
                forged = zone_answer(query, {("two.test", "A"): ["60 192.0.2.66"]}).to_wire()
                await liar.sendto(forged, client)
                await real.sendto(from_zone(ZONE)(query)[0], client)

        nursery.start_soon(serve)
        lookups = Dns(real.getsockname(), LONG_S)
        answer = await lookups.lookup_addresses("two.test")
        lookups.close()
        nursery.cancel_scope.cancel()
    liar.close()
    real.close()
    assert "192.0.2.66" not in answer.addresses
    assert "192.0.2.1" in answer.addresses


@given(st.binary(max_size=200), st.binary(max_size=12))
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_bytes_are_more_than_no_answer(tail: bytes, damage: bytes) -> None:
    """Whatever comes with the right id, judging it answers or refuses and never raises."""
    query = dns.message.make_query("two.test", "A", id=4711)
    good = from_zone(ZONE)(query)[0]
    damaged = bytearray(good)
    for place, value in zip(damage[::2], damage[1::2], strict=False):
        damaged[place % len(good)] = value
    header = good[:12]
    for datagram in (header + tail, good + tail, bytes(damaged), good[: 12 + len(tail)]):
        judged = dnswire._judge(QUESTION, datagram)
        if isinstance(judged, dns.message.Message):
            judged.id = query.id  # by which the datagram was sorted already
            assert query.is_response(judged)


@given(st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=8))
@settings(max_examples=200, deadline=None)
async def test_a_damaged_answer_gives_addresses_or_a_failure(damage: list[tuple[int, int]]) -> None:
    def respond(query: dns.message.Message) -> list[bytes]:
        wire = bytearray(from_zone(ZONE)(query)[0])
        for place, value in damage:
            if 12 <= place < len(wire):  # the header is left alone: with another id it would only time out
                wire[place] = value
        return [bytes(wire)] * dnswire._MAX_REPLIES  # as many as are looked at: no waiting for a better one

    answer = await addresses(respond, "alias.test")
    assert bool(answer.addresses) != (answer.failure is not None)


async def test_an_answer_is_kept_for_its_ttl(autojump_clock: trio.testing.MockClock) -> None:
    lookups = Dns(("127.0.0.1", 1), 1.0)
    asked: list[str] = []

    async def count(host: str) -> AddressAnswer:
        asked.append(host)
        return AddressAnswer(("192.0.2.1",), ttl_s={"zero.test": 0, "long.test": 10**9}.get(host, 120))

    lookups._ask_addresses = count  # type: ignore[method-assign]  # the clock of this test is not the sockets'
    for host in ("a.test", "A.test", "a.test."):
        assert (await lookups.lookup_addresses(host)).addresses == ("192.0.2.1",)
    assert asked == ["a.test"]
    await lookups.lookup_addresses("zero.test")
    await lookups.lookup_addresses("long.test")
    await trio.sleep(net_dns.CACHE_MIN_S - 1)
    await lookups.lookup_addresses("zero.test")
    assert asked == ["a.test", "zero.test", "long.test"]
    await trio.sleep(2)
    await lookups.lookup_addresses("zero.test")
    await lookups.lookup_addresses("a.test")
    assert asked == ["a.test", "zero.test", "long.test", "zero.test"]
    await trio.sleep(net_dns.CACHE_MAX_S)
    await lookups.lookup_addresses("long.test")
    assert asked[-1] == "long.test"


async def test_the_cache_is_bounded(autojump_clock: trio.testing.MockClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(net_dns, "CACHE_SIZE", 10)
    lookups = Dns(("127.0.0.1", 1), 1.0)

    async def answer(host: str) -> AddressAnswer:
        return AddressAnswer(("192.0.2.1",), ttl_s=600)

    lookups._ask_addresses = answer  # type: ignore[method-assign]  # see above
    for number in range(50):
        await lookups.lookup_addresses(f"{number}.test")
    assert len(lookups._kept) == 10
    assert "49.test" in lookups._kept


async def test_one_host_is_asked_about_once() -> None:
    traffic = Traffic()
    first, again = await ask(from_zone(ZONE), "two.test", "two.test", traffic=traffic)
    assert isinstance(first, AddressAnswer)
    assert isinstance(again, AddressAnswer)
    assert again.addresses == first.addresses
    assert again.duration_s == 0.0
    assert traffic.dns_queries == 2


async def test_a_failure_is_kept_for_a_short_while_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(net_dns, "CACHE_FAILURE_S", 0.0)
    traffic = Traffic()
    await ask(failing(dns.rcode.SERVFAIL), "two.test", "two.test", traffic=traffic)
    assert traffic.dns_queries == 4


async def test_hundreds_of_look_ups_at_once_over_a_handful_of_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dnswire, "QUERIES_A_SOCKET", 50)
    ports: set[int] = set()
    answers: dict[int, tuple[str, ...]] = {}
    with trio.socket.socket(trio.socket.AF_INET, trio.socket.SOCK_DGRAM) as udp:
        udp.setsockopt(trio.socket.SOL_SOCKET, trio.socket.SO_RCVBUF, 4 * 1024 * 1024)
        await udp.bind(("127.0.0.1", 0))
        lookups = Dns(udp.getsockname(), LONG_S)

        async def serve() -> None:
            while True:
                datagram, client = await udp.recvfrom(65535)
                ports.add(client[1])
                query = dns.message.from_wire(datagram)
                number = query.question[0].name.to_text()[1:].split(".")[0]
                zone = {(f"h{number}.test", "A"): [f"60 192.0.2.{int(number) % 250}"]}
                await udp.sendto(from_zone(zone)(query)[0], client)

        async def look_up(number: int) -> None:
            answers[number] = (await lookups.lookup_addresses(f"h{number}.test")).addresses

        async with trio.open_nursery() as serving:
            serving.start_soon(serve)
            async with trio.open_nursery() as asking:
                for number in range(400):
                    asking.start_soon(look_up, number)
            serving.cancel_scope.cancel()
        lookups.close()
    assert answers == {number: (f"192.0.2.{number % 250}",) for number in range(400)}
    # 800 queries: a socket is worn out after 50 of them, and never before.
    assert 800 / 50 <= len(ports) <= 800 / 50 + dnswire.SOCKETS


def test_a_query_is_the_one_that_dnspython_makes() -> None:
    for name, kind in (("two.test.", "A"), ("_matrix-fed._tcp.two.test.", "SRV"), (".", "AAAA")):
        oracle = dns.message.make_query(name, kind, use_edns=0, payload=dnswire.UDP_PAYLOAD, id=4711)
        question = dnswire.Question.about(name, dns.rdatatype.from_text(kind))
        assert question.to_wire(4711) == oracle.to_wire()


@pytest.mark.parametrize("rcode", [dns.rcode.NOERROR, dns.rcode.NXDOMAIN, dns.rcode.SERVFAIL, dns.rcode.FORMERR])
@pytest.mark.parametrize("asked", ["two.test", "TWO.test", "other.test", None])
@pytest.mark.parametrize("flags", [0, dns.flags.QR, dns.flags.QR | 1 << 11])
def test_what_answers_is_what_dnspython_takes_for_it(rcode: dns.rcode.Rcode, asked: str | None, flags: int) -> None:
    query = dns.message.make_query("two.test", "A", id=4711)
    message = dns.message.make_query(asked or "x.test", "A", id=4711)
    if asked is None:
        message.question.clear()
    message.flags = flags
    message.set_rcode(rcode)
    assert QUESTION.is_answered_by(message) is query.is_response(message)


async def test_no_way_to_the_name_server_is_no_answer() -> None:
    lookups = Dns(("127.255.255.255", 53), 0.2)  # the loopback's broadcast address: the kernel refuses it
    answer = await lookups.lookup_addresses("two.test")
    lookups.close()
    assert answer.failure is not None
    assert answer.failure.kind is FailureKind.DNS_TIMEOUT


async def test_a_machine_out_of_descriptors_is_no_answer_of_dns(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_more(*_args: object) -> socket.socket:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(socket, "socket", no_more)
    lookups = Dns(("127.0.0.1", 53), LONG_S)
    with pytest.raises(LocalResourcesError):
        await lookups.lookup_srv("_matrix-fed._tcp.two.test")


async def test_nobody_listening_is_no_answer() -> None:
    closed = trio.socket.socket(trio.socket.AF_INET, trio.socket.SOCK_DGRAM)
    await closed.bind(("127.0.0.1", 0))
    where = closed.getsockname()
    closed.close()
    lookups = Dns(where, 0.2)
    answer = await lookups.lookup_addresses("two.test")
    lookups.close()
    assert answer.failure is not None
    assert answer.failure.kind is FailureKind.DNS_TIMEOUT


async def test_the_second_name_server_is_asked_when_the_first_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    async with trio.open_nursery() as nursery:
        bad = await start_name_server(nursery, failing(dns.rcode.SERVFAIL))
        good = await start_name_server(nursery, from_zone(ZONE))
        system = [(bad.address, bad.port), (good.address, good.port)]
        monkeypatch.setattr(net_dns, "_system_name_servers", lambda: system)
        lookups = Dns(None, LONG_S)
        answer = await lookups.lookup_addresses("two.test")
        lookups.close()
        nursery.cancel_scope.cancel()
    assert len(answer.addresses) == 3
    assert len(bad.queries) == 2


def test_the_system_names_its_servers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    resolv_conf = tmp_path / "resolv.conf"
    resolv_conf.write_text("search example.org\nnameserver 192.0.2.53\nnameserver 2001:db8::53\n")
    _configure_from(monkeypatch, resolv_conf)
    assert net_dns._system_name_servers() == [("192.0.2.53", 53), ("2001:db8::53", 53)]


def test_a_system_without_name_server_is_told_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    resolv_conf = tmp_path / "resolv.conf"
    resolv_conf.write_text("# nobody\n")
    _configure_from(monkeypatch, resolv_conf)
    with pytest.raises(UsageError, match="--dns"):
        Dns(None, 1.0)


def _configure_from(monkeypatch: pytest.MonkeyPatch, resolv_conf: Path) -> None:
    real = dns.resolver.Resolver

    def from_file(*, configure: bool) -> dns.resolver.Resolver:
        return real(filename=str(resolv_conf), configure=configure)

    monkeypatch.setattr(dns.resolver, "Resolver", from_file)
