"""The intervals of the population estimates against federations whose size is known."""

import json
from typing import Any

import numpy as np
from click.testing import CliRunner

from analytics.bench import interval_coverage, population
from analytics.simulated import crawl_simulated, simulate


def test_a_crawl_finds_only_what_leads_name_and_more_effort_finds_no_less() -> None:
    federation = simulate(200, 0.6, np.random.default_rng(7))
    whole = crawl_simulated(federation, 1.0, np.random.default_rng(1))
    part = crawl_simulated(federation, 0.3, np.random.default_rng(1))
    assert part.observations.height < whole.observations.height <= federation.size
    named = set(whole.leads["server_id"])
    assert named == set(whole.observations["server_id"])
    assert federation.reachable_size < federation.size


def test_coverage_over_twenty_federations_is_what_the_documents_say() -> None:
    found: dict[str, dict[str, Any]] = interval_coverage(20, seed=1)
    assert set(found) == {"observed", "Chao2 over answers", "log-linear over sources"}
    for name in ("Chao2 over answers", "log-linear over sources"):
        row = found[name]
        assert row["n"] + row["without"] == 60
        # Estimating from below beats counting: the median lies nearer the truth than what was seen.
        assert abs(1 - row["bias"]) < abs(1 - found["observed"]["bias"])
    assert found == interval_coverage(20, seed=1)


def test_the_verb_prints_one_json_object() -> None:
    result = CliRunner().invoke(population, ["--federations", "2"], catch_exceptions=False)
    assert json.loads(result.stdout)["Chao2 over answers"]["nominal"] == 0.95
