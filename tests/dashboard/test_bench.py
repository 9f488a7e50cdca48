"""The bench of the dashboard measures the real thing: a served census, asked over a socket; its JSON has what it
promises, and a page that fails ends it."""

import json
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from click.testing import CliRunner

from dashboard import routing
from dashboard.bench_visitor import Visitor
from matrix_census import main
from tests.e2e.conftest import serving

SIZES = ["--days", "3", "--servers", "20", "--rooms", "60", "--visits", "2"]


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("bench")


def test_it_prints_what_it_measured(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MATRIX_CENSUS_CHROMIUM", str(kept / "no-chromium"))  # a browser of its own would take long
    done = CliRunner().invoke(main, ["bench", "dashboard", *SIZES, "--keep", str(kept)])
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert (found["days"], found["servers"], found["rooms"]) == (3, 20, 60)
    every = {page.path.strip("/") or "overview" for page in routing.PAGES if "{" not in page.path}
    assert every | {"server", "room"} <= set(found["pages"])
    for name, page in (found["pages"] | found["answers"]).items():
        assert 0 < page["p50_ms"] <= page["p95_ms"], name
        assert page["weight_kb"] > 0, name
    assert found["visitors50_p95_ms"] > 0
    assert found["peak_rss_mb"] > 50
    assert found["headline_ms"] is found["shared_kb"] is None
    assert "no Chromium" in found["without"]["headline_ms"]


def test_a_visitor_asks_what_a_browser_asks(kept: Path) -> None:
    """Of a page with a table: the frame's callback, then the table's, which has nothing new to say."""
    (census,) = kept.glob("*/census.duckdb")
    learned: dict[str, tuple[object, ...]] = {}
    with serving(census) as site:
        visitor = Visitor(site, learned)  # type: ignore[arg-type]  # only its lengths are looked at
        visitor.open("/servers")
        visitor.open("/about")
        visitor.open("/data")
        with pytest.raises(ValueError, match="404"):
            visitor.get("/nothing-is-here")
        visitor.close()
    assert urlsplit(site).hostname == "127.0.0.1"
    assert {path: len(asks) for path, asks in learned.items()} == {"/servers": 1, "/about": 0, "/data": 1}
