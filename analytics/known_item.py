"""Known-item search (mission metric 8): whether who knows of a room finds it by its name, and in which place.

The queries are made from the rooms themselves, so that everybody gets the same answer (the known-item test of retrieval
research: Azzopardi and de Rijke 2006): a room is drawn, its name, or one word of it, is searched for, and its place
among the answers is looked up. The search is that of our own room list: a room is found if its name, topic, alias or ID
holds the text in any case, and larger rooms come first. A server's directory sorts in the same way where it is Synapse,
but over its own rooms alone; how well a person remembers a name is in none of it.
"""

import math
import re
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import polars as pl

from analytics.estimate import Estimate, IntervalKind
from analytics.proportions import critical_value, wilson
from analytics.rooms import is_space
from analytics.schemas import MetricRow
from analytics.snapshot import Snapshot, share

KNOWN_ITEM = "known_item_search"

BY_NAME = "by its name"
BY_WORD = "by one word of its name"
WITHIN = (1, 10)
MEDIAN = "median place"

SAMPLE = 400
LETTERS_MIN = 3
"""Shorter texts are in everything."""
TOPIC_MAX = 500
"""Characters of a topic that are searched."""

_SLICE = 2000
"""Rooms looked through at once: their hits are in memory together."""

_SEED = 1
"""A room's lot is the CRC-32 of its ID from here on: the same in every census, so that a series is of the same rooms as
far as they are still listed."""
_WORD = re.compile(rf"[^\W\d_]{{{LETTERS_MIN},}}")


@dataclass(frozen=True, slots=True)
class Query:
    """A text to be searched for; `place` is that of the room that it is of, when all rooms stand in order."""

    text: str
    place: int


def known_item(snapshot: Snapshot) -> Iterator[MetricRow]:
    """For both kinds of queries: the share of rooms that come first, or among the first ten, and the median place.

    Intervals are of the sample of rooms. `coverage` is the share of listed rooms whose name makes such a query.
    """
    ordered = snapshot.rooms.sort(["members", "room_id"], descending=[True, False], nulls_last=True)
    plain = ordered.with_row_index("place").filter(~is_space()).select("place", "room_id", "name")
    lots = pl.Series("lot", [zlib.crc32(room_id.encode(), _SEED) for room_id in plain["room_id"]], dtype=pl.UInt32)
    by_lot = plain.with_columns(lots).sort("lot", "room_id")
    asked = {kind: _drawn(by_lot, text_of) for kind, _, text_of in _KINDS}
    places = iter(places_of(ordered, [query for drawn in asked.values() for query in drawn]))
    for kind, able, _ in _KINDS:
        coverage = share(int(plain.select(able.sum()).item() or 0), plain.height)
        yield from _rows(snapshot, kind, list(islice(places, len(asked[kind]))), coverage)


def _drawn(by_lot: pl.DataFrame, text_of: Callable[[str, int], str | None]) -> list[Query]:
    """The queries of the first rooms of which one can be made."""
    made = (
        Query(text, place)
        for place, name, lot in by_lot.select("place", "name", "lot").iter_rows()
        if name is not None and (text := text_of(name, lot)) is not None and not repeats_itself(text)
    )
    return list(islice(made, SAMPLE))


def _rows(snapshot: Snapshot, kind: str, places: list[int], coverage: float | None) -> Iterator[MetricRow]:
    method = (
        f"Listed rooms, {SAMPLE} at most, drawn with a fixed seed and searched for {kind}, of at least {LETTERS_MIN} "
        "letters that are no piece repeated, in the room search of this program: text contained in name, topic, alias "
        "or ID, larger rooms first, rooms with signs of noise shown. It says nothing of the search of any server."
    )
    for most in WITHIN:
        yield snapshot.estimated(
            KNOWN_ITEM, f"{kind}: {'first' if most == 1 else f'among the first {most}'}",
            wilson(sum(place <= most for place in places), len(places)), coverage=coverage, unit="share of rooms",
            denominator=_DENOMINATOR, method=method,
        )  # fmt: skip
    yield snapshot.estimated(
        KNOWN_ITEM, f"{kind}: {MEDIAN}", median_place(places), coverage=coverage, unit="place",
        denominator=_DENOMINATOR, method=method,
    )  # fmt: skip


