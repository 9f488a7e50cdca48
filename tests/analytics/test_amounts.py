"""Malformed input fails before anything is computed from it."""

import math

import numpy as np
import polars as pl
import pytest

from analytics.amounts import LARGEST_WHOLE, checked_amounts, checked_counts, checked_whole


@pytest.mark.parametrize("values", [[1, 0, 2.5], np.array([1.0, 0.0, 2.5]), pl.Series([1.0, 0.0, 2.5])])
def test_lists_arrays_and_series_are_taken_alike(values: object) -> None:
    assert checked_amounts(values).tolist() == [1.0, 0.0, 2.5]  # type: ignore[arg-type]  # three kinds on purpose


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ([1, -1], "negative"),
        ([1, math.nan], "absent"),
        ([1, math.inf], "finite"),
        (pl.Series([1, None]), "absent"),
        ([[1, 2], [3, 4]], "one-dimensional"),
    ],
)
def test_what_is_no_amount_is_refused(values: object, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        checked_amounts(values)  # type: ignore[arg-type]  # wrong on purpose


def test_counts_are_whole_and_exact() -> None:
    assert checked_counts([3.0, 0.0]).tolist() == [3, 0]
    with pytest.raises(ValueError, match="whole"):
        checked_counts([1.5])
    with pytest.raises(ValueError, match="exact"):
        checked_counts([LARGEST_WHOLE, 2.0])


def test_one_count() -> None:
    assert checked_whole(4, "n") == 4
    with pytest.raises(ValueError, match="n must be a whole number"):
        checked_whole(-1, "n")
    with pytest.raises(ValueError, match="k must be a whole number"):
        checked_whole(1.5, "k")  # type: ignore[arg-type]  # wrong on purpose
