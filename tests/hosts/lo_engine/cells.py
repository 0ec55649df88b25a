"""Ranges of cells: values and formulas in blocks, cells inserted and deleted."""

from collections.abc import Sequence
from typing import Any

from hosts.lo_engine.entries import CellError, entered, moment
from hosts.lo_engine.errors import translated
from hosts.lo_engine.grammar import to_excel, to_office
from hosts.lo_engine.inside import FormatArea, Inside
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
        at = self.cells.RangeAddress
        text = span(at.StartColumn, at.StartRow, at.EndColumn, at.EndRow)
        return text if row_absolute and col_absolute else text.replace("$", "")

    @property
    def address(self) -> str:
        return self.get_address(True, True, False)

    @property
    def raw_value(self) -> Any:
        """Dates are dates where the number format says so; a lone cell is no list."""
        rows = [list(row) for row in self.cells.getDataArray()]
        for area in self._formats():
            top, left, height, width, kind = area.row, area.column, area.height, area.width, area.kind
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
        general = set()
        for area in self._formats():
            if area.text == "General":
                general.add(area.key)
            here = slice(area.column, area.column + area.width)
            for i in range(area.row, area.row + area.height):
                formats[i][here] = [area.key] * area.width
                is_text[i][here] = [bool(area.kind & constant("util.NumberFormat.TEXT"))] * area.width
        entries = [
            [entered(x, text) for x, text in zip(row, texts, strict=True)]
            for row, texts in zip(data, is_text, strict=True)
        ]
        self.cells.setDataArray(tuple(tuple("" if e.kind == "formula" else e.value for e in row) for row in entries))
        formulas, marked = [], []
        for i, row in enumerate(entries):
            for j, entry in enumerate(row):
                if entry.kind == "formula":
                    formulas.append((i, j, to_office(str(entry.value))))
                elif entry.kind != "plain":
                    if formats[i][j] in general:  # it has no format of its own
                        marked.append((i, j, self._standard(entry.kind)))
                elif isinstance(entry.value, str) and not is_text[i][j] and entered(entry.value, False) != entry:
                    # LibreOffice marks such a cell as text for ever; Excel only notes the apostrophe.
                    marked.append((i, j, formats[i][j]))
        self._inside.set_formulas(self.cells, formulas)
        self._inside.set_formats(self.cells, marked)

    @property
    def formula(self) -> Any:
        """Formulas as Excel writes them; constants as text, blanks as nothing."""
        rows = [[to_excel(x) if x.startswith("=") else x for x in row] for row in self.cells.getFormulaArray()]
        return rows[0][0] if self.shape == (1, 1) else tuple(map(tuple, rows))

    @formula.setter
    def formula(self, value: Any) -> None:
        rows = value if isinstance(value, (list, tuple)) else [[value]]
        texts = [(i, j, to_office(text)) for i, row in enumerate(rows) for j, text in enumerate(row)]
        self._inside.set_formulas(self.cells, texts)

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

    @property
    def _inside(self) -> Inside:
        inside: Inside = self.sheet.book.app.inside
        return inside

    def _standard(self, kind: str) -> int:
        """The format that a day or a yes gets in a cell without one of its own."""
        name = "LOGICAL" if kind == "logical" else "DATE"
        formats = self._document.NumberFormats
        return int(formats.getStandardFormat(constant(f"util.NumberFormat.{name}"), struct("lang.Locale")))

    def _formats(self) -> list[FormatArea]:
        return self._inside.formats(self.cells, self._document)

    def _refuse_to_cut_tables(self) -> None:
        """Excel shifts a table as a whole or not at all."""
        at = self.cells.RangeAddress
        for t in self._inside.tables(self._document):
            beside = t.sheet != at.Sheet or t.c2 < at.StartColumn or at.EndColumn < t.c1
            if not beside and t.r2 >= at.StartRow and not at.StartColumn <= t.c1 <= t.c2 <= at.EndColumn:
                raise ValueError(f"This operation is not allowed: it would shift cells in a part of {t.name}")


class Areas(base_classes.Range):
    """Several ranges of one sheet in the order in which they were named, of which only the address is asked."""

    def __init__(self, parts: Sequence[Range]) -> None:
        self._parts = parts
        self.options: dict[str, Any] = {}

    @property
    def address(self) -> str:
        return ",".join(part.address for part in self._parts)


def span(c1: int, r1: int, c2: int, r2: int) -> str:
    """Cells, counted from 0, as Excel writes their address: $B$2, or $B$2:$C$3."""
    first, last = f"${_letters(c1)}${r1 + 1}", f"${_letters(c2)}${r2 + 1}"
    return first if first == last else f"{first}:{last}"


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


__all__: Sequence[str] = ["Areas", "Range", "quoted", "span"]
