"""Reading a serving file: the questions that `status`, `metrics` and the dashboard ask, answered in SQL.

Each call is one question on a cursor of its own, so any thread may ask at any time. A reader stays with the file it
opened, whatever is published meanwhile; `is_newest` says when it is time for a new one.
"""

import json
from collections.abc import Mapping
from contextlib import closing
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any

from crawler.errors import StoreError
from crawler.model.crawl import Crawl
from crawler.store.answer import all_of, fetch, page_of, page_of_table
from crawler.store.at_hand import CHANGED, ROOMS, AtHand
from crawler.store.changes import Change, changes
from crawler.store.connection import Connection, connect_to_read
from crawler.store.crawls import crawl_rows, read_crawls
from crawler.store.filters import narrow_rooms, narrow_servers
from crawler.store.histories import RoomDetail, ServerHistory, room_detail, server_history
from crawler.store.insert import quoted
from crawler.store.keys import KeyUse, key_uses, past_keys
from crawler.store.migrations import latest_version, refuse_newer, schema_version
from crawler.store.question import ROOM_SORTS, SERVER_SORTS, Question, order_by, search_text
from crawler.store.rows import (
    Funnel,
    Page,
    RoomRow,
    ServerDetail,
    ServerRow,
    Snapshot,
    SoftwareCount,
)
from crawler.store.server_detail import server_detail
from crawler.store.serving import nothing_published, serving_file
from crawler.store.tally import funnel, software_counts

__all__ = ["SnapshotReader", "crawl_rows"]

_TRIES = 20
"""How often a pointer is read again that named a file which was gone before it could be opened."""


