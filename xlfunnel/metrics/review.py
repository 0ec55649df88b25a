"""Post-mortem: opportunities won or lost lately, where their time went, at which stage and why they ended.

slowest stage   that in which an opportunity stayed longest against the median of its region's stays there: days of all
                its visits to the stage ÷ median. Stages without a median, or with one of 0 days, are not compared
reasons         as users typed them; a Pareto counts the lost ones
reviewed        those that ever reached EFFECTIVE: leads that were dropped before it need no post-mortem each, and are
                only counted by stage
"""

from math import nan
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from xlfunnel.calendar import day_number, month_end
from xlfunnel.facts import Facts
from xlfunnel.metrics.evidence import windows
from xlfunnel.metrics.reserve import CENTS
from xlfunnel.metrics.sojourns import Floats, Integers, is_first
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
    ids, region = Col.OPPORTUNITY.value, Col.REGION.value
    rows = stays.rename(columns=str)
    rows, key = _ended_lately(rows, np.cumsum(is_first(rows)) - 1, since)
    is_last = np.append(key[1:] != key[:-1], True)[: len(key)]
    last = rows[is_last].set_index(key[is_last])
    last = last.assign(closed_day=last["since_day"] + last["days"], outcome=last["next_stage"])
    last = last[last["outcome"].isin(list(OUTCOMES)) & (last["closed_day"] >= since)]
    place = pd.Index(last.index).get_indexer(key)
    its, place = rows[place >= 0], place[place >= 0]
    begun = np.flatnonzero(np.append(True, place[1:] != place[:-1])[: len(place)])
    spent = _spent(its, place, len(last))
    reached: NDArray[np.bool_] = ~np.isnan(spent[:, STAGES.index(EFFECTIVE) :])
    found = last.assign(
        days=last["closed_day"] - its["since_day"].to_numpy()[begun],
        amount=last["amount_cents"].astype("Float64").astype(float) / CENTS,
        is_reviewed=np.asarray(reached.any(axis=1)),
        **_slowest(spent, _medians(last[region], durations)),
    )
    own = typed.drop_duplicates(ids).set_index(ids).reindex(pd.Index(found[ids], dtype=object))
    for name in TYPED:
        values = [v if isinstance(v, str) else None for v in own[name]]
        found[name] = pd.Series(values, index=found.index, dtype=object)
    # They stand in the order of their ids, and equals stay in it.
    order = ["closed_day", "amount", region]
    return found.sort_values(order, ascending=[False, False, True], ignore_index=True)[list(CLOSED)]


def _spent(stays: pd.DataFrame, place: Integers, n: int) -> Floats:
    """(opportunity, stage): days spent in it; NaN = never there. `place`: whose of n opportunities each stay is."""
    codes, met = pd.factorize(stays["stage"])
    cell = place * len(STAGES) + np.array([STAGES.index(name) for name in met], dtype=np.int64)[codes]
    size = n * len(STAGES)
    visits, days = np.bincount(cell, minlength=size), np.bincount(cell, stays["days"].to_numpy(), size)
    return np.where(visits > 0, days, nan).reshape(n, len(STAGES))


def _medians(regions: "pd.Series[str]", durations: pd.DataFrame) -> Floats:
    """(row, stage): the median days of the stays in each stage of each row's region; NaN where that is undefined."""
    usual = durations[durations["owner"].isna() & durations["region"].notna()]
    known = dict(zip(zip(usual["region"], usual["stage"], strict=True), usual["median"], strict=True))
    codes, met = pd.factorize(regions)
    table = [[known.get((name, stage), nan) for stage in STAGES] for name in met]
    return np.array(table, dtype=float).reshape(-1, len(STAGES))[codes]


def _slowest(spent: Floats, median: Floats) -> dict[str, NDArray[Any]]:
    """The columns slow_…, out of the days spent in each stage (NaN = never there) and the medians: (row, stage)."""
    ratio = spent / np.where(median > 0, median, nan)
    at = np.where(np.isnan(ratio), -1.0, ratio).argmax(axis=1)[:, None]
    days, usual, most = (np.take_along_axis(values, at, axis=1)[:, 0] for values in (spent, median, ratio))
    is_known = ~np.isnan(most)
    return {
        "slow_stage": np.where(is_known, np.array(STAGES, dtype=object)[at[:, 0]], np.array(None, dtype=object)),
        "slow_days": np.where(is_known, days, nan),
        "slow_median": np.where(is_known, usual, nan),
        "slow_ratio": most,
    }


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
