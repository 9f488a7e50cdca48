"""Ed25519 keys, signed JSON, X-Matrix request authentication and our own key document.

Server-server API, "Authentication" and "Retrieving server keys"; appendices, "Signing JSON" and "Unpadded Base64".
Signing is held to the specification's test vectors, and in both directions to the `signedjson` package.
"""

import base64
import binascii
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from crawler.errors import FailureKind, ProtocolError
from crawler.model.names import ServerName, parse_server_name
from crawler.protocol import canonical_json

SEED_BYTES = 32
KEY_BYTES = 32
MAX_VALIDITY_S = 7 * 24 * 3600.0
"""Peers treat a longer validity as this one ("Publishing keys")."""

_KEY_ID = re.compile(r"\Aed25519:[A-Za-z0-9_]{1,100}\Z")
_URI = re.compile(r"\A/[!-~]*\Z")


def encode_base64(data: bytes) -> str:
    """Unpadded base64, standard alphabet."""
    return base64.b64encode(data).rstrip(b"=").decode("ascii")


def decode_base64(text: str) -> bytes:
    """Base64 with or without padding, of either alphabet, as peers read it.

    Raises:
        ProtocolError: JSON_SHAPE for anything else.
    """
    try:
        bare = text.encode("ascii").rstrip(b"=").translate(_STANDARD_ALPHABET)
        return base64.b64decode(bare + b"=" * (-len(bare) % 4), validate=True)
    except (UnicodeEncodeError, binascii.Error):
        raise ProtocolError(FailureKind.JSON_SHAPE, "no base64") from None


_STANDARD_ALPHABET = bytes.maketrans(b"-_", b"+/")


@lru_cache(maxsize=16)
def _private_key(seed: bytes) -> Ed25519PrivateKey:
    # Made anew for each request it would cost as much as the signature itself.
    return Ed25519PrivateKey.from_private_bytes(seed)


@dataclass(frozen=True, slots=True)
class SigningKey:
    """An Ed25519 key. `key_id` is `ed25519:<version>`; one id must never stand for two seeds, for peers cache by it."""

    key_id: str
    seed: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if not _KEY_ID.match(self.key_id):
            raise ProtocolError(FailureKind.KEYS_NO_KEY, "a key id is ed25519: and letters, digits or underscores")
        if len(self.seed) != SEED_BYTES:
            raise ProtocolError(FailureKind.KEYS_NO_KEY, f"a seed has {SEED_BYTES} bytes, this one {len(self.seed)}")

    @property
    def public_key_base64(self) -> str:
        return encode_base64(_private_key(self.seed).public_key().public_bytes_raw())

    def sign(self, message: bytes) -> str:
        """The signature of `message`, unpadded base64."""
        return encode_base64(_private_key(self.seed).sign(message))


@dataclass(frozen=True, slots=True)
class Identity:
    """Who we are to other servers: the name under which our key document is fetched, and the key in it."""

    server_name: ServerName
    key: SigningKey


def new_signing_key(token_hex: Callable[[int], str]) -> SigningKey:
    """A fresh key under a fresh key id. `token_hex(n)` gives n random bytes in hex, as `secrets.token_hex` does."""
    return SigningKey(f"ed25519:a_{token_hex(4)}", bytes.fromhex(token_hex(SEED_BYTES)))


def dump_identity(identity: Identity) -> str:
    """The text of an identity file. It holds the secret: the file is for its owner alone (mode 0600)."""
    values = {
        "server_name": identity.server_name.raw,
        "key_id": identity.key.key_id,
        "seed": encode_base64(identity.key.seed),
    }
    return json.dumps(values, indent=2) + "\n"


