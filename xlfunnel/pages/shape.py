"""Funnel shape: what stands in each stage now, what entered it recently, and where it narrows more than it used to."""

from collections.abc import Hashable
from typing import Any

import pandas as pd

from xlfunnel.analysis import FunnelAnalysis
from xlfunnel.calendar import month_text
from xlfunnel.metrics.evidence import ENOUGH, FEW
from xlfunnel.metrics.shape import steepest, unusual
from xlfunnel.pages.model import Chart, Column, Content, Link, Mark, Page, Series, Slot, Table, Text
from xlfunnel.pages.phrases import Phrases
from xlfunnel.report import Value
from xlfunnel.terms import STAGES, Judgement, Severity

_STEPS = len(STAGES)
_SENTENCES = range(6, 9)
_CHARTS = range(10, 22)
_TABLE = 27
"""Header row."""

_BAR = {
    Judgement.COMPARED: "bar_compared",
    Judgement.BLOCKED: "bar_blocked",
    Judgement.GREYED: "bar_greyed",
}
_NOW = ("now", "now_ratio", "usual_low", "usual", "usual_high")
_ENTERED = ("entered", "ratio", "low", "high", "history", "history_entered")

PAGE = Page(
    key="shape",
    widths=(1.7, 9, *(10.4,) * 11, 5, 20, 1.7, 22, *(10,) * 10),
    heights={
        1: 8, 2: 28, 3: 18, 4: 6, 5: 22, **dict.fromkeys(_SENTENCES, 20), 9: 8, **dict.fromkeys(_CHARTS, 20), 22: 8,
        23: 22, 26: 18, _TABLE: 31, **dict.fromkeys(range(_TABLE + 1, _TABLE + 1 + _STEPS), 18),
    },
    area=f"B1:O{_TABLE + _STEPS}",
    one_page=True,
    bands=(("B2:O3", "title_band"), ("B5:O5", "section")),
    texts=(
        Text("B2:K2", "shape.title", "title_small"),
        Text("B5:O5", "shape.sentences", "section"),
        Text("B23:O23", "shape.table.title", "section"),
        Text("B24:O24", "shape.table.note", "note"),
        Text("C26:G26", "shape.table.now", "group"),
        Text("H26:O26", "shape.table.entered", "group"),
        Text("Q10", "home.chart_data", "muted"),
    ),
    slots=(
        Slot("txt_shape_scope", "B3:O3", "subtitle"),
        Slot("txt_shape_months", "B25:O25", "note"),
        *(Slot(f"txt_shape_mark_{i}", f"B{row}", "mark_near") for i, row in enumerate(_SENTENCES, 1)),
        *(Slot(f"txt_shape_{i}", f"C{row}:O{row}", "sentence") for i, row in enumerate(_SENTENCES, 1)),
    ),
    links=(Link("M2:O2", "sheets.to_home", "home", "link_band"),),
    tables=(
        Table("tbl_shape", f"B{_TABLE}", (
            Column("stage", "text"), Column("now", "count"), *(Column(name, "percent1") for name in _NOW[1:]),
            Column("entered", "count"), *(Column(name, "percent1") for name in _ENTERED[1:5]),
            Column("history_entered", "count"), Column("mark", "center_mark"), Column("verdict", "text_wide"),
        ), rows=_STEPS),
        Table("tbl_shape_funnels", "Q11", (
            Column("stage", "text"), Column("now_spacer", "number1"), Column("now", "count"),
            Column("entered_spacer", "number1"), Column("entered", "count"),
        ), rows=_STEPS),
        Table("tbl_shape_bars", "Q19", (
            Column("step", "text"), *(Column(name, "percent1") for name in _BAR.values()),
            Column("below", "percent1"), Column("above", "percent1"), Column("high", "percent1"),
            Column("history", "percent1"),
        ), rows=_STEPS - 1),
    ),
    charts=(
        *(
            Chart(at, f"shape.chart.{name}", ("tbl_shape_funnels", "stage"), (
                Series("tbl_shape_funnels", f"{name}_spacer", "bar", "none"),
                Series("tbl_shape_funnels", name, "bar", "stages", labels=True),
            ), stacked=True, gap=18, axis=False)
            for name, at in (("now", "B10:F21"), ("entered", "G10:J21"))
        ),
        Chart("K10:O21", "shape.chart.ratios", ("tbl_shape_bars", "step"), (
            *(
                Series("tbl_shape_bars", bar, "column", color, labels=True, label_color=ink,
                       errors=("below", "above"))
                for bar, color, ink in (
                    ("bar_compared", "teal2", "white"), ("bar_blocked", "red", "white"),
                    ("bar_greyed", "stage0", "ink"),
                )
            ),
            Series("tbl_shape_bars", "history", "line", "grain", dots="diamond"),
            Series("tbl_shape_bars", "high", "line", "none"),
        ), stacked=True, legend=True, gap=55, percent=True),
    ),
    marks=(
        Mark("B6:B8", "", "font"), Mark(f"N{_TABLE + 1}:N{_TABLE + _STEPS}", f"$N{_TABLE + 1}", "mark"),
        # A ratio is of what entered or stands in the stage before: the row above.
        Mark(f"I{_TABLE + 2}:K{_TABLE + _STEPS}", f"$H{_TABLE + 1}", "thin"),
        Mark(f"D{_TABLE + 2}:D{_TABLE + _STEPS}", f"$C{_TABLE + 1}", "thin"),
        Mark(f"L{_TABLE + 1}:L{_TABLE + _STEPS}", f"$M{_TABLE + 1}", "thin"),
    ),
)  # fmt: skip


