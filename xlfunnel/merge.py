"""Rows of several workbooks as one: no opportunity counted twice, nothing typed lost, every doubt named."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from xlfunnel.entered import Entered, Entry
from xlfunnel.pages import TABLES
from xlfunnel.pages.model import Table
from xlfunnel.settings import LANGUAGES
from xlfunnel.strings import words
from xlfunnel.terms import Col

_KEY, _VISIT, _IN, _OUT = Col.OPPORTUNITY.value, Col.VISIT.value, Col.ENTERED_DAY.value, Col.LEFT_DAY.value
REGION = Col.REGION.value
"""The column of a table that says whose a row is."""

_NEVER = np.iinfo(np.int64).max
_FILE = "file"


class Shared(NamedTuple):
    """An opportunity id that came in several files, by their positions."""

    opportunity_id: str
    files: tuple[int, ...]


@dataclass(frozen=True)
class MergedVisits:
    """The visits of several files together.

    visits     canonical, those of an opportunity numbered anew in order of time
    repeated   the very same rows came in several files; they are there once
    moved      an opportunity's visits lie in several files, one after the other in time: it changed regions
    conflicts  several files say that it stood here and there at the same time, so at most one can be right. None of its
               rows are in `visits`
    holder     of an id that came in several files: the file that its last visit is from
    """

    visits: pd.DataFrame
    repeated: tuple[Shared, ...]
    moved: tuple[Shared, ...]
    conflicts: tuple[Shared, ...]
    holder: Mapping[str, int]


class Added(NamedTuple):
    """Rows that one file has in a table of everybody's, such as the remedies, and most files have not."""

    table: str
    file: int
    rows: int


class Collision(NamedTuple):
    """Typed differently beside one key in two files (positions): which was kept in its row, and what was not."""

    key: str
    kept: int
    dropped: int
    entries: tuple[Entry, ...]


def merged_visits(frames: Sequence[pd.DataFrame]) -> MergedVisits:
    """The canonical frames of several files as one, sorted as each is."""
    every = pd.concat([f.assign(**{_FILE: i}) for i, f in enumerate(frames)], ignore_index=True)
    files_of = every.groupby(_KEY)[_FILE].nunique()
    doubled = every[_KEY].isin(files_of.index[files_of > 1])
    found: dict[str, list[Shared]] = defaultdict(list)
    whole = [every[~doubled]]
    for key, rows in every[doubled].groupby(_KEY, sort=True):
        kind, files, kept = _one_opportunity(rows)
        found[kind].append(Shared(str(key), files))
        whole += [kept] if kept is not None else []
    merged = pd.concat(whole).drop(columns=_FILE).sort_values([_KEY, _VISIT], ignore_index=True)
    return MergedVisits(
        merged.astype(frames[0].dtypes.to_dict()),
        repeated=tuple(found["repeated"]),
        moved=tuple(found["moved"]),
        conflicts=tuple(found["conflicts"]),
        holder={str(rows[_KEY].iloc[-1]): int(rows[_FILE].iloc[-1]) for rows in whole[1:]},
    )


def _one_opportunity(rows: pd.DataFrame) -> tuple[str, tuple[int, ...], pd.DataFrame | None]:
    """What the rows of one id in several files are, in which files they stand, and the rows to keep."""
    files = tuple(dict.fromkeys(rows[_FILE].tolist()))
    says = [c for c in rows if c not in (_VISIT, _FILE)]
    once = rows[~rows[says].astype(object).where(rows[says].notna(), None).duplicated()]
    kind = "moved" if once[_FILE].nunique() > 1 else "repeated"
    entered = once[_IN].to_numpy(dtype=np.int64)
    left = once[_OUT].fillna(_NEVER).to_numpy(dtype=np.int64)
    order = np.lexsort((once[_VISIT].to_numpy(dtype=np.int64), once[_FILE].to_numpy(), left, entered))
    once, entered, left = once.iloc[order], entered[order], left[order]
    of = once[_FILE].to_numpy()
    latest: dict[int, int] = {}
    for file, start, end in zip(of, entered, left, strict=True):
        if any(other != file and until > start for other, until in latest.items()):
            return "conflicts", files, None
        latest[file] = max(end, latest.get(file, end))
    numbered = pd.array(np.arange(1, len(once) + 1), dtype="Int64")
    return kind, files, once.assign(**{_VISIT: numbered})


class MergedEntered(NamedTuple):
    """What was typed into several workbooks, as one; what loses against another file is in `entered.apart`."""

    entered: Entered
    collisions: tuple[Collision, ...]
    added: tuple[Added, ...]


def merged_entered(entered: Sequence[Entered], holder: Mapping[str, int], language: str) -> MergedEntered:
    """One row a key: of tables without one, what most files have, and below it what others have besides.

    holder    as in `MergedVisits`: of two files that typed beside an opportunity, that one is kept. Of two about
              anything else the first is. Cells that only one of them filled are kept from either
    language  in which the rows that a template brings along are wanted; a table of these alone is left out
    """
    tables: dict[str, pd.DataFrame] = {}
    collisions: list[Collision] = []
    added: list[Added] = []
    apart = [entry for e in entered for entry in e.apart]
    for table in TABLES.values():
        frames = [(i, e.tables[table.short]) for i, e in enumerate(entered) if table.short in e.tables]
        if not frames or any(c.choices for c in table.columns):  # choosing what a sheet shows is nobody's answer
            continue
        columns = list(dict.fromkeys(c for _, frame in frames for c in frame.columns))
        every = [(i, frame.to_dict("records")) for i, frame in frames]
        if table.key and table.key in columns:
            kept, lost = _merged_rows(table, [(i, row) for i, rows in every for row in rows], holder)
            collisions += lost
        else:
            kept, more = _merged_lists(table, every, columns, language)
            added += more
        if kept:
            rows = [[_filled(row.get(c)) for c in columns] for row in kept]
            tables[table.short] = pd.DataFrame(rows, columns=columns, dtype=object)
    apart += [entry for c in collisions for entry in c.entries]
    return MergedEntered(Entered(tables, tuple(dict.fromkeys(apart))), tuple(collisions), tuple(added))


