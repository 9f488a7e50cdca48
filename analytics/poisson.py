"""Poisson regression with logarithmic link: the fit under the log-linear models.

Apart and our own, because capture tables are small, spiky and often fitted exactly: statsmodels divides by zero degrees
of freedom there and warns of "perfect separation" where a perfect fit is right, and its Newton steps overflow. Steps
here are halved until the likelihood rises, which on a concave likelihood ends at its maximum if there is one.
statsmodels is the oracle of the tests.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln

from analytics.amounts import FloatArray

STEPS_MAX = 100
HALVINGS_MAX = 60
EXPONENT_MAX = 300.0
"""No cell expects e^300 units: a step that says so went too far."""
NEAR = 1e-4
CONVERGED = 1e-12
"""Twice what there still is to be gained in likelihood, as the quadratic through the point says (Newton's
decrement)."""


@dataclass(frozen=True, slots=True, eq=False)
class PoissonFit:
    """Coefficients in the order of the design's columns, their covariance, and Akaike's criterion."""

    coefficients: FloatArray
    covariance: FloatArray
    aic: float


def poisson_regression(design: FloatArray, counts: FloatArray) -> PoissonFit | None:
    """Maximise sum(y eta - exp(eta)) with eta = design @ coefficients by Newton's method (McCullagh and Nelder 1989).

    The caller makes sure that there is a maximum and that the columns are independent. None if the steps did not get
    there.
    """
    coefficients = np.asarray(np.linalg.lstsq(design, np.log(counts + 0.5), rcond=None)[0], dtype=np.float64)
    for _ in range(STEPS_MAX):
        means = np.exp(np.minimum(design @ coefficients, EXPONENT_MAX))
        score = design.T @ (counts - means)
        information = design.T @ (design * means[:, None])
        try:
            step = np.asarray(np.linalg.solve(information, score), dtype=np.float64)
        except np.linalg.LinAlgError:
            return None
        to_gain = score @ step
        # Near the top the gain is smaller than the rounding of the likelihood, which would then refuse good steps.
        coefficients = coefficients + step if to_gain < NEAR else _rising(design, counts, coefficients, step)
        if to_gain <= CONVERGED:
            return _fitted(design, counts, coefficients)
    return None


def _rising(design: FloatArray, counts: FloatArray, coefficients: FloatArray, step: FloatArray) -> FloatArray:
    """The coefficients after as much of the step as lets the likelihood rise; unchanged if no part of it does."""
    before = _likelihood(design, counts, coefficients)
    for halving in range(HALVINGS_MAX):
        after: FloatArray = coefficients + step / 2**halving
        if _likelihood(design, counts, after) >= before:
            return after
    return coefficients


def _likelihood(design: FloatArray, counts: FloatArray, coefficients: FloatArray) -> float:
    """The logarithm, without the part that only the counts decide."""
    eta = design @ coefficients
    return -np.inf if eta.max() > EXPONENT_MAX else float(counts @ eta - np.exp(eta).sum())


def _fitted(design: FloatArray, counts: FloatArray, coefficients: FloatArray) -> PoissonFit:
    means = np.exp(design @ coefficients)
    whole_likelihood = _likelihood(design, counts, coefficients) - float(gammaln(counts + 1).sum())
    return PoissonFit(
        coefficients=coefficients,
        covariance=np.asarray(np.linalg.inv(design.T @ (design * means[:, None])), dtype=np.float64),
        aic=2 * coefficients.size - 2 * whole_likelihood,
    )
