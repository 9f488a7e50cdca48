"""Reading directories: scripts of honest, broken and hostile servers, and a Synapse-like one with live paging."""

from collections.abc import Callable, Generator, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.errors import Failure, FailureKind
from crawler.model.rooms import DirectoryResult, DirectoryState, DirectoryWay, Stopped
from crawler.protocol.paging import EMPTY_PAGES, PageAnswer, PageAsk, read_directory, state_of
from tests.protocol.hostile import bodies, dump

Reading = Generator[PageAsk, PageAnswer, DirectoryResult]


def start(*, max_pages: int = 500, max_rooms: int = 50_000, way: DirectoryWay = DirectoryWay.FEDERATION) -> Reading:
    return read_directory(page_size=100, max_pages=max_pages, max_rooms=max_rooms, way=way)


def serve(reading: Reading, server: Callable[[str | None], PageAnswer]) -> tuple[DirectoryResult, list[str | None]]:
    """Answer every page by `server`; the result, and the tokens that were sent."""
    sent: list[str | None] = []
    try:
        ask = next(reading)
        while True:
            assert ask.limit == 100
            sent.append(ask.since)
            assert len(sent) < 2000
            ask = reading.send(server(ask.since))
    except StopIteration as end:
        return end.value, sent


def script(answers: Sequence[PageAnswer], **bounds: Any) -> tuple[DirectoryResult, list[str | None]]:
    supply = iter(answers)
    return serve(start(**bounds), lambda _: next(supply))


def rooms(*ids: object, **more: Any) -> list[dict[str, Any]]:
    return [{"room_id": f"!{i}:example.org", "num_joined_members": 1, **more} for i in ids]


def page(chunk: list[Any], next_batch: object = None, **more: Any) -> PageAnswer:
    flags = {key: more.pop(key) for key in ("out_of_time", "out_of_bytes") if key in more}
    return PageAnswer(dump({"chunk": chunk, "next_batch": next_batch, **more}), **flags)


def failed(kind: FailureKind, status: int | None = None, errcode: str | None = None) -> PageAnswer:
    return PageAnswer(failure=Failure(kind, "", status, errcode))


BAD_TOKEN = failed(FailureKind.HTTP_STATUS, 400, "M_INVALID_PARAM")
BROKEN = failed(FailureKind.HTTP_SERVER_ERROR, 500, "M_UNKNOWN")


def ids(result: DirectoryResult) -> list[str]:
    return [room.room_id.removeprefix("!").removesuffix(":example.org") for room in result.rooms]


# To the end


def test_pages_are_read_until_there_is_no_token() -> None:
    result, sent = script([page(rooms(1, 2), "a", total_room_count_estimate=5), page(rooms(3, 4), "b"), page(rooms(5))])
    assert sent == [None, "a", "b"]
    assert ids(result) == ["1", "2", "3", "4", "5"]
    assert (result.state, result.stopped, result.pages) == (DirectoryState.OPEN, Stopped.COMPLETE, 3)
    assert (result.total_estimate, result.noindex, result.failure) == (5, 0, None)
    assert result.way is DirectoryWay.FEDERATION


def test_the_way_is_kept() -> None:
    result, _ = serve(start(way=DirectoryWay.CLIENT), lambda _: page([]))
    assert result.way is DirectoryWay.CLIENT


@pytest.mark.parametrize("token", [None, ""])
def test_an_empty_directory_is_open(token: object) -> None:
    result, sent = script([page([], token, total_room_count_estimate=0)])
    assert (result.state, result.stopped, result.pages) == (DirectoryState.OPEN_EMPTY, Stopped.COMPLETE, 1)
    assert (result.rooms, result.total_estimate, sent) == ((), 0, [None])


def test_a_room_listed_twice_counts_once_as_first_seen() -> None:
    """A room whose members change while Synapse is read moves between pages."""
    result, _ = script([page(rooms(1, 2, name="before"), "a"), page(rooms(2, 3, name="after"))])
    assert [(room.room_id, room.name) for room in result.rooms] == [
        ("!1:example.org", "before"),
        ("!2:example.org", "before"),
        ("!3:example.org", "after"),
    ]


def test_short_and_empty_pages_are_not_the_end() -> None:
    """Synapse filters by server ACL after it has cut the page."""
    result, sent = script([page([], "a"), page([], "b"), page(rooms(1), "c"), page([], "d"), page(rooms(2))])
    assert sent == [None, "a", "b", "c", "d"]
    assert (ids(result), result.stopped) == (["1", "2"], Stopped.COMPLETE)


