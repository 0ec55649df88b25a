"""Flow speed: days in stage with the stays still open counted as far as they have come (Kaplan-Meier).

The mean, or median, of finished visits alone is biased short: what takes long is not finished yet. Any ending counts:
on, back, won, lost or gone. A stay goes through hands (see `xlfunnel.facts`), so an owner's stays are those that ended,
or are, with that owner. How exactly one half, ties and stays of no length are read: `metrics.survival`.
"""

from collections.abc import Iterator
from math import isnan, nan
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from xlfunnel.facts import Facts
from xlfunnel.metrics.endings import Stays, inside, stays_of
from xlfunnel.metrics.evidence import FEW, windows
from xlfunnel.metrics.levels import Rows, dense, in_blocks, pair_numbers, stages_met, whos
from xlfunnel.metrics.reserve import CENTS
from xlfunnel.metrics.survival import Floats, LifeTable, Quantiles, life_tables, log_rank, quantile, quantiles
from xlfunnel.settings import Settings
from xlfunnel.terms import STAGES, Col, Pace

CYCLE_STAGE = "T3"
"""The stage whose cycle has a line of its own."""

PACE_LEVEL = 0.05 / len(STAGES)
"""All stages are compared at once: together they raise a false alarm in at most one check-up of twenty (Bonferroni)."""


class Duration(NamedTuple):
    """Days in one stage. `durations` gives a frame with these columns.

    region, owner   None = all regions together, the region as a whole
    n, n_open       stays, and those of them not ended
    median … p90    days by which half, a quarter, three quarters, nine tenths have ended; NaN while fewer than FEW
                    have (with most still open a single ending can bring the curve down), and where it is not so low
    recent_median   of stays begun in the recent complete months; earlier_median of those begun before; NaN likewise
    log_rank_p      that both leave at one speed (0…1); NaN under FEW stays on either side, or where none ended
    pace            recent against earlier: `pace`
    """

    region: str | None
    owner: str | None
    stage: str
    n: int
    n_open: int
    median: float
    q25: float
    q75: float
    p90: float
    recent_n: int
    recent_median: float
    earlier_n: int
    earlier_median: float
    log_rank_p: float
    pace: Pace


class CycleMonth(NamedTuple):
    """Stays begun in one month (number), and their days by Kaplan-Meier; NaN as in `Duration`."""

    region: str | None
    month: int
    n: int
    n_open: int
    median: float
    q25: float
    q75: float


def durations(facts: Facts, settings: Settings) -> pd.DataFrame:
    """Days in stage for every who and stage: a frame with the columns of `Duration`, totals first."""
    stays, parts = stays_of(facts), windows(facts, settings)
    weights = [stays.count, *(stays.count * inside(stays.month, months) for months in parts)]
    wanted = list(dense(whos(facts), stages_met(facts))) if len(stays.days) else []
    rows = [
        Duration(*who, stage, *figures)
        for some in in_blocks(wanted)
        for (who, stage), figures in zip(some, _figures(stays, [stays.at(*w) for w in some], weights), strict=True)
    ]
    return _frame(rows, Duration._fields)


def _figures(stays: Stays, groups: list[Rows], weights: list[Rows]) -> Iterator[tuple[Any, ...]]:
    """The columns of `Duration` from n on, group by group; `weights`: stays in all, recent and earlier ones."""
    every, recent, earlier = life_tables(stays.days, stays.has_left, weights, groups)
    (n, now_n, then_n), found = (_sizes(table) for table in (every, recent, earlier)), _quantiles(every)
    p = np.where(np.minimum(now_n, then_n) >= FEW, log_rank(recent, earlier), nan).tolist()
    now, then = (_of_enough(table, quantile(table, 0.5)).tolist() for table in (recent, earlier))
    quartiles = (found.median, found.q25, found.q75, found.p90)
    known = (n, _open(stays, groups), *(q.tolist() for q in quartiles), now_n, now, then_n, then, p)
    return zip(*known, map(pace, now, then, p), strict=True)


def pace(recent_median: float, earlier_median: float, p: float) -> Pace:
    """Faster or slower only where the log-rank test says so at PACE_LEVEL, in the direction of the medians (days)."""
    if isnan(p):
        return Pace.TOO_FEW
    if p >= PACE_LEVEL:
        return Pace.SAME
    if recent_median < earlier_median:
        return Pace.FASTER
    return Pace.SLOWER if recent_median > earlier_median else Pace.DIFFERS


