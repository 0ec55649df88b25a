"""The health of open opportunities: who no longer moves, what users score, and what to do with each.

stale    longer in its stage than twice the stage's median, or its expected close date has passed, or nothing was done
         for QUIET_DAYS; the last two only where a user typed a date, for exports seldom bring them
advice   by the total of five scores from 1 to 5 and by whether it moves:

             total        moves    stale
             15 … 25      keep     revive
             10 … 14      revive   drop
              5 … 9       drop     drop
             not scored   score    score_stale
"""

from collections.abc import Collection
from datetime import datetime
from math import nan
from typing import NamedTuple

import numpy as np
import pandas as pd

from xlfunnel.metrics.levels import pair_numbers
from xlfunnel.metrics.reserve import CENTS
from xlfunnel.terms import BANT, GRADES, SCORES, STAGES, WIN_STEPS, YES, Advice, Col, Stale

FIRST_STAGE, WIN_STAGE, LEAD_STAGE = "T2", "T4", "T1"
"""From where on opportunities are checked; where a win is made sure of; where leads are graded."""

TIMES_MEDIAN = 2
QUIET_DAYS = 30
STRONG, FAIR = 15, 10
"""Least totals for keep (moving) or revive (stale), and for revive (moving) or drop (stale)."""

DATES = ("expected_close", "last_activity")
"""Dates that users may type beside an opportunity."""

CAUSES = {Stale.AGE: "is_aged", Stale.OVERDUE: "is_overdue", Stale.QUIET: "is_quiet"}
"""Column that says whether a cause holds."""

MOST_SHOWN = 500
"""Rows of a list that a person can still go through."""

TYPED = (*SCORES, *DATES)
HEALTH = (
    "opportunity_id", "region", "owner", "stage", "since_day", "days", "amount", "median", "p90", "limit_days",
    *DATES, "is_aged", "is_overdue", "is_quiet", "is_stale", *SCORES, "total", "advice",
)  # fmt: skip


class Health(NamedTuple):
    """What the check finds in all. Amounts in currency units, unknown ones left out."""

    open: int
    stale: int
    aged: int
    overdue: int
    quiet: int
    scored: int
    amount: float
    stale_amount: float
    unknown_amounts: int


def health(standing: pd.DataFrame, durations: pd.DataFrame, typed: pd.DataFrame, as_of: datetime) -> pd.DataFrame:
    """The open opportunities of T2 and later: a frame with the columns HEALTH, stale ones first, then by amount.

    standing   frame of `xlfunnel.facts.standing`; days are those of the stay, an earlier owner's part included
    durations  frame of `xlfunnel.metrics.duration.durations` of the same day: median and p90 of region and stage
    typed      opportunity_id and TYPED as users typed them (objects); what is no score or no date counts as not typed
    limit_days TIMES_MEDIAN × median; p90 where the median is 0; NaN (never stale by age) where that is undefined
    total      5 … 25; NaN unless all five are there
    """
    found = _once(standing[standing[Col.STAGE].isin(STAGES[STAGES.index(FIRST_STAGE) :])])
    usual = durations[durations["owner"].isna() & durations["region"].notna()]
    pairs = list(zip(usual[Col.REGION.value], usual[Col.STAGE.value], strict=True))
    for name in ("median", "p90"):
        known = dict(zip(pairs, usual[name], strict=True))
        found[name] = pair_numbers(found[Col.REGION.value], found[Col.STAGE.value], known)
    found["limit_days"] = np.where(found["median"] > 0, TIMES_MEDIAN * found["median"], _positive(found["p90"]))
    own = typed.drop_duplicates(Col.OPPORTUNITY.value).set_index(Col.OPPORTUNITY.value)
    own = own.reindex(pd.Index(found[Col.OPPORTUNITY], dtype=object))
    for name in SCORES:
        found[name] = [_score(v) for v in own[name]]
    for name in DATES:
        found[name] = pd.Series([v if isinstance(v, datetime) else pd.NaT for v in own[name]], dtype="datetime64[us]")
    found["is_aged"] = found[Col.DAYS] > found["limit_days"]
    found["is_overdue"] = found["expected_close"] < as_of
    found["is_quiet"] = (as_of - found["last_activity"]) > pd.Timedelta(days=QUIET_DAYS)
    found["is_stale"] = found["is_aged"] | found["is_overdue"] | found["is_quiet"]
    found["total"] = found[list(SCORES)].sum(axis=1, skipna=False)
    found["advice"] = _advice(found["total"], found["is_stale"])
    order = ["is_stale", "amount", Col.DAYS.value, Col.REGION.value, Col.OPPORTUNITY.value]
    found = found.sort_values(order, ascending=[False, False, False, True, True], ignore_index=True)
    return found[list(HEALTH)]


def assurance(standing: pd.DataFrame, typed: pd.DataFrame) -> pd.DataFrame:
    """The open opportunities of T4, largest first: opportunity_id region owner stage since_day days amount done.

    typed  opportunity_id and WIN_STEPS, answers as codes
    done   how many of the three have YES (int)
    """
    found = _by_amount(standing, WIN_STAGE)
    return found.assign(done=_count_yes(found, typed, WIN_STEPS))


