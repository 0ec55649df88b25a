"""The ribbon's macros, unchanged, against LibreOffice: a click fills the workbook, or one sentence says why not."""

import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pandas as pd
import pytest
import xlwings as xw
from clicked import Office, clicked, renamed, workbook
from hosts.counting import counted
from hosts.uno_bridge import values

from xlfunnel import log, macros
from xlfunnel.click import Click
from xlfunnel.excel.live_book import LiveBook
from xlfunnel.excel.live_sink import LiveSink
from xlfunnel.excel.ribbon import BUTTONS
from xlfunnel.pages import PAGES
from xlfunnel.report import Report, Value, fill
from xlfunnel.strings import words

pytestmark = pytest.mark.office

SAY = words("zh-CN")
TWO_REGIONS = """\
Opportunity ID,Region,Owner,Stage,Entered,Left,Amount
P-1,North,Ann,T0,2025-01-10,2025-02-15,1000
P-1,North,Ann,T1,2025-02-15,,1000
P-2,South,Bob,T0,2025-03-20,,500
P-3,South,Bob,T0,2025-03-20,,500
P-4,South,Bob,T9,2025-03-20,,500
P-5,North,Ann,T0,2025-03-20,,700
"""


@pytest.fixture(autouse=True)
def own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the user's is touched, and no program opens anything."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("LANG", "en_US.UTF-8")


