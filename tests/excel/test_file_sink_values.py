"""FileSink: what is written into cells, what the user typed, and what is refused."""

from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest
from small_books import TREND, M, body, build, months, refill, repack, root

from xlfunnel.errors import WorkbookError
from xlfunnel.excel.file_sink import FileSink
from xlfunnel.excel.typed_columns import Orphan

SHEET = "xl/worksheets/sheet1.xml"
TABLE = "xl/tables/table1.xml"
BOOK = "xl/workbook.xml"
XML_SPACE = "{http://www.w3.org/XML/1998/namespace}space"


@pytest.fixture
def template(tmp_path: Path) -> Path:
    return build(tmp_path / "template.xlsx")


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out.xlsx"


def _cell(path: Path, ref: str) -> Any:
    return next(c for c in root(path, SHEET).iter(f"{M}c") if c.get("r") == ref)


def test_named_cells_of_every_kind(template: Path, out: Path) -> None:
    style = _cell(template, "A1").get("s")
    refill(template, out, {}, {"txt_title": "=cmd|' /C calc'!A0", "kpi_sum": 7.25})
    title = _cell(out, "A1")
    assert (title.get("t"), title.get("s"), title.find(f"{M}f")) == ("inlineStr", style, None)
    kpi = _cell(out, "K1")  # holds a formula: it stays, and shows the value until Excel recalculates
    assert kpi.findtext(f"{M}f") == f"SUM('{TREND}'!$D$12:$D$13)"
    assert kpi.findtext(f"{M}v") == "7.25"
    refill(out, out, {}, {"txt_title": None})
    assert (_cell(out, "A1").get("t"), len(_cell(out, "A1"))) == (None, 0)
    assert _cell(out, "A1").get("s") == style


def test_text_of_every_kind_stays_text(template: Path, out: Path) -> None:
    texts = ["=1+1", "+1", "-1", "@x", "  two  ", "a\nb", "<&>\"'", "00123", "_x0041_", "TRUE", "😀", "x" * 40_000]
    frame = pd.DataFrame({"名称": texts, "数值": range(len(texts))})
    refill(template, out, {"tbl_side": frame})
    read = [row[0] for row in body(out, "tbl_side")]
    assert read == [*texts[:-1], "x" * 32_767]
    sheet = openpyxl.load_workbook(out)[TREND]
    assert [sheet.cell(12 + i, 8).data_type for i in range(4)] == ["s"] * 4
    assert _cell(out, "H16")[0][0].get(XML_SPACE) == "preserve"


@pytest.mark.parametrize("date1904", [False, True])
def test_dates_keep_their_day_in_either_date_system(tmp_path: Path, out: Path, date1904: bool) -> None:
    template = build(tmp_path / "t.xlsx", date1904=date1904)
    days = [pd.Timestamp("2025-06-30"), pd.NaT, pd.Timestamp("1999-12-31 12:00")]
    refill(template, out, {"tbl_data": pd.DataFrame({"id": list("abc"), "day": days, "amount": [1, 2, 3]})})
    read = [openpyxl.load_workbook(out)["Data"].cell(4 + i, 2).value for i in range(3)]
    assert [None if v is None else pd.Timestamp(v) for v in read] == [days[0], None, days[2]]


def test_what_the_user_typed_follows_its_row(template: Path, out: Path) -> None:
    refill(template, out, {"tbl_month": months(1, 2, 3)})

    def type_notes(xml: bytes) -> bytes:
        for ref, inner in ((b"E12", b"<v>1</v>"), (b"E13", b"<f>D13*2</f><v>4</v>"), (b"E14", b"<v>3</v>")):
            head, _, tail = xml.partition(b'<c r="' + ref + b'"')
            attrs, _, rest = tail.partition(b"/>")
            xml = head + b'<c r="' + ref + b'"' + attrs + b">" + inner + b"</c>" + rest
        return xml

    repack(out, {SHEET: type_notes})
    frame = months(9, 9, 9)
    frame["月份"] = ["2025-02", "2025-09", "2025-01"]
    sink = refill(out, out, {"tbl_month": frame}, keys={"tbl_month": "月份"})
    assert _cell(out, "E12").findtext(f"{M}f") == "D12*2"
    assert [row[3] for row in body(out, "tbl_month")] == [4, None, 1]
    assert sink.orphans == (Orphan("tbl_month", "2025-03", "备注", 3),)
    assert not refill(out, out, {"tbl_month": frame}, keys={"tbl_month": "月份"}).written
    refill(out, out, {"tbl_month": frame.iloc[::-1]}, keys={"tbl_month": "月份"})
    assert [row[3] for row in body(out, "tbl_month")] == [1, None, 4]
    assert _cell(out, "E14").findtext(f"{M}f") == "D14*2"