_DENOMINATOR = "listed rooms drawn by lot"


def _whole(name: str, lot: int) -> str | None:
    del lot
    text = name.strip()
    return text if len(text) >= LETTERS_MIN else None


def _one_word(name: str, lot: int) -> str | None:
    words = _WORD.findall(name)
    return words[lot // len(words) % len(words)] if words else None


_NAME = pl.col("name")
_KINDS = (
    (BY_NAME, _NAME.str.strip_chars().str.len_chars() >= LETTERS_MIN, _whole),
    (BY_WORD, _NAME.str.contains(rf"[\pL]{{{LETTERS_MIN},}}"), _one_word),
)
"""Of each kind of query what it is called, of which rooms it can be made, and how, of the name and the room's lot."""


def repeats_itself(text: str) -> bool:
    """Whether a text is one piece over and over, as `aaaa` and `abab` are. Any other fits into a text of n characters
    at most 2n/m times, m being its own (Fine and Wilf 1965), so that no room holds hits without end; with one that
    repeats itself somebody could fill topics, and make each of their places a hit."""
    folded = text.lower()
    return any(folded.startswith(folded[period:]) for period in range(1, len(folded) // 2 + 1))


def places_of(ordered: pl.DataFrame, queries: Sequence[Query]) -> list[int]:
    """For each query the place of its room among those that hold its text, from 1.

    Args:
        ordered: All rooms in the order of the answers.
        queries: Each of a room that holds its text.
    """
    asked = pl.DataFrame(
        [(number, query.text, query.place) for number, query in enumerate(queries)],
        schema={"query": pl.UInt32, "text": pl.String, "place": pl.UInt32},
        orient="row",
    ).with_columns(pl.col("text").str.to_lowercase())
    texts = asked["text"].unique()
    before = [
        _hits(rooms, texts)
        .join(asked, on="text")
        .filter(pl.col("hit") < pl.col("place"))
        .group_by("query")
        .len("before")
        for rooms in ordered.with_row_index("hit").iter_slices(_SLICE)
    ]
    if not before:
        return []
    summed = pl.concat(before).group_by("query").agg(pl.col("before").sum())
    counted = asked.join(summed, on="query", how="left", maintain_order="left")["before"].fill_null(0)
    return [int(place) + 1 for place in counted]


def _hits(rooms: pl.DataFrame, texts: pl.Series) -> pl.DataFrame:
    """Which of these rooms (`hit`) holds which `text`; once each."""
    said = pl.concat_str(
        "name", pl.col("topic").str.head(TOPIC_MAX), "canonical_alias", "room_id", separator="\0", ignore_nulls=True
    )
    found = said.str.to_lowercase().str.extract_many(texts.implode(), overlapping=True).alias("text")
    return rooms.select("hit", found).explode("text").drop_nulls().unique()


def median_place(places: Sequence[int]) -> Estimate:
    """The lower median with an interval of order statistics: it needs no model of how places are spread (David and
    Nagaraja 2003, section 7.1; ranks by the normal approximation, cut to the sample)."""
    n = len(places)
    method = f"lower median, order statistics, {_CONFIDENCE:.4g}"
    if n == 0:
        return Estimate.unknown(0, method, "nothing was drawn")
    ranked = sorted(places)
    half = critical_value(_CONFIDENCE) * math.sqrt(n) / 2
    lo, hi = max(1, math.floor(n / 2 - half)), min(n, math.ceil(1 + n / 2 + half))
    return Estimate(
        ranked[(n - 1) // 2], ranked[lo - 1], ranked[hi - 1], IntervalKind.CONFIDENCE, n, method
    )  # fmt: skip


_CONFIDENCE = 0.95
