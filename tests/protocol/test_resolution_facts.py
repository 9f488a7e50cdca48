"""What the steps of a resolution tell in parts agrees with the table of cases, and with what they tell in a line."""

import random

import pytest

from crawler.config import Limits
from crawler.model.discovery import AddressFacts, SrvFacts, SrvRecord, WellKnownFacts
from crawler.model.names import parse_server_name
from crawler.protocol.addresses import AddressPolicy
from crawler.protocol.discovery import resolve
from tests.protocol.resolution_cases import CASES, Case, Http
from tests.protocol.test_discovery import drive


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.section}: {case.title}")
def test_the_facts_of_a_case(case: Case) -> None:
    name = parse_server_name(case.server_name)
    limits = Limits()
    resolution, _ = drive(resolve(name, may_dial=AddressPolicy().may_dial, rng=random.Random(7), limits=limits), case)
    dialled: list[tuple[str, int]] = []
    for step in resolution.steps:
        match step.facts:
            case SrvFacts(usable, unusable):
                records = {SrvRecord(*record) for record in case.srv[step.subject]}
                assert {*usable, *unusable} <= records
                assert len(usable) == min(len(records) - len(unusable), limits.srv_targets)
            case AddressFacts(port, _, usable, refused):
                dialled += [(address, port) for address in usable]
                assert not {*usable} & {*refused}
                assert step.answer == ", ".join(usable)
            case WellKnownFacts(body_bytes, content_type, _, _, redirects):
                page = case.well_known[step.subject]
                assert isinstance(page, Http)
                assert (body_bytes, content_type, redirects) == (len(page.body), page.content_type, page.redirects)
            case None:
                continue
    assert {(place[0], place[1]) for place in case.places} >= {*dialled}
