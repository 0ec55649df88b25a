"""A sheet or a delimited text as rows of cells, before anybody knows what its columns mean."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np

from xlfunnel.crm.text import Cells

HEAD_ROWS = 30
"""The header stands within the first so many rows."""

Numbers = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True)
class Grid:
    """One table's worth of rows.

    name        "file.csv", or "file.xlsx › Sheet"
    how         "utf-8", "gb18030", or "xlsx › Sheet"
    rows        gives all rows from the first of the file on, each time it is called
    epoch_1904  bare numbers in date columns count from 1904
    """

    name: str
    how: str
    rows: Callable[[], Iterable[Sequence[object]]]
    epoch_1904: bool = False

    def head(self) -> list[Sequence[object]]:
        """The first rows, among which the header stands."""
        return list(islice(self.rows(), HEAD_ROWS))

    def body(self, skip: int, columns: Sequence[int]) -> tuple[Numbers, list[Cells]]:
        """Row numbers as a person sees them, and the cells of `columns`, of all rows after the first `skip`.

        Rows without any content are left out.
        """
        width = max(columns) + 1
        numbers: list[int] = []
        picked: list[Sequence[object]] = []
        for number, row in enumerate(islice(self.rows(), skip, None), skip + 1):
            if any(row):
                numbers.append(number)
                picked.append(row if len(row) >= width else [*row, *[""] * (width - len(row))])
        cells = []
        for index in columns:
            column = np.empty(len(picked), dtype=object)
            column[:] = [row[index] for row in picked]
            cells.append(column)
        return np.array(numbers, dtype=np.int64), cells
