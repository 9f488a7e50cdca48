"""What the docs say of the program is held against the program."""

import glob
import re
import shlex
from pathlib import Path

import click
import duckdb
import pandas
import polars
import pytest
from click.testing import CliRunner

from crawler.engine.conformance import CHECKS
from crawler.errors import FailureKind
from matrix_census import main
from tests.store.census import crawl, publish
from tests.store.observations import online

ROOT = Path(__file__).resolve().parent.parent
PAGES = ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "docs/running.md")
_BLOCK = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)


def shown_commands() -> list[str]:
    """Every command line in a console block, continued lines joined, prompt and comment taken off."""
    commands = []
    for page in PAGES:
        for block in _BLOCK.findall((ROOT / page).read_text("utf-8")):
            lines = block.replace("\\\n", " ").splitlines()
            commands += [line[2:].partition("  #")[0].strip() for line in lines if line.startswith("$ ")]
    return commands


def test_the_docs_show_commands() -> None:
    assert "make demo" in shown_commands()
    assert "matrix-census crawl --contact me@example.org" in shown_commands()


@pytest.mark.parametrize("command", [c for c in shown_commands() if c.startswith("matrix-census ")])
def test_every_command_shown_is_one_that_the_program_takes(command: str) -> None:
    _, *arguments = shlex.split(command)
    at: click.Command = main
    while isinstance(at, click.Group):
        verb = arguments.pop(0)
        found = at.get_command(click.Context(at), verb)
        assert found is not None, verb
        at = found
    at.make_context(at.name, arguments)  # parses every option and argument, or raises


@pytest.mark.parametrize("command", [c for c in shown_commands() if c.startswith("make ")])
def test_every_make_target_shown_exists(command: str) -> None:
    _, target, *_ = command.split()
    assert re.search(rf"^{re.escape(target)}:", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)


def test_the_table_of_failures_is_the_enum() -> None:
    architecture = (ROOT / "ARCHITECTURE.md").read_text("utf-8")
    rows = re.findall(r"^\| `([a-z_]+)` \| ([a-z_]+) \| (.+) \|$", architecture, re.MULTILINE)
    assert [(kind, phase) for kind, phase, _ in rows] == [(kind.value, kind.phase.value) for kind in FailureKind]
    assert all(decided_by for _, _, decided_by in rows)


@pytest.mark.parametrize("page", [*PAGES, "CHANGELOG.md"])
def test_links_within_the_project_lead_somewhere(page: str) -> None:
    for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", (ROOT / page).read_text("utf-8")):
        assert (ROOT / target).exists(), target


def test_the_table_of_checks_is_the_list() -> None:
    architecture = (ROOT / "ARCHITECTURE.md").read_text("utf-8")
    rows = re.findall(r"^\| `([a-z_0-9]+\.[a-z_0-9]+)` \| (.+) \| (.+) \|$", architecture, re.MULTILINE)
    assert rows == [(check.id, check.title, check.source) for check in CHECKS]
    assert len({check.id for check in CHECKS}) == len(CHECKS)


def test_the_lines_for_researchers_read_an_export(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that run here run: duckdb as a library says what its command line says; R is not here."""
    readme = (ROOT / "README.md").read_text("utf-8")
    lines = dict(re.findall(r"^\| (duckdb|polars|pandas) \| `(.+)` \|$", readme, re.MULTILINE))
    assert set(lines) == {"duckdb", "polars", "pandas"}
    monkeypatch.chdir(tmp_path)
    crawl(tmp_path / "census.duckdb", [online("a.test"), online("b.test")])
    publish(tmp_path / "census.duckdb")
    for command in shown_commands():
        if command.startswith("matrix-census export census-") and "--since" not in command:
            done = CliRunner().invoke(main, [*shlex.split(command)[1:], "--db", "census.duckdb"])
            assert done.exit_code == 0, done.output
    done = CliRunner().invoke(main, ["export", "census-csv", "--format", "csv", "--db", "census.duckdb"])
    assert done.exit_code == 0, done.output
    asked = shlex.split(lines["duckdb"])[2]
    assert duckdb.sql(asked).fetchall() == [("synapse", 2)]
    assert eval(lines["polars"], {"pl": polars})["server_name"].to_list() == ["a.test", "b.test"]  # noqa: S307 - our page
    assert list(eval(lines["pandas"], {"pd": pandas, "glob": glob})["server_name"]) == ["a.test", "b.test"]  # noqa: S307 - likewise


QUERIES = [command for command in shown_commands() if command.startswith("matrix-census sql ")]


@pytest.mark.parametrize("command", QUERIES)
def test_every_query_shown_is_answered(command: str, tmp_path: Path) -> None:
    crawl(tmp_path / "census.duckdb", [online("a.test")])
    publish(tmp_path / "census.duckdb")
    done = CliRunner().invoke(main, [*shlex.split(command)[1:], "--db", str(tmp_path / "census.duckdb")])
    assert done.exit_code == 0, done.output
