"""What a crawl counts of its visits: who ran into a bound of ours, and which."""

from dataclasses import replace
from typing import Any

import pytest

from crawler.engine.progress import Progress
from crawler.errors import Failure, FailureKind
from crawler.model.observation import Failed, ServerObservation
from crawler.model.rooms import DirectoryState, Stopped
from tests.engine.made import dead, online

ENDLESS = replace(online("a.test"), directory=replace(online("a.test").directory, stopped=Stopped.PAGE_BUDGET))


def failing(what: str, kind: FailureKind) -> ServerObservation:
    seen = online("a.test")
    if what == "directory":
        return replace(seen, directory=replace(seen.directory, state=DirectoryState.ERROR, failure=Failure(kind)))
    change: dict[str, Any] = {what: Failed(Failure(kind))}
    return replace(seen, **change)


@pytest.mark.parametrize(
    ("seen", "bound"),
    [
        (ENDLESS, "page_budget"),
        (failing("tls", FailureKind.TLS_TIMEOUT), "tls_timeout"),
        (failing("version", FailureKind.HTTP_TIMEOUT), "http_timeout"),
        (failing("keys", FailureKind.HTTP_TOO_LARGE), "http_too_large"),
        (failing("directory", FailureKind.POLICY_BUDGET), "policy_budget"),
        (failing("version", FailureKind.HTTP_NOT_FOUND), None),
        (dead("a.test", FailureKind.TCP_TIMEOUT), None),  # nobody is there to be bounded
        (online("a.test"), None),
    ],
)
def test_whoever_runs_into_a_bound_of_ours_is_named_with_it(seen: ServerObservation, bound: str | None) -> None:
    progress = Progress()
    progress.count(seen)
    assert progress.bounds_hit == ({} if bound is None else {"a.test": bound})
