"""The kinds of intervals: what changes from one crawl to another, and what a crawl looked at of it.

An interval row says that something is so from one crawl (`valid_from`) until another that looked again and saw
otherwise (`valid_to`; NULL while it stands). `fold` makes them.
"""

from dataclasses import dataclass

_VISITED = "i.server_id IN (SELECT server_id FROM visit WHERE crawl_id = $crawl)"

_NOT_RESTING = "i.server_id NOT IN (SELECT server_id FROM temp.fold_resting)"
"""Dead servers are looked at ever less often: what was last seen of one stands until the next look. None of them was
visited."""

_UNRESOLVED = f"""{_NOT_RESTING}
    AND i.server_id NOT IN (SELECT server_id FROM seen_server WHERE crawl_id = $crawl AND resolves)"""  # noqa: S608 - our own names


@dataclass(frozen=True, slots=True)
class Interval:
    """One kind of interval rows.

    Attributes:
        table: Its table.
        keys: Columns that name the thing; at most one row of each stands open.
        values: Columns that say how it is.
        now: All that this crawl saw: a query of keys and values, or the name of a temporary table that has them.
        looked: Condition on an open row `i` that was not seen as it is: a limited crawl looked at it.
        looked_full: The same of a full crawl, which looked at all but what it left out on purpose. The keys of those
            rows are in `temp.fold_change`.
    """

    table: str
    keys: tuple[str, ...]
    values: tuple[str, ...]
    now: str
    looked: str = _VISITED
    looked_full: str = _NOT_RESTING


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


_LOOKED_CLOSELY = "i.server_id IN (SELECT server_id FROM visit WHERE crawl_id = $crawl AND families IS NOT NULL)"
_LOOKED_AT_ADDRESSES = "i.server_id IN (SELECT server_id FROM address_look WHERE crawl_id = $crawl)"

_CHANGED_ROOM = "room_number IN (SELECT room_number FROM temp.fold_change)"
"""Narrows what a condition is held against to what it can be asked of: few rooms of all."""

_ASKED_AGAIN = f"""(i.named_by, i.room_number) IN (
    SELECT (named_by, room_number) FROM temp.fold_answer WHERE {_CHANGED_ROOM}
)"""  # noqa: S608 - our own names

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
        looked=_LOOKED_CLOSELY,
        looked_full=f"{_LOOKED_CLOSELY} OR ({_UNRESOLVED})",
    ),
    Interval(
        "address_state",
        ("server_id", "address", "port"),
        _ADDRESS_LOOK,
        f"""SELECT DISTINCT ON (server_id, address, port) server_id, address, port, {", ".join(_ADDRESS_LOOK)}
        FROM address_look WHERE crawl_id = $crawl ORDER BY server_id, address, port, ordinal""",  # noqa: S608 - our own names
        looked=_LOOKED_AT_ADDRESSES,
        looked_full=f"{_LOOKED_AT_ADDRESSES} OR ({_UNRESOLVED})",
    ),
    Interval("room_listing", ("server_id", "room_number"), (), "temp.fold_listing"),
    Interval(
        "room_state",
        ("room_number",),
        _ACCOUNT,
        "temp.fold_account",
        # A limited crawl knows of the rooms that it saw listed, and of those that it saw leave their last directory.
        looked="""i.room_number IN (SELECT room_number FROM temp.fold_account) OR i.room_number NOT IN (
            SELECT room_number FROM room_listing WHERE series_id = $series AND valid_to IS NULL
        )""",
        looked_full="true",
    ),
    Interval(
        "room_participation",
        ("room_number", "server_id", "named_by"),
        (),
        """SELECT a.room_number, p.server_id, a.named_by
        FROM seen_participation p JOIN temp.fold_answer a USING (answer_id) WHERE p.crawl_id = $crawl""",
        looked=_ASKED_AGAIN,
        # Asked again; or past asking: nobody there to answer, or nothing that would lead us to ask.
        looked_full=f"""{_ASKED_AGAIN}
        OR i.named_by NOT IN (SELECT server_id FROM seen_server WHERE crawl_id = $crawl AND online)
        OR i.room_number NOT IN (SELECT room_number FROM temp.fold_listing WHERE {_CHANGED_ROOM})""",  # noqa: S608 - our own names
    ),
)
"""In the order of folding: rooms after their listings."""

ORDER = {kind.table: f"ORDER BY valid_to IS NULL, series_id, {', '.join(kind.keys)}, valid_from" for kind in INTERVALS}
"""How rows are sorted where a file is written anew: first what has ended, then what stands; of each all of one thing
together, which compresses better than crawl after crawl (room_state of a year: 38 MB, not 61) and makes a life one or
two places to read. What a crawl is laid beside, and what it ends, is then a small part of the table: DuckDB passes over
row groups in which nothing stands, and a checkpoint leaves them as they are."""

SEEN = ("seen_server", "seen_listing", "seen_answer", "seen_participation", "seen_space")
"""What a crawl sees until its seal."""
