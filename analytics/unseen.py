"""How many online servers there are in all, seen or not (mission metric 3), from who named whom.

Apart from `analytics.funnel`, which counts what was seen. Two kinds of incidence data, both from the leads of one
crawl: the *answers* (each server whose directory, room IDs or alias answers named others is a sampling unit: Chao2),
and the *sources* (seeds, room IDs, aliases, servers of an alias: overlapping lists, log-linear models). What a server
says of itself does not count. The assumption that never holds: units and sources depend on each other. Mostly a server
found in one large room is found in the next, and estimates are too low; where every directory names servers of its own,
they are too high. Islands that nobody names are in none of them. `matrix-census bench population` says how often the
intervals hold the truth in practice federations.
"""

import itertools
from collections.abc import Callable, Iterator

import polars as pl

from analytics.estimate import Estimate
from analytics.log_linear import LISTS_MAX, capture_table, log_linear
from analytics.operators import address_block, first_key, operator_of_each, registrable_domain
from analytics.population import chao2, chapman, incidence_coverage
from analytics.schemas import Grade, MetricRow
from analytics.snapshot import Snapshot, share
from crawler.model.crawl import LeadSource

ESTIMATED = "servers_estimated"
COVERAGE = "servers_coverage"
DISTINCT = "servers_distinct"

CAVEAT = (
    "The assumption does not hold: sources that name the same servers more often than chance would make the estimate "
    "too low (the usual case), sources that each name their own make it too high; servers that nothing can name are "
    "not in it."
)


def unseen(snapshot: Snapshot) -> Iterator[MetricRow]:
    """The estimated number of online servers, the coverage of the sample, and online servers counted by other names.

    Range of an estimate: from the online servers that it rests on, without an upper bound. No value where nobody was
    named twice or no two sources agree; `method` says which.
    """
    online = snapshot.observations.filter(pl.col("online"))
    leads = (
        snapshot.leads.join(online.select("server_id"), on="server_id")
        .filter(pl.col("named_by").is_null() | (pl.col("named_by") != pl.col("server_id")))
        .unique()
    )
    named = share(leads["server_id"].n_unique(), online.height)
    yield from _by_answers(snapshot, leads, named)
    yield from _by_sources(snapshot, leads, named)
    yield from _distinct(snapshot, online)


def _by_answers(snapshot: Snapshot, leads: pl.DataFrame, coverage: float | None) -> Iterator[MetricRow]:
    """Chao2 over the servers whose answers named others."""
    answers = leads.filter(pl.col("named_by").is_not_null()).select("server_id", "named_by").unique()
    units = answers["named_by"].n_unique()
    sightings = answers.group_by("server_id").len()["len"]
    yield snapshot.estimated(
        ESTIMATED,
        "Chao2 over answers",
        chao2(sightings, units),
        coverage=coverage,
        unit="servers",
        denominator="servers whose answers named online ones",
        method=f"Sampling units are the servers whose answers named others; a server counts once in each. {CAVEAT}",
    )
    yield snapshot.estimated(
        COVERAGE,
        "answers",
        incidence_coverage(sightings, units),
        coverage=coverage,
        unit="share of namings",
        denominator="namings of online servers by others",
        method="The chance that the next naming is of a server that was named before. Namings depend on each other, so "
        "this is too high.",
    )


def _by_sources(snapshot: Snapshot, leads: pl.DataFrame, coverage: float | None) -> Iterator[MetricRow]:
    """Log-linear models over all sources, and Chapman for each pair of them."""
    lists = {str(source[0]): set(part["server_id"]) for source, part in leads.group_by("source", maintain_order=False)}
    lists.pop(LeadSource.SUBMITTED, None)  # only names that no other list had are taken: it cannot overlap by chance
    lists = dict(sorted(lists.items()))
    if 2 <= len(lists) <= LISTS_MAX:
        estimate = log_linear(capture_table(lists)).estimate
    else:
        estimate = Estimate.unknown(len(set().union(*lists.values())), "log-linear", "fewer than two sources")
    yield snapshot.estimated(
        ESTIMATED,
        "log-linear over sources",
        estimate,
        coverage=coverage,
        unit="servers",
        denominator="online servers that any source named",
        method=f"Lists are the sources: {', '.join(lists) or 'none'}; pairs of them may depend on each other, all "
        f"together may not. {CAVEAT}",
    )
    for (one, first), (other, second) in itertools.combinations(lists.items(), 2):
        yield snapshot.estimated(
            ESTIMATED,
            f"Chapman, {one} and {other}",
            chapman(len(first), len(second), len(first & second)),
            coverage=coverage,
            unit="servers",
            denominator="online servers that either source named",
            method=f"Two sources taken as independent, which they are not. {CAVEAT}",
        )


def _distinct(snapshot: Snapshot, online: pl.DataFrame) -> Iterator[MetricRow]:
    """Online servers, counting once what has one domain, key, address, block or operator."""
    identities: tuple[tuple[str, pl.Series, str], ...] = (
        ("names", online["server_name"], "different names"),
        ("registrable domains", _each(online["server_name"], registrable_domain), "names under one registrable domain"),
        ("signing keys", _each(online["verify_keys"], first_key), "servers that publish the same first key"),
        ("addresses", online["address"], "servers at one address"),
        ("address blocks", _each(online["address"], address_block), "servers in one /24 (IPv4) or /48 (IPv6)"),
        ("operators", operator_of_each(online), "servers joined by registrable domain or key"),
    )
    for dimension, identity, what in identities:
        known = identity.drop_nulls()
        yield snapshot.row(
            DISTINCT,
            dimension,
            known.n_unique() if known.len() or online.is_empty() else None,
            n=known.len(),
            coverage=share(known.len(), online.height),
            unit=dimension,
            denominator="online servers",
            method=f"Online servers with {what} counted once; one deployment can have many names, and many deployments "
            "can share an address."
            if known.len() or online.is_empty()
            else "Not known: no online server tells.",
            grade=Grade.MEASURED,
        )


def _each(values: pl.Series, of: Callable[[str], str | None]) -> pl.Series:
    return pl.Series([None if value is None else of(value) for value in values], dtype=pl.String)
