"""For a year and more of months: XmR limits of a monthly series, and a test on its month-to-month changes.

A reserve is a stock. What stands at the end of April is mostly what stood at the end of March, so months lie near
their neighbours even where nothing drives them: of driftless random walks over 12 months Kendall's test calls 54 % a
trend, and 44 % go beyond their XmR limits besides. So a trend is believed only if its changes say so, or the limits
do and the months do not carry over (false alarms then: 8 % of random walks at 12 months, 6 % at 18, under 1 % of
independent months; `tests/metrics/test_false_alarms.py` counts them).
"""

from math import nan, sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr

Floats = NDArray[np.float64]

NEEDS = 12
"""Months from which limits and the test on changes mean something."""

_XMR = 2.66  # 3 / 1.128: three standard deviations from the mean range of pairs (Shewhart; Wheeler 1993)


class Limits(NamedTuple):
    """Natural process limits of a monthly series, in its units; NaN under 12 months."""

    centre: float
    low: float
    high: float


def xmr_limits(values: Floats) -> Limits:
    """Mean ± 2.66 × mean moving range; `values` in the order of time, no NaN."""
    if len(values) < NEEDS:
        return Limits(nan, nan, nan)
    centre = float(values.mean())
    reach = _XMR * float(np.abs(np.diff(values)).mean())
    return Limits(centre, centre - reach, centre + reach)


def flow_p_value(x: Floats, values: Floats) -> float:
    """Two-sided p value of "the mean monthly change is 0": Student's t over the changes, per month of distance.

    A stock is the sum of its flows, and the net flow of a month is new each month: the changes are the independent
    part, on which a t test keeps its promise. It is a strict test where months do not carry over (levels scattered
    about a line): there the limits speak.

    x rising, no NaN. NaN under 12 points, for equal x, and where nothing changes.
    """
    runs = np.diff(x)
    if len(values) < NEEDS or not (runs > 0).all():
        return nan
    changes = np.diff(values) / runs
    mean, error = float(changes.mean()), float(changes.std(ddof=1)) / sqrt(len(changes))
    if error == 0:
        return 0.0 if mean else nan
    return 2 * float(stdtr(len(changes) - 1, -abs(mean) / error))


def months_back(direction: int, flow_p: float, values: Floats, line: Floats, *, alpha: float) -> bool:
    """True if the flows or the limits speak for a trend in `direction` (−1 or 1).

    Flows: flow_p below alpha, and the series ends on that side of its start. Limits: an early month beyond the one
    limit or a late month beyond the other, counted only if the months do not carry over (Durbin-Watson of what is
    left about the line is 2 or more; Durbin & Watson 1950).

    values, line  the series and its fitted values, in the order of time
    """
    if len(values) < NEEDS:
        return False
    if flow_p < alpha and direction * (values[-1] - values[0]) > 0:
        return True
    return _signal(direction, values) and _durbin_watson(values - line) >= 2


def _signal(direction: int, values: Floats) -> bool:
    limits = xmr_limits(values)
    half = len(values) // 2
    early, late = direction * values[:half], direction * values[-half:]
    low, high = sorted((direction * limits.low, direction * limits.high))
    return bool((early < low).any() or (late > high).any())


def _durbin_watson(left_over: Floats) -> float:
    total = float(left_over @ left_over)
    changes = np.diff(left_over)
    return float(changes @ changes) / total if total else 2.0
