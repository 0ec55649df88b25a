"""Conversion: of those that entered a stage, how many advance; which step is blocked. Three kinds, never mixed."""

from collections.abc import Hashable
from typing import Any

import pandas as pd

from xlfunnel.analysis import FunnelAnalysis
from xlfunnel.calendar import month_text
from xlfunnel.metrics.evidence import ENOUGH, FEW
from xlfunnel.pages.model import Chart, Column, Content, Link, Mark, Page, Series, Slot, Table, Text
from xlfunnel.pages.phrases import Phrases
from xlfunnel.report import Value
from xlfunnel.terms import STAGES, ConversionKind, Judgement, Severity

_STEPS = len(STAGES)
_SENTENCES = range(6, 9)
_CHARTS = range(10, 26)
_RATES, _KINDS, _MONTHS = 30, 40, 50
"""Header rows of the three tables."""

_BAR = {
    Judgement.COMPARED: "bar_compared",
    Judgement.BLOCKED: "bar_blocked",
    Judgement.GREYED: "bar_greyed",
}
_FLOWS = ("entered", "advanced", "rate")


def _body(row: int, rows: int = _STEPS) -> tuple[int, int]:
    return row + 1, row + rows


def _thin(columns: str, base: str, row: int, rows: int = _STEPS) -> Mark:
    """Rates of few cases in grey."""
    (first, last), (left, right) = _body(row, rows), columns.split(":")
    return Mark(f"{left}{first}:{right}{last}", f"${base}{first}", "thin")


PAGE = Page(
    key="conversion",
    widths=(1.7, 13, *(11.1,) * 10, 16.5, 1.7, *(10.8,) * 8),
    heights={
        1: 8, 2: 28, 3: 18, 4: 6, 5: 22, **dict.fromkeys(_SENTENCES, 20), 9: 8, **dict.fromkeys(_CHARTS, 21), 26: 8,
        27: 22, _RATES: 31, 37: 22, 39: 18, _KINDS: 31, 47: 22, 49: 18, _MONTHS: 31,
    },
    area=f"B1:M{_MONTHS + 2}",
    breaks=(26, 46),
    repeat="2:4",
    bands=(("B2:M3", "title_band"), ("B5:M5", "section")),
    texts=(
        Text("B2:I2", "conversion.title", "title_small"),
        Text("B5:M5", "conversion.sentences", "section"),
        Text("B27:M27", "conversion.kind.censored", "section"),
        Text("B28:M28", "conversion.rates.note", "note"),
        Text("B29:M29", "conversion.rates.judged", "note"),
        Text("B37:M37", "conversion.kinds.title", "section"),
        Text("B38:M38", "conversion.kinds.note", "note"),
        Text("C39:I39", "conversion.kind.matured", "group"),
        Text("J39:M39", "conversion.kind.period", "group"),
        Text("B47:M47", "conversion.months.title", "section"),
        Text("B48:M48", "conversion.months.note", "note"),
        Text("D49:I49", "conversion.kind.matured", "group"),
        Text("J49:L49", "conversion.kind.period", "group"),
        Text("O27", "home.chart_data", "muted"),
    ),
    slots=(
        Slot("txt_conversion_scope", "B3:M3", "subtitle"),
        *(Slot(f"txt_conversion_mark_{i}", f"B{row}", "mark_near") for i, row in enumerate(_SENTENCES, 1)),
        *(Slot(f"txt_conversion_{i}", f"C{row}:M{row}", "sentence") for i, row in enumerate(_SENTENCES, 1)),
    ),
    links=(Link("L2:M2", "sheets.to_home", "home", "link_band"),),
    tables=(
        Table("tbl_conversion", f"B{_RATES}", (
            Column("step", "text"), Column("entered", "count"), Column("advanced", "count"),
            Column("rate", "percent1"), Column("low", "percent1"), Column("high", "percent1"),
            Column("horizon_days", "count"), Column("history", "percent1"), Column("history_entered", "count"),
            Column("benchmark", "percent1"), Column("mark", "center_mark"),
            Column("verdict", "text_wide"),
        ), rows=_STEPS),
        Table("tbl_kinds", f"B{_KINDS}", (
            Column("step", "text"), Column("m_entered", "count"), Column("m_advanced", "count"),
            Column("m_rate", "percent1"), Column("m_low", "percent1"), Column("m_high", "percent1"),
            Column("m_history", "percent1"), Column("m_verdict", "help_text"), Column("p_entered", "count"),
            Column("p_advanced", "count"), Column("p_rate", "percent1"), Column("p_history", "percent1"),
        ), rows=_STEPS),
        Table("tbl_conversion_months", f"B{_MONTHS}", (
            Column("month", "text"), Column("step", "text"), Column("m_entered", "count"),
            Column("m_advanced", "count"), Column("m_rate", "percent1"), Column("m_low", "percent1"),
            Column("m_high", "percent1"), Column("m_verdict", "help_text"), Column("p_entered", "count"),
            Column("p_advanced", "count"), Column("p_rate", "percent1"),
        ), filter=True),
        Table("tbl_conversion_bars", f"O{_RATES}", (
            Column("bar_compared", "percent1"), Column("bar_blocked", "percent1"), Column("bar_greyed", "percent1"),
            Column("below", "percent1"), Column("above", "percent1"), Column("high", "percent1"),
            Column("history", "percent1"), Column("benchmark", "percent1"),
        ), rows=_STEPS),
        Table("tbl_conversion_lines", f"O{_MONTHS}", (
            Column("month", "text"), *(Column(s, "percent1") for s in STAGES),
        )),
    ),
    charts=(
        Chart("B10:G25", "conversion.chart.rates", ("tbl_conversion", "step"), (
            *(
                Series("tbl_conversion_bars", bar, "column", color, labels=True, label_color=ink,
                       errors=("below", "above"))
                for bar, color, ink in (
                    ("bar_compared", "teal2", "white"), ("bar_blocked", "red", "white"),
                    ("bar_greyed", "stage0", "ink"),
                )
            ),
            Series("tbl_conversion_bars", "history", "line", "grain", dots="diamond"),
            Series("tbl_conversion_bars", "benchmark", "line", "ink", dots="long_dash"),
            Series("tbl_conversion_bars", "high", "line", "none"),
        ), stacked=True, legend=True, gap=55, percent=True),
        Chart("H10:M25", "conversion.chart.months", ("tbl_conversion_lines", "month"), tuple(
            Series("tbl_conversion_lines", stage, "line", color)
            for stage, color in zip(STAGES, ("teal4", "grain", "teal3", "teal2", "ink"), strict=True)
        ), legend=True, percent=True),
    ),
    marks=(
        Mark("B6:B8", "", "font"), Mark(f"L{_RATES + 1}:L{_RATES + _STEPS}", f"$L{_RATES + 1}", "mark"),
        _thin("E:G", "C", _RATES), _thin("I:I", "J", _RATES),
        _thin("E:G", "C", _KINDS), _thin("L:L", "J", _KINDS),
        _thin("F:H", "D", _MONTHS, 2), _thin("L:L", "J", _MONTHS, 2),
    ),
)  # fmt: skip


