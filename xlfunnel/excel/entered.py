"""What users typed into a workbook of ours, read back: by the words of either language, and as it was meant."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, time
from typing import Any

import pandas as pd

from xlfunnel.entered import Entered, Entry, by_key
from xlfunnel.errors import WorkbookError
from xlfunnel.excel.book import one_break
from xlfunnel.excel.cells import Plain, serial_date
from xlfunnel.excel.reader import Shown, Shows
from xlfunnel.excel.typed_columns import key_text
from xlfunnel.pages import PAGES, card, headers, kept
from xlfunnel.pages.model import Column, Table
from xlfunnel.settings import LANGUAGES
from xlfunnel.strings import words

_DATE = re.compile(r"(\d{4})[-/.\u5e74](\d{1,2})[-/.\u6708](\d{1,2})\u65e5?")
"""Year, month, day, also as Chinese writes them."""


def entered_shown(reader: Shows) -> Entered:
    """What users typed into a workbook, closed or open, and what is kept there without a row of its own.

    A table or a column that an older template does not have is left out. Keys are text; choices are codes, in whichever
    language they were made; a number or a date typed as text is one.
    """
    tables: dict[str, pd.DataFrame] = {}
    apart: list[Entry] = []
    mended: set[tuple[str, str]] = set()
    shown = reader.cell("cfg_language")
    language = shown if isinstance(shown, str) and shown in LANGUAGES else LANGUAGES[0]
    waiting: dict[str, list[Entry]] = defaultdict(list)
    for entry in _kept(reader):
        waiting[entry.table].append(entry)
    for table in (t for p in PAGES for t in p.tables):
        own = {c.key: c for c in table.columns if c.typed}
        has_key = bool(table.key) and table.key not in own
        here = [_with_meaning(e, own, reader) for e in waiting.pop(table.short, ())] if own and has_key else []
        try:
            typed = _typed(reader, table, own, [c.key for c in table.columns if c.kept]) if own else None
        except WorkbookError:
            typed = pd.DataFrame(columns=[table.key, *own], dtype=object) if here else None
        if typed is None:
            continue
        values = {n: [_meant(c, v, reader.date1904) for v in typed[n]] for n, c in own.items() if n in typed}
        mended |= {(table.short, n) for n, v in values.items() if _differ(typed[n], v, own[n], language)}
        meant = typed.assign(**{n: pd.Series(v, index=typed.index, dtype=object) for n, v in values.items()})
        if has_key and table.key in meant:
            meant, left = by_key(table.short, table.key, meant, here)
            apart += left
        tables[table.short] = meant
    rest = (e for entries in waiting.values() for e in entries)
    chosen = _blank_is_none(reader.cell(f"cfg_{card.CHOSEN}"))
    return Entered(tables, (*apart, *rest), frozenset(mended), {card.CHOSEN: None if chosen is None else str(chosen)})


def _typed(reader: Shows, table: Table, own: Mapping[str, Column], kept_columns: Sequence[str]) -> pd.DataFrame:
    """Key, as text, typed and kept columns of the rows in which something was typed. Raises WorkbookError."""
    shown = [one_break(h) for h in reader.headers(table.name)]
    rows = reader.rows(table.name)
    columns = {}
    for key in dict.fromkeys(filter(None, (table.key, *own, *kept_columns))):
        names = [one_break(headers(table, words(lang))[key]) for lang in LANGUAGES]
        at = next((shown.index(n) for n in names if n in shown), None)
        if at is not None:
            columns[key] = [_blank_is_none(row[at]) for row in rows]
    if table.key in columns and table.key not in own:
        columns[table.key] = [_key(v) for v in columns[table.key]]
    frame = pd.DataFrame(columns, dtype=object)
    filled = frame[[c for c in own if c in frame]].notna().any(axis=1)
    return frame[filled].reset_index(drop=True)


def _kept(reader: Shows) -> Iterator[Entry]:
    """What an earlier run kept without its row."""
    try:
        shown, rows = [one_break(h) for h in reader.headers(kept.TABLE.name)], reader.rows(kept.TABLE.name)
    except WorkbookError:
        return
    names = [headers(kept.TABLE, words(lang)) for lang in LANGUAGES]
    at = {c: next((shown.index(n[c]) for n in names if n[c] in shown), -1) for c in ("code", "key", "value")}
    if -1 in at.values():
        return
    for row in rows:
        table, _, column = str(row[at["code"]] or "").strip().partition(".")
        key, value = _key(row[at["key"]]), _blank_is_none(row[at["value"]])
        if column and key is not None and value is not None:
            yield Entry(table, key, column, value)


def _with_meaning(entry: Entry, own: Mapping[str, Column], reader: Shows) -> Entry:
    return entry._replace(value=_meant(own.get(entry.column), entry.value, reader.date1904))


def _meant(column: Column | None, value: Any, date1904: bool) -> Any:
    """What a user meant by what stands in a typed cell."""
    choice = column.choice if column else None
    if value is None or choice is None or isinstance(value, bool):
        return value
    if choice.kind == "date":
        found = day_meant(value, date1904)
        return datetime.combine(found, time()) if isinstance(found, date) and found is not value else value
    if choice.kind in ("integer", "decimal") and isinstance(value, str):
        try:
            number = float(value)
        except ValueError:
            return value
        return int(number) if number.is_integer() else number
    if choice.kind == "list" and isinstance(value, str):
        codes = {_plain(words(lang)(o)): o.rpartition(".")[2] for lang in LANGUAGES for o in choice.options if "." in o}
        return codes.get(_plain(value), value)
    return value


def _differ(shown: Iterable[object], meant: Iterable[Any], column: Column, language: str) -> bool:
    """True if something stands there otherwise than it is meant; a choice should stand in the workbook's own word."""
    options = column.choice.options if column.choice and column.choice.kind == "list" else ()
    own = {o.rpartition(".")[2]: words(language)(o) for o in options if "." in o}
    return any(a is not b and own.get(b) != a for a, b in zip(shown, meant, strict=True))


def _key(value: Shown) -> str | None:
    """What identifies a row, as text."""
    if isinstance(value, datetime):
        return value.date().isoformat()
    return key_text(value).strip() or None


def _blank_is_none(value: Shown) -> Shown:
    return None if isinstance(value, str) and not value.strip() else value


def _plain(text: str) -> str:
    return text.strip().casefold()


def day_meant(value: Plain | datetime, date1904: bool) -> object:
    """A date, however it was typed; anything else as it is."""
    if isinstance(value, str):
        found = _DATE.fullmatch(value.strip())
        try:
            return date(*(int(n) for n in found.groups())) if found else value
        except ValueError:
            return value
    if value is None or isinstance(value, bool | datetime):
        return value
    moment = serial_date(value, date1904)
    return moment.date() if moment else value
