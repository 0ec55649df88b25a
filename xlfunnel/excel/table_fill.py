"""One frame meant for one table: which column goes where, and how high the table becomes."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pandas as pd

from xlfunnel.errors import WorkbookError
from xlfunnel.excel.book import Table, one_break
from xlfunnel.excel.cells import Plain, plain_values
from xlfunnel.excel.ranges import Move, Range

MIN_ROWS = 2
"""A table never has fewer body rows: Excel extends ranges only for rows inserted between two."""


@dataclass
class TableFill:
    """A table and its new values.

    values  sheet column -> one value a body row, for the frame's columns; columns merged by key join while the sheet
            is filled, so that charts of them can be drawn
    key     sheet column that identifies a row; None = by position
    height  body rows
    """

    table: Table
    values: dict[int, list[Plain]]
    key: int | None
    height: int
    frame_columns: frozenset[int] = field(default=frozenset())

    @property
    def last(self) -> int:
        """Last body row after the fill."""
        return self.table.first + self.height - 1

    @property
    def totals(self) -> Range:
        """The totals row as it is now; r2 < r1 if there is none."""
        return Range(self.table.last + 1, self.table.at.c1, self.table.at.r2, self.table.at.c2)

    @property
    def at(self) -> Range:
        """The whole range after the fill."""
        return replace(self.table.at, r2=self.last + self.table.totals_rows)

    @property
    def new_area(self) -> Range:
        """Cells that the table covers only afterwards; r2 < r1 if none."""
        return Range(self.table.at.r2 + 1, self.table.at.c1, self.at.r2, self.table.at.c2)

    @property
    def move(self) -> Move:
        """How ranges over the body follow."""
        t = self.table
        return Move(t.at.c1, t.at.c2, t.at.r1, t.first, t.last, self.last)

    def column_name(self, column: int) -> str:
        """Header of a sheet column."""
        return self.table.columns[column - self.table.at.c1].name


def table_fill(table: Table, frame: pd.DataFrame, key: str | None, date1904: bool) -> TableFill:
    """Match a frame with a table by header.

    Raises WorkbookError `workbook.missing_column` for a column the table lacks, ValueError for one that comes twice.
    """
    names = [one_break(str(name)) for name in frame.columns]
    if len(set(names)) != len(names):
        raise ValueError(f"{table.name}: two columns of one name among {names}")
    height = max(len(frame), MIN_ROWS)
    padding: Sequence[Plain] = [None] * (height - len(frame))
    values = {}
    for name, (_, column) in zip(names, frame.items(), strict=True):
        values[_column(table, name)] = [*plain_values(column, date1904), *padding]
    return TableFill(table, values, None if key is None else _column(table, one_break(key)), height, frozenset(values))


def _column(table: Table, name: str) -> int:
    column = table.column_of(name)
    if column is None:
        raise WorkbookError("workbook.missing_column", table=table.name, column=name, sheet=table.sheet)
    return column