def cycle(facts: Facts, stage: str = CYCLE_STAGE) -> pd.DataFrame:
    """Days in a stage by month of entry, first…last, for every region and the total: columns of `CycleMonth`."""
    return _frame(list(_cycle(facts, stage)) if stage in stages_met(facts) else [], CycleMonth._fields)


def over_age(standing: pd.DataFrame, facts: Facts) -> pd.DataFrame:
    """The open opportunities that stand longer than the 90th percentile of their region and stage, worst first.

    Columns and parameters as `aged`.
    """
    return over_limit(aged(standing, facts))


def over_limit(known: pd.DataFrame) -> pd.DataFrame:
    """Those of `aged` that are over their limit, worst first."""
    order = ["days_over", Col.REGION.value, Col.OWNER.value, Col.OPPORTUNITY.value]
    old = known[known["days_over"] > 0]
    return old.sort_values(order, ascending=[False, True, True, True], ignore_index=True)


def aged(standing: pd.DataFrame, facts: Facts) -> pd.DataFrame:
    """The open opportunities with the limit of their region and stage, oldest first.

        opportunity_id  region  owner  stage  since_day  days  limit_days  days_over  amount
        "SJ-0001"       LX      Zhang  T3     20117      64    51.0        13.0       12500.0

    standing    frame of `xlfunnel.facts.standing` for the same day as `facts`
    limit_days  p90 of `Duration` of region and stage, NaN where that is undefined; days_over = days − limit_days
    amount      currency units; NaN = unknown
    """
    stays = stays_of(facts)
    pairs = list(dict.fromkeys(zip(standing[Col.REGION], standing[Col.STAGE], strict=True)))
    groups = [stays.at((region, None), stage) for region, stage in pairs]
    limits = dict(zip(pairs, _quantiles(_table(stays, groups)).p90.tolist(), strict=True))
    made = standing.assign(limit_days=pair_numbers(standing[Col.REGION], standing[Col.STAGE], limits))
    made["days_over"] = made[Col.DAYS] - made["limit_days"]
    made["amount"] = made[Col.AMOUNT_CENTS].astype("Float64").astype(float) / CENTS
    made = made.drop(columns=Col.AMOUNT_CENTS)
    # They stand in the order of their ids, and equals stay in it.
    order = [Col.DAYS.value, Col.REGION.value, Col.OWNER.value]
    return made.sort_values(order, ascending=[False, True, True], ignore_index=True)


def _cycle(facts: Facts, stage: str) -> Iterator[CycleMonth]:
    stays = stays_of(facts)
    months = range(facts.first_month, facts.last_month + 1)
    for region in (region for region, owner in whos(facts) if owner is None):
        at = stays.at((region, None), stage)
        at = at[np.argsort(stays.month[at], kind="stable")]
        groups = np.split(at, np.searchsorted(stays.month[at], months[1:]))
        table = _table(stays, groups)
        found = _quantiles(table)
        quartiles = (q.tolist() for q in (found.median, found.q25, found.q75))
        for figures in zip(months, _sizes(table), _open(stays, groups), *quartiles, strict=True):
            yield CycleMonth(region, *figures)


def _table(stays: Stays, groups: list[Rows]) -> LifeTable:
    """The life tables of leaving the stage, for whatever reason."""
    return life_tables(stays.days, stays.has_left, [stays.count], groups)[0]


def _sizes(table: LifeTable) -> list[int]:
    return [int(n) for n in table.at_risk.max(axis=-1, initial=0)]


def _open(stays: Stays, groups: list[Rows]) -> list[int]:
    return [int(stays.count[rows[stays.is_open[rows]]].sum()) for rows in groups]


def _quantiles(table: LifeTable) -> Quantiles:
    return Quantiles(*(_of_enough(table, values) for values in quantiles(table)))


def _of_enough(table: LifeTable, values: Floats) -> Floats:
    """NaN where fewer than FEW have ended."""
    return np.where(table.ended.sum(axis=-1) >= FEW, values, nan)


def _frame(rows: list[Duration] | list[CycleMonth], columns: tuple[str, ...]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=list(columns))
    for name in ("region", "owner"):
        if name in frame:
            frame[name] = pd.Series([getattr(r, name) for r in rows], dtype=object)
    return frame
