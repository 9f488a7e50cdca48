"""What is read by hand is what dnspython reads, over everyday answers and damaged ones."""

import dns.edns
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from crawler.net.dnsreply import PlainReply, read_plain
from crawler.net.dnswire import Question

HOST = "matrix.example.org"
KINDS = {kind: dns.rdatatype.from_text(kind) for kind in ("A", "AAAA", "SRV")}
SOA = "ns1.example.org. hostmaster.example.org. 2026112401 7200 3600 1209600 300"


def wire(kind: str, *answers: str, soa: str | None = None, rcode: str = "NOERROR", options: bool = False) -> bytes:
    """An answer as dnspython writes it, names compressed. `answers` are "NAME TTL TYPE DATA"."""
    query = dns.message.make_query(HOST, kind, id=4711, use_edns=0)
    response = dns.message.make_response(query, recursion_available=True)
    response.set_rcode(dns.rcode.from_text(rcode))
    for answer in answers:
        name, ttl_s, rrtype, data = answer.split(" ", 3)
        response.find_rrset(
            response.answer, dns.name.from_text(name), dns.rdataclass.IN, dns.rdatatype.from_text(rrtype), create=True
        ).update(dns.rrset.from_text(name, int(ttl_s), "IN", rrtype, data))  # type: ignore[no-untyped-call]  # of dnspython
    if soa is not None:
        response.authority.append(dns.rrset.from_text(dns.name.from_text(soa), 60, "IN", "SOA", SOA))
    if options:
        response.use_edns(0, options=[dns.edns.GenericOption(dns.edns.OptionType.COOKIE, b"12345678")])
    return response.to_wire()


EVERYDAY = {
    "one": wire("A", f"{HOST} 300 A 192.0.2.1"),
    "several": wire("A", f"{HOST} 300 A 192.0.2.1", f"{HOST} 300 A 192.0.2.2"),
    "ipv6": wire("AAAA", f"{HOST} 300 AAAA 2001:db8::1", f"{HOST} 300 AAAA 2001:db8:0:0:1::"),
    "embedded": wire("AAAA", f"{HOST} 1 AAAA ::ffff:192.0.2.1", f"{HOST} 1 AAAA ::1", f"{HOST} 1 AAAA ::192.0.2.1"),
    "no_family": wire("AAAA", soa="example.org"),
    "no_name": wire("A", soa="org", rcode="NXDOMAIN"),
    "no_srv": wire("SRV", soa="example.org", rcode="NXDOMAIN"),
    "nothing_at_all": wire("A"),
}
OTHER = {
    "srv": wire("SRV", f"{HOST} 300 SRV 10 5 8448 host.example.org."),
    "alias": wire("A", f"{HOST} 300 CNAME host.example.org.", "host.example.org 60 A 192.0.2.1"),
    "of_another": wire("A", "host.example.org 60 A 192.0.2.1"),
    "zone_elsewhere": wire("A", soa="example.net"),
    "root_zone": wire("A", soa=".", rcode="NXDOMAIN"),
    "failing": wire("A", rcode="SERVFAIL"),
    "with_options": wire("A", f"{HOST} 300 A 192.0.2.1", options=True),
    "nxdomain_with_records": wire("A", f"{HOST} 300 A 192.0.2.1", rcode="NXDOMAIN"),
}


def kind_of(datagram: bytes) -> str:
    return dns.rdatatype.to_text(dns.message.from_wire(datagram).question[0].rdtype)


KIND = {datagram: kind_of(datagram) for datagram in (*EVERYDAY.values(), *OTHER.values())}


def by_dnspython(datagram: bytes, question: Question) -> PlainReply:
    """The same from the oracle; raises when it refuses."""
    message = dns.message.from_wire(datagram, ignore_trailing=True)
    assert isinstance(message, dns.message.QueryMessage)
    assert not message.flags & dns.flags.TC
    assert question.is_answered_by(message)
    chain = message.resolve_chaining()
    assert not chain.cnames
    addresses = tuple(record.address for record in chain.answer or ())
    says = bool(addresses) or any(rrset.rdtype == dns.rdatatype.SOA for rrset in message.authority)
    exists = {dns.rcode.NOERROR: True, dns.rcode.NXDOMAIN: False}[message.rcode()]
    return PlainReply(addresses, exists, chain.minimum_ttl if says else None)


