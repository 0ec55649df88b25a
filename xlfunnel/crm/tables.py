"""One table of one file: found, its columns recognised, its cells picked out and its texts cleaned."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from xlfunnel.crm import aliases, amounts, columns, dates
from xlfunnel.crm.columns import Header
from xlfunnel.crm.grid import Grid
from xlfunnel.crm.intake import Source
from xlfunnel.crm.ledger import Ledger, Positions
from xlfunnel.crm.read import grids
from xlfunnel.crm.shapes import RULES, Rule
from xlfunnel.crm.stages import StageNames
from xlfunnel.crm.text import Cells, factorized, fold, plain, texts
from xlfunnel.errors import InputError
from xlfunnel.settings import Settings
from xlfunnel.terms import Col, Field, IssueCode, Shape

_LABELS = (Field.OPPORTUNITY, Field.OWNER, Field.REGION, Field.STAGE, Field.MONTH)
_NAMES = (Field.OPPORTUNITY, Field.REGION, Field.OWNER)


@dataclass(frozen=True)
class RawTable:
    """The recognised columns of one table as cells.

    cells      field or stage code -> cells of its column, one per row that is not blank
    positions  of those rows in the ledger
    """

    name: str
    how: str
    shape: Shape
    headers: dict[str, str]
    cells: dict[str, Cells]
    positions: Positions
    epoch_1904: bool
    first: Cells = field(repr=False)

    def column(self, key: str) -> Cells:
        """Cells of a column; all None if the table lacks it."""
        if key in self.cells:
            return self.cells[key]
        return np.full(len(self.positions), None, dtype=object)

    def rows(self, where: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> "RawTable":
        """The table with only the rows `where` it is true."""
        cells = {key: column[where] for key, column in self.cells.items()}
        return replace(self, cells=cells, positions=self.positions[where], first=self.first[where])


def opened(
    source: Source, settings: Settings, stages: StageNames, ledger: Ledger, rules: Sequence[Rule] = RULES
) -> RawTable:
    """The table of `source` that meets one of `rules`: opportunities before aggregates, then in order of the sheets.

    Raises InputError: what `xlfunnel.crm.read.grids` raises, and wrong_columns, no_header, no_rows.
    """
    name = source.path.name if source.sheet is None else f"{source.path.name} › {source.sheet}"
    return found(grids(source), name, settings, stages, ledger, rules)


def found(
    candidates: Iterable[Grid],
    name: str,
    settings: Settings,
    stages: StageNames,
    ledger: Ledger,
    rules: Sequence[Rule] = RULES,
) -> RawTable:
    """The table among `candidates`, as `opened` looks for it; `name` is what an error calls them together."""
    heads, second, hidden = [], None, []
    for grid in candidates:
        head = grid.head()
        header = columns.header(head, settings, stages, rules)
        if grid.is_hidden:
            hidden.append((grid, header))
            continue
        heads.append(head)
        if header and header.rule.shape != Shape.AGGREGATED:
            return _read(grid, header, ledger)
        if header and second is None:
            second = (grid, header)
    if second:
        return _read(*second, ledger)
    asked = [grid.name.rpartition(" › ")[2] for grid, header in hidden if header]
    if asked:
        raise InputError("input.hidden_sheet", file=name, sheets=", ".join(asked))
    if hidden and not heads:
        raise InputError("input.no_sheets", file=name)
    raise columns.wrong_columns(name, heads, settings, stages, rules)


def _read(grid: Grid, header: Header, ledger: Ledger) -> RawTable:
    keys, indexes = list(header.columns), list(header.columns.values())
    numbers, cells = grid.body(header.skip, [*indexes, min(indexes), 0])
    by_key = dict(zip(keys, cells, strict=False))
    kept = ~_blank_rows(by_key, cells[-1])
    if not kept.all():
        numbers, by_key, cells = numbers[kept], {k: c[kept] for k, c in by_key.items()}, [c[kept] for c in cells]
    if not len(numbers):
        raise InputError("input.no_rows", file=grid.name, header=header.skip)
    positions = ledger.open(grid.name, numbers)
    if grid.is_guessed:
        ledger.remark(IssueCode.ASSUMED_ENCODING, grid.name, grid.how)
    first = np.where(cells[-1] == "", cells[-2], cells[-1])
    return RawTable(grid.name, grid.how, header.rule.shape, header.names, by_key, positions, grid.epoch_1904, first)


def _blank_rows(cells: dict[str, Cells], first: Cells) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Rows with nothing but blanks in the first column and in every recognised one."""
    blank = texts(first)[0] == ""
    for column in cells.values():
        if not blank.any():
            break
        blank = blank & (texts(column)[0] == "")
    return np.asarray(blank, dtype=bool)


