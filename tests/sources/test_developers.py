"""Developers of repositories made here, whose authors, bots, .mailmap and fork are known: counted by hand beside."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from analytics.reference import load_software
from crawler.errors import UsageError
from crawler.resources import shipped
from crawler.sources.developer_counts import WINDOWS_D, activity, counts, months, overlap
from crawler.sources.developers import clone_of
from crawler.sources.people import Bots, Families, one_spelling, read_bots
from crawler.sources.repositories import one_address, read_list
from matrix_census import main
from tests.sources.repositories import Repository
from tests.store.census import crawl, publish
from tests.store.observations import online

ADA, ADA_AT_HOME = "Ada Lovelace <ada@example.org>", "ada <ada@home.example>"
GRACE, GRACE_AT_WORK = "Grace Hopper <grace@example.org>", "Grace Hopper <grace@work.example>"
MARY, UPSTREAMER, FORKER = "Mary <mary@example.org>", "Linus <linus@kernel.example>", "Fay Fork <fay@example.org>"
HIDDEN, HIDDEN_TOO = "octo <7+octo@users.noreply.github.com>", "Octo <octo@users.noreply.github.com>"
BOTS = ("dependabot[bot] <49699333+dependabot[bot]@users.noreply.github.com>", "Weblate <noreply@weblate.org>",
        "renovate <bot@renovateapp.com>", "GitHub <noreply@github.com>", "ElementRobot <releases@riot.im>")  # fmt: skip


@pytest.fixture
def repos(tmp_path: Path) -> Path:
    """A list of three: a server, a client, and a fork of something that is not on the list."""
    server, client = Repository.new(tmp_path / "server"), Repository.new(tmp_path / "client")
    server.commit(MARY, "2020-03-01")
    server.commit(ADA, "2026-01-10", {".mailmap": "Ada Lovelace <ada@example.org> <ada@home.example>\n"})
    server.commit(ADA_AT_HOME, "2026-10-20")
    server.commit(GRACE, "2026-10-25")
    for bot in BOTS:
        server.commit(bot, "2026-10-26")
    server.commit("Tim Traveller <tim@example.org>", "2099-01-01")
    client.commit(ADA_AT_HOME, "2026-05-01")  # the other repository's .mailmap knows this address
    client.commit(GRACE_AT_WORK, "2026-11-01")
    client.commit(MARY, "2026-11-02")
    client.commit(HIDDEN, "2026-08-01")
    client.commit(HIDDEN_TOO, "2026-08-02")
    # A merge by somebody who did nothing else.
    client.git("checkout", "--quiet", "-b", "side", "HEAD~1")
    client.commit(GRACE_AT_WORK, "2026-11-03")
    client.git("checkout", "--quiet", "main")
    merger = {"GIT_AUTHOR_NAME": "Only Merges", "GIT_AUTHOR_EMAIL": "only@merges.example",
              "GIT_COMMITTER_NAME": "x", "GIT_COMMITTER_EMAIL": "x@example.org"}  # fmt: skip
    client.git("merge", "--quiet", "--no-ff", "-m", "Merge", "side", **merger)
    upstream = Repository.new(tmp_path / "upstream")
    upstream.commit(UPSTREAMER, "2026-10-01")
    fork = upstream.clone(tmp_path / "fork")
    fork.commit(FORKER, "2026-10-02")
    # The origin goes on, and the fork takes the change over by a cherry-pick: another hash, the same author and time.
    picked = upstream.commit("Ken Kernel <ken@kernel.example>", "2026-10-03")
    fork.git("fetch", "--quiet", "origin")
    identity = {"GIT_COMMITTER_NAME": "Fay", "GIT_COMMITTER_EMAIL": "fay@example.org"}
    fork.git("cherry-pick", "--allow-empty", picked, **identity)
    listed = tmp_path / "list.toml"
    listed.write_text(
        'name = "made"\nversion = "2026-11-20"\n[[repository]]\npath = "server"\n[[repository]]\npath = "client"\n'
        '[[repository]]\npath = "fork"\nfork_of = "upstream"\n'
    )
    return listed


def run(db: Path, repos: Path, *more: str) -> dict[str, Any]:
    arguments = ["import", "developers", "--repos", str(repos), "--db", str(db), "--json", *more]
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 0, done.output
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def rows(db: Path) -> dict[tuple[str, str], dict[str, Any]]:
    done = CliRunner().invoke(main, ["metrics", "--json", "--db", str(db)])
    assert done.exit_code == 0, done.output
    return {(row["metric"], row["dimension"]): row for row in json.loads(done.stdout)}


def test_people_are_counted_and_what_is_none_is_not(repos: Path, tmp_path: Path) -> None:
    db = tmp_path / "census.duckdb"
    crawl(db, [online("a.test")])  # sealed on 24 Nov 2026
    said = run(db, repos)
    assert said["authors"] == 6  # Ada, Grace twice, Mary, octo, Fay: no .mailmap knows both of Grace's addresses
    assert said["as_of"] == "2026-11-03"
    assert said["left_out"] == {"of programs": 5, "of no possible day": 1, "of the origin of a fork": 2}
    found = rows(db)

    def of(dimension: str) -> tuple[float, float, float]:
        row = found["developers", dimension]
        assert (row["grade"], row["coverage"], row["n"]) == ("estimated", 1.0, 3)
        return row["value"], row["lo"], row["hi"]

    # As of 3 Nov, 30 days back to 5 Oct: Ada (Oct 20), Grace (Oct 25; Nov 1, 3 at work), Mary (Nov 2).
    assert of("made, in 30 d") == (4, 3, 4)
    # 90 days, back to 6 Aug: Fay (Oct 2) besides; octo (Aug 1, 2) is before.
    assert of("made, in 90 d") == (5, 4, 5)
    # 365 days: octo, and Ada's two addresses.
    assert of("made, in 365 d") == (6, 5, 7)
    assert found["developers", "made, new in 365 d"]["value"] == 5
    assert found["developers", "made, returning in 365 d"]["value"] == 1  # Mary, of 2020
    assert "made 2026-11-20, as of 03 Nov 2026" in found["developers", "made, in 30 d"]["method"]
    by_month = {
        dimension: row["value"] for (metric, dimension), row in found.items() if metric == "developers_by_month"
    }
    assert len(by_month) == 12
    assert (by_month["made, 2026-10"], by_month["made, 2026-08"], by_month["made, 2026-09"]) == (3, 1, 0)


def test_an_import_tells_of_earlier_censuses_too(repos: Path, tmp_path: Path) -> None:
    """What was counted of them before stays as it is, and where it stands."""
    db = tmp_path / "census.duckdb"
    crawl(db, [online("a.test"), online("b.test")])
    crawl(db, [online("a.test")])
    assert CliRunner().invoke(main, ["publish", "--db", str(db)]).exit_code == 0

    def series() -> list[dict[str, Any]]:
        done = CliRunner().invoke(main, ["metrics", "--series", "--json", "--db", str(db)])
        found: list[dict[str, Any]] = [row for row in json.loads(done.stdout) if row["snapshot"] == 1]
        return found

    before = series()
    assert [row["value"] for row in before if row["metric"] == "developers"] == [None]
    run(db, repos)
    after = series()
    assert [row["value"] for row in after if row["dimension"] == "made, in 365 d"] == [6]
    of_developers = ("developers", "developers_by_month")
    kept = [[row for row in rows if row["metric"] not in of_developers] for rows in (before, after)]
    assert kept[0] == kept[1]
    order = [list(dict.fromkeys(row["metric"] for row in rows)) for rows in (before, after)]
    assert order[0] == order[1]


def test_no_address_and_no_name_is_kept(repos: Path, tmp_path: Path) -> None:
    db = tmp_path / "census.duckdb"
    crawl(db, [online("a.test")])
    run(db, repos)
    for file in (db, publish(db)):
        content = file.read_bytes()
        for text in (b"ada@", b"Lovelace", b"grace@", b"Hopper", b"octo", b"mary@", b"fay@"):
            assert text not in content
    with duckdb.connect(str(db), read_only=True) as connection:
        authors = connection.execute("SELECT DISTINCT author FROM developer_day").fetchall()
        salts = connection.execute("SELECT salt FROM developer_salt").fetchall()
    assert len(authors) == 6
    assert all(len(author) == 32 and int(author, 16) for (author,) in authors)
    assert [len(salt) for (salt,) in salts] == [64]
    with duckdb.connect(str(publish(db)), read_only=True) as connection:
        for table in ("developer_day", "developer_salt"):
            assert connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)


def test_what_cannot_be_read_lowers_the_coverage(repos: Path, tmp_path: Path) -> None:
    db = tmp_path / "census.duckdb"
    crawl(db, [online("a.test")])
    Repository.new(tmp_path / "empty")
    (tmp_path / "upstream").rename(tmp_path / "gone")  # then the fork cannot be told from its origin
    with repos.open("a") as file:
        file.write('[[repository]]\npath = "empty"\n[[repository]]\nurl = "https://never-fetched.example/x"\n')
    said = run(db, repos, "--offline")
    assert (said["repositories"], said["read"], len(said["unread"])) == (5, 2, 3)
    assert rows(db)["developers", "made, in 30 d"]["coverage"] == 0.4


def test_two_lists_tell_what_both_miss(repos: Path, tmp_path: Path) -> None:
    db = tmp_path / "census.duckdb"
    crawl(db, [online("a.test")])
    run(db, repos)
    other = Repository.new(tmp_path / "bridge")
    for author in (ADA, MARY, "Bob Bridge <bob@example.org>"):
        other.commit(author, "2026-09-09")
    second = tmp_path / "second.toml"
    second.write_text('name = "second"\nversion = "2026-11-21"\n[[repository]]\npath = "bridge"\n')
    for _ in range(2):  # an import of a list takes its own place
        run(db, second)
    row = rows(db)["developers", "by made and second, in 365 d"]
    assert row["value"] == pytest.approx((6 + 1) * (3 + 1) / (2 + 1) - 1)  # Chapman: 6, 3, both 2
    with duckdb.connect(str(db), read_only=True) as connection:
        kept = connection.execute("SELECT DISTINCT source_id FROM developer_day ORDER BY 1").fetchall()
        sources = connection.execute(
            "SELECT name, replaced_at IS NULL FROM outside_source ORDER BY source_id"
        ).fetchall()
        assert connection.execute("SELECT DISTINCT source_id, other_id FROM developer_overlap").fetchall() == [(3, 1)]
    assert kept == [(1,), (3,)]
    assert sources == [("made", True), ("second", False), ("second", True)]


def test_lineages_whose_code_lives(tmp_path: Path) -> None:
    """Told by the public repositories of a list, by what a person committed to them and their origin has not."""
    clones = tmp_path / "clones"
    at = {
        "synapse": "https://github.com/element-hq/synapse", "conduit": "https://gitlab.com/famedly/conduit",
        "continuwuity": "https://forgejo.ellis.link/continuwuation/continuwuity",
        "dendrite": "https://github.com/Element-HQ/dendrite.git", "other": "https://forge.example/other",
    }  # fmt: skip
    made = {name: Repository.new(clone_of(clones, at[name])) for name in ("synapse", "conduit", "dendrite", "other")}
    made["synapse"].commit(ADA, "2026-08-06")  # the first of the 90 days that end on 3 Nov
    made["conduit"].commit(GRACE, "2026-01-01")
    fork = made["conduit"].clone(clone_of(clones, at["continuwuity"]))
    made["conduit"].commit(BOTS[0], "2026-11-01")
    fork.commit(FORKER, "2026-10-01")
    made["dendrite"].commit(MARY, "2026-08-05")  # the day before
    made["other"].commit(MARY, "2026-11-03")
    listed = tmp_path / "list.toml"
    fork_of = {at["continuwuity"]: f'fork_of = "{at["conduit"]}"\n'}
    entries = [f'[[repository]]\nurl = "{url}"\n{fork_of.get(url, "")}' for url in at.values()]
    Repository.new(tmp_path / "mine").commit(ADA, "2026-11-02")
    entries.append('[[repository]]\npath = "mine"\n')
    listed.write_text('name = "made"\nversion = "2026-11-20"\n' + "".join(entries))
    db = tmp_path / "census.duckdb"
    crawl(db, [online("a.test")])
    run(db, listed, "--clones", str(clones), "--offline")
    row = rows(db)["lineages_with_code", "active in 90 d"]
    assert (row["value"], row["n"], row["grade"], row["interval_kind"]) == (2, 3, "measured", "bounds")
    lineages = load_software().drop_nulls("repository")["lineage"].n_unique()
    assert row["coverage"] == pytest.approx(3 / lineages)
    assert "Active: conduit, synapse. Not active: dendrite." in row["method"]
    with duckdb.connect(str(publish(db)), read_only=True) as connection:
        kept = dict(
            connection.execute("SELECT repository, count(active_from) FROM repository_activity GROUP BY 1").fetchall()
        )
    assert set(kept) == {one_address(url) for url in at.values()}  # no folder of this machine


def test_code_that_nobody_read_is_not_known(repos: Path, tmp_path: Path) -> None:
    db = tmp_path / "census.duckdb"
    crawl(db, [online("a.test")])
    run(db, repos)  # folders alone
    row = rows(db)["lineages_with_code", "active in 90 d"]
    assert (row["value"], row["n"], row["grade"]) == (None, 0, "not observable")


def test_a_repository_is_active_for_ninety_days() -> None:
    days = {"b": {date(2026, 1, 1), date(2026, 3, 31), date(2026, 8, 1)}, "a": set()}
    assert list(activity(days)) == [
        ("a", None, None),
        ("b", date(2026, 1, 1), date(2026, 6, 29)),  # on 1 April, the 91st day, the second commit is a day old
        ("b", date(2026, 8, 1), date(2026, 10, 30)),
    ]


DAYS = st.dictionaries(
    st.sampled_from("abcd"),
    st.sets(st.dates(date(2020, 1, 1), date(2022, 12, 31)), min_size=1, max_size=6),
    min_size=1,
)


@given(DAYS, DAYS, st.dates(date(2020, 1, 1), date(2024, 12, 31)))
def test_counts_are_those_of_looking_at_every_window(
    one: dict[str, set[date]], other: dict[str, set[date]], day: date
) -> None:
    """Against the definition: look through everybody's days, window by window."""

    def active(days: dict[str, set[date]], window_d: int) -> set[str]:
        return {who for who, its in days.items() if any(0 <= (day - each).days < window_d for each in its)}

    found = {count.window_d: count for count in counts(one, one, other, date.max) if count.day <= day}
    for window_d in WINDOWS_D:
        count = found.get(window_d)
        new = {who for who in active(one, window_d) if (day - min(one[who])).days < window_d}
        said = (count.authors, count.most, count.new_authors) if count else (0, 0, 0)
        assert said == (len(active(one, window_d)), len(active(other, window_d)), len(new))
    shared = [total for at, total in overlap(one, other, date.max) if at <= day]
    assert (shared or [0])[-1] == len(active(one, 365) & active(other, 365))


