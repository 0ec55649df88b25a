"""A workbook, its sheets and its names."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

from hosts.lo_engine.cells import Areas, Range, quoted, span
from hosts.lo_engine.errors import OfficeError, translated
from hosts.lo_engine.tables import Tables
from hosts.uno_bridge import named, struct, values
from xlwings import base_classes

from xlfunnel.excel.ranges import parse_range

_FILTERS = {".xlsx": "Calc MS Excel 2007 XML", ".xlsm": "Calc MS Excel 2007 VBA XML", ".ods": "calc8"}


@translated
class Book(base_classes.Book):
    """One open spreadsheet document."""

    app: Any = None

    def __init__(self, document: Any, app: Any) -> None:
        self.document, self.app = document, app

    @property
    def api(self) -> "BookApi":
        return BookApi(self.document)

    @property
    def name(self) -> str:
        return Path(self.fullname).name if self.document.URL else self.document.Title

    @property
    def fullname(self) -> str:
        return self.api.FullName

    @property
    def sheets(self) -> "Sheets":
        return Sheets(self)

    @property
    def names(self) -> "Names":
        return Names(self)

    def activate(self) -> None:
        self.document.CurrentController.Frame.activate()

    def close(self) -> None:
        self.document.close(True)

    def save(self, path: str | None = None, password: str | None = None) -> None:
        target = Path(path) if path else Path(self.fullname)
        self.document.storeToURL(target.resolve().as_uri(), values(FilterName=_FILTERS[target.suffix.lower()]))

    def to_pdf(self, path: str, quality: str) -> None:
        """The visible sheets as they print. LibreOffice would print hidden ones too, so it is told what to print."""
        chosen = self.document.createInstance("com.sun.star.sheet.SheetCellRanges")
        for sheet in (s.sheet for s in self.sheets if s.visible):
            used = sheet.createCursor()
            used.gotoEndOfUsedArea(False)
            chosen.addRangeAddresses(sheet.getPrintAreas() or (used.RangeAddress,), False)
        self.document.storeToURL(
            Path(path).as_uri(), values(FilterName="calc_pdf_Export", FilterData=named(Selection=chosen))
        )


class BookApi:
    """The few members of Excel's Workbook that macros ask for by their own name."""

    def __init__(self, document: Any) -> None:
        self._document = document

    @property
    def Date1904(self) -> bool:
        return bool(self._document.NullDate.Year == 1904)

    @property
    def FullName(self) -> str:
        url = self._document.URL
        return unquote(urlparse(url).path) if url.startswith("file:") else url or self._document.Title


class SheetApi:
    """The few members of Excel's Worksheet that macros ask for by their own name."""

    def __init__(self, sheet: Any) -> None:
        self._sheet = sheet

    @property
    def ProtectContents(self) -> bool:
        return bool(self._sheet.isProtected())


@translated
class Sheets(base_classes.Sheets):
    """The sheets of a workbook, in order."""

    def __init__(self, book: Book) -> None:
        self.book = book
        self._all = book.document.Sheets

    @property
    def api(self) -> Any:
        return self._all

    @property
    def active(self) -> "Sheet":
        return Sheet(self.book.document.CurrentController.ActiveSheet.Name, self.book)

    def __call__(self, name_or_index: str | int) -> "Sheet":
        if isinstance(name_or_index, int):
            return Sheet(self._all.ElementNames[name_or_index - 1], self.book)
        names = self._all.ElementNames
        if name_or_index not in names:  # found whatever its case
            return Sheet(self._all.getByName(name_or_index).Name, self.book)
        return Sheet(name_or_index, self.book)

    def __len__(self) -> int:
        return int(self._all.Count)

    def __iter__(self) -> Iterator["Sheet"]:
        return iter([Sheet(name, self.book) for name in self._all.ElementNames])

    def __contains__(self, key: str) -> bool:
        return bool(self._all.hasByName(key))

    def add(self, before: Any = None, after: Any = None, name: str | None = None) -> "Sheet":
        at = len(self) if before is None and after is None else before.index - 1 if before else after.index
        name = name or f"Sheet{len(self) + 1}"
        self._all.insertNewByName(name, at)
        return self(name)


