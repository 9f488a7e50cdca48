"""Signal to noise (mission metric 7): what share of listed rooms shows few signs of spam, at every threshold.

The signs are the features of `analytics.room_text`, near duplicates, empty rooms and bursts; a room's score is how many
it shows. One threshold would be a claim, so the share below each is given. None of this is a prevalence of spam: that
takes an audit by people (`analytics.audit`), whose errors correct the share (`analytics.misclassification`). Aggregates
only: no row names a room.
"""

from collections.abc import Iterator, Mapping

import polars as pl

from analytics.concentration import hill_number
from analytics.language import LETTERS_MIN, UNDETERMINED, language_of
from analytics.near_duplicates import group_sizes, sketch
from analytics.proportions import wilson
from analytics.room_text import BURST_MIN, RULES, room_text, text_hash
from analytics.rooms import is_space, own_server
from analytics.schemas import Grade, MetricRow
from analytics.snapshot import Snapshot, share

SIGNAL = "signal_share"
NOISE = "noise_features"
LANGUAGES = "rooms_by_language"
LANGUAGE_DIVERSITY = "language_diversity"

ALIKE_MIN = 6
"""Rooms in a group of near duplicates, the room itself included."""

TOP_OF_DIRECTORY = 100
"""What a person sees first: directories list the largest rooms first."""

FEATURES = tuple(RULES)

FEATURE_COLUMNS: Mapping[str, pl.DataType | type[pl.DataType]] = {
    "room_id": pl.String,
    "text_hash": pl.String,
    **dict.fromkeys(FEATURES, pl.Boolean),
    "alike": pl.Int64,
    "language": pl.String,
    "score": pl.Int64,
    "sketch": pl.List(pl.UInt64),
}


def room_features(snapshot: Snapshot, earlier: pl.DataFrame | None = None) -> pl.DataFrame:
    """The features of every listed room that is no space (`FEATURE_COLUMNS`).

    `earlier` are features of the census before: what depends on the text alone, the sketch by which near duplicates are
    found included, is taken from there where the text is the same.
    """
    rooms = snapshot.rooms.filter(~is_space()).sort("room_id")
    texts = rooms.select("name", "topic", "canonical_alias")
    keyed = rooms.select("room_id").with_columns(
        pl.Series("text_hash", [text_hash(*text) for text in texts.iter_rows()], dtype=pl.String)
    )
    features = keyed.join(_of_texts(texts, keyed["text_hash"], earlier), on="text_hash", maintain_order="left")
    alike = group_sizes(features["sketch"])
    return features.with_columns(
        pl.Series("alike", alike, dtype=pl.Int64),
        pl.Series("near_duplicates", alike >= ALIKE_MIN, dtype=pl.Boolean),
        (rooms["members_max"] <= 1).fill_null(value=False).alias("empty"),
        in_burst(rooms).alias("burst"),
    ).with_columns(
        pl.sum_horizontal(pl.col(name).cast(pl.Int64) for name in FEATURES).alias("score"),
    ).select(list(FEATURE_COLUMNS))  # fmt: skip


_OF_TEXT = ("text_hash", "links", "phone", "mentions", "confusables", "random_alias", "language", "sketch")
"""What depends on the text alone."""


def _of_texts(texts: pl.DataFrame, hashes: pl.Series, earlier: pl.DataFrame | None) -> pl.DataFrame:
    """`_OF_TEXT` of each different text: taken from `earlier` where it is there, computed where it is not."""
    schema = {name: FEATURE_COLUMNS[name] for name in _OF_TEXT}
    kept = pl.DataFrame(schema=schema) if earlier is None else earlier.select(_OF_TEXT).unique("text_hash")
    new = texts.with_columns(hashes).unique("text_hash", maintain_order=True).join(kept, on="text_hash", how="anti")
    rows = [_computed(*row) for row in new.iter_rows()]
    return pl.concat([kept, pl.DataFrame(rows, schema=schema, orient="row")])


def _computed(name: str | None, topic: str | None, alias: str | None, key: str) -> tuple[object, ...]:
    signs, text = room_text(name, topic, alias), f"{name or ''} {topic or ''}"
    flags = (signs.links, signs.phone, signs.mentions, signs.confusables, signs.random_alias)
    return key, *flags, language_of(text), sketch(text)


