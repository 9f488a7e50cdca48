"""The least that a crawl can cost: the client's CPU time of plain TLS handshakes, blocking, one after the other.

What the bench divides by, so that its figure says how well the crawler does and not how fast a machine is.
"""

import itertools
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass

from crawler.config import Settings
from crawler.net.dial import Dialler, canonical, parse_rule
from crawler.net.tls import client_context
from crawler.protocol.addresses import AddressPolicy

TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True)
class Place:
    """Somewhere that a verified handshake is known to succeed."""

    address: str
    port: int
    tls_name: str


@dataclass(frozen=True, slots=True)
class Floor:
    """What `handshakes` verified handshakes cost this process."""

    handshakes: int
    cpu_s: float


def measure_floor(settings: Settings, places: Sequence[Place], handshakes: int) -> Floor:
    """Connect, verify, close, `handshakes` times over `places` in turn; no session is ever resumed.

    Raises:
        OSError: a place that was believed good is not.
        ValueError: no place to go to.
    """
    if not places:
        raise ValueError("no server with verified TLS to measure by")
    context = client_context(settings.network.ca)
    policy = AddressPolicy(settings.network.allow_address)
    dialler = Dialler(policy, tuple(parse_rule(rule) for rule in settings.network.connect))
    began = time.process_time()
    for place in itertools.islice(itertools.cycle(places), handshakes):
        where = dialler.where(canonical(place.address), place.port)
        with (
            socket.create_connection(where, TIMEOUT_S) as sock,
            context.wrap_socket(sock, server_hostname=place.tls_name, do_handshake_on_connect=True),
        ):
            pass
    return Floor(handshakes, time.process_time() - began)
