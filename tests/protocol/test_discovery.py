"""The resolution algorithm against the table of cases, and against worlds that hypothesis makes up."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.config import Limits
from crawler.errors import Failure, FailureKind, Phase
from crawler.model.discovery import Branch, Endpoint, Question, Resolution, SrvRecord
from crawler.model.names import HostKind, ServerName, parse_server_name
from crawler.protocol.addresses import AddressPolicy
from crawler.protocol.discovery import resolve
from crawler.protocol.questions import (
    AddressAnswer,
    Answer,
    AskAddresses,
    AskSrv,
    AskWellKnown,
    SrvAnswer,
    WellKnownAnswer,
)
from tests.protocol.resolution_cases import CASES, T4, U4, Case, Hosts
from tests.protocol.resolution_table import LIMITS, POLICY, drive, run, spell


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.section}: {case.title}")
def test_case(case: Case) -> None:
    resolution, asked = run(case)
    places = tuple((e.address, e.port, e.host_header, e.tls_name) for e in resolution.endpoints)
    assert places == case.places
    assert {e.via for e in resolution.endpoints} == ({case.branch} if case.branch else set())
    assert resolution.branch is case.branch
    assert (resolution.failure.kind if resolution.failure else None) is case.failure
    assert (resolution.delegated.raw if resolution.delegated else None) == case.delegated
    well_known = [s for s in resolution.steps if s.question is Question.WELL_KNOWN]
    if case.well_known_failure is not None:
        assert [s.failure.kind for s in well_known if s.failure] == [case.well_known_failure]
    elif case.delegated is not None:
        assert [s.failure for s in well_known] == [None]
    if case.asked is not None:
        assert tuple(spell(ask) for ask in asked) == case.asked


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.section}: {case.title}")
def test_every_question_of_a_case_is_a_step_that_says_why(case: Case) -> None:
    resolution, asked = run(case)
    assert resolution.steps[0].question is Question.NAME
    asked_about = {getattr(ask, "host", None) or getattr(ask, "owner", None) for ask in asked}
    assert asked_about <= {step.subject for step in resolution.steps}
    for step in resolution.steps:
        assert step.conclusion
        assert bool(step.answer) is (step.failure is None)
        assert all(line.isprintable() for line in (step.subject, step.answer, step.conclusion))


def test_the_table_has_every_branch_and_every_way_to_fail() -> None:
    assert {case.branch for case in CASES} == {*Branch, None}
    in_dns = {kind for kind in FailureKind if kind.phase is Phase.DNS and kind is not FailureKind.DNS_NOT_IMPLEMENTED}
    assert {case.failure for case in CASES} == {*in_dns, FailureKind.POLICY_ADDRESS, None}
    well_known = {kind for kind in FailureKind if kind.phase is Phase.WELL_KNOWN}
    assert well_known <= {case.well_known_failure for case in CASES}
    assert len(CASES) == len({(case.section, case.title) for case in CASES}) >= 60


def test_the_table_allows_one_outcome_each() -> None:
    for case in CASES:
        assert bool(case.places) is (case.failure is None) is (case.branch is not None)
        assert all(POLICY.may_dial(address) for address, *_ in case.places)


def steps_of(case_title: str) -> list[tuple[Question, str, str]]:
    (case,) = [case for case in CASES if case.title == case_title]
    return [(s.question, s.subject, s.conclusion) for s in run(case)[0].steps]


def test_steps_tell_the_story() -> None:
    assert steps_of("delegate with the older SRV name") == [
        (Question.NAME, "example.org", "neither IP literal nor port: step 3 asks for a .well-known"),
        (
            Question.WELL_KNOWN,
            "example.org",
            "a host without a port: step 3.3 asks for its SRV records, never for its .well-known",
        ),
        (Question.SRV, "_matrix-fed._tcp.d.example", "no such record: the older service name is asked for"),
        (Question.SRV, "_matrix._tcp.d.example", "branch 3.4, targets in the order of RFC 2782"),
        (Question.ADDRESSES, "t.example", "to be tried in this order at port 8450"),
    ]


@pytest.mark.parametrize(
    ("title", "note"),
    [
        ("target is an alias: tolerated", "an alias of real.example, which RFC 2782 forbids to an SRV target"),
        ("an alias (CNAME): the certificate is of the name asked for", "an alias of hosting.example"),
        ("one family fails, the other serves", "the other family failed: dns_servfail"),
        ("a private address among public ones", "2 that may not be dialled left out"),
        ("more addresses than are looked at", "21 beyond the limit left out"),
        ("no more targets than are looked at", "21 beyond the limit left out"),
        ("a target beside '.' counts", "1 unusable left out"),
        ("an address as target: against RFC 2782, but Synapse dials it", "where RFC 2782 wants a host name"),
        ("found after redirects", "after 1 redirect, the last to https://www.example.org/.well-known/matrix/server"),
        ("found through a redirect to port 8443 and HTTP Host kept to the delegate", "after 2 redirects"),
        ("SRV fails: the end, no 8448", "whether there is a record is unknown: the end"),
        ("nothing but addresses: 8448", "no such record: branch 6, port 8448 of example.org"),
        ("delegate is an IPv4 literal with a port", "an IP literal: branch 3.1"),
        ("delegate with a port: no SRV", "a host with a port: branch 3.2, without SRV"),
    ],
)
def test_what_was_tolerated_or_left_out_is_noted(title: str, note: str) -> None:
    assert any(note in conclusion for _, _, conclusion in steps_of(title))


@pytest.mark.parametrize(
    ("title", "detail"),
    [
        ("target '.': decidedly unavailable", "the target is '.': the service is decidedly not available (RFC 2782)"),
        ("port 0 cannot be dialled", "no target that can be dialled: 0 0 0 t.example."),
    ],
)
def test_why_an_srv_record_set_leads_nowhere_is_said(title: str, detail: str) -> None:
    (case,) = [case for case in CASES if case.title == title and case.section == "4"]
    failure = run(case)[0].failure
    assert failure is not None
    assert failure.detail == detail


def test_what_was_heard_is_kept() -> None:
    (case,) = [case for case in CASES if case.title == "targets by priority"]
    assert [step.answer for step in run(case)[0].steps] == [
        "host example.org, no port",
        "m.server is d.example (25 bytes of application/json)",
        "10 0 1 t.example.; 20 100 2 u.example.",
        T4,
        U4,
    ]


@pytest.mark.parametrize(("length", "usable"), [(253, True), (254, False)])
def test_a_target_is_no_longer_than_names_can_be(length: int, usable: bool) -> None:
    target = ("a" * 60 + ".") * 4 + "b" * (length - 244)
    assert len(target) == length
    case = Case(
        "long target",
        "4",
        "example.org",
        srv={"_matrix-fed._tcp.example.org": ((0, 0, 443, target),)},
        hosts={target: Hosts((T4,))},
    )
    assert bool(run(case)[0].endpoints) is usable


def test_refused_addresses_are_named() -> None:
    (case,) = [case for case in CASES if case.title == "only private addresses"]
    failure = run(case)[0].failure
    assert failure is not None
    assert "10.0.0.1" in failure.detail
    assert "fd00::1" in failure.detail


def test_lifetimes_and_times_of_the_answers_are_kept() -> None:
    (case,) = [case for case in CASES if case.title == "delegate with the older SRV name"]
    steps = run(case)[0].steps
    assert [(s.question, s.cache_s) for s in steps] == [
        (Question.NAME, None),
        (Question.WELL_KNOWN, 24 * 3600),
        (Question.SRV, 30),
        (Question.SRV, 300),
        (Question.ADDRESSES, 60),
    ]
    assert [s.duration_s for s in steps if s.question is Question.WELL_KNOWN] == [0.5]


def test_a_failed_well_known_may_be_kept_for_an_hour() -> None:
    (case,) = [case for case in CASES if case.title == "HTML"]
    (step,) = [s for s in run(case)[0].steps if s.question is Question.WELL_KNOWN]
    assert step.cache_s == 3600


def test_limits_bound_targets_and_addresses() -> None:
    (case,) = [case for case in CASES if case.title == "no more targets than are looked at"]
    _, asked = run(case, Limits(srv_targets=2))
    assert sum(isinstance(ask, AskAddresses) for ask in asked) == 2
    (case,) = [case for case in CASES if case.title == "families take turns, IPv6 first"]
    assert [e.address for e in run(case, Limits(addresses_per_host=1))[0].endpoints] == [case.places[0][0]]


def test_what_is_allowed_may_be_an_endpoint() -> None:
    """A private federation, and the practice one, live on addresses that a live crawl never dials."""
    name = parse_server_name("example.org:8448")
    answers = [AddressAnswer(("127.0.0.1", "10.0.0.1"))]
    policy = AddressPolicy(("127.0.0.0/8",))
    resolution, _ = drive(resolve(name, may_dial=policy.may_dial, rng=random.Random(1), limits=LIMITS), answers)
    assert resolution.endpoints == (
        Endpoint("127.0.0.1", 8448, "example.org:8448", "example.org", Branch.EXPLICIT_PORT),
    )


def test_equal_targets_are_drawn_anew_for_every_resolution() -> None:
    """With one priority and one weight, each target is first about as often as any other."""
    rng = random.Random(2782)
    case = Case(
        "drawn",
        "4",
        "example.org",
        srv={"_matrix-fed._tcp.example.org": tuple((0, 1, 443, f"t{n}.example") for n in range(4))},
        hosts={f"t{n}.example": Hosts((f"185.199.108.{n}",)) for n in range(4)},
    )
    name = parse_server_name(case.server_name)
    firsts = [
        drive(resolve(name, may_dial=POLICY.may_dial, rng=rng, limits=LIMITS), case)[0].endpoints[0].address
        for _ in range(400)
    ]
    assert {firsts.count(f"185.199.108.{n}") > 60 for n in range(4)} == {True}


def test_an_answer_to_another_question_is_a_bug_of_ours() -> None:
    walk = resolve(parse_server_name("example.org"), may_dial=POLICY.may_dial, rng=random.Random(1), limits=LIMITS)
    next(walk)
    with pytest.raises(TypeError, match="WellKnownAnswer"):
        walk.send(SrvAnswer())


# Worlds made up: whatever is answered, the resolution ends, within bounds, in endpoints or a failure.

KINDS = st.sampled_from(list(FailureKind))
FAILURES = st.builds(Failure, KINDS, st.text(max_size=20))
HOSTS = st.one_of(
    st.sampled_from(["", "t.example", "T.example", "10.0.0.1", "::1", "93.184.216.34", "a b", "fe80::1%eth0"]),
    st.text(max_size=300),
)
ADDRESSES = st.one_of(st.ip_addresses().map(str), st.sampled_from(["127.0.0.1", "93.184.216.34", "", "nonsense"]))
WELL_KNOWNS = st.one_of(
    st.builds(WellKnownAnswer, failure=FAILURES),
    st.builds(
        WellKnownAnswer,
        status=st.sampled_from([0, 200, 200, 200, 302, 404, 500, 999]),
        body=st.one_of(
            st.binary(max_size=60),
            st.sampled_from([b'{"m.server": "d.example"}', b'{"m.server": "[::1]"}', b'{"m.server": "d.example:1"}']),
        ),
        content_type=st.none() | st.text(max_size=20),
        cache_control=st.none() | st.text(max_size=40),
        expires=st.none() | st.text(max_size=40),
        date=st.none() | st.text(max_size=40),
        redirects=st.lists(st.text(max_size=30), max_size=3).map(tuple),
    ),
)
RECORDS = st.builds(
    SrvRecord, st.integers(0, 65535), st.integers(0, 65535), st.integers(0, 65535), HOSTS
)  # fmt: skip
SRVS = st.builds(
    SrvAnswer,
    records=st.lists(RECORDS, max_size=12).map(tuple),
    cname=st.none() | st.text(max_size=20),
    failure=st.none() | FAILURES,
)
ADDRESS_ANSWERS = st.builds(
    AddressAnswer,
    addresses=st.lists(ADDRESSES, max_size=12).map(tuple),
    cname=st.none() | st.text(max_size=20),
    failure=st.none() | FAILURES,
    other_failure=st.none() | FAILURES,
)
NAMES = st.sampled_from(
    [
        ServerName("example.org", "example.org", None, HostKind.DNS),
        ServerName("example.org:80", "example.org", 80, HostKind.DNS),
        ServerName("10.0.0.1", "10.0.0.1", None, HostKind.IPV4),
        ServerName("[2606:4700::1]:1", "2606:4700::1", 1, HostKind.IPV6),
    ]
)


@given(name=NAMES, data=st.data(), seed=st.integers(0, 2**32))
def test_any_world_ends_in_endpoints_or_a_failure(name: ServerName, data: st.DataObject, seed: int) -> None:
    limits = Limits(srv_targets=3, addresses_per_host=4)
    walk = resolve(name, may_dial=POLICY.may_dial, rng=random.Random(seed), limits=limits)
    asked = 0
    try:
        ask = next(walk)
        while True:
            asked += 1
            match ask:
                case AskWellKnown():
                    answer: Answer = data.draw(WELL_KNOWNS)
                case AskSrv():
                    answer = data.draw(SRVS)
                case AskAddresses():
                    answer = data.draw(ADDRESS_ANSWERS)
            ask = walk.send(answer)
    except StopIteration as end:
        resolution: Resolution = end.value
    assert asked <= 1 + 2 + limits.srv_targets
    assert bool(resolution.endpoints) is (resolution.failure is None) is (resolution.branch is not None)
    assert len(resolution.endpoints) <= limits.srv_targets * limits.addresses_per_host
    assert len({(e.address, e.port) for e in resolution.endpoints}) == len(resolution.endpoints)
    authority = resolution.delegated or name
    for endpoint in resolution.endpoints:
        assert POLICY.may_dial(endpoint.address)
        assert 1 <= endpoint.port <= 65535
        assert (endpoint.host_header, endpoint.tls_name) == (authority.raw, authority.host)
    for step in resolution.steps:
        assert all(line.isprintable() for line in (step.subject, step.answer, step.conclusion))
