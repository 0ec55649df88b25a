"""The engine that stands in for Excel: what it must get right for anything proved on it to mean something."""

import builtins
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
import xlsxwriter
import xlwings as xw
from hosts.lo_engine.entries import Entry, entered
from hosts.lo_engine.errors import OfficeError
from hosts.lo_engine.grammar import to_excel, to_office

pytestmark = pytest.mark.office


@pytest.fixture
def book(office_app: xw.App, tmp_path: Path) -> Iterator[xw.Book]:
    """One sheet: a table, another beside it, a third below both; a text column, a name, a formula, a print area."""
    path = tmp_path / "book.xlsx"
    made = xlsxwriter.Workbook(str(path))
    sheet = made.add_worksheet("It's 一")
    text = made.add_format({"num_format": "@"})
    day = made.add_format({"num_format": "yyyy-mm-dd"})
    sheet.add_table(
        "B2:C4", {"name": "tbl_left", "data": [["a", 1], ["b", 2]], "columns": [{"header": h} for h in "kv"]}
    )
    sheet.add_table(
        "E2:E4", {"name": "tbl_right", "data": [[7], [8]], "columns": [{"header": "w"}], "total_row": False}
    )
    sheet.add_table("B10:E12", {"name": "tbl_below", "columns": [{"header": h} for h in "pqrs"]})
    sheet.write_formula("G1", "=SUM(tbl_left[v])", None, 99)
    for row in range(1, 9):
        sheet.write_blank(row, 8, None, text)
        sheet.write_blank(row, 9, None, day)
    made.define_name("kpi_total", "='It''s 一'!$G$1")
    sheet.print_area("A1:E14")
    made.close()
    opened = office_app.books.open(str(path))
    yield opened
    opened.close()


def test_loading_the_bridge_leaves_the_interpreter_as_it_was(office_app: xw.App) -> None:
    assert builtins.__import__.__module__ == "builtins"
    with pytest.raises(ModuleNotFoundError):
        __import__("com.sun.star")


def test_values_of_all_kinds_go_in_and_come_back(book: xw.Book) -> None:
    sheet = book.sheets[0]
    written = [["text", 1.5, True], [datetime(2025, 6, 30, 12), None, "二"]]
    sheet["L1:N2"].value = written
    assert sheet["L1:N2"].value == written
    assert sheet["N1"].value is True
    assert sheet["L2"].options(ndim=2).value == [[datetime(2025, 6, 30, 12)]]


def test_errors_are_nothing_or_their_text(book: xw.Book) -> None:
    sheet = book.sheets[0]
    sheet["L1"].formula = "=1/0"
    assert sheet["L1"].value is None
    assert sheet["L1"].options(err_to_str=True).value == "#DIV/0!"


def test_opening_recalculates_what_the_file_remembers(book: xw.Book) -> None:
    assert book.sheets[0]["G1"].value == 3


@pytest.mark.parametrize(
    ("value", "in_text_cell", "expected"),
    [
        ("plain", False, Entry("plain")),
        ("=1+1", False, Entry("=1+1", "formula")),
        ("=1+1", True, Entry("=1+1")),
        ("'=1+1", False, Entry("=1+1")),
        ("'=1+1", True, Entry("=1+1")),
        ("+x", False, Entry("=+x", "formula")),
        ("-5", False, Entry(-5.0)),
        ("@x", False, Entry("=@x", "formula")),
        ("007", False, Entry(7.0)),
        ("007", True, Entry("007")),
        ("1,234.5", False, Entry(1234.5)),
        ("5%", False, Entry(0.05)),
        ("1e3", False, Entry(1000.0)),
        ("true", False, Entry(1.0, "logical")),
        ("2025-01", False, Entry(2026.0, "date")),
        ("T0→T2", False, Entry("T0→T2")),
        ("", False, Entry("")),
        (7, True, Entry("7")),
        (True, False, Entry(1.0, "logical")),
    ],
    ids=str,
)
def test_a_text_is_read_as_if_it_had_been_typed(value: object, in_text_cell: bool, expected: Entry) -> None:
    assert entered(value, in_text_cell) == expected


def test_a_cell_formatted_as_text_keeps_what_it_is_given(book: xw.Book) -> None:
    sheet = book.sheets[0]
    sheet["H2:J3"].value = [["007", "007", 45838.0], ["=1+1", "=1+1", 45839.0]]
    assert sheet["H2:J3"].value == [[7.0, "007", datetime(2025, 6, 30)], [2.0, "=1+1", datetime(2025, 7, 1)]]


