"""One row a rep: what stands with whom, against the region's mean and the floor."""

from collections.abc import Mapping, Sequence
from math import nan

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from xlfunnel.facts import Facts
from xlfunnel.metrics.levels import owner_places
from xlfunnel.metrics.reserve import CENTS, stages_of, stocks_of
from xlfunnel.settings import Settings
from xlfunnel.terms import STAGES, Col, Measure

ACTIVE_MONTHS = 6
"""A rep who in so many months held no reserve and moved nothing has left: no head to count in a mean or a floor."""

_KEYS = [Col.REGION.value, Col.OWNER.value]

RESERVE = stages_of("T0-T3")
"""The stages that make up a rep's reserve; T4 is a harvest that has begun."""


def owner_reserves(
    facts: Facts, settings: Settings, month: int | None = None, floors: Mapping[str, float] | None = None
) -> pd.DataFrame:
    """Reserves by rep at the end of `month` (None = the last one, as of `as_of`), largest first within the region.

    region, owner  str; owner "" holds what belongs to nobody: its row keeps the sums right, but it is no head
    T0 … T4        opportunities, float; NaN if nobody ever had a visit in that stage (the CRM does not have it)
    reserve        T0…T3 together
    region_mean    reserve of the region's reps ÷ their number, rows without an owner aside; NaN if there are no reps
    to_mean        reserve − region_mean
    share          of the region's T0…T3, 0…1; NaN if the region has none
    rank           1 = largest reserve in the region, equals share the better rank; NaN for owner ""
    t1, t3         T1 and T3 once more, as the floors look at them
    to_floor       T3 − the T3 floor (`floors` by region, else settings.floor_t3); NaN without a floor
    amount         open T0…T4, currency units

    Reps without reserve and movement in the last ACTIVE_MONTHS months to `month` are left out.
    """
    month = facts.last_month if month is None else month
    table = _stage_table(facts, month)
    regions = table[Col.REGION.value]
    table["reserve"] = table[list(RESERVE)].sum(axis=1)
    reserve = table["reserve"]
    named = table[Col.OWNER.value] != ""
    total = reserve.groupby(regions).transform("sum")
    table["region_mean"] = reserve.where(named).groupby(regions).transform("mean")
    table["to_mean"] = (reserve - table["region_mean"]).where(named)
    table["share"] = reserve / total.where(total > 0)
    table["rank"] = reserve.where(named).groupby(regions).rank(method="min", ascending=False)
    table["t1"], table["t3"] = table["T1"], table["T3"]
    floor = nan if settings.floor_t3 is None else float(settings.floor_t3)
    limits = regions.astype(object).map(floors).astype(float) if floors else floor
    table["to_floor"] = (table["T3"] - limits).where(named)
    columns = [
        *(Col.REGION.value, Col.OWNER.value, *STAGES, "reserve", "region_mean", "to_mean"),
        *("share", "rank", "t1", "t3", "to_floor", "amount"),
    ]
    return table.sort_values([Col.REGION, "rank", Col.OWNER], ignore_index=True)[columns]


def stage_means(owners: pd.DataFrame) -> pd.DataFrame:
    """What the region's average rep holds in each stage: T0 … T4 by region (index); rows without an owner aside.

    owners  frame of `owner_reserves`
    """
    named = owners[owners[Col.OWNER.value] != ""]
    return named.groupby(Col.REGION.value)[list(STAGES)].mean()


def owner_months(facts: Facts, owners: pd.DataFrame, months: Sequence[int]) -> pd.DataFrame:
    """T0…T3 reserve of today's reps at earlier month ends, beside the mean of those who were reps then.

        region  owner  month  reserve  region_mean
        LX      A      665       24.0         15.3

    owners  frame of `owner_reserves`, whose order is kept; months ascending. A rep not there yet held 0; a region
            without reps had no mean: NaN. For each month what `owner_reserves` gives
    """
    stocks, n = stocks_of(facts), len(months)
    at = np.array(months, dtype=np.int64) - facts.first_month
    held = stocks.grids[Measure.COUNT][:, [STAGES.index(s) for s in RESERVE], :].sum(axis=1)
    named = np.array([owner != "" for _, owner in stocks.owners], dtype=bool)
    is_rep = _is_active(facts) & named[:, None]
    region_of = np.array([region for region, _ in stocks.owners], dtype=object)
    rows = {pair: i for i, pair in enumerate(stocks.owners)}
    row = np.array([rows[pair] for pair in owners[_KEYS].itertuples(index=False, name=None)], dtype=np.int64)
    means = np.full((len(row), n), nan)
    for region in owners[_KEYS[0]].unique():
        inside = region_of == region
        heads = is_rep[inside][:, at].sum(axis=0)
        total = np.where(is_rep[inside], held[inside], 0)[:, at].sum(axis=0)
        means[region_of[row] == region] = np.divide(total, heads, out=np.full(n, nan), where=heads > 0)
    return pd.DataFrame(
        {
            **{key: owners[key].repeat(n).reset_index(drop=True) for key in _KEYS},
            "month": np.tile(np.array(months, dtype=np.int64), len(row)),
            "reserve": held[row][:, at].astype(float).ravel(),
            "region_mean": means.ravel(),
        }
    )


def _is_active(facts: Facts) -> NDArray[np.bool_]:
    """Owner (of `stocks_of`) × month first…last: whether any reserve or movement in ACTIVE_MONTHS to then."""
    stocks = stocks_of(facts)
    moved = np.asarray((stocks.grids[Measure.COUNT] > 0).any(axis=1))
    for flow in (facts.entries, facts.exits):
        moved[owner_places(flow, stocks.owners), flow[Col.MONTH].to_numpy() - facts.first_month] = True
    so_far = np.insert(moved.cumsum(axis=1), 0, 0, axis=1)
    until = np.arange(1, moved.shape[1] + 1)
    return so_far[:, until] > so_far[:, np.maximum(until - ACTIVE_MONTHS, 0)]


def _stage_table(facts: Facts, month: int) -> pd.DataFrame:
    """region, owner, T0…T4, amount of the active owners."""
    stocks, at = stocks_of(facts), month - facts.first_month
    active = np.flatnonzero(_is_active(facts)[:, at])
    counts, cents = (stocks.grids[measure][active, :, at] for measure in (Measure.COUNT, Measure.AMOUNT))
    held = np.where(stocks.met.any(axis=0), counts.astype(float), nan)
    pairs = [stocks.owners[i] for i in active]
    words = {name: pd.Series([pair[i] for pair in pairs], dtype="str") for i, name in enumerate(_KEYS)}
    stages = {stage: held[:, i] for i, stage in enumerate(STAGES)}
    return pd.DataFrame(words | stages | {"amount": cents.sum(axis=1) / CENTS})
