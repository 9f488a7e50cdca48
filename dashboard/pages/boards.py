"""The pages that are charts under headings: what each answers, its controls, its charts."""

from collections.abc import Sequence
from dataclasses import dataclass

from dash import html
from dash.development.base_component import Component

from dashboard.charts import (
    bridges,
    decentralisation,
    developers,
    discovery,
    finding,
    growth,
    lasting,
    published,
    signal,
    software,
    spec,
)
from dashboard.charts.chart import Chart
from dashboard.choices import Choice, Chosen
from dashboard.data import View
from dashboard.pages import board
from dashboard.pages.charts import chart_section
from dashboard.palette import Scheme
from dashboard.request import PageRequest


@dataclass(frozen=True, slots=True)
class Charts:
    """Charts under a heading, with a sentence under it if one is needed."""

    heading: str
    charts: tuple[Chart, ...]
    note: str = ""


@dataclass(frozen=True, slots=True)
class ChartPage:
    """A page of charts. `answers` is the sentence under its title."""

    path: str
    title: str
    answers: str
    sections: tuple[Charts, ...]

    @property
    def board(self) -> board.Board:
        """Its controls and what they control."""
        charts = [chart for section in self.sections for chart in section.charts]
        has_range = any(chart.over_time for chart in charts)
        return board.Board(self.path.strip("/"), self.path, _controls(charts), has_range, self.body)

    def body(self, view: View, chosen: Chosen, scheme: Scheme) -> list[Component]:
        """All charts."""
        parts: list[Component] = []
        for section in self.sections:
            parts.append(html.H2(section.heading))
            if section.note:
                parts.append(html.P(section.note))
            drawn = [chart_section(chart, view, chosen, scheme, level=3) for chart in section.charts]
            parts.append(html.Div(drawn, className="charts" if len(drawn) > 1 else "charts single"))
        return parts

    def layout(self, request: PageRequest) -> Component:
        """The page."""
        return html.Div(
            [
                html.H1(self.title, tabIndex="-1"),
                html.P(self.answers, className="lede"),
                board.layout(self.board, request),
            ]
        )


def _controls(charts: Sequence[Chart]) -> tuple[Choice, ...]:
    """What any of the charts lets choose; choices of one key are one control."""
    return tuple({choice.key: choice for chart in charts for choice in (*chart.choices, *chart.looks)}.values())


GROWTH = ChartPage(
    "/growth",
    "Growth",
    "Does the federation grow? Each point is a whole census; one that failed leaves a gap.",
    (
        Charts(
            "Servers",
            (growth.SERVERS_ONLINE, growth.SERVERS_ESTIMATED, growth.SERVERS_KNOWN, growth.SERVERS_DISTINCT),
        ),
        Charts(
            "Who comes, goes and stays",
            (lasting.CHURN, lasting.RETAINED, lasting.COHORTS, lasting.SURVIVAL_CURVES, lasting.SURVIVAL),
        ),
        Charts(
            "Rooms and memberships",
            (growth.ROOMS_LISTED, growth.MEMBERSHIPS_OVER_TIME, growth.ACCOUNTS_SCENARIO, growth.LARGEST),
        ),
        Charts(
            "Beside the census",
            (published.ELSEWHERE,),
            "What others counted, in their own ways and of other things, and what may explain a step in the lines.",
        ),
    ),
)

SOFTWARE = ChartPage(
    "/software",
    "Software",
    "What do online servers run, how many independent families of it are there, and how fast do new versions spread? "
    "Servers say it themselves; nobody verifies it.",
    (
        Charts("Families of forks", (software.LINEAGES_OVER_TIME, software.DIVERSITY_OVER_TIME)),
        Charts(
            "Implementations", (software.IMPLEMENTATIONS_OVER_TIME, software.IMPLEMENTATION_COUNT, software.WITH_CODE)
        ),
        Charts("Versions", (software.VERSIONS_OVER_TIME, software.VERSIONS_NOW)),
        Charts(
            "How fast versions spread",
            (software.ADOPTION, software.VERSION_LAG, software.ADOPTED, software.BELOW_SECURITY),
            "Distributions mend vulnerabilities without a new number: a server below a release need not be vulnerable.",
        ),
    ),
)

