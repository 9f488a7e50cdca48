"""What analytics does after a crawl is sealed: numbers and tables are computed once and stored with the snapshot.

Handed to the crawler as an `on_sealed` step by the composition root, so that readers show numbers without computing
them again for every visitor, and so that the crawler need not know of analytics. The rows of censuses that were
published before are taken over from the serving file before this one: what they were computed from may be gone.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import polars as pl

from analytics.decentralisation import AMOUNT_UNITS
from analytics.graph_tables import (
    DISTRIBUTION_COLUMNS,
    DISTRIBUTION_COMMENTS,
    RESILIENCE_COLUMNS,
    RESILIENCE_COMMENTS,
    distribution_rows,
    resilience_rows,
)
from analytics.load import METRIC_TABLE, carried_over, census_ids, load_frames, load_lives
from analytics.mission import Gathered, snapshot_rows
from analytics.room_text import FEATURES_VERSION, RULES
from analytics.schemas import METRIC_COLUMNS, METRIC_COMMENTS, MetricRow
from analytics.signal import FEATURE_COLUMNS, FEATURES
from analytics.snapshot import Snapshot
from crawler.store.publish import Draft

ROWS_VERSION = 2
"""Raised when a row's meaning changes: rows of an older version are computed again."""

HOLDERS_STORED = 200
"""Holders of each kind that are stored by name, the largest first; the concentration rows are over all of them."""


def store_numbers(draft: Draft, geo_db: Sequence[Path] = (), say: Callable[[str], None] = lambda _: None) -> None:
    """Add to a draft the metric rows of every census, and of the newest its holders, graph and room features.

    `geo_db` are files of hosting data; `say` is told what is being computed.
    """
    before = carried_over(draft.previous, ROWS_VERSION, FEATURES_VERSION)
    ids = census_ids(draft.path)
    kept = [crawl_id for crawl_id in ids[:-1] if crawl_id in before.censuses]
    rows: list[MetricRow] = []
    for crawl_id in ids:
        if crawl_id in kept:
            continue
        say(f"computing the numbers of census {crawl_id}")
        frames = load_frames(draft.path, [crawl_id], geo_db)
        (snapshot,) = frames.snapshots
        gathered = Gathered.of(snapshot, frames, load_lives(draft.path, crawl_id), before.features)
        rows += snapshot_rows(snapshot, frames, gathered)
        if crawl_id == ids[-1]:
            store_newest(draft, snapshot, gathered)
    store_rows(draft, kept, rows)


def store_rows(draft: Draft, kept: Sequence[int], rows: Sequence[MetricRow]) -> None:
    """Add the table of metric rows: those of the censuses `kept` from the serving file before, and new ones."""
    draft.write_table(
        METRIC_TABLE,
        METRIC_COLUMNS,
        (row.as_tuple() for row in rows),
        METRIC_COMMENTS,
        comment="Numbers of every census; see metric rows.",
    )
    draft.take_over(METRIC_TABLE, "snapshot", kept)
    draft.write_table(
        "metric_version",
        {"rows_version": "INTEGER NOT NULL", "features_version": "INTEGER NOT NULL"},
        [(ROWS_VERSION, FEATURES_VERSION)],
        {
            "rows_version": "Version of the rules behind the rows of metric.",
            "features_version": "Version of the rules behind room_feature.",
        },
        comment="One row: by which rules the numbers in this file were computed.",
    )


def store_newest(draft: Draft, snapshot: Snapshot, gathered: Gathered) -> None:
    """Add the tables that only the newest census has."""
    crawl_id = snapshot.crawl_id
    resilience = resilience_rows(snapshot, gathered.removals)
    distributions = distribution_rows(snapshot, gathered.shape)
    draft.write_table(
        "resilience", RESILIENCE_COLUMNS, resilience, RESILIENCE_COMMENTS,
        comment="What is left of the newest census as its largest servers, operators or networks go, or random ones: a "
        "thought experiment on what is known.",
    )  # fmt: skip
    draft.write_table(
        "graph_distribution", DISTRIBUTION_COLUMNS, distributions, DISTRIBUTION_COMMENTS,
        comment="Degrees, cores and components of the graph of online servers and listed rooms of the newest census.",
    )  # fmt: skip
    draft.write_table(
        "holder", HOLDER_COLUMNS, _holder_rows(crawl_id, gathered.held), HOLDER_COMMENTS,
        comment=f"What the {HOLDERS_STORED} largest holders of each kind hold in the newest census.",
    )  # fmt: skip
    draft.write_table(
        "room_feature", FEATURE_TABLE_COLUMNS, _feature_rows(crawl_id, gathered.features), FEATURE_COMMENTS,
        comment="Signs of noise and language of each listed room of the newest census; signs are no verdict.",
    )  # fmt: skip


HOLDER_COLUMNS: Mapping[str, str] = {
    "crawl_id": "INTEGER NOT NULL",
    "kind": "VARCHAR NOT NULL",
    "holder": "VARCHAR NOT NULL",
    **dict.fromkeys(AMOUNT_UNITS, "DOUBLE NOT NULL"),
}

HOLDER_COMMENTS: Mapping[str, str] = {
    "crawl_id": "The census: the newest.",
    "kind": "server, operator, address_block, network, country, cdn, tls_issuer or lineage.",
    "holder": "Its name; a server behind no content delivery network holds itself as none: NAME.",
    **{amount: words.capitalize() + "." for amount, words in AMOUNT_UNITS.items()},
}

FEATURE_TABLE_COLUMNS: Mapping[str, str] = {
    "crawl_id": "INTEGER NOT NULL",
    "room_id": "VARCHAR NOT NULL",
    "text_hash": "VARCHAR NOT NULL",
    **dict.fromkeys(FEATURES, "BOOLEAN NOT NULL"),
    "alike": "INTEGER NOT NULL",
    "language": "VARCHAR NOT NULL",
    "score": "INTEGER NOT NULL",
}

FEATURE_COMMENTS: Mapping[str, str] = {
    "crawl_id": "The census: the newest.",
    "room_id": "Room ID.",
    "text_hash": "Name of the text (name, topic, canonical alias) that the features are of: BLAKE2b, 16 hex digits.",
    **{feature: rule[0].upper() + rule[1:] + "." for feature, rule in RULES.items()},
    "alike": "Listed rooms with nearly the same name and topic, this one included.",
    "language": "ISO 639 code of the language of name and topic; und where it is undetermined.",
    "score": f"How many of the {len(FEATURES)} signs it shows.",
}


def _holder_rows(crawl_id: int, held: pl.DataFrame) -> Iterator[tuple[object, ...]]:
    for row in held.group_by("kind", maintain_order=True).head(HOLDERS_STORED).iter_rows(named=True):
        yield crawl_id, row["kind"], row["holder"], *(row[amount] for amount in AMOUNT_UNITS)


def _feature_rows(crawl_id: int, features: pl.DataFrame) -> Iterator[tuple[object, ...]]:
    for row in features.select(list(FEATURE_COLUMNS)).iter_rows():
        yield crawl_id, *row
