"""Serving file -> the frames of a census, as `Snapshot`: what a crawl saw, asked for one crawl at a time.

The views of all crawls together are years of rows, and hold what no number needs; so the tables behind them are asked,
as of one crawl. Rooms are joined by number: a room ID is forty bytes, and a census has a million participations.
By default only a census, a crawl that is completed and full, becomes numbers.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from analytics.hosting import NO_DATA, CdnRanges, HostingData, Places
from analytics.load import IS_CENSUS, Connection, ask, crawls, has_table, open_serving
from analytics.load_outside import load_outside, outside_said, with_imported_spec
from analytics.reference import load_cdn_ranges, reference
from analytics.schemas import (
    ANSWER_COLUMNS,
    IN_ROOM_COLUMNS,
    LEAD_COLUMNS,
    NETWORK_ROOM_COLUMNS,
    OBSERVATION_COLUMNS,
    PLACE_COLUMNS,
    ROOM_COLUMNS,
    SPACE_CHILD_COLUMNS,
    checked,
)
from analytics.snapshot import Frames, Snapshot


def load_frames(serving: Path, crawl_ids: Sequence[int] | None = None, geo_db: Sequence[Path] = ()) -> Frames:
    """Read the censuses of a serving file, or exactly the crawls asked for (of any state, if they were sealed).

    `geo_db` are files of hosting data, see `analytics.hosting`.

    Raises:
        StoreError: the file cannot be opened.
        UsageError: hosting data cannot be read.
    """
    hosting = HostingData(geo_db)
    with open_serving(serving) as connection:
        return frames_of(connection, crawl_ids, hosting)


def frames_of(
    connection: Connection, crawl_ids: Sequence[int] | None = None, hosting: HostingData | None = None
) -> Frames:
    """`load_frames` on a connection that is open already."""
    of_file = crawls(connection)
    if crawl_ids is None:
        wanted = of_file.filter(IS_CENSUS)
    else:
        wanted = of_file.filter(pl.col("crawl_id").is_in(list(crawl_ids)) & pl.col("finished_at").is_not_null())
    ranges = CdnRanges(load_cdn_ranges())
    data = hosting or HostingData()
    snapshots = tuple(
        _snapshot(connection, crawl, data, ranges) for crawl in wanted.sort("crawl_id").iter_rows(named=True)
    )
    return Frames(snapshots, with_imported_spec(connection, reference()))


def _snapshot(connection: Connection, crawl: Mapping[str, Any], hosting: HostingData, ranges: CdnRanges) -> Snapshot:
    crawl_id = int(crawl["crawl_id"])
    seen = checked(ask(connection, _OBSERVATIONS, crawl=crawl_id), OBSERVATION_COLUMNS, "server_observation")
    limited = crawl["scope"] != "full"

    def in_rooms(table: str, named_by: str) -> pl.DataFrame:
        only = f"AND i.{named_by} IN {_VISITED}" if limited else ""
        query = _IN_ROOMS.format(table=table, only=only)
        return checked(ask(connection, query, crawl=crawl_id), IN_ROOM_COLUMNS, table)

    return Snapshot(
        crawl_id=crawl_id,
        at=crawl["finished_at"],
        is_census=crawl["state"] == "completed" and crawl["scope"] == "full",
        synthetic=crawl["synthetic"],
        signed=crawl["identity"] is not None,
        crawler_version=crawl["crawler_version"],
        # Once the journal of a census is let go, the dead whom it left in peace are among its observations, too.
        known=max(crawl["known"] or 0, seen.height),
        observations=seen,
        rooms=checked(
            ask(connection, _ROOMS.format(only=_LISTED_THERE if limited else ""), crawl=crawl_id), ROOM_COLUMNS, "room"
        ),
        leads=checked(ask(connection, _LEADS, crawl=crawl_id), LEAD_COLUMNS, "lead"),
        listings=in_rooms("room_listing", "server_id"),
        participations=in_rooms("room_participation", "named_by"),
        places=hosting.places(seen["address"].drop_nulls(), ranges),
        outside=load_outside(connection, crawl_id, crawl["finished_at"]),
        **_of_journal(connection, crawl_id),
    )


def _of_journal(connection: Connection, crawl_id: int) -> dict[str, pl.DataFrame | None]:
    """What is in the journal of a crawl and nowhere else; None once it is let go."""
    if not has_table(connection, "unlisted_room") or ask(connection, _HAS_JOURNAL, crawl=crawl_id).is_empty():
        return {"network_rooms": None, "space_children": None, "answers": None}
    return {
        "network_rooms": checked(
            ask(connection, _NETWORK_ROOMS, crawl=crawl_id), NETWORK_ROOM_COLUMNS, "unlisted_room"
        ),
        "space_children": checked(ask(connection, _SPACE_CHILDREN, crawl=crawl_id), SPACE_CHILD_COLUMNS, "space_child"),
        "answers": checked(ask(connection, _ANSWERS, crawl=crawl_id), ANSWER_COLUMNS, "attempt"),
    }


def outside_changed(before: Path | None, serving: Path, crawl_ids: Sequence[int]) -> list[int]:
    """Of these censuses, those of which something that no crawl sees was said since an earlier serving file."""
    if before is None:
        return []
    with open_serving(before) as connection:
        then = outside_said(connection)
    with open_serving(serving) as connection:
        now = outside_said(connection)
    return [crawl_id for crawl_id in crawl_ids if now.differs(then, crawl_id)]


def load_outside_alone(serving: Path, crawl_id: int) -> Snapshot:
    """A census with nothing in it but what no crawl sees, and how many servers were online: for rows that rest on no
    more, when all else of an old census is gone."""
    with open_serving(serving) as connection:
        (crawl,) = crawls(connection).filter(pl.col("crawl_id") == crawl_id).iter_rows(named=True)
        return Snapshot(
            crawl_id=crawl_id,
            at=crawl["finished_at"],
            is_census=True,
            synthetic=crawl["synthetic"],
            signed=crawl["identity"] is not None,
            crawler_version=crawl["crawler_version"],
            known=crawl["known"] or 0,
            observations=ask(connection, _ONLINE, crawl=crawl_id),
            rooms=pl.DataFrame(schema=dict(ROOM_COLUMNS)),
            leads=pl.DataFrame(schema=dict(LEAD_COLUMNS)),
            listings=pl.DataFrame(schema=dict(IN_ROOM_COLUMNS)),
            participations=pl.DataFrame(schema=dict(IN_ROOM_COLUMNS)),
            places=Places(pl.DataFrame(schema=dict(PLACE_COLUMNS)), NO_DATA),
            outside=load_outside(connection, crawl_id, crawl["finished_at"]),
        )


_TEXT = ("verify_keys", "spec_versions", "unstable_features")
"""JSON columns, which become frames as text."""

_HOLDS = "{0}.series_id = c.series_id AND {0}.valid_from <= $crawl AND coalesce({0}.valid_to, 2147483647) > $crawl"

_CRAWL = "(SELECT * FROM crawl WHERE crawl_id = $crawl AND state = 'completed') c"

_OF = {"crawl_id": "c", "server_name": "n", "address": "v", "port": "v", "tls_issuer": "k"} | {
    name: "a" if name in ("spec_versions", "unstable_features") else "d"
    for name in OBSERVATION_COLUMNS
    if name.startswith(("directory", "spec", "unstable"))
}
"""In which of the tables below a column is, if not in server_state."""

_OBSERVATIONS = f"""
SELECT {
    ", ".join(
        f"{_OF.get(name, 's')}.{name}{'::VARCHAR' if name in _TEXT else ''} AS {name}"
        for name in OBSERVATION_COLUMNS
        if name != "has_client_base"
    )
}, s.client_base IS NOT NULL AS has_client_base
FROM {_CRAWL}
JOIN server_state s ON {_HOLDS.format("s")}
JOIN directory_state d ON d.server_id = s.server_id AND {_HOLDS.format("d")}
JOIN client_api a ON a.client_api_id = s.client_api_id
JOIN server n ON n.server_id = s.server_id
LEFT JOIN (
    SELECT server_id, tls_issuer FROM server_certificate k JOIN crawl c ON c.crawl_id = $crawl AND {_HOLDS.format("k")}
) k ON k.server_id = s.server_id
LEFT JOIN (SELECT server_id, crawl_id AS visited, address, port FROM visit WHERE crawl_id = $crawl) v
    ON v.server_id = s.server_id
