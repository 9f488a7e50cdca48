"""What the metric of each row is: a title and a plain sentence, and which of the mission's nine it answers.

Written once, as `analytics.charter` is for the nine themselves: the command line, the API, the report and the page of
methods show these objects, in this order. Apart from `analytics.mission`, which computes the rows.
"""

from dataclasses import dataclass

from analytics import bridges as bridged
from analytics import code as living
from analytics import conformance as conforming
from analytics import developers as people
from analytics import discovery as found
from analytics import diversity as diverse
from analytics import freshness as fresh
from analytics import graph_tables as graph
from analytics import growth as change
from analytics import known_item as searching
from analytics import signal as noise
from analytics import spec as specification
from analytics import unseen as population
from analytics import usage as reported
from analytics import versions as spread
from analytics.decentralisation import CONCENTRATION
from analytics.federation_graph import HOLDER_WORDS
from analytics.funnel import SERVERS
from analytics.rooms import DIRECTORIES, LARGEST_ROOM, MEMBERSHIPS, PEOPLE, ROOMS
from analytics.software import (
    BY_LINEAGE,
    BY_SOFTWARE,
    BY_VERSION,
    DIVERSITY,
    IMPLEMENTATIONS,
    LINEAGES,
)


@dataclass(frozen=True, slots=True)
class Definition:
    """What a row's metric is. `mission` is the number of the mission's metric it belongs to, 0 for decentralisation;
    `meaning` one plain sentence."""

    metric: str
    mission: int
    title: str
    meaning: str


