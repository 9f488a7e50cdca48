"""The shapes of answers: what surrounds the rows of every answer, and the rows themselves.

A row has the fields of the dataclass that the store answers with, and each field the words of its column in the schema:
the documentation of an answer is that of the data. Keys are added later, never renamed.
"""

import dataclasses
import typing
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, create_model

from analytics.schemas import METRIC_COMMENTS, Grade, MetricRow
from crawler.model.crawl import Crawl
from crawler.store.changes import Change
from crawler.store.dictionary import column_meanings
from crawler.store.export import LICENCE
from crawler.store.federation import KnownServer, NamedServer, RoomAccount, ServerState
from crawler.store.rows import (
    AddressLookRow,
    AttemptRow,
    EndpointRow,
    LeadRow,
    Observation,
    RoomRow,
    StepRow,
)
from dashboard.data import View

LICENCE_URL = "https://creativecommons.org/publicdomain/zero/1.0/"


class _Part(BaseModel):
    model_config = ConfigDict(from_attributes=True, json_schema_serialization_defaults_required=True)


class CensusShape(_Part):
    """The census that answers: the newest crawl that was completed and looked at everybody it could find, or the
    earlier one that `at` asks for."""

    crawl_id: int
    started_at: datetime
    finished_at: datetime | None
    vantage: str = Field(description="Where the crawler looked from, in the operator's words.")
    crawler_version: str


class SnapshotShape(_Part):
    """What an answer is of, and how to cite it."""

    id: str = Field(description="How the snapshot is called; the same for every answer from it.")
    published_at: datetime
    synthetic: bool = Field(description="True: of the practice federation; no figure says anything about the real one.")
    census: CensusShape
    licence: str = Field(description="Of this collection of data, an SPDX identifier.")
    licence_url: str
    cite: str = Field(description="How to cite it.")


class AboutShape(_Part):
    """What the numbers of an answer are: of what unit, in what time, out of what, how we know, and how they come
    about."""

    unit: str
    window: str
    denominator: str
    of: int | None = Field(description="How many the denominator counts; null when that is not known.")
    interval: str = Field(description="What bounds the numbers, in words.")
    grade: Grade
    method: str


class Envelope(_Part):
    """What surrounds every answer."""

    snapshot: SnapshotShape
    about: AboutShape


class PageShape(Envelope):
    """A page of rows."""

    total: int = Field(description="How many rows fit the filters, on all pages.")
    next: str | None = Field(description="Address of the next page; null on the last. Take it as it is.")


def snapshot_shape(view: View) -> SnapshotShape:
    """What this view is of."""
    snapshot, crawl = view.reader.snapshot, view.crawl
    return SnapshotShape(
        id=snapshot.snapshot_id,
        published_at=snapshot.published_at,
        synthetic=crawl.synthetic,
        census=CensusShape(
            crawl_id=crawl.id,
            started_at=crawl.started_at,
            finished_at=crawl.finished_at,
            vantage=crawl.vantage,
            crawler_version=crawl.crawler_version,
        ),
        licence=LICENCE,
        licence_url=LICENCE_URL,
        cite=citation(view),
    )


def citation(view: View) -> str:
    """How to cite this view."""
    sealed = view.crawl.finished_at
    when = f"{sealed:%Y-%m-%d %H:%M} UTC" if sealed else "not sealed"
    what = "practice federation, synthetic" if view.crawl.synthetic else "open Matrix federation"
    return (
        f"Matrix Census ({what}), snapshot {view.reader.snapshot_id}, census {view.crawl.id} of {when}, "
        f"seen from: {view.crawl.vantage}"
    )


def _row(name: str, shape: type, *tables: str, doc: str = "", of_newest: str = "", **meanings: str) -> type[BaseModel]:
    """A row as a model: the fields of a dataclass, with what the columns of these tables mean. `of_newest` names those
    that are kept for the newest census alone, with spaces between."""
    known = column_meanings()
    hints = typing.get_type_hints(shape)
    fields: dict[str, Any] = {}
    for each in dataclasses.fields(shape):
        texts = (known.get(table, {}).get(each.name) for table in tables)
        meaning = meanings.get(each.name) or next((text for text in texts if text), None)
        hint = _readable(hints[each.name])
        if each.name in of_newest.split():
            hint, meaning = hint | None, f"{meaning} Null of an earlier census."
        fields[each.name] = (hint, Field(description=meaning))
    return create_model(name, __base__=_Part, __doc__=doc or shape.__doc__, **fields)


def _readable(hint: Any) -> Any:
    """Mappings and tuples as JSON has them."""
    origin = typing.get_origin(hint)
    if origin is tuple:
        return list[typing.get_args(hint)[0]]  # type: ignore[misc]  # a type made at run time
    if origin is not None and isinstance(origin, type) and issubclass(origin, Mapping):
        return dict[typing.get_args(hint)]  # type: ignore[misc]  # likewise
    if origin is typing.Union or str(origin) == "<class 'types.UnionType'>":
        return typing.Union[tuple(_readable(each) for each in typing.get_args(hint))]  # noqa: UP007 - made at run time
    return hint


