"""Reps against their region: how many of a rep's cases advanced, and whether chance alone explains the difference.

Cases are matured ones (see `metrics.conversion`), so k of n is a share of known endings: of the stays in each stage in
the recent months, and of the opportunities that reached T1, and T2, how many were won in time ("journeys": their H is
the 90th percentile of the days of those that were won, their months the latest ones that are mature). The region's rate
is that of all its reps together; what belongs to nobody is left out.

Funnel plot (Spiegelhalter 2005, Statistics in Medicine 24): limits around the region's rate within which 95 %, and
99.8 %, of reps of so many cases lie if all have the region's rate. Exact binomial, interpolated as in his appendix:
with r the least count that P(X ≤ r) > q holds for, the lower limit is (r − a) ÷ n, a = (P(X ≤ r) − q) ÷ P(X = r); the
upper one is the mirror image for those that did not advance. So a count lies below its lower limit exactly if
P(X ≤ k) < q, q = 2.5 % or 0.1 %, and above its upper one if P(X ≥ k) < q.

Shrunk rates, for rankings (empirical Bayes): reps' true rates are taken as beta distributed around the region's rate p
with ρ, the correlation of two cases of one rep, that makes the counts likeliest (beta-binomial, ML); then
(k + M·p) ÷ (n + M), M = 1 ÷ ρ − 1. It lies between the rep's own rate and p, nearer p the fewer the cases. Where the
counts scatter no more than chance has it, or there is one rep only, it is p.
"""

from collections import Counter
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import replace
from math import nan
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import bdtr, bdtrik, betaln

from xlfunnel.calendar import day_number, month_end
from xlfunnel.facts import Facts
from xlfunnel.metrics.endings import Stays, horizon, matured_cases
from xlfunnel.metrics.evidence import ENOUGH, FEW
from xlfunnel.metrics.levels import dense, whos
from xlfunnel.metrics.reserve import complete_months
from xlfunnel.settings import Settings
from xlfunnel.terms import ConversionKind, Outcome, Placement

Floats = NDArray[np.float64]

AMBER, RED = 0.95, 0.998
"""The two pairs of limits; each leaves half of the rest below and half above."""

JOURNEYS = ("T2", "T1")
"""Stages from which the way to won is compared as a whole; the one nearest the win first."""

_LEAST, _MOST = 1e-6, 0.999
_PLACED_BY = ("entered", "alone", "rate", "low95", "high95", "low998", "high998")
_GRID = np.geomspace(_LEAST, _MOST, 48)
"""Values of ρ tried first; then as many between the neighbours of the best, and so on."""

_ZOOMS = 6
"""Times the grid is refined: each makes it 23 times finer."""


class Comparison(NamedTuple):
    """One rep's step. `comparisons` gives a frame with these columns.

    from_stage, to_stage  a step of the funnel, or a journey: T1 or T2 to "won"
    entered, advanced     matured cases, and those of them that advanced within horizon_days
    rate                  advanced ÷ entered, 0…1; NaN without cases
    shrunk                drawn towards the region's rate; NaN if the region has no cases
    region_rate           that of all reps of the region together
    low95 … high998       limits for so many cases; NaN without cases
    placement             too_few under FEW cases, greyed under ENOUGH, alone if no other rep has cases, else where
    is_headline           the step that reps are ranked and tagged by: the one nearest the win (journeys first) in which
                          half of the reps have ENOUGH cases; if there is none, that with the most such reps
    """

    region: str
    owner: str
    from_stage: str
    to_stage: str
    horizon_days: float
    entered: int
    advanced: int
    rate: float
    shrunk: float
    region_rate: float
    low95: float
    high95: float
    low998: float
    high998: float
    placement: Placement
    is_headline: bool


class _Cases(NamedTuple):
    region: str
    owner: str
    from_stage: str
    to_stage: str
    horizon_days: float
    entered: int
    advanced: int


