"""Trend: monthly reserves, the line through them, and how far it can be trusted."""

from math import nan

import pandas as pd

from xlfunnel.analysis import FunnelAnalysis
from xlfunnel.calendar import month_text
from xlfunnel.pages.model import Chart, Column, Content, Link, Mark, Page, Series, Slot, Table, Text
from xlfunnel.pages.phrases import Phrases
from xlfunnel.report import Value
from xlfunnel.terms import SPANS, STAGES

_FIRST_FIT = 34
_ROOM = 1.2
"""Where the axis ends at least, as a share of what a line holds at most: the equation stands above all points."""
_LABELLED = 12
"""Months whose points all bear their numbers; of more months every second or third does, the last among them."""


def _native(function: str, span: str) -> str:
    return f'=IFERROR({function}(tbl_trend[{span_header(span)}],tbl_trend[x]),"")'


def span_header(span: str) -> str:
    """The header of a span's column in tbl_trend, the same in both languages: "T0→T2"."""
    return span.replace("-", "→")


def line(span: str, color: str) -> tuple[Series, ...]:
    """The line of a span's chart with its trendline, the numbers above its points, and room for the equation."""
    return (
        Series("tbl_trend", span, "line", color, trendline=True),
        Series("tbl_trend_labels", span, "line", "none", labels=True),
        Series("tbl_trend_labels", f"room_{span}", "line", "none"),
    )


_CHECK = (
    '=IF(COUNT(C{row}:E{row},G{row}:I{row})<6,"–",'
    "IF(AND(ABS(C{row}-G{row})<=0.000000001*(1+ABS(G{row})),ABS(D{row}-H{row})<=0.000000001*(1+ABS(H{row})),"
    'ABS(E{row}-I{row})<=0.000000001),"✓","✗"))'
)
_CHECKS = tuple(_CHECK.format(row=_FIRST_FIT + i) for i in range(len(SPANS)))

PAGE = Page(
    key="trend",
    widths=(1.7, 10.5, *(10.2,) * 11, 14, 1.7, *(9,) * 2 * len(SPANS)),
    heights={1: 8, 2: 28, 3: 18, 4: 6, 17: 8, 30: 8, 31: 22, 33: 31, 38: 22, 40: 31, 45: 22, 47: 20},
    area="B1:N49",
    breaks=(30,),
    repeat="2:4",
    bands=(("B2:N3", "title_band"), ("L34:N36", "text"), ("L41:N43", "text")),
    texts=(
        Text("B2:I2", "trend_sheet.title", "title_small"),
        Text("B31:N31", "trend_sheet.fits.title", "section"),
        Text("B32:N32", "trend_sheet.fits.note", "note"),
        Text("B38:N38", "trend_sheet.evidence.title", "section"),
        Text("B39:N39", "trend_sheet.evidence.note", "note"),
        Text("B45:N45", "trend_sheet.trend.title", "section"),
        Text("L33:N33", "", "header"),
        Text("L40:N40", "", "header"),
    ),
    slots=(
        Slot("txt_trend_scope", "B3:N3", "subtitle"),
        Slot("txt_trend_partial", "B46:N46", "note"),
        Slot("txt_trend_t3", "P45", "muted"),
    ),
    links=(Link("M2:N2", "sheets.to_home", "home", "link_band"),),
    tables=(
        Table("tbl_fits", "B33", (
            Column("span", "text"), Column("slope", "number3"), Column("intercept", "number2"),
            Column("r_squared", "number3"), Column("n", "count"), *(
                Column(f"native_{f.lower()}", style, formulas=tuple(_native(f, span) for span in SPANS))
                for f, style in (("SLOPE", "number3"), ("INTERCEPT", "number2"), ("RSQ", "number3"))
            ), Column("check", "center", formulas=_CHECKS), Column("equation", "text_wide"),
        ), rows=len(SPANS)),
        Table("tbl_evidence", "B40", (
            Column("span", "text"), Column("slope_low", "number2"), Column("slope_high", "number2"),
            Column("p_value", "p_value"), Column("theil_sen", "number2"), Column("theil_sen_low", "number2"),
            Column("theil_sen_high", "number2"), Column("kendall_p", "p_value"), Column("flow_p", "p_value"),
            Column("verdict", "text_wide"),
        ), rows=len(SPANS)),
        Table("tbl_trend", "B47", (
            Column("month", "text"), Column("x", "count"), *(Column(s, "count") for s in STAGES),
            *(Column(s, "count_strong") for s in ("T0-T2", "T0-T3")), Column("created", "count"),
            Column("won", "count"), Column("lost", "count"), Column("amount", "money"),
        )),
        Table("tbl_trend_labels", "P47", (
            *(Column(span, "count") for span in SPANS), *(Column(f"room_{span}", "count") for span in SPANS),
        )),
    ),
    charts=(
        Chart("B5:H16", "trend_sheet.chart.T0-T2", ("tbl_trend", "month"), line("T0-T2", "grain")),
        Chart("I5:N16", "trend_sheet.chart.T0-T3", ("tbl_trend", "month"), line("T0-T3", "teal")),
        Chart("B18:H29", "trend_sheet.chart.T3", ("tbl_trend", "month"), line("T3", "teal2"),
              title_slot="txt_trend_t3"),
        Chart("I18:N29", "trend_sheet.chart.flows", ("tbl_trend", "month"), (
            Series("tbl_trend", "created", "column", "teal3", labels=True),
            Series("tbl_trend", "won", "column", "grain", labels=True),), legend=True, gap=60),
    ),
    marks=(Mark("J34:J36", "", "check"),),
)  # fmt: skip


