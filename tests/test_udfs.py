"""Worksheet functions: the published numbers, cells as Excel's own functions take them, and errors that say why."""

import ast
import inspect
import json
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import openpyxl
import pytest
import xlsxwriter
from hosts import office
from hypothesis import given
from hypothesis import strategies as st

from xlfunnel import udfs
from xlfunnel.calendar import month_number, month_text
from xlfunnel.excel import inputs
from xlfunnel.metrics.trend import fit
from xlfunnel.strings import words
from xlfunnel.terms import SPANS, STAGES, Verdict
from xlfunnel.udf_cells import UdfError
from xlfunnel.udfs import (
    FUNCTIONS,
    FUNNEL_CONVERSION,
    FUNNEL_FLAGGED,
    FUNNEL_FORECAST_LINE,
    FUNNEL_INTERCEPT,
    FUNNEL_R2,
    FUNNEL_RESERVE,
    FUNNEL_SAFETY_STOCK,
    FUNNEL_SLOPE,
    FUNNEL_TREND,
    FUNNEL_WHY,
)

NATIVE = {"SLOPE": FUNNEL_SLOPE, "INTERCEPT": FUNNEL_INTERCEPT, "RSQ": FUNNEL_R2}
DATA = [
    ["Opportunity ID", "Region", "Rep", "Stage", "Entered", "Left", "Went to", "Amount"],
    ["1", "LX", "A", "T0", datetime(2024, 1, 5), datetime(2024, 2, 10), "T3", 5.0],
    ["1", "LX", "A", "T3", datetime(2024, 2, 10), None, None, 5.0],
    ["2", "LX", "B", "T0", datetime(2024, 3, 1), None, None, None],
]


@pytest.fixture(scope="module")
def lx(shared: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((shared / "golden/lx.json").read_text("utf-8"))
    return found


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "en_US.UTF-8")


def failure(function: Callable[..., Any], *arguments: object) -> str:
    with pytest.raises(UdfError) as refused:
        function(*arguments)
    return str(refused.value)


@pytest.mark.parametrize("span", ["T0-T2", "T0-T3"])
def test_published_lines(lx: dict[str, Any], span: str) -> None:
    values, published = lx["reserve_count"][span], lx["fits"][span]
    assert FUNNEL_SLOPE(values) == pytest.approx(published["slope"])
    assert FUNNEL_INTERCEPT(values) == pytest.approx(published["intercept"])
    assert round(FUNNEL_R2(values), 3) == published["r_squared"]
    assert FUNNEL_FORECAST_LINE(7.0, values) == pytest.approx(7 * published["slope"] + published["intercept"])


@pytest.mark.parametrize(
    ("language", "word"), [("en", "declining"), ("zh-CN", "下降"), ("ZH", "下降"), (None, "declining")]
)
def test_trend_row(lx: dict[str, Any], language: str | None, word: str) -> None:
    (row,) = FUNNEL_TREND(lx["reserve_count"]["T3"], None, language)
    truth = fit(lx["reserve_count"]["T3"])
    assert row[:6] == [
        truth.slope, truth.intercept, truth.r_squared, truth.slope_low, truth.slope_high, truth.p_value,
    ]  # fmt: skip
    assert row[6] == word
    assert truth.verdict == Verdict.DECLINING


def test_trend_row_leaves_blank_what_is_undefined() -> None:
    assert FUNNEL_TREND([[5.0, 5.0, 5.0, 5.0]])[0][:6] == [0, 5, None, None, None, None]
    assert FUNNEL_TREND([[5.0, 4.0]])[0][:6] == [-1, 6, 1, None, None, None]
    assert FUNNEL_TREND(None)[0][:6] == [None] * 6


class Line(NamedTuple):
    """Cells of one native formula; `x` None = 1, 2, 3 …"""

    name: str
    y: list[Any]
    x: list[Any]


