"""The kinds of intervals: what changes from one crawl to another, and what a crawl looked at of it.

An interval row says that something is so from one crawl (`valid_from`) until another that looked again and saw
otherwise (`valid_to`; NULL while it stands). `fold` makes them.
"""

from dataclasses import dataclass

_NOT_RESTING = "i.server_id NOT IN (SELECT server_id FROM temp.fold_resting)"
"""Dead servers are looked at ever less often: what was last seen of one stands until the next look."""


@dataclass(frozen=True, slots=True)
class Interval:
    """One kind of interval rows.

    Attributes:
        table: Its table.
        keys: Columns that name the thing; at most one row of each stands open.
        values: Columns that say how it is.
        now: Query of keys and values, in this order: all that this crawl saw.
        looked: Condition on an open row `i`: this crawl looked at it. Of what a full crawl did not look at on purpose.
    """

    table: str
    keys: tuple[str, ...]
    values: tuple[str, ...]
    now: str
    looked: str = f"""i.server_id IN (SELECT server_id FROM visit WHERE crawl_id = $crawl)
    OR ($full AND {_NOT_RESTING})"""  # noqa: S608 - our own names


TEXT = ("name", "topic", "canonical_alias", "join_rule", "room_type")
API = ("spec_versions", "unstable_features")


def same(left: str, right: str, columns: tuple[str, ...]) -> str:
    """Condition in SQL: these columns say the same on both sides, or are NULL on both."""
    return " AND ".join(f"{left}.{column} IS NOT DISTINCT FROM {right}.{column}" for column in columns)


_STATE = (
    "branch", "delegated", "resolves", "reachable", "secure", "online", "federating", "accepting", "listing",
    "failed_phase", "failed_kind", "software_raw", "version_raw", "software", "version", "verify_keys", "tls_protocol",
    "tls_cipher", "client_base", "identity_server", "rtc_foci", "sliding_sync_proxy", "oauth_issuer",
    "support_published",
)  # fmt: skip
_DIRECTORY = ("directory_state", "directory_way", "directory_rooms", "directory_stopped", "directory_noindex")
_CERTIFICATE = ("tls_fingerprint", "tls_issuer", "tls_not_after")
_ADDRESS_LOOK = (
    "tcp_failure", "tls_failure", "verify_code", "version_failure", "keys_failure", "tls_issuer", "tls_not_after",
    "tls_fingerprint", "software_raw", "version_raw",
)  # fmt: skip
_ENDPOINT = ("address", "port", "host_header", "tls_name", "via")
_ACCOUNT = ("directories", "members", "members_min", "members_max", "text_id", "world_readable", "guest_can_join")


def _of_visits(columns: tuple[str, ...], where: str = "true") -> str:
    return f"SELECT server_id, {', '.join(columns)} FROM seen_server WHERE crawl_id = $crawl AND {where}"  # noqa: S608 - our own names


INTERVALS = (
    Interval(
        "server_state",
        ("server_id",),
        (*_STATE, "client_api_id"),
        f"""SELECT s.server_id, {", ".join(f"s.{column}" for column in _STATE)}, a.client_api_id
        FROM seen_server s JOIN client_api a ON {same("a", "s", API)} WHERE s.crawl_id = $crawl""",  # noqa: S608 - our own names
    ),
    Interval("directory_state", ("server_id",), _DIRECTORY, _of_visits(_DIRECTORY)),
    Interval(
        "server_certificate", ("server_id",), _CERTIFICATE, _of_visits(_CERTIFICATE, "tls_fingerprint IS NOT NULL")
    ),
    Interval(
        "server_address",
        ("server_id", *_ENDPOINT),
        (),
        f"SELECT DISTINCT server_id, {', '.join(_ENDPOINT)} FROM endpoint WHERE crawl_id = $crawl",  # noqa: S608 - our own names
    ),
    Interval(
        "server_families",
        ("server_id",),
        ("families",),
        "SELECT server_id, families FROM visit WHERE crawl_id = $crawl AND families IS NOT NULL",
        # Close looks take turns: what one found stands until the next, or until a census does not find the server.
        f"""i.server_id IN (SELECT server_id FROM visit WHERE crawl_id = $crawl AND families IS NOT NULL)
        OR ($full AND i.server_id NOT IN (SELECT server_id FROM seen_server WHERE crawl_id = $crawl AND resolves)
            AND {_NOT_RESTING})""",  # noqa: S608 - our own names
    ),
    Interval(
        "address_state",
        ("server_id", "address", "port"),
        _ADDRESS_LOOK,
        f"""SELECT DISTINCT ON (server_id, address, port) server_id, address, port, {", ".join(_ADDRESS_LOOK)}
        FROM address_look WHERE crawl_id = $crawl ORDER BY server_id, address, port, ordinal""",  # noqa: S608 - our own names
        f"""i.server_id IN (SELECT server_id FROM address_look WHERE crawl_id = $crawl)
        OR ($full AND i.server_id NOT IN (SELECT server_id FROM seen_server WHERE crawl_id = $crawl AND resolves)
            AND {_NOT_RESTING})""",  # noqa: S608 - our own names
    ),
    Interval("room_listing", ("server_id", "room_number"), (), "SELECT server_id, room_number FROM temp.fold_listing"),
    Interval(
        "room_state",
        ("room_number",),
        _ACCOUNT,
        f"SELECT room_number, {', '.join(_ACCOUNT)} FROM temp.fold_account",  # noqa: S608 - our own names
        # A limited crawl knows of the rooms that it saw listed, and of those that it saw leave their last directory.
        """$full OR i.room_number IN (SELECT room_number FROM temp.fold_now) OR i.room_number NOT IN (
            SELECT room_number FROM room_listing WHERE series_id = $series AND valid_to IS NULL
        )""",
    ),
    Interval(
        "room_participation",
        ("room_number", "server_id", "named_by"),
        (),
        """SELECT a.room_number, p.server_id, a.named_by
        FROM seen_participation p JOIN temp.fold_answer a USING (answer_id) WHERE p.crawl_id = $crawl""",
        # Asked again; or, in a census, past asking: nobody there to answer, or nothing that would lead us to ask.
        """(i.named_by, i.room_number) IN (SELECT (named_by, room_number) FROM temp.fold_answer) OR ($full AND (
            i.named_by NOT IN (SELECT server_id FROM seen_server WHERE crawl_id = $crawl AND online)
            OR i.room_number NOT IN (SELECT room_number FROM temp.fold_listing)
        ))""",
    ),
)
"""In the order of folding: rooms after their listings."""

ORDER = {kind.table: f"ORDER BY series_id, {', '.join(kind.keys)}, valid_from" for kind in INTERVALS}
"""How rows are sorted where a file is written anew: all of one thing together, which compresses better than crawl after
crawl (room_state of a year: 38 MB, not 61) and makes a life one place to read."""

SEEN = ("seen_server", "seen_listing", "seen_answer", "seen_participation", "seen_space")
"""What a crawl sees until its seal."""
