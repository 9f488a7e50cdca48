"""The language of a room, from its name and topic; undetermined where they are too short or could be several.

Apart, because the model of py3langid takes most of a second to load. Names of rooms are short, full of product names
and emoji: without the undetermined class every one of them would get a language. A text needs 20 letters and a
language that is more likely than all others together by a margin.
"""

from functools import cache

from py3langid.langid import MODEL_FILE, LanguageIdentifier

UNDETERMINED = "und"
"""ISO 639-2: undetermined."""

LETTERS_MIN = 20
PROBABILITY_MIN = 0.6
TEXT_MAX = 1000
"""Characters looked at: more of a topic tells no more."""


@cache
def _identifier() -> LanguageIdentifier:
    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


def language_of(text: str) -> str:
    """The ISO 639 code of the language of a text, or `UNDETERMINED`."""
    shown = text[:TEXT_MAX]
    if sum(character.isalpha() for character in shown) < LETTERS_MIN:
        return UNDETERMINED
    code, probability = _identifier().classify(shown)
    return str(code) if probability >= PROBABILITY_MIN else UNDETERMINED
