"""Answers of resolutions, kept in the census file until they expire, for later crawls to use instead of asking.

They are true of one way of looking only: another name server, other connect rules or another vantage may be told
otherwise, and a practice federation that was started anew has other addresses. So they are dropped when a crawl looks
in another way than the one before it.
"""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from operator import itemgetter
from pathlib import Path
from typing import Any

from crawler.errors import ProtocolError
from crawler.model.discovery import Question
from crawler.protocol.answer_json import build_answer_json, parse_answer_json
from crawler.protocol.json_body import clean_text
from crawler.protocol.memory import MAX_ANSWERS, RememberedAnswer
from crawler.store.connection import Connection, transaction
from crawler.store.insert import insert_rows


def load_answers(connection: Connection, path: Path, settings_json: str, now: datetime) -> list[RememberedAnswer]:
    """What a crawl with these settings may still use, oldest first; the rest is removed from the file.

    Args:
        connection: May write, is in no transaction.
        path: What a person is told about.
        settings_json: The settings of the crawl that is to begin.
        now: What has expired by then is gone.

    Raises:
        StoreError: the file cannot be written.
    """
    with transaction(connection, path):
        if not _looks_alike(connection, json.loads(settings_json)):
            connection.execute("DELETE FROM cached_answer")
        connection.execute("DELETE FROM cached_answer WHERE expires_at <= ?", [now])
        connection.execute(_DELETE_SURPLUS, [MAX_ANSWERS])
        rows = connection.execute(
            "SELECT question, subject, answer, heard_at, expires_at FROM cached_answer ORDER BY heard_at, subject"
        ).fetchall()
    return [answer for row in rows if (answer := _remembered(*row)) is not None]


def store_answers(
    connection: Connection, path: Path, types: Mapping[str, str], answers: Iterable[RememberedAnswer]
) -> None:
    """Keep `answers`, each in the place of an older one to the same question, all or none. `types` are those of the
    columns of `cached_answer`.

    Raises:
        StoreError: the file cannot be written.
    """
    rows = [
        {
            "question": heard.question,
            "subject": clean_text(heard.subject, len(heard.subject)),
            "answer": _storable(build_answer_json(heard.answer)),
            "heard_at": heard.heard_at,
            "expires_at": heard.expires_at,
        }
        for heard in answers
    ]
    with transaction(connection, path):
        insert_rows(connection, "cached_answer", types, map(itemgetter(*types), rows), replacing=True)


def _looks_alike(connection: Connection, settings: dict[str, Any]) -> bool:
    row = connection.execute("SELECT settings FROM crawl ORDER BY crawl_id DESC LIMIT 1").fetchone()
    before = {} if row is None else json.loads(row[0])
    return all(before.get(key) == settings.get(key) for key in ("network", "vantage"))


def _storable(text: str) -> str | None:
    return clean_text(text, len(text))


def _remembered(
    question: str, subject: str, answer: str, heard_at: datetime, expires_at: datetime
) -> RememberedAnswer | None:
    """None for what this program cannot have written: it is asked for again."""
    try:
        kind = Question(question)
        return RememberedAnswer(kind, subject, parse_answer_json(kind, answer), heard_at, expires_at)
    except (ValueError, ProtocolError):
        return None


_DELETE_SURPLUS = """
DELETE FROM cached_answer WHERE (question, subject) IN (
    SELECT (question, subject) FROM cached_answer ORDER BY heard_at DESC, question, subject OFFSET ?
)
"""
