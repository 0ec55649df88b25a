"""Forecast: what will be won, with its range; when the T3 reserve breaks; how past forecasts fared."""

from math import isnan

import pandas as pd

from xlfunnel.analysis import FunnelAnalysis
from xlfunnel.calendar import month_text
from xlfunnel.metrics.backtest import CUTS
from xlfunnel.metrics.forecast import MONTHS
from xlfunnel.pages import forecast_words, reverse
from xlfunnel.pages.model import Chart, Column, Content, Link, Mark, Page, Series, Slot, Table, Text
from xlfunnel.pages.phrases import Phrases
from xlfunnel.report import Value
from xlfunnel.terms import Measure

_SENTENCES = range(6, 11)
_QUARTERS, _PATH, _REVERSE, _TESTS, _TESTS_AMOUNT, _MONTHS = 14, 39, 48, 58, 74, 91
"""Header rows of the tables."""

_CHARTS, _T3_CHART = range(20, 36), range(39, 56)
_HORIZONS = {"a": 1, "b": 3, "c": 6}
_PARTS = ("p10", "p50", "p90", "inside")

_NUMBERS = (
    "closed", "open_p10", "open_p50", "open_p90", "new_p50", "total_p10", "total_p50", "total_p90", "target", "gap",
)  # fmt: skip


def _tests(name: str, row: int) -> Table:
    """Past months, and what was said of each one, three and six months before."""
    columns = [Column("month", "text"), Column("actual", "money")]
    columns += [Column(f"{h}_{p}", "center" if p == "inside" else "money") for h in _HORIZONS for p in _PARTS]
    return Table(name, f"B{row}", tuple(columns), rows=CUTS)


def _groups(row: int) -> tuple[Text, ...]:
    ranges = (f"D{row}:G{row}", f"H{row}:K{row}", f"L{row}:O{row}")
    return tuple(Text(at, f"forecast.tests.{h}", "group") for at, h in zip(ranges, _HORIZONS, strict=True))


PAGE = Page(
    key="forecast",
    widths=(1.7, 12, 8.5, *(10.6,) * 12, 1.7, *(10,) * 14),
    heights={
        1: 8, 2: 28, 3: 18, 4: 6, 5: 22, **dict.fromkeys(_SENTENCES, 19), 11: 8, 12: 22, 13: 18, _QUARTERS: 31, 19: 8,
        **dict.fromkeys(_CHARTS, 17), 36: 8, 37: 22, 38: 18, **dict.fromkeys(_T3_CHART, 24), _PATH: 31,
        56: 22, _TESTS: 31, 72: 8, _TESTS_AMOUNT: 31, 88: 8, 89: 22, _MONTHS: 31,
    },
    area=f"B1:O{_MONTHS + 2}",
    breaks=(36, 55, 88),
    repeat="2:4",
    bands=(("B2:O3", "title_band"), ("B5:O5", "section")),
    texts=(
        Text("B2:I2", "forecast.title", "title_small"),
        Text("B5:O5", "forecast.sentences", "section"),
        Text("B12:O12", "forecast.quarters.title", "section"),
        Text("B13:O13", "forecast.quarters.note", "note"),
        Text("B37:O37", "forecast.stock.title", "section"),
        Text(f"I{_PATH - 1}:O{_PATH - 1}", "forecast.stock.note", "note"),
        Text(f"I{_REVERSE - 2}:O{_REVERSE - 2}", "reverse.title", "section"),
        Text("B56:O56", "forecast.tests.title", "section"),
        Text(f"B{_TESTS - 1}:C{_TESTS - 1}", "forecast.tests.count", "group"),
        *_groups(_TESTS - 1),
        Text(f"B{_TESTS_AMOUNT - 1}:C{_TESTS_AMOUNT - 1}", "forecast.tests.amount", "group"),
        *_groups(_TESTS_AMOUNT - 1),
        Text("B89:O89", "forecast.months.title", "section"),
        Text("B90:O90", "forecast.months.note", "note"),
        Text(f"Q{_QUARTERS - 1}", "home.chart_data", "muted"),
    ),
    slots=(
        Slot("txt_forecast_scope", "B3:O3", "subtitle"),
        Slot("txt_reverse", f"I{_REVERSE - 1}:O{_REVERSE - 1}", "note_wrap"),
        *(Slot(f"txt_forecast_mark_{i}", f"B{row}", "mark_near") for i, row in enumerate(_SENTENCES, 1)),
        *(Slot(f"txt_forecast_{i}", f"C{row}:O{row}", "sentence") for i, row in enumerate(_SENTENCES, 1)),
    ),
    links=(Link("L2:O2", "sheets.to_home", "home", "link_band"),),
    tables=(
        Table("tbl_forecast", f"B{_QUARTERS}", (
            Column("period", "text"), Column("measure", "text"), *(Column(n, "money") for n in _NUMBERS),
            Column("weighted_coverage", "times"), Column("open_coverage", "times"),
        ), rows=4),
        Table("tbl_stock_path", f"I{_PATH}", (
            Column("month", "text"), Column("p10", "count"), Column("p50", "count"), Column("p90", "count"),
            Column("floor", "count"), Column("short", "count"), Column("said", "center"),
        ), rows=MONTHS),
        reverse.table(f"I{_REVERSE}"),
        _tests("tbl_backtest", _TESTS),
        _tests("tbl_backtest_amount", _TESTS_AMOUNT),
        Table("tbl_forecast_months", f"B{_MONTHS}", (
            Column("region", "help_text"), Column("period", "text"), Column("measure", "text"),
            *(Column(n, "money") for n in _NUMBERS), Column("open_coverage", "times"),
        ), filter=True),
        Table("tbl_fan", f"Q{_QUARTERS}", (
            Column("month", "text"),
            *(Column(n, "money") for n in ("won_amount", "amount_base", "amount_low", "amount_high")),
            *(Column(n, "count") for n in ("won", "count_base", "count_low", "count_high")),
            *(Column(n, "count") for n in ("stock", "stock_base", "stock_low", "stock_high", "floor")),
        )),
    ),
    charts=(
        *(
            Chart(at, f"forecast.chart.{name}", ("tbl_fan", "month"), (
                Series("tbl_fan", f"{name}_base", "area", "none"),
                Series("tbl_fan", f"{name}_low", "area", "teal4"),
                Series("tbl_fan", f"{name}_high", "area", "teal5"),
                Series("tbl_fan", won, "column", "teal2", labels=name == "count"),
            ), legend=True, gap=45)
            for name, won, at in (("amount", "won_amount", "B20:H35"), ("count", "won", "I20:O35"))
        ),
        Chart("B39:H55", "forecast.chart.stock", ("tbl_fan", "month"), (
            Series("tbl_fan", "stock_base", "area", "none"),
            Series("tbl_fan", "stock_low", "area", "teal4"),
            Series("tbl_fan", "stock_high", "area", "teal5"),
            Series("tbl_fan", "stock", "line", "teal2", labels=True),
            Series("tbl_fan", "floor", "line", "red", dashed=True, marker=False),
        ), legend=True),
    ),
    marks=(
        Mark("B6:B10", "", "font"),
        *(
            Mark(f"{c}{row + 1}:{c}{row + CUTS}", "", "check")
            for row in (_TESTS, _TESTS_AMOUNT) for c in ("G", "K", "O")
        ),
    ),
)  # fmt: skip


