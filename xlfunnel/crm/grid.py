"""A sheet or a delimited text as rows of cells, before anybody knows what its columns mean."""

import gc
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from operator import itemgetter
from typing import Any

import numpy as np

from xlfunnel.crm.text import Cells
from xlfunnel.errors import InputError

HEAD_ROWS = 30
"""The header stands within the first so many rows."""
MAX_COLUMNS = 16_384
"""Columns that are looked at: as many as a worksheet has."""

MAX_ROWS = 3_000_000
"""Rows that fit into memory as cells: about a gigabyte a million."""

Numbers = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True)
class Grid:
    """One table's worth of rows.

    name        "file.csv", or "file.xlsx › Sheet"
    how         "utf-8 (,)", "gb18030 (;)", or "xlsx › Sheet"
    rows        gives all rows from the first of the file on, each time it is called
    epoch_1904  bare numbers in date columns count from 1904
    is_hidden   of a sheet that its author hid: not to be used without being asked for
    is_guessed  of a text whose encoding is only likely
    """

    name: str
    how: str
    rows: Callable[[], Iterable[Sequence[object]]]
    epoch_1904: bool = False
    is_hidden: bool = False
    is_guessed: bool = False

    def head(self) -> list[Sequence[object]]:
        """The first rows, among which the header stands."""
        return [row[:MAX_COLUMNS] for row in islice(self.rows(), HEAD_ROWS)]

    def body(self, skip: int, columns: Sequence[int]) -> tuple[Numbers, list[Cells]]:
        """Row numbers as a person sees them, and the cells of `columns`, of all rows after the first `skip`.

        Rows without any content are left out. Raises InputError too_large beyond MAX_ROWS of them.
        """
        wanted = sorted(set(columns))
        width = wanted[-1] + 1
        pick = itemgetter(*wanted, 0)  # two at least, so that it gives a tuple
        numbers: list[int] = []
        picked: list[tuple[object, ...]] = []
        with _no_collecting():
            for number, row in enumerate(islice(self.rows(), skip, None), skip + 1):
                if any(row):
                    numbers.append(number)
                    picked.append(pick(row if len(row) >= width else [*row, *[""] * (width - len(row))]))
                    if len(picked) > MAX_ROWS:
                        raise InputError("input.too_large", file=self.name)
            by_index = {index: _column(picked, i) for i, index in enumerate(wanted)}
        return np.array(numbers, dtype=np.int64), [by_index[index] for index in columns]


def _column(picked: Sequence[tuple[object, ...]], index: int) -> Cells:
    column = np.empty(len(picked), dtype=object)
    column[:] = [row[index] for row in picked]
    return column


@contextmanager
def _no_collecting() -> Iterator[None]:
    """Millions of small rows, none of them part of a cycle, would have the collector search them again and again."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
