"""`bench population`: how often the intervals of the population estimates hold the truth.

The population must be known for that, so it is simulated (`analytics.simulated`); the leads of each simulated crawl go
through the same function as those of a real one.
"""

import json
import sys
from collections import defaultdict
from collections.abc import Callable

import click
import numpy as np

from analytics.simulated import crawl_simulated, simulate
from analytics.unseen import ESTIMATED, unseen

EFFORTS = (0.25, 0.5, 0.9)
SIZES = (150, 400, 900)
OPEN_SHARES = (0.3, 0.6)
NOMINAL = 0.95


def interval_coverage(
    federations: int, seed: int, progress: Callable[[int, int], None] | None = None
) -> dict[str, dict[str, float | int | None]]:
    """For each estimator, how often its 95 % interval holds the true number of servers, over simulated federations.

    The truth is the number of servers that share a public room with another: those that no lead can name are in no
    estimate by definition, and are told by `bench population` apart. `n` counts the crawls in which the estimator gave
    an interval, `without` those in which it gave none; `bias` is the median of estimate/truth, 1 when there is none.
    """
    held: dict[str, list[bool]] = defaultdict(list)
    ratio: dict[str, list[float]] = defaultdict(list)
    without: dict[str, int] = defaultdict(int)
    for number in range(federations):
        rng = np.random.default_rng([seed, number])
        federation = simulate(SIZES[number % len(SIZES)], OPEN_SHARES[number % len(OPEN_SHARES)], rng)
        truth = federation.reachable_size
        for effort in EFFORTS:
            snapshot = crawl_simulated(federation, effort, rng)
            for row in unseen(snapshot):
                if row.metric != ESTIMATED or row.dimension.startswith("Chapman"):
                    continue
                if row.value is None or row.lo is None or row.hi is None:
                    without[row.dimension] += 1
                else:
                    held[row.dimension].append(row.lo <= truth <= row.hi)
                    ratio[row.dimension].append(row.value / truth)
            observed = snapshot.observations.height
            ratio["observed"].append(observed / truth)
            held["observed"].append(observed == truth)
        if progress is not None:
            progress(number + 1, federations)
    return {
        name: {
            "nominal": None if name == "observed" else NOMINAL,
            "actual": float(np.mean(of)),
            "n": len(of),
            "without": without[name],
            "bias": float(np.median(ratio[name])),
        }
        for name, of in sorted(held.items())
    }


@click.command(short_help="How often the 95 % intervals of the population estimates hold the truth.")
@click.option("--federations", type=click.IntRange(min=1), default=200, show_default=True, metavar="N")
@click.option(
    "--seed", type=int, default=1, show_default=True, metavar="S", help="The same seed, the same federations."
)
def population(federations: int, seed: int) -> None:
    """Simulate federations of known size, crawl each at several efforts, and print one JSON object.

    For each estimator: the nominal coverage of its interval, the actual one, in how many crawls it gave an interval (n)
    and in how many none (without), and the median of estimate over truth (bias). The row observed says what counting
    alone gives.
    """
    with click.progressbar(length=federations, label="federations", file=sys.stderr) as bar:
        found = interval_coverage(federations, seed, lambda *_: bar.update(1))
    click.echo(json.dumps(found, indent=1))
