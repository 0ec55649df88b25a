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

H, the horizon: `metrics.endings.horizon`; owners are measured by their region's.
"""

from collections.abc import Iterator, Sequence
from math import nan
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from xlfunnel.calendar import day_number, month_end
from xlfunnel.facts import Facts
from xlfunnel.metrics.endings import Stays, ending, horizon, inside, stays_of
from xlfunnel.metrics.evidence import judgements, windows
from xlfunnel.metrics.levels import Rows, dense, in_blocks, joined, monthly_counts, steps_met, whos
from xlfunnel.metrics.proportion import Proportions, wilsons
from xlfunnel.metrics.survival import CENSORED, EVENT, cumulative_incidences, life_tables
from xlfunnel.settings import Settings
from xlfunnel.terms import Col, ConversionKind, Judgement

_KINDS = dict.fromkeys(("region", "owner", "month"), "object") | dict.fromkeys(
    ("from_stage", "to_stage", "kind", "verdict"), "str"
)
_RECENT = -(10**9)
"""Stands for the recent months together, before all months."""


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


def conversions(facts: Facts, settings: Settings) -> pd.DataFrame:
    """Every rate: a frame with the columns of `Conversion`, totals first; no rows where nothing is known of flows.

    For every who and stage: each kind over the recent months (month None). For regions and the total also period and
    matured by month, first…last.
    """
    if not len(facts.entries):
        return pd.DataFrame([], columns=list(Conversion._fields))
    steps = _Steps(facts, settings)
    rates = list(_rates(facts, settings, steps))
    step, month = (np.concatenate([getattr(r, name) for r in rates]) for name in ("step", "month"))
    part = np.repeat(np.arange(len(rates)), [len(r.step) for r in rates])
    order = np.lexsort((month, part, step))
    parts = [steps.columns(r) for r in rates]
    whole = {name: np.concatenate([p[name] for p in parts])[order] for name in Conversion._fields}
    return pd.DataFrame({name: pd.Series(whole[name], dtype=_KINDS.get(name)) for name in whole})


class _Cases(NamedTuple):
    """Cases, advances and their rate, an item each step, or each step and month."""

    entered: Rows
    advanced: Rows
    found: Proportions


class _Rates(NamedTuple):
    """Rates of one kind: whose step each is (its number), of which month, against which history (None = none)."""

    kind: ConversionKind
    step: Rows
    month: Rows
    cases: _Cases
    history: _Cases | None = None


class _Steps:
    """The steps of everyone, numbered, and what each is measured by."""

    def __init__(self, facts: Facts, settings: Settings) -> None:
        people, after = whos(facts), dict(steps_met(facts))
        stays = stays_of(facts)
        horizons = {(r, s): horizon(stays, r, s, settings) for r in {r for r, _ in people} for s in after}
        self.of = tuple(dense(people, tuple(after)))
        self.is_region = np.array([owner is None for (_, owner), _ in self.of])
        self.horizon = np.array([horizons[region, stage] for (region, _), stage in self.of])
        to_stages = [after[stage] for _, stage in self.of]
        names = [(*who, stage, to_stage) for (who, stage), to_stage in zip(self.of, to_stages, strict=True)]
        self._names = np.array(names, dtype=object).reshape(-1, 4)
        goals = [settings.benchmarks.get(f"{stage}-{to_stage}", nan) for _, _, stage, to_stage in names]
        self._benchmark = np.array(goals, dtype=float)

    def columns(self, rates: _Rates) -> dict[str, NDArray[Any]]:
        """The columns of `Conversion`; period ratios are not judged."""
        nothing = np.full(len(rates.step), nan)
        none = np.zeros(len(rates.step), dtype=np.int64)
        without = _Cases(none, none, Proportions(nothing, nothing, nothing))
        benchmark, past = self._benchmark[rates.step], rates.history or without
        is_share = rates.kind != ConversionKind.PERIOD
        entered, advanced, found = rates.cases
        against = (benchmark, past.found) if is_share else (nothing, without.found)
        verdict = judgements(entered, found, *against, past.entered)
        month = rates.month.astype(object)
        month[rates.month == _RECENT] = None
        names = zip(("region", "owner", "from_stage", "to_stage"), self._names[rates.step].T, strict=True)
        return dict(names) | {
            "kind": np.full(len(month), str(rates.kind), dtype=object),
            "month": month,
            "entered": entered,
            "advanced": advanced,
            **found._asdict(),
            "horizon_days": self.horizon[rates.step] if is_share else nothing,
            "benchmark": benchmark,
            "history": past.found.rate,
            "history_entered": past.entered,
            "verdict": verdict,
        }


def _rates(facts: Facts, settings: Settings, steps: _Steps) -> Iterator[_Rates]:
    stays, first, n = stays_of(facts), facts.first_month, facts.last_month - facts.first_month + 1
    parts = windows(facts, settings)
    spans = [(months[0] - first, months[-1] - first + 1) if months else (0, 0) for months in parts]
    flows, cohorts = _flows(facts, n), _cohorts(stays, steps, first, n)
    ages = np.array([day_number(facts.as_of) - day_number(month_end(first + i)) for i in range(n)])
    matured = (ages >= steps.horizon[:, None]).sum(axis=1)
    each = np.arange(len(steps.of))
    together = np.full(len(each), _RECENT)
    yield _Rates(ConversionKind.PERIOD, each, together, *(flows.ratio(each, *span) for span in spans))
    mature = (cohorts.share(each, *(np.minimum(edge, matured) for edge in span)) for span in spans)
    yield _Rates(ConversionKind.MATURED, each, together, *mature)
    counts = [stays.count * inside(stays.month, months) for months in parts]
    for some in in_blocks(each):
        yield _Rates(ConversionKind.CENSORED, some, together[some], *_censored(stays, steps, some, counts))
    regions = np.flatnonzero(steps.is_region)
    step, month = np.repeat(regions, n), np.tile(np.arange(n), len(regions))
    yield _Rates(ConversionKind.PERIOD, step, first + month, flows.ratio(step, month, month + 1))
    known = month < matured[step]
    step, month = step[known], month[known]
    yield _Rates(ConversionKind.MATURED, step, first + month, cohorts.share(step, month, month + 1))


class _Monthly(NamedTuple):
    """(step, month): what entered a stage, and what advanced from it, before each month, and in all."""

    entered: Rows
    advanced: Rows

    def share(self, step: Rows, start: Any, end: Any) -> _Cases:
        """The share that advanced, of those that entered in the months from `start` to before `end`."""
        entered, advanced = (so_far[step, end] - so_far[step, start] for so_far in self)
        return _Cases(entered, advanced, wilsons(advanced, entered))

    def ratio(self, step: Rows, start: Any, end: Any) -> _Cases:
        """The same of two flows, of which the second may exceed the first: then it has no interval."""
        entered, advanced = (so_far[step, end] - so_far[step, start] for so_far in self)
        is_share = advanced <= entered
        share = wilsons(np.minimum(advanced, entered), entered)
        beyond = np.divide(advanced, entered, out=np.full(len(entered), nan), where=entered > 0)
        limits = (np.where(is_share, values, nan) for values in share[1:])
        return _Cases(entered, advanced, Proportions(np.where(is_share, share.rate, beyond), *limits))


def _flows(facts: Facts, n: int) -> _Monthly:
    """What entered and what advanced in each month; what is handed from owner to owner enters nothing."""
    came = facts.arrivals[facts.arrivals[Col.CAME_FROM] != facts.arrivals[Col.STAGE]]
    went = facts.exits[ending(facts.exits[Col.STAGE], facts.exits[Col.NEXT_STAGE]) == EVENT]
    return _Monthly(*(_so_far(monthly_counts(frame, facts).reshape(-1, n)) for frame in (came, went)))


def _cohorts(stays: Stays, steps: _Steps, first: int, n: int) -> _Monthly:
    """Stays by the month in which they began: those known for H days, and those that advanced within them."""
    rows, step = joined([stays.at(*step) for step in steps.of])
    days, kind, limit = stays.days[rows], stays.kind[rows], steps.horizon[step]
    is_known = (kind != CENSORED) | (days >= limit)
    is_advanced = (kind == EVENT) & (days <= limit)
    cell, count, size = step * n + stays.month[rows] - first, stays.count[rows], len(steps.of) * n
    known, advanced = (np.bincount(cell, count * chosen, size) for chosen in (is_known, is_advanced))
    return _Monthly(*(_so_far(counts.astype(np.int64).reshape(-1, n)) for counts in (known, advanced)))


def _so_far(counts: Rows) -> Rows:
    """(step, month): the counts before each of the months, and in all."""
    return np.cumsum(np.pad(counts, ((0, 0), (1, 0))), axis=1)


def _censored(stays: Stays, steps: _Steps, some: Rows, counts: Sequence[Rows]) -> Iterator[_Cases]:
    """The censored rates of some steps, for each of the counts of stays."""
    for table in life_tables(stays.days, stays.kind, counts, [stays.at(*steps.of[i]) for i in some]):
        entered = table.at_risk.max(axis=-1, initial=0).astype(np.int64)
        is_in_time = table.day <= steps.horizon[some, None]
        advanced = (table.events * is_in_time).sum(axis=-1).astype(np.int64)
        yield _Cases(entered, advanced, cumulative_incidences(table, steps.horizon[some]))
