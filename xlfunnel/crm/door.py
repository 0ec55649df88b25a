"""The way through the door: read every file, bring it to its form, join, account for all rows, and hand over."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from xlfunnel.calendar import date_of, day_number, month_end
from xlfunnel.crm import joins, lookups, snapshots, visits
from xlfunnel.crm.columns import STAGE_KEYS
from xlfunnel.crm.grid import Grid
from xlfunnel.crm.intake import Intake, Source, SourceSummary
from xlfunnel.crm.ledger import Ledger
from xlfunnel.crm.packed import expanded
from xlfunnel.crm.regions import Regions
from xlfunnel.crm.remarks import backwards, similar_owners
from xlfunnel.crm.shapes import HISTORY_RULES, LOOKUP, OPPORTUNITIES, RULES
from xlfunnel.crm.stages import UNKNOWN, StageNames
from xlfunnel.crm.tables import RawTable, found, is_total, opened
from xlfunnel.crm.text import texts
from xlfunnel.crm.turned import Numbers
from xlfunnel.errors import InputError
from xlfunnel.settings import Settings
from xlfunnel.terms import Col, Field, IssueCode, Shape, Treatment

_ENOUGH_ROWS, _STRAY_ROWS, _STRAY_DAYS = 50, 3, 366
_STRAY_DAYS_OF_FEW = 10 * 366
_STAGE_NAMES = 200
_SHOWN = frozenset((*Field, *STAGE_KEYS))


def read_sources(
    sources: Sequence[Path | Source],
    settings: Settings,
    *,
    history: Path | Source | None = None,
    owners: Path | Source | None = None,
    as_of: date | None = None,
    progress: Callable[[str], None] | None = None,
) -> Intake:
    """Visits (or, from aggregates, reserves) of all `sources`, with everything that was wrong on the way.

    sources   files of opportunities, of stage history, or of aggregates, folders or zip archives of such; each table is
              recognised on its own
    history   a separate stage history; `sources` then say owner, region and amount by opportunity id
    owners    a table owner → region
    as_of     the day to look back from; else settings.as_of, else the last date found
    progress  is called with the name of each file before it is read

    Raises InputError for a file that cannot be used (see `xlfunnel.crm.read.grids` and `xlfunnel.crm.tables.opened`),
    `input.no_sources`, `input.mixed_shapes` (aggregates beside opportunities), `input.no_rows_used`, and
    `input.too_many_refused` where more than settings.refuse_share of the rows cannot be used.
    """
    everything, beside = _opened(sources, history, settings, ledger := Ledger(), progress or _silent)
    tables = [t for t in everything if t.shape != Shape.LOOKUP and all(t is not b for b in beside)]
    regions = Regions(settings)
    if owners is not None:
        (progress or _silent)(_source(owners).path.name)
        regions.read(_source(owners), StageNames(settings))
    day = as_of or settings.as_of
    if tables and tables[0].shape == Shape.AGGREGATED:
        counted = regions.filled(joins.reserves_of(tables, settings, ledger), ledger)
        made, reserves = visits.empty(), _reserves(counted)
        latest = month_end(int(counted[Col.MONTH].max())) if len(counted) else None
    else:
        loose = (
            joins.visits_of(tables, settings, ledger)
            if not beside
            else joins.visits_beside(tables, beside, settings, ledger)
        )
        counted = regions.filled(loose, ledger)
        (made, positions), reserves = visits.placed(counted), None
        backwards(made, positions, everything, ledger)
        latest = _latest(counted)
        if (since := day or latest) is not None:
            _note_future(counted, since, ledger)
    _note_ownerless(counted, everything, ledger)
    named = next((t.name for t in everything if Field.OWNER in t.cells and t.shape != Shape.LOOKUP), "")
    similar_owners(pd.unique(counted[Col.OWNER]).tolist(), named, ledger)
    _refuse_too_many(ledger, settings)
    if latest is None:
        raise InputError("input.no_rows_used", file=", ".join(ledger.sources))
    summaries = tuple(_summary(i, t, ledger) for i, t in enumerate(everything))
    origins = None if reserves is not None else ledger.origins(positions)
    return Intake(made, reserves, ledger.issues(), summaries, day or latest, origins, _stages(everything, settings))


def read_data_sheet(source: Source, settings: Settings, progress: Callable[[str], None] | None = None) -> Intake:
    """What our own Data sheet holds. Raises InputError as `read_sources`.

    Its headers and stages are ours: columns that the settings name are those of exports, and there is no mapping to be
    remembered or told of.
    """
    intake = read_sources([source], replace(settings, columns={}), as_of=settings.as_of, progress=progress)
    return replace(intake, sources=tuple(replace(s, columns={}, unused=()) for s in intake.sources), stages={})


def visits_of_rows(rows: Sequence[Sequence[object]], settings: Settings, name: str = "") -> pd.DataFrame:
    """The visits of a table of opportunities that is in memory: rows of cells, the header among the first of them.

    Raises InputError as `read_sources` does; `name` is what it calls the table.
    """
    ledger, stages = Ledger(), StageNames(settings)
    rules = [r for r in RULES if r.shape != Shape.AGGREGATED]
    table = found([Grid(name, name, lambda: rows)], name, settings, stages, ledger, rules)
    loose = Regions(settings).filled(joins.visits_of([table], settings, ledger), ledger)
    _refuse_too_many(ledger, settings)
    return visits.canonical(loose)


def _opened(
    sources: Sequence[Path | Source],
    history: Path | Source | None,
    settings: Settings,
    ledger: Ledger,
    tell: Callable[[str], None],
) -> tuple[list[RawTable], list[RawTable]]:
    """All tables, and those among them that are the separate history of the others: the one that was named as such, or
    those that name no owner where other tables are there that may."""
    stages = StageNames(settings)
    if not sources:
        raise InputError("input.no_sources")
    given = [s for one in sources for s in expanded(_source(one))]
    rules = (*RULES, LOOKUP) if history is None and len(given) == 1 else (*RULES, LOOKUP, OPPORTUNITIES)
    tables = []
    for source in given:
        tell(source.path.name)
        tables.append(opened(source, settings, stages, ledger, rules))
    shapes = {t.shape == Shape.AGGREGATED for t in tables if t.shape != Shape.LOOKUP}
    if len(shapes) > 1 or (history is not None and True in shapes):
        raise InputError("input.mixed_shapes", files=", ".join(t.name for t in tables))
    beside = []
    if history is not None:
        tell(_source(history).path.name)
        beside = [opened(_source(history), settings, stages, ledger, HISTORY_RULES)]
    else:
        tables = snapshots.from_names(tables)
    tables = lookups.named([*snapshots.single(tables), *beside])
    others = tables[: len(tables) - len(beside)]
    dated = [t for t in others if t.shape == Shape.HISTORY and Field.ENTERED in t.cells]
    rest = [t for t in others if t.shape not in (Shape.HISTORY, Shape.LOOKUP) or Field.ENTERED not in t.cells]
    rest = [t for t in rest if t.shape != Shape.LOOKUP]
    if beside:
        return tables, tables[len(others) :]
    if dated and rest and not any(Field.OWNER in t.cells for t in dated) and _ids(dated) & _ids(rest):
        return tables, dated
    for table in rest:
        if table.shape == Shape.HISTORY:  # nothing but ids, and no history that tells about them
            source = next(s for s in given if table.name.startswith(s.path.name))
            opened(source, settings, stages, Ledger(), RULES)
    if others and all(t.shape == Shape.LOOKUP for t in others):
        raise InputError("input.only_names", file=", ".join(t.name for t in others))
    return tables, []


def _ids(tables: Sequence[RawTable]) -> set[str]:
    return {i for t in tables for i in texts(t.column(Field.OPPORTUNITY))[0] if i}


def _silent(name: str) -> None:
    pass


def _source(given: Path | Source) -> Source:
    return given if isinstance(given, Source) else Source(Path(given))


def _reserves(counted: pd.DataFrame) -> pd.DataFrame:
    """region, owner, stage, month, count, amount_cents of an aggregated table, sorted; unknown amounts count as 0."""
    columns = [str(c) for c in (Col.REGION, Col.OWNER, Col.STAGE, Col.MONTH, Col.COUNT, Col.AMOUNT_CENTS)]
    frame = counted[columns].sort_values(columns[:4], kind="stable").reset_index(drop=True)
    frame[columns[:3]] = frame[columns[:3]].astype(str)
    frame[columns[5]] = frame[columns[5]].fillna(0)
    return frame.astype(dict.fromkeys(columns[3:], "int64"))


def _latest(counted: pd.DataFrame) -> date | None:
    """The last day that the data tell of. A few rows a year and more after all the others are typing errors, under 50
    rows in all ten years and more: they are not what the data look back from."""
    days = counted[[Col.ENTERED_DAY, Col.LEFT_DAY]].to_numpy(dtype="int64").max(axis=1)
    return latest_day(np.sort(days)[-few_of(len(days)) - 1 :], len(days))


def few_of(count: int) -> int:
    """How many of `count` rows may be typing errors."""
    return max(_STRAY_ROWS, count // 1000)


def latest_day(last: Numbers, count: int) -> date | None:
    """The same of the latest `few_of(count)` + 1 days of `count` rows, ascending."""
    if not len(last):
        return None
    far = _STRAY_DAYS if count >= _ENOUGH_ROWS else _STRAY_DAYS_OF_FEW
    gaps = np.flatnonzero(np.diff(last) > far)
    return date_of(last[gaps[0]] if len(gaps) else last[-1])


def _note_future(counted: pd.DataFrame, day: date, ledger: Ledger) -> None:
    """Rows that speak of days after the day we look back from; each once."""
    latest = counted[[Col.ENTERED_DAY, Col.LEFT_DAY]].max(axis=1)
    late = latest[latest > day_number(day)].groupby(level=0).max()
    values = np.array([date_of(d).isoformat() for d in late], dtype=object)
    ledger.note(IssueCode.FUTURE_DATE, late.index.to_numpy(), values)


def _note_ownerless(counted: pd.DataFrame, tables: Sequence[RawTable], ledger: Ledger) -> None:
    """Rows without an owner; one remark for a file that has no such column."""
    blank = np.unique(counted.index.to_numpy()[(counted[Col.OWNER] == "").to_numpy()])
    for table in tables:
        mine = blank[np.isin(blank, table.positions)]
        if len(mine) and Field.OWNER not in table.cells:
            ledger.remark(IssueCode.MISSING_OWNER, table.name, "")
        elif len(mine):
            ledger.note(IssueCode.MISSING_OWNER, mine, table.first[mine - table.positions[0]])


def _refuse_too_many(ledger: Ledger, settings: Settings) -> None:
    causes = Counter(i.code for i in ledger.issues() if i.treatment == Treatment.REFUSED)
    totals = causes.pop(IssueCode.TOTAL_ROW, 0)  # they carry nothing of their own
    refuse_too_many(causes, sum(ledger.counts(i)["rows_read"] for i in range(len(ledger.sources))) - totals, settings)


def refuse_too_many(causes: Counter[IssueCode], read: int, settings: Settings) -> None:
    """Raise InputError too_many_refused if the refused rows, by cause, are too many of those read."""
    refused = causes.total()
    if refused > settings.refuse_share * read:
        cause, times = causes.most_common(1)[0]
        limit = f"{settings.refuse_share:.0%}"
        raise InputError("input.too_many_refused", refused=refused, read=read, cause=cause, times=times, limit=limit)


def _summary(number: int, table: RawTable, ledger: Ledger) -> SourceSummary:
    columns = {k: header for k, header in table.headers.items() if k in _SHOWN}
    counts = ledger.counts(number)
    return SourceSummary(table.name, table.shape, **counts, columns=columns, how=table.how, unused=table.unused)


def _stages(tables: Sequence[RawTable], settings: Settings) -> dict[str, str]:
    """The names in all stage columns and what they were taken for; a column of too many names is none of stages."""
    names = StageNames(settings)
    found: dict[str, str] = {}
    for table in (t for t in tables if t.shape != Shape.LOOKUP and Field.STAGE in t.cells):
        seen = [n for n in dict.fromkeys(texts(table.column(Field.STAGE))[0].tolist()) if n and not is_total(n)]
        if len(seen) <= _STAGE_NAMES:
            found |= {n: "" if (code := names(n)) == UNKNOWN else code for n in seen}
    return found
