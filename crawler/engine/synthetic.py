"""Whether a crawl is of the practice federation, told by the certificate authority it trusts.

TLS verified against that authority alone proves that every server reached was the lab's, so nobody has to remember a
flag, and no remote can make a live crawl look synthetic or the other way round.
"""

from pathlib import Path

from cryptography import x509
from cryptography.x509.oid import NameOID

from crawler.lab.certificates import ORGANISATION


def trusts_only_the_lab(ca: str) -> bool:
    """Whether every certificate in the PEM file `ca` is of a practice federation; False for the system's ("")."""
    if not ca:
        return False
    try:
        certificates = x509.load_pem_x509_certificates(Path(ca).read_bytes())
    except ValueError:
        return False
    return all(
        [str(name.value) for name in certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)]
        == [ORGANISATION]
        for certificate in certificates
    )
