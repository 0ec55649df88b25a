"""Time to leave, and to advance, of cases of which some are not over yet: Kaplan-Meier, Aalen-Johansen, log-rank.

All take weighted days as the histogram frames hold them: `days[i]` was seen `count[i]` times, ended in kind[i]. At a
tie, what ends does so before what is cut off: a case censored on day t was still there when others ended on day t.
A case of no length that ended on day 0 counts: the curve then starts below 1.
"""

from math import exp, inf, isnan, log, nan, sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import chdtrc, ndtri

from xlfunnel.metrics.proportion import CONFIDENCE, Proportion, wilson

Floats = NDArray[np.float64]

CENSORED, EVENT, COMPETING = 0, 1, 2
"""What ended a case: nothing yet; what is asked for; something else, after which it cannot happen any more."""

_NEAR = 1e-9
"""Curves are products of fractions: so near to a level, a curve stands on it."""


class LifeTable(NamedTuple):
    """One row a distinct day, ascending: cases still there as it begins, and how many ended on it."""

    day: Floats
    at_risk: Floats
    events: Floats
    competing: Floats

    @property
    def ended(self) -> Floats:
        """Endings of either kind."""
        return self.events + self.competing


class Quantiles(NamedTuple):
    """Days by which a quarter, half, three quarters and nine tenths have ended; NaN where the curve is not so low."""

    q25: float
    median: float
    q75: float
    p90: float


def life_table(days: ArrayLike, kind: ArrayLike, count: ArrayLike) -> LifeTable:
    """The life table of weighted cases; kind is CENSORED, EVENT or COMPETING each."""
    place, weight, what = np.asarray(days), np.asarray(count, dtype=float), np.asarray(kind)
    if place.dtype.kind == "i" and place.min(initial=0) >= 0:
        met = np.flatnonzero(np.bincount(place))  # whole days are counted as they are, without sorting them
        day = met.astype(float)
    else:
        day, place = np.unique(place.astype(float), return_inverse=True)
        met = np.arange(len(day))
    seen, events, competing = (
        np.bincount(place[chosen], weight[chosen], met[-1] + 1 if len(met) else 0)[met].astype(np.float64)
        for chosen in (slice(None), what == EVENT, what == COMPETING)
    )
    return LifeTable(day, seen[::-1].cumsum()[::-1], events, competing)


def kaplan_meier(table: LifeTable) -> Floats:
    """S(t) after each day of the table: Π over days ≤ t of (1 − ended ÷ at risk). Kaplan and Meier 1958."""
    return np.cumprod(1 - table.ended / table.at_risk).astype(np.float64)


def quantile(table: LifeTable, share: float) -> float:
    """The day by which `share` (0…1) of the cases have ended; NaN while the curve is not so low.

    The first day with S ≤ 1 − share. If S stands at exactly 1 − share for a while, the middle between the first day of
    that and the day on which it falls again, as R's survfit and, where nothing is censored, the ordinary median have
    it (10 and 20 days: 15); if it never falls again, the first day.
    """
    return _quantile(table.day, kaplan_meier(table), share)


def quantiles(table: LifeTable) -> Quantiles:
    """Quartiles, median and 90th percentile of the days to the end, of whichever kind."""
    survival = kaplan_meier(table)
    return Quantiles(*(_quantile(table.day, survival, share) for share in (0.25, 0.5, 0.75, 0.9)))


def _quantile(day: Floats, survival: Floats, share: float) -> float:
    level = 1 - share
    down = np.flatnonzero(survival <= level + _NEAR)
    if not len(down):
        return nan
    first = down[0]
    if survival[first] >= level - _NEAR:
        below = down[survival[down] < level - _NEAR]
        if len(below):
            return float(day[first] + day[below[0]]) / 2
    return float(day[first])


def cumulative_incidence(table: LifeTable, horizon: float, confidence: float = CONFIDENCE) -> Proportion:
    """Share of cases in which the event comes within `horizon` days, other endings competing, with its interval.

    Aalen and Johansen 1978: F = Σ over days t ≤ horizon of S(t−) · events ÷ at risk, S being the curve of all endings.
    Unlike 1 − Kaplan-Meier with the competing endings censored it does not count on what can no longer happen.

    Interval: the delta-method variance that is Greenwood's formula where nothing competes (Marubini and Valsecchi 1995,
    10.12; Gaynor et al. 1993), on the log(−log) scale, so inside 0…1: F^exp(±z·se ÷ (F·log F)). At F = 0 or 1, where
    that is undefined, Wilson's for as many cases as had ended or were still there by then.

    NaN if nobody is there at the horizon and not all have ended: nothing was observed for so long.
    """
    upto = table.day <= horizon
    if isnan(horizon) or not len(table.day):
        return Proportion(nan, nan, nan)
    _, at_risk, events, competing = (values[upto] for values in table)
    ended = events + competing
    survival = np.cumprod(1 - ended / at_risk)
    last_seen = float(table.day[-1])
    if last_seen < horizon and len(survival) and survival[-1] > _NEAR:
        return Proportion(nan, nan, nan)
    before = np.append(1.0, survival[:-1]) if len(survival) else survival
    incidence = np.cumsum(before * events / at_risk)
    rate = min(float(incidence[-1]), 1.0) if len(incidence) else 0.0
    if rate <= _NEAR or rate >= 1 - _NEAR:
        rate = float(rate > 0.5)
        known = float(ended.sum()) + _still_there(table, horizon)
        return Proportion(rate, *wilson(rate * known, known, confidence)[1:])
    rest = rate - incidence
    left = at_risk - ended
    with np.errstate(divide="ignore", invalid="ignore"):
        greenwood = np.where(left > 0, rest**2 * ended / (at_risk * left), 0.0)
    variance = (
        greenwood + before**2 * events * (at_risk - events) / at_risk**3 - 2 * rest * before * events / at_risk**2
    ).sum()
    reach = float(ndtri((1 + confidence) / 2)) * sqrt(max(variance, 0.0)) / (rate * log(rate))
    low, high = sorted((rate ** exp(reach), rate ** exp(-reach)))
    return Proportion(rate, low, high)


def _still_there(table: LifeTable, horizon: float) -> float:
    """Cases seen for the whole horizon that had not ended by its last day."""
    at = int(np.searchsorted(table.day, horizon))
    if at == len(table.day):
        return 0.0
    return float(table.at_risk[at] - (table.ended[at] if table.day[at] == horizon else 0.0))


def log_rank(one: LifeTable, other: LifeTable) -> float:
    """p of the log-rank test that the two curves of endings are one (Mantel 1966; chi-square, 1 degree of freedom).

    NaN where nothing ended, or never while both had cases at risk.
    """
    day = np.union1d(one.day[one.ended > 0], other.day[other.ended > 0])
    (n1, d1), (n2, d2) = _at(one, day), _at(other, day)
    n, d = n1 + n2, d1 + d2
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = np.where(n > 1, n1 * n2 * d * (n - d) / (n**2 * (n - 1)), 0.0).sum()
    if not spread > 0:
        return nan
    excess = (d1 - d * n1 / n).sum()
    return float(chdtrc(1, excess**2 / spread))


def _at(table: LifeTable, day: Floats) -> tuple[Floats, Floats]:
    """Cases at risk, and endings, on given days."""
    place = np.searchsorted(table.day, day)
    at_risk = np.append(table.at_risk, 0.0)[place]
    exact = np.append(table.day, inf)[place] == day
    return at_risk, np.where(exact, np.append(table.ended, 0.0)[place], 0.0)
