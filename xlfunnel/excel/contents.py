"""All that one of our workbooks brings along, read in one go: for whoever puts several of them together."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lxml import etree

from xlfunnel.carried import Carried
from xlfunnel.crm import Source
from xlfunnel.entered import Entered
from xlfunnel.errors import WorkbookError
from xlfunnel.excel.book import one_break
from xlfunnel.excel.carried import carried_shown
from xlfunnel.excel.entered import entered_shown
from xlfunnel.excel.inputs import settings_shown
from xlfunnel.excel.package import Package
from xlfunnel.excel.reader import Reader
from xlfunnel.excel.xml_text import parse
from xlfunnel.pages import PAGES, headers
from xlfunnel.settings import LANGUAGES, Settings
from xlfunnel.strings import words

_CUSTOM = "docProps/custom.xml"
_MARK = "xlfunnel_template"
_DATA = "tbl_data"
_FUNCTIONS = "functions"
"""The sheet of the macro workbooks that no report fills."""

_HIDDEN = ("xlfunnel.", "_xlwings.", "xlwings.")
"""How the names of the sheets begin on which macros keep their words and paths."""


@dataclass(frozen=True)
class Contents:
    """What a workbook holds, but the rows of its Data sheet.

    source            where these are
    carried           what an earlier run left on the Data quality sheet
    template_version  of the template that it was made from
    foreign           names of the sheets, and "sheet › column" of the filled columns in our tables, that a user added
    """

    settings: Settings
    source: Source
    entered: Entered
    carried: Carried
    template_version: str
    foreign: tuple[str, ...]


def contents(path: Path) -> Contents:
    """What a workbook of ours holds. Raises WorkbookError, `workbook.not_ours` among others, and SettingsError."""
    with Package(path) as package:
        reader = Reader(package)
        version = _version(package)
        if version is None:
            raise WorkbookError("workbook.not_ours", path=path.name)
        return Contents(
            settings=settings_shown(reader),
            source=Source(path, reader.book.table(_DATA).sheet),
            entered=entered_shown(reader),
            carried=carried_shown(reader),
            template_version=version,
            foreign=(*_own_sheets(reader), *_own_columns(reader)),
        )


def _version(package: Package) -> str | None:
    marks: list[etree._Element] = []
    if package.has(_CUSTOM):
        marks = [e for e in parse(package.read(_CUSTOM), _CUSTOM) if e.get("name") == _MARK]
    return "".join(str(text) for text in marks[0].itertext()).strip() if marks else None


def _own_sheets(reader: Reader) -> Iterator[str]:
    """Sheets that hold nothing of ours: no table, no named cell, no name that we give."""
    ours = {t.name for p in PAGES for t in p.tables}
    named = (reader.book.cell_of(slot.name) for p in PAGES for slot in p.slots)
    known = {t.sheet for t in reader.book.tables.values() if t.name in ours} | {at[0] for at in named if at}
    known |= {words(lang)(f"sheets.{key}") for lang in LANGUAGES for key in (*(p.key for p in PAGES), _FUNCTIONS)}
    yield from (s for s in reader.book.sheets if s not in known and not s.startswith(_HIDDEN))


def _own_columns(reader: Reader) -> Iterator[str]:
    """Columns that a user added to one of our tables, and filled."""
    for table in (t for p in PAGES for t in p.tables):
        if table.name not in reader.book.tables:
            continue
        ours = {one_break(text) for lang in LANGUAGES for text in headers(table, words(lang)).values()}
        shown = [one_break(h) for h in reader.headers(table.name)]
        added = [i for i, h in enumerate(shown) if h not in ours]
        if added:
            rows, sheet = reader.rows(table.name), reader.book.table(table.name).sheet
            yield from (f"{sheet} › {shown[i]}" for i in added if any(row[i] is not None for row in rows))
