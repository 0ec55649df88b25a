"""Worksheet functions: each one line over the floors below. A docstring is what Excel's function wizard says of it."""

from collections.abc import Callable, Mapping
from math import isfinite, nan
from statistics import fmean
from typing import Any

import xlwings as xw

from xlfunnel.calendar import month_end
from xlfunnel.crm import visits_of_rows
from xlfunnel.errors import XlfunnelError
from xlfunnel.facts import facts_of
from xlfunnel.metrics import reserve, trend
from xlfunnel.metrics.flags import RULES, Head
from xlfunnel.metrics.line import LeastSquares, least_squares
from xlfunnel.metrics.proportion import wilson
from xlfunnel.metrics.safety_stock import safety_stock
from xlfunnel.settings import Settings
from xlfunnel.strings import words
from xlfunnel.terms import SPANS, STAGES, Col, FlagCode
from xlfunnel.udf_cells import (
    CellError,
    ExcelError,
    Floats,
    answers,
    blank,
    cells,
    defined,
    language_of,
    months,
    number,
    numbers,
    pairs,
    reason,
    rows_of,
    same_size,
    texts,
)

_CATEGORY = "xlfunnel"
_RANGE: Mapping[str, Any] = {"ndim": 2, "err_to_str": True}
_VALUES = "the monthly values: a row, a column or a block; blank, text and TRUE/FALSE cells are ignored, as SLOPE does"
_MOST_POINTS = 2000
"""Kendall and Theil-Sen look at every pair: 2,000 points are two million pairs."""
_X = "as many x values; left out, they are 1, 2, 3 and so on"


@answers
@xw.func(category=_CATEGORY)
@xw.arg("values", doc=_VALUES, **_RANGE)
@xw.arg("x", doc=_X, **_RANGE)
def FUNNEL_SLOPE(values: Any, x: Any = None) -> Any:
    """Slope of the least-squares line, per month, as SLOPE. #DIV/0! without two different x; #N/A if sizes differ."""
    return defined(_line(values, x).slope, "udfs.no_line")


@answers
@xw.func(category=_CATEGORY)
@xw.arg("values", doc=_VALUES, **_RANGE)
@xw.arg("x", doc=_X, **_RANGE)
def FUNNEL_INTERCEPT(values: Any, x: Any = None) -> Any:
    """Value of the least-squares line at x = 0, as INTERCEPT. #DIV/0! without two different x; #N/A if sizes differ."""
    return defined(_line(values, x).intercept, "udfs.no_line")


@answers
@xw.func(category=_CATEGORY)
@xw.arg("values", doc=_VALUES, **_RANGE)
@xw.arg("x", doc=_X, **_RANGE)
def FUNNEL_R2(values: Any, x: Any = None) -> Any:
    """Share of variance that the line explains, 0 to 1, as RSQ. #DIV/0! for flat series; #N/A if sizes differ."""
    return defined(_line(values, x).r_squared, "udfs.no_r2")


@answers
@xw.func(category=_CATEGORY)
@xw.arg("values", doc=_VALUES, **_RANGE)
@xw.arg("x", doc=_X, **_RANGE)
@xw.arg("language", doc='of the verdict: "zh-CN" or "en"; left out, that of the system', err_to_str=True)
def FUNNEL_TREND(values: Any, x: Any = None, language: Any = None) -> Any:
    """A row of seven: slope, intercept, R2, 95 % interval of the slope (low, high), its p value, and the verdict."""
    return _trend_row(*pairs(values, x), language_of(language))


@answers
@xw.func(category=_CATEGORY)
@xw.arg("x_new", doc="one x, or a range of them; a blank gives a blank", **_RANGE)
@xw.arg("values", doc=_VALUES, **_RANGE)
@xw.arg("x", doc=_X, **_RANGE)
def FUNNEL_FORECAST_LINE(x_new: Any, values: Any, x: Any = None) -> Any:
    """Value of the least-squares line at x_new, as FORECAST.LINEAR. A drawn-out line, not a forecast of the funnel."""
    return _on_line(rows_of(x_new), _line(values, x))


