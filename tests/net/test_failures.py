"""What foreign errors become: by type, errno and verify code; bugs and empty machines become nothing."""

import errno
import ssl

import h11
import pytest

from crawler.errors import Failure, FailureKind, LocalResourcesError
from crawler.net.failures import (
    HTTP_ERRORS,
    BrokenOffError,
    DialFailedError,
    PeerClosedError,
    http_failure,
    tcp_failure,
    tls_failure,
)


def certificate_error(verify_code: int) -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_code = verify_code
    error.verify_message = "said\x1b[31m by OpenSSL"
    return error


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (errno.ECONNREFUSED, FailureKind.TCP_REFUSED),
        (errno.ETIMEDOUT, FailureKind.TCP_TIMEOUT),
        (errno.ENETUNREACH, FailureKind.TCP_UNREACHABLE),
        (errno.EHOSTUNREACH, FailureKind.TCP_UNREACHABLE),
        (errno.ENETDOWN, FailureKind.TCP_UNREACHABLE),
        (errno.EAFNOSUPPORT, FailureKind.TCP_UNREACHABLE),
        (errno.EADDRNOTAVAIL, FailureKind.TCP_UNREACHABLE),
        (errno.ECONNRESET, FailureKind.TCP_RESET),
        (errno.ECONNABORTED, FailureKind.TCP_RESET),
        (errno.EPERM, FailureKind.TCP_OTHER),
        (errno.EINVAL, FailureKind.TCP_OTHER),
    ],
)
def test_tcp(number: int, kind: FailureKind) -> None:
    assert tcp_failure(OSError(number, "words that decide nothing: Connection refused")).kind is kind


def test_tcp_without_errno() -> None:
    assert tcp_failure(OSError("only words")) == Failure(FailureKind.TCP_OTHER, "only words")


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS])
def test_a_machine_out_of_resources_blames_nobody(number: int) -> None:
    with pytest.raises(LocalResourcesError, match=r"limits\.concurrency"):
        tcp_failure(OSError(number, "socket"))


@pytest.mark.parametrize(
    ("verify_code", "kind"),
    [
        (2, FailureKind.TLS_UNTRUSTED),
        (9, FailureKind.TLS_NOT_YET_VALID),
        (10, FailureKind.TLS_EXPIRED),
        (18, FailureKind.TLS_SELF_SIGNED),
        (19, FailureKind.TLS_SELF_SIGNED),
        (20, FailureKind.TLS_UNTRUSTED),
        (21, FailureKind.TLS_UNTRUSTED),
        (62, FailureKind.TLS_WRONG_NAME),
        (64, FailureKind.TLS_WRONG_NAME),
        (26, FailureKind.TLS_VERIFY),
        (4242, FailureKind.TLS_VERIFY),
    ],
)
def test_certificates(verify_code: int, kind: FailureKind) -> None:
    failure = tls_failure(certificate_error(verify_code))
    assert failure.kind is kind
    assert failure.detail.isprintable()


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ssl.SSLError(1, "wrong version number"), FailureKind.TLS_HANDSHAKE),
        (ssl.SSLEOFError(8, "EOF"), FailureKind.TLS_HANDSHAKE),
        # An OpenSSL library code that happens to be ETIMEDOUT's number is no time-out.
        (ssl.SSLError(errno.ETIMEDOUT, "not an errno"), FailureKind.TLS_HANDSHAKE),
        (ConnectionResetError(errno.ECONNRESET, "reset"), FailureKind.TLS_HANDSHAKE),
        (OSError(errno.ETIMEDOUT, "timed out"), FailureKind.TLS_TIMEOUT),
    ],
)
def test_handshakes(error: OSError, kind: FailureKind) -> None:
    assert tls_failure(error).kind is kind


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (h11.RemoteProtocolError("illegal status line"), FailureKind.HTTP_PROTOCOL),
        (PeerClosedError(), FailureKind.HTTP_CLOSED),
        (ConnectionResetError(errno.ECONNRESET, "reset"), FailureKind.HTTP_CLOSED),
        (BrokenPipeError(errno.EPIPE, "pipe"), FailureKind.HTTP_CLOSED),
        (ssl.SSLError(1, "tlsv13 alert certificate required"), FailureKind.HTTP_CLOSED),
        (OSError(errno.ETIMEDOUT, "timed out"), FailureKind.HTTP_TIMEOUT),
        (BrokenOffError(FailureKind.HTTP_TOO_LARGE, "more"), FailureKind.HTTP_TOO_LARGE),
        (DialFailedError(Failure(FailureKind.TCP_REFUSED)), FailureKind.TCP_REFUSED),
    ],
)
def test_exchanges(error: Exception, kind: FailureKind) -> None:
    assert isinstance(error, HTTP_ERRORS)
    assert http_failure(error).kind is kind


@pytest.mark.parametrize(
    "bug", [TypeError("x"), KeyError("x"), h11.LocalProtocolError("x"), ValueError("x"), AttributeError("x")]
)
def test_bugs_of_ours_are_no_failures(bug: Exception) -> None:
    assert not isinstance(bug, HTTP_ERRORS)
    with pytest.raises(TypeError):
        http_failure(bug)
