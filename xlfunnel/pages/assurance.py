"""Wins and leads: what makes sure of a win in T4, and the grade of each lead in T1, both typed by users."""

import pandas as pd

from xlfunnel.analysis import FunnelAnalysis
from xlfunnel.metrics import opportunity
from xlfunnel.metrics.opportunity import LEAD_STAGE, WIN_STAGE
from xlfunnel.pages.model import Choice, Column, Content, Link, Mark, Page, Slot, Table, Text
from xlfunnel.pages.phrases import Phrases
from xlfunnel.report import Value
from xlfunnel.terms import BANT, GRADES, WIN_STEPS, YES, Severity

_SENTENCES = range(6, 8)
_LIST = 12
"""Header row of both lists."""

_ANSWER = Choice("list", options=(f"assurance.answer.{YES}", "assurance.answer.no"))
_YES = f'"{{assurance.answer.{YES}}}"'


def _cell(table: str, column: str) -> str:
    return f"{table}[[#This Row],[{{{column}}}]]"


def _of_three() -> str:
    done = "+".join(f"({_cell('tbl_assurance', step)}={_YES})" for step in WIN_STEPS)
    return f'=IF({_cell("tbl_assurance", "opportunity_id")}="","",{done})'


def _grade() -> str:
    marks = f"tbl_leads[[#This Row],[{{{BANT[0]}}}]:[{{{BANT[-1]}}}]]"
    by_count = ",".join(f'"{opportunity.grade(n)}"' for n in range(len(BANT) + 1))
    return f'=IF(COUNTA({marks})=0,"",CHOOSE(COUNTIF({marks},{_YES})+1,{by_count}))'


PAGE = Page(
    key="assurance",
    widths=(1.7, 13, 11.5, 14.5, 12, 7, 8.5, 11, 8.5, 11, 11, 11, 8, 2, 13, 11.5, 14.5, 12, 7, *(8.5,) * 4, 7, 1.7),
    heights={1: 8, 2: 28, 3: 18, 4: 6, 5: 22, **dict.fromkeys(_SENTENCES, 20), 8: 8, 9: 22, 10: 18, 11: 6, _LIST: 31},
    area=f"B1:X{_LIST + 2}",
    repeat="2:4",
    bands=(("B2:X3", "title_band"), ("B5:X5", "section")),
    texts=(
        Text("B2:O2", "assurance.title", "title_small"),
        Text("B5:X5", "assurance.sentences", "section"),
        Text("B9:M9", "assurance.wins.title", "section"),
        Text("B10:M10", "assurance.wins.note", "note"),
        Text("O9:X9", "assurance.leads.title", "section"),
        Text("O10:X10", "assurance.leads.note", "note"),
    ),
    slots=(
        Slot("txt_assurance_scope", "B3:X3", "subtitle"),
        *(Slot(f"txt_assurance_mark_{i}", f"B{row}", "mark_near") for i, row in enumerate(_SENTENCES, 1)),
        *(Slot(f"txt_assurance_{i}", f"C{row}:X{row}", "sentence") for i, row in enumerate(_SENTENCES, 1)),
    ),
    links=(Link("W2:X2", "sheets.to_home", "home", "link_band"),),
    tables=(
        Table("tbl_assurance", f"B{_LIST}", (
            Column("opportunity_id", "help_text"), Column("region", "help_text"), Column("owner", "help_text"),
            Column("amount", "money"), Column("days", "count_near"),
            *(
                column
                for step in WIN_STEPS
                for column in (
                    Column(step, "center_answer", typed=True, choice=_ANSWER),
                    Column(f"{step}_date", "center_date", typed=True, choice=Choice("date")),
                )
            ),
            Column("done", "center_of_three", formula=_of_three()),
        ), filter=True, key="opportunity_id"),
        Table("tbl_leads", f"O{_LIST}", (
            Column("opportunity_id", "help_text"), Column("region", "help_text"), Column("owner", "help_text"),
            Column("amount", "money"), Column("days", "count_near"),
            *(Column(mark, "center_answer", typed=True, choice=_ANSWER) for mark in BANT),
            Column("grade", "center", formula=_grade()),
        ), filter=True, key="opportunity_id"),
    ),
    marks=(Mark("B6:B7", "", "font"),),
)  # fmt: skip


def content(analysis: FunnelAnalysis, say: Phrases) -> Content:
    """Both lists, largest first, and how far each has come."""
    tables, whole = {}, {"tbl_assurance": analysis.assurance, "tbl_leads": analysis.leads}
    for table in PAGE.tables:
        found = whole[table.name]
        typed = analysis.entered.frame(table.short, (table.key,))[table.key]
        tables[table.name] = _listed(opportunity.listed(found, set(typed)), table, say)
    cells: dict[str, Value] = {"txt_assurance_scope": say.scope(analysis)}
    told = [
        _wins(analysis.assurance, len(tables["tbl_assurance"]), say),
        _leads(analysis.leads, len(tables["tbl_leads"]), say),
    ]
    for i, (severity, text) in enumerate(told, 1):
        cells[f"txt_assurance_mark_{i}"] = say(f"home.mark.{severity}")
        cells[f"txt_assurance_{i}"] = text
    return Content(tables, cells)


def _listed(shown: pd.DataFrame, table: Table, say: Phrases) -> pd.DataFrame:
    worded = shown.assign(region=[say.region(r) for r in shown["region"]], owner=[say.owner(o) for o in shown["owner"]])
    return worded[[c.key for c in table.columns if not c.typed]]


def _wins(found: pd.DataFrame, shown: int, say: Phrases) -> tuple[Severity, str]:
    if found.empty:
        return Severity.NONE, say("assurance.sentence.no_wins", stage=WIN_STAGE)
    counts = {str(n): say.count((found["done"] == n).sum()) for n in range(len(WIN_STEPS) + 1)}
    text = say("assurance.sentence.wins", n=say.count(len(found)), stage=WIN_STAGE, all=counts["3"], none=counts["0"])
    largest = found[found["done"] < len(WIN_STEPS)]
    if len(largest):
        first = largest.iloc[0]
        text += say("assurance.sentence.first", id=first["opportunity_id"], owner=say.owner(first["owner"]))
    severity = Severity.OK if largest.empty else Severity.WATCH
    return severity, text + _cut(shown, len(found), say)


def _leads(found: pd.DataFrame, shown: int, say: Phrases) -> tuple[Severity, str]:
    if found.empty:
        return Severity.NONE, say("assurance.sentence.no_leads", stage=LEAD_STAGE)
    graded = int(found["grade"].notna().sum())
    counts = {"n": say.count(graded), "of": say.count(len(found)), "stage": LEAD_STAGE}
    if not graded:
        return Severity.NONE, say("assurance.sentence.ungraded", **counts) + _cut(shown, len(found), say)
    each = say("sheets.comma").join(f"{g} {say.count((found['grade'] == g).sum())}" for g in GRADES)
    return Severity.NONE, say("assurance.sentence.graded", **counts, grades=each) + _cut(shown, len(found), say)


def _cut(shown: int, of: int, say: Phrases) -> str:
    return say("assurance.sentence.shown", n=say.count(shown), of=say.count(of)) if shown < of else ""