def content(analysis: FunnelAnalysis, say: Phrases) -> Content:
    """The rates of the recent months, the other two kinds beside each other, month by month; what is blocked."""
    rows = _rows(analysis.of_scope(analysis.conversions), say)
    recent = rows[rows["month"].isna()]
    each = {k: recent[recent["kind"] == k].reset_index(drop=True) for k in ConversionKind}
    rates = each[ConversionKind.CENSORED]
    keys = {t.name: [c.key for c in t.columns] for t in PAGE.tables}
    found = [_severity(v, measured) for v, measured in zip(rates["verdict"], rates["measured"], strict=True)]
    shown = rates.assign(mark=[say(f"home.mark.{s}") for s in found], verdict=rates["said"])
    months = _monthly(rows[rows["month"].notna()], analysis)
    tables = {
        "tbl_conversion": shown[keys["tbl_conversion"]].reindex(range(_STEPS)),
        "tbl_kinds": _side_by_side(each)[keys["tbl_kinds"]].reindex(range(_STEPS)),
        "tbl_conversion_months": months[keys["tbl_conversion_months"]],
        "tbl_conversion_bars": _bars(rates)[keys["tbl_conversion_bars"]].reindex(range(_STEPS)),
        "tbl_conversion_lines": _lines(rows, analysis)[keys["tbl_conversion_lines"]],
    }
    cells: dict[str, Value] = {"txt_conversion_scope": say.scope(analysis)}
    cells |= say.told("conversion", _told(rates, say), len(_SENTENCES))
    return Content(tables, cells)


def sentences(analysis: FunnelAnalysis, say: Phrases) -> list[tuple[Severity, str]]:
    """What the sheet says on top, (severity, sentence) pairs, the weightiest first; at least one."""
    rows = analysis.of_scope(analysis.conversions)
    recent = rows[rows["month"].isna() & (rows["kind"] == ConversionKind.CENSORED)]
    return _told(_rows(recent.reset_index(drop=True), say), say)


def _rows(rows: pd.DataFrame, say: Phrases) -> pd.DataFrame:
    """Rates, those of too few cases without numbers, each with what may be said of it."""
    rows = rows.assign(step=[say.step(a, z) for a, z in zip(rows["from_stage"], rows["to_stage"], strict=True)])
    few = rows["verdict"] == Judgement.TOO_FEW
    rows = rows.assign(**{c: rows[c].mask(few) for c in ("rate", "low", "high")})
    rows["history"] = rows["history"].mask(rows["history_entered"] < FEW)
    rows["measured"] = rows["benchmark"].notna() | (rows["history_entered"] >= ENOUGH)
    rows["said"] = [_said(v, measured, say) for v, measured in zip(rows["verdict"], rows["measured"], strict=True)]
    return rows


