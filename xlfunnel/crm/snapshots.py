"""Visits of repeated snapshots: what stood where on each day that the pipeline was exported.

Nobody says when a stage was entered between two snapshots, so a visit begins on the day of the first snapshot that
shows it, and ends on the first that no longer does: on every snapshot's day the reserve is what the snapshot shows, and
in between it is known to one interval. Where a row says itself when it was created, when it entered its stage or when
it was closed, and that day lies in the interval, the day is taken.
"""

import re
from calendar import monthrange
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import PurePath

import numpy as np
import pandas as pd

from xlfunnel.calendar import date_of, day_number, month_end
from xlfunnel.crm import aliases
from xlfunnel.crm.dates import BAD, BLANK, DAY, Seconds, months
from xlfunnel.crm.forms import refuse_unknown
from xlfunnel.crm.ledger import Ledger
from xlfunnel.crm.stages import UNKNOWN, StageNames
from xlfunnel.crm.tables import RawTable, common, moments, outcomes
from xlfunnel.crm.text import texts
from xlfunnel.errors import InputError
from xlfunnel.settings import Settings
from xlfunnel.terms import OUTCOMES, STAGES, Col, Field, IssueCode, Outcome, Shape

_DAY = r"0?[1-9]|[12]\d|3[01]"
_IN_NAME = re.compile(
    rf"(?<!\d)(?P<y>20\d\d)(?:[-_.年](?P<m>1[0-2]|0?[1-9])(?:[-_.月](?P<d>{_DAY})日?)?月?"
    r"|(?P<m2>0[1-9]|1[0-2])(?P<d2>0[1-9]|[12]\d|3[01])?)(?!\d)"
)
_KEYS = (Field.CREATED, Field.ENTERED, Field.CLOSED)


def day_in_name(name: str) -> date | None:
    """The day that a file's name bears; of a month its last day.

    >>> day_in_name("pipeline_2025-06-30.csv"), day_in_name("商机202506.xlsx"), day_in_name("deals 2025.csv")
    (datetime.date(2025, 6, 30), datetime.date(2025, 6, 30), None)
    """
    found = _IN_NAME.search(PurePath(name.partition(" › ")[0]).stem)
    if not found:
        return None
    year, month = int(found["y"]), int(found["m"] or found["m2"])
    last = monthrange(year, month)[1]
    day = int(found["d"] or found["d2"] or last)
    return date(year, month, day) if day <= last else None


def from_names(tables: Sequence[RawTable]) -> list[RawTable]:
    """The tables, with those that bear the day of a snapshot in their names as such: there are several of them, of one
    row per opportunity, of different days, and the same opportunities stand in several."""
    plain = (Shape.CURRENT_STAGE, Shape.HISTORY)
    dated = {
        i: day
        for i, t in enumerate(tables)
        if t.shape in plain and Field.STAGE in t.cells and (t.shape == plain[0] or Field.ENTERED not in t.cells)
        if (day := day_in_name(t.name))
    }
    if len(set(dated.values())) < 2:
        return list(tables)
    ids = [set(texts(tables[i].column(Field.OPPORTUNITY))[0]) - {""} for i in dated]
    if sum(map(len, ids)) == len(set().union(*ids)):
        return list(tables)
    return [_dated(t, dated[i]) if i in dated else t for i, t in enumerate(tables)]


def single(tables: Sequence[RawTable]) -> list[RawTable]:
    """The tables, with one lone snapshot that says itself since when as what it is: a list of current stages.

    Raises InputError one_snapshot for one that does not.
    """
    days = {d for t in tables if t.shape == Shape.SNAPSHOTS for d in np.unique(_days(t)) if d > BAD}
    if len(days) > 1:
        return list(tables)
    for table in tables:
        if table.shape == Shape.SNAPSHOTS and not {Field.ENTERED, Field.CREATED} & table.cells.keys():
            raise InputError("input.one_snapshot", file=table.name)
    return [replace(t, shape=Shape.CURRENT_STAGE) if t.shape == Shape.SNAPSHOTS else t for t in tables]


def visits_of(tables: Sequence[RawTable], settings: Settings, ledger: Ledger) -> pd.DataFrame | None:
    """Visits of all snapshots among `tables`, indexed by position, as `visits.from_history` gives them."""
    frames = [_rows(t, settings, ledger) for t in tables if t.shape == Shape.SNAPSHOTS]
    if not frames:
        return None
    frame = pd.concat(frames)
    key = [str(Col.OPPORTUNITY), "day"]
    again, clash = frame.duplicated().to_numpy(), frame.duplicated(key).to_numpy()
    for where, say, code in (
        (again, ledger.repair, IssueCode.DUPLICATE_ROW),
        (clash & ~again, ledger.refuse, IssueCode.CONFLICTING_ROW),
    ):
        say(code, frame.index.to_numpy()[where], frame[Col.OPPORTUNITY].to_numpy(dtype=object)[where])
    frame = frame[~clash]
    days = np.unique(frame["day"].to_numpy())
    shown = " … ".join(date_of(d).isoformat() for d in (days[0], days[-1])) if len(days) else ""
    for table in tables:
        if table.shape == Shape.SNAPSHOTS:
            ledger.remark(IssueCode.MONTHLY_RESOLUTION, table.name, f"{shown} ({len(days)})")
    return _visits(frame, days, ledger)


def _dated(table: RawTable, day: date) -> RawTable:
    column = np.full(len(table.positions), day, dtype=object)
    return replace(table, shape=Shape.SNAPSHOTS, cells={**table.cells, aliases.SNAPSHOT: column})


