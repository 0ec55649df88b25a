"""The stays of `xlfunnel.facts` by how they ended, and H, the days within which a stay should have advanced.

H, the horizon: settings.horizon_days[stage], else the 90th percentile of the days of the region's stays that advanced,
or, if none has, of those that ended. NaN if nothing has ended.
"""

from functools import lru_cache
from math import ceil, nan

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from xlfunnel.facts import Facts
from xlfunnel.metrics.levels import Places, Rows, pair_values
from xlfunnel.metrics.survival import CENSORED, COMPETING, EVENT
from xlfunnel.settings import Settings
from xlfunnel.terms import STAGES, Col, Outcome

HORIZON_SHARE = 0.9
_RANKED = (*STAGES, Outcome.WON.value)


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
    return pair_values(stage, next_stage, _ending)


def _ending(here: str, there: str) -> int:
    if there in (Outcome.OPEN, here):
        return CENSORED
    return EVENT if there in _RANKED[_RANKED.index(here) + 1 :] else COMPETING


def horizon(stays: Stays, region: str | None, stage: str, settings: Settings) -> float:
    """H in days, as said above: the least number of days that HORIZON_SHARE of the ended stays did not exceed."""
    if stage in settings.horizon_days:
        return float(settings.horizon_days[stage])
    rows = stays.at((region, None), stage)
    days, kind, count = stays.days[rows], stays.kind[rows], stays.count[rows]
    for is_ended in (kind == EVENT, kind != CENSORED):
        if is_ended.any():
            first = days[is_ended].min()
            upto = np.bincount(days[is_ended] - first, count[is_ended]).cumsum()
            return float(first + np.searchsorted(upto, ceil(HORIZON_SHARE * int(upto[-1]))))
    return nan


def inside(values: NDArray[np.int64], months: tuple[int, ...]) -> NDArray[np.bool_]:
    """Which values lie in an unbroken run of months."""
    if not months:
        return np.zeros(len(values), dtype=bool)
    return (values >= months[0]) & (values <= months[-1])


def matured_cases(stays: Stays, at: Rows, months: tuple[int, ...], limit: float) -> tuple[int, int]:
    """Entered and advanced of an unbroken run of months; `at` are rows of `stays`, `limit` is H in days."""
    rows = at[inside(stays.month[at], months)]
    days, kind, count = stays.days[rows], stays.kind[rows], stays.count[rows]
    is_known = (kind != CENSORED) | (days >= limit)
    return int(count[is_known].sum()), int(count[(kind == EVENT) & (days <= limit)].sum())
