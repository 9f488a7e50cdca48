"""`metrics`: rows for programs, lines for pipes, one clear line when there is no census."""

import csv
import io
import json
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from analytics.cli import alerts, metrics
from analytics.cli_audit import draw_verb
from analytics.cli_report import report
from crawler.errors import StoreError, UsageError
from crawler.model.crawl import CrawlScope, CrawlState
from tests.dashboard.federation import publish, write_census

KEYS = [
    "metric", "dimension", "value", "lo", "hi", "interval_kind", "n", "coverage", "unit", "window", "denominator",
    "grade", "method", "snapshot", "at", "synthetic", "crawler_version",
]  # fmt: skip


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("metrics") / "census.duckdb"
    write_census(path, servers=40, identity=None)
    write_census(path, servers=10, seed=5, scope=CrawlScope.LIMITED)
    publish(path)
    return path


def run(*arguments: str) -> str:
    result = CliRunner().invoke(metrics, list(arguments), catch_exceptions=False)
    assert result.exit_code == 0
    return result.output


def test_json_is_a_list_of_rows_in_the_shape_that_stays(db: Path) -> None:
    rows = json.loads(run("--db", str(db), "--json"))
    assert all(list(row) == KEYS for row in rows)
    by_predicate = {row["dimension"]: row["value"] for row in rows if row["metric"] == "servers"}
    assert by_predicate["known"] == 43
    assert by_predicate["resolves"] >= by_predicate["online"] >= by_predicate["federating"]
    assert by_predicate["accepting"] is None
    assert {row["snapshot"] for row in rows} == {1}
    assert {row["synthetic"] for row in rows} == {True}


def test_a_pipe_gets_one_line_for_each_row(db: Path) -> None:
    header, *lines = run("--db", str(db)).splitlines()
    rows = json.loads(run("--db", str(db), "--json"))
    assert header.split("\t")[:3] == ["metric", "dimension", "value"]
    assert len(lines) == len(rows)
    assert all(len(line.split("\t")) == len(header.split("\t")) for line in lines)


def test_a_limited_crawl_is_shown_only_when_asked_for(db: Path) -> None:
    rows = json.loads(run("--db", str(db), "--json", "--crawl", "2"))
    assert {row["snapshot"] for row in rows} == {2}


def complaint(*arguments: str) -> str:
    result = CliRunner().invoke(metrics, list(arguments))
    assert isinstance(result.exception, UsageError)
    assert result.output == ""
    return str(result.exception)


@pytest.mark.parametrize(
    ("command", "arguments"), [(metrics, ()), (metrics, ("--series",)), (alerts, ()), (report, ()), (draw_verb, ())]
)
def test_what_was_never_published_is_to_be_published(
    tmp_path: Path, command: click.Command, arguments: tuple[str, ...]
) -> None:
    """A census file with a census in it needs no other crawl."""
    path = tmp_path / "census.duckdb"
    asked = [*arguments, "--db", str(path)]
    missing = CliRunner().invoke(command, asked)
    assert isinstance(missing.exception, StoreError)
    assert "there is no census file" in str(missing.exception)
    write_census(path, servers=5)
    unpublished = CliRunner().invoke(command, asked)
    assert isinstance(unpublished.exception, StoreError)
    assert f"matrix-census publish --db {path}" in str(unpublished.exception)
    assert unpublished.output == ""


def test_no_census_is_one_clear_line(tmp_path: Path) -> None:
    path = tmp_path / "census.duckdb"
    write_census(path, servers=5, scope=CrawlScope.LIMITED)
    write_census(path, servers=5, state=CrawlState.CANCELLED)
    publish(path)
    said = complaint("--db", str(path), "--json")
    assert "matrix-census crawl --contact" in said
    assert "\n" not in said


def test_an_unknown_crawl_is_one_clear_line(db: Path) -> None:
    assert "no sealed crawl 7" in complaint("--db", str(db), "--crawl", "7")


def test_csv_has_every_column_and_defuses_what_a_spreadsheet_would_run(db: Path) -> None:
    lines = list(csv.DictReader(io.StringIO(run("--db", str(db), "--csv"))))
    rows = json.loads(run("--db", str(db), "--json"))
    assert list(lines[0]) == KEYS
    assert len(lines) == len(rows)
    assert [line["value"] == "" for line in lines] == [row["value"] is None for row in rows]
    assert not any(line["dimension"].startswith(("=", "+", "-", "@")) for line in lines)


def test_a_series_has_every_census_and_no_limited_crawl(db: Path) -> None:
    rows = json.loads(run("--db", str(db), "--series", "--json"))
    assert {row["snapshot"] for row in rows} == {1}
    assert rows == json.loads(run("--db", str(db), "--json"))


@pytest.mark.parametrize("wanted", ["3", "servers_estimated", "concentration_by_network"])
def test_explain_says_what_a_metric_means_without_a_census(wanted: str) -> None:
    said = run("--explain", wanted)
    assert "Rows:" in said
    parts = json.loads(run("--explain", wanted, "--json"))
    assert all(part["title"] and part["meaning"] for part in parts["metrics"])
    if wanted != "concentration_by_network":
        assert "the number of online servers in the open federation" in said
        assert parts["number"] == 3


def test_explaining_what_is_not_there_names_what_is() -> None:
    assert "servers_by_software" in complaint("--explain", "42")


def test_alerts_compare_the_two_newest_censuses_and_end_with_a_code_for_cron(tmp_path: Path) -> None:
    path = tmp_path / "census.duckdb"
    write_census(path, servers=90, seed=1)
    publish(path)
    one = CliRunner().invoke(alerts, ["--db", str(path)], catch_exceptions=False)
    assert (one.exit_code, one.stdout) == (0, "")
    assert "alerts compare two" in one.stderr
    write_census(path, servers=60, seed=1)
    publish(path)
    two = CliRunner().invoke(alerts, ["--db", str(path), "--json"], catch_exceptions=False)
    assert two.exit_code == 1
    moved = {(alert["metric"], alert["dimension"]) for alert in json.loads(two.stdout)}
    assert ("servers", "online") in moved
    plain = CliRunner().invoke(alerts, ["--db", str(path)], catch_exceptions=False)
    assert "fell by more than" in plain.stdout
