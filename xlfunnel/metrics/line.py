"""Two lines through the same points: least squares as Excel draws it, and Theil-Sen, which no odd month can tilt."""

from math import fsum, nan, sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr, stdtrit

from xlfunnel.metrics.kendall import pairs, spread, ties

Floats = NDArray[np.float64]

_EPSILON = float(np.finfo(float).eps)
_CONFIDENCE = 0.95
_Z = 1.959963984540054  # two-sided 95 % of the normal distribution
_SEN_NEEDS = 5  # with 4 points Sen's ranks lie outside the slopes: even least…greatest covers only 92 %


class LeastSquares(NamedTuple):
    """y = slope · x + intercept; r_squared as RSQ; the slope's 95 % interval and two-sided p by Student's t."""

    slope: float
    intercept: float
    r_squared: float
    slope_low: float
    slope_high: float
    p_value: float


class TheilSen(NamedTuple):
    """Median of the slopes of all pairs of points and its 95 % interval."""

    slope: float
    low: float
    high: float


def least_squares(x: Floats, y: Floats) -> LeastSquares:
    """Ordinary least squares with centred data (NIST StRD: raw sums of squares lose all digits at x + 1e8).

    x, y  same length, no NaN. Everything is NaN without two different x. A flat y has a line (slope 0), but no R²,
    interval or p: there is nothing to explain. Two points have a line and R² 1, but no interval or p.
    """
    n = len(x)
    if n < 2 or is_flat(x):
        return LeastSquares(nan, nan, nan, nan, nan, nan)
    dx, mean_x = _centred(x)
    dy, mean_y = _centred(y)
    if is_flat(y):
        return LeastSquares(0.0, mean_y, nan, nan, nan, nan)
    sxx, syy = fsum(dx * dx), fsum(dy * dy)
    slope = fsum(dx * dy) / sxx
    left_over = dy - slope * dx
    sse = fsum(left_over * left_over)
    intercept = mean_y - slope * mean_x
    r_squared = min(1.0, max(0.0, 1 - sse / syy))
    if n == 2:
        return LeastSquares(slope, intercept, 1.0, nan, nan, nan)
    error = sqrt(sse / (n - 2) / sxx)
    reach = float(stdtrit(n - 2, (1 + _CONFIDENCE) / 2)) * error
    p = 2 * float(stdtr(n - 2, -abs(slope) / error)) if error else float(slope == 0)
    return LeastSquares(slope, intercept, r_squared, slope - reach, slope + reach, p)


def theil_sen(x: Floats, y: Floats) -> TheilSen:
    """Theil-Sen slope with Sen's (1968, eq. 2.6) interval, ranks rounded as `scipy.stats.theilslopes` does.

    x, y  same length, no NaN. NaN without two different x. The interval is NaN for a flat y, where ties in both
    leave Sen's variance below 0, and under five points: scipy gives the least and greatest slope there, which cover
    less than they promise.
    """
    if len(x) < 2 or is_flat(x):
        return TheilSen(nan, nan, nan)
    first, second = pairs(len(x))
    rises, runs = y[second] - y[first], x[second] - x[first]
    slopes = np.sort(rises[runs != 0] / runs[runs != 0])
    slope = float(slopes[(len(slopes) - 1) // 2] + slopes[len(slopes) // 2]) / 2
    if len(x) < _SEN_NEEDS or is_flat(y):
        return TheilSen(slope, nan, nan)
    variance = _variance_of_s(x, y)
    if variance < 0:
        return TheilSen(slope, nan, nan)
    reach = _Z * sqrt(variance)
    low = max(round((len(slopes) - reach) / 2) - 1, 0)
    high = min(round((len(slopes) + reach) / 2), len(slopes) - 1)
    return TheilSen(slope, float(slopes[low]), float(slopes[high]))


def is_flat(values: Floats) -> bool:
    """True if all values are alike, save for the last bit or two of sums of decimals."""
    if not len(values):
        return True
    low, high = float(values.min()), float(values.max())
    return high - low <= 4 * _EPSILON * max(-low, high)


def _centred(values: Floats) -> tuple[Floats, float]:
    """Deviations from the mean, and the mean. The first value is taken off before: at 1e12 a mean has no cents."""
    shifted = values - values[0]
    mean = fsum(shifted) / len(values)
    return shifted - mean, float(values[0]) + mean


def _variance_of_s(x: Floats, y: Floats) -> float:
    return (spread((len(x),)) - spread(ties(x)) - spread(ties(y))) / 18
