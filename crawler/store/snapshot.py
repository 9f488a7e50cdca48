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


_NOW = "valid_to IS NULL AND series_id = $series"
"""Of the newest completed crawl: nothing has ended since."""

_CONTENT = {
    "visit WHERE crawl_id = $crawl": ("server_id", "observed_at", "address", "bytes_read"),
    f"server_state WHERE {_NOW}": (
        "server_id", "online", "federating", "accepting", "failed_kind", "software_raw", "version_raw", "verify_keys",
    ),
    f"directory_state WHERE {_NOW}": ("server_id", "directory_state", "directory_rooms"),
    f"room_state JOIN known_room USING (room_number) JOIN room_text USING (text_id) WHERE {_NOW}": (
        "room_id", "directories", "members", "name", "topic",
    ),
}  # fmt: skip
"""What of a row tells it from others; whole rows would take four times as long to say the same."""


def _content_sha256(connection: Connection, crawl_id: int) -> str:
    """The crawls, the number of rows of each table, and of the newest completed crawl the sum of the MD5s of what it
    found servers and rooms to be: the same for the same rows in any order. Against accidents, not against forgers."""
    said: list[object] = [*connection.execute("SELECT c::VARCHAR FROM crawl c ORDER BY crawl_id").fetchall()]
    for table in PUBLISHED:
        said += [table, *connection.execute(f"SELECT count(*) FROM {quoted(table)}").fetchall()]  # noqa: S608 - our own names
    row = connection.execute("SELECT series_id FROM crawl WHERE crawl_id = ?", [crawl_id]).fetchone()
    place = {"crawl": crawl_id, "series": None if row is None else row[0]}
    for source, names in _CONTENT.items():
        values = {name: value for name, value in place.items() if f"${name}" in source}
        columns = ", chr(31), ".join(quoted(name) for name in names)
        sums = f"SELECT sum(md5_number_lower(concat({columns}))::HUGEINT) FROM {source}"  # noqa: S608 - our own names
        said += connection.execute(sums, values).fetchall()
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()
