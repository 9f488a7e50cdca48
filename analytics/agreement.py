"""How far two people agree beyond chance: Cohen's kappa.

Apart from `analytics.misclassification`, which takes one person's labels for the truth: kappa says how far that is
allowed. Empty and degenerate input: the policy in `analytics.estimate`.
"""

import math
from collections import Counter
from collections.abc import Sequence

from analytics.estimate import Estimate, IntervalKind
from analytics.proportions import critical_value


def cohen_kappa(one: Sequence[str], other: Sequence[str], confidence: float = 0.95) -> Estimate:
    """Agreement of two raters on the same items, (observed - expected) / (1 - expected).

    Range [-1, 1]: 1 when they agree on everything, 0 when as often as chance would have it, below 0 when less often.
    None when nothing was rated, or both gave one and the same label to everything: chance alone explains that. `n` is
    the number of items. Cohen 1960; the interval is normal, with the variance of Fleiss, Cohen and Everitt 1969, cut to
    [-1, 1].

    Raises:
        ValueError: not the same number of labels.
    """
    n = len(one)
    if len(other) != n:
        raise ValueError(f"{n} labels and {len(other)}; both rate the same items")
    if n == 0:
        return Estimate.unknown(0, "Cohen's kappa", "nothing was rated")
    labels = sorted({*one, *other})
    cell = Counter(zip(one, other, strict=True))
    rows = {label: one.count(label) / n for label in labels}
    columns = {label: other.count(label) / n for label in labels}
    observed = sum(cell[label, label] for label in labels) / n
    expected = sum(rows[label] * columns[label] for label in labels)
    if math.isclose(expected, 1):
        return Estimate.unknown(n, "Cohen's kappa", "both gave one and the same label to everything")
    kappa = (observed - expected) / (1 - expected)
    on_diagonal = sum(
        cell[label, label] / n * (1 - (rows[label] + columns[label]) * (1 - kappa)) ** 2 for label in labels
    )
    # The share of a cell off the diagonal counts with the margins the other way round.
    off_diagonal = (1 - kappa) ** 2 * sum(
        times / n * (columns[given] + rows[received]) ** 2
        for (given, received), times in cell.items()
        if given != received
    )
    variance = (on_diagonal + off_diagonal - (kappa - expected * (1 - kappa)) ** 2) / (n * (1 - expected) ** 2)
    half = critical_value(confidence) * math.sqrt(max(0.0, variance))
    method = f"Cohen's kappa, {confidence:.4g}"
    return Estimate(
        kappa, max(-1.0, kappa - half), min(1.0, kappa + half), IntervalKind.CONFIDENCE, n, method,
        standard_error=math.sqrt(max(0.0, variance)),
    )  # fmt: skip
