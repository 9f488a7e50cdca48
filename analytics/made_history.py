"""A year of made-up censuses, published with the numbers of every day: what `bench dashboard` serves.

Apart from `steps`, which computes a census once at its own publish: to compute those of a whole year at once would take
hours. Here the newest is computed as always; the rows of the days before are the newest's, smaller the older they are,
so that lines rise and no two days are alike. `bench dashboard` measures how much there is to send, not what it says.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from random import Random

from analytics.load import census_ids
from analytics.load_frames import load_frames
from analytics.load_history import load_lives, load_version_stays
from analytics.mission import Gathered, snapshot_rows
from analytics.schemas import MetricRow
from analytics.steps import store_history, store_newest, store_rows
from crawler.store.bench_history import write_history
from crawler.store.publish import stage

_SEED = 1
_FIRST_DAY_SHARE = 0.6
"""Of the newest census's numbers, what the first day's are; days move by as much as a twentieth beside the line."""
_MOVES = 0.05


def make_published_history(census: Path, *, servers: int, rooms: int, days: int, say: Callable[[str], None]) -> None:
    """Write a census file with a history and publish it.

    Args:
        census: Where; not there yet.
        servers: Servers of the first day.
        rooms: Rooms of the first day.
        days: Censuses, one a day.
        say: Is told what is being done.
    """
    say(f"writing {days} days of {servers} servers and {rooms} rooms")
    write_history(census, servers=servers, rooms=rooms, days=days)
    with stage(census) as draft:
        ids = census_ids(draft.path)
        say(f"computing the numbers of census {ids[-1]}")
        frames = load_frames(draft.path, ids[-1:])
        (snapshot,) = frames.snapshots
        lives, stays = load_lives(draft.path, ids[-1]), load_version_stays(draft.path, ids[-1])
        gathered = Gathered.of(snapshot, frames, lives, stays)
        newest = list(snapshot_rows(snapshot, frames, gathered))
        store_newest(draft, snapshot, gathered)
        store_history(draft, snapshot, frames, gathered)
        say("storing the numbers of all days")
        store_rows(draft, (), (*_of_earlier_days(newest, ids), *newest))
        draft.commit()


def _of_earlier_days(newest: Iterable[MetricRow], ids: list[int]) -> Iterator[MetricRow]:
    rows = list(newest)
    chance = Random(_SEED)  # noqa: S311 - a made-up line, no secret
    for place, crawl_id in enumerate(ids[:-1]):
        of_newest = _FIRST_DAY_SHARE + (1 - _FIRST_DAY_SHARE - _MOVES) * place / len(ids)
        back = timedelta(days=ids[-1] - crawl_id)
        for row in rows:
            factor = of_newest + _MOVES * chance.random()
            whole = row.value is not None and row.value == int(row.value) and abs(row.value) > 1
            value, lo, hi = (_scaled(number, factor, whole=whole) for number in (row.value, row.lo, row.hi))
            yield replace(row, snapshot=crawl_id, at=row.at - back, value=value, lo=lo, hi=hi)


def _scaled(number: float | None, factor: float, *, whole: bool) -> float | None:
    """Counts stay whole, so that they take as many characters as counts do."""
    if number is None:
        return None
    return float(int(number * factor)) if whole else number * factor
