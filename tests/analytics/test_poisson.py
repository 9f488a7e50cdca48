"""Poisson regression against statsmodels, a general optimiser and closed forms."""

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from analytics.poisson import poisson_regression


def test_the_level_alone_is_the_mean() -> None:
    fit = poisson_regression(np.ones((4, 1)), np.array([3.0, 5.0, 0.0, 4.0]))
    assert fit is not None
    assert np.exp(fit.coefficients[0]) == pytest.approx(3)
    assert fit.covariance[0, 0] == pytest.approx(1 / 12)


@settings(max_examples=60)
@given(st.integers(0, 2**32 - 1), st.floats(0.5, 6))
def test_statsmodels(seed: int, log_size: float) -> None:
    rng = np.random.default_rng(seed)
    design = np.column_stack([np.ones(12), rng.normal(0, 1, (12, 3))])
    counts = rng.poisson(np.exp(np.clip(log_size + design[:, 1:] @ [0.5, -0.3, 0.1], -2, 12))).astype(float) + 1
    theirs = sm.GLM(counts, design, family=sm.families.Poisson()).fit(maxiter=500, tol=1e-13)
    fit = poisson_regression(design, counts)
    assert fit is not None
    np.testing.assert_allclose(fit.coefficients, theirs.params, rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(fit.covariance, theirs.cov_params(), rtol=1e-5, atol=1e-9)
    assert fit.aic == pytest.approx(theirs.aic, rel=1e-9)


def test_a_general_optimiser() -> None:
    design = np.column_stack([np.ones(6), np.arange(6.0), np.arange(6.0) ** 2])
    counts = np.array([4.0, 9.0, 7.0, 12.0, 3.0, 1.0])

    def loss(coefficients: np.ndarray) -> float:
        eta = design @ coefficients
        return float(np.exp(eta).sum() - counts @ eta)

    theirs = minimize(
        loss, np.array([1.0, 0.0, 0.0]), method="Nelder-Mead", options={"xatol": 1e-10, "fatol": 1e-12, "maxiter": 5000}
    )
    fit = poisson_regression(design, counts)
    assert fit is not None
    np.testing.assert_allclose(fit.coefficients, theirs.x, rtol=1e-5)


def test_a_perfect_fit_is_no_fault() -> None:
    """As many parameters as cells: the counts themselves. statsmodels divides by zero degrees of freedom here."""
    design, counts = np.array([[1.0, 0.0], [1.0, 1.0]]), np.array([2.0, 50.0])
    fit = poisson_regression(design, counts)
    assert fit is not None
    np.testing.assert_allclose(np.exp(design @ fit.coefficients), counts, rtol=1e-9)


def test_a_spiky_table_converges() -> None:
    """Ten million in one cell beside single units: undamped Newton steps overflow on it."""
    histories = np.arange(1, 16)
    lists = (histories[:, None] >> np.arange(4)) & 1
    design = np.column_stack([np.ones(15), lists]).astype(float)
    counts = np.array([3, 1, 30, 43, 65, 4, 11, 1e7, 1, 19, 2, 31, 11, 3, 15])
    fit = poisson_regression(design, counts)
    assert fit is not None
    np.testing.assert_allclose(design.T @ np.exp(design @ fit.coefficients), design.T @ counts, rtol=1e-9)


def test_columns_that_depend_on_each_other_give_nothing() -> None:
    assert poisson_regression(np.array([[1.0, 0.0], [1.0, 0.0]]), np.array([2.0, 3.0])) is None
