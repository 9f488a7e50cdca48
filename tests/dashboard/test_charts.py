"""Every chart: what it asks, what it draws, and that its addresses say the same numbers as its picture."""

import csv
import io
import json
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import pairwise, product
from pathlib import Path
from typing import Any

import httpx
import polars as pl
import pytest

from crawler.store.ask import ask
from dashboard.app import create_app
from dashboard.charts.catalogue import CHARTS
from dashboard.charts.chart import Chart
from dashboard.charts.events import events_beside
from dashboard.charts.series import COLUMNS
from dashboard.choices import SCALE, Chosen, RefusedError, parse, parse_strictly, search
from dashboard.data import CensusSource, View
from dashboard.figures.drawing import Look
from dashboard.figures.lines import Line, Lines, fixed, ranked
from dashboard.kept import Kept
from dashboard.pages import methods
from dashboard.pages.charts import chart_section
from dashboard.pages.mission import CARDS, cards, find
from dashboard.palette import Scheme
from dashboard.request import PageRequest
from tests.dashboard.federation import publish, write_census

EVERY = pytest.mark.parametrize("name", sorted(CHARTS))


@pytest.fixture(scope="module")
def view(history: Path) -> Iterator[View]:
    source = CensusSource(history)
    with source.view() as opened:
        assert opened is not None
        yield opened
    source.close()


@pytest.fixture
async def client(history: Path) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(create_app(history))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as opened:
        yield opened


def everything_chosen(chart: Chart) -> Iterator[Chosen]:
    """Each way in which a chart can be asked for."""
    for values in product(*([value for value, _ in choice.options] for choice in chart.controls)):
        yield Chosen(values=dict(zip((choice.key for choice in chart.controls), values, strict=True)))


@EVERY
def test_a_chart_is_drawn_however_it_is_asked_for(name: str, view: View) -> None:
    chart = CHARTS[name]
    for chosen in everything_chosen(chart):
        rows = chart.rows(view, chosen)
        if "value" in rows.columns and rows.drop_nulls("value").is_empty():
            continue
        for scheme in Scheme:
            look = Look(scheme, chosen)
            figure = chart.drawing.figure(rows, look)
            assert figure.data
            assert "http" not in figure.to_json()
            said = chart.drawing.sentence(rows, look)
            assert said.endswith(".")
            digest = chart.drawing.digest(rows, look)
            assert digest.rows
            assert {len(row) for row in digest.rows} == {len(digest.headings)}


