"""Functions: the worksheet functions at work beside Excel's own, on numbers that stay as they are.

Only the workbook with macros has this sheet: elsewhere nobody knows the functions. Its formulas come with their values,
so that it shows numbers before anything is calculated and where macros are blocked.
"""

from statistics import fmean

from xlfunnel.metrics.proportion import wilson
from xlfunnel.metrics.safety_stock import safety_stock
from xlfunnel.metrics.trend import fit
from xlfunnel.pages.model import Fixed, Link, Page, Text
from xlfunnel.pages.trend import span_header
from xlfunnel.report import Value

SERIES = {
    "T0-T2": (162, 113, 76, 59, 68, 85),
    "T0-T3": (203, 142, 92, 70, 78, 92),
    "T3": (41, 29, 16, 11, 10, 7),
}
"""The half-year that the method was published with: six month-end reserves of one region."""

REPS = {"A": 24, "B": 9, "C": 17, "D": 8, "E": 11, "F": 23}
"""Reserves of six reps, opportunities; the mean is 15.3."""

VISITS = ((1, "T2", "2025-04-03", "2025-05-20"), (1, "T3", "2025-05-20", None), (2, "T3", "2025-06-11", None))
"""Opportunity, stage, entered, left."""

_COLUMNS = "CDEFGHI"
_SERIES_ROW = {span: 8 + i for i, span in enumerate(SERIES)}
_Y, _X = f"C{_SERIES_ROW['T0-T3']}:H{_SERIES_ROW['T0-T3']}", "C7:H7"
_T3 = f"C{_SERIES_ROW['T3']}:H{_SERIES_ROW['T3']}"
_LINE = fit(SERIES["T0-T3"])
_TREND = fit(SERIES["T3"])
_WON, _CLOSED = 12, 40
_SHORT = [name for name, held in REPS.items() if held < fmean(REPS.values())]

PAIRS: tuple[tuple[str, str, str, str, float], ...] = (
    ("slope", f"=SLOPE({_Y},{_X})", f"=FUNNEL_SLOPE({_Y})", "number3", _LINE.slope),
    ("intercept", f"=INTERCEPT({_Y},{_X})", f"=FUNNEL_INTERCEPT({_Y})", "number3", _LINE.intercept),
    ("r2", f"=RSQ({_Y},{_X})", f"=FUNNEL_R2({_Y})", "number3", _LINE.r_squared),
    ("forecast", f"=FORECAST(7,{_Y},{_X})", f"=FUNNEL_FORECAST_LINE(7,{_Y})", "number3",
     7 * _LINE.slope + _LINE.intercept),
)  # fmt: skip
"""Key of the label, Excel's own formula, ours, style, and what both show."""

_FIRST_PAIR = 15
_TREND_ROW = 22
_MORE = 25
_EXAMPLES = 33

ALONE: tuple[Fixed, ...] = (
    Fixed(f"C{_TREND_ROW}:I{_TREND_ROW}", f'=FUNNEL_TREND({_T3},,"{{language}}")', "number3", (
        *_TREND[:3], _TREND.slope_low, _TREND.slope_high, _TREND.p_value, f"trend.verdict.{_TREND.verdict}",
    )),
    Fixed(f"C{_MORE}:E{_MORE}", f"=FUNNEL_CONVERSION({_WON},{_CLOSED})", "number3", (*wilson(_WON, _CLOSED),)),
    Fixed(f"C{_MORE + 1}", "=FUNNEL_SAFETY_STOCK(25%,1,90%)", "count", (safety_stock(0.25, 1, 0.9),)),
    Fixed(f"C{_MORE + 2}", f'=FUNNEL_RESERVE(E{_EXAMPLES}:H{_EXAMPLES + 3},"2025-05","T0-T3")', "count", (1,)),
    Fixed(f"C{_MORE + 3}:C{_MORE + 5}", f"=FUNNEL_FLAGGED(B{_EXAMPLES + 1}:B{_EXAMPLES + 6},"
          f"C{_EXAMPLES + 1}:C{_EXAMPLES + 6})", "text", (*_SHORT,)),
)  # fmt: skip
"""What Excel has no function for."""

_WHY = f'FUNNEL_WHY("FUNNEL_SLOPE",{_Y},C7:G7)'


def _series() -> tuple[Fixed, ...]:
    cells = [Fixed(f"{c}7", i, "header_number") for i, c in enumerate(_COLUMNS[:6], 1)]
    for span, row in _SERIES_ROW.items():
        cells.append(Fixed(f"B{row}", span_header(span), "label"))
        cells += [Fixed(f"{c}{row}", n, "count") for c, n in zip(_COLUMNS, SERIES[span], strict=False)]
    return tuple(cells)