def common(table: RawTable, ledger: Ledger) -> pd.DataFrame:
    """What every shape of opportunities has, indexed by position: opportunity_id, region, owner, amount_cents.

    Totals are refused, texts cleaned, amounts read; rows of aggregates have no id and are not refused for that.
    """
    _refuse_totals(table, ledger)
    frame = pd.DataFrame(index=pd.Index(table.positions))
    original = np.full(len(frame), None, dtype=object)
    for name in (*_NAMES, Field.STAGE):
        values, dirty = texts(table.column(name))
        if name in _NAMES:
            frame[str(name)] = pd.Series(values, index=frame.index, dtype=object)
        fresh = dirty & pd.isna(original)
        original[fresh] = table.column(name)[fresh]
    cleaned = ~pd.isna(original) & ledger.used(table.positions)
    ledger.repair(IssueCode.CLEANED_TEXT, table.positions[cleaned], original[cleaned])
    if table.shape != Shape.AGGREGATED:
        missing = (frame[Col.OPPORTUNITY] == "").to_numpy()
        ledger.refuse(IssueCode.MISSING_ID, table.positions[missing], table.first[missing])
    cells = table.column(Field.AMOUNT)
    cents, bad = amounts.cents(cells, table.headers.get(Field.AMOUNT, ""))
    bad = bad & ledger.used(table.positions)
    ledger.note(IssueCode.BAD_AMOUNT, table.positions[bad], cells[bad])
    frame[Col.AMOUNT_CENTS.value] = cents.set_axis(frame.index)
    return frame


def moments(table: RawTable, keys: Sequence[str], order: tuple[tuple[str, str], ...] = ()) -> dict[str, dates.Seconds]:
    """The date columns `keys` in seconds (all BLANK where the table lacks one). Raises InputError ambiguous_dates."""
    present = {k: table.cells[k] for k in keys if k in table.cells}
    found, undecided = dates.moments(present, table.epoch_1904, order)
    if undecided:
        column = table.headers[undecided.column]
        raise InputError("input.ambiguous_dates", file=table.name, column=column, example=undecided.example)
    nothing = np.full(len(table.positions), dates.BLANK, dtype=np.int64)
    return {k: found.get(k, nothing) for k in keys}


def _refuse_totals(table: RawTable, ledger: Ledger) -> None:
    is_total = np.zeros(len(table.positions), dtype=bool)
    shown = np.full(len(table.positions), "", dtype=object)
    id_blank = texts(table.column(Field.OPPORTUNITY))[0] == ""
    for key, cells in [*((k, table.column(k)) for k in _LABELS), ("", table.first)]:
        codes, uniques = factorized(cells)
        hit = np.array([_is_total(plain(u)) for u in uniques] + [False], dtype=bool).take(codes)
        if not key:
            hit = hit & id_blank
        fresh = hit & ~is_total
        shown[fresh] = cells[fresh]
        is_total |= fresh
    ledger.refuse(IssueCode.TOTAL_ROW, table.positions[is_total], shown[is_total])


def _is_total(text: str) -> bool:
    """Whether a label says total; none ends in a digit, as most ids do."""
    return not text[-1:].isdigit() and fold(text) in aliases.TOTALS
