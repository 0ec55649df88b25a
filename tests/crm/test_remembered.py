"""The mapping of an import is kept: the next import of the same export is read the same way, and unknown names wait."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from crm_files import csv_bytes
from test_dialects import SALESFORCE, USERS

from xlfunnel.crm import Intake, read_sources, remembered
from xlfunnel.excel import inputs
from xlfunnel.excel.file_sink import FileSink
from xlfunnel.settings import Settings
from xlfunnel.terms import Shape

ALL = Settings(refuse_share=1)
TABLES: dict[str, list[list[list[object]]]] = {
    "history": [[["商机编号", "销售", "阶段", "进入日期"], ["A", "张伟", "线索", "2025-01-01"]]],
    "stage dates": [
        [["商机编号", "销售", "进入T1日期", "进入T2日期", "赢单日期"], ["A", "张伟", "2025-01-01", "2025-02-01", ""]]
    ],
    "history with one stage date": [
        [["id", "owner", "stage", "entered", "T2 date"], ["A", "Ann", "T1", "2025-01-01", "2025-02-01"]]
    ],
    "current stage": [
        [["id", "owner", "stage", "created", "closed"], ["A", "Ann", "Discovery", "2025-01-01", ""]]
    ],
    "aggregated": [[["月份", "销售", "T1", "T2"], ["2025-01", "张伟", 3, 4]]],
    "several files": [
        [["id", "owner", "stage", "entered"], ["A", "Ann", "T1", "2025-01-01"]],
        [["商机编号", "销售", "阶段", "进入日期"], ["B", "张伟", "T2", "2025-01-01"]],
    ],
    "salesforce": [SALESFORCE, USERS],
}  # fmt: skip


def kept(intake: Intake, chosen: Settings) -> Settings:
    columns, stages = remembered(chosen, [(s.how, s.shape, s.columns) for s in intake.sources], intake.stages)
    return replace(chosen, columns=columns, stage_map={n: t for n, t in stages.items() if t})


@pytest.mark.parametrize("name", TABLES)
def test_the_same_export_is_read_the_same_way_again(tmp_path: Path, name: str) -> None:
    paths = []
    for i, rows in enumerate(TABLES[name]):
        paths.append(tmp_path / f"{i}.csv")
        paths[-1].write_bytes(csv_bytes(rows))
    first = read_sources(paths, ALL)
    settings = kept(first, ALL)
    again = read_sources(paths, settings)
    pd.testing.assert_frame_equal(again.visits, first.visits)
    assert (again.reserves is None) == (first.reserves is None)
    assert [s.shape for s in again.sources] == [s.shape for s in first.sources]
    assert kept(again, settings) == settings


def test_headers_of_several_files_and_of_known_exports_are_left_to_recognition() -> None:
    one = ("utf-8", Shape.HISTORY, {"opportunity_id": "Id"})
    assert remembered(Settings(), [one, one], {}) == ({}, {})
    assert remembered(Settings(), [one, ("utf-8", Shape.LOOKUP, {})], {}) == ({}, {})
    assert remembered(Settings(), [("utf-8 · Salesforce", *one[1:])], {}) == ({}, {})
    assert remembered(Settings(), [one], {}) == ({"opportunity_id": "Id"}, {})


def test_what_was_chosen_stays_and_unknown_names_wait() -> None:
    chosen = Settings(columns={"owner": "Rep"}, stage_map={"Signed": "won"})
    tables = [("utf-8", Shape.HISTORY, {"owner": "Owner", "T2": "T2 date"})]
    found = remembered(chosen, tables, {"signed": "T4", "Discovery": "T2", "Eh": "", "T1": "T1"})
    assert found == ({"owner": "Rep"}, {"Signed": "won", "Discovery": "T2", "Eh": ""})


EXPORT = [
    ["Opp", "Who", "Phase", "Since"],
    ["A", "Ann", "Discovery", "2025-01-01"],
    ["B", "Ann", "Handshake", "2025-01-02"],
]


def test_map_keeps_the_mapping_in_a_workbook_which_then_reads_the_export(
    xlfunnel: Callable[..., Any], tmp_path: Path
) -> None:
    (tmp_path / "a.csv").write_bytes(csv_bytes(EXPORT))
    assert xlfunnel("template", "-o", "book.xlsx", "--lang", "en").code == 0
    sink = FileSink(tmp_path / "book.xlsx", tmp_path / "book.xlsx")
    columns = {"Opportunity ID": "Opp", "Rep": "Who", "Stage": "Phase", "Entered": "Since"}
    frame = pd.DataFrame(columns.items(), columns=["Field", "Header in the export"])
    sink.table("tbl_columns", frame, None)
    sink.finish()
    before = (tmp_path / "book.xlsx").read_bytes()
    run = xlfunnel("map", "a.csv", "--workbook", "book.xlsx", "--lang", "en")
    assert (run.code, run.err) == (0, "")
    assert (tmp_path / "book.xlsx.bak").read_bytes() == before
    found = inputs.read_settings(tmp_path / "book.xlsx")
    assert found.stage_map == {"Discovery": "T2"}
    assert dict(found.columns) == {"opportunity_id": "Opp", "owner": "Who", "stage": "Phase", "entered": "Since"}
    shown = inputs.table_frame(tmp_path / "book.xlsx", "tbl_stage_map")
    assert shown.to_numpy().tolist() == [["Discovery", "T2"], ["Handshake", None]]
    refused = xlfunnel("map", "a.csv", "--workbook", "book.xlsx", "-o", "x.toml", "--lang", "en")
    assert refused.code == 2


def test_a_report_keeps_what_it_recognised(xlfunnel: Callable[..., Any], tmp_path: Path) -> None:
    rows = [["Opportunity ID", "Owner", "Stage", "Entered"], *EXPORT[1:], ["C", "Ann", "T3", "2025-01-03"]]
    (tmp_path / "a.csv").write_bytes(csv_bytes(rows))
    (tmp_path / "s.toml").write_text("refuse_share = 0.5\n", "utf-8")
    assert xlfunnel("report", "a.csv", "--settings", "s.toml", "-o", "o.xlsx", "--lang", "en").code == 0
    found = inputs.read_settings(tmp_path / "o.xlsx")
    assert found.columns["owner"] == "Owner"
    assert found.stage_map == {"Discovery": "T2"}
    assert xlfunnel("refresh", "o.xlsx").code == 0
    assert inputs.read_settings(tmp_path / "o.xlsx") == found
    assert inputs.table_frame(tmp_path / "o.xlsx", "tbl_stage_map").to_numpy().tolist()[1] == ["Handshake", None]