def test_a_final_empty_page_is_the_end() -> None:
    """Continuwuity gives a token whenever the page is full."""
    result, _ = script([page(rooms(1), "n1"), page([])])
    assert (result.state, result.stopped) == (DirectoryState.OPEN, Stopped.COMPLETE)


def test_rooms_that_opted_out_are_dropped_and_counted_once() -> None:
    no = rooms("no", topic="(MRS-noindex:true-MRS)")
    result, _ = script([page(rooms(1) + no, "a"), page(no + rooms(2))])
    assert (ids(result), result.noindex) == (["1", "2"], 1)


def test_a_room_that_says_no_on_a_later_page_is_dropped() -> None:
    result, _ = script([page(rooms(1, 2), "a"), page(rooms(1, topic="matrix-census: noindex"))])
    assert (ids(result), result.noindex) == (["2"], 1)


def test_a_directory_of_rooms_that_opted_out_is_open_and_not_empty() -> None:
    result, _ = script([page(rooms(1, topic="matrixrooms.info: noindex"))])
    assert (result.state, result.rooms, result.noindex) == (DirectoryState.OPEN, (), 1)


def test_entries_without_ids_are_left_out() -> None:
    result, _ = script([page([*rooms(1), {"name": "no id"}, None])])
    assert (result.state, ids(result)) == (DirectoryState.OPEN, ["1"])


def test_a_directory_of_nothing_but_such_entries_is_malformed() -> None:
    result, _ = script([page([{"name": "no id"}, 5], "a"), page([None])])
    assert result.state is DirectoryState.MALFORMED
    assert result.failure == Failure(FailureKind.JSON_SHAPE, "none of 3 entries has a room ID")


# Never-ending ones


def test_a_token_that_comes_back_ends_it() -> None:
    result, sent = script([page(rooms(1), "a"), page(rooms(2), "b"), page(rooms(3), "a")])
    assert sent == [None, "a", "b"]
    assert (ids(result), result.stopped, result.state) == (
        ["1", "2", "3"],
        Stopped.REPEATED_TOKEN,
        DirectoryState.OPEN,
    )


def test_the_page_budget_ends_it() -> None:
    result, sent = script([page(rooms(n), f"t{n}") for n in range(10)], max_pages=4)
    assert (len(sent), ids(result), result.pages) == (4, ["0", "1", "2", "3"], 4)
    assert result.stopped is Stopped.PAGE_BUDGET


def test_pages_that_hold_little_and_promise_no_total_are_soon_too_many() -> None:
    """Twenty rooms on each page that was to hold a hundred: 10 + 20 n / 50 pages are allowed, n of which are read."""
    endless = [page(rooms(*range(20 * n, 20 * n + 20)), f"t{n}") for n in range(100)]
    result, sent = script(endless)
    assert (len(sent), len(result.rooms), result.stopped) == (17, 340, Stopped.PAGE_BUDGET)


def test_small_pages_of_who_tells_the_total_are_read_to_the_end() -> None:
    pages = [page(rooms(*range(9 * n, 9 * n + 9)), f"t{n}", total_room_count_estimate=900) for n in range(99)]
    result, _ = script([*pages, page(rooms(*range(891, 900)))])
    assert (len(result.rooms), result.stopped) == (900, Stopped.COMPLETE)


def test_a_last_page_within_the_budget_is_the_end() -> None:
    result, _ = script([page(rooms(1), "a"), page(rooms(2))], max_pages=2)
    assert result.stopped is Stopped.COMPLETE


def test_the_room_budget_ends_it_even_in_the_middle_of_a_page() -> None:
    result, sent = script([page(rooms(1, 2), "a"), page(rooms(3, 4), "b")], max_rooms=3)
    assert (ids(result), result.stopped, sent) == (["1", "2", "3"], Stopped.ROOM_BUDGET, [None, "a"])


def test_exactly_as_many_rooms_as_the_budget_are_all_of_them() -> None:
    result, _ = script([page(rooms(1, 2), "a"), page(rooms(3))], max_rooms=3)
    assert (len(result.rooms), result.stopped) == (3, Stopped.COMPLETE)


def test_empty_pages_in_a_row_end_it() -> None:
    result, sent = script([page(rooms(1), "a"), *(page([], f"t{n}") for n in range(10))])
    assert (len(sent), result.stopped) == (1 + EMPTY_PAGES, Stopped.EMPTY_PAGES)


