"""Every case once: the part of a federation in which each death, branch, quirk, front, release and policy stands.

So that a federation of some 150 servers already has everything, however rare it is by weight.
"""

import random
from dataclasses import dataclass

from crawler.lab.deaths import DEATHS, TARPITS, Death
from crawler.lab.oddities import FRONT_BRANCHES, QUIRK_BRANCHES, Front, Quirk
from crawler.lab.software import POLICIES, RELEASES, Policy, Release
from crawler.model.discovery import Branch


@dataclass(frozen=True, slots=True)
class Case:
    """What is fixed about a server before the rest is drawn; None is drawn."""

    death: Death | None = None
    branch: Branch | None = None
    front: Front | None = None
    quirk: Quirk | None = None
    release: Release | None = None
    policy: Policy | None = None


DRAWN = Case()
"""Nothing is fixed."""


def roster(draw: random.Random) -> tuple[Case, ...]:
    """Every case once, in an order that depends on the dice; tarpits apart, which only hold a small crawl up."""
    cases = [Case(branch=branch) for branch in Branch]
    cases += [Case(branch=draw.choice(branches), quirk=quirk) for quirk, branches in QUIRK_BRANCHES.items()]
    cases += [Case(branch=draw.choice(branches), front=front) for front, branches in FRONT_BRANCHES.items()]
    cases += [Case(release=release) for release in RELEASES]
    cases += [
        Case(
            branch=Branch.WELL_KNOWN_PORT,
            release=draw.choice([r for r in RELEASES if r.dialect is dialect]),
            policy=policy,
        )
        for dialect, policies in POLICIES.items()
        for policy, _ in policies
    ]
    cases += [
        Case(death=death, branch=draw.choice(facts.branches)) for death, facts in DEATHS.items() if death not in TARPITS
    ]
    draw.shuffle(cases)
    return tuple(cases)
