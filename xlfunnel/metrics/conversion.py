"""Conversion: of those that entered a stage, how many advanced. Three answers that are never mixed.

    period    advanced in the month ÷ entered in the month: the consultant's way. Two flows, not the same opportunities,
              so it can exceed 1 and is shown, never judged
    matured   of the stays that began in months which ended at least H days before as_of, the share that advanced within
              H days. A true share, of old news
    censored  the share that advances within H days as Aalen and Johansen estimate it from all stays, those still open
              included as long as they have been seen: `metrics.survival.cumulative_incidence`

What counts as advancing: the stay ended in a later stage or in won, whether or not stages were skipped (T0 → T2 is an
advance out of T0; T1 never saw it, so it counts nowhere in T1). Lost, fallen back to an earlier stage, and gone (ended,
and no later stage in the data) are endings without advance: they compete. Re-entry, after a fall back or a reopening,
begins a new stay with a chance of its own; so the rates of a stage are by stay, not by opportunity. Handed on from
owner to owner the stay goes on and belongs to the last; handed on beyond the data it is cut off (censored; no case of
the matured share unless it had lasted H days).

H, the horizon: settings.horizon_days[stage], else the 90th percentile of the days of the region's stays that advanced,
or, if none has, of those that ended; owners are measured by their region's. NaN if nothing has ended.
"""

from bisect import bisect_left
from collections.abc import Iterator
from functools import lru_cache
from math import ceil, isnan, nan
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from xlfunnel.calendar import day_number, month_end
from xlfunnel.facts import Facts
from xlfunnel.metrics.evidence import judgement, windows
from xlfunnel.metrics.levels import Places, Who, dense, steps_met, whos
from xlfunnel.metrics.proportion import Proportion, wilson
from xlfunnel.metrics.survival import CENSORED, COMPETING, EVENT, cumulative_incidence, life_table
from xlfunnel.settings import Settings
from xlfunnel.terms import STAGES, Col, ConversionKind, Judgement, Outcome

HORIZON_SHARE = 0.9
_RANK = {stage: i for i, stage in enumerate((*STAGES, Outcome.WON.value))}
_NOTHING = Proportion(nan, nan, nan)


class Conversion(NamedTuple):
    """One rate. `conversions` gives a frame with these columns.

    region, owner       None = all regions together, the region as a whole
    from_stage, to_stage  the stage, and the next one that the CRM has ("won" after the last)
    kind                period, matured or censored
    month               of entry (period: of the flows) as month number; None = the recent months together
    entered, advanced   cases, and those of them that advanced (censored, matured: within the horizon)
    rate, low, high     0…1 with the 95 % interval; period: may exceed 1, and then has no interval
    horizon_days        H; NaN for period
    benchmark           the rate it should reach; NaN if none is set
    history             the same rate of all earlier complete months; history_entered cases. NaN, 0 in rows of a month
    verdict             see `metrics.evidence.judgement`
    """

    region: str | None
    owner: str | None
    from_stage: str
    to_stage: str
    kind: ConversionKind
    month: int | None
    entered: int
    advanced: int
    rate: float
    low: float
    high: float
    horizon_days: float
    benchmark: float
    history: float
    history_entered: int
    verdict: Judgement


class Cases(NamedTuple):
    """Cases, advances and their rate, of whichever kind."""

    entered: int
    advanced: int
    found: Proportion


class Stays:
    """The stays of `facts.durations` as arrays: what ended each, when it began, how long it was, how many there are."""

    def __init__(self, facts: Facts) -> None:
        frame = facts.durations
        self.at = Places(frame)
        self.month = frame[Col.ENTERED_MONTH].to_numpy()
        self.days = frame[Col.DAYS].to_numpy()
        self.count = frame[Col.COUNT].to_numpy()
        self.kind = ending(frame[Col.STAGE], frame[Col.NEXT_STAGE])
        self.has_left = np.where(self.kind == CENSORED, CENSORED, EVENT)
        self.is_open = (frame[Col.NEXT_STAGE] == Outcome.OPEN).to_numpy()


@lru_cache(maxsize=2)
def stays_of(facts: Facts) -> Stays:
    """The stays of the facts, kept for the next who asks."""
    return Stays(facts)


