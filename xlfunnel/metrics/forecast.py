"""Forecast: closed + won out of what is open + won out of what is still to come, for coming months and quarters.

    closed   wins of the period up to as_of: counted
    open     open opportunities, by stage and weeks already spent there, with the chance to be won by each month's end
             (`metrics.hazards`, `metrics.passage`), at their own amounts
    new      arrivals at the recent months' rate (`metrics.inflow`) with the same chances from the start
    total    closed + open + new, added up draw by draw; P10, P50, P90 of SETS × REPEATS draws (`metrics.simulation`)

P10: in one of ten draws it came to less. The percentiles of parts do not add to those of the whole; the draws do. What
the past WINDOW_MONTHS months taught is taken to hold on; that the world may change is in no interval.

Nothing is said, and the reason given, of a region whose past is too short or too thin: `silence`. Its opportunities
still count in the total, with the chances of all regions.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import nan
from typing import NamedTuple

import numpy as np
import pandas as pd

from xlfunnel.calendar import day_number, month_end
from xlfunnel.metrics.hazards import Hazards, exposure, leaning, pooled
from xlfunnel.metrics.inflow import inflow
from xlfunnel.metrics.periods import months_in, periods_ahead, target_of
from xlfunnel.metrics.simulation import Drawn, ahead, amounts, simulate, together
from xlfunnel.metrics.sojourns import WON, Flags, Floats, Sojourns
from xlfunnel.settings import Settings
from xlfunnel.terms import STAGES, Measure, Silence

MONTHS = 6
HISTORY_MONTHS = 12
"""With less history the year's course is unknown, and most of what was won then had begun before it."""

ENOUGH_CLOSED, ENOUGH_WON = 20, 5
WINDOW_MONTHS = 24
"""How far back chances are learnt from."""

SETS, REPEATS = 100, 20
SEED = 20250630
WATCHED = "T3"

SHARES = (0.1, 0.5, 0.9)
_NAMES = ("p10", "p50", "p90")


class ForecastRow(NamedTuple):
    """One period of one region in one measure. `Forecast.rows` is a frame with these columns.

    region            None = all regions together
    period            "2025-07" or "2025-Q3"
    closed            won in it by as_of
    open_…, new_p50   out of what is open; out of what is still to come
    open_mean         expected out of what is open: the weighted open amount of the period
    total_…           closed + open + new
    target, gap       amount only; gap = target − total_p50, below 0 if it is exceeded; NaN without a target
    weighted_coverage, open_coverage  open_mean, and everything open at its full amount, ÷ (target − closed); NaN if
                      there is no target, or nothing left of it

    Wins are counted in opportunities, amounts in currency units (NaN if no amount is known).
    """

    region: str | None
    period: str
    measure: Measure
    closed: float
    open_p10: float
    open_p50: float
    open_p90: float
    open_mean: float
    new_p50: float
    total_p10: float
    total_p50: float
    total_p90: float
    target: float
    gap: float
    weighted_coverage: float
    open_coverage: float


@dataclass(frozen=True)
class Forecast:
    """rows: columns of `ForecastRow`, totals first; silent: region (None = all together) → why nothing is said.

    stock  region, month (number), p10, p50, p90 of the T3 stock at the end of each coming month
    """

    rows: pd.DataFrame
    silent: Mapping[str | None, Silence]
    stock: pd.DataFrame

    def stock_of(self, region: str | None) -> pd.DataFrame:
        """The rows of `stock` that speak of a region."""
        return self.stock[np.array([r == region for r in self.stock["region"]], dtype=bool)]

    def why_silent(self, region: str | None) -> Silence | None:
        """Why nothing is said of a region; None if something is."""
        return self.silent.get(region, self.silent.get(None))


def silence(stays: Sojourns, chosen: Flags | None = None) -> Silence | None:
    """Why nothing can be forecast; None if it can."""
    own = stays if chosen is None else stays.of(chosen)
    if not len(own):
        return Silence.NO_FLOWS
    first, _ = ahead(own.day, 1)
    if first - int(own.since_month.min()) < HISTORY_MONTHS:
        return Silence.SHORT_HISTORY
    if (own.stage != own.stage[0]).any() and not ((own.went >= 0) & (own.went < len(STAGES))).any():
        return Silence.NO_STEPS
    if int((own.went >= WON).sum()) < ENOUGH_CLOSED:
        return Silence.FEW_CLOSED
    return Silence.FEW_WON if int((own.went == WON).sum()) < ENOUGH_WON else None


