"""The forecast put to the test: made again as of past month ends, from what was known then, and held against the truth.

For each of the last CUTS month ends with history enough (`metrics.forecast.silence`), each following complete month up
to the forecast's reach: P10, P50, P90 of its wins, and whether the truth lies between P10 and P90, both included. Of
amounts, which hardly ever fall on a limit, eight in ten should; of small counts, where the limits themselves have
weight, rather more. Months forecast from several cuts are counted each time: the rows are not independent.

All regions together, with fewer draws than the forecast itself. What was corrected or entered later in the CRM, and
amounts as they were then, are not known: each stay is taken with its last amount.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd

from xlfunnel.calendar import day_number, month_end
from xlfunnel.metrics.forecast import MONTHS, SEED, drawn, quantiles, silence
from xlfunnel.metrics.simulation import ahead
from xlfunnel.metrics.sojourns import WON, Sojourns
from xlfunnel.settings import Settings
from xlfunnel.terms import Measure

CUTS, CUTS_OF_MANY, MANY = 12, 6, 50_000
"""Month ends tried; with more stays than MANY fewer."""

_SETS, _REPEATS = 60, 6


class BackTest(NamedTuple):
    """One past month seen from an earlier month end. `backtest` gives a frame with these columns.

    region             the only region, or None = all together
    cut_month, month   month numbers: forecast at the end of the one, for the other; horizon = months between
    p10 … p90, actual  wins: opportunities, or currency units
    inside             p10 ≤ actual ≤ p90
    """

    region: str | None
    cut_month: int
    month: int
    horizon: int
    measure: Measure
    p10: float
    p50: float
    p90: float
    actual: float
    inside: bool


class Coverage(NamedTuple):
    """share of n back-tests with the truth inside P10-P90, 0…1; NaN without any."""

    share: float
    n: int


def backtest(stays: Sojourns, settings: Settings, seed: int = SEED) -> pd.DataFrame:
    """Past forecasts and what became of them: a frame with the columns of `BackTest`, latest cut first."""
    running, _ = ahead(stays.day, 1)
    scope = stays.regions[0] if len(stays.regions) == 1 else None
    won = stays.went == WON
    month, amount = stays.left_month[won], np.nan_to_num(stays.amount[won])
    rows: list[BackTest] = []
    for cut in range(running - 2, running - 2 - (CUTS if len(stays) <= MANY else CUTS_OF_MANY), -1):
        then = stays.known_on(day_number(month_end(cut)))
        if silence(then) is not None:
            break  # earlier cuts know even less
        draws = next(made for _, made in drawn(then, {}, settings, seed, _SETS, _REPEATS, watched=None))
        counts, amounts = quantiles(draws.open_count + draws.new_count), quantiles(draws.open_amount + draws.new_amount)
        for i in range(min(MONTHS, running - cut - 1)):
            here = month == cut + 1 + i
            seen = (
                (Measure.COUNT, counts[:, i], float(here.sum())),
                (Measure.AMOUNT, amounts[:, i], float(amount[here].sum())),
            )
            for measure, limits, actual in seen:
                p10, p50, p90 = limits.tolist()
                if not np.isnan(p50):
                    inside = bool(p10 <= actual <= p90)
                    rows.append(BackTest(scope, cut, cut + 1 + i, i + 1, measure, p10, p50, p90, actual, inside))
    frame = pd.DataFrame(rows, columns=list(BackTest._fields))
    frame["region"] = pd.Series([r.region for r in rows], dtype=object)
    return frame


def coverage(tests: pd.DataFrame, measure: Measure) -> Coverage:
    """How often the truth lay inside, over all rows of a measure."""
    inside = tests.loc[tests["measure"] == measure, "inside"]
    return Coverage(float(inside.mean()) if len(inside) else float("nan"), len(inside))
