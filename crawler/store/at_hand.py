"""What is asked of the newest census over and over, laid down in memory once for each reader: its rooms, the changes
up to it.

Apart from the views, which answer for any crawl and have to look through all of its series for that: of a year with
300,000 rooms a page of them takes 0.3 s and 270 MB each time, laid down it takes some milliseconds. A table is made
when it is first asked for, takes about a second and 130 MB (the changes 40), and goes with its reader. DuckDB's
temporary tables are of one cursor alone, so they lie in a database in memory that is attached to the file.
"""

import threading
from collections.abc import Mapping
from contextlib import closing

from crawler.store.changes import CHANGES
from crawler.store.connection import Connection
from crawler.store.insert import quoted

_DATABASE = "at_hand"

ROOMS, CHANGED = "room", "change"

# No stored text holds a NUL, so nothing is found across two of them.
_SAID = "lower(concat_ws(chr(0), r.name, r.topic, r.canonical_alias, r.room_id)) AS said"
_ROOMS = f"SELECT r.*, {_SAID}, NULL::BOOLEAN AS is_noise FROM room r WHERE r.crawl_id = {{crawl}}"  # noqa: S608 - text of ours
_ROOMS_WITH_SIGNS = f"""
SELECT r.*, {_SAID}, coalesce(f.score, 0) > 0 AS is_noise
FROM room r LEFT JOIN room_feature f ON f.room_id = r.room_id AND f.crawl_id = r.crawl_id
WHERE r.crawl_id = {{crawl}}
"""  # noqa: S608 - likewise
# In the order in which they are mostly asked for, so that a page of them lies together.
_CHANGES = f"SELECT * FROM ({CHANGES}) ORDER BY crawl_id, kind, members DESC NULLS LAST, server_name, room_id"  # noqa: S608 - text of ours


class AtHand:
    """The tables of one reader. Any thread may ask.

    Args:
        connection: To a serving file.
        crawl_id: Its newest census; None: there is none, and nothing is at hand.
        has_features: Whether the file knows the signs of rooms.
    """

    def __init__(self, connection: Connection, crawl_id: int | None, *, has_features: bool) -> None:
        self._connection = connection
        self._crawl_id = crawl_id
        self._made: dict[str, str] = {}
        self._lock = threading.Lock()
        self._texts: Mapping[str, str] = {ROOMS: _ROOMS_WITH_SIGNS if has_features else _ROOMS, CHANGED: _CHANGES}

    def table(self, name: str, crawl_id: int) -> str | None:
        """The name in SQL of a table that is at hand; None for another crawl than the newest.

        Args:
            name: `ROOMS` (the columns of the view `room`; `said`, its texts and ID in lower case; `is_noise`, whether
                it shows a sign, NULL where none is known) or `CHANGED` (those of `changes.CHANGES`).
            crawl_id: The crawl that is asked about.
        """
        if crawl_id != self._crawl_id:
            return None
        with self._lock:
            if name not in self._made:
                self._made[name] = self._make(name)
            return self._made[name]

    def _make(self, name: str) -> str:
        table = f"{_DATABASE}.{quoted(name)}"
        with closing(self._connection.cursor()) as cursor:
            if not self._made:
                cursor.execute(f"ATTACH IF NOT EXISTS ':memory:' AS {_DATABASE} (READ_WRITE)")
            cursor.execute(f"CREATE OR REPLACE TABLE {table} AS {self._texts[name].format(crawl=self._crawl_id)}")
        return table
