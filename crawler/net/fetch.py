"""One HTTP exchange: at the address's pace, within a deadline, a byte cap and the visit's budget.

Past this module a remote's misbehaviour is a `Failure`, never an exception, whatever the remote did. What is not caught
here is a bug of ours or a machine out of resources.
"""

import email.utils
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import trio

from crawler.errors import Failure, FailureKind, printable
from crawler.model.observation import Attempt, Failed, Ok, Skipped, SkipReason, Timings
from crawler.net.connection import Connection
from crawler.net.content import read_content
from crawler.net.exchange import Request
from crawler.net.failures import HTTP_ERRORS, DialFailedError, http_failure
from crawler.net.stack import utc_now
from crawler.net.traffic import Budget
from crawler.protocol.federation import parse_errcode, parse_retry_after_s

Headers = Sequence[tuple[str, str]]

_MAX_DELAY_DIGITS = 9
_DETAIL_CHARACTERS = 100


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, whatever its status. `headers` look names up without regard to case and join repeated ones with
    commas. `redirects` are the URLs visited after the first, in order; the last of them is where the answer is from;
    `redirect_statuses` are the statuses that led to each."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    timings: Timings
    redirects: tuple[str, ...] = ()
    redirect_statuses: tuple[int, ...] = ()


async def fetch(
    connection: Connection,
    method: str,
    uri: str,
    *,
    host_header: str,
    headers: Headers = (),
    content: bytes | None = None,
    body_limit_bytes: int,
    timeout_s: float,
    budget: Budget | None = None,
) -> Attempt[Answer]:
    """Send one request, and read its whole answer.

    Args:
        uri: the request target, sent byte for byte.
        timeout_s: from the first byte sent to the last read. Waiting for the address's pace does not count, dialling
            has time-outs of its own.
        budget: of the visit.

    Returns:
        Ok for an answer of ANY status; Skipped when the budget is spent; Failed otherwise. A 429 or 503 that says how
        long to wait makes the address rest for so long (at most `limits.retry_after_max_s`), for every visit.
    """
    if budget is not None and budget.spent:
        return Skipped(SkipReason.BUDGET)
    stack = connection.stack
    async with stack.pacer.turn(connection.address):
        clock = _Clock(connection)
        try:
            await connection.open()
            if budget is not None:
                budget.requests += 1
            with trio.move_on_after(timeout_s) as scope:
                request = _request(connection, method, uri, host_header, headers, content)
                head = await connection.exchange(request)
                try:
                    body = await read_content(connection, head, body_limit_bytes, budget)
                finally:
                    connection.break_off()
            if scope.cancelled_caught:
                return Failed(Failure(FailureKind.HTTP_TIMEOUT, f"no whole answer in {timeout_s:g} s"), clock.read())
        except DialFailedError as error:
            return Failed(error.failure, clock.read())
        except HTTP_ERRORS as error:
            return Failed(http_failure(error), clock.read())
        timings = clock.read()
    answer = Answer(head.status, head.headers, body, timings)
    _heed(connection, answer)
    return Ok(answer, timings)


class _Clock:
    """Times of one exchange; TCP and TLS only when it dialled."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._dialled = not connection.is_open
        self._started = trio.current_time()

    def read(self) -> Timings:
        return Timings(
            total_s=trio.current_time() - self._started,
            tcp_s=self._connection.tcp_s if self._dialled else None,
            tls_s=self._connection.tls_s if self._dialled else None,
            first_byte_s=self._connection.first_byte_s if self._connection.wire_bytes else None,
        )


def _request(
    connection: Connection, method: str, uri: str, host_header: str, headers: Headers, content: bytes | None
) -> Request:
    fields = [
        (b"Host", host_header.encode("ascii")),
        (b"User-Agent", connection.stack.user_agent),
        (b"Accept", b"application/json"),
        (b"Accept-Encoding", b"identity"),
    ]
    fields += [(name.encode("ascii"), value.encode("ascii")) for name, value in headers]
    return Request(method, uri.encode("ascii"), fields, content or b"")


def _heed(connection: Connection, answer: Answer) -> None:
    """Do what an overloaded server asks."""
    stack = connection.stack
    if answer.status == 429:
        stack.traffic.rate_limited += 1
    if answer.status in (429, 503):
        wait_s = failure_of_status(answer).retry_after_s
        if wait_s:
            stack.pacer.rest(connection.address, min(wait_s, stack.limits.retry_after_max_s))


def failure_of_status(answer: Answer, now: Callable[[], datetime] = utc_now) -> Failure:
    """What a status other than 2xx means. `retry_after_s` is the longer of the header Retry-After (RFC 9110, 10.2.3)
    and Matrix's `retry_after_ms`; None when neither says."""
    errcode = parse_errcode(answer.body)
    waits = (_retry_after_s(answer.headers, now), parse_retry_after_s(answer.body))
    return Failure(
        FailureKind.of_status(answer.status),
        f"status {answer.status}" + (f" {printable(errcode, _DETAIL_CHARACTERS)}" if errcode else ""),
        http_status=answer.status,
        errcode=errcode,
        retry_after_s=max((wait for wait in waits if wait is not None), default=None),
    )


def _retry_after_s(headers: Mapping[str, str], now: Callable[[], datetime]) -> float | None:
    """Seconds, or a date counted from the answer's own Date (its clock, not ours) where it has one."""
    said = headers.get("retry-after", "").strip()
    if said.isascii() and said.isdigit():
        return float(said[:_MAX_DELAY_DIGITS])
    until = _http_date(said)
    if until is None:
        return None
    return max(0.0, (until - (_http_date(headers.get("date", "")) or now())).total_seconds())


def _http_date(text: str) -> datetime | None:
    try:
        date = email.utils.parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    return date if date.tzinfo is not None else None
