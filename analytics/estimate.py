"""What every estimator returns, and the one policy for inputs that are empty, single, equal or full of zeros.

Apart, and without numpy, so that a number's honesty (its interval, what the interval means, what it rests on) has one
shape from the formula to the screen.

Policy, held by tests for every estimator:

- *Malformed* input (negative, not finite, absent, not whole where things are counted, impossible as a table) is a fault
  of the caller: `ValueError`. An absent amount is not a zero; whoever has gaps says beforehand what they mean.
- *Empty* input, or nothing but zeros, yields no value: `value` is None and `method` says why. Never 0, never NaN: the
  concentration of nothing is not 0.
- *Zeros* are units without a share. They change nothing but the Gini coefficient and the Lorenz curve, where the caller
  must say whether they are `"in"` or `"out"`; `n` is the population that was used.
- *One* unit holds everything: HHI 1, effective number 1, Nakamoto 1, Gini 0. What needs two sightings (Chao, coverage,
  bootstrap) yields no value, or a value without an interval, and says so.
- *Equal* units: HHI 1/n, every Hill number n, Gini 0.
- An interval is only given where something measures the spread. A variance formula that gives 0 because the sample has
  no variation is no certainty: then `interval_kind` is `NONE`, unless a published form covers the case. A bootstrap
  whose draws all agree is the exception: it returns the width of zero that it found.
- The interval holds the value. Where a method would leave it outside (a plug-in number that resampling can only lower),
  the interval is widened to it and `method` says so.
"""

import math
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Self


class IntervalKind(StrEnum):
    """What `lo` and `hi` mean."""

    CONFIDENCE = "confidence"
    """Drawn from a model of chance: repeated, it would hold the truth at the stated rate if the model were right."""
    BOUNDS = "bounds"
    """The truth lies between; an open end is None."""
    SCENARIO = "scenario"
    """What the value would be under stated assumptions; says nothing about chance."""
    NONE = "none"
    """There is no interval; both ends are None."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number, its interval and what it rests on.

    `value` is None when nothing could be computed; `method` then says why. `n` is how many units it rests on (each
    estimator says which). `standard_error` is there where the method has one.
    """

    value: float | None
    lo: float | None
    hi: float | None
    interval_kind: IntervalKind
    n: int
    method: str
    standard_error: float | None = None

    def __post_init__(self) -> None:
        """Refuse an estimate that contradicts itself; it would be a fault of ours, never of the data."""
        for problem in self._problems():
            raise ValueError(f"{self.method}: {problem}")

    def _problems(self) -> list[str]:
        found: list[str] = []
        numbers = [x for x in (self.value, self.lo, self.hi, self.standard_error) if x is not None]
        if not all(math.isfinite(number) for number in numbers):
            found.append("numbers must be finite; what is not known is None")
        if self.value is None and (len(numbers) > 0 or self.interval_kind is not IntervalKind.NONE):
            found.append("no value, no interval")
        if (self.interval_kind is IntervalKind.NONE) != (self.lo is None and self.hi is None):
            found.append("an interval has a kind and at least one end")
        if self.value is not None:
            lo, hi = (self.value if end is None else end for end in (self.lo, self.hi))
            if not lo <= self.value <= hi:
                found.append(f"{self.value} lies outside {self.lo} to {self.hi}")
        if self.n < 0 or not self.method:
            found.append("n cannot be negative and the method must be named")
        return found

    @classmethod
    def exact(cls, value: float, n: int, method: str) -> Self:
        """A number computed from everything there is: no interval."""
        return cls(float(value), None, None, IntervalKind.NONE, n, method)

    @classmethod
    def unknown(cls, n: int, method: str, why: str) -> Self:
        """No number: `why` is put behind the method's name."""
        return cls(None, None, None, IntervalKind.NONE, n, f"{method}: {why}")

    def complement(self) -> Self:
        """One minus a share, with the ends of its interval turned round; no value stays none."""
        if self.value is None:
            return self
        lo, hi = (None if end is None else 1.0 - end for end in (self.hi, self.lo))
        return replace(self, value=1.0 - self.value, lo=lo, hi=hi)