_ALL = (
    Definition(
        SERVERS,
        3,
        "Servers of the open federation",
        "How many servers there are, from merely named to listing rooms; each stage asks more than the one before.",
    ),
    Definition(
        population.ESTIMATED,
        3,
        "Online servers, seen or not",
        "How many online servers there are at least, those that nothing named to us included, as models have it.",
    ),
    Definition(
        population.COVERAGE, 3, "Coverage of the servers", "How likely the next naming is of a server already known."
    ),
    Definition(
        population.DISTINCT,
        3,
        "Online servers by what they share",
        "Online servers, counting once what has one domain, key, address or operator.",
    ),
    Definition(change.CHANGE, 3, "Change", "Online servers, rooms and memberships against 7, 30 and 90 days before."),
    Definition(change.CHURN, 3, "Births, deaths, returns", "Servers that came, went and came back, and what is left."),
    Definition(change.SURVIVAL, 3, "Survival of servers", "How many of the servers seen to come are online later on."),
    Definition(BY_SOFTWARE, 5, "Servers by implementation", "What online servers say they run."),
    Definition(BY_LINEAGE, 5, "Servers by lineage", "Online servers by family of forks."),
    Definition(BY_VERSION, 5, "Servers by version", "What release online servers say they run."),
    Definition(spread.LAG, 5, "Version lag", "Days from a release until servers that were behind run it."),
    Definition(
        spread.BELOW,
        5,
        "Below the last security release",
        "Servers older than the last to mend a vulnerability.",
    ),
    Definition(
        IMPLEMENTATIONS, 5, "Implementations in use", "How many different implementation names online servers give."
    ),
    Definition(LINEAGES, 5, "Lineages in use", "How many independent families of forks online servers run."),
    Definition(
        living.WITH_CODE,
        5,
        "Lineages with living code",
        "Families of forks with a public repository to which a person committed within 90 days.",
    ),
    Definition(DIVERSITY, 5, "Effective number of lineages", "How many lineages, used equally, would be as diverse."),
    Definition(
        ROOMS, 8, "Public rooms", "Unique rooms, and spaces apart, listed in the room directories that answered."
    ),
    Definition(
        MEMBERSHIPS,
        1,
        "Memberships in public rooms",
        "Members summed over unique public rooms. One person in ten rooms is ten memberships.",
    ),
    Definition(
        PEOPLE,
        1,
        "Accounts behind the memberships",
        "What the number of accounts would be at 1.5, 3 and 5 public rooms each; a scenario, not a measurement.",
    ),
    Definition(
        LARGEST_ROOM,
        1,
        "Members of the largest room",
        "The members of one room are distinct accounts, bridge ghosts among them.",
    ),
    Definition(
        reported.REPORTED_USERS,
        1,
        "Users that servers report",
        "Sum over the usage reports of servers that send them.",
    ),
    Definition(
        reported.REPORTING,
        1,
        "Servers that report their usage",
        "How many servers send usage reports, and of how many the reports are verified and summed.",
    ),
    Definition(
        reported.RETAINED_USERS,
        2,
        "Users retained for 30 days",
        "R30v2 as servers report it; nobody outside can count it.",
    ),
    Definition(change.RETAINED, 2, "Servers and rooms retained", "A proxy for retention, and no R30: not of users."),
    Definition(
        people.DEVELOPERS, 4, "Developers", "Distinct human authors of commits in a frozen list of repositories."
    ),
    Definition(people.BY_MONTH, 4, "Developers by month", "The same, in each of the last twelve whole months."),
    Definition(
        bridged.BRIDGED_ROOMS,
        6,
        "Rooms with bridge evidence",
        "Listed rooms whose alias has the pattern of a bridge's portal; apart, rooms in lists of third-party networks.",
    ),
    Definition(
        bridged.BRIDGED_MEMBERSHIPS, 6, "Memberships in them", "Members of rooms with bridge evidence, by protocol."
    ),
    Definition(
        bridged.BRIDGED_USERS,
        6,
        "Bridged users",
        "Between none and all of the memberships in such rooms, without and with those of third-party networks.",
    ),
    Definition(
        reported.REPORTED_BRIDGED,
        6,
        "Bridged users that servers report",
        "Sum over the usage reports of servers that send them.",
    ),
    Definition(noise.SIGNAL, 7, "Signal", "Share of rooms with fewer signs of spam than each threshold."),
    Definition(noise.NOISE, 7, "Signs of noise", "Share of listed rooms that show each sign."),
    Definition(DIRECTORIES, 8, "Room directories", "How the room directories of online servers answer."),
    Definition(found.SERVERS_ON_THE_WAY, 8, "From server to directory", "Online servers whose directory can be read."),
    Definition(found.ROOMS_ON_THE_WAY, 8, "From listing to joining", "What one can do with listed rooms."),
    Definition(found.LISTED_IN, 8, "How widely rooms are listed", "Rooms by how many directories list them."),
    Definition(found.ROOMS_ESTIMATED, 8, "Listable rooms, seen or not", "Rooms that open directories list, at least."),
    Definition(found.LISTING_COVERAGE, 8, "Coverage of listings", "How likely the next listing is of a known room."),
    Definition(found.IN_SPACES, 8, "Listed rooms in spaces", "Share of listed rooms that a space leads to as well."),
    Definition(
        fresh.FRESHNESS,
        8,
        "Freshness of listings",
        "How many listed rooms are new, changed lately, or have a server of their own that answers.",
    ),
    Definition(
        searching.KNOWN_ITEM,
        8,
        "Finding a known room",
        "Where a room stands among the answers when its name, or one word of it, is searched for in our room list.",
    ),
    Definition(
        diverse.LANGUAGES_AMONG,
        8,
        "Languages at an equal number of rooms",
        "How many languages a lot of rooms shows; comparable between censuses of different size.",
    ),
    Definition(
        diverse.WORDS_AMONG,
        8,
        "Words of names at an equal number of rooms",
        "How many different words a lot of room names shows: a proxy for the diversity of topics.",
    ),
    Definition(noise.LANGUAGES, 8, "Rooms by language", "The language of name and topic, where it can be told."),
    Definition(noise.LANGUAGE_DIVERSITY, 8, "Effective number of languages", "How many, used equally, are as diverse."),
    Definition(specification.RELEASES, 9, "Releases of the specification", "How many in a year, and how far apart."),
    Definition(specification.LAG, 9, "From acceptance to release", "Days an accepted proposal waits for its release."),
    Definition(specification.ACCEPTED, 9, "Proposals accepted", "By quarter, the last eight whole ones."),
    Definition(specification.VERSIONS, 9, "Versions advertised", "Share of servers that advertise each version."),
    Definition(
        specification.FEATURES, 9, "Unstable features", "Share of servers that advertise each unstable feature."
    ),
    Definition(
        conforming.CONFORMANCE,
        9,
        "Conformance as a crawl meets it",
        "Share of servers that do as the specification says, of those where a crawl could see it.",
    ),
    Definition(graph.GRAPH, 0, "The graph of servers and rooms", "Its components, cores, and servers in no room."),
    Definition(graph.RESILIENCE, 0, "Resilience", "Rooms left without a known server when the largest holders go."),
    *(
        Definition(metric, 0, f"Concentration by {holder.replace('_', ' ')}", f"By {HOLDER_WORDS[holder]}.")
        for holder, metric in CONCENTRATION.items()
    ),
)

DEFINITIONS: dict[str, Definition] = {definition.metric: definition for definition in _ALL}
"""By metric, in the order in which they are read."""
