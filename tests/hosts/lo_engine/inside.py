"""What would take LibreOffice many calls, done inside it in one, by a module of its own Basic.

Each object that is handed to Python is asked a dozen questions first, so a walk over cells from outside costs
milliseconds a step; from inside it costs microseconds. An `If` on one line with a `ReDim` in it breaks what follows.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from hosts.lo_engine.errors import OfficeError

_LIBRARY, _MODULE = "XlfunnelTests", "Inside"
_SOURCE = """
Option Explicit

Const AMBIGUOUS = 2 ' of com.sun.star.beans.PropertyState

' first row, first column, rows, columns, key, kind, text of areas of one number format, counted from 0 within
Function Formats(cells, document)
    Dim out, todo(511), n As Long, waiting As Long, height As Long, width As Long, half As Long
    Dim at, area, part, key As Long, looks
    ReDim out(63)
    at = cells.RangeAddress
    todo(0) = Array(0, 0, at.EndRow - at.StartRow + 1, at.EndColumn - at.StartColumn + 1)
    waiting = 1
    Do While waiting > 0
        waiting = waiting - 1
        area = todo(waiting)
        height = area(2) : width = area(3)
        part = cells.getCellRangeByPosition(area(1), area(0), area(1) + width - 1, area(0) + height - 1)
        key = part.NumberFormat
        If part.getPropertyState("NumberFormat") = AMBIGUOUS Then
            If width > 1 Then
                half = width \\ 2
                todo(waiting) = Array(area(0), area(1), height, half)
                todo(waiting + 1) = Array(area(0), area(1) + half, height, width - half)
            Else
                half = height \\ 2
                todo(waiting) = Array(area(0), area(1), half, 1)
                todo(waiting + 1) = Array(area(0) + half, area(1), height - half, 1)
            End If
            waiting = waiting + 2
        Else
            If n > UBound(out) Then
                ReDim Preserve out(2 * n)
            End If
            looks = document.NumberFormats.getByKey(key)
            out(n) = Array(area(0), area(1), height, width, key, looks.Type, looks.FormatString)
            n = n + 1
        End If
    Loop
    ReDim Preserve out(n - 1)
    Formats = out
End Function

' name, sheet, first column, first row, last column, last row of every table
Function Tables(document)
    Dim names, all, i As Long, at, out
    all = document.DatabaseRanges
    names = all.ElementNames
    If UBound(names) < 0 Then
        Tables = Array()
        Exit Function
    End If
    ReDim out(UBound(names))
    For i = 0 To UBound(names)
        at = all.getByName(names(i)).DataArea
        out(i) = Array(names(i), at.Sheet, at.StartColumn, at.StartRow, at.EndColumn, at.EndRow)
    Next
    Tables = out
End Function

' content, and sheet, first column, first row, last column, last row of what a name refers to
Function Refers(named)
    Dim cells, at
    cells = named.getReferredCells()
    If IsNull(cells) Then
        Refers = Array(named.Content)
        Exit Function
    End If
    at = cells.RangeAddress
    Refers = Array(named.Content, cells.Spreadsheet.Name, at.StartColumn, at.StartRow, at.EndColumn, at.EndRow)
End Function

Function Cells(document, sheet, c1, r1, c2, r2)
    Cells = document.Sheets.getByName(sheet).getCellRangeByPosition(c1, r1, c2, r2)
End Function

Function SetFormulas(cells, texts)
    Dim i As Long
    For i = 0 To UBound(texts)
        cells.getCellByPosition(texts(i)(1), texts(i)(0)).setFormula(texts(i)(2))
    Next
    SetFormulas = True
End Function

Function SetFormats(cells, keys)
    Dim i As Long
    For i = 0 To UBound(keys)
        cells.getCellByPosition(keys(i)(1), keys(i)(0)).NumberFormat = keys(i)(2)
    Next
    SetFormats = True
End Function
"""


class FormatArea(NamedTuple):
    """Cells of one number format; row and column counted from 0 within the range that was asked about."""

    row: int
    column: int
    height: int
    width: int
    key: int
    kind: int
    text: str


class TableArea(NamedTuple):
    """Where a table lies, counted from 0."""

    name: str
    sheet: int
    c1: int
    r1: int
    c2: int
    r2: int


class Inside:
    """The functions above, of one running LibreOffice."""

    def __init__(self, context: Any) -> None:
        make = context.ServiceManager.createInstanceWithContext
        libraries = make("com.sun.star.script.ApplicationScriptLibraryContainer", context)
        libraries.createLibrary(_LIBRARY).insertByName(_MODULE, _SOURCE)
        factory = make("com.sun.star.script.provider.MasterScriptProviderFactory", context)
        self._provider = factory.createScriptProvider("")
        self._scripts: dict[str, Any] = {}

    def formats(self, cells: Any, document: Any) -> list[FormatArea]:
        """The areas of one number format that a range consists of."""
        return [FormatArea(*row) for row in self._call("Formats", cells, document)]

    def tables(self, document: Any) -> list[TableArea]:
        """All tables of a document."""
        return [TableArea(*row) for row in self._call("Tables", document)]

    def refers(self, named: Any) -> tuple[Any, ...]:
        """The content of a name; then sheet, first column, first row, last column and last row if those are cells."""
        found: tuple[Any, ...] = self._call("Refers", named)
        return found

    def cells(self, document: Any, sheet: str, c1: int, r1: int, c2: int, r2: int) -> Any:
        """A range, fetched anew: a sheet that is held shrinks when rows are deleted in some of its columns."""
        return self._call("Cells", document, sheet, c1, r1, c2, r2)

    def set_formulas(self, cells: Any, texts: Sequence[tuple[int, int, str]]) -> None:
        """(row, column, formula), counted from 0 within the cells."""
        if texts:
            self._call("SetFormulas", cells, tuple(texts))

    def set_formats(self, cells: Any, keys: Sequence[tuple[int, int, int]]) -> None:
        """(row, column, key of a number format), counted from 0 within the cells."""
        if keys:
            self._call("SetFormats", cells, tuple(keys))

    def _call(self, name: str, *arguments: Any) -> Any:
        if name not in self._scripts:
            address = f"vnd.sun.star.script:{_LIBRARY}.{_MODULE}.{name}?language=Basic&location=application"
            self._scripts[name] = self._provider.getScript(address)
        result = self._scripts[name].invoke(arguments, (), ())[0]
        if result is None:  # Basic ends at an error and says nothing; all of these return something
            raise OfficeError(f"LibreOffice refused: {name}{arguments[1:]}")
        return result
