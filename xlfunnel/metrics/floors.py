"""The reserve floors a head: what the settings say, what the safety stock would be, and how risky the floor is.

Of the opportunities that ever stood in a stage, how many were won in the end? Those not over yet are censored, lost and
gone compete (Aalen-Johansen, as `metrics.conversion`), counted once an opportunity from its first day in the stage, so
that skipped stages and returns do no harm. With that rate the safety stock is the smallest number of opportunities of
which enough are won with the service level's chance (`metrics.safety_stock`).
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from math import isnan, nan
from typing import NamedTuple

import numpy as np
import pandas as pd

from xlfunnel.metrics.evidence import ENOUGH
from xlfunnel.metrics.proportion import Proportion
from xlfunnel.metrics.safety_stock import chance, safety_stock
from xlfunnel.metrics.survival import CENSORED, COMPETING, EVENT, cumulative_incidence, life_table
from xlfunnel.settings import Settings
from xlfunnel.terms import Col, Outcome

FLOOR_STAGES = ("T1", "T3")
"""The stages in which a head must hold a reserve."""

_UNKNOWN = Proportion(nan, nan, nan)
_WENT: Mapping[str, int] = {Outcome.WON: EVENT, Outcome.LOST: COMPETING, Outcome.GONE: COMPETING}


class Floor(NamedTuple):
    """The floor of one region and stage; region None = all regions together.

    entered, won     opportunities that ever stood in the stage, and those of them won by now
    rate, low, high  share won in the end (0…1) with its 95 % interval; NaN under ENOUGH opportunities
    stock            safety stock a head, opportunities; NaN without a rate, or if no number is enough
    limit            the floor that applies, opportunities a head; NaN = no rule
    is_set           True if the settings say so, False if `limit` is the safety stock
    shortfall        chance (0…1) that a head who holds just `limit` wins fewer than are needed; NaN without a rate
    """

    region: str | None
    stage: str
    entered: int
    won: int
    rate: float
    low: float
    high: float
    stock: float
    limit: float
    is_set: bool
    shortfall: float


def floors(fates: pd.DataFrame, regions: Iterable[str], settings: Settings) -> tuple[Floor, ...]:
    """The floors of every region, and of all together first if there are several.

    fates  frame of `xlfunnel.facts.Seen.fates` for FLOOR_STAGES
    """
    names = sorted(set(regions))
    whos: list[str | None] = [*([None] if len(names) > 1 else []), *names]
    return tuple(f for stage in FLOOR_STAGES for f in _of_stage(stage, fates, whos, settings))


def in_force(settings: Settings, found: Iterable[Floor], region: str | None) -> Settings:
    """The settings with the floors that apply to a region."""
    limits = {f.stage: None if isnan(f.limit) else f.limit for f in found if f.region == region}
    return replace(settings, floor_t1=limits.get("T1", settings.floor_t1), floor_t3=limits.get("T3", settings.floor_t3))


def shortfall(held: float, rate: float, settings: Settings) -> float:
    """Chance that `held` opportunities, each won with chance `rate`, yield fewer wins than are needed."""
    return nan if isnan(held) or isnan(rate) else 1 - chance(held, settings.wins_needed, rate)


def _of_stage(stage: str, fates: pd.DataFrame, whos: list[str | None], settings: Settings) -> Iterator[Floor]:
    fates = fates[fates[Col.STAGE] == stage]
    codes, words = pd.factorize(fates[Col.NEXT_STAGE])
    kind = np.array([_WENT.get(word, CENSORED) for word in words], dtype=np.int64)[codes]
    regions = fates[Col.REGION].to_numpy(dtype=object)
    days, count = fates[Col.DAYS].to_numpy(), fates[Col.COUNT].to_numpy()
    override: float | None = getattr(settings, f"floor_{stage.lower()}")
    for region in whos:
        here = np.flatnonzero((regions == region) | (region is None))
        entered, won = int(count[here].sum()), int(count[here][kind[here] == EVENT].sum())
        found = _UNKNOWN
        if entered >= ENOUGH:
            table = life_table(days[here], kind[here], count[here])
            found = cumulative_incidence(table, float(table.day[-1]))
        stock = nan if isnan(found.rate) else safety_stock(found.rate, settings.wins_needed, settings.service_level)
        limit = stock if override is None else float(override)
        short = shortfall(limit, found.rate, settings)
        yield Floor(region, stage, entered, won, *found, stock, limit, override is not None, short)
