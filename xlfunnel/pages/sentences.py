"""The sentences a manager must read, each part of the check-up always in its place."""

from math import isnan

from xlfunnel.analysis import FunnelAnalysis
from xlfunnel.calendar import month_text
from xlfunnel.pages import conversion, forecast_words
from xlfunnel.pages.phrases import Phrases
from xlfunnel.terms import Severity


def sentences(analysis: FunnelAnalysis, say: Phrases) -> list[tuple[Severity, str]]:
    """(severity, sentence) pairs. Their order is fixed: the link beside each leads to its evidence."""
    return [
        _t3(analysis, say),
        _reps(analysis, say),
        _trend(analysis, say),
        conversion.sentences(analysis, say)[0],
        forecast_words.sentences(analysis, say)[0],
    ]


def _t3(analysis: FunnelAnalysis, say: Phrases) -> tuple[Severity, str]:
    head = analysis.headline
    severity = head.severities["t3_per_owner"]
    if isnan(head.t3_per_owner):
        return Severity.NONE, say("home.sentence.t3_none")
    facts = {
        "first": say.count(head.t3_first),
        "now": say.count(head.t3_now),
        "month": month_text(head.first_month),
        "per_owner": say.number(head.t3_per_owner),
        "floor": say.number(head.t3_floor),
        "gap": say.count(head.t3_gap),
    }
    return severity, say(f"home.sentence.t3_{severity}", **facts)


def _reps(analysis: FunnelAnalysis, say: Phrases) -> tuple[Severity, str]:
    head = analysis.headline
    severity = head.severities["short_reps"]
    many = "_regions" if severity == Severity.WATCH and analysis.scope is None else ""
    return severity, say(
        f"home.sentence.reps_{severity}{many}",
        names=say.spaced(say.names(head.short_owners)),
        n=len(head.short_owners),
        reps=head.owners,
        mean=say.number(head.mean),
        share=say.percent(head.short_share),
    )


def _trend(analysis: FunnelAnalysis, say: Phrases) -> tuple[Severity, str]:
    trend = analysis.trend("T0-T3")
    severity = analysis.headline.severities["slope"]
    return severity, say(
        f"home.sentence.trend_{severity}",
        slope=say.number(trend.fit.slope, 2),
        r2=say.r2(trend.fit.r_squared),
        n=trend.fit.n,
        verdict=say(f"trend.verdict.{trend.fit.verdict}"),
        meaning=say(f"trend.meaning.{trend.fit.verdict}"),
    )
