"""Conformance as a crawl meets it (mission metric 9): of the servers where something could be checked, how many do it
as the specification says.

Apart from `analytics.spec`, which is about the text: here is what its readers made of it. A crawl asks little, so these
are few checks; `matrix-census check` makes some fifty of one server. Every check has a denominator of its own: servers
that answered with something to be checked. A document that is not published, a host that is silent and a question that
was not asked are in none, and neither is a server that its mistake kept from being online.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from analytics.proportions import wilson
from analytics.schemas import Grade, MetricRow
from analytics.snapshot import Snapshot, share
from crawler.errors import FailureKind
from crawler.model.rooms import Stopped

CONFORMANCE = "conformance"

ERROR_CODES = "error codes"
PAGING = "paging"
ALL = "all that could be checked"

_NO_JSON = (FailureKind.JSON_INVALID, FailureKind.JSON_SHAPE)

_MATRIX_API = ("version", "keys", "client_versions", "directory")
"""What was asked of Matrix APIs. A `.well-known` is a file of the host's, and its errors are too."""

_ENDLESS = (Stopped.REPEATED_TOKEN, Stopped.EMPTY_PAGES)


@dataclass(frozen=True, slots=True)
class Document:
    """A document that a server gives. `what` was asked, as `attempt.what` has it; kinds of failure that are `faults` of
    the document; `published`: the column of observations that tells whether there is one, where an answer without one
    is well, too."""

    dimension: str
    what: str
    faults: tuple[FailureKind, ...]
    denominator: str
    method: str
    published: str | None = None


DOCUMENTS = (
    Document(
        "well-known of the server",
        "well_known",
        (FailureKind.WELL_KNOWN_NOT_JSON, FailureKind.WELL_KNOWN_NO_SERVER, FailureKind.WELL_KNOWN_BAD_SERVER),
        "online servers whose host has a .well-known/matrix/server",
        "It is a JSON object whose m.server is a server name (server-server API, Resolving server names).",
    ),
    Document(
        "well-known for clients",
        "client_well_known",
        _NO_JSON,
        "online servers whose host has a .well-known/matrix/client",
        "It is a JSON object whose m.homeserver has an https base_url (client-server API, Server discovery); one "
        "without m.homeserver is taken for none.",
        published="has_client_base",
    ),
    Document(
        "support document",
        "support",
        _NO_JSON,
        "online servers whose host has a .well-known/matrix/support",
        "It is a JSON object with contacts or a page (client-server API, .well-known/matrix/support).",
        published="support_published",
    ),
    Document(
        "key document",
        "keys",
        (*_NO_JSON, *(kind for kind in FailureKind if kind.value.startswith("keys_"))),
        "online servers that answer /_matrix/key/v2/server",
        "It is of this server, in date, and signed by every key in it (server-server API, Publishing keys).",
    ),
    Document(
        "client versions",
        "client_versions",
        _NO_JSON,
        "online servers that publish where their client API is, and answer /_matrix/client/versions there",
        "It is a JSON object with a list of versions (client-server API, GET /_matrix/client/versions).",
    ),
)


def conformance(snapshot: Snapshot) -> Iterator[MetricRow]:
    """The share of servers that meet each check, with a Wilson interval over those where it could be made.

    `coverage` is the share of online servers among which it could be. What was answered is not kept of this census: no
    value but for paging, which is.
    """
    online = snapshot.observations.filter("online")
    paged = _paging(online)
    if snapshot.answers is None:
        told = [(each.dimension, each.denominator) for each in DOCUMENTS]
        for dimension, denominator in (*told, (ERROR_CODES, _REFUSED)):
            yield _not_kept(snapshot, dimension, denominator)
        yield _row(snapshot, online, PAGING, paged, _PAGED, _PAGING_METHOD)
        yield _not_kept(snapshot, ALL, _ANY)
        return
    answers = snapshot.answers.join(online.select("server_id", "has_client_base", "support_published"), on="server_id")
    # Where no client API is published it was looked for on the host of the name, which need not serve any.
    answers = answers.filter((pl.col("what") != "client_versions") | pl.col("has_client_base"))
    found = {each.dimension: _document(answers, each) for each in DOCUMENTS} | {
        ERROR_CODES: _error_codes(answers),
        PAGING: paged,
    }
    for each in DOCUMENTS:
        yield _row(snapshot, online, each.dimension, found[each.dimension], each.denominator, each.method)
    yield _row(snapshot, online, ERROR_CODES, found[ERROR_CODES], _REFUSED, _ERRORS_METHOD)
    yield _row(snapshot, online, PAGING, paged, _PAGED, _PAGING_METHOD)
    together = pl.concat(found.values()).group_by("server_id").agg(pl.col("met").all())
    yield _row(snapshot, online, ALL, together, _ANY, "They fail none of the checks above that could be made of them.")


_REFUSED = "online servers that answered with a status from 400 to 499 where they say that a Matrix API is"
_ERRORS_METHOD = (
    "Each such answer carries an errcode (client-server API, Standard error response). What stands before the "
    "homeserver and answers in its place counts against it."
)
_PAGED = "online servers whose room directory was read to its end, or turned in circles"
_PAGING_METHOD = (
    "Its pages come to an end: none names a token that was used before, and none is empty and names another "
    "(client-server API, publicRooms). Directories that were cut short by a bound of ours or broke off are left out."
)
_ANY = "online servers of which any of this could be checked"


def _not_kept(snapshot: Snapshot, dimension: str, denominator: str) -> MetricRow:
    return snapshot.not_known(
        CONFORMANCE, dimension, unit="share of servers", denominator=denominator, grade=Grade.MEASURED,
        why="what each server answered is no longer kept of this census.",
    )  # fmt: skip


def _document(answers: pl.DataFrame, document: Document) -> pl.DataFrame:
    """`server_id`, and whether its document is `met`."""
    asked = answers.filter(pl.col("what") == document.what)
    well = pl.col("outcome") == "ok"
    if document.published is not None:
        well &= pl.col(document.published).fill_null(value=False)
    is_fault = pl.col("failed_kind").is_in(document.faults).fill_null(value=False)
    return asked.filter(well | is_fault).select("server_id", well.alias("met"))


def _error_codes(answers: pl.DataFrame) -> pl.DataFrame:
    refused = answers.filter(pl.col("what").is_in(_MATRIX_API) & pl.col("http_status").is_between(400, 499))
    return refused.group_by("server_id").agg(pl.col("has_errcode").all().alias("met"))


def _paging(online: pl.DataFrame) -> pl.DataFrame:
    told = online.filter(pl.col("directory_stopped").is_in([Stopped.COMPLETE, *_ENDLESS]))
    return told.select("server_id", (pl.col("directory_stopped") == Stopped.COMPLETE).alias("met"))


def _row(
    snapshot: Snapshot, online: pl.DataFrame, dimension: str, checked: pl.DataFrame, denominator: str, method: str
) -> MetricRow:
    return snapshot.estimated(
        CONFORMANCE, dimension, wilson(int(checked["met"].sum()), checked.height),
        coverage=share(checked.height, online.height), unit="share of servers", denominator=denominator,
        method=method, grade=Grade.MEASURED,
    )  # fmt: skip
