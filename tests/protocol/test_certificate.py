"""Certificates of strangers: read, or a failure; nothing else."""

import hashlib
import tempfile
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from hypothesis import given
from hypothesis import strategies as st

from crawler.errors import FailureKind, ProtocolError
from crawler.protocol.certificate import MAX_CERTIFICATE_BYTES, MAX_CHAIN, MAX_NAMES, parse_certificate, parse_chain
from tests.net.certificates import Authority


@cache
def leaf_der() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        authority = Authority(Path(folder))
        authority.server("a.test", "*.b.test", "192.0.2.7", "2001:db8::7", common_name="un\u202edone")
    return authority.last_issued.public_bytes(serialization.Encoding.DER)


def test_what_a_certificate_says() -> None:
    der = leaf_der()
    seen = parse_certificate(der)
    assert seen.names == ("a.test", "*.b.test", "192.0.2.7", "2001:db8::7")
    assert seen.subject == "CN=un\N{REPLACEMENT CHARACTER}done"
    assert seen.issuer == "CN=Practice Root,O=Practice Authority"
    assert seen.not_before < datetime.now(UTC) < seen.not_after
    assert seen.fingerprint_sha256 == hashlib.sha256(der).hexdigest()


@pytest.mark.parametrize(
    "chain",
    [[], [b""], [b"\x30\x03\x02\x01\x01"], [leaf_der()] * (MAX_CHAIN + 1), [leaf_der(), b"junk"]],
    ids=["none", "empty", "no certificate", "too many", "the second is junk"],
)
def test_no_chain_that_could_be_told(chain: list[bytes]) -> None:
    with pytest.raises(ProtocolError) as caught:
        parse_chain(chain)
    assert caught.value.failure.kind is FailureKind.TLS_VERIFY


def test_one_too_large_is_not_even_read() -> None:
    with pytest.raises(ProtocolError, match="bytes"):
        parse_certificate(leaf_der() + b"\x00" * MAX_CERTIFICATE_BYTES)


@given(at=st.integers(0, len(leaf_der()) - 1), bit=st.integers(0, 7), cut=st.integers(0, 3))
def test_a_damaged_certificate_is_read_or_a_failure(at: int, bit: int, cut: int) -> None:
    damaged = bytearray(leaf_der())
    damaged[at] ^= 1 << bit
    try:
        seen = parse_certificate(bytes(damaged[: len(damaged) - cut]))
    except ProtocolError:
        return
    assert len(seen.names) <= MAX_NAMES
    assert seen.subject.isprintable()
    assert seen.issuer.isprintable()
