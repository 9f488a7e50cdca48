"""From an HTTP answer to what it says: apart from who asks, since a crawl's visit and the check judge alike."""

from collections.abc import Callable
from typing import TypeVar

from crawler.engine.patience import expect_ok
from crawler.errors import ProtocolError
from crawler.model.observation import Attempt, Failed, Ok
from crawler.net.fetch import Answer

T = TypeVar("T")


def parsed(attempt: Attempt[Answer], parse: Callable[[bytes], T]) -> Attempt[T]:
    """The body of a success, parsed; what does not parse is a failure of its own kind, as is another status."""
    answered = expect_ok(attempt)
    if not isinstance(answered, Ok):
        return answered
    try:
        return Ok(parse(answered.value.body), answered.timings)
    except ProtocolError as error:
        return Failed(error.failure, answered.timings)


def published(attempt: Attempt[Answer], parse: Callable[[bytes], T]) -> Attempt[T | None]:
    """The same for a document that a server need not have: None when it has none (404)."""
    if isinstance(attempt, Ok) and attempt.value.status == 404:
        return Ok(None, attempt.timings)
    return parsed(attempt, parse)
