"""What users typed into a workbook: scores, plans, reasons, remedies. Data of their own, beside what was computed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import pandas as pd


class Entry(NamedTuple):
    """One thing that was typed.

    table, column  codes: "opportunities", "urgency"
    key            of the row beside which it was typed
    value          text, number, datetime; of a drop-down the code of the choice, whichever language it was made in
    """

    table: str
    key: str
    column: str
    value: object


@dataclass(frozen=True)
class Entered:
    """All that was typed, wherever it stands in the workbook.

    tables  table without its prefix ("opportunities") -> frame of objects whose columns are column keys: what
            identifies a row and what was typed; None where a cell is empty. A row a key where the table has one, those
            that have no row of their own any more included. A table that the workbook does not have is not there
            either
    apart   what does not stand in the row of its key, or stands there a second time otherwise: in `tables` too only if
            nothing else was typed for that key and column
    cells   what stands in named cells that are the user's but no settings, without "cfg_": "rep" -> whose card is
            shown; None = empty, or not there
    mended  (table, column) that hold a number or a date typed as text; in `tables` it is what it means
    """

    tables: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    apart: tuple[Entry, ...] = ()
    mended: frozenset[tuple[str, str]] = frozenset()
    cells: Mapping[str, str | None] = field(default_factory=dict)

    def frame(self, table: str, columns: tuple[str, ...]) -> pd.DataFrame:
        """These columns of a table, None where it does not have them; no rows if there is no such table."""
        found = self.tables.get(table, pd.DataFrame())
        return pd.DataFrame(
            {c: found[c] if c in found else pd.Series([None] * len(found), dtype=object) for c in columns},
            columns=list(columns),
            dtype=object,
        )

    def beside(self, table: str, key: str, rows: Iterable[str], columns: tuple[str, ...]) -> pd.DataFrame:
        """What was typed beside rows of these keys: a row each, in their order; None where nothing was."""
        wanted = pd.Index(list(rows), dtype=object)
        found = self.frame(table, (key, *columns)).drop_duplicates(key).set_index(key)
        picked = found.reindex(wanted).astype(object)
        return picked.where(picked.notna(), None).reset_index(drop=True)


def by_key(table: str, key: str, typed: pd.DataFrame, apart: Iterable[Entry]) -> tuple[pd.DataFrame, list[Entry]]:
    """One row a key: for each column what was typed first, and only then what is kept apart; and what stays apart.

    typed  frame of keys (text, or None) and typed columns, as they stand in the workbook; rows without a key drop out
    apart  entries of that table that stand elsewhere
    """
    columns = [c for c in typed.columns if c != key]
    cells: dict[tuple[str, str], object] = {}
    keys: dict[str, None] = {}
    others: list[Entry] = []
    for name, *values in typed[[key, *columns]].itertuples(index=False, name=None):
        if name is None:
            continue
        entries = [Entry(table, name, c, v) for c, v in zip(columns, values, strict=True) if v is not None]
        if name in keys:
            others += entries  # a second row of one key: what is beside it stands as if elsewhere
        else:
            keys[name] = None
            cells |= {(e.key, e.column): e.value for e in entries}
    beside_rows = dict(cells)
    left = []
    for entry in dict.fromkeys((*others, *apart)):
        at = (entry.key, entry.column)
        keys[entry.key] = None
        cells.setdefault(at, entry.value)
        if at not in beside_rows or beside_rows[at] != entry.value:
            left.append(entry)
    every = [*columns, *dict.fromkeys(e.column for e in left if e.column not in columns)]
    frame = pd.DataFrame(
        {key: list(keys), **{c: [cells.get((k, c)) for k in keys] for c in every}},
        columns=[key, *every],
        dtype=object,
    )
    return frame, left
