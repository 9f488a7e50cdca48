"""Data: take the numbers with you. Downloads, tables and their columns, queries to begin with, licence, citation."""

from contextlib import closing

from dash import dcc, html
from dash.development.base_component import Component

from analytics import wording
from crawler.store.export import LICENCE
from dashboard import links
from dashboard.charts.catalogue import CHARTS
from dashboard.data import View
from dashboard.pages.facts import facts, plain_table
from dashboard.request import PageRequest

_EXAMPLES = (
    (
        "Online servers in every census, by implementation",
        "SELECT at, software, servers FROM online_by_software ORDER BY crawl_id, servers DESC",
    ),
    (
        "The largest rooms of the newest census",
        """SELECT name, canonical_alias, members, directories FROM room
WHERE crawl_id = (SELECT max(crawl_id) FROM census) ORDER BY members DESC NULLS LAST LIMIT 20""",
    ),
    (
        "Why servers are not online",
        """SELECT failed_phase, failed_kind, count(*) AS servers FROM server_observation
WHERE crawl_id = (SELECT max(crawl_id) FROM census) AND NOT online GROUP BY ALL ORDER BY servers DESC""",
    ),
    (
        "Servers that came in the last 30 days",
        """SELECT server_name, event, at FROM server_event
WHERE event = 'birth' AND at > (SELECT max(finished_at) FROM census) - INTERVAL 30 DAY ORDER BY crawl_id DESC""",
    ),
    (
        "One number with its interval, over time",
        """SELECT at, value, lo, hi, n, coverage FROM metric
WHERE metric = 'memberships' AND dimension = 'all' ORDER BY snapshot""",
    ),
)
_STAYING = (
    " are days. Columns are only ever added. Programs of any site may read them, and are told by an ETag whether "
    "anything is new."
)
_WHOLE = "Whoever runs a census has it as one DuckDB file, and gives it away as Parquet and CSV, also without names: "


def layout(request: PageRequest) -> Component:
    """The page."""
    view = request.view
    return html.Div(
        [
            html.H1("Data", tabIndex="-1"),
            html.P("Everything shown here can be taken away, checked, and made again.", className="lede"),
            html.H2("What is shown now"),
            _snapshot(view),
            html.H2("How to cite it"),
            html.Pre(html.Code(citation(view)), className="code cite", tabIndex="0"),
            html.P(
                [
                    "The numbers of the charts are free for anybody (",
                    html.Code(LICENCE),
                    "). Names and topics of rooms are what their administrators wrote.",
                ]
            ),
            html.H2("Numbers of every chart"),
            html.P(
                [
                    "Addresses that stay; ",
                    html.Code("from"),
                    " and ",
                    html.Code("to"),
                    _STAYING,
                ]
            ),
            _charts(),
            html.H2("For programs", id="programs"),
            _programs(),
            html.H2("The whole of it"),
            html.P(
                [
                    _WHOLE,
                    html.Code("matrix-census export --help"),
                    ".",
                ]
            ),
            html.H2("Queries to begin with"),
            html.P(["On the published file, with ", html.Code('matrix-census sql "…"'), " or any DuckDB."]),
            *(part for title, query in _EXAMPLES for part in _example(title, query)),
            html.H2("Tables and columns"),
            *view.once("dictionary", lambda: _dictionary(view)),
        ]
    )


def citation(view: View) -> str:
    """The census in one sentence: who, when, from where, which file."""
    sealed = wording.moment(view.crawl.finished_at)
    synthetic = " Synthetic: of a practice federation, not of the real one." if view.crawl.synthetic else ""
    return (
        f"Matrix Census. Snapshot {view.reader.snapshot_id}, census sealed {sealed}, seen from {view.crawl.vantage}, "
        f"crawler {view.crawl.crawler_version}.{synthetic}"
    )


def _snapshot(view: View) -> Component:
    made = view.reader.snapshot
    return facts(
        [
            ("Snapshot", html.Code(made.snapshot_id)),
            ("Published", wording.moment(made.published_at)),
            ("Censuses in it", wording.number(made.censuses)),
            ("Crawls in it", wording.number(made.crawls)),
            ("Schema", str(made.schema_version)),
            ("Content (SHA-256)", html.Code(made.content_sha256)),
        ]
    )


def _charts() -> Component:
    rows = [
        (
            dcc.Link(chart.title, href=links.page(f"/charts/{name}")),
            chart.unit,
            html.Span(
                [
                    html.A("CSV", href=links.page(f"/data/{name}.csv"), download=f"{name}.csv"),
                    " · ",
                    html.A("JSON", href=links.page(f"/data/{name}.json")),
                ],
                className="whole",
            ),
        )
        for name, chart in CHARTS.items()
    ]
    return plain_table("Charts", ("Chart", "Unit", "Data"), rows)


def _programs() -> Component:
    """Where what is made for programs is; none of it is a page of the application."""
    badge = html.Img(src=links.whole("/badge/servers.svg"), alt="badge: servers online", className="badge")
    return facts(
        [
            (
                "HTTP API",
                html.Span(
                    [
                        html.A("documentation", href=links.whole("/api")),
                        " · ",
                        html.A("OpenAPI", href=links.whole("/api/v1/openapi.json")),
                        ": servers, rooms, numbers, changes, as JSON, CSV or Parquet",
                    ]
                ),
            ),
            (
                "News",
                html.Span(
                    [html.A("Atom feed", href=links.whole("/feed.atom")), " of new servers, deaths and large rooms"]
                ),
            ),
            (
                "Monitoring",
                html.Span(
                    [
                        html.A(links.whole("/metrics"), href=links.whole("/metrics")),
                        " of the newest census, for Prometheus",
                    ]
                ),
            ),
            (
                "Badges",
                html.Span(
                    [
                        html.A(badge, href=links.whole("/badge/servers.svg")),
                        ", of a server ",
                        html.Code(links.whole("/badge/server/NAME.svg")),
                        ", of a room ",
                        html.Code(links.whole("/badge/room/ROOM_ID.svg")),
                    ]
                ),
            ),
        ]
    )


def _example(title: str, query: str) -> list[Component]:
    return [html.H3(title), html.Pre(html.Code(query), className="code", tabIndex="0")]


def _dictionary(view: View) -> list[Component]:
    """What the published file says of its own tables."""
    with closing(view.reader.cursor()) as cursor:
        tables = cursor.execute(_TABLES).fetchall()
        columns = cursor.execute(_COLUMNS).fetchall()
    of_table: dict[str, list[tuple[Component, str, str]]] = {}
    for table, column, kind, meaning in columns:
        of_table.setdefault(table, []).append((html.Code(column), kind, meaning or ""))
    return [
        html.Details(
            [
                html.Summary([html.Code(name), f" {comment or ''}"]),
                plain_table(f"Columns of {name}", ("Column", "Type", "Meaning"), of_table.get(name, [])),
            ],
            className="dictionary",
        )
        for name, comment in tables
    ]


_TABLES = """
SELECT table_name, comment FROM duckdb_tables() WHERE NOT internal AND table_name <> 'schema_migration'
UNION ALL
SELECT view_name, comment FROM duckdb_views() WHERE NOT internal
ORDER BY 1
"""

_COLUMNS = """
SELECT table_name, column_name, data_type, comment FROM duckdb_columns() WHERE NOT internal
ORDER BY table_name, column_index
"""
