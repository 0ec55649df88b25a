"""Time to leave, and to advance, of cases of which some are not over yet: Kaplan-Meier, Aalen-Johansen, log-rank.

All take weighted days as the histogram frames hold them: `days[i]` was seen `count[i]` times, ended in kind[i]. At a
tie, what ends does so before what is cut off: a case censored on day t was still there when others ended on day t.
A case of no length that ended on day 0 counts: the curve then starts below 1.

What takes a table takes the tables of many groups as well, beside each other over the same days (`life_tables`), and
then gives an array with a value each.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import chdtrc, ndtri

from xlfunnel.metrics.levels import joined
from xlfunnel.metrics.proportion import CONFIDENCE, Proportion, Proportions, wilsons

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

CENSORED, EVENT, COMPETING = 0, 1, 2
"""What ended a case: nothing yet; what is asked for; something else, after which it cannot happen any more."""

_KINDS = 3
_NEAR = 1e-9
"""Curves are products of fractions: so near to a level, a curve stands on it."""


class LifeTable(NamedTuple):
    """Cases still there as a day begins, and how many ended on it: (day,) distinct ascending, or (group, day)."""

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

    q25: Floats
    median: Floats
    q75: Floats
    p90: Floats


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


def life_tables(days: Whole, kind: Whole, counts: Sequence[Whole], groups: Sequence[Whole]) -> list[LifeTable]:
    """The life tables of groups of cases, for each of the counts. Days are whole; a group is its cases' numbers."""
    rows, group = joined(groups)
    first = days[rows].min(initial=0)
    place = days[rows] - first
    met = np.flatnonzero(np.bincount(place))
    column = np.zeros(met[-1] + 1 if len(met) else 0, dtype=np.int64)
    column[met] = np.arange(len(met))
    shape = (_KINDS, len(groups), len(met))
    cell = (kind[rows] * len(groups) + group) * len(met) + column[place]
    found = []
    for count in counts:
        cases = np.bincount(cell, count[rows], np.prod(shape)).astype(np.float64, copy=False).reshape(shape)
        at_risk = cases.sum(axis=0)[:, ::-1].cumsum(axis=1)[:, ::-1]
        found.append(LifeTable((met + first).astype(float), at_risk, cases[EVENT], cases[COMPETING]))
    return found


def _share(part: Floats, whole: Floats) -> Floats:
    """part ÷ whole; 0 where there is nothing."""
    return np.asarray(np.divide(part, whole, out=np.zeros(np.shape(whole)), where=whole > 0))


def kaplan_meier(table: LifeTable) -> Floats:
    """S(t) after each day of the table: Π over days ≤ t of (1 − ended ÷ at risk). Kaplan and Meier 1958."""
    return np.asarray(np.cumprod(1 - _share(table.ended, table.at_risk), axis=-1))


def quantile(table: LifeTable, share: float) -> Floats:
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


def _quantile(day: Floats, survival: Floats, share: float) -> Floats:
    level, known = 1 - share, np.append(day, np.nan)
    reached, fallen = (known[(survival > limit).sum(axis=-1)] for limit in (level + _NEAR, level - _NEAR))
    return np.asarray(np.where(np.isnan(fallen), reached, (reached + fallen) / 2))


def cumulative_incidence(table: LifeTable, horizon: float, confidence: float = CONFIDENCE) -> Proportion:
    """`cumulative_incidences` of a single group."""
    alone = LifeTable(table.day, *(values[None] for values in table[1:]))
    return Proportion(*(float(v[0]) for v in cumulative_incidences(alone, np.array([horizon]), confidence)))


def cumulative_incidences(table: LifeTable, horizon: Floats, confidence: float = CONFIDENCE) -> Proportions:
    """Share of cases in which the event comes within `horizon` days, other endings competing, with its interval.

    horizon  one for each group

    Aalen and Johansen 1978: F = Σ over days t ≤ horizon of S(t−) · events ÷ at risk, S being the curve of all endings.
    Unlike 1 − Kaplan-Meier with the competing endings censored it does not count on what can no longer happen.

    Interval: the delta-method variance that is Greenwood's formula where nothing competes (Marubini and Valsecchi 1995,
    10.12; Gaynor et al. 1993), on the log(−log) scale, so inside 0…1: F^exp(±z·se ÷ (F·log F)). At F = 0 or 1, where
    that is undefined, Wilson's for as many cases as had ended or were still there by then.

    NaN without cases, and if nobody is there at the horizon and not all have ended: nothing was observed for so long.
    """
    upto = table.day <= horizon[:, None]
    at_risk, events, ended = table.at_risk, table.events * upto, table.ended * upto
    survival = np.cumprod(np.append(np.ones((len(horizon), 1)), 1 - _share(ended, at_risk), axis=-1), axis=-1)
    before = survival[:, :-1]
    incidence = np.cumsum(before * _share(events, at_risk), axis=-1)
    rate = np.minimum(incidence.max(axis=-1, initial=0.0), 1.0)
    is_edge = (rate <= _NEAR) | (rate >= 1 - _NEAR)
    rate = np.where(is_edge, np.round(rate), rate)
    rest = rate[:, None] - incidence
    variance = (
        rest**2 * _share(ended, at_risk * (at_risk - ended))
        + before**2 * _share(events * (at_risk - events), at_risk**3)
        - 2 * rest * before * _share(events, at_risk**2)
    ).sum(axis=-1)
    inside = np.where(is_edge, 0.5, rate)
    reach = float(ndtri((1 + confidence) / 2)) * np.sqrt(np.maximum(variance, 0.0)) / (inside * np.log(inside))
    low, high = np.sort([inside ** np.exp(reach), inside ** np.exp(-reach)], axis=0)
    seen, ended_then = (values.diagonal() for values in _at(table, horizon))
    known = ended.sum(axis=-1) + seen - ended_then
    edge = wilsons(rate * known, known, confidence)
    is_known = (seen > 0) | (survival[:, -1] <= _NEAR)
    limits = (rate, np.where(is_edge, edge.low, low), np.where(is_edge, edge.high, high))
    return Proportions(*(np.where(is_known, values, np.nan) for values in limits))


def log_rank(one: LifeTable, other: LifeTable) -> Floats:
    """p of the log-rank test that the two curves of endings are one (Mantel 1966; chi-square, 1 degree of freedom).

    NaN where nothing ended, or never while both had cases at risk.
    """
    day = np.union1d(one.day, other.day)
    (n1, d1), (n2, d2) = _at(one, day), _at(other, day)
    n, d = n1 + n2, d1 + d2
    spread = _share(n1 * n2 * d * (n - d), n**2 * (n - 1)).sum(axis=-1)
    excess = (d1 - d * _share(n1, n)).sum(axis=-1)
    return np.where(spread > 0, chdtrc(1, _share(excess**2, spread)), np.nan)


def _at(table: LifeTable, day: Floats) -> tuple[Floats, Floats]:
    """Cases at risk, and endings, on given days."""
    place = np.searchsorted(table.day, day)
    after = np.zeros((*table.at_risk.shape[:-1], 1))
    at_risk, ended = (np.append(values, after, axis=-1)[..., place] for values in (table.at_risk, table.ended))
    return at_risk, np.where(np.append(table.day, np.inf)[place] == day, ended, 0.0)