def in_burst(rooms: pl.DataFrame) -> pl.Series:
    """Whether each room came in a burst: with many others of its server, at once, and not when that server was found.

    A room that names no server is in no burst. What the server listed before and lists no more is not known here, so
    that a server that replaces all its rooms at once is taken for a new one.
    """
    first = pl.col("first_crawl_id")
    together = rooms.select(own_server().alias("server"), first).select(
        ((pl.len().over("server", "first_crawl_id") >= BURST_MIN) & (first.min().over("server") < first)
         & pl.col("server").is_not_null()).fill_null(value=False).alias("burst")
    )  # fmt: skip
    return together["burst"]


def signal(snapshot: Snapshot, features: pl.DataFrame) -> Iterator[MetricRow]:
    """The share of rooms, of memberships and of the tops of directories below each score; each feature's share;
    languages. No listed rooms: no values.
    """
    answered = int(snapshot.observations["listing"].sum())
    coverage = share(answered, int(snapshot.observations["online"].sum()))
    scored = features.join(snapshot.rooms.select("room_number", "room_id", "members"), on="room_id")
    tops = (
        snapshot.listings.join(scored, on="room_number")
        .sort(["server_id", "members", "room_id"], descending=[False, True, False], nulls_last=True)
        .group_by("server_id", maintain_order=True)
        .head(TOP_OF_DIRECTORY)
    )
    for threshold in range(1, len(FEATURES) + 1):
        clean = pl.col("score") < threshold
        for dimension, frame, weight, of in (
            ("rooms", scored, pl.lit(1.0), "listed rooms"),
            ("memberships", scored, pl.col("members").fill_null(0.0), "memberships in listed rooms"),
            ("tops of directories", tops, pl.lit(1.0), f"the {TOP_OF_DIRECTORY} largest rooms of each directory"),
        ):
            weighed = frame.select(clean.alias("clean"), weight.alias("weight"))
            whole = float(weighed["weight"].sum())
            yield snapshot.row(
                SIGNAL,
                f"{dimension}: under {threshold}",
                float(weighed.filter("clean")["weight"].sum()) / whole if whole else None,
                n=frame.height,
                coverage=coverage,
                unit="share",
                denominator=of,
                method=f"Share with fewer than {threshold} of {len(FEATURES)} signs ({', '.join(FEATURES)}). "
                "Signs are no verdict; the share of spam takes an audit."
                if whole
                else "Not known: no rooms are listed, or none says its members.",
                grade=Grade.ESTIMATED,
            )
    for feature in FEATURES:
        yield snapshot.estimated(
            NOISE,
            feature,
            wilson(int(features[feature].sum()), features.height),
            coverage=coverage,
            unit="share of rooms",
            denominator="listed rooms",
            method=f"Listed rooms with {RULES[feature]}; a Wilson interval.",
        )
    yield from _languages(snapshot, features, coverage)


def _languages(snapshot: Snapshot, features: pl.DataFrame, coverage: float | None) -> Iterator[MetricRow]:
    counted = features.group_by("language").len("rooms").sort(["rooms", "language"], descending=[True, False])
    method = (
        f"Listed rooms by the language that py3langid finds in name and topic together; {UNDETERMINED} where there are "
        f"fewer than {LETTERS_MIN} letters or no language is likely enough."
    )
    for language, rooms in counted.iter_rows():
        yield snapshot.row(
            LANGUAGES, language, rooms, n=features.height, coverage=coverage, unit="rooms", denominator="listed rooms",
            method=method, grade=Grade.ESTIMATED,
        )  # fmt: skip
    determined = counted.filter(pl.col("language") != UNDETERMINED)
    yield snapshot.estimated(
        LANGUAGE_DIVERSITY,
        "effective number, order 1",
        hill_number(determined["rooms"], 1),
        coverage=share(int(determined["rooms"].sum()), features.height),
        unit="equal languages",
        denominator="languages found",
        method=f"exp of Shannon's entropy over rooms of a determined language. {method}",
    )
