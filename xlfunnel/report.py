"""A report is plain data: named tables and named cells. `fill` is the only walk over it; a sink says where it goes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Protocol

import pandas as pd

Value = str | int | float | bool | date | None
"""What a cell can hold. None and NaN leave it blank."""


@dataclass(frozen=True)
class Report:
    """What one run writes into a workbook.

    tables  table name ("tbl_trend") -> frame whose columns are the headers shown in the workbook, in its language.
            A header the workbook's table lacks is an error; a column the frame lacks (the user's own) is kept, its
            rows matched by `keys`.
    cells   defined name ("kpi_t3_per_owner") -> value
    keys    table name -> header of the column that identifies a row, for tables with columns the user types in
    """

    tables: Mapping[str, pd.DataFrame]
    cells: Mapping[str, Value]
    keys: Mapping[str, str] = field(default_factory=dict)


class Sink(Protocol):
    """Where a report goes: a closed file, the open workbook, or a text for tests."""

    def table(self, name: str, frame: pd.DataFrame, key: str | None) -> None:
        """Make the named table hold exactly the rows of `frame` (at least two; fewer are padded with blanks)."""

    def cell(self, name: str, value: Value) -> None:
        """Set the cell behind a defined name."""

    def finish(self) -> None:
        """Everything was handed over: write it."""


def fill(report: Report, sink: Sink) -> None:
    """Hand every table and cell of `report` to `sink`, in order, then finish."""
    for name, frame in report.tables.items():
        sink.table(name, frame, report.keys.get(name))
    for name, value in report.cells.items():
        sink.cell(name, value)
    sink.finish()
