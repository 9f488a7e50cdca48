"""The DNS server, asked with dnspython over real sockets."""

import socket

import dns.asyncquery
import dns.flags
import dns.message
import dns.rcode
import pytest
import trio

from crawler.lab.dns import Answers
from crawler.lab.network import DnsConduct, Record, RecordType
from crawler.lab.oddities import Quirk
from crawler.lab.world import Zone
from tests.lab.conftest import LabMaker


def zone() -> Zone:
    made = Zone()
    made.add(Record("host.quiet-otter.test", RecordType.A, "127.64.0.1", 60))
    made.add(Record("host.quiet-otter.test", RecordType.AAAA, "fd4d:6361:6c61:62::1", 60))
    made.add(Record("alias.quiet-otter.test", RecordType.CNAME, "host.quiet-otter.test.", 60))
    made.add(Record("lost.quiet-otter.test", RecordType.CNAME, "gone.quiet-otter.test.", 60))
    made.add(Record("round.quiet-otter.test", RecordType.CNAME, "round.quiet-otter.test.", 60))
    made.add(Record("_matrix-fed._tcp.quiet-otter.test", RecordType.SRV, "10 5 8448 host.quiet-otter.test.", 60))
    for number in range(40):
        made.add(Record("many.quiet-otter.test", RecordType.A, f"127.104.0.{number}", 60))
    made.conduct["ill.test"] = DnsConduct.SERVFAIL
    made.conduct["shut.test"] = DnsConduct.REFUSED
    made.conduct["mute.test"] = DnsConduct.SILENT
    return made


def ask(name: str, kind: str, limit: int | None = 1232, **options: object) -> dns.message.Message | None:
    query = dns.message.make_query(name, kind, **options)  # type: ignore[arg-type]
    wire = Answers(zone()).answer(query.to_wire(), limit)
    if wire is None:
        return None
    answer = dns.message.from_wire(wire)
    assert query.is_response(answer)
    return answer


def data(answer: dns.message.Message | None) -> list[str]:
    assert answer is not None
    return [str(record) for rrset in answer.answer for record in rrset]


def test_records_of_each_type() -> None:
    assert data(ask("host.quiet-otter.test", "A")) == ["127.64.0.1"]
    assert data(ask("HOST.Quiet-Otter.TEST", "AAAA")) == ["fd4d:6361:6c61:62::1"]
    assert data(ask("_matrix-fed._tcp.quiet-otter.test", "SRV")) == ["10 5 8448 host.quiet-otter.test."]


def test_aliases_are_followed_and_shown() -> None:
    assert data(ask("alias.quiet-otter.test", "A")) == ["host.quiet-otter.test.", "127.64.0.1"]
    assert data(ask("alias.quiet-otter.test", "CNAME")) == ["host.quiet-otter.test."]
    lost = ask("lost.quiet-otter.test", "A")
    assert data(lost) == ["gone.quiet-otter.test."]
    assert lost is not None
    assert lost.rcode() == dns.rcode.NXDOMAIN
    assert len(data(ask("round.quiet-otter.test", "A"))) <= 8


@pytest.mark.parametrize(
    ("name", "kind", "rcode"),
    [
        ("nothing.quiet-otter.test", "A", dns.rcode.NXDOMAIN),
        ("nowhere.invalid", "A", dns.rcode.NXDOMAIN),
        ("host.quiet-otter.test", "SRV", dns.rcode.NOERROR),
        ("host.quiet-otter.test", "MX", dns.rcode.NOERROR),
        ("quiet-otter.test", "A", dns.rcode.NOERROR),  # an empty non-terminal exists (RFC 8020)
        ("_tcp.quiet-otter.test", "SRV", dns.rcode.NOERROR),
        ("ill.test", "A", dns.rcode.SERVFAIL),
        ("_matrix._tcp.ill.test", "SRV", dns.rcode.SERVFAIL),
        ("shut.test", "A", dns.rcode.REFUSED),
    ],
)
def test_no_data_and_how(name: str, kind: str, rcode: dns.rcode.Rcode) -> None:
    answer = ask(name, kind)
    assert answer is not None
    assert answer.rcode() == rcode
    assert not answer.answer


def test_silence() -> None:
    assert ask("mute.test", "A") is None
    assert ask("_matrix._tcp.mute.test", "SRV") is None


def test_what_does_not_fit_is_truncated() -> None:
    plain = ask("many.quiet-otter.test", "A")
    assert plain is not None
    assert plain.flags & dns.flags.TC
    assert not plain.answer
    assert len(data(ask("many.quiet-otter.test", "A", use_edns=0, payload=1232))) == 40
    assert len(data(ask("many.quiet-otter.test", "A", None))) == 40


@pytest.mark.parametrize("noise", [b"", b"\x00" * 5, b"\xff" * 600, b"GET / HTTP/1.1\r\n\r\n"])
def test_noise_is_met_with_silence(noise: bytes) -> None:
    assert Answers(zone()).answer(noise, 512) is None


def test_a_remembered_answer_bears_the_id_of_its_own_query() -> None:
    answers = Answers(zone())
    for id_ in (1, 2, 65535):
        query = dns.message.make_query("host.quiet-otter.test", "A", id=id_)
        wire = answers.answer(query.to_wire(), 512)
        assert wire is not None
        assert query.is_response(dns.message.from_wire(wire))


async def test_over_udp_and_tcp(lab: LabMaker) -> None:
    async with lab() as stranger:
        world = stranger.lab.world
        index = next(p.index for p in world.plans() if p.quirk is Quirk.MANY_ADDRESSES)
        host = (world.presence(index).delegated or world.names[index]).partition(":")[0]
        plain = dns.message.make_query(host, "A")
        answer = await dns.asyncquery.udp(plain, "127.0.0.1", port=stranger.lab.dns_port, timeout=5)
        assert answer.flags & dns.flags.TC
        assert len(await stranger.records(host, "A")) == 36
        assert stranger.lab.dns_answers.asked["tcp"] >= 1


async def test_a_broken_tcp_peer_harms_nobody(lab: LabMaker) -> None:
    async with lab(servers=5) as stranger:
        port = stranger.lab.dns_port
        for sent in (b"", b"\x00", b"\x00\x05abcde", b"\xff\xffabc"):
            stream = await trio.open_tcp_stream("127.0.0.1", port)
            if sent:
                await stream.send_all(sent)
            await stream.aclose()
        noisy = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        with noisy:
            noisy.sendto(b"\x00" * 40, ("127.0.0.1", port))
        query = dns.message.make_query(stranger.lab.world.names[0].partition(":")[0], "A")
        answer = await dns.asyncquery.tcp(query, "127.0.0.1", port=port, timeout=5)
        assert answer.rcode() == dns.rcode.NOERROR