def test_months_are_counted_once_for_each_person() -> None:
    days = {"a": {date(2024, 1, 5), date(2024, 1, 6), date(2024, 3, 1)}, "b": {date(2024, 3, 31)}}
    found = list(months(days, {date(2024, 1, 1): 9, date(2024, 3, 1): 4}))
    assert [(m.month, m.authors, m.new_authors, m.commits) for m in found] == [
        (date(2024, 1, 1), 1, 1, 9),
        (date(2024, 3, 1), 2, 1, 4),
    ]


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.sampled_from("abcdef"))))
def test_families_are_the_components(pairs: list[tuple[str, str]]) -> None:
    families = Families()
    components = [{letter} for letter in "abcdef"]
    for one, other in pairs:
        families.join(one, other)
        joined = next(c for c in components if one in c) | next(c for c in components if other in c)
        components = [c for c in components if not c & joined] + [joined]
    assert {letter: families.of(letter) for letter in "abcdef"} == {
        letter: min(component) for component in components for letter in component
    }


class TestPeople:
    @pytest.fixture
    def bots(self) -> Bots:
        return read_bots([shipped("reference", "bots.csv")])

    @pytest.mark.parametrize(
        ("name", "address", "is_bot"),
        [
            ("renovate[bot]", "x@example.org", True),
            ("Someone", "29139614+renovate[bot]@users.noreply.github.com", True),
            ("Hosted Weblate", "hosted@weblate.org", True),
            ("Weblate", "x@example.org", True),
            ("github-actions", "action@github.com", True),
            ("Element CI", "x@example.org", True),
            ("Abbott", "abbott@example.org", False),
            ("Botond", "botond@example.org", False),
            ("Stalee", "stalee@example.org", False),
            ("Jenny Weblate-Fan", "jenny@example.org", False),
            ("Cristina", "ci@example.org", False),
            ("Cristina", "release-bot@example.org", True),
        ],
    )
    def test_programs_are_known_by_name_or_address(self, bots: Bots, name: str, address: str, is_bot: bool) -> None:
        assert bots.has(address, name) is is_bot

    def test_one_spelling(self) -> None:
        assert one_spelling(" Ada@Example.ORG ", "") == "ada@example.org"
        assert one_spelling("12+Ada@users.noreply.github.com", "") == "ada@users.noreply.github.com"
        assert one_spelling("none", "Ada  B") == one_spelling("none", "ada b") != one_spelling("none", "c")

    def test_a_list_of_bots_that_is_none(self, tmp_path: Path) -> None:
        for text in ("field,pattern\nname,(\n", "a,b\n1,2\n", "field,pattern\nwhat,x\n"):
            (tmp_path / "bots.csv").write_text(text)
            with pytest.raises(UsageError, match="no list of bots"):
                read_bots([tmp_path / "bots.csv"])


