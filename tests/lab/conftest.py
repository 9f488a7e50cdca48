"""Practice federations, up for one test."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeAlias

import pytest
import trio

from crawler.lab.run import Lab, LabOptions, serve_lab
from crawler.listen.http import open_listeners, serve
from crawler.listen.keys import key_document_handler
from tests.lab.peer import Stranger

WITH_ROSTER = 150
"""Servers of a federation in which every case stands at least once."""

LabMaker: TypeAlias = Callable[..., AbstractAsyncContextManager[Stranger]]


@pytest.fixture
def lab(tmp_path: Path) -> LabMaker:
    """`async with lab(servers=..., seed=...) as stranger:` a federation that is up, and somebody to ask it."""

    @asynccontextmanager
    async def up(servers: int = WITH_ROSTER, seed: int = 1, **options: Any) -> AsyncIterator[Stranger]:
        with trio.fail_after(120):
            async with trio.open_nursery() as nursery:
                chosen = LabOptions(servers=servers, seed=seed, directory=tmp_path, **options)

                async def run(*, task_status: trio.TaskStatus[Lab]) -> None:
                    await serve_lab(chosen, task_status=task_status)

                yield Stranger(await nursery.start(run))
                nursery.cancel_scope.cancel()

    return up


@asynccontextmanager
async def crawler_key_served(lab: Lab) -> AsyncIterator[None]:
    """The crawler's key document, served where the lab expects it, with the certificate that it made."""
    import ssl

    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(lab.files.tls_cert, lab.files.tls_key)
    async with trio.open_nursery() as nursery:
        listeners = await open_listeners("127.0.0.1", lab.serve_key)
        handler = key_document_handler(lab.identity, lambda: datetime.now(UTC))

        async def run(*, task_status: trio.TaskStatus[None]) -> None:
            await serve(handler, listeners, tls=tls, task_status=task_status)

        await nursery.start(run)
        yield
        nursery.cancel_scope.cancel()