def content(analysis: FunnelAnalysis, say: Phrases) -> Content:
    """The monthly table, one fit and one line of evidence a span."""
    fits, evidence = [], []
    for span in SPANS:
        fit = analysis.trend(span).fit
        line = (fit.slope, fit.intercept, fit.r_squared)
        fits.append((span_header(span), *line, fit.n, *line, say.check(fit), say.equation(fit)))
        robust = (fit.theil_sen_slope, fit.theil_sen_low, fit.theil_sen_high, fit.kendall_p, fit.flow_p)
        verdict = say(f"trend.verdict.{fit.verdict}")
        evidence.append((span_header(span), fit.slope_low, fit.slope_high, fit.p_value, *robust, verdict))
    tables = {t.name: [c.key for c in t.columns] for t in PAGE.tables}
    monthly = analysis.monthly.assign(month=[month_text(m) for m in analysis.monthly.index])
    monthly = monthly.reset_index(drop=True)
    cells: dict[str, Value] = {
        "txt_trend_scope": say.scope(analysis),
        "txt_trend_partial": _partial(analysis, say),
        "txt_trend_t3": say(f"trend_sheet.chart.{'T3' if monthly['T3'].notna().any() else 'no_T3'}"),
    }
    return Content(
        {
            "tbl_fits": pd.DataFrame(fits, columns=tables["tbl_fits"]),
            "tbl_evidence": pd.DataFrame(evidence, columns=tables["tbl_evidence"]),
            "tbl_trend": monthly[tables["tbl_trend"]],
            "tbl_trend_labels": _labels(monthly[list(SPANS)]),
        },
        cells,
    )


def _labels(held: pd.DataFrame) -> pd.DataFrame:
    """The numbers above the points of each span's line, and how far up its axis goes so that the equation has room."""
    apart = -(-len(held) // _LABELLED)
    told = held.where(pd.Series(range(len(held) - 1, -1, -1)) % max(apart, 1) == 0)
    room = {f"room_{span}": [*[nan] * (len(held) - 1), held[span].max() * _ROOM][-len(held) :] for span in SPANS}
    return told.assign(**room)


def _partial(analysis: FunnelAnalysis, say: Phrases) -> str:
    unit = say.amount_unit()
    if analysis.partial is None:
        return say("trend_sheet.no_partial") + unit
    counts = {span.replace("-", "_"): say.count(analysis.partial[span]) for span in SPANS}
    month, as_of = month_text(analysis.facts.last_month), analysis.as_of.isoformat()
    return say("trend_sheet.partial", month=month, as_of=as_of, **counts) + unit
