"""Each shape brought to one of three forms, every value typed and every row that cannot be used refused.

Frames are indexed by ledger position and start with opportunity_id, region, owner, amount_cents. To these
- `history` adds stage (code, "won" or "lost"), next_stage ("" = not said), entered (seconds), left (days), order;
- `stage_dates` and `current_stage` add T0…T4 (days entered), end (days), outcome ("", "won", "lost", "gone");
- `reserves` adds stage, month, count.
Days and seconds count from 1970-01-01; `xlfunnel.crm.dates.BLANK` stands for none.
"""

from datetime import date
from functools import reduce
from itertools import islice

import numpy as np
import pandas as pd

from xlfunnel.calendar import day_number
from xlfunnel.crm import aliases, amounts
from xlfunnel.crm.dates import BAD, BLANK, DAY, NEVER_YEAR, Seconds, months
from xlfunnel.crm.ledger import Ledger
from xlfunnel.crm.remarks import order_of_history
from xlfunnel.crm.stages import UNKNOWN, StageNames, nearest
from xlfunnel.crm.tables import RawTable, common, moments, outcomes
from xlfunnel.crm.text import Cells, plain, texts
from xlfunnel.settings import Settings
from xlfunnel.terms import OUTCOMES, STAGES, Col, Field, IssueCode, Outcome, Shape

_NAMES_COMPARED = 50
_NEVER = day_number(date(NEVER_YEAR, 1, 1))