def _side_by_side(each: dict[ConversionKind, pd.DataFrame]) -> pd.DataFrame:
    """Matured and period of the recent months, a row a step."""
    matured, period = each[ConversionKind.MATURED], each[ConversionKind.PERIOD]
    left = matured.assign(verdict=matured["said"]).add_prefix("m_").rename(columns={"m_step": "step"})
    return left.join(period.add_prefix("p_"))


def _monthly(rows: pd.DataFrame, analysis: FunnelAnalysis) -> pd.DataFrame:
    """A row a month and step: both kinds; months that are not mature yet have period alone.

    A month has no history; without a benchmark nothing is said of it but its numbers.
    """
    rows = rows[rows["month"].isin(analysis.monthly.index)]
    key = ["month", "from_stage", "step"]
    said = rows["said"].where(rows["measured"] | (rows["verdict"] != Judgement.COMPARED))
    sides = [
        rows.assign(verdict=said)[rows["kind"] == kind].set_index(key).add_prefix(prefix)
        for kind, prefix in ((ConversionKind.PERIOD, "p_"), (ConversionKind.MATURED, "m_"))
    ]
    found = sides[0].join(sides[1]).reset_index().sort_values(["month", "from_stage"], ignore_index=True)
    return found.assign(month=[month_text(m) for m in found["month"]])


def _said(verdict: Judgement, measured: bool, say: Phrases) -> str:
    """The word for a judgement; where there is nothing to measure by, that."""
    if verdict == Judgement.COMPARED and not measured:
        return say("conversion.unmeasured")
    return say(f"conversion.judgement.{verdict}")


def _severity(verdict: Judgement, measured: bool) -> Severity:
    if verdict == Judgement.BLOCKED:
        return Severity.RISK
    return Severity.OK if verdict == Judgement.COMPARED and measured else Severity.NONE


def _bars(rates: pd.DataFrame) -> pd.DataFrame:
    """One bar a step, in the column of its colour, and how far the whiskers reach from its end."""
    bars = {name: rates["rate"].where(rates["verdict"] == verdict) for verdict, name in _BAR.items()}
    return rates[["history", "benchmark", "high"]].assign(
        **bars, below=rates["rate"] - rates["low"], above=rates["high"] - rates["rate"]
    )


def _lines(rows: pd.DataFrame, analysis: FunnelAnalysis) -> pd.DataFrame:
    """The matured share of each step by month of entry, only where there are cases enough to compare."""
    clear = rows["verdict"].isin((Judgement.COMPARED, Judgement.BLOCKED))
    months = analysis.monthly.index.tolist()
    found = rows[clear & (rows["kind"] == ConversionKind.MATURED) & rows["month"].isin(months)]
    rates = {(m, s): rate for m, s, rate in zip(found["month"], found["from_stage"], found["rate"], strict=True)}
    wide = pd.DataFrame({s: [rates.get((m, s)) for m in months] for s in STAGES}, dtype=float)
    return wide.assign(month=[month_text(m) for m in months])


def _told(rates: pd.DataFrame, say: Phrases) -> list[tuple[Severity, str]]:
    """Each blocked step with its numbers; the steps that are not; those that nothing is said of, and why."""
    if rates.empty:
        return [(Severity.NONE, say("conversion.sentence.nothing"))]
    told = []
    blocked = rates[rates["verdict"] == Judgement.BLOCKED].to_dict("records")
    if blocked:
        form = "blocked" if len(blocked) == 1 else "step"
        each = []
        for row in blocked:
            kind = "benchmark" if row["high"] < row["benchmark"] else "history"
            base = say.count(row["history_entered"])
            key = f"conversion.sentence.{form}_{kind}"
            each.append(say(key, **_numbers(row, say), reference=say.percent(row[kind]), base=base))
        text = say("sheets.semicolon").join(each)
        told.append((Severity.RISK, text if form == "blocked" else say("conversion.sentence.blocked", steps=text)))
    is_clear = (rates["verdict"] == Judgement.COMPARED) & rates["measured"]
    clear = rates[is_clear].to_dict("records")
    if clear:
        each = [say("conversion.sentence.step_rate", **_numbers(row, say)) for row in clear]
        told.append((Severity.OK, say("conversion.sentence.clear", steps=say("sheets.comma").join(each))))
    others = rates[~is_clear & (rates["verdict"] != Judgement.BLOCKED)].to_dict("records")
    if others:
        each = [say("conversion.sentence.step_silent", **_numbers(row, say), why=row["said"]) for row in others]
        told.append((Severity.NONE, say("conversion.sentence.silent", steps=say("sheets.comma").join(each))))
    return told


def _numbers(row: dict[Hashable, Any], say: Phrases) -> dict[str, str]:
    """What a sentence may tell of one step."""
    counts = {name: say.count(row[name]) for name in ("entered", "advanced", "horizon_days")}
    shares = {name: say.percent(row[name]) for name in ("rate", "low", "high")}
    return {"step": str(row["step"]), **counts, **shares}
