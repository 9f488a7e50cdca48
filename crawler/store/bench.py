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
from crawler.store.bench_questions import BUSIEST, FULL_QUESTIONS, QUESTIONS, answers
from crawler.store.bench_world import DAY, FULL_NAMES, FULL_TABLES, GOES_ON, SEEN_DAY, STEP, WORLD
from crawler.store.connection import Connection, connect_to_write, transaction, within_memory, without_checkpoint
from crawler.store.crawls import series_of
from crawler.store.insert import literal
from crawler.store.intervals import INTERVALS
from crawler.store.journal import JOURNAL, JOURNAL_DAYS
from crawler.store.publish import stage
from crawler.store.rewrite import COMPACTED_EVERY, compact
from crawler.store.seal import seal
from crawler.store.serving import maintained, serving_file
from crawler.store.upgrade import bring_up_to_date

T = TypeVar("T")

_FIRST = datetime(2025, 1, 1, tzinfo=UTC)
_LAST = 5
"""Days at the end that are lived as a watch lives them, published each; their median counts."""

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
    bench = _Bench(folder)
    with closing(connect_to_write(bench.census)) as connection:
        bring_up_to_date(connection, bench.census, lambda: _FIRST)
        connection.execute(f"ATTACH {literal(str(bench.full))} AS whole")
        for statement in (*FULL_TABLES, *WORLD):
            connection.execute(statement.format(servers=servers, rooms=rooms, days=days))
        bench.put_aside(connection)
    for first, last in _stretches(days):
        with bench.taken_up() as connection:
            for day in range(first, last + 1):
                bench.live(connection, day)
                told(day)
            bench.put_aside(connection)
        if last > days - _LAST:
            bench.publish()
        if last % COMPACTED_EVERY == 0 and last < days:
            bench.compact()
    return {"servers": servers, "rooms": rooms, "days": days, **bench.outcome(days)}


def _stretches(days: int) -> Iterator[tuple[int, int]]:
    """Days between which the file is closed: to compact it, and of the last ones each, to publish it."""
    first = 1
    while first <= days:
        turn = first + COMPACTED_EVERY - 1 - (first - 1) % COMPACTED_EVERY
        last = first if first > days - _LAST else min(turn, days - _LAST)
        yield first, last
        first = last + 1


@dataclass(frozen=True, slots=True)
class _Took:
    """On a machine with nothing else to do, wall seconds; else the CPU seconds, of all threads, tell more."""

    wall_s: float
    cpu_s: float


