"""Is 3/4/2025 in April or in March? Decided from whole columns, with the evidence; never guessed."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from xlfunnel.crm.dates import BAD, BLANK, Seconds, Slashed, moment
from xlfunnel.crm.text import Cells, factorized

_STRAYS = 0.02
"""Share of dates that fit only the other reading, up to which they are typing errors and not a second order."""


class Decision(NamedTuple):
    """How the slashed dates of one column are read.

    month_first  True for 6/30/2025, False for 30/6/2025, None = nobody can know
    evidence     what decided it, as "D/M ← 30/6/2025"; "" where all dates are the same either way
    example      a date that could be read either way; "" = there is none
    is_mixed     some dates fit one reading only and some the other
    """

    month_first: bool | None
    evidence: str = ""
    example: str = ""
    is_mixed: bool = False


class _Column(NamedTuple):
    codes: np.ndarray[tuple[int], np.dtype[np.intp]]
    found: list[int | Slashed]
    open: list[tuple[str, Slashed]]
    month: list[str]
    day: list[str]


def decisions(
    columns: Mapping[str, Cells],
    pairs: Sequence[tuple[str, str]],
    headers: Mapping[str, str],
    chosen: bool | None = None,
) -> dict[str, Decision]:
    """A decision for each column that has slashed dates. In this order:

    1. a part above 12 in the column itself: 30/6/2025 can only be day/month;
    2. `chosen`, whether the settings say that the month comes first: for columns that the first rule leaves open, and
       for those in which it finds both orders (their other dates are then no dates);
    3. order in time: `pairs` are columns of which the first is never later than the second; the reading under which
       (nearly) no row contradicts that, while under the other rows do;
    4. the columns of the same table that are decided, if they agree. `headers` are what the evidence calls them.
    """
    read = {name: column for name, cells in columns.items() if (column := _read(cells)) is not None}
    made = {name: _by_parts(column) for name, column in read.items()}
    if chosen is not None:
        said = f"{_shown(chosen)} ← date_order"
        made |= {n: Decision(chosen, said, d.example) for n, d in made.items() if d.month_first is None}
    unsure = [name for name, decision in made.items() if decision.month_first is None and not decision.is_mixed]
    if unsure and not _by_order(unsure, made, read, columns, pairs):
        known = {n: d.month_first for n, d in made.items() if d.month_first is not None and d.evidence}
        if len(set(known.values())) == 1:
            name, month_first = next(iter(known.items()))
            evidence = f"{_shown(bool(month_first))} ← {headers.get(name, name)}"
            made |= {n: made[n]._replace(month_first=month_first, evidence=evidence) for n in unsure}
    return made


def _read(cells: Cells) -> _Column | None:
    """The slashed dates of a column; None if there are none."""
    codes, uniques = factorized(cells)
    if not any(isinstance(u, str) and not u[:4].isdigit() for u in uniques):
        return None
    found = [moment(u) for u in uniques]
    slashed = [(str(u).strip(), f) for u, f in zip(uniques, found, strict=True) if isinstance(f, Slashed)]
    if not slashed:
        return None
    month = [u for u, f in slashed if f.seconds(True) != BAD and f.seconds(False) == BAD]
    day = [u for u, f in slashed if f.seconds(False) != BAD and f.seconds(True) == BAD]
    both = [(u, f) for u, f in slashed if BAD not in (f.seconds(True), f.seconds(False))]
    return _Column(codes, found, [(u, f) for u, f in both if f.seconds(True) != f.seconds(False)], month, day)


def _by_parts(column: _Column) -> Decision:
    fewer, more = sorted((column.month, column.day), key=len)
    if more:
        if len(fewer) > max(1, _STRAYS * len(more)) or (fewer and len(fewer) == len(more)):
            return Decision(None, example=f"{column.month[0]}, {column.day[0]}", is_mixed=True)
        month_first = more is column.month
        example = column.open[0][0] if column.open else ""
        return Decision(month_first, f"{_shown(month_first)} ← {more[0]}", example)
    return Decision(None, example=column.open[0][0]) if column.open else Decision(True)


def _by_order(
    unsure: Sequence[str],
    made: dict[str, Decision],
    read: Mapping[str, _Column],
    columns: Mapping[str, Cells],
    pairs: Sequence[tuple[str, str]],
) -> bool:
    """Decide the columns `unsure` together, by rows in which a later date would stand before an earlier one."""
    wrong, example = {}, {}
    for month_first in (True, False):
        values = {n: _values(read.get(n), columns[n], made.get(n), month_first) for n in columns}
        wrong[month_first], example[month_first] = _contradictions(values, columns, pairs)
    best = min(wrong, key=lambda m: wrong[m])
    if wrong[not best] <= 3 * wrong[best]:
        return False
    evidence = f"{_shown(best)} ← {example[not best]} ({wrong[not best]} : {wrong[best]})"
    made |= {n: made[n]._replace(month_first=best, evidence=evidence) for n in unsure}
    return True


def _values(column: _Column | None, cells: Cells, decision: Decision | None, month_first: bool) -> Seconds:
    if column is None:
        codes, uniques = factorized(cells)
        read = [moment(u) for u in uniques]
    else:
        codes, read = column.codes, column.found
    if decision is not None and decision.month_first is not None:
        month_first = decision.month_first
    values = [f if isinstance(f, int) else f.seconds(month_first) for f in read]
    return np.take(np.array([*values, BLANK], dtype=np.int64), codes)


def _contradictions(
    values: Mapping[str, Seconds], columns: Mapping[str, Cells], pairs: Sequence[tuple[str, str]]
) -> tuple[int, str]:
    wrong, example = 0, ""
    for first, second in pairs:
        if first in values and second in values:
            a, b = values[first], values[second]
            rows = np.flatnonzero((a > BAD) & (b > BAD) & (a > b))
            if len(rows) and not example:
                example = f"{columns[first][rows[0]]} > {columns[second][rows[0]]}"
            wrong += len(rows)
    return wrong, example


def _shown(month_first: bool) -> str:
    return "M/D" if month_first else "D/M"
