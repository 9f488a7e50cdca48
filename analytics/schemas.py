"""The metric row, one shape for the store, the API, the CSV and the command line, and the columns of every frame.

Apart from the modules that compute, so that a column has one spelling and one type in the whole house. Columns are
added later, never renamed.
"""

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import polars as pl

from analytics.estimate import IntervalKind


class Grade(StrEnum):
    """How we come to know a number."""

    MEASURED = "measured"
    """Counted by us."""
    ESTIMATED = "estimated"
    """A model of what we counted, with its interval."""
    REPORTED = "reported"
    """Somebody's own count."""
    NOT_OBSERVABLE = "not observable"
    """Nobody outside can count it; named proxies stand beside it."""


@dataclass(frozen=True, slots=True)
class MetricRow:
    """One number and everything needed to read it honestly.

    `value` is None when the number could not be computed, which is not zero; `method` then says why. `n` is how many
    units the value rests on, `coverage` the share (0 to 1) of the units that should have been looked at and were; None
    when there were none to look at. `window` and `denominator` are words. `snapshot` is the crawl's number, `at` its
    seal. `synthetic` rows come from practice servers and say nothing about the real federation.
    """

    metric: str
    dimension: str
    value: float | None
    lo: float | None
    hi: float | None
    interval_kind: IntervalKind
    n: int
    coverage: float | None
    unit: str
    window: str
    denominator: str
    grade: Grade
    method: str
    snapshot: int
    at: datetime
    synthetic: bool
    crawler_version: str

    def __post_init__(self) -> None:
        """Refuse rows that contradict themselves.

        Raises:
            ValueError: naming the metric and what is wrong; it is a fault of ours, never of the data.
        """
        for problem in self._problems():
            raise ValueError(f"metric {self.metric} {self.dimension}: {problem}")

    def _problems(self) -> list[str]:
        found: list[str] = []
        numbers = [number for number in (self.value, self.lo, self.hi, self.coverage) if number is not None]
        if not all(math.isfinite(number) for number in numbers):
            found.append("numbers must be finite; what is not known is None")
        if self.interval_kind is IntervalKind.NONE and not (self.lo is None and self.hi is None):
            found.append("an interval needs a kind")
        if self.value is None and not (self.lo is None and self.hi is None):
            found.append("no value, no interval")
        if self.value is not None and not (_or(self.lo, self.value) <= self.value <= _or(self.hi, self.value)):
            found.append(f"{self.value} lies outside {self.lo} to {self.hi}")
        if self.coverage is not None and not 0 <= self.coverage <= 1:
            found.append(f"coverage {self.coverage} is no share")
        if self.n < 0:
            found.append("n cannot be negative")
        if self.at.tzinfo is None:
            found.append("at must be aware")
        if not all((self.metric, self.dimension, self.unit, self.window, self.denominator, self.method)):
            found.append("every word must be said")
        return found

    def as_json(self) -> dict[str, object]:
        """The row for JSON: enums as words, the time in ISO 8601."""
        row: dict[str, object] = dataclasses.asdict(self)
        return row | {"interval_kind": self.interval_kind.value, "grade": self.grade.value, "at": self.at.isoformat()}

    def as_tuple(self) -> tuple[object, ...]:
        """The row for a table of `METRIC_COLUMNS`."""
        words = {"interval_kind": self.interval_kind.value, "grade": self.grade.value, "dimension": str(self.dimension)}
        return tuple(words.get(name, getattr(self, name)) for name in METRIC_COLUMNS)


def _or(number: float | None, otherwise: float) -> float:
    return otherwise if number is None else number


METRIC_COLUMNS: Mapping[str, str] = {
    "metric": "VARCHAR NOT NULL",
    "dimension": "VARCHAR NOT NULL",
    "value": "DOUBLE",
    "lo": "DOUBLE",
    "hi": "DOUBLE",
    "interval_kind": "VARCHAR NOT NULL",
    "n": "BIGINT NOT NULL",
    "coverage": "DOUBLE",
    "unit": "VARCHAR NOT NULL",
    "window": "VARCHAR NOT NULL",
    "denominator": "VARCHAR NOT NULL",
    "grade": "VARCHAR NOT NULL",
    "method": "VARCHAR NOT NULL",
    "snapshot": "INTEGER NOT NULL",
    "at": "TIMESTAMPTZ NOT NULL",
    "synthetic": "BOOLEAN NOT NULL",
    "crawler_version": "VARCHAR NOT NULL",
}
"""SQL types of the table `metric` of a serving file, in the order of `MetricRow`."""

METRIC_COMMENTS: Mapping[str, str] = {
    "metric": "What is counted.",
    "dimension": "Of what: a predicate, an implementation, a room; all when it is not divided.",
    "value": "The number; NULL when it could not be computed, which is not zero.",
    "lo": "Lower end of the interval; NULL when it is open or there is none.",
    "hi": "Upper end, likewise.",
    "interval_kind": "confidence, bounds, scenario or none.",
    "n": "How many units the value rests on.",
    "coverage": "Share, 0 to 1, of the units to be looked at that were; NULL when there were none.",
    "unit": "Unit of value, lo and hi.",
    "window": "Time that the value speaks of, in words.",
    "denominator": "What n counts, in words.",
    "grade": "measured, estimated, reported or not observable.",
    "method": "How the value comes about, one or two sentences.",
    "snapshot": "Number of the crawl.",
    "at": "Seal of the crawl, UTC.",
    "synthetic": "True when the servers were of the practice federation.",
    "crawler_version": "Version of matrix-census that made the crawl.",
}
"""What each column of that table means."""

UTC_TIME = pl.Datetime("us", "UTC")

