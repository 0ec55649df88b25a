"""Ranges of cells: values and formulas in blocks, cells inserted and deleted."""

from collections.abc import Iterator, Sequence
from typing import Any

from hosts.lo_engine.entries import CellError, Entry, entered, moment
from hosts.lo_engine.errors import translated
from hosts.lo_engine.grammar import to_excel, to_office
from hosts.uno_bridge import constant, enum, struct
from xlwings import base_classes

_ERRORS = {502: "#VALUE!", 503: "#NUM!", 519: "#VALUE!", 524: "#REF!", 525: "#NAME?", 532: "#DIV/0!", 32767: "#N/A"}


@translated
class Range(base_classes.Range):
    """A rectangle of cells of one sheet."""

    def __init__(self, sheet: Any, cells: Any) -> None:
        self.sheet, self.cells = sheet, cells
        self.options: dict[str, Any] = {}

    @property
    def api(self) -> Any:
        return self.cells

    @property
    def coords(self) -> tuple[str, int, int, int, int]:
        return (self.sheet.name, self.row, self.column, *self.shape)

    @property
    def row(self) -> int:
        return int(self.cells.RangeAddress.StartRow) + 1

    @property
    def column(self) -> int:
        return int(self.cells.RangeAddress.StartColumn) + 1

    @property
    def shape(self) -> tuple[int, int]:
        at = self.cells.RangeAddress
        return at.EndRow - at.StartRow + 1, at.EndColumn - at.StartColumn + 1

    def __len__(self) -> int:
        rows, columns = self.shape
        return rows * columns

    def __call__(self, arg1: int, arg2: int | None = None) -> "Range":
        """A cell counted from the first one, as Excel's Cells: it may lie outside."""
        if arg2 is None:
            arg1, arg2 = divmod(arg1 - 1, self.shape[1])
            arg1, arg2 = arg1 + 1, arg2 + 1
        cell = (self.row + arg1 - 1, self.column + arg2 - 1)
        return Range(self.sheet, self.sheet.range(cell).cells)

    def get_address(self, row_absolute: bool, col_absolute: bool, external: bool) -> str:
        text = span(self.cells.RangeAddress)
        return text if row_absolute and col_absolute else text.replace("$", "")

    @property
    def address(self) -> str:
        return self.get_address(True, True, False)

    @property
    def raw_value(self) -> Any:
        """Dates are dates where the number format says so; a lone cell is no list."""
        rows = [list(row) for row in self.cells.getDataArray()]
        for top, left, height, width, _, kind in self._formats():
            if kind & (constant("util.NumberFormat.DATE") | constant("util.NumberFormat.LOGICAL")):
                convert = bool if kind & constant("util.NumberFormat.LOGICAL") else moment
                for row in rows[top : top + height]:
                    row[left : left + width] = [
                        convert(x) if isinstance(x, float) else x for x in row[left : left + width]
                    ]
        for i, row in enumerate(rows):
            for j in [j for j, x in enumerate(row) if x is None]:
                row[j] = CellError(_ERRORS.get(self.cells.getCellByPosition(j, i).getError(), "#N/A"))
        return rows[0][0] if self.shape == (1, 1) else tuple(map(tuple, rows))

    @raw_value.setter
    def raw_value(self, data: Any) -> None:
        height, width = self.shape
        if not isinstance(data, (list, tuple)):
            data = [[data] * width] * height
        is_text = [[False] * width for _ in range(height)]
        formats = [[0] * width for _ in range(height)]
        for top, left, rows, columns, key, kind in self._formats():
            for i in range(top, top + rows):
                formats[i][left : left + columns] = [key] * columns
                is_text[i][left : left + columns] = [bool(kind & constant("util.NumberFormat.TEXT"))] * columns
        entries = [
            [entered(x, text) for x, text in zip(row, texts, strict=True)]
            for row, texts in zip(data, is_text, strict=True)
        ]
        self.cells.setDataArray(tuple(tuple("" if e.kind == "formula" else e.value for e in row) for row in entries))
        for i, row in enumerate(entries):
            for j, entry in enumerate(row):
                if entry.kind != "plain":
                    self._finish(self.cells.getCellByPosition(j, i), entry)
                elif isinstance(entry.value, str) and not is_text[i][j] and entered(entry.value, False) != entry:
                    # LibreOffice marks such a cell as text for ever; Excel only notes the apostrophe.
                    self.cells.getCellByPosition(j, i).NumberFormat = formats[i][j]

    @property
    def formula(self) -> Any:
        """Formulas as Excel writes them; constants as text, blanks as nothing."""
        rows = [[to_excel(x) if x.startswith("=") else x for x in row] for row in self.cells.getFormulaArray()]
        return rows[0][0] if self.shape == (1, 1) else tuple(map(tuple, rows))

    @formula.setter
    def formula(self, value: Any) -> None:
        rows = value if isinstance(value, (list, tuple)) else [[value]]
        for i, row in enumerate(rows):
            for j, text in enumerate(row):
                self.cells.getCellByPosition(j, i).setFormula(to_office(text))

    @property
    def number_format(self) -> str:
        return str(self._document.NumberFormats.getByKey(self.cells.NumberFormat).FormatString)

    def insert(self, shift: str | None = None, copy_origin: str | None = None) -> None:
        assert shift == "down", "only rows are inserted"
        self._refuse_to_cut_tables()
        self.sheet.sheet.insertCells(self.cells.RangeAddress, enum("sheet.CellInsertMode", "DOWN"))

    def delete(self, shift: str | None = None) -> None:
        assert shift == "up", "only rows are deleted"
        self._refuse_to_cut_tables()
        self.sheet.sheet.removeRange(self.cells.RangeAddress, enum("sheet.CellDeleteMode", "UP"))

    def clear_contents(self) -> None:
        kinds = ("VALUE", "DATETIME", "STRING", "FORMULA")
        self.cells.clearContents(sum(constant(f"sheet.CellFlags.{k}") for k in kinds))

    @property
    def color(self) -> tuple[int, int, int] | None:
        rgb = self.cells.CellBackColor
        return None if rgb < 0 else (rgb >> 16, rgb >> 8 & 255, rgb & 255)

    @color.setter
    def color(self, value: tuple[int, int, int]) -> None:
        self.cells.CellBackColor = value[0] << 16 | value[1] << 8 | value[2]

    @property
    def _document(self) -> Any:
        return self.sheet.book.document

    def _finish(self, cell: Any, entry: Entry) -> None:
        if entry.kind == "formula":
            cell.setFormula(to_office(str(entry.value)))
            return
        formats = self._document.NumberFormats
        if formats.getByKey(cell.NumberFormat).FormatString != "General":
            return  # it has a format of its own
        name = "LOGICAL" if entry.kind == "logical" else "DATE"
        cell.NumberFormat = formats.getStandardFormat(constant(f"util.NumberFormat.{name}"), struct("lang.Locale"))

    def _formats(self) -> Iterator[tuple[int, int, int, int, int, int]]:
        """(first row, first column, rows, columns, key, kind) of areas of one number format, counted from 0 within."""
        kinds: dict[int, int] = {}
        waiting = [(0, j, self.shape[0], 1) for j in range(self.shape[1])]
        while waiting:
            top, left, height, width = waiting.pop()
            part = self.cells.getCellRangeByPosition(left, top, left + width - 1, top + height - 1)
            key = part.NumberFormat
            if height > 1 and part.getPropertyState("NumberFormat").value == "AMBIGUOUS_VALUE":
                half = height // 2
                waiting += [(top, left, half, width), (top + half, left, height - half, width)]
                continue
            if key not in kinds:
                kinds[key] = self._document.NumberFormats.getByKey(key).Type
            yield top, left, height, width, key, kinds[key]

    def _refuse_to_cut_tables(self) -> None:
        """Excel shifts a table as a whole or not at all."""
        at, tables = self.cells.RangeAddress, self._document.DatabaseRanges
        for name in tables.ElementNames:
            t = tables.getByName(name).DataArea
            beside = t.Sheet != at.Sheet or t.EndColumn < at.StartColumn or at.EndColumn < t.StartColumn
            if (
                not beside
                and t.EndRow >= at.StartRow
                and not at.StartColumn <= t.StartColumn <= t.EndColumn <= at.EndColumn
            ):
                raise ValueError(f"This operation is not allowed: it would shift cells in a part of {name}")


def span(at: Any) -> str:
    """A range address as Excel writes it: $B$2, or $B$2:$C$3."""
    first, last = ((at.StartColumn, at.StartRow), (at.EndColumn, at.EndRow))
    texts = [f"${_letters(c)}${r + 1}" for c, r in (first, last)]
    return texts[0] if first == last else ":".join(texts)


def quoted(sheet: str) -> str:
    """A sheet's name as it stands in a reference."""
    return "'" + sheet.replace("'", "''") + "'"


def _letters(column: int) -> str:
    text = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        text = chr(65 + rest) + text
    return text


__all__: Sequence[str] = ["Range", "quoted", "span"]
