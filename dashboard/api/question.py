"""What may be asked of the resources: their query parameters. A parameter that is none is refused, not overlooked: a
misspelt filter must not answer with everything."""

from datetime import UTC, date, datetime, time
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from crawler.model.crawl import CrawlState, LeadSource
from crawler.model.rooms import DirectoryState
from crawler.store.answer import MOST_ROWS
from crawler.store.changes import ChangeKind
from crawler.store.dictionary import column_meanings
from dashboard.api.cursor import LONGEST
from dashboard.api.form import Form

ROWS_A_PAGE = 100
TEXT = 300
NAME = 255

_STATE = column_meanings()["server_state"]

SERVER_SORT = Literal[
    "server_name", "since", "observed_at", "software", "version", "failed_kind", "directory_state", "directory_rooms",
    "-server_name", "-since", "-observed_at", "-software", "-version", "-failed_kind", "-directory_state",
    "-directory_rooms",
]  # fmt: skip
ROOM_SORT = Literal[
    "room_id", "name", "members", "members_min", "members_max", "directories", "canonical_alias",
    "-room_id", "-name", "-members", "-members_min", "-members_max", "-directories", "-canonical_alias",
]  # fmt: skip


def _moment(value: object) -> object:
    """A day is its beginning; a time without an offset is UTC."""
    if not isinstance(value, str):
        return value
    try:
        if len(value) == len("2026-11-24"):
            return datetime.combine(date.fromisoformat(value), time(), UTC)
        # `+` of an offset is a space to whoever forgets to encode it.
        found = datetime.fromisoformat(value.replace(" ", "+") if "T" in value else value)
    except ValueError:
        raise ValueError("no day (2026-11-24) and no time (2026-11-24T03:10:00Z) of ISO 8601") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


Moment = Annotated[datetime, BeforeValidator(_moment)]


class _Asked(BaseModel):
    model_config = ConfigDict(extra="forbid")

    format: Form | None = Field(None, description="The form of the answer; without it, `Accept` decides.")


At = Annotated[
    str | None,
    Field(
        max_length=10,
        pattern=r"^([0-9]{1,9}|[0-9]{4}-[0-9]{2}-[0-9]{2})$",
        description="An earlier census instead of the newest: its number, or a day (UTC), which means the last one "
        "sealed on that day or before. `snapshot.census` says which one answers.",
        examples=["2026-11-24"],
    ),
]


class Paged(_Asked):
    """Of every list."""

    limit: int = Field(ROWS_A_PAGE, ge=1, le=MOST_ROWS, description="Rows on a page.")
    cursor: str | None = Field(
        None, max_length=LONGEST, description="Where the page begins: as `next` of the page before has it."
    )


class AskedServers(Paged):
    """Of the list of servers."""

    q: str = Field("", max_length=TEXT, description="Part of the name, in any case.")
    resolves: bool | None = Field(None, description=_STATE["resolves"])
    reachable: bool | None = Field(None, description=_STATE["reachable"])
    secure: bool | None = Field(None, description=_STATE["secure"])
    online: bool | None = Field(None, description=_STATE["online"])
    federating: bool | None = Field(None, description=_STATE["federating"])
    accepting: bool | None = Field(None, description=_STATE["accepting"])
    listing: bool | None = Field(None, description=_STATE["listing"])
    visited: bool | None = Field(
        None, description="Whether the newest census looked at it; of an earlier one it is not kept."
    )
    software: str | None = Field(None, max_length=NAME, description="Exactly this; empty: those that do not say.")
    version: str | None = Field(None, max_length=NAME, description="Exactly this; empty: those that do not say.")
    failed_kind: str | None = Field(None, max_length=64, description="Exactly this; empty: those that did not fail.")
    directory_state: DirectoryState | None = Field(None, description="How its room directory answered.")
    at: At = None
    sort: SERVER_SORT = Field("server_name", description="With `-` before it from the largest; unknowns come last.")


class AskedRooms(Paged):
    """Of the list of rooms."""

    q: str = Field("", max_length=TEXT, description="Part of name, topic, alias or ID, in any case.")
    spaces: bool | None = Field(None, description="Only spaces, or none.")
    join_rule: str | None = Field(None, max_length=NAME, description="Exactly this; empty: rooms that do not say.")
    min_members: int | None = Field(None, ge=0, le=2**31 - 1, description="At least so many, by the median.")
    listed_by: str | None = Field(None, max_length=NAME, description="Only rooms in this server's directory.")
    at: At = None
    sort: ROOM_SORT = Field("-members", description="With `-` before it from the largest; unknowns come last.")


class AskedMetrics(_Asked):
    """Of the numbers of the newest census."""

    metric: str | None = Field(None, max_length=NAME, description="Only this metric.")
    dimension: str | None = Field(None, max_length=NAME, description="Only this dimension.")
    mission: int | None = Field(
        None, ge=0, le=9, description="Only those that answer this metric of the mission; 0: decentralisation."
    )
    at: At = None


class AskedSeries(Paged):
    """Of the numbers of all censuses."""

    metric: str = Field(max_length=NAME, description="Which metric.", examples=["servers"])
    dimension: str | None = Field(None, max_length=NAME, description="Only this dimension.", examples=["online"])
    since: Moment | None = Field(None, description="From this day or time on, UTC.")
    until: Moment | None = Field(None, description="Before this day or time, UTC.")
    at: At = None


class AskedCrawls(Paged):
    """Of the list of crawls."""

    state: CrawlState | None = Field(None, description="How it ended.")
    censuses: bool | None = Field(None, description="Only censuses, or only what is none.")


class AskedLeads(Paged):
    """Of who named whom."""

    server_name: str | None = Field(None, max_length=NAME, description="Who was named.")
    named_by: str | None = Field(None, max_length=NAME, description="By whom.")
    source: LeadSource | None = Field(None, description="How.")


class AskedChanges(Paged):
    """Of what changed."""

    since: Moment | None = Field(
        None,
        description="Only what was seen after this day or time, UTC; for whoever keeps up: `seen_at` of the last one.",
        examples=["2026-11-01"],
    )
    kind: list[ChangeKind] = Field([], max_length=len(ChangeKind), description="Only these; none: all.")
    server_name: str | None = Field(None, max_length=NAME, description="Only of this server.")
    room_id: str | None = Field(None, max_length=NAME, description="Only of this room.")
    min_members: int | None = Field(None, ge=0, le=2**31 - 1, description="Of rooms only those with so many members.")
    newest_first: bool = Field(False, description="Else the oldest come first.")


class AskedHistory(Paged):
    """Of a history."""

    at: At = None


class Asked(BaseModel):
    """Of one thing."""

    model_config = ConfigDict(extra="forbid")

    format: Literal["json"] | None = Field(None, description="One thing can be had as JSON alone.")


class AskedAsOf(Asked):
    """Of one thing, as a census saw it."""

    at: At = None
