"""The factory: one ASGI application out of FastAPI, Dash, the pages, the API and the headers of every answer."""

import logging
import mimetypes
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import trio
from dash import Dash
from fastapi import FastAPI
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request

from crawler.config import Settings
from crawler.engine.check import Checker
from crawler.engine.usage import UsageIntake
from dashboard import api, frame, routing
from dashboard.answered import Answered
from dashboard.api.door import REQUESTS_A_MINUTE, Door
from dashboard.backend import Backend
from dashboard.data import CensusSource
from dashboard.desk import Desk
from dashboard.first_sight import first_sight
from dashboard.forwarded import ForwardedFor, parse_proxies
from dashboard.pages import board, boards, chart, check_now, crawls, rooms, servers, states, submit
from dashboard.palette import Scheme, style_sheet
from dashboard.prefix import UnderPrefix, parse_prefix, refuse_taken
from dashboard.request import parse_scheme
from dashboard.security import RequestLimit, SecurityHeaders, content_security_policy

LOG = logging.getLogger(__name__)

_ASSETS = Path(__file__).resolve().parent / "assets"
_THEME_SCRIPT = "theme.js"
_COMPRESS_FROM_BYTES = 500


def create_app(
    census: Path,
    settings: Settings | None = None,
    opt_outs: Sequence[Path] = (),
    trusted_proxies: Sequence[str] = (),
    *,
    root_path: str = "",
    requests_a_minute: int = REQUESTS_A_MINUTE,
) -> FastAPI:
    """The dashboard of a census file; it reads what is published beside it and shows a new census by itself.

    Args:
        census: The census file.
        settings: How a server is looked at when a visitor asks for a check; None: the defaults.
        opt_outs: Lists of servers that are not looked at for a visitor, beside the census's own.
        trusted_proxies: Addresses or CIDRs whose `X-Forwarded-For` is believed.
        root_path: The path under which a reverse proxy serves us, such as `/census`; empty for none.
        requests_a_minute: Each visitor's ration of what is for programs; 0: as many as he likes.

    Raises:
        UsageError: settings that name what is not there, an opt-out list that is not understood, a proxy that is no
            address, or a root path that cannot be.
    """
    proxies = parse_proxies(trusted_proxies)
    prefix = parse_prefix(root_path)
    mimetypes.add_type("application/javascript", ".js")  # some machines say text/plain, which nosniff forbids to run
    source = CensusSource(census)
    checker = Checker(settings or Settings(), census, opt_outs)
    app = Dash(
        "dashboard",
        backend=Backend,
        title=frame.NAME,
        update_title="",
        requests_pathname_prefix=f"{prefix}/",
        routes_pathname_prefix="/",
        assets_folder=str(_ASSETS),
        assets_ignore=rf"^{_THEME_SCRIPT}$",
        suppress_callback_exceptions=True,  # parts of a page are not there before it is
        add_log_handler=False,
        serve_locally=True,
    )
    app.index_string = frame.index_page(_address(app, _THEME_SCRIPT), style_sheet())
    app.layout = lambda: frame.frame(_scheme(app), states.skeleton(), routing.stores())
    frame.register(app)
    routing.register(app, source)
    desk = Desk(checker, source)
    check_now.register(app, desk)
    submit.register(app, desk)
    servers.register(app, source, routing.SHOWN)
    rooms.register(app, source, routing.SHOWN)
    for page in boards.PAGES:
        board.register(app, source, page.board, routing.SHOWN)
    board.register(app, source, crawls.BOARD, routing.SHOWN)
    chart.register(app, source, routing.SHOWN)
    server: FastAPI = app.server
    api.mount(server, source, desk, UsageIntake(checker, census))
    Backend.add_pages(app, lambda path: routing.find_page(path) is not None, _finishing(source))
    refuse_taken(prefix, _own_paths(server))
    server.router.lifespan_context = _closing(source, checker)
    # The last added is the first to see a request.
    server.add_middleware(
        Answered,
        source=source,
        question_of=routing.question_of,
        is_kept=lambda body: states.FAILED.encode() not in body,
    )
    server.add_middleware(GZipMiddleware, minimum_size=_COMPRESS_FROM_BYTES, compresslevel=5)
    server.add_middleware(RequestLimit)
    server.add_middleware(Door, requests_a_minute=requests_a_minute)
    server.add_middleware(ForwardedFor, trusted=proxies)
    server.add_middleware(SecurityHeaders, policy=content_security_policy(app.csp_hashes()))
    server.add_middleware(UnderPrefix, prefix=prefix)
    return server


def _closing(source: CensusSource, checker: Checker) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        checker.close()
        source.close()

    return lifespan


def _finishing(source: CensusSource) -> Callable[[Request, str], Awaitable[str]]:
    async def finish(request: Request, document: str) -> str:
        scheme = parse_scheme(request.cookies.get("theme"))
        search = f"?{request.url.query}" if request.url.query else ""
        try:
            seen = await trio.to_thread.run_sync(
                first_sight, source, request.url.path, search, scheme, limiter=source.limiter
            )
        except Exception:
            LOG.exception("no first sight of %r", request.url.path[:200])
            seen = ""  # the application makes the page anew, and says under which id it failed
        return document.replace(frame.first_sight_place(), seen, 1)

    return finish


def _own_paths(server: FastAPI) -> list[str]:
    served = [getattr(route, "path", "") for route in server.routes]
    return [*(page.path for page in routing.PAGES), *api.PLACES, *served]


def _address(app: Dash, asset: str) -> str:
    """An asset's address, with its time, so that a browser fetches a changed one."""
    return f"{app.get_asset_url(asset)}?m={int((_ASSETS / asset).stat().st_mtime)}"


def _scheme(app: Dash) -> Scheme:
    """What the visitor of this request wears, as the theme's script told its cookie."""
    if not app.backend.has_request_context():
        return Scheme.LIGHT  # Dash makes the layout once by itself, to look at it
    return parse_scheme(app.backend.request_adapter().cookies.get("theme"))