LINES = (
    Line("numbers", [3.0, 5.0, 4.0, 8.0], [1.0, 2.0, 3.0, 4.0]),
    Line("blank in y", [3.0, None, 4.0, 8.0], [1.0, 2.0, 3.0, 4.0]),
    Line("blank in x", [3.0, 5.0, 4.0, 8.0], [1.0, 2.0, None, 4.0]),
    Line("text in y", [3.0, "n/a", 4.0, 8.0], [1.0, 2.0, 3.0, 4.0]),
    Line("number as text", [3.0, "5", 4.0, 8.0], [1.0, 2.0, 3.0, 4.0]),
    Line("text and blank in different places", [3.0, None, 4.0, 8.0, 9.0], [1.0, 2.0, "x", 4.0, 7.0]),
    Line("a real zero counts", [3.0, 0.0, 4.0, 8.0], [1.0, 2.0, 3.0, 4.0]),
    Line("dates are serial numbers", [3.0, 5.0, 4.0], [date(2024, 1, 31), date(2024, 2, 29), date(2024, 3, 31)]),
    Line("flat", [5.0, 5.0, 5.0], [1.0, 2.0, 3.0]),
    Line("one x", [5.0, 6.0, 7.0], [2.0, 2.0, 2.0]),
    Line("one pair left", [5.0, None, "x"], [1.0, 2.0, 3.0]),
    Line("two pairs left", [5.0, None, 7.0], [1.0, 2.0, 3.0]),
    Line("far away", [3.0, 5.0, 4.0, 8.0], [1e8 + 1, 1e8 + 2, 1e8 + 3, 1e8 + 4]),
)


@pytest.fixture(scope="module")
def recalculated(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], object]:
    """What LibreOffice's own functions make of LINES."""
    office.require()
    folder = tmp_path_factory.mktemp("native")
    book = xlsxwriter.Workbook(str(folder / "lines.xlsx"))
    sheet, dates = book.add_worksheet(), book.add_format({"num_format": "yyyy-mm-dd"})
    for i, line in enumerate(LINES):
        for row, cells in ((2 * i, line.y), (2 * i + 1, line.x)):
            for column, cell in enumerate(cells, 10):
                if isinstance(cell, date):
                    sheet.write_datetime(row, column, datetime(cell.year, cell.month, cell.day), dates)
                elif isinstance(cell, str):
                    sheet.write_string(row, column, cell)
                elif cell is not None:
                    sheet.write(row, column, cell)
        last = chr(ord("K") + len(line.y) - 1)
        for column, name in enumerate(NATIVE):
            ranges = f"K{2 * i + 1}:{last}{2 * i + 1},K{2 * i + 2}:{last}{2 * i + 2}"
            sheet.write_formula(2 * i, column, f"={name}({ranges})")
    book.close()
    made = office.convert(folder / "lines.xlsx", "xlsx", folder / "out")
    shown = openpyxl.load_workbook(made, data_only=True).active
    assert shown is not None
    return {
        (line.name, name): shown.cell(2 * i + 1, column).value
        for i, line in enumerate(LINES)
        for column, name in enumerate(NATIVE, 1)
    }


@pytest.mark.office
@pytest.mark.parametrize("line", LINES, ids=lambda line: line.name)
@pytest.mark.parametrize("name", NATIVE)
def test_cells_count_as_in_the_native_functions(
    recalculated: dict[tuple[str, str], object], name: str, line: Line
) -> None:
    native = recalculated[line.name, name]
    if isinstance(native, str):
        assert failure(NATIVE[name], line.y, line.x).startswith("#DIV/0! ")
        assert native in ("#DIV/0!", "#VALUE!")  # LibreOffice's word for "too few" is not always Excel's
    else:
        assert NATIVE[name](line.y, line.x) == pytest.approx(native, rel=1e-9)


@pytest.mark.parametrize("name", NATIVE)
def test_logical_cells_are_ignored(name: str) -> None:
    """As Excel does; to LibreOffice TRUE is the number 1, so it is no judge here."""
    function = NATIVE[name]
    assert function([3.0, True, 4.0, 8.0], [1.0, 2.0, 3.0, 4.0]) == function([3.0, 4.0, 8.0], [1.0, 3.0, 4.0])
    assert function([3.0, 5.0, 4.0, 8.0], [1.0, False, 3.0, 4.0]) == function([3.0, 4.0, 8.0], [1.0, 3.0, 4.0])


def test_x_left_out_counts_the_places_blanks_included() -> None:
    assert FUNNEL_SLOPE([10.0, None, 30.0]) == 10
    assert FUNNEL_INTERCEPT([[None], [10.0], ["x"], [30.0]]) == pytest.approx(-10)


@given(st.lists(st.floats(-1e6, 1e6), min_size=12, max_size=12))
def test_rows_columns_and_blocks_are_the_same(values: list[float]) -> None:
    values[0] = values[1] + 1  # not flat
    shapes = ([values], [[v] for v in values], [values[:4], values[4:8], values[8:]], values)
    assert len({FUNNEL_SLOPE(shape) for shape in shapes}) == 1
    assert len({FUNNEL_R2(shape, list(range(12))) for shape in shapes}) == 1


def test_currency_cells_are_numbers_too() -> None:
    assert FUNNEL_SLOPE([Decimal("1.5"), Decimal("2.5")]) == 1