@answers
@xw.func(category=_CATEGORY)
@xw.arg("k", doc="how many advanced: a number, or a range with one count a row", **_RANGE)
@xw.arg("n", doc="of how many: as many cells as k", **_RANGE)
def FUNNEL_CONVERSION(k: Any, n: Any) -> Any:
    """Rows of three: rate k/n, 0 to 1, and its 95 % Wilson interval (low, high). #DIV/0! for n = 0; #NUM! for k > n."""
    return _conversions(numbers(k), numbers(n))


@answers
@xw.func(category=_CATEGORY)
@xw.arg("data", doc="the opportunities with their headers, such as the Data sheet's table", **_RANGE)
@xw.arg("month", doc='any date of the month, or "2024-06"; several give several rows', **_RANGE)
@xw.arg("stage", doc='a stage ("T3") or a span ("T0-T3"); several give several columns', **_RANGE)
def FUNNEL_RESERVE(data: Any, month: Any, stage: Any) -> Any:
    """Opportunities that stand in a stage or span at a month's end. #VALUE! if headers, month or stage are unknown."""
    return _reserves(data, months(month), [_span(text) for text in texts(stage)])


@answers
@xw.func(category=_CATEGORY)
@xw.arg("reps", doc="the reps' names; rows without a name or a number are left out", **_RANGE)
@xw.arg("reserves", doc="their reserves, opportunities: as many cells", **_RANGE)
def FUNNEL_FLAGGED(reps: Any, reserves: Any) -> Any:
    """The reps whose reserve is below the mean of all, one a row, in the order given; blank if there is none."""
    return _flagged(texts(reps), numbers(reserves).tolist())


@answers
@xw.func(category=_CATEGORY)
@xw.arg("win_probability", doc="chance that one opportunity is won, 0 to 1", **_RANGE)
@xw.arg("wins_needed", doc="wins to reach, a whole number", **_RANGE)
@xw.arg("service_level", doc="how sure it must be, 0 to 1, such as 0.9", **_RANGE)
def FUNNEL_SAFETY_STOCK(win_probability: Any, wins_needed: Any, service_level: Any) -> Any:
    """Least number of opportunities that yields the wins needed as surely as the service level. #NUM! if none does."""
    return _stock(number(win_probability), number(wins_needed), number(service_level))


@answers
@xw.func(category=_CATEGORY)
@xw.arg("called", doc='a function\'s name, such as "FUNNEL_SLOPE"', err_to_str=True)
@xw.arg("first", doc="its first argument", **_RANGE)
@xw.arg("second", doc="its second argument", **_RANGE)
@xw.arg("third", doc="its third argument", **_RANGE)
def FUNNEL_WHY(called: Any, first: Any = None, second: Any = None, third: Any = None) -> Any:
    """Why a FUNNEL_ function shows an error for these arguments, in a sentence."""
    return _why(texts(called)[0], first, second, third)


def _line(values: Any, x: Any) -> LeastSquares:
    return least_squares(*pairs(values, x))


def _trend_row(x: Floats, values: Floats, language: str) -> list[list[float | str | None]]:
    if len(values) > _MOST_POINTS:
        raise CellError(ExcelError.NUM, "udfs.too_many", n=len(values), most=_MOST_POINTS)
    fit = trend.fit(values, x)
    figures = (fit.slope, fit.intercept, fit.r_squared, fit.slope_low, fit.slope_high, fit.p_value)
    return [[*(blank(f) for f in figures), words(language)(f"trend.verdict.{fit.verdict}")]]


def _on_line(rows: list[list[Any]], line: LeastSquares) -> Any:
    slope, intercept = (defined(part, "udfs.no_line") for part in (line.slope, line.intercept))
    made = [[None if cell in (None, "") else slope * number(cell) + intercept for cell in row] for row in rows]
    return made if len(made) > 1 or len(made[0]) > 1 else made[0][0]


