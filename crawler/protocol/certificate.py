"""Certificates read without being believed (RFC 5280): whom they name, who issued them, until when.

Apart from the handshake, since these are bytes of a stranger that nobody vouches for: what cannot be read, or is more
than any real server sends, is a failure, never a crash. Parsed by `cryptography`, capped here.
"""

import hashlib
import warnings
from collections.abc import Sequence

from cryptography import x509
from cryptography.utils import CryptographyDeprecationWarning

from crawler.errors import FailureKind, ProtocolError, printable
from crawler.model.observation import Certificate

MAX_CHAIN = 10
"""Certificates of a chain; real ones have two to four."""
MAX_CERTIFICATE_BYTES = 64 * 1024
MAX_NAMES = 100
"""Names kept of one certificate, as many as public authorities put into one."""
MAX_TEXT = 255
"""Characters of one name, of a subject, of an issuer."""


def parse_chain(chain: Sequence[bytes]) -> tuple[Certificate, ...]:
    """Read a chain as sent, each certificate in DER, the leaf first.

    Raises:
        ProtocolError: TLS_VERIFY; there is none, they are too many or too large, or one of them cannot be read.
    """
    if not chain:
        raise ProtocolError(FailureKind.TLS_VERIFY, "no certificate was sent")
    if len(chain) > MAX_CHAIN:
        raise ProtocolError(FailureKind.TLS_VERIFY, f"a chain of {len(chain)} certificates")
    return tuple(parse_certificate(der) for der in chain)


def parse_certificate(der: bytes) -> Certificate:
    """Read one certificate.

    Raises:
        ProtocolError: TLS_VERIFY; it is too large or cannot be read.
    """
    if len(der) > MAX_CERTIFICATE_BYTES:
        raise ProtocolError(FailureKind.TLS_VERIFY, f"a certificate of {len(der)} bytes")
    with warnings.catch_warnings():
        # Of encodings that it will refuse one day; whose certificate it is will not read our standard error.
        warnings.simplefilter("ignore", CryptographyDeprecationWarning)
        try:
            return _read(der)
        except (ValueError, TypeError, *_UNREADABLE) as error:
            raise ProtocolError(FailureKind.TLS_VERIFY, f"the certificate cannot be read: {error}") from error


_UNREADABLE = (
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)
"""What `cryptography` raises beside ValueError, and what is none."""


def _read(der: bytes) -> Certificate:
    certificate = x509.load_der_x509_certificate(der)
    return Certificate(
        subject=printable(certificate.subject.rfc4514_string(), MAX_TEXT),
        issuer=printable(certificate.issuer.rfc4514_string(), MAX_TEXT),
        names=_names(certificate),
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        fingerprint_sha256=hashlib.sha256(der).hexdigest(),
    )


def _names(certificate: x509.Certificate) -> tuple[str, ...]:
    """DNS names and IP addresses of subjectAltName, the only names that count (RFC 9525, 6.3)."""
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return ()
    names = [str(name.value) for name in extension.value if isinstance(name, x509.DNSName | x509.IPAddress)]
    return tuple(printable(name, MAX_TEXT) for name in names[:MAX_NAMES])