DECENTRALISATION = ChartPage(
    "/decentralisation",
    "Decentralisation",
    "Who holds how much of the federation, and what is left if they go?",
    (
        Charts(
            "Concentration",
            (decentralisation.CONCENTRATION_OVER_TIME, decentralisation.LARGEST_HOLDERS, decentralisation.LORENZ),
        ),
        Charts(
            "Resilience",
            (decentralisation.RESILIENCE_CURVE, decentralisation.RESILIENCE_OVER_TIME),
            "A thought experiment on what is known: rooms whose other servers we do not know of are lost here and live "
            "on in truth.",
        ),
        Charts("Where servers are", (decentralisation.MAP,)),
    ),
)

BRIDGES = ChartPage(
    "/bridges",
    "Bridges",
    "How far does Matrix reach into other networks? Told by the aliases of listed rooms, and by the lists of "
    "third-party networks that some directories keep beside their own: most portals are in neither.",
    (
        Charts("Listed rooms and memberships", (bridges.ROOMS_BY_PROTOCOL, bridges.MEMBERSHIPS_BY_PROTOCOL)),
        Charts(
            "Third-party networks",
            (bridges.NETWORK_ROOMS, bridges.NETWORK_MEMBERSHIPS),
            "Rooms that a directory read whole over federation shows only to who asks for all networks: an application "
            "service listed them. Nothing names the network; the protocol is that of the room's alias, if that tells. "
            "Counted apart from listed rooms; a room that another directory lists is in both.",
        ),
        Charts("How sure it is", (bridges.CONFIDENCE, bridges.NETWORK_CONFIDENCE, bridges.USERS)),
    ),
)

SIGNAL = ChartPage(
    "/signal",
    "Signal",
    "How much of what is listed shows signs of spam? A sign is no verdict; no row names a room.",
    (
        Charts("Share below each threshold", (signal.SWEEP, signal.OVER_TIME)),
        Charts("The signs", (signal.SIGNS_NOW, signal.SIGNS_OVER_TIME)),
    ),
)

DISCOVERY = ChartPage(
    "/discovery",
    "Discovery",
    "Can people find what they look for? What is left on the way from an online server to a room that one can join.",
    (
        Charts("The way", (discovery.SERVERS_ON_THE_WAY, discovery.ROOMS_ON_THE_WAY)),
        Charts("Directories", (discovery.DIRECTORIES_OVER_TIME, discovery.WIDTHS)),
        Charts(
            "Finding a room",
            (finding.SEARCH_NOW, finding.SEARCH_OVER_TIME, finding.IN_SPACES),
            "Rooms are drawn by lot and searched for by their names in the list of public rooms here. How the search "
            "of any one server answers is another matter: it knows fewer rooms, and may sort them otherwise.",
        ),
        Charts("How fresh listings are", (finding.FRESHNESS, finding.AGE)),
        Charts(
            "Languages and topics",
            (discovery.LANGUAGES, discovery.LANGUAGE_DIVERSITY, finding.LANGUAGES_AMONG, finding.WORDS_AMONG),
            "More rooms show more of everything: the last two are of equally many rooms, so that censuses compare.",
        ),
    ),
)

SPEC = ChartPage(
    "/spec",
    "Spec",
    "How often is the specification released, how long do accepted proposals wait, who speaks which version, and who "
    "does as it says?",
    (
        Charts("Adoption", (spec.VERSIONS_NOW, spec.VERSIONS_OVER_TIME)),
        Charts("Cadence", (spec.ACCEPTED, spec.LAG)),
        Charts("Unstable features", (spec.FEATURES_NOW, spec.FEATURES_OVER_TIME)),
        Charts(
            "Conformance as a crawl meets it",
            (spec.CONFORMANCE_NOW, spec.CONFORMANCE_OVER_TIME),
            "A crawl asks little of a server: what it is told is held against the specification. A server that a "
            "mistake keeps offline is not among these. Of one server, matrix-census check makes some fifty.",
        ),
    ),
)

DEVELOPERS = ChartPage(
    "/developers",
    "Developers",
    "How many people build on Matrix? Told by the commits in lists of repositories: who only reviews, "
    "designs or answers questions, or works elsewhere, is not counted.",
    (
        Charts("Within a window", (developers.OVER_TIME, developers.NEW_AND_RETURNING)),
        Charts("Month by month", (developers.BY_MONTH,)),
    ),
)

PAGES = (GROWTH, SOFTWARE, DECENTRALISATION, BRIDGES, SIGNAL, DISCOVERY, SPEC, DEVELOPERS)
