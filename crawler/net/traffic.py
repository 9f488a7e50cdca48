"""What was asked and what was read: `Traffic` of the whole process, `Budget` of one visit.

Plain counters, written by the tasks of one trio loop and read by whoever reports; apart from the sockets so that a
report needs none.
"""

import dataclasses
from dataclasses import dataclass

from crawler.errors import FailureKind
from crawler.net.failures import BrokenOffError


@dataclass(slots=True)
class Traffic:
    """Everything since the process began."""

    requests: int = 0
    """HTTP requests sent, every hop of a redirect counted."""
    connections: int = 0
    """TCP connections established."""
    handshakes: int = 0
    """TLS handshakes begun."""
    bytes_read: int = 0
    """Bytes of answers as sent (before decompression), headers not counted."""
    dns_queries: int = 0
    """Queries sent, retries and TCP included; answers from our cache not."""
    dns_answers: int = 0
    """Answers to them, whatever they say: a sign that our network works."""
    polite_wait_s: float = 0.0
    """Time that exchanges and dials waited for the pace of their address, summed over tasks."""
    rate_limited: int = 0
    """Answers with status 429."""

    def add(self, now: "Traffic", before: "Traffic") -> None:
        """Count what another process did between two of its reports."""
        for each in dataclasses.fields(self):
            grown = getattr(now, each.name) - getattr(before, each.name)
            setattr(self, each.name, getattr(self, each.name) + grown)


@dataclass(slots=True)
class Budget:
    """What one visit may ask and read. No request begins once it is spent; an answer that would overdraw its bytes is
    broken off, so that what is read exceeds the limit by less than one piece."""

    request_limit: int
    byte_limit: int
    requests: int = 0
    bytes_read: int = 0

    @property
    def spent(self) -> bool:
        return self.requests >= self.request_limit or self.bytes_read >= self.byte_limit

    def read(self, count: int) -> None:
        """Count bytes that came.

        Raises:
            BrokenOffError: POLICY_BUDGET, when they are more than the visit has left.
        """
        self.bytes_read += count
        if self.bytes_read > self.byte_limit:
            raise BrokenOffError(FailureKind.POLICY_BUDGET, f"all {self.byte_limit} bytes of this visit are read")
