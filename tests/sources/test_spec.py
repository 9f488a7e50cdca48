"""The history of a specification, from two checkouts made here, whose dates are known."""

import json
from datetime import date
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner

from crawler.errors import UsageError
from crawler.sources.git import GitError
from crawler.sources.spec import parse_changelog, read_spec
from matrix_census import main
from tests.sources.repositories import Repository
from tests.store.census import crawl, publish
from tests.store.observations import online

EDITOR = "Ed Itor <editor@example.org>"
V1 = """---
title: v1.1 Changelog
outputs:
  - html
date: 2021-11-09T00:00:00+0100
---
<!-- - [MSC9](https://example.org/9) stands in a comment -->
## Client-Server API

- One thing as per [MSC7](https://example.org/7) and [MSC12](https://example.org/12). ([#1](https://example.org/1))
- Another, [MSC7](https://example.org/7).

No significant changes.
"""
V2 = "---\ndate: 2022-02-02\n---\n- [MSC12](x) again, and [MSC700](x)\n"
V10 = "---\ndate: 2024-03-22\n---\n- nothing of note\n"


@pytest.fixture
def checkouts(tmp_path: Path) -> tuple[Repository, Repository]:
    spec, proposals = Repository.new(tmp_path / "spec"), Repository.new(tmp_path / "proposals")
    changelogs = {f"content/changelog/{name}.md": text for name, text in (("v1.1", V1), ("v1.2", V2), ("v1.10", V10))}
    spec.commit(EDITOR, "2026-07-08", {**changelogs, "content/changelog/unreleased.md": "- x", "README.md": "-"})
    proposals.commit(EDITOR, "2019-01-01", {"README.md": "-", "proposals/0007-old-name.md": "draft"})
    # A proposal lives on a branch until it is merged, which is when it is accepted.
    proposals.git("checkout", "--quiet", "-b", "twelve")
    proposals.commit(EDITOR, "2019-06-01", {"proposals/12-good-idea.md": "draft"})
    proposals.git("checkout", "--quiet", "main")
    proposals.commit(EDITOR, "2020-05-05", {"proposals/33-waits.md": "text", "proposals/images/33-x.md": "no"})
    merged = {"GIT_COMMITTER_DATE": "2021-08-01T23:30:00-0600", "GIT_AUTHOR_DATE": "2021-08-01T23:30:00-0600"}
    merger = {f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER")
              for what, value in (("NAME", "M"), ("EMAIL", "m@example.org"))}  # fmt: skip
    proposals.git("merge", "--quiet", "--no-ff", "-m", "Merge", "twelve", **merged, **merger)
    proposals.commit(EDITOR, "2023-01-01", {"proposals/12-good-idea.md": "a later word"})
    # Written years before, committed when it was merged.
    proposals.commit(EDITOR, "2018-01-01", {"proposals/40-late.md": "text"}, committed="2024-04-04")
    (proposals.path / "proposals/33-waits.md").unlink()
    proposals.commit(EDITOR, "2024-05-01", {"proposals/33-waits-renamed.md": "text"})
    return spec, proposals


def test_releases_and_acceptances(checkouts: tuple[Repository, Repository]) -> None:
    spec, proposals = checkouts
    history = read_spec(spec.path, proposals.path)
    assert [(r.version, r.released_on, set(r.mscs), r.entries) for r in history.releases] == [
        ("v1.1", date(2021, 11, 9), {7, 12}, 2),
        ("v1.2", date(2022, 2, 2), {12, 700}, 1),
        ("v1.10", date(2024, 3, 22), set(), 1),
    ]
    assert [(p.msc, p.slug, p.accepted_on, p.release and p.release.version) for p in history.proposals] == [
        (7, "old-name", date(2019, 1, 1), "v1.1"),
        (12, "good-idea", date(2021, 8, 2), "v1.1"),  # of the merge, by UTC
        (33, "waits-renamed", date(2020, 5, 5), None),
        (40, "late", date(2024, 4, 4), None),
        (700, None, None, "v1.2"),
    ]
    assert history.as_of == date(2024, 5, 1)
    assert history.version == f"{spec.git('rev-parse', 'HEAD')[:12]}+{proposals.git('rev-parse', 'HEAD')[:12]}"


@pytest.mark.parametrize("text", ["", "no front matter", "date: soon", "---\ndate: 2021-13-45\n---"])
def test_a_changelog_without_its_day_is_none(text: str) -> None:
    assert parse_changelog("v1.1", text) is None


def test_what_is_no_such_checkout_is_told(checkouts: tuple[Repository, Repository], tmp_path: Path) -> None:
    spec, proposals = checkouts
    for one, other, what in ((proposals, proposals, "--spec"), (spec, spec, "--proposals")):
        with pytest.raises(UsageError, match=what):
            read_spec(one.path, other.path)
    plain = tmp_path / "plain"
    plain.mkdir()
    with pytest.raises(GitError):
        read_spec(spec.path, plain)
    shallow = tmp_path / "shallow"
    proposals.git("clone", "--quiet", "--depth=1", f"file://{proposals.path}", str(shallow))
    with pytest.raises(UsageError, match="unshallow"):
        read_spec(spec.path, shallow)


def test_metrics_show_what_was_imported_and_where_it_is_from(
    checkouts: tuple[Repository, Repository], tmp_path: Path
) -> None:
    spec, proposals = checkouts
    db = tmp_path / "census.duckdb"
    crawl(db, [online("a.test")])  # sealed on 24 Nov 2026
    arguments = ["import", "spec", "--spec", str(spec.path), "--proposals", str(proposals.path), "--db", str(db)]
    done = CliRunner().invoke(main, [*arguments, "--json"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout.splitlines()[-1])["accepted"] == 4
    rows = json.loads(CliRunner().invoke(main, ["metrics", "--json", "--db", str(db)]).stdout)
    found = {(row["metric"], row["dimension"]): row for row in rows}
    commit = spec.git("rev-parse", "HEAD")[:12]
    gaps = found["spec_releases", "median days between"]
    assert (gaps["value"], gaps["n"]) == ((85 + 779) / 2, 2)  # 9 Nov 2021, 2 Feb 2022, 22 Mar 2024
    assert f"matrix-spec {commit}, as of 01 May 2024" in gaps["method"]
    lag = found["spec_lag", "median"]
    # 1 Jan 2019 to 9 Nov 2021: 1043 days; 2 Aug to 9 Nov 2021: 99.
    assert (lag["value"], lag["n"], lag["coverage"]) == ((1043 + 99) / 2, 2, 0.5)


def test_a_later_import_takes_the_place_of_the_one_before(
    checkouts: tuple[Repository, Repository], tmp_path: Path
) -> None:
    spec, proposals = checkouts
    db = tmp_path / "census.duckdb"
    crawl(db, [online("a.test")])
    arguments = ["import", "spec", "--spec", str(spec.path), "--proposals", str(proposals.path), "--db", str(db)]
    assert CliRunner().invoke(main, arguments).exit_code == 0
    proposals.commit(EDITOR, "2025-01-01", {"proposals/50-new.md": "text"})
    assert CliRunner().invoke(main, arguments).exit_code == 0
    serving = publish(db)
    with duckdb.connect(str(serving), read_only=True) as connection:
        sources = connection.execute("SELECT source_id, replaced_at IS NULL FROM outside_source ORDER BY 1").fetchall()
        assert sources == [(1, False), (2, True)]
        kept = connection.execute("SELECT source_id, count(*) FROM spec_proposal GROUP BY 1").fetchall()
        assert kept == [(2, 6)]
