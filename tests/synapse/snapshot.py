"""A crawl run as a subprocess, and the snapshot it published, read with SQL alone.

The tests' own way into the file: what the readers of the house make of it is tested elsewhere.
"""

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from crawler.store.serving import serving_file
from tests.synapse import command
from tests.synapse.federation import Federation

PAGE_SIZE = 5
QUICK = ("--set", f"limits.directory_page_size={PAGE_SIZE}", "--set", "limits.address_rate_per_s=100")
RUN_S = 240.0


@dataclass(frozen=True, slots=True)
class Census:
    """A finished crawl: its census file, what it printed, and the file it published."""

    db: Path
    printed: str
    serving: Path

    def rows(self, query: str, *parameters: object) -> list[dict[str, Any]]:
        with duckdb.connect(str(self.serving), read_only=True) as connection:
            connection.execute("SET TimeZone = 'UTC'")
            answer = connection.execute(query, parameters)
            columns = [column[0] for column in answer.description or ()]
            return [dict(zip(columns, row, strict=True)) for row in answer.fetchall()]

    def observation(self, server: str) -> dict[str, Any]:
        (found,) = self.rows(
            "SELECT o.* FROM server_observation o JOIN server USING (server_id) WHERE server_key = ?", server
        )
        return found

    def listing(self, server: str) -> dict[str, dict[str, Any]]:
        """What the snapshot says `server` lists: room ID to row."""
        found = self.rows(
            """
            SELECT room_id, members, name, topic, canonical_alias, join_rule, room_type, world_readable, guest_can_join
            FROM listing JOIN server USING (server_id) WHERE server_key = ?
            """,
            server,
        )
        by_id = {row["room_id"]: row for row in found}
        assert len(by_id) == len(found), "a room is listed twice"
        return by_id

    def leads(self) -> set[tuple[str, str, str | None]]:
        """(server, how we heard of it, who named it)."""
        found = self.rows(
            """
            SELECT named.server_key, source, teller.server_key AS named_by, count
            FROM lead
            JOIN server AS named ON named.server_id = lead.server_id
            LEFT JOIN server AS teller ON teller.server_id = lead.named_by
            """
        )
        assert all(row["count"] >= 1 for row in found)
        return {(row["server_key"], row["source"], row["named_by"]) for row in found}

    def participation(self) -> set[tuple[str, str, str]]:
        """(room, server in it, who said so)."""
        found = self.rows(
            """
            SELECT room_id, member.server_key, teller.server_key AS named_by
            FROM participation
            JOIN server AS member ON member.server_id = participation.server_id
            JOIN server AS teller ON teller.server_id = participation.named_by
            """
        )
        return {(row["room_id"], row["server_key"], row["named_by"]) for row in found}


def take_census(federation: Federation, directory: Path, *, signed: bool, seeds: Sequence[str] = ()) -> Census:
    """Crawl from `seeds`, or from alpha alone, and fail loudly."""
    db = directory / "census.duckdb"
    ran = run(command.crawl(federation, db, signed=signed, seeds=seeds, more=QUICK))
    assert ran.returncode == 0, f"the crawl ended with {ran.returncode}\n{ran.stdout}\n{ran.stderr}"
    serving = serving_file(db)
    assert serving is not None, "the crawl published nothing"
    return Census(db, ran.stdout + ran.stderr, serving)


def run(arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        arguments, env=command.environment(), capture_output=True, text=True, timeout=RUN_S, check=False
    )
