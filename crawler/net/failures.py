"""Foreign exceptions become `Failure` here and nowhere else in the crawler.

Decided by exception type, errno and TLS verify code; message text only ever goes into `detail`, for people. What is no
misbehaviour of a remote, a bug or a machine out of resources, is not caught and not mapped: it stops the run.
"""

import errno
import os
import ssl

import h11
import httpx

from crawler.errors import Failure, FailureKind, LocalResourcesError, printable


class DialFailedError(httpx.ConnectError):
    """No verified connection was had; `failure` says why. Of httpx's tree, since a transport may raise nothing else."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.detail or failure.kind.value)
        self.failure = failure


class BrokenOffError(Exception):
    """We ended an exchange by our own judgement of what the remote sent: too large, not asked for, over budget."""

    def __init__(self, kind: FailureKind, detail: str = "") -> None:
        super().__init__(detail or kind.value)
        self.failure = Failure(kind, printable(detail))


class PeerClosedError(Exception):
    """The peer ended the connection before its answer was whole."""


_OWN_RESOURCES = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS})

_TCP = {
    errno.ECONNREFUSED: FailureKind.TCP_REFUSED,
    errno.ETIMEDOUT: FailureKind.TCP_TIMEOUT,
    errno.ENETUNREACH: FailureKind.TCP_UNREACHABLE,
    errno.EHOSTUNREACH: FailureKind.TCP_UNREACHABLE,
    errno.ENETDOWN: FailureKind.TCP_UNREACHABLE,
    errno.EHOSTDOWN: FailureKind.TCP_UNREACHABLE,
    # A machine without IPv6 says these where one with it would say ENETUNREACH.
    errno.EAFNOSUPPORT: FailureKind.TCP_UNREACHABLE,
    errno.EADDRNOTAVAIL: FailureKind.TCP_UNREACHABLE,
    errno.ECONNRESET: FailureKind.TCP_RESET,
    errno.ECONNABORTED: FailureKind.TCP_RESET,
    errno.EPIPE: FailureKind.TCP_RESET,
}

# The numbers are OpenSSL's X509_V_ERR_* (include/openssl/x509_vfy.h); Python does not name them.
_VERIFY = {
    2: FailureKind.TLS_UNTRUSTED,  # UNABLE_TO_GET_ISSUER_CERT
    9: FailureKind.TLS_NOT_YET_VALID,  # CERT_NOT_YET_VALID
    10: FailureKind.TLS_EXPIRED,  # CERT_HAS_EXPIRED
    18: FailureKind.TLS_SELF_SIGNED,  # DEPTH_ZERO_SELF_SIGNED_CERT
    19: FailureKind.TLS_SELF_SIGNED,  # SELF_SIGNED_CERT_IN_CHAIN
    20: FailureKind.TLS_UNTRUSTED,  # UNABLE_TO_GET_ISSUER_CERT_LOCALLY
    21: FailureKind.TLS_UNTRUSTED,  # UNABLE_TO_VERIFY_LEAF_SIGNATURE
    27: FailureKind.TLS_UNTRUSTED,  # CERT_UNTRUSTED
    62: FailureKind.TLS_WRONG_NAME,  # HOSTNAME_MISMATCH
    64: FailureKind.TLS_WRONG_NAME,  # IP_ADDRESS_MISMATCH
}


def check_own_resources(error: OSError) -> None:
    """Let through only what a remote or the network can be blamed for.

    Raises:
        LocalResourcesError: this machine has no descriptors or memory left.
    """
    if error.errno in _OWN_RESOURCES:
        raise LocalResourcesError(
            f"this machine cannot open more connections ({os.strerror(error.errno)}): raise its limit of open files "
            "(ulimit -n) or lower limits.concurrency"
        ) from error


def tcp_failure(error: OSError) -> Failure:
    """Why a TCP connection was not had.

    Raises:
        LocalResourcesError: see `check_own_resources`.
    """
    check_own_resources(error)
    return Failure(_TCP.get(error.errno or 0, FailureKind.TCP_OTHER), _words(error))


def tls_failure(error: OSError) -> Failure:
    """Why a handshake failed; `ssl.SSLError` is an OSError, a reset in mid-handshake is a plain one."""
    if isinstance(error, ssl.SSLCertVerificationError):
        kind = _VERIFY.get(error.verify_code, FailureKind.TLS_VERIFY)
        return Failure(kind, printable(error.verify_message), verify_code=error.verify_code)
    if not isinstance(error, ssl.SSLError) and error.errno == errno.ETIMEDOUT:
        return Failure(FailureKind.TLS_TIMEOUT, _words(error))
    return Failure(FailureKind.TLS_HANDSHAKE, _words(error))


HTTP_ERRORS = (OSError, h11.RemoteProtocolError, PeerClosedError, BrokenOffError, DialFailedError)
"""What an exchange over an open connection may raise because of the remote. Everything else is a bug of ours."""


def http_failure(error: Exception) -> Failure:
    """Why an exchange failed: one of `HTTP_ERRORS`."""
    match error:
        case BrokenOffError() | DialFailedError():
            return error.failure
        case h11.RemoteProtocolError():
            return Failure(FailureKind.HTTP_PROTOCOL, printable(str(error)))
        case PeerClosedError():
            return Failure(FailureKind.HTTP_CLOSED, "the peer closed the connection before its answer was whole")
        case OSError() if not isinstance(error, ssl.SSLError) and error.errno == errno.ETIMEDOUT:
            return Failure(FailureKind.HTTP_TIMEOUT, _words(error))
        case OSError():
            return Failure(FailureKind.HTTP_CLOSED, _words(error))
        case _:
            raise TypeError(f"no failure of an exchange: {error!r}") from error


def _words(error: OSError) -> str:
    if isinstance(error, ssl.SSLError):
        # Only errors that OpenSSL raised have a reason.
        return printable(getattr(error, "reason", None) or error.strerror or type(error).__name__)
    return os.strerror(error.errno) if error.errno else printable(str(error))
