"""Settings: everything a user decides, in cells that refuse what cannot be."""

from collections.abc import Mapping

import pandas as pd

from xlfunnel.analysis import FunnelAnalysis
from xlfunnel.crm import remembered
from xlfunnel.pages.model import Choice, Column, Content, Link, Page, Slot, Table, Text
from xlfunnel.pages.phrases import Phrases
from xlfunnel.report import Value
from xlfunnel.settings import DATE_ORDERS, LANGUAGES, Settings
from xlfunnel.terms import OUTCOMES, STAGES, STEPS, Field

_TARGETS = (*STAGES, *(f"data.outcome.{o}" for o in OUTCOMES))
_FIELDS = tuple(f"settings_sheet.field.{f}" for f in Field)
_STEPS = tuple(f"settings_sheet.step.{s}" if s.endswith("won") else s.replace("-", "→") for s in STEPS)

_CELLS: tuple[tuple[str, str, Choice], ...] = (
    ("region", "input_text", Choice("text")),
    ("as_of", "input_date", Choice("date")),
    ("trend_months", "input_count", Choice("integer", low=0, high=600)),
    ("recent_months", "input_count", Choice("integer", low=1, high=600)),
    ("floor_t1", "input_number", Choice("decimal", low=0, high=1e6)),
    ("floor_t3", "input_number", Choice("decimal", low=0, high=1e6)),
    ("wins_needed", "input_count", Choice("integer", low=1, high=1000)),
    ("service_level", "input_percent", Choice("decimal", low=0.01, high=0.999)),
    ("fiscal_start", "input_count", Choice("integer", low=1, high=12)),
    ("plan_weeks", "input_count", Choice("integer", low=1, high=104)),
    ("refuse_share", "input_percent", Choice("decimal", low=0, high=1)),
    ("date_order", "input_text", Choice("list", options=tuple(f"settings_sheet.date_order.{o}" for o in DATE_ORDERS))),
    ("currency", "input_text", Choice("text")),
    ("language", "input_text", Choice("list", options=LANGUAGES)),
)
_FIRST = 6
_ROWS = range(_FIRST, _FIRST + len(_CELLS))
_HEAD = {1: 8, 2: 28, 3: 18, 4: 6, 5: 31}
_HORIZONS = _FIRST + len(STAGES) + 1
_BENCHMARKS = _HORIZONS + len(STAGES) + 2
"""Rows of the headers of two tables below the names of the stages; only the last of the three may grow."""
_AIMS = max(_BENCHMARKS, _ROWS[-1] + 3)
"""Header row of the targets, below the settings that stand in cells."""

PAGE = Page(
    key="settings",
    widths=(1.7, 24, 15, 44, 1.7, 8, 22, 1.7, 20, 11, 1.7, 14, 20, 1.7),
    heights=_HEAD | dict.fromkeys(range(_FIRST, _AIMS + 3), 25) | dict.fromkeys(_ROWS, 33),
    area=f"B1:M{_AIMS + 2}",
    repeat="2:3",
    input=True,
    bands=(("B2:M3", "title_band"),),
    texts=(
        Text("B2:D2", "settings_sheet.title", "title_small"),
        Text("B3:M3", "settings_sheet.note", "subtitle"),
        Text(f"B{_AIMS - 1}:D{_AIMS - 1}", "settings_sheet.targets", "section"),
        Text("B5", "settings_sheet.header.setting", "header"),
        Text("C5", "settings_sheet.header.value", "header"),
        Text("D5", "settings_sheet.header.meaning", "header"),
        *(Text(f"B{_FIRST + i}", f"settings_sheet.name.{n}", "label") for i, (n, _, _) in enumerate(_CELLS)),
        *(Text(f"D{_FIRST + i}", f"settings_sheet.meaning.{n}", "wrap_note") for i, (n, _, _) in enumerate(_CELLS)),
    ),
    slots=tuple(
        Slot(
            f"cfg_{name}", f"C{_FIRST + i}", style, choice,
            default=getattr(Settings(), name), default_key="settings_sheet.date_order.auto" * (name == "date_order"),
        )
        for i, (name, style, choice) in enumerate(_CELLS)
    ),
    links=(Link("L2:M2", "sheets.to_home", "home", "link_band"),),
    tables=(
        Table("tbl_stages", "F5", (Column("code", "label"), Column("name", "input_text")), rows=len(STAGES)),
        Table("tbl_horizons", f"F{_HORIZONS}", (
            Column("stage", "label"), Column("days", "input_count", choice=Choice("integer", low=1, high=36500)),
        ), rows=len(STAGES)),
        Table("tbl_benchmarks", f"F{_BENCHMARKS}", (
            Column("step", "input_text", choice=Choice("list", options=_STEPS)),
            Column("rate", "input_percent", choice=Choice("decimal", low=0, high=1)),
        )),
        Table("tbl_targets", f"B{_AIMS}", (
            Column("region", "input_text"), Column("period", "input_text"),
            Column("target", "input_money", choice=Choice("decimal", low=0, high=1e15)),
        )),
        Table("tbl_stage_map", "I5", (
            Column("crm_name", "input_text"), Column("stage", "input_text", choice=Choice("list", options=_TARGETS)),
        )),
        Table("tbl_columns", "L5", (
            Column("field", "input_text", choice=Choice("list", options=_FIELDS)), Column("header", "input_text"),
        )),
    ),
)  # fmt: skip


def content(analysis: FunnelAnalysis, say: Phrases) -> Content:
    """The settings a run was given and what it recognised, so that the next refresh or import uses the same.

    Stage names that nobody knows stand there without a stage, for the user to choose one.
    """
    settings = analysis.settings
    cells: dict[str, Value] = {f"cfg_{name}": getattr(settings, name) for name, _, _ in _CELLS}
    cells["cfg_date_order"] = say(f"settings_sheet.date_order.{settings.date_order}")
    keys = {t.name: [c.key for c in t.columns] for t in PAGE.tables}
    tables = [(s.how, s.shape, s.columns) for s in analysis.sources]
    columns, stage_map = remembered(settings, tables, analysis.stages)
    stages = [(code, say.stage_name(code)) for code in STAGES]
    horizons = [(code, settings.horizon_days.get(code)) for code in STAGES]
    benchmarks = [(say.step(*step.split("-")), rate) for step, rate in settings.benchmarks.items()]
    aims = [(t.region or None, t.period, t.target) for t in settings.targets]
    return Content(
        {
            "tbl_stages": pd.DataFrame(stages, columns=keys["tbl_stages"]),
            "tbl_horizons": pd.DataFrame(horizons, columns=keys["tbl_horizons"]),
            "tbl_benchmarks": pd.DataFrame(benchmarks, columns=keys["tbl_benchmarks"]),
            "tbl_targets": pd.DataFrame(aims, columns=keys["tbl_targets"]),
            **mapping(columns, stage_map, say),
        },
        cells,
    )


def mapping(columns: Mapping[str, str], stage_map: Mapping[str, str], say: Phrases) -> dict[str, pd.DataFrame]:
    """The tables of how exports are read; a stage name that nobody knows has no stage."""
    mapped = [(name, say.target(target) if target else None) for name, target in stage_map.items()]
    taken = [(say.field(name), header) for name, header in columns.items()]
    return {
        "tbl_stage_map": pd.DataFrame(mapped, columns=["crm_name", "stage"]),
        "tbl_columns": pd.DataFrame(taken, columns=["field", "header"]),
    }
