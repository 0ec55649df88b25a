"""Whatever heights a table goes through, other readers find exactly the last frame and the package stays sound."""

import shutil
import tempfile
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook
from small_books import TREND, build, checker, parts, refill

from xlfunnel.excel.cells import Plain, plain, same

FIRST_ROW = 12
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\r"), max_size=8).filter(lambda t: "_x" not in t)
NUMBERS = st.one_of(st.none(), st.floats(allow_nan=True, allow_infinity=True), st.integers(-(10**12), 10**12))
VALUES = st.one_of(NUMBERS, TEXT, st.booleans())


@st.composite
def frames(draw: st.DrawFn) -> dict[str, pd.DataFrame]:
    """New contents of one or both of the tables that stand side by side."""
    out = {}
    for name, headers in (("tbl_month", ["月份", "T0→T2", "T3"]), ("tbl_side", ["名称", "数值"])):
        if draw(st.booleans()) or name == "tbl_month":
            n = draw(st.integers(0, 12))
            columns = {h: draw(st.lists(VALUES, min_size=n, max_size=n)) for h in headers}
            out[name] = pd.DataFrame({h: pd.Series(v, dtype=object) for h, v in columns.items()})
    return out


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(frames(), min_size=1, max_size=4))
def test_any_sequence_of_heights(shared: Path, steps: list[dict[str, pd.DataFrame]]) -> None:
    check = checker(shared).check
    with tempfile.TemporaryDirectory() as folder:
        template = build(Path(folder) / "template.xlsx")
        book = Path(folder) / "book.xlsx"
        shutil.copy(template, book)
        held: dict[str, pd.DataFrame] = {}
        for tables in steps:
            refill(book, book, tables)
            held |= tables
            assert check(book) == []
        for read in (_openpyxl(book), _calamine(book)):
            for name, frame in held.items():
                _assert_holds(read, name, frame)
        before, after = parts(template), parts(book)
        touched = {n for n in before if before[n] != after[n]}
        assert touched <= {
            "xl/worksheets/sheet1.xml", "xl/tables/table1.xml", "xl/tables/table2.xml", "xl/charts/chart1.xml",
            "xl/workbook.xml",
        }  # fmt: skip


def _assert_holds(read: list[list[Any]], name: str, frame: pd.DataFrame) -> None:
    column = {"tbl_month": 1, "tbl_side": 7}[name]
    height = max(2, len(frame))
    for j, header in enumerate(frame.columns):
        expected: list[Plain] = [plain(v, False) for v in frame[header]]
        expected += [None] * (height + 1 - len(frame))  # and the row below is blank
        for i, value in enumerate(expected):
            row = read[FIRST_ROW - 1 + i] if FIRST_ROW - 1 + i < len(read) else []
            found = row[column + j] if column + j < len(row) else None
            assert same(None if found == "" else found, value), (name, header, i, found, value)


def _openpyxl(path: Path) -> list[list[Any]]:
    return [list(row) for row in openpyxl.load_workbook(path)[TREND].iter_rows(values_only=True)]


def _calamine(path: Path) -> list[list[Any]]:
    sheet = CalamineWorkbook.from_path(path).get_sheet_by_name(TREND)
    return sheet.to_python(skip_empty_area=False)  # type: ignore[return-value]