def forecast(stays: Sojourns, settings: Settings, seed: int = SEED) -> Forecast:
    """The coming MONTHS months and their quarters, for all regions together and each. Equal seeds, equal results."""
    several = len(stays.regions) > 1
    silent: dict[str | None, Silence] = {}
    of = {name: stays.region == i for i, name in enumerate(stays.regions)}
    whole = silence(stays)
    parts: dict[str | None, Drawn] = {}
    if whole is None:
        silent = {name: why for name, chosen in of.items() if several and (why := silence(stays, chosen)) is not None}
        parts = dict(drawn(stays, {n: c for n, c in of.items() if n not in silent}, settings, seed, SETS, REPEATS))
    else:
        silent = dict.fromkeys((*((None,) if several or not of else ()), *of), whole)
    shown: list[tuple[str | None, Drawn, Flags]] = [(n, d, of[n]) for n, d in parts.items() if n in of]
    if several and parts:
        shown.insert(0, (None, together(list(parts.values())), np.full(len(stays), True)))
    rows = [r for name, draws, chosen in shown for r in _rows(name, draws, stays.of(chosen), stays.regions, settings)]
    first, _ = ahead(stays.day, MONTHS)
    stock = [
        (name, first + i, *(float(x) for x in quantiles(draws.stock[:, i])))
        for name, draws, _ in shown
        for i in range(MONTHS)
    ]
    return Forecast(
        _frame(rows, list(ForecastRow._fields)), silent, _frame(stock, ["region", "month", "p10", "p50", "p90"])
    )


def untold(why: Silence) -> Forecast:
    """A forecast that says nothing, of no region, and why."""
    return Forecast(_frame([], list(ForecastRow._fields)), {None: why}, _frame([], ["region", "month", *_NAMES]))


def drawn(
    stays: Sojourns, parts: Mapping[str, Flags], settings: Settings, seed: int, sets: int, repeats: int
) -> Iterator[tuple[str | None, Drawn]]:
    """The draws of each part, then, under None, of all that is in no part (left out if there is nothing)."""
    draw = np.random.default_rng(seed)
    first, _ = ahead(stays.day, MONTHS)
    window = day_number(month_end(first - 1 - WINDOW_MONTHS)) + 1
    at_large = pooled(draw, exposure(stays, window), sets)
    rest = np.full(len(stays), True)
    for chosen in parts.values():
        rest &= ~chosen
    everything = [*parts.items(), *([(None, rest)] if rest.any() else [])]
    for name, chosen in everything:
        chances = at_large
        if name is not None and len(everything) > 1:
            chances = leaning(draw, exposure(stays, window, chosen), at_large)
        yield name, _simulated(draw, stays, chosen, chances, settings, repeats)


def _simulated(
    draw: np.random.Generator, stays: Sojourns, chosen: Flags, chances: Hazards, settings: Settings, repeats: int
) -> Drawn:
    first_month = int(stays.since_month.min())
    coming = inflow(stays, first_month, settings.recent_months, chosen)
    pool = amounts(stays, chosen)
    return simulate(draw, stays.of(chosen), chances, coming, pool, MONTHS, STAGES.index(WATCHED), repeats)


def quantiles(values: Floats) -> Floats:
    """P10, P50 and P90 as values that were drawn; NaN if they are undefined."""
    if not len(values) or np.isnan(values).any():
        return np.full(len(SHARES), nan)
    return np.asarray(np.quantile(values, SHARES, method="inverted_cdf"))


def _rows(
    region: str | None, draws: Drawn, own: Sojourns, regions: tuple[str, ...], settings: Settings
) -> Iterator[ForecastRow]:
    first, _ = ahead(own.day, MONTHS)
    won = own.went == WON
    month = own.left_month[won]
    opened = float(np.nansum(own.amount[own.is_open]))
    for period in periods_ahead(first, MONTHS, settings.fiscal_start):
        inside = months_in(period, settings.fiscal_start)
        coming = [m - first for m in inside if m >= first]
        counted = np.isin(month, inside)
        for measure in Measure:
            is_amount = measure == Measure.AMOUNT
            out, new = (draws.open_amount, draws.new_amount) if is_amount else (draws.open_count, draws.new_count)
            closed = float(np.nansum(own.amount[won][counted]) if is_amount else counted.sum())
            still, later = out[:, coming].sum(axis=1), new[:, coming].sum(axis=1)
            part, whole = quantiles(still), closed + quantiles(still + later)
            target = target_of(settings.targets, region, period, regions, settings.fiscal_start) if is_amount else nan
            left = target - closed if target - closed > 0 else nan
            mean = float(still.mean())
            yield ForecastRow(
                region,
                period,
                measure,
                closed,
                **{f"open_{name}": float(x) for name, x in zip(_NAMES, part, strict=True)},
                open_mean=mean,
                new_p50=float(quantiles(later)[1]),
                **{f"total_{name}": float(x) for name, x in zip(_NAMES, whole, strict=True)},
                target=target,
                gap=target - float(whole[1]),
                weighted_coverage=mean / left,
                open_coverage=opened / left,
            )


def _frame(rows: Sequence[tuple[object, ...]], names: list[str]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=names)
    frame["region"] = pd.Series([r[0] for r in rows], dtype=object)
    return frame