class _Bench:
    """The files, and how long what was done to them took, in order."""

    def __init__(self, folder: Path) -> None:
        self.census, self.full = folder / "census.duckdb", folder / "full.duckdb"
        self._world = folder / "world.duckdb"
        self._full_published = folder / "full-published.duckdb"
        self._seals: list[_Took] = []
        self._closings: list[_Took] = []
        self._copies: list[_Took] = []
        self._copies_closings: list[_Took] = []
        self._anew: list[_Took] = []
        self._grown: list[_Took] = []
        self._compacted: list[_Took] = []

    def live(self, connection: Connection, day: int) -> None:
        """One day: a crawl, sealed, and the same day as a full copy. What either left in its log goes into its file, as
        it does when a crawl closes it."""
        self._seals.append(_crawl(connection, self.census, day))
        self._closings.append(_timed(lambda: connection.execute("CHECKPOINT"))[0])
        self._copies.append(_copy(connection, self.full, day))
        self._copies_closings.append(_timed(lambda: connection.execute("CHECKPOINT whole"))[0])

    def publish(self) -> None:
        """Publish as a crawl does: what is new, or all of it where the file was written anew since."""
        anew = serving_file(self.census) is None or maintained(self.census) is not None
        took, _ = _timed(lambda: stage(self.census).commit())
        (self._anew if anew else self._grown).append(took)

    def compact(self) -> None:
        """Compact as a crawl does in its turn."""
        self._compacted.append(_timed(lambda: compact(self.census))[0])

    def put_aside(self, connection: Connection) -> None:
        """To publish and to compact, the census file must be closed; what goes on is in temporary tables."""
        self._world.unlink(missing_ok=True)
        connection.execute(f"ATTACH {literal(str(self._world))} AS aside")
        for table in GOES_ON:
            connection.execute(f"CREATE TABLE aside.{table} AS FROM temp.{table}")
        connection.execute("DETACH aside")

    @contextmanager
    def taken_up(self) -> Iterator[Connection]:
        """Both files open, with what was put aside."""
        with closing(connect_to_write(self.census)) as connection:
            connection.execute(f"ATTACH {literal(str(self.full))} AS whole")
            connection.execute(f"ATTACH {literal(str(self._world))} AS aside (READ_ONLY)")
            for table in GOES_ON:
                connection.execute(f"CREATE TEMP TABLE {table} AS FROM aside.{table}")
            connection.execute("DETACH aside")
            yield connection

    def outcome(self, days: int) -> dict[str, object]:
        """What is printed of it, at the end."""
        with self.taken_up() as connection:
            for name, query in FULL_NAMES.items():
                connection.execute(f"INSERT INTO whole.{name} {query}")
            connection.execute("CHECKPOINT whole")
            counted = {table: _count(connection, table) for table in (*_tables(), *JOURNAL)}
            sizes = {name: _megabytes(connection, tables) for name, tables in _parts().items()}
            changed = {name: _changed(connection, table, days) for name, table in _CHANGING.items()}
            (room_id, server_name), *_ = connection.execute(BUSIEST).fetchall()
        serving = serving_file(self.census)
        if serving is None:
            raise ValueError("nothing was published")
        asked = {"room": room_id, "server": server_name}
        full_publish, full_copy = _timed(lambda: Path(shutil.copyfile(self.full, self._full_published)))
        return {
            "changed_last_day": changed,
            "file_mb": sizes["intervals_and_text"],
            "participation_mb": sizes["participation"],
            "journal_mb": sizes["journal"],
            "serving_mb": round(serving.stat().st_size / 1e6, 1),
            **_first_and_last("append", self._seals),
            **_first_and_last("checkpoint", self._closings),
            **_median("publish", self._grown),
            **_median("publish_anew", self._anew),
            "compacted_times": len(self._compacted),
            "days_since_compacted": days - COMPACTED_EVERY * len(self._compacted),
            **_median("compact", self._compacted[-1:]),
            **answers(serving, QUESTIONS, asked),
            "tables": counted,
            "full_copies": {
                "file_mb": round(self.full.stat().st_size / 1e6, 1),
                **_first_and_last("append", self._copies),
                **_first_and_last("checkpoint", self._copies_closings),
                **_median("publish", [full_publish]),
                **answers(full_copy, FULL_QUESTIONS, asked),
            },
        }


def _first_and_last(what: str, days: Sequence[_Took]) -> dict[str, float | None]:
    return {**_median(f"{what}_first", days[1:2]), **_median(f"{what}_last", days[-_LAST:])}


def _median(what: str, took: Sequence[_Took]) -> dict[str, float | None]:
    """None of what never was."""
    return {
        f"{what}_s": round(statistics.median(each.wall_s for each in took), 3) if took else None,
        f"{what}_cpu_s": round(statistics.median(each.cpu_s for each in took), 3) if took else None,
    }


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
    with without_checkpoint(connection), within_memory(connection, census), transaction(connection, census):
        seal(connection, day, CrawlState.COMPLETED, at, "{}", JOURNAL_DAYS)


def _copy(connection: Connection, full: Path, day: int) -> _Took:
    """The same day, whole; it is made up before it is timed, as what a crawl has seen is."""
    for name, query in DAY.items():
        _run(connection, f"CREATE OR REPLACE TEMP TABLE whole_{name} AS {query}", day, _FIRST)

    def append() -> None:
        with without_checkpoint(connection), transaction(connection, full):
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


def _changed(connection: Connection, table: str, day: int) -> float:
    """Rows that began on a day, of those that stand."""
    row = connection.execute(
        f"SELECT count(*) FILTER (valid_from = ?) / count(*) FROM {table} WHERE valid_to IS NULL",  # noqa: S608 - our own names
        [day],
    ).fetchone()
    return round(row[0], 4) if row else 0.0


_CHANGING = {"servers": "server_state", "rooms": "room_state", "participations": "room_participation"}
