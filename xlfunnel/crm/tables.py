"""One table of one file: found, its columns recognised, its cells picked out and its texts cleaned."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations, product

import numpy as np
import pandas as pd

from xlfunnel.crm import aliases, amounts, columns, dates
from xlfunnel.crm.columns import Header
from xlfunnel.crm.day_month import Decision, decisions
from xlfunnel.crm.grid import Grid
from xlfunnel.crm.intake import Source
from xlfunnel.crm.ledger import Ledger, Positions
from xlfunnel.crm.read import grids
from xlfunnel.crm.shapes import RULES, Rule
from xlfunnel.crm.stages import UNKNOWN, StageNames
from xlfunnel.crm.text import Cells, factorized, fold, plain, texts
from xlfunnel.errors import InputError
from xlfunnel.settings import Settings
from xlfunnel.terms import OUTCOMES, STAGES, Col, Field, IssueCode, Outcome, Shape

_LABELS = (Field.OPPORTUNITY, Field.OWNER, Field.REGION, Field.STAGE, Field.MONTH)
_YES = ("true", "yes", "1", "是", "y")
_NAMES = (Field.OPPORTUNITY, Field.REGION, Field.OWNER)

_DATES = (aliases.SNAPSHOT, Field.CREATED, Field.ENTERED, Field.LEFT, *STAGES, *OUTCOMES, Field.CLOSED)
_ORDERS = {"day_first": False, "month_first": True}
_IN_TIME = (
    (Field.ENTERED, Field.LEFT), (Field.CREATED, Field.ENTERED), (Field.CREATED, Field.CLOSED),
    (Field.ENTERED, Field.CLOSED), *combinations(STAGES, 2), *product((Field.CREATED, *STAGES), OUTCOMES),
    *product(STAGES, [Field.CLOSED]), *product([Field.CREATED], STAGES),
)  # fmt: skip
"""Columns of which the first is never later than the second."""


@dataclass(frozen=True)
class RawTable:
    """The recognised columns of one table as cells.

    cells      field or stage code -> cells of its column, one per row that is not blank
    positions  of those rows in the ledger
    orders     of day and month in the date columns that need it
    unused     headers of columns that nothing was taken from
    """

    name: str
    how: str
    shape: Shape
    headers: dict[str, str]
    cells: dict[str, Cells]
    positions: Positions
    epoch_1904: bool
    first: Cells = field(repr=False)
    orders: Mapping[str, Decision] = field(default_factory=dict)
    unused: tuple[str, ...] = ()

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
            return _read(grid, header, settings, ledger, stages)
        if header and second is None:
            second = (grid, header)
    if second:
        return _read(*second, settings, ledger, stages)
    asked = [grid.name.rpartition(" › ")[2] for grid, header in hidden if header]
    if asked:
        raise InputError("input.hidden_sheet", file=name, sheets=", ".join(asked))
    if hidden and not heads:
        raise InputError("input.no_sheets", file=name)
    raise columns.wrong_columns(name, heads, settings, stages, rules)


def _read(grid: Grid, header: Header, settings: Settings, ledger: Ledger, stages: StageNames) -> RawTable:
    keys, indexes = list(header.columns), list(header.columns.values())
    further = [i for more in header.more.values() for i in more]
    numbers, cells = grid.body(header.skip, [*indexes, *further, min(indexes), 0])
    by_key = dict(zip(keys, cells, strict=False))
    pairs = [key for key, indexes in header.more.items() for _ in indexes]
    for key, extra in zip(pairs, cells[len(keys) :], strict=False):
        by_key[key] = np.where(texts(by_key[key])[0] == "", extra, by_key[key])
    first, zero = cells[-2], cells[-1]
    kept = ~_blank_rows(by_key, zero)
    about, others = _about_stage(grid, header, by_key, stages)
    by_key |= _creations(header, by_key)
    kept &= about
    if not kept.all():
        numbers, by_key = numbers[kept], {k: c[kept] for k, c in by_key.items()}
        first, zero = first[kept], zero[kept]
    if not len(numbers):
        raise InputError("input.no_rows", file=grid.name, header=header.skip)
    nobody = np.full(len(numbers), None, dtype=object)
    positions = ledger.open(grid.name, numbers, by_key.get(Field.OPPORTUNITY, nobody))
    if grid.is_guessed:
        ledger.remark(IssueCode.ASSUMED_ENCODING, grid.name, grid.how)
    if others:
        ledger.remark(IssueCode.OTHER_PROPERTY, grid.name, others)
    for name in header.loose:
        ledger.remark(IssueCode.UNMAPPED_COLUMN, grid.name, name)
    if first is not zero:
        first = np.where(zero == "", first, zero)
    how = f"{grid.how} · {header.dialect.name}" if header.dialect else grid.how
    dated = {k: by_key[k] for k in _DATES if k in by_key and header.rule.shape != Shape.AGGREGATED}
    orders = decisions(dated, _IN_TIME, header.names, _ORDERS.get(settings.date_order))
    for key, decision in orders.items():
        if decision.evidence and decision.example and key in header.names:
            ledger.remark(IssueCode.DATE_ORDER, grid.name, f"{header.names[key]}: {decision.evidence}")
    return RawTable(
        grid.name,
        how,
        header.rule.shape,
        header.names,
        by_key,
        positions,
        grid.epoch_1904,
        first,
        orders,
        header.unused,
    )


def _about_stage(
    grid: Grid, header: Header, cells: dict[str, Cells], stages: StageNames
) -> tuple[np.ndarray[tuple[int], np.dtype[np.bool_]], str]:
    """Which rows of a table of changes are about the stage, and how many are about what else.

    They are told by the property's name; where no name is known, a property most of whose values are stages is one.
    Raises InputError no_stage_rows if none is.
    """
    everything = np.ones(len(next(iter(cells.values()))), dtype=bool)
    if header.dialect is None or not header.dialect.property or aliases.PROPERTY not in cells:
        return everything, ""
    names, values = texts(cells[aliases.PROPERTY])[0], texts(cells[Field.STAGE])[0]
    known = set(header.dialect.property)
    folded = {n: fold(str(n)) for n in dict.fromkeys(names)}
    if known.isdisjoint(folded.values()):
        for name, key in folded.items():
            told = [stages(v) for v in dict.fromkeys(values[names == name]) if v]
            if told and 2 * sum(t != UNKNOWN for t in told) > len(told):
                known.add(key)
    about = np.array([folded[n] in known for n in names], dtype=bool)
    counts = Counter(names[~about].tolist())
    shown = ", ".join(f"{name or '-'} {times}" for name, times in counts.most_common(8))
    if not about.any() and len(about):
        raise InputError("input.no_stage_rows", file=grid.name, found=shown)
    return about, shown


def _creations(header: Header, cells: dict[str, Cells]) -> dict[str, Cells]:
    """The column of creations that a table of changes tells in rows of their own, if it does."""
    if header.dialect is None or aliases.PROPERTY not in cells or Field.CREATED in cells:
        return {}
    ids, names = texts(cells[Field.OPPORTUNITY])[0], texts(cells[aliases.PROPERTY])[0]
    told = {n for n in dict.fromkeys(names) if fold(str(n)) in header.dialect.creation}
    rows = np.flatnonzero([n in told for n in names])
    days = dict(zip(ids[rows], cells[Field.ENTERED][rows], strict=True))
    return {Field.CREATED: np.array([days.get(i) for i in ids], dtype=object)} if days else {}


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
        if dirty.any():
            fresh = dirty & pd.isna(original)
            original[fresh] = table.column(name)[fresh]
    cleaned = ~pd.isna(original) & ledger.used(table.positions)
    ledger.repair(IssueCode.CLEANED_TEXT, table.positions[cleaned], original[cleaned])
    if table.shape != Shape.AGGREGATED:
        missing = (frame[Col.OPPORTUNITY] == "").to_numpy()
        ledger.refuse(IssueCode.MISSING_ID, table.positions[missing], table.first[missing])
    cells = _amounts(table, ledger)
    cents, bad = amounts.cents(cells, table.headers.get(Field.AMOUNT, ""))
    bad = bad & ledger.used(table.positions)
    ledger.note(IssueCode.BAD_AMOUNT, table.positions[bad], cells[bad])
    frame[Col.AMOUNT_CENTS.value] = cents.set_axis(frame.index)
    return frame


def _amounts(table: RawTable, ledger: Ledger) -> Cells:
    """The cells of the amount column, whose decimals are remarked upon where they had to be told; none of a column of
    percentages, which is named once."""
    cells = table.column(Field.AMOUNT)
    if Field.AMOUNT in table.cells and amounts.is_share(cells):
        ledger.remark(IssueCode.PERCENT_COLUMN, table.name, table.headers[Field.AMOUNT])
        return np.full(len(cells), None, dtype=object)
    if (mark := amounts.mark(cells)) is not None:
        ledger.remark(IssueCode.DECIMAL_MARK, table.name, f"{table.headers[Field.AMOUNT]}: {mark}")
    return cells


def outcomes(table: RawTable) -> Cells:
    """ "won" or "lost" where the row says so beside its stage (status, is won, is closed), "open" where it says that it
    is not closed, else ""."""
    said = StageNames(Settings(), aliases.ENDS).column(table.column(Field.NEXT_STAGE))
    outcome = np.where(np.isin(said, (*OUTCOMES, Outcome.OPEN)), said, "").astype(object)
    if aliases.IS_WON in table.cells:
        won, closed = (
            np.array([fold(str(v)) in _YES for v in texts(table.column(key))[0]], dtype=bool)
            for key in (aliases.IS_WON, aliases.IS_CLOSED)
        )
        outcome = np.where(outcome != "", outcome, np.where(won, Outcome.WON, np.where(closed, Outcome.LOST, "")))
    return outcome.astype(object)


def moments(table: RawTable, keys: Sequence[str]) -> dict[str, dates.Seconds]:
    """The date columns `keys` in seconds (all BLANK where the table lacks one).

    Raises InputError ambiguous_dates, mixed_dates.
    """
    found = {}
    for key in keys:
        if key not in table.cells:
            found[key] = np.full(len(table.positions), dates.BLANK, dtype=np.int64)
            continue
        decision = table.orders.get(key, Decision(True))
        if decision.month_first is None:
            code = "input.mixed_dates" if decision.is_mixed else "input.ambiguous_dates"
            # Days of creation may have no column of their own: they stand among the changes.
            column = table.headers.get(key) or table.headers[Field.ENTERED]
            raise InputError(code, file=table.name, column=column, example=decision.example)
        found[key] = dates.moments(table.cells[key], table.epoch_1904, decision.month_first)
    return found


def _refuse_totals(table: RawTable, ledger: Ledger) -> None:
    totals = np.zeros(len(table.positions), dtype=bool)
    shown = np.full(len(table.positions), "", dtype=object)
    labels = [table.cells[key] for key in _LABELS if key in table.cells]
    parts = [(cells, np.True_) for cells in labels]
    if all(table.first is not cells for cells in labels):
        parts.append((table.first, texts(table.column(Field.OPPORTUNITY))[0] == ""))
    for cells, where in parts:
        hit = _totals(cells) & where
        fresh = hit & ~totals
        shown[fresh] = cells[fresh]
        totals |= fresh
    ledger.refuse(IssueCode.TOTAL_ROW, table.positions[totals], shown[totals])


def _totals(cells: Cells) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Where a column holds labels of totals; none ends in a digit, as most ids do."""
    codes, uniques = factorized(cells)
    labels = [i for i, u in enumerate(uniques) if not (isinstance(u, str) and u[-1:].isdigit())]
    hit = np.zeros(len(uniques) + 1, dtype=bool)
    hit[[i for i in labels if is_total(uniques[i])]] = True
    return hit.take(codes)


def is_total(cell: object) -> bool:
    """True for a label of totals."""
    return fold(plain(cell)) in aliases.TOTALS
