"""Post-mortem: opportunities won or lost lately, where their time went, at which stage and why they ended.

slowest stage   that in which an opportunity stayed longest against the median of its region's stays there: days of all
                its visits to the stage ÷ median. Stages without a median, or with one of 0 days, are not compared
reasons         as users typed them; a Pareto counts the lost ones
reviewed        those that ever reached EFFECTIVE: leads that were dropped before it need no post-mortem each, and are
                only counted by stage
"""

from typing import NamedTuple

import numpy as np
import pandas as pd

from xlfunnel.calendar import day_number, month_end
from xlfunnel.facts import Facts
from xlfunnel.metrics.evidence import windows
from xlfunnel.metrics.levels import pair_numbers
from xlfunnel.metrics.reserve import CENTS
from xlfunnel.metrics.sojourns import Integers, is_first
from xlfunnel.settings import Settings
from xlfunnel.terms import OUTCOMES, STAGES, Col, Outcome, Reason

EFFECTIVE = "T2"
"""The stage from which on a lead is an opportunity."""

TYPED = ("reason", "lesson")
CLOSED = (
    "opportunity_id", "region", "owner", "outcome", "closed_day", "stage", "amount", "days",
    "slow_stage", "slow_days", "slow_median", "slow_ratio", "is_reviewed", *TYPED,
)  # fmt: skip


class Tally(NamedTuple):
    """What a frame of `closed` holds. rate = won ÷ (won + lost)."""

    won: int
    lost: int
    compared: int
    stated: int


def first_day(facts: Facts, settings: Settings, most: int | None = None) -> int:
    """From which day on closed opportunities are reviewed: the first of the recent complete months.

    most  closings that are looked at; if there are more, the latest months that have no more, the last one at least
    """
    recent = windows(facts, settings).recent
    first = recent[0] if recent else facts.first_month
    if most is not None:
        ended = facts.exits[facts.exits[Col.NEXT_STAGE].isin(list(OUTCOMES))].groupby(Col.MONTH)[Col.COUNT].sum()
        upto = ended.reindex(range(facts.last_month, first - 1, -1), fill_value=0).cumsum()
        few = upto.index[upto <= most]
        first = int(few.min()) if len(few) else facts.last_month
    return day_number(month_end(first - 1)) + 1


def closed(stays: pd.DataFrame, durations: pd.DataFrame, typed: pd.DataFrame, since: int) -> pd.DataFrame:
    """Opportunities won or lost on the day `since` or later and not taken up again: columns CLOSED, latest first.

    stays      frame of `xlfunnel.facts.stays`
    durations  frame of `xlfunnel.metrics.duration.durations` of the same day
    typed      opportunity_id and TYPED as users typed them (objects)

    owner, stage, amount  of the last stay; amount in currency units, NaN = unknown
    days                  from the first entry into any stage to the end
    is_reviewed           it reached EFFECTIVE, or a later stage, at any time
    slow_…                of the slowest stage: its code (None = none compared), days, median days, days ÷ median
    """
    ids, stage, region = Col.OPPORTUNITY.value, Col.STAGE.value, Col.REGION.value
    rows = stays.rename(columns=str)
    rows, key = _ended_lately(rows, np.cumsum(is_first(rows)) - 1, since)
    is_last = np.append(key[1:] != key[:-1], True)[: len(key)]
    last = rows[is_last].set_index(key[is_last])
    last = last.assign(closed_day=last["since_day"] + last["days"], outcome=last["next_stage"])
    last = last[last["outcome"].isin(list(OUTCOMES)) & (last["closed_day"] >= since)]
    its = pd.DataFrame({"key": key, **{c: rows[c].array for c in (stage, "since_day", "days")}})
    its = its[its["key"].isin(last.index)]
    reached = its.loc[its[stage].isin(STAGES[STAGES.index(EFFECTIVE) :]), "key"].unique()
    usual = durations[durations["owner"].isna() & durations["region"].notna()]
    medians = dict(zip(zip(usual[region], usual[stage], strict=True), usual["median"], strict=True))
    spent = its.groupby(["key", stage], as_index=False)[["days"]].sum()
    spent["median"] = pair_numbers(last[region].loc[spent["key"]], spent[stage], medians)
    spent["slow_ratio"] = spent["days"] / spent["median"].where(spent["median"] > 0)
    slowest = spent.dropna(subset="slow_ratio").sort_values(["slow_ratio", stage], ascending=[False, True])
    slowest = slowest.drop_duplicates("key").set_index("key").reindex(last.index)
    found = last.assign(
        days=last["closed_day"] - its.groupby("key")["since_day"].min(),
        amount=last["amount_cents"].astype("Float64").astype(float) / CENTS,
        slow_stage=slowest[stage].astype(object).where(slowest[stage].notna(), None),
        slow_days=slowest["days"].astype(float),
        slow_median=slowest["median"].astype(float),
        slow_ratio=slowest["slow_ratio"].astype(float),
        is_reviewed=last.index.isin(reached),
    )
    own = typed.drop_duplicates(ids).set_index(ids).reindex(pd.Index(found[ids], dtype=object))
    for name in TYPED:
        values = [v if isinstance(v, str) else None for v in own[name]]
        found[name] = pd.Series(values, index=found.index, dtype=object)
    # They stand in the order of their ids, and equals stay in it.
    order = ["closed_day", "amount", region]
    return found.sort_values(order, ascending=[False, False, True], ignore_index=True)[list(CLOSED)]