def ending(stage: "pd.Series[str]", next_stage: "pd.Series[str]") -> NDArray[np.int64]:
    """EVENT where the next stage is a later one or won; CENSORED where open or handed on; else COMPETING."""
    here, there = _ranks(stage), _ranks(next_stage)
    unfinished = ((next_stage == Outcome.OPEN) | (next_stage == stage)).to_numpy()
    return np.where(there > here, EVENT, np.where(unfinished, CENSORED, COMPETING)).astype(np.int64)


def _ranks(stages: "pd.Series[str]") -> NDArray[np.float64]:
    """The place of each stage in the funnel; NaN for what is none."""
    codes, names = pd.factorize(stages)
    return np.array([_RANK.get(name, nan) for name in names], dtype=float)[codes]


def horizon(stays: Stays, region: str | None, stage: str, settings: Settings) -> float:
    """H in days, as said above: the least number of days that HORIZON_SHARE of the ended stays did not exceed."""
    if stage in settings.horizon_days:
        return float(settings.horizon_days[stage])
    rows = stays.at((region, None), stage)
    for kinds in ((EVENT,), (EVENT, COMPETING)):
        ended = rows[np.isin(stays.kind[rows], kinds)]
        if len(ended):
            order = ended[np.argsort(stays.days[ended], kind="stable")]
            upto = np.cumsum(stays.count[order])
            return float(stays.days[order][np.searchsorted(upto, ceil(HORIZON_SHARE * int(upto[-1])))])
    return nan


def conversions(facts: Facts, settings: Settings) -> pd.DataFrame:
    """Every rate: a frame with the columns of `Conversion`, totals first; no rows where nothing is known of flows.

    For every who and stage: each kind over the recent months (month None). For regions and the total also period and
    matured by month, first…last.
    """
    rows = list(_rows(facts, settings)) if len(facts.entries) else []
    frame = pd.DataFrame(rows, columns=list(Conversion._fields))
    for name in ("region", "owner", "month"):
        frame[name] = pd.Series([getattr(r, name) for r in rows], dtype=object)
    return frame


class _Step(NamedTuple):
    """Whose step it is, and what it is measured by."""

    who: Who
    stage: str
    to_stage: str
    horizon: float
    benchmark: float

    def row(
        self, kind: ConversionKind, cases: Cases, history: Cases | None = None, month: int | None = None
    ) -> Conversion:
        """The row of these cases; period ratios are not judged."""
        is_share = kind != ConversionKind.PERIOD
        past = history or Cases(0, 0, _NOTHING)
        benchmark, known = (self.benchmark, past.found) if is_share else (nan, None)
        verdict = judgement(cases.entered, cases.found, benchmark, known, past.entered)
        return Conversion(
            *self.who, self.stage, self.to_stage, kind, month, cases.entered, cases.advanced, *cases.found,
            self.horizon if is_share else nan, self.benchmark, past.found.rate, past.entered, verdict,
        )  # fmt: skip


def _rows(facts: Facts, settings: Settings) -> Iterator[Conversion]:
    stays, flows = stays_of(facts), _Flows(facts)
    recent, earlier = windows(facts, settings)
    people, steps = whos(facts), dict(steps_met(facts))
    horizons = {(r, s): horizon(stays, r, s, settings) for r in {r for r, _ in people} for s in steps}
    months = range(facts.first_month, facts.last_month + 1)
    ages = [day_number(facts.as_of) - day_number(month_end(m)) for m in reversed(months)]
    for who, stage in dense(people, tuple(steps)):
        limit = horizons[who[0], stage]
        step = _Step(who, stage, steps[stage], limit, float(settings.benchmarks.get(f"{stage}-{steps[stage]}", nan)))
        matured = months[: 0 if isnan(limit) else len(ages) - bisect_left(ages, limit)]
        at = stays.at(who, stage)
        flow, cohorts = flows.monthly(who, stage), _cohorts(stays, at, limit, months)
        yield step.row(ConversionKind.PERIOD, flow.ratio(recent), flow.ratio(earlier))
        now, then = (cohorts.share(tuple(m for m in w if m in matured)) for w in (recent, earlier))
        yield step.row(ConversionKind.MATURED, now, then)
        now, then = (_censored(stays, at, w, limit) for w in (recent, earlier))
        yield step.row(ConversionKind.CENSORED, now, then)
        if who[1] is None:
            for month in months:
                yield step.row(ConversionKind.PERIOD, flow.ratio((month,)), month=month)
            for month in matured:
                yield step.row(ConversionKind.MATURED, cohorts.share((month,)), month=month)


