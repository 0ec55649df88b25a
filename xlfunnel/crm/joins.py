"""Rows of several files become one: repetitions dropped, a separate history joined to its opportunities."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from xlfunnel.crm import forms, snapshots, visits
from xlfunnel.crm.dates import BAD, BLANK
from xlfunnel.crm.ledger import Ledger
from xlfunnel.crm.openings import with_openings
from xlfunnel.crm.tables import RawTable, common, moments
from xlfunnel.crm.text import plain, texts
from xlfunnel.settings import Settings
from xlfunnel.terms import Col, Field, IssueCode, Shape

_ONE_ROW = {Shape.STAGE_DATES: forms.stage_dates, Shape.CURRENT_STAGE: forms.current_stage}
_RESERVE_KEYS = [str(c) for c in (Col.REGION, Col.OWNER, Col.STAGE, Col.MONTH)]


def visits_of(tables: Sequence[RawTable], settings: Settings, ledger: Ledger) -> pd.DataFrame:
    """Visits of all tables, indexed by position, not yet in canonical order."""
    rows = _histories([t for t in tables if t.shape == Shape.HISTORY], None, settings, ledger)
    seen = snapshots.visits_of(tables, settings, ledger)
    wide = _distinct(
        [_ONE_ROW[t.shape](t, settings, ledger) for t in tables if t.shape in _ONE_ROW], Col.OPPORTUNITY, ledger
    )
    made = [] if seen is None else [seen]
    if rows is not None:
        made.append(visits.from_history(rows, ledger))
    if wide is not None:
        if rows is not None:
            known = wide[Col.OPPORTUNITY].isin(rows[Col.OPPORTUNITY]).to_numpy()
            _refuse(wide, known, IssueCode.CONFLICTING_ROW, ledger)
            wide = wide[~known]
        made.append(visits.from_stage_dates(wide))
    return pd.concat(made)


def visits_beside(
    tables: Sequence[RawTable], beside: Sequence[RawTable], settings: Settings, ledger: Ledger
) -> pd.DataFrame:
    """Visits of separate histories, with owner, region and amount of their opportunities.

    An opportunity without history is taken from its own row where that tells enough, else refused as undated.
    """
    listed = {i for t in beside for i in texts(t.column(Field.OPPORTUNITY))[0]}
    known, extra = [], []
    for table in tables:
        ids = texts(table.column(Field.OPPORTUNITY))[0]
        has_history = np.array([i in listed for i in ids], dtype=bool)
        own = table.rows(has_history)
        created = moments(own, (Field.CREATED,))[Field.CREATED]
        known.append(ledger.kept(common(own, ledger).assign(created=created)))
        rest = table.rows(~has_history)
        if table.shape in _ONE_ROW and len(rest.positions):
            extra.append(_ONE_ROW[table.shape](rest, settings, ledger))
        elif len(rest.positions):
            undated = common(rest, ledger)
            _refuse(undated, np.ones(len(undated), dtype=bool), IssueCode.MISSING_DATE, ledger)
    attributes = _distinct(known, Col.OPPORTUNITY, ledger)
    rows = _histories(beside, attributes, settings, ledger)
    assert rows is not None  # one table at least was given
    if attributes is not None:
        rows = _with_attributes(rows, attributes, ledger)
    made = [visits.from_history(rows, ledger)]
    wide = _distinct(extra, Col.OPPORTUNITY, ledger)
    if wide is not None:
        made.append(visits.from_stage_dates(wide))
    return pd.concat(made)


def _histories(
    tables: Sequence[RawTable], attributes: pd.DataFrame | None, settings: Settings, ledger: Ledger
) -> pd.DataFrame | None:
    """Rows of all histories, with what came before their first rows."""
    frames = [forms.history(t, settings, ledger) for t in tables]
    rows = _distinct(frames, None, ledger)
    if rows is None or ("previous" not in rows and attributes is None):
        return rows
    if "previous" not in rows:
        rows = rows.assign(previous="", created=BLANK, closed=BLANK)
    unsaid = {"previous": "", "created": BLANK, "closed": BLANK}
    rows = rows.fillna(unsaid).astype({"created": "int64", "closed": "int64"})
    if attributes is not None:
        own = attributes.set_index(str(Col.OPPORTUNITY))["created"].reindex(rows[Col.OPPORTUNITY]).to_numpy()
        mine = rows["created"].to_numpy()
        rows["created"] = np.where((mine <= BAD) & ~np.isnan(own), np.nan_to_num(own, nan=BLANK), mine).astype("int64")
    return with_openings(rows, tables[0].name, ledger)


def reserves_of(tables: Sequence[RawTable], settings: Settings, ledger: Ledger) -> pd.DataFrame:
    """Reserves of all tables, one row per region, owner, stage and month, indexed by position."""
    frame = pd.concat([forms.reserves(t, settings, ledger) for t in tables])
    again = frame.duplicated([*_RESERVE_KEYS, str(Col.COUNT), str(Col.AMOUNT_CENTS)]).to_numpy()
    clash = frame.duplicated(_RESERVE_KEYS).to_numpy() & ~again
    shown = (frame[Col.OWNER].astype(object) + " " + frame[Col.STAGE].astype(object)).to_numpy(dtype=object)
    positions, first = np.unique(frame.index.to_numpy()[again], return_index=True)
    ledger.repair(IssueCode.DUPLICATE_ROW, positions, shown[again][first])
    positions, first = np.unique(frame.index.to_numpy()[clash], return_index=True)
    ledger.refuse(IssueCode.CONFLICTING_ROW, positions, shown[clash][first])
    return ledger.kept(frame[~again])


def _with_attributes(rows: pd.DataFrame, attributes: pd.DataFrame, ledger: Ledger) -> pd.DataFrame:
    """History rows with owner, region and amount of their opportunity where they carry none themselves.

    A row whose opportunity is not in the list is kept if it names an owner, else refused.
    """
    orphan = ~rows[Col.OPPORTUNITY].isin(attributes[Col.OPPORTUNITY]).to_numpy()
    homeless = orphan & (rows[Col.OWNER] == "").to_numpy()
    noted = rows[orphan & ~homeless]
    ledger.note(IssueCode.ORPHAN_HISTORY, noted.index.to_numpy(), noted[Col.OPPORTUNITY].to_numpy(dtype=object))
    _refuse(rows, homeless, IssueCode.ORPHAN_HISTORY, ledger)
    rows = rows[~homeless]
    own = attributes.set_index(str(Col.OPPORTUNITY)).reindex(rows[Col.OPPORTUNITY]).set_axis(rows.index)
    filled = {str(name): rows[name].where(rows[name] != "", own[name].fillna("")) for name in (Col.REGION, Col.OWNER)}
    return rows.assign(**filled, amount_cents=rows[Col.AMOUNT_CENTS].fillna(own[Col.AMOUNT_CENTS]))


def _distinct(frames: Sequence[pd.DataFrame], key: str | None, ledger: Ledger) -> pd.DataFrame | None:
    """Rows of all frames without repetitions. With a `key`, rows that differ though it is the same are refused."""
    if not frames:
        return None
    frame = frames[0] if len(frames) == 1 else pd.concat(frames)
    beside = _beside(frame)
    again = _again(frame, beside)
    repeated = frame[again]
    ledger.repair(IssueCode.DUPLICATE_ROW, repeated.index.to_numpy(), repeated[Col.OPPORTUNITY].to_numpy(dtype=object))
    if key is not None:
        clash = frame.duplicated(key).to_numpy() & ~again
        _refuse(frame, clash, IssueCode.CONFLICTING_ROW, ledger)
        again = again | clash
    else:
        _note_amounts(frame[beside & ~again], ledger)
    return frame[~again] if again.any() else frame


def _beside(frame: pd.DataFrame) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Where a row has its opportunity and moment in common with others: only such rows are looked at whole."""
    ids = visits.numbered(frame[Col.OPPORTUNITY].to_numpy(dtype=object))
    moment = frame["entered"].to_numpy() if "entered" in frame else np.zeros(len(frame))
    return pd.DataFrame({"id": ids, "moment": moment}).duplicated(keep=False).to_numpy()


