"""What past crawls counted, without what is to be forgotten, so that the file goes on adding up (`verify`).

Apart from `removal`, which takes rows out: this speaks of sums over rows that stay. Servers, rooms and directories are
counted anew. What directories said of a room together (the median, the fewest and the most members) stays as it was:
that a directory said just the median is not kept apart from it (`listing_deviation`), so another median would put other
words into its mouth; and of most days no single answers are kept to make one of.
"""

from crawler.store.connection import Connection


def count_less(connection: Connection) -> None:
    """Bring counts down, in a transaction and before the rows go: those of `temp.gone_server` and `temp.gone_room`."""
    for statement in _STATEMENTS:
        connection.execute(statement)


_STATEMENTS = (
    """
    UPDATE crawl SET servers = crawl.servers - gone.servers, online = crawl.online - gone.online FROM (
        SELECT crawl_id, count(*) AS servers, count(*) FILTER (online) AS online FROM server_observation
        WHERE server_id IN (SELECT server_id FROM temp.gone_server) GROUP BY crawl_id
    ) gone WHERE gone.crawl_id = crawl.crawl_id
    """,
    """
    UPDATE crawl SET servers = crawl.servers - gone.servers, online = crawl.online - gone.online FROM (
        SELECT crawl_id, count(*) AS servers, count(*) FILTER (online) AS online FROM seen_server
        WHERE server_id IN (SELECT server_id FROM temp.gone_server) GROUP BY crawl_id
    ) gone WHERE gone.crawl_id = crawl.crawl_id
    """,
    """
    UPDATE crawl SET known = crawl.known - gone.servers FROM (
        SELECT crawl_id, count(DISTINCT server_id) AS servers FROM (
            SELECT crawl_id, server_id FROM server_observation UNION ALL SELECT crawl_id, server_id FROM seen_server
            UNION ALL SELECT crawl_id, server_id FROM lead
        ) WHERE server_id IN (SELECT server_id FROM temp.gone_server) GROUP BY crawl_id
    ) gone WHERE gone.crawl_id = crawl.crawl_id
    """,
    "UPDATE crawl SET completeness = servers / known WHERE known > 0",
    # Accounts that go on while a directory takes the place of a forgotten one are parted there.
    """
    CREATE OR REPLACE TEMP TABLE parting AS
    SELECT DISTINCT r.rowid AS place, b.at_crawl
    FROM room_state r JOIN (
        SELECT series_id, room_number, unnest([valid_from, valid_to]) AS at_crawl FROM room_listing
        WHERE server_id IN (SELECT server_id FROM temp.gone_server)
    ) b ON b.series_id = r.series_id AND b.room_number = r.room_number
    WHERE b.at_crawl > r.valid_from AND (r.valid_to IS NULL OR b.at_crawl < r.valid_to)
    """,
    """
    INSERT INTO room_state SELECT r.* REPLACE (
        p.at_crawl AS valid_from,
        coalesce(lead(p.at_crawl) OVER (PARTITION BY p.place ORDER BY p.at_crawl), r.valid_to) AS valid_to
    ) FROM temp.parting p JOIN room_state r ON r.rowid = p.place
    """,
    """
    UPDATE room_state SET valid_to = p.at_crawl
    FROM (SELECT place, min(at_crawl) AS at_crawl FROM temp.parting GROUP BY place) p WHERE p.place = room_state.rowid
    """,
    "DROP TABLE temp.parting",
    # A directory less for the rooms that others list too.
    """
    UPDATE room_state SET directories = room_state.directories - gone.listings FROM (
        SELECT r.rowid AS place, count(*)::INTEGER AS listings
        FROM room_state r JOIN room_listing l ON l.series_id = r.series_id AND l.room_number = r.room_number
            AND l.valid_from <= r.valid_from AND (l.valid_to IS NULL OR l.valid_to > r.valid_from)
        WHERE l.server_id IN (SELECT server_id FROM temp.gone_server) GROUP BY r.rowid
    ) gone WHERE gone.place = room_state.rowid
    """,
    """
    UPDATE crawl SET rooms = crawl.rooms - gone.rooms FROM (
        SELECT crawl_id, count(*) AS rooms FROM (
            SELECT crawl_id, room_id FROM room
            WHERE directories <= 0 OR room_id IN (SELECT room_id FROM temp.gone_room)
            UNION
            SELECT crawl_id, room_id FROM seen_listing
            GROUP BY ALL HAVING room_id IN (SELECT room_id FROM temp.gone_room)
                OR bool_and(server_id IN (SELECT server_id FROM temp.gone_server))
        ) GROUP BY crawl_id
    ) gone WHERE gone.crawl_id = crawl.crawl_id
    """,
    "DELETE FROM room_state WHERE directories <= 0",
)
