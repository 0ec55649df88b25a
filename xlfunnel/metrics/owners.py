"""One row a rep: what stands with whom, against the region's mean and the floor."""

from collections.abc import Mapping, Sequence
from math import nan

import numpy as np
import pandas as pd

from xlfunnel.facts import Facts
from xlfunnel.metrics.reserve import CENTS, stages_of
from xlfunnel.settings import Settings
from xlfunnel.terms import STAGES, Col

ACTIVE_MONTHS = 6
"""A rep who in so many months held no reserve and moved nothing has left: no head to count in a mean or a floor."""

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
    keys = [Col.REGION.value, Col.OWNER.value]
    known = facts.reserves
    stood = _by_month(known, facts)
    held = _by_month(known[known[Col.STAGE].isin(RESERVE)], facts).reindex(stood.index, fill_value=0)
    moved = stood > 0
    for flow in (facts.entries, facts.exits):
        moved |= _by_month(flow, facts).reindex(stood.index, fill_value=0) > 0
    is_active = moved.T.rolling(ACTIVE_MONTHS, min_periods=1).max().T > 0
    is_rep = is_active.mul(stood.index.get_level_values(1) != "", axis=0)
    means = held.where(is_rep).groupby(level=0).mean()
    n, columns = len(months), list(months)
    return pd.DataFrame(
        {
            **{key: owners[key].repeat(n).reset_index(drop=True) for key in keys},
            "month": np.tile(np.array(columns, dtype=np.int64), len(owners)),
            "reserve": held.reindex(pd.MultiIndex.from_frame(owners[keys]))[columns].to_numpy(dtype=float).ravel(),
            "region_mean": means.reindex(owners[keys[0]])[columns].to_numpy(dtype=float).ravel(),
        }
    )


def _by_month(frame: pd.DataFrame, facts: Facts) -> pd.DataFrame:
    """Counts by region and owner (index), a column each month first…last."""
    keys = [Col.REGION.value, Col.OWNER.value, Col.MONTH.value]
    counts = frame.groupby(keys)[Col.COUNT.value].sum().unstack(fill_value=0)
    return counts.reindex(columns=range(facts.first_month, facts.last_month + 1), fill_value=0)


def _stage_table(facts: Facts, month: int) -> pd.DataFrame:
    """region, owner, T0…T4, amount of the active owners."""
    keys = [Col.REGION.value, Col.OWNER.value]
    known = facts.reserves
    now = known[known[Col.MONTH] == month]
    counts = now.pivot_table(index=keys, columns=Col.STAGE, values=Col.COUNT, aggfunc="sum", fill_value=0)
    table = counts.reindex(columns=list(STAGES)).astype(float)
    met = set(known[Col.STAGE].unique())
    table[[s for s in STAGES if s in met]] = table[[s for s in STAGES if s in met]].fillna(0.0)
    table["amount"] = now.groupby(keys)[Col.AMOUNT_CENTS].sum() / CENTS
    recent = [f[f[Col.MONTH].between(month - ACTIVE_MONTHS + 1, month)] for f in (known, facts.entries, facts.exits)]
    moved = pd.concat([f.loc[f[Col.COUNT] > 0, keys] for f in recent])
    active = table.index.isin(pd.MultiIndex.from_frame(moved)) if len(moved) else np.zeros(len(table), dtype=bool)
    return table[active].rename_axis(columns=None).reset_index()