def content(analysis: FunnelAnalysis, say: Phrases) -> Content:
    """The funnel now and over the recent months, what narrows, and what may be said of it."""
    rows = analysis.of_scope(analysis.shape)
    few, few_now = rows["entered_before"] < FEW, rows["now_before"] < FEW
    rows = rows.assign(
        **{c: rows[c].mask(few) for c in ("ratio", "low", "high")},
        now_ratio=rows["now_ratio"].mask(few_now),
        history=rows["history"].mask(rows["history_entered"] < FEW),
    )
    rows["step"] = [f"{a}→{z}" for a, z in zip(rows["stage"].shift(fill_value=""), rows["stage"], strict=True)]
    rows["measured"] = rows["history_entered"] >= ENOUGH
    is_first = rows["verdict"].isna()
    if analysis.facts.entries.empty:  # ready-made reserves say nothing of entries
        rows = rows.assign(entered=float("nan"), history_entered=float("nan"), verdict=None)
    narrowing = rows[rows["verdict"].notna()].reset_index(drop=True)
    judged = [_judged(v, m) if v else (None, None) for v, m in zip(rows["verdict"], rows["measured"], strict=True)]
    shown = rows.assign(
        history_entered=rows["history_entered"].mask(is_first),
        mark=[say(f"home.mark.{severity}") if severity else "" for severity, _ in judged],
        verdict=[say(f"shape.judgement.{word}") if word else "" for _, word in judged],
    )
    keys = {t.name: [c.key for c in t.columns] for t in PAGE.tables}
    funnels = rows.assign(stage=[say.stage(code) for code in rows["stage"]])
    spacers = {f"{c}_spacer": (rows[c].max() - rows[c]) / 2 for c in ("now", "entered")}
    tables = {
        "tbl_shape": shown[keys["tbl_shape"]].reindex(range(_STEPS)),
        "tbl_shape_funnels": funnels.assign(**spacers)[keys["tbl_shape_funnels"]].reindex(range(_STEPS)),
        "tbl_shape_bars": _bars(narrowing)[keys["tbl_shape_bars"]].reindex(range(_STEPS - 1)),
    }
    cells: dict[str, Value] = {
        "txt_shape_scope": say.scope(analysis),
        "txt_shape_months": _months(rows, analysis, say),
    }
    cells |= say.told("shape", _sentences(rows, narrowing, say), len(_SENTENCES))
    return Content(tables, cells)


