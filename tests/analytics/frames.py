"""A small federation, written out so that every number can be worked out on paper.

server      resolves reachable secure online federating accepting listing   software / version    directory
a.example   yes      yes       yes    yes    yes        yes       yes       synapse 1.121.1       open
b.example   yes      yes       yes    yes    yes        no        yes       synapse 1.120.0       open_empty
c.example   yes      yes       yes    yes    yes        not asked no        continuwuity 0.5.0    skipped
d.example   yes      yes       yes    yes    no         -         no        conduit (not said)    denied
e.example   yes      yes       yes    yes    yes        yes       no        (not said)            timeout
f.example   yes      yes       no     no     no         -         no        -                     skipped
g.example   no       no        no     no     no         -         no        -                     skipped
h.example   yes      yes       yes    yes    yes        yes       yes       matrix rooms search   open
i.example   named by a lead, not visited
j.example   named by a lead, not visited

room                     reports of joined members      median  least  largest
!big:a.example           100 (a), 120 (h), 90 (b)       100     90     120
!one:a.example           7 (a)                          7       7      7
!unsaid:a.example        - (a)                          -       -      -
!pair:h.example          10 (a), 13 (h)                 11.5    10     13
!space:a.example         40 (a), a space                40      40     40
"""

from datetime import UTC, datetime
from typing import Any

import polars as pl

from analytics.hosting import NO_DATA, Places
from analytics.schemas import IN_ROOM_COLUMNS, LEAD_COLUMNS, OBSERVATION_COLUMNS, PLACE_COLUMNS, ROOM_COLUMNS
from analytics.snapshot import Snapshot

SEALED = datetime(2026, 11, 23, 3, 10, tzinfo=UTC)

PREDICATES = ("resolves", "reachable", "secure", "online", "federating", "accepting", "listing")

# name, how far it came, accepting, listing, software, version, directory
SERVERS: tuple[tuple[str, str, bool | None, bool, str | None, str | None, str], ...] = (
    ("a.example", "federating", True, True, "synapse", "1.121.1", "open"),
    ("b.example", "federating", False, True, "synapse", "1.120.0", "open_empty"),
    ("c.example", "federating", None, False, "continuwuity", "0.5.0", "skipped"),
    ("d.example", "online", False, False, "conduit", None, "denied"),
    ("e.example", "federating", True, False, None, None, "timeout"),
    ("f.example", "reachable", False, False, None, None, "skipped"),
    ("g.example", "", False, False, None, None, "skipped"),
    ("h.example", "federating", True, True, "matrix rooms search", "0.3.1", "open"),
)

# room, directories, median, least, largest, type
_NOT_SAID = ("tls_issuer", "verify_keys", "spec_versions", "unstable_features", "support_published")

ROOMS: tuple[tuple[str, int, float | None, int | None, int | None, str | None], ...] = (
    ("!big:a.example", 3, 100.0, 90, 120, None),
    ("!one:a.example", 1, 7.0, 7, 7, None),
    ("!unsaid:a.example", 1, None, None, None, None),
    ("!pair:h.example", 2, 11.5, 10, 13, None),
    ("!space:a.example", 1, 40.0, 40, 40, "m.space"),
)


def observations(servers: tuple[tuple[Any, ...], ...] = SERVERS, crawl_id: int = 1) -> pl.DataFrame:
    rows = []
    for number, (name, came, accepting, listing, software, version, directory) in enumerate(servers, 1):
        passed = PREDICATES.index(came) if came else -1
        row: dict[str, Any] = {predicate: PREDICATES.index(predicate) <= passed for predicate in PREDICATES[:5]}
        row |= {"crawl_id": crawl_id, "server_id": number, "server_name": name, "accepting": accepting}
        row |= {"listing": listing, "software": software, "version": version, "directory_state": directory}
        row |= {"directory_way": None, "directory_stopped": None, "directory_rooms": None, "directory_noindex": 0}
        address = f"192.0.2.{number}" if came else None
        rows.append(
            row
            | {"address": address, "port": 8448 if came else None}
            | dict.fromkeys(_NOT_SAID)
            | {"has_client_base": False}
        )
    return pl.DataFrame(rows, schema=OBSERVATION_COLUMNS)


def listed_rooms(rooms: tuple[tuple[Any, ...], ...] = ROOMS, crawl_id: int = 1) -> pl.DataFrame:
    columns = ("room_id", "directories", "members", "members_min", "members_max", "room_type")
    return pl.DataFrame(
        [
            dict.fromkeys(ROOM_COLUMNS)
            | {"room_number": number, "first_crawl_id": crawl_id, "changed_crawl_id": crawl_id}
            | dict(zip(columns, room, strict=True))
            for number, room in enumerate(rooms, 1)
        ],
        schema=ROOM_COLUMNS,
    )


def snapshot(**changes: Any) -> Snapshot:
    parts: dict[str, Any] = {
        "crawl_id": 1,
        "at": SEALED,
        "is_census": True,
        "synthetic": True,
        "signed": True,
        "crawler_version": "0.1.0",
        "known": 10,
        "observations": observations(),
        "rooms": listed_rooms(),
        "leads": pl.DataFrame(schema=LEAD_COLUMNS),
        "listings": pl.DataFrame(schema=IN_ROOM_COLUMNS),
        "participations": pl.DataFrame(schema=IN_ROOM_COLUMNS),
        "places": Places(pl.DataFrame(schema=PLACE_COLUMNS), NO_DATA),
    }
    return Snapshot(**parts | changes)


def empty_snapshot(**changes: Any) -> Snapshot:
    return snapshot(**{"known": 0, "observations": observations(()), "rooms": listed_rooms(())} | changes)
