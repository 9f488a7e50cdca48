"""`/api/v1` over a socket: what is answered is what the files hold, in each form, page by page, and cached."""

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import duckdb
import httpx
import jsonschema
import polars as pl
import pytest

from crawler.store.serving import serving_file
from tests.dashboard.federation import FORMULA_ROOM, RTL_TOPIC, SCRIPT_ROOM


def rows_of(census: Path, sql: str) -> list[tuple[Any, ...]]:
    """What the serving file says when it is asked without us."""
    serving = serving_file(census)
    assert serving is not None
    with duckdb.connect(str(serving), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def ask(client: httpx.Client, path: str, **query: Any) -> dict[str, Any]:
    answer = client.get(path, params=query or None)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def pages(client: httpx.Client, path: str, **query: Any) -> Iterator[dict[str, Any]]:
    """All rows of a list, page by page."""
    page = ask(client, path, **query)
    seen = 0
    while True:
        yield from page["data"]
        seen += len(page["data"])
        if page["next"] is None:
            assert seen == page["total"]
            return
        page = ask(client, page["next"])


def test_every_server_comes_once_in_any_page_size_and_order(client: httpx.Client, two_days: Path) -> None:
    known = rows_of(two_days, "SELECT server_name, online, software FROM federation_on('2026-11-25')")
    for limit, sort in ((7, "server_name"), (50, "-software"), (1000, "directory_rooms")):
        found = list(pages(client, "/api/v1/servers", limit=limit, sort=sort))
        assert len(found) == len(known)
        assert {(row["server_name"], row["online"], row["software"]) for row in found} == set(known)
    software = [row["software"] for row in pages(client, "/api/v1/servers", limit=9, sort="-software")]
    said = [name for name in software if name is not None]
    assert said == sorted(said, reverse=True)
    assert software[: len(said)] == said, "what is not known comes last"


def test_servers_left_in_peace_are_known_as_they_were(client: httpx.Client, two_days: Path) -> None:
    """The two days have other names: a census sees some of the first day's no more, and ends what it said of them."""
    visited = {row["server_name"] for row in pages(client, "/api/v1/servers", visited="true")}
    names = {name for (name,) in rows_of(two_days, "SELECT server_name FROM visit JOIN server USING (server_id)")}
    assert visited == names
    for row in pages(client, "/api/v1/servers"):
        assert (row["observed_at"] is not None) == row["visited"]


@pytest.mark.parametrize(
    ("query", "condition"),
    [
        ({"online": "true"}, "online"),
        ({"federating": "false"}, "NOT federating"),
        ({"software": "synapse", "online": "true"}, "software = 'synapse' AND online"),
        ({"software": ""}, "software IS NULL"),
        ({"failed_kind": "tls_expired"}, "failed_kind = 'tls_expired'"),
        ({"q": "CHAT"}, "contains(server_name, 'chat')"),
        ({"directory_state": "open"}, "listing AND server_id IN (SELECT server_id FROM room_listing)"),
        ({"q": "%_"}, "false"),
        ({"q": "' OR true --"}, "false"),
    ],
)
def test_filters_are_conditions(client: httpx.Client, two_days: Path, query: dict[str, str], condition: str) -> None:
    wanted = rows_of(two_days, f"SELECT count(*) FROM federation_on('2026-11-25') WHERE {condition}")
    assert ask(client, "/api/v1/servers", **query)["total"] == wanted[0][0]


def test_every_answer_says_what_it_is(client: httpx.Client) -> None:
    for path in ("/api/v1/servers", "/api/v1/rooms", "/api/v1/metrics", "/api/v1/crawls", "/api/v1/leads"):
        answer = ask(client, path)
        assert answer["snapshot"]["synthetic"] is True
        assert answer["snapshot"]["licence"] == "CC0-1.0"
        assert answer["snapshot"]["id"] in answer["snapshot"]["cite"]
        assert "synthetic" in answer["snapshot"]["cite"]
        assert all(answer["about"][word] for word in ("unit", "window", "denominator", "interval", "grade", "method"))


def test_one_server(client: httpx.Client, two_days: Path) -> None:
    one = ask(client, "/api/v1/servers/MATRIX.example")["data"]
    assert one["server_name"] == "matrix.example"
    assert one["observation"]["software_raw"] == "Synapse"
    assert one["observation"]["verify_keys"] == {"ed25519:a_Xy12": "l8Hft5qXKn1vfHrg3p4+W8gELQVo8N13JkluMfmn2sQ"}
    assert [attempt["what"] for attempt in one["attempts"]][:3] == ["resolution", "tcp", "tls"]
    leads = rows_of(
        two_days,
        "SELECT count(DISTINCT (source, named_by)) FROM lead JOIN server USING (server_id)"
        " WHERE server_name = 'matrix.example'",
    )
    assert one["leads_total"] == leads[0][0]
    brackets = ask(client, f"/api/v1/servers/{quote('[2001:db8::8]:8448', safe='')}")["data"]
    assert brackets["state"]["software"] == "dendrite"
    missing = client.get("/api/v1/servers/nobody.example")
    assert (missing.status_code, missing.json()["status"]) == (404, 404)
    named_only = ask(client, "/api/v1/servers/unvisited1.example")["data"]
    assert (named_only["state"], named_only["observation"]) == (None, None)
    assert named_only["leads"]


def test_history_is_the_intervals(client: httpx.Client, two_days: Path) -> None:
    name = rows_of(
        two_days, "SELECT server_name FROM server_life GROUP BY server_name HAVING count(*) > 1 ORDER BY 1 LIMIT 1"
    )[0][0]
    wanted = rows_of(
        two_days,
        f"SELECT valid_from, valid_to, online, software, version FROM server_life WHERE server_name = '{name}'"
        " ORDER BY valid_from DESC",
    )
    found = list(pages(client, f"/api/v1/servers/{name}/history", limit=1))
    assert [(r["valid_from"], r["valid_to"], r["online"], r["software"], r["version"]) for r in found] == wanted
    assert found[0]["seen_from"] == "2026-11-24T03:10:00Z"
    assert found[1]["seen_to"] == "2026-11-24T03:10:00Z"
    assert client.get("/api/v1/servers/nobody.example/history").status_code == 404


def test_rooms_and_one_room(client: httpx.Client, two_days: Path) -> None:
    wanted = rows_of(two_days, "SELECT room_id, members FROM room WHERE crawl_id = 2")
    found = list(pages(client, "/api/v1/rooms", limit=83))
    assert {(row["room_id"], row["members"]) for row in found} == set(wanted)
    members = [row["members"] for row in found if row["members"] is not None]
    assert members == sorted(members, reverse=True)
    room = ask(client, f"/api/v1/rooms/{quote('!script:matrix.example', safe='')}")["data"]
    assert room["room"]["name"] == SCRIPT_ROOM
    listed_by = rows_of(
        two_days,
        "SELECT server_name FROM listing JOIN server USING (server_id)"
        " WHERE crawl_id = 2 AND room_id = '!script:matrix.example' ORDER BY server_name",
    )
    assert room["listed_by"] == [name for (name,) in listed_by]
    history = ask(client, "/api/v1/rooms/!script:matrix.example/history")["data"]
    assert [account["name"] for account in history] == [SCRIPT_ROOM] * len(history)
    assert client.get("/api/v1/rooms/!none:example").status_code == 404
    assert client.get("/api/v1/rooms/!none:example/history").status_code == 404
    topic = ask(client, "/api/v1/rooms", q="Right to left")["data"][0]["topic"]
    assert topic == RTL_TOPIC, "JSON has text as it is"


def test_metrics_and_series(client: httpx.Client, two_days: Path) -> None:
    stored = rows_of(two_days, "SELECT metric, dimension, value, lo, hi, grade FROM metric WHERE snapshot = 2")
    found = ask(client, "/api/v1/metrics")
    row = [(r["metric"], r["dimension"], r["value"], r["lo"], r["hi"], r["grade"]) for r in found["data"]]
    assert row == stored
    assert found["total"] == len(stored)
    series = list(pages(client, "/api/v1/series", metric="servers", dimension="online", limit=1))
    online = rows_of(two_days, "SELECT crawl_id, online FROM crawl ORDER BY crawl_id")
    assert [(row["snapshot"], row["value"]) for row in series] == online
    later = ask(client, "/api/v1/series", metric="servers", dimension="online", since="2026-11-24")["data"]
    assert [row["snapshot"] for row in later] == [2]
    before = ask(client, "/api/v1/series", metric="servers", dimension="online", until="2026-11-24T03:10:00Z")["data"]
    assert [row["snapshot"] for row in before] == [1]
    assert client.get("/api/v1/series", params={"metric": "love"}).status_code == 404
    assert client.get("/api/v1/series").status_code == 422


def test_changes_are_told_from_the_second_census_on(client: httpx.Client, two_days: Path) -> None:
    found = list(pages(client, "/api/v1/changes", limit=100))
    wanted = rows_of(two_days, "SELECT 'server_' || event, server_name FROM server_event WHERE crawl_id = 2")
    servers = [(c["kind"], c["server_name"]) for c in found if c["server_name"] and c["kind"] != "server_version"]
    assert sorted(servers) == sorted(wanted)
    assert {c["crawl_id"] for c in found} == {2}
    for change in found:
        assert (change["server_name"] is None) != (change["room_id"] is None)
    versions = [c for c in found if c["kind"] == "server_version"]
    assert versions
    assert all(c["before"] != c["after"] for c in versions)
    rooms = {c["room_id"] for c in found if c["kind"] == "room_listed"}
    first = {room for (room,) in rows_of(two_days, "SELECT room_id FROM known_room WHERE first_crawl_id = 2")}
    assert rooms == first
    assert ask(client, "/api/v1/changes", since="2026-11-24T03:10:00Z")["total"] == 0
    big = ask(client, "/api/v1/changes", kind=["room_listed"], min_members=1000)["data"]
    assert big
    assert all(change["members"] >= 1000 for change in big)


def test_leads_and_crawls(client: httpx.Client, two_days: Path) -> None:
    wanted = rows_of(two_days, "SELECT count(DISTINCT (server_id, source, named_by)) FROM lead WHERE crawl_id = 2")
    assert ask(client, "/api/v1/leads")["total"] == wanted[0][0]
    seeds = ask(client, "/api/v1/leads", source="seed")["data"]
    assert [(lead["server_name"], lead["named_by"]) for lead in seeds] == [("matrix.example", None)]
    crawls = ask(client, "/api/v1/crawls")["data"]
    assert [crawl["id"] for crawl in crawls] == [2, 1]
    assert ask(client, "/api/v1/crawls/2")["data"]["crawl"] == crawls[0]
    assert client.get("/api/v1/crawls/77").status_code == 404


def test_csv_and_parquet_hold_the_same_rows(client: httpx.Client) -> None:
    wanted = ask(client, "/api/v1/rooms", limit=50)
    as_csv = client.get("/api/v1/rooms", params={"limit": 50}, headers={"accept": "text/csv"})
    assert as_csv.headers["content-type"] == "text/csv; charset=utf-8"
    table = list(csv.DictReader(io.StringIO(as_csv.text, newline="")))
    assert [row["room_id"] for row in table] == [row["room_id"] for row in wanted["data"]]
    assert {row["snapshot_synthetic"] for row in table} == {"true"}
    assert {row["snapshot_id"] for row in table} == {wanted["snapshot"]["id"]}
    formula = next(row["name"] for row in table if FORMULA_ROOM in row["name"])
    assert formula == f"'{FORMULA_ROOM}"
    parquet = client.get("/api/v1/rooms", params={"limit": 50, "format": "parquet"})
    assert parquet.headers["content-type"] == "application/vnd.apache.parquet"
    frame = pl.read_parquet(io.BytesIO(parquet.content))
    assert frame["members"].to_list() == [row["members"] for row in wanted["data"]]
    assert FORMULA_ROOM in frame["name"].to_list()
    assert pl.read_parquet_metadata(io.BytesIO(parquet.content))["cite"] == wanted["snapshot"]["cite"]
    for answer in (as_csv, parquet):
        assert 'rel="license"' in answer.headers["link"]
        assert 'rel="next"' in answer.headers["link"]
        assert answer.headers["x-cite"] == wanted["snapshot"]["cite"]
        assert wanted["snapshot"]["id"] in answer.headers["content-disposition"]
    empty = client.get("/api/v1/rooms", params={"q": "no such room", "format": "parquet"})
    assert pl.read_parquet(io.BytesIO(empty.content)).schema["members"] == pl.Float64


def test_accept_is_weighed(client: httpx.Client) -> None:
    for accept, kind in (
        ("text/html, */*;q=0.1", "application/json"),
        ("application/json;q=0.5, text/csv", "text/csv; charset=utf-8"),
        ("*/*, text/csv;q=0.9", "application/json"),
        ("text/*", "text/csv; charset=utf-8"),
    ):
        assert client.get("/api/v1/crawls", headers={"accept": accept}).headers["content-type"] == kind
    refused = client.get("/api/v1/crawls", headers={"accept": "image/png"})
    assert (refused.status_code, refused.headers["content-type"]) == (406, "application/problem+json")
    assert client.get("/api/v1/crawls/1", headers={"accept": "text/csv"}).status_code == 406


def test_what_did_not_change_is_not_sent_again(client: httpx.Client) -> None:
    for path in ("/api/v1/servers?limit=5", "/api/v1/servers/matrix.example", "/api/v1/servers?limit=5&format=csv"):
        first = client.get(path)
        tag = first.headers["etag"]
        again = client.get(path, headers={"if-none-match": f'"other", {tag}'})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
        assert client.get(path, headers={"if-none-match": '"other"'}).status_code == 200
        assert "max-age" in first.headers["cache-control"]
    tags = {client.get(f"/api/v1/servers?limit={limit}").headers["etag"] for limit in (5, 6)}
    assert len(tags) == 2


def test_answers_are_packed(client: httpx.Client) -> None:
    packed = client.get("/api/v1/rooms", headers={"accept-encoding": "gzip"})
    plain = client.get("/api/v1/rooms", headers={"accept-encoding": "identity"})
    refused = client.get("/api/v1/rooms", headers={"accept-encoding": "gzip;q=0"})
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert "content-encoding" not in refused.headers
    assert packed.json() == plain.json() == refused.json()
    assert packed.headers["vary"] == "Accept, Accept-Encoding"


def test_other_sites_may_read_and_not_write(client: httpx.Client) -> None:
    answer = client.get("/api/v1/crawls", headers={"origin": "https://elsewhere.example"})
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    asked = {"origin": "https://elsewhere.example", "access-control-request-method": "POST"}
    preflight = client.options("/api/v1/submit", headers=asked)
    assert preflight.status_code == 204
    assert "POST" not in preflight.headers["access-control-allow-methods"]
    assert client.get("/").headers["cross-origin-resource-policy"] == "same-origin"


def test_head_is_get_without_the_body(client: httpx.Client) -> None:
    got, head = client.get("/api/v1/crawls"), client.head("/api/v1/crawls")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["etag"] == got.headers["etag"]


def test_errors_are_problems_that_say_what_to_do(client: httpx.Client) -> None:
    for method, path, status, word in (
        ("GET", "/api/v1/servers?onlin=true", 422, "onlin"),
        ("GET", "/api/v1/servers?limit=0", 422, "limit"),
        ("GET", "/api/v1/changes?since=yesterday", 422, "2026-11-24"),
        ("GET", "/api/v1/servers?cursor=nonsense", 400, "cursor"),
        ("GET", "/api/v1/nowhere", 404, "/api"),
        ("POST", "/api/v1/servers", 405, "GET"),
        ("GET", "/api/v1/submit", 405, "POST"),
    ):
        answer = client.request(method, path)
        assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), path
        problem = answer.json()
        assert problem["status"] == status
        assert problem["title"]
        assert word in problem["detail"]
        assert answer.headers["cache-control"] == "no-store"
        anchor = problem["type"].partition("#")[2]
        assert f'id="{anchor}"' in client.get(problem["type"]).text, "each kind is described"


