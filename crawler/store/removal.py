"""What is to be forgotten, found in a census file and taken out of it, within one transaction.

Rows are found by the names of their columns, so that a table of tomorrow is not overlooked. Counts of past crawls go
down by what is removed (`recount`).
"""

import json
import re
from collections.abc import Iterable

from crawler.model.names import ServerName
from crawler.protocol.json_body import clean_text
from crawler.store.connection import Connection
from crawler.store.insert import column_types, quoted
from crawler.store.recount import count_less
from crawler.store.rewrite import tables_of

STAND_IN = "forgotten.invalid"
"""What stands where others mentioned the name (RFC 2606)."""

_SERVER_COLUMNS = ("server_id", "named_by")
_ROOM_ID_COLUMNS = ("room_id", "space_id", "child_id")
_IDENTIFIER = 255
"""Characters of an ID or alias that are kept."""

_GONE = {
    _SERVER_COLUMNS: "SELECT server_id FROM temp.gone_server",
    ("server_key",): "SELECT server_key FROM temp.gone_key",
    ("room_number",): "SELECT room_number FROM temp.gone_number",
    _ROOM_ID_COLUMNS: "SELECT room_id FROM temp.gone_room",
}
"""Columns -> the values in them that go."""


class Removal:
    """What is to go, and its going, within one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._columns = {table: column_types(connection, table) for table in tables_of(connection)}
        self.servers: set[int] = set()
        self.keys: set[str] = set()
        self.rooms: set[str] = set()
        self.asked_rooms: set[str] = set()
        self.names: set[str] = set()
        self.texts: set[str] = set()
        self.rows = 0

    def find(self, subject: ServerName | str) -> None:
        """Note what belongs to a subject."""
        if isinstance(subject, str):
            found = self._room_ids("room_id = $1 OR canonical_alias = $1", clean_text(subject, _IDENTIFIER))
            self.rooms |= found
            self.asked_rooms |= found
            self.names |= found | {subject}
            self.names |= self._aliases(found)
            self.texts |= self._only_texts(found)
            return
        at_every_port = subject.port is None
        rows = self._connection.execute(
            "SELECT server_id FROM server WHERE server_key = $1 OR ($2 AND starts_with(server_key, $1 || ':'))",
            [subject.key, at_every_port],
        ).fetchall()
        self.servers |= {int(number) for (number,) in rows}
        # What a server reports of itself need not be of a server that a crawl has met.
        reported = self._connection.execute(
            "SELECT server_key FROM usage_report WHERE server_key = $1 OR ($2 AND starts_with(server_key, $1 || ':'))",
            [subject.key, at_every_port],
        ).fetchall()
        self.keys |= {str(key) for (key,) in reported}
        self.names.add(subject.key)
        bears = "ends_with(lower({0}), ':' || $1) OR ($2 AND contains(lower({0}), ':' || $1 || ':'))"
        condition = " OR ".join(bears.format(column) for column in ("room_id", "canonical_alias"))
        self.rooms |= self._room_ids(condition, subject.key, at_every_port)

    def remove(self) -> None:
        """Remove it."""
        self._connection.execute("CREATE OR REPLACE TEMP TABLE gone_server (server_id INTEGER)")
        self._insert("gone_server", self.servers)
        self._connection.execute("CREATE OR REPLACE TEMP TABLE gone_key (server_key VARCHAR)")
        self._insert("gone_key", self.keys)
        self.rooms |= self._listed_by_these_alone()
        self.texts |= self._only_texts(self.rooms)
        self._connection.execute("CREATE OR REPLACE TEMP TABLE gone_room (room_id VARCHAR)")
        self._insert("gone_room", self.rooms)
        self._connection.execute(
            "CREATE OR REPLACE TEMP TABLE gone_number AS SELECT room_number FROM known_room"
            " WHERE room_id IN (SELECT room_id FROM temp.gone_room)"
        )
        count_less(self._connection)
        for table, columns in self._columns.items():
            self._delete(table, columns)
        for statement in _ORPHANS:
            self.rows += len(self._connection.execute(statement).fetchall())
        # Bodies of answers are kept as they came, and could hold any name; the next crawl asks again.
        self._connection.execute("DELETE FROM cached_answer")
        for name in sorted(self.names, key=len, reverse=True):
            self._stand_in(name)
        for statement in _SAME_TEXTS:
            self._connection.execute(statement)
        for table in ("gone_server", "gone_key", "gone_room", "gone_number"):
            self._connection.execute(f"DROP TABLE temp.{table}")
        self.texts |= self.names

    def _insert(self, table: str, values: Iterable[object]) -> None:
        self._connection.execute(
            f"INSERT INTO temp.{table} SELECT unnest(from_json_strict(?, '[\"VARCHAR\"]'))",
            [json.dumps([str(value) for value in values])],
        )

    def _room_ids(self, condition: str, *values: object) -> set[str]:
        """Rooms that any table knows, by a condition on ID and alias."""
        parts = [
            """SELECT room_id, canonical_alias FROM known_room LEFT JOIN (
                SELECT room_number, canonical_alias FROM room_state JOIN room_text USING (text_id)
            ) USING (room_number)"""
        ]
        for table, columns in self._columns.items():
            alias = "canonical_alias" if "canonical_alias" in columns else "NULL"
            parts += [
                f"SELECT {column}, {alias} FROM {quoted(table)}"  # noqa: S608 - likewise
                for column in _ROOM_ID_COLUMNS
                if column in columns and table != "known_room"
            ]
        source = " UNION ALL ".join(parts)
        rows = self._connection.execute(
            f"SELECT DISTINCT room_id FROM ({source}) AS r (room_id, canonical_alias) WHERE {condition}",  # noqa: S608 - likewise
            list(values),
        ).fetchall()
        return {str(room_id) for (room_id,) in rows}

    def _aliases(self, rooms: set[str]) -> set[str]:
        rows = self._connection.execute(
            "SELECT DISTINCT canonical_alias FROM room_state JOIN room_text USING (text_id) JOIN known_room USING"
            " (room_number) WHERE canonical_alias IS NOT NULL AND"
            " room_id IN (SELECT unnest(from_json_strict(?, '[\"VARCHAR\"]')))",
            [json.dumps(sorted(rooms))],
        ).fetchall()
        return {str(alias) for (alias,) in rows}

    def _only_texts(self, rooms: set[str]) -> set[str]:
        """Names and topics that these rooms alone have, at any time."""
        rows = self._connection.execute(
            """
            WITH used AS (
                SELECT room_number, text_id FROM room_state UNION SELECT room_number, text_id FROM listing_deviation
            ), said AS (
                SELECT unnest([name, topic]) AS text,
                    room_id IN (SELECT unnest(from_json_strict(?, '["VARCHAR"]'))) AS its
                FROM used JOIN room_text USING (text_id) JOIN known_room USING (room_number)
            )
            SELECT text FROM said WHERE text IS NOT NULL GROUP BY text HAVING bool_and(its)
            """,
            [json.dumps(sorted(rooms))],
        ).fetchall()
        return {str(text) for (text,) in rows}

    def _listed_by_these_alone(self) -> set[str]:
        rows = self._connection.execute(
            """
            SELECT room_id FROM known_room JOIN (
                SELECT room_number FROM room_listing
                GROUP BY room_number HAVING bool_and(server_id IN (SELECT server_id FROM temp.gone_server))
            ) USING (room_number)
            UNION
            SELECT room_id FROM seen_listing
            GROUP BY room_id HAVING bool_and(server_id IN (SELECT server_id FROM temp.gone_server))
                AND room_id NOT IN (SELECT room_id FROM known_room)
            """
        ).fetchall()
        return {str(room_id) for (room_id,) in rows}

    def _delete(self, table: str, columns: dict[str, str]) -> None:
        conditions = [f"{column} IN ({gone})" for names, gone in _GONE.items() for column in names if column in columns]
        if not conditions:
            return
        query = f"DELETE FROM {quoted(table)} WHERE {' OR '.join(conditions)} RETURNING 1"  # noqa: S608 - our own names
        self.rows += len(self._connection.execute(query).fetchall())

    def _stand_in(self, name: str) -> None:
        pattern = mention(name)
        for table, columns in self._columns.items():
            for column, sql_type in columns.items():
                if sql_type not in ("VARCHAR", "JSON") or table == "suppression":
                    continue
                text = f"{quoted(column)}::VARCHAR"
                where = f"contains(lower({text}), lower($1)) AND regexp_matches({text}, $2)"
                if table == "alias_schedule":
                    self._connection.execute(f"DELETE FROM alias_schedule WHERE {where}", [name, pattern])  # noqa: S608 - our own names
                    continue
                # Twice: of two mentions side by side, the first takes what stands between them.
                once = f"regexp_replace({text}, $2, $3, 'g')"
                update = (
                    f"UPDATE {quoted(table)} SET {quoted(column)} = regexp_replace({once}, $2, $3, 'g') WHERE {where}"  # noqa: S608 - likewise
                )
                self._connection.execute(update, [name, pattern, rf"\1{STAND_IN}\2"])


def mention(name: str) -> str:
    """A pattern (RE2) of a name where text names just it: not as a part of a longer name. The groups are what stands
    before and after it."""
    return rf"(?i)(^|[^a-zA-Z0-9._-]|_tcp\.){re.escape(name)}(\.?$|\.?[^a-zA-Z0-9.-])"


_ORPHANS = (
    """
    DELETE FROM seen_participation WHERE (crawl_id, answer_id) NOT IN (SELECT (crawl_id, answer_id) FROM seen_answer)
    RETURNING 1
    """,
    """
    DELETE FROM known_room WHERE room_number NOT IN (
        SELECT room_number FROM room_state UNION ALL SELECT room_number FROM room_listing
        UNION ALL SELECT room_number FROM room_participation
    ) RETURNING 1
    """,
    """
    DELETE FROM room_text WHERE text_id NOT IN (
        SELECT text_id FROM room_state UNION ALL SELECT text_id FROM listing_deviation
    ) RETURNING 1
    """,
    "DELETE FROM client_api WHERE client_api_id NOT IN (SELECT client_api_id FROM server_state) RETURNING 1",
)
"""After they went: what nothing points to any more."""

_SAME_TEXTS = (
    """
    CREATE OR REPLACE TEMP TABLE same_text AS
    SELECT text_id, min(text_id) OVER (PARTITION BY name, topic, canonical_alias, join_rule, room_type) AS first_id
    FROM room_text QUALIFY text_id <> first_id
    """,
    "UPDATE room_state SET text_id = s.first_id FROM temp.same_text s WHERE s.text_id = room_state.text_id",
    """
    UPDATE listing_deviation SET text_id = s.first_id FROM temp.same_text s WHERE s.text_id = listing_deviation.text_id
    """,
    "DELETE FROM room_text WHERE text_id IN (SELECT text_id FROM temp.same_text)",
    "DROP TABLE temp.same_text",
)
"""Texts that differed by the name alone are one now."""
