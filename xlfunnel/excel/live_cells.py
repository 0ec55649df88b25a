"""Blocks of cells of the open workbook, read and written in few calls: each one crosses to another process and back."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import xlwings as xw
from xlwings import conversion

from xlfunnel.excel.cells import Plain, plain
from xlfunnel.excel.ranges import Range

Rows = list[list[Any]]
"""Values of a block, row by row."""

_CELLS_A_READ = 1_000_000
_CELLS_A_WRITE = 100_000
_CELLS_LIKE_A_CALL = 2_000
"""Reading so many more takes no longer than asking once more."""
_READING = {"ndim": 2, "err_to_str": True}
_converted: Any = conversion.read


class Blocks:
    """Ranges of one sheet as they were read, together: `blocks[at]` are the rows of any range that was asked for.

    read  gives the rows of a range
    """

    def __init__(self, read: Callable[[Range], Rows], ranges: Iterable[Range]) -> None:
        self._read = [(at, read(at)) for at in joined(ranges)]

    def __getitem__(self, at: Range) -> Rows:
        whole, rows = next((w, rows) for w, rows in self._read if w.contains(at))
        left, right = at.c1 - whole.c1, at.c2 - whole.c1 + 1
        return [row[left:right] for row in rows[at.r1 - whole.r1 : at.r2 - whole.r1 + 1]]


def joined(ranges: Iterable[Range]) -> list[Range]:
    """Ranges that hold all of these, joined where that reads fewer idle cells than a call is worth."""
    out: list[Range] = []
    for at in sorted(ranges, key=lambda r: (r.r1, r.c1)):
        idle, nearest = min(
            ((both.cells - other.cells - at.cells, i) for i, other in enumerate(out) if (both := other.around(at))),
            default=(_CELLS_LIKE_A_CALL + 1, -1),
        )
        if idle <= _CELLS_LIKE_A_CALL:
            out[nearest] = out[nearest].around(at)
        else:
            out.append(at)
    return out


def block(sheet: xw.Sheet, at: Range) -> xw.Range:
    """A range of cells. By its address: by its corners it would be three calls."""
    return sheet.range(str(at))


def values(sheet: xw.Sheet, at: Range) -> Rows:
    """What a block shows: text, numbers, dates; an error is its text, blank is None.

    xlwings' conversion is handed what was read: left to itself it asks for each range's shape, sheet and workbook.
    """
    engine = getattr(xw.engines.active, "name", None)
    rows: Rows = []
    for part in _parts(at, _CELLS_A_READ):
        raw = block(sheet, part).options(**_READING).raw_value
        rows += _converted(None, raw, _READING, engine_name=engine)
    return [[_whole(v) for v in row] for row in rows]


def formulas(sheet: xw.Sheet, at: Range) -> list[list[str]]:
    """The formulas of a block; constants are their text."""
    return [row for part in _parts(at, _CELLS_A_READ) for row in grid(block(sheet, part).formula)]


def put(sheet: xw.Sheet, at: Range, rows: Sequence[Sequence[object]]) -> None:
    """Write a block, in as few calls as Excel bears; a blank is an empty text to it.

    Past xlwings' converters: they ask for each range's sheet and workbook some thirty times, each a call to Excel.
    """
    for part in _parts(at, _CELLS_A_WRITE):
        written = rows[part.r1 - at.r1 : part.r2 - at.r1 + 1]
        block(sheet, part).raw_value = [["" if v is None else v for v in row] for row in written]


def grid(read: Any) -> list[list[Any]]:
    """What Excel gives for a block, always as rows: it gives a lone cell bare."""
    if not isinstance(read, (list, tuple)):
        return [[read]]
    return [list(row) if isinstance(row, (list, tuple)) else [row] for row in read]


def is_formula(text: object, value: object) -> bool:
    """True if a cell that gives `text` as its formula and `value` as its value holds one; a text may begin with =."""
    return isinstance(text, str) and text.startswith("=") and not (isinstance(value, str) and value == text)


def plain_rows(rows: Iterable[Iterable[object]], date1904: bool) -> list[list[Plain]]:
    """Values as a frame or a file can hold them; dates are serial numbers."""
    return [[plain(v, date1904) if isinstance(v, datetime) else _plain(v) for v in row] for row in rows]


def _parts(at: Range, cells: int) -> Iterator[Range]:
    """A block in bands of at most so many cells."""
    height = max(1, cells // (at.c2 - at.c1 + 1))
    for r1 in range(at.r1, at.r2 + 1, height):
        yield Range(r1, at.c1, min(at.r2, r1 + height - 1), at.c2)


def _whole(value: Any) -> Any:
    """Excel knows no whole numbers: 12.0 is 12. An empty text is a blank. What is formatted as money is a Decimal."""
    if value == "":
        return None
    if isinstance(value, Decimal):
        value = float(value)
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 2**53 else value


def _plain(value: Any) -> Plain:
    return None if value is None or value == "" else value
