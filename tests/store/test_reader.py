"""What a reader answers, held against plain Python over the same observations."""

import statistics
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from crawler.errors import StoreError, UsageError
from crawler.model.crawl import CrawlScope, CrawlState, Lead, LeadSource
from crawler.model.observation import Ok, ServerObservation
from crawler.model.rooms import AliasAnswer, PublicRoom
from crawler.store.question import PREDICATES, ROOM_SORTS, SERVER_SORTS
from crawler.store.reader import SnapshotReader
from crawler.store.rows import RoomRow, ServerRow, SoftwareCount
from tests.store.census import crawl, publish
from tests.store.observations import DAY, bad_certificate, closely, dead, hostile_text, online, some_federation

FEDERATION = some_federation(5, 120, rooms=12)
OTHER = some_federation(6, 40)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("census") / "census.duckdb"
    leads = [Lead(seen.server_name.key, LeadSource.SEED) for seen in FEDERATION[:10]]
    leads += [
        Lead("only.heard.test", LeadSource.ALIAS, "host1.test", 2),
        Lead("host5.test", LeadSource.ROOM_ID, "host1.test", 3),
    ]
    leads += [
        Lead("host5.test", LeadSource.ROOM_ID, "host1.test", 4),
        Lead("host5.test", LeadSource.ALIAS, "host2.test"),
    ]
    answers = [("host1.test", AliasAnswer("#a:x.test", f"!{n}:x.test", ("host5.test", "far.test"))) for n in range(3)]
    crawl(path, FEDERATION, leads, answers)
    crawl(path, OTHER, scope=CrawlScope.LIMITED)
    crawl(path, OTHER, state=CrawlState.CANCELLED)
    publish(path)
    return path


@pytest.fixture(scope="module")
def reader(path: Path) -> Iterator[SnapshotReader]:
    with SnapshotReader.open(path) as opened:
        yield opened


def server_row(seen: ServerObservation) -> ServerRow:
    """What a table of servers should show of an observation."""
    name = seen.server_name.raw
    said = seen.version.value if isinstance(seen.version, Ok) else None
    is_open = seen.directory.state in ("open", "open_empty")
    return ServerRow(
        server_name=name,
        observed_at=seen.observed_at,
        software=said.name.lower() if said and said.name else None,
        version=said.version.split(" ")[0] if said and said.version else None,
        resolves=seen.resolves,
        reachable=seen.reachable,
        secure=seen.secure,
        online=seen.online,
        federating=seen.federating,
        accepting=seen.accepting,
        listing=seen.listing,
        failed_phase=None if seen.fell_out is None else seen.fell_out.phase,
        failed_kind=None if seen.fell_out is None else seen.fell_out.kind,
        directory_state=seen.directory.state,
        directory_rooms=len(seen.directory.rooms) if is_open else None,
        branch=seen.resolution.branch,
        duration_s=seen.duration_s,
    )


SERVERS = [server_row(seen) for seen in FEDERATION]


def ordered(rows: list[Any], key: Callable[[Any], Any], then: Callable[[Any], Any], *, descending: bool) -> list[Any]:
    """Known keys first, in their order; among equals, and among the unknown, by `then`."""
    by_then = sorted(rows, key=then)
    known = sorted((row for row in by_then if key(row) is not None), key=key, reverse=descending)
    return known + [row for row in by_then if key(row) is None]


