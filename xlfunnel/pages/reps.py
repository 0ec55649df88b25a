"""Reps: who holds what, who is below the mean or the floor."""

import pandas as pd

from xlfunnel.analysis import FunnelAnalysis
from xlfunnel.pages.model import Chart, Column, Content, Link, Mark, Page, Series, Slot, Table, Text
from xlfunnel.pages.phrases import Phrases
from xlfunnel.terms import STAGES

PAGE = Page(
    key="reps",
    widths=(1.7, 6, 20, 13, *(8.5,) * 5, 10.5, 10, 9.5, 10.5, 44, 1.7, *(9,) * 6),
    heights={1: 8, 2: 28, 3: 18, 4: 6, 21: 22, 23: 31},
    area="B1:N25",
    repeat="2:4",
    bands=(("B2:N3", "title_band"),),
    texts=(
        Text("B2:I2", "reps.title", "title_small"),
        Text("B21:N21", "reps.reps.title", "section"),
        Text("B22:N22", "reps.reps.note", "note"),
        Text("P22", "home.chart_data", "muted"),
    ),
    slots=(Slot("txt_reps_scope", "B3:N3", "subtitle"),),
    links=(Link("M2:N2", "sheets.to_home", "home", "link_band"),),
    tables=(
        Table("tbl_reps", "B23", (
            Column("rank", "count"), Column("owner", "text"), Column("region", "text"),
            *(Column(s, "count", bars="teal4") for s in STAGES),
            Column("reserve", "count_strong"), Column("region_mean", "number1"), Column("to_mean", "signed1"),
            Column("to_floor", "signed1"), Column("flags", "help_text"),
        )),
        Table("tbl_rep_bars", "P23", (
            Column("bar_ok", "count"), Column("bar_short", "count"), Column("t3_ok", "count"),
            Column("t3_short", "count"), Column("mean", "number1"), Column("floor", "number1"),
        )),
    ),
    charts=(
        Chart("B5:J19", "reps.chart.reserve", ("tbl_reps", "owner"), (
            Series("tbl_rep_bars", "bar_ok", "column", "teal2", labels=True, label_color="white"),
            Series("tbl_rep_bars", "bar_short", "column", "red", labels=True, label_color="white"),
            Series("tbl_rep_bars", "mean", "line", "ink", dashed=True, marker=False),
        ), stacked=True, legend=True, gap=55),
        Chart("K5:N19", "reps.chart.t3", ("tbl_reps", "owner"), (
            Series("tbl_rep_bars", "t3_ok", "column", "teal2", labels=True, label_color="white"),
            Series("tbl_rep_bars", "t3_short", "column", "red", labels=True, label_color="white"),
            Series("tbl_rep_bars", "floor", "line", "ink", dashed=True, marker=False),
        ), stacked=True, legend=True, gap=55),
    ),
    marks=(Mark("L24:M25", "", "negative"), Mark("C24:C25", "$N24", "flagged"), Mark("N24:N25", "$N24", "flagged")),
)  # fmt: skip


def content(analysis: FunnelAnalysis, say: Phrases) -> Content:
    """One row a rep, largest reserve first within the region; the bars of the charts beside it."""
    owners = analysis.owners
    floor = analysis.settings.floor_t3
    broken = [say.flag_list(analysis.flags_of(r, o)) for r, o in zip(owners["region"], owners["owner"], strict=True)]
    reps = owners.assign(
        region=[say.region(r) for r in owners["region"]],
        owner=[say.owner(o) for o in owners["owner"]],
        flags=pd.Series(broken, index=owners.index, dtype=object),
    )
    keys = [c.key for c in PAGE.tables[0].columns]
    below_mean, below_floor = owners["to_mean"] < 0, owners["to_floor"] < 0
    bars = pd.DataFrame(
        {
            "bar_ok": owners["reserve"].where(~below_mean),
            "bar_short": owners["reserve"].where(below_mean),
            "t3_ok": owners["T3"].where(~below_floor),
            "t3_short": owners["T3"].where(below_floor),
            "mean": owners["region_mean"],
            "floor": floor,
        }
    )
    return Content({"tbl_reps": reps[keys], "tbl_rep_bars": bars}, {"txt_reps_scope": say.scope(analysis)})
