"""Usage reports as they come in: judged here, left in the inbox, taken into the census file by whoever writes it.

The dashboard's door to usage reports, as `engine.check` is its door to checks.
"""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path

import trio

from crawler.engine.check import Checker
from crawler.errors import ProtocolError, StoreError, UsageError
from crawler.model.names import ServerName
from crawler.model.usage import Proof, ReceivedReport
from crawler.net.stack import utc_now
from crawler.protocol.usage import parse_software, parse_usage_report
from crawler.sources.usage import Prover
from crawler.store.inbox import append
from crawler.store.usage import USAGE, content_of

__all__ = ["BODY_LIMIT_BYTES", "Proof", "RefusedReportError", "UsageIntake"]

BODY_LIMIT_BYTES = 16 * 1024
"""Of one report; Synapse's have 1.5 KB."""

ROOM_BYTES = 16 * 1024 * 1024
"""How full the inbox may be for a report; the rest is for others, who write less."""

ROOM_UNVERIFIED_BYTES = 4 * 1024 * 1024
"""Likewise for one that is not believed: anybody can send those."""


class RefusedReportError(Exception):
    """A report that is not taken. `status` is the HTTP status, the message one sentence."""

    def __init__(self, status: int, sentence: str) -> None:
        self.status = status
        super().__init__(sentence)


class UsageIntake:
    """Takes usage reports for a census file, for a program that runs on.

    Args:
        checker: How servers are looked at, and who opted out.
        census: The census file; its inbox is written to, never the file.
        now: The wall clock.
    """

    def __init__(self, checker: Checker, census: Path, now: Callable[[], datetime] = utc_now) -> None:
        self._checker = checker
        self._census = census
        self._now = now
        self._prover = Prover(checker.network)

    async def receive(self, body: bytes, sender: str, token: str | None, user_agent: str) -> Proof:
        """Judge a report and leave it in the inbox; when this returns it is on the disk.

        Args:
            body: As sent.
            sender: The address that it came from.
            token: What it carried to prove itself; None: nothing.
            user_agent: Of the request.

        Returns:
            Why it is believed; NONE: it is kept apart.

        Raises:
            RefusedReportError: it is too large (413), no report (400), of a server that opted out (403), or cannot be
                kept now (503).
        """
        if len(body) > BODY_LIMIT_BYTES:
            raise RefusedReportError(413, f"a usage report has at most {BODY_LIMIT_BYTES} bytes")
        try:
            report = parse_usage_report(body)
        except ProtocolError as error:
            raise RefusedReportError(400, f"this is no usage report: {error}") from None
        await trio.to_thread.run_sync(self._refuse_opted_out, report.server_name)
        proof = await self._prover.prove(report.server_name, sender, token)
        received = ReceivedReport(report, self._now(), proof, parse_software(user_agent))
        room = ROOM_UNVERIFIED_BYTES if proof is Proof.NONE else ROOM_BYTES
        content, at = content_of(received), received.received_at
        leave = partial(append, self._census, USAGE, content, room_bytes=room, now=lambda: at)
        try:
            await trio.to_thread.run_sync(leave)
        except StoreError:
            raise RefusedReportError(503, "reports cannot be kept at the moment") from None
        return proof

    def _refuse_opted_out(self, name: ServerName) -> None:
        try:
            opted_out = self._checker.opt_outs().has_server(name)
        except UsageError:
            raise RefusedReportError(503, "the opt-out list of this census cannot be read") from None
        if opted_out:
            raise RefusedReportError(403, f"{name} opted out of this census")
