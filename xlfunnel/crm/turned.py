"""The rows of a sheet or a text turned into columns. Apart from `grid`: a file can be opened before numpy is loaded."""

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import compress, islice
from typing import Any

import numpy as np

from xlfunnel.crm.text import Cells
from xlfunnel.errors import InputError

MAX_ROWS = 3_000_000
"""Rows that fit into memory as cells: about a gigabyte a million."""

_BLOCK = 4096
"""Rows that are turned into columns at once: their cells are still near at hand then."""

Numbers = np.ndarray[Any, np.dtype[np.int64]]


def turned(
    name: str, rows: Iterator[Sequence[object]], first: int, columns: Sequence[int]
) -> tuple[Numbers, list[Cells]]:
    """The numbers of `rows`, of which the next is number `first`, and the cells of their `columns`.

    Rows without any content are left out. Raises InputError too_large, about the table `name`, beyond MAX_ROWS of them.
    """
    wanted = sorted(set(columns))
    numbers: list[Numbers] = []
    parts: list[list[Cells]] = []
    at, count = first, 0
    with _no_collecting():
        while block := list(islice(rows, _BLOCK)):
            kept = np.fromiter(map(any, block), dtype=bool, count=len(block))
            numbers.append(np.flatnonzero(kept) + at)
            at, count = at + len(block), count + int(kept.sum())
            if count > MAX_ROWS:
                raise InputError("input.too_large", file=name)
            parts.append(_block(block if kept.all() else list(compress(block, kept)), wanted))
    if not parts:
        return np.empty(0, dtype=np.int64), [np.empty(0, dtype=object) for _ in columns]
    found = [np.concatenate(column) for column in zip(*parts, strict=True)]
    return np.concatenate(numbers), [found[wanted.index(index)] for index in columns]


def _block(rows: Sequence[Sequence[object]], columns: Sequence[int]) -> list[Cells]:
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
