"""`bench store`: years of crawls through the real seal, beside the same days kept as full daily copies.

A federation is made up in SQL, day by day, with births and deaths, 1 % of servers and 5 % of rooms changing a day; each
day is put where the writer puts what it sees (`seen_*` and the journal), and sealed by the writer's own seal. The same
day is appended whole to a second file. What is asked of both afterwards are the same questions.

The days are written by INSERT ... SELECT, which stands for the batches of a crawl and is not part of any figure.
"""

import shutil
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

from crawler.model.crawl import CrawlState
from crawler.store.bench_world import DAY, FULL_NAMES, FULL_TABLES, GOES_ON, SEEN_DAY, STEP, WORLD
from crawler.store.connection import Connection, connect_to_read, connect_to_write, transaction
from crawler.store.crawls import series_of
from crawler.store.insert import literal
from crawler.store.intervals import INTERVALS
from crawler.store.journal import JOURNAL, JOURNAL_DAYS
from crawler.store.publish import stage
from crawler.store.rewrite import COMPACTED_EVERY, compact
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
        What is printed, JSON-like: megabytes of 10^6 bytes, seconds (wall, and CPU of all threads), milliseconds.
    """
    census, full, world = folder / "census.duckdb", folder / "full.duckdb", folder / "world.duckdb"
    seals: list[_Took] = []
    copies: list[_Took] = []

    def live(connection: Connection, day: int) -> None:
        seals.append(_crawl(connection, census, day))
        copies.append(_copy(connection, full, day))
        told(day)

    with closing(connect_to_write(census)) as connection:
        bring_up_to_date(connection, census, lambda: _FIRST)
        connection.execute(f"ATTACH {literal(str(full))} AS whole")
        for statement in (*FULL_TABLES, *WORLD):
            connection.execute(statement.format(servers=servers, rooms=rooms, days=days))
        _put_aside(connection, world)
    # As on any day the last finds a file that is compacted now and then, and a serving file to grow from.
    anew = _Took(0, 0)
    for first in range(1, days, COMPACTED_EVERY):
        last = min(first + COMPACTED_EVERY, days) - 1
        with _taken_up(census, full, world) as connection:
            for day in range(first, last + 1):
                live(connection, day)
            _put_aside(connection, world)
        if last % COMPACTED_EVERY == 0:
            compact(census)
        if last == days - 1:
            anew, _ = _timed(lambda: stage(census).commit())
    with _taken_up(census, full, world) as connection:
        live(connection, days)
        for name, query in FULL_NAMES.items():
            connection.execute(f"INSERT INTO whole.{name} {query}")
        counted = {table: _count(connection, table) for table in (*_tables(), *JOURNAL)}
        sizes = {name: _megabytes(connection, tables) for name, tables in _parts().items()}
        changed = {name: _changed(connection, table, days) for name, table in _CHANGING.items()}
        (room_id, server_name), *_ = connection.execute(_BUSIEST).fetchall()
        connection.execute("CHECKPOINT whole")
    publish, serving = _timed(lambda: stage(census).commit())
    asked = {"room": room_id, "server": server_name}
    full_publish, full_copy = _timed(lambda: Path(shutil.copyfile(full, folder / "full-published.duckdb")))
    return {
        "servers": servers,
        "rooms": rooms,
        "days": days,
        "changed_last_day": changed,
        "file_mb": sizes["intervals_and_text"],
        "participation_mb": sizes["participation"],
        "journal_mb": sizes["journal"],
        "serving_mb": round(serving.stat().st_size / 1e6, 1),
        **_appended(seals),
        "publish_s": publish.wall_s,
        "publish_cpu_s": publish.cpu_s,
        "publish_anew_s": anew.wall_s,
        "publish_anew_cpu_s": anew.cpu_s,
        **_answers(serving, _QUESTIONS, asked),
        "tables": counted,
        "full_copies": {
            "file_mb": round(full.stat().st_size / 1e6, 1),
            **_appended(copies),
            "publish_s": full_publish.wall_s,
            "publish_cpu_s": full_publish.cpu_s,
            **_answers(full_copy, _FULL_QUESTIONS, asked),
        },
    }


@dataclass(frozen=True, slots=True)
class _Took:
    """On a machine with nothing else to do, wall seconds; else the CPU seconds, of all threads, tell more."""

    wall_s: float
    cpu_s: float


def _appended(days: Sequence[_Took]) -> dict[str, float]:
    last = days[-5:]
    return {
        "append_first_s": days[1].wall_s,
        "append_last_s": statistics.median(day.wall_s for day in last),
        "append_first_cpu_s": days[1].cpu_s,
        "append_last_cpu_s": statistics.median(day.cpu_s for day in last),
    }


def _put_aside(connection: Connection, world: Path) -> None:
    """To publish and to compact, the census file must be closed; what goes on between days is in temporary tables."""
    world.unlink(missing_ok=True)
    connection.execute(f"ATTACH {literal(str(world))} AS aside")
    for table in GOES_ON:
        connection.execute(f"CREATE TABLE aside.{table} AS FROM temp.{table}")
    connection.execute("DETACH aside")


@contextmanager
def _taken_up(census: Path, full: Path, world: Path) -> Iterator[Connection]:
    with closing(connect_to_write(census)) as connection:
        connection.execute(f"ATTACH {literal(str(full))} AS whole")
        connection.execute(f"ATTACH {literal(str(world))} AS aside (READ_ONLY)")
        for table in GOES_ON:
            connection.execute(f"CREATE TEMP TABLE {table} AS FROM aside.{table}")
        connection.execute("DETACH aside")
        yield connection


def _crawl(connection: Connection, census: Path, day: int) -> _Took:
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
    took, _ = _timed(lambda: _seal(connection, census, day, at + timedelta(hours=3)))
    return took


def _seal(connection: Connection, census: Path, day: int, at: datetime) -> None:
    with transaction(connection, census):
        seal(connection, day, CrawlState.COMPLETED, at, "{}", JOURNAL_DAYS)


def _copy(connection: Connection, full: Path, day: int) -> _Took:
    """The same day, whole; it is made up before it is timed, as what a crawl has seen is."""
    for name, query in DAY.items():
        _run(connection, f"CREATE OR REPLACE TEMP TABLE whole_{name} AS {query}", day, _FIRST)

    def append() -> None:
        with transaction(connection, full):
            for name in DAY:
                connection.execute(f"INSERT INTO whole.{name} SELECT ?, * FROM temp.whole_{name}", [day])  # noqa: S608 - our own names

    took, _ = _timed(append)
    return took


def _run(connection: Connection, statement: str, day: int, at: datetime) -> None:
    values = {"day": day, "at": at}
    connection.execute(statement, {name: value for name, value in values.items() if f"${name}" in statement})


def _timed(action: Callable[[], T]) -> tuple[_Took, T]:
    began, cpu = time.perf_counter(), time.process_time()
    value = action()
    return _Took(round(time.perf_counter() - began, 3), round(time.process_time() - cpu, 3)), value


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
            found[name] = max(_asked_ms(connection, statement, asked) for statement in statements)
    return found


def _asked_ms(connection: Connection, statement: str, asked: dict[str, str]) -> float:
    values = {key: value for key, value in asked.items() if f"${key}" in statement}
    times = []
    for _ in range(_ASKED):
        began = time.perf_counter()
        connection.execute(statement, values).fetchall()
        times.append(time.perf_counter() - began)
    return round(statistics.median(times) * 1000, 1)


def _changed(connection: Connection, table: str, day: int) -> float:
    """Rows that began on a day, of those that stand."""
    row = connection.execute(
        f"SELECT count(*) FILTER (valid_from = ?) / count(*) FROM {table} WHERE valid_to IS NULL",  # noqa: S608 - our own names
        [day],
    ).fetchone()
    return round(row[0], 4) if row else 0.0


_CHANGING = {"servers": "server_state", "rooms": "room_state", "participations": "room_participation"}

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
