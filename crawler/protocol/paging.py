"""Reading a directory page by page, without I/O: when to ask on, when to stop, and what state the outcome is.

A generator: it yields `PageAsk`, is sent `PageAnswer`, and returns the `DirectoryResult`. Paging over strangers is a
loop whose end they choose, so every way of never ending has its own stop. What was read before a stop is kept.
"""

from collections.abc import Generator
from dataclasses import dataclass, field

from crawler.errors import Failure, FailureKind, ProtocolError
from crawler.model.rooms import DirectoryResult, DirectoryState, DirectoryWay, PublicRoom, Stopped
from crawler.protocol.directory import DirectoryPage, parse_directory_page

SPARE_PAGES = 10
"""Pages that a directory may have beyond one for each half of the rooms that a page was asked to hold, unless it said
how many rooms there are to come. Honest servers fill their pages or tell their total; one that does neither may page
without end, and many such would cost more than all others together."""

EMPTY_PAGES = 3
"""Pages in a row without a room not yet seen, after which nothing more is expected. One or two are honest: servers
filter a page after cutting it."""

STATE_OF_KIND = {
    FailureKind.HTTP_FORBIDDEN: DirectoryState.DENIED,
    FailureKind.HTTP_UNAUTHORIZED: DirectoryState.AUTH_FAILED,
    FailureKind.HTTP_NOT_FOUND: DirectoryState.NOT_IMPLEMENTED,
    FailureKind.HTTP_RATE_LIMITED: DirectoryState.RATE_LIMITED,
    FailureKind.HTTP_TIMEOUT: DirectoryState.TIMEOUT,
    FailureKind.TLS_TIMEOUT: DirectoryState.TIMEOUT,
    FailureKind.TCP_TIMEOUT: DirectoryState.TIMEOUT,
    FailureKind.DNS_TIMEOUT: DirectoryState.TIMEOUT,
    FailureKind.JSON_INVALID: DirectoryState.MALFORMED,
    FailureKind.JSON_SHAPE: DirectoryState.MALFORMED,
}
"""How a directory that gave no page is called, by the kind of the failure; `error` for every other kind."""

STATE_OF_ERRCODE = {
    "M_UNRECOGNIZED": DirectoryState.NOT_IMPLEMENTED,
    "M_UNAUTHORIZED": DirectoryState.AUTH_FAILED,
    "M_FORBIDDEN": DirectoryState.DENIED,
}
"""The same where a status of the 400s says less than the error code: Synapse answers a malformed header by 400."""

_BAD_TOKEN_CODES = frozenset({"M_INVALID_PARAM", "M_MISSING_PARAM", "M_BAD_JSON", "M_NOT_JSON", "M_UNKNOWN"})


@dataclass(frozen=True, slots=True)
class PageAsk:
    """One page: `since` is the token to send, None for the first; `limit` how many rooms to ask for."""

    since: str | None
    limit: int


@dataclass(frozen=True, slots=True)
class PageAnswer:
    """The body of a 2xx answer, or the failure. The two flags say that the visit's budget of time or bytes is spent:
    what came along is still read, but nothing more is asked."""

    body: bytes | None = None
    failure: Failure | None = None
    out_of_time: bool = False
    out_of_bytes: bool = False


def read_directory(
    *, page_size: int, max_pages: int, max_rooms: int, way: DirectoryWay
) -> Generator[PageAsk, PageAnswer, DirectoryResult]:
    """Read a directory to its end or to a bound.

    A token that the server does not take back (400 with a code that blames parameters, or any 500, right after one was
    sent) is dropped once and reading begins anew; rooms are unique by ID, so nothing counts twice.
    """
    reading = _Reading(max_rooms)
    since: str | None = None
    used_tokens: set[str] = set()
    restarted_at: int | None = None
    while True:
        read_twice = restarted_at or 0
        if reading.pages >= max_pages or reading.pages - read_twice >= reading.pages_allowed(page_size):
            return reading.result(way, Stopped.PAGE_BUDGET)
        answer = yield PageAsk(since, page_size)
        page = _parse(answer)
        if isinstance(page, Failure):
            if since is not None and restarted_at is None and _blames_token(page) and not _is_spent(answer):
                since, restarted_at = None, reading.pages
                used_tokens.clear()
                continue
            return reading.result(way, _stopped_by_budget(answer) or Stopped.FAILED, page)
        # Pages read again after a restart hold nothing new, which is no sign of the end until the old place is passed.
        is_replay = restarted_at is not None and reading.pages < 2 * restarted_at
        reading.take(page, counts_as_barren=not is_replay)
        if reading.is_full:
            return reading.result(way, Stopped.ROOM_BUDGET)
        if page.token_flaw is not None:
            return reading.result(way, Stopped.FAILED, Failure(FailureKind.JSON_SHAPE, page.token_flaw))
        if page.next_batch is None:
            return reading.result(way, Stopped.COMPLETE)
        if page.next_batch in used_tokens:
            return reading.result(way, Stopped.REPEATED_TOKEN)
        if reading.barren_pages >= EMPTY_PAGES:
            return reading.result(way, Stopped.EMPTY_PAGES)
        if (budget := _stopped_by_budget(answer)) is not None:
            return reading.result(way, budget)
        since = page.next_batch
        used_tokens.add(since)