CRAWL_COLUMNS: Mapping[str, pl.DataType | type[pl.DataType]] = {
    "crawl_id": pl.Int32,
    "state": pl.String,
    "scope": pl.String,
    "synthetic": pl.Boolean,
    "vantage": pl.String,
    "crawler_version": pl.String,
    "identity": pl.String,
    "started_at": UTC_TIME,
    "finished_at": UTC_TIME,
    "series_id": pl.Int32,
    "known": pl.Int32,
    "completeness": pl.Float64,
}

OBSERVATION_COLUMNS: Mapping[str, pl.DataType | type[pl.DataType]] = {
    "crawl_id": pl.Int32,
    "server_id": pl.Int32,
    "server_name": pl.String,
    "resolves": pl.Boolean,
    "reachable": pl.Boolean,
    "secure": pl.Boolean,
    "online": pl.Boolean,
    "federating": pl.Boolean,
    "accepting": pl.Boolean,
    "listing": pl.Boolean,
    "software": pl.String,
    "version": pl.String,
    "directory_state": pl.String,
    "directory_way": pl.String,
    "directory_stopped": pl.String,
    "directory_rooms": pl.Int32,
    "directory_noindex": pl.Int32,
    "address": pl.String,
    "port": pl.Int32,
    "tls_issuer": pl.String,
    "verify_keys": pl.String,
    "spec_versions": pl.String,
    "unstable_features": pl.String,
    "has_client_base": pl.Boolean,
    "support_published": pl.Boolean,
}

ROOM_COLUMNS: Mapping[str, pl.DataType | type[pl.DataType]] = {
    "room_number": pl.Int32,
    "room_id": pl.String,
    "directories": pl.Int32,
    "members": pl.Float64,
    "members_min": pl.Int32,
    "members_max": pl.Int32,
    "room_type": pl.String,
    "name": pl.String,
    "topic": pl.String,
    "canonical_alias": pl.String,
    "join_rule": pl.String,
    "world_readable": pl.Boolean,
    "first_crawl_id": pl.Int32,
    "changed_crawl_id": pl.Int32,
}
"""`room_number` stands for the room ID in other frames; `first_crawl_id` is the first crawl that met the room,
`changed_crawl_id` the first that saw it listed as it is."""

LEAD_COLUMNS: Mapping[str, pl.DataType | type[pl.DataType]] = {
    "server_id": pl.Int32,
    "source": pl.String,
    "named_by": pl.Int32,
}
"""Who named whom, and how; once each."""

IN_ROOM_COLUMNS: Mapping[str, pl.DataType | type[pl.DataType]] = {
    "room_number": pl.Int32,
    "server_id": pl.Int32,
}
"""A server and a room: which directories list it (`listings`), which servers are named as taking part
(`participations`); once each."""

NETWORK_ROOM_COLUMNS: Mapping[str, pl.DataType | type[pl.DataType]] = {
    "room_id": pl.String,
    "server_id": pl.Int32,
    "members": pl.Int32,
    "room_type": pl.String,
    "canonical_alias": pl.String,
}
"""A room as the lists of third-party networks of a server tell of it; once for each server and room."""

ANSWER_COLUMNS: Mapping[str, pl.DataType | type[pl.DataType]] = {
    "server_id": pl.Int32,
    "what": pl.String,
    "outcome": pl.String,
    "failed_kind": pl.String,
    "http_status": pl.Int16,
    "has_errcode": pl.Boolean,
}
"""What an online server answered, `ok` or `failed`: attempts of its visit by their name, and `well_known`, the step of
its resolution. `http_status` where the status was the failure; `has_errcode`: and it came with a Matrix error code."""

SPACE_CHILD_COLUMNS: Mapping[str, pl.DataType | type[pl.DataType]] = {"space_id": pl.String, "child_id": pl.String}
"""A space that was opened and a room that it names; once each."""

CENSUS_COLUMNS: Mapping[str, pl.DataType | type[pl.DataType]] = {"crawl_id": pl.Int32, "at": UTC_TIME}
"""The censuses of one series, oldest first."""

STAY_COLUMNS: Mapping[str, pl.DataType | type[pl.DataType]] = {
    "server_id": pl.Int32,
    "valid_from": pl.Int32,
    "valid_to": pl.Int32,
    "seen_from": UTC_TIME,
    "seen_to": UTC_TIME,
    "software": pl.String,
}
"""A stretch in which a server was online: from one crawl to the one that saw it otherwise (null: it still is), the
seals of both, and what it said last that it runs."""

ROOM_HISTORY_COLUMNS: Mapping[str, pl.DataType | type[pl.DataType]] = {
    "crawl_id": pl.Int32,
    "rooms": pl.Int64,
    "memberships": pl.Float64,
    "still_listed": pl.Int64,
}
"""One row for each census of a series: the rooms listed in it, spaces left out, the memberships in them, and how many
of these rooms the last census lists, too."""

PLACE_COLUMNS: Mapping[str, pl.DataType | type[pl.DataType]] = {
    "address": pl.String,
    "asn": pl.Int64,
    "network": pl.String,
    "country": pl.String,
    "cdn": pl.String,
}


def checked(frame: pl.DataFrame, columns: Mapping[str, pl.DataType | type[pl.DataType]], what: str) -> pl.DataFrame:
    """`frame` with exactly `columns`, in their order and of their types.

    Raises:
        ValueError: a column is missing or of another type: the schema and this module have parted ways.
    """
    for name, dtype in columns.items():
        if name not in frame.columns:
            raise ValueError(f"{what}: there is no column {name}")
        if frame.schema[name] != dtype:
            raise ValueError(f"{what}: column {name} is {frame.schema[name]}, not {dtype}")
    return frame.select(list(columns))
