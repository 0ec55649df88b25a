"""Regions beside each other: what each holds, where it leads, its weakest step, and a ranking that knows chance.

Ranked by the least that the win rate may be: the lower end of Wilson's interval. A region that won three of three does
not stand before one that won sixty of a hundred; with as many cases the better rate stands first.
"""

from collections.abc import Iterable
from math import isnan, nan
from typing import NamedTuple

import pandas as pd

from xlfunnel.facts import Facts
from xlfunnel.metrics import reserve
from xlfunnel.metrics.duration import CYCLE_STAGE
from xlfunnel.metrics.evidence import FEW
from xlfunnel.metrics.floors import Floor
from xlfunnel.metrics.proportion import wilson
from xlfunnel.metrics.trend import Trend
from xlfunnel.settings import Settings
from xlfunnel.terms import SPANS, ConversionKind, Judgement, Measure, Severity, Verdict

MONTHS, MOST_DRAWN = 12, 12
"""So many month ends of each region are drawn side by side, of so many regions at most."""


class Region(NamedTuple):
    """One region. `regions` gives a frame with these columns, best rank first.

    owners, short_owners  reps counted as heads; those of them below the region's mean
    reserve               opportunities in T0…T3 now
    slope_…, verdict_…    line through the T0-T2, T0-T3 and T3 reserves: opportunities a month, what may be said of it
    t3_per_owner, to_floor  T3 a head; that less the region's floor, NaN without one
    step_from, step_to    the step furthest below that of all regions together, by the ratio of the censor-aware rates
                          of the recent months; "" if none with FEW cases is below, or if there is one region only
    step_entered, step_rate, step_all  its cases, its rate, and that of all regions (0…1)
    t3_median             days in T3 by Kaplan-Meier; NaN as in `metrics.duration`
    won, closed, win_rate, win_low, win_high  of the trend window and the running month; the rate with Wilson's interval
    severity              risk if any of the lines declines or T3 a head is below its floor; watch if a decline is only
                          likely; none if there is neither a line nor a floor
    period, forecast, gap  the first quarter that ends within the forecast; wins in it (P50, currency units), what is
                          missing to the target; "" and NaN where nothing is forecast
    rank                  1 = highest win_low, equals share the better rank; NaN under FEW closed, or for a lone region
    """

    region: str
    owners: int
    short_owners: int
    reserve: float
    slope_t02: float
    slope_t03: float
    slope_t3: float
    verdict_t02: Verdict
    verdict_t03: Verdict
    verdict_t3: Verdict
    t3_per_owner: float
    to_floor: float
    step_from: str
    step_to: str
    step_entered: float
    step_rate: float
    step_all: float
    t3_median: float
    won: int
    closed: int
    win_rate: float
    win_low: float
    win_high: float
    severity: Severity
    period: str
    forecast: float
    gap: float


class _Step(NamedTuple):
    step_from: str
    step_to: str
    step_entered: float
    step_rate: float
    step_all: float


class _Coming(NamedTuple):
    period: str
    forecast: float
    gap: float


_NOT_COMING = _Coming("", nan, nan)
_FORECAST = ("period", "measure", "total_p50", "gap")
_QUARTER = "Q"
_LIKELY = {Verdict.DECLINING_THIN, Verdict.INDICATIVE_DECLINING}
_SILENT = {Verdict.NO_DATA, Verdict.TOO_SHORT}
_NO_STEP = _Step("", "", nan, nan, nan)