class SnapshotReader:
    """The newest serving file, read-only. Use as a context manager, or `close` it."""

    def __init__(self, census: Path, path: Path, connection: Connection) -> None:
        self.path = path
        self._census = census
        self._connection = connection
        self.snapshot = all_of(connection, Snapshot, "FROM snapshot", {})[0]

    @classmethod
    def open(cls, census: Path) -> "SnapshotReader":
        """Open the newest serving file of a census file.

        Raises:
            SchemaTooNewError: a newer program published it.
            StoreError: nothing was published yet, or it cannot be read.
        """
        for _ in range(_TRIES):
            path = serving_file(census)
            if path is None:
                break
            try:
                connection = connect_to_read(path)
            except StoreError:
                if path.exists():
                    raise
                continue  # it became old, and was removed, between the two steps
            try:
                _refuse_other_schema(connection, path)
                return cls(census, path, connection)
            except BaseException:
                connection.close()
                raise
        raise nothing_published(census)

    def close(self) -> None:
        """Let the file go."""
        self._connection.close()

    def __enter__(self) -> "SnapshotReader":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def snapshot_id(self) -> str:
        """How to cite what this reader reads."""
        return self.snapshot.snapshot_id

    @property
    def is_newest(self) -> bool:
        """Whether nothing was published since."""
        return serving_file(self._census) == self.path

    def cursor(self) -> Connection:
        """For questions of the house that are asked elsewhere; the caller closes it."""
        return self._connection.cursor()

    def crawls(self) -> list[Crawl]:
        """All crawls that were sealed or failed, newest first."""
        with closing(self._connection.cursor()) as cursor:
            return read_crawls(cursor)

    def latest_census(self) -> Crawl | None:
        """The newest crawl that is completed and full; None when there is none."""
        return next((crawl for crawl in self.crawls() if crawl.is_census), None)

    def report(self, crawl_id: int) -> Mapping[str, Any]:
        """What a crawl said of itself at its seal; empty when it was not sealed or is not there."""
        report = self._crawl_column("report", crawl_id)
        return {} if report is None else dict(json.loads(report))

    def settings(self, crawl_id: int) -> Mapping[str, Any]:
        """The settings that a crawl ran with; empty when it is not there."""
        settings = self._crawl_column("settings", crawl_id)
        return {} if settings is None else dict(json.loads(settings))

    def identity(self, crawl_id: int) -> str | None:
        """The server name that signed a crawl's requests; None when it was unsigned."""
        identity = self._crawl_column("identity", crawl_id)
        return None if identity is None else str(identity)

    def funnel(self, crawl_id: int) -> Funnel:
        """Servers by predicate."""
        return funnel(self._connection, crawl_id)

    def software_counts(self, crawl_id: int) -> list[SoftwareCount]:
        """Online servers by software and version, the most common first."""
        return software_counts(self._connection, crawl_id)

    def servers_page(
        self,
        crawl_id: int,
        *,
        text: str = "",
        predicates: Mapping[str, bool] | None = None,
        software: str | None = None,
        failed_kind: str | None = None,
        directory_state: str | None = None,
        sort: str = "server_name",
        descending: bool = False,
        limit: int = 50,
        offset: int = 0,
    ) -> Page[ServerRow]:
        """Visited servers of a crawl, filtered, sorted, one page of them.

        Args:
            crawl_id: The crawl.
            text: Part of the name, in any case; empty: every name.
            predicates: Predicate -> whether it must hold (`PREDICATES`).
            software: Exactly this; "" for servers that do not say; None: any.
            failed_kind: Exactly this; "" for servers without a failure; None: any, and none.
            directory_state: Exactly this; None: any.
            sort: A name of `SERVER_SORTS`; what is not known comes last, equals by name.
            descending: From the largest.
            limit: Rows, at most 1000.
            offset: Rows before the first.

        Raises:
            UsageError: a predicate or a sort is not known.
        """
        question = Question()
        question.where("crawl_id = $crawl", crawl=crawl_id)
        exactly = {"software": software, "failed_kind": failed_kind, "directory_state": directory_state}
        narrow_servers(question, text=text, predicates=predicates, exactly=exactly)
        order = order_by(SERVER_SORTS, sort, descending=descending, then="server_key")
        source = "server_observation JOIN server USING (server_id)"
        return page_of(self._connection, ServerRow, source, question, order, limit, offset)

    def server(self, name: str, crawl_id: int) -> ServerDetail | None:
        """All about one server in one crawl; None when nothing ever named it.

        Args:
            name: Its name, in any case.
            crawl_id: The crawl.
        """
        return server_detail(self._connection, name, crawl_id)

    def knows(self, server_key: str) -> bool:
        """Whether anything ever named a server.

        Args:
            server_key: Its name in ASCII lower case.
        """
        found = fetch(
            self._connection, "SELECT 1 FROM server WHERE server_key = $key", {"key": search_text(server_key)}
        )
        return bool(found)

    def server_history(self, name: str, crawl_id: int) -> ServerHistory:
        """What the crawls up to one saw of a server: its last 90 days, its versions, keys and certificates."""
        return server_history(self._connection, name, crawl_id)

    def room(self, room_id: str, crawl_id: int) -> RoomDetail | None:
        """All about one room as of a crawl; None when none ever saw it listed."""
        return room_detail(self._connection, room_id, crawl_id)

    def key_uses(self, server_key: str) -> tuple[KeyUse, ...]:
        """Every key that a server published, with the crawls that saw it; two under one key ID are a reuse.

        Args:
            server_key: Its name in ASCII lower case.
        """
        return key_uses(self._connection, search_text(server_key))

    def past_keys(self, server_key: str) -> dict[str, set[str]]:
        """Key ID -> all keys that crawls saw under it (`keys.past_keys`); the name in ASCII lower case."""
        return past_keys(self._connection, search_text(server_key))

    def rooms_page(
        self,
        crawl_id: int,
        *,
        text: str = "",
        spaces: bool | None = None,
        join_rule: str | None = None,
        min_members: int | None = None,
        listed_by: str | None = None,
        noise: bool | None = None,
        sort: str = "members",
        descending: bool = True,
        limit: int = 50,
        offset: int = 0,
    ) -> Page[RoomRow]:
        """Unique rooms of a crawl, filtered, sorted, one page of them.

        Args:
            crawl_id: The crawl.
            text: Part of the name, topic, alias or ID, in any case; empty: every room.
            spaces: Only spaces, or none; None: both.
            join_rule: Exactly this; "" for rooms that do not say; None: any.
            min_members: At least so many by the median; None: any, and not known.
            listed_by: Only rooms in this server's directory; None: in any.
            noise: Only rooms that show a sign of noise (`room_feature`), or none; None: both, as in a file without
                that table.
            sort: A name of `ROOM_SORTS`; what is not known comes last, equals by ID.
            descending: From the largest.
            limit: Rows, at most 1000.
            offset: Rows before the first.

        Raises:
            UsageError: a sort is not known.
        """
        table = self._at_hand.table(ROOMS, crawl_id)
        question = Question()
        if table is None:
            question.where("crawl_id = $crawl", crawl=crawl_id)
        narrow_rooms(
            question,
            crawl_id,
            text=text,
            spaces=spaces,
            join_rule=join_rule,
            min_members=min_members,
            listed_by=listed_by,
            noise=noise if self.has_features else None,
            at_hand=table is not None,
        )
        order = order_by(ROOM_SORTS, sort, descending=descending, then="room_id")
        if table is not None:
            return page_of_table(self._connection, RoomRow, table, question, order, limit, offset)
        return page_of(self._connection, RoomRow, "room", question, order, limit, offset)

    def changes(self, crawl_id: int, **asked: Any) -> Page[Change]:
        """What changed from crawl to crawl up to one; `asked` are the words of `changes.changes`."""
        return changes(self._connection, crawl_id, table=self._at_hand.table(CHANGED, crawl_id), **asked)

    @cached_property
    def _at_hand(self) -> AtHand:
        newest = self.latest_census()
        return AtHand(self._connection, newest.id if newest else None, has_features=self.has_features)

    @cached_property
    def has_features(self) -> bool:
        """Whether the signs of rooms were stored with this file, which a step above does."""
        return bool(fetch(self._connection, "FROM duckdb_tables() WHERE table_name = 'room_feature'", {}))

    def _crawl_column(self, column: str, crawl_id: int) -> Any:
        sql = f"SELECT {quoted(column)} FROM crawl WHERE crawl_id = $crawl"  # noqa: S608 - a name of ours
        rows = fetch(self._connection, sql, {"crawl": crawl_id})
        return rows[0][0] if rows else None


def _refuse_other_schema(connection: Connection, path: Path) -> None:
    version = schema_version(connection, path)
    refuse_newer(version, path)
    if version < latest_version():
        raise StoreError(f"{path} was published with the older schema {version}; the next crawl publishes it anew")
