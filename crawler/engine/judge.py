"""From an answer to what it says: the one place where a body of a stranger becomes a word of ours, or a failure."""

from collections.abc import Callable
from typing import TypeVar

from crawler.errors import ProtocolError
from crawler.model.observation import Attempt, Failed, Ok
from crawler.net.fetch import Answer

T = TypeVar("T")


def parsed(attempt: Attempt[Answer], parse: Callable[[bytes], T]) -> Attempt[T]:
    """Judge the body of an answer; what does not parse is a failure of its own kind."""
    if not isinstance(attempt, Ok):
        return attempt
    try:
        return Ok(parse(attempt.value.body), attempt.timings)
    except ProtocolError as error:
        return Failed(error.failure, attempt.timings)
