"""Fills a closed workbook: only the parts that change are written anew, everything else stays the bytes it was."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from xlfunnel.errors import WorkbookError
from xlfunnel.excel.book import Book
from xlfunnel.excel.cells import Plain, plain
from xlfunnel.excel.chart_patch import CHART_TYPE, follow_chart
from xlfunnel.excel.package import Package
from xlfunnel.excel.ranges import Move, Moves, Range
from xlfunnel.excel.safe_write import refuse_if_open
from xlfunnel.excel.sheet_frame import follow_declared, follow_table
from xlfunnel.excel.sheet_patch import SheetPatch
from xlfunnel.excel.table_fill import TableFill, table_fill
from xlfunnel.excel.typed_columns import Orphan
from xlfunnel.excel.workbook_patch import follow_workbook
from xlfunnel.excel.xml_text import parse, serialise
from xlfunnel.report import Value


class FileSink:
    """A `report.Sink` that makes `target` from the workbook `source`; both may be one file.

    backup   keep what `target` was as "<name>.bak" if it is replaced
    orphans  after `finish`: what the user typed beside rows that are gone
    written  after `finish`: False if `target` held all of it already and was not touched

    Raises WorkbookError: `workbook.open` and `.locked` at once; `.missing_table`, `.missing_column`, `.missing_name`
    for what the workbook lacks; `.table_blocked` if a table would grow over something. Nothing is written then.
    """

    def __init__(self, source: Path, target: Path, *, backup: bool = False) -> None:
        refuse_if_open(target)
        self._target, self._backup = target, backup
        self._package = Package(source)
        self._book = Book(self._package)
        self._fills: dict[str, TableFill] = {}
        self._cells: dict[str, dict[tuple[int, int], Plain]] = defaultdict(dict)
        self.orphans: tuple[Orphan, ...] = ()
        self.written = False

    def table(self, name: str, frame: pd.DataFrame, key: str | None) -> None:
        """Make the named table hold exactly the rows of `frame`."""
        self._fills[name] = table_fill(self._book.table(name), frame, key, self._book.date1904)

    def cell(self, name: str, value: Value) -> None:
        """Set the cell behind a defined name; a formula there stays and only shows the value until recalculated."""
        found = self._book.cell_of(name)
        if found is None:
            raise WorkbookError("workbook.missing_name", name=name, path=self._package.path.name)
        sheet, at = found
        self._cells[sheet][at.r1, at.c1] = plain(value, self._book.date1904)

    def finish(self) -> None:
        """Write everything in one step."""
        with self._package:
            self._patch()
            self.written = self._package.write(self._target, backup=self._backup)

    def _patch(self) -> None:
        fills = list(self._fills.values())
        moves: dict[str, list[Move]] = defaultdict(list)
        for fill in fills:
            if fill.move.new_last != fill.move.old_last:
                moves[fill.table.sheet.lower()].append(fill.move)
        filled = {f.table.sheet for f in fills} | set(self._cells)
        orphans: list[Orphan] = []
        formulas_changed = False
        for sheet in [s for s in self._book.sheets if s in filled]:
            own = [f for f in fills if f.table.sheet == sheet]
            patch = SheetPatch(self._book, sheet, own, self._cells.get(sheet, {}), moves)
            orphans += patch.orphans
            if not patch.changed:
                continue
            formulas_changed |= patch.formulas_changed
            for fill in own:
                self._patch_table(fill, moves, clear_filter=fill.table.filtered and patch.touched(fill))
            self._package.replace(self._book.sheets[sheet], patch.chunks())
        self.orphans = tuple(orphans)
        self._patch_charts(moves)
        chain = self._book.linked("calcChain")
        if formulas_changed and chain and self._package.has(chain):
            self._package.remove(chain)
        if self._package.changed:
            root = self._book.root()
            follow_workbook(root, self._book, fills, moves)
            self._package.replace(self._book.part, serialise(root))

    def _patch_table(self, fill: TableFill, moves: Moves, *, clear_filter: bool) -> None:
        is_resized = fill.at != fill.table.at or clear_filter
        if not is_resized and not any(c.formula for c in fill.table.columns):
            return
        root = parse(self._package.read(fill.table.part), fill.table.part)
        is_other = follow_declared(root, fill.table.sheet, moves)
        if is_resized:
            follow_table(root, fill.at, fill.move, clear_filter=clear_filter)
        if is_resized or is_other:
            self._package.replace(fill.table.part, serialise(root))

    def _patch_charts(self, moves: dict[str, list[Move]]) -> None:
        for part in self._package.parts_of_type(CHART_TYPE):
            root = parse(self._package.read(part), part)
            if follow_chart(root, moves, self._values):
                self._package.replace(part, serialise(root))

    def _values(self, sheet: str, at: Range) -> Sequence[Plain] | None:
        """The values of a range that this fill has written, row by row."""
        name = sheet.lower()
        fills = [f for f in self._fills.values() if f.table.sheet.lower() == name]
        cells = next((c for s, c in self._cells.items() if s.lower() == name), {})
        columns = [_written(column, fills, cells) for column in range(at.c1, at.c2 + 1)]
        rows = range(at.r1, at.r2 + 1)
        if not all(row in column for column in columns for row in rows):
            return None
        return [column[row] for row in rows for column in columns]


def _written(column: int, fills: Sequence[TableFill], cells: Mapping[tuple[int, int], Plain]) -> Mapping[int, Plain]:
    """Row -> value, of one column of a sheet."""
    found = {row: value for (row, c), value in cells.items() if c == column}
    for fill in (f for f in fills if column in f.values):
        found |= zip(range(fill.table.first, fill.last + 1), fill.values[column], strict=True)
    return found
