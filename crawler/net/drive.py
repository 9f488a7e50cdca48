"""Drives `protocol.discovery` with real sockets: each question it asks becomes a look-up or a fetch, unless an answer
of earlier may still be used."""

import email.utils
from collections.abc import Awaitable
from typing import Protocol, assert_never

import trio

from crawler.errors import Failure, FailureKind
from crawler.model.discovery import Resolution
from crawler.model.names import ServerName
from crawler.model.observation import Attempt, Failed, Ok, Skipped
from crawler.net.fetch import Answer
from crawler.net.stack import Stack
from crawler.protocol import questions
from crawler.protocol.discovery import resolve
from crawler.protocol.questions import AskAddresses, AskSrv, AskWellKnown, WellKnownAnswer

WELL_KNOWN_URI = "/.well-known/matrix/server"


class Get(Protocol):
    """How to GET an https URL, redirects followed and guarded: a session's `get`."""

    def __call__(self, url: str, *, body_limit_bytes: int) -> Awaitable[Attempt[Answer]]: ...


async def resolve_server(name: ServerName, stack: Stack, get: Get) -> Resolution:
    """Resolve `name`, asking the world what the algorithm wants to know."""
    asks = resolve(name, may_dial=stack.policy.may_dial, rng=stack.rng, limits=stack.limits)
    try:
        ask = next(asks)
        while True:
            ask = asks.send(await _recall_or_ask(ask, stack, get))
    except StopIteration as end:
        resolution: Resolution = end.value
        return resolution


async def _recall_or_ask(ask: questions.Ask, stack: Stack, get: Get) -> questions.Answer:
    if stack.memory is None:
        return await _answer(ask, stack, get)
    known = stack.memory.recall(ask, stack.now())
    if known is not None:
        return known
    answer = await _answer(ask, stack, get)
    stack.memory.keep(ask, answer, stack.now())
    return answer


async def _answer(ask: questions.Ask, stack: Stack, get: Get) -> questions.Answer:
    match ask:
        case AskWellKnown(host):
            return await _ask_well_known(host, stack, get)
        case AskSrv(owner):
            return await stack.dns.lookup_srv(owner)
        case AskAddresses(host):
            return await stack.dns.lookup_addresses(host)
        case _:
            assert_never(ask)


async def _ask_well_known(host: str, stack: Stack, get: Get) -> WellKnownAnswer:
    started = trio.current_time()
    attempt = await get(f"https://{host}{WELL_KNOWN_URI}", body_limit_bytes=stack.limits.well_known_bytes)
    duration_s = trio.current_time() - started
    match attempt:
        case Ok(answer):
            headers = answer.headers
            return WellKnownAnswer(
                status=answer.status,
                body=answer.body,
                content_type=headers.get("content-type"),
                cache_control=headers.get("cache-control"),
                expires=headers.get("expires"),
                date=headers.get("date") or email.utils.format_datetime(stack.now(), usegmt=True),
                redirects=answer.redirects,
                redirect_statuses=answer.redirect_statuses,
                duration_s=duration_s,
            )
        case Failed(failure):
            return WellKnownAnswer(failure=failure, duration_s=duration_s)
        case Skipped():
            spent = Failure(FailureKind.POLICY_BUDGET, "the visit's budget is spent")
            return WellKnownAnswer(failure=spent, duration_s=duration_s)
        case _:
            assert_never(attempt)
