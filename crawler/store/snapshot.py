"""How a serving file is cited: an ID that says which census file, which crawl, when, and the digest of the content."""

import hashlib
import json
import re
from datetime import datetime
from pathlib import Path

from crawler.store.connection import Connection
from crawler.store.insert import quoted
from crawler.store.migrations import latest_version
from crawler.store.published import PUBLISHED


def write_snapshot(connection: Connection, census: Path, crawl_id: int, published_at: datetime) -> str:
    """Write the row of `snapshot`, in a transaction; returns the ID."""
    digest = _content_sha256(connection, crawl_id)
    row = connection.execute(
        "SELECT finished_at, (SELECT count(*) FROM crawl WHERE state = 'completed'), (SELECT count(*) FROM census),"
        " (SELECT bool_or(synthetic) FROM crawl WHERE state = 'completed') FROM crawl WHERE crawl_id = ?",
        [crawl_id],
    ).fetchone()
    if row is None:
        raise ValueError(f"crawl {crawl_id} was not copied")
    finished_at, crawls, censuses, synthetic = row
    stem = re.sub(r"[^A-Za-z0-9_.-]", "-", census.stem)
    snapshot_id = f"{stem}-{max(crawl_id, 0):06d}-{finished_at:%Y%m%dT%H%MZ}-{digest[:8]}"
    connection.execute(
        "INSERT INTO snapshot VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [snapshot_id, crawl_id, published_at, latest_version(), crawls, censuses, synthetic, digest],
    )
    return snapshot_id


_CONTENT = {
    "server_observation": (
        "server_id", "observed_at", "address", "online", "federating", "accepting", "failed_kind", "software_raw",
        "version_raw", "verify_keys", "directory_state", "directory_rooms", "bytes_read",
    ),
    "room": ("room_id", "directories", "members", "name", "topic"),
}  # fmt: skip
"""What of a row tells it from others; whole rows would take four times as long to say the same."""


def _content_sha256(connection: Connection, crawl_id: int) -> str:
    """The crawls, the number of rows of each table, and of the newest completed crawl the sum of the MD5s of its
    observations and rooms: the same for the same rows in any order. Against accidents, not against forgers."""
    said: list[object] = [*connection.execute("SELECT c::VARCHAR FROM crawl c ORDER BY crawl_id").fetchall()]
    for table in PUBLISHED:
        said += [table, *connection.execute(f"SELECT count(*) FROM {quoted(table)}").fetchall()]  # noqa: S608 - our own names
    for view, names in _CONTENT.items():
        columns = ", chr(31), ".join(quoted(column) for column in names)
        content = f"sum(md5_number_lower(concat({columns}))::HUGEINT)"
        query = f"SELECT {content} FROM {quoted(view)} WHERE crawl_id = {crawl_id:d}"  # noqa: S608 - likewise
        said += [view, *connection.execute(query).fetchall()]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()
