"""What the text of one room shows, feature by feature, each with a rule that can be said in a sentence.

Apart from `analytics.signal`, which counts: this is a pure function of name, topic and alias, so it is computed once
for each text and kept as long as the text does not change. No feature is a verdict: a support room has links, a
community in two alphabets mixes scripts. Nothing here knows words of any language, so none is favoured.
"""

import hashlib
import re
import unicodedata
from dataclasses import dataclass
from itertools import pairwise

FEATURES_VERSION = 2
"""Raised when a rule changes: features of an older version are computed again."""

LINKS_PER_100 = 2.0
MENTIONS_MIN = 3
PHONE_DIGITS_MIN = 9
ALIAS_LENGTH_MIN = 12
VOWELS_MAX = 0.15
SWITCHES_MIN = 4
BURST_MIN = 20

_LINK = re.compile(r"(?:https?://|www\.|\bt\.me/|\bdiscord\.gg/|\bmatrix\.to/)\S{2,}", re.IGNORECASE)
_MENTION = re.compile(r"(?<![\w@./:])@[A-Za-z0-9_]{3,32}(?![\w:.@-])")
_PHONE = re.compile(r"(?<![\w:/.])\+?\d(?:[ ().\-]{0,2}\d){8,14}(?![\w:/])")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}|\d{1,2}\.\d{1,2}\.\d{4}")
_INVISIBLE = re.compile("[\u200b\u2060\u2062-\u2064\u202a-\u202e\u2066-\u2069\u00ad\ufeff]")
_WORD = re.compile(r"[^\W\d_]+")
_LOOKALIKE_SCRIPTS = ({"LATIN", "CYRILLIC"}, {"LATIN", "GREEK"}, {"LATIN", "CHEROKEE"}, {"LATIN", "ARMENIAN"})


@dataclass(frozen=True, slots=True)
class RoomText:
    """The features of one text; `text_hash` names the text they are of."""

    text_hash: str
    links: bool
    phone: bool
    mentions: bool
    confusables: bool
    random_alias: bool


RULES: dict[str, str] = {
    "links": f"a link in the name, or at least {LINKS_PER_100:g} in 100 characters of name and topic",
    "phone": f"a number of {PHONE_DIGITS_MIN} to 15 digits written as a telephone number, dates left out",
    "mentions": f"at least {MENTIONS_MIN} @handles that are no Matrix IDs and no e-mail addresses",
    "confusables": "a word that mixes Latin with look-alike letters of another script, letters from the mathematical "
    "alphabets, or invisible and direction-changing characters",
    "random_alias": f"an alias of {ALIAS_LENGTH_MIN} or more letters and digits that hardly has vowels or changes "
    f"between letters and digits {SWITCHES_MIN} times or more",
    "near_duplicates": "five or more other listed rooms have nearly the same name and topic (Jaccard's similarity of "
    "five-character runs at least 0.8)",
    "empty": "no directory reports more than one member",
    "burst": f"one of {BURST_MIN} rooms or more of one server that were listed for the first time in one crawl, though "
    "rooms of that server were listed before",
}
"""What each feature means; the last three are not of the text alone."""


def text_hash(name: str | None, topic: str | None, alias: str | None) -> str:
    """A name for the text: 16 hexadecimal digits of its BLAKE2b."""
    parts = "\x00".join("" if part is None else "\x01" + part for part in (name, topic, alias))
    return hashlib.blake2b(parts.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def room_text(name: str | None, topic: str | None, alias: str | None) -> RoomText:
    """The features of a room's name, topic and canonical alias."""
    text = f"{name or ''} {topic or ''}".strip()
    links = _LINK.findall(text)
    return RoomText(
        text_hash=text_hash(name, topic, alias),
        links=bool(_LINK.search(name or "")) or 100 * len(links) >= LINKS_PER_100 * max(len(text), 100),
        phone=_has_phone(_LINK.sub(" ", text)),
        mentions=len(set(_MENTION.findall(text))) >= MENTIONS_MIN,
        confusables=_has_confusables(text),
        random_alias=_is_random(alias),
    )


def _has_phone(text: str) -> bool:
    without_dates = _DATE.sub(" ", text)
    return any(
        PHONE_DIGITS_MIN <= sum(c.isdigit() for c in found) <= 15 and (found.startswith("+") or not found.isdecimal())
        for found in _PHONE.findall(without_dates)
    )


def _has_confusables(text: str) -> bool:
    if text.isascii():
        return False
    if _INVISIBLE.search(text) or any("\U0001d400" <= character <= "\U0001d7ff" for character in text):
        return True
    return any(_script_mix(word) for word in _WORD.findall(text) if not word.isascii())


def _script_mix(word: str) -> bool:
    scripts = {unicodedata.name(character, "").partition(" ")[0] for character in word}
    return any(pair <= scripts for pair in _LOOKALIKE_SCRIPTS)


def _is_random(alias: str | None) -> bool:
    if alias is None:
        return False
    localpart = alias[1:].partition(":")[0]
    if len(localpart) < ALIAS_LENGTH_MIN or not localpart.isascii() or not localpart.isalnum():
        return False
    letters = [c for c in localpart.lower() if c.isalpha()]
    few_vowels = len(letters) >= ALIAS_LENGTH_MIN and sum(c in "aeiouy" for c in letters) / len(letters) < VOWELS_MAX
    kinds = [c.isdigit() for c in localpart]
    switches = sum(one != other for one, other in pairwise(kinds))
    return few_vowels or switches >= SWITCHES_MIN
