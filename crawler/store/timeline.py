"""The federation in a few numbers after each census, and its servers with when they were last seen online.

For programs that ask what directories of servers tell. The numbers are sums of changes over the intervals, one scan for
all censuses.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from crawler.store.answer import all_of, fetch
from crawler.store.connection import Connection


@dataclass(frozen=True, slots=True)
class Day:
    """One census: its seal, servers online, those of them whose directory answered, unique rooms listed, and online
    servers by software (None where they do not say)."""

    at: datetime
    online: int
    listing: int
    rooms: int
    software: Mapping[str | None, int]


@dataclass(frozen=True, slots=True)
class Named:
    """A server as known after a census. `online_at`: seal of the last crawl known to have seen it online, None when
    none did; `checked_at`: when the last crawl of which that is known looked at it."""

    name: str
    client_base: str | None
    software: str | None
    version: str | None
    online: bool
    listing: bool
    online_at: datetime | None
    checked_at: datetime | None


def days(connection: Connection, crawl_id: int) -> list[Day]:
    """The censuses of the series of one, up to it, the oldest first."""
    return [
        Day(sealed_at, int(online), int(listing), int(rooms), _by_name(software))
        for sealed_at, online, listing, rooms, software in fetch(connection, _DAYS, {"crawl": crawl_id})
    ]


def catalogue(connection: Connection, crawl_id: int) -> tuple[Named, ...]:
    """The servers known after a census, by name."""
    return all_of(connection, Named, f"FROM ({_CATALOGUE}) ORDER BY server_key", {"crawl": crawl_id})


def _by_name(software: str) -> dict[str | None, int]:
    return {each["k"]: int(each["n"]) for each in json.loads(software)}


_DAYS = """
WITH this AS (SELECT series_id, crawl_id FROM crawl WHERE crawl_id = $crawl),
change AS (
    SELECT s.valid_from AS crawl_id, s.software, s.online::INTEGER AS online, s.listing::INTEGER AS listing
    FROM server_state s JOIN this USING (series_id) WHERE s.online
    UNION ALL
    SELECT s.valid_to, s.software, -s.online::INTEGER, -s.listing::INTEGER
    FROM server_state s JOIN this USING (series_id) WHERE s.online AND s.valid_to IS NOT NULL
), delta AS (
    SELECT crawl_id, software, sum(online) AS online, sum(listing) AS listing FROM change GROUP BY ALL
), running AS (
    SELECT c.crawl_id, k.software,
        sum(coalesce(d.online, 0)) OVER so_far AS online, sum(coalesce(d.listing, 0)) OVER so_far AS listing
    FROM crawl c
    JOIN this ON c.series_id = this.series_id AND c.state = 'completed' AND c.crawl_id <= this.crawl_id
    CROSS JOIN (SELECT DISTINCT software FROM delta) k
    LEFT JOIN delta d ON d.crawl_id = c.crawl_id AND d.software IS NOT DISTINCT FROM k.software
    WINDOW so_far AS (PARTITION BY k.software ORDER BY c.crawl_id)
)
SELECT c.finished_at, coalesce(sum(r.online), 0), coalesce(sum(r.listing), 0), coalesce(any_value(c.rooms), 0),
    to_json(coalesce(list({'k': r.software, 'n': r.online}) FILTER (r.online > 0), []))::VARCHAR
FROM census c JOIN this ON c.series_id = this.series_id AND c.crawl_id <= this.crawl_id
LEFT JOIN running r ON r.crawl_id = c.crawl_id
GROUP BY c.crawl_id, c.finished_at
ORDER BY c.crawl_id
"""

_CATALOGUE = """
WITH this AS (SELECT series_id, crawl_id, finished_at FROM crawl WHERE crawl_id = $crawl),
gone AS (
    SELECT u.series_id, u.server_id, max(u.valid_to) AS gone_id
    FROM server_session u JOIN this USING (series_id)
    WHERE u.online AND u.valid_to <= this.crawl_id
    GROUP BY ALL
), before AS (
    -- The last census before the one that saw it go.
    SELECT g.server_id, b.finished_at
    FROM gone g ASOF JOIN census b ON b.series_id = g.series_id AND b.crawl_id < g.gone_id
)
SELECT n.server_key, n.server_name AS name, s.client_base, s.software, s.version, s.online, s.listing,
    CASE WHEN s.online THEN this.finished_at ELSE l.finished_at END AS online_at,
    coalesce(v.observed_at, b.finished_at) AS checked_at
FROM this
JOIN server_state s ON s.series_id = this.series_id AND s.valid_from <= this.crawl_id AND (
    s.valid_to IS NULL OR s.valid_to > this.crawl_id
)
JOIN server n USING (server_id)
JOIN crawl b ON b.crawl_id = s.valid_from
LEFT JOIN before l ON l.server_id = s.server_id
LEFT JOIN (SELECT server_id, observed_at FROM visit WHERE crawl_id = $crawl) v ON v.server_id = s.server_id
"""
