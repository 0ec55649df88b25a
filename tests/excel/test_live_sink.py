"""LiveSink: what Excel itself makes follow, how few calls it takes, what is kept, and what is refused."""

from collections import Counter
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import xlsxwriter
import xlwings as xw
from hosts.counting import counted
from live_books import chart_ranges, format_ranges, opened, read_back
from small_books import TREND, build, months

from xlfunnel.errors import WorkbookError
from xlfunnel.excel import snapshot
from xlfunnel.excel.live_book import LiveBook
from xlfunnel.excel.live_sink import LiveSink, blocks
from xlfunnel.excel.live_table import as_text
from xlfunnel.excel.ranges import Range
from xlfunnel.excel.template_id import file_name
from xlfunnel.excel.typed_columns import Orphan
from xlfunnel.paths import shipped
from xlfunnel.report import Report, fill

pytestmark = pytest.mark.office


@pytest.fixture
def template(tmp_path: Path) -> Path:
    return build(tmp_path / "template.xlsx")


def _fill(book: xw.Book, tables: dict[str, pd.DataFrame], **more: Any) -> LiveSink:
    sink = LiveSink(LiveBook(book))
    fill(Report(tables, more.get("cells", {}), more.get("keys", {})), sink)
    return sink


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ([], []),
        ([(2, 2)], [Range(2, 2, 2, 2)]),
        ([(3, 2), (2, 2), (4, 2)], [Range(2, 2, 4, 2)]),
        ([(2, 2), (2, 3), (3, 2), (3, 3)], [Range(2, 2, 3, 3)]),
        ([(2, 2), (2, 4)], [Range(2, 2, 2, 2), Range(2, 4, 2, 4)]),
        ([(2, 2), (3, 2), (2, 3)], [Range(2, 3, 2, 3), Range(2, 2, 3, 2)]),
    ],
    ids=["none", "one", "column", "square", "gap", "corner"],
)
def test_named_cells_are_written_in_rectangles(cells: list[tuple[int, int]], expected: list[Range]) -> None:
    assert blocks(cells) == expected


@pytest.mark.parametrize(
    ("text", "needs_mark"),
    [
        ("LX 大区", False),
        ("华北", False),
        ("▲ worse", False),
        ("A long sentence that says 12 things and is longer than any number or day could ever be.", False),
        ("=1+1", True),
        ("-x", True),
        ("- a long sentence of 12 words that begins like a formula does, which it must not become", True),
        ("@x", True),
        ("'quoted", True),
        ("2025-01", True),
        ("Jan 5", True),
        ("上午9时", True),
        ("true", True),
        (" =1", True),
        ("#N/A", True),
    ],
)
def test_text_that_excel_would_read_as_something_else_is_marked(text: str, needs_mark: bool) -> None:
    assert as_text(text) == (f"'{text}" if needs_mark else text)


@pytest.mark.parametrize("rows", [9, 5, 2])
def test_charts_formats_and_sums_follow_by_themselves(template: Path, office_app: xw.App, rows: int) -> None:
    with opened(office_app, template) as book:
        _fill(book, {"tbl_month": months(*range(1, 8))})
        _fill(book, {"tbl_month": months(*range(1, rows + 1))})
        last = 11 + rows
        assert chart_ranges(book)["It's mine"] == [f"$'{TREND}'.$D$12:$D${last}"]
        assert f"D12:D{last}" in format_ranges(book.sheets[TREND])
        assert f"C12:C{last}" in format_ranges(book.sheets[TREND])
        office_app.calculate()
        assert book.sheets[TREND]["K1"].value == sum(range(1, rows + 1))
        assert book.names["t3_body"].refers_to == f"='{TREND}'!$D$12:$D${last}"
        assert book.sheets[TREND].tables["tbl_side"].range.address == "$H$11:$I$13"


def test_the_print_area_keeps_its_distance_below_the_lowest_table(template: Path, office_app: xw.App) -> None:
    with opened(office_app, template) as book:
        for rows, last in ((7, 25), (3, 21), (2, 20)):
            _fill(book, {"tbl_month": months(*range(rows))})
            assert book.sheets[TREND].page_setup.print_area == f"$A$1:$I${last}"


def test_new_rows_look_like_those_above(template: Path, office_app: xw.App) -> None:
    with opened(office_app, template) as book:
        _fill(book, {"tbl_month": months(*range(5))})
        formats = [book.sheets[TREND].range((row, 4)).number_format for row in range(12, 17)]
        assert formats == ["0.0", "0.0", "0.0", "0.0", "0.00"]  # the last row is the old last row