def _judged(verdict: Judgement, measured: bool) -> tuple[Severity, str]:
    """Severity and word of a stage's ratio; without a history there is nothing to compare with."""
    if verdict == Judgement.BLOCKED:
        return Severity.RISK, str(verdict)
    if verdict == Judgement.COMPARED:
        return (Severity.OK, str(verdict)) if measured else (Severity.NONE, "unmeasured")
    return Severity.NONE, str(verdict)


def _bars(narrowing: pd.DataFrame) -> pd.DataFrame:
    """One bar a stage, in the column of its colour, and how far the whiskers reach from its end."""
    bars = {name: narrowing["ratio"].where(narrowing["verdict"] == verdict) for verdict, name in _BAR.items()}
    below, above = narrowing["ratio"] - narrowing["low"], narrowing["high"] - narrowing["ratio"]
    return narrowing[["step", "high", "history"]].assign(**bars, below=below, above=above)


def _months(rows: pd.DataFrame, analysis: FunnelAnalysis, say: Phrases) -> str:
    """Which months are recent, and what became of the running one."""
    first = rows["first_month"].dropna()
    if first.empty:
        return say("shape.months.none")
    span = {"first": month_text(first.iloc[0]), "last": month_text(rows["last_month"].iloc[0])}
    told = say("shape.months.recent", **span)
    if analysis.partial is None:
        return told
    month = month_text(analysis.facts.last_month)
    return told + say("shape.months.partial", month=month, as_of=analysis.as_of.isoformat())


def _sentences(rows: pd.DataFrame, narrowing: pd.DataFrame, say: Phrases) -> list[tuple[Severity, str]]:
    """What narrows too steeply, or comes nearest to it; what stands now, for the eye; what nothing is said of."""
    if narrowing.empty:
        return [(Severity.NONE, say("shape.sentence.nothing" if len(rows) != 1 else "shape.sentence.one_stage"))]
    told = []
    blocked = narrowing[narrowing["verdict"] == Judgement.BLOCKED].to_dict("records")
    nearest = steepest(narrowing)
    if blocked:
        each = [say("shape.sentence.step_blocked", **_numbers(row, say)) for row in blocked]
        told.append((Severity.RISK, say("shape.sentence.blocked", steps=say("sheets.semicolon").join(each))))
    elif nearest is not None:
        key = "shape.sentence.nearest" if nearest["ratio"] < nearest["history"] else "shape.sentence.wider"
        told.append((Severity.OK, say(key, **_numbers(nearest, say))))
    thin = unusual(narrowing)
    if thin is not None:
        told.append((Severity.NONE, say("shape.sentence.thin", **_numbers(thin, say))))
    is_judged = narrowing["verdict"].isin((Judgement.BLOCKED, Judgement.COMPARED)) & narrowing["measured"]
    others = narrowing[~is_judged].to_dict("records")
    if others:
        each = [
            say(
                "shape.sentence.step_silent",
                **_numbers(row, say),
                why=say(f"shape.judgement.{_judged(row['verdict'], row['measured'])[1]}"),
            )
            for row in others
        ]
        told.append((Severity.NONE, say("shape.sentence.silent", steps=say("sheets.comma").join(each))))
    return told


def _numbers(row: dict[Hashable, Any], say: Phrases) -> dict[str, str]:
    """What a sentence may tell of one stage and the one before."""
    counts = ("now", "now_before", "entered", "entered_before", "history_entered")
    shares = ("ratio", "low", "high", "history", "now_ratio", "usual_low", "usual_high")
    before, stage = str(row["step"]).split("→")
    told = {name: say.count(row[name]) for name in counts} | {name: say.percent(row[name]) for name in shares}
    return told | {"stage": stage, "before": before}