@translated
class Sheet(base_classes.Sheet):
    """One sheet."""

    book: Any = None

    def __init__(self, name: str, book: Book) -> None:
        self._name, self.book = name, book

    @property
    def sheet(self) -> Any:
        """LibreOffice's sheet, fetched anew: one that is held shrinks when rows are deleted in some of its columns."""
        return self.book.document.Sheets.getByName(self._name)

    @property
    def api(self) -> SheetApi:
        return SheetApi(self.sheet)

    @property
    def name(self) -> str:
        return str(self._name)

    @name.setter
    def name(self, value: str) -> None:
        self.sheet.Name = value
        self._name = value

    @property
    def index(self) -> int:
        return int(self.sheet.RangeAddress.Sheet) + 1

    @property
    def visible(self) -> bool:
        return bool(self.sheet.IsVisible)

    @visible.setter
    def visible(self, value: bool) -> None:
        self.sheet.IsVisible = bool(value)

    @property
    def tables(self) -> Tables:
        return Tables(self)

    @property
    def page_setup(self) -> "PageSetup":
        return PageSetup(self)

    def activate(self) -> None:
        self.book.document.CurrentController.setActiveSheet(self.sheet)

    def range(self, arg1: Any, arg2: Any = None) -> "Range | Areas":
        if isinstance(arg1, str) and "," in arg1:
            return Areas([self.range(part) for part in arg1.split(",")])
        (r1, c1), (r2, c2) = self._corners(arg1)
        if arg2 is not None:
            r2, c2 = self._corners(arg2)[1]
        return self.cells(c1 - 1, r1 - 1, c2 - 1, r2 - 1)

    def cells(self, c1: int, r1: int, c2: int, r2: int) -> Range:
        """Cells by their corners, counted from 0."""
        return Range(self, self.book.app.inside.cells(self.book.document, self._name, c1, r1, c2, r2))

    def _corners(self, arg: Any) -> tuple[tuple[int, int], tuple[int, int]]:
        if isinstance(arg, Range):
            (r, c), (rows, columns) = (arg.row, arg.column), arg.shape
            return (r, c), (r + rows - 1, c + columns - 1)
        if isinstance(arg, tuple):
            row, column, height, width = arg if len(arg) == 4 else (*arg, 1, 1)
            return (row, column), (row + height - 1, column + width - 1)
        plain = parse_range(arg)
        if plain is not None:
            return (plain.r1, plain.c1), (plain.r2, plain.c2)
        at = self.book.names(arg).refers_to_range
        if at.sheet.name != self._name:
            raise OfficeError(f"{arg} is not on {self._name}")
        return self._corners(at)


@translated
class PageSetup(base_classes.PageSetup):
    """What of a sheet prints."""

    def __init__(self, sheet: Sheet) -> None:
        self._sheet = sheet

    @property
    def api(self) -> Any:
        return self._sheet.sheet

    @property
    def print_area(self) -> str | None:
        areas = self._sheet.sheet.getPrintAreas()
        return ",".join(span(a.StartColumn, a.StartRow, a.EndColumn, a.EndRow) for a in areas) or None

    @print_area.setter
    def print_area(self, value: str | None) -> None:
        parts = value.split(",") if value else []
        areas = [self._sheet.sheet.getCellRangeByName(p.replace("$", "")).RangeAddress for p in parts]
        self._sheet.sheet.setPrintAreas(tuple(areas))


@translated
class Names(base_classes.Names):
    """The names of a workbook."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self._all = book.document.NamedRanges

    @property
    def api(self) -> Any:
        return self._all

    def __call__(self, name_or_index: str | int) -> "Name":
        if isinstance(name_or_index, int):
            return Name(self._all.getByIndex(name_or_index - 1), self._book)
        return Name(self._all.getByName(self._known(name_or_index)), self._book)

    def __len__(self) -> int:
        return int(self._all.Count)

    def contains(self, name_or_index: str) -> bool:
        return self._known(name_or_index) in self._all.ElementNames

    def add(self, name: str, refers_to: str) -> "Name":
        origin = struct("table.CellAddress", Sheet=0, Column=0, Row=0)
        self._all.addNewByName(name, refers_to.removeprefix("=").replace("'!", "'.").replace("!", "."), origin, 0)
        return self(name)

    def _known(self, name: str) -> str:
        """Names are found whatever their case."""
        return next((n for n in self._all.ElementNames if n.lower() == name.lower()), name)


@translated
class Name(base_classes.Name):
    """One defined name."""

    def __init__(self, name: Any, book: Book) -> None:
        self._name, self._book = name, book

    @property
    def api(self) -> Any:
        return self._name

    @property
    def name(self) -> str:
        return str(self._name.Name)

    @property
    def refers_to(self) -> str:
        content, *at = self._book.app.inside.refers(self._name)
        if not at:
            return "=#REF!" if "#REF" in content else f"={content}"
        sheet, *corners = at
        return f"={quoted(sheet)}!{span(*corners)}"

    @property
    def refers_to_range(self) -> Range:
        cells = self._name.getReferredCells()
        return Range(Sheet(cells.Spreadsheet.Name, self._book), cells)

    def delete(self) -> None:
        self._book.document.NamedRanges.removeByName(self.name)
