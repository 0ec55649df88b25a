"""Native tables, which LibreOffice keeps as named database ranges."""

from collections.abc import Iterator
from typing import Any

from hosts.lo_engine.cells import Range
from hosts.lo_engine.errors import translated
from xlwings import base_classes


@translated
class Tables(base_classes.Tables):
    """The tables of one sheet."""

    def __init__(self, sheet: Any) -> None:
        self._sheet = sheet
        self._all = sheet.book.document.DatabaseRanges

    @property
    def api(self) -> Any:
        return self._all

    def __iter__(self) -> Iterator["Table"]:
        here = self._sheet.index - 1
        for name in self._all.ElementNames:
            if self._all.getByName(name).DataArea.Sheet == here:
                yield Table(self._all.getByName(name), self._sheet)

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

    def __init__(self, table: Any, sheet: Any) -> None:
        self._table, self._sheet = table, sheet

    @property
    def api(self) -> Any:
        return self._table

    @property
    def parent(self) -> Any:
        return self._sheet

    @property
    def name(self) -> str:
        return str(self._table.Name)

    @property
    def range(self) -> Range:
        at = self._table.DataArea
        cells = self._sheet.sheet.getCellRangeByPosition(at.StartColumn, at.StartRow, at.EndColumn, at.EndRow)
        return Range(self._sheet, cells)

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
