"""The close look from end to end: a crawl that looks at every address of every server, what its file holds of that,
how the page of a server shows it; and what `check` and the dashboard say beside that census."""

import json
import re
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from crawler.config import Limits
from crawler.store.serving import serving_file
from dashboard.data import CensusSource
from dashboard.palette import Scheme
from dashboard.routing import render
from tests.census.practice import COMMAND, PACE, Practice, census, environment, practice, rows
from tests.dashboard.markup import text

LOOKS = "SELECT server_name, look.* FROM address_look look JOIN server USING (server_id)"
AT_MOST = Limits().close_look_addresses


@dataclass
class Looked:
    lab: Practice
    db: Path
    serving: Path

    def named(self, **facts: Any) -> str:
        """A findable server of that kind."""
        return next(
            str(name)
            for name, truth in self.lab.truth["servers"].items()
            if truth["findable"] and all(truth[fact] == value for fact, value in facts.items())
        )

    @property
    def well(self) -> str:
        return self.named(failure=None, front="valid")


@pytest.fixture(scope="module")
def looked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Looked]:
    folder = tmp_path_factory.mktemp("close-look")
    with practice(folder / "lab", 60) as lab:
        db = folder / "census.duckdb"
        closely = ["--set", "politeness.close_look_share=1.0", "--contact", "t@census.example", *PACE]
        told = census("crawl", "--db", str(db), *closely, *lab.options())
        assert told.returncode == 0, told.stderr
        serving = serving_file(db)
        assert serving is not None
        yield Looked(lab, db, serving)


def options(lab: Practice) -> list[str]:
    return lab.options("seeds", "identity", "serve_key", "tls_cert", "tls_key")


def resolved(looked: Looked, name: str) -> list[tuple[str, int]]:
    """Where the crawl's resolution led to, which is bounded, too."""
    sql = "SELECT server_name, address, port FROM endpoint JOIN server USING (server_id) ORDER BY ordinal"
    return [(row["address"], row["port"]) for row in rows(looked.serving, sql) if row["server_name"] == name]


def test_every_address_of_every_server_is_looked_at(looked: Looked) -> None:
    seen: dict[str, set[tuple[str, int]]] = {}
    for row in rows(looked.serving, LOOKS):
        seen.setdefault(row["server_name"], set()).add((row["address"], row["port"]))
    leads_to = {
        name: {(end["address"], end["port"]) for end in facts["endpoints"]}
        for name, facts in looked.lab.truth["servers"].items()
        if facts["findable"] and facts["predicates"]["online"]
    }
    assert len(leads_to) > 20
    few = {name: ends for name, ends in leads_to.items() if len(ends) <= AT_MOST}
    assert {name: seen.get(name) for name in few} == few
    for name in leads_to.keys() - few.keys():
        assert seen[name] == set(resolved(looked, name)[:AT_MOST])
        assert seen[name] < leads_to[name]


def test_what_an_address_says_is_what_the_visit_heard_and_what_failed_is_named(looked: Looked) -> None:
    heard = rows(looked.serving, "SELECT server_name, version_raw, failed_kind, address, port FROM server_observation "
        "JOIN server USING (server_id)")  # fmt: skip
    visits = {(row["server_name"], row["address"], row["port"]): row for row in heard}
    looks = rows(looked.serving, LOOKS)
    used = [
        (look, visits[at]) for look in looks if (at := (look["server_name"], look["address"], look["port"])) in visits
    ]
    assert len(used) > 30
    for look, visit in used:
        assert look["version_raw"] == visit["version_raw"]
        failures = [look[f"{what}_failure"] for what in ("tcp", "tls", "version", "keys")]
        assert next((kind for kind in failures if kind), None) == visit["failed_kind"], look["server_name"]
    expired = next(look for look in looks if look["tls_failure"] == "tls_expired")
    assert expired["verify_code"] == 10
    assert expired["tls_names"]


def test_the_page_of_a_server_shows_each_address(looked: Looked) -> None:
    source = CensusSource(looked.db)
    try:
        for name, said in ((looked.well, "answers"), (looked.named(failure="tls_expired"), "certificate expired")):
            page = text(render(source, f"/servers/{urllib.parse.quote(name)}", "", Scheme.LIGHT).content)
            shown = page.partition("Each address for itself")[2].partition("Every attempt")[0]
            looks = [look for look in rows(looked.serving, LOOKS) if look["server_name"] == name]
            assert looks
            for look in looks:
                assert look["address"] in shown
            assert said in shown
    finally:
        source.close()


def counted(looked: Looked, *names: str) -> tuple[int, list[dict[str, Any]]]:
    """The exit code of a check of these servers, and what it says of each."""
    told = census("check", *names, "--format", "json", "--census", str(looked.db), *options(looked.lab))
    lines = told.stdout.splitlines() if len(names) > 1 else [told.stdout]
    return told.returncode, [json.loads(line)["counted"] for line in lines]


def test_check_says_what_the_census_holds(looked: Looked) -> None:
    code, (well, expired, stranger) = counted(
        looked, looked.well, looked.named(failure="tls_expired"), "nobody-named.test"
    )
    assert code == 1
    assert (well["online"], well["standing"]["federating"]) == (True, True)
    assert re.search(r"The census of \d+ \w+ \d{4} counted it as online and as federating\.$", well["sentence"])
    assert (expired["online"], expired["standing"]["failed_kind"]) == (False, "tls_expired")
    assert expired["sentence"].endswith("did not count it: tls expired.")
    assert stranger["standing"]["known"] is False
    assert "did not know it" in stranger["sentence"]


def test_a_census_that_is_asked_for_must_be_there(looked: Looked, tmp_path: Path) -> None:
    told = census("check", looked.well, "--census", str(tmp_path / "none.duckdb"), *options(looked.lab))
    assert (told.returncode, told.stdout) == (2, "")
    assert "nothing is published for" in told.stderr


def status_of(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url, timeout=120) as answer:  # noqa: S310 - our own server, http
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_who_opted_out_is_said_to_be_and_is_not_looked_at_for_visitors(looked: Looked, tmp_path: Path) -> None:
    own = looked.db.parent / "opt-out.txt"
    command = [*COMMAND, "serve", "--port", "0", "--db", str(looked.db), *options(looked.lab)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment()) as serving:
        try:
            assert serving.stdout is not None
            site = serving.stdout.readline().split()[4]
            doors = [f"{site}/api/{door}?server_name={looked.well}" for door in ("v1/check", "report", "federation-ok")]
            assert status_of(doors[2]) == (200, "GOOD")
            own.write_text(f"{looked.well}  # asked us to\n")
            code, (told,) = counted(looked, looked.well)
            assert (code, told["opted_out"], told["online"], told["federating"]) == (0, True, False, False)
            assert told["sentence"].startswith("Not counted: it is on the opt-out list")
            before = len(looked.lab.sightings())
            for door in doors:
                status, said = status_of(door)
                assert status == 403
                assert "opted out" in said
            assert len(looked.lab.sightings()) == before
            own.write_text("not a / name\n")
            assert {status_of(door)[0] for door in doors} == {503}
        finally:
            own.unlink(missing_ok=True)
            serving.terminate()
            serving.wait(30)
    bad = tmp_path / "bad.txt"
    bad.write_text("not a / name\n")
    told_off = census("serve", "--port", "0", "--db", str(looked.db), "--opt-out", str(bad))
    assert told_off.returncode == 2
    assert "line 1" in told_off.stderr