def leads(standing: pd.DataFrame, typed: pd.DataFrame) -> pd.DataFrame:
    """The open opportunities of T1, largest first: columns as `assurance`, with marks (int) and grade in place of done.

    typed  opportunity_id and BANT, answers as codes
    grade  one of GRADES; None where nothing was answered
    """
    found = _by_amount(standing, LEAD_STAGE)
    marks = _count_yes(found, typed, BANT)
    answered = set(typed.loc[typed[list(BANT)].notna().any(axis=1), Col.OPPORTUNITY.value])
    grades = [grade(n) if key in answered else None for key, n in zip(found[Col.OPPORTUNITY], marks, strict=True)]
    return found.assign(marks=marks, grade=pd.Series(grades, dtype=object))


def grade(marks: int) -> str:
    """Grade of a lead that has so many of the four BANT marks."""
    return GRADES[min(len(BANT) - marks, len(GRADES) - 1)]


def summary(found: pd.DataFrame) -> Health:
    """Totals of a frame of `health`."""
    known = found["amount"].fillna(0)
    return Health(
        open=len(found),
        stale=int(found["is_stale"].sum()),
        aged=int(found["is_aged"].sum()),
        overdue=int(found["is_overdue"].sum()),
        quiet=int(found["is_quiet"].sum()),
        scored=int(found["total"].notna().sum()),
        amount=float(known.sum()),
        stale_amount=float(known[found["is_stale"]].sum()),
        unknown_amounts=int(found["amount"].isna().sum()),
    )


def by_advice(found: pd.DataFrame) -> pd.DataFrame:
    """Opportunities (count) and their amount by advice, a row each member of Advice."""
    sums = found.assign(count=1, amount=found["amount"].fillna(0)).groupby("advice")[["count", "amount"]].sum()
    return sums.reindex(list(Advice), fill_value=0).reset_index(names="advice")


def by_stage(found: pd.DataFrame) -> pd.DataFrame:
    """Opportunities that move and that are stale (counts) by stage, a row each stage from FIRST_STAGE on."""
    stale = found.groupby("stage")["is_stale"].agg(["size", "sum"])
    stale = stale.reindex(list(STAGES[STAGES.index(FIRST_STAGE) :]), fill_value=0).astype(int)
    frame = pd.DataFrame({"moving": stale["size"] - stale["sum"], "stale": stale["sum"]})
    return frame.reset_index(names="stage")


def listed(found: pd.DataFrame, typed: Collection[str], most: int = MOST_SHOWN) -> pd.DataFrame:
    """The first `most` rows, and those further down of whose ids something was typed; in the same order."""
    chosen = (np.arange(len(found)) < most) | found[Col.OPPORTUNITY.value].isin(list(typed)).to_numpy(dtype=bool)
    return found[chosen].reset_index(drop=True)


def unlisted(found: pd.DataFrame, shown: pd.DataFrame) -> pd.DataFrame:
    """The rows of `found` that are not in `shown`."""
    return found[~found[Col.OPPORTUNITY.value].isin(shown[Col.OPPORTUNITY.value])].reset_index(drop=True)


def _once(standing: pd.DataFrame) -> pd.DataFrame:
    """A row an opportunity, the one that it came to last; with `amount` in currency units."""
    last = standing
    if not standing[Col.OPPORTUNITY.value].is_unique:
        last = standing.sort_values([Col.SINCE_DAY.value, Col.STAGE.value], kind="stable")
        last = last.drop_duplicates(Col.OPPORTUNITY.value, keep="last")
    last = last.rename(columns=str)
    amount = last[Col.AMOUNT_CENTS.value].astype("Float64").astype(float) / CENTS
    return last.assign(amount=amount).drop(columns=Col.AMOUNT_CENTS.value).reset_index(drop=True)


def _by_amount(standing: pd.DataFrame, stage: str) -> pd.DataFrame:
    found = _once(standing)
    found = found[found[Col.STAGE.value] == stage]
    order = ["amount", Col.DAYS.value, Col.REGION.value, Col.OPPORTUNITY.value]
    return found.sort_values(order, ascending=[False, False, True, True], ignore_index=True)


def _count_yes(found: pd.DataFrame, typed: pd.DataFrame, columns: tuple[str, ...]) -> "pd.Series[int]":
    own = typed.drop_duplicates(Col.OPPORTUNITY.value).set_index(Col.OPPORTUNITY.value)[list(columns)]
    own = own.reindex(pd.Index(found[Col.OPPORTUNITY.value], dtype=object))
    return pd.Series((own == YES).sum(axis=1).to_numpy(dtype="int64"), index=found.index)


def _positive(days: "pd.Series[float]") -> "pd.Series[float]":
    return days.where(days > 0)


def _score(value: object) -> float:
    """A score; NaN if it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return nan
    return float(value) if 1 <= value <= 5 else nan


def _advice(total: "pd.Series[float]", stale: "pd.Series[bool]") -> "pd.Series[str]":
    """The table drawn above."""
    level = np.select([total.isna(), total >= STRONG, total >= FAIR], [3, 0, 1], default=2)
    table = np.array(
        [
            [Advice.KEEP, Advice.REVIVE],
            [Advice.REVIVE, Advice.DROP],
            [Advice.DROP, Advice.DROP],
            [Advice.SCORE, Advice.SCORE_STALE],
        ],
        dtype=object,
    )
    return pd.Series(table[level, stale.astype(int)], index=total.index, dtype=object)