def load_identity(text: str) -> Identity:
    """Read what `dump_identity` wrote.

    Raises:
        ProtocolError: JSON_INVALID, JSON_SHAPE, NAME_INVALID or KEYS_NO_KEY. The detail never holds the seed.
    """
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        raise ProtocolError(FailureKind.JSON_INVALID, "an identity file is one JSON object") from None
    wanted = ("server_name", "key_id", "seed")
    if not isinstance(values, dict) or not all(isinstance(values.get(key), str) for key in wanted):
        raise ProtocolError(FailureKind.JSON_SHAPE, f"an identity file has the texts {', '.join(wanted)}")
    name = parse_server_name(values["server_name"])
    return Identity(name, SigningKey(values["key_id"], decode_base64(values["seed"])))


def signed_bytes(value: Mapping[str, Any]) -> bytes:
    """What a signature of `value` is made over: its canonical spelling without `signatures` and `unsigned`.

    Raises:
        ProtocolError: JSON_SHAPE when it has none.
    """
    return canonical_json.encode({k: v for k, v in value.items() if k not in ("signatures", "unsigned")})


def sign_json(value: Mapping[str, Any], entity: str, key: SigningKey) -> dict[str, Any]:
    """A copy of `value` with the signature of `entity` added to those it has; `unsigned` is kept and not covered.

    Raises:
        ProtocolError: JSON_SHAPE when `value` has no canonical spelling.
    """
    signatures = {who: dict(by_key) for who, by_key in value.get("signatures", {}).items()}
    signatures.setdefault(entity, {})[key.key_id] = key.sign(signed_bytes(value))
    return {**value, "signatures": signatures}


def verify_json(value: Mapping[str, Any], entity: str, key_id: str, public_key_base64: str) -> bool:
    """Whether `value` carries a signature of `entity` by `key_id` that holds. Whatever is malformed does not."""
    by_entity = value.get("signatures")
    by_key = by_entity.get(entity) if isinstance(by_entity, dict) else None
    signature = by_key.get(key_id) if isinstance(by_key, dict) else None
    if not isinstance(signature, str):
        return False
    try:
        return verify_bytes(signed_bytes(value), signature, public_key_base64)
    except ProtocolError:
        return False


def verify_bytes(message: bytes, signature_base64: str, public_key_base64: str) -> bool:
    """Whether the Ed25519 signature of `message` holds. Whatever is malformed does not."""
    try:
        public_key = Ed25519PublicKey.from_public_bytes(decode_base64(public_key_base64))
        public_key.verify(decode_base64(signature_base64), message)
    except (ProtocolError, ValueError, InvalidSignature):
        return False
    return True


def build_key_document(identity: Identity, now: datetime, valid_for_s: float) -> dict[str, Any]:
    """What `GET /_matrix/key/v2/server` answers for us, self-signed. `valid_for_s` is cut at seven days."""
    valid_until = now + timedelta(seconds=min(valid_for_s, MAX_VALIDITY_S))
    document = {
        "server_name": identity.server_name.raw,
        "valid_until_ts": int(valid_until.timestamp() * 1000),
        "verify_keys": {identity.key.key_id: {"key": identity.key.public_key_base64}},
        "old_verify_keys": {},
    }
    return sign_json(document, identity.server_name.raw, identity.key)


@dataclass(frozen=True, slots=True)
class XMatrix:
    """The parameters of one `Authorization: X-Matrix` header. Senders before v1.3 gave no destination."""

    origin: str
    destination: str | None
    key_id: str
    signature: str


def _request_object(
    origin: str, destination: str, method: str, uri: str, content: Mapping[str, Any] | None
) -> dict[str, Any]:
    request: dict[str, Any] = {"method": method, "uri": uri, "origin": origin, "destination": destination}
    if content is not None:
        request["content"] = content
    return request


