"""Dash's FastAPI backend as this stack needs it.

Three things differ from what Dash ships. Its WebSocket door speaks asyncio, so on trio it stays shut. Its catch-all
answers every unknown address with 200; ours says 404 where there is no page, with the same application behind it. Its
component files are read from disk, hashed and compressed for every visitor; ours once.
"""

import gzip
import hashlib
import mimetypes
import pkgutil
from collections.abc import Awaitable, Callable
from functools import lru_cache
from typing import Any

from dash import Dash
from dash._validate import validate_js_path  # not exported: it keeps requests inside the registered files
from dash.backends import get_backend
from dash.backends._fastapi import reset_current_request, set_current_request  # not exported: what `index` reads
from dash.exceptions import DependencyException
from dash.fingerprint import check_fingerprint
from fastapi import FastAPI
from fastapi.responses import Response
from starlette.requests import Request

_FOREVER = "public, max-age=31536000, immutable"
_COMPRESSIBLE = ("text/", "application/javascript", "application/json", "image/svg+xml")
_SMALL_BYTES = 512

_FastAPIBackend: type[Any] = get_backend("fastapi")


class Backend(_FastAPIBackend):  # type: ignore[misc]  # Dash gives its backends no types
    """See the module."""

    websocket_capability = False

    @staticmethod
    def create_app(name: str = "", config: dict[str, Any] | None = None) -> FastAPI:
        """The application under Dash. FastAPI's own documentation pages load from a CDN, so there are none."""
        del name, config
        return FastAPI(title="Matrix Census", docs_url=None, redoc_url=None, openapi_url=None)

    def _setup_catchall(self) -> None:
        """Dash adds its catch-all when the server starts; `add_pages` has added ours by then."""

    @staticmethod
    def add_pages(
        dash_app: Dash, is_page: Callable[[str], bool], finish: Callable[[Request, str], Awaitable[str]]
    ) -> None:
        """Answer every address not taken by now with the application; 404 where `is_page` says that none is there.

        Args:
            dash_app: The application.
            is_page: Whether there is a page at a path.
            finish: Puts into the document what is in it for a request alone.
        """
        # Dash gathers assets and callbacks at the first request to an address of its own, which is too late for a
        # visitor who comes in by a deep link.
        dash_app._setup_server()  # noqa: SLF001 - Dash has no public word for it

        async def page(request: Request) -> Response:
            status = 200 if is_page(request.url.path) else 404
            token = set_current_request(request)
            try:
                document = dash_app.index()
            finally:
                reset_current_request(token)
            return Response(await finish(request, document), status_code=status, media_type="text/html")

        dash_app.backend.add_url_rule("/{path:path}", page, methods=["GET"])

    def setup_index(self, dash_app: Dash) -> None:
        """`add_pages` answers the root as well."""

    def serve_component_suites(
        self, dash_app: Dash, package_name: str, fingerprinted_path: str, request: Request
    ) -> Response:
        """One script or style sheet of a component package.

        A fingerprinted address may be kept for ever; the others are asked for again by their hash.
        """
        path, is_fingerprinted = check_fingerprint(fingerprinted_path)
        try:
            validate_js_path(dash_app.registered_paths, package_name, path)
        except DependencyException:
            return Response(status_code=404)
        body, compressed, etag = _component_file(package_name, path)
        headers = {
            "ETag": etag,
            "Cache-Control": _FOREVER if is_fingerprinted else "no-cache",
            "Vary": "Accept-Encoding",
        }
        if request.headers.get("if-none-match") == etag:
            return Response(status_code=304, headers=headers)
        if compressed is not None and "gzip" in request.headers.get("accept-encoding", ""):
            headers["Content-Encoding"] = "gzip"
            body = compressed
        return Response(body, media_type=_media_type(path), headers=headers)


@lru_cache(maxsize=256)  # the registered files are some fifty
def _component_file(package_name: str, path: str) -> tuple[bytes, bytes | None, str]:
    """Body, compressed body if it is worth it, and entity tag."""
    body = pkgutil.get_data(package_name, path) or b""
    worth_it = len(body) > _SMALL_BYTES and _media_type(path).startswith(_COMPRESSIBLE)
    compressed = gzip.compress(body, compresslevel=6, mtime=0) if worth_it else None
    return body, compressed, f'"{hashlib.sha256(body).hexdigest()[:32]}"'


def _media_type(path: str) -> str:
    guessed = mimetypes.guess_type(path)[0] or "application/octet-stream"
    return "application/javascript" if guessed == "text/javascript" else guessed
