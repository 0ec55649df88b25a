"""Flow speed: days in stage with the stays still open counted as far as they have come (Kaplan-Meier).

The mean, or median, of finished visits alone is biased short: what takes long is not finished yet. Any ending counts:
on, back, won, lost or gone. A stay goes through hands (see `xlfunnel.facts`), so an owner's stays are those that ended,
or are, with that owner. How exactly one half, ties and stays of no length are read: `metrics.survival`.
"""

from collections.abc import Iterator
from math import isnan, nan
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from xlfunnel.facts import Facts
from xlfunnel.metrics.conversion import Stays, inside, stays_of
from xlfunnel.metrics.evidence import FEW, windows
from xlfunnel.metrics.levels import dense, stages_met, whos
from xlfunnel.metrics.reserve import CENTS
from xlfunnel.metrics.survival import LifeTable, Quantiles, life_table, log_rank, quantile, quantiles
from xlfunnel.settings import Settings
from xlfunnel.terms import STAGES, Col, Pace

CYCLE_STAGE = "T3"
"""The stage whose cycle has a line of its own."""

PACE_LEVEL = 0.05 / len(STAGES)
"""All stages are compared at once: together they raise a false alarm in at most one check-up of twenty (Bonferroni)."""

_UNKNOWN = Quantiles(nan, nan, nan, nan)


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
    stays = stays_of(facts)
    parts = windows(facts, settings)
    rows = []
    for who, stage in dense(whos(facts), stages_met(facts)) if len(stays.days) else ():
        at = stays.at(who, stage)
        every = _table(stays, at)
        found = _quantiles(every)
        recent, earlier = (_table(stays, at[inside(stays.month[at], months)]) for months in parts)
        p = nan
        if min(_size(recent), _size(earlier)) >= FEW:
            p = log_rank(recent, earlier)
        now, then = (quantile(t, 0.5) if t.ended.sum() >= FEW else nan for t in (recent, earlier))
        rows.append(
            Duration(
                *who,
                stage,
                n=_size(every),
                n_open=_open(stays, at),
                **found._asdict(),
                recent_n=_size(recent),
                recent_median=now,
                earlier_n=_size(earlier),
                earlier_median=then,
                log_rank_p=p,
                pace=pace(now, then, p),
            )
        )
    return _frame(rows, Duration._fields)


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
    pairs = standing[[Col.REGION, Col.STAGE]].drop_duplicates()
    limits = {}
    for region, stage in pairs.itertuples(index=False, name=None):
        table = _table(stays, stays.at((region, None), stage))
        limits[region, stage] = _quantiles(table).p90
    keys = zip(standing[Col.REGION], standing[Col.STAGE], strict=True)
    made = standing.assign(limit_days=np.array([limits[key] for key in keys], dtype=float))
    made["days_over"] = made[Col.DAYS] - made["limit_days"]
    made["amount"] = made[Col.AMOUNT_CENTS].astype("Float64").astype(float) / CENTS
    order = [Col.DAYS.value, Col.REGION.value, Col.OWNER.value, Col.OPPORTUNITY.value]
    made = made.drop(columns=Col.AMOUNT_CENTS)
    return made.sort_values(order, ascending=[False, True, True, True], ignore_index=True)


def _cycle(facts: Facts, stage: str) -> Iterator[CycleMonth]:
    stays = stays_of(facts)
    for who in whos(facts):
        if who[1] is None:
            at = stays.at(who, stage)
            for month in range(facts.first_month, facts.last_month + 1):
                here = at[stays.month[at] == month]
                table = _table(stays, here)
                found = _quantiles(table)
                yield CycleMonth(who[0], month, _size(table), _open(stays, here), found.median, found.q25, found.q75)


def _table(stays: Stays, rows: NDArray[np.int64]) -> LifeTable:
    """The life table of leaving the stage, for whatever reason."""
    return life_table(stays.days[rows], stays.has_left[rows], stays.count[rows])


def _size(table: LifeTable) -> int:
    return int(table.at_risk[0]) if len(table.at_risk) else 0


def _open(stays: Stays, rows: NDArray[np.int64]) -> int:
    return int(stays.count[rows][stays.is_open[rows]].sum())


def _quantiles(table: LifeTable) -> Quantiles:
    return quantiles(table) if table.ended.sum() >= FEW else _UNKNOWN


def _frame(rows: list[Duration] | list[CycleMonth], columns: tuple[str, ...]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=list(columns))
    for name in ("region", "owner"):
        if name in frame:
            frame[name] = pd.Series([getattr(r, name) for r in rows], dtype=object)
    return frame