def _days(table: RawTable) -> Seconds:
    """The day of each row's snapshot; BLANK or BAD."""
    if aliases.SNAPSHOT in table.cells:
        seconds = moments(table, (aliases.SNAPSHOT,))[aliases.SNAPSHOT]
        found = np.where(seconds > BAD, seconds // DAY, seconds)
        if (found == BAD).any():  # a month is no day, but its last day is
            ends = _month_ends(table, aliases.SNAPSHOT)
            found = np.where(found == BAD, ends, found)
        return found
    return _month_ends(table, Field.MONTH)


def _month_ends(table: RawTable, key: str) -> Seconds:
    numbers = months(table.column(key), table.epoch_1904)
    known = {m: day_number(month_end(int(m))) for m in np.unique(numbers[numbers > BAD])}
    return np.array([known.get(m, m) for m in numbers], dtype=np.int64)


def _rows(table: RawTable, settings: Settings, ledger: Ledger) -> pd.DataFrame:
    """One row a snapshot and opportunity: what `common` has, stage, day; the days it was created, entered, closed."""
    frame = common(table, ledger)
    said, stage = outcomes(table), StageNames(settings).column(table.column(Field.STAGE))
    stage = np.where(np.isin(said, OUTCOMES) & ~np.isin(stage, OUTCOMES), said, stage)
    day = _days(table)
    for code, where, values in (
        (IssueCode.MISSING_STAGE, stage == "", table.first),
        (IssueCode.MISSING_DATE, day == BLANK, table.first),
        (IssueCode.BAD_DATE, day == BAD, table.column(aliases.SNAPSHOT)),
    ):
        ledger.refuse(code, table.positions[where], values[where])
    refuse_unknown(table, stage == UNKNOWN, ledger)
    told = {str(k): np.where(s > BAD, s // DAY, BLANK) for k, s in moments(table, _KEYS).items()}
    return frame.assign(stage=stage, day=day, **told)[ledger.used(table.positions)]


def _visits(frame: pd.DataFrame, days: Seconds, ledger: Ledger) -> pd.DataFrame:
    codes = pd.factorize(frame[Col.OPPORTUNITY])[0]
    by_time = np.lexsort((frame["day"].to_numpy(), codes))
    frame, codes = frame.iloc[by_time], codes[by_time]
    number = np.searchsorted(days, frame["day"].to_numpy())
    row = {k: frame[k].to_numpy() for k in ("day", "created", "entered", "closed")}
    stage = frame["stage"].to_numpy(dtype=object)
    before = np.where(number > 0, days[np.maximum(number - 1, 0)], np.iinfo(np.int64).min)

    follows = np.append([False], (codes[1:] == codes[:-1]) & (number[1:] == number[:-1] + 1))[: len(frame)]
    same = follows.copy()
    for name in ("stage", Col.OWNER, Col.REGION):
        values = frame[name].to_numpy(dtype=object)
        same[1:] &= values[1:] == values[:-1]
    is_first = np.append([True], codes[1:] != codes[:-1])[: len(frame)]
    start = row["day"]
    for told, where in (("created", is_first), ("entered", True), ("closed", np.isin(stage, OUTCOMES))):
        fits = (row[told] != BLANK) & (row[told] > before) & (row[told] <= row["day"])
        start = np.where(fits & where, row[told], start)

    heads = np.flatnonzero(~same)
    tails = np.append(heads[1:], len(frame)) - 1
    amounts = frame[Col.AMOUNT_CENTS].reset_index(drop=True).groupby(np.cumsum(~same)).last()  # that is known
    runs = frame.iloc[heads].assign(entered_day=start[heads], order=np.arange(len(heads)), amount_cents=amounts.array)
    goes_on = np.append(follows[heads[1:]], False)
    vanished = number[tails] + 1 < len(days)
    later = np.append(start[heads[1:]], BLANK)
    gone = days[np.minimum(number[tails] + 1, len(days) - 1)]
    left = np.where(goes_on, later, np.where(vanished, gone, BLANK))
    following = np.where(goes_on, np.append(stage[heads[1:]], ""), np.where(vanished, Outcome.GONE, Outcome.OPEN))
    runs = runs.assign(left_day=left, next_stage=following.astype(object))
    return _with_closed(runs, goes_on, ledger)


def _with_closed(
    runs: pd.DataFrame, goes_on: np.ndarray[tuple[int], np.dtype[np.bool_]], ledger: Ledger
) -> pd.DataFrame:
    """The runs without those that are won or lost. An opportunity that is already closed when it is first seen makes a
    visit from its creation in the first stage, as in a list of current stages; if nobody says when, it is refused."""
    stage = runs["stage"].to_numpy(dtype=object)
    ended = np.isin(stage, OUTCOMES)
    unseen = ended & ~np.append([False], goes_on[:-1])
    created, closed = runs["created"].to_numpy(), runs["entered_day"].to_numpy()
    closed = np.where(runs["closed"].to_numpy() != BLANK, runs["closed"].to_numpy(), closed)
    dated = unseen & (created != BLANK) & (created <= closed)
    lost = runs[unseen & ~dated]
    ledger.refuse(IssueCode.MISSING_DATE, lost.index.to_numpy(), lost["stage"].to_numpy(dtype=object))
    first = min((s for s in stage if s in STAGES), default=STAGES[0])
    made = runs.assign(stage=first, next_stage=stage, entered_day=created, left_day=closed)[dated]
    visits: pd.DataFrame = pd.concat([runs[~ended], made])
    return visits
