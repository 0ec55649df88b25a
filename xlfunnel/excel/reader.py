"""What the cells of a workbook show. Only the sheets asked for are read."""

import re
from datetime import datetime
from functools import cached_property
from typing import Protocol

from xlfunnel.excel.book import Book
from xlfunnel.excel.cells import Cell, Plain, serial_date
from xlfunnel.excel.package import Package
from xlfunnel.excel.sheet_xml import SheetXml
from xlfunnel.excel.xml_text import M, parse

Shown = Plain | datetime
"""The value of a cell; a date where its number format says so."""


_DATES = frozenset((*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)))
"""Built-in number formats that are dates or times (ECMA-376 18.8.30; 27-36 and 50-58 in East Asian versions)."""
_NO_CODE = re.compile(r'"[^"]*"|\[(?!(?:h+|m+|s+)\])[^\]]*\]|[\\_*].', re.I)
_DATE_CODE = re.compile("[dmyhs]", re.I)


class Shows(Protocol):
    """What a workbook shows of itself: a closed one (`Reader`) or an open one (`LiveBook`)."""

    @property
    def date1904(self) -> bool:
        """True if its dates count from 1904."""

    def cell(self, name: str) -> Plain:
        """The value of a named cell, a date as its serial number; None if it is empty or there is no such name."""

    def headers(self, table: str) -> list[str]:
        """The headers of a table. Raises WorkbookError `workbook.missing_table`."""

    def rows(self, table: str) -> list[list[Shown]]:
        """The body of a table without the blank rows at its end. Raises WorkbookError `workbook.missing_table`."""


class Reader:
    """Named cells and tables of one workbook, as they were last saved."""

    def __init__(self, package: Package) -> None:
        self.book = Book(package)
        self._sheets: dict[str, SheetXml] = {}

    @property
    def date1904(self) -> bool:
        """True if dates count from 1904."""
        return self.book.date1904

    def cell(self, name: str) -> Plain:
        """The value of a named cell, a date as its serial number; None if it is empty or there is no such name."""
        found = self.book.cell_of(name)
        if found is None:
            return None
        sheet, at = found
        cell = self._sheet(self.book.sheets[sheet]).cells(at.r1).get(at.c1)
        value = cell.value(self.book.string) if cell else None
        return value if not isinstance(value, str) or value.strip() else None

    def headers(self, table: str) -> list[str]:
        """The headers of a table. Raises WorkbookError `workbook.missing_table`."""
        return [c.name for c in self.book.table(table).columns]

    def rows(self, table: str) -> list[list[Shown]]:
        """The body of a table without the blank rows at its end. Raises WorkbookError `workbook.missing_table`."""
        found = self.book.table(table)
        sheet = self._sheet(found.sheet_part)
        columns = range(found.at.c1, found.at.c2 + 1)
        rows = []
        for number in range(found.first, found.last + 1):
            cells = sheet.cells(number)
            rows.append([self._shown(cells[c]) if c in cells else None for c in columns])
        while rows and all(v is None for v in rows[-1]):
            rows.pop()
        return rows

    def _sheet(self, part: str) -> SheetXml:
        if part not in self._sheets:
            self._sheets[part] = self.book.sheet(part)
        return self._sheets[part]

    def _shown(self, cell: Cell) -> Shown:
        value = cell.value(self.book.string)
        if isinstance(value, (str, bool)) or value is None or int(cell.style or 0) not in self._date_styles:
            return value
        return serial_date(value, self.book.date1904) or value

    @cached_property
    def _date_styles(self) -> frozenset[int]:
        """Style indices whose number format is a date."""
        part = self.book.linked("styles")
        if part is None:
            return frozenset()
        root = parse(self.book.package.read(part), part)
        own = {int(f.get("numFmtId", "0")): is_date_format(f.get("formatCode", "")) for f in root.iter(f"{M}numFmt")}
        formats = root.find(f"{M}cellXfs")
        ids = [] if formats is None else [int(x.get("numFmtId", "0")) for x in formats]
        return frozenset(i for i, n in enumerate(ids) if own.get(n, n in _DATES))


def is_date_format(code: str) -> bool:
    """Whether a number format shows dates or times: what is neither quoted, escaped nor in brackets tells.

    >>> [is_date_format(c) for c in ("yyyy-mm-dd", "[h]:mm", "[Red]0.0", '0" days"')]
    [True, True, False, False]
    """
    return _DATE_CODE.search(_NO_CODE.sub("", code).partition(";")[0]) is not None
