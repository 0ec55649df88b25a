"""Waterfalls: what lay between two month ends, for a stage or a span of stages, out of the movements of single months.

What moves on or falls back within a span has not left it: of a span, advanced_in and advanced_out are what is left of
either once they are set against each other, and so are back_in and back_out. It balances as its stages do.
"""

from collections.abc import Hashable, Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from xlfunnel.facts import Facts
from xlfunnel.metrics.movement import FLOWS, INS, NETS, OUTS, STEPS_SHOWN
from xlfunnel.metrics.reserve import complete_months, stages_of
from xlfunnel.settings import Settings

SPANS = ("T0-T3", "T0-T4")
"""Shown below the stages: all before the key decision, and the whole funnel."""

MONTHS = 24
"""So many months at least may be chosen from."""

BARS = ("start", "new", "reopened", "advanced_in", "back", "advanced_out", "won", "lost", "other", "end")
"""Bars of the chart: back = back_in − back_out, other = transferred + changed + unknown."""

_NETTED = (("advanced_in", "advanced_out"), ("back_in", "back_out"))


class Bar(NamedTuple):
    """One bar of a waterfall chart, drawn as a stack of columns.

    value  what it adds, or at either end what stands there
    level  sum so far
    base   invisible part below the bar; up, down, total: the bar itself, in the column of its colour

    A bar that would dip below 0 ends there: stocks do not, sums of amounts on their way may.
    """

    name: str
    value: float
    level: float
    base: float
    up: float
    down: float
    total: float


def window(facts: Facts, settings: Settings) -> tuple[int, ...]:
    """The complete months that may be chosen from: the latest MONTHS, or as many as are looked at elsewhere."""
    return complete_months(facts, max(MONTHS, settings.trend_months, settings.recent_months))


def picked(months: int, start: int | None = None, end: int | None = None) -> tuple[int, int]:
    """First and last of the months 1…`months` between two month ends.

    start, end  places of the ends that were chosen, 0 being the end before month 1; None = the last one, and the one
                before it. In the wrong order they are swapped; there is at least one month between them.
    """
    last = max(months if end is None else end, start or 0, 1)
    first = min(last - 1 if start is None else start, months if end is None else end, last - 1)
    return max(first, 0) + 1, last


def between(rows: pd.DataFrame, first_month: int, last_month: int) -> pd.DataFrame:
    """The waterfall of every stage and of the SPANS: a frame with `stage` ("T2", "T0-T3") and the steps.

    rows  those of `metrics.movement.monthly_movement` of one who and measure, all stages in every month
    """
    inside = rows[rows["month"].between(first_month, last_month)]
    if inside.empty:
        return pd.DataFrame(columns=["stage", *STEPS_SHOWN])
    table = inside.groupby("stage")[list(FLOWS)].sum()
    table.insert(0, "start", inside[inside["month"] == first_month].set_index("stage")["start"])
    table["end"] = inside[inside["month"] == last_month].set_index("stage")["end"]
    table = table[list(STEPS_SHOWN)]
    spans = [_of_span(table[table.index.isin(stages_of(span))]) for span in SPANS]
    found = pd.DataFrame([*table.to_numpy(), *spans], columns=list(STEPS_SHOWN))
    found.insert(0, "stage", [*table.index, *SPANS])
    return found


def month_by_month(rows: pd.DataFrame, stage: str) -> pd.DataFrame:
    """`between` of every month by itself, for one stage or span: month, the steps, came and went.

    came, went  all that came and all that left; a balance of what nobody explains counts to the side it is on
    """
    inside = rows[rows["stage"].isin(stages_of(stage) if stage in SPANS else (stage,))]
    table = inside.groupby("month")[list(STEPS_SHOWN)].sum().astype(float).reset_index()
    for coming, going in _NETTED if stage in SPANS else ():
        within = table[[coming, going]].min(axis=1)
        table[coming], table[going] = table[coming] - within, table[going] - within
    nets = table[list(NETS)].sum(axis=1)
    return table.assign(
        came=table[list(INS)].sum(axis=1) + nets.clip(lower=0), went=table[list(OUTS)].sum(axis=1) - nets.clip(upper=0)
    )


def bars(row: Mapping[Hashable, Any]) -> tuple[Bar, ...]:
    """The bars of one row of `between`."""
    values = {name: float(row[name]) for name in STEPS_SHOWN}
    values["back"] = values["back_in"] - values["back_out"]
    values["other"] = sum(values[name] for name in NETS)
    found: list[Bar] = []
    level = 0.0
    for name in BARS:
        value = -values[name] if name in OUTS else values[name]
        if name in ("start", "end"):
            level = value
            found.append(Bar(name, value, level, 0.0, 0.0, 0.0, value))
            continue
        before, level = level, level + value
        base = max(0.0, min(before, level))
        height = max(0.0, before, level) - base
        found.append(Bar(name, value, level, base, height if value > 0 else 0.0, height if value < 0 else 0.0, 0.0))
    return tuple(found)


def moved_most(table: pd.DataFrame) -> dict[Hashable, Any] | None:
    """Of a frame of `between`, the stage whose reserve changed most; None if none did."""
    stages = table[~table["stage"].isin(SPANS)]
    change = (stages["end"] - stages["start"]).abs()
    return stages.to_dict("records")[int(change.argmax())] if change.max() > 0 else None


def _of_span(stages: pd.DataFrame) -> NDArray[np.float64]:
    """The steps of stages taken together, in the order of STEPS_SHOWN."""
    total: NDArray[np.float64] = stages.to_numpy(dtype=float).sum(axis=0)
    for pair in _NETTED:
        places = [STEPS_SHOWN.index(step) for step in pair]
        total[places] -= total[places].min()
    return total
