"""An audit from the draw to the prevalence, with people who label as a rule that is known says."""

import csv
import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from analytics.audit import NOISE, SIGNAL, UNSURE, Drawn, agreed, draw, score, stratum
from crawler.errors import UsageError
from crawler.model.crawl import CrawlScope
from matrix_census import main
from tests.dashboard.federation import publish, write_census


def rng() -> np.random.Generator:
    return np.random.default_rng(7)


@given(st.dictionaries(st.text(max_size=5), st.integers(0, 7), max_size=60), st.integers(4, 50))
def test_a_draw_takes_each_room_once_and_as_many_as_there_are(scores: dict[str, int], wanted: int) -> None:
    rooms = list(scores.items())
    drawn = draw(rooms, wanted, rng())
    assert len(drawn) == len(set(drawn)) == min(wanted, len(rooms))
    assert set(drawn) <= set(rooms)
    pots, of_pot = Counter(stratum(s) for _, s in drawn), Counter(stratum(s) for _, s in rooms)
    # A pot that was not emptied gave no fewer than any other.
    spare = [pots[pot] for pot in of_pot if pots[pot] < of_pot[pot]]
    assert not spare or max(pots.values()) - min(spare) <= 1


def test_the_same_seed_draws_the_same_rooms_whatever_their_order() -> None:
    rooms = [(f"!{n}", n % 5) for n in range(100)]
    assert draw(rooms, 20, rng()) == draw(rooms[::-1], 20, rng())


def test_where_people_differ_a_room_is_unsure() -> None:
    assert agreed([(NOISE, SIGNAL, NOISE, UNSURE), (NOISE, NOISE, UNSURE, UNSURE)]) == (NOISE, UNSURE, UNSURE, UNSURE)


def test_a_census_labelled_whole_gives_the_true_share() -> None:
    """Every room is drawn: whatever the rule's errors, the corrected prevalence is the share of noise."""
    truth = {0: 5, 1: 20, 2: 6, 3: 9}  # noise among 200, 60, 12 and 10 rooms with so many signs
    rooms = {0: 200, 1: 60, 2: 12, 3: 10}
    items = tuple((f"!{value}-{n}", value) for value in rooms for n in range(rooms[value]))
    labels = [NOISE if int(name.split("-")[1]) < truth[value] else SIGNAL for name, value in items]
    found = score(Drawn("x", 1, True, 1, rooms, items), [labels], rng())
    assert found.kappa is None
    assert (found.used, found.unsure) == (282, 0)
    at_one, at_two = found.thresholds[:2]
    assert at_one.flagged == pytest.approx(82 / 282)
    assert at_one.sensitivity == pytest.approx(35 / 40)
    assert at_one.specificity == pytest.approx(195 / 242)
    for each in (at_one, at_two):
        assert each.prevalence.value == pytest.approx(40 / 282)


def test_a_stratified_sample_is_weighed_back() -> None:
    """Of 10 000 clean rooms 50 are drawn and of 100 bad ones all: the sample is two thirds noise, the census 1 %."""
    items = tuple([(f"!c{n}", 0) for n in range(50)] + [(f"!b{n}", 3) for n in range(100)])
    labels = [NOISE if value else SIGNAL for _, value in items]
    found = score(Drawn("x", 1, True, 1, {0: 10_000, 3: 100}, items), [labels, labels], rng())
    assert found.kappa is not None
    assert found.kappa.value == 1
    assert found.thresholds[0].prevalence.value == pytest.approx(100 / 10_100)


def test_a_pot_without_labels_gives_no_prevalence() -> None:
    items = (("!a", 0), ("!b", 3))
    found = score(Drawn("x", 1, True, 1, {0: 10, 3: 1}, items), [[UNSURE, NOISE]], rng())
    assert found.thresholds[0].prevalence.value is None
    assert "none has a label" in found.thresholds[0].prevalence.method


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("audit") / "census.duckdb"
    write_census(path, servers=40)
    publish(path)
    return path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["audit", *arguments])


def test_from_a_census_to_a_prevalence(db: Path, tmp_path: Path) -> None:
    out, key = tmp_path / "rooms.csv", tmp_path / "key.json"
    done = run("draw", "--db", str(db), "--rooms", "30", "--out", str(out), "--key", str(key))
    assert done.exit_code == 0, done.output
    with out.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    told = json.loads(key.read_text("utf-8"))
    assert list(rows[0]) == ["item", "name", "topic", "alias", "label"]
    assert len(rows) == len(told["items"]) <= 30
    again = run("draw", "--db", str(db), "--out", str(out), "--key", str(tmp_path / "other.json"))
    assert again.exit_code == 2
    assert "is there already" in again.output

    first, second = tmp_path / "first.csv", tmp_path / "second.csv"
    for file_path, odd in ((first, -1), (second, 1)):
        with file_path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, ["item", "label"], extrasaction="ignore")
            writer.writeheader()
            for row in reversed(rows):
                number = int(row["item"])
                label = NOISE if told["items"][number - 1][1] else SIGNAL
                writer.writerow(row | {"label": UNSURE if number == odd else f" {label.upper()} "})
    done = run("score", "--key", str(key), str(first), str(second), "--json")
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert (found["used"], found["unsure"]) == (len(rows) - 1, 1)
    assert found["synthetic"] is True
    assert [each["signs"] for each in found["thresholds"]] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert found["thresholds"][0]["prevalence"] == pytest.approx(found["thresholds"][0]["flagged"])
    assert "Cohen's kappa" in run("score", "--key", str(key), str(first), str(second)).output


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("item,label\n1,spam\n", "spam is no label"),
        ("item,label\n99,noise\n", "there is no item 99"),
        ("item,label\n1,noise\n1,noise\n", "item 1 is there twice"),
        ("number,label\n1,noise\n", "no columns item and label"),
        ("", "no columns item and label"),
    ],
)
def test_what_cannot_be_read_is_one_clear_line(tmp_path: Path, content: str, said: str) -> None:
    key, labels = tmp_path / "key.json", tmp_path / "labels.csv"
    key.write_text(
        json.dumps({"snapshot_id": "x", "crawl_id": 1, "synthetic": True, "seed": 1, "rooms_by_score": {"0": 1},
                    "items": [["!a", 0]]})
    )  # fmt: skip
    labels.write_text(content)
    done = run("score", "--key", str(key), str(labels))
    assert done.exit_code == 2
    assert said in done.output
    key.write_text("[]")
    assert "is no key of an audit" in run("score", "--key", str(key), str(labels)).output


def test_without_a_census_there_is_nothing_to_draw(tmp_path: Path) -> None:
    from analytics.cli_audit import audit
    from tests.dashboard.federation import publish, write_census

    path = tmp_path / "limited.duckdb"
    write_census(path, servers=5, scope=CrawlScope.LIMITED)
    publish(path)
    with pytest.raises(UsageError, match="no census with listed rooms"):
        CliRunner().invoke(audit, ["draw", "--db", str(path)], catch_exceptions=False)
