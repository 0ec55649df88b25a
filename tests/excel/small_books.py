"""Small workbooks with everything a fill has to take along, and eyes to look at them afterwards."""

import base64
import importlib.util
import zipfile
from datetime import datetime
from io import BytesIO
from pathlib import Path
from types import ModuleType
from typing import Any

import pandas as pd
import xlsxwriter
from lxml import etree

from xlfunnel.excel.file_sink import FileSink
from xlfunnel.excel.inputs import table_frame
from xlfunnel.report import Report, Value, fill

TREND = "趋势 图"
M = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
C = "{http://schemas.openxmlformats.org/drawingml/2006/chart}"
_PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNgYPj/HwADAgH/p9n0JwAAAABJRU5ErkJggg=="
)


def build(path: Path, *, date1904: bool = False, accent: str = "#0F5C6E") -> Path:
    """A trend sheet with two tables side by side, a data sheet, and a sheet of the user's own."""
    book = xlsxwriter.Workbook(str(path), {"date_1904": date1904})
    book.set_properties({"created": datetime(2025, 1, 1)})
    body = book.add_format({"num_format": "0.0", "font_color": accent})
    last = book.add_format({"num_format": "0.00", "bold": True})
    day = book.add_format({"num_format": "yyyy-mm-dd"})
    sheet = book.add_worksheet(TREND)
    sheet.write("A1", "标题", body)
    sheet.write_formula("K1", f"=SUM('{TREND}'!$D$12:$D$13)", None, 0)
    sheet.write("J15", "stays")
    double = {"双倍": "=tbl_month[[#This Row],[T3]]*2"}
    _table(sheet, "B11", "tbl_month", ["月份", "T0→T2", "T3", "备注", "双倍"], formula=double)
    _table(sheet, "H11", "tbl_side", ["名称", "数值"])
    for row, style in ((11, body), (12, last)):
        sheet.set_row(row, 22)
        for column in range(1, 5):
            sheet.write_blank(row, column, None, style)
    sheet.conditional_format("C12:C13", {"type": "data_bar", "data_bar_2010": True})
    sheet.conditional_format("D12:D13", {"type": "cell", "criteria": "<", "value": 5, "format": body})
    sheet.conditional_format("B12:I13", {"type": "formula", "criteria": "=$D12>AVERAGE($D$12:$D$13)", "format": last})
    sheet.data_validation("E12:E13", {"validate": "list", "source": ["a", "b"]})
    sheet.add_sparkline("L1", {"range": f"'{TREND}'!C12:C13"})
    sheet.print_area("A1:I20")
    sheet.repeat_rows(10)
    sheet.freeze_panes("A12")
    book.define_name("txt_title", f"='{TREND}'!$A$1")
    book.define_name("kpi_sum", f"='{TREND}'!$K$1")
    book.define_name("t3_body", f"='{TREND}'!$D$12:$D$13")
    data = book.add_worksheet("Data")
    _table(data, "A3", "tbl_data", ["id", "day", "amount"])
    for row in (3, 4):
        data.write_blank(row, 1, None, day)
    mine = book.add_worksheet("It's mine")
    mine.write_formula("A1", f"='{TREND}'!A1", None, "")
    mine.write_formula("A2", "=1+1", body, 2)
    mine.insert_image("C3", "logo.png", {"image_data": BytesIO(_PNG)})
    chart: Any = book.add_chart({"type": "line"})
    chart.add_series({
        "name": f"='{TREND}'!$D$11",
        "categories": f"='{TREND}'!$B$12:$B$13",
        "values": f"='{TREND}'!$D$12:$D$13",
        "trendline": {"type": "linear", "display_equation": True, "display_r_squared": True},
    })  # fmt: skip
    chart.set_title({"name": f"='{TREND}'!$A$1"})
    mine.insert_chart("C8", chart)
    book.close()
    return path


def _table(sheet: Any, at: str, name: str, headers: list[str], formula: dict[str, str] | None = None) -> None:
    first_column, row = ord(at[0]) - 65, int(at[1:]) - 1
    columns = [{"header": h, **({"formula": formula[h]} if formula and h in formula else {})} for h in headers]
    sheet.add_table(row, first_column, row + 2, first_column + len(headers) - 1, {"name": name, "columns": columns})


def months(*t3: float | None) -> pd.DataFrame:
    """A frame for tbl_month."""
    n = len(t3)
    return pd.DataFrame(
        {
            "月份": pd.Series([f"2025-{i % 12 + 1:02d}" for i in range(n)], dtype=object),
            "T0→T2": pd.Series([10.5 + i for i in range(n)], dtype=float),
            "T3": pd.Series(t3, dtype=float),
        }
    )


def refill(
    source: Path,
    target: Path,
    tables: dict[str, pd.DataFrame],
    cells: dict[str, Value] | None = None,
    keys: dict[str, str] | None = None,
    *,
    backup: bool = False,
) -> FileSink:
    """Fill and return the sink."""
    sink = FileSink(source, target, backup=backup)
    fill(Report(tables, cells or {}, keys or {}), sink)
    return sink


def parts(path: Path) -> dict[str, bytes]:
    """All parts."""
    with zipfile.ZipFile(path) as z:
        return {n: z.read(n) for n in z.namelist()}


def repack(path: Path, change: dict[str, Any]) -> None:
    """Rewrite parts by hand: name -> function of bytes; None drops the part."""
    old = parts(path)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as z:
        for name, data in old.items():
            if name not in change:
                z.writestr(name, data)
            elif change[name] is not None:
                z.writestr(name, change[name](data))


def root(path: Path, part: str) -> etree._Element:
    """One part, parsed."""
    return etree.fromstring(parts(path)[part])


def body(path: Path, table: str) -> list[list[Any]]:
    """What a table shows."""
    return table_frame(path, table).to_numpy().tolist()  # type: ignore[no-any-return]


def checker(shared: Path) -> ModuleType:
    """The shared package checker, as a module."""
    spec = importlib.util.spec_from_file_location("check_ooxml", shared / "tools" / "check_ooxml.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