def test_without_a_key_typed_values_stay_in_their_row(template: Path, out: Path) -> None:
    repack(template, {SHEET: lambda xml: xml.replace(b'<c r="E13" s="2"/>', b'<c r="E13" s="2"><v>5</v></c>')})
    refill(template, out, {"tbl_month": months(1, 2, 3)})
    assert [row[3] for row in body(out, "tbl_month")] == [None, 5, None]


def test_numbers_and_texts_are_one_key(template: Path, out: Path) -> None:
    frame = pd.DataFrame({"名称": [7, 8]})
    refill(template, out, {"tbl_side": pd.DataFrame({"名称": ["7", "8"], "数值": [70, 80]})})
    refill(out, out, {"tbl_side": frame.iloc[::-1]}, keys={"tbl_side": "名称"})
    assert body(out, "tbl_side") == [[8, 80], [7, 70]]


@pytest.mark.parametrize(
    ("change", "cell"),
    [
        (lambda xml: xml.replace(b'<c r="J15"', b'<c r="D15"><v>0</v></c><c r="J15"'), "D15"),
        (lambda xml: xml.replace(b'<c r="J15"', b'<c r="D15"><f>1</f></c><c r="J15"'), "D15"),
        (
            lambda xml: xml.replace(
                b"</sheetData>", b'</sheetData><mergeCells count="1"><mergeCell ref="A14:C14"/></mergeCells>'
            ),
            "B14",
        ),
    ],
)
def test_a_table_never_grows_over_something(template: Path, out: Path, change: Any, cell: str) -> None:
    repack(template, {SHEET: change})
    before = template.read_bytes()
    with pytest.raises(WorkbookError) as e:
        refill(template, template, {"tbl_month": months(*range(6))})
    assert (e.value.code, e.value.params) == (
        "workbook.table_blocked",
        {"sheet": TREND, "cell": cell, "table": "tbl_month"},
    )
    assert template.read_bytes() == before


def test_blank_styled_cells_are_not_in_the_way(template: Path, out: Path) -> None:
    repack(template, {SHEET: lambda xml: xml.replace(b'<c r="J15"', b'<c r="D15" s="2"/><c r="J15"')})
    refill(template, out, {"tbl_month": months(*range(6))})
    assert _cell(out, "D15").get("s") == _cell(out, "D12").get("s")


@pytest.mark.parametrize(
    ("code", "tables", "cells"),
    [
        ("workbook.missing_table", {"tbl_none": months(1)}, {}),
        ("workbook.missing_column", {"tbl_month": months(1).assign(多余=1)}, {}),
        ("workbook.missing_name", {}, {"kpi_none": 1}),
    ],
)
def test_what_the_workbook_lacks_is_named(
    template: Path, out: Path, code: str, tables: dict[str, pd.DataFrame], cells: dict[str, Any]
) -> None:
    with pytest.raises(WorkbookError) as e:
        refill(template, out, tables, cells)
    assert e.value.code == code
    assert not out.exists()


def test_a_name_that_lost_its_cell_is_missing(template: Path, out: Path) -> None:
    repack(template, {BOOK: lambda xml: xml.replace(f"'{TREND}'!$A$1</".encode(), f"'{TREND}'!#REF!</".encode())})
    with pytest.raises(WorkbookError, match=r"workbook\.missing_name"):
        refill(template, out, {}, {"txt_title": "x"})


def test_two_columns_of_one_name_are_a_mistake(template: Path, out: Path) -> None:
    frame = pd.DataFrame([[1, 2]], columns=["名称", "名称"])
    with pytest.raises(ValueError, match="two columns"):
        FileSink(template, out).table("tbl_side", frame, None)


def test_headers_match_across_line_breaks(template: Path, out: Path) -> None:
    repack(
        template,
        {
            TABLE: lambda xml: xml.replace("T0→T2".encode(), b"T0_x000a_T2"),
            "xl/sharedStrings.xml": lambda xml: xml.replace("T0→T2".encode(), b"T0\nT2"),
        },
    )
    refill(template, out, {"tbl_month": months(1, 2).rename(columns={"T0→T2": "T0\r\nT2"})})
    assert [row[1] for row in body(out, "tbl_month")] == [10.5, 11.5]


def test_an_open_workbook_is_refused_at_once(template: Path) -> None:
    template.with_name("~$template.xlsx").touch()
    with pytest.raises(WorkbookError, match=r"workbook\.open"):
        FileSink(template, template)