def test_a_cursor_is_good_for_its_own_question_alone(client: httpx.Client) -> None:
    following = ask(client, "/api/v1/servers", limit=3, online="true")["next"]
    cursor = httpx.URL(following).params["cursor"]
    answer = client.get("/api/v1/servers", params={"cursor": cursor, "online": "false"})
    assert (answer.status_code, answer.json()["type"].partition("#")[2]) == (400, "bad-cursor")
    larger = ask(client, "/api/v1/servers", cursor=cursor, online="true", limit=7)
    assert larger["data"][0] == ask(client, following)["data"][0]


def test_the_description_is_true(client: httpx.Client) -> None:
    """Each example request of the description is answered, and each answer and each example fits its shape."""
    document = client.get("/api/v1/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    checked = 0
    for template, operations in document["paths"].items():
        path = template
        if "get" not in operations or path == "/api/v1/check":
            continue
        operation = operations["get"]
        content = operation["responses"]["200"]["content"]["application/json"]
        schema = {**content["schema"], "components": document["components"]}
        validator = jsonschema.Draft202012Validator(schema)
        if "example" in content:
            validator.validate(content["example"])
        real = {"server_name": "matrix.example", "room_id": "!script:matrix.example", "crawl_id": "1"}
        for name, value in real.items():
            path = path.replace(f"{{{name}}}", quote(value, safe=""))
        query = (
            {p["name"]: p["schema"]["examples"][0] for p in operation["parameters"] if p.get("required")}
            if (operation.get("parameters"))
            else {}
        )
        query = {name: value for name, value in query.items() if name not in real}
        validator.validate(ask(client, path, **query))
        checked += 1
    assert checked >= 13


def test_the_documentation_needs_nothing_but_itself(client: httpx.Client) -> None:
    answer = client.get("/api")
    assert "<script" not in answer.text
    assert "http-equiv" not in answer.text
    document = client.get("/api/v1/openapi.json").json()
    for path in document["paths"]:
        assert path in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert " src=" not in answer.text
    assert json.dumps(document).count("cdn") == 0
