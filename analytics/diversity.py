"""How diverse what is listed is, at an equal number of rooms (mission metric 8): languages, and words of names.

More rooms show more languages and more words, whatever they are like. So censuses of different size, before and after a
directory closed, are made comparable by rarefaction: how many would a lot of so many rooms show? Nobody tells the topic
of a room in words that could be counted; different words in names stand for it as a proxy that knows no language, and
that copies of one name do not raise.
"""

from collections.abc import Iterator

import polars as pl

from analytics.language import UNDETERMINED
from analytics.rarefaction import rarefaction_curve, rarefied_incidence
from analytics.rooms import is_space
from analytics.schemas import Grade, MetricRow
from analytics.snapshot import Snapshot, share

LANGUAGES_AMONG = "languages_rarefied"
WORDS_AMONG = "name_words_rarefied"

ROOMS_DRAWN = (100, 1000)
LETTERS_MIN = 3


def diversity(snapshot: Snapshot, features: pl.DataFrame) -> Iterator[MetricRow]:
    """Languages and words that a lot of 100 and of 1,000 rooms is expected to show. Fewer rooms than that: no value; it
    is never extrapolated. No interval: it is an expectation over all lots of the rooms that are listed.

    `coverage` is the share of listed rooms of a determined language, and of those with a word in their name.
    """
    known = features.filter(pl.col("language") != UNDETERMINED)
    estimates = rarefaction_curve(known.group_by("language").len()["len"], ROOMS_DRAWN)
    for size, estimate in zip(ROOMS_DRAWN, estimates, strict=True):
        yield snapshot.estimated(
            LANGUAGES_AMONG, f"in {size:,} rooms", estimate, coverage=share(known.height, features.height),
            unit="languages", denominator="listed rooms of a determined language", grade=Grade.ESTIMATED,
            method="Languages that so many rooms drawn by lot would show, on average over all lots.",
        )  # fmt: skip
    plain = snapshot.rooms.filter(~is_space())
    seen_in, named = words_of_names(plain)
    for size in ROOMS_DRAWN:
        yield snapshot.estimated(
            WORDS_AMONG, f"in {size:,} rooms", rarefied_incidence(seen_in, named, size),
            coverage=share(named, plain.height), unit="words", denominator="listed rooms with a word in their name",
            grade=Grade.ESTIMATED,
            method=f"Different words of {LETTERS_MIN} letters or more in the names of so many rooms drawn by lot, on "
            "average over all lots: a proxy for how many topics there are. Writing without blanks counts as one word.",
        )  # fmt: skip


def words_of_names(rooms: pl.DataFrame) -> tuple[pl.Series, int]:
    """In how many rooms each word stands, and how many rooms have one. A word counts once in a room."""
    words = rooms.select(
        "room_id",
        pl.col("name").str.to_lowercase().str.extract_all(rf"[\p{{L}}\p{{M}}]{{{LETTERS_MIN},}}").alias("word"),
    )
    each = words.explode("word").drop_nulls().unique()
    return each.group_by("word").len()["len"], each["room_id"].n_unique()
