"""The server behind TLS: who was asked for, and peers that do not shake hands."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest
import trio

from crawler.lab.certificates import Authority, Contexts
from crawler.lab.network import Certificate
from crawler.listen.http import listening_port, open_listeners, serve
from crawler.listen.message import Bounds, Request, Response, json_response

AUTHORITY = Authority(datetime.now(UTC))
CONTEXTS = Contexts(AUTHORITY, {(443, "none.quiet-otter.test"): Certificate.NONE}, ["127.64.0.1"])


async def who(request: Request) -> Response:
    return json_response(200, {"sni": request.sni})


@asynccontextmanager
async def serving(bounds: Bounds | None = None) -> AsyncIterator[int]:
    with trio.fail_after(30):
        async with trio.open_nursery() as nursery:
            listeners = await open_listeners("127.0.0.1", 0)
            tls = CONTEXTS.listening_on(443)

            async def run(*, task_status: trio.TaskStatus[None]) -> None:
                await serve(who, listeners, tls=tls, bounds=bounds, task_status=task_status)

            await nursery.start(run)
            yield listening_port(listeners[0])
            nursery.cancel_scope.cancel()


def client_context() -> ssl.SSLContext:
    return ssl.create_default_context(cadata=AUTHORITY.pem().decode())


async def ask(port: int, name: str) -> bytes:
    tcp = await trio.open_tcp_stream("127.0.0.1", port)
    async with trio.SSLStream(tcp, client_context(), server_hostname=name, https_compatible=True) as stream:
        await stream.send_all(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        answer = b""
        while data := await stream.receive_some(4096):
            answer += data
        return answer


async def test_each_connection_knows_the_name_it_was_made_for() -> None:
    async with serving() as port:
        answers: dict[str, bytes] = {}

        async def one(name: str) -> None:
            answers[name] = await ask(port, name)

        names = ["quiet-otter.test", "Matrix.Quiet-Otter.test", "bold-lynx.example", "127.64.0.1"]
        async with trio.open_nursery() as nursery:
            for name in names:
                nursery.start_soon(one, name)
        for name in names[:3]:
            assert b'"sni":"%s"' % name.lower().encode() in answers[name]
        assert b'"sni":null' in answers["127.64.0.1"]


async def test_plain_http_and_silence_are_let_go_and_others_served() -> None:
    async with serving(Bounds(handshake_s=0.3)) as port:
        for sent in (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"", b"\x16\x03\x01"):
            stream = await trio.open_tcp_stream("127.0.0.1", port)
            async with stream:
                if sent:
                    await stream.send_all(sent)
                with trio.fail_after(10):
                    try:
                        while await stream.receive_some(4096):
                            pass
                    except trio.BrokenResourceError:  # ended by a reset: ended
                        pass
        assert b"200" in await ask(port, "quiet-otter.test")


async def test_a_name_without_certificate_gets_an_alert() -> None:
    async with serving() as port:
        with pytest.raises(trio.BrokenResourceError) as caught:
            await ask(port, "none.quiet-otter.test")
        assert isinstance(caught.value.__cause__, ssl.SSLError)
        assert not isinstance(caught.value.__cause__, ssl.SSLCertVerificationError)
