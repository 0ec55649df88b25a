"""The reverse funnel as a small table of the Forecast sheet: what must come in early to close the scope's gaps."""

from collections.abc import Sequence
from math import ceil, floor, isnan

import pandas as pd

from xlfunnel.analysis import FunnelAnalysis
from xlfunnel.calendar import date_of
from xlfunnel.metrics.reverse import Reverse
from xlfunnel.pages.model import Column, Table
from xlfunnel.pages.phrases import Phrases
from xlfunnel.terms import Outcome, Reach

ROWS = 7
_SHOWN = {"T3": ("T2", "T1", "T0"), Outcome.WON: ("T3", "T2", "T1", "T0")}
"""The stages that are shown of each aim: T3 below its floor, and wins that a quarter lacks."""


def table(at: str) -> Table:
    """The table, its header at this cell."""
    columns = (
        Column("aim", "help_text"), Column("missing", "number1"), Column("stage", "center"), Column("needed", "count"),
        Column("per_week", "number1"), Column("by", "help_text"), Column("said", "help_text"),
    )  # fmt: skip
    return Table("tbl_reverse", at, columns, rows=ROWS)


def rows(analysis: FunnelAnalysis, say: Phrases) -> pd.DataFrame:
    """The ways to the T3 floor, then to the nearest quarter's target that can still be reached."""
    own = [r for r in analysis.reverse if r.owner is None and r.region == analysis.scope]
    chosen = [r for aim in (_of(own, "T3", ""), _of(own, Outcome.WON, _period(own))) for r in aim]
    shown = [
        (
            say("reverse.floor", stage=r.target) if not r.period else say("reverse.target", period=r.period),
            r.missing,
            r.from_stage,
            r.needed,
            r.per_week,
            None if isnan(r.start_by) or r.reach != Reach.IN_TIME else date_of(floor(r.start_by)).isoformat(),
            _said(r, say),
        )
        for r in chosen
    ]
    frame = pd.DataFrame(shown, columns=[c.key for c in table("A1").columns])
    return frame.reindex(range(ROWS))


def sentence(analysis: FunnelAnalysis, say: Phrases) -> str:
    """What the table is about, or why it is empty."""
    weeks = analysis.settings.plan_weeks
    return say("reverse.note" if any(r.owner is None for r in analysis.reverse) else "reverse.nothing", weeks=weeks)


def _of(own: Sequence[Reverse], target: str, period: str) -> list[Reverse]:
    return [r for r in own if r.target == target and r.period == period and r.from_stage in _SHOWN[target]]


def _period(own: Sequence[Reverse]) -> str:
    """The first quarter that can still be helped from T2; the last one if none can."""
    missed = [r for r in own if r.target == Outcome.WON and r.from_stage == "T2"]
    helped = [r.period for r in missed if r.reach == Reach.IN_TIME]
    return helped[0] if helped else missed[-1].period if missed else ""


def _said(way: Reverse, say: Phrases) -> str:
    earliest = "" if isnan(way.earliest_day) else date_of(ceil(way.earliest_day)).isoformat()
    lacking = say.step(*way.lacking.split("-")) if "-" in way.lacking else way.lacking
    return say(f"reverse.reach.{way.reach}", earliest=earliest, lacking=lacking)
