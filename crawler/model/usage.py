"""What a homeserver reports of its own usage, and why it is believed to come from that homeserver. Pure.

The fields are those of Synapse's usage reports (`report_stats`; docs, "Reporting Homeserver Usage Statistics"), which
panopticon receives. Counts of users, rooms and messages are kept; what a report says of the machine behind it
(memory, processor, database, log level) is nobody's business and is not.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from crawler.model.names import ServerName

FIELDS: tuple[str, ...] = (
    "total_users",
    "total_nonbridged_users",
    "daily_active_users",
    "monthly_active_users",
    "daily_user_type_native",
    "daily_user_type_guest",
    "daily_user_type_bridged",
    "r30_users_all",
    "r30_users_android",
    "r30_users_ios",
    "r30_users_electron",
    "r30_users_web",
    "r30v2_users_all",
    "r30v2_users_android",
    "r30v2_users_ios",
    "r30v2_users_electron",
    "r30v2_users_web",
    "total_room_count",
    "daily_active_rooms",
    "daily_active_e2ee_rooms",
    "daily_messages",
    "daily_sent_messages",
    "daily_e2ee_messages",
    "daily_sent_e2ee_messages",
)
"""In the order of the columns of `usage_report`."""

MOST = 10_000_000_000
"""The largest count that is taken: more users or daily messages than any server can have, and sums stay exact."""


class Proof(StrEnum):
    """Why a report is believed to come from the server that it names."""

    ADDRESS = "address"
    """It came from an address that the name resolves to, as federation resolves it."""
    WELL_KNOWN = "well_known"
    """It carried a token whose digest the server publishes in its .well-known document."""
    DNS = "dns"
    """It carried a token whose digest stands in the server's DNS."""
    FILE = "file"
    """Whoever imported it vouches for it."""
    NONE = "none"
    """It is not believed."""


@dataclass(frozen=True, slots=True)
class UsageReport:
    """One report. `reported_at` by the server's own clock, None when not said; `counts` holds the `FIELDS` that it
    says, each from 0 to `MOST`."""

    server_name: ServerName
    reported_at: datetime | None
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class ReceivedReport:
    """A report, when it came, why it is believed, and the software that sent it (None: not said)."""

    report: UsageReport
    received_at: datetime
    proof: Proof
    software: str | None = None
