"""A1 ranges, and how they follow a table whose height changes."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache

MAX_ROW = 1_048_576

_CORNER = r"(\$?[A-Z]{1,3})(\$?)(\d{1,7})"
_RANGE = re.compile(rf"{_CORNER}(?::{_CORNER})?")
_SHEET = r"(?:'(?:[^']|'')+'|[^\W\d][\w.]*(?::[\w.]+)?)!"
# Strings and brackets (structured references, other workbooks) come first, so that nothing inside them is a range.
_TOKEN = re.compile(
    r'"(?:[^"]|"")*"'
    r"|\[(?:[^\[\]]|\[[^\[\]]*\])*\](?:[\w.]+![$A-Z0-9:]*)?"
    rf"|(?P<sheet>{_SHEET})?(?<![\w.$])(?P<range>{_CORNER}(?::{_CORNER})?)(?![\w(.!\[])"
)


@dataclass(frozen=True)
class Range:
    """Rows r1…r2 and columns c1…c2, counted from 1."""

    r1: int
    c1: int
    r2: int
    c2: int

    def __str__(self) -> str:
        first = f"{letters(self.c1)}{self.r1}"
        return first if (self.r1, self.c1) == (self.r2, self.c2) else f"{first}:{letters(self.c2)}{self.r2}"

    @property
    def cells(self) -> int:
        """How many there are."""
        return (self.r2 - self.r1 + 1) * (self.c2 - self.c1 + 1)

    @property
    def first(self) -> "Range":
        """Its first cell."""
        return Range(self.r1, self.c1, self.r1, self.c1)

    def contains(self, other: "Range") -> bool:
        """True if all cells of the other are cells of this one."""
        return self.r1 <= other.r1 and other.r2 <= self.r2 and self.c1 <= other.c1 and other.c2 <= self.c2

    def around(self, other: "Range") -> "Range":
        """The smallest range with both in it."""
        return Range(min(self.r1, other.r1), min(self.c1, other.c1), max(self.r2, other.r2), max(self.c2, other.c2))

    def overlaps(self, other: "Range") -> bool:
        """True if the two have a cell in common."""
        return self.r1 <= other.r2 and other.r1 <= self.r2 and self.c1 <= other.c2 and other.c1 <= self.c2


@dataclass(frozen=True)
class Move:
    """A table whose body begins in row `first` and ends in row `new_last` instead of `old_last`.

    top     its header row
    c1, c2  its columns
    """

    c1: int
    c2: int
    top: int
    first: int
    old_last: int
    new_last: int


Moves = Mapping[str, Sequence[Move]]
"""Moves by sheet name in lower case."""


@cache
def letters(column: int) -> str:
    """`letters(28) == "AB"`."""
    out = ""
    while column:
        column, rest = divmod(column - 1, 26)
        out = chr(65 + rest) + out
    return out


@lru_cache(maxsize=1024)
def column_number(text: str) -> int:
    """`column_number("AB") == 28`."""
    n = 0
    for letter in text.strip("$"):
        n = n * 26 + ord(letter) - 64
    return n


def parse_range(text: str) -> Range | None:
    """The range of "B2", "$B$2:C9"; None for anything else, whole columns included."""
    match = _RANGE.fullmatch(text)
    return _range(match.groups()) if match else None


def parse_reference(text: str) -> tuple[str, Range] | None:
    """Sheet name and range of "'My sheet'!$B$2:$C$9"; None if it is not one plain range on a named sheet."""
    sheet, mark, at = text.strip().lstrip("=").rpartition("!")
    found = parse_range(at)
    if not mark or found is None or not re.fullmatch(_SHEET, sheet + "!"):
        return None
    return unquoted(sheet), found


def unquoted(sheet: str) -> str:
    """A sheet name as it is, from how a formula writes it."""
    return sheet[1:-1].replace("''", "'") if sheet.startswith("'") else sheet


def followed(at: Range, moves: Sequence[Move]) -> Range:
    """Where a range of a sheet ends up.

    It follows if it ends with the body of a table and lies in its columns; if several tables end there side by side,
    they must agree. A range of nothing but the last row moves with that row, as when rows are inserted above it.
    """
    hit = [m for m in moves if m.old_last == at.r2 and m.top <= at.r1 and m.c1 <= at.c2 and at.c1 <= m.c2]
    if not hit or len({m.new_last for m in hit}) > 1:
        return at
    if at.c1 < min(m.c1 for m in hit) or at.c2 > max(m.c2 for m in hit):
        return at
    last = hit[0].new_last
    moves_whole = at.r1 == at.r2 and all(m.first < at.r1 for m in hit)
    return replace(at, r1=last if moves_whole else min(at.r1, last), r2=last)


def followed_list(sqref: str, moves: Sequence[Move]) -> str:
    """A blank-separated list of ranges after the moves."""
    out = []
    for text in sqref.split():
        at = parse_range(text)
        out.append(str(followed(at, moves)) if at and followed(at, moves) != at else text)
    return " ".join(out)


def followed_formula(formula: str, home: str, moves: Moves, *, exact: bool = False, shared: bool = False) -> str:
    """A formula after the moves. Single cells stay: a formula means just that cell.

    home    the sheet that ranges without a sheet name lie on
    exact   follow only ranges that are a table's body from its first row to its last
    shared  the text serves several cells, so only ranges with absolute rows may follow
    """

    def change(sheet: str | None, groups: Sequence[str | None]) -> tuple[int, int] | None:
        if groups[3] is None or (shared and not (groups[1] and groups[4])):
            return None
        at = _range(groups)
        there = moves.get((unquoted(sheet[:-1]) if sheet else home).lower(), ())
        if exact:
            there = [m for m in there if m.first == at.r1]
        new = followed(at, there)
        return None if new == at else (new.r1, new.r2)

    return _rewritten(formula, change)


def shifted_formula(formula: str, by: int) -> str:
    """A formula copied `by` rows down: relative rows shift, absolute ones, names and structured references stay."""

    def change(sheet: str | None, groups: Sequence[str | None]) -> tuple[int, int] | None:
        rows = [
            int(row) if fixed else int(row) + by
            for _, fixed, row in (groups[:3], groups[3:])
            if row and fixed is not None
        ]
        if not all(1 <= r <= MAX_ROW for r in rows):
            return None
        return rows[0], rows[-1]

    return _rewritten(formula, change) if by else formula


def _rewritten(formula: str, change: Callable[[str | None, Sequence[str | None]], tuple[int, int] | None]) -> str:
    """The formula with new row numbers where `change(sheet, corner groups)` gives some."""

    out, at = [], 0
    for start, end, sheet, groups in _ranges_in(formula):
        rows = change(sheet, groups)
        if rows is None:
            continue
        text = f"{sheet or ''}{groups[0]}{groups[1]}{rows[0]}"
        out += [formula[at:start], f"{text}:{groups[3]}{groups[4]}{rows[1]}" if groups[3] else text]
        at = end
    return "".join([*out, formula[at:]]) if out else formula


@lru_cache(maxsize=1024)
def _ranges_in(formula: str) -> tuple[tuple[int, int, str | None, tuple[str | None, ...]], ...]:
    """Start, end, sheet and corner groups of each range; a column's formula is asked for in row after row."""
    return tuple((m.start(), m.end(), m["sheet"], m.groups()[2:]) for m in _TOKEN.finditer(formula) if m["range"])


def _range(groups: Sequence[str | None]) -> Range:
    col1, _, row1, col2, _, row2 = groups
    r1, c1 = int(row1 or 0), column_number(col1 or "")
    r2, c2 = int(row2 or r1), column_number(col2) if col2 else c1
    return Range(min(r1, r2), min(c1, c2), max(r1, r2), max(c1, c2))
