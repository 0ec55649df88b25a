"""One table of the open workbook: rows inserted or deleted inside it, values written in blocks.

Cells are inserted before the last body row and deleted before it, in the table's own columns only. Excel then makes
charts, conditional formats, names and formulas follow by itself, and what stands below or beside stays whole.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

import xlwings as xw

from xlfunnel.excel.cells import Plain
from xlfunnel.excel.live_book import LiveBook
from xlfunnel.excel.live_cells import Blocks, block, formulas, is_formula, plain_rows, put
from xlfunnel.excel.ranges import Range, shifted_formula
from xlfunnel.excel.table_fill import MIN_ROWS, TableFill
from xlfunnel.excel.typed_columns import Orphan, key_text, keys_of, matched

_WORDS = {"true", "false"}
_LONG = 64
"""No text as long as this is a number, a day or a time in any language of Excel."""


class LiveTable:
    """A table, what it shows before the fill, and which of its columns calculate.

    formulas    of its sheet, with those that `formulas_of` asks for among them
    calculated  columns whose cells are formulas: they are left to Excel
    typed       columns of the user, merged by key
    """

    def __init__(self, live: LiveBook, fill: TableFill, formulas: Blocks) -> None:
        self.fill = fill
        self._live, self._table = live, fill.table
        self._sheet = live.sheet(fill.table.sheet)
        self._before = live.body(fill.table.name)
        self._formulas = formulas[formulas_of(fill)]
        columns = _columns(fill)
        self.calculated = frozenset(c for c in columns if self._calculates(c))
        self.typed = tuple(c for c in columns if c not in fill.frame_columns and c not in self.calculated)

    def kept(self) -> tuple[list[str], list[list[Plain]]]:
        """Headers and rows of all columns but the calculated ones, as they were before the fill."""
        columns = [c for c in _columns(self.fill) if c not in self.calculated]
        rows = plain_rows(self._before, self._live.date1904)
        left = self._table.at.c1
        return [self.fill.column_name(c) for c in columns], [[row[c - left] for c in columns] for row in rows]

    def apply(self) -> list[Orphan]:
        """Write the rows; what the user typed beside rows that are gone."""
        typed, orphans = self._merged()
        self._set_height()
        fill = self.fill
        written = {c: [entry(v) for v in fill.values[c]] for c in fill.frame_columns if c not in self.calculated}
        for run in _runs({*written, *self.typed}):
            columns = [written.get(c) or typed[c] for c in run]
            at = Range(self._table.first, run[0], fill.last, run[-1])
            put(self._sheet, at, list(zip(*columns, strict=True)))
        return orphans

    def _calculates(self, column: int) -> bool:
        """As in a closed file: the first row decides, in a typed column every row must agree."""
        j = column - self._table.at.c1
        found = (is_formula(row[j], self._before[i][j]) for i, row in enumerate(self._formulas))
        return next(found) if column in self.fill.frame_columns else all(found)

    def _merged(self) -> tuple[dict[int, list[object]], list[Orphan]]:
        """Entries of the typed columns in their new rows, and what found none."""
        left, key = self._table.at.c1, self.fill.key
        beside = []
        for i, row in enumerate(self._before) if self.typed else ():
            cells = {c: self._typed_cell(i, c - left) for c in self.typed if row[c - left] is not None}
            if cells:
                beside.append((str(i + 1) if key is None else key_text(_plain_key(row[key - left])), (i, cells)))
        found, lost = matched(beside, keys_of(self.fill))
        entries: dict[int, list[object]] = {c: [None] * self.fill.height for c in self.typed}
        for to, (old, cells) in found.items():
            for column, (value, formula) in cells.items():
                entries[column][to] = shifted_formula(formula, to - old) if formula else entry(value)
        orphans = [
            Orphan(self._table.name, by, self.fill.column_name(column), formula or value)
            for by, (_, cells) in lost
            for column, (value, formula) in cells.items()
        ]
        return entries, orphans

    def _typed_cell(self, i: int, j: int) -> tuple[Plain, str]:
        """Value and formula ("" if none) of a cell in which the user typed."""
        value, text = plain_rows([[self._before[i][j]]], self._live.date1904)[0][0], self._formulas[i][j]
        return value, text if is_formula(text, value) else ""

    def _set_height(self) -> None:
        table, fill = self._table, self.fill
        height, grown = table.last - table.first + 1, fill.last - table.last
        if not grown:
            return
        native = self._live.native(table.name)
        if native.show_autofilter:
            native.autofilter.clear()  # it hid rows by values that are no longer there
        if grown < 0:
            block(self._sheet, self._band(fill.last, table.last - 1)).delete(shift="up")
            return
        if height < MIN_ROWS:
            # There is no room between two rows to insert into: make room below and stretch the table over it.
            block(self._sheet, self._band(table.last + 1, fill.last)).insert(shift="down")
            native.resize(block(self._sheet, fill.at))
        else:
            block(self._sheet, self._band(table.last, fill.last - 1)).insert(shift="down")
        self._calculate_new_rows(native)

    def _calculate_new_rows(self, native: xw.main.Table) -> None:
        """Formulas of the first row copied into the new ones. Excel does so itself only for declared columns."""
        if not self.calculated:
            return
        table, fill = self._table, self.fill
        first = formulas(self._sheet, self._band(table.first, table.first))[0]
        rows = range(table.first + 1, fill.last + 1)
        for run in _runs(self.calculated):
            texts = [first[column - table.at.c1] for column in run]
            at = Range(rows[0], run[0], rows[-1], run[-1])
            put(self._sheet, at, [[shifted_formula(t, row - table.first) for t in texts] for row in rows])

    def _band(self, r1: int, r2: int) -> Range:
        return Range(r1, self._table.at.c1, r2, self._table.at.c2)


def formulas_of(fill: TableFill) -> Range:
    """The cells whose formulas must be known: the first body row; all rows if there are columns of the user."""
    t = fill.table
    last = t.first if set(_columns(fill)) <= fill.frame_columns else t.last
    return Range(t.first, t.at.c1, last, t.at.c2)


def as_text(text: str) -> str:
    """A text so written that Excel keeps it a text and does not read it as a formula, a number, a day or a time."""
    head = text[:1]
    short = len(text) < _LONG and any(c.isdigit() for c in text)
    return f"'{text}" if short or not (head.isalpha() or head in "(（“《·–▲▼●■✓✗") or text.lower() in _WORDS else text


def entry(value: Plain) -> object:
    """A value as it is handed to Excel; whole numbers as floats, for COM has no large ones."""
    if isinstance(value, str):
        return as_text(value)
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _columns(fill: TableFill) -> range:
    return range(fill.table.at.c1, fill.table.at.c2 + 1)


def _plain_key(value: object) -> Plain:
    return plain_rows([[value]], False)[0][0]


def _runs(columns: Iterable[int]) -> Iterator[Sequence[int]]:
    """Columns in runs without a gap."""
    for _, run in groupby(enumerate(sorted(columns)), key=lambda pair: pair[1] - pair[0]):
        yield [column for _, column in run]
