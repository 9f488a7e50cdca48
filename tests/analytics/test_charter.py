"""The nine: the mission's words, and that everything that must be said is said."""

import dataclasses

import pytest

from analytics.charter import BY_NUMBER, CHARTER, MissionMetric
from analytics.definitions import DEFINITIONS

# From the mission of the Matrix.org Foundation, https://matrix.org/about/ (the list of what "greater benefit" means).
WORDS = (
    "the number of Matrix-native end-users reachable on the open Matrix network",
    "the number of regular users on the Matrix network (e.g. 30-day retained federated users)",
    "the number of online servers in the open federation",
    "the number of developers building on Matrix",
    "the number of independent implementations which use Matrix",
    "the number of bridged end-users reachable on the open Matrix network",
    "the signal-to-noise ratio of the content on the open Matrix network (i.e. minimising spam)",
    (
        "the ability for users to discover content on their terms (empowering them to select what to see and what not"
        " to see)"
    ),
    (
        "the quality and utility of the Matrix spec (as defined by ease and ability with which a developer can"
        " implement spec-compliant clients, servers, bots, bridges, and other integrations without needing to refer to"
        " any other external material)"
    ),
)


def test_the_nine_are_in_the_missions_own_words_and_order() -> None:
    assert tuple(metric.words for metric in CHARTER) == WORDS
    assert list(BY_NUMBER) == list(range(1, 10))


@pytest.mark.parametrize("metric", CHARTER, ids=lambda metric: str(metric.number))
def test_nothing_is_left_unsaid(metric: MissionMetric) -> None:
    assert all(getattr(metric, field.name) for field in dataclasses.fields(metric))


def test_every_row_belongs_to_one_of_the_nine_or_to_decentralisation_and_each_of_the_nine_has_rows() -> None:
    assert {definition.mission for definition in DEFINITIONS.values()} == set(range(10))