def comparisons(conversions: pd.DataFrame, journeys: pd.DataFrame, facts: Facts, settings: Settings) -> pd.DataFrame:
    """Every rep's every step, in the order of the funnel, journeys last: columns of `Comparison`.

    conversions  frame of `metrics.conversion.conversions`
    journeys     frame of `xlfunnel.facts.journeys` of JOURNEYS for the same day as `facts`
    """
    cases = pd.DataFrame([*_steps(conversions), *_journeys(journeys, facts, settings)], columns=list(_Cases._fields))
    made = cases.drop_duplicates(["region", "owner", "from_stage", "to_stage"]).reset_index(drop=True)
    counts, advanced = made["entered"].to_numpy(dtype=np.int64), made["advanced"].to_numpy(dtype=np.int64)
    shrunk, rates, alone = np.full(len(made), nan), np.full(len(made), nan), np.full(len(made), True)
    for rows in made.groupby(["region", "from_stage", "to_stage"], sort=False).indices.values():
        n, k = counts[rows], advanced[rows]
        shrunk[rows] = shrunk_rates(k, n)
        rates[rows] = k.sum() / n.sum() if n.sum() else nan
        alone[rows] = (n > 0).sum() < 2
    own = np.divide(advanced, counts, out=np.full(len(made), nan), where=counts > 0)
    made = made.assign(rate=own, shrunk=shrunk, region_rate=rates, alone=alone)
    for name, level in (("95", AMBER), ("998", RED)):
        made[f"low{name}"], made[f"high{name}"] = funnel_limits(rates, counts, level)
    made["placement"] = pd.Series([placement(row) for row in made[list(_PLACED_BY)].to_dict("records")], dtype=object)
    made["is_headline"] = _is_headline(made)
    return made[list(Comparison._fields)]


def funnel_limits(rate: ArrayLike, n: ArrayLike, level: float) -> tuple[Floats, Floats]:
    """Lower and upper limit (0…1) for n cases around `rate`, as said above; NaN where n is 0 or the rate is NaN."""
    p, size = np.broadcast_arrays(np.asarray(rate, dtype=float), np.asarray(n, dtype=float))
    q = (1 - level) / 2
    return _lower(p, size, q), 1 - _lower(1 - p, size, q)


def shrunk_rates(k: ArrayLike, n: ArrayLike) -> Floats:
    """k of n each → rates drawn towards Σk ÷ Σn, as said above; NaN where all n are 0."""
    advanced, entered = np.asarray(k, dtype=float), np.asarray(n, dtype=float)
    total = entered.sum()
    if not total:
        return np.full(len(entered), nan)
    p = advanced.sum() / total
    rho = overdispersion(advanced, entered)
    if rho == 0:
        return np.full(len(entered), p)
    m = 1 / rho - 1
    found = (advanced + m * p) / (entered + m)
    own = np.divide(advanced, entered, out=np.full(len(entered), p), where=entered > 0)
    # Rounding must not put it outside.
    return np.asarray(np.clip(found, np.minimum(own, p), np.maximum(own, p)), dtype=np.float64)


def overdispersion(k: ArrayLike, n: ArrayLike) -> float:
    """ρ (0…1) of the beta-binomial around Σk ÷ Σn that makes the counts likeliest; 0 if the binomial is as likely."""
    pairs = np.column_stack([np.asarray(k, dtype=float), np.asarray(n, dtype=float)])
    pairs = pairs[pairs[:, 1] > 0]
    advanced, entered = pairs[np.lexsort(pairs.T)].T  # the order of the reps must not change the last digit
    if len(entered) < 2 or advanced.sum() in (0, entered.sum()):
        return 0.0
    p = advanced.sum() / entered.sum()

    def likelihood(rho: Floats) -> Floats:
        m = (1 / rho - 1)[:, None]
        each = betaln(advanced + m * p, entered - advanced + m * (1 - p)) - betaln(m * p, m * (1 - p))
        return np.asarray(each.sum(axis=1))

    # Ever finer grids around the likeliest point: scipy.optimize weighs more than all else that is needed of scipy.
    grid = np.log(_GRID)
    for _ in range(_ZOOMS):
        values = likelihood(np.exp(grid))
        best = int(values.argmax())
        grid = np.linspace(grid[max(best - 1, 0)], grid[min(best + 1, len(grid) - 1)], len(_GRID))
    binomial = float((advanced * np.log(p) + (entered - advanced) * np.log1p(-p)).sum())
    values = likelihood(np.exp(grid))
    best = int(values.argmax())
    return float(np.exp(grid[best])) if values[best] > binomial + 1e-9 else 0.0


