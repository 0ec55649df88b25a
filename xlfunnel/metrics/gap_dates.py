"""The month in which the T3 reserve breaks: falls below its floor a head, or has done so already.

The floor of a region is its floor a head (`metrics.floors`) times its reps. The coming month ends are those of the
forecast's stock (`metrics.forecast`): the median path gives the month in which it is expected, the P10 path the
earliest plausible one.
"""

from collections.abc import Mapping
from math import isnan, nan
from typing import NamedTuple

import pandas as pd

from xlfunnel.facts import Facts
from xlfunnel.metrics.forecast import WATCHED, Forecast
from xlfunnel.metrics.reserve import SpanSeries
from xlfunnel.terms import GapKind


class GapDate(NamedTuple):
    """When a region's T3 reserve breaks. `gap_dates` gives a frame with these columns.

    region    None = all regions together
    floor     opportunities over all its reps
    stock     T3 opportunities now
    kind      see `xlfunnel.terms.GapKind`
    month     NOW: the month since which it has been below; EXPECTED: when the median path falls below; POSSIBLE: when
              the P10 path does; else NaN. Month numbers, as float
    earliest  when the P10 path falls below; NaN if it does not, or nothing is forecast
    """

    region: str | None
    floor: float
    stock: float
    kind: GapKind
    month: float
    earliest: float


def gap_dates(facts: Facts, owners: pd.DataFrame, found: Forecast, limits: Mapping[str, float]) -> pd.DataFrame:
    """A row a region with reps and a floor, totals first; none where the CRM has no such stage.

    limits  region → T3 floor a head, opportunities; NaN or 0 = no rule. All together have a floor if each region has
    """
    heads = owners[owners["owner"] != ""].groupby("region").size()
    floors: dict[str | None, float] = {str(r): limits.get(str(r), nan) * int(n) for r, n in heads.items()}
    known = SpanSeries(facts)
    if len(known.regions) > 1:
        floors = {None: sum(floors.values()), **floors}
    rows: list[GapDate] = []
    for region, floor in floors.items():
        past = known.series(WATCHED, region=region)
        if floor > 0 and past.notna().all():
            rows.append(_gap_date(region, floor, past, found.stock_of(region)))
    frame = pd.DataFrame(rows, columns=list(GapDate._fields))
    frame["region"] = pd.Series([r.region for r in rows], dtype=object)
    return frame


def _gap_date(region: str | None, floor: float, past: "pd.Series[float]", coming: pd.DataFrame) -> GapDate:
    stock = float(past.iloc[-1])
    expected, earliest = (_first(coming, coming[path] < floor) for path in ("p50", "p10"))
    if stock < floor:
        above = past.index[past >= floor]
        since = past.index[0] if not len(above) else int(above[-1]) + 1
        return GapDate(region, floor, stock, GapKind.NOW, float(since), earliest)
    if not len(coming):
        return GapDate(region, floor, stock, GapKind.UNKNOWN, nan, nan)
    if not isnan(expected):
        return GapDate(region, floor, stock, GapKind.EXPECTED, expected, earliest)
    kind = GapKind.POSSIBLE if not isnan(earliest) else GapKind.NONE
    return GapDate(region, floor, stock, kind, earliest, earliest)


def _first(coming: pd.DataFrame, below: "pd.Series[bool]") -> float:
    months = coming.loc[below, "month"]
    return float(months.iloc[0]) if len(months) else nan
