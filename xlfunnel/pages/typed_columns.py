"""What users typed, in a report: beside the rows of its keys where no sink puts it, the rest where it is kept."""

from collections.abc import Iterator, Mapping
from datetime import datetime

import pandas as pd

from xlfunnel.entered import Entered, Entry
from xlfunnel.pages.model import Column, Table
from xlfunnel.pages.phrases import Phrases


def with_entered(frame: pd.DataFrame, table: Table, entered: Entered, say: Phrases, *, every: bool) -> pd.DataFrame:
    """The frame with columns in which users type, each value beside the row of its key.

    every  True: all of them, for a workbook that does not hold them yet. Otherwise a sink keeps what stands beside its
           row, as it was typed; only columns in which something comes back from where it was kept, or is to be mended,
           are written anew
    """
    own = own_columns(table, frame)
    if own and not every:
        keys = set(frame[table.key])
        typed = _typed(table, entered)
        back = {e.column for e in entered.apart if e.table == table.short and e.key in keys and _is_there(e, typed)}
        back |= {c for t, c in entered.mended if t == table.short}
        own = {c: column for c, column in own.items() if c in back}
    if not own:
        return frame
    beside = entered.beside(table.short, table.key, frame[table.key], tuple(own))
    worded = {c: [_worded(v, column, say) for v in beside[c]] for c, column in own.items()}
    return frame.assign(**{c: pd.Series(v, index=frame.index, dtype=object) for c, v in worded.items()})


def without_row(
    frames: Mapping[str, pd.DataFrame], tables: Mapping[str, Table], entered: Entered
) -> list[tuple[Entry, Column | None]]:
    """What has no place in these frames, table by table; None for a column that no table of ours has."""
    found: list[tuple[Entry, Column | None]] = []
    done = set()
    for name, frame in frames.items():
        table = tables[name]
        own = own_columns(table, frame)
        if not own:
            continue
        done.add(table.short)
        keys, typed = set(frame[table.key]), _typed(table, entered)
        left = [Entry(table.short, k, c, v) for (k, c), v in typed.items() if k not in keys]
        left += [e for e in entered.apart if e.table == table.short and not _is_there(e, typed)]
        found += [(e, own.get(e.column)) for e in left]
    others = (e for e in entered.apart if e.table not in done)
    known = {(t.short, c.key): c for t in tables.values() for c in t.columns}
    return [*found, *((e, known.get((e.table, e.column))) for e in others)]


def shown(entry: Entry, column: Column | None, say: Phrases) -> object:
    """The value of an entry as it is kept: choices in words, days as text, for the cell may hold anything."""
    value = _worded(entry.value, column, say)
    return value.date().isoformat() if isinstance(value, datetime) else value


def own_columns(table: Table, frame: pd.DataFrame) -> dict[str, Column]:
    """The columns of a table that are the user's own and follow a key, but those that the frame brings along."""
    if not table.key or any(c.typed and c.key == table.key for c in table.columns):
        return {}
    return {c.key: c for c in table.columns if c.typed and c.key not in frame}


def _typed(table: Table, entered: Entered) -> dict[tuple[str, str], object]:
    """(key, column) -> what was typed."""
    return dict(_cells(table, entered.tables.get(table.short, pd.DataFrame())))


def _cells(table: Table, frame: pd.DataFrame) -> Iterator[tuple[tuple[str, str], object]]:
    columns = [c for c in frame.columns if c != table.key]
    if table.key in frame:
        for i, key in enumerate(frame[table.key]):
            for column in columns:
                value = frame[column].iat[i]
                if value is not None:
                    yield (key, column), value


def _is_there(entry: Entry, typed: Mapping[tuple[str, str], object]) -> bool:
    return typed.get((entry.key, entry.column)) == entry.value


def _worded(value: object, column: Column | None, say: Phrases) -> object:
    """A choice by its word in this language; anything else as it is."""
    choice = column.choice if column else None
    if choice is None or choice.kind != "list" or not isinstance(value, str):
        return value
    names = {o.rpartition(".")[2]: o for o in choice.options if "." in o}
    return say(names[value]) if value in names else value
