"""Fills the open workbook through xlwings, in blocks: the number of calls grows with tables, never with rows."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

import pandas as pd

from xlfunnel.errors import WorkbookError
from xlfunnel.excel.cells import Plain, plain
from xlfunnel.excel.live_book import LiveBook
from xlfunnel.excel.live_cells import Blocks, formulas, is_formula, plain_rows, put, values
from xlfunnel.excel.live_table import LiveTable, entry, formulas_of
from xlfunnel.excel.ranges import Range, parse_range
from xlfunnel.excel.table_fill import TableFill, table_fill
from xlfunnel.excel.typed_columns import Orphan
from xlfunnel.excel.workbook_patch import absolute, printed_area
from xlfunnel.report import Report, Value

Cells = Mapping[tuple[int, int], Plain]


class _Shown:
    """A named cell before the fill: its value, and its formula ("" if it holds none)."""

    def __init__(self, value: Plain, text: str) -> None:
        self.value = value
        self.formula = text if is_formula(text, value) else ""


class LiveSink:
    """A `report.Sink` that fills the open workbook. Nothing is written before `finish`.

    keep     is given, before anything is written, a report that would bring back all that is about to change; a
             formula that a user typed into it is its value there
    orphans  after `finish`: what the user typed beside rows that are gone

    Raises WorkbookError `workbook.missing_table`, `.missing_column`, `.missing_name` for what the workbook lacks, and
    in `finish` `.protected` for a sheet that must not be written to. Nothing is written then.
    """

    def __init__(self, live: LiveBook, keep: Callable[[Report], None] | None = None) -> None:
        self._live, self._keep = live, keep
        self._fills: dict[str, TableFill] = {}
        self._keys: dict[str, str] = {}
        self._named: dict[str, tuple[str, tuple[int, int]]] = {}
        self._cells: dict[str, dict[tuple[int, int], Plain]] = defaultdict(dict)
        self.orphans: tuple[Orphan, ...] = ()

    def table(self, name: str, frame: pd.DataFrame, key: str | None) -> None:
        """Make the named table hold exactly the rows of `frame`."""
        self._fills[name] = table_fill(self._live.table(name), frame, key, self._live.date1904)
        if key is not None:
            self._keys[name] = key

    def cell(self, name: str, value: Value) -> None:
        """Set the cell behind a defined name; a formula there stays."""
        sheet, at = self._live.cell_of(name)
        self._named[name] = (sheet, (at.r1, at.c1))
        self._cells[sheet][at.r1, at.c1] = plain(value, self._live.date1904)

    def finish(self) -> None:
        """Write everything, the lower tables of a sheet first: rows that come or go above would move them."""
        self._refuse_protected()
        texts = {sheet: self._formulas(sheet) for sheet in self._sheets}
        tables = {name: LiveTable(self._live, f, texts[f.table.sheet]) for name, f in self._fills.items()}
        shown = {sheet: self._shown(sheet, cells, texts[sheet]) for sheet, cells in self._cells.items()}
        if self._keep is not None:
            self._keep(self._report(tables, shown))
        areas = self._print_areas()
        for sheet, cells in self._cells.items():
            self._write_cells(sheet, cells, shown[sheet])
        orphans: list[Orphan] = []
        for table in sorted(tables.values(), key=lambda t: -t.fill.table.at.r1):
            orphans += table.apply()
        self.orphans = tuple(orphans)
        for sheet, area in areas.items():
            setup = self._live.sheet(sheet).page_setup
            if setup.print_area != area:
                setup.print_area = area
        self._live.forget()

    @property
    def _sheets(self) -> list[str]:
        """The sheets to be written to."""
        return list(dict.fromkeys([f.table.sheet for f in self._fills.values()] + list(self._cells)))

    def _refuse_protected(self) -> None:
        for sheet in self._sheets:
            if self._live.is_protected(sheet):
                raise WorkbookError("workbook.protected", sheet=sheet)

    def _formulas(self, sheet: str) -> Blocks:
        """The formulas that a fill of this sheet must know."""
        fills = [formulas_of(f) for f in self._fills.values() if f.table.sheet == sheet]
        wanted = [*fills, *(_lone(at) for at in self._cells.get(sheet, ()))]
        return Blocks(lambda at: formulas(self._live.sheet(sheet), at), wanted)

    def _shown(self, sheet: str, cells: Cells, texts: Blocks) -> dict[tuple[int, int], _Shown]:
        """What the named cells of a sheet show now."""
        read = Blocks(lambda at: values(self._live.sheet(sheet), at), map(_lone, cells))
        shown = plain_rows((read[_lone(at)][0] for at in cells), self._live.date1904)
        return {at: _Shown(value, texts[_lone(at)][0][0]) for at, (value,) in zip(cells, shown, strict=True)}

    def _write_cells(self, sheet: str, cells: Cells, shown: Mapping[tuple[int, int], _Shown]) -> None:
        """Cells with a formula are left out: an array or what spills would not survive being written as it was read."""
        for at in blocks(cell for cell in cells if not shown[cell].formula):
            columns = range(at.c1, at.c2 + 1)
            rows = [[entry(cells[r, c]) for c in columns] for r in range(at.r1, at.r2 + 1)]
            put(self._live.sheet(sheet), at, rows)

    def _report(self, tables: Mapping[str, LiveTable], shown: Mapping[str, Mapping[tuple[int, int], _Shown]]) -> Report:
        frames = {}
        for name, table in tables.items():
            headers, rows = table.kept()
            frames[name] = pd.DataFrame(rows, columns=pd.Index(headers), dtype=object)
        cells = {name: shown[sheet][at].value for name, (sheet, at) in self._named.items()}
        return Report(frames, cells, self._keys)

    def _print_areas(self) -> dict[str, str]:
        """Sheet -> the area that shall print, for sheets on which a table changes its height.

        Excel's own area follows rows inserted into a table only where the table is as wide as the area.
        """
        areas = {}
        fills = list(self._fills.values())
        for sheet in sorted({f.table.sheet for f in fills if f.last != f.table.last}):
            text = self._live.sheet(sheet).page_setup.print_area
            parts = [parse_range(part) for part in text.split(",")] if text else []
            if parts and all(parts):
                tables = self._live.tables_of(sheet)
                areas[sheet] = ",".join(absolute(printed_area(p, tables, fills)) for p in parts if p)
        return areas


def _lone(cell: tuple[int, int]) -> Range:
    row, column = cell
    return Range(row, column, row, column)


def blocks(cells: Iterable[tuple[int, int]]) -> list[Range]:
    """The fewest rectangles of neighbouring cells that a simple walk finds: runs down, then runs alike side by side."""
    runs: list[Range] = []
    for row, column in sorted(cells, key=lambda at: (at[1], at[0])):
        if runs and runs[-1].c1 == column and runs[-1].r2 == row - 1:
            runs[-1] = replace(runs[-1], r2=row)
        else:
            runs.append(Range(row, column, row, column))
    out: list[Range] = []
    for run in sorted(runs, key=lambda r: (r.r1, r.r2, r.c1)):
        last = out[-1] if out else None
        if last and (last.r1, last.r2, last.c2) == (run.r1, run.r2, run.c1 - 1):
            out[-1] = replace(last, c2=run.c2)
        else:
            out.append(run)
    return out
