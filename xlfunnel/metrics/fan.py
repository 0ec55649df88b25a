"""What the charts of the forecast are drawn from: months that are over, then the coming ones as a band."""

from math import nan

import numpy as np
import pandas as pd

from xlfunnel.calendar import month_of_text
from xlfunnel.facts import Facts
from xlfunnel.metrics.forecast import WATCHED, Forecast
from xlfunnel.metrics.reserve import SpanSeries, complete_months, flows
from xlfunnel.terms import Measure

HISTORY = 12
"""Complete months shown before the forecast."""

_BAND = ("base", "low", "high")


def fan(facts: Facts, found: Forecast, gaps: pd.DataFrame, region: str | None) -> pd.DataFrame:
    """Month by month, indexed by month number: the last HISTORY complete months, then what is forecast.

    won, won_amount, stock   what was won in the month (so far, in the running one), T3 at its end (not in the running
                             one); NaN in months to come, and of wins where the source holds reserves only
    count_…, amount_…, stock_…  base = P10, low = P50 − P10, high = P90 − P50; the band begins in the last complete
                             month: base what it came to, low and high 0. NaN before, but for the stock, whose band lies
                             along its line
    floor                    T3 floor of the region over all its reps (`metrics.gap_dates`); NaN without one
    """
    past = complete_months(facts, HISTORY)
    ahead = found.stock_of(region).set_index("month")
    months = sorted({*past, *(int(m) for m in ahead.index)})
    frame = pd.DataFrame(index=pd.Index(months, dtype="int64", name="month"))
    wins = flows(facts, region=region).reindex(months) if len(facts.entries) else pd.DataFrame(index=frame.index)
    frame["won"] = wins.get("won", nan)
    frame["won_amount"] = wins.get("won_amount", nan)
    frame["stock"] = SpanSeries(facts, past).series(WATCHED, region=region).reindex(months)
    rows = found.rows[_is(found.rows, region)]
    for name, history, band, roots in (
        ("count", frame["won"], _totals(rows, Measure.COUNT), past[-1:]),
        ("amount", frame["won_amount"], _totals(rows, Measure.AMOUNT), past[-1:]),
        ("stock", frame["stock"], ahead, past),
    ):
        frame[[f"{name}_{part}" for part in _BAND]] = _band(history, band, roots).reindex(months)
    limit = gaps.loc[_is(gaps, region), "floor"]
    frame["floor"] = float(limit.iloc[0]) if len(limit) else nan
    return frame


def stock_path(found: Forecast, gaps: pd.DataFrame, region: str | None) -> pd.DataFrame:
    """The T3 stock at coming month ends: month, p10, p50, p90, floor, short.

    short  what the median lacks to the floor, 0 if nothing; both NaN without a floor
    """
    path = found.stock_of(region).drop(columns="region").reset_index(drop=True)
    limit = gaps.loc[_is(gaps, region), "floor"]
    floor = float(limit.iloc[0]) if len(limit) else nan
    return path.assign(floor=floor, short=(floor - path["p50"]).clip(lower=0))


def _totals(rows: pd.DataFrame, measure: Measure) -> pd.DataFrame:
    """P10, P50, P90 of the forecast months (not the quarters), by month number."""
    here = rows[(rows["measure"] == measure) & np.array(["Q" not in p for p in rows["period"]], dtype=bool)]
    percentiles = here[["total_p10", "total_p50", "total_p90"]].astype(float)
    index = pd.Index([month_of_text(p) for p in here["period"]], dtype="int64")
    return percentiles.set_axis(["p10", "p50", "p90"], axis=1).set_axis(index, axis=0)


def _band(history: "pd.Series[float]", ahead: pd.DataFrame, roots: tuple[int, ...]) -> pd.DataFrame:
    parts = [ahead["p10"], ahead["p50"] - ahead["p10"], ahead["p90"] - ahead["p50"]]
    band = pd.DataFrame(dict(zip(_BAND, parts, strict=True)))
    if not len(band) or not roots:
        return band
    return pd.concat([pd.DataFrame({"base": history.loc[list(roots)], "low": 0.0, "high": 0.0}), band])


def _is(frame: pd.DataFrame, region: str | None) -> "np.ndarray[tuple[int], np.dtype[np.bool_]]":
    return np.array([r == region for r in frame["region"]], dtype=bool)
