"""Whether a request to a practice server was signed by the crawler (server-server API, "Request Authentication").

As in the federation, the receiver calls back for the sender's key document. All practice servers share what one of
them has fetched, from the address at which the crawler said it would serve it, over TLS that is verified.
"""

import json
import logging
import ssl
from collections.abc import Callable
from datetime import UTC, datetime

import h11
import trio

from crawler.errors import FailureKind, ProtocolError
from crawler.listen.message import Request, Response, matrix_error
from crawler.protocol.signing import parse_x_matrix, verify_json, verify_x_matrix

_log = logging.getLogger(__name__)

_FETCH_S = 10.0
FETCH_AGAIN_AFTER_S = 1.0
_DOCUMENT_BYTES = 64 * 1024

_MISSING = matrix_error(401, "M_UNAUTHORIZED", "Missing Authorization headers")
_MALFORMED = matrix_error(400, "M_UNAUTHORIZED", "Malformed Authorization header")


class Peers:
    """The one peer that practice servers know: the crawler.

    Args:
        name: the crawler's server name.
        host: address and `port` where its key document is served.
        tls: verifies the certificate there.
        now: the clock, for the validity of keys.
    """

    def __init__(
        self,
        name: str,
        host: str,
        port: int,
        tls: ssl.SSLContext,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.name = name
        self._host = host
        self._port = port
        self._tls = tls
        self._now = now
        self._keys: dict[str, str] = {}
        self._valid_until_ms = 0
        self._tried_at = -FETCH_AGAIN_AFTER_S
        self._lock = trio.Lock()
        self.fetches = 0

    async def refusal(self, request: Request, destination: str) -> Response | None:
        """None when `request` to the server `destination` is signed as it must be, else the refusal, worded and
        numbered as Synapse does it."""
        header = request.header(b"authorization")
        if header is None:
            return _MISSING
        try:
            signed = parse_x_matrix(header)
        except ProtocolError:
            return _MALFORMED
        if signed.destination is not None and signed.destination != destination:
            why = f"Destination mismatch in auth header, received: {signed.destination}"
            return matrix_error(401, "M_UNAUTHORIZED", why)
        key = await self._key(signed.key_id) if signed.origin == self.name else None
        if key is None:
            return self.no_key(signed.origin, signed.key_id)
        try:
            verify_x_matrix(
                signed, destination=destination, method=request.method, uri=request.target, public_key_base64=key
            )
        except ProtocolError:
            why = f"Invalid signature for server {signed.origin} with key {signed.key_id}"
            return matrix_error(401, "M_UNAUTHORIZED", why)
        return None

    @staticmethod
    def no_key(origin: str, key_id: str) -> Response:
        """The refusal of a server that could not get the sender's key."""
        return matrix_error(401, "M_UNAUTHORIZED", f"Failed to find any key to satisfy: {origin} {key_id}")

    async def _key(self, key_id: str) -> str | None:
        async with self._lock:
            in_date = self._valid_until_ms > self._now().timestamp() * 1000
            if not in_date or key_id not in self._keys:
                if trio.current_time() - self._tried_at < FETCH_AGAIN_AFTER_S:
                    return None
                self._tried_at = trio.current_time()
                await self._fetch()
            return self._keys.get(key_id)

    async def _fetch(self) -> None:
        self.fetches += 1
        try:
            with trio.fail_after(_FETCH_S):
                document = json.loads(await self._get("/_matrix/key/v2/server"))
            self._accept(document)
        except (OSError, trio.TooSlowError, trio.BrokenResourceError, h11.ProtocolError, ValueError) as error:
            _log.warning("the crawler's key document could not be had: %r", error)
        except ProtocolError as error:
            _log.warning("the crawler's key document was refused: %s", error)

    def _accept(self, document: object) -> None:
        """Take the keys over from a document that is what it must be; otherwise keep none."""
        self._keys, self._valid_until_ms = {}, 0
        if not isinstance(document, dict) or document.get("server_name") != self.name:
            raise ProtocolError(FailureKind.KEYS_WRONG_NAME, "it is not of the crawler's name")
        keys = {key_id: entry["key"] for key_id, entry in document["verify_keys"].items()}
        if not any(verify_json(document, self.name, key_id, key) for key_id, key in keys.items()):
            raise ProtocolError(FailureKind.KEYS_BAD_SIGNATURE, "it is not signed by a key of its own")
        self._keys, self._valid_until_ms = keys, int(document["valid_until_ts"])

    async def _get(self, path: str) -> bytes:
        """One GET over one connection."""
        tcp = await trio.open_tcp_stream(self._host, self._port)
        stream = trio.SSLStream(tcp, self._tls, server_hostname=self.name.partition(":")[0], https_compatible=True)
        async with stream:
            http = h11.Connection(h11.CLIENT)
            headers = [("Host", self.name), ("User-Agent", "practice-federation"), ("Connection", "close")]
            asked = http.send(h11.Request(method="GET", target=path, headers=headers)) or b""
            await stream.send_all(asked + (http.send(h11.EndOfMessage()) or b""))
            body = bytearray()
            while True:
                event = http.next_event()
                if event is h11.NEED_DATA:
                    http.receive_data(bytes(await stream.receive_some(16 * 1024)))
                elif isinstance(event, h11.Response) and event.status_code != 200:
                    raise ValueError(f"status {event.status_code}")
                elif isinstance(event, h11.Data):
                    body += event.data
                    if len(body) > _DOCUMENT_BYTES:
                        raise ValueError("too large")
                elif isinstance(event, h11.EndOfMessage | h11.ConnectionClosed):
                    return bytes(body)
