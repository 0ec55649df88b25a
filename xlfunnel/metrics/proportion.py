"""A share of cases with the interval that so few cases deserve."""

from functools import lru_cache
from math import nan
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

Floats = NDArray[np.float64]

CONFIDENCE = 0.95


class Proportion(NamedTuple):
    """rate = k ÷ n, 0…1, inside low…high; all NaN without cases."""

    rate: float
    low: float
    high: float


@lru_cache(maxsize=8)
def _z(confidence: float) -> float:
    """The quantile of the normal distribution that leaves half of the rest above."""
    return float(ndtri((1 + confidence) / 2))


class Proportions(NamedTuple):
    """Many proportions: a `Proportion` of arrays."""

    rate: Floats
    low: Floats
    high: Floats


def wilson(k: float, n: float, confidence: float = CONFIDENCE) -> Proportion:
    """k of n cases with Wilson's score interval (1927), without continuity correction.

    Unlike rate ± 1.96 standard errors it stays within 0…1 and is not empty at k = 0 or k = n.
    Raises ValueError unless 0 ≤ k ≤ n and 0 < confidence < 1.
    """
    if not 0 <= k <= n:
        raise ValueError(f"{k} of {n} is no share")
    if not 0 < confidence < 1:
        raise ValueError(f"a confidence of {confidence} is none")
    if n == 0:
        return Proportion(nan, nan, nan)
    rate, (low, high) = k / n, _limits(k, n, confidence)
    # At the ends the bound is the rate itself; rounding must not put it on the other side.
    return Proportion(rate, 0.0 if k == 0 else min(rate, low), 1.0 if k == n else max(rate, high))


def wilsons(k: ArrayLike, n: ArrayLike, confidence: float = CONFIDENCE) -> Proportions:
    """`wilson` of many; 0 ≤ k ≤ n."""
    part, whole = np.asarray(k, dtype=float), np.asarray(n, dtype=float)
    with np.errstate(invalid="ignore"):
        rate, (low, high) = part / whole, _limits(part, whole, confidence)
    at_ends = np.where(part == 0, rate, np.minimum(rate, low)), np.where(part == whole, rate, np.maximum(rate, high))
    return Proportions(rate, *at_ends)


def _limits(k: Any, n: Any, confidence: float) -> tuple[Any, Any]:
    """Wilson's interval as it comes out of the formula, of numbers or of arrays."""
    z2 = _z(confidence) ** 2
    centre = (k + z2 / 2) / (n + z2)
    reach = (z2 * (k * (n - k) / n + z2 / 4)) ** 0.5 / (n + z2)
    return centre - reach, centre + reach
