"""Waiting when a server asks us to (429), and no longer than the settings allow.

Client-server API, "Rate limiting": `Retry-After` and, deprecated, `retry_after_ms`; the longer of the two is obeyed.
"""

from collections.abc import Awaitable, Callable

from crawler.model.observation import Attempt, Failed, Ok
from crawler.net.fetch import Answer, failure_of_status
from crawler.net.session import Session

TRIES = 3
UNSAID_WAIT_S = 5.0
"""How long to wait when a 429 does not say."""


async def patiently(session: Session, ask: Callable[[], Awaitable[Attempt[Answer]]]) -> Attempt[Answer]:
    """Ask; while the answer is 429, rest as long as it says and ask again, at most `TRIES` times in all.

    The last answer is returned as it came, a 429 included: also when the wait it asks for is longer than
    `limits.retry_after_max_s`.
    """
    for _ in range(TRIES - 1):
        attempt = await ask()
        if not (isinstance(attempt, Ok) and attempt.value.status == 429):
            return attempt
        wait_s = failure_of_status(attempt.value).retry_after_s or UNSAID_WAIT_S
        if wait_s > session.limits.retry_after_max_s:
            return attempt
        await session.rest(wait_s)
    return await ask()


def expect_ok(attempt: Attempt[Answer]) -> Attempt[Answer]:
    """The attempt itself if it is a 2xx answer, else the failure that its status means."""
    if isinstance(attempt, Ok) and not 200 <= attempt.value.status < 300:
        return Failed(failure_of_status(attempt.value), attempt.timings)
    return attempt