@given(
    text=st.sampled_from(["", "host1", "HOST", ".TEST", "99", "no such", "%", "_"]),
    predicates=st.dictionaries(st.sampled_from(sorted(PREDICATES)), st.booleans(), max_size=2),
    software=st.none() | st.sampled_from(["", "synapse", "dendrite", "Synapse"]),
    failed_kind=st.none() | st.sampled_from(["tls_expired", "dns_timeout", ""]),
    directory_state=st.none() | st.sampled_from(["open", "denied", "skipped"]),
    sort=st.sampled_from(sorted(SERVER_SORTS)),
    descending=st.booleans(),
    limit=st.integers(1, 130),
    offset=st.integers(0, 130),
)
@settings(max_examples=150, deadline=None)
def test_a_page_of_servers_is_what_python_says(
    reader: SnapshotReader,
    text: str,
    predicates: dict[str, bool],
    software: str | None,
    failed_kind: str | None,
    directory_state: str | None,
    sort: str,
    *,
    descending: bool,
    limit: int,
    offset: int,
) -> None:
    wanted = [
        row
        for row in SERVERS
        if text.lower() in row.server_name.lower()
        and all(getattr(row, name) is value for name, value in predicates.items())
        and (software is None or (row.software or "") == software)
        and (failed_kind is None or (row.failed_kind or "") == failed_kind)
        and (directory_state is None or row.directory_state == directory_state)
    ]

    def key(row: ServerRow) -> Any:
        return row.server_name.lower() if sort == "server_name" else getattr(row, sort)

    expected = ordered(wanted, key, lambda row: row.server_name.lower(), descending=descending)
    page = reader.servers_page(
        1,
        text=text,
        predicates=predicates,
        software=software,
        failed_kind=failed_kind,
        directory_state=directory_state,
        sort=sort,
        descending=descending,
        limit=limit,
        offset=offset,
    )
    assert page.total == len(expected)
    assert list(page.rows) == expected[offset : offset + limit]


def room_rows() -> list[RoomRow]:
    """Unique rooms, by hand: numbers of all listings, the rest of the first listing with most members."""
    listings: dict[str, list[PublicRoom]] = {}
    for seen in FEDERATION:
        for room in seen.directory.rooms:
            listings.setdefault(room.room_id, []).append(room)
    rows = []
    for room_id, rooms in listings.items():
        members = [room.members for room in rooms if room.members is not None]
        shown = max(rooms, key=lambda room: -1 if room.members is None else room.members)
        readable = [room.world_readable for room in rooms if room.world_readable is not None]
        guests = [room.guest_can_join for room in rooms if room.guest_can_join is not None]
        rows.append(
            RoomRow(
                room_id=room_id,
                directories=len(rooms),
                members=float(statistics.median(members)) if members else None,
                members_min=min(members, default=None),
                members_max=max(members, default=None),
                name=shown.name,
                topic=shown.topic,
                canonical_alias=shown.canonical_alias,
                join_rule=shown.join_rule,
                room_type=shown.room_type,
                world_readable=any(readable) if readable else None,
                guest_can_join=any(guests) if guests else None,
            )
        )
    return rows


ROOMS = room_rows()


@given(
    text=st.sampled_from(["", "LOBBY", "ärger", "100% _", "%", "topic", "#room1", "!3:", "host"]),
    spaces=st.none() | st.booleans(),
    join_rule=st.none() | st.sampled_from(["", "public", "knock"]),
    min_members=st.none() | st.integers(0, 100),
    listed_by=st.none() | st.sampled_from(["host1.test", "HOST3.test", "nobody.test"]),
    sort=st.sampled_from(sorted(ROOM_SORTS)),
    descending=st.booleans(),
    limit=st.integers(1, 50),
    offset=st.integers(0, 50),
)
@settings(max_examples=150, deadline=None)
def test_a_page_of_rooms_is_what_python_says(
    reader: SnapshotReader,
    text: str,
    join_rule: str | None,
    min_members: int | None,
    listed_by: str | None,
    sort: str,
    *,
    spaces: bool | None,
    descending: bool,
    limit: int,
    offset: int,
) -> None:
    listed = {
        room.room_id
        for seen in FEDERATION
        if listed_by is not None and seen.server_name.key == listed_by.lower()
        for room in seen.directory.rooms
    }
    wanted = [
        row
        for row in ROOMS
        if any(text.lower() in (part or "").lower() for part in (row.name, row.topic, row.canonical_alias, row.room_id))
        and (spaces is None or (row.room_type == "m.space") is spaces)
        and (join_rule is None or (row.join_rule or "") == join_rule)
        and (min_members is None or (row.members is not None and row.members >= min_members))
        and (listed_by is None or row.room_id in listed)
    ]

    def key(row: RoomRow) -> Any:
        value = getattr(row, sort)
        return value.lower() if sort in ("name", "canonical_alias") and value is not None else value

    expected = ordered(wanted, key, lambda row: row.room_id, descending=descending)
    page = reader.rooms_page(
        1,
        text=text,
        spaces=spaces,
        join_rule=join_rule,
        min_members=min_members,
        listed_by=listed_by,
        sort=sort,
        descending=descending,
        limit=limit,
        offset=offset,
    )
    assert page.total == len(expected)
    assert list(page.rows) == expected[offset : offset + limit]


