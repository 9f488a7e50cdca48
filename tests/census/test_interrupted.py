"""What a crawl that does not come to its end leaves behind."""

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from crawler.store.inbox import append, inbox_folder
from crawler.store.serving import serving_file
from tests.census.practice import COMMAND, LONGEST_S, PACE, Practice, census, environment, practice, rows

LEAST_SEEN = 20

QUICK = [*PACE, "--set", "limits.dns_timeout_s=4", "--set", "limits.connect_timeout_s=4"]
"""Nothing here asks whether a silent server is called silent, only how long it holds the crawl."""


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Practice]:
    with practice(tmp_path_factory.mktemp("interrupted"), 120) as lab:
        yield lab


def status(db: Path) -> list[dict[str, Any]]:
    told = census("status", "--json", "--db", str(db))
    assert told.returncode == 0, told.stderr
    crawls: list[dict[str, Any]] = json.loads(told.stdout)
    return crawls


def started(lab: Practice, db: Path) -> subprocess.Popen[str]:
    """A crawl that has committed something and is far from its end: silent servers hold it for 20 seconds and more."""
    command = [*COMMAND, "crawl", "--db", str(db), *QUICK, *lab.options()]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment())
    progress = db.parent / "crawl-status.json"
    for _ in range(600):
        time.sleep(0.1)
        assert process.poll() is None, process.communicate()
        if progress.is_file():
            told = json.loads(progress.read_text())
            if told["state"] == "running" and (told["servers"] or 0) >= LEAST_SEEN:
                return process
    raise AssertionError("the crawl committed nothing in a minute")


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_crawl_is_cancelled_and_keeps_what_it_saw(
    lab: Practice, tmp_path: Path, sent: signal.Signals
) -> None:
    db = tmp_path / "census.duckdb"
    process = started(lab, db)
    process.send_signal(sent)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "cancelled" in out
    (crawl,) = status(db)
    assert crawl["state"] == "cancelled"
    assert crawl["servers"] >= LEAST_SEEN
    assert crawl["finished_at"] is not None
    assert serving_file(db) is None  # no census, so nothing is shown


def test_a_killed_crawl_leaves_earlier_ones_whole_and_is_no_census(lab: Practice, tmp_path: Path) -> None:
    db = tmp_path / "census.duckdb"
    first = census("crawl", "--db", str(db), *QUICK, *lab.options())
    assert first.returncode == 0, first.stderr
    published = serving_file(db)
    assert published is not None
    whole = rows(published, "SELECT * FROM server_observation ORDER BY server_id")

    process = started(lab, db)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=60)

    assert [crawl["state"] for crawl in status(db)] == ["running", "completed"]  # until the next start calls it failed
    assert [row["crawl_id"] for row in rows(published, "SELECT crawl_id FROM crawl")] == [1]
    metrics = census("metrics", "--json", "--db", str(db))
    assert metrics.returncode == 0, metrics.stderr

    third = census("crawl", "--db", str(db), "--max-servers", "3", *QUICK, *lab.options())
    assert third.returncode == 0, third.stderr
    crawls = status(db)
    assert [(crawl["id"], crawl["state"], crawl["scope"]) for crawl in crawls] == [
        (3, "completed", "limited"),
        (2, "failed", "full"),
        (1, "completed", "full"),
    ]
    newest = serving_file(db)
    assert newest is not None
    assert newest != published
    assert [row["crawl_id"] for row in rows(newest, "SELECT crawl_id FROM census")] == [1]
    assert rows(newest, "SELECT * FROM server_observation WHERE crawl_id = 1 ORDER BY server_id") == whole
    assert rows(newest, "SELECT count(*) AS n FROM server_observation WHERE crawl_id = 2") == [{"n": 0}]


def test_two_crawls_of_one_file_do_not_meet(lab: Practice, tmp_path: Path) -> None:
    db = tmp_path / "census.duckdb"
    process = started(lab, db)
    try:
        second = census("crawl", "--db", str(db), *QUICK, *lab.options("serve_key", "tls_cert", "tls_key"))
        assert second.returncode == 2
        assert str(process.pid) in second.stderr
        assert len(second.stderr.strip().splitlines()) == 1
    finally:
        process.kill()
        process.communicate(timeout=60)


TEXTS = """
SELECT t.table_name, column_name FROM duckdb_columns() c JOIN duckdb_tables() t USING (table_oid)
WHERE c.data_type IN ('VARCHAR', 'JSON')
"""


def test_what_comes_into_the_inbox_while_a_crawl_runs_is_taken_in_after_it(lab: Practice, tmp_path: Path) -> None:
    db = tmp_path / "census.duckdb"
    process = started(lab, db)
    # The crawl holds the census file: whoever has something to say leaves it beside.
    wish = min(lab.truth["seeds"])
    append(db, "forget", {"subject": wish})
    append(db, "word", {"for": "later"})
    append(db, "word", {"for": "later"})
    assert (inbox_folder(db) / "new.jsonl").exists()
    _, err = process.communicate(timeout=LONGEST_S)
    assert process.returncode == 0, err
    assert [file.name for file in inbox_folder(db).glob("*.jsonl")] == []
    assert [(row["kind"], json.loads(row["content"])) for row in rows(db, "SELECT * FROM inbox_entry")] == [
        ("word", {"for": "later"}),
        ("word", {"for": "later"}),
    ]
    serving = serving_file(db)
    assert serving is not None
    # Granted after its visit and before publishing: it stands in none of the files, and they add up without it.
    assert rows(db, "SELECT count(*) AS n FROM suppression") == [{"n": 1}]
    named = rf"(?i)(^|[^a-z0-9._-]){re.escape(wish)}($|[^a-z0-9.-])"
    for file in (db, *serving.parent.glob("*.duckdb")):
        for place in rows(file, TEXTS):
            text = f'"{place["column_name"]}"::VARCHAR'
            held = rows(file, f"""SELECT {text} FROM "{place["table_name"]}" WHERE regexp_matches({text}, '{named}')""")
            assert held == [], place
    verified = census("verify", "--db", str(db))
    assert verified.returncode == 0, verified.stdout + verified.stderr
