"""A small HTTPS server in a thread: fixed documents by path, and behind them, if there is one, a plain HTTP upstream.

It stands for what surrounds a homeserver in the field: the web server that delegates by `.well-known`, the host that
publishes a key document, the reverse proxy that ends TLS. It keeps what it saw of every request, TLS name included, so
that a test can say what a peer really sent.
"""

import http.client
import http.server
import socket
import ssl
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from tests.synapse.certificates import Certificate

Place = tuple[str, int]

IDLE_S = 30.0
"""How long a connection may say nothing."""

_HOP_BY_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length", "te", "upgrade"})


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    body: bytes = b""
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Seen:
    """One request. `at` is the address and port it came in by; `sni` the TLS server name, None when there was none."""

    at: Place
    sni: str | None
    host: str
    method: str
    target: str
    user_agent: str


Rewrite = Callable[[str, Reply], Reply]
"""What a proxy does to an answer of its upstream: (target, answer) -> answer."""


class Front:
    """Listens at every one of `places` until closed.

    `routes` maps a path, query not counted, to its reply; it may be changed while running. What no route answers goes
    to `upstream`, and its answer through `rewrite`; without an upstream it is 404.
    """

    def __init__(
        self,
        places: Sequence[Place],
        certificate: Certificate,
        *,
        routes: dict[str, Reply] | None = None,
        upstream: Place | None = None,
        rewrite: Rewrite | None = None,
    ) -> None:
        self.routes = {} if routes is None else routes
        self.upstream = upstream
        self.rewrite = rewrite
        self.seen: list[Seen] = []
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate.chain, certificate.key)
        context.sni_callback = _remember_sni
        self._servers: list[_Listener] = []
        try:
            for place in places:
                self._servers.append(_Listener(place, self, context))
        except OSError:
            self.close()
            raise
        self.places: list[Place] = [server.at for server in self._servers]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        for server in self._servers:
            server.stop()
        self._servers.clear()

    def answer(self, method: str, target: str, headers: list[tuple[str, str]], body: bytes) -> Reply:
        """What to send for one request."""
        route = self.routes.get(target.partition("?")[0])
        if route is not None:
            return route
        if self.upstream is None:
            return Reply(404, b"<html><body>Not here.</body></html>", "text/html")
        forwarded = self._forward(self.upstream, method, target, headers, body)
        return self.rewrite(target, forwarded) if self.rewrite is not None else forwarded

    def _forward(self, to: Place, method: str, target: str, headers: list[tuple[str, str]], body: bytes) -> Reply:
        connection = http.client.HTTPConnection(*to, timeout=IDLE_S)
        try:
            connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
            for name, value in headers:
                if name.lower() not in _HOP_BY_HOP:
                    connection.putheader(name, value)
            connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            response = connection.getresponse()
            kept = tuple(
                (name, value)
                for name, value in response.getheaders()
                if name.lower() not in _HOP_BY_HOP | {"content-type", "date", "server"}
            )
            return Reply(response.status, response.read(), response.headers.get("Content-Type", ""), kept)
        finally:
            connection.close()


def _remember_sni(connection: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
    connection.sni = name  # type: ignore[attr-defined]  # the one place where a request can still find it


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = IDLE_S
    server: "_Listener"

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except OSError:  # the peer went away, or our listener closed
            self.close_connection = True

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        front = self.server.front
        front.seen.append(
            Seen(
                self.server.at,
                getattr(self.connection, "sni", None),
                self.headers.get("Host", ""),
                self.command,
                self.path,
                self.headers.get("User-Agent", ""),
            )
        )
        reply = front.answer(self.command, self.path, self.headers.items(), body)
        self.send_response(reply.status)
        if reply.content_type:
            self.send_header("Content-Type", reply.content_type)
        for name, value in reply.headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(reply.body)

    do_GET = do_POST = do_PUT = do_HEAD = do_OPTIONS = _serve  # noqa: N815  # names that http.server looks for

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name is http.server's
        """Say nothing: `Front.seen` has it all."""


class _Listener(http.server.ThreadingHTTPServer):
    """One listening place. The TLS handshake runs in the connection's own thread: a silent peer blocks no other."""

    daemon_threads = False  # joined at the end: a socket left open would fail the test that runs next
    request_queue_size = 64

    def __init__(self, place: Place, front: Front, context: ssl.SSLContext) -> None:
        self.address_family = socket.AF_INET6 if ":" in place[0] else socket.AF_INET
        self.front = front
        self._context = context
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        super().__init__(place, _Handler)
        self.at: Place = (place[0], self.server_address[1])
        self._thread = threading.Thread(
            target=self.serve_forever, kwargs={"poll_interval": 0.05}, name=f"front {self.at[0]}:{self.at[1]}"
        )
        self._thread.start()

    def server_bind(self) -> None:
        """Bind, without the reverse DNS look-up of the parent class."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()

    def finish_request(self, request: socket.socket, client_address: object) -> None:  # type: ignore[override]
        request.settimeout(IDLE_S)
        try:
            secured = self._context.wrap_socket(request, server_side=True)
        except OSError:  # ssl.SSLError is one: the peer does not like our certificate, which may be the point
            return
        with self._lock:
            self._open.add(secured)
        try:
            _Handler(secured, client_address, self)
        finally:
            with self._lock:
                self._open.discard(secured)
            secured.close()

    def stop(self) -> None:
        self.shutdown()
        self._thread.join()
        with self._lock:
            for connection in self._open:
                _hang_up(connection)
        self.server_close()


def _hang_up(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return
