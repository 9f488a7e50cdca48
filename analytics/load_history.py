"""Serving file -> the years before a census: who lived how long, what rooms there were, which versions servers ran.

History comes as sums of what begins and ends, made in SQL: a year of rooms is millions of stays.
"""

from pathlib import Path

import polars as pl

from analytics.cohorts import STEP_COLUMNS
from analytics.load import ask, open_serving
from analytics.schemas import CENSUS_COLUMNS, ROOM_HISTORY_COLUMNS, STAY_COLUMNS, checked
from analytics.snapshot import Lives
from analytics.versions import VERSION_STAY_COLUMNS


def load_lives(serving: Path, crawl_id: int) -> Lives:
    """The history of the series of a crawl, as it was known at its seal."""
    with open_serving(serving) as connection:
        return Lives(
            censuses=checked(ask(connection, _CENSUSES, crawl=crawl_id), CENSUS_COLUMNS, "census"),
            servers=checked(ask(connection, _SERVER_STAYS, crawl=crawl_id), STAY_COLUMNS, "server_session"),
            rooms=checked(ask(connection, _ROOM_HISTORY, crawl=crawl_id), ROOM_HISTORY_COLUMNS, "room_state"),
        )


def load_version_stays(serving: Path, crawl_id: int) -> pl.DataFrame:
    """Which server ran what when, in the series of a crawl, as it was known at its seal (`VERSION_STAY_COLUMNS`)."""
    with open_serving(serving) as connection:
        return checked(ask(connection, _VERSION_STAYS, crawl=crawl_id), VERSION_STAY_COLUMNS, "server_version")


def load_room_steps(serving: Path, crawl_id: int) -> pl.DataFrame:
    """How many of the rooms first listed in one census are listed in another (`cohorts.STEP_COLUMNS`)."""
    with open_serving(serving) as connection:
        return checked(ask(connection, _ROOM_STEPS, crawl=crawl_id), STEP_COLUMNS, "room_state")


_CENSUSES = """
SELECT c.crawl_id, c.finished_at AS at
FROM census c JOIN crawl this ON this.crawl_id = $crawl AND c.series_id = this.series_id
WHERE c.crawl_id <= $crawl ORDER BY c.crawl_id
"""

_SERVER_STAYS = """
WITH said AS (
    SELECT series_id, server_id, arg_max(software, valid_from) AS software
    FROM server_state WHERE online AND valid_from <= $crawl GROUP BY series_id, server_id
)
SELECT
    s.server_id, s.valid_from, e.crawl_id AS valid_to,
    b.finished_at AS seen_from, e.finished_at AS seen_to, said.software
FROM server_session s
JOIN crawl this ON this.crawl_id = $crawl AND s.series_id = this.series_id
JOIN crawl b ON b.crawl_id = s.valid_from
LEFT JOIN crawl e ON e.crawl_id = s.valid_to AND e.crawl_id <= $crawl
JOIN said ON said.series_id = s.series_id AND said.server_id = s.server_id
WHERE s.online AND s.valid_from <= $crawl
ORDER BY s.server_id, s.valid_from
"""

_ROOM_HISTORY = """
WITH this AS (
    SELECT series_id FROM crawl WHERE crawl_id = $crawl
), stay AS (
    SELECT
        r.valid_from,
        CASE WHEN r.valid_to <= $crawl THEN r.valid_to END AS valid_to,
        r.members,
        r.room_number IN (
            SELECT room_number FROM room_state
            WHERE series_id = (FROM this) AND valid_from <= $crawl AND coalesce(valid_to, 2147483647) > $crawl
        ) AS still
    FROM room_state r JOIN room_text t USING (text_id)
    WHERE r.series_id = (FROM this) AND r.valid_from <= $crawl AND coalesce(t.room_type, '') <> 'm.space'
), step AS (
    SELECT valid_from AS crawl_id, count(*) AS rooms, sum(members) AS memberships, count(*) FILTER (still) AS still
    FROM stay GROUP BY ALL
    UNION ALL
    SELECT valid_to, -count(*), -sum(members), -count(*) FILTER (still)
    FROM stay WHERE valid_to IS NOT NULL GROUP BY ALL
    UNION ALL
    SELECT crawl_id, 0, 0, 0 FROM census WHERE series_id = (FROM this) AND crawl_id <= $crawl
), summed AS (
    SELECT DISTINCT
        crawl_id,
        sum(rooms) OVER so_far::BIGINT AS rooms,
        coalesce(sum(memberships) OVER so_far, 0)::DOUBLE AS memberships,
        sum(still) OVER so_far::BIGINT AS still_listed
    FROM step
    WINDOW so_far AS (ORDER BY crawl_id RANGE UNBOUNDED PRECEDING)
)
SELECT s.* FROM summed s JOIN census c USING (crawl_id) ORDER BY crawl_id
"""

_VERSION_STAYS = """
SELECT
    v.server_id, v.software, v.version, v.valid_from, e.crawl_id AS valid_to,
    b.finished_at AS seen_from, e.finished_at AS seen_to
FROM server_version v
JOIN crawl this ON this.crawl_id = $crawl AND v.series_id = this.series_id
JOIN crawl b ON b.crawl_id = v.valid_from
LEFT JOIN crawl e ON e.crawl_id = v.valid_to AND e.crawl_id <= $crawl
WHERE v.valid_from <= $crawl
ORDER BY v.server_id, v.valid_from
"""

_ROOM_STEPS = """
WITH stay AS (
    SELECT r.room_number, r.valid_from, CASE WHEN r.valid_to <= $crawl THEN r.valid_to END AS valid_to,
        min(r.valid_from) OVER (PARTITION BY r.room_number) AS first_crawl
    FROM room_state r JOIN crawl this ON this.crawl_id = $crawl AND r.series_id = this.series_id
    JOIN room_text t USING (text_id)
    WHERE r.valid_from <= $crawl AND coalesce(t.room_type, '') <> 'm.space'
)
SELECT first_crawl, crawl_id, sum(change)::BIGINT AS change FROM (
    SELECT first_crawl, valid_from AS crawl_id, 1 AS change FROM stay
    UNION ALL SELECT first_crawl, valid_to, -1 FROM stay WHERE valid_to IS NOT NULL
)
GROUP BY ALL HAVING sum(change) <> 0 ORDER BY ALL
"""