def test_forecast_of_a_range_keeps_its_shape() -> None:
    assert FUNNEL_FORECAST_LINE([[3.0], [None], [4.0]], [1.0, 2.0]) == [[3.0], [None], [4.0]]
    assert FUNNEL_FORECAST_LINE([[3.0, 4.0]], [1.0, 2.0]) == [[3.0, 4.0]]
    assert FUNNEL_FORECAST_LINE(date(2024, 1, 3), [1.0, 2.0], [date(2024, 1, 1), date(2024, 1, 2)]) == 3


def test_conversion() -> None:
    ((rate, low, high),) = FUNNEL_CONVERSION(3.0, 10.0)
    assert (rate, round(low, 4), round(high, 4)) == (0.3, 0.1078, 0.6032)
    rows = FUNNEL_CONVERSION([[3.0], [0.0], [None], [0.0]], [[10.0], [0.0], [5.0], [4.0]])
    assert rows[0] == [rate, low, high]
    assert rows[1:3] == [[None] * 3] * 2
    assert rows[3][:2] == [0, 0]


def test_reserve_by_hand() -> None:
    assert FUNNEL_RESERVE(DATA, "2024-01", "T0") == 1
    assert FUNNEL_RESERVE(DATA, date(2024, 2, 29), "T3") == 1
    assert FUNNEL_RESERVE(DATA, 45352.0, "T0-T3") == 2  # 2024-03-01: any day stands for its month
    assert FUNNEL_RESERVE(DATA, [["2023-12"], ["2024-02"], ["2025-01"]], [["t0", "T3", "T0→T3"]]) == [
        [0, 0, 0], [0, 1, 1], [1, 1, 2],
    ]  # fmt: skip


def test_reserve_and_flagged_say_what_the_sheets_say(demo_book: Path, lx: dict[str, Any]) -> None:
    say, data = words("zh-CN"), inputs.table_frame(demo_book, "tbl_data")
    block = [list(data.columns), *data.to_numpy().tolist()]
    monthly = inputs.table_frame(demo_book, "tbl_trend")
    shown = ["T0", "T3", "T0→T2", "T0→T3"]
    expected = monthly[shown].to_numpy(dtype=float).tolist()
    assert FUNNEL_RESERVE(block, [[m] for m in monthly[say("tables.trend.month")]], [shown]) == expected
    assert expected[-1][2:] == [lx["reserve_count"]["T0-T2"][-1], lx["reserve_count"]["T0-T3"][-1]]
    reps = inputs.table_frame(demo_book, "tbl_reps")
    below = FUNNEL_FLAGGED(*([[cell] for cell in reps[say(f"tables.reps.{c}")]] for c in ("owner", "reserve")))
    assert sorted(name for (name,) in below) == lx["owners_below_mean_reserve"]


def test_flagged_by_hand() -> None:
    assert FUNNEL_FLAGGED([["A"], ["B"], ["C"]], [[10.0], [2.0], [3.0]]) == [["B"], ["C"]]
    assert FUNNEL_FLAGGED([["A"], ["B"]], [[0.1], [0.1]]) is None
    assert FUNNEL_FLAGGED([["A"], [None], ["C"], [7.0]], [[10.0], [0.0], [None], [4.0]]) == [["7"]]


def test_safety_stock() -> None:
    assert FUNNEL_SAFETY_STOCK(0.25, 1.0, 0.9) == 9


