"""Who joins what, who witnesses whom, and whom nothing but a space names: decided once for each server.

Apart from the rooms, which change from day to day: what is here holds on all days, and a day with more servers than the
one before adds theirs.
"""

from collections.abc import Sequence

from crawler.lab.dice import dice, share
from crawler.lab.plan import ServerPlan, Standing
from crawler.lab.planner import Planner
from crawler.model.crawl import LeadSource


class Joins:
    """What the first `planner.total` servers of a federation join.

    A server wishes to be in (community, place) rooms: the place, in [0, 1), is where in the list of the community's
    wide rooms, however many it has.

    Attributes:
        wishes: By index of the server, its wishes in order.
        wishers: By community, (server, place) of all who wish to be in its rooms, in the order of the servers.
        witness: Of a server, who lists its first room.
        witnessed: The same from the other side.
        behind: By community, the servers that nothing but its space names.
    """

    def __init__(self, planner: Planner, before: "Joins | None" = None) -> None:
        self._planner = planner
        self.wishes: list[Sequence[tuple[int, float]]] = [] if before is None else before.wishes[: planner.total]
        later = range(len(self.wishes), planner.total)
        self.wishers: dict[int, list[tuple[int, float]]] = {} if before is None else dict(before.wishers)
        self.witness: dict[int, int] = {} if before is None else dict(before.witness)
        self.witnessed: dict[int, list[int]] = {} if before is None else dict(before.witnessed)
        self.behind: dict[int, list[int]] = {} if before is None else dict(before.behind)
        wishers: dict[int, list[tuple[int, float]]] = {}
        witnessed: dict[int, list[int]] = {}
        behind: dict[int, list[int]] = {}
        for index in later:
            plan = planner.native(index)
            if plan.standing is Standing.BEHIND_SPACE:
                community = int(share(planner.seed, "behind", index) * planner.communities)
                behind.setdefault(community, []).append(index)
            settled = plan.standing not in (Standing.ISLAND, Standing.BEHIND_SPACE)
            self.wishes.append(self._wishes(plan) if settled else ())
            if settled and plan.lead in (LeadSource.ROOM_ID, LeadSource.ALIAS):
                self.witness[index] = self._draw_witness(plan)
                witnessed.setdefault(self.witness[index], []).append(index)
            for community, place in self.wishes[index]:
                wishers.setdefault(community, []).append((index, place))
        # The lists of the day before are not lengthened: they are that day's.
        self.wishers |= {key: [*self.wishers.get(key, ()), *more] for key, more in wishers.items()}
        self.witnessed |= {key: [*self.witnessed.get(key, ()), *more] for key, more in witnessed.items()}
        self.behind |= {key: [*self.behind.get(key, ()), *more] for key, more in behind.items()}

    def _wishes(self, plan: ServerPlan) -> Sequence[tuple[int, float]]:
        planner, profile = self._planner, self._planner.profile
        draw = dice(planner.seed, "joins", plan.index)
        most, exponent = profile.max_wide_joined, profile.wide_joins_exponent
        wanted = min(most, int(draw.paretovariate(exponent))) if plan.alive or draw.random() < 0.5 else 0
        if plan.farm is not None:
            wanted = 0
        if plan.lead is LeadSource.ALIAS_SERVERS:
            wanted = max(1, wanted)
        elif plan.lead is not None and draw.random() < 0.5:
            wanted = 0  # known through its witness alone
        # A community that is not a seed must be named by one before it, or nobody leads to either.
        among = min(planner.communities, plan.index) if plan.lead is LeadSource.ALIAS_SERVERS else planner.communities
        wishes = (
            (min(among - 1, int(among * draw.random() ** 2)), draw.random() ** profile.room_skew) for _ in range(wanted)
        )
        return [(community, place) for community, place in wishes if community != plan.index]

    def _draw_witness(self, plan: ServerPlan) -> int:
        """An open server before this one: a community, or one found by trying a few."""
        planner = self._planner
        draw = dice(planner.seed, "witness", plan.index)
        if draw.random() < 0.5:
            for _ in range(8):
                other = planner.native(draw.randrange(plan.index))
                if other.is_open and other.lead is not None:
                    return other.index
        return draw.randrange(min(planner.communities, plan.index))
