"""Kinds of failure: each has its phase, its place among statuses, and text that is safe to show."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.errors import (
    CensusError,
    CensusLockedError,
    Failure,
    FailureKind,
    Phase,
    ProtocolError,
    SchemaTooNewError,
    StoreError,
    UsageError,
    printable,
)


@pytest.mark.parametrize("kind", list(FailureKind))
def test_each_kind_belongs_to_the_phase_it_is_named_after(kind: FailureKind) -> None:
    assert kind.value.startswith(f"{kind.phase.value}_")
    assert kind.name.lower() == kind.value
    assert Failure(kind).phase is kind.phase


def test_no_kind_is_named_after_two_phases() -> None:
    for kind in FailureKind:
        assert [phase for phase in Phase if kind.value.startswith(f"{phase.value}_")] == [kind.phase]


def test_each_phase_has_a_kind() -> None:
    assert {kind.phase for kind in FailureKind} == set(Phase)


def test_what_is_transient_is_no_verdict_on_a_document() -> None:
    transient = {kind for kind in FailureKind if kind.transient}
    assert {kind for kind in FailureKind if kind.value.endswith("_timeout")} <= transient
    assert FailureKind.HTTP_RATE_LIMITED in transient
    settled = {Phase.NAME, Phase.WELL_KNOWN, Phase.JSON, Phase.KEYS, Phase.POLICY}
    assert not {kind.phase for kind in transient} & settled
    assert FailureKind.DNS_NXDOMAIN not in transient
    assert FailureKind.TLS_EXPIRED not in transient


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (300, FailureKind.HTTP_REDIRECT),
        (302, FailureKind.HTTP_REDIRECT),
        (308, FailureKind.HTTP_REDIRECT),
        (400, FailureKind.HTTP_STATUS),
        (401, FailureKind.HTTP_UNAUTHORIZED),
        (403, FailureKind.HTTP_FORBIDDEN),
        (404, FailureKind.HTTP_NOT_FOUND),
        (405, FailureKind.HTTP_STATUS),
        (408, FailureKind.HTTP_TIMEOUT),
        (418, FailureKind.HTTP_STATUS),
        (429, FailureKind.HTTP_RATE_LIMITED),
        (500, FailureKind.HTTP_SERVER_ERROR),
        (502, FailureKind.HTTP_SERVER_ERROR),
        (599, FailureKind.HTTP_SERVER_ERROR),
        (204, FailureKind.HTTP_STATUS),
        (0, FailureKind.HTTP_STATUS),
        (999, FailureKind.HTTP_STATUS),
    ],
)
def test_the_kind_of_a_status(status: int, kind: FailureKind) -> None:
    assert FailureKind.of_status(status) is kind


@given(st.integers())
def test_every_status_has_a_kind_of_http(status: int) -> None:
    assert FailureKind.of_status(status).phase is Phase.HTTP


@given(st.text(st.characters(), max_size=600), st.integers(1, 400))
def test_printable_text_is_short_and_cannot_move_a_terminal(text: str, limit: int) -> None:
    shown = printable(text, limit)
    assert len(shown) <= limit
    assert shown.isprintable()
    shown.encode("utf-8")


@pytest.mark.parametrize("hostile", ["\x1b[31m", "\r\n", "\x00", "\u202e", "\u200b", "\ud800", "\x9b", "\u2028"])
def test_what_moves_a_terminal_or_hides_is_replaced(hostile: str) -> None:
    assert "\N{REPLACEMENT CHARACTER}" in printable(f"a{hostile}b")


def test_a_protocol_error_carries_a_failure_that_is_safe_to_show() -> None:
    error = ProtocolError(FailureKind.JSON_SHAPE, "no \x1b[31mname" + "x" * 1000)
    assert error.failure.kind is FailureKind.JSON_SHAPE
    assert error.failure.detail == str(error)
    assert str(error).isprintable()
    assert len(str(error)) == 300
    assert str(ProtocolError(FailureKind.JSON_SHAPE)) == "json_shape"


def test_a_failure_can_be_raised_as_it_is() -> None:
    failure = Failure(FailureKind.HTTP_FORBIDDEN, "no", 403, "M_FORBIDDEN", 1.5)
    assert ProtocolError.of(failure).failure is failure


def test_exit_codes() -> None:
    assert CensusError("").exit_code == 1
    for error in (UsageError, StoreError, SchemaTooNewError, CensusLockedError):
        assert error("").exit_code == 2
    assert not issubclass(ProtocolError, CensusError)  # a remote's bytes never end a command
