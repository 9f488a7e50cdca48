"""How the numbers of an export become those of a census file: one map for each kind of number.

Apart from the import, which puts the rows in: here is what is the same here and there, in SQL. Servers, rooms and texts
are found by what they are called; what is new is put in its table and given the next number.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from crawler.store.export import KNOWN
from crawler.store.intervals import INTERVALS


@dataclass(frozen=True, slots=True)
class Mapped:
    """How the values of a column become those of this file: `number` of `source`, joined `on`."""

    number: str
    source: str
    on: str


def _by_number(table: str, number: str) -> Mapped:
    return Mapped(number, f"FROM temp.{table}", "{place}.was = i.{column}")


_AT_A_CRAWL = "{place}.was_series = i.series_id AND {place}.was = i.{column}"


def _of_leads(column: str, nearest: str, side: str) -> Mapped:
    """When a lead was seen first or last, in crawls that the export holds."""
    source = f"""
    SELECT t.series_id AS was_series, t.{column} AS was, {nearest}(m.crawl_id) AS crawl_id
    FROM (SELECT DISTINCT series_id, {column} FROM temp.in_lead_span) t
    JOIN temp.map_crawl m ON m.was_series = t.series_id AND m.was {side} t.{column} GROUP BY ALL
    """  # noqa: S608 - our own names
    return Mapped("crawl_id", source, _AT_A_CRAWL)


MAPPED: Mapping[str, Mapped] = {
    "series_id": _by_number("map_series", "series_id"),
    "crawl_id": _by_number("map_crawl", "crawl_id"),
    "server_id": _by_number("map_server", "server_id"),
    "named_by": _by_number("map_server", "server_id"),
    "room_number": _by_number("map_room", "room_number"),
    "text_id": _by_number("map_text", "text_id"),
    "client_api_id": _by_number("map_api", "client_api_id"),
    "valid_from": Mapped("crawl_id", "FROM temp.map_time", _AT_A_CRAWL),
    "valid_to": Mapped("crawl_id", "FROM temp.map_time", _AT_A_CRAWL),
    "first_crawl_id": _of_leads("first_crawl_id", "min", ">="),
    "last_crawl_id": _of_leads("last_crawl_id", "max", "<="),
}

_TIMES = " UNION ".join(
    f"SELECT series_id, {column} AS at_crawl FROM temp.in_{interval.table} WHERE {column} IS NOT NULL"  # noqa: S608 - our own names
    for interval in INTERVALS
    for column in ("valid_from", "valid_to")
)

MAPS = (
    """
    CREATE OR REPLACE TEMP TABLE map_crawl AS
    SELECT c.crawl_id AS was, c.series_id AS was_series, (
        (SELECT least(coalesce(min(crawl_id), 0), 0) FROM crawl)
        - count(*) OVER () + row_number() OVER (ORDER BY c.crawl_id) - 1
    )::INTEGER AS crawl_id
    FROM temp.in_crawl c JOIN temp.map_series m ON m.was = c.series_id WHERE c.state = 'completed'
    """,
    # When an interval begins or ends, in crawls that the export holds: the first that is not before.
    f"""
    CREATE OR REPLACE TEMP TABLE map_time AS
    SELECT t.series_id AS was_series, t.at_crawl AS was, min(m.crawl_id) AS crawl_id
    FROM ({_TIMES}) t JOIN temp.map_crawl m ON m.was_series = t.series_id AND m.was >= t.at_crawl
    GROUP BY ALL
    """,  # noqa: S608 - likewise
    """
    CREATE OR REPLACE TEMP TABLE map_server AS
    SELECT i.server_id AS was, s.server_id IS NULL AS is_new, coalesce(s.server_id, (
        (SELECT coalesce(max(server_id), 0) FROM server)
        + row_number() OVER (PARTITION BY s.server_id IS NULL ORDER BY i.server_id)
    ))::INTEGER AS server_id
    FROM temp.in_server i LEFT JOIN server s ON s.server_key = i.server_key
    """,
    """
    INSERT INTO server SELECT m.server_id, i.server_key, i.server_name, (SELECT min(crawl_id) FROM temp.map_crawl)
    FROM temp.in_server i JOIN temp.map_server m ON m.was = i.server_id WHERE m.is_new
    """,
    """
    CREATE OR REPLACE TEMP TABLE map_room AS
    SELECT i.room_number AS was, k.room_number IS NULL AS is_new, coalesce(k.room_number, (
        (SELECT coalesce(max(room_number), 0) FROM known_room)
        + row_number() OVER (PARTITION BY k.room_number IS NULL ORDER BY i.room_number)
    ))::INTEGER AS room_number
    FROM temp.in_known_room i LEFT JOIN known_room k ON k.room_id = i.room_id
    """,
    """
    INSERT INTO known_room SELECT m.room_number, i.room_id, (SELECT min(crawl_id) FROM temp.map_crawl)
    FROM temp.in_known_room i JOIN temp.map_room m ON m.was = i.room_number WHERE m.is_new
    """,
    """
    CREATE OR REPLACE TEMP TABLE map_text AS
    SELECT i.text_id AS was, t.text_id IS NULL AS is_new, coalesce(t.text_id, (
        (SELECT coalesce(max(text_id), 0) FROM room_text)
        + row_number() OVER (PARTITION BY t.text_id IS NULL ORDER BY i.text_id)
    ))::INTEGER AS text_id
    FROM temp.in_room_text i LEFT JOIN room_text t ON t.name IS NOT DISTINCT FROM i.name
        AND t.topic IS NOT DISTINCT FROM i.topic AND t.canonical_alias IS NOT DISTINCT FROM i.canonical_alias
        AND t.join_rule IS NOT DISTINCT FROM i.join_rule AND t.room_type IS NOT DISTINCT FROM i.room_type
    """,
    """
    INSERT INTO room_text SELECT m.text_id, i.* EXCLUDE (text_id)
    FROM temp.in_room_text i JOIN temp.map_text m ON m.was = i.text_id WHERE m.is_new
    """,
    """
    CREATE OR REPLACE TEMP TABLE map_api AS
    SELECT i.client_api_id AS was, a.client_api_id IS NULL AS is_new, coalesce(a.client_api_id, (
        (SELECT coalesce(max(client_api_id), 0) FROM client_api)
        + row_number() OVER (PARTITION BY a.client_api_id IS NULL ORDER BY i.client_api_id)
    ))::INTEGER AS client_api_id
    FROM temp.in_client_api i LEFT JOIN client_api a ON a.spec_versions IS NOT DISTINCT FROM i.spec_versions
        AND a.unstable_features IS NOT DISTINCT FROM i.unstable_features
    """,
    """
    INSERT INTO client_api SELECT m.client_api_id, i.* EXCLUDE (client_api_id)
    FROM temp.in_client_api i JOIN temp.map_api m ON m.was = i.client_api_id WHERE m.is_new
    """,
)
"""Old number -> new number, with what is new put in its table."""

NAMES = ("series", "server", "known_room", "room_text", "client_api")
"""Read in, and put into their tables by the maps."""

_OUTSIDE = frozenset(
    {
        "outside_source", "developer_count", "developer_month", "developer_overlap", "repository_activity",
        "spec_release", "spec_proposal",
    }
)  # fmt: skip
"""Not of a vantage: whoever wants what others imported imports it."""

IMPORTED = ("crawl", *(interval.table for interval in INTERVALS), *sorted(
    KNOWN - {"crawl", "snapshot", "imported_series", *NAMES, *_OUTSIDE}
))  # fmt: skip
"""Put into their tables as they are but for the numbers."""
