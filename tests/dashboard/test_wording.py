"""Every recorded state has words; remote text cannot reorder the page."""

import unicodedata
from collections.abc import Mapping
from enum import StrEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.errors import FailureKind, Phase
from crawler.model.crawl import LeadSource
from crawler.model.discovery import Question
from crawler.model.observation import SkipReason
from crawler.model.rooms import DirectoryState, Stopped
from dashboard import wording


@pytest.mark.parametrize(
    ("words", "states"),
    [
        (wording.FAILURES, FailureKind),
        (wording.PHASES, Phase),
        (wording.DIRECTORY, DirectoryState),
        (wording.STOPPED, Stopped),
        (wording.SKIPPED, SkipReason),
        (wording.SOURCES, LeadSource),
        (wording.QUESTIONS, Question),
    ],
)
def test_every_state_has_its_words(words: Mapping[str, object], states: type[StrEnum]) -> None:
    assert set(words) == {state.value for state in states}


def test_failures_say_phase_and_kind() -> None:
    assert wording.failure("tls", "tls_expired") == "TLS: certificate expired"
    assert wording.failure("tls", "of_a_later_version") == "TLS: of a later version"
    assert wording.failure(None, None) == ""


def test_direction_overrides_and_controls_are_replaced() -> None:
    assert wording.one_line("safe\u202eexe.gpj") == "safe\ufffdexe.gpj"
    assert wording.one_line("a\x00b\x1bc\u2066d") == "a\ufffdb\ufffdc\ufffdd"


def test_white_space_is_folded_and_length_capped() -> None:
    assert wording.one_line(" two\n\n lines\t") == "two lines"
    assert wording.one_line("x" * 500, 10) == "x" * 9 + "…"
    assert wording.one_line(None) == ""


def test_emoji_and_scripts_that_need_joiners_stay_whole() -> None:
    family = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
    persian = "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"
    assert wording.one_line(f"{family} {persian}") == f"{family} {persian}"


@given(st.text(max_size=2000))
def test_no_text_survives_with_a_control_or_an_override(text: str) -> None:
    shown = wording.one_line(text, 100)
    assert len(shown) <= 100
    for character in shown:
        assert unicodedata.category(character) not in {"Cc", "Cs", "Zl", "Zp"}
        assert unicodedata.bidirectional(character) not in {
            "LRE",
            "RLE",
            "LRO",
            "RLO",
            "PDF",
            "LRI",
            "RLI",
            "FSI",
            "PDI",
        }