def history(table: RawTable, settings: Settings, ledger: Ledger) -> pd.DataFrame:
    """Rows of a stage history. Among rows of the same moment the order of the file counts, from its older end."""
    frame = common(table, ledger)
    stage = _stages(table, settings, ledger)
    following = StageNames(settings, aliases.ENDS).column(table.column(Field.NEXT_STAGE))
    _refuse(table, ledger, IssueCode.UNKNOWN_STAGE, following == UNKNOWN, table.column(Field.NEXT_STAGE))
    found = moments(table, (Field.ENTERED, Field.LEFT))
    entered, left = found[Field.ENTERED], _ending(found[Field.LEFT])
    _refuse_dates(table, ledger, entered, table.column(Field.ENTERED))
    _refuse(table, ledger, IssueCode.BAD_DATE, left == BAD, table.column(Field.LEFT))
    early = (left > BAD) & (entered > BAD) & (left < entered // DAY)
    _refuse(table, ledger, IssueCode.LEFT_BEFORE_ENTERED, early, table.column(Field.LEFT))
    # objects, because pandas would make its own texts of them, and the next step objects again
    words = {
        name: pd.Series(values, index=frame.index, dtype=object)
        for name, values in (("stage", stage), ("next_stage", following))
    }
    frame = frame.assign(**words, entered=entered, left=left)
    frame["order"] = _order(frame)
    order_of_history(table, frame[ledger.used(table.positions)], ledger)
    if aliases.PREVIOUS in table.cells or Field.CREATED in table.cells:
        frame["previous"] = StageNames(settings).column(table.column(aliases.PREVIOUS))
        born = moments(table, (Field.CREATED, Field.CLOSED))
        frame = frame.assign(created=born[Field.CREATED], closed=born[Field.CLOSED])
    return ledger.kept(frame)


def stage_dates(table: RawTable, settings: Settings, ledger: Ledger) -> pd.DataFrame:
    """One row per opportunity, one date column per stage; ended by a won, lost or closed date.

    A closed date counts where the stage (or "went to") says won or lost, or where there is no such column: then the
    opportunity is gone, nobody knows where to.
    """
    frame = common(table, ledger)
    keys = [s for s in STAGES if s in table.cells]
    found = moments(table, (*keys, *OUTCOMES, Field.CLOSED))
    outcome, end = _outcome(table, settings, ledger, found)
    last = np.full(len(frame), BLANK, dtype=np.int64)
    any_date = np.zeros(len(frame), dtype=bool)
    for stage in STAGES:
        days = _days(found[stage]) if stage in keys else np.full(len(frame), BLANK, dtype=np.int64)
        _refuse(table, ledger, IssueCode.BAD_DATE, days == BAD, table.column(stage))
        _refuse(table, ledger, IssueCode.LEFT_BEFORE_ENTERED, (days > BAD) & (days < last), table.column(stage))
        any_date |= days > BAD
        last = np.maximum(last, days)
        frame[stage] = days
    _refuse(table, ledger, IssueCode.MISSING_DATE, ~any_date, frame[Col.OPPORTUNITY].to_numpy(dtype=object))
    _refuse_end(table, ledger, frame, outcome, end, last)
    frame = frame.assign(end=np.where(outcome == "", BLANK, end), outcome=outcome)
    return ledger.kept(frame)


def current_stage(table: RawTable, settings: Settings, ledger: Ledger) -> pd.DataFrame:
    """One row per opportunity: its stage of today, when it entered it (or was created), when it was closed.

    An open opportunity makes one visit: in its stage, since it was entered, or created where that is all there is.
    Of a closed one such a file does not say which stages it went through: it makes one visit from its creation (or
    entry) to its closing, in the stage it was closed in, where a status beside the stage says that it is closed; else
    in the first stage that dated open opportunities of the same file stand in; T0 if there are none. To say otherwise,
    name the date column of a stage in the settings: `columns = {T2 = "engage_date"}`.
    """
    frame = common(table, ledger)
    stage = _stages(table, settings, ledger)
    at_end = StageNames(settings).column(table.column(Field.STAGE))
    keys = (Field.CREATED, Field.ENTERED, Field.CLOSED, *OUTCOMES)
    found = {k: _days(s) for k, s in moments(table, keys).items()}
    created, entered = found[Field.CREATED], found[Field.ENTERED]
    closed = np.isin(stage, OUTCOMES)
    start = np.where(closed, _first_of(created, entered), _first_of(entered, created))
    shown = np.where(entered == BAD, table.column(Field.ENTERED), table.column(Field.CREATED))
    _refuse_dates(table, ledger, start, shown)
    end = np.full(len(frame), BLANK, dtype=np.int64)
    for outcome in OUTCOMES:
        ended = _first_of(found[outcome], found[Field.CLOSED])
        if {Field.CREATED, Field.ENTERED} <= table.cells.keys():
            ended = _first_of(ended, entered)  # the day it entered "won" is the day it was won
        end = np.where(stage == outcome, ended, end)
    _refuse_end(table, ledger, frame, np.where(closed, stage, ""), end, start)
    usable = ledger.used(table.positions)
    first = min(stage[usable & ~closed], default=STAGES[0])
    where = np.where(np.isin(at_end, STAGES), at_end, np.where(closed, first, stage))
    for code in STAGES:
        frame[code] = np.where(where == code, start, BLANK)
    frame = frame.assign(end=end, outcome=np.where(closed, stage, ""))
    return frame[usable]


def reserves(table: RawTable, settings: Settings, ledger: Ledger) -> pd.DataFrame:
    """Month × owner × stage: count, from a stage column or from one column of counts per stage."""
    frame = common(table, ledger)
    month = months(table.column(Field.MONTH), table.epoch_1904)
    _refuse(table, ledger, IssueCode.MISSING_DATE, month == BLANK, table.first)
    _refuse(table, ledger, IssueCode.BAD_DATE, month == BAD, table.column(Field.MONTH))
    frame[Col.MONTH.value] = month
    if Field.STAGE in table.cells and Field.COUNT in table.cells:
        stage = _stages(table, settings, ledger)
        outcome = np.isin(stage, OUTCOMES) & ledger.used(table.positions)
        ledger.note(IssueCode.NO_RESERVE, table.positions[outcome], table.column(Field.STAGE)[outcome])
        count = _counts(table, Field.COUNT, ledger, needed=~outcome)
        long = frame.assign(stage=stage, count=count)[~outcome]
    else:
        parts = []
        for code in (s for s in STAGES if s in table.cells):
            count = _counts(table, code, ledger)
            parts.append(frame.assign(stage=code, count=count)[count >= 0])
        long = pd.concat(parts).assign(amount_cents=pd.array([pd.NA] * sum(map(len, parts)), dtype="Int64"))
    return ledger.kept(long)


def _counts(
    table: RawTable, key: str, ledger: Ledger, needed: np.ndarray[tuple[int], np.dtype[np.bool_]] | None = None
) -> Seconds:
    """Counts of a column, -1 for a blank; refuses what is no count, and blanks where one is needed."""
    values, bad = amounts.counts(table.column(key))
    if needed is not None:
        bad = bad | (values.isna().to_numpy() & needed)
    _refuse(table, ledger, IssueCode.BAD_COUNT, bad, table.column(key))
    return values.fillna(-1).to_numpy(dtype=np.int64)


def _stages(table: RawTable, settings: Settings, ledger: Ledger) -> Cells:
    """The stage of each row; won or lost where the row says so beside its stage."""
    stage = StageNames(settings).column(table.column(Field.STAGE))
    said = outcomes(table) if table.shape != Shape.HISTORY or aliases.IS_WON in table.cells else stage
    stage = np.where(np.isin(said, OUTCOMES) & ~np.isin(stage, OUTCOMES), said, stage).astype(object)
    _refuse(table, ledger, IssueCode.MISSING_STAGE, stage == "", table.first)
    refuse_unknown(table, stage == UNKNOWN, ledger)
    return stage


def refuse_unknown(table: RawTable, where: np.ndarray[tuple[int], np.dtype[np.bool_]], ledger: Ledger) -> None:
    """Refuse rows whose stage nobody mapped, with the known name that looks most like it."""
    names = table.column(Field.STAGE)[where]
    close = {name: nearest(plain(name)) for name in islice(dict.fromkeys(names), _NAMES_COMPARED)}
    shown = [f"{plain(n)} ≈ {close[n]}" if close.get(n) else n for n in names]
    values = np.empty(len(shown), dtype=object)
    values[:] = shown
    ledger.refuse(IssueCode.UNKNOWN_STAGE, table.positions[where], values)


def _outcome(table: RawTable, settings: Settings, ledger: Ledger, found: dict[str, Seconds]) -> tuple[Cells, Seconds]:
    """What ended each opportunity of a stage-dates table ("" = nothing yet), and on which day."""
    names = StageNames(settings, aliases.ENDS)
    said = [names.column(table.cells[k]) for k in (Field.STAGE, Field.NEXT_STAGE) if k in table.cells]
    for key in (Field.STAGE, Field.NEXT_STAGE):
        _refuse(table, ledger, IssueCode.UNKNOWN_STAGE, names.column(table.column(key)) == UNKNOWN, table.column(key))
    blank = np.full(len(table.positions), "", dtype=object)
    outcome = reduce(lambda a, b: np.where(np.isin(a, (*OUTCOMES, Outcome.GONE)), a, b), said, blank)
    still_open = (outcome != "") & ~np.isin(outcome, (*OUTCOMES, Outcome.GONE))
    closed = _days(found[Field.CLOSED])
    end = np.where(still_open, BLANK, closed)
    dated = {o: _days(found[o]) for o in OUTCOMES}
    for o, days in dated.items():
        _refuse(table, ledger, IssueCode.BAD_DATE, days == BAD, table.column(o))
        clash = (days > BAD) & (still_open | np.isin(outcome, [x for x in (*OUTCOMES, Outcome.GONE) if x != o]))
        _refuse(table, ledger, IssueCode.CONFLICTING_ROW, clash, table.column(o))
        end = np.where(days > BAD, days, end)
        outcome = np.where(days > BAD, o, outcome)
    outcome = np.where(still_open & ~np.isin(outcome, OUTCOMES), "", outcome)
    outcome = np.where((outcome == "") & ~still_open & (end != BLANK), Outcome.GONE.value, outcome)
    return outcome.astype(object), end


def _refuse_end(
    table: RawTable, ledger: Ledger, frame: pd.DataFrame, outcome: Cells, end: Seconds, last: Seconds
) -> None:
    """A closed opportunity needs a closing date that is not before its last stage was entered."""
    closed = outcome != ""
    ids = frame[Col.OPPORTUNITY].to_numpy(dtype=object)
    _refuse(table, ledger, IssueCode.MISSING_DATE, closed & (end == BLANK), ids)
    shown = table.column(Field.CLOSED)
    for o in OUTCOMES:
        own = table.column(o)
        shown = np.where((outcome == o) & (texts(own)[0] != ""), own, shown)
    _refuse(table, ledger, IssueCode.BAD_DATE, closed & (end == BAD), shown)
    _refuse(table, ledger, IssueCode.LEFT_BEFORE_ENTERED, closed & (end > BAD) & (end < last), shown)


def _refuse_dates(table: RawTable, ledger: Ledger, values: Seconds, shown: Cells) -> None:
    _refuse(table, ledger, IssueCode.MISSING_DATE, values == BLANK, table.first)
    _refuse(table, ledger, IssueCode.BAD_DATE, values == BAD, shown)


def _refuse(
    table: RawTable, ledger: Ledger, code: IssueCode, where: np.ndarray[tuple[int], np.dtype[np.bool_]], values: Cells
) -> None:
    where = np.asarray(where, dtype=bool)
    ledger.refuse(code, table.positions[where], values[where])


def _days(seconds: Seconds) -> Seconds:
    return np.where(seconds > BAD, seconds // DAY, seconds)


def _ending(seconds: Seconds) -> Seconds:
    """Days on which something ended; the far future stands for never."""
    days = _days(seconds)
    return np.where(days >= _NEVER, BLANK, days)


def _first_of(a: Seconds, b: Seconds) -> Seconds:
    return np.where(a == BLANK, b, a)


def _order(frame: pd.DataFrame) -> Seconds:
    """Rows counted from the file's older end: backwards if most opportunities list their newest row first."""
    ids, entered = frame[Col.OPPORTUNITY].to_numpy(), frame["entered"].to_numpy()
    same = ids[1:] == ids[:-1]
    newest_first = int((same & (entered[1:] < entered[:-1])).sum()) > int((same & (entered[1:] > entered[:-1])).sum())
    counted = np.arange(len(frame), dtype=np.int64)
    return counted[::-1].copy() if newest_first else counted
