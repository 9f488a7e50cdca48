"""What is for programs beside the API: Prometheus, badges, the feed, the shapes of Matrix Rooms Search."""

import re
from pathlib import Path
from urllib.parse import quote
from xml.etree import ElementTree as Xml

import httpx
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_metrics
from prometheus_client.parser import text_string_to_metric_families as text_format

from dashboard.api.badges import Badge, svg
from dashboard.api.mrs import OTHER, software
from tests.dashboard.api.test_resources import ask, rows_of

ATOM = "{http://www.w3.org/2005/Atom}"
SVG = "{http://www.w3.org/2000/svg}"


def test_prometheus_reads_both_formats_alike(client: httpx.Client, two_days: Path) -> None:
    """Their own parsers are the oracle."""
    old = client.get("/metrics")
    new = client.get("/metrics", headers={"accept": "application/openmetrics-text;version=1.0.0,text/plain;q=0.5"})
    assert old.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert new.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0")
    seen = [
        {(s.name, frozenset(s.labels.items())): s.value for family in read(answer.text) for s in family.samples}
        for read, answer in ((text_format, old), (open_metrics, new))
    ]
    assert seen[0] == seen[1]
    values = {
        (name, dict(labels).get("metric"), dict(labels).get("dimension")): v for (name, labels), v in seen[0].items()
    }
    stored = rows_of(two_days, "SELECT metric, dimension, value, lo, hi, n FROM metric WHERE snapshot = 2")
    for metric, dimension, *numbers in stored:
        for ending, number in zip(("", "_low", "_high", "_n"), numbers, strict=True):
            # What is not known is left out, never told as zero.
            assert values.get((f"matrix_census_metric{ending}", metric, dimension)) == number
    assert (
        values["mrs_servers_online", None, None]
        == rows_of(two_days, "SELECT online FROM crawl WHERE crawl_id = 2")[0][0]
    )
    assert 'synthetic="true"' in old.text


def parsed(text: str) -> Xml.Element:
    return Xml.fromstring(text)  # noqa: S314 - our own answer


def badge(client: httpx.Client, path: str) -> str:
    answer = client.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/svg+xml")
    picture = parsed(answer.text)
    assert picture.tag == f"{SVG}svg"
    assert {element.tag for element in picture.iter()} <= {
        f"{SVG}{tag}" for tag in ("svg", "title", "rect", "g", "text")
    }
    title = picture.findtext(f"{SVG}title")
    assert title is not None
    assert picture.get("aria-label") == title
    return title


def test_badges_say_what_the_census_says(client: httpx.Client, two_days: Path) -> None:
    (online,) = rows_of(two_days, "SELECT online FROM crawl WHERE crawl_id = 2")[0]
    assert badge(client, "/badge/servers.svg") == f"Matrix servers online: {online} (synthetic)"
    assert badge(client, "/badge/server/Matrix.Example.svg") == "matrix.example: federating (synthetic)"
    dead = rows_of(two_days, "SELECT server_name FROM federation_on('2026-11-25') WHERE NOT online ORDER BY 1")[0][0]
    assert badge(client, f"/badge/server/{quote(dead, safe='')}.svg") == f"{dead}: not online (synthetic)"
    assert badge(client, "/badge/server/nobody.example.svg") == "nobody.example: not known (synthetic)"
    assert badge(client, "/badge/room/!silent:matrix.example.svg").endswith("members not told (synthetic)")
    assert badge(client, "/badge/room/!none:example.svg") == "room: not listed (synthetic)"
    hostile = badge(client, "/badge/room/!script:matrix.example.svg")
    assert hostile.startswith("<img src=x onerror=alert(1)>: ")
    assert client.get("/badge/servers.svg").headers["cross-origin-resource-policy"] == "cross-origin"


@pytest.mark.parametrize(
    "text", ["\u202egnitirw\u202c", '"><script>', "a\x00b\x1bc", "&amp;", "\ud800", "x" * 5000, ""]
)
def test_a_badge_is_one_picture_whatever_is_written_on_it(text: str) -> None:
    picture = parsed(svg(Badge(text, text, "#000")))
    shown = "".join(picture.itertext())
    assert not re.search("[\u202a-\u202e\u2066-\u2069\x00-\x1f]", shown)
    assert len(picture) == 4
    assert int(picture.get("width", "0")) < 1500