class TestLists:
    def test_the_list_that_ships(self) -> None:
        listed = read_list(shipped("reference", "developers.toml"))
        assert listed.name == "core"
        assert listed.as_of == date.fromisoformat(listed.version)
        assert len(listed.repositories) > 20
        on_it = {repository.url for repository in listed.repositories}
        assert {each.fork_of for each in listed.repositories} - {None} <= on_it

    def test_the_ecosystem_of_matrix_org(self, tmp_path: Path) -> None:
        site = Repository.new(tmp_path / "matrix.org")
        pages = {
            "servers/servers.toml": '[[servers]]\nname = "One"\nrepository = "https://forge.example/one"\n'
            '[[servers]]\nname = "Closed"\n[[servers]]\nrepository = "/etc"\n',
            "clients/two.md": '+++\ntitle = "Two"\n[extra]\nrepo = "https://forge.example/two.git"\nwebsite = "https://two.example"\n+++\ntext\n',
            "clients/clients.toml": '[Three]\nsource = "https://forge.example/three"\n[Again]\nsource = "https://Forge.example/ONE/"\n',
            "bridges/irc/bridges.toml": '[[bridges]]\nrepo = "ext::sh -c id"\n[[bridges]]\nrepo = "file:///etc/passwd"\n',
            "broken.toml": "[[[",
            "plain.md": "no front matter, https://forge.example/never",
        }
        site.commit(ADA, "2026-10-10", {f"content/ecosystem/{name}": text for name, text in pages.items()})
        listed = read_list(site.path)
        assert [one_address(repository.url) for repository in listed.repositories] == [
            "https://forge.example/three", "https://forge.example/one", "https://forge.example/two",
        ]  # fmt: skip
        assert all(repository.path is None for repository in listed.repositories)
        assert (listed.name, listed.version, listed.as_of) == (
            "ecosystem",
            site.git("rev-parse", "HEAD"),
            date(2026, 10, 10),
        )

    @pytest.mark.parametrize(
        "text",
        [
            "", "[[", 'name = "x"', 'name = "x"\nversion = "1"\n[[repository]]\nurl = "https://a.example/b"',
            'name = "x"\nversion = "2026-01-01"\n[[repository]]\nurl = "http://a.example/b"',
            'name = "x"\nversion = "2026-01-01"\n[[repository]]\nurl = "ext::id"',
            'name = "x"\nversion = "2026-01-01"\nrepository = [3]',
            'name = "x"\nversion = "2026-01-01"\n[[repository]]\nurl = "https://a.example/b"\nfork_of = 3',
        ],
    )  # fmt: skip
    def test_what_is_no_list_is_told(self, tmp_path: Path, text: str) -> None:
        (tmp_path / "list.toml").write_text(text)
        with pytest.raises(UsageError, match=r"list\.toml"):
            read_list(tmp_path / "list.toml")