def test_pages_of_known_rooms_in_a_row_end_it() -> None:
    """The same rooms under ever new tokens is an endless directory."""
    result, sent = script([page(rooms(1), f"t{n}") for n in range(10)])
    assert (len(sent), ids(result), result.stopped) == (1 + EMPTY_PAGES, ["1"], Stopped.EMPTY_PAGES)


def test_an_endless_empty_directory_is_open_and_empty() -> None:
    result, _ = script([page([], f"t{n}") for n in range(10)])
    assert (result.state, result.stopped, result.pages) == (DirectoryState.OPEN_EMPTY, Stopped.EMPTY_PAGES, 3)


@pytest.mark.parametrize("token", [5, ["a"], "x" * 5000, "\ud800"])
def test_a_token_that_cannot_be_sent_back_breaks_off(token: object) -> None:
    result, sent = script([page(rooms(1), token)])
    assert (ids(result), result.stopped, result.state, sent) == (["1"], Stopped.FAILED, DirectoryState.OPEN, [None])
    assert result.failure is not None
    assert result.failure.kind is FailureKind.JSON_SHAPE


# Budgets of the visit


@pytest.mark.parametrize(
    ("flag", "stopped"), [("out_of_time", Stopped.TIME_BUDGET), ("out_of_bytes", Stopped.BYTE_BUDGET)]
)
def test_a_spent_budget_keeps_what_was_read(flag: str, stopped: Stopped) -> None:
    spent: dict[str, Any] = {flag: True}
    with_body, sent = script([page(rooms(1), "a"), page(rooms(2), "b", **spent)])
    assert (ids(with_body), with_body.stopped, with_body.state) == (["1", "2"], stopped, DirectoryState.OPEN)
    assert sent == [None, "a"]
    without, _ = script([page(rooms(1), "a"), PageAnswer(**spent)])
    assert (ids(without), without.stopped, without.state) == (["1"], stopped, DirectoryState.OPEN)
    assert without.failure is not None
    at_the_end, _ = script([page(rooms(1), **{flag: True})])
    assert at_the_end.stopped is Stopped.COMPLETE


def test_a_budget_spent_before_the_first_page() -> None:
    timed_out, _ = script([PageAnswer(out_of_time=True)])
    assert (timed_out.state, timed_out.pages, timed_out.stopped) == (DirectoryState.TIMEOUT, 0, None)
    too_much, _ = script([PageAnswer(out_of_bytes=True)])
    assert too_much.state is DirectoryState.ERROR
    assert too_much.failure is not None
    assert too_much.failure.kind is FailureKind.POLICY_BUDGET


def test_a_spent_budget_restarts_nothing() -> None:
    spent = PageAnswer(failure=BROKEN.failure, out_of_time=True)
    result, sent = script([page(rooms(1), "a"), spent])
    assert (sent, result.stopped) == ([None, "a"], Stopped.TIME_BUDGET)