def _conversions(k: Floats, n: Floats) -> list[list[float | None]]:
    same_size(k, n)
    made = [_conversion(advanced, cases) for advanced, cases in zip(k.tolist(), n.tolist(), strict=True)]
    if len(made) == 1:
        return [[defined(part, "udfs.no_cases") for part in made[0]]]
    return [[blank(part) for part in row] for row in made]


def _conversion(k: float, n: float) -> list[float]:
    """Rate, low, high; NaN where a count is missing."""
    if not (isfinite(k) and isfinite(n)):
        return [nan] * 3
    if not (0 <= k <= n and k.is_integer() and n.is_integer()):
        raise CellError(ExcelError.NUM, "udfs.no_share", k=f"{k:g}", n=f"{n:g}")
    return [*wilson(k, n)]


def _span(text: str) -> str:
    span = text.upper().replace("→", "-")
    try:
        reserve.stages_of(span)
    except ValueError:
        known = ", ".join((*STAGES, *SPANS[:2]))
        raise CellError(ExcelError.VALUE, "udfs.no_span", value=text, known=known) from None
    return span


def _reserves(data: Any, at: list[int], spans: list[str]) -> Any:
    """Months down, spans across; one of both is a single number. Before the first entry nothing stands anywhere."""
    cells(data)
    visits = visits_of_rows(rows_of(data), Settings(), "FUNNEL_RESERVE")
    facts = facts_of(visits, month_end(max(*at, int(visits[Col.ENTERED_MONTH].max()))))
    by_span = [reserve.series(facts, span) for span in spans]
    made = [[float(series.get(month, 0.0)) for series in by_span] for month in at]
    return made if len(made) > 1 or len(spans) > 1 else made[0][0]


def _flagged(names: list[str], reserves: list[float]) -> Any:
    same_size(names, reserves)
    reps = [(name, held) for name, held in zip(names, reserves, strict=True) if name and held == held]
    if not reps:
        raise CellError(ExcelError.DIV0, "udfs.no_reps")
    mean = fmean(held for _, held in reps)
    rule = next(r for r in RULES if r.code == FlagCode.BELOW_MEAN)
    heads = [Head("", name, held, mean, nan, nan) for name, held in reps]
    return [[h.owner] for h in heads if rule.value(h) < (rule.limit(h, Settings()) or 0)] or None


def _stock(win_probability: float, wins_needed: float, service_level: float) -> float:
    try:
        stock = safety_stock(win_probability, wins_needed, service_level)
    except ValueError:
        raise CellError(ExcelError.NUM, "udfs.no_stock") from None
    if stock != stock:
        raise CellError(ExcelError.NUM, "udfs.never_enough")
    return stock


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    f.__name__: f
    for f in (
        FUNNEL_SLOPE, FUNNEL_INTERCEPT, FUNNEL_R2, FUNNEL_TREND, FUNNEL_FORECAST_LINE, FUNNEL_CONVERSION,
        FUNNEL_RESERVE, FUNNEL_FLAGGED, FUNNEL_SAFETY_STOCK, FUNNEL_WHY,
    )
}  # fmt: skip
"""All of them by name."""


def _why(name: str, *arguments: Any) -> str:
    if name.upper() not in FUNCTIONS or name.upper() == "FUNNEL_WHY":
        raise CellError(ExcelError.VALUE, "udfs.no_function", value=name)
    given = list(arguments)
    while given and given[-1] is None:
        given.pop()
    try:
        FUNCTIONS[name.upper()].__wrapped__(*given)  # type: ignore[attr-defined]
    except XlfunnelError as e:
        return reason(e)
    except TypeError:
        return reason(CellError(ExcelError.VALUE, "udfs.too_few", function=name.upper()))
    return words(language_of(None))("udfs.no_error")
