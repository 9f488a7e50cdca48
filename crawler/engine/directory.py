"""Reading one server's public room directory: through the federation's door, signed, else through the client API's.

A directory that is closed to us (403) is an answer, and the only way in which the protocol lets a server say no: nobody
is asked a second time through another door. The client's door is tried where the federation's is not there: we have no
identity, the server could not verify our key (401), or it does not know the request (404, 405).
"""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from typing import assert_never

import trio

from crawler.config import Limits
from crawler.engine.patience import expect_ok, patiently
from crawler.errors import ProtocolError
from crawler.model.observation import Attempt, Failed, Ok, Skipped, SkipReason
from crawler.model.rooms import DirectoryResult, DirectoryState, DirectoryWay, Stopped
from crawler.net.fetch import Answer
from crawler.net.session import Session
from crawler.net.transport import Connection
from crawler.protocol.directory import parse_directory_page
from crawler.protocol.federation import client_public_rooms_uri, public_rooms_uri
from crawler.protocol.paging import PageAnswer, read_directory
from crawler.protocol.signing import Identity, x_matrix_header

TRY_THE_CLIENT_DOOR = frozenset({DirectoryState.AUTH_FAILED, DirectoryState.NOT_IMPLEMENTED})

AskPage = Callable[[str | None], Awaitable[Attempt[Answer]]]


async def read_public_rooms(
    session: Session,
    connection: Connection,
    host_header: str,
    client_api: str | None,
    identity: Identity | None,
    limits: Limits,
    *,
    destination: str,
    max_pages: int,
    deadline: float,
    may_read: Callable[[str], Awaitable[bool]],
) -> tuple[DirectoryResult, bool | None]:
    """Read the directory.

    Args:
        may_read: whether the client API at that address lets us read it (robots.txt); asked before going there.
        destination: the server's name in its own spelling, which it compares letter by letter.

    Returns:
        The result, and whether the server accepted our signature: True when it answered a signed request with a page,
        False when it refused our signature (401), None when we cannot know (no identity, or any other answer: a 403
        may come before the signature is looked at).
    """
    signed: DirectoryResult | None = None
    if identity is not None:
        signed = await _page_through(
            session,
            _federation_pages(session, connection, host_header, identity, destination, limits),
            DirectoryWay.FEDERATION,
            limits,
            max_pages,
            deadline,
        )
        if signed.stopped is Stopped.COMPLETE and max_pages > signed.pages:
            signed = await _add_networks(
                signed,
                _page_through(
                    session,
                    _until_nothing_more(
                        _federation_pages(
                            session, connection, host_header, identity, destination, limits, networks=True
                        ),
                        signed.total_estimate,
                    ),
                    DirectoryWay.FEDERATION,
                    limits,
                    max_pages - signed.pages,
                    deadline,
                ),
            )
        if signed.state not in TRY_THE_CLIENT_DOOR:
            return signed, True if signed.pages else None
    accepted = False if signed is not None and signed.state is DirectoryState.AUTH_FAILED else None
    if client_api is None:
        return signed or DirectoryResult(DirectoryState.SKIPPED, skipped_because="no_identity"), accepted
    if not await may_read(client_api):
        return signed or DirectoryResult(DirectoryState.SKIPPED, skipped_because=SkipReason.ROBOTS), accepted
    unsigned = await _page_through(
        session, _client_pages(session, client_api, limits), DirectoryWay.CLIENT, limits, max_pages, deadline
    )
    return (unsigned if signed is None or unsigned.pages else signed), accepted


async def _add_networks(own: DirectoryResult, reading: Awaitable[DirectoryResult]) -> DirectoryResult:
    """The second pass: what is listed only where all networks are asked for is in the list of a bridge. A server that
    does not answer it has lost nothing of its own directory."""
    with_networks = await reading
    known = {room.room_id for room in own.rooms}
    return replace(own, network_rooms=tuple(room for room in with_networks.rooms if room.room_id not in known))


def _until_nothing_more(ask: AskPage, own_estimate: int | None) -> AskPage:
    """Only the first page, where it says that all networks together have no more rooms than the server's own list."""
    has_more = True

    async def ask_on(since: str | None) -> Attempt[Answer]:
        nonlocal has_more
        if not has_more:
            return Skipped(SkipReason.NOT_NEEDED)
        attempt = await ask(since)
        if since is None and isinstance(attempt, Ok) and attempt.value.status == 200:
            with suppress(ProtocolError):
                estimate = parse_directory_page(attempt.value.body).total_estimate
                has_more = estimate is None or own_estimate is None or estimate != own_estimate
        return attempt

    return ask_on


def _federation_pages(
    session: Session,
    connection: Connection,
    host_header: str,
    identity: Identity,
    destination: str,
    limits: Limits,
    *,
    networks: bool = False,
) -> AskPage:
    def ask(since: str | None) -> Awaitable[Attempt[Answer]]:
        uri = public_rooms_uri(limit=limits.directory_page_size, since=since, include_all_networks=networks)
        authorization = x_matrix_header(identity, destination, "GET", uri)
        return session.request(
            connection,
            uri,
            host_header=host_header,
            headers=(("Authorization", authorization),),
            body_limit_bytes=limits.directory_page_bytes,
        )

    return ask


def _client_pages(session: Session, client_api: str, limits: Limits) -> AskPage:
    def ask(since: str | None) -> Awaitable[Attempt[Answer]]:
        url = client_api + client_public_rooms_uri(limit=limits.directory_page_size, since=since)
        return session.get(url, body_limit_bytes=limits.directory_page_bytes)

    return ask


async def _page_through(
    session: Session, ask: AskPage, way: DirectoryWay, limits: Limits, max_pages: int, deadline: float
) -> DirectoryResult:
    """Drive `protocol.paging` with real requests."""
    reading = read_directory(
        page_size=limits.directory_page_size, max_pages=max_pages, max_rooms=limits.directory_rooms, way=way
    )
    page = next(reading)
    while True:
        since = page.since
        if trio.current_time() >= deadline:
            answer = PageAnswer(body=None, failure=None, out_of_time=True)
        elif session.spent:
            answer = PageAnswer(body=None, failure=None, out_of_bytes=True)
        else:
            answer = _page_answer(expect_ok(await patiently(session, lambda: ask(since))))  # noqa: B023 - awaited here
        try:
            page = reading.send(answer)
        except StopIteration as end:
            result: DirectoryResult = end.value
            return result


def _page_answer(attempt: Attempt[Answer]) -> PageAnswer:
    match attempt:
        case Ok(answer):
            return PageAnswer(body=answer.body, failure=None)
        case Failed(failure):
            return PageAnswer(body=None, failure=failure)
        case Skipped():
            return PageAnswer(body=None, failure=None, out_of_bytes=True)
        case _:
            assert_never(attempt)
