"""What other processes left in the inbox, taken into the census file by its one writer.

A wish to be forgotten is granted at once, by `forget`, and leaves nothing but its hash; a usage report goes into its
table (`usage`). Everything else waits in `inbox_entry` for who is to use it. Draining is at least once, so an entry is
known by its digest, and forgetting twice is forgetting.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from crawler.errors import UsageError
from crawler.model.usage import ReceivedReport
from crawler.protocol.json_body import clean_text
from crawler.store.clock import Now, utc_now
from crawler.store.connection import transaction
from crawler.store.forget import forget, subject_of
from crawler.store.inbox import Entry, drained
from crawler.store.insert import column_types, insert_rows
from crawler.store.rewrite import locked_census, opened_census
from crawler.store.usage import USAGE, keep, report_in

FORGET = "forget"
"""Kind of a wish to be forgotten: `{"subject": SERVER or ROOM}`. Whoever appends it has checked that the one who asks
may ask."""


@dataclass(frozen=True, slots=True)
class Drained:
    """`forgotten` wishes were granted; `refused` named nothing that can be forgotten, or were no usage report; `kept`
    entries wait; `reports` of usage were taken in."""

    forgotten: int
    refused: int
    kept: int
    reports: int = 0


def drain(census: Path, *, now: Now = utc_now) -> Drained:
    """Take in what waits for a census file; nothing happens where nothing waits.

    Raises:
        CensusLockedError: another process writes the census file; what waits goes on waiting.
        StoreError: a file cannot be read or written; likewise.
    """
    if not census.is_file():
        return Drained(0, 0, 0)
    with drained(census) as entries:
        subjects, refused = [], 0
        for entry in entries:
            if entry.kind == FORGET:
                try:
                    subjects.append(subject_of(str(entry.content.get("subject", ""))))
                except UsageError:
                    refused += 1
        reports = [report_in(entry) for entry in entries if entry.kind == USAGE]
        believable = [report for report in reports if report is not None]
        refused += len(reports) - len(believable)
        others = [entry for entry in entries if entry.kind not in (FORGET, USAGE)]
        # The wishes first: what reports a server that was just forgotten is not kept.
        if subjects:
            forget(census, subjects, now=now)
        taken = 0
        if others or believable:
            taken = _keep(census, others, believable, now)
    return Drained(len(subjects), refused, len(others), taken)


def _keep(census: Path, entries: Sequence[Entry], reports: Sequence[ReceivedReport], now: Now) -> int:
    with locked_census(census), opened_census(census, now) as connection, transaction(connection, census):
        taken = keep(connection, reports) if reports else 0
        known = {digest for (digest,) in connection.execute("SELECT digest FROM inbox_entry").fetchall()}
        rows = {}
        for entry in entries:
            content = json.dumps(entry.content, ensure_ascii=False, sort_keys=True)
            said = json.dumps([entry.kind, entry.at.isoformat(), entry.content], sort_keys=True)
            digest = hashlib.sha256(said.encode()).hexdigest()
            if digest not in known:
                rows[digest] = (digest, clean_text(entry.kind, 64), entry.at, clean_text(content, len(content)))
        insert_rows(connection, "inbox_entry", column_types(connection, "inbox_entry"), rows.values())
        return taken