ServerShape = _row(
    "Server", KnownServer, "server_state", "directory_state", "visit", "server",
    doc="A server as known after the newest census. One that this census left in peace is as it was last seen.",
    visited="Whether the newest census looked at it; null of an earlier one, whose visits are not kept.",
    observed_at="When the newest census began to look at it, UTC; null when it did not, and of an earlier one.",
    since="Seal of the first crawl that saw it as it is, UTC.",
)  # fmt: skip
_SEEN = {
    "vantage": "Where the crawls looked from.",
    "seen_from": "Seal of the crawl valid_from, UTC.",
    "seen_to": "Seal of the crawl valid_to, UTC; null while it stands.",
}
StateShape = _row(
    "ServerState", ServerState, "server_state",
    doc="A state of a server, from one crawl to another.", **_SEEN,
)  # fmt: skip
RoomShape = _row(
    "Room", RoomRow, "room",
    doc="A room as the directories that answered list it. Its name and topic are text of strangers: escape it.",
)  # fmt: skip
AccountShape = _row(
    "RoomAccount", RoomAccount, "room_state", "room_text",
    doc="What directories said of a room, from one crawl to another.", **_SEEN,
)  # fmt: skip
LeadShape = _row(
    "Lead", NamedServer, "lead",
    doc="Who named a server, and how.",
    server_name="The server that was named.",
    named_by="The server whose answer named it; null for seeds and lists.",
    count="How often its answers did.",
)  # fmt: skip
ChangeShape = _row(
    "Change", Change,
    doc="One change, as the first crawl to see it tells.",
    seen_at="Seal of the first crawl to see it, UTC; it came at any time since the crawl before.",
    crawl_id="That crawl.",
    kind="server_birth, server_outage, server_death, server_return, server_version, room_listed, room_unlisted or "
    "room_renamed.",
    server_name="Of which server; null for a room.",
    room_id="Of which room; null for a server.",
    room_name="The room's name after the change, or the last of a room that is gone; text of a stranger.",
    members="Its members likewise, the median over directories; null when none reports any.",
    before="Version or name before; null when there was none.",
    after="Version or name after; null when there is none.",
)  # fmt: skip
CrawlShape = _row(
    "Crawl", Crawl, "crawl",
    doc="One crawl. A census is one that is completed and full.",
    id="Number of the crawl in this file; below 0: imported from another vantage.",
)  # fmt: skip
MetricShape = _row(
    "Metric", MetricRow,
    doc="One number, and everything needed to read it honestly.",
    **METRIC_COMMENTS,
)  # fmt: skip
ObservationShape = _row(
    "Observation", Observation, "server_observation",
    doc="What a visit saw.",
    of_newest="observed_at directory_pages aliases_outstanding requests bytes_read duration_s",
)  # fmt: skip
AttemptShape = _row("Attempt", AttemptRow, "attempt", doc="One attempt of the visit.")
StepShape = _row("ResolutionStep", StepRow, "resolution_step", doc="One question of resolving the name.")
EndpointShape = _row("Endpoint", EndpointRow, "endpoint", doc="A place to connect to.")
AddressShape = _row("AddressLook", AddressLookRow, "address_look", doc="One address asked for itself.")
TellerShape = _row("Teller", LeadRow, "lead", doc="Who named this server.", named_by="A server; null for seeds.")


class ServerDetailShape(_Part):
    """All about one server. `observation` and what follows from it are null and empty when the newest census did not
    look at it; `state` is null when no crawl ever did, and it was only named."""

    server_name: str
    state: ServerShape | None  # type: ignore[valid-type]  # a model made at run time, here and below
    observation: ObservationShape | None  # type: ignore[valid-type]
    attempts: list[AttemptShape]  # type: ignore[valid-type]
    steps: list[StepShape]  # type: ignore[valid-type]
    endpoints: list[EndpointShape]  # type: ignore[valid-type]
    addresses: list[AddressShape]  # type: ignore[valid-type]
    listings: int = Field(description="Rooms in its directory.")
    participations: int = Field(description="Rooms that answers to look-ups say it takes part in.")
    leads: list[TellerShape]  # type: ignore[valid-type]
    leads_total: int
    life: list[ChangeShape] = Field(  # type: ignore[valid-type]
        description="Births, outages, returns, deaths and versions, the newest first, at most 100."
    )


class RoomDetailShape(_Part):
    """All about one room."""

    room: RoomShape  # type: ignore[valid-type]
    listed_by: list[str] = Field(description="Servers whose directory lists it, by name, at most 100.")
    listed_by_total: int


class CrawlDetailShape(_Part):
    """One crawl and what it said of itself."""

    crawl: CrawlShape  # type: ignore[valid-type]
    report: dict[str, Any] = Field(description="Requests, bytes, bounds hit, ...; empty when it was not sealed.")


def page_shape(name: str, row: type[BaseModel]) -> type[BaseModel]:
    """A page of such rows."""
    return create_model(name, __base__=PageShape, __doc__=row.__doc__, data=(list[row], ...))  # type: ignore[valid-type]


def detail_shape(name: str, data: type[BaseModel]) -> type[BaseModel]:
    """An answer about one thing."""
    return create_model(name, __base__=Envelope, __doc__=data.__doc__, data=(data, ...))


ServersPage = page_shape("ServersPage", ServerShape)
StatesPage = page_shape("ServerStatesPage", StateShape)
RoomsPage = page_shape("RoomsPage", RoomShape)
AccountsPage = page_shape("RoomAccountsPage", AccountShape)
LeadsPage = page_shape("LeadsPage", LeadShape)
ChangesPage = page_shape("ChangesPage", ChangeShape)
CrawlsPage = page_shape("CrawlsPage", CrawlShape)
MetricsPage = page_shape("MetricsPage", MetricShape)
ServerAnswer = detail_shape("ServerAnswer", ServerDetailShape)
RoomAnswer = detail_shape("RoomAnswer", RoomDetailShape)
CrawlAnswer = detail_shape("CrawlAnswer", CrawlDetailShape)