# Failures


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (failed(FailureKind.HTTP_FORBIDDEN, 403, "M_FORBIDDEN"), DirectoryState.DENIED),
        (failed(FailureKind.HTTP_FORBIDDEN, 403), DirectoryState.DENIED),
        (failed(FailureKind.HTTP_UNAUTHORIZED, 401, "M_UNAUTHORIZED"), DirectoryState.AUTH_FAILED),
        (failed(FailureKind.HTTP_UNAUTHORIZED, 401, "M_MISSING_TOKEN"), DirectoryState.AUTH_FAILED),
        (failed(FailureKind.HTTP_STATUS, 400, "M_UNAUTHORIZED"), DirectoryState.AUTH_FAILED),
        (failed(FailureKind.HTTP_NOT_FOUND, 404, "M_UNRECOGNIZED"), DirectoryState.NOT_IMPLEMENTED),
        (failed(FailureKind.HTTP_NOT_FOUND, 404), DirectoryState.NOT_IMPLEMENTED),
        (failed(FailureKind.HTTP_STATUS, 405, "M_UNRECOGNIZED"), DirectoryState.NOT_IMPLEMENTED),
        (failed(FailureKind.HTTP_STATUS, 405), DirectoryState.NOT_IMPLEMENTED),
        (failed(FailureKind.HTTP_STATUS, 400, "M_UNRECOGNIZED"), DirectoryState.NOT_IMPLEMENTED),
        (failed(FailureKind.HTTP_STATUS, 400, "M_INVALID_PARAM"), DirectoryState.ERROR),
        (failed(FailureKind.HTTP_STATUS, 418), DirectoryState.ERROR),
        (failed(FailureKind.HTTP_RATE_LIMITED, 429, "M_LIMIT_EXCEEDED"), DirectoryState.RATE_LIMITED),
        (BROKEN, DirectoryState.ERROR),
        (failed(FailureKind.HTTP_SERVER_ERROR, 502), DirectoryState.ERROR),
        (failed(FailureKind.HTTP_REDIRECT, 302), DirectoryState.ERROR),
        (failed(FailureKind.HTTP_TIMEOUT), DirectoryState.TIMEOUT),
        (failed(FailureKind.TCP_TIMEOUT), DirectoryState.TIMEOUT),
        (failed(FailureKind.TLS_TIMEOUT), DirectoryState.TIMEOUT),
        (failed(FailureKind.TCP_RESET), DirectoryState.ERROR),
        (failed(FailureKind.HTTP_TOO_LARGE), DirectoryState.ERROR),
        (failed(FailureKind.HTTP_PROTOCOL), DirectoryState.ERROR),
        (PageAnswer(b"<html>"), DirectoryState.MALFORMED),
        (PageAnswer(b"[]"), DirectoryState.MALFORMED),
        (PageAnswer(b"{}"), DirectoryState.MALFORMED),
        (PageAnswer(b""), DirectoryState.MALFORMED),
    ],
)
def test_a_first_page_that_fails_is_the_state(answer: PageAnswer, state: DirectoryState) -> None:
    result, sent = script([answer])
    assert (result.state, result.pages, result.stopped, result.way) == (state, 0, None, None)
    assert result.failure is not None
    assert sent == [None]


@pytest.mark.parametrize("kind", list(FailureKind))
def test_every_kind_of_failure_has_a_state_that_says_not_read(kind: FailureKind) -> None:
    assert state_of(Failure(kind)) not in (DirectoryState.OPEN, DirectoryState.OPEN_EMPTY, DirectoryState.SKIPPED)
    if kind.value.endswith("_timeout"):
        assert state_of(Failure(kind)) is DirectoryState.TIMEOUT


@pytest.mark.parametrize(
    "later",
    [
        failed(FailureKind.HTTP_FORBIDDEN, 403),
        failed(FailureKind.HTTP_RATE_LIMITED, 429),
        failed(FailureKind.HTTP_TIMEOUT),
        failed(FailureKind.HTTP_SERVER_ERROR, 502),
        PageAnswer(b"<html>"),
    ],
)
def test_a_later_page_that_fails_leaves_it_open_and_partial(later: PageAnswer) -> None:
    result, sent = script([page(rooms(1), "a"), later])
    assert (result.state, result.stopped, ids(result), result.pages) == (
        DirectoryState.OPEN,
        Stopped.FAILED,
        ["1"],
        1,
    )
    assert result.failure is not None
    assert sent == [None, "a"]


def test_an_empty_page_before_a_failure_is_not_an_empty_directory() -> None:
    result, _ = script([page([], "a"), failed(FailureKind.HTTP_TIMEOUT)])
    assert (result.state, result.stopped) == (DirectoryState.OPEN, Stopped.FAILED)


# Tokens that the server does not take back


@pytest.mark.parametrize("refusal", [BAD_TOKEN, BROKEN, failed(FailureKind.HTTP_STATUS, 400, "M_MISSING_PARAM")])
def test_a_refused_token_restarts_once_without_one(refusal: PageAnswer) -> None:
    result, sent = script(
        [
            page(rooms(1, 2), "a"),
            page(rooms(3), "b"),
            refusal,
            page(rooms(1, 2), "a"),
            page(rooms(3), "b"),
            page(rooms(4)),
        ]
    )
    assert sent == [None, "a", "b", None, "a", "b"]
    assert (ids(result), result.stopped, result.pages) == (["1", "2", "3", "4"], Stopped.COMPLETE, 5)
    assert result.failure is None


def test_a_token_refused_again_breaks_off() -> None:
    result, sent = script([page(rooms(1), "a"), BROKEN, page(rooms(1, 2), "a"), BROKEN])
    assert sent == [None, "a", None, "a"]
    assert (ids(result), result.stopped, result.state) == (["1", "2"], Stopped.FAILED, DirectoryState.OPEN)
    assert result.failure == BROKEN.failure


def test_the_first_page_is_never_restarted() -> None:
    result, sent = script([BAD_TOKEN])
    assert (sent, result.state) == ([None], DirectoryState.ERROR)


