"""Seeded visits of any size, for benchmarks and tests: `visits(1_000_000)` takes about a second.

A made-up funnel of five regions with eight reps each over five years; some opportunities fall back and climb again.
"""

import numpy as np
import pandas as pd

from xlfunnel.terms import STAGES, Col, Outcome

REGIONS = ("华北大区", "华东大区", "华南大区", "西南大区", "海外大区")
OWNERS_PER_REGION = 8
FIRST_DAY, LAST_DAY = 18262, 20088  # 2020-01-01, 2024-12-31

_SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕"
_GIVEN = ("伟", "芳", "敏", "静", "强", "磊", "洋", "艳")
_ADVANCES = 0.55
_FALLS_BACK = 0.04
_OUTCOME_NAMES = {Outcome.WON.value: "赢单", Outcome.LOST.value: "丢单", Outcome.OPEN.value: None}


def visits(n: int, seed: int = 0) -> pd.DataFrame:
    """The canonical visits frame (see `xlfunnel.crm.visits`) with exactly `n` rows; its as-of is 2024-12-31."""
    draw = np.random.default_rng(seed)
    opportunities = n  # more than enough: each has one visit or more
    steps = np.minimum(draw.geometric(1 - _ADVANCES, opportunities), len(STAGES))
    opportunity = np.repeat(np.arange(opportunities), steps)
    begin = np.repeat(np.cumsum(steps) - steps, steps)
    visit = np.arange(len(opportunity)) - begin
    falls = np.repeat(draw.random(opportunities) < _FALLS_BACK, steps)
    stage = np.where(falls & (visit >= 2), visit - 2, visit)

    created = draw.integers(FIRST_DAY, LAST_DAY + 1, opportunities)
    stay = draw.gamma(1.6, 12 + 6 * np.minimum(stage, 3)).astype("int64")
    before = np.cumsum(stay) - stay
    entered = np.repeat(created, steps) + before - before[begin]
    left = entered + stay

    seen = entered <= LAST_DAY
    opportunity, visit, stage, entered, left = (a[seen][:n] for a in (opportunity, visit, stage, entered, left))
    is_last = np.append(opportunity[1:] != opportunity[:-1], True)
    is_open = is_last & (left > LAST_DAY)
    is_open[-1] = True  # cut off at n: where it went next is not in the frame
    is_won = is_last & (stage == len(STAGES) - 1) & (draw.random(len(stage)) < 0.6)

    names = np.array([*STAGES, Outcome.WON, Outcome.LOST, Outcome.OPEN], dtype=object)
    next_stage = np.where(is_last, np.where(is_won, 5, 6), np.append(stage[1:], 0))
    next_stage = np.where(is_open, 7, next_stage)
    rep = draw.integers(0, len(REGIONS) * OWNERS_PER_REGION, opportunities)[opportunity]
    region = rep // OWNERS_PER_REGION
    owner_names = np.array([s + _GIVEN[i % len(_GIVEN)] for i, s in enumerate(_SURNAMES)], dtype=object)
    amount = (draw.lognormal(12.5, 0.8, opportunities) // 1000 * 1000).astype("int64")[opportunity] * 100
    unknown = draw.random(opportunities)[opportunity] < 0.02
    ids = np.char.add("OP-", np.char.zfill(np.arange(1, opportunities + 1).astype(str), 7))
    return pd.DataFrame(
        {
            Col.OPPORTUNITY.value: pd.Series(ids[opportunity], dtype="str"),
            Col.VISIT.value: pd.Series(visit + 1, dtype="Int64"),
            Col.REGION.value: pd.Series(np.array(REGIONS, dtype=object)[region], dtype="str"),
            Col.OWNER.value: pd.Series(owner_names[rep], dtype="str"),
            Col.STAGE.value: pd.Series(names[stage], dtype="str"),
            Col.NEXT_STAGE.value: pd.Series(names[next_stage], dtype="str"),
            Col.ENTERED_DAY.value: entered,
            Col.LEFT_DAY.value: pd.Series(left, dtype="Int64").mask(is_open),
            Col.ENTERED_MONTH.value: _months(entered),
            Col.LEFT_MONTH.value: pd.Series(_months(left), dtype="Int64").mask(is_open),
            Col.AMOUNT_CENTS.value: pd.Series(amount, dtype="Int64").mask(unknown),
        }
    )


def history_table(n: int, seed: int = 0) -> pd.DataFrame:
    """The same visits as an export would show them: Chinese headers, dates, amounts in currency units."""
    frame = visits(n, seed)
    went = frame[Col.NEXT_STAGE].astype(object)
    return pd.DataFrame(
        {
            "商机编号": frame[Col.OPPORTUNITY],
            "大区": frame[Col.REGION],
            "负责人": frame[Col.OWNER],
            "阶段": frame[Col.STAGE],
            "进入日期": _dates(frame[Col.ENTERED_DAY]),
            "离开日期": _dates(frame[Col.LEFT_DAY]),
            "去向": went.map(lambda code: _OUTCOME_NAMES.get(code, code)),
            "金额": frame[Col.AMOUNT_CENTS].astype("Float64").div(100).astype("float64"),
        }
    )


def _months(days: np.ndarray) -> np.ndarray:
    return days.astype("datetime64[D]").astype("datetime64[M]").astype("int64")


def _dates(days: "pd.Series[int]") -> "pd.Series[pd.Timestamp]":
    return pd.to_datetime(days.astype("Float64").astype("float64"), unit="D")