def content(analysis: FunnelAnalysis, say: Phrases) -> Content:
    """The quarters, the coming months of every region, the T3 path, the back-test; what it all says."""
    keys = {t.name: [c.key for c in t.columns] for t in PAGE.tables}
    every = analysis.forecast.rows
    shown = every.assign(
        region=[say.region(r) for r in every["region"]],
        measure=[say(f"forecast.measure.{m}") for m in every["measure"]],
    )
    own = [r == analysis.scope for r in every["region"]]
    chosen = [o and "Q" in p for o, p in zip(own, every["period"], strict=True)]
    quarters = shown[pd.Series(chosen, dtype=bool)]
    fan = analysis.fan.assign(month=[month_text(int(m)) for m in analysis.fan.index]).reset_index(drop=True)
    path = analysis.stock_path
    told = path.assign(
        month=[month_text(int(m)) for m in path["month"]],
        said=[_held(short, say) for short in path["short"]],
    )
    tables = {
        "tbl_forecast": quarters[keys["tbl_forecast"]].reset_index(drop=True).reindex(range(4)),
        "tbl_stock_path": told[keys["tbl_stock_path"]].reset_index(drop=True).reindex(range(MONTHS)),
        "tbl_reverse": reverse.rows(analysis, say),
        "tbl_backtest": _past(analysis, Measure.COUNT)[keys["tbl_backtest"]],
        "tbl_backtest_amount": _past(analysis, Measure.AMOUNT)[keys["tbl_backtest_amount"]],
        "tbl_forecast_months": shown[keys["tbl_forecast_months"]],
        "tbl_fan": fan[keys["tbl_fan"]],
    }
    cells: dict[str, Value] = {
        "txt_forecast_scope": forecast_words.scope(analysis, say),
        "txt_reverse": reverse.sentence(analysis, say),
    }
    sentences = forecast_words.sentences(analysis, say)
    for i in range(1, len(_SENTENCES) + 1):
        severity, text = sentences[i - 1] if i <= len(sentences) else (None, None)
        cells[f"txt_forecast_mark_{i}"] = say(f"home.mark.{severity}") if severity else None
        cells[f"txt_forecast_{i}"] = text
    return Content(tables, cells)


def _held(short: float, say: Phrases) -> str:
    if isnan(short):
        return ""
    return say("forecast.stock.below") if short > 0 else say("forecast.stock.above")


def _past(analysis: FunnelAnalysis, measure: Measure) -> pd.DataFrame:
    """A row a past month: what came, and what was said of it before; blank where no forecast could be made yet."""
    tests = analysis.backtest[analysis.backtest["measure"] == measure]
    months = sorted(set(tests["month"]))[-CUTS:]
    told = {"actual": tests.drop_duplicates("month").set_index("month")["actual"].reindex(months)}
    for name, horizon in _HORIZONS.items():
        then = tests[tests["horizon"] == horizon].set_index("month").reindex(months)
        told |= {f"{name}_{part}": then[part] for part in ("p10", "p50", "p90")}
        told[f"{name}_inside"] = then["inside"].map({True: "✓", False: "✗"}).astype(object)
    frame = pd.DataFrame(told).assign(month=[month_text(m) for m in months])
    return frame.reset_index(drop=True).reindex(range(CUTS))