@pytest.mark.parametrize(
    "refusal",
    [failed(FailureKind.HTTP_SERVER_ERROR, 502), failed(FailureKind.HTTP_STATUS, 400, "M_FORBIDDEN"), PageAnswer(b"x")],
)
def test_other_failures_do_not_blame_the_token(refusal: PageAnswer) -> None:
    _, sent = script([page(rooms(1), "a"), refusal])
    assert sent == [None, "a"]


def test_reading_again_is_no_sign_of_the_end() -> None:
    """Five pages again that hold nothing new, then the new ones: more pages than three without news."""
    first = [page(rooms(n), f"t{n}") for n in range(5)]
    rest = [page(rooms(n), f"t{n}") for n in range(5, 7)]
    result, _ = script([*first, BROKEN, *first, *rest, page([])])
    assert (len(result.rooms), result.stopped) == (7, Stopped.COMPLETE)


def test_after_the_old_place_is_passed_pages_without_news_end_it_again() -> None:
    first = [page(rooms(n), f"t{n}") for n in range(5)]
    endless = [page(rooms(0), f"u{n}") for n in range(20)]
    result, sent = script([*first, BROKEN, *first, *endless])
    assert result.stopped is Stopped.EMPTY_PAGES
    assert len(sent) == 5 + 1 + 5 + EMPTY_PAGES


def test_a_restart_is_within_the_page_budget() -> None:
    first = [page(rooms(n), f"t{n}") for n in range(3)]
    result, _ = script([*first, BROKEN, *first], max_pages=5)
    assert (result.pages, result.stopped) == (5, Stopped.PAGE_BUDGET)


# A server with real paging, and servers that hypothesis makes up


@given(count=st.integers(0, 60), per_page=st.integers(1, 20), refuse_at=st.none() | st.integers(1, 10))
def test_a_server_that_pages_by_offset_is_read_whole(count: int, per_page: int, refuse_at: int | None) -> None:
    calls = 0

    def server(since: str | None) -> PageAnswer:
        nonlocal calls
        calls += 1
        if since is not None and calls == refuse_at:
            return BROKEN
        offset = int(since or 0)
        more = offset + per_page < count
        chunk = rooms(*range(offset, min(offset + per_page, count)))
        return page(chunk, str(offset + per_page) if more else None, total_room_count_estimate=count)

    result, _ = serve(start(), server)
    assert ids(result) == [str(n) for n in range(count)]
    assert result.stopped is Stopped.COMPLETE
    assert result.state is (DirectoryState.OPEN if count else DirectoryState.OPEN_EMPTY)


ENTRIES = st.sampled_from([*rooms(*range(6)), *rooms(7, topic="(MRS-noindex:1-MRS)"), {"name": "no id"}, None])
PAGES = st.builds(
    page,
    st.lists(ENTRIES, max_size=4),
    st.none() | st.sampled_from(["a", "b", 5, "", "x" * 5000]) | st.text(max_size=3),
    out_of_time=st.sampled_from([False] * 9 + [True]),
)
FAILURES = st.builds(
    failed,
    st.sampled_from(list(FailureKind)),
    st.sampled_from([None, 400, 405, 500]),
    st.sampled_from([None, "M_INVALID_PARAM", "M_UNRECOGNIZED"]),
)
ANSWERS = PAGES | FAILURES | st.builds(PageAnswer, bodies({"chunk": rooms(1), "next_batch": "a"}))


@given(st.data(), st.integers(1, 12), st.integers(1, 5))
def test_any_server_is_read_to_an_end(data: st.DataObject, max_pages: int, max_rooms: int) -> None:
    result, sent = serve(start(max_pages=max_pages, max_rooms=max_rooms), lambda _: data.draw(ANSWERS))
    assert len(sent) <= max_pages + 2  # a restart and a final failure answer no page
    assert result.pages <= max_pages
    assert len(result.rooms) <= max_rooms
    assert len({room.room_id for room in result.rooms}) == len(result.rooms)
    assert (result.stopped is None) is (result.pages == 0) is (result.way is None)
    assert result.state is not DirectoryState.SKIPPED
    if result.rooms:
        assert result.state is DirectoryState.OPEN
    if result.state is DirectoryState.OPEN_EMPTY:
        assert not result.rooms
        assert not result.noindex
    if result.stopped is Stopped.FAILED or not result.pages:
        assert result.failure is not None
