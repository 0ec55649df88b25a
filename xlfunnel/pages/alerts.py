"""Alerts: every rule that was broken, worst first, with its evidence and what to do."""

import pandas as pd

from xlfunnel.analysis import FunnelAnalysis
from xlfunnel.metrics.flags import Flag
from xlfunnel.pages.model import Column, Content, Link, Mark, Page, Slot, Table, Text
from xlfunnel.pages.phrases import Phrases

PAGE = Page(
    key="alerts",
    widths=(1.7, 5, 9, 20, 21, 9, 9, 50, 56, 1.7),
    heights={1: 8, 2: 28, 3: 18, 4: 6, 6: 20, 7: 31, 8: 31},
    area="B1:I8",
    repeat="2:6",
    freeze="A7",
    bands=(("B2:I3", "title_band"),),
    texts=(Text("B2:H2", "alerts.title", "title_small"), Text("B5:I5", "alerts.note", "note")),
    slots=(Slot("txt_alerts_scope", "B3:I3", "subtitle"),),
    links=(Link("I2", "sheets.to_home", "home", "link_band"),),
    tables=(
        Table("tbl_alerts", "B6", (
            Column("mark", "center_mark"), Column("severity", "text"), Column("who", "text"), Column("rule", "text"),
            Column("value", "number1"), Column("limit", "number1"), Column("evidence", "wrap"),
            Column("remedy", "wrap"),
        ), filter=True),
    ),
    marks=(Mark("B7:C8", "$B7", "mark"),),
)  # fmt: skip


def content(analysis: FunnelAnalysis, say: Phrases) -> Content:
    """One row a flag; a single row that says so where there is none."""
    rows = [_row(flag, say) for flag in analysis.flags] or [
        (say("home.mark.ok"), say("alerts.severity.ok"), None, say("alerts.none"), None, None, None, None)
    ]
    frame = pd.DataFrame(rows, columns=[c.key for c in PAGE.tables[0].columns])
    return Content({"tbl_alerts": frame}, {"txt_alerts_scope": say.alert_scope(analysis)})


def _row(flag: Flag, say: Phrases) -> tuple[object, ...]:
    return (
        say(f"home.mark.{flag.severity}"),
        say(f"alerts.severity.{flag.severity}"),
        say.who(flag),
        say.rule(flag),
        flag.value,
        flag.limit,
        say.evidence(flag),
        say(f"flags.remedy.{flag.code}"),
    )