@dataclass(slots=True)
class _Reading:
    """What has been read so far."""

    max_rooms: int
    rooms: dict[str, PublicRoom] = field(default_factory=dict)
    opted_out: set[str] = field(default_factory=set)
    pages: int = 0
    barren_pages: int = 0
    dropped: int = 0
    total_estimate: int | None = None
    is_full: bool = False

    def take(self, page: DirectoryPage, *, counts_as_barren: bool) -> None:
        self.pages += 1
        self.dropped += page.dropped
        if self.total_estimate is None:
            self.total_estimate = page.total_estimate
        before = len(self.rooms) + len(self.opted_out)
        self.opted_out.update(page.opted_out)
        for room_id in page.opted_out:
            self.rooms.pop(room_id, None)
        for room in page.rooms:
            if room.room_id in self.rooms or room.room_id in self.opted_out:
                continue
            if len(self.rooms) >= self.max_rooms:
                self.is_full = True
                break
            self.rooms[room.room_id] = room
        has_news = len(self.rooms) + len(self.opted_out) > before
        self.barren_pages = 0 if has_news else self.barren_pages + counts_as_barren

    def pages_allowed(self, page_size: int) -> float:
        """How many pages what it said and what it gave so far let us expect."""
        got = len(self.rooms) + len(self.opted_out)
        if self.total_estimate is not None and got < self.total_estimate:
            return float("inf")
        return SPARE_PAGES + 2 * got / page_size

    def result(self, way: DirectoryWay, stopped: Stopped, failure: Failure | None = None) -> DirectoryResult:
        state = self._state(stopped, failure)
        if state is DirectoryState.MALFORMED and failure is None:
            failure = Failure(FailureKind.JSON_SHAPE, f"none of {self.dropped} entries has a room ID")
        return DirectoryResult(
            state=state,
            rooms=tuple(self.rooms.values()),
            way=way if self.pages else None,
            pages=self.pages,
            stopped=stopped if self.pages else None,
            total_estimate=self.total_estimate,
            noindex=len(self.opted_out),
            failure=failure,
        )

    def _state(self, stopped: Stopped, failure: Failure | None) -> DirectoryState:
        if not self.pages:
            return state_of(failure) if failure else DirectoryState.ERROR
        if self.rooms or self.opted_out:
            return DirectoryState.OPEN
        if self.dropped:
            return DirectoryState.MALFORMED
        # Only a directory read to its end is known to be empty.
        read_out = stopped in (Stopped.COMPLETE, Stopped.EMPTY_PAGES, Stopped.REPEATED_TOKEN)
        return DirectoryState.OPEN_EMPTY if read_out else DirectoryState.OPEN


def state_of(failure: Failure) -> DirectoryState:
    """What a directory is called whose first page failed so."""
    if failure.kind is FailureKind.HTTP_STATUS:
        if failure.http_status == 405:
            return DirectoryState.NOT_IMPLEMENTED
        return STATE_OF_ERRCODE.get(failure.errcode or "", DirectoryState.ERROR)
    return STATE_OF_KIND.get(failure.kind, DirectoryState.ERROR)


def _parse(answer: PageAnswer) -> DirectoryPage | Failure:
    if answer.failure is not None:
        return answer.failure
    if answer.body is None:
        if answer.out_of_time:
            return Failure(FailureKind.HTTP_TIMEOUT, "the time of the visit was spent")
        return Failure(FailureKind.POLICY_BUDGET, "the bytes of the visit were spent")
    try:
        return parse_directory_page(answer.body)
    except ProtocolError as error:
        return error.failure


def _is_spent(answer: PageAnswer) -> bool:
    return answer.out_of_time or answer.out_of_bytes


def _stopped_by_budget(answer: PageAnswer) -> Stopped | None:
    if answer.out_of_time:
        return Stopped.TIME_BUDGET
    return Stopped.BYTE_BUDGET if answer.out_of_bytes else None


def _blames_token(failure: Failure) -> bool:
    if failure.kind is FailureKind.HTTP_SERVER_ERROR:
        return failure.http_status == 500
    return failure.http_status == 400 and failure.errcode in _BAD_TOKEN_CODES