@pytest.mark.parametrize(
    ("excel", "office"),
    [
        ("=SUM(A1,B2)", "=SUM(A1;B2)"),
        ("='It''s 一'!$A$1&\"a,b;c\"", "=$'It''s 一'.$A$1&\"a,b;c\""),
        ("=Data!A1+1.5", "=$Data.A1+1.5"),
        ("=tbl[[#This Row],[x]]", "=tbl[[#This Row];[x]]"),
    ],
)
def test_formulas_are_translated_outside_texts(excel: str, office: str) -> None:
    assert to_office(excel) == office
    assert to_excel(office) == excel


def test_formulas_read_back_as_excel_writes_them(book: xw.Book) -> None:
    cell = book.sheets[0]["L5"]
    for formula in ('=IF(tbl_left[v]>0,"a;b","")', "=SUM(tbl_left[v],'It''s 一'!$E$3)"):
        cell.formula = formula
        assert cell.formula == formula
    assert cell.value == 10


def test_rows_inserted_in_a_table_push_only_what_is_below_it(book: xw.Book) -> None:
    sheet = book.sheets[0]
    with pytest.raises(ValueError, match="tbl_below"):
        sheet["B4:C5"].insert(shift="down")
    sheet["B10:E12"].insert(shift="down")
    assert sheet.tables["tbl_below"].range.address == "$B$13:$E$15"


def test_names_tables_and_print_area_are_where_they_are(book: xw.Book) -> None:
    sheet = book.sheets[0]
    assert book.names["KPI_total"].refers_to == "='It''s 一'!$G$1"
    assert book.names["kpi_total"].refers_to_range.value == 3
    assert "nowhere" not in book.names
    assert [t.name for t in sheet.tables] == ["tbl_below", "tbl_left", "tbl_right"]
    assert sheet.tables["tbl_left"].range.value == [["k", "v"], ["a", 1], ["b", 2]]
    assert sheet.page_setup.print_area == "$A$1:$E$14"
    sheet.page_setup.print_area = "$A$1:$E$20"
    assert sheet.page_setup.print_area == "$A$1:$E$20"


def test_a_sheet_stays_whole_after_rows_of_some_columns_went(book: xw.Book) -> None:
    sheet = book.sheets[0]
    sheet["B20:C22"].delete(shift="up")
    sheet["A1000"].value = "far below"
    assert sheet["A1000"].value == "far below"


def test_what_libreoffice_refuses_is_an_ordinary_error(book: xw.Book) -> None:
    with pytest.raises(OfficeError):
        book.sheets[0].range((0, 0))


def test_saving_gives_a_workbook_others_can_read(book: xw.Book, tmp_path: Path) -> None:
    from openpyxl import load_workbook

    book.sheets[0]["L1"].value = "'=text"
    book.save(tmp_path / "saved.xlsx")
    saved = load_workbook(tmp_path / "saved.xlsx")
    assert saved.worksheets[0]["L1"].value == "=text"
    assert saved.worksheets[0]["L1"].data_type == "s"


def test_state_of_the_application_is_kept_and_changed(office_app: xw.App, book: xw.Book) -> None:
    assert (office_app.screen_updating, office_app.calculation, office_app.status_bar) == (True, "automatic", False)
    office_app.screen_updating, office_app.calculation, office_app.status_bar = False, "manual", "1/7"
    assert (office_app.screen_updating, office_app.calculation, office_app.status_bar) == (False, "manual", "1/7")
    office_app.screen_updating, office_app.calculation, office_app.status_bar = True, "automatic", False
    assert office_app.books.active.name == book.name


def test_macros_find_their_workbook(book: xw.Book) -> None:
    book.set_mock_caller()
    assert xw.Book.caller().name == book.name


def test_several_ranges_are_addressed_in_their_order(book: xw.Book) -> None:
    sheet = book.sheets[0]
    assert sheet.range("C3,kpi_total,B2:C4").address == "$C$3,$G$1,$B$2:$C$4"
    other = book.sheets.add("other")
    with pytest.raises(OfficeError):
        other.range("C3,kpi_total")
    with pytest.raises(OfficeError):
        sheet.range("C3,kpi_nobody")
