"""Our own key: made, kept in a file of mode 0600, and published while a crawl runs.

A key ID is never used for two keys: peers and notaries cache by (server, key ID), and a changed key under an old ID is
refused until that expires. Hence a fresh random ID for every new key.
"""

import os
import secrets
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import trio

from crawler.errors import ProtocolError, UsageError
from crawler.listen.http import serve
from crawler.listen.keys import key_document_handler
from crawler.model.names import ServerName
from crawler.protocol.signing import Identity, SigningKey, dump_identity, load_identity, new_signing_key
from crawler.settings import parse_address_port


def new_identity(server_name: ServerName) -> Identity:
    """A new ed25519 key under a key ID that was never used."""
    key: SigningKey = new_signing_key(secrets.token_hex)
    return Identity(server_name, key)


def write_identity(identity: Identity, path: Path) -> None:
    """Write the identity to a new file that only its owner can read.

    Raises:
        UsageError: the file exists (a key is never overwritten) or cannot be written.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise UsageError(f"{path} exists; a key is never overwritten, choose another file") from None
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}") from error
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(dump_identity(identity))


def read_identity(path: Path) -> Identity:
    """Read an identity file.

    Raises:
        UsageError: a missing, unreadable or malformed file.
    """
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        raise UsageError(
            f"there is no identity file {path}; make one with: matrix-census identity new SERVER_NAME --out {path}"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read the identity file {path}: {error}") from error
    try:
        return load_identity(text)
    except ProtocolError as error:
        raise UsageError(f"{path} is no identity file: {error}") from error


@dataclass(frozen=True, slots=True)
class KeyService:
    """Where our key document is served during a crawl, with the certificate that peers will see."""

    host: str
    port: int
    tls: ssl.SSLContext


def key_service(serve_key: str, certificate: Path, private_key: Path) -> KeyService:
    """Check the options of the key service before a crawl starts.

    Raises:
        UsageError: a malformed address, a missing file, a certificate and key that do not belong together.
    """
    host, port = parse_address_port(serve_key, "--serve-key")
    assert port is not None  # noqa: S101 - only a wild address has no port
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    for what, path in (("--tls-cert", certificate), ("--tls-key", private_key)):
        if not path.is_file():
            raise UsageError(f"{what}: there is no file {path}")
    try:
        context.load_cert_chain(certificate, private_key)
    except (ssl.SSLError, OSError) as error:
        raise UsageError(f"{certificate} and {private_key} are no certificate and its key: {error}") from error
    return KeyService(host, port, context)


async def serve_key_document(
    identity: Identity,
    service: KeyService,
    *,
    contact: str,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serve our key document until cancelled; started once the socket listens.

    Raises:
        UsageError: the address cannot be bound.
    """
    try:
        listeners = await trio.open_tcp_listeners(service.port, host=service.host)
    except OSError as error:
        raise UsageError(f"--serve-key {service.host}:{service.port}: {error.strerror or error}") from error
    handler = key_document_handler(identity, now=lambda: datetime.now(UTC), contact=contact)
    await serve(handler, listeners=listeners, tls=service.tls, task_status=task_status)
