"""What can go wrong: with a remote (data), and with us (exceptions).

A remote's misbehaviour is an observation, a `Failure` with one `FailureKind`; it never travels as an exception past
`crawler.net.fetch`. Exceptions are for what stops a command:

    CensusError                 base; its message says what to do, the command line prints it and exits with `exit_code`
    ├── UsageError              bad input from the person at the keyboard                           exit code 2
    ├── StoreError              the census or serving file cannot be used                           exit code 2
    │   ├── SchemaTooNewError        written by a newer version of this program
    │   └── CensusLockedError        another process is writing
    └── LocalResourcesError     this machine is out of descriptors or memory: no remote is to blame exit code 1
    ProtocolError               bytes that do not mean what the specification says they must; ends no command, for it is
                                caught where the bytes came in (net, engine) and kept as its `failure`
"""

from dataclasses import dataclass
from enum import StrEnum


class Phase(StrEnum):
    """Where on the way to a server something failed, in the order of the way."""

    NAME = "name"
    DNS = "dns"
    WELL_KNOWN = "well_known"
    TCP = "tcp"
    TLS = "tls"
    HTTP = "http"
    JSON = "json"
    KEYS = "keys"
    POLICY = "policy"


class FailureKind(StrEnum):
    """Every way a step can fail. Decided by exception type, errno, verify code and status, never by message text."""

    NAME_INVALID = "name_invalid"

    DNS_NXDOMAIN = "dns_nxdomain"
    DNS_NODATA = "dns_nodata"
    DNS_SERVFAIL = "dns_servfail"
    DNS_REFUSED = "dns_refused"
    DNS_NOT_IMPLEMENTED = "dns_not_implemented"
    DNS_TIMEOUT = "dns_timeout"
    DNS_MALFORMED = "dns_malformed"
    DNS_SRV_UNAVAILABLE = "dns_srv_unavailable"

    WELL_KNOWN_NOT_JSON = "well_known_not_json"
    WELL_KNOWN_NO_SERVER = "well_known_no_server"
    WELL_KNOWN_BAD_SERVER = "well_known_bad_server"
    WELL_KNOWN_REDIRECTS = "well_known_redirects"

    TCP_REFUSED = "tcp_refused"
    TCP_TIMEOUT = "tcp_timeout"
    TCP_UNREACHABLE = "tcp_unreachable"
    TCP_RESET = "tcp_reset"
    TCP_OTHER = "tcp_other"

    TLS_EXPIRED = "tls_expired"
    TLS_NOT_YET_VALID = "tls_not_yet_valid"
    TLS_WRONG_NAME = "tls_wrong_name"
    TLS_SELF_SIGNED = "tls_self_signed"
    TLS_UNTRUSTED = "tls_untrusted"
    TLS_VERIFY = "tls_verify"
    TLS_HANDSHAKE = "tls_handshake"
    TLS_TIMEOUT = "tls_timeout"

    HTTP_STATUS = "http_status"
    HTTP_UNAUTHORIZED = "http_unauthorized"
    HTTP_FORBIDDEN = "http_forbidden"
    HTTP_NOT_FOUND = "http_not_found"
    HTTP_RATE_LIMITED = "http_rate_limited"
    HTTP_SERVER_ERROR = "http_server_error"
    HTTP_REDIRECT = "http_redirect"
    HTTP_PROTOCOL = "http_protocol"
    HTTP_CLOSED = "http_closed"
    HTTP_TIMEOUT = "http_timeout"
    HTTP_TOO_LARGE = "http_too_large"

    JSON_INVALID = "json_invalid"
    JSON_SHAPE = "json_shape"

    KEYS_WRONG_NAME = "keys_wrong_name"
    KEYS_NO_KEY = "keys_no_key"
    KEYS_NO_SIGNATURE = "keys_no_signature"
    KEYS_BAD_SIGNATURE = "keys_bad_signature"
    KEYS_EXPIRED = "keys_expired"

    POLICY_ADDRESS = "policy_address"
    POLICY_BUDGET = "policy_budget"

    @property
    def phase(self) -> Phase:
        """The phase this kind belongs to; each kind belongs to exactly one."""
        return _PHASE_OF[self]

    @property
    def transient(self) -> bool:
        """Whether trying again soon may end differently: time-outs, overload, resets; not a bad document."""
        return self in _TRANSIENT

    @classmethod
    def of_status(cls, status: int) -> "FailureKind":
        """The kind of an HTTP answer whose status is the failure."""
        if status in _KIND_OF_STATUS:
            return _KIND_OF_STATUS[status]
        if 300 <= status <= 399:
            return cls.HTTP_REDIRECT
        return cls.HTTP_SERVER_ERROR if 500 <= status <= 599 else cls.HTTP_STATUS


