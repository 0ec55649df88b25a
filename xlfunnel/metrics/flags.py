"""The rules on what is held: a table, applied to reps, to regions as a whole, and to the regions' trends.

What other rooms find (blocked steps, slower stages …) joins them on the Alerts sheet: `metrics.alerts`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import pandas as pd

from xlfunnel.metrics.floors import Floor, in_force, shortfall
from xlfunnel.metrics.trend import Trend
from xlfunnel.settings import Settings
from xlfunnel.terms import Col, FlagCode, Measure, Severity, Verdict


@dataclass(frozen=True)
class Flag:
    """One broken rule.

    owner    None = the region as a whole
    value    what was found: opportunities (a head, for a region), months' slope, or what the rule is about
    limit    what it should have reached, in the same unit
    span     of a trend, stage ("T2") or step ("T2-T3"), else ""
    numbers  more evidence, by the names that its sentence uses; NaN = undefined
    """

    region: str
    owner: str | None
    code: FlagCode
    value: float
    limit: float
    severity: Severity
    span: str = ""
    numbers: Mapping[str, float] = field(default_factory=dict, compare=False)


class Head(NamedTuple):
    """What the rules look at: a rep, or the average rep of a region (owner None)."""

    region: str
    owner: str | None
    reserve: float
    region_mean: float
    t1: float
    t3: float


class Rule(NamedTuple):
    """`value` under `limit` raises the flag; a limit of None, or NaN in either, means there is nothing to compare."""

    code: FlagCode
    severity: Severity
    value: Callable[[Head], float]
    limit: Callable[[Head, Settings], float | None]


class TrendRule(NamedTuple):
    """A region's count trend with this verdict raises the flag; value = slope, limit = 0."""

    code: FlagCode
    severity: Severity
    verdict: Verdict


RULES = (
    Rule(
        FlagCode.BELOW_MEAN,
        Severity.WATCH,
        lambda head: head.reserve,
        lambda head, _: head.region_mean,  # a region's average rep, and a rep alone in the region, stand at it
    ),
    Rule(FlagCode.BELOW_FLOOR_T1, Severity.WATCH, lambda head: head.t1, lambda _, settings: settings.floor_t1),
    Rule(FlagCode.BELOW_FLOOR_T3, Severity.RISK, lambda head: head.t3, lambda _, settings: settings.floor_t3),
)

TREND_RULES = (
    TrendRule(FlagCode.RESERVE_DECLINING, Severity.RISK, Verdict.DECLINING),
    TrendRule(FlagCode.RESERVE_DECLINING, Severity.WATCH, Verdict.DECLINING_THIN),
)


def flags(
    owner_table: pd.DataFrame, trends: Sequence[Trend], settings: Settings, floors: Sequence[Floor] = ()
) -> tuple[Flag, ...]:
    """Every broken rule, worst severity first; then regions before reps, by rule, and the furthest below first.

    owner_table  frame of `metrics.owners.owner_reserves`
    floors       those of `metrics.floors.floors`, which replace the settings' own
    """
    raised = [*_of_heads(owner_table, settings, floors), *_of_trends(trends)]
    return tuple(sorted(raised, key=order))


def _of_heads(owner_table: pd.DataFrame, settings: Settings, floors: Sequence[Floor]) -> Iterator[Flag]:
    rules = {f.region: in_force(settings, floors, f.region) for f in floors}
    rates = {(f.region, f.stage): f for f in floors}
    for head in _heads(owner_table):
        for rule in RULES:
            value, limit = rule.value(head), rule.limit(head, rules.get(head.region, settings))
            if limit is not None and value < limit:  # False for NaN
                floor = rates.get((head.region, rule.code.removeprefix("below_floor_")))
                numbers = _risk(floor, value, settings) if floor else {}
                yield Flag(head.region, head.owner, rule.code, value, float(limit), rule.severity, numbers=numbers)


def _risk(floor: Floor, held: float, settings: Settings) -> dict[str, float]:
    """What holding so few means: the rate and its base, the safety stock, the chance of too few wins."""
    return {
        "rate": floor.rate,
        "entered": floor.entered,
        "stock": floor.stock,
        "risk": shortfall(held, floor.rate, settings),
        "wins": settings.wins_needed,
    }


def _of_trends(trends: Sequence[Trend]) -> Iterator[Flag]:
    for trend in trends:
        if trend.region is None or trend.owner is not None or trend.measure != Measure.COUNT:
            continue
        for rule in TREND_RULES:
            if trend.fit.verdict == rule.verdict:
                yield Flag(trend.region, None, rule.code, trend.fit.slope, 0.0, rule.severity, trend.span)


def _heads(owner_table: pd.DataFrame) -> Iterator[Head]:
    """Each region's average rep, then its reps. What belongs to nobody is neither a head nor in anybody's hands."""
    for region, rows in owner_table.groupby(Col.REGION.value, sort=True):
        reps = rows[rows[Col.OWNER.value] != ""]
        if reps.empty:
            continue
        t1, t3 = (float(reps[c].mean(skipna=False)) for c in ("t1", "t3"))
        mean = float(reps["reserve"].mean())
        yield Head(str(region), None, mean, mean, t1, t3)
        for rep in reps.to_dict("records"):
            values = (float(rep[c]) for c in ("reserve", "region_mean", "t1", "t3"))
            yield Head(str(region), str(rep[Col.OWNER.value]), *values)


def order(flag: Flag) -> tuple[object, ...]:
    """The sort key of alerts."""
    short = flag.value / flag.limit if flag.limit else flag.value
    if flag.value > flag.limit:  # a rule on too much: the furthest above first
        short = -short
    return (
        list(Severity).index(flag.severity),
        flag.owner is not None,
        list(FlagCode).index(flag.code),
        flag.region,
        flag.span,
        short,
        flag.owner or "",
    )
