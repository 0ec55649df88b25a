"""The few figures that stand in front: what Home says, and the monthly table behind the charts."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isnan, nan

import numpy as np
import pandas as pd

from xlfunnel.facts import Facts
from xlfunnel.metrics import reserve
from xlfunnel.metrics.flags import Flag
from xlfunnel.metrics.trend import Trend
from xlfunnel.settings import Settings
from xlfunnel.terms import SPANS, STAGES, FlagCode, Measure, Severity, Verdict

RESERVE_FALL_RISK = 0.30
RESERVE_FALL_WATCH = 0.10
"""Share of the T0→T3 reserve lost over the window from which its tile turns red or amber: a third gone cannot be made
up within one sales cycle, a tenth is within the month-to-month noise of most pipelines."""

_SLOPE_SEVERITY = {
    Verdict.DECLINING: Severity.RISK,
    Verdict.DECLINING_THIN: Severity.WATCH,
    Verdict.INDICATIVE_DECLINING: Severity.WATCH,
    Verdict.NO_DATA: Severity.NONE,
    Verdict.TOO_SHORT: Severity.NONE,
    Verdict.NO_TREND: Severity.NONE,
}


@dataclass(frozen=True)
class Headline:
    """Figures of the whole scope (one region, or all of them together) as of the check-up's day.

    owners                      reps counted as heads; opportunities without an owner make no head
    months, first_month         complete months in the trend window; the first of them
    reserve_now, reserve_first  T0-T3 reserve now and at the end of first_month
    t3_now, t3_first            the same for T3
    t3_per_owner, t3_gap        T3 reserve a head; opportunities missing to the floor over all heads, 0 if none,
                                NaN without a floor
    t3_floor                    the floor a head that applies; NaN without one
    short_owners                reps below their region's mean, smallest reserve first
    short_share                 their share of the T0-T3 reserve, 0-1
    mean                        T0-T3 reserve a head over the whole scope
    win_rate, won, closed       over the window and the running month
    funnel                      (stage, opportunities open now) for T0…T4; NaN for a stage that the CRM does not have
    severities                  of each tile of Home, by the tile's name
    severity                    the worst of these and of the region's flags
    """

    owners: int
    open_count: int
    months: int
    first_month: int
    reserve_now: float
    reserve_first: float
    t3_now: float
    t3_first: float
    t3_per_owner: float
    t3_floor: float
    t3_gap: float
    short_owners: tuple[str, ...]
    short_share: float
    mean: float
    win_rate: float
    won: int
    closed: int
    funnel: tuple[tuple[str, float], ...]
    severities: Mapping[str, Severity]
    severity: Severity


@dataclass(frozen=True)
class HelpRow:
    """A rep who needs help: reserves now and the rules broken."""

    region: str
    owner: str
    reserve: float
    t3: float
    codes: tuple[FlagCode, ...]


def monthly(facts: Facts, settings: Settings, region: str | None) -> pd.DataFrame:
    """Month by month over the complete months of the trend window, indexed by month number.

    x (1…n) · T0…T4, T0-T2, T0-T3 (opportunities at month end) · created, won, lost (opportunities in the month; NaN
    where the source holds reserves only) · amount (T0-T3 reserve, currency units)
    """
    months = list(reserve.complete_months(facts, settings.trend_months))
    spans = (*STAGES, "T0-T2", "T0-T3")
    known = reserve.SpanSeries(facts, months)
    frame = pd.DataFrame({s: known.series(s, region=region) for s in spans})
    frame.insert(0, "x", range(1, len(months) + 1))
    flows = reserve.flows(facts, region=region).reindex(months)
    has_flows = len(facts.entries) > 0
    for name in ("created", "won", "lost"):
        frame[name] = flows[name] if has_flows else nan
    frame["amount"] = known.series("T0-T3", Measure.AMOUNT, region=region)
    return frame


def partial(facts: Facts, region: str | None) -> dict[str, float] | None:
    """Reserves by span in the running, incomplete month; None if the last month is complete."""
    if not reserve.is_partial(facts.last_month, facts.as_of):
        return None
    now = reserve.SpanSeries(facts, [facts.last_month])
    return {span: float(now.series(span, region=region).iloc[0]) for span in SPANS}


def headline(
    facts: Facts, owners: pd.DataFrame, trends: tuple[Trend, ...], flags: tuple[Flag, ...], settings: Settings
) -> Headline:
    """The figures of Home. `owners` is the frame of `metrics.owners.owner_reserves`, `trends` those of the scope."""
    months = reserve.complete_months(facts, settings.trend_months)
    first = months[0] if months else facts.last_month
    ends = reserve.SpanSeries(facts, sorted({first, facts.last_month}))
    spans = (*STAGES, "T0-T3")
    then, now = (dict(zip(spans, (float(ends.series(s).iloc[i]) for s in spans), strict=True)) for i in (0, -1))
    heads = owners[owners["owner"] != ""]
    short = heads[heads["to_mean"] < 0].sort_values(["reserve", "owner"])
    t3_held = float(heads["T3"].sum(skipna=False))  # NaN where the CRM has no such stage
    per_owner = t3_held / len(heads) if len(heads) else nan
    floor = settings.floor_t3 or None  # 0 is no rule
    wins = reserve.win_rate(facts, first, facts.last_month)
    fit = next((t.fit for t in trends if t.span == "T0-T3" and t.measure == Measure.COUNT), None)
    severities = {
        "reserve": _fall(now["T0-T3"], then["T0-T3"]),
        "slope": _SLOPE_SEVERITY.get(fit.verdict, Severity.OK) if fit else Severity.NONE,
        "t3_per_owner": Severity.NONE if floor is None else _below(per_owner, floor, Severity.RISK),
        "short_reps": _below(-len(short), 0, Severity.WATCH) if len(heads) else Severity.NONE,
        "win_rate": Severity.NONE,
    }
    regional = [f.severity for f in flags if f.owner is None]
    return Headline(
        owners=len(heads),
        open_count=int(np.nansum([now[s] for s in STAGES])),
        months=len(months),
        first_month=first,
        reserve_now=now["T0-T3"],
        reserve_first=then["T0-T3"],
        t3_now=now["T3"],
        t3_first=then["T3"],
        t3_per_owner=per_owner,
        t3_floor=nan if floor is None else floor,
        t3_gap=nan if floor is None or isnan(per_owner) else max(0.0, floor * len(heads) - t3_held),
        short_owners=tuple(short["owner"]),
        short_share=float(short["reserve"].sum() / now["T0-T3"]) if now["T0-T3"] else nan,
        mean=float(heads["reserve"].mean()) if len(heads) else nan,
        win_rate=wins.rate,
        won=wins.won,
        closed=wins.closed,
        funnel=tuple((s, now[s]) for s in STAGES),
        severities=severities,
        severity=min([*regional, *severities.values()], key=list(Severity).index),
    )


def help_first(owners: pd.DataFrame, flags: tuple[Flag, ...]) -> tuple[HelpRow, ...]:
    """Reps with at least one flag: most rules broken first, then the smallest reserve."""
    codes: dict[tuple[str, str], list[FlagCode]] = {}
    for flag in flags:
        if flag.owner is not None:
            codes.setdefault((flag.region, flag.owner), []).append(flag.code)
    columns = ("region", "owner", "reserve", "T3")
    rows = [
        HelpRow(region, owner, float(stock), float(t3), tuple(codes[region, owner]))
        for region, owner, stock, t3 in zip(*(owners[c] for c in columns), strict=True)
        if (region, owner) in codes
    ]
    return tuple(sorted(rows, key=lambda r: (-len(r.codes), r.reserve, r.region, r.owner)))


def _fall(now: float, then: float) -> Severity:
    if isnan(now) or isnan(then) or then == 0:
        return Severity.NONE
    lost = (then - now) / then
    if lost >= RESERVE_FALL_RISK:
        return Severity.RISK
    return Severity.WATCH if lost >= RESERVE_FALL_WATCH else Severity.OK


def _below(value: float, limit: float, severity: Severity) -> Severity:
    """`severity` if the value is under the limit; no verdict where it is undefined."""
    if isnan(value):
        return Severity.NONE
    return severity if value < limit else Severity.OK