def _again(
    frame: pd.DataFrame, beside: np.ndarray[tuple[int], np.dtype[np.bool_]]
) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Where a row is in all columns but `order` as one before it."""
    again = beside.copy()
    again[beside] = frame[beside].duplicated([c for c in frame.columns if c != "order"])
    return again


def _note_amounts(frame: pd.DataFrame, ledger: Ledger) -> None:
    """Rows of a history that name another amount than the last row of the same opportunity, owner, stage and moment:
    only the order of the file speaks for that one."""
    rows = frame[frame[Col.AMOUNT_CENTS].notna()].sort_values("order", kind="stable")
    keys = [*map(str, (Col.OPPORTUNITY, Col.REGION, Col.OWNER)), "stage", "entered"]
    rows = rows.assign(last=rows.groupby(keys)[Col.AMOUNT_CENTS].transform("last"))
    rows = rows[rows[Col.AMOUNT_CENTS] != rows["last"]]
    pairs = zip(rows[Col.AMOUNT_CENTS].tolist(), rows["last"].tolist(), strict=True)
    shown = np.array([f"{plain(a / 100)} ≠ {plain(b / 100)}" for a, b in pairs], dtype=object)
    ledger.note(IssueCode.CONFLICTING_ROW, rows.index.to_numpy(), shown)


def _refuse(
    frame: pd.DataFrame, where: np.ndarray[tuple[int], np.dtype[np.bool_]], code: IssueCode, ledger: Ledger
) -> None:
    rows = frame[where]
    ledger.refuse(code, rows.index.to_numpy(), rows[Col.OPPORTUNITY].to_numpy(dtype=object))