class _Monthly(NamedTuple):
    """What entered a stage, and what advanced from it, before each month from `first` on, and in all."""

    first: int
    entered: list[int]
    advanced: list[int]

    def share(self, months: tuple[int, ...]) -> Cases:
        """The share that advanced, of those that entered in an unbroken run of months."""
        entered, advanced = self._sums(months)
        return Cases(entered, advanced, wilson(advanced, entered))

    def ratio(self, months: tuple[int, ...]) -> Cases:
        """The same of two flows, of which the second may exceed the first: then it has no interval."""
        entered, advanced = self._sums(months)
        if advanced <= entered:
            return self.share(months)
        return Cases(entered, advanced, Proportion(advanced / entered if entered else nan, nan, nan))

    def _sums(self, months: tuple[int, ...]) -> tuple[int, int]:
        if not months:
            return 0, 0
        start, end = months[0] - self.first, months[-1] - self.first + 1
        return self.entered[end] - self.entered[start], self.advanced[end] - self.advanced[start]


class _Flows:
    """What entered and what advanced in each month; what is handed from owner to owner enters nothing."""

    def __init__(self, facts: Facts) -> None:
        self._first, self._n = facts.first_month, facts.last_month - facts.first_month + 1
        came = facts.arrivals[facts.arrivals[Col.CAME_FROM] != facts.arrivals[Col.STAGE]]
        went = facts.exits[ending(facts.exits[Col.STAGE], facts.exits[Col.NEXT_STAGE]) == EVENT]
        self._sides = [
            (Places(f), f[Col.MONTH].to_numpy() - self._first, f[Col.COUNT].to_numpy()) for f in (came, went)
        ]

    def monthly(self, who: Who, stage: str) -> _Monthly:
        entered, advanced = (
            _so_far(place[rows], count[rows], self._n)
            for places, place, count in self._sides
            for rows in (places(who, stage),)
        )
        return _Monthly(self._first, entered, advanced)


def _cohorts(stays: Stays, at: NDArray[np.int64], limit: float, months: range) -> _Monthly:
    """Stays by the month in which they began: those known for `limit` days, and those that advanced within them."""
    place, days, kind, count = stays.month[at] - months[0], stays.days[at], stays.kind[at], stays.count[at]
    is_known = (kind != CENSORED) | (days >= limit)
    is_advanced = (kind == EVENT) & (days <= limit)
    entered, advanced = (_so_far(place[rows], count[rows], len(months)) for rows in (is_known, is_advanced))
    return _Monthly(months[0], entered, advanced)


def _so_far(place: NDArray[np.int64], count: NDArray[np.int64], n: int) -> list[int]:
    """The counts before each of n months, and in all."""
    return [0, *np.bincount(place, count, n).astype(np.int64).cumsum().tolist()]


def inside(values: NDArray[np.int64], months: tuple[int, ...]) -> NDArray[np.bool_]:
    """Which values lie in an unbroken run of months."""
    if not months:
        return np.zeros(len(values), dtype=bool)
    return (values >= months[0]) & (values <= months[-1])


def matured_cases(stays: Stays, at: NDArray[np.int64], months: tuple[int, ...], limit: float) -> Cases:
    """The matured cohort of an unbroken run of months; `at` are rows of `stays`, `limit` is H in days."""
    rows = at[inside(stays.month[at], months)]
    days, kind, count = stays.days[rows], stays.kind[rows], stays.count[rows]
    is_known = (kind != CENSORED) | (days >= limit)
    entered = int(count[is_known].sum())
    advanced = int(count[(kind == EVENT) & (days <= limit)].sum())
    return Cases(entered, advanced, wilson(advanced, entered))


def _censored(stays: Stays, at: NDArray[np.int64], months: tuple[int, ...], limit: float) -> Cases:
    rows = at[inside(stays.month[at], months)]
    days, kind, count = stays.days[rows], stays.kind[rows], stays.count[rows]
    found = cumulative_incidence(life_table(days, kind, count), limit) if len(rows) else _NOTHING
    return Cases(int(count.sum()), int(count[(kind == EVENT) & (days <= limit)].sum()), found)
