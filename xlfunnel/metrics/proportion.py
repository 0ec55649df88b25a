"""A share of cases with the interval that so few cases deserve."""

from functools import lru_cache
from math import nan, sqrt
from typing import NamedTuple

from scipy.special import ndtri

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
    z2 = _z(confidence) ** 2
    rate = k / n
    centre = (k + z2 / 2) / (n + z2)
    reach = sqrt(z2 * (k * (n - k) / n + z2 / 4)) / (n + z2)
    # At the ends the bound is the rate itself; rounding must not put it on the other side.
    low = 0.0 if k == 0 else min(rate, centre - reach)
    high = 1.0 if k == n else max(rate, centre + reach)
    return Proportion(rate, low, high)
