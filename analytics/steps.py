"""What analytics does after a crawl is sealed: numbers and tables are computed once and stored with the snapshot.

Handed to the crawler as an `on_sealed` step by the composition root, so that readers show numbers without computing
them again for every visitor, and so that the crawler need not know of analytics. The rows of censuses that were
published before are taken over from the serving file before this one: what they were computed from may be gone. An
earlier one that was not (several crawls without a publish, a rehearsal, rules that changed) is read from the census
file, which keeps its journal for some weeks, where a serving file has that of the newest alone.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path

import polars as pl

from analytics.cohorts import (
    COHORT_COLUMNS,
    COHORT_COMMENTS,
    SURVIVAL_COLUMNS,
    SURVIVAL_COMMENTS,
    cohort_rows,
    server_steps,
    survival_rows,
)
from analytics.decentralisation import AMOUNT_UNITS, LORENZ_COLUMNS, LORENZ_COMMENTS, lorenz_rows
from analytics.graph_tables import (
    DISTRIBUTION_COLUMNS,
    DISTRIBUTION_COMMENTS,
    RESILIENCE_COLUMNS,
    RESILIENCE_COMMENTS,
    distribution_rows,
    resilience_rows,
)
from analytics.load import census_ids
from analytics.load_frames import load_frames, load_outside_alone, outside_changed
from analytics.load_history import load_lives, load_room_steps, load_version_stays
from analytics.load_stored import METRIC_TABLE, carried_over, load_metric_rows
from analytics.mission import OUTSIDE, Gathered, outside_rows, snapshot_rows
from analytics.reference import load_software
from analytics.room_text import FEATURES_VERSION, RULES
from analytics.schemas import METRIC_COLUMNS, METRIC_COMMENTS, MetricRow
from analytics.signal import FEATURE_COLUMNS, FEATURES
from analytics.snapshot import Frames, Snapshot
from analytics.versions import ADOPTION_COLUMNS, ADOPTION_COMMENTS, adoption_rows
from crawler.store.draft import Draft

ROWS_VERSION = 7
"""Raised when a row's meaning changes: rows of an older version are computed again, from what is left of their census,
which is without its leads, spaces and third-party networks once its journal is let go. Rows that only come to the
others are no reason."""

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
    changed = outside_changed(draft.previous, draft.path, kept)
    for crawl_id in changed:
        stored = load_metric_rows(draft.previous, crawl_id) if draft.previous is not None else ()
        rows += _renewed(stored or (), outside_rows(load_outside_alone(draft.path, crawl_id), load_software()))
    copied = [crawl_id for crawl_id in kept if crawl_id not in changed]
    for crawl_id in ids:
        if crawl_id in kept:
            continue
        say(f"computing the numbers of census {crawl_id}")
        with draft.census() if crawl_id != ids[-1] else nullcontext() as whole:
            frames = load_frames(whole or draft.path, [crawl_id], geo_db)
        (snapshot,) = frames.snapshots
        history = load_lives(draft.path, crawl_id), load_version_stays(draft.path, crawl_id)
        gathered = Gathered.of(snapshot, frames, *history, before.features)
        rows += snapshot_rows(snapshot, frames, gathered)
        if crawl_id == ids[-1]:
            store_newest(draft, snapshot, gathered)
            store_history(draft, snapshot, frames, gathered)
    store_rows(draft, copied, rows)


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


def _renewed(rows: Sequence[MetricRow], renewed: Iterable[MetricRow]) -> list[MetricRow]:
    """The rows of a census, those that rest on what no crawl sees anew, where they stood."""
    place = next((number for number, row in enumerate(rows) if row.metric in OUTSIDE), len(rows))
    return [*rows[:place], *renewed, *(row for row in rows[place:] if row.metric not in OUTSIDE)]


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
        "lorenz_curve", LORENZ_COLUMNS, lorenz_rows(snapshot, gathered.held), LORENZ_COMMENTS,
        comment="How unequally each amount is held by each kind of holder in the newest census.",
    )  # fmt: skip
    draft.write_table(
        "room_feature", FEATURE_TABLE_COLUMNS, _feature_rows(crawl_id, gathered.features), FEATURE_COMMENTS,
        comment="Signs of noise and language of each listed room of the newest census; signs are no verdict.",
    )  # fmt: skip


def store_history(draft: Draft, snapshot: Snapshot, frames: Frames, gathered: Gathered) -> None:
    """Add the tables that look back over the series of the newest census, and what happened beside it."""
    rooms = load_room_steps(draft.path, snapshot.crawl_id)
    cohorts = (("servers", server_steps(gathered.lives)), ("rooms", rooms))
    draft.write_table(
        "cohort_retention", COHORT_COLUMNS,
        (row for what, steps in cohorts for row in cohort_rows(snapshot, gathered.lives, what, steps)), COHORT_COMMENTS,
        comment="What is left, month by month, of the servers and rooms that were first seen in one month.",
    )  # fmt: skip
    draft.write_table(
        "survival_curve", SURVIVAL_COLUMNS, survival_rows(snapshot, gathered.lives, frames.reference.software),
        SURVIVAL_COMMENTS, comment="Kaplan-Meier curves of servers seen to come, in all and by lineage of software.",
    )  # fmt: skip
    draft.write_table(
        "version_adoption", ADOPTION_COLUMNS, adoption_rows(gathered.lives, gathered.version_stays), ADOPTION_COMMENTS,
        comment="Which versions of an implementation online servers ran, in each census.",
    )  # fmt: skip
    draft.write_table(
        "annotation", ANNOTATION_TABLE_COLUMNS, _annotation_rows(frames.reference.annotations), ANNOTATION_COMMENTS,
        comment="Dated events, and figures that others published, to stand beside series; never to be joined to them: "
        "they count other things.",
    )  # fmt: skip


ANNOTATION_TABLE_COLUMNS: Mapping[str, str] = {
    "happened_on": "DATE NOT NULL",
    "precision": "VARCHAR NOT NULL",
    "kind": "VARCHAR NOT NULL",
    "title": "VARCHAR NOT NULL",
    "value": "DOUBLE",
    "unit": "VARCHAR",
    "source": "VARCHAR NOT NULL",
    "checked": "VARCHAR NOT NULL",
}

ANNOTATION_COMMENTS: Mapping[str, str] = {
    "happened_on": "Day; the first of the month where only that is known.",
    "precision": "day or month.",
    "kind": "event or figure.",
    "title": "What happened, or what was counted.",
    "value": "The figure that was published; NULL for an event.",
    "unit": "Its unit; NULL likewise.",
    "source": "Who said so, and where.",
    "checked": "read: the source itself was read for this table. quoted: taken over as others quote it.",
}

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
    "sketch": "UBIGINT[]",
}

FEATURE_COMMENTS: Mapping[str, str] = {
    "crawl_id": "The census: the newest.",
    "room_id": "Room ID.",
    "text_hash": "Name of the text (name, topic, canonical alias) that the features are of: BLAKE2b, 16 hex digits.",
    **{feature: rule[0].upper() + rule[1:] + "." for feature, rule in RULES.items()},
    "alike": "Listed rooms with nearly the same name and topic, this one included.",
    "language": "ISO 639 code of the language of name and topic; und where it is undetermined.",
    "score": f"How many of the {len(FEATURES)} signs it shows.",
    "sketch": "MinHash sketch of name and topic, by which the next census finds near duplicates: last bytes of 64 "
    "minima, eight a number; NULL for texts too short to compare.",
}


def _annotation_rows(annotations: pl.DataFrame) -> Iterator[tuple[object, ...]]:
    yield from annotations.with_columns(pl.col("happened_on").cast(pl.String)).iter_rows()


def _holder_rows(crawl_id: int, held: pl.DataFrame) -> Iterator[tuple[object, ...]]:
    for row in held.group_by("kind", maintain_order=True).head(HOLDERS_STORED).iter_rows(named=True):
        yield crawl_id, row["kind"], row["holder"], *(row[amount] for amount in AMOUNT_UNITS)


def _feature_rows(crawl_id: int, features: pl.DataFrame) -> Iterator[tuple[object, ...]]:
    for row in features.select(list(FEATURE_COLUMNS)).iter_rows():
        yield crawl_id, *row
