"""What the estimators accept: arrays of non-negative, finite numbers, whole ones where things are counted.

Apart, so that malformed input fails in one place with one message (see the policy in `analytics.estimate`). Lists,
numpy arrays and polars series are taken alike; a null of polars arrives as NaN and is refused.
"""

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

FloatArray: TypeAlias = npt.NDArray[np.float64]
IntArray: TypeAlias = npt.NDArray[np.int64]
BoolArray: TypeAlias = npt.NDArray[np.bool_]

LARGEST_WHOLE = 2**53
"""Above this a float no longer holds every whole number."""


def checked_amounts(values: npt.ArrayLike) -> FloatArray:
    """The amounts as floats, in the order given.

    Raises:
        ValueError: not one-dimensional, negative, absent or not finite.
    """
    amounts = np.asarray(values, dtype=np.float64)
    if amounts.ndim != 1:
        raise ValueError(f"amounts must be one-dimensional, these have {amounts.ndim} dimensions")
    if not np.all(np.isfinite(amounts)):
        raise ValueError("amounts must be finite; an absent amount is not a zero")
    if np.any(amounts < 0):
        raise ValueError("amounts cannot be negative")
    return amounts


def checked_counts(values: npt.ArrayLike) -> IntArray:
    """The counts as whole numbers, in the order given.

    Raises:
        ValueError: as for amounts, or not whole, or too large to be exact.
    """
    amounts = checked_amounts(values)
    if np.any(amounts != np.floor(amounts)):
        raise ValueError("counts must be whole numbers")
    if amounts.sum() > LARGEST_WHOLE:
        raise ValueError(f"counts that sum to more than {LARGEST_WHOLE} are not exact")
    return amounts.astype(np.int64)


def checked_whole(number: int, name: str) -> int:
    """One count.

    Raises:
        ValueError: negative or not whole.
    """
    if number != int(number) or number < 0:
        raise ValueError(f"{name} must be a whole number, not negative: {number}")
    return int(number)