@pytest.fixture(scope="module")
def elsewhere(history: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the published file. DuckDB opens a path once in a process, and `ask` locks what it opens."""
    folder = tmp_path_factory.mktemp("elsewhere")
    shutil.copytree(history.parent / "serving", folder / "serving")
    return folder / history.name


@EVERY
def test_the_printed_query_gives_anybody_the_same_rows(name: str, view: View, elsewhere: Path) -> None:
    chart = CHARTS[name]
    with ask(elsewhere, chart.query(Chosen())) as told:
        assert list(told.columns) == [column.name for column in chart.columns]
        asked = [tuple(row) for row in told.rows]
    assert asked == chart.rows(view, Chosen()).rows()


@EVERY
async def test_csv_json_and_chart_hold_the_same_numbers(name: str, client: httpx.AsyncClient, view: View) -> None:
    sheet = await client.get(f"/data/{name}.csv")
    document = (await client.get(f"/data/{name}.json")).json()
    assert sheet.headers["content-type"].startswith("text/csv")
    assert sheet.headers["access-control-allow-origin"] == "*"
    rows = list(csv.DictReader(io.StringIO(sheet.text)))
    expected = CHARTS[name].rows(view, Chosen())
    assert list(document["columns"]) == [*expected.columns, "synthetic"]
    assert len(rows) == len(document["rows"]) == expected.height
    for line, cells, held in zip(rows, document["rows"], expected.iter_rows(named=True), strict=True):
        for column, value in held.items():
            if isinstance(value, float):
                assert float(line[column]) == cells[column] == value
            elif value is None:
                assert (line[column], cells[column]) == ("", None)
        assert (line["synthetic"], cells["synthetic"]) == ("true", True)
    assert document["query"] == CHARTS[name].query(Chosen())
    assert document["snapshot"] == view.reader.snapshot_id


def drawn(figure: Any) -> dict[str, list[tuple[str, float | None]]]:
    return {trace.name: list(zip(trace.x, trace.y, strict=True)) for trace in figure.data if trace.name}


async def test_the_numbers_of_an_address_are_those_of_the_lines(client: httpx.AsyncClient, view: View) -> None:
    """Straight from the counts that the crawls were sealed with."""
    chart = CHARTS["servers-online"]
    document = (await client.get("/data/servers-online.json?from=2026-11-15")).json()
    online = [(row["at"], row["value"]) for row in document["rows"] if row["line"] == "online"]
    sealed = {crawl.id: crawl for crawl in view.reader.crawls()}
    assert online == [("2026-11-15T03:10:00Z", sealed[2].online), ("2026-11-23T03:10:00Z", sealed[4].online)]
    lines = drawn(chart.drawing.figure(chart.rows(view, Chosen(since=date(2026, 11, 15))), Look(Scheme.LIGHT)))
    assert lines["online"] == [("2026-11-15 03:10", sealed[2].online), ("2026-11-23 03:10", sealed[4].online)]
    assert lines["limited crawls"] == [("2026-11-19 03:10", sealed[3].online)]


async def test_an_address_is_answered_once_and_known_again(client: httpx.AsyncClient) -> None:
    first = await client.get("/data/funnel.json")
    again = await client.get("/data/funnel.json", headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    other = await client.get("/data/funnel.csv", headers={"if-none-match": first.headers["etag"]})
    assert other.status_code == 200


@pytest.mark.parametrize(
    ("address", "status", "words"),
    [
        ("/data/nothing.csv", 404, "there is no such chart"),
        ("/data/funnel.xml", 404, "each as .csv and .json"),
        ("/data/funnel.csv?from=2026-01-01", 400, "nothing to choose"),
        ("/data/servers-online.csv?from=yesterday", 400, "from is a day"),
        ("/data/servers-online.csv?form=2026-01-01", 400, "from, to, scale"),
        ("/data/servers-churn.json?days=8", 400, "days is one of: 30, 7, 90"),
        ("/data/servers-churn.json?days=7'%20OR%201=1%20--", 400, "days is one of"),
    ],
)
async def test_an_address_that_asks_for_what_there_is_not_is_told_so(
    client: httpx.AsyncClient, address: str, status: int, words: str
) -> None:
    answer = await client.get(address)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert words in answer.json()["title"]


async def test_a_spreadsheet_runs_no_text(client: httpx.AsyncClient, tmp_path: Path) -> None:
    from dashboard.api.data import csv_of

    hostile = pl.DataFrame({"line": ["=cmd|' /C calc'!A0", "+1", "plain", None], "value": [1.0, -2.0, 3.0, None]})
    assert csv_of(hostile) == "line,value\r\n'=cmd|' /C calc'!A0,1.0\r\n'+1,-2.0\r\nplain,3.0\r\n,\r\n"


async def test_only_embedded_charts_may_be_framed(client: httpx.AsyncClient) -> None:
    framed = await client.get("/embed/funnel")
    assert framed.status_code == 200
    assert "frame-ancestors *" in framed.headers["content-security-policy"]
    assert "x-frame-options" not in framed.headers
    whole = await client.get("/charts/funnel")
    assert "frame-ancestors 'none'" in whole.headers["content-security-policy"]
    assert whole.headers["x-frame-options"] == "DENY"
    assert (await client.get("/embed/nothing")).status_code == 404


def test_an_address_says_what_was_chosen_and_no_more() -> None:
    choices = (SCALE,)
    chosen = Chosen(date(2026, 8, 1), None, {"scale": "log"})
    assert search(chosen, choices) == "?from=2026-08-01&scale=log"
    assert parse({"from": "2026-08-01", "scale": "log"}, choices) == chosen
    assert search(Chosen(), choices) == ""
    assert parse({"from": "2026-13-01", "to": "20261101", "scale": "<b>", "x": "y"}, choices) == Chosen()
    with pytest.raises(RefusedError):
        parse_strictly({"scale": "<b>"}, choices, has_range=True)


def rows_of(**lines: list[float | None]) -> pl.DataFrame:
    """Rows of `COLUMNS`, a census a day."""
    records = [
        (date(2026, 1, at + 1), at, line, value, None, None, "none", 10, 1.0)
        for line, values in lines.items()
        for at, value in enumerate(values)
    ]
    frame = pl.DataFrame(records, schema=[column.name for column in COLUMNS], orient="row")
    return frame.with_columns(
        pl.col("at").cast(pl.Datetime("us", "UTC")), pl.col("value", "lo", "hi").cast(pl.Float64)
    ).sort("at", "line")


def test_what_is_not_known_is_a_gap_and_no_zero() -> None:
    lines = drawn(Lines(fixed(a=Line("a", 0))).figure(rows_of(a=[1.0, None, 3.0]), Look(Scheme.LIGHT)))
    assert [y for _, y in lines["a"]] == [1, None, 3]


def test_of_many_lines_the_small_ones_are_summed_and_none_is_dropped() -> None:
    many: dict[str, list[float | None]] = {f"line{i}": [float(i)] for i in range(1, 12)}
    drawing = Lines(ranked(str))
    lines = drawn(drawing.figure(rows_of(**many), Look(Scheme.LIGHT)))
    assert len(lines) == 7
    assert sum(y for points in lines.values() for _, y in points if y is not None) == sum(range(1, 12))
    assert lines["other (5)"] == [("2026-01-01 00:00", 15)]
    assert len(drawing.digest(rows_of(**many), Look(Scheme.LIGHT)).rows) == 11


def test_labels_at_the_ends_of_lines_do_not_stand_on_each_other() -> None:
    figure = Lines(ranked(str)).figure(rows_of(a=[10.0], b=[10.1], c=[10.2], d=[0.0]), Look(Scheme.LIGHT))
    lo, hi = figure.layout.yaxis.range
    places = sorted(label.y for label in figure.layout.annotations)
    height_px = 260
    assert all((b - a) / (hi - lo) * height_px > 16 for a, b in pairwise(places))


def test_a_share_is_of_what_the_number_rests_on() -> None:
    look = Look(Scheme.LIGHT, Chosen(values={"as": "share"}))
    lines = drawn(Lines(fixed(a=Line("a", 0))).figure(rows_of(a=[1.0, 4.0]), look))
    assert [y for _, y in lines["a"]] == [0.1, 0.4]


def test_what_is_kept_is_made_once_and_the_oldest_goes() -> None:
    made: list[int] = []
    kept = Kept(most=2)

    def make(number: int) -> int:
        made.append(number)
        return number

    for number in (1, 1, 2, 3, 1):
        assert kept.once(number, lambda number=number: make(number)) == number  # type: ignore[misc]  # mypy 1.x
    assert made == [1, 2, 3, 1]


def test_json_of_a_chart_is_json(view: View) -> None:
    from dashboard.api.data import json_of

    chart = CHARTS["memberships"]
    assert json.loads(json_of(chart, Chosen(), view, chart.rows(view, Chosen())))["chart"] == "memberships"


@pytest.fixture(scope="module")
def real_year(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two censuses that are not synthetic, of January and of November 2026. Not to be written to."""
    path = tmp_path_factory.mktemp("real-year") / "census.duckdb"
    write_census(path, servers=30, synthetic=False, days_ago=310)
    write_census(path, servers=30, synthetic=False)
    publish(path)
    return path


async def test_events_stand_beside_the_numbers_with_who_says_so(real_year: Path) -> None:
    """Those between the censuses of the picture, of `data/reference/annotations.csv`; never in the rows."""
    reference = Path(__file__).parents[2] / "data" / "reference" / "annotations.csv"
    with reference.open() as lines:
        told = [row for row in csv.DictReader(lines) if row["kind"] == "event" and row["happened_on"] > "2026-01-17"]
    assert told
    transport = httpx.ASGITransport(create_app(real_year))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        document = (await client.get("/data/servers-online.json")).json()
        none = (await client.get("/data/servers-online.json?from=2026-11-01")).json()
    assert [(event["at"][:10], event["what"], event["source"]) for event in document["events"]] == [
        (row["happened_on"], row["title"], row["source"]) for row in told
    ]
    assert none["events"] == []
    chart = CHARTS["servers-online"]
    source = CensusSource(real_year)
    with source.view() as view:
        assert view is not None
        rows = chart.rows(view, Chosen())
        figure = chart.drawing.figure(rows, Look(Scheme.LIGHT, events=events_beside(view, rows)))
        section = str(chart_section(chart, view, Chosen(), Scheme.LIGHT))
    source.close()
    assert [shape.x0 for shape in figure.layout.shapes] == [row["happened_on"] for row in told]
    assert all(row["title"] in section and row["source"] in section for row in told)


def test_of_the_practice_federation_no_event_is_told(view: View) -> None:
    rows = pl.DataFrame({"at": [datetime(2018, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)]})
    assert events_beside(view, rows) == ()


def test_a_file_of_an_older_version_has_no_rows_of_what_it_lacks(view: View) -> None:
    chart = replace(CHARTS["published-elsewhere"], table="not_yet_invented")
    rows = chart.rows(replace(view, kept=Kept()), Chosen())
    assert (rows.height, rows.columns) == (0, [column.name for column in chart.columns])
    assert chart.absent in str(chart_section(chart, replace(view, kept=Kept()), Chosen(), Scheme.LIGHT))


def test_versions_of_an_implementation_are_the_whole_of_it_in_every_census(view: View) -> None:
    """Who ran none of them in a census has zero there, and no gap; counted again from what servers said."""
    rows = CHARTS["version-adoption"].rows(view, Chosen())
    of_census = rows.group_by("census").agg(pl.col("value").sum(), pl.col("servers").sum(), pl.col("line").len())
    assert set(of_census["line"]) == {rows["line"].n_unique()}
    assert of_census["value"].to_list() == pytest.approx([1.0] * of_census.height)
    with closing(view.reader.cursor()) as cursor:
        said = cursor.execute(
            "SELECT crawl_id, count(*) FROM server_observation WHERE online AND software = 'synapse' "
            "AND version IS NOT NULL GROUP BY ALL"
        ).fetchall()
    counted = dict(of_census.select("census", "servers").iter_rows())
    assert counted == {census: servers for census, servers in said if census in counted}
    assert len(counted) == 3


def test_rooms_of_third_party_networks_have_charts_of_their_own(view: View) -> None:
    """By hand: the fixture has one such room with the alias of a bridge and one without, in every census."""
    newest = pl.col("census") == pl.col("census").max()
    drawn = {
        name: dict(CHARTS[name].rows(view, Chosen()).filter(newest).select("line", "value").iter_rows())
        for name in ("network-rooms", "network-memberships", "bridged-rooms")
    }
    assert drawn["network-rooms"] == {"all": 2, "dead bridges": 0, "discord": 1, "unknown protocol": 1}
    assert drawn["network-memberships"] == {"all": 52, "dead bridges": 0, "discord": 40, "unknown protocol": 12}
    assert set(drawn["bridged-rooms"]) == {"all", "dead bridges"}
    sure = dict(CHARTS["network-confidence"].rows(view, Chosen()).select("line", "value").iter_rows())
    assert {line.removeprefix("third-party networks: "): value for line, value in sure.items()} == {
        "dead bridges": 0, "high confidence": 1, "medium confidence": 0, "low confidence": 0, "directory confidence": 1,
    }  # fmt: skip


def test_the_lines_of_a_lorenz_curve_go_from_nobody_to_everything(view: View) -> None:
    rows = CHARTS["lorenz"].rows(view, Chosen(values={"amount": "memberships"}))
    for _, curve in rows.group_by("line"):
        assert curve.select("x", "value").row(0) == (0, 0)
        assert curve.select("x", "value").row(-1) == pytest.approx((1, 1))
        assert (curve["value"] <= curve["x"] + 1e-9).all()


def test_the_card_of_developers_shows_the_main_number_of_the_larger_list(view: View) -> None:
    """Not the last dimension, which is of new ones or of another list. Everybody but those who came lately: by hand,
    all 12 of the list had a commit within a year."""
    number = next(card for card in CARDS if card.number == 4)
    assert number.headline is not None
    row, month = find(view.rows, number.headline), find(view.rows, number.others[0])
    assert row is not None
    assert month is not None
    assert (row.dimension, row.value, row.n) == ("made, in 365 d", 12, 3)
    assert month.dimension == "made, in 30 d"
    told = str(cards(view, Scheme.LIGHT))
    assert "developers in a year" in told
    assert "'/developers'" in told


def test_where_no_repositories_were_read_it_is_said_how(census: Path) -> None:
    source = CensusSource(census)
    with source.view() as view:
        assert view is not None
        section = str(chart_section(CHARTS["developers"], view, Chosen(), Scheme.LIGHT))
        card = str(cards(view, Scheme.LIGHT))
    source.close()
    assert "matrix-census import developers" in section
    assert "see matrix-census import developers" in card


def test_months_of_developers_are_those_of_the_import(view: View) -> None:
    """By hand: who commits every k-th day, 60 times until 23 November, has commits in October if k is below 31."""
    rows = CHARTS["developers-by-month"].rows(view, Chosen())
    october = rows.filter((pl.col("line") == "made") & (pl.col("at") == datetime(2026, 10, 1, tzinfo=UTC)))
    assert october["value"].to_list() == [12]
    assert set(rows["line"]) == {"made", "<i>other</i>"}
    # Twelve before the newest census, and the one more that the first, of October, still told of.
    assert rows["at"].n_unique() == 13


def test_adoption_of_releases_is_drawn_where_a_series_saw_them_come_out(real_year: Path) -> None:
    """Nobody of the made-up federation upgrades: after any time none of those that were behind have adopted."""
    source = CensusSource(real_year)
    with source.view() as view:
        assert view is not None
        rows = CHARTS["version-adopted"].rows(view, Chosen()).drop_nulls("value")
        section = str(chart_section(CHARTS["version-adopted"], view, Chosen(), Scheme.DARK))
    source.close()
    assert set(rows["line"]) == {"7 d", "30 d", "90 d"}
    assert set(rows["value"]) == {0.0}
    assert "after 30 days" in section


def test_the_page_of_methods_tells_of_every_chart(view: View) -> None:
    page = str(methods.layout(PageRequest(view, Scheme.LIGHT)))
    assert [name for name, chart in CHARTS.items() if f"id='{chart.method}'" not in page] == []
