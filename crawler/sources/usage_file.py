"""Usage reports that somebody else received, from a file: JSON (one object a line, or a list) or CSV.

The fields are those of a report, or of panopticon's table of them: `homeserver`, the counts, the time of receipt as
`local_timestamp`, the time of the report as `timestamp` or `remote_timestamp`. Whether they come from the servers that
they name is not for us to find out any more: who imports them says so, or they are kept apart.
"""

import csv
import hashlib
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from crawler.errors import FailureKind, ProtocolError, UsageError
from crawler.model.usage import FIELDS, Proof, ReceivedReport
from crawler.protocol.json_body import parse_json, parse_object
from crawler.protocol.usage import build_usage_report, parse_software

FILE_LIMIT_BYTES = 1024 * 1024 * 1024
_RECEIVED = ("local_timestamp", "timestamp", "remote_timestamp")
_MADE = ("timestamp", "remote_timestamp")
_WRONG_SHOWN = 5
_SHAPE = FailureKind.JSON_SHAPE
_LATEST_S = 253_370_764_800.0
"""The year 9999."""


@dataclass(frozen=True, slots=True)
class UsageFile:
    """What a file holds: its reports, how many records it has, its SHA-256, and the first few records that are no
    report, each with its number and why."""

    reports: tuple[ReceivedReport, ...]
    records: int
    sha256: str
    wrong: tuple[str, ...]


def read_usage_file(path: Path, *, verified: bool, now: datetime) -> UsageFile:
    """Read a file of usage reports.

    Args:
        path: The file.
        verified: Whether who imports it vouches that each report is the server's own.
        now: Reports of later times are no reports.

    Raises:
        UsageError: it cannot be read, or holds no report.
    """
    try:
        if path.stat().st_size > FILE_LIMIT_BYTES:
            raise UsageError(f"{path} is larger than {FILE_LIMIT_BYTES} bytes; give it in parts")
        content = path.read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from error
    reports: list[ReceivedReport] = []
    wrong: list[str] = []
    records = 0
    proof = Proof.FILE if verified else Proof.NONE
    for records, record in enumerate(_records(path, content), 1):
        try:
            reports.append(_received(record, proof, now))
        except ProtocolError as error:
            wrong.append(f"record {records}: {error}")
    if not reports:
        raise UsageError(f"{path} holds no usage report{f'; {wrong[0]}' if wrong else ''}")
    return UsageFile(tuple(reports), records, hashlib.sha256(content).hexdigest(), tuple(wrong[:_WRONG_SHOWN]))


def _records(path: Path, content: bytes) -> Iterator[Mapping[str, Any] | ProtocolError]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UsageError(f"{path} is no text in UTF-8") from None
    start = text.lstrip()[:1]
    if start == "[":
        try:
            listed = parse_json(text.encode())
        except ProtocolError as error:
            raise UsageError(f"{path} begins like a JSON list and is none: {error}") from None
        yield from (each if isinstance(each, dict) else {} for each in listed)
    elif start == "{":
        for line in text.splitlines():
            if line.strip():
                try:
                    yield parse_object(line.encode())
                except ProtocolError as error:
                    yield error
    else:
        yield from (_of_row(row) for row in csv.DictReader(io.StringIO(text, newline="")))


def _of_row(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """Cells of CSV as JSON has them: numbers as numbers, empty ones absent. What is no number stays text."""
    numbers = (*FIELDS, *_RECEIVED)
    return {key: _number(value) if key in numbers else value for key, value in row.items() if value not in ("", None)}


def _number(cell: Any) -> Any:
    try:
        return json.loads(cell)
    except (ValueError, TypeError, RecursionError):
        return cell


def _received(record: Mapping[str, Any] | ProtocolError, proof: Proof, now: datetime) -> ReceivedReport:
    if isinstance(record, ProtocolError):
        raise record
    made = next((record[name] for name in _MADE if record.get(name) is not None), None)
    received = next((record[name] for name in _RECEIVED if record.get(name) is not None), None)
    when, reported = _seconds(received), _seconds(made)
    if when is None:
        raise ProtocolError(_SHAPE, f"it does not say when it was received, in {' or '.join(_RECEIVED)}")
    at = datetime.fromtimestamp(when, UTC)
    if at > now:
        raise ProtocolError(_SHAPE, "it is of a time that has not come")
    report = build_usage_report({**record, "timestamp": reported})
    agent = record.get("user_agent")
    return ReceivedReport(report, at, proof, parse_software(agent) if isinstance(agent, str) else None)


def _seconds(value: Any) -> float | None:
    """A time in seconds since 1970, given as a number or in ISO 8601; without a zone it is UTC."""
    if value is None:
        return None
    if isinstance(value, str):
        try:
            parsed = datetime.fromisoformat(value)
        except ValueError:
            raise ProtocolError(_SHAPE, f"{value[:40]!r} is no time") from None
        value = (parsed if parsed.tzinfo is not None else parsed.replace(tzinfo=UTC)).timestamp()
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < _LATEST_S:
        raise ProtocolError(_SHAPE, "a time must be in seconds since 1970 or in ISO 8601")
    return float(value)
