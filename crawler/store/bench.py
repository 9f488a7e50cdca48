"""`bench store`: years of crawls through the real seal, beside the same days kept as full daily copies.

A federation is made up in SQL, day by day, with births and deaths, 1 % of servers and 5 % of rooms changing a day; each
day is put where the writer puts what it sees (`seen_*` and the journal), and sealed by the writer's own seal. The same
day is appended whole to a second file. What is asked of both afterwards are the same questions.

The days are written by INSERT ... SELECT, which stands for the batches of a crawl and is not part of any figure.
"""

import shutil
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

from crawler.model.crawl import CrawlState
from crawler.store.bench_world import DAY, FULL_APPEND, FULL_NAMES, FULL_TABLES, SEEN_DAY, STEP, WORLD
from crawler.store.connection import Connection, connect_to_read, connect_to_write, transaction
from crawler.store.crawls import series_of
from crawler.store.intervals import INTERVALS
from crawler.store.journal import JOURNAL, JOURNAL_DAYS
from crawler.store.publish import stage
from crawler.store.seal import seal
from crawler.store.upgrade import bring_up_to_date

T = TypeVar("T")

_FIRST = datetime(2025, 1, 1, tzinfo=UTC)
_ASKED = 5
"""Times that a question is asked; the median counts."""

_PARTICIPATION = ("room_participation",)
_TEXT = ("room_text", "known_room", "client_api", "server")


def bench_store(folder: Path, *, servers: int, rooms: int, days: int, told: Callable[[int], None]) -> dict[str, object]:
    """Measure.

    Args:
        folder: Where the files may lie; some gigabytes at full size.
        servers: Servers of the first day.
        rooms: Rooms of the first day; twice as many participations.
        days: Crawls.
        told: Is told each day that is done.

    Returns:
        What is printed, JSON-like: megabytes of 10^6 bytes, seconds, milliseconds.
    """
    census, full = folder / "census.duckdb", folder / "full.duckdb"
    seals: list[float] = []
    copies: list[float] = []
    with closing(connect_to_write(census)) as connection, closing(connect_to_write(full)) as whole:
        bring_up_to_date(connection, census, lambda: _FIRST)
        for statement in WORLD:
            connection.execute(statement.format(servers=servers, rooms=rooms, days=days))
        for statement in FULL_TABLES:
            whole.execute(statement)
        for day in range(1, days + 1):
            seals.append(_crawl(connection, census, day))
            copies.append(_copy(connection, whole, full, folder, day))
            told(day)
        _name(connection, whole, folder)
        counted = {table: _count(connection, table) for table in (*_tables(), *JOURNAL)}
        sizes = {name: _megabytes(connection, tables) for name, tables in _parts().items()}
        (room_id, server_name), *_ = connection.execute(_BUSIEST).fetchall()
    publish_s, serving = _timed(lambda: stage(census).commit())
    asked = {"room": room_id, "server": server_name}
    full_publish_s, full_copy = _timed(lambda: Path(shutil.copyfile(full, folder / "full-published.duckdb")))
    return {
        "servers": servers,
        "rooms": rooms,
        "days": days,
        "file_mb": sizes["intervals_and_text"],
        "participation_mb": sizes["participation"],
        "journal_mb": sizes["journal"],
        "serving_mb": round(serving.stat().st_size / 1e6, 1),
        "append_first_s": round(seals[1], 3),
        "append_last_s": round(statistics.median(seals[-5:]), 3),
        "publish_s": round(publish_s, 3),
        **_answers(serving, _QUESTIONS, asked),
        "tables": counted,
        "full_copies": {
            "file_mb": round(full.stat().st_size / 1e6, 1),
            "append_first_s": round(copies[1], 3),
            "append_last_s": round(statistics.median(copies[-5:]), 3),
            "publish_s": round(full_publish_s, 3),
            **_answers(full_copy, _FULL_QUESTIONS, asked),
        },
    }


def _crawl(connection: Connection, census: Path, day: int) -> float:
    at = _FIRST + timedelta(days=day)
    with transaction(connection, census):
        series = series_of(connection, "bench", synthetic=True)
        connection.execute(
            "INSERT INTO crawl (crawl_id, series_id, state, folded, scope, synthetic, vantage, crawler_version,"
            " started_at, settings) VALUES (?, ?, 'running', false, 'full', true, 'bench', 'bench', ?, '{}')",
            [day, series, at],
        )
        for statement in STEP:
            _run(connection, statement, day, at)
    with transaction(connection, census):
        for statement in SEEN_DAY:
            _run(connection, statement, day, at)
    seconds, _ = _timed(lambda: _seal(connection, census, day, at + timedelta(hours=3)))
    return seconds