_PHASE_OF: dict[FailureKind, Phase] = {
    kind: next(phase for phase in sorted(Phase, key=len, reverse=True) if kind.value.startswith(phase.value + "_"))
    for kind in FailureKind
}

_KIND_OF_STATUS = {
    401: FailureKind.HTTP_UNAUTHORIZED,
    403: FailureKind.HTTP_FORBIDDEN,
    404: FailureKind.HTTP_NOT_FOUND,
    408: FailureKind.HTTP_TIMEOUT,
    429: FailureKind.HTTP_RATE_LIMITED,
}

_TRANSIENT = frozenset(
    {
        FailureKind.DNS_SERVFAIL,
        FailureKind.DNS_TIMEOUT,
        FailureKind.TCP_REFUSED,
        FailureKind.TCP_TIMEOUT,
        FailureKind.TCP_UNREACHABLE,
        FailureKind.TCP_RESET,
        FailureKind.TCP_OTHER,
        FailureKind.TLS_TIMEOUT,
        FailureKind.TLS_HANDSHAKE,
        FailureKind.HTTP_RATE_LIMITED,
        FailureKind.HTTP_SERVER_ERROR,
        FailureKind.HTTP_CLOSED,
        FailureKind.HTTP_TIMEOUT,
    }
)


@dataclass(frozen=True, slots=True)
class Failure:
    """One failed step.

    `detail` is for people: sanitised (printable, at most 300 characters), never parsed again.
    `http_status`, `errcode` and `retry_after_s` are set when an HTTP answer was the failure; `verify_code` (OpenSSL's
    X509_V_ERR_*) when it was that a certificate does not verify.
    """

    kind: FailureKind
    detail: str = ""
    http_status: int | None = None
    errcode: str | None = None
    retry_after_s: float | None = None
    verify_code: int | None = None

    @property
    def phase(self) -> Phase:
        return self.kind.phase


class CensusError(Exception):
    """Something that ends a command. The message is one line and says what to do."""

    exit_code = 1


class UsageError(CensusError):
    """Bad input from the person at the keyboard."""

    exit_code = 2


class StoreError(CensusError):
    """The census file or the serving file cannot be used."""

    exit_code = 2


class SchemaTooNewError(StoreError):
    """The file was written by a newer version of this program."""


class CensusLockedError(StoreError):
    """Another process is writing this census file."""


class LocalResourcesError(CensusError):
    """This machine has no file descriptors or memory left; blaming a remote for it would be a false observation."""


class ProtocolError(Exception):
    """Bytes that do not mean what the specification says they must. Carries the kind it is recorded as."""

    def __init__(self, kind: FailureKind, detail: str = "") -> None:
        self.failure = Failure(kind, printable(detail))
        super().__init__(self.failure.detail or kind.value)

    @classmethod
    def of(cls, failure: Failure) -> "ProtocolError":
        """An error that carries `failure` as it is, its HTTP status and error code included."""
        error = cls(failure.kind, failure.detail)
        error.failure = failure
        return error


def printable(text: str, limit: int = 300) -> str:
    """Remote text made safe for logs and terminals: control and format characters replaced, length capped."""
    cut = text[:limit]
    if cut.isprintable():
        return cut
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in cut)