def _pairs() -> tuple[Fixed, ...]:
    cells = []
    for row, (_, native, own, style, value) in enumerate(PAIRS, _FIRST_PAIR):
        cells += [
            Fixed(f"C{row}", native, style, (value,)),
            Fixed(f"D{row}", own, style, (value,)),
            Fixed(f"E{row}:F{row}", _as_text(native), "text"),
            Fixed(f"G{row}:I{row}", _as_text(own), "text"),
        ]
    return tuple(cells)


def _alone() -> tuple[Fixed, ...]:
    rows = (_TREND_ROW + 1, *range(_MORE, _MORE + 4))
    at = {_TREND_ROW + 1: "C{0}:I{0}"}
    shown = zip(rows, ALONE, strict=True)
    return (*ALONE, *(Fixed(at.get(r, "F{0}:I{0}").format(r), _as_text(str(f.value)), "text") for r, f in shown))


def _examples() -> tuple[Fixed, ...]:
    cells: list[Fixed] = []
    for row, (name, held) in enumerate(REPS.items(), _EXAMPLES + 1):
        cells += [Fixed(f"B{row}", name, "text"), Fixed(f"C{row}", held, "count")]
    for row, visit in enumerate(VISITS, _EXAMPLES + 1):
        cells += [Fixed(f"{column}{row}", value, "text") for column, value in zip("EFGH", visit, strict=True)]
    return tuple(cells)


def _as_text(formula: str) -> Value:
    """The formula to read and to copy, less its sign of equality: a cell with one would calculate it."""
    return formula.removeprefix("=").replace(',,"{language}"', "")


PAGE = Page(
    key="functions",
    widths=(1.7, 36, *(12.5,) * 6, 17, 1.7),
    heights={1: 8, 2: 28, 3: 18, 4: 6, 5: 22, 6: 18, 13: 18, 20: 18, 31: 18},
    area=f"B1:I{_EXAMPLES + 6}",
    one_page=True,
    bands=(("B2:I3", "title_band"),),
    texts=(
        Text("B2:G2", "functions.title", "title_small"),
        Text("B3:I3", "functions.subtitle", "subtitle"),
        Text("B5:I5", "functions.series.title", "section"),
        Text("B6:I6", "functions.series.note", "note"),
        Text("B7", "functions.month", "header"),
        Text("B12:I12", "functions.pairs.title", "section"),
        Text("B13:I13", "functions.pairs.note", "note"),
        Text("B14", "functions.what", "header"),
        Text("C14", "functions.native", "header_number"),
        Text("D14", "functions.own", "header_number"),
        Text("E14:F14", "functions.native_formula", "header"),
        Text("G14:I14", "functions.own_formula", "header"),
        *(Text(f"B{row}", f"functions.pair.{key}", "label") for row, (key, *_) in enumerate(PAIRS, _FIRST_PAIR)),
        Text("B20:I20", "functions.alone.title", "section"),
        Text("B21", "functions.what", "header"),
        *(
            Text(f"{c}21", f"functions.trend.{k}", "header_number" if k != "verdict" else "header")
            for c, k in zip(
                _COLUMNS, ("slope", "intercept", "r2", "slope_low", "slope_high", "p_value", "verdict"), strict=True
            )
        ),
        Text(f"B{_TREND_ROW}", "functions.alone.trend", "label"),
        *(
            Text(f"B{_MORE + i}", f"functions.alone.{key}", "label")
            for i, key in enumerate(("conversion", "safety_stock", "reserve", "flagged"))
        ),
        Text("B31:I31", "functions.examples.title", "section"),
        Text("B32:I32", "functions.examples.note", "note"),
        Text(f"B{_EXAMPLES}", "functions.examples.rep", "header"),
        Text(f"C{_EXAMPLES}", "functions.examples.reserve", "header_number"),
        *(
            Text(f"{c}{_EXAMPLES}", f"tables.data.{key}", "header")
            for c, key in zip("EFGH", ("opportunity_id", "stage", "entered", "left"), strict=True)
        ),
        Text(f"E{_EXAMPLES + 5}:I{_EXAMPLES + 5}", "functions.why", "note"),
    ),
    fixed=(
        *_series(), *_pairs(), *_alone(), *_examples(), Fixed(f"E{_EXAMPLES + 6}:I{_EXAMPLES + 6}", _WHY, "text"),
    ),
    links=(Link("H2:I2", "sheets.to_home", "home", "link_band"),),
)  # fmt: skip
