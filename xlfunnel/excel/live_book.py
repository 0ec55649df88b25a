"""The workbook that is open in Excel: where its tables and named cells lie, and what they show."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import xlwings as xw

from xlfunnel.crm import Source
from xlfunnel.errors import WorkbookError
from xlfunnel.excel.book import Table, TableColumn, one_break
from xlfunnel.excel.cells import Plain, plain
from xlfunnel.excel.ranges import Range, parse_reference
from xlfunnel.excel.reader import Shown

Rows = list[list[Any]]
"""Values of a block, row by row."""

_CELLS_A_WRITE = 100_000
_DATA = "tbl_data"
_OURS = ("cfg_language", "cfg_region")


class LiveBook:
    """An open workbook. What it says of its tables is remembered: make a new one after rows came or went."""

    def __init__(self, book: xw.Book) -> None:
        self.book = book
        self._read: dict[str, Table] = {}
        self._sheets: dict[str, xw.Sheet] = {}

    @property
    def is_ours(self) -> bool:
        """True for a workbook made from our template."""
        names = self.book.names
        return all(name in names for name in _OURS)

    @cached_property
    def date1904(self) -> bool:
        """True if its dates count from 1904."""
        return getattr(self.book.api, "Date1904", None) is True

    @property
    def address(self) -> str:
        """Where it was saved, a path or a web address; its name alone if it was not. Only to tell books apart."""
        return str(getattr(self.book.api, "FullName", None) or self.book.name)

    def sheet(self, name: str) -> xw.Sheet:
        """A sheet; asked for once."""
        if name not in self._sheets:
            self._sheets[name] = self.book.sheets[name]
        return self._sheets[name]

    def is_protected(self, sheet: str) -> bool:
        """True if the cells of a sheet are protected."""
        return getattr(self.sheet(sheet).api, "ProtectContents", None) is True

    def table(self, name: str) -> Table:
        """A table and where it lies. Raises WorkbookError `workbook.missing_table`."""
        key = name.lower()
        if key not in self._read:
            native = self.native(name)
            whole = native.range
            (row, column), (height, width) = (whole.row, whole.column), whole.shape
            head = block(whole.sheet, Range(row, column, row, column + width - 1)).options(ndim=1).value
            columns = tuple(TableColumn(one_break(str(text)), None) for text in head)
            at = Range(row, column, row + height - 1, column + width - 1)
            totals = 1 if native.show_totals else 0
            self._read[key] = Table(name, "", whole.sheet.name, "", at, 1, totals, columns, False)
        return self._read[key]

    def native(self, name: str) -> xw.main.Table:
        """The table as xlwings has it. Raises WorkbookError `workbook.missing_table`."""
        try:
            return self._natives[name.lower()]
        except KeyError:
            raise WorkbookError("workbook.missing_table", table=name, path=self.book.name) from None

    def tables_of(self, sheet: str) -> list[Table]:
        """The tables of one sheet."""
        return [self.table(name) for name, native in self._natives.items() if native.parent.name == sheet]

    def cell_of(self, name: str) -> tuple[str, Range]:
        """Sheet and cell behind a defined name. Raises WorkbookError `workbook.missing_name`."""
        named = self._named(name)
        found = parse_reference(named.refers_to or "") if named else None
        if found is None:
            raise WorkbookError("workbook.missing_name", name=name, path=self.book.name)
        sheet, at = found
        return sheet, Range(at.r1, at.c1, at.r1, at.c1)

    def cell(self, name: str) -> Plain:
        """The value of a named cell, a date as its serial number; None if it is empty or there is no such name."""
        try:
            sheet, at = self.cell_of(name)
        except WorkbookError:
            return None
        value = plain(self.values(sheet, at)[0][0], self.date1904)
        return value if not isinstance(value, str) or value.strip() else None

    def headers(self, table: str) -> list[str]:
        """The headers of a table. Raises WorkbookError `workbook.missing_table`."""
        return [c.name for c in self.table(table).columns]

    def rows(self, table: str) -> list[list[Shown]]:
        """The body of a table without the blank rows at its end. Raises WorkbookError `workbook.missing_table`."""
        found = self.table(table)
        rows = self.values(found.sheet, Range(found.first, found.at.c1, found.last, found.at.c2))
        while rows and all(v is None for v in rows[-1]):
            rows.pop()
        return rows

    def values(self, sheet: str, at: Range) -> Rows:
        """What a block shows: text, numbers, dates; an error is its text, blank is None."""
        read = block(self.sheet(sheet), at).options(ndim=2, err_to_str=True).value
        return [[_whole(v) for v in row] for row in read]

    def formulas(self, sheet: str, at: Range) -> list[list[str]]:
        """The formulas of a block; constants are their text."""
        return grid(block(self.sheet(sheet), at).formula)

    def data_source(self) -> Source | None:
        """The rows of the Data sheet, for the data door, numbered as on the sheet; None if it is empty."""
        table, rows = self.table(_DATA), self.rows(_DATA)
        if not rows:
            return None
        above: list[list[Shown]] = [[]] * (table.at.r1 - 1)
        head: list[Shown] = [c.name for c in table.columns]
        return Source(Path(self.book.name), table.sheet, [*above, head, *rows])

    def _named(self, name: str) -> xw.main.Name | None:
        """A name of the workbook. A copied sheet has names of its own, which Excel finds first while it is in front."""
        names = self.book.names
        if name not in names:
            return None
        found = names[name]
        return found if "!" not in found.name else next((n for n in names if n.name.lower() == name.lower()), None)

    @cached_property
    def _natives(self) -> dict[str, xw.main.Table]:
        return {t.name.lower(): t for sheet in self.book.sheets for t in sheet.tables}


def block(sheet: xw.Sheet, at: Range) -> xw.Range:
    """A range of cells."""
    return sheet.range((at.r1, at.c1), (at.r2, at.c2))


def put(sheet: xw.Sheet, at: Range, rows: Sequence[Sequence[object]]) -> None:
    """Write a block, in as few calls as Excel bears; a blank is an empty text to it.

    Past xlwings' converters: they ask for each range's sheet and workbook some thirty times, each a call to Excel.
    """
    height = max(1, _CELLS_A_WRITE // (at.c2 - at.c1 + 1))
    for start in range(0, len(rows), height):
        part = tuple(tuple("" if v is None else v for v in row) for row in rows[start : start + height])
        first = at.r1 + start
        block(sheet, Range(first, at.c1, first + len(part) - 1, at.c2)).raw_value = part


def grid(read: Any) -> list[list[Any]]:
    """What Excel gives for a block, always as rows: it gives a lone cell bare."""
    if not isinstance(read, (list, tuple)):
        return [[read]]
    return [list(row) if isinstance(row, (list, tuple)) else [row] for row in read]


def is_formula(text: object, value: object) -> bool:
    """True if a cell that gives `text` as its formula and `value` as its value holds one; a text may begin with =."""
    return isinstance(text, str) and text.startswith("=") and not (isinstance(value, str) and value == text)


def plain_rows(rows: Iterable[Iterable[object]], date1904: bool) -> list[list[Plain]]:
    """Values as a frame or a file can hold them; dates are serial numbers."""
    return [[plain(v, date1904) if isinstance(v, datetime) else _plain(v) for v in row] for row in rows]


def _whole(value: Any) -> Any:
    """Excel knows no whole numbers: 12.0 is 12. An empty text is a blank."""
    if value == "":
        return None
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 2**53 else value


def _plain(value: Any) -> Plain:
    return None if value is None or value == "" else value