@pytest.mark.parametrize("case", EVERYDAY)
def test_everyday_answers_are_understood(case: str) -> None:
    datagram = EVERYDAY[case]
    question = Question.about(HOST, KINDS[KIND[datagram]])
    assert read_plain(datagram, question.wire) == by_dnspython(datagram, question)
    shouted = Question.about(HOST.upper(), KINDS[KIND[datagram]])
    assert read_plain(datagram, shouted.wire) == by_dnspython(datagram, question)


@pytest.mark.parametrize("case", OTHER)
def test_all_others_are_left_alone(case: str) -> None:
    datagram = OTHER[case]
    assert read_plain(datagram, Question.about(HOST, KINDS[KIND[datagram]]).wire) is None


def test_another_question_is_left_alone() -> None:
    datagram = EVERYDAY["one"]
    for other in (Question.about(HOST, KINDS["AAAA"]), Question.about("matrix.example.net", KINDS["A"])):
        assert read_plain(datagram, other.wire) is None


@given(
    st.sampled_from(list(KIND)),
    st.lists(
        st.tuples(st.integers(0, 160), st.integers(0, 255) | st.sampled_from([0, 1, 6, 12, 192, 255])), max_size=4
    ),
    st.integers(0, 12),
    st.binary(max_size=6),
)
@example(EVERYDAY["one"], [(6, 0), (7, 2)], 0, EVERYDAY["one"][-11:])
@settings(max_examples=500, deadline=None)
def test_what_is_understood_dnspython_understands_alike(
    good: bytes, damage: list[tuple[int, int]], lost: int, tail: bytes
) -> None:
    datagram = bytearray(good)
    for place, value in damage:
        if place < len(datagram):
            datagram[place] = value
    damaged = bytes(datagram[: max(12, len(datagram) - lost)]) + tail
    question = Question.about(HOST, KINDS[KIND[good]])
    plain = read_plain(damaged, question.wire)
    if plain is not None:
        assert plain == by_dnspython(damaged, question)


LABELS = st.sampled_from([b"\x01a", b"\x3f" + b"b" * 63, b"\x40", b"\xc0", b"\x00", b"\x02"])
POINTERS = st.integers(0, 0x90).map(lambda place: (0xC000 + place).to_bytes(2, "big"))


@given(st.binary(max_size=40) | st.lists(LABELS | POINTERS, max_size=8).map(b"".join))
@settings(max_examples=500, deadline=None)
def test_no_name_is_taken_that_dnspython_refuses(names: bytes) -> None:
    """The two names of an SOA: labels, pointers, circles."""
    good = EVERYDAY["no_family"]
    question = Question.about(HOST, KINDS["AAAA"])
    head = good[: 12 + len(question.wire)]
    figures = bytes(20)
    length = (len(names) + len(figures)).to_bytes(2, "big")
    datagram = head + b"\xc0\x13\x00\x06\x00\x01\x00\x00\x00\x3c" + length + names + figures + good[-11:]
    plain = read_plain(datagram, question.wire)
    if plain is not None:
        assert plain == by_dnspython(datagram, question)


@pytest.mark.parametrize("host", ["a.b", "A-b_c.example.org.", "x" * 63 + ".test", ".".join(["y" * 49] * 5)])
def test_a_question_is_dnspythons(host: str) -> None:
    for kind in KINDS.values():
        assert Question.about(host, kind) == Question.of(dns.name.from_text(host), kind)


@pytest.mark.parametrize(
    "host", ["", ".", "a..b", "x" * 64 + ".test", ".".join(["y" * 49] * 6), "a\\.b", "bücher.example"]
)
def test_an_odd_name_is_judged_by_dnspython(host: str) -> None:
    try:
        expected: Question | None = Question.of(dns.name.from_text(host), KINDS["A"])
    except dns.exception.DNSException:
        expected = None
    if expected is None:
        with pytest.raises(dns.exception.DNSException):
            Question.about(host, KINDS["A"])
    else:
        assert Question.about(host, KINDS["A"]) == expected