def _merged_lists(
    table: Table, every: Sequence[tuple[int, list[dict[Any, Any]]]], columns: Sequence[str], language: str
) -> tuple[list[dict[Any, Any]], list[Added]]:
    """Rows of a table without keys; nothing if they are just those that the template brings along."""
    built_in = {lang: [_row(r) for r in _built_in(table, lang, columns)] for lang in LANGUAGES}
    same = {row: ours for rows in built_in.values() for row, ours in zip(rows, built_in[language], strict=True)}
    lists = [(i, [_row(row.get(c) for c in columns) for row in rows]) for i, rows in every]
    lists = [(i, [same.get(row, row) for row in rows]) for i, rows in lists]
    versions = [tuple(rows) for _, rows in lists]
    found = dict.fromkeys(Counter(versions).most_common(1)[0][0])
    added = []
    for i, rows in lists:
        more = [r for r in dict.fromkeys(rows) if r not in found]
        found |= dict.fromkeys(more)
        added += [Added(table.short, i, len(more))] if more else []
    if list(found) == built_in[language]:
        return [], []
    return [dict(zip(columns, row, strict=True)) for row in found], added


def _built_in(table: Table, language: str, columns: Sequence[str]) -> list[list[Any]]:
    """The rows that a template of a language brings along, as they are read back."""
    say = words(language)
    lists = {c.key for c in table.columns if c.choice and c.choice.kind == "list"}
    keys = [c.key for c in table.columns]

    def read(key: str, value: Any) -> Any:
        if not isinstance(value, str) or not say.has(value):
            return value
        return value.rpartition(".")[2] if key in lists else say(value)

    rows = [dict(zip(keys, row, strict=True)) for row in table.defaults]
    return [[read(c, row.get(c)) for c in columns] for row in rows]


def _row(values: Iterable[Any]) -> tuple[Any, ...]:
    return tuple(_filled(v) for v in values)


def _merged_rows(
    table: Table, rows: Iterable[tuple[int, dict[Any, Any]]], holder: Mapping[str, int]
) -> tuple[list[dict[Any, Any]], list[Collision]]:
    carried = {c.key for c in table.columns if c.kept}  # what a report wrote there is nobody's answer
    together: dict[str, list[tuple[int, dict[Any, Any]]]] = defaultdict(list)
    for file, row in rows:
        together[str(row[table.key])].append((file, row))
    kept, collisions = [], []
    for key, found in together.items():
        first = holder.get(key, found[0][0]) if table.key == _KEY else found[0][0]
        found.sort(key=lambda pair: pair[0] != first)
        best = dict(found[0][1])
        for file, row in found[1:]:
            said = {c: _filled(v) for c, v in row.items() if c != table.key}
            own = {c: v for c, v in said.items() if v is not None and c not in carried}
            lost = [Entry(table.short, key, c, v) for c, v in own.items() if _beaten(v, best.get(c))]
            if lost:
                collisions.append(Collision(key, found[0][0], file, tuple(lost)))
            best |= {c: v for c, v in said.items() if _filled(best.get(c)) is None}
        kept.append(best)
    return kept, collisions


def _beaten(value: object, by: object) -> bool:
    return _filled(by) is not None and value != by


def _filled(value: Any) -> Any:
    """None for what a frame of unequal rows has filled up."""
    return None if value is None or value == "" or (isinstance(value, float) and value != value) else value


def entered_of_region(entered: Entered, holder: Mapping[str, str], owners: Mapping[str, str], region: str) -> Entered:
    """What was typed that is one region's own: beside its opportunities, or beside rows that are its own.

    holder  opportunity id → the region that holds it now
    owners  "table key" → the region of a row of a table that says whose its rows are (`says_region`)
    What belongs to no region, a table without a column that says so, is everybody's, as a setting is.
    """
    tables = {t.short: t for t in TABLES.values()}

    def is_own(name: str, key: str) -> bool:
        table = tables.get(name)
        if table is not None and table.key == _KEY:
            return holder.get(key) == region
        if table is not None and says_region(table):
            return owners.get(f"{name} {key}") == region
        return table is not None

    own = {}
    for name, frame in entered.tables.items():
        key = tables[name].key
        mine = [is_own(name, str(k)) for k in frame[key]] if key in frame else [is_own(name, "")] * len(frame)
        own[name] = frame[pd.Series(mine, index=frame.index, dtype=bool)].reset_index(drop=True)
    return Entered(own, tuple(e for e in entered.apart if is_own(e.table, e.key)))


def says_region(table: Table) -> bool:
    """True if users type beside rows that are no opportunities and have a column that says whose they are: plans."""
    return table.key not in ("", _KEY) and any(c.key == REGION for c in table.columns)


def holders(visits: pd.DataFrame) -> dict[str, str]:
    """Opportunity id → the region of its last visit."""
    last = visits.drop_duplicates(_KEY, keep="last")
    return dict(zip(last[_KEY], last[Col.REGION.value], strict=True))