def test_the_feed_is_atom_and_keeps_its_names(client: httpx.Client, two_days: Path) -> None:
    answer = client.get("/feed.atom")
    assert answer.headers["content-type"] == "application/atom+xml; charset=utf-8"
    feed = parsed(answer.text)
    assert feed.tag == f"{ATOM}feed"
    for needed in ("id", "title", "updated", "author", "rights"):
        assert feed.find(f"{ATOM}{needed}") is not None, needed
    links = {link.get("rel"): link.get("href") for link in feed.findall(f"{ATOM}link")}
    assert links["self"] == str(answer.url)
    entries = feed.findall(f"{ATOM}entry")
    names = [entry.findtext(f"{ATOM}id") for entry in entries]
    assert len(set(names)) == len(names) > 0
    assert all(name and name.startswith("urn:uuid:") for name in names)
    for entry in entries:
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", entry.findtext(f"{ATOM}updated") or "")
        assert entry.find(f"{ATOM}link[@rel='alternate']") is not None
    told = {entry.findtext(f"{ATOM}title") for entry in entries}
    happened = rows_of(two_days, "SELECT event, server_name FROM server_event WHERE crawl_id = 2")
    words = {"birth": "New server", "death": "Server gone"}
    wanted = {f"{words[event]}: {name}" for event, name in happened if event in words}
    assert len(wanted) < 100
    assert wanted <= told
    assert any(title and title.startswith("New big room: ") for title in told)
    # By whatever host it is asked for, its entries are called the same.
    other = parsed(client.get("/feed.atom", headers={"host": "census.example"}).text)
    assert [entry.findtext(f"{ATOM}id") for entry in other.findall(f"{ATOM}entry")] == names
    self_link = other.find(f"{ATOM}link[@rel='self']")
    assert self_link is not None
    assert self_link.get("href") == "http://census.example/feed.atom"


def test_the_shapes_of_matrix_rooms_search(client: httpx.Client, two_days: Path) -> None:
    stats = client.get("/stats").json()
    crawls = rows_of(two_days, "SELECT online, rooms, finished_at FROM crawl ORDER BY crawl_id")
    assert (stats["servers"], stats["rooms"]) == crawls[1][:2]
    assert stats["details"]["rooms"] == {"indexed": crawls[1][1], "parsed": crawls[1][1]}
    listing = rows_of(two_days, "SELECT count(*) FROM federation_on('2026-11-25') WHERE listing")[0][0]
    assert stats["details"]["servers"]["indexable"] == listing
    assert sum(stats["details"]["servers"]["software"].values()) == stats["servers"]
    assert [day["date"] for day in stats["timeline"]] == ["2026-11-23"]
    assert stats["timeline"][0]["details"]["servers"]["online"] == crawls[0][0]
    names = client.get("/catalog/servers").json()
    known = {row["server_name"] for row in ask(client, "/api/v1/servers", limit=1000)["data"]}
    assert set(names) == known
    objects = client.get("/catalog/servers/objects").json()
    assert list(objects) == names
    one = objects["matrix.example"]
    assert one.keys() == {
        "name", "url", "software", "version", "online", "indexable", "contacts", "online_at", "checked_at",
    }  # fmt: skip
    assert (one["online"], one["online_at"]) == (True, "2026-11-24T03:10:00Z")
    gone = rows_of(two_days, "SELECT server_name FROM server_event WHERE event = 'death' AND crawl_id = 2 ORDER BY 1")
    for (name,) in gone:
        if name in objects:
            assert (objects[name]["online"], objects[name]["online_at"]) == (False, "2026-11-23T03:10:00Z")
    assert {str(each["contacts"]) for each in objects.values()} == {"{'emails': [], 'mxids': [], 'url': ''}"}


def test_software_is_spelt_as_theirs_and_no_server_is_lost() -> None:
    counts: dict[str | None, int] = {
        "synapse": 5,
        "ejabberd/mod_matrix_gw": 2,
        "Conduit-2": 1,
        "conduit": 1,
        None: 3,
        "42": 1,
    }
    assert software(counts) == {"synapse": 5, "ejabberd mod matrix gw": 2, "conduit": 2, OTHER: 4}
    many: dict[str | None, int] = {f"name{chr(97 + i)}": i + 1 for i in range(20)}
    assert sum(software(many).values()) == sum(many.values())
