"""Native tables, which LibreOffice keeps as named database ranges."""

from collections.abc import Iterator
from functools import cached_property
from typing import Any

from hosts.lo_engine.cells import Range
from hosts.lo_engine.errors import translated
from xlwings import base_classes


@translated
class Tables(base_classes.Tables):
    """The tables of one sheet."""

    def __init__(self, sheet: Any) -> None:
        self._sheet = sheet

    @property
    def api(self) -> Any:
        return self._sheet.book.document.DatabaseRanges

    def __iter__(self) -> Iterator["Table"]:
        book = self._sheet.book
        here = self._sheet.index - 1
        return iter([Table(t.name, self._sheet) for t in book.app.inside.tables(book.document) if t.sheet == here])

    def __call__(self, name_or_index: str | int) -> "Table":
        for number, table in enumerate(self, 1):
            if name_or_index in (number, table.name):
                return table
        raise KeyError(name_or_index)

    def __len__(self) -> int:
        return len(list(self))

    def __contains__(self, key: str) -> bool:
        return key in [t.name for t in self]


@translated
class Table(base_classes.Table):
    """One table."""

    def __init__(self, name: str, sheet: Any) -> None:
        self._name, self._sheet = name, sheet

    @cached_property
    def _table(self) -> Any:
        return self._sheet.book.document.DatabaseRanges.getByName(self._name)

    @property
    def api(self) -> Any:
        return self._table

    @property
    def parent(self) -> Any:
        return self._sheet

    @property
    def name(self) -> str:
        return self._name

    @property
    def range(self) -> Range:
        at = self._table.DataArea
        return self._sheet.cells(at.StartColumn, at.StartRow, at.EndColumn, at.EndRow)

    @property
    def show_totals(self) -> bool:
        return bool(self._table.TotalsRow)

    @property
    def show_autofilter(self) -> bool:
        return bool(self._table.AutoFilter)

    @property
    def autofilter(self) -> "AutoFilter":
        return AutoFilter(self._table)

    def resize(self, range: Any) -> None:
        self._table.setDataArea(range.impl.cells.RangeAddress)


@translated
class AutoFilter(base_classes.AutoFilter):
    """The filter of a table."""

    def __init__(self, table: Any) -> None:
        self._table = table

    def clear(self, field: int | None) -> None:
        """Show all rows again."""
        self._table.getFilterDescriptor().setFilterFields(())
        self._table.refresh()
