"""Usage reports in the census file: kept for a while, summed with a census, never shown one by one."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner

from crawler.model.names import parse_server_name
from crawler.model.usage import FIELDS, Proof, ReceivedReport, UsageReport
from crawler.store import inbox
from crawler.store.drain import drain
from crawler.store.outside import importing
from crawler.store.usage import USAGE, content_of, settle
from matrix_census import main
from tests.store.census import crawl, publish
from tests.store.observations import DAY, online

HOUR, A_DAY = timedelta(hours=1), timedelta(days=1)
PAST = datetime(2024, 5, 1, 12, tzinfo=UTC)
"""Of files, which hold no reports of times that have not come."""


def query(path: Path, sql: str) -> list[tuple[object, ...]]:
    with duckdb.connect(str(path), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def report(name: str, at: datetime = DAY, proof: Proof = Proof.ADDRESS, **counts: int) -> ReceivedReport:
    counts = counts or {"total_users": 10}
    return ReceivedReport(UsageReport(parse_server_name(name), at, counts), at, proof, "Synapse/1.163.2")


def leave(path: Path, reports: Sequence[ReceivedReport]) -> None:
    for each in reports:
        inbox.append(path, USAGE, content_of(each), now=partial(getattr, each, "received_at"))
    drain(path)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    census = tmp_path / "census.duckdb"
    crawl(census, [online("a.test"), online("b.test"), online("c.test:8448")])
    return census


def sums(serving: Path) -> dict[str, tuple[int, int]]:
    with duckdb.connect(str(serving), read_only=True) as connection:
        rows = connection.execute("SELECT field, servers, total FROM usage_sum").fetchall()
    return {field: (servers, total) for field, servers, total in rows}


def reporting(serving: Path) -> set[tuple[str, bool, int]]:
    with duckdb.connect(str(serving), read_only=True) as connection:
        return set(connection.execute("SELECT proof, online, servers FROM usage_reporting").fetchall())


def test_of_each_online_server_the_last_verified_report_is_summed(path: Path) -> None:
    leave(
        path,
        [
            report("A.test", DAY - 2 * A_DAY, total_users=1),
            report("a.test", DAY - HOUR, total_users=100, r30v2_users_all=7),
            report("a.test", DAY, Proof.NONE, total_users=999),  # forged later: does not hide what was verified
            report("b.test", DAY + 2 * A_DAY, Proof.DNS, total_users=20),
            report("c.test:8448", DAY - 8 * A_DAY, total_users=5000),  # too long ago
            report("unseen.test", DAY, Proof.WELL_KNOWN, total_users=300),
            report("nobody.test", DAY, Proof.NONE, total_users=10_000),
        ],
    )
    serving = publish(path)
    assert sums(serving) == {"total_users": (2, 120), "r30v2_users_all": (1, 7)}
    assert reporting(serving) == {
        ("address", True, 1), ("dns", True, 1), ("well_known", False, 1), ("none", False, 1),
    }  # fmt: skip


def test_bridged_users_are_the_difference_of_servers_that_say_both(path: Path) -> None:
    # As many servers say the one as the other, but only one says both without contradicting itself.
    leave(
        path,
        [
            report("a.test", DAY, total_users=100, total_nonbridged_users=60),
            report("b.test", DAY, total_users=500),
            report("c.test:8448", DAY, total_nonbridged_users=300),
        ],
    )
    found = sums(publish(path))
    assert found["total_users"] == (2, 600)
    assert found["total_nonbridged_users"] == (2, 360)
    assert found["bridged_users"] == (1, 40)


def test_a_server_that_contradicts_itself_is_in_no_difference(path: Path) -> None:
    leave(path, [report("a.test", DAY, total_users=50, total_nonbridged_users=60)])
    assert "bridged_users" not in sums(publish(path))


def test_what_one_server_said_is_in_no_file_for_others(path: Path, tmp_path: Path) -> None:
    leave(path, [report("unseen.test", total_users=123_457)])
    serving = publish(path)
    assert query(serving, "SELECT count(*) FROM usage_report") == [(0,)]
    assert b"unseen.test" not in serving.read_bytes()
    done = CliRunner().invoke(main, ["export", str(tmp_path / "out"), "--db", str(path)])
    assert done.exit_code == 0, done.output
    names = {folder.name for folder in (tmp_path / "out").iterdir() if folder.is_dir()}
    assert {"usage_sum", "usage_reporting"} <= names
    assert not {"usage_report", "developer_day", "developer_salt"} & names


def test_the_same_entries_drained_twice_count_once(path: Path) -> None:
    reports = [report("a.test", total_users=3), report("a.test", DAY + HOUR, total_users=4)]
    leave(path, reports)
    leave(path, reports)
    assert query(path, "SELECT server_key, total_users FROM usage_report") == [("a.test", 4)]


def test_what_is_no_report_is_passed_over(path: Path) -> None:
    inbox.append(path, USAGE, {"homeserver": "a.test", "total_users": -1, "proof": "address"}, now=lambda: DAY)
    inbox.append(path, USAGE, {"homeserver": "a.test", "total_users": 1, "proof": "trust me"}, now=lambda: DAY)
    inbox.append(path, USAGE, {"homeserver": "a.test", "total_users": 1, "proof": []}, now=lambda: DAY)
    assert drain(path).refused == 3
    assert query(path, "SELECT count(*) FROM usage_report") == [(0,)]


def test_sums_stay_when_reports_go(path: Path) -> None:
    """The next census settles what belongs to the one before it; the reports are let go after their time."""
    leave(path, [report("a.test", DAY, total_users=11), report("b.test", DAY, Proof.NONE)])
    before = sums(publish(path))
    crawl(path, [online("a.test")])
    assert query(path, "SELECT crawl_id, field, total FROM usage_sum") == [(1, "total_users", 11)]
    with importing(path, lambda: DAY) as connection:
        settle(connection, DAY + 8 * A_DAY)
    assert query(path, "SELECT proof FROM usage_report") == [("address",)]
    with importing(path, lambda: DAY) as connection:
        settle(connection, DAY + 91 * A_DAY)
    assert query(path, "SELECT count(*) FROM usage_report") == [(0,)]
    assert sums(publish(path)) == before


def test_reports_of_the_practice_federation_are_not_of_the_real_one(path: Path) -> None:
    crawl(path, [online("real.test")], synthetic=False)
    leave(path, [report("real.test", DAY, total_users=8)])
    serving = publish(path)
    assert query(serving, "SELECT c.synthetic, total FROM usage_sum JOIN crawl c USING (crawl_id)") == [(False, 8)]


def test_the_unverified_cannot_fill_the_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crawler.store.usage.MOST_UNVERIFIED", 3)
    leave(path, [report(f"s{n}.test", DAY + n * HOUR, Proof.NONE) for n in range(9)] + [report("a.test")])
    kept = query(path, "SELECT server_key FROM usage_report ORDER BY received_at")
    assert kept == [("a.test",), ("s6.test",), ("s7.test",), ("s8.test",)]


def test_who_is_forgotten_reports_no_more(path: Path) -> None:
    leave(path, [report("c.test:8448"), report("never-met.test"), report("a.test", total_users=4)])
    done = CliRunner().invoke(main, ["forget", "c.test", "never-met.test", "--db", str(path)])
    assert done.exit_code == 0, done.output
    assert query(path, "SELECT server_key FROM usage_report") == [("a.test",)]
    assert b"never-met.test" not in path.read_bytes()
    leave(path, [report("c.test:8448"), report("a.test", DAY + HOUR, total_users=5)])
    assert query(path, "SELECT server_key, total_users FROM usage_report") == [("a.test", 5)]


def test_an_export_brings_sums_along(path: Path, tmp_path: Path) -> None:
    leave(path, [report("a.test", total_users=6)])
    publish(path)
    for arguments in (
        ["export", str(tmp_path / "out"), "--db", str(path)],
        ["import-snapshot", str(tmp_path / "out"), "--vantage", "there", "--db", str(tmp_path / "b")],
    ):
        done = CliRunner().invoke(main, arguments)
        assert done.exit_code == 0, done.output
    assert query(tmp_path / "b", "SELECT crawl_id, total FROM usage_sum") == [(-1, 6)]


def test_the_columns_are_the_fields(path: Path) -> None:
    columns = [
        name for (name,) in query(path, "SELECT column_name FROM duckdb_columns() WHERE table_name = 'usage_report'")
    ]
    assert tuple(columns[6:]) == FIELDS


class TestImport:
    """`import usage FILE`."""

    def run(self, path: Path, file: Path, *more: str) -> tuple[int, str]:
        done = CliRunner().invoke(main, ["import", "usage", str(file), "--db", str(path), *more])
        return done.exit_code, done.output

    CSV = (
        "homeserver,local_timestamp,remote_timestamp,total_users,r30v2_users_all,user_agent\n"
        f"a.test,{PAST:%Y-%m-%d %H:%M:%S},{PAST.timestamp():.0f},7,,Synapse/1.99 (x)\n"
        f"b.test,{PAST.timestamp():.0f},,9,2,\n"
        f"b.test,{PAST.timestamp():.0f},,many,2,\n"
        "c.test,,,1,,\n"
    )

    def test_what_somebody_vouches_for_is_summed(self, path: Path, tmp_path: Path) -> None:
        file = tmp_path / "reports.csv"
        file.write_text(self.CSV)
        code, output = self.run(path, file, "--verified")
        assert code == 0, output
        assert "2 of 4" in output
        assert "record 3: total_users" in output
        rows = query(path, "SELECT server_key, proof, software, total_users FROM usage_report ORDER BY ALL")
        assert rows == [("a.test", "file", "Synapse/1.99", 7), ("b.test", "file", None, 9)]
        source = "SELECT kind, name, as_of, listed, taken, length(version) FROM outside_source"
        assert query(path, source) == [("usage", "reports.csv", PAST.date(), 4, 2, 64)]
        code, output = self.run(path, file, "--verified")
        assert (code, "imported before" in output) == (2, True)

    def test_without_a_word_for_it_it_is_kept_apart(self, path: Path, tmp_path: Path) -> None:
        file = tmp_path / "reports.jsonl"
        file.write_text(
            f'{{"homeserver": "a.test", "timestamp": {PAST.timestamp():.0f}, "total_users": 4}}\n'
            '\n{"homeserver": 3}\nnonsense\n'
        )
        code, output = self.run(path, file)
        assert code == 0, output
        assert "not summed" in output
        assert query(path, "SELECT proof FROM usage_report") == [("none",)]

    @pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"[1, 2", b'[{"homeserver": "a.test"}]', b"{}"])
    def test_what_is_no_such_file_is_told(self, path: Path, tmp_path: Path, content: bytes) -> None:
        (tmp_path / "x").write_bytes(content)
        code, output = self.run(path, tmp_path / "x")
        assert code == 2, output
        assert output.count("\n") == 1