def placement(row: Mapping[Hashable, Any]) -> Placement:
    """The ladder of `Comparison.placement`; `row` has its columns and "alone"."""
    if row["entered"] < FEW:
        return Placement.TOO_FEW
    if row["entered"] < ENOUGH:
        return Placement.GREYED
    if row["alone"]:
        return Placement.ALONE
    for is_outside, place in (
        (row["rate"] < row["low998"], Placement.VERY_LOW),
        (row["rate"] < row["low95"], Placement.LOW),
        (row["rate"] > row["high998"], Placement.VERY_HIGH),
        (row["rate"] > row["high95"], Placement.HIGH),
    ):
        if is_outside:
            return place
    return Placement.INSIDE


def _lower(p: Floats, n: Floats, q: float) -> Floats:
    """The interpolated lower limit, 0 at the least."""
    rate, size = np.where((p > 0) & (p < 1) & (n > 0), p, 0.5), np.maximum(n, 1)
    near = bdtrik(q, size, rate)  # where P(X ≤ r) passes q, if r were continuous; NaN where P(X = 0) is above q already
    tried = np.floor(np.nan_to_num(near))[..., None] + np.arange(-1, 3)
    tried = np.clip(tried, 0, size[..., None])
    upto = bdtr(tried, size[..., None].astype(np.int64), rate[..., None])
    first = (upto > q).argmax(axis=-1)[..., None]
    r, to_r = (np.take_along_axis(values, first, axis=-1)[..., 0] for values in (tried, upto))
    before = np.where(r > 0, bdtr(np.maximum(r - 1, 0), size.astype(np.int64), rate), 0.0)
    limit = np.maximum((r - (to_r - q) / (to_r - before)) / size, 0.0)
    return np.where((n > 0) & ~np.isnan(p), np.where((p > 0) & (p < 1), limit, p), nan)


def _steps(conversions: pd.DataFrame) -> Iterator[_Cases]:
    """The matured cases of the recent months, owner by owner."""
    rows = conversions[(conversions["kind"] == ConversionKind.MATURED) & conversions["month"].isna()]
    named = rows[rows["owner"].notna() & (rows["owner"] != "")]
    for values in named[list(_Cases._fields)].itertuples(index=False, name=None):
        yield _Cases(*values)


def _journeys(journeys: pd.DataFrame, facts: Facts, settings: Settings) -> Iterator[_Cases]:
    stays = Stays(replace(facts, durations=journeys))
    own = replace(settings, horizon_days={})  # those are of single stages
    months, today = complete_months(facts), day_number(facts.as_of)
    limits: dict[tuple[str | None, str], float] = {}
    for (region, owner), stage in dense(whos(facts), JOURNEYS) if len(journeys) else ():
        if region is None or not owner:
            continue
        if (region, stage) not in limits:
            limits[region, stage] = horizon(stays, region, stage, own)
        limit = limits[region, stage]
        mature = tuple(m for m in months if today - day_number(month_end(m)) >= limit)[-settings.recent_months :]
        entered, advanced = matured_cases(stays, stays.at((region, owner), stage), mature, limit)
        yield _Cases(region, owner, stage, Outcome.WON.value, limit, entered, advanced)


def _is_headline(made: pd.DataFrame) -> "pd.Series[bool]":
    """Which rows are of the step that is nearest the win among those with cases enough."""
    key = list(zip(made["from_stage"], made["to_stage"], strict=True))
    steps = list(dict.fromkeys(key))
    if not steps:
        return pd.Series(False, index=made.index)
    first = [(stage, Outcome.WON.value) for stage in JOURNEYS]
    preferred = [s for s in first if s in steps] + sorted((s for s in steps if s not in first), reverse=True)
    enough = Counter(step for step, n in zip(key, made["entered"], strict=True) if n >= ENOUGH)
    reps = made[["region", "owner"]].drop_duplicates().shape[0]
    chosen = next((s for s in preferred if 2 * enough[s] >= reps), max(preferred, key=lambda s: enough[s]))
    return pd.Series([step == chosen for step in key], index=made.index)
