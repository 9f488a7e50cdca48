"""Answers come back from JSON as they went in; what was never one is refused."""

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.errors import Failure, FailureKind, ProtocolError
from crawler.model.discovery import Question, SrvRecord
from crawler.protocol.answer_json import build_answer_json, parse_answer_json
from crawler.protocol.questions import AddressAnswer, Answer, SrvAnswer, WellKnownAnswer

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
FAILURE = st.none() | st.builds(Failure, st.sampled_from(FailureKind), TEXT, st.none() | st.integers(100, 999))
TTL = st.none() | st.integers(0, 2**32)
RECORD = st.builds(SrvRecord, st.integers(0, 65535), st.integers(0, 65535), st.integers(0, 65535), TEXT)
ANSWERS = {
    Question.WELL_KNOWN: st.builds(
        WellKnownAnswer,
        st.integers(0, 999),
        st.binary(max_size=50),
        st.none() | TEXT,
        st.none() | TEXT,
        st.none() | TEXT,
        st.none() | TEXT,
        st.lists(TEXT, max_size=3).map(tuple),
        FAILURE,
        redirect_statuses=st.lists(st.integers(300, 399), max_size=3).map(tuple),
    ),
    Question.SRV: st.builds(SrvAnswer, st.lists(RECORD, max_size=3).map(tuple), TTL, st.none() | TEXT, FAILURE),
    Question.ADDRESSES: st.builds(
        AddressAnswer, st.lists(TEXT, max_size=3).map(tuple), TTL, st.none() | TEXT, FAILURE, FAILURE
    ),
}
ASKED = st.one_of(*(st.tuples(st.just(question), answers) for question, answers in ANSWERS.items()))


@given(ASKED)
def test_there_and_back(asked: tuple[Question, Answer]) -> None:
    question, answer = asked
    assert parse_answer_json(question, build_answer_json(answer)) == answer


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=5,
)


@given(ASKED, st.sampled_from(Question), st.data())
def test_another_document_is_refused_or_read_but_never_breaks(
    asked: tuple[Question, Answer], question: Question, data: st.DataObject
) -> None:
    document = json.loads(build_answer_json(asked[1]))
    document[data.draw(st.sampled_from(sorted(document)))] = data.draw(JSON_VALUES)
    with suppress(ProtocolError):
        parse_answer_json(question, json.dumps(document))


@pytest.mark.parametrize("text", ["", "[]", "{", "null", '{"records": 1}'])
def test_no_answer(text: str) -> None:
    with pytest.raises(ProtocolError):
        parse_answer_json(Question.SRV, text)
