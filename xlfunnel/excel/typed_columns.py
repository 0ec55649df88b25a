"""Columns in which the user types: what stands in them follows its row by key when the rows change."""

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from xlfunnel.excel.cells import Cell, Plain, Strings, number_text
from xlfunnel.excel.ranges import letters, shifted_formula
from xlfunnel.excel.sheet_xml import SheetXml
from xlfunnel.excel.table_fill import TableFill

_T = TypeVar("_T")


@dataclass(frozen=True)
class Orphan:
    """Something typed beside a row that is no longer there.

    key    identity of the row; its number within the table where rows are matched by position
    value  a formula begins with "="
    """

    table: str
    key: str
    column: str
    value: Plain


@dataclass(frozen=True)
class _Typed:
    row: int
    cells: Mapping[int, Cell]


def matched(typed: Iterable[tuple[str, _T]], keys: Sequence[str]) -> tuple[dict[int, _T], list[tuple[str, _T]]]:
    """What was typed beside which row: index in `keys` -> the thing of the same key, and what found no row.

    typed  (key, thing) in order of their rows; where a key comes twice, the first takes the first row of that key
    """
    waiting: dict[str, deque[_T]] = defaultdict(deque)
    for key, thing in typed:
        waiting[key].append(thing)
    found = {i: waiting[key].popleft() for i, key in enumerate(keys) if waiting.get(key)}
    return found, [(key, thing) for key, queue in waiting.items() for thing in queue]


def place(
    fill: TableFill, columns: Iterable[int], sheet: SheetXml, strings: Strings
) -> tuple[dict[int, dict[int, Cell]], list[Orphan]]:
    """Where typed cells go: row -> column -> cell, and what found no row."""
    columns = list(columns)
    first, last = fill.table.first, fill.table.last
    beside: list[tuple[str, _Typed]] = []
    masters: dict[str, tuple[int, int, str]] = {}
    for row in range(first, last + 1) if columns else ():
        cells = sheet.cells(row)
        typed = {c: cells[c] for c in columns if c in cells and not cells[c].empty}
        for column, cell in typed.items():
            formula = cell.formula()
            if formula and formula[1] and "si" in formula[0]:
                masters[formula[0]["si"]] = (row, column, formula[1])
        if typed:
            key = str(row - first + 1)
            if fill.key is not None:
                key = key_text(cells[fill.key].value(strings) if fill.key in cells else None)
            beside.append((key, _Typed(row, typed)))
    found, left = matched(beside, keys_of(fill))
    placed = {first + i: (typed, first + i) for i, typed in found.items()}
    orphans = [
        Orphan(fill.table.name, key, fill.column_name(column), _typed_value(cell, column, typed.row, masters, strings))
        for key, typed in left
        for column, cell in typed.cells.items()
    ]
    if not orphans and all(typed.row == to for typed, to in placed.values()):
        return {to: dict(typed.cells) for typed, to in placed.values()}, []
    return {
        to: {c: _moved(cell, c, typed.row, to, masters, strings) for c, cell in typed.cells.items()}
        for typed, to in placed.values()
    }, orphans


def _moved(
    cell: Cell, column: int, row: int, to: int, masters: Mapping[str, tuple[int, int, str]], strings: Strings
) -> Cell:
    """A cell in its new row. Shared formulas become plain ones, for their master may have gone elsewhere."""
    formula = cell.formula()
    if formula is None:
        return cell
    text = _formula_text(formula, column, row, masters)
    if text is None:
        value = cell.value(strings)
        return Cell({k: v for k, v in cell.attrs.items() if k == "s"}, "").with_value(value)
    attrs = {"t": "array", "ref": f"{letters(column)}{to}"} if formula[0].get("t") == "array" else {}
    return cell.with_formula(attrs, shifted_formula(text, to - row))


def _formula_text(
    formula: tuple[dict[str, str], str], column: int, row: int, masters: Mapping[str, tuple[int, int, str]]
) -> str | None:
    """The formula of a cell in its old row; None for a follower whose master stands in another column."""
    attrs, text = formula
    if text or attrs.get("t") != "shared":
        return text
    master = masters.get(attrs.get("si", ""))
    return shifted_formula(master[2], row - master[0]) if master and master[1] == column else None


def _typed_value(
    cell: Cell, column: int, row: int, masters: Mapping[str, tuple[int, int, str]], strings: Strings
) -> Plain:
    formula = cell.formula()
    text = _formula_text(formula, column, row, masters) if formula else None
    return f"={text}" if text else cell.value(strings)


def keys_of(fill: TableFill) -> list[str]:
    """The key of each body row after the fill; its number where rows are matched by position."""
    if fill.key is None:
        return [str(i + 1) for i in range(fill.height)]
    return [key_text(v) for v in fill.values[fill.key]]


def key_text(value: Plain) -> str:
    """Keys are compared as text, so that an id stored as a number finds itself."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    number = float(value)
    return str(int(number)) if number.is_integer() else number_text(number)
