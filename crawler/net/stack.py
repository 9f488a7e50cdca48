"""What all connections of a process share, built once from the settings.

Apart from `transport.Network`, which hands out visits and connections, so that these can know the stack without knowing
who made them.
"""

import random
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

import trio

from crawler.config import Limits, Settings
from crawler.model.user_agent import user_agent
from crawler.net.borrowing import BorrowingPacer
from crawler.net.dial import Dialler, parse_rule
from crawler.net.dns import Dns
from crawler.net.lending import FromBorrower
from crawler.net.pacing import Pacer
from crawler.net.silence import Silences
from crawler.net.tls import client_context, unverified_context
from crawler.net.traffic import Traffic
from crawler.protocol.addresses import AddressPolicy
from crawler.protocol.memory import Memory
from crawler.settings import parse_address_port

DNS_PORT = 53


@dataclass(frozen=True, slots=True)
class Stack:
    """One of each.

    `busy` bounds the handshakes under way: they are what costs CPU, and when the loop lags behind, deadlines make live
    servers look dead. Over a connection of `unverified` nothing is ever asked. `rng` draws the order of SRV targets;
    `now` is the wall clock.
    `memory` holds answers of resolutions that need not be asked for again; None to ask always.
    """

    limits: Limits
    first_limits: Limits
    user_agent: bytes
    policy: AddressPolicy
    dialler: Dialler
    context: ssl.SSLContext
    unverified: ssl.SSLContext
    busy: trio.CapacityLimiter
    pacer: Pacer
    dns: Dns
    traffic: Traffic
    rng: random.Random
    now: Callable[[], datetime]
    memory: Memory | None = None
    silences: Silences = field(default_factory=Silences)
    silent: set[str] | None = None
    """Of one visit: the addresses where nothing answered a connect. None: nobody keeps them."""

    def for_visit(self, *, hurried: bool) -> "Stack":
        """The stack of one visit, which has short deadlines if it is `hurried`, and remembers who was silent."""
        limits = self.first_limits if hurried else self.limits
        dns = self.dns.for_visit(limits.dns_timeout_s, limits.first_dns_timeout_s)
        # As `dataclasses.replace` would, which takes five times as long, and this is done for each visit.
        return Stack(
            limits,
            self.first_limits,
            self.user_agent,
            self.policy,
            self.dialler,
            self.context,
            self.unverified,
            self.busy,
            self.pacer,
            dns,
            self.traffic,
            self.rng,
            self.now,
            self.memory,
            self.silences,
            set(),
        )


def build_stack(
    settings: Settings,
    version: str,
    rng: random.Random,
    now: Callable[[], datetime],
    memory: Memory | None = None,
    to_lender: Callable[[FromBorrower], None] | None = None,
) -> Stack:
    """Raises UsageError for settings that name what is not there: a CA file, a system DNS server."""
    limits, network = settings.limits, settings.network
    traffic = Traffic()
    policy = AddressPolicy(network.allow_address)
    nameserver: tuple[str, int] | None = None
    if network.dns:
        address, port = parse_address_port(network.dns, "--dns")
        nameserver = (address, port or DNS_PORT)
    pace = limits.address_concurrency, limits.address_rate_per_s
    pacer = Pacer(*pace, traffic) if to_lender is None else BorrowingPacer(*pace, to_lender, traffic)
    return Stack(
        limits=limits,
        first_limits=limits.of_first_try(),
        user_agent=user_agent(version, settings.politeness.contact).encode(),
        policy=policy,
        dialler=Dialler(policy, tuple(parse_rule(rule) for rule in network.connect)),
        context=client_context(network.ca),
        unverified=unverified_context(),
        busy=trio.CapacityLimiter(limits.busy_connections),
        pacer=pacer,
        dns=Dns(nameserver, limits.dns_timeout_s, traffic),
        traffic=traffic,
        rng=rng,
        now=now,
        memory=memory,
    )


def utc_now() -> datetime:
    return datetime.now(UTC)