def test_what_stands_below_a_table_moves_and_is_not_overwritten(template: Path, office_app: xw.App) -> None:
    with opened(office_app, template) as book:
        sheet = book.sheets[TREND]
        sheet["C16"].value, sheet["H16"].value = "my note", "beside"
        _fill(book, {"tbl_month": months(*range(9))})
        assert (sheet["C23"].value, sheet["H16"].value) == ("my note", "beside")
        _fill(book, {"tbl_month": months(*range(2))})
        assert (sheet["C16"].value, sheet["H16"].value) == ("my note", "beside")


def test_a_totals_row_stays_the_last(tmp_path: Path, office_app: xw.App) -> None:
    path = _one_table(tmp_path, rows=2, totals=True)
    with opened(office_app, path) as book:
        _fill(book, {"tbl_one": pd.DataFrame({"k": list("abcd"), "v": [1, 2, 3, 4]})})
        assert book.sheets[0]["A1:A6"].value == ["k", *"abcd", "Total"]
        assert book.sheets[0].tables["tbl_one"].range.address == "$A$1:$B$6"


def test_a_table_that_was_cut_down_to_one_row_grows_again(tmp_path: Path, office_app: xw.App) -> None:
    path = _one_table(tmp_path, rows=1, totals=False)
    with opened(office_app, path) as book:
        book.sheets[0]["A3"].value = "below"
        _fill(book, {"tbl_one": pd.DataFrame({"k": list("abc"), "v": [1, 2, 3]})})
        assert book.sheets[0].tables["tbl_one"].range.address == "$A$1:$B$4"
        assert book.sheets[0]["A1:B5"].value[1:] == [["a", 1], ["b", 2], ["c", 3], ["below", None]]


def _one_table(folder: Path, rows: int, totals: bool) -> Path:
    path = folder / "one.xlsx"
    made = xlsxwriter.Workbook(str(path))
    columns = [{"header": "k", **({"total_string": "Total"} if totals else {})}, {"header": "v"}]
    made.add_worksheet().add_table(0, 0, rows + totals, 1, {"name": "tbl_one", "columns": columns, "total_row": totals})
    made.close()
    return path


def test_a_typed_formula_moves_with_its_row(template: Path, office_app: xw.App) -> None:
    with opened(office_app, template) as book:
        sheet = book.sheets[TREND]
        _fill(book, {"tbl_month": months(1, 2, 3)})
        sheet["E13"].formula = "=D13*10"
        sheet["E14"].value = "'=no formula"
        turned = months(9, 8, 7).assign(月份=["2025-03", "2025-01", "2025-02"])
        sink = _fill(book, {"tbl_month": turned}, keys={"tbl_month": "月份"})
        assert (sheet["E14"].formula, sheet["E14"].value) == ("=D14*10", 70)
        assert (sheet["E12"].value, sink.orphans) == ("=no formula", ())


def test_a_filter_that_hid_rows_is_lifted_when_rows_come(template: Path, office_app: xw.App) -> None:
    with opened(office_app, template) as book:
        table = book.sheets["Data"].tables["tbl_data"]
        assert table.show_autofilter
        _fill(book, {"tbl_data": pd.DataFrame({"id": list("abcd"), "day": None, "amount": [1, 2, 3, 4]})})
        rows = book.impl.document.Sheets.getByName("Data").Rows
        assert all(rows.getByIndex(i).IsVisible for i in range(2, 8))


def test_a_protected_sheet_is_named_and_nothing_is_written(template: Path, office_app: xw.App) -> None:
    with opened(office_app, template) as book:
        before = book.sheets[TREND]["A1:L20"].formula
        book.sheets["Data"].impl.sheet.protect("")
        with pytest.raises(WorkbookError) as caught:
            _fill(book, {"tbl_month": months(1, 2, 3), "tbl_data": pd.DataFrame({"id": ["a"]})})
        assert (caught.value.code, caught.value.params) == ("workbook.protected", {"sheet": "Data"})
        assert book.sheets[TREND]["A1:L20"].formula == before


def test_what_is_kept_brings_everything_back(template: Path, office_app: xw.App, tmp_path: Path) -> None:
    path, keys = tmp_path / "kept.json", {"tbl_month": "月份"}
    data = pd.DataFrame({"id": ["a"], "day": [pd.Timestamp("2025-06-30")], "amount": [float("nan")]})
    first = Report({"tbl_month": months(1, None, 3), "tbl_data": data}, {"txt_title": "=first"}, keys)
    second = Report({"tbl_month": months(9, 8), "tbl_data": data.head(0)}, {"txt_title": 2.5}, keys)
    with opened(office_app, template) as book:
        fill(first, LiveSink(LiveBook(book)))
        book.sheets[TREND]["E13:E14"].value = [["typed"], ["beside a row that goes"]]
        before = [sheet["A1:L30"].formula for sheet in book.sheets]
        sink = LiveSink(LiveBook(book), lambda report: snapshot.keep(path, report))
        fill(second, sink)
        assert sink.orphans == (Orphan("tbl_month", "2025-03", "备注", "beside a row that goes"),)
        assert [sheet["A1:L30"].formula for sheet in book.sheets] != before
        kept = snapshot.kept(path)
        assert kept is not None
        fill(kept, LiveSink(LiveBook(book)))
        assert [sheet["A1:L30"].formula for sheet in book.sheets] == before


