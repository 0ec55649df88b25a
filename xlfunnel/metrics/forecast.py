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
from xlfunnel.metrics.hazards import exposure, leaning, pooled
from xlfunnel.metrics.inflow import inflow
from xlfunnel.metrics.periods import months_in, periods_ahead, target_of
from xlfunnel.metrics.simulation import Drawn, ahead, amounts, simulate, together
from xlfunnel.metrics.sojourns import WON, Flags, Floats, Sojourns, month_of
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
    rows = slice(None) if chosen is None else np.flatnonzero(chosen)
    stage, went, since = (values[rows] for values in (stays.stage, stays.went, stays.since))
    if not len(stage):
        return Silence.NO_FLOWS
    first, _ = ahead(stays.day, 1)
    if first - month_of(int(since.min())) < HISTORY_MONTHS:
        return Silence.SHORT_HISTORY
    if (stage != stage[0]).any() and not ((went >= 0) & (went < len(STAGES))).any():
        return Silence.NO_STEPS
    if int((went >= WON).sum()) < ENOUGH_CLOSED:
        return Silence.FEW_CLOSED
    return Silence.FEW_WON if int((went == WON).sum()) < ENOUGH_WON else None


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
    shown: dict[str | None, Drawn] = {name: draws for name, draws in parts.items() if name in of}
    if several and parts:
        shown = {None: together(list(parts.values())), **shown}
    known = stays.of(stays.is_open | (stays.went == WON))
    rows = [row for name, draws in shown.items() for row in _rows(name, draws, known, settings)]
    first, _ = ahead(stays.day, MONTHS)
    stock = [
        (name, first + i, *limits)
        for name, draws in shown.items()
        for i, limits in enumerate(quantiles(draws.stock).T.tolist())
    ]
    return Forecast(
        _frame(rows, list(ForecastRow._fields)), silent, _frame(stock, ["region", "month", "p10", "p50", "p90"])
    )


def untold(why: Silence) -> Forecast:
    """A forecast that says nothing, of no region, and why."""
    return Forecast(_frame([], list(ForecastRow._fields)), {None: why}, _frame([], ["region", "month", *_NAMES]))


def drawn(
    stays: Sojourns,
    parts: Mapping[str, Flags],
    settings: Settings,
    seed: int,
    sets: int,
    repeats: int,
    watched: int | None = STAGES.index(WATCHED),
) -> Iterator[tuple[str | None, Drawn]]:
    """The draws of each part, then, under None, of all that is in no part (left out if there is nothing).

    watched  the stage whose stock is drawn too; None = none is
    """
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
        coming = inflow(stays, month_of(int(stays.since.min())), settings.recent_months, chosen)
        there, pool = stays.of(chosen & stays.is_open), amounts(stays, chosen)
        yield name, simulate(draw, there, chances, coming, pool, MONTHS, repeats, watched)


def quantiles(values: Floats) -> Floats:
    """P10, P50 and P90, along the first axis, of what was drawn (draw, …), as values that were; NaN if undefined."""
    if not len(values):
        return np.full((len(SHARES), *values.shape[1:]), nan)
    drawn = np.sort(np.moveaxis(values, 0, -1))  # NaN last
    places = np.maximum(np.ceil(np.multiply(SHARES, len(values)) - 1).astype(np.int64), 0)
    found = np.where(np.isnan(drawn[..., -1:]), nan, drawn[..., places])
    return np.moveaxis(found, -1, 0)


def _rows(region: str | None, draws: Drawn, known: Sojourns, settings: Settings) -> Iterator[ForecastRow]:
    """Period by period; `known` holds what is open, and what was won, in whichever region."""
    own = known if region is None else known.of(known.region == known.regions.index(region))
    first, _ = ahead(own.day, MONTHS)
    won, month = own.went == WON, own.left_month
    opened = float(np.nansum(own.amount[own.is_open]))
    periods = periods_ahead(first, MONTHS, settings.fiscal_start)
    inside = [months_in(period, settings.fiscal_start) for period in periods]
    drawn_of = {
        Measure.COUNT: _periods(draws.open_count, draws.new_count, first, inside),
        Measure.AMOUNT: _periods(draws.open_amount, draws.new_amount, first, inside),
    }
    for i, period in enumerate(periods):
        counted = won & (month >= inside[i][0]) & (month <= inside[i][-1])
        for measure in Measure:
            is_amount = measure == Measure.AMOUNT
            found = drawn_of[measure]
            closed = float(np.nansum(own.amount[counted]) if is_amount else counted.sum())
            target = nan
            if is_amount:
                target = target_of(settings.targets, region, period, known.regions, settings.fiscal_start)
            left = target - closed if target - closed > 0 else nan
            mean, whole = float(found.mean[i]), closed + found.whole[:, i]
            limits = (found.still[:, i], (mean, found.later[i]), whole, (target, target - whole[1]))
            figures = np.concatenate(limits).tolist()
            yield ForecastRow._make((region, period, measure, closed, *figures, mean / left, opened / left))


class _Periods(NamedTuple):
    """By period: P10, P50, P90 (limit, period) out of what is open, `still`, and with what is new, `whole`.

    mean   expected out of what is open; later: P50 out of what is new
    """

    still: Floats
    whole: Floats
    mean: Floats
    later: Floats


def _periods(open_now: Floats, new: Floats, first: int, inside: Sequence[tuple[int, ...]]) -> _Periods:
    """Draws (draw, month) from the month `first` on, by period; `inside`: the unbroken months of each."""
    months = first + np.arange(open_now.shape[1])[:, None]
    is_in = (months >= [p[0] for p in inside]) & (months <= [p[-1] for p in inside])
    still, later = open_now @ is_in.astype(float), new @ is_in.astype(float)
    return _Periods(quantiles(still), quantiles(still + later), still.mean(axis=0), quantiles(later)[1])


def _frame(rows: Sequence[tuple[object, ...]], names: list[str]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=names)
    frame["region"] = pd.Series([r[0] for r in rows], dtype=object)
    return frame
