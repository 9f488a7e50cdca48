"""From an observation to the names in it, each with who told us and how."""

from dataclasses import replace

from crawler.engine.expand import foreign_aliases, named_by_answers, named_by_visit
from crawler.model.crawl import Lead, LeadSource
from crawler.model.rooms import AliasAnswer
from tests.engine.made import online, room, server

V12 = "!" + "a" * 43


def test_room_ids_aliases_and_answers_name_servers() -> None:
    seen = online(
        "teller.test",
        rooms=(
            room("!one:Other.test"),
            room("!two:other.test"),
            room("!own:teller.test", alias="#own:teller.test"),
            room(V12, alias="#x:alias.test:8448"),
            room("!bad:in valid"),
        ),
        aliases=(
            AliasAnswer("#own:teller.test", "!own:teller.test", ("teller.test", "joined.test", "..", "joined.test")),
        ),
    )
    leads = {lead for _, lead in named_by_visit(seen, 100)}
    assert leads == {
        Lead("other.test", LeadSource.ROOM_ID, "teller.test", 2),
        Lead("alias.test:8448", LeadSource.ALIAS, "teller.test", 1),
        Lead("joined.test", LeadSource.ALIAS_SERVERS, "teller.test", 2),
    }
    spelled = {name.raw for name, _ in named_by_visit(seen, 100)}
    assert "Other.test" in spelled  # the spelling first met is what will be signed and dialled


def test_what_stands_where_a_well_known_delegates_to_says_itself_which_server_it_is() -> None:
    elsewhere = replace(online("teller.test").resolution, delegated=server("host.provider.test"))
    told = {
        delegated: [lead for _, lead in named_by_visit(replace(seen, keys_named=named), 100)]
        for delegated, seen in (
            (True, replace(online("teller.test"), resolution=elsewhere)),
            (False, online("teller.test")),
        )
        for named in ("other.test",)
    }
    # The host delegated to is no server name; and without a delegation nobody was named.
    assert told == {True: [Lead("other.test", LeadSource.WELL_KNOWN, "teller.test")], False: []}
    itself = replace(online("teller.test"), resolution=elsewhere)
    assert named_by_visit(itself, 100) == []
    assert named_by_visit(replace(itself, keys_named="no name"), 100) == []


def test_names_from_one_server_are_bounded() -> None:
    answers = [AliasAnswer("#a:teller.test", "!r:teller.test", tuple(f"s{i}.test" for i in range(50)))]
    assert len(named_by_answers(server("teller.test"), answers, 7)) == 7


def test_foreign_aliases_are_those_of_other_owners() -> None:
    seen = online(
        "teller.test",
        rooms=(
            room("!1:x.test", 5, "#a:Teller.test"),
            room("!2:x.test", None, "#b:owner.test"),
            room("!3:x.test", 9, "not an alias"),
            room("!4:x.test", 9, "#c:in valid"),
        ),
    )
    assert list(foreign_aliases(seen)) == [("#b:owner.test", server("owner.test"), 0)]