def regions(
    facts: Facts,
    settings: Settings,
    owners: pd.DataFrame,
    trends: Iterable[Trend],
    floors: Iterable[Floor],
    conversions: pd.DataFrame,
    durations: pd.DataFrame,
    forecast: pd.DataFrame,
) -> pd.DataFrame:
    """A row a region, out of what the other metrics found of it (their own frames and values)."""
    now = reserve.SpanSeries(facts, [facts.last_month])
    lines = {(t.region, t.span): t.fit for t in trends if t.owner is None and t.measure == Measure.COUNT}
    limits = {f.region: f.limit for f in floors if f.stage == CYCLE_STAGE and f.region is not None}
    months = reserve.complete_months(facts, settings.trend_months)
    first = months[0] if months else facts.last_month
    rates = conversions[(conversions["kind"] == ConversionKind.CENSORED) & conversions["month"].isna()]
    rates = rates[rates["owner"].isna()]
    everywhere = rates[rates["region"].isna()]
    whole = dict(zip(everywhere["from_stage"], everywhere["rate"], strict=True))
    days = durations[durations["owner"].isna() & (durations["stage"] == CYCLE_STAGE)]
    medians = dict(zip(days["region"], days["median"], strict=True))
    rows = []
    for region in now.regions:
        heads = owners[(owners["region"] == region) & (owners["owner"] != "")]
        t3 = float(heads["T3"].sum(skipna=False)) if len(heads) else nan
        per_owner = t3 / len(heads) if len(heads) else nan
        wins = reserve.win_rate(facts, first, facts.last_month, region)
        share = wilson(wins.won, wins.closed)
        fits = [lines[region, span] for span in SPANS]
        rows.append(
            Region(
                region,
                owners=len(heads),
                short_owners=int((heads["to_mean"] < 0).sum()),
                reserve=float(now.series("T0-T3", region=region).iloc[0]),
                slope_t02=fits[0].slope,
                slope_t03=fits[1].slope,
                slope_t3=fits[2].slope,
                verdict_t02=fits[0].verdict,
                verdict_t03=fits[1].verdict,
                verdict_t3=fits[2].verdict,
                t3_per_owner=per_owner,
                to_floor=per_owner - limits.get(region, nan),
                **_weakest(rates[rates["region"] == region], whole)._asdict(),
                t3_median=float(medians.get(region, nan)),
                won=wins.won,
                closed=wins.closed,
                win_rate=share.rate,
                win_low=share.low,
                win_high=share.high,
                **_coming(forecast[forecast["region"] == region])._asdict(),
                severity=_severity([f.verdict for f in fits], per_owner - limits.get(region, nan)),
            )
        )
    frame = pd.DataFrame(rows, columns=list(Region._fields))
    proven = frame["win_low"].where(frame["closed"] >= FEW).astype(float)
    frame["rank"] = proven.rank(method="min", ascending=False) if len(frame) > 1 else nan
    return frame.sort_values(["rank", "reserve", "region"], ascending=[True, False, True], ignore_index=True)


def region_months(facts: Facts, regions: Iterable[str]) -> pd.DataFrame:
    """The last MONTHS complete month ends (number) of these regions, in their order: region month T0-T3 T3."""
    months = list(reserve.complete_months(facts, MONTHS)) or [facts.last_month]
    known = reserve.SpanSeries(facts, months)
    parts = [
        pd.DataFrame({"region": r, "month": months, **{s: known.series(s, region=r).to_numpy() for s in SPANS[1:]}})
        for r in regions
    ]
    columns = ["region", "month", *SPANS[1:]]
    return pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns)


def _severity(verdicts: list[Verdict], to_floor: float) -> Severity:
    if Verdict.DECLINING in verdicts or to_floor < 0:
        return Severity.RISK
    if _LIKELY.intersection(verdicts):
        return Severity.WATCH
    return Severity.NONE if _SILENT.issuperset(verdicts) and isnan(to_floor) else Severity.OK


def _coming(rows: pd.DataFrame) -> _Coming:
    quarters = [
        _Coming(period, p50, gap)
        for period, measure, p50, gap in zip(*(rows[c] for c in _FORECAST), strict=True)
        if measure == Measure.AMOUNT and _QUARTER in period
    ]
    return quarters[0] if quarters else _NOT_COMING


def _weakest(rates: pd.DataFrame, whole: dict[str, float]) -> _Step:
    """The step whose rate is the smallest share of that of all regions."""
    columns = (rates[c] for c in ("verdict", "from_stage", "to_stage", "entered", "rate"))
    steps = [
        (rate / whole[stage], _Step(stage, to_stage, n, rate, whole[stage]))
        for verdict, stage, to_stage, n, rate in zip(*columns, strict=True)
        if n >= FEW and verdict != Judgement.NOT_YET and whole.get(stage) and rate / whole[stage] < 1
    ]
    return min(steps)[1] if steps else _NO_STEP