@pytest.fixture
def sample(
    office: Office, filled: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[xw.Book]:
    """The workbook with the sample in it. The click that loads it has its own tests; here it comes from a file."""
    with clicked(office.app, renamed(filled("zh-CN"), tmp_path), monkeypatch) as opened:
        yield opened


@pytest.fixture
def export(tmp_path: Path) -> Path:
    path = tmp_path / "导出 'é' & 1.csv"
    path.write_text(TWO_REGIONS, "utf-8")
    return path


def _type(book: xw.Book, tables: dict[str, pd.DataFrame], cells: dict[str, Value]) -> None:
    """What a user types into input sheets."""
    fill(Report(tables, cells), LiveSink(LiveBook(book)))


def _everything(book: xw.Book) -> list[object]:
    return [sheet["A1:BZ2000"].formula for sheet in book.sheets]


def test_import_and_two_regions_become_two_workbooks(office: Office, book: xw.Book, export: Path) -> None:
    question, said = office.click(macros.import_export, str(export))
    cause = SAY("macros.cause", treatment=SAY("issues.treatment.refused"), cause=SAY("issues.code.unknown_stage"), n=1)
    assert question.startswith(SAY("macros.read", read=6, used=5, repaired=0, refused=1) + "\n" + cause)
    assert f"{SAY('settings_sheet.field.owner')} ← Owner" in question
    assert said == SAY("macros.imported", read=6, used=5, repaired=0, refused=1) + "\n" + cause
    assert book.sheets["数据"]["A4:C9"].value[0] == ["P-1", "North", "Ann"]
    office.click(macros.split_regions)
    folder = next(p for p in export.parent.iterdir() if p.is_dir() and SAY("macros.regions") in p.name)
    assert sorted(p.name for p in folder.iterdir()) == ["North.xlsx", "South.xlsx", "manifest.json"]


def test_no_is_an_answer_and_then_nothing_is_written(
    office: Office, book: xw.Book, export: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = _everything(book)
    monkeypatch.setattr(Click, "agreed", lambda *_, **__: False)
    assert office.click(macros.import_export, str(export)) == []
    assert _everything(book) == before


def test_several_files_are_imported_at_once_and_what_nothing_is_wrong_with_is_not_asked_about(
    office: Office, book: xw.Book, tmp_path: Path
) -> None:
    for name in "ab":
        text = f"Opportunity ID,Region,Owner,Stage,Entered\n{name},N,Ann,T0,2025-01-10\n"
        (tmp_path / f"{name}.csv").write_text(text, "utf-8")
    (said,) = office.click(macros.import_export, f"{tmp_path}/|a.csv|b.csv")
    assert said.startswith(SAY("macros.imported", read=2, used=2, repaired=0, refused=0))
    assert book.sheets["数据"]["A4:A5"].value == ["a", "b"]


def test_an_import_leaves_its_mapping_links_and_account(office: Office, book: xw.Book, export: Path) -> None:
    office.click(macros.import_export, str(export))
    for _ in range(2):
        live = LiveBook(book)
        stages = {row[0]: row[1] for row in live.rows("tbl_stage_map")}
        assert stages == {"T9": None}
        assert [SAY("settings_sheet.field.owner"), "Owner"] in live.rows("tbl_columns")
        (issue,) = live.rows("tbl_issues")
        assert issue[0] == export.name
        assert live.rows("tbl_sources")[0][1:5] == [6, 5, 0, 1]
        assert live.cell("kpi_quality_score") == pytest.approx(5 / 6)
        office.click(macros.refresh)


def test_check_says_what_would_become_of_the_rows_and_writes_nothing(office: Office, sample: xw.Book) -> None:
    before = _everything(sample)
    said = office.click(macros.check_data)
    assert said == [
        SAY("macros.checked", read="3,763", used="3,763", repaired=0, refused=0) + "\n" + SAY("macros.no_issues")
    ]
    assert _everything(sample) == before


def test_an_empty_data_sheet_is_said_to_be_empty(office: Office, book: xw.Book) -> None:
    before = _everything(book)
    for macro in (macros.refresh, macros.check_data, macros.split_regions):
        assert office.click(macro) == [SAY("macros.no_data")]
    assert _everything(book) == before


def test_restore_brings_back_what_a_click_overwrote_and_undoes_itself(office: Office, book: xw.Book) -> None:
    assert office.click(macros.restore_last) == [SAY("macros.nothing_kept")]
    empty = _everything(book)
    office.click(macros.load_sample)
    full = _everything(book)
    assert full != empty
    assert office.click(macros.restore_last) == [SAY("macros.restored")]
    assert _everything(book) == empty
    assert office.click(macros.restore_last) == [SAY("macros.restored")]
    assert _everything(book) == full


def test_a_click_that_cannot_keep_a_copy_still_works(office: Office, sample: xw.Book) -> None:
    log.state_folder().mkdir(parents=True)
    (log.state_folder() / "restore").write_text("in the way")
    assert office.click(macros.refresh) == []
    assert "could not be kept" in log.log_path().read_text("utf-8")


def test_the_result_sheets_become_a_pdf(office: Office, sample: xw.Book, tmp_path: Path) -> None:
    sample.sheets["人员"].activate()
    visible = [s.visible for s in sample.sheets]
    said = office.click(macros.export_pdf)
    pdf = next(tmp_path.glob("*.pdf"))
    assert said == [SAY("macros.pdf_written", path=pdf)]
    text = subprocess.run(["pdftotext", pdf, "-"], capture_output=True, check=True).stdout.decode()
    assert SAY("alerts.title") in text
    assert SAY("settings_sheet.header.meaning") not in text
    assert SAY("data.title") not in text
    assert [s.visible for s in sample.sheets] == visible
    assert sample.sheets.active.name == "人员"
    office.click(macros.export_pdf)
    assert len(list(tmp_path.glob("*.pdf"))) == 2  # the first one is not overwritten


@pytest.mark.parametrize(
    ("macro", "sheet"), [(macros.rep_cards, "人员卡"), (macros.show_settings, "参数")], ids=["reps", "settings"]
)
def test_a_button_brings_a_sheet_to_the_front(
    office: Office, book: xw.Book, macro: Callable[[], None], sheet: str
) -> None:
    assert office.click(macro) == []
    assert book.sheets.active.name == sheet


def test_files_are_named_where_nothing_opens_them(
    office: Office, book: xw.Book, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert office.click(macros.show_log) == [SAY("macros.look_at", path=log.log_path())]
    assert office.click(macros.show_guide)[0].endswith(".md")
    shutil.rmtree(log.state_folder())
    page = log.state_folder() / "guide.zh-CN.html"
    page.parent.mkdir(parents=True)
    page.write_text("guide")
    assert office.click(macros.show_guide) == [SAY("macros.look_at", path=page)]


@pytest.mark.parametrize("file", ["XlfunnelRibbon.bas", "XlfunnelAddin.bas"])
def test_every_button_has_its_macro(file: str) -> None:
    vba = Path(__file__).parents[1] / "workbook" / "vba" / file
    targets = re.findall(r'XlfRun\w* "(\w+)', vba.read_text("ascii"))
    assert len(targets) == len(BUTTONS)
    for target in targets:
        assert callable(getattr(macros, target, None)), target


def test_a_diagnosis_names_what_is_at_work(office: Office, book: xw.Book) -> None:
    (said,) = office.click(macros.diagnose)
    for fact in (xw.__version__, sys.executable, str(log.log_path())):
        assert fact in said


def test_a_broken_setting_is_one_sentence_in_the_workbooks_language(office: Office, sample: xw.Book) -> None:
    _type(sample, {}, {"cfg_refuse_share": 7})
    said = office.click(macros.refresh)
    assert said == [SAY("settings.out_of_range", name="refuse_share", value=7, low=0, high=1)]


def test_a_file_that_is_not_there_is_one_sentence(office: Office, book: xw.Book, tmp_path: Path) -> None:
    said = office.click(macros.import_export, str(tmp_path / "none.csv"))
    assert said == [SAY("input.missing_file", file=tmp_path / "none.csv")]
    assert office.click(macros.import_export) == []  # nothing was picked


def test_a_protected_sheet_is_named(office: Office, sample: xw.Book) -> None:
    before = _everything(sample)
    sample.sheets["趋势"].impl.sheet.protect("secret")
    assert office.click(macros.refresh) == [SAY("workbook.protected", sheet="趋势")]
    assert _everything(sample) == before


def test_a_busy_application_is_left_alone(office: Office, sample: xw.Book) -> None:
    office.app.interactive = False
    try:
        assert office.click(macros.refresh) == [words("en")("macros.busy")]
    finally:
        office.app.interactive = True


@pytest.mark.parametrize("calculation", ["automatic", "manual"])
def test_whatever_happens_the_application_is_as_it_was(office: Office, sample: xw.Book, calculation: str) -> None:
    office.app.calculation = calculation
    try:
        before = office.state()
        office.click(macros.refresh)
        assert office.state() == before
        office.click(macros.import_export, 5)  # no path at all: a fault of ours
        assert office.state() == before
    finally:
        office.app.calculation = "automatic"


def test_a_fault_of_ours_is_one_sentence_and_a_traceback_in_the_log(office: Office, book: xw.Book) -> None:
    (said,) = office.click(macros.import_export, 5)
    assert str(log.log_path()) in said
    assert "TypeError" in said
    text = log.log_path().read_text("utf-8")
    assert "Traceback" in text
    assert book.name in text


def test_a_workbook_of_somebody_else_is_refused(
    office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "other.xlsx"
    pd.DataFrame({"a": [1]}).to_excel(path, index=False)
    with clicked(office.app, path, monkeypatch):
        assert office.click(macros.refresh) == [words("en")("workbook.not_ours", path="other.xlsx")]
        monkeypatch.setenv("PATH", str(tmp_path))
        assert office.click(macros.show_log) == [words("en")("macros.look_at", path=log.log_path())]


def test_without_a_workbook_there_is_a_sentence(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(xw.Book, "_mock_caller", raising=False)
    assert office.click(macros.refresh) == [words("en")("macros.no_book")]


def test_the_workbook_in_front_is_used_where_nobody_called(
    office: Office, sample: xw.Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(xw.Book, "_mock_caller", raising=False)
    assert office.click(macros.refresh) == []
    assert office.shown()[-1] == SAY("macros.step.of", n=7, of=7, what=SAY("macros.step.calculate"))


def test_a_workbook_without_a_path_is_refreshed_all_the_same(
    office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = workbook(tmp_path).as_uri()
    document = office.app.impl.desktop.loadComponentFromURL(url, "_blank", 0, values(AsTemplate=True))
    try:
        monkeypatch.delattr(xw.Book, "_mock_caller", raising=False)
        assert document.URL == ""
        assert office.click(macros.load_sample) == []
        assert office.click(macros.refresh) == []
        assert office.click(macros.restore_last) == [SAY("macros.restored")]
    finally:
        document.close(True)


def test_what_was_typed_beside_rows_that_are_gone_is_told(office: Office, book: xw.Book) -> None:
    sheet = book.sheets["预警"]
    top = sheet.tables["tbl_alerts"].range.row
    sheet[f"K{top}"].value = "我的备注"
    sheet.tables["tbl_alerts"].resize(sheet[f"B{top}:K{top + 2}"])
    sheet[f"B{top + 1}:K{top + 2}"].value = [["●", *"abcdefgh", "typed"], ["●", *"axcdefgh", "kept"]]
    headers = sheet[f"B{top}:J{top}"].value
    click = Click(book)
    rows = [["●", *"axcdefgh"], ["●", *"aycdefgh"]]
    click.write(Report({"tbl_alerts": pd.DataFrame(rows, columns=headers)}, {}, {"tbl_alerts": headers[2]}))
    assert click.sentence == SAY("macros.orphans", n=1, path=log.log_path())
    assert sheet[f"K{top + 1}:K{top + 2}"].value == ["kept", None]


def test_calls_of_a_refresh_do_not_grow_with_rows(
    office: Office, sample: xw.Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refresh() -> int:
        calls: Counter[str] = Counter()
        monkeypatch.setattr(xw.Book, "_mock_caller", counted(sample, calls))
        assert office.click(macros.refresh) == []
        return calls.total()

    refresh()  # tables have their height
    many = refresh()
    rows = sample.sheets["数据"]["A4:H1003"].value
    frame = pd.DataFrame(rows, columns=sample.sheets["数据"]["A3:H3"].value)
    _type(sample, {"tbl_data": frame}, {"cfg_as_of": datetime(2025, 6, 30)})
    refresh()
    few = refresh()
    assert len(rows) == 1000
    assert few == many
    results = [p for p in PAGES if not p.input]
    tables, cells = sum(len(p.tables) for p in results), sum(len(p.slots) for p in results)
    assert many < 12 * tables + cells  # it grows with what there is to fill, and with nothing else
