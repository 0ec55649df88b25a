"""The canonical visits frame, and how rows of history or of stage dates become one.

One row a stage visit, sorted by (opportunity_id, visit), RangeIndex; strings and integers only:

    opportunity_id visit region owner   stage next_stage entered_day left_day entered_month left_month amount_cents
    str            Int64 str    str     str   str        int64       Int64    int64         Int64      Int64
    "SJ-0001"      1     "LX"   "Zhang" "T2"  "T3"       20089       20117    660           660        1250000
    "SJ-0001"      2     "LX"   "Zhang" "T3"  "open"     20117       <NA>     660           <NA>       1250000

visit         1, 2, … in order of entry within the opportunity; re-entry makes a new one
region, owner "" = unknown
stage         "T0"…"T4"; won and lost are no visits, they are the next_stage of the last one
next_stage    "T0"…"T4", "won", "lost", "open" (not ended) or "gone" (ended, nobody says where to)
…_day         days since 1970-01-01; left_day NA = not ended; left_day = entered_day is a visit of no length
…_month       months since January 1970
amount_cents  hundredths of the currency unit; NA = unknown
"""

from typing import Any

import numpy as np
import pandas as pd

from xlfunnel.crm.dates import BLANK, DAY, Seconds
from xlfunnel.crm.ledger import Ledger, Positions
from xlfunnel.crm.text import Cells
from xlfunnel.terms import OUTCOMES, STAGES, Col, IssueCode, Outcome

Codes = np.ndarray[Any, np.dtype[np.intp]]

_STRINGS = (Col.OPPORTUNITY, Col.REGION, Col.OWNER, Col.STAGE, Col.NEXT_STAGE)
ORDER = [
    str(c)
    for c in (
        Col.OPPORTUNITY, Col.VISIT, Col.REGION, Col.OWNER, Col.STAGE, Col.NEXT_STAGE, Col.ENTERED_DAY, Col.LEFT_DAY,
        Col.ENTERED_MONTH, Col.LEFT_MONTH, Col.AMOUNT_CENTS,
    )
]  # fmt: skip
"""The columns, in order."""


def from_history(frame: pd.DataFrame, ledger: Ledger) -> pd.DataFrame:
    """Visits, indexed by position, of the rows of `forms.history`.

    A visit ends where its row says so, else with the opportunity's next row. Rows that repeat the stage, owner and
    region of the row before, which does not say when it ended, continue its visit (CRMs write such rows when an amount
    changes; the last amount counts). Won or lost without a stage before it is refused.
    """
    frame, codes = _joined(*_in_time(frame, "entered"))
    stage, said = frame["stage"].to_numpy(dtype=object), frame["next_stage"].to_numpy(dtype=object)
    entered, left = frame["entered"].to_numpy() // DAY, frame["left"].to_numpy()
    same = codes[1:] == codes[:-1]
    has_next, has_previous = np.append(same, False), np.append([False], same)[: len(codes)]
    left = np.where((left == BLANK) & has_next, np.roll(entered, -1), left)
    after = np.where(has_next, np.roll(stage, -1), Outcome.GONE.value)
    is_unsaid = np.isin(said, ("", Outcome.OPEN.value))
    following = np.where(is_unsaid, after, said)
    following = np.where(left == BLANK, Outcome.OPEN.value, following)
    is_end = np.isin(stage, OUTCOMES)
    unfounded = is_end & ~has_previous
    undated = ~is_end & (left == BLANK) & ~is_unsaid
    positions = frame.index.to_numpy()
    ledger.refuse(IssueCode.MISSING_STAGE, positions[unfounded], stage[unfounded])
    ledger.refuse(IssueCode.MISSING_DATE, positions[undated], said[undated])
    went = pd.Series(following, index=frame.index, dtype=object)
    made = frame.assign(next_stage=went, entered_day=entered, left_day=left, order=np.arange(len(frame)))
    is_none = is_end | undated
    return made[~is_none] if is_none.any() else made


def from_stage_dates(frame: pd.DataFrame) -> pd.DataFrame:
    """Visits, indexed by position, of the rows of `forms.stage_dates` or `forms.current_stage`."""
    parts = []
    following = frame["outcome"].to_numpy(dtype=object)
    left = frame["end"].to_numpy()
    following = np.where(following == "", Outcome.OPEN.value, following)
    for number, stage in reversed(list(enumerate(STAGES))):
        days = frame[stage].to_numpy()
        here = days != BLANK
        part = frame.loc[here, [Col.OPPORTUNITY, Col.REGION, Col.OWNER, Col.AMOUNT_CENTS]]
        parts.append(
            part.assign(
                stage=stage, next_stage=following[here], entered_day=days[here], left_day=left[here], order=number
            )
        )
        following, left = np.where(here, stage, following), np.where(here, days, left)
    made: pd.DataFrame = pd.concat(parts)
    return made


