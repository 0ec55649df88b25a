"""Alerts: the floors and how safe they are, every rule that was broken, worst first, with evidence and remedy."""

import pandas as pd

from xlfunnel.analysis import FunnelAnalysis
from xlfunnel.metrics.alerts import diagnosis
from xlfunnel.pages.evidence import evidence, floor_sentence, shown, unit
from xlfunnel.pages.model import Column, Content, Link, Mark, Page, Slot, Table, Text
from xlfunnel.pages.phrases import Phrases
from xlfunnel.pages.remedies import prescription, remedies
from xlfunnel.report import Value

_FLOORS = (7, 6)
"""Rows of the sentences on T1 and T3: T3, which sounds the alarm, first."""
_HEAD = 9
_ACTIONS = 2
"""Actions of a remedy that a line shows; the Remedies sheet has them all."""

PAGE = Page(
    key="alerts",
    widths=(1.7, 5, 9, 15, 20, 8, 8, 9, 60, 76, 1.7),
    heights={1: 8, 2: 28, 3: 18, 4: 6, 5: 22, 6: 20, 7: 20, 8: 18, _HEAD: 20, _HEAD + 1: 46, _HEAD + 2: 46},
    area=f"B1:J{_HEAD + 2}",
    repeat=f"2:{_HEAD}",
    freeze=f"A{_HEAD + 1}",
    bands=(("B2:J3", "title_band"), ("B5:J5", "section")),
    texts=(
        Text("B2:H2", "alerts.title", "title_small"),
        Text("B5:J5", "alerts.floors", "section"),
        Text("B8:J8", "alerts.note", "note"),
    ),
    slots=(
        Slot("txt_alerts_scope", "B3:J3", "subtitle"),
        *(Slot(f"txt_floor_mark_{i}", f"B{row}", "mark") for i, row in enumerate(_FLOORS, 1)),
        *(Slot(f"txt_floor_{i}", f"C{row}:J{row}", "sentence") for i, row in enumerate(_FLOORS, 1)),
    ),
    links=(Link("J2", "sheets.to_home", "home", "link_band"),),
    tables=(
        Table("tbl_alerts", f"B{_HEAD}", (
            Column("mark", "center_mark"), Column("severity", "text"), Column("who", "text"), Column("rule", "wrap"),
            Column("value", "number1"), Column("limit", "number1"), Column("unit", "text"),
            Column("evidence", "wrap"), Column("remedy", "wrap"),
        ), filter=True),
    ),
    marks=(
        Mark(f"B{_HEAD + 1}:C{_HEAD + 2}", f"$B{_HEAD + 1}", "mark"),
        *(Mark(f"B{row}", "", "font") for row in _FLOORS),
    ),
)  # fmt: skip


def content(analysis: FunnelAnalysis, say: Phrases) -> Content:
    """One row an alert; a single row that says so where there is none."""
    known = remedies(analysis, say)
    rows: list[tuple[object, ...]] = [
        (
            say(f"home.mark.{flag.severity}"), say(f"alerts.severity.{flag.severity}"), say.who(flag), say.rule(flag),
            shown(flag, flag.value), shown(flag, flag.limit), unit(flag, say), evidence(flag, say),
            prescription(known, diagnosis(flag), say, _ACTIONS),
        )
        for flag in analysis.alerts
    ]  # fmt: skip
    if not rows:
        rows = [(say("home.mark.ok"), say("alerts.severity.ok"), None, say("alerts.none"), *[None] * 5)]
    frame = pd.DataFrame(rows, columns=[c.key for c in PAGE.tables[0].columns])
    cells: dict[str, Value] = {"txt_alerts_scope": say.alert_scope(analysis)}
    own = [f for f in analysis.floors if f.region == analysis.scope]
    for i in range(len(_FLOORS)):
        severity, text = floor_sentence(own[i], analysis.settings, say) if own else (None, None)
        cells[f"txt_floor_mark_{i + 1}"] = say(f"home.mark.{severity}") if severity else None
        cells[f"txt_floor_{i + 1}"] = text
    return Content({"tbl_alerts": frame}, cells)
