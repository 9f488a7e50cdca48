"""Whether a census counts a server, and why not: a sentence for each way of being counted, and of not being."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from crawler.engine.standing import Memory, count
from crawler.errors import Failure, FailureKind
from crawler.model.observation import Failed, ServerObservation
from crawler.model.verdict import Standing
from tests.engine.made import dead, online

WELL = online("a.test")
KEYLESS = replace(WELL, keys=Failed(Failure(FailureKind.KEYS_EXPIRED)))
GONE = dead("a.test")
CENSUS = Standing(7, datetime(2026, 11, 20, tzinfo=UTC), known=True)


@pytest.mark.parametrize(
    ("seen", "online_now", "federating_now", "sentence"),
    [
        (WELL, True, True, "Counted, by this look, as online and as federating."),
        (KEYLESS, True, False, "Counted, by this look, as online but not as federating: keys expired."),
        (GONE, False, False, "Not counted, by this look, as online: dns nxdomain."),
    ],
    ids=["well", "without keys", "gone"],
)
def test_what_this_look_is_worth(
    seen: ServerObservation, online_now: bool, federating_now: bool, sentence: str
) -> None:
    counted = count(seen, Memory())
    assert (counted.online, counted.federating, counted.sentence) == (online_now, federating_now, sentence)
    assert (counted.standing, counted.opted_out) == (None, False)


@pytest.mark.parametrize(
    ("standing", "then"),
    [
        (replace(CENSUS, known=False), "The census of 20 Nov 2026 did not know it:"),
        (replace(CENSUS, finished_at=None), "The census number 7 knew its name and did not visit it."),
        (replace(CENSUS, visited=True, failed_kind="tls_expired"), "did not count it: tls expired."),
        (replace(CENSUS, visited=True, online=True, failed_kind="keys_expired"), "counted it as online only: keys exp"),
        (replace(CENSUS, visited=True, online=True, federating=True), "counted it as online and as federating."),
    ],
    ids=["not known", "not visited", "not online", "online only", "federating"],
)
def test_what_the_newest_census_holds_is_said_beside_it(standing: Standing, then: str) -> None:
    counted = count(WELL, Memory(standing))
    assert counted.sentence.startswith("Counted, by this look, as online and as federating. The census ")
    assert then in counted.sentence
    assert counted.standing is standing


def test_who_opted_out_is_not_counted_however_well_it_is() -> None:
    counted = count(WELL, Memory(replace(CENSUS, known=False), opted_out=True))
    assert (counted.online, counted.federating, counted.opted_out) == (False, False, True)
    assert counted.sentence.startswith("Not counted: it is on the opt-out list, and no census looks at it. The census")
