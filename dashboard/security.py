"""Headers of every answer, and how large a request may be. Plain ASGI, so that nothing is buffered on the way.

The content security policy allows this host alone. Scripts: files of this host, and the one inline script that starts
Dash's renderer, by its hash; no `unsafe-inline`, no `unsafe-eval`. Styles: `unsafe-inline` for elements alone, because
Mantine, AG Grid and Plotly add `<style>` elements while they run and offer no nonce here; style attributes in markup
stay forbidden. Images and fonts may be `data:`, which AG Grid's icons are, and images `blob:`, which only scripts of
this page can make: the saved picture of a chart is drawn from one. Forms go nowhere. Nothing may be framed but the
embedded views of charts (`/embed/`), which are made for it: there is nothing on them to be tricked into.
"""

from collections.abc import Iterable

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

REQUEST_LIMIT_BYTES = 256 * 1024
"""Of one request's body. A callback of this dashboard sends a few hundred bytes."""


EMBEDDED = "/embed/"
"""Addresses that pages of others may show in a frame."""

_FRAMED_BY_NONE = "frame-ancestors 'none'"


def content_security_policy(script_hashes: Iterable[str]) -> str:
    """The policy; `script_hashes` are of inline scripts, quoted as CSP wants them."""
    return "; ".join(
        (
            "default-src 'none'",
            " ".join(("script-src 'self'", *script_hashes)),
            "style-src 'self' 'unsafe-inline'",
            "style-src-attr 'none'",
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            "connect-src 'self'",
            "manifest-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            _FRAMED_BY_NONE,
        )
    )


class SecurityHeaders:
    """Adds the headers to every HTTP answer."""

    def __init__(self, app: ASGIApp, policy: str) -> None:
        self._app = app
        self._headers = {
            "Content-Security-Policy": policy,
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "DENY",
            "Referrer-Policy": "same-origin",
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
        }
        self._embedded = {name: value for name, value in self._headers.items() if name != "X-Frame-Options"} | {
            "Content-Security-Policy": policy.replace(_FRAMED_BY_NONE, "frame-ancestors *")
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        headers = self._embedded if scope["path"].startswith(EMBEDDED) else self._headers

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                told = MutableHeaders(scope=message)
                for name, value in headers.items():
                    told.setdefault(name, value)  # what is for other sites too says so itself
            await send(message)

        await self._app(scope, receive, send_with_headers)


class RequestLimit:
    """Answers 413 to a request whose body is larger than the limit, before anything else reads it."""

    def __init__(self, app: ASGIApp, limit_bytes: int = REQUEST_LIMIT_BYTES) -> None:
        self._app = app
        self._limit_bytes = limit_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in ("GET", "HEAD"):
            await self._app(scope, receive, send)
            return
        # Read here, not counted while the application reads: by then it may have begun to answer.
        body = bytearray()
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body += message.get("body", b"")
            if len(body) > self._limit_bytes:
                await _refuse(send)
                return
            more = message.get("more_body", False)
        unread: list[Message] = [{"type": "http.request", "body": bytes(body), "more_body": False}]

        async def replay() -> Message:
            return unread.pop() if unread else await receive()

        await self._app(scope, replay, send)


async def _refuse(send: Send) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": b"The request is too large."})
