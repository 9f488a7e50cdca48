"""How many names of one maker a crawl looks at."""

from dataclasses import replace
from typing import Any

import pytest

from crawler.config import Limits
from crawler.engine.frontier import Frontier
from crawler.engine.guard import Group, Kind, address_block, registrable_domain
from crawler.engine.task import Visit, Visited
from crawler.model.observation import KeyDocument, Ok, ServerObservation
from crawler.model.schedule import Life, Remembered, ServerSchedule
from tests.engine.made import WHEN, dead, online, server


@pytest.mark.parametrize(
    ("name", "domain"),
    [
        ("matrix.example.co.uk", "example.co.uk"),
        ("a.b.example.org:8448", "example.org"),
        ("EXAMPLE.org", "example.org"),
        ("tenant.github.io", "tenant.github.io"),
        ("co.uk", "co.uk"),
        ("x.unknown-suffix-zz", "x.unknown-suffix-zz"),
        ("192.0.2.77:8448", "192.0.2.0/24"),
        ("[2001:db8:1:2::3]", "2001:db8:1::/48"),
    ],
)
def test_the_registrable_domain_is_what_somebody_registered(name: str, domain: str) -> None:
    assert registrable_domain(server(name)) == domain


def test_blocks_are_what_one_customer_has() -> None:
    assert address_block("198.51.100.200") == "198.51.100.0/24"
    assert address_block("2001:db8:7:8::9") == "2001:db8:7::/48"


def with_keys(name: str, key: str) -> ServerObservation:
    return replace(online(name), keys=Ok(KeyDocument({"ed25519:a": key}, (), WHEN)))


def crawl_of(names: list[str], limits: Limits, see: dict[str, ServerObservation], **more: Any) -> Frontier:
    frontier = Frontier(limits, started_at=WHEN, **more)
    for name in names:
        frontier.hear(server(name))
    while (task := frontier.take()) is not None:
        assert isinstance(task, Visit)
        frontier.seen(Visited(task, see[task.server.key], ""))
    assert frontier.finished
    return frontier


LIMITS = Limits(domain_names=10, key_names=5, block_names=1000)


def test_a_wildcard_of_dead_names_gets_its_allowance_and_the_rest_is_deferred() -> None:
    names = [f"s{n}.wild.test" for n in range(100)] + ["alone.test"]
    frontier = crawl_of(names, LIMITS, {name: dead(name) for name in names})
    assert (frontier.visited, frontier.guarded, frontier.deferred) == (11, 90, 90)
    assert frontier.guarded_groups == {Group(Kind.DOMAIN, "wild.test"): 90}


def test_names_that_are_all_one_server_earn_nothing_more() -> None:
    names = [f"s{n}.sybil.test" for n in range(100)]
    frontier = crawl_of(names, LIMITS, {name: with_keys(name, "same") for name in names})
    assert (frontier.visited, frontier.guarded) == (12, 88)  # the first is a server of its own


def test_an_honest_hosting_company_gets_all_its_tenants_looked_at() -> None:
    names = [f"s{n}.hosting.test" for n in range(100)]
    frontier = crawl_of(names, LIMITS, {name: with_keys(name, name) for name in names})
    assert (frontier.visited, frontier.guarded) == (100, 0)


def test_names_known_to_share_keys_come_in_turns() -> None:
    names = [f"s{n}.of-{n}.test" for n in range(20)]
    known = {
        name: ServerSchedule(name, Life.ALIVE, 0, WHEN, WHEN, WHEN, first_key="one", address="192.0.2.1")
        for name in names
    }
    frontier = crawl_of(names, LIMITS, {name: with_keys(name, "k") for name in names}, remembered=Remembered(known, {}))
    assert (frontier.visited, frontier.guarded) == (5, 15)
    assert frontier.guarded_groups == {Group(Kind.KEY, "one"): 15}
