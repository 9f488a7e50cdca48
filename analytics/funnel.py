"""The funnel: servers by predicate, from known to listing (mission metric 3).

What a crawl sees is a lower bound of the open federation: a server that nothing named is not in it. So every count is
given as "at least", with an open upper end; population estimates close it from above, elsewhere.
"""

from collections.abc import Iterator
from enum import StrEnum

import polars as pl

from analytics.estimate import IntervalKind
from analytics.schemas import MetricRow
from analytics.snapshot import Snapshot, share

SERVERS = "servers"


class Predicate(StrEnum):
    """The predicates in the order of the funnel. Each one's servers are among those of the one before, but `listing`:
    a directory may answer an unsigned request, so its servers are among those online."""

    KNOWN = "known"
    RESOLVES = "resolves"
    REACHABLE = "reachable"
    SECURE = "secure"
    ONLINE = "online"
    FEDERATING = "federating"
    ACCEPTING = "accepting"
    LISTING = "listing"


MEANING: dict[Predicate, str] = {
    Predicate.KNOWN: "some lead names it and the name parses",
    Predicate.RESOLVES: "the algorithm of the specification yields at least one address that may be dialled",
    Predicate.REACHABLE: "TCP to one of its addresses succeeds",
    Predicate.SECURE: "TLS verifies for the name that the algorithm prescribes",
    Predicate.ONLINE: "secure, and /_matrix/federation/v1/version answers JSON",
    Predicate.FEDERATING: "online, and its key document verifies itself and is in date",
    Predicate.ACCEPTING: "federating, and it accepts a signed request of ours",
    Predicate.LISTING: "online, and its room directory answers",
}

_STATED: dict[Predicate, str] = {
    Predicate.RESOLVES: "Servers whose name resolves",
    Predicate.REACHABLE: "Servers that are reachable",
    Predicate.SECURE: "Servers that are secure",
    Predicate.ONLINE: "Servers that are online",
    Predicate.FEDERATING: "Servers that federate",
    Predicate.ACCEPTING: "Servers that accept us",
    Predicate.LISTING: "Servers that list rooms",
}

_VISITED = "servers visited"


def funnel(snapshot: Snapshot) -> Iterator[MetricRow]:
    """Servers by predicate.

    Range 0 to `known`; zero means that none passed. `n` is the number of servers visited, `coverage` their share of the
    known. `accepting` has no value when the crawl had no identity; with one, it rests on the federating servers that
    could be asked. An empty crawl gives zeros with no coverage.
    """
    visited = snapshot.observations
    yield snapshot.row(
        SERVERS,
        Predicate.KNOWN,
        snapshot.known,
        lo=snapshot.known,
        interval_kind=IntervalKind.BOUNDS,
        n=snapshot.known,
        coverage=None,
        unit="servers",
        denominator="server names that anything named",
        method=f"Servers that are known: {MEANING[Predicate.KNOWN]}. A lower bound: the unnamed are missing.",
    )
    for predicate in Predicate:
        if predicate is Predicate.KNOWN:
            continue
        if predicate is Predicate.ACCEPTING:
            yield _accepting(snapshot)
            continue
        count = int(visited[predicate.value].sum())
        yield snapshot.row(
            SERVERS,
            predicate,
            count,
            lo=count,
            interval_kind=IntervalKind.BOUNDS,
            n=visited.height,
            coverage=share(visited.height, snapshot.known),
            unit="servers",
            denominator=_VISITED,
            method=f"{_STATED[predicate]}: {MEANING[predicate]}. A lower bound of the open federation.",
        )


def _accepting(snapshot: Snapshot) -> MetricRow:
    federating = snapshot.observations.filter(pl.col("federating"))
    asked = federating["accepting"].is_not_null()
    if not snapshot.signed:
        return snapshot.row(
            SERVERS,
            Predicate.ACCEPTING,
            None,
            n=0,
            coverage=share(0, federating.height),
            unit="servers",
            denominator="federating servers asked with a signed request",
            method="Not known: this crawl had no identity to sign requests with.",
        )
    count = int(federating["accepting"].fill_null(value=False).sum())
    return snapshot.row(
        SERVERS,
        Predicate.ACCEPTING,
        count,
        lo=count,
        interval_kind=IntervalKind.BOUNDS,
        n=int(asked.sum()),
        coverage=share(int(asked.sum()), federating.height),
        unit="servers",
        denominator="federating servers asked with a signed request",
        method=f"{_STATED[Predicate.ACCEPTING]}: {MEANING[Predicate.ACCEPTING]}. A lower bound of the open federation.",
    )
