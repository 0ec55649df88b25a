"""Parts of the JSON results that take more than naming columns; `xlfunnel.results` makes their values plain."""

from collections.abc import Hashable
from datetime import date
from math import floor, isnan
from typing import Any

import pandas as pd

from xlfunnel.analysis import FunnelAnalysis
from xlfunnel.calendar import date_of, month_text
from xlfunnel.metrics.alerts import diagnosis
from xlfunnel.metrics.backtest import coverage
from xlfunnel.metrics.flags import Flag
from xlfunnel.metrics.movement import STEPS_SHOWN
from xlfunnel.metrics.opportunity import CAUSES, DATES
from xlfunnel.pages.evidence import evidence
from xlfunnel.pages.phrases import Phrases
from xlfunnel.pages.remedies import remedies
from xlfunnel.terms import SCORES, STAGES, Measure

_CONVERSION = (
    "from_stage", "to_stage", "horizon_days", "entered", "advanced", "rate", "shrunk", "region_rate",
    "low95", "high95", "low998", "high998", "placement", "is_headline",
)  # fmt: skip
_FLAG = ("region", "owner", "code", "span", "value", "limit", "severity")
_SHAPE = (
    "region", "owner", "stage", "now", "entered", "ratio", "low", "high", "history", "verdict", "now_ratio",
    "usual_low", "usual", "usual_high",
)  # fmt: skip
_MOVEMENT = ("month", "region", "owner", "stage", "measure", *STEPS_SHOWN)
_TAG = ("tag", "value", "limit", "cases", "of", "step")
_FORECAST = (
    "region", "period", "measure", "closed", "open_p10", "open_p50", "open_p90", "new_p50",
    "total_p10", "total_p50", "total_p90", "target", "gap", "weighted_coverage", "open_coverage",
)  # fmt: skip
_BACKTEST = ("region", "cut_month", "month", "horizon", "measure", "p10", "p50", "p90", "actual", "inside")
_GAP_DATES = ("region", "floor", "stock", "kind", "month", "earliest")
_MONTHS = ("cut_month", "month", "earliest")
_REVIEW = (
    "opportunity_id", "region", "owner", "outcome", "stage", "amount", "days",
    "slow_stage", "slow_days", "slow_median", "slow_ratio", "is_reviewed", "reason", "lesson",
)  # fmt: skip
_HEALTH = ("opportunity_id", "region", "owner", "stage", "amount", "days", "median", "p90", "limit_days")


def owners(analysis: FunnelAnalysis) -> list[dict[str, Any]]:
    """A row a rep: what stands with whom, tags with their numbers, conversion of each step against the region's."""
    pairs = analysis.comparisons.groupby(["region", "owner"])
    compared = {key: rows.to_dict("records") for key, rows in pairs}
    return [
        {
            "region": row["region"],
            "owner": row["owner"],
            "stages": {stage: row[stage] for stage in STAGES},
            **{name: row[name] for name in ("reserve", "region_mean", "share", "rank")},
            "tags": [
                {**{name: getattr(t, name) for name in _TAG}, "step": t.step or None}
                for t in analysis.tags_of(row["region"], row["owner"])
            ],
            "conversion": [
                {name: step[name] for name in _CONVERSION} for step in compared.get((row["region"], row["owner"]), ())
            ],
        }
        for row in analysis.owners.to_dict("records")
    ]


def flag(f: Flag) -> dict[str, Any]:
    """A broken rule, whoever found it."""
    return {name: getattr(f, name) for name in _FLAG} | {"span": f.span or None}


def alerts(analysis: FunnelAnalysis) -> list[dict[str, Any]]:
    """Every alert with its evidence and its remedy, in the language of the settings."""
    say = Phrases(analysis.settings)
    known = remedies(analysis, say)
    return [
        {
            **flag(f),
            "evidence": evidence(f, say),
            "diagnosis": diagnosis(f),
            "remedy": [r._asdict() for r in known[diagnosis(f)]],
        }
        for f in analysis.alerts
    ]


def rows_of(frame: pd.DataFrame, names: tuple[str, ...]) -> list[dict[str, Any]]:
    """These columns of a frame, a dict a row; month numbers as text."""
    found: list[dict[Hashable, Any]] = frame.to_dict("records")
    return [
        {n: month_text(int(row[n])) if n in _MONTHS and not pd.isna(row[n]) else row[n] for n in names} for row in found
    ]


def coming(analysis: FunnelAnalysis) -> dict[str, list[dict[str, Any]]]:
    """What is forecast, why nothing is, how past forecasts fared, when the T3 reserve breaks."""
    tests = analysis.backtest
    return {
        "forecast": rows_of(analysis.forecast.rows, _FORECAST),
        "forecast_silent": [{"region": r, "reason": why} for r, why in analysis.forecast.silent.items()],
        "backtest": rows_of(tests, _BACKTEST),
        "backtest_share": [{"measure": m, **coverage(tests, m)._asdict()} for m in Measure],
        "gap_dates": rows_of(analysis.gap_dates, _GAP_DATES),
    }


def opportunities(analysis: FunnelAnalysis) -> list[dict[str, Any]]:
    """The open opportunities of T2 and later, stale ones first, with what users typed of them."""
    return [
        {
            **{name: row[name] for name in _HEALTH},
            "since": date_of(row["since_day"]),
            "stale": [cause for cause, column in CAUSES.items() if row[column]],
            **{name: None if pd.isna(row[name]) else row[name].date() for name in DATES},
            "scores": {name: row[name] for name in SCORES},
            "total": row["total"],
            "advice": row["advice"],
        }
        for row in analysis.opportunities.to_dict("records")
    ]


def shape(analysis: FunnelAnalysis) -> list[dict[str, Any]]:
    """A row a stage of everyone's funnel: what stands, what entered recently, how it narrows."""
    return rows_of(analysis.shape, _SHAPE)


def movement(analysis: FunnelAnalysis) -> list[dict[str, Any]]:
    """A row a month, stage and measure, of regions and the total: reps would make it many times as long."""
    return rows_of(analysis.movement[analysis.movement["owner"].isna()], _MOVEMENT)


def reviewed(analysis: FunnelAnalysis) -> list[dict[str, Any]]:
    """What was won and lost lately, latest first, with what users typed of it."""
    return [
        {**{name: row[name] for name in _REVIEW}, "closed": date_of(row["closed_day"])}
        for row in analysis.reviewed.to_dict("records")
    ]


def reverse_funnel(analysis: FunnelAnalysis) -> list[dict[str, Any]]:
    """What must come in early, who by who and stage by stage; days as dates."""
    return [
        {
            **r._asdict(),
            "period": r.period or None,
            "deadline": _date(r.deadline),
            "start_by": _date(r.start_by),
            "earliest_day": _date(r.earliest_day),
            "lacking": r.lacking or None,
        }
        for r in analysis.reverse
    ]


def _date(day: float) -> date | None:
    return None if isnan(day) else date_of(floor(day))
