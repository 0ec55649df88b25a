"""The line through a monthly series, and what may honestly be said of it.

R² alone misleads: six trendless months give R² above 0.5 in 11 % of cases. So beside the consultant's equation, always
shown, stands a verdict from the LADDER below: the longer the series, the more it may claim, and the more must agree.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import isnan
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from xlfunnel.facts import Facts
from xlfunnel.metrics import control, line
from xlfunnel.metrics.kendall import kendall
from xlfunnel.metrics.reserve import SpanSeries, complete_months
from xlfunnel.settings import Settings
from xlfunnel.terms import SPANS, Measure, Verdict

ALPHA = 0.05
NO_DIRECTION = 0.5
"""A p value from which a direction is not worth naming: the other one would surprise as little."""


class TrendFit(NamedTuple):
    """The line through a series, x = 1…n unless given, with the evidence for it.

    slope            units of the series per month (per unit of x)
    intercept        fitted value at x = 0, as Excel's INTERCEPT
    r_squared        share of variance explained, 0…1, as RSQ; NaN for a flat series
    n                points used: those with a number in both x and the series
    slope_low/high   95 % interval of the slope by Student's t; NaN under 3 points
    p_value          two-sided, of "slope is 0"; NaN under 3 points and for a flat series
    theil_sen_…      median slope of all pairs, and its 95 % interval; the interval NaN under 5 points
    kendall_tau      tau-b, −1…1; NaN for a flat series
    kendall_p        two-sided p of "no trend", exact (see `metrics.kendall`); NaN for a flat series
    verdict          see LADDER
    xmr              centre, low, high: mean ± 2.66 × mean moving range; NaN under 12 points
    flow_p           two-sided p of "the mean monthly change is 0"; NaN under 12 points
    """

    slope: float
    intercept: float
    r_squared: float
    n: int
    slope_low: float
    slope_high: float
    p_value: float
    theil_sen_slope: float
    theil_sen_low: float
    theil_sen_high: float
    kendall_tau: float
    kendall_p: float
    verdict: Verdict
    xmr: control.Limits
    flow_p: float


class Evidence(NamedTuple):
    """What the ladder looks at.

    n          points with a line through them (0 if all x are alike)
    flat       all values alike
    direction  −1 down, 1 up, 0 where the least-squares slope and Kendall's S contradict each other
    least_p    the smaller of the least-squares and Kendall p
    ordered    exact Kendall p below 0.05, and the Theil-Sen interval wholly on the side of `direction`
    backed     the monthly flows or the XmR limits agree (12 points and more; see `metrics.control`)
    """

    n: int
    flat: bool
    direction: int
    least_p: float
    ordered: bool
    backed: bool


class Rung(NamedTuple):
    """If `holds`, the verdict is `down` or `up` by direction; the first rung that holds decides."""

    why: str
    holds: Callable[[Evidence], bool]
    down: Verdict
    up: Verdict


LADDER = (
    Rung("nothing to draw through", lambda e: e.n == 0, Verdict.NO_DATA, Verdict.NO_DATA),
    Rung("under 4 months no line", lambda e: e.n < 4, Verdict.TOO_SHORT, Verdict.TOO_SHORT),
    Rung("every month the same", lambda e: e.flat, Verdict.FLAT, Verdict.FLAT),
    Rung(
        "no direction worth naming",
        lambda e: e.direction == 0 or not e.least_p < NO_DIRECTION,
        Verdict.NO_TREND,
        Verdict.NO_TREND,
    ),
    Rung("4-5 months only indicate", lambda e: e.n < 6, Verdict.INDICATIVE_DECLINING, Verdict.INDICATIVE_GROWING),
    Rung("6-11 months in clear order", lambda e: e.n < control.NEEDS and e.ordered, Verdict.DECLINING, Verdict.GROWING),
    Rung("12 months, backed as well", lambda e: e.ordered and e.backed, Verdict.DECLINING, Verdict.GROWING),
    Rung("a line, but thin evidence", lambda e: True, Verdict.DECLINING_THIN, Verdict.GROWING_THIN),
)


@dataclass(frozen=True)
class Trend:
    """One monthly series and the line through it.

    region  None = all regions together
    owner   None = the whole region
    span    one of SPANS
    measure count (opportunities) or amount (currency units)
    months  month numbers, one a value: complete months only
    values  reserve at the month's end
    """

    region: str | None
    owner: str | None
    span: str
    measure: Measure
    months: tuple[int, ...]
    values: tuple[float, ...]
    fit: TrendFit


def fit(values: ArrayLike, x: ArrayLike | None = None) -> TrendFit:
    """The line through `values`, in the order of time, over `x` (1…n if None), any numbers in any order.

    A pair with NaN, None or infinity in it is left out; the others keep their x. Raises ValueError if the
    lengths differ.
    """
    y = np.asarray(values, dtype=float).ravel()
    at = np.arange(1.0, len(y) + 1) if x is None else np.asarray(x, dtype=float).ravel()
    if len(at) != len(y):
        raise ValueError(f"x has {len(at)} numbers, the series {len(y)}")
    used = np.isfinite(at) & np.isfinite(y)
    order = np.argsort(at[used], kind="stable")
    at, y = at[used][order], y[used][order]

    ols, robust, rank = line.least_squares(at, y), line.theil_sen(at, y), kendall(at, y)
    flow_p = control.flow_p_value(at, y)
    direction = _direction(ols.slope, rank.s)
    evidence = Evidence(
        n=len(y) if ols.slope == ols.slope else 0,
        flat=line.is_flat(y),
        direction=direction,
        least_p=min(p for p in (ols.p_value, rank.p, 1.0) if not isnan(p)),
        ordered=rank.p < ALPHA and (robust.high < 0 if direction < 0 else robust.low > 0),
        backed=control.months_back(direction, flow_p, y, ols.slope * at + ols.intercept, alpha=ALPHA),
    )
    return TrendFit(
        slope=ols.slope,
        intercept=ols.intercept,
        r_squared=ols.r_squared,
        n=len(y),
        slope_low=ols.slope_low,
        slope_high=ols.slope_high,
        p_value=ols.p_value,
        theil_sen_slope=robust.slope,
        theil_sen_low=robust.low,
        theil_sen_high=robust.high,
        kendall_tau=rank.tau,
        kendall_p=rank.p,
        verdict=verdict(evidence),
        xmr=control.xmr_limits(y),
        flow_p=flow_p,
    )


def verdict(evidence: Evidence) -> Verdict:
    """The verdict of the first rung of LADDER that holds."""
    rung = next(r for r in LADDER if r.holds(evidence))
    return rung.up if evidence.direction > 0 else rung.down


def trends(facts: Facts, settings: Settings) -> tuple[Trend, ...]:
    """Every trend of the check-up: all regions (unless there is exactly one), each region, each rep; by SPANS.

    Count and amount for regions, count for reps. Over the last `settings.trend_months` complete months (0 = all).
    """
    months = complete_months(facts, settings.trend_months)
    series = SpanSeries(facts, months)
    whole: list[str | None] = [None, *series.regions] if len(series.regions) != 1 else [*series.regions]
    wanted: list[tuple[str | None, str | None, Measure]] = [(r, None, m) for r in whole for m in Measure]
    wanted += [(region, owner, Measure.COUNT) for region, owner in series.owners]
    return tuple(
        Trend(region, owner, span, measure, months, values, fit(values))
        for region, owner, measure in wanted
        for span in SPANS
        for values in (series.values(span, measure, region, owner),)
    )


def _direction(slope: float, s: int) -> int:
    """The common direction of the drawn line and of the order of the months; either may be silent."""
    drawn = (slope > 0) - (slope < 0)  # NaN: 0
    return 0 if drawn * s < 0 else drawn
