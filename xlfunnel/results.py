"""The check-up as JSON, for anything that reads on: `docs/results.schema.json` says what stands where.

Undefined is null, never 0. Months are "YYYY-MM", amounts are in currency units, an owner of null means the region as a
whole and a region of null all regions together. Rows stand in the order of the frames, so equal input gives equal text.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import date
from enum import Enum
from math import isfinite
from typing import Any

import numpy as np
import pandas as pd

from xlfunnel import json_parts
from xlfunnel.analysis import FunnelAnalysis
from xlfunnel.calendar import month_text
from xlfunnel.metrics import reserve
from xlfunnel.metrics.trend import Trend

_FIT = (
    "slope", "intercept", "r_squared", "n", "slope_low", "slope_high", "p_value",
    "theil_sen_slope", "theil_sen_low", "theil_sen_high", "kendall_tau", "kendall_p", "verdict",
)  # fmt: skip
_RESERVE = ["month", "region", "owner", "stage", "count", "amount"]
_FLOWS = ("created", "won", "lost", "created_amount", "won_amount", "lost_amount")
_COUNTS = ("created", "won", "lost")
_CONVERSION = (
    "region", "owner", "from_stage", "to_stage", "kind", "month", "entered", "advanced", "rate", "low", "high",
    "horizon_days", "benchmark", "verdict",
)  # fmt: skip
_DURATION = (
    "region", "owner", "stage", "n", "n_open", "median", "q25", "q75", "p90",
    "recent_median", "earlier_median", "log_rank_p",
)  # fmt: skip


def to_json(analysis: FunnelAnalysis) -> dict[str, Any]:
    """The results as plain dicts, lists, strings, numbers and None, ready for `json.dumps(..., allow_nan=False)`."""
    whos = [] if analysis.facts.entries.empty else list(_whos(analysis))  # ready-made reserves say nothing of flows
    result = {
        "as_of": analysis.as_of,
        "currency": analysis.settings.currency,
        "reserves": [
            {
                "month": month_text(month),
                "region": region,
                "owner": owner,
                "stage": stage,
                "count": int(count),
                "amount": float(amount),
            }
            for month, region, owner, stage, count, amount in analysis.reserves[_RESERVE].itertuples(index=False)
        ],
        "flows": [row for who in whos for row in _flows(analysis, *who)],
        "win_rate": [_win_rate(analysis, *who) for who in whos],
        "trends": [_trend(t) for t in analysis.trends],
        "conversion": json_parts.rows_of(analysis.conversions, _CONVERSION),
        "durations": json_parts.rows_of(analysis.durations, _DURATION),
        "owners": json_parts.owners(analysis),
        "shape": json_parts.shape(analysis),
        "movement": json_parts.movement(analysis),
        **json_parts.coming(analysis),
        "flags": [json_parts.flag(f) for f in analysis.flags],
        "alerts": json_parts.alerts(analysis),
        "opportunities": json_parts.opportunities(analysis),
        "review": json_parts.reviewed(analysis),
        "reverse_funnel": json_parts.reverse_funnel(analysis),
        "issues": [
            {"code": i.code, "treatment": i.treatment, "source": i.source, "row": i.row, "value": i.value}
            for i in analysis.issues
        ],
    }
    return {key: _plain(value) for key, value in result.items()}


def dumps(analysis: FunnelAnalysis, more: Mapping[str, Any] | None = None) -> str:
    """`to_json` as text, with `more` parts: UTF-8 letters as they are, one closing newline."""
    found = {**to_json(analysis), **(more or {})}
    return json.dumps(found, ensure_ascii=False, allow_nan=False, indent=2) + "\n"


def _whos(analysis: FunnelAnalysis) -> Iterator[tuple[str | None, str | None]]:
    """(region, owner) of everyone there are reserves of, with the totals as (region, None) and (None, None)."""
    seen = analysis.reserves[["region", "owner"]].drop_duplicates()
    for region, owner in seen.itertuples(index=False):
        yield _plain(region), _plain(owner)


def _flows(analysis: FunnelAnalysis, region: str | None, owner: str | None) -> Iterator[dict[str, Any]]:
    for month, row in reserve.flows(analysis.facts, region, owner).iterrows():
        sums = {name: int(row[name]) if name in _COUNTS else float(row[name]) for name in _FLOWS}
        yield {"month": month_text(int(str(month))), "region": region, "owner": owner, **sums}


def _win_rate(analysis: FunnelAnalysis, region: str | None, owner: str | None) -> dict[str, Any]:
    facts = analysis.facts
    rate = reserve.win_rate(facts, facts.first_month, facts.last_month, region, owner)
    return {
        "region": region,
        "owner": owner,
        "first_month": month_text(facts.first_month),
        "last_month": month_text(facts.last_month),
        "rate": rate.rate,
        "won": rate.won,
        "closed": rate.closed,
    }


def _trend(trend: Trend) -> dict[str, Any]:
    return {
        "region": trend.region,
        "owner": trend.owner,
        "span": trend.span,
        "measure": trend.measure,
        "months": [month_text(m) for m in trend.months],
        "values": list(trend.values),
        **{name: getattr(trend.fit, name) for name in _FIT},
        "xmr": trend.fit.xmr._asdict(),
        "flow_p": trend.fit.flow_p,
    }


def _plain(value: Any) -> Any:
    """Python's own kinds only; NaN, NA and infinities become None, dates ISO text, enum members their value."""
    if isinstance(value, dict):
        return {key: _plain(v) for key, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and not isfinite(value)):
        return None
    return value