WHERE v.visited IS NOT NULL
    OR (c.scope = 'full' AND c.servers > 0 AND NOT EXISTS (FROM visit WHERE crawl_id = $crawl))
"""  # noqa: S608 - our own names
"""The view server_observation for one crawl. Asked for one, the view joins every certificate with every server."""

_VISITED = "(SELECT server_id FROM visit WHERE crawl_id = $crawl)"

_ROOMS = f"""
SELECT
    k.room_number, k.room_id, r.directories, r.members,
    coalesce(r.members_min, r.members::INTEGER) AS members_min,
    coalesce(r.members_max, r.members::INTEGER) AS members_max,
    t.name, t.topic, t.canonical_alias, t.join_rule, t.room_type, r.world_readable, k.first_crawl_id,
    r.valid_from AS changed_crawl_id
FROM {_CRAWL}
JOIN room_state r ON {_HOLDS.format("r")}
JOIN known_room k ON k.room_number = r.room_number
JOIN room_text t ON t.text_id = r.text_id
WHERE true {{only}}
"""  # noqa: S608 - our own names
"""The view room for one crawl."""

_LISTED_THERE = f"""AND r.room_number IN (
    SELECT l.room_number FROM room_listing l JOIN {_CRAWL} ON {_HOLDS.format("l")} WHERE l.server_id IN {_VISITED}
)"""  # noqa: S608 - our own names
"""Of a limited crawl: what the directories that it read list."""

_IN_ROOMS = f"""
SELECT DISTINCT i.room_number, i.server_id FROM {_CRAWL} JOIN {{table}} i ON {_HOLDS.format("i")} WHERE true {{only}}
"""  # noqa: S608 - our own names
"""The views listing and participation for one crawl, rooms by their number."""

_ONLINE = "SELECT online FROM server_observation WHERE crawl_id = $crawl"

_LEADS = "SELECT DISTINCT server_id, source, named_by FROM lead WHERE crawl_id = $crawl"

_HAS_JOURNAL = "SELECT crawl_id FROM visit WHERE crawl_id = $crawl LIMIT 1"

_NETWORK_ROOMS = """
SELECT room_id, server_id, members, room_type, canonical_alias FROM unlisted_room
WHERE crawl_id = $crawl AND found_by = 'all_networks'
"""

_SPACE_CHILDREN = "SELECT DISTINCT space_id, child_id FROM space_child WHERE crawl_id = $crawl"

_ANSWERS = f"""
WITH up AS (SELECT s.server_id FROM {_CRAWL} JOIN server_state s ON {_HOLDS.format("s")} WHERE s.online)
SELECT server_id, what, outcome, failed_kind, http_status, errcode IS NOT NULL AS has_errcode
FROM attempt JOIN up USING (server_id)
WHERE crawl_id = $crawl AND outcome <> 'skipped' AND what NOT IN ('resolution', 'tcp', 'tls')
UNION ALL
SELECT server_id, question, CASE WHEN failed_kind IS NULL THEN 'ok' ELSE 'failed' END, failed_kind, NULL, false
FROM resolution_step JOIN up USING (server_id) WHERE crawl_id = $crawl AND question = 'well_known'
"""  # noqa: S608 - our own names
