"""Parts of the JSON results that take more than naming columns; `xlfunnel.results` makes their values plain."""

from typing import Any

from xlfunnel.analysis import FunnelAnalysis
from xlfunnel.metrics.alerts import diagnosis
from xlfunnel.pages.evidence import evidence
from xlfunnel.pages.phrases import Phrases
from xlfunnel.pages.remedies import remedies
from xlfunnel.terms import STAGES

_CONVERSION = (
    "from_stage", "to_stage", "horizon_days", "entered", "advanced", "rate", "shrunk", "region_rate",
    "low95", "high95", "low998", "high998", "placement", "is_headline",
)  # fmt: skip
_TAG = ("tag", "value", "limit", "cases", "of", "step")


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


def alerts(analysis: FunnelAnalysis) -> list[dict[str, Any]]:
    """Every alert with its evidence and its remedy, in the language of the settings."""
    say = Phrases(analysis.settings)
    known = remedies(analysis, say)
    return [
        {
            "region": f.region,
            "owner": f.owner,
            "code": f.code,
            "span": f.span or None,
            "value": f.value,
            "limit": f.limit,
            "severity": f.severity,
            "evidence": evidence(f, say),
            "diagnosis": diagnosis(f),
            "remedy": [r._asdict() for r in known[diagnosis(f)]],
        }
        for f in analysis.alerts
    ]
