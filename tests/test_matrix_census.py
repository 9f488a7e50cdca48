"""The roof: how errors become one line and an exit code."""

import socket
import subprocess
import sys
from pathlib import Path

import click
import duckdb
import pytest
from click.testing import CliRunner

from crawler.store.writer import CensusWriter
from matrix_census import VERBS, Verbs, main


def _caused(error: BaseException, cause: BaseException) -> BaseException:
    error.__cause__ = cause
    return error


def census(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "matrix_census", *arguments]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=60, cwd=cwd)


def test_help_lists_every_verb_and_teaches() -> None:
    told = census("--help")
    assert told.returncode == 0
    for verb in VERBS:
        assert f"  {verb} " in told.stdout
    assert "Exit codes" in told.stdout


def test_help_does_not_load_the_whole_house() -> None:
    probe = "import sys, matrix_census; sys.exit(bool({'dash', 'polars', 'duckdb', 'httpx'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", probe], check=False, timeout=60).returncode == 0


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help(verb: str) -> None:
    told = census(verb, "--help")
    assert told.returncode == 0
    assert "Usage:" in told.stdout


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["check", "bad..name"], "no server name"),
        (["crawl", "bad..name", "--contact", "x@example.org"], "no server name"),
        (["crawl", "example.org"], "--contact"),
        (["crawl", "--contact", "x", "--seeds", "absent.txt"], "absent.txt"),
        (["crawl", "--contact", "x", "--set", "limits.nonsense=1"], "limits.nonsense"),
        (["crawl", "--contact", "x", "--set", "limits.concurrency=many"], "whole number"),
        (["crawl", "--contact", "x", "--set", "limits.concurrency=0"], "more than 0"),
        (["crawl", "--contact", "x", "--config", "absent.toml"], "absent.toml"),
        (["crawl", "--contact", "x", "--identity", "absent.json"], "identity new"),
        (["crawl", "--contact", "x", "--serve-key", "0.0.0.0:1"], "go together"),
        (["crawl", "--allow-address", "everything"], "--allow-address"),
        (["crawl", "--allow-address", "127.0.0.0/8", "--connect", "nonsense"], "--connect"),
        (["crawl", "--contact", "x", "--dns", "dns.example:53"], "--dns"),
        (["crawl", "--contact", "x", "--ca", "absent.pem"], "absent.pem"),
        (["metrics", "--db", "absent.duckdb"], "absent.duckdb"),
    ],
)
def test_bad_input_answers_with_one_line_and_exit_code_2(arguments: list[str], says: str, tmp_path: Path) -> None:
    told = census(*arguments, cwd=tmp_path)
    assert told.returncode == 2, told.stderr
    assert says in told.stderr
    assert len([line for line in told.stderr.splitlines() if line.strip()]) == 1, told.stderr
    assert "Traceback" not in told.stderr


def test_a_port_in_use_is_said_in_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        told = census("serve", "--port", str(port), "--db", str(tmp_path / "census.duckdb"))
    assert told.returncode == 2
    assert str(port) in told.stderr
    assert len(told.stderr.strip().splitlines()) == 1


def test_a_file_of_a_newer_schema_is_refused_with_what_to_do(tmp_path: Path) -> None:
    db = tmp_path / "census.duckdb"
    with CensusWriter.open(db):
        pass
    with duckdb.connect(str(db)) as connection:
        connection.execute("INSERT INTO schema_migration SELECT 9999, 'from the future', now()")
    for arguments in (["status"], ["crawl", "--allow-address", "127.0.0.0/8", "--dns", "127.0.0.1:1", "x.test"]):
        told = census(*arguments, "--db", str(db))
        assert told.returncode == 2, told.stderr
        assert "newer" in told.stderr or "upgrade" in told.stderr.lower()
        assert "Traceback" not in told.stderr


@pytest.mark.parametrize(
    "ends",
    [
        KeyboardInterrupt(),
        BaseExceptionGroup("a nursery", [KeyboardInterrupt()]),
        _caused(RuntimeError("what DuckDB makes of it"), KeyboardInterrupt()),
    ],
)
def test_whatever_ctrl_c_becomes_on_its_way_it_is_one_line_and_code_130(
    ends: BaseException, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped() -> None:
        raise ends

    verb = click.Command("status", callback=stopped)
    monkeypatch.setattr(Verbs, "get_command", lambda _self, _ctx, _name: verb)
    told = CliRunner().invoke(main, ["status"])
    assert (told.exit_code, told.stderr) == (130, "matrix-census: stopped\n")


@pytest.mark.parametrize(
    "fault", [RuntimeError("a fault of ours"), BaseExceptionGroup("two", [KeyboardInterrupt(), OSError()])]
)
def test_a_fault_of_ours_is_no_ctrl_c(fault: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    def failed() -> None:
        raise fault

    verb = click.Command("status", callback=failed)
    monkeypatch.setattr(Verbs, "get_command", lambda _self, _ctx, _name: verb)
    with pytest.raises(type(fault)):
        CliRunner().invoke(main, ["status"], catch_exceptions=False)


def test_what_is_no_census_file_is_refused(tmp_path: Path) -> None:
    db = tmp_path / "census.duckdb"
    db.write_text("not a database")
    told = census("status", "--db", str(db))
    assert told.returncode == 2
    assert "Traceback" not in told.stderr