def x_matrix_header(
    identity: Identity, destination: str, method: str, uri: str, content: Mapping[str, Any] | None = None
) -> str:
    """The value of the Authorization header of one request ("Request Authentication").

    Args:
        destination: their server name as it was named, never what it delegates to.
        uri: path and query, percent-encoded exactly as sent.
        content: the JSON object sent; None for GET, which has none.

    Raises:
        ProtocolError: NAME_INVALID when `destination` is no server name, JSON_SHAPE for unsignable content.
        ValueError: a method or URI that cannot stand in a request line: a bug of ours.
    """
    parse_server_name(destination)
    if not _URI.match(uri) or not (method.isascii() and method.isalpha() and method.isupper()):
        raise ValueError(f"{method} {uri!r} is no request line")
    origin = identity.server_name.raw
    request = _request_object(origin, destination, method, uri, content)
    signature = identity.key.sign(canonical_json.encode(request))
    return f'X-Matrix origin="{origin}",destination="{destination}",key="{identity.key.key_id}",sig="{signature}"'


_MAX_HEADER = 4096
_SCHEME = re.compile(r"\AX-Matrix[ \t]+", re.IGNORECASE)
# Every part is delimited by a character that it cannot itself hold, so that matching is linear in the header.
_PARAMETER = re.compile(
    r"""[ \t]*
    (?P<name>[!#$%&'*+.^_`|~0-9A-Za-z-]+) [ \t]* = [ \t]*
    (?: "(?P<quoted>(?:[^"\\]|\\.)*)" | (?P<bare>[^ \t",]*) )
    [ \t]* (?: , | \Z )""",
    re.VERBOSE,
)
_EMPTY_ELEMENT = re.compile(r"[ \t]*,")


def parse_x_matrix(header: str) -> XMatrix:
    """Read an Authorization header as liberally as servers must: names in any case and order, quotes optional, white
    space around commas and equals signs, unknown parameters ignored (RFC 9110, 11.4; `signature` as a name for `sig`).

    Raises:
        ProtocolError: HTTP_PROTOCOL when it is no X-Matrix header, names something twice or lacks a parameter.
    """
    header = header.rstrip(" \t")
    scheme = _SCHEME.match(header)
    if scheme is None or len(header) > _MAX_HEADER:
        raise _malformed("it is no X-Matrix header of a sensible length")
    found: dict[str, str] = {}
    at = scheme.end()
    while at < len(header):
        if (gap := _EMPTY_ELEMENT.match(header, at)) is not None:
            at = gap.end()
            continue
        parameter = _PARAMETER.match(header, at)
        if parameter is None:
            raise _malformed("its parameters cannot be told apart")
        at = parameter.end()
        name = parameter["name"].lower()
        name = "sig" if name == "signature" else name
        if name in found:
            raise _malformed(f"it gives {name} twice")
        quoted = parameter["quoted"]
        found[name] = parameter["bare"] if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
    if missing := [name for name in ("origin", "key", "sig") if not found.get(name)]:
        raise _malformed(f"it lacks {' and '.join(missing)}")
    return XMatrix(found["origin"], found.get("destination"), found["key"], found["sig"])


def _malformed(why: str) -> ProtocolError:
    return ProtocolError(FailureKind.HTTP_PROTOCOL, f"malformed Authorization header: {why}")


def verify_x_matrix(
    header: XMatrix,
    *,
    destination: str,
    method: str,
    uri: str,
    public_key_base64: str,
    content: Mapping[str, Any] | None = None,
) -> None:
    """Check a request that came to the server `destination`, signed by the key that its origin publishes.

    A header without a destination is accepted, but what was signed must still name `destination`.

    Raises:
        ProtocolError: KEYS_WRONG_NAME when it was meant for another server, KEYS_BAD_SIGNATURE when the signature does
            not hold.
    """
    if header.destination is not None and header.destination != destination:
        raise ProtocolError(FailureKind.KEYS_WRONG_NAME, f"meant for {header.destination}, not for {destination}")
    request = _request_object(header.origin, destination, method, uri, content)
    try:
        holds = verify_bytes(canonical_json.encode(request), header.signature, public_key_base64)
    except ProtocolError:
        holds = False
    if not holds:
        raise ProtocolError(FailureKind.KEYS_BAD_SIGNATURE, f"the signature of {header.origin} does not hold")
