"""Where the next page begins: opaque, and good for one question to one snapshot.

A cursor holds the publication it was given for, a digest of the question, and how many rows came before. So pages
that follow each other never mix two snapshots: when another was published, whoever comes with a cursor of the old one
is told so (410), and begins again. It is no secret and not signed: whoever makes one up gets some page of his own
question.
"""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass

from dashboard.api.problem import BAD_CURSOR, SNAPSHOT_CHANGED, Problem
from dashboard.api.shelf import hash_of
from dashboard.data import View

LONGEST = 400
"""Characters of a cursor."""

LAST_ROW = 10_000_000


@dataclass(frozen=True, slots=True)
class Cursor:
    """`publication` is the name of the serving file; `snapshot` how it is cited; `question` a digest."""

    publication: str
    snapshot: str
    question: int
    offset: int

    def text(self) -> str:
        """As it is sent."""
        fields = [self.publication, self.snapshot, self.question, self.offset]
        return base64.urlsafe_b64encode(json.dumps(fields, separators=(",", ":")).encode()).decode().rstrip("=")


def question_of(path: str, query: Mapping[str, object]) -> int:
    """A digest of what is asked for, but for where in it and how much of it."""
    return hash_of(json.dumps([path, sorted((k, str(v)) for k, v in query.items() if k not in ("cursor", "limit"))]))


def next_cursor(view: View, question: int, offset: int) -> str:
    """The cursor of the page that begins after `offset` rows."""
    return Cursor(view.reader.path.name, view.reader.snapshot_id, question, offset).text()


def offset_of(text: str | None, view: View, question: int) -> int:
    """How many rows come before the page that a cursor asks for; none without one.

    Raises:
        Problem: it is none, is of another question, or of another snapshot.
    """
    if text is None:
        return 0
    cursor = _parsed(text)
    if cursor is None or cursor.question != question:
        raise Problem(BAD_CURSOR, "The cursor was not given for this address and these filters.")
    if cursor.publication != view.reader.path.name:
        raise Problem(
            SNAPSHOT_CHANGED,
            "A new census was published since the page before.",
            {"was": cursor.snapshot, "now": view.reader.snapshot_id},
        )
    return cursor.offset


def _parsed(text: str) -> Cursor | None:
    try:
        raw = base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
        publication, snapshot, question, offset = json.loads(raw)
    except (UnicodeError, binascii.Error, ValueError, TypeError, RecursionError):
        return None
    is_one = isinstance(publication, str) and isinstance(snapshot, str)
    if not is_one or type(question) is not int or type(offset) is not int or not 0 <= offset <= LAST_ROW:
        return None
    return Cursor(publication, snapshot[:200], question, offset)
