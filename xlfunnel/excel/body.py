"""The body of one table: what each of its cells becomes. New rows look and calculate like the first one."""

from collections.abc import Mapping

from xlfunnel.excel.cells import Cell, Strings, column_xml, new_cell
from xlfunnel.excel.ranges import Moves, followed_formula, letters, shifted_formula
from xlfunnel.excel.sheet_xml import SheetXml
from xlfunnel.excel.table_fill import TableFill
from xlfunnel.excel.typed_columns import place

_NOT_COPIED = {"spans", "hidden", "collapsed", "outlineLevel"}


class Body:
    """Cells of a table's body after its fill.

    attrs    attributes of a new row: those of the first body row, a height only if somebody set it
    orphans  typed values whose row is gone
    """

    def __init__(self, fill: TableFill, sheet: SheetXml, strings: Strings, name: str, moves: Moves) -> None:
        self.fill = fill
        self._strings, self._name, self._moves = strings, name, moves
        self._first, self._last = fill.table.first, fill.table.last
        self._model = sheet.cells(self._first)
        self.attrs = {k: v for k, v in sheet.attrs(self._first).items() if k not in _NOT_COPIED}
        if self.attrs.get("customHeight") not in ("1", "true"):
            self.attrs.pop("ht", None)
        columns = range(fill.at.c1, fill.at.c2 + 1)
        self._blanks = {c: new_cell(style, None) for c in columns if (style := self._style(c))}
        self._formulas = {c: f for c in columns if (f := self._formula(c, sheet)) is not None}
        typed = [c for c in columns if c not in fill.frame_columns and c not in self._formulas]
        self._typed = frozenset(typed)
        self._placed, self.orphans = place(fill, typed, sheet, strings)
        for column in typed:
            cells = (self._placed.get(row, {}).get(column) for row in self.fill_rows())
            fill.values[column] = [c.value(strings) if c else None for c in cells]

    @property
    def has_formulas(self) -> bool:
        """True if new rows bring formulas."""
        return bool(self._formulas) or any("<f" in c.inner for cells in self._placed.values() for c in cells.values())

    def fill_rows(self) -> range:
        """The body rows after the fill."""
        return range(self._first, self.fill.last + 1)

    def cell(self, row: int, column: int, old: Cell | None) -> Cell | None:
        """The cell at a body row; `old` is what stands there now."""
        kept = old if row <= self._last else None
        if column in self._typed:
            cell = self._placed.get(row, {}).get(column)
            if cell is not None:
                return cell
            return kept if kept is not None and kept.empty else self._blanks.get(column)
        if column not in self.fill.frame_columns:
            return kept if kept is not None else self._new(row, column)
        value = self.fill.values[column][row - self._first]
        if kept is None:
            new = self._new(row, column)
            return new.with_value(value) if new else None if value is None else new_cell(None, value)
        return kept if kept.holds(value, self._strings) else kept.with_value(value)

    def bulk(self, rows: range) -> list[str]:
        """The XML of the cells of new rows, one text a row; "" for rows above and below the table."""
        above = range(rows.start, min(max(rows.start, self._first), rows.stop))
        inside = range(above.stop, max(above.stop, min(rows.stop, self.fill.last + 1)))
        columns = []
        for column in range(self.fill.at.c1, self.fill.at.c2 + 1):
            if column in self.fill.frame_columns and column not in self._formulas:
                values = self.fill.values[column][inside.start - self._first : inside.stop - self._first]
                columns.append(column_xml(column, inside, self._style(column), values))
            elif column in self._typed:
                columns.append(self._typed_xml(column, inside))
            else:
                cells = ((row, self.cell(row, column, None)) for row in inside)
                columns.append([c.xml(f"{letters(column)}{row}") if c else "" for row, c in cells])
        cells_of_rows = ["".join(cells) for cells in zip(*columns, strict=True)]
        return [*([""] * len(above)), *cells_of_rows, *([""] * (len(rows) - len(above) - len(inside)))]

    def _typed_xml(self, column: int, rows: range) -> list[str]:
        """A typed column's new cells: blank but where a value has moved to."""
        texts = column_xml(column, rows, self._style(column), [None] * len(rows))
        for row in self._placed.keys() & set(rows):
            if cell := self._placed[row].get(column):
                texts[row - rows.start] = cell.xml(f"{letters(column)}{row}")
        return texts

    def _style(self, column: int) -> str | None:
        model = self._model.get(column)
        return model.style if model else None

    def _new(self, row: int, column: int) -> Cell | None:
        """A cell as in the first body row: its style, and its formula shifted to `row`."""
        blank = self._blanks.get(column)
        if column not in self._formulas:
            return blank
        attrs, text = self._formulas[column]
        own = {"t": "array", "ref": f"{letters(column)}{row}"} if attrs.get("t") == "array" else {}
        model = self._model.get(column)
        kept: Mapping[str, str] = {"cm": model.attrs["cm"]} if model and own and "cm" in model.attrs else {}
        base = Cell({**(blank.attrs if blank else {}), **kept}, "")
        return base.with_formula(own, shifted_formula(text, row - self._first))

    def _formula(self, column: int, sheet: SheetXml) -> tuple[dict[str, str], str] | None:
        """Formula of a column's new rows. Without a declared one, a typed column counts only if every row has one."""
        declared = self.fill.table.columns[column - self.fill.at.c1].formula
        found = self._model[column].formula() if column in self._model else None
        if found is None or (not found[1] and not declared):
            return ({}, self._follow(declared)) if declared else None
        if not declared and column not in self.fill.frame_columns:
            for row in range(self._first, self.fill.table.last + 1):
                cell = sheet.cells(row).get(column)
                if cell is None or cell.formula() is None:
                    return None
        attrs, text = found
        return attrs, self._follow(text or declared or "")

    def _follow(self, text: str) -> str:
        return followed_formula(text, self._name, self._moves, exact=True, shared=True)
