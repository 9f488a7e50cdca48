"""One server as a federating server would see it, every step shown and judged: the same visit as a crawl's, closer.

The only door to the engine for the dashboard: what it needs of a check it finds here.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import trio

from crawler.config import Settings
from crawler.engine import mft
from crawler.engine.conformance import judge
from crawler.engine.document import CheckDocument
from crawler.engine.inspect import inspect
from crawler.engine.optouts import OptOuts, opt_out_lists, read_opt_outs
from crawler.engine.seeds import typed_server_name
from crawler.engine.standing import Memory, count, remember
from crawler.engine.task import Visit
from crawler.engine.telling import check_document
from crawler.engine.visit import visit
from crawler.errors import printable
from crawler.model.close_look import Inspection
from crawler.model.names import ServerName
from crawler.model.observation import Ok, ServerObservation
from crawler.model.verdict import Counted, Finding
from crawler.net.transport import Network
from crawler.protocol.signing import Identity
from crawler.version import VERSION

__all__ = [
    "CheckDocument",
    "Checked",
    "Checker",
    "Memory",
    "check_identity",
    "check_servers",
    "json_schema",
    "remember",
]

AT_ONCE = 8
"""Servers checked together."""

NOTHING_REMEMBERED = Memory()


@dataclass(frozen=True)
class Checked:
    """One server, inspected and judged."""

    inspection: Inspection
    findings: tuple[Finding, ...]
    counted: Counted

    @property
    def federates(self) -> bool:
        return self.inspection.observation.federating

    @cached_property
    def document(self) -> CheckDocument:
        """What `check --json` prints."""
        return check_document(self.inspection, self.findings, self.counted)

    @property
    def mft_report(self) -> dict[str, Any]:
        """The shape of matrix-federation-tester."""
        return mft.report(self.inspection)


async def check_one(
    network: Network,
    identity: Identity | None,
    name: ServerName,
    *,
    registration: bool = False,
    memory: Memory = NOTHING_REMEMBERED,
) -> Checked:
    """Inspect and judge one server on a network that is open."""
    seen = await inspect(network, identity, name, registration=registration, past_keys=memory.past_keys)
    return Checked(seen, judge(seen), count(seen.observation, memory))


async def check_servers(
    network: Network,
    identity: Identity | None,
    names: Sequence[ServerName],
    told: Callable[[Checked], None],
    *,
    registration: bool = False,
    memory_of: Callable[[ServerName], Memory] = lambda _: NOTHING_REMEMBERED,
) -> bool:
    """Check servers together, and tell of each in the order of `names`, as soon as those before it are told.

    Returns:
        Whether all federate.
    """
    together = trio.CapacityLimiter(AT_ONCE)
    found: dict[int, Checked] = {}
    ready = [trio.Event() for _ in names]

    async def check(place: int, name: ServerName) -> None:
        async with together:
            memory = memory_of(name)
            found[place] = await check_one(network, identity, name, registration=registration, memory=memory)
        ready[place].set()

    good = True
    async with network, trio.open_nursery() as nursery:
        for place, name in enumerate(names):
            nursery.start_soon(check, place, name)
        for place, event in enumerate(ready):
            await event.wait()
            checked = found.pop(place)
            good = good and checked.federates
            told(checked)
    return good


def json_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of the document."""
    schema = CheckDocument.model_json_schema(mode="serialization")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


class Checker:
    """Checks servers one after the other or together, on one network, for a program that runs on.

    Args:
        settings: how to look.
        census: the census file whose opt-out list is obeyed.
        opt_outs: further lists.

    Raises:
        UsageError: settings that name what is not there, or an opt-out list that is not understood.
    """

    def __init__(self, settings: Settings, census: Path, opt_outs: Sequence[Path] = ()) -> None:
        self._network = Network(settings, version=VERSION)
        self._census = census
        self._opt_out_lists = opt_outs
        self.opt_outs()

    def parse(self, server_name: str) -> ServerName:
        """The name as typed.

        Raises:
            UsageError: it is no server name.
        """
        return typed_server_name(server_name)

    @property
    def network(self) -> Network:
        """How it looks; who else serves on the same machine looks the same way."""
        return self._network

    def opt_outs(self) -> OptOuts:
        """The opt-out lists as they are now: who is added to them is left alone from then on. Blocking.

        Raises:
            UsageError: a list that cannot be read or is not understood.
        """
        return read_opt_outs(opt_out_lists(self._census, self._opt_out_lists))

    async def check(self, name: ServerName, memory: Memory = NOTHING_REMEMBERED) -> Checked:
        """Check a server, unsigned, now."""
        return await check_one(self._network, None, name, memory=memory)

    def mft_of_no_name(self, text: str) -> dict[str, Any]:
        """What who speaks matrix-federation-tester is told of something that is no server name."""
        return mft.invalid_name(printable(text, 255))

    def close(self) -> None:
        """End what is open."""
        self._network.close()


@dataclass(frozen=True, slots=True)
class IdentityCheck:
    """Whether a peer would find our key."""

    good: bool
    sentence: str
    observation: ServerObservation

    def as_dict(self) -> dict[str, object]:
        """As `identity check --json` prints it."""
        return {
            "good": self.good,
            "sentence": self.sentence,
            "failures": [
                {"what": what, "kind": failure.kind, "detail": failure.detail}
                for what, failure in self.observation.failures
            ],
        }


async def check_identity(network: Network, identity: Identity) -> IdentityCheck:
    """Fetch our own key document by our own name, as a peer would, and compare it with the key in hand."""
    async with network:
        seen = (await visit(network, None, Visit(identity.server_name, hurried=False), directory_pages=1)).observation
    name = identity.server_name
    match seen.keys:
        case Ok(document):
            published = document.verify_keys.get(identity.key.key_id)
            if published == identity.key.public_key_base64:
                until = f"{document.valid_until:%d %b %Y %H:%M} UTC"
                return IdentityCheck(
                    True, f"A peer finds key {identity.key.key_id} of {name}, valid until {until}.", seen
                )
            if published is not None:
                return IdentityCheck(
                    False,
                    f"{name} publishes another key under the ID {identity.key.key_id}. Never reuse a key ID: make a "
                    "new identity and publish that.",
                    seen,
                )
            others = ", ".join(sorted(document.verify_keys))
            return IdentityCheck(
                False, f"{name} publishes {others}, not {identity.key.key_id}: publish this file's key document.", seen
            )
        case _:
            what, failure = next(iter(seen.failures), ("nothing", None))
            why = f"{what}: {failure.kind} {failure.detail}" if failure else "it was not reached"
            return IdentityCheck(False, f"A peer finds no key of {name}: {why}", seen)
