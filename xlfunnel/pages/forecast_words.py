"""What the forecast says in sentences."""

from math import isnan
from typing import Any

from xlfunnel.analysis import FunnelAnalysis
from xlfunnel.calendar import month_text
from xlfunnel.metrics.backtest import coverage
from xlfunnel.pages.phrases import Phrases
from xlfunnel.terms import GapKind, Measure, Severity

_NARROW = 0.6
"""Share of the back-test below which the range is called too narrow: 80 % were promised."""

_GAP = {
    GapKind.NOW: Severity.RISK,
    GapKind.EXPECTED: Severity.RISK,
    GapKind.POSSIBLE: Severity.WATCH,
    GapKind.NONE: Severity.OK,
    GapKind.UNKNOWN: Severity.NONE,
}


def sentences(analysis: FunnelAnalysis, say: Phrases) -> list[tuple[Severity, str]]:
    """Both quarters with what is missing to their targets, the T3 reserve, the back-test; or why nothing is said."""
    why = analysis.forecast.why_silent(analysis.scope)
    if why is not None:
        told = [(Severity.NONE, say(f"forecast.silent.{why}"))]
    else:
        told = [_quarter(quarter, say) for quarter in _quarters(analysis)]
    told += _gap(analysis, say)
    if why is None:
        told.append(_test(analysis, say))
        told += _silent(analysis, say)
    return told


def scope(analysis: FunnelAnalysis, say: Phrases) -> str:
    """The sheet's scope, and the unit of its amounts."""
    unit = say.amount_unit().strip()
    return say.scope(analysis) + (say("sheets.dot") + unit if unit else "")


def _quarters(analysis: FunnelAnalysis) -> list[dict[Measure, dict[str, Any]]]:
    """The scope's quarters: measure → its row."""
    found: dict[str, dict[Measure, dict[str, Any]]] = {}
    for row in analysis.forecast.rows.to_dict("records"):
        if row["region"] == analysis.scope and "Q" in row["period"]:
            found.setdefault(row["period"], {})[row["measure"]] = {str(k): v for k, v in row.items()}
    return list(found.values())


def _quarter(rows: dict[Measure, dict[str, Any]], say: Phrases) -> tuple[Severity, str]:
    count, amount = rows[Measure.COUNT], rows[Measure.AMOUNT]
    wins = {f"n{p}": say.count(count[f"total_p{p}"]) for p in (10, 50, 90)}
    text = say("forecast.sentence.wins", period=count["period"], **wins)
    if isnan(amount["total_p50"]):
        return Severity.NONE, text + say("forecast.sentence.no_amounts")
    names = {"p10": "total_p10", "p50": "total_p50", "p90": "total_p90", "closed": "closed", "new": "new_p50"}
    parts = {name: say.count(amount[column]) for name, column in names.items()}
    text += say("forecast.sentence.amounts", **parts, open=say.count(amount["open_p50"]))
    target = amount["target"]
    if isnan(target):
        return Severity.NONE, text + say("forecast.sentence.no_target")
    key = "short" if amount["gap"] > 0 else "reached"
    text += say(f"forecast.sentence.{key}", target=say.count(target), gap=say.count(abs(amount["gap"])))
    if target > amount["total_p90"]:
        return Severity.RISK, text
    return (Severity.WATCH if amount["gap"] > 0 else Severity.OK), text


def _gap(analysis: FunnelAnalysis, say: Phrases) -> list[tuple[Severity, str]]:
    """When the scope's T3 reserve falls below its floor; nothing if there is no floor."""
    found = []
    for row in analysis.gap_dates.to_dict("records"):
        if row["region"] == analysis.scope:
            month = "" if isnan(row["month"]) else month_text(int(row["month"]))
            kind = row["kind"]
            numbers = {"stock": say.count(row["stock"]), "floor": say.number(row["floor"])}
            text = say(f"forecast.gap.{kind}", month=month, **numbers)
            path = analysis.stock_path
            if kind == GapKind.NOW and len(path):
                last = path.to_dict("records")[-1]
                low, high = (say.count(last[p]) for p in ("p10", "p90"))
                text += say("forecast.gap.ahead", month=month_text(int(last["month"])), low=low, high=high)
            found.append((_GAP[kind], text))
    return found


def _test(analysis: FunnelAnalysis, say: Phrases) -> tuple[Severity, str]:
    shares = {m: coverage(analysis.backtest, m) for m in Measure}
    if not shares[Measure.COUNT].n:
        return Severity.NONE, say("forecast.test.none")
    told = [
        say(f"forecast.test.{m}", share=say.percent(s.share), inside=say.count(round(s.share * s.n)), n=say.count(s.n))
        for m, s in shares.items()
        if s.n
    ]
    worst = min(s.share for s in shares.values() if s.n)
    end = "narrow" if worst < _NARROW else "fair"
    text = say("forecast.test.told", each=say("sheets.comma").join(told)) + say(f"forecast.test.{end}")
    return (Severity.WATCH if worst < _NARROW else Severity.OK), text


def _silent(analysis: FunnelAnalysis, say: Phrases) -> list[tuple[Severity, str]]:
    each = [
        say("forecast.silent.region", region=say.region(r), why=say(f"forecast.silent.{why}"))
        for r, why in analysis.forecast.silent.items()
    ]
    return [(Severity.NONE, say("forecast.silent.regions", regions="".join(each)))] if each else []
