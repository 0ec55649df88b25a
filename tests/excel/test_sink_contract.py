"""What every sink owes to a report: the closed file, the open workbook (LibreOffice), the recording."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
import xlwings as xw
from live_books import opened, read_back
from small_books import TREND, build, months, refill

from xlfunnel import app
from xlfunnel.analysis import analyse
from xlfunnel.errors import WorkbookError
from xlfunnel.excel.file_sink import FileSink
from xlfunnel.excel.live_book import LiveBook
from xlfunnel.excel.live_sink import LiveSink
from xlfunnel.excel.recording_sink import RecordingSink
from xlfunnel.excel.template_id import file_name
from xlfunnel.excel.typed_columns import Orphan
from xlfunnel.pages import build_report
from xlfunnel.paths import shipped
from xlfunnel.report import Report, fill

pytestmark = pytest.mark.office

Filled = Callable[..., tuple[Path, tuple[Orphan, ...]]]
"""(report, source) → the filled workbook, and what was left over."""

MONTHS = ["月份", "T0→T2", "T3"]


@pytest.fixture
def template(tmp_path: Path) -> Path:
    return build(tmp_path / "template.xlsx")


@pytest.fixture(params=["file", "live"])
def filled(request: pytest.FixtureRequest, template: Path, tmp_path: Path) -> Filled:
    def by_file(report: Report, source: Path = template, name: str = "out") -> tuple[Path, tuple[Orphan, ...]]:
        out = tmp_path / f"{name}.xlsx"
        sink = FileSink(source, out)
        fill(report, sink)
        return out, sink.orphans

    def by_hand(report: Report, source: Path = template, name: str = "out") -> tuple[Path, tuple[Orphan, ...]]:
        out = tmp_path / f"{name}.xlsx"
        with opened(request.getfixturevalue("office_app"), source) as book:
            sink = LiveSink(LiveBook(book))
            fill(report, sink)
            book.save(out)
        return out, sink.orphans

    return by_file if request.param == "file" else by_hand


def _recorded(report: Report) -> str:
    sink = RecordingSink()
    fill(report, sink)
    assert sink.finished
    return sink.text()


def _only(report: Report, columns: dict[str, list[str]]) -> Report:
    """The report without other columns, and without rows that only pad a table."""
    frames = {n: f[columns.get(n, list(f.columns))] for n, f in report.tables.items()}
    return replace(report, tables={n: f.dropna(how="all") for n, f in frames.items()}, keys={})


@pytest.mark.parametrize("heights", [(5,), (2,), (1,), (0,), (9, 3), (3, 9), (6, 0, 4)], ids=str)
def test_a_workbook_tells_the_report_it_was_given(filled: Filled, template: Path, heights: tuple[int, ...]) -> None:
    source, side = template, pd.DataFrame({"名称": ["甲", "乙", "丙"], "数值": [1.5, -2, 0]})
    for i, height in enumerate(heights):
        report = Report({"tbl_month": months(*range(height)), "tbl_side": side}, {"txt_title": f"第 {i} 次"})
        source, _ = filled(report, source, f"out{i}")
    told = read_back(source, ["tbl_month", "tbl_side"], ["txt_title"])
    assert _recorded(_only(told, {"tbl_month": MONTHS})) == _recorded(report)


def test_every_kind_of_value_arrives_as_it_is(filled: Filled) -> None:
    values = [7, 0.1, -3.25, True, None, "x" * 300]
    side = pd.DataFrame({"名称": ["整数", "小数", "负数", "真", "空", "长"], "数值": values})
    data = pd.DataFrame({"id": ["a", None], "day": [datetime(2025, 6, 30), pd.NaT], "amount": [float("nan"), 1e15]})
    path, _ = filled(Report({"tbl_side": side, "tbl_data": data}, {"txt_title": date(2025, 1, 31)}))
    told = read_back(path, ["tbl_side", "tbl_data"], ["txt_title"])
    assert told.tables["tbl_side"]["数值"].tolist() == values
    assert told.tables["tbl_data"].to_numpy().tolist() == [["a", datetime(2025, 6, 30), None], [None, None, 1e15]]
    assert told.cells["txt_title"] in (45688, datetime(2025, 1, 31))


TEXTS = [
    *("=1+1", '=HYPERLINK("x")', "+1", "-1", "-x", "@x", "'quoted", "007", "2025-01", "1/2", "12:30", "5%", "1e3"),
    *("TRUE", "1,234", "$5", "#N/A", "T2", "6月30日", "  two  ", "a\nb", "<&>\"'", "😀", "二〇二五年", "−15.3"),
]


def test_text_stays_the_text_it_is(filled: Filled) -> None:
    frame = pd.DataFrame({"名称": TEXTS, "数值": range(len(TEXTS))})
    for text in ("=1+1", "-x", "007"):
        path, _ = filled(Report({"tbl_side": frame}, {"txt_title": text}))
        told = read_back(path, ["tbl_side"], ["txt_title"])
        assert told.tables["tbl_side"]["名称"].tolist() == TEXTS
        assert told.cells["txt_title"] == text
    sheet = openpyxl.load_workbook(path)[TREND]
    assert {sheet.cell(12 + i, 8).data_type for i in range(len(TEXTS))} == {"s"}


def test_what_the_user_typed_follows_its_row(filled: Filled, template: Path) -> None:
    first = months(1, 2, 3).assign(备注=["one", None, 3.5])
    refill(template, template, {"tbl_month": first})
    second = months(9, 8, 7, 6).assign(月份=["2025-03", "2024-12", "2025-01", "2024-11"])
    path, orphans = filled(Report({"tbl_month": second}, {}, {"tbl_month": "月份"}))
    assert read_back(path, ["tbl_month"], []).tables["tbl_month"]["备注"].tolist() == [3.5, None, "one", None]
    assert orphans == ()


def test_what_finds_no_row_is_handed_out(filled: Filled, template: Path) -> None:
    refill(template, template, {"tbl_month": months(1, 2, 3).assign(备注=["one", None, "=3"])})
    path, orphans = filled(Report({"tbl_month": months(5, 6)}, {}, {"tbl_month": "月份"}))
    assert orphans == (Orphan("tbl_month", "2025-03", "备注", "=3"),)
    assert read_back(path, ["tbl_month"], []).tables["tbl_month"]["备注"].tolist() == ["one", None]


def test_without_a_key_typed_values_stay_in_their_row(filled: Filled, template: Path) -> None:
    refill(template, template, {"tbl_month": months(1, 2).assign(备注=["one", "two"])})
    path, orphans = filled(Report({"tbl_month": months(5, 6, 7, 8)}, {}))
    assert read_back(path, ["tbl_month"], []).tables["tbl_month"]["备注"].tolist() == ["one", "two", None, None]
    assert orphans == ()


def test_calculated_columns_go_on_in_every_row(filled: Filled, template: Path) -> None:
    path, _ = filled(Report({"tbl_month": months(*range(6))}, {}))
    path, _ = filled(Report({"tbl_month": months(1, 2, 3)}, {}), path, "again")
    sheet = openpyxl.load_workbook(path)[TREND]
    formulas = [str(sheet.cell(row, 6).value) for row in range(12, 15)]
    assert all(f.startswith("=") and "T3" in f for f in formulas)
    assert sheet.cell(15, 6).value is None


def test_a_formula_in_a_named_cell_stays(filled: Filled) -> None:
    path, _ = filled(Report({"tbl_month": months(1, 2, 3.5)}, {"kpi_sum": 6.5}))
    assert str(openpyxl.load_workbook(path)[TREND]["K1"].value).upper().startswith("=SUM(")
    assert read_back(path, [], ["kpi_sum"]).cells["kpi_sum"] == 6.5


def test_names_follow(filled: Filled) -> None:
    path, _ = filled(Report({"tbl_month": months(*range(7))}, {}))
    assert openpyxl.load_workbook(path).defined_names["t3_body"].attr_text == f"'{TREND}'!$D$12:$D$18"


def test_what_is_not_the_reports_is_left_alone(filled: Filled) -> None:
    path, _ = filled(Report({"tbl_month": months(*range(7))}, {}))
    book = openpyxl.load_workbook(path, data_only=True)
    assert book["It's mine"]["A2"].value == 2
    assert book[TREND]["J15"].value == "stays"
    assert read_back(path, ["tbl_side"], []).tables["tbl_side"].empty


@pytest.mark.parametrize(
    ("report", "code"),
    [
        (Report({"tbl_none": months(1)}, {}), "workbook.missing_table"),
        (Report({"tbl_month": months(1).assign(多余=1)}, {}), "workbook.missing_column"),
        (Report({"tbl_month": months(1)}, {"txt_none": 1}), "workbook.missing_name"),
    ],
    ids=["table", "column", "name"],
)
def test_what_the_workbook_lacks_is_named(filled: Filled, report: Report, code: str) -> None:
    with pytest.raises(WorkbookError) as caught:
        filled(report)
    assert caught.value.code == code


def test_no_sink_changes_what_it_is_given(filled: Filled) -> None:
    report = Report({"tbl_month": months(1, None, 3)}, {"txt_title": "x"}, {"tbl_month": "月份"})
    before = _recorded(report)
    filled(report)
    assert _recorded(report) == before


def test_nothing_is_written_before_the_report_is_complete(template: Path, office_app: xw.App) -> None:
    with opened(office_app, template) as book:
        before = book.sheets[TREND]["A1:L30"].formula
        with pytest.raises(WorkbookError):
            fill(Report({"tbl_month": months(1, 2, 3)}, {"txt_title": "x", "txt_none": 1}), LiveSink(LiveBook(book)))
        assert book.sheets[TREND]["A1:L30"].formula == before


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_file_and_open_workbook_are_equal_cell_for_cell(language: str, tmp_path: Path, office_app: xw.App) -> None:
    files, chosen = app.sample(language)
    report = build_report(analyse(app.check(files, chosen), chosen), with_data=True)
    template = shipped(file_name(language))
    fill(report, FileSink(template, tmp_path / "file.xlsx"))
    with opened(office_app, template) as book:
        fill(report, LiveSink(LiveBook(book)))
        book.save(tmp_path / "live.xlsx")
    names = [*report.tables], [*report.cells]
    closed, live = (read_back(tmp_path / f"{kind}.xlsx", *names) for kind in ("file", "live"))
    assert sum(len(f) for f in live.tables.values()) > 3_700
    assert _recorded(live) == _recorded(closed)