def test_pages_fit_together(reader: SnapshotReader) -> None:
    for descending in (False, True):
        pages = [
            reader.servers_page(1, sort="software", descending=descending, limit=7, offset=n) for n in range(0, 130, 7)
        ]
        names = [row.server_name for page in pages for row in page.rows]
        assert sorted(names) == sorted(row.server_name for row in SERVERS)
        assert {page.total for page in pages} == {len(SERVERS)}


def test_bounds_are_kept(reader: SnapshotReader) -> None:
    assert len(reader.servers_page(1, limit=10**30).rows) == len(SERVERS)
    assert len(reader.servers_page(1, limit=-5).rows) == 1
    assert len(reader.servers_page(1, offset=-5).rows) == 50
    assert reader.servers_page(1, offset=10**30).rows == ()
    assert reader.servers_page(1, offset=10**30).total == len(SERVERS)
    assert reader.servers_page(99).total == 0


@given(text=hostile_text() | st.sampled_from(["' OR 1=1 --", "$crawl", "?", "\\", "a' UNION SELECT 1 --"]))
@settings(deadline=None)
def test_no_text_is_sql(reader: SnapshotReader, text: str) -> None:
    text = f"{text}\x00"  # nothing stored holds what NUL becomes, so nothing may be found
    page = reader.servers_page(1, text=text, software=text, failed_kind=text, directory_state=text)
    assert (page.rows, page.total) == ((), 0)
    rooms = reader.rooms_page(1, text=text, join_rule=text, listed_by=text)
    assert (rooms.rows, rooms.total) == ((), 0)
    assert reader.server(text, 1) is None


@given(word=hostile_text() | st.sampled_from(["server_name; DROP TABLE crawl", "1", "server_key", "members DESC", ""]))
@settings(deadline=None)
def test_no_word_is_sql_but_the_known(reader: SnapshotReader, word: str) -> None:
    assume(word not in {**SERVER_SORTS, **ROOM_SORTS, **PREDICATES})
    asks: list[Callable[[], object]] = [
        lambda: reader.servers_page(1, sort=word),
        lambda: reader.rooms_page(1, sort=word),
        lambda: reader.servers_page(1, predicates={word: True}),
    ]
    for ask in asks:
        with pytest.raises(UsageError, match="unknown column"):
            ask()


def test_the_funnel_counts_what_the_predicates_say(reader: SnapshotReader) -> None:
    funnel = reader.funnel(1)
    for predicate in ("resolves", "reachable", "secure", "online", "federating", "listing"):
        assert getattr(funnel, predicate) == sum(getattr(seen, predicate) for seen in FEDERATION), predicate
    asked = [seen for seen in FEDERATION if seen.federating and seen.signed_accepted is not None]
    assert funnel.accepting_asked == len(asked)
    assert funnel.accepting == sum(bool(seen.accepting) for seen in asked)
    assert (funnel.observed, funnel.known) == (120, 121)
    nothing = reader.funnel(99)
    assert (nothing.known, nothing.observed, nothing.online) == (0, 0, 0)


def test_software_of_online_servers_most_common_first(reader: SnapshotReader) -> None:
    expected = Counter((row.software, row.version) for row in SERVERS if row.online)
    counts = reader.software_counts(1)
    assert {(count.software, count.version): count.servers for count in counts} == dict(expected)
    assert [count.servers for count in counts] == sorted(expected.values(), reverse=True)
    assert SoftwareCount("synapse", "1.163.2", expected["synapse", "1.163.2"]) in counts


