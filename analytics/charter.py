"""The nine things whose growth the Matrix mission names as success: what each means here, written once.

The words are those of the mission (matrix.org/about, "Mission"). Every reader shows these objects: the command line,
the dashboard, the API, the report. There is no composite score: nobody could say what a point of it means.
"""

from dataclasses import dataclass

from analytics.schemas import Grade


@dataclass(frozen=True, slots=True)
class MissionMetric:
    """One of the nine. `number` is its place in the mission, `words` the mission's own; `grades` how its parts come to
    be known, the headline's first."""

    number: int
    words: str
    definition: str
    unit: str
    window: str
    denominator: str
    grades: tuple[Grade, ...]
    estimator: str
    references: tuple[str, ...]
    pitfalls: tuple[str, ...]


CHARTER: tuple[MissionMetric, ...] = (
    MissionMetric(
        number=1,
        words="the number of Matrix-native end-users reachable on the open Matrix network",
        definition="Not countable from outside. Shown instead: memberships in public rooms (over unique room IDs, the "
        "median of what directories report), the members of the largest room, a scenario of accounts, and the users "
        "that servers report of themselves.",
        unit="memberships; members; accounts",
        window="one crawl",
        denominator="rooms listed in the directories that answered",
        grades=(Grade.ESTIMATED, Grade.REPORTED),
        estimator="Sums with bounds from the least and the largest report of each room; division by 1.5, 3 and 5 rooms "
        "for each account as a scenario band, never as a confidence interval; sums over verified usage reports of "
        "online servers, with the share of online servers that report.",
        references=(
            "Matrix client-server API, publicRooms: num_joined_members",
            "Synapse, usage reports: total_nonbridged_users, total_users",
        ),
        pitfalls=(
            "Memberships are not people: one person in ten rooms is ten.",
            "Ghosts of bridges and bots are members like anybody.",
            "An upgraded room leaves a twin; a space is no room.",
            "Directories disagree, and one alone can lie.",
            "Closed servers are invisible.",
            "Few servers report, and one large one can be most of a sum; nothing is scaled up.",
            "A report is verified by the address it came from or by a token; what it says is the server's word.",
        ),
    ),
    MissionMetric(
        number=2,
        words="the number of regular users on the Matrix network (e.g. 30-day retained federated users)",
        definition="Synapse's R30v2: users seen more than once in 60 days, with more than 30 days between the first "
        "and the last time. Only a server can count it; shown are the sums that servers report, and, as proxies and "
        "never under this name, servers and rooms retained for 30 days.",
        unit="users",
        window="60 days, on the reporting server",
        denominator="servers that report their usage",
        grades=(Grade.REPORTED, Grade.NOT_OBSERVABLE),
        estimator="Sum of r30v2_users_all over verified reports, beside the share of online servers that report; "
        "proxies with Wilson intervals.",
        references=("Synapse, R30v2: {0, 31} counts, {0, 30} and {0} do not",),
        pitfalls=(
            "A proxy is not R30.",
            "Servers that report are not like servers that do not.",
            "Reports whose sender was not verified are never summed.",
        ),
    ),
    MissionMetric(
        number=3,
        words="the number of online servers in the open federation",
        definition="Online: TLS verifies for the name that the specification prescribes, and "
        "/_matrix/federation/v1/version answers JSON. Shown whole, from servers merely named to those that list rooms.",
        unit="servers",
        window="one crawl; seven days where crawls are more frequent",
        denominator="server names that anything named",
        grades=(Grade.MEASURED, Grade.ESTIMATED),
        estimator="The count is a lower bound. Chao2 over answers and log-linear models over sources estimate the "
        "whole, also from below; counts by domain, key, address and operator stand beside the count by name.",
        references=(
            "Chao 1987, Biometrics 43",
            "Fienberg 1972, Biometrika 59",
            "Chao and Jost 2012, Ecology 93",
            "Matrix server-server API, Resolving server names",
        ),
        pitfalls=(
            "Sources depend on each other: estimates are usually too low, and never sure.",
            "Old rooms name servers that died long ago.",
            "A parked domain may answer everything with 200.",
            "One deployment may answer to many names.",
            "What is seen depends on the vantage: IPv6, blocks of content delivery networks.",
        ),
    ),
    MissionMetric(
        number=4,
        words="the number of developers building on Matrix",
        definition="Distinct human authors with a commit in 30, 90 and 365 days in a frozen, versioned list of "
        "repositories of the ecosystem; new and returning ones.",
        unit="authors",
        window="30, 90 and 365 days",
        denominator="repositories of the list",
        grades=(Grade.ESTIMATED,),
        estimator="An exact count within the list after merging addresses by .mailmap, with a band for how they are "
        "merged; the list's own coverage by Chapman against a second list.",
        references=("Chapman 1951",),
        pitfalls=(
            "Bots commit, too; those that the list of bots does not know are counted.",
            "A fork carries the history of its origin, which is left out only where the list names the origin.",
            "Who is only named as co-author, reviews or writes issues is not counted.",
            "An author's date is what the author's clock said.",
            "Downloads are machines, not developers.",
        ),
    ),
    MissionMetric(
        number=5,
        words="the number of independent implementations which use Matrix",
        definition="Implementations that online servers name, and lineages: families of forks with one origin, each "
        "counted once. Their effective number says how evenly they are used. Of code: lineages with a public "
        "repository to which a person committed within 90 days.",
        unit="implementations; lineages; equal lineages",
        window="one crawl; 90 days for code",
        denominator="online servers; lineages of which a repository was read",
        grades=(Grade.MEASURED, Grade.NOT_OBSERVABLE),
        estimator="Counts, and Hill numbers of order 0, 1 and 2 with a bootstrap interval over servers; of code a "
        "count that is a lower bound, of the repositories that were read, not observable where none was.",
        references=("Hill 1973, Ecology 54", "Efron 1979, Annals of Statistics 7"),
        pitfalls=(
            "Names are said by the server and verified by nobody; some hide them.",
            "Five names (Conduit, conduwuit, continuwuity, Tuwunel, Grapevine) are one lineage.",
            "Rocket.Chat gives its own server name; crawlers with a federation face are no homeservers.",
            "The repository of a large product is alive whether or not its part of Matrix is.",
            "Which repository is whose is our table's word (data/reference/software.csv).",
        ),
    ),
    MissionMetric(
        number=6,
        words="the number of bridged end-users reachable on the open Matrix network",
        definition="Listed rooms whose alias has the pattern of a bridge's portal, memberships in them, by protocol. "
        "Counted apart: rooms in the lists of third-party networks, which a directory shows only to who asks with "
        "include_all_networks, by the protocol of their alias or as of unknown protocol. Bridged users lie between "
        "none and all of these memberships, said without and with the third-party networks. Reported by servers: their "
        "bridged users.",
        unit="rooms; memberships; users",
        window="one crawl",
        denominator="rooms listed in the directories that answered; rooms in the lists of third-party networks of "
        "those read whole over federation",
        grades=(Grade.ESTIMATED, Grade.REPORTED),
        estimator="Pattern matching with a stated confidence, or the directory's word alone; the interval "
        "[0, memberships].",
        references=(
            "data/reference/bridges.csv, a source in each row",
            "Matrix specification, application service API, third-party networks; server-server API, publicRooms",
        ),
        pitfalls=(
            "Most portals are private and unlisted.",
            "A plumbed room has no pattern; a person may choose an alias that has one.",
            "No answer names the third-party network: without a pattern in the alias the protocol is not known.",
            "An application service that lists rooms need not be a bridge.",
            "A room listed between the two readings of a directory looks like one of a third-party network.",
            "Only directories read whole over federation are asked for all networks, and some do not answer that.",
            "Which rooms only these lists held is kept for some weeks; the numbers stay.",
            "One person can have ghosts on many servers.",
            "daily_user_type_bridged is of accounts that bridges made in a day, not of users who talk.",
            "Bridges that ended (freenode 2021-12-20, Libera.Chat 2023-11-28) left portals behind: counted apart.",
        ),
    ),
    MissionMetric(
        number=7,
        words="the signal-to-noise ratio of the content on the open Matrix network (i.e. minimising spam)",
        definition="The share of listed rooms, of memberships, and of the first 100 rooms of each directory with fewer "
        "than t of eight explained signs, for every t; the share of each sign.",
        unit="share",
        window="one crawl",
        denominator="listed rooms; memberships; tops of directories",
        grades=(Grade.ESTIMATED,),
        estimator="A threshold sweep; with an audit by people the share is corrected by Rogan and Gladen's formula.",
        references=("Rogan and Gladen 1978, American Journal of Epidemiology 107", "Broder 1997 (MinHash)"),
        pitfalls=(
            "A sign is no verdict: without an audit there is no prevalence of spam.",
            "Word lists would favour languages: none is used.",
            "Policy lists copy each other and are no ground truth.",
        ),
    ),
    MissionMetric(
        number=8,
        words="the ability for users to discover content on their terms (empowering them to select what to see and "
        "what not to see)",
        definition="What is left on the way from an online server to a room that one can join: directory answers, room "
        "listed, alias resolves, open to join; in how many directories rooms are listed, and in a space; how fresh "
        "listings are; in which place a room comes when its name is searched for; diversity of languages and of words "
        "in names at an equal number of rooms.",
        unit="servers; rooms; share",
        window="one crawl; 30 and 90 days for freshness",
        denominator="online servers; listed rooms; rooms drawn by lot for the search",
        grades=(Grade.MEASURED, Grade.ESTIMATED),
        estimator="Exact counts with their coverage; Chao2 over directories for rooms not seen; Hill numbers; "
        "known-item search over rooms drawn with a fixed seed, with Wilson and order-statistic intervals; rarefaction.",
        references=(
            "Matrix client-server API, Listed room directories, Spaces",
            "Azzopardi and de Rijke 2006, SIGIR (known-item queries made from documents)",
            "Hurlbert 1971, Ecology 52; Gotelli and Colwell 2001, Ecology Letters 4 (rarefaction)",
        ),
        pitfalls=(
            "Since Synapse 1.126 (2025-03-11) rooms may not be published by default: a break in the series.",
            "Closed, empty and failing directories are three things.",
            "Rooms are listed by choice, and a listing may be stale.",
            "No directory says when a room was last talked in: freshness is of its entry.",
            "Known-item search is that of our own room list; servers search otherwise, and over less.",
            "Spaces are opened by signed crawls, within a budget; a space that nothing lists is not seen.",
            "Words of names are a proxy for topics; languages are guessed from few words.",
        ),
    ),
    MissionMetric(
        number=9,
        words="the quality and utility of the Matrix spec (as defined by ease and ability with which a developer can "
        "implement spec-compliant clients, servers, bots, bridges, and other integrations without needing to refer to "
        "any other external material)",
        definition="Releases and how far apart they are; days from accepting a proposal to its release; proposals "
        "accepted in each quarter; the share of servers that advertise each version and unstable feature; the share "
        "that does as the specification says where a crawl can see it: .well-known, keys, error codes, paging.",
        unit="releases; days; proposals; share of servers",
        window="all time and the last 365 days; one crawl for what servers advertise",
        denominator="releases; accepted proposals; online servers that answer; for each check those where it could be "
        "made",
        grades=(Grade.MEASURED, Grade.ESTIMATED),
        estimator="Counts, quartiles, shares with Wilson intervals; Kaplan-Meier for the wait of proposals, those that "
        "wait still included.",
        references=(
            "Checkouts of matrix-spec and matrix-spec-proposals",
            "data/reference/spec_releases.csv and accepted_mscs.csv, made from such checkouts, where none was imported",
        ),
        pitfalls=(
            "A merge rate is not quality.",
            "A proposal's text is merged when it is accepted, not when it was drafted.",
            "Accepted proposals that still wait are not in the quartiles of the lag, which makes these too short.",
            "Some accepted proposals never come into a release (of process, or withdrawn) and seem to wait.",
            "A server that its mistake keeps offline is in no denominator of conformance.",
            "A mistake of what stands before a homeserver counts against the homeserver.",
            "A crawl asks little: these checks are a small part of the specification.",
        ),
    ),
)

BY_NUMBER: dict[int, MissionMetric] = {metric.number: metric for metric in CHARTER}