def test_a_snapshot_that_cannot_be_read_is_said_to_be_so(tmp_path: Path) -> None:
    path = tmp_path / "kept.json"
    assert snapshot.kept(path) is None
    path.write_text('{"version": 1, "tables": 5}')
    with pytest.raises(WorkbookError) as caught:
        snapshot.kept(path)
    assert caught.value.code == "workbook.damaged"
    path.write_text('{"version": 99}')
    assert snapshot.kept(path) is None


@pytest.mark.parametrize("date1904", [False, True])
def test_dates_keep_their_day_in_either_date_system(tmp_path: Path, office_app: xw.App, date1904: bool) -> None:
    path = build(tmp_path / "dates.xlsx", date1904=date1904)
    data = pd.DataFrame({"id": ["a", "b"], "day": pd.to_datetime(["2025-06-30", "1999-12-31"])})
    with opened(office_app, path) as book:
        _fill(book, {"tbl_data": data})
        assert LiveBook(book).date1904 is date1904
        book.save(tmp_path / "out.xlsx")
    assert read_back(tmp_path / "out.xlsx", ["tbl_data"], []).tables["tbl_data"]["day"].tolist() == data["day"].tolist()


def _calls(app: xw.App, path: Path, tables: dict[str, pd.DataFrame]) -> Counter[str]:
    calls: Counter[str] = Counter()
    with opened(app, path) as book:
        fill(Report(tables, {"txt_title": "x"}, {"tbl_month": "月份"}), LiveSink(LiveBook(counted(book, calls))))
    return calls


def test_calls_grow_with_tables_and_not_with_rows(template: Path, office_app: xw.App) -> None:
    few = _calls(office_app, template, {"tbl_month": months(*range(5))})
    many = _calls(office_app, template, {"tbl_month": months(*range(3_000))})
    assert few == many
    assert few["Range.raw_value"] >= 4  # reads and writes are seen at all
    side = pd.DataFrame({"名称": ["a"] * 4, "数值": 1})
    both = _calls(office_app, template, {"tbl_month": months(*range(5)), "tbl_side": side})
    assert few.total() <= 64, few
    assert both.total() - few.total() <= 7, both - few  # its filter is lifted, cells are inserted, its rows written


def test_one_write_a_table_without_formulas(office_app: xw.App) -> None:
    data = pd.DataFrame({"商机编号": [f"P-{i}" for i in range(50)], "金额": range(50)})
    calls: Counter[str] = Counter()
    with opened(office_app, shipped(file_name("zh-CN"))) as book:
        fill(Report({"tbl_data": data}, {}), LiveSink(LiveBook(counted(book, calls))))
        body = book.sheets["数据"]["A4:H53"].value
    assert [row[0] for row in body] == data["商机编号"].tolist()
    assert calls["Range.raw_value"] == 2  # what stood there is read once, and all of it is written once


def test_a_formula_in_a_named_cell_is_not_even_written_again(template: Path, office_app: xw.App) -> None:
    calls: Counter[str] = Counter()
    with opened(office_app, template) as book:
        live = LiveBook(book)
        sheet, at = live.cell_of("txt_title")
        book.sheets[sheet].range(str(at)).formula = "=1+1"
        fill(Report({}, {"txt_title": "x"}), LiveSink(LiveBook(counted(book, calls))))
        assert book.sheets[sheet].range(str(at)).formula == "=1+1"
    assert calls["Range.raw_value"] == 1  # it is looked at


def test_rows_of_the_data_sheet_are_handed_over_and_not_kept(template: Path, office_app: xw.App) -> None:
    calls: Counter[str] = Counter()
    with opened(office_app, template) as book:
        _fill(book, {"tbl_data": pd.DataFrame({"id": ["a", "b"], "day": None, "amount": [1, 2]})})
        live = LiveBook(counted(book, calls))
        source = live.data_source()
        assert source is not None
        assert (source.rows or [])[-2:] == [["a", None, 1], ["b", None, 2]]
        read = calls["Range.raw_value"]
        assert live.rows("tbl_data") == [["a", None, 1], ["b", None, 2]]
        assert calls["Range.raw_value"] > read