def test_crawls_newest_first_and_the_census_among_them(reader: SnapshotReader) -> None:
    crawls = reader.crawls()
    assert [(found.id, found.state, found.scope) for found in crawls] == [
        (3, "cancelled", "full"),
        (2, "completed", "limited"),
        (1, "completed", "full"),
    ]
    assert reader.latest_census() == crawls[2]
    assert (crawls[2].servers, crawls[2].online) == (120, sum(seen.online for seen in FEDERATION))
    assert crawls[2].rooms == len(ROOMS)
    assert reader.report(1) == {"requests": 7}
    assert reader.settings(1) == {"limits": {"concurrency": 200}}
    assert (reader.identity(1), reader.identity(99)) == ("census.test", None)
    assert (reader.report(99), reader.settings(99)) == ({}, {})


def test_one_server_whole(tmp_path: Path) -> None:
    path = tmp_path / "census.duckdb"
    room = PublicRoom("!a:x.test", 5)
    crawl(
        path,
        [online("Whole.test", rooms=(room,)), bad_certificate("bad.test"), dead("dead.test"), closely("close.test")],
    )
    publish(path)
    with SnapshotReader.open(path) as reader:
        found = reader.server("WHOLE.TEST", 1)
        assert found is not None
        assert found.observation is not None
        assert (found.server_name, found.crawl_id, found.listings) == ("Whole.test", 1, 1)
        assert found.observation.verify_keys == {"ed25519:a_1": "b" * 43}
        assert found.observation.spec_versions == ("v1.1", "v1.18")
        assert found.observation.unstable_features == {"org.matrix.msc3575": True, "x.y": False}
        assert [attempt.outcome for attempt in found.attempts] == ["ok"] * 9
        assert [(step.question, step.failed_kind) for step in found.steps] == [
            ("name", None),
            ("well_known", "http_not_found"),
            ("srv", None),
        ]
        assert [endpoint.address for endpoint in found.endpoints] == ["192.0.2.7", "2001:db8::7"]
        assert (found.addresses, found.observation.families) == ((), None)
        close = reader.server("close.test", 1)
        assert close is not None
        assert close.observation is not None
        assert close.observation.families == "ipv6_broken"
        v4, v6 = close.addresses
        assert (v4.address, v4.verify_keys, v4.version_raw) == ("192.0.2.7", {"ed25519:a_1": "b" * 43}, "1.163.2")
        assert (v6.address, v6.tls_failure, v6.verify_code, v6.verify_keys) == ("2001:db8::7", "tls_expired", 10, None)
        assert (v6.tls_names, v6.tls_not_after) == (("x.test", "192.0.2.7"), DAY)
        bad = reader.server("bad.test", 1)
        assert bad is not None
        assert bad.observation is not None
        assert (bad.observation.online, bad.observation.failed_kind) == (False, "tls_expired")
        assert (bad.observation.verify_keys, bad.observation.spec_versions) == (None, None)


def test_who_named_a_server(reader: SnapshotReader) -> None:
    found = reader.server("host5.test", 1)
    assert found is not None
    assert [(lead.source, lead.named_by, lead.count) for lead in found.leads] == [
        ("room_id", "host1.test", 7),
        ("alias", "host2.test", 1),
        ("seed", None, 1),
    ]
    assert (found.leads_total, found.participations) == (3, 3)
    heard = reader.server("only.heard.test", 1)
    assert heard is not None
    assert heard.observation is None
    assert heard.attempts == ()
    assert [(lead.source, lead.named_by, lead.count) for lead in heard.leads] == [("alias", "host1.test", 2)]
    assert reader.server("nobody.test", 1) is None


def test_many_threads_ask_at_once(reader: SnapshotReader) -> None:
    wrong: list[object] = []

    def ask(number: int) -> None:
        try:
            for turn in range(15):
                page = reader.servers_page(1, limit=5, offset=(number + turn) % 100)
                if page.total != 120 or reader.funnel(1).observed != 120 or len(page.rows) != 5:
                    wrong.append(page)
        except Exception as error:  # what a thread raises would be lost
            wrong.append(error)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_a_pointer_to_nothing_is_nothing_published(tmp_path: Path) -> None:
    path = tmp_path / "census.duckdb"
    crawl(path, [online("a.test")])
    publish(path).unlink()
    with pytest.raises(StoreError, match="run a crawl first"):
        SnapshotReader.open(path)
