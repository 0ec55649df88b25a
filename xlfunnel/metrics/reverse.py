"""The funnel read backwards: what is missing late, and how much must come in early, by when, to make it up.

One that enters a stage comes to the target with the product of the censor-aware rates of the steps between
(`metrics.conversion`, the region's recent months), and takes about the sum of the stages' median days
(`metrics.duration`). So n missing need n ÷ rate entries, no later than the deadline less the lag; spread over the weeks
until then. All this on top of what comes in anyway: what is usual has led to the gap. Two thirds of an opportunity do
not exist, so needs are rounded up.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from math import ceil, isnan, nan
from typing import NamedTuple

import pandas as pd

from xlfunnel.calendar import day_number, month_end
from xlfunnel.metrics.flags import Flag
from xlfunnel.metrics.levels import Who
from xlfunnel.metrics.periods import months_in
from xlfunnel.metrics.reserve import CENTS
from xlfunnel.settings import Settings
from xlfunnel.terms import STAGES, Col, ConversionKind, FlagCode, Judgement, Measure, Outcome, Reach

WEEK = 7
_SLACK = 1e-9
"""3 ÷ 0.3 is 10, whatever its last digit says."""


class Reverse(NamedTuple):
    """What one stage must take in so that what is missing comes to the target in time.

    region, owner  owner None = the region's reps together, both None = all regions together
    target         "T3" or "T1", whose floor is not reached, or "won", where the forecast misses its target
    period         of that forecast ("2025-Q3"), else ""; deadline: day number by which the gap is to be closed
    missing        opportunities missing at the target
    from_stage     the stage to fill
    rate, base     share of its entries that comes to the target (0…1), and the least number of cases behind a step
    needed         entries, a whole number
    lag_days       days from entry to the target; start_by: day number by which the last must have entered
    weeks          until then
    per_week       entries a week
    earliest_day   day number: no sooner can entries of the coming week have come to the target
    reach          whether it can be done; where it cannot be said, why. What is undefined is NaN
    lacking        step ("T1-T2") or stage ("T1") of which too little is known, or ""
    """

    region: str | None
    owner: str | None
    target: str
    period: str
    deadline: int
    missing: float
    from_stage: str
    rate: float
    base: float
    needed: float
    lag_days: float
    start_by: float
    weeks: float
    per_week: float
    earliest_day: float
    reach: Reach
    lacking: str


class _Step(NamedTuple):
    """What is known of one step of a region: to where, the rate and its cases, the median days in the stage."""

    to_stage: str
    rate: float
    base: float
    days: float


def missing_to_floor(flags: Iterable[Flag], code: FlagCode) -> dict[Who, float]:
    """(region, owner) → opportunities missing to the floor of a rule; (region, None) the sum of its reps."""
    found: dict[Who, float] = {}
    for flag in flags:
        if flag.code == code and flag.owner is not None:
            gap = flag.limit - flag.value
            found[flag.region, None] = found.get((flag.region, None), 0.0) + gap
            found[flag.region, flag.owner] = gap
    return found


def to_the_floors(
    flags: Sequence[Flag], conversions: pd.DataFrame, durations: pd.DataFrame, as_of: date, settings: Settings
) -> tuple[Reverse, ...]:
    """What closes the gaps to the T3 floor, then to the T1 floor, within settings.plan_weeks."""
    today = day_number(as_of)
    deadline = today + settings.plan_weeks * WEEK
    has_total = bool(conversions["region"].isna().any())
    known = _steps(conversions, durations)
    found: list[Reverse] = []
    for stage, code in (("T3", FlagCode.BELOW_FLOOR_T3), ("T1", FlagCode.BELOW_FLOOR_T1)):
        missing = missing_to_floor(flags, code)
        whole = sum(gap for (_, owner), gap in missing.items() if owner is None)
        total: dict[Who, float] = {(None, None): whole} if has_total else {}
        found += _needs(total | missing, stage, known, today, deadline)
    return tuple(found)


def to_the_targets(
    rows: pd.DataFrame,
    mean_wins: Mapping[str | None, float],
    conversions: pd.DataFrame,
    durations: pd.DataFrame,
    as_of: date,
    settings: Settings,
) -> tuple[Reverse, ...]:
    """What closes the gaps between forecast and target, quarter by quarter: more wins, so more of what comes before.

    rows       frame of `metrics.forecast.Forecast.rows`; amounts of quarters with a gap are taken
    mean_wins  as `mean_wins`; without one, nothing can be said of a region
    """
    today = day_number(as_of)
    short = rows[(rows["measure"] == Measure.AMOUNT) & rows["period"].str.contains("-Q") & (rows["gap"] > 0)]
    known = _steps(conversions, durations) if len(short) else {}
    found: list[Reverse] = []
    for region, period, gap in zip(short["region"], short["period"], short["gap"], strict=True):
        name = None if pd.isna(region) else str(region)
        deadline = day_number(month_end(months_in(period, settings.fiscal_start)[-1]))
        wins: dict[Who, float] = {(name, None): gap / mean_wins.get(name, nan)}
        found += _needs(wins, Outcome.WON, known, today, deadline, period)
    return tuple(found)


def mean_wins(visits: pd.DataFrame, as_of: date) -> dict[str | None, float]:
    """Region → mean amount of what was won by then, currency units, unknown amounts aside; None = all regions.

    None of them is 0: so many wins of nothing make up no gap.
    """
    is_won = (visits[Col.NEXT_STAGE] == Outcome.WON) & (visits[Col.LEFT_DAY] <= day_number(as_of)).fillna(False)
    won = visits.loc[is_won & visits[Col.AMOUNT_CENTS].notna(), [Col.REGION.value, Col.AMOUNT_CENTS.value]]
    cents = won[Col.AMOUNT_CENTS].astype(float)
    found: dict[str | None, float] = {None: float(cents.mean()) / CENTS}
    found |= {str(r): m / CENTS for r, m in cents.groupby(won[Col.REGION]).mean().items()}
    return {region: mean for region, mean in found.items() if mean > 0}


def reverse(
    missing: Mapping[Who, float],
    target: str,
    conversions: pd.DataFrame,
    durations: pd.DataFrame,
    as_of_day: int,
    deadline: int,
    period: str = "",
) -> tuple[Reverse, ...]:
    """Who by who, for every stage before the target, the latest first.

    missing    (region, owner) → opportunities; regions before their reps, in this order
    deadline   day number by which the gap is to be closed
    """
    return tuple(_needs(missing, target, _steps(conversions, durations), as_of_day, deadline, period))


def _needs(
    missing: Mapping[Who, float], target: str, known: Mapping[str | None, Mapping[str, _Step]],
    as_of_day: int, deadline: int, period: str = "",
) -> Iterator[Reverse]:  # fmt: skip
    for (region, owner), gap in missing.items():
        if isnan(gap) or gap <= 0:
            continue
        for stage, path in _paths(known.get(region, {}), target):
            yield _row((region, owner), target, period, gap, stage, path, as_of_day, deadline)


def _row(
    who: Who, target: str, period: str, gap: float, stage: str, path: list[tuple[str, _Step]],
    as_of_day: int, deadline: int,
) -> Reverse:  # fmt: skip
    rate, lag = 1.0, 0.0
    base = min(step.base for _, step in path)
    lacking, reach = "", Reach.IN_TIME
    for code, step in path:
        rate, lag = rate * step.rate, lag + step.days
        if isnan(step.rate):
            lacking, reach = f"{code}-{step.to_stage}", Reach.TOO_FEW
            break
        if isnan(step.days) and not lacking:
            lacking, reach = code, Reach.NO_SPEED
    needed = float(ceil(gap / rate - _SLACK)) if rate > 0 else nan  # False for NaN
    if rate == 0:
        reach = Reach.NEVER
    start_by = deadline - lag
    weeks = (start_by - as_of_day) / WEEK
    per_week = needed / weeks if weeks >= 1 else nan
    if reach == Reach.IN_TIME and not weeks >= 1:
        reach = Reach.TOO_LATE
    return Reverse(
        *who, target, period, deadline, gap, stage, rate, base, needed, lag, start_by, weeks, per_week,
        as_of_day + WEEK + lag, reach, lacking,
    )  # fmt: skip


def _steps(conversions: pd.DataFrame, durations: pd.DataFrame) -> dict[str | None, dict[str, _Step]]:
    """Region → stage → its step, of the region as a whole; a rate of too few cases is not used."""
    days = durations[durations["owner"].isna()]
    medians = dict(zip(zip(_names(days), days["stage"], strict=True), days["median"].astype(float), strict=True))
    rates = conversions[conversions["owner"].isna() & conversions["month"].isna()]
    rates = rates[rates["kind"] == ConversionKind.CENSORED]
    steps: dict[str | None, dict[str, _Step]] = {}
    columns = (rates[name].tolist() for name in ("from_stage", "to_stage", "verdict", "rate", "entered"))
    for region, stage, to_stage, verdict, rate, entered in zip(_names(rates), *columns, strict=True):
        is_unknown = verdict in (Judgement.TOO_FEW, Judgement.NOT_YET)
        steps.setdefault(region, {})[stage] = _Step(
            to_stage, nan if is_unknown else float(rate), float(entered), medians.get((region, stage), nan)
        )
    return steps


def _names(frame: pd.DataFrame) -> list[str | None]:
    """The regions of a frame's rows; None = all together."""
    return [None if pd.isna(region) else str(region) for region in frame["region"]]


def _paths(steps: Mapping[str, _Step], target: str) -> Iterator[tuple[str, list[tuple[str, _Step]]]]:
    """Each stage before the target, the latest first, with the steps from it to there."""
    path: list[tuple[str, _Step]] = []
    for stage in _backwards(steps, target):
        path = [(stage, steps[stage]), *path]
        yield stage, path


def _backwards(steps: Mapping[str, _Step], target: str) -> Iterable[str]:
    before = {step.to_stage: stage for stage, step in steps.items()}
    stage = before.get(target)
    for _ in STAGES:
        if stage is None:
            return
        yield stage
        stage = before.get(stage)
