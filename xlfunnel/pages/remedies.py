"""Remedies: diagnosis → causes → actions, a table that a manager edits and that Alerts and Plans prescribe by."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import pandas as pd

from xlfunnel.analysis import FunnelAnalysis
from xlfunnel.pages.model import Choice, Column, Content, Link, Page, Table, Text
from xlfunnel.pages.phrases import Phrases
from xlfunnel.terms import Diagnosis

_DAYS = {
    Diagnosis.SHORT_RESERVE: (7, 7, 14),
    Diagnosis.SHORT_T1: (7, 30),
    Diagnosis.SHORT_T3: (14, 21),
    Diagnosis.DECLINING: (7, 30),
    Diagnosis.BLOCKED_T0: (14, 7),
    Diagnosis.BLOCKED_T1: (21, 14),
    Diagnosis.BLOCKED_T2: (21, 7),
    Diagnosis.BLOCKED_T3: (14, 21),
    Diagnosis.BLOCKED_T4: (7, 7, 5),
    Diagnosis.SLOWER: (14, 14),
    Diagnosis.OVER_AGE: (7, 14),
    Diagnosis.T3_GAP: (7, 7),
}
"""The built-in remedies: days in which each is due; their words are strings `remedies.<diagnosis>.<n>`."""

_ROWS = [(d, n, days) for d, each in _DAYS.items() for n, days in enumerate(each, 1)]
_COLUMNS = ("diagnosis", "causes", "action", "who", "days")
_HEAD = 6
_LONG = Choice("text", longest=400)

PAGE = Page(
    key="remedies",
    widths=(1.7, 18, 42, 82, 17, 10, 1.7),
    heights={1: 8, 2: 28, 3: 18, 4: 6, 5: 18, _HEAD: 22, **dict.fromkeys(range(_HEAD + 1, _HEAD + 1 + len(_ROWS)), 31)},
    area=f"B1:F{_HEAD + len(_ROWS)}",
    repeat=f"2:{_HEAD}",
    freeze=f"A{_HEAD + 1}",
    input=True,
    bands=(("B2:F3", "title_band"),),
    texts=(
        Text("B2:D2", "remedies.title", "title_small"),
        Text("B3:F3", "remedies.note", "subtitle"),
        Text("B5:F5", "remedies.rules", "note"),
    ),
    links=(Link("E2:F2", "sheets.to_home", "home", "link_band"),),
    tables=(
        Table("tbl_remedies", f"B{_HEAD}", (
            Column("diagnosis", "input_text", typed=True,
                   choice=Choice("list", options=tuple(f"remedies.diagnosis.{d}" for d in Diagnosis))),
            Column("causes", "input_wrap", typed=True, choice=_LONG),
            Column("action", "input_wrap", typed=True, choice=_LONG),
            Column("who", "input_text", typed=True, choice=Choice("text")),
            Column("days", "input_count", typed=True, choice=Choice("integer", low=0, high=3650)),
        ), rows=len(_ROWS), defaults=tuple(
            (f"remedies.diagnosis.{d}", f"remedies.{d}.{n}.causes", f"remedies.{d}.{n}.action",
             f"remedies.{d}.{n}.who", days) for d, n, days in _ROWS
        )),
    ),
)  # fmt: skip


class Remedy(NamedTuple):
    """One action; texts may be empty, days None."""

    causes: str
    action: str
    who: str
    days: float | None


def content(analysis: FunnelAnalysis, say: Phrases) -> Content:
    """The remedies in force, as the table shows them."""
    rows = _in_force(analysis, say)
    shown = [say(f"remedies.diagnosis.{d}") if d in tuple(Diagnosis) else d for d in rows["diagnosis"]]
    return Content({"tbl_remedies": rows.assign(diagnosis=pd.Series(shown, index=rows.index, dtype=object))})


def is_due(analysis: FunnelAnalysis, *, with_data: bool, with_entered: bool) -> bool:
    """Whether the table is to be written: into a new workbook, and where somebody has cleared it."""
    found = analysis.entered.tables.get("remedies")
    return with_data if found is None else with_entered or found.empty


def remedies(analysis: FunnelAnalysis, say: Phrases) -> dict[Diagnosis, tuple[Remedy, ...]]:
    """The remedies of each diagnosis in the order of the table; a row without an action prescribes nothing."""
    found: dict[str, list[Remedy]] = {d: [] for d in Diagnosis}
    for diagnosis, causes, action, who, days in _in_force(analysis, say).itertuples(index=False, name=None):
        if diagnosis in found and _text(action):
            is_number = isinstance(days, int | float) and not isinstance(days, bool)
            due = float(days) if is_number else None
            found[diagnosis].append(Remedy(_text(causes), _text(action), _text(who), due))
    return {d: tuple(found[d]) for d in Diagnosis}


def prescription(found: Mapping[Diagnosis, Sequence[Remedy]], diagnosis: Diagnosis, say: Phrases, most: int) -> str:
    """The first actions for a diagnosis, numbered where there are several."""
    each = [r.action for r in found[diagnosis][:most]]
    if not each:
        return say("remedies.none")
    return each[0] if len(each) == 1 else "\n".join(f"{i}. {text}" for i, text in enumerate(each, 1))


def _in_force(analysis: FunnelAnalysis, say: Phrases) -> pd.DataFrame:
    """What the user typed, or else what is built in; diagnoses by their codes where they are ours."""
    typed = analysis.entered.frame("remedies", _COLUMNS)
    if len(typed):
        return typed
    built_in = [(d, *(say(f"remedies.{d}.{n}.{c}") for c in _COLUMNS[1:4]), days) for d, n, days in _ROWS]
    return pd.DataFrame(built_in, columns=list(_COLUMNS), dtype=object)


def _text(value: object) -> str:
    return "" if value is None else str(value).strip()