def _ended_lately(rows: pd.DataFrame, key: Integers, since: int) -> tuple[pd.DataFrame, Integers]:
    """The stays, and the keys, of opportunities of which one ended on the day `since` or later; `key` rises."""
    is_late = (rows["since_day"] + rows["days"] >= since).to_numpy(dtype=bool)
    is_wanted = np.zeros(key.max(initial=-1) + 1, dtype=bool)
    is_wanted[key[is_late]] = True
    chosen = np.flatnonzero(is_wanted[key])
    return rows.take(chosen), key[chosen]


def tally(found: pd.DataFrame) -> Tally:
    """Won and lost; those with a slowest stage; lost ones with a reason."""
    lost = found["outcome"] == Outcome.LOST
    return Tally(
        won=int((~lost).sum()),
        lost=int(lost.sum()),
        compared=int(found["slow_stage"].notna().sum()),
        stated=int(found.loc[lost, "reason"].notna().sum()),
    )


def reasons(found: pd.DataFrame) -> pd.DataFrame:
    """Lost and won opportunities (counts) and the lost amount by reason, a row each member of Reason, in their order.

    reason  lost  amount  won
    """
    known = set(Reason) - {Reason.NOT_STATED}
    codes = [Reason.NOT_STATED if r is None else r if r in known else Reason.OTHER for r in found["reason"]]
    lost = found["outcome"] == Outcome.LOST
    sums = pd.DataFrame(
        {
            "reason": pd.Series([str(c) for c in codes], index=found.index, dtype=object),
            "lost": lost.astype(int),
            "amount": found["amount"].fillna(0).where(lost, 0),
            "won": (~lost).astype(int),
        }
    ).groupby("reason")[["lost", "amount", "won"]]
    return sums.sum().reindex([str(r) for r in Reason], fill_value=0).reset_index(names="reason")


def pareto(counted: pd.DataFrame) -> pd.DataFrame:
    """A frame of `reasons` with most lost first, those not stated last; rank, share and cumulative share of the stated.

    Shares are 0…1. Those not stated have none, unless nobody stated any: then they are all, and the others have none.
    Equal counts stay in the order of Reason.
    """
    is_last = (counted["reason"] == Reason.NOT_STATED).to_numpy()
    order = counted.assign(is_last=is_last).sort_values(["is_last", "lost"], ascending=[True, False], kind="stable")
    order = order.reset_index(drop=True)
    last = order.pop("is_last")
    stated, total = int(order.loc[~last, "lost"].sum()), int(order["lost"].sum())
    base, shown = (stated, ~last) if stated else (total, last & (total > 0))
    share = (order["lost"] / max(base, 1)).where(shown)
    cumulative = (order["lost"].cumsum() / max(base, 1)).where(shown)
    return order.assign(rank=range(1, len(order) + 1), share=share, cumulative=cumulative)


def known_amounts(counted: pd.DataFrame) -> pd.DataFrame:
    """A frame with lost (count) and amount, the amount NaN where something was lost and no amount is known."""
    return counted.assign(amount=counted["amount"].where((counted["amount"] != 0) | (counted["lost"] == 0)))


def by_stage(found: pd.DataFrame) -> pd.DataFrame:
    """By stage, a row each: lost there (count, share of all lost, amount), and how often it was a lost one's slowest.

    stage  lost  share  amount  slowest
    """
    lost = found[found["outcome"] == Outcome.LOST]
    at = lost.assign(amount=lost["amount"].fillna(0)).groupby("stage")["amount"].agg(["size", "sum"])
    at = at.reindex(list(STAGES), fill_value=0)
    slowest = lost["slow_stage"].value_counts().reindex(list(STAGES), fill_value=0)
    return pd.DataFrame(
        {
            "stage": list(STAGES),
            "lost": at["size"].to_numpy(dtype="int64"),
            "share": at["size"].to_numpy(dtype=float) / len(lost) if len(lost) else np.nan,
            "amount": at["sum"].to_numpy(dtype=float),
            "slowest": slowest.to_numpy(dtype="int64"),
        }
    )
