"""The workbook that is open in Excel: where its tables and named cells lie, and what they show."""

from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import xlwings as xw

from xlfunnel.crm import Source
from xlfunnel.errors import WorkbookError
from xlfunnel.excel.book import Table, TableColumn, one_break
from xlfunnel.excel.cells import Plain
from xlfunnel.excel.live_cells import Blocks, Rows, plain_rows, values
from xlfunnel.excel.live_names import LiveNames
from xlfunnel.excel.ranges import Range, parse_range
from xlfunnel.excel.reader import Shown

_DATA = "tbl_data"
_OURS = ("cfg_language", "cfg_region")
_NEAR = 24
"""Named cells that somebody asks for stand below one another: rows above and below that are read with one of them."""


class _Place(NamedTuple):
    """A table, its name and that of its sheet."""

    native: xw.main.Table
    name: str
    sheet: str


class LiveBook:
    """An open workbook. What it says is remembered until `forget`: Excel stands still while a macro works."""

    def __init__(self, book: xw.Book) -> None:
        self.book = book
        self.forget()

    def forget(self) -> None:
        """Ask the workbook anew: something was written, or rows came or went."""
        self._tables: dict[str, Table] = {}
        self._bodies: dict[str, Rows] = {}
        self._names = LiveNames(self.book, self.sheet)
        self._near: dict[tuple[str, Range], Rows] = {}

    @property
    def is_ours(self) -> bool:
        """True for a workbook made from our template."""
        return all(name in self._names for name in _OURS)

    @cached_property
    def date1904(self) -> bool:
        """True if its dates count from 1904."""
        return getattr(self.book.api, "Date1904", None) is True

    @property
    def address(self) -> str:
        """Where it was saved, a path or a web address; its name alone if it was not. Only to tell books apart."""
        return str(getattr(self.book.api, "FullName", None) or self.book.name)

    def sheet(self, name: str) -> xw.Sheet:
        """A sheet."""
        return self._sheets[name]

    def is_protected(self, sheet: str) -> bool:
        """True if the cells of a sheet are protected."""
        return getattr(self.sheet(sheet).api, "ProtectContents", None) is True

    def table(self, name: str) -> Table:
        """A table and where it lies. Raises WorkbookError `workbook.missing_table`."""
        if name.lower() not in self._tables:
            self._read_tables(self.sheet_of(name))
        return self._tables[name.lower()]

    def body(self, name: str) -> Rows:
        """All body rows of a table, as `values`. Raises WorkbookError `workbook.missing_table`."""
        if name.lower() not in self._bodies:
            self._read_tables(self.sheet_of(name))
        table = self.table(name)
        return self._bodies[name.lower()][table.first - table.at.r1 : table.last - table.at.r1 + 1]

    def native(self, name: str) -> xw.main.Table:
        """The table as xlwings has it. Raises WorkbookError `workbook.missing_table`."""
        return self._place(name).native

    def sheet_of(self, name: str) -> str:
        """The sheet of a table. Raises WorkbookError `workbook.missing_table`."""
        return self._place(name).sheet

    def tables_of(self, sheet: str) -> list[Table]:
        """The tables of one sheet."""
        return [self.table(name) for name, place in self._places.items() if place.sheet == sheet]

    def cell_of(self, name: str) -> tuple[str, Range]:
        """Sheet and cell behind a defined name. Raises WorkbookError `workbook.missing_name`."""
        found = self._names.place(name)
        if found is None:
            raise WorkbookError("workbook.missing_name", name=name, path=self.book.name)
        return found

    def cell(self, name: str) -> Plain:
        """The value of a named cell, a date as its serial number; None if it is empty or there is no such name."""
        try:
            sheet, at = self.cell_of(name)
        except WorkbookError:
            return None
        (value,) = plain_rows([[self._shown(sheet, at)]], self.date1904)[0]
        return value if not isinstance(value, str) or value.strip() else None

    def headers(self, table: str) -> list[str]:
        """The headers of a table. Raises WorkbookError `workbook.missing_table`."""
        return [c.name for c in self.table(table).columns]

    def rows(self, table: str) -> list[list[Shown]]:
        """The body of a table without the blank rows at its end. Raises WorkbookError `workbook.missing_table`."""
        rows = self.body(table)
        while rows and all(v is None for v in rows[-1]):
            rows.pop()
        return rows

    def data_source(self) -> Source | None:
        """The rows of the Data sheet, for the data door, numbered as on the sheet; None if it is empty."""
        table, rows = self.table(_DATA), self.rows(_DATA)
        del self._bodies[_DATA]  # it may be a million rows, which nobody is to hold while they are counted
        if not rows:
            return None
        above: list[list[Shown]] = [[]] * (table.at.r1 - 1)
        head: list[Shown] = [c.name for c in table.columns]
        return Source(Path(self.book.name), table.sheet, [*above, head, *rows])

    def _place(self, name: str) -> _Place:
        try:
            return self._places[name.lower()]
        except KeyError:
            raise WorkbookError("workbook.missing_table", table=name, path=self.book.name) from None

    def _read_tables(self, sheet: str) -> None:
        """All tables of a sheet at once: whoever wants one mostly wants the others."""
        found: dict[str, tuple[Range, int]] = {}
        for place in self._places.values():
            at = parse_range(place.native.range.address) if place.sheet == sheet else None
            if at is not None:
                found[place.name] = at, 1 if place.native.show_totals else 0
        shown = Blocks(lambda at: values(self.sheet(sheet), at), [at for at, _ in found.values()])
        for name, (at, totals) in found.items():
            rows = shown[at]
            columns = tuple(TableColumn(one_break(str(text)), None) for text in rows[0])
            self._tables[name.lower()] = Table(name, "", sheet, "", at, 1, totals, columns, False)
            self._bodies[name.lower()] = rows

    def _shown(self, sheet: str, at: Range) -> object:
        near = next((n for n in self._near if n[0] == sheet and n[1].contains(at)), None)
        if near is None:
            near = sheet, Range(max(1, at.r1 - _NEAR), at.c1, at.r1 + _NEAR, at.c1)
            self._near[near] = values(self.sheet(sheet), near[1])
        return self._near[near][at.r1 - near[1].r1][0]

    @cached_property
    def _sheets(self) -> dict[str, xw.Sheet]:
        return {sheet.name: sheet for sheet in self.book.sheets}

    @cached_property
    def _places(self) -> dict[str, _Place]:
        places = [_Place(t, t.name, name) for name, sheet in self._sheets.items() for t in sheet.tables]
        return {place.name.lower(): place for place in places}