def _seal(connection: Connection, census: Path, day: int, at: datetime) -> None:
    with transaction(connection, census):
        seal(connection, day, CrawlState.COMPLETED, at, "{}", JOURNAL_DAYS)


def _copy(connection: Connection, whole: Connection, full: Path, folder: Path, day: int) -> float:
    """The same day, whole. It is handed over in Parquet files, whose making is not timed; their reading is the price of
    full copies, and small beside it."""
    places = {}
    for name, query in DAY.items():
        places[name] = folder / f"{name}.parquet"
        connection.execute(f"COPY ({query.replace('$day', str(day))}) TO '{places[name]}' (FORMAT parquet)")

    def append() -> None:
        with transaction(whole, full):
            for name, statement in FULL_APPEND.items():
                whole.execute(statement.format(file=places[name]), [day])

    seconds, _ = _timed(append)
    return seconds


def _name(connection: Connection, whole: Connection, folder: Path) -> None:
    for name, query in FULL_NAMES.items():
        place = folder / f"{name}.parquet"
        connection.execute(f"COPY ({query}) TO '{place}' (FORMAT parquet)")
        whole.execute(f"INSERT INTO {name} SELECT * FROM read_parquet('{place}')")  # noqa: S608 - our own names
    whole.execute("CHECKPOINT")


def _run(connection: Connection, statement: str, day: int, at: datetime) -> None:
    values = {"day": day, "at": at}
    connection.execute(statement, {name: value for name, value in values.items() if f"${name}" in statement})


def _timed(action: Callable[[], T]) -> tuple[float, T]:
    began = time.perf_counter()
    value = action()
    return time.perf_counter() - began, value


def _count(connection: Connection, table: str) -> int:
    row = connection.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608 - our own names
    return int(row[0]) if row else 0


def _tables() -> Iterator[str]:
    yield from (interval.table for interval in INTERVALS)
    yield from _TEXT


def _parts() -> dict[str, tuple[str, ...]]:
    return {
        "intervals_and_text": tuple(table for table in _tables() if table not in _PARTICIPATION),
        "participation": _PARTICIPATION,
        "journal": JOURNAL,
    }


def _megabytes(connection: Connection, tables: tuple[str, ...]) -> float:
    """What tables hold of the file: their blocks of 256 KiB, as they lie after all those appends, not rewritten."""
    connection.execute("CHECKPOINT")
    blocks: set[int] = set()
    for table in tables:
        rows = connection.execute(
            f"SELECT DISTINCT block_id, additional_block_ids FROM pragma_storage_info('{table}') WHERE persistent"  # noqa: S608 - our own names
        ).fetchall()
        blocks.update(block for one, more in rows for block in (one, *(more or ())))
    return round(len(blocks - {-1}) * 262_144 / 1e6, 1)


def _answers(file: Path, questions: dict[str, tuple[str, ...]], asked: dict[str, str]) -> dict[str, float]:
    found = {}
    with closing(connect_to_read(file)) as connection:
        for name, statements in questions.items():
            slowest = 0.0
            for statement in statements:
                values = {key: value for key, value in asked.items() if f"${key}" in statement}
                times = [
                    _timed(lambda s=statement, v=values: connection.execute(s, v).fetchall())[0]  # type: ignore[misc]  # defaults bind the loop's values
                    for _ in range(_ASKED)
                ]
                slowest = max(slowest, statistics.median(times))
            found[name] = round(slowest * 1000, 1)
    return found


_BUSIEST = """
SELECT
    (SELECT room_id FROM room_life GROUP BY room_id ORDER BY count(*) DESC, room_id LIMIT 1),
    (SELECT server_name FROM server_life GROUP BY server_name ORDER BY count(*) DESC, server_name LIMIT 1)
"""

_QUESTIONS = {
    "online_series_ms": ("SELECT * FROM online_by_software",),
    "growth_ms": ("SELECT * FROM members_by_crawl",),
    "life_ms": (
        "SELECT * FROM room_life WHERE room_id = $room ORDER BY valid_from",
        "SELECT * FROM server_life WHERE server_name = $server ORDER BY valid_from",
    ),
}
"""Each is as slow as the slowest of its statements."""

_FULL_QUESTIONS = {
    "online_series_ms": ("SELECT day, software, count(*) FROM server_day WHERE online GROUP BY ALL ORDER BY ALL",),
    "growth_ms": ("SELECT day, count(*), sum(members) FROM room_day GROUP BY day ORDER BY day",),
    "life_ms": (
        "SELECT * FROM room_day JOIN room_name USING (room) WHERE room_id = $room ORDER BY day",
        "SELECT * FROM server_day JOIN server_name USING (server_id) WHERE server_name = $server ORDER BY day",
    ),
}
