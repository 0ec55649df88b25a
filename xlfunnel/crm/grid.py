"""A sheet or a delimited text as rows of cells, before anybody knows what its columns mean."""

import gc
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import compress, islice
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

_BLOCK = 4096
"""Rows that are turned into columns at once: their cells are still near at hand then."""

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
        numbers: list[Numbers] = []
        parts: list[list[Cells]] = []
        at, count, rows = skip + 1, 0, islice(self.rows(), skip, None)
        with _no_collecting():
            while block := list(islice(rows, _BLOCK)):
                kept = np.fromiter(map(any, block), dtype=bool, count=len(block))
                numbers.append(np.flatnonzero(kept) + at)
                at, count = at + len(block), count + int(kept.sum())
                if count > MAX_ROWS:
                    raise InputError("input.too_large", file=self.name)
                parts.append(_turned(block if kept.all() else list(compress(block, kept)), wanted))
        if not parts:
            return np.empty(0, dtype=np.int64), [np.empty(0, dtype=object) for _ in columns]
        turned = [np.concatenate(column) for column in zip(*parts, strict=True)]
        return np.concatenate(numbers), [turned[wanted.index(index)] for index in columns]


def _turned(rows: Sequence[Sequence[object]], columns: Sequence[int]) -> list[Cells]:
    """The columns of a few rows; a row that ends early is blank from there on."""
    width = columns[-1] + 1
    if min(map(len, rows), default=width) < width:
        rows = [[*row, *[""] * (width - len(row))] for row in rows]
    turned = list(zip(*rows, strict=False)) or [()] * width
    return [np.fromiter(turned[c], dtype=object, count=len(rows)) for c in columns]


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
