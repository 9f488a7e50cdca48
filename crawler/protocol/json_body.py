"""JSON from strangers: parsed strictly, and its text made fit to be kept.

Apart from the parsers of single documents, since every one of them has to survive the same attacks: bytes that are no
UTF-8, NaN, nesting that exhausts the stack, integers of a million digits, lone surrogates, NUL. Of a key given twice
the last counts, as in the JSON libraries that homeservers use.
"""

import json
from typing import Any, NoReturn

from crawler.errors import FailureKind, ProtocolError


def parse_json(body: bytes) -> Any:
    """The value of a JSON text in UTF-8.

    Raises:
        ProtocolError: JSON_INVALID.
    """
    try:
        return json.loads(body.decode("utf-8"), parse_constant=_refuse_constant)
    except UnicodeDecodeError:
        raise ProtocolError(FailureKind.JSON_INVALID, "the body is no UTF-8") from None
    except ValueError:
        start = body[:60].decode("utf-8", "replace")
        raise ProtocolError(FailureKind.JSON_INVALID, f"the body is no JSON; it begins {start!r}") from None
    except RecursionError:
        raise ProtocolError(FailureKind.JSON_INVALID, "the body is nested too deeply") from None


def parse_object(body: bytes) -> dict[str, Any]:
    """The JSON object that `body` is.

    Raises:
        ProtocolError: JSON_INVALID when it is no JSON, JSON_SHAPE when it is another value.
    """
    value = parse_json(body)
    if not isinstance(value, dict):
        raise ProtocolError(FailureKind.JSON_SHAPE, "the body is JSON but no object")
    return value


def _refuse_constant(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")


def clean_text(value: Any, limit: int) -> str | None:
    """`value` if it is a string, cut to `limit` characters, with lone surrogates and NUL, which no store can hold,
    replaced; None if it is anything else."""
    if not isinstance(value, str):
        return None
    if value.isascii() and len(value) <= limit and "\x00" not in value:
        return value
    text = value[:limit].replace("\x00", "\N{REPLACEMENT CHARACTER}")
    if is_unicode(text):
        return text
    return "".join("\N{REPLACEMENT CHARACTER}" if "\ud800" <= c <= "\udfff" else c for c in text)


def is_unicode(text: str) -> bool:
    """Whether `text` can be encoded, which a lone surrogate (from an escape such as backslash u d800) cannot."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def count_of(value: Any, most: int = 2**31 - 1) -> int | None:
    """`value` if it is a whole number from 0 to `most`; None if it is anything else."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= most:
        return value
    return None
