"""How a room says that it does not want to be indexed: a tag in its topic.

Two forms are in use, both coined by Matrix Rooms Search and documented to room administrators:

    (MRS-noindex:true-MRS)       keys and values between `|`; may hide as the target of a Markdown link, [.](MRS-...)
    matrixrooms.info: noindex    a name, a colon, the word; `matrix-census: noindex` addresses this census alone

A tag is looked for in the whole topic, so before it is cut to the length that is kept.
"""

import re

LEGACY_NAMES = ("matrixrooms.info", "matrix-census")

_OPEN, _CLOSE = "(MRS-", "-MRS)"
_TRUE = frozenset({"true", "yes", "1"})
_LEGACY = re.compile(rf"(?:{'|'.join(map(re.escape, LEGACY_NAMES))}) ?: ?noindex", re.IGNORECASE)
_LINK_TEXT = re.compile(r"\[[^\[\]]{0,3}\]\Z")


def room_says_no(topic: str | None) -> bool:
    """Whether a room with this topic has opted out of being indexed."""
    if not topic:
        return False
    return room_tag(topic).get("noindex", "").lower() in _TRUE or _LEGACY.search(topic) is not None


def room_tag(topic: str) -> dict[str, str]:
    """The keys (lower case) and values of the first tag of the newer form; empty without one."""
    start, end = _find_tag(topic)
    if start < 0:
        return {}
    pairs = (pair.partition(":") for pair in topic[start + len(_OPEN) : end - len(_CLOSE)].split("|"))
    return {key.strip().lower(): value.strip() for key, colon, value in pairs if colon}


def strip_tags(topic: str) -> str:
    """`topic` as it is shown: without tags, and without the link text that hid one."""
    shown = topic
    while (found := _find_tag(shown))[0] >= 0:
        start, end = found
        shown = _LINK_TEXT.sub("", shown[:start]) + shown[end:]
    return _LEGACY.sub("", shown).strip()


def _find_tag(topic: str) -> tuple[int, int]:
    """Where the first tag begins and ends; (-1, -1) without one."""
    start = topic.find(_OPEN)
    end = topic.find(_CLOSE, start + len(_OPEN)) if start >= 0 else -1
    return (start, end + len(_CLOSE)) if end >= 0 else (-1, -1)
