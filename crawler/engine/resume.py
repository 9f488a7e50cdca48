"""Going on with a crawl that was interrupted: from what it has committed, the state its loop was in.

Nothing of the frontier is written down while a crawl runs; all of it follows from the observations, since a batch holds
an observation together with everything that follows from it: who was visited, who was named and by how many, which
aliases of whom wait to be asked. What was under way when the process ended is begun again.
"""

from collections import defaultdict
from collections.abc import Mapping

from crawler.engine.frontier import Frontier
from crawler.engine.guard import registrable_domain
from crawler.engine.permission import OBEYED
from crawler.engine.progress import Progress
from crawler.errors import FailureKind
from crawler.model.names import alias_domain, parse_server_name, try_server_name
from crawler.model.past import Past
from crawler.model.rooms import DirectoryState, PublicRoom
from crawler.model.schedule import Remembered, Robots, ServerSchedule


def remembered_before(past: Past, remembered: Remembered) -> Remembered:
    """What was remembered of servers when the crawl began: without those that it was the first to see."""
    new = {parse_server_name(visit.server_name).key for visit in past.visits if visit.is_new}
    servers = {key: schedule for key, schedule in remembered.servers.items() if key not in new}
    return Remembered(servers, remembered.aliases)


def asked_already(past: Past, remembered: Remembered) -> Mapping[str, frozenset[str]]:
    """Owner's key -> the aliases that the crawl has asked it for."""
    return {
        owner: frozenset(alias for alias, crawl_id in aliases.items() if crawl_id == past.crawl.id)
        for owner, aliases in remembered.aliases.items()
    }


def restore_frontier(frontier: Frontier, past: Past, remembered: Remembered, *, insists: bool) -> None:
    """Bring a new frontier to where the crawl was.

    Args:
        frontier: made with what `remembered_before` says.
        past: what is committed.
        remembered: as it is now, with what the crawl itself has learnt.
        insists: whether a person named the seeds.
    """
    asked = asked_already(past, remembered)
    rooms: defaultdict[str, list[PublicRoom]] = defaultdict(list)
    for server_name, room_id, room_type in past.listed:
        rooms[server_name].append(PublicRoom(room_id, None, room_type=room_type))
    for visit in past.visits:
        name = parse_server_name(visit.server_name)
        schedule = remembered.servers.get(name.key)
        frontier.was_seen(
            name,
            # Without a base URL of its own it was asked where clients guess, as in the visit.
            client_base=(visit.client_base or f"https://{name.host_for_url}")
            if visit.online and not _wants_nothing(schedule)
            else None,
            asked=asked.get(name.key, frozenset()),
            keys=schedule.first_key if schedule is not None and visit.federating else None,
            rooms=rooms[visit.server_name] if visit.federating and _lets_us(schedule) else None,
        )
    for server_name, answer in past.spaces:
        frontier.was_told(parse_server_name(server_name), answer)
    for text, _ in past.given:
        frontier.hear(parse_server_name(text), insisted=insists)
    for text, times in past.heard.items():
        frontier.hear(parse_server_name(text), times=times)
    for alias, members in past.foreign_aliases.items():
        owner = try_server_name(alias_domain(alias) or "")
        if owner is not None:
            frontier.hear_alias(alias, owner, members)


def _lets_us(schedule: ServerSchedule | None) -> bool:
    return schedule is None or schedule.robots not in OBEYED


def _wants_nothing(schedule: ServerSchedule | None) -> bool:
    return schedule is not None and schedule.robots is Robots.DISALLOWS_US_ENTIRELY


def restore_progress(progress: Progress, past: Past, remembered: Remembered) -> None:
    """Count what the crawl has committed. Of tries there is no record: theirs are of this sitting alone."""
    counts = past.counts
    for what, count in counts.sums.items():
        setattr(progress, what, count)
    progress.failures.update({FailureKind(kind): count for kind, count in counts.failures.items()})
    progress.directories.update({DirectoryState(state): count for state, count in counts.directories.items()})
    progress.attempts.update(counts.attempts)
    progress.bounds_hit.update(counts.bounds_hit)
    for visit in past.visits:
        name = parse_server_name(visit.server_name)
        schedule = remembered.servers.get(name.key)
        if schedule is not None:
            progress.lives[schedule.life] += 1
            if schedule.robots is not None:
                progress.robots[schedule.robots] += 1
        if visit.federating:
            progress.distinct["keys"].add((schedule.first_key if schedule else None) or "")
            progress.distinct["domains"].add(registrable_domain(name))
            progress.distinct["addresses"].add(visit.address or "")