def canonical(made: pd.DataFrame) -> pd.DataFrame:
    """The frame drawn above, of visits with opportunity_id … amount_cents, order; left_day BLANK = not ended."""
    return placed(made)[0]


def placed(made: pd.DataFrame) -> tuple[pd.DataFrame, Positions]:
    """The canonical frame, and the position of each of its rows in the ledger."""
    made, codes = _in_time(made, Col.ENTERED_DAY)
    entered = made[Col.ENTERED_DAY].to_numpy(dtype=np.int64)
    left = made[Col.LEFT_DAY].to_numpy(dtype=np.int64)
    still_open = left == BLANK
    first = np.append([True], codes[1:] != codes[:-1])[: len(codes)]
    starts = np.maximum.accumulate(np.where(first, np.arange(len(codes)), 0)) if len(codes) else codes
    columns: dict[str, Any] = {str(c): _strings(made[c].to_numpy(dtype=object)) for c in _STRINGS}
    columns[Col.VISIT] = _integers(np.arange(len(codes)) - starts + 1)
    columns[Col.ENTERED_DAY] = entered
    columns[Col.LEFT_DAY] = _integers(left, still_open)
    columns[Col.ENTERED_MONTH] = month_numbers(entered)
    columns[Col.LEFT_MONTH] = _integers(month_numbers(np.where(still_open, 0, left)), still_open)
    columns[Col.AMOUNT_CENTS] = made[Col.AMOUNT_CENTS].astype("Int64").array
    return pd.DataFrame({name: columns[name] for name in ORDER}), made.index.to_numpy()


def numbered(ids: Cells) -> Codes:
    """A number for each of the texts in `ids`, ascending as they are. Ids in order, as our own sheet has them, need
    neither hashing nor sorting."""
    if (ids[1:] >= ids[:-1]).all():
        return np.cumsum(np.append([False], ids[1:] != ids[:-1])[: len(ids)])
    return pd.factorize(ids, sort=True)[0]


def empty() -> pd.DataFrame:
    """The frame without rows."""
    nothing = {str(c): pd.Series(dtype=object) for c in (*_STRINGS, Col.AMOUNT_CENTS)}
    days = {str(c): pd.Series(dtype="int64") for c in (Col.ENTERED_DAY, Col.LEFT_DAY, "order")}
    return canonical(pd.DataFrame({**nothing, **days}))


def month_numbers(days: Seconds) -> Seconds:
    """Months since January 1970 of days since 1970-01-01."""
    return days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)


def _in_time(frame: pd.DataFrame, when: str) -> tuple[pd.DataFrame, Codes]:
    """The rows by opportunity, by the column `when` and by `order`; and the number of the opportunity of each.

    Rows that stand so already are not copied.
    """
    codes = numbered(frame[Col.OPPORTUNITY].to_numpy(dtype=object))
    keys = [frame["order"].to_numpy(), frame[when].to_numpy(), codes]
    follows = np.zeros(max(len(codes) - 1, 0), dtype=bool)
    for key in keys:
        follows = (key[1:] > key[:-1]) | (follows & (key[1:] == key[:-1]))
    if follows.all():
        return frame, codes
    by_time = np.lexsort(keys)
    return frame.iloc[by_time], codes[by_time]


def _joined(frame: pd.DataFrame, codes: Codes) -> tuple[pd.DataFrame, Codes]:
    """Rows that only continue the visit of the row before, joined to it."""
    same = codes[1:] == codes[:-1]
    for name in ("stage", Col.OWNER, Col.REGION):
        values = frame[name].to_numpy(dtype=object)
        same = same & (values[1:] == values[:-1])
    unsaid = (frame["left"].to_numpy()[:-1] == BLANK) & (frame["next_stage"].to_numpy(dtype=object)[:-1] == "")
    goes_on = np.append([False], same & unsaid)[: len(frame)]
    if not goes_on.any():
        return frame, codes
    run = np.cumsum(~goes_on) - 1
    starts = np.flatnonzero(~goes_on)
    ends = np.append(starts[1:], len(frame)) - 1
    amounts = frame[Col.AMOUNT_CENTS].reset_index(drop=True).groupby(run).last()
    joined = frame.iloc[starts].assign(
        left=frame["left"].to_numpy()[ends],
        next_stage=frame["next_stage"].to_numpy(dtype=object)[ends],
        amount_cents=amounts.array,
    )
    return joined, codes[starts]


def _strings(values: Cells) -> "pd.Series[str]":
    return pd.Series(values, dtype=str)


def _integers(values: Seconds, missing: Any = None) -> Any:
    mask = np.zeros(len(values), dtype=bool) if missing is None else np.asarray(missing, dtype=bool)
    return pd.arrays.IntegerArray(values.astype(np.int64), mask)
