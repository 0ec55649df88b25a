"""The template: built alike twice, committed as built, and sound."""

import zipfile
from pathlib import Path

import openpyxl
import pytest

from xlfunnel.excel.template import build
from xlfunnel.excel.template_id import file_name
from xlfunnel.pages import PAGES
from xlfunnel.settings import LANGUAGES
from xlfunnel.strings import words

WORKBOOK = Path(__file__).resolve().parents[2] / "workbook"


@pytest.fixture(scope="module", params=LANGUAGES)
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    path = tmp_path_factory.mktemp("template") / "built.xlsx"
    build(request.param, path)
    return request.param, path


def test_two_builds_are_equal(built: tuple[str, Path], tmp_path: Path) -> None:
    language, path = built
    build(language, tmp_path / "again.xlsx")
    assert (tmp_path / "again.xlsx").read_bytes() == path.read_bytes()


def test_committed_template_is_the_built_one(built: tuple[str, Path]) -> None:
    language, path = built
    assert (WORKBOOK / file_name(language)).read_bytes() == path.read_bytes(), "run: make template"


def test_sheets_tables_and_names_are_all_there(built: tuple[str, Path]) -> None:
    language, path = built
    book = openpyxl.load_workbook(path)
    assert book.sheetnames == [words(language)(f"sheets.{p.key}") for p in PAGES]
    tables = {t for sheet in book.worksheets for t in sheet.tables}
    assert tables == {t.name for p in PAGES for t in p.tables}
    assert set(book.defined_names) == {s.name for p in PAGES for s in p.slots}


def test_tables_that_grow_stand_above_nothing(built: tuple[str, Path]) -> None:
    """A table of two body rows may become longer: nothing else may stand below it in its columns."""
    _, path = built
    book = openpyxl.load_workbook(path)
    fixed = {t.name for p in PAGES for t in p.tables if t.rows > 2}
    for sheet in book.worksheets:
        for table in sheet.tables.values():
            first, last = table.ref.split(":")
            if table.name in fixed:
                continue
            left, right = sheet[first].column, sheet[last].column
            below = [
                c.coordinate
                for row in sheet.iter_rows(min_row=sheet[last].row + 1, min_col=left, max_col=right)
                for c in row
                if c.value is not None or c.has_style
            ]
            assert not below, (sheet.title, table.name, below)


def test_result_sheets_print_on_a4_landscape_with_area_and_titles(built: tuple[str, Path]) -> None:
    _, path = built
    book = openpyxl.load_workbook(path)
    for sheet, page in zip(book.worksheets, PAGES, strict=True):
        assert sheet.page_setup.orientation == "landscape", sheet.title
        assert int(sheet.page_setup.paperSize) == 9, sheet.title
        assert sheet.print_area, sheet.title
        assert bool(sheet.print_title_rows) == bool(page.repeat), sheet.title


def test_internal_names_are_ascii_and_never_look_like_cells() -> None:
    names = [s.name for p in PAGES for s in p.slots] + [t.name for p in PAGES for t in p.tables]
    assert all(n.isascii() and n.split("_")[0] in {"kpi", "txt", "cfg", "tbl"} for n in names)
    assert len(set(names)) == len(names)


def test_fan_charts_lay_areas_behind_columns_or_lines(built: tuple[str, Path]) -> None:
    """Areas are stacked, begin in the middle of a month and lie behind what is known; their base is no entry."""
    _, path = built
    with zipfile.ZipFile(path) as package:
        charts = [package.read(n).decode() for n in package.namelist() if n.startswith("xl/charts/chart")]
    fans = [c for c in charts if "<c:areaChart>" in c]
    assert len(fans) == 3
    for chart in fans:
        assert '<c:areaChart><c:grouping val="stacked"/>' in chart
        front = "<c:barChart>" if "<c:barChart>" in chart else "<c:lineChart>"
        assert chart.index("<c:areaChart>") < chart.index(front)
        assert '<c:crossBetween val="between"/>' in chart
        assert '<c:legendEntry><c:idx val="0"/><c:delete val="1"/></c:legendEntry>' in chart
