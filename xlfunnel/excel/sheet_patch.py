"""The rows of one sheet after its tables and named cells were filled. Rows nobody touches keep their bytes."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from xlfunnel.errors import WorkbookError
from xlfunnel.excel.body import Body
from xlfunnel.excel.book import Book
from xlfunnel.excel.cells import Cell, Plain
from xlfunnel.excel.ranges import Moves, Range, followed_formula, letters
from xlfunnel.excel.sheet_frame import follow_frame, merged, set_dimension
from xlfunnel.excel.sheet_xml import SheetXml
from xlfunnel.excel.table_fill import TableFill
from xlfunnel.excel.typed_columns import Orphan
from xlfunnel.excel.xml_text import attribute_text

_BATCH = 2048


class SheetPatch:
    """One sheet, its fills and its named cells.

    moves  of all sheets, for formulas that look elsewhere
    Raises WorkbookError `workbook.table_blocked` if a table would grow over something.
    """

    def __init__(
        self,
        book: Book,
        sheet: str,
        fills: Sequence[TableFill],
        cells: Mapping[tuple[int, int], Plain],
        moves: Moves,
    ) -> None:
        self._book, self._name, self._fills, self._moves = book, sheet, sorted(fills, key=lambda f: f.at.c1), moves
        self._xml: SheetXml = book.sheet(book.sheets[sheet])
        self._rows: dict[int, dict[int, Cell]] = {}
        self._attrs: dict[int, dict[str, str]] = {}
        self._frame = self._xml.frame()
        self._check_room()
        self._bodies = [Body(fill, self._xml, book.string, sheet, moves) for fill in self._fills]
        self.orphans: list[Orphan] = [o for b in self._bodies for o in b.orphans]
        self._explicit = set(self._xml.rows) | {row for row, _ in cells}
        self._explicit |= {f.last + i for f in self._fills for i in range(1, f.table.totals_rows + 1)}
        for body in self._bodies:
            self._fill(body)
        for (row, column), value in cells.items():
            self._write(row, column, value)
        self._follow_formulas()
        self._unhide()
        self._new_rows = sorted({r for b in self._bodies for r in b.fill_rows()} - self._explicit)
        self._drop_unchanged()
        self._frame_changed = follow_frame(self._frame, sheet, moves)
        if self._rows or self._new_rows:
            self._frame_changed |= set_dimension(self._frame, self._used(), [f.at for f in self._fills])

    @property
    def changed(self) -> bool:
        """True if the sheet differs from what it was."""
        return bool(self._rows or self._new_rows or self._frame_changed)

    @property
    def formulas_changed(self) -> bool:
        """True if a formula cell came or went."""
        if self._new_rows and any(b.has_formulas for b in self._bodies):
            return True
        return any(_with_formula(cells) != _with_formula(self._xml.cells(row)) for row, cells in self._rows.items())

    def touched(self, fill: TableFill) -> bool:
        """True if anything in the body of a table changed."""
        columns = range(fill.at.c1, fill.at.c2 + 1)
        if fill.at != fill.table.at:
            return True
        for row, cells in self._rows.items():
            if fill.table.first <= row <= fill.last:
                before = self._xml.cells(row)
                if any(before.get(c) != cells.get(c) for c in columns):
                    return True
        return False

    def chunks(self) -> Iterable[bytes]:
        """The sheet's new XML."""
        return self._xml.xml(self._all_rows(), self._frame if self._frame_changed else None)

    def _check_room(self) -> None:
        others = [(t.name, t.at) for t in self._book.tables_of(self._name)]
        for fill in self._fills:
            area, name = fill.new_area, fill.table.name
            if area.r2 < area.r1:
                continue
            hits = [at for other, at in others if other != name and at.overlaps(area)]
            hits += [f.at for f in self._fills if f is not fill and f.at.overlaps(area)]
            hits += [at for at in merged(self._frame) if at.overlaps(area)]
            if hits:
                raise self._blocked(fill, max(hits[0].r1, area.r1), max(hits[0].c1, area.c1))
            for row in sorted(r for r in self._xml.rows if area.r1 <= r <= area.r2):
                for column, cell in self._xml.cells(row).items():
                    if area.c1 <= column <= area.c2 and not cell.empty:
                        raise self._blocked(fill, row, column)

    def _blocked(self, fill: TableFill, row: int, column: int) -> WorkbookError:
        cell = f"{letters(column)}{row}"
        return WorkbookError("workbook.table_blocked", sheet=self._name, cell=cell, table=fill.table.name)

    def _row(self, row: int) -> dict[int, Cell]:
        if row not in self._rows:
            self._rows[row] = self._xml.cells(row)
            self._attrs[row] = self._xml.attrs(row)
        return self._rows[row]

    def _fill(self, body: Body) -> None:
        fill, table = body.fill, body.fill.table
        columns = range(table.at.c1, table.at.c2 + 1)
        totals = [
            {c: cells.pop(c) for c in columns if c in cells}
            for cells in (self._row(r) for r in range(fill.totals.r1, fill.totals.r2 + 1))
        ]
        rows, gone = body.fill_rows(), range(fill.last + 1, table.last + 1)
        for row in sorted(self._explicit):
            if row in rows:
                self._fill_row(body, row, columns)
            elif row in gone:
                for column in columns:
                    self._row(row).pop(column, None)
        for i, moved in enumerate(totals):
            self._row(fill.last + 1 + i).update(moved)

    def _fill_row(self, body: Body, row: int, columns: range) -> None:
        known = row in self._rows
        cells = self._row(row)
        changed = False
        if row not in self._xml.rows and not known:
            self._attrs[row] = dict(body.attrs)
        for column in columns:
            old = cells.get(column)
            new = body.cell(row, column, old)
            if new is old:
                continue
            changed = True
            if new is None:
                del cells[column]
            else:
                cells[column] = new
        if not (changed or known) and row in self._xml.rows:
            del self._rows[row], self._attrs[row]  # a large table that stays as it is need not be held as objects

    def _write(self, row: int, column: int, value: Plain) -> None:
        cells = self._row(row)
        old = cells.get(column, Cell({}, ""))
        if not old.holds(value, self._book.string):
            cells[column] = old.with_value(value)

    def _follow_formulas(self) -> None:
        """Formulas over exactly a table's body go on covering it."""
        if not self._moves:
            return
        for row in [r for r, xml in self._xml.rows.items() if b"<f" in xml]:
            for column, cell in list(self._row(row).items()):
                formula = cell.formula()
                if formula and formula[1]:
                    attrs, text = formula
                    shared = attrs.get("t") == "shared"
                    new = followed_formula(text, self._name, self._moves, exact=True, shared=shared)
                    if new != text:
                        self._rows[row][column] = cell.with_formula(attrs, new)

    def _unhide(self) -> None:
        """A filter hides rows by what stood in them; other contents must not stay hidden with them."""
        for fill in self._fills:
            if fill.table.filtered and self.touched(fill):
                for row in range(fill.table.first, max(fill.last, fill.table.last) + 1):
                    if row in self._xml.rows:
                        self._row(row)
                        self._attrs[row].pop("hidden", None)

    def _drop_unchanged(self) -> None:
        for row in list(self._rows):
            kept = self._attrs[row] == self._xml.attrs(row)
            if row in self._xml.rows and kept and self._rows[row] == self._xml.cells(row):
                del self._rows[row]

    def _all_rows(self) -> Iterator[bytes]:
        numbers = sorted({*self._xml.rows, *self._rows, *self._new_rows})
        fresh: set[int] = set(self._new_rows)
        batch: list[int] = []
        for number in numbers:
            if number in fresh:
                if batch and (len(batch) == _BATCH or number != batch[-1] + 1):
                    yield self._bulk(batch)
                    batch = []
                batch.append(number)
                continue
            if batch:
                yield self._bulk(batch)
                batch = []
            yield self._one(number)
        if batch:
            yield self._bulk(batch)

    def _one(self, number: int) -> bytes:
        if number not in self._rows:
            return self._xml.rows[number]
        cells = self._rows[number]
        if not cells and self._xml.cells(number):
            return b""  # all it had belonged to a table that is shorter now
        attrs = {k: v for k, v in self._attrs[number].items() if k != "spans"}
        inner = "".join(cells[c].xml(f"{letters(c)}{number}") for c in sorted(cells))
        return f'<row r="{number}"{attribute_text(attrs)}>{inner}</row>'.encode()

    def _bulk(self, batch: Sequence[int]) -> bytes:
        """Consecutive rows that only tables stand in."""
        rows = range(batch[0], batch[-1] + 1)
        bodies = [b for b in self._bodies if b.fill.last >= rows.start and b.fill.table.first < rows.stop]
        parts = [b.bulk(rows) for b in bodies]
        owner = bodies[0]
        attrs = attribute_text(owner.attrs)
        return "".join(
            f'<row r="{row}"{attrs}>{"".join(cells)}</row>' for row, *cells in zip(rows, *parts, strict=True)
        ).encode()

    def _used(self) -> Range | None:
        rows = {r for r, xml in self._xml.rows.items() if r not in self._rows and b"<c" in xml}
        rows |= {r for r, cells in self._rows.items() if cells} | set(self._new_rows)
        return Range(min(rows), 1, max(rows), 1) if rows else None


def _with_formula(cells: Mapping[int, Cell]) -> set[int]:
    return {c for c, cell in cells.items() if "<f" in cell.inner}