@pytest.mark.parametrize(
    ("function", "arguments", "text"),
    [
        (FUNNEL_SLOPE, ([1.0, 2.0], [1.0]), "#N/A Both ranges must have as many cells; they have 2 and 1."),
        (FUNNEL_SLOPE, ([[None]],), "#DIV/0! There is no line"),
        (FUNNEL_INTERCEPT, (5.0, 3.0), "#DIV/0! There is no line"),
        (FUNNEL_R2, ([5.0, 5.0, 5.0],), "#DIV/0! R² is undefined"),
        (FUNNEL_SLOPE, ([1.0, "#REF!", 3.0],), "#REF! A cell of the range holds an error (#REF!)."),
        (FUNNEL_SLOPE, ([1.0, -2146826245, 3.0],), "#VALUE! A cell of the range holds an error"),
        (FUNNEL_FORECAST_LINE, ("soon", [1.0, 2.0]), "#VALUE! A single number is needed"),
        (FUNNEL_FORECAST_LINE, (7.0, [1.0]), "#DIV/0! There is no line"),
        (FUNNEL_TREND, ([1.0, 2.0], None, "fr"), "#VALUE! “fr” is no language"),
        (FUNNEL_TREND, ([0.0] * 2001,), "#NUM! 2001 points are too many"),
        (FUNNEL_CONVERSION, (5.0, 3.0), "#NUM! 5 of 3 is no share"),
        (FUNNEL_CONVERSION, (1.5, 3.0), "#NUM! 1.5 of 3 is no share"),
        (FUNNEL_CONVERSION, (-1.0, 3.0), "#NUM! -1 of 3 is no share"),
        (FUNNEL_CONVERSION, (0.0, 0.0), "#DIV/0! There is no rate without a case."),
        (FUNNEL_CONVERSION, ([1.0, 2.0], 3.0), "#N/A Both ranges"),
        (FUNNEL_RESERVE, ([["a", "b"]], "2024-01", "T3"), "#VALUE! The columns of FUNNEL_RESERVE are not enough"),
        (FUNNEL_RESERVE, (DATA, "soon", "T3"), "#VALUE! “soon” is no month"),
        (FUNNEL_RESERVE, (DATA, None, "T3"), "#VALUE! “” is no month"),
        (FUNNEL_RESERVE, (DATA, "2024-01", "T9"), "#VALUE! “T9” is no stage"),
        (FUNNEL_RESERVE, (DATA, "2024-01", "T3-T0"), "#VALUE! “T3-T0” is no stage"),
        (FUNNEL_FLAGGED, ([["A"], ["B"]], [[1.0]]), "#N/A Both ranges"),
        (FUNNEL_FLAGGED, ([["A"], ["B"]], [["-"], [None]]), "#DIV/0! There is no rep"),
        (FUNNEL_SAFETY_STOCK, (0.0, 1.0, 0.9), "#NUM! No number of opportunities is enough"),
        (FUNNEL_SAFETY_STOCK, (25.0, 1.0, 0.9), "#NUM! Probabilities lie between 0 and 1"),
        (FUNNEL_SAFETY_STOCK, (None, 1.0, 0.9), "#VALUE! A single number is needed"),
    ],
)
def test_errors_name_excels_own_and_the_reason(
    function: Callable[..., Any], arguments: tuple[object, ...], text: str
) -> None:
    told = failure(function, *arguments)
    assert told.startswith(text)
    assert FUNNEL_WHY(function.__name__.lower(), *arguments) == told.partition(" ")[2]


def test_why(monkeypatch: pytest.MonkeyPatch) -> None:
    assert FUNNEL_WHY("FUNNEL_SLOPE", [1.0, 2.0]).startswith("No error")
    assert FUNNEL_WHY("FUNNEL_FORECAST_LINE", [1.0, 2.0]) == "FUNNEL_FORECAST_LINE needs more arguments than these."
    assert failure(FUNNEL_WHY, "SUM", [1.0]) == "#VALUE! “SUM” is none of the FUNNEL_ functions."
    assert failure(FUNNEL_WHY, "FUNNEL_WHY", "FUNNEL_WHY").startswith("#VALUE!")
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
    assert FUNNEL_WHY("FUNNEL_SLOPE", [[None]]) == "画不出线：至少要有两个数字，而且 x 不能都一样。"


def test_arguments_are_left_as_they_were() -> None:
    block = [list(row) for row in DATA]
    FUNNEL_RESERVE(block, "2024-01", "T0")
    assert block == DATA


def test_each_function_is_one_line_with_a_description_that_the_wizard_can_show() -> None:
    tree = ast.parse(inspect.getsource(udfs))
    found = [n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name.startswith("FUNNEL_")]
    assert [f.name for f in found] == list(FUNCTIONS)
    for function in found:
        assert [type(statement) for statement in function.body] == [ast.Expr, ast.Return]
        doc = ast.get_docstring(function)
        assert doc is not None
        assert doc.isascii()
        assert len(doc) <= 255
        described = [d for d in function.decorator_list if isinstance(d, ast.Call) and ast.unparse(d.func) == "xw.arg"]
        assert [ast.literal_eval(d.args[0]) for d in described] == [a.arg for a in function.args.args]
        for call in described:
            doc = next(k.value for k in call.keywords if k.arg == "doc")
            shown = eval(ast.unparse(doc), vars(udfs))  # a literal, or a constant of the module
            assert shown.isascii()
            assert len(shown) <= 255


def test_every_stage_and_span_is_known() -> None:
    for span in (*STAGES, *SPANS):
        assert FUNNEL_RESERVE(DATA, month_text(month_number(date(2023, 1, 1))), span) == 0
