"""An authority of our own, and the certificates of the practice servers, each made when its host is first asked for.

ECDSA on P-256, one key for all leaves (the lab has no secrets), one certificate for a few domains and all hosts right
below them. A TLS context costs a millisecond or two and some 20 kB, so the last few thousand are kept and the rest are
made again when needed.
"""

import ipaddress
import os
import ssl
import tempfile
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from crawler.lab.network import Certificate
from crawler.listen.http import note_sni

_CONTEXTS = 2000
_DOMAINS_A_CERTIFICATE = 8
"""As a proxy has it that stands before many. Making a context costs more than a handshake; this saves most of it."""
_IN_MEMORY = "/dev/shm"  # noqa: S108 - NamedTemporaryFile makes a name that nobody can guess, mode 0600
_VALID_FOR = timedelta(days=60)

HostCertificates = dict[tuple[int | None, str], Certificate]


ORGANISATION = "Matrix Census practice federation"
"""Stands in the authority's name: whoever trusts it alone knows that all it reaches is practice."""


class Authority:
    """A certificate authority that lives as long as the lab does."""

    def __init__(self, now: datetime, name: str = "Practice Federation Root") -> None:
        self.now = now
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name(
            [
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, ORGANISATION),
                x509.NameAttribute(NameOID.COMMON_NAME, name),
            ]
        )
        self.leaf_key = ec.generate_private_key(ec.SECP256R1())
        self.certificate = self._sign_self()

    def _sign_self(self) -> x509.Certificate:
        public = self._key.public_key()
        usage = x509.KeyUsage(
            digital_signature=False,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            key_cert_sign=True,
            crl_sign=True,
            encipher_only=False,
            decipher_only=False,
        )
        return (
            _builder(self._name, self._name, public, self.now - timedelta(days=1), self.now + timedelta(days=3650))
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .sign(self._key, hashes.SHA256())
        )

    def pem(self) -> bytes:
        """The authority's own certificate, for `--ca`."""
        return self.certificate.public_bytes(Encoding.PEM)

    def leaf_key_pem(self) -> bytes:
        return self.leaf_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    def issue(
        self, names: Sequence[str], *, since: timedelta = -timedelta(hours=1), until: timedelta = _VALID_FOR
    ) -> bytes:
        """A certificate for host names and IP addresses, valid from `since` to `until` relative to now; PEM."""
        public = self.leaf_key.public_key()
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0][:64])])
        return (
            _builder(subject, self._name, public, self.now + since, self.now + until)
            .add_extension(x509.SubjectAlternativeName([_general_name(name) for name in names]), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
            .sign(self._key, hashes.SHA256())
            .public_bytes(Encoding.PEM)
        )

    def sign_itself(self, names: Sequence[str]) -> bytes:
        """A certificate signed by the leaf key itself: nobody vouches for it; PEM."""
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0][:64])])
        return (
            _builder(subject, subject, self.leaf_key.public_key(), self.now - timedelta(hours=1), self.now + _VALID_FOR)
            .add_extension(x509.SubjectAlternativeName([_general_name(name) for name in names]), critical=False)
            .sign(self.leaf_key, hashes.SHA256())
            .public_bytes(Encoding.PEM)
        )


def _builder(
    subject: x509.Name, issuer: x509.Name, public: ec.EllipticCurvePublicKey, since: datetime, until: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(since)
        .not_valid_after(until)
    )


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


class Contexts:
    """Picks the TLS context of a handshake by its server name and the port that it came to."""

    def __init__(
        self, authority: Authority, kinds: HostCertificates, ip_names: Sequence[str], domains: Sequence[str] = ()
    ) -> None:
        self._authority = authority
        self._stranger = Authority(authority.now, "Somebody Else's Root")
        self._kinds = kinds
        self._ip_names = ip_names
        self._together = {
            domain: batch
            for start in range(0, len(domains), _DOMAINS_A_CERTIFICATE)
            for batch in (tuple(domains[start : start + _DOMAINS_A_CERTIFICATE]),)
            for domain in batch
        }
        self._made = lru_cache(maxsize=_CONTEXTS)(self._make)

    def listening_on(self, port: int) -> ssl.SSLContext:
        """The context for the listener of one port of the world.

        Without SNI it presents the certificate of all IP-literal names; with SNI that of the name.
        """
        context = _context(self._authority.issue(self._ip_names or ["127.127.255.255"]), self._authority.leaf_key_pem())

        def pick(ssl_object: ssl.SSLObject | ssl.SSLSocket, name: str | None, _: ssl.SSLContext) -> int | None:
            note_sni(name)
            if name is None:
                return None
            host = name.lower()
            kind = self._kinds.get((port, host)) or self._kinds.get((None, host))
            if kind is Certificate.NONE:
                return ssl.ALERT_DESCRIPTION_HANDSHAKE_FAILURE
            # A bad certificate is made for its host alone; a good one for all hosts of a domain, of several at once.
            domain = _domain(host)
            ssl_object.context = self._made((host,) if kind else self._together.get(domain, (domain,)), kind)
            return None

        context.sni_callback = pick
        return context

    def _make(self, hosts: tuple[str, ...], kind: Certificate | None) -> ssl.SSLContext:
        authority, host = self._authority, hosts[0]
        if kind is Certificate.UNTRUSTED:
            return _context(self._stranger.issue([host]), self._stranger.leaf_key_pem())
        if kind is Certificate.SELF_SIGNED:
            pem = authority.sign_itself([host])
        elif kind is Certificate.EXPIRED:
            pem = authority.issue([host], since=-timedelta(days=90), until=-timedelta(days=3))
        elif kind is Certificate.NOT_YET_VALID:
            pem = authority.issue([host], since=timedelta(days=3), until=timedelta(days=90))
        elif kind is Certificate.WRONG_NAME:
            pem = authority.issue(["elsewhere.example"])
        else:
            pem = authority.issue([name for host in hosts for name in (host, f"*.{host}")])
        return _context(pem, authority.leaf_key_pem())


def _domain(host: str) -> str:
    """The name whose certificate covers `host`: a wildcard stands for one label only (RFC 9525, 6.3)."""
    labels = host.split(".")
    return ".".join(labels[-max(2, len(labels) - 1) :])


def _context(certificate_pem: bytes, key_pem: bytes) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    # Python's ssl reads certificates from files only; in memory where there is a place for that, for they are many.
    with tempfile.NamedTemporaryFile(suffix=".pem", dir=_IN_MEMORY if os.access(_IN_MEMORY, os.W_OK) else None) as file:
        Path(file.name).write_bytes(certificate_pem + key_pem)
        context.load_cert_chain(file.name)
    # Nobody resumes a session here: tickets would cost every handshake and save none.
    context.num_tickets = 0
    return context
