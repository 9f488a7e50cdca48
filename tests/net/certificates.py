"""Certificates for peers of a test: good ones, and bad ones of every kind."""

import datetime
import ipaddress
import ssl
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

DAY = datetime.timedelta(days=1)


def _name(common_name: str, organisation: str | None = None) -> x509.Name:
    parts = [x509.NameAttribute(NameOID.COMMON_NAME, common_name)]
    if organisation:
        parts.insert(0, x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation))
    return x509.Name(parts)


def _alternative_names(names: tuple[str, ...]) -> x509.SubjectAlternativeName:
    spelled: list[x509.GeneralName] = []
    for name in names:
        try:
            spelled.append(x509.IPAddress(ipaddress.ip_address(name)))
        except ValueError:
            spelled.append(x509.DNSName(name))
    return x509.SubjectAlternativeName(spelled)


@dataclass
class Authority:
    """A certificate authority whose certificate is in `pem`."""

    folder: Path
    organisation: str | None = "Practice Authority"
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    common_name: str = "Practice Root"
    issuer: "Authority | None" = None

    def __post_init__(self) -> None:
        self.name = _name(self.common_name, self.organisation)
        above = self.issuer or self
        now = datetime.datetime.now(datetime.UTC)
        self.certificate = (
            x509.CertificateBuilder()
            .subject_name(self.name)
            .issuer_name(above.name)
            .public_key(self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - 30 * DAY)
            .not_valid_after(now + 30 * DAY)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(above.key, hashes.SHA256())
        )
        self.pem = self.folder / f"ca-{self.certificate.serial_number}.pem"
        self.pem.write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM))

    def intermediate(self, common_name: str) -> "Authority":
        """An authority that this one vouches for."""
        return Authority(self.folder, self.organisation, common_name=common_name, issuer=self)

    def server(
        self,
        *names: str,
        starts: datetime.timedelta = -DAY,
        ends: datetime.timedelta = DAY,
        common_name: str = "peer",
        client_only: bool = False,
        self_signed: bool = False,
        with_issuer: bool = False,
    ) -> ssl.SSLContext:
        """The context of a peer with a certificate for `names`, valid from and to these distances from now;
        `with_issuer` sends ours along."""
        key = ec.generate_private_key(ec.SECP256R1())
        now = datetime.datetime.now(datetime.UTC)
        usage = ExtendedKeyUsageOID.CLIENT_AUTH if client_only else ExtendedKeyUsageOID.SERVER_AUTH
        subject = _name(common_name)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject if self_signed else self.name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + starts)
            .not_valid_after(now + ends)
            .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        )
        if names:
            builder = builder.add_extension(_alternative_names(names), critical=False)
        certificate = builder.sign(key if self_signed else self.key, hashes.SHA256())
        path = self.folder / f"{certificate.serial_number}.pem"
        path.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            + certificate.public_bytes(serialization.Encoding.PEM)
            + (self.pem.read_bytes() if with_issuer else b"")
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        self.last_issued = certificate
        return context
