"""The button that collects the regions' workbooks into the open one, against LibreOffice."""

from pathlib import Path

import pytest
import xlwings as xw
from clicked import Office
from regional import OFFICES, add_rows, day, edited, offices, set_where

from xlfunnel import macros
from xlfunnel.excel.live_book import LiveBook
from xlfunnel.excel.ribbon import BUTTONS
from xlfunnel.manifest import MANIFEST
from xlfunnel.settings import Settings
from xlfunnel.split import split
from xlfunnel.strings import words

pytestmark = pytest.mark.office

SAY = words("zh-CN")


@pytest.fixture(autouse=True)
def own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the user's is touched."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.fixture
def returned(tmp_path: Path) -> Path:
    """What two regions sent back, and a manifest."""
    folder = tmp_path / "发回 'x' & 1"
    split(offices(tmp_path, OFFICES.replace("X-1,,Eve,T1,2024-03-20,,,9.5\n", "")), Settings(), folder)
    edited(folder / "South.xlsx", set_where("tbl_opportunities", "S-2", "zh-CN", urgency=4, next_step="上门拜访"))
    edited(folder / "North.xlsx", add_rows("tbl_data", ("N-9", "North", "Bob", "T0", day("2024-03-04"), None, None, 5)))
    return folder


def picked(folder: Path) -> str:
    """As VBA hands it over."""
    return "|".join([str(folder), *sorted(p.name for p in folder.glob("*.xlsx"))])


def typed(book: xw.Book) -> dict[str, list[object]]:
    live = LiveBook(book)
    heads = live.headers("tbl_opportunities")
    at = [heads.index(SAY(f"tables.opportunities.{c}")) for c in ("urgency", "next_step")]
    return {str(row[0]): [row[i] for i in at] for row in live.rows("tbl_opportunities")}


def test_the_regions_files_fill_the_open_workbook(office: Office, book: xw.Book, returned: Path) -> None:
    assert office.click(macros.consolidate_regions) == []
    (said,) = office.click(macros.consolidate_regions, picked(returned))
    assert said.startswith(SAY("consolidate.head", n=2, of=2, rows="10"))
    assert "M-1" in said
    rows = LiveBook(book).rows("tbl_data")
    assert {str(r[0]) for r in rows} == {"M-1", "N-1", "N-2", "N-3", "N-9", "S-1", "S-2"}
    assert typed(book)["S-2"] == [4, "上门拜访"]
    regions = [r[2] for r in LiveBook(book).rows("tbl_regions")]
    assert sorted(map(str, regions)) == ["North大区", "South大区"]
    live = LiveBook(book)
    source, value = (live.headers("tbl_issues").index(SAY(f"tables.issues.{c}")) for c in ("source", "value"))
    account = {str(r[source]): str(r[value]) for r in live.rows("tbl_issues")}
    assert account["North.xlsx"].startswith("数据改过")
    assert account["South.xlsx"] == "数据与发出时相同。"


def test_next_time_the_regions_words_win_and_headquarters_own_stay(
    office: Office, book: xw.Book, returned: Path
) -> None:
    office.click(macros.consolidate_regions, picked(returned))
    live = LiveBook(book)
    table = live.table("tbl_opportunities")
    keys = [str(r[0]) for r in live.rows("tbl_opportunities")]
    column = table.column_of(SAY("tables.opportunities.next_step"))
    assert column is not None
    sheet = book.sheets[table.sheet]
    sheet.range((table.first + keys.index("N-3"), column)).value = "总部来办"
    edited(returned / "South.xlsx", set_where("tbl_opportunities", "S-2", "zh-CN", next_step="改为电话"))
    office.click(macros.consolidate_regions, picked(returned))
    assert typed(book)["S-2"] == [4, "改为电话"]
    assert typed(book)["N-3"] == [None, "总部来办"]
    assert LiveBook(book).rows("tbl_kept") == []
    office.click(macros.restore_last)
    assert typed(book)["S-2"] == [4, "上门拜访"]


def test_what_is_left_out_is_asked_about_first(office: Office, book: xw.Book, returned: Path) -> None:
    (returned / "South.xlsx").write_bytes(b"")
    question, said = office.click(macros.consolidate_regions, picked(returned))
    assert "South.xlsx：拒收" in question
    assert question.endswith("撇开这些继续吗？")
    assert SAY("consolidate.head", n=1, of=2, rows="6") in said
    (returned / "North.xlsx").write_bytes(b"")
    before = LiveBook(book).rows("tbl_data")
    (said,) = office.click(macros.consolidate_regions, picked(returned))
    assert "收下 2 份文件中的 0 份" in said
    assert LiveBook(book).rows("tbl_data") == before


def test_the_manifest_beside_the_files_is_what_counts(office: Office, book: xw.Book, returned: Path) -> None:
    (returned / MANIFEST).write_text("{}")
    (said,) = office.click(macros.consolidate_regions, picked(returned))
    assert said == SAY("consolidate.not_a_manifest", path=returned / MANIFEST)


def test_there_is_a_button_for_it() -> None:
    assert "consolidate" in {b.key for b in BUTTONS}
