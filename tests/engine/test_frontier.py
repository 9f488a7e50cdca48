"""The frontier: every name once, witnesses first, aliases of others asked of their owners in follow-ups."""

from hypothesis import given
from hypothesis import strategies as st

from crawler.config import Limits
from crawler.engine.frontier import Frontier
from crawler.engine.task import LookUp, Visit, Visited
from crawler.model.observation import ServerObservation
from crawler.model.rooms import AliasAnswer
from tests.engine.made import WHEN, dead, online, server


def a_frontier(*, max_servers: int | None, alias_lookups: int) -> Frontier:
    return Frontier(Limits(alias_lookups=alias_lookups), started_at=WHEN, max_servers=max_servers)


def visited(seen: ServerObservation, client_base: str = "") -> Visited:
    asked = tuple(answer.alias for answer in seen.aliases)
    return Visited(Visit(seen.server_name), seen, client_base, asked=asked)


def drain(frontier: Frontier) -> list[str]:
    taken = []
    while (task := frontier.take()) is not None:
        assert isinstance(task, Visit)
        taken.append(task.server.raw)
        frontier.seen(visited(dead(task.server.raw)))
    return taken


def test_names_come_once_in_the_order_of_hearing() -> None:
    frontier = a_frontier(max_servers=None, alias_lookups=10)
    assert frontier.finished
    for name in ("a.test", "b.test", "A.test", "c.test", "b.test"):
        frontier.hear(server(name))
    assert frontier.known == 3
    assert not frontier.finished
    assert drain(frontier) == ["a.test", "b.test", "c.test"]
    assert frontier.finished
    assert not frontier.hear(server("a.TEST"))
    assert frontier.finished


def test_more_witnesses_come_first() -> None:
    frontier = a_frontier(max_servers=None, alias_lookups=10)
    frontier.hear(server("first.test"))
    for _ in range(4):
        frontier.hear(server("popular.test"))
    assert drain(frontier) == ["popular.test", "first.test"]


def test_a_cap_leaves_the_rest_to_later_crawls() -> None:
    frontier = a_frontier(max_servers=2, alias_lookups=10)
    for name in ("a.test", "b.test", "c.test"):
        frontier.hear(server(name))
    assert frontier.deferred == 0
    assert drain(frontier) == ["a.test", "b.test"]
    assert frontier.finished
    assert frontier.deferred == 1


def test_an_active_task_keeps_the_crawl_open() -> None:
    frontier = a_frontier(max_servers=None, alias_lookups=10)
    frontier.hear(server("a.test"))
    task = frontier.take()
    assert task is not None
    assert frontier.take() is None
    assert not frontier.finished
    frontier.seen(visited(online("a.test"), "https://a.test"))
    assert frontier.finished


def test_foreign_aliases_wait_for_their_owner_and_travel_together_biggest_room_first() -> None:
    frontier = a_frontier(max_servers=None, alias_lookups=2)
    owner = server("owner.test")
    frontier.hear_alias("#small:owner.test", owner, 1)
    frontier.hear_alias("#big:owner.test", owner, 100)
    frontier.hear_alias("#middle:owner.test", owner, 50)
    visit = frontier.take()
    assert visit == Visit(owner)  # heard of through the alias
    assert frontier.take() is None  # nothing more until we know where its client API is
    frontier.seen(visited(online("owner.test"), "https://client.owner.test"))
    look_up = frontier.take()
    assert look_up == LookUp(owner, "https://client.owner.test", ("#big:owner.test", "#middle:owner.test"))
    assert not frontier.finished
    frontier.looked_up(look_up)
    assert frontier.take() is None
    assert frontier.finished
    assert frontier.aliases.outstanding == 1  # over the budget of two


def test_aliases_asked_in_the_visit_are_not_asked_again() -> None:
    frontier = a_frontier(max_servers=None, alias_lookups=5)
    owner = server("owner.test")
    frontier.hear_alias("#room:owner.test", owner, 10)
    frontier.take()
    answer = AliasAnswer("#room:owner.test", "!r:owner.test", ())
    frontier.seen(visited(online("owner.test", aliases=(answer,)), "https://owner.test"))
    frontier.hear_alias("#room:owner.test", owner, 10)
    assert frontier.take() is None
    assert frontier.finished
    assert frontier.aliases.outstanding == 0


def test_aliases_of_an_offline_owner_stay_outstanding() -> None:
    frontier = a_frontier(max_servers=None, alias_lookups=5)
    frontier.hear_alias("#room:owner.test", server("owner.test"), 10)
    frontier.take()
    frontier.seen(visited(dead("owner.test"), "https://owner.test"))
    assert frontier.take() is None
    assert frontier.finished
    assert frontier.aliases.outstanding == 1


@given(st.lists(st.integers(0, 20)), st.integers(1, 25))
def test_every_name_is_visited_exactly_once_whatever_is_heard(mentions: list[int], cap: int) -> None:
    frontier = a_frontier(max_servers=cap, alias_lookups=1)
    seen = []
    for mention in mentions:
        frontier.hear(server(f"s{mention}.test"))
        if mention % 3 == 0 and (task := frontier.take()) is not None:
            assert isinstance(task, Visit)
            seen.append(task.server.key)
            frontier.seen(visited(dead(task.server.raw)))
    seen += drain(frontier)
    assert len(seen) == len(set(seen)) == min(cap, len({*mentions}))
    assert frontier.finished
    assert frontier.visited == len(seen)
