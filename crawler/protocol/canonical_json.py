"""Canonical JSON: the one spelling of a value that signatures are made over (appendices, "Canonical JSON").

UTF-8, keys sorted by code point, no white space, the shortest escapes, whole numbers in [-(2^53)+1, (2^53)-1] and no
others. Apart from `signing`, since its rules are those of a text format and its oracle another.
"""

import json
from typing import Any

from crawler.errors import FailureKind, ProtocolError

MAX_INTEGER = 2**53 - 1


def encode(value: Any) -> bytes:
    """The canonical spelling of `value`, which is made of dicts with str keys, lists, str, int, bool and None.

    Raises:
        ProtocolError: JSON_SHAPE for what has no canonical spelling: floats, integers out of range, lone surrogates,
            keys that are no strings, nesting beyond what the interpreter follows.
    """
    try:
        _check(value)
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True, allow_nan=False)
        return text.encode("utf-8")
    except UnicodeEncodeError:
        raise _not_canonical("a lone surrogate") from None
    except RecursionError:
        raise _not_canonical("nesting too deep") from None


def _check(value: Any) -> None:
    # bool is a kind of int in Python, and is looked at first for that reason.
    if value is None or isinstance(value, bool | str):
        return
    if isinstance(value, int):
        if not -MAX_INTEGER <= value <= MAX_INTEGER:
            raise _not_canonical("an integer beyond 2^53 - 1")
    elif isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                raise _not_canonical("a key that is no string")
            _check(item)
    elif isinstance(value, list | tuple):
        for item in value:
            _check(item)
    elif isinstance(value, float):
        raise _not_canonical("a number that is not whole")
    else:
        raise _not_canonical(f"a value of type {type(value).__name__}")


def _not_canonical(what: str) -> ProtocolError:
    return ProtocolError(FailureKind.JSON_SHAPE, f"canonical JSON cannot hold {what}")
