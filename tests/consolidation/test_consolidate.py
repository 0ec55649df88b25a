"""Regions' workbooks become one of headquarters: nothing lost, nothing counted twice."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import jsonschema
from pandas.testing import assert_frame_equal
from regional import add_rows, day, edited, said, set_where

from xlfunnel import app, settings
from xlfunnel.answers import Status
from xlfunnel.consolidate import DayFrom, gathered, written
from xlfunnel.crm import Intake, read_sources
from xlfunnel.excel import inputs
from xlfunnel.split import split

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = json.loads((ROOT / "docs/results.schema.json").read_text("utf-8"))


def test_what_was_sent_comes_back_as_it_was(intake: Intake, sent: Path) -> None:
    made = gathered([sent])
    assert made.intake is not None
    assert_frame_equal(made.intake.visits, intake.visits)
    assert made.is_whole
    assert [(a.file, a.status, a.regions) for a in made.answers] == [
        ("No region.xlsx", Status.ACCEPTED, ("",)),
        ("North.xlsx", Status.ACCEPTED, ("North",)),
        ("South.xlsx", Status.ACCEPTED, ("South",)),
    ]
    assert {said(made, a.file) for a in made.answers} == {"Came back as it was sent."}
    assert (made.as_of, made.day_from) == (date(2024, 3, 20), DayFrom.MANIFEST)
    assert (made.settings.region, made.settings.as_of, made.settings.currency) == ("", date(2024, 3, 20), "CNY")
    assert said(made).splitlines()[1:] == [
        "1 opportunities changed regions and lie in several files (North.xlsx, South.xlsx): M-1."
    ]


def test_headquarters_workbook_holds_all_and_can_be_refreshed(intake: Intake, sent: Path, tmp_path: Path) -> None:
    edited(sent / "South.xlsx", set_where("tbl_data", "S-2", stage="T3"))
    edited(sent / "North.xlsx", add_rows("tbl_data", ("N-9", "North", "Bob", "T0", day("2024-03-18"), None, None, 5)))
    out = tmp_path / "HQ.xlsx"
    analysis = written(gathered([sent]), out)
    assert analysis.headline.open_count == 7
    again = read_sources([inputs.data_source(out)], inputs.read_settings(out))
    assert_frame_equal(again.visits, analysis.visits)
    found = again.visits.set_index("opportunity_id")
    assert found.loc["S-2", "stage"] == "T3"
    assert found.loc["N-9", "owner"] == "Bob"
    assert len(found) == len(intake.visits) + 1
    refreshed = app.refresh(out)
    assert refreshed.as_of == date(2024, 3, 20)
    account = set(inputs.read_carried(out).issues[["source", "value"]].itertuples(index=False, name=None))
    assert ("No region.xlsx", "Came back as it was sent.") in account
    edits = "Data edited: Rows 5 → 6, Opportunities 4 → 5, Open 2 → 3, T0 0 → 1, Open amount 1,080 → 1,085."
    assert ("North.xlsx", edits) in account


def test_an_opportunity_of_two_regions_at_once_is_left_out_on_both_sides_and_named(intake: Intake, sent: Path) -> None:
    new = ("NEW-1", None, "Eve", "T0", day("2024-03-01"), None, None, 5)
    edited(sent / "North.xlsx", add_rows("tbl_data", ("NEW-1", "North", *new[2:])))
    edited(sent / "South.xlsx", add_rows("tbl_data", ("NEW-1", "South", *new[2:])))
    made = gathered([sent])
    assert [(c.opportunity_id, len(c.files)) for c in made.conflicts] == [("NEW-1", 2)]
    assert "1 opportunities stand in several files at the same time (North.xlsx, South.xlsx)" in said(made)
    assert not made.is_whole
    assert made.intake is not None
    assert_frame_equal(made.intake.visits, intake.visits)


def test_the_very_same_row_in_two_files_counts_once(intake: Intake, sent: Path) -> None:
    same = ("N-3", "North", "Bob", "T2", day("2024-01-22"), None, None, 80)
    edited(sent / "South.xlsx", add_rows("tbl_data", same))
    made = gathered([sent])
    assert "1 opportunities stand in several files with the same rows (North.xlsx, South.xlsx)" in said(made)
    assert "1 rows bear another region: North region." in said(made, "South.xlsx")
    assert made.intake is not None
    assert_frame_equal(made.intake.visits, intake.visits)
    assert made.is_whole


def test_an_opportunity_that_went_on_in_another_region_is_one_opportunity(sent: Path) -> None:
    edited(sent / "North.xlsx", set_where("tbl_data", "N-3", left=day("2024-03-04"), next_stage="T3"))
    edited(sent / "South.xlsx", add_rows("tbl_data", ("N-3", "South", "Cid", "T3", day("2024-03-04"), None, None, 80)))
    made = gathered([sent])
    assert made.intake is not None
    rows = made.intake.visits.query("opportunity_id == 'N-3'")
    assert rows[["visit", "region", "stage", "next_stage"]].to_numpy().tolist() == [
        [1, "North", "T2", "T3"], [2, "South", "T3", "open"],
    ]  # fmt: skip
    assert "2 opportunities changed regions and lie in several files (North.xlsx, South.xlsx): M-1, N-3." in said(made)


def test_rows_that_cannot_be_read_are_counted_and_listed(sent: Path) -> None:
    edited(sent / "North.xlsx", add_rows("tbl_data", ("N-8", "North", "Bob", "T9", day("2024-03-18"), None, None, 5)))
    made = gathered([sent])
    assert said(made, "North.xlsx").endswith("1 rows could not be read; see Data quality.")
    assert made.intake is not None
    assert [(i.source, i.value) for i in made.intake.issues] == [("North.xlsx › Data", "T9")]


def test_command(xlfunnel: Callable[..., Any], sent: Path, tmp_path: Path) -> None:
    run = xlfunnel("consolidate", "sent", "-o", "HQ.xlsx", "--json", "hq.json")
    assert (run.code, run.err) == (0, "")
    assert "North.xlsx" in run.out
    found = json.loads((tmp_path / "hq.json").read_text("utf-8"))
    jsonschema.validate(found, SCHEMA, cls=jsonschema.Draft202012Validator)
    assert [f["status"] for f in found["consolidation"]["files"]] == ["accepted"] * 3
    assert {r["region"] for r in found["reserves"]} == {"", "North", "South", None}

    (sent / "South.xlsx").write_bytes(b"")
    before = (tmp_path / "HQ.xlsx").read_bytes()
    run = xlfunnel("consolidate", "sent", "-o", "HQ.xlsx")
    assert run.code == 3
    assert run.err.startswith("No workbook was written: 1 files refused, 1 regions missing, 0 opportunities")
    assert "South.xlsx is empty" in run.out.replace("\n", " ")
    assert (tmp_path / "HQ.xlsx").read_bytes() == before
    assert sorted(p.name for p in tmp_path.glob("*.bak")) == []

    run = xlfunnel("consolidate", "sent", "-o", "HQ.xlsx", "--partial")
    assert run.code == 0
    assert (tmp_path / "HQ.xlsx.bak").read_bytes() == before
    run = xlfunnel("consolidate", "sent", "-o", "sent/HQ.xlsx", "--partial", "--lang", "zh-CN")
    assert (run.code, run.err) == (0, "")
    run = xlfunnel("consolidate", "sent", "-o", "sent/HQ.xlsx", "--partial")
    assert run.code == 0  # its own result of before is no region's answer
    run = xlfunnel("consolidate", "sent/North.xlsx", "-o", "sent/North.xlsx")
    assert run.code == 2


def test_three_offices_of_a_real_export(shared: Path, tmp_path: Path) -> None:
    source = shared / "data/maven_crm"
    chosen = settings.load(ROOT / "docs/examples/maven.toml")
    intake = app.check(app.Inputs([source / "sales_pipeline.csv"], owners=source / "sales_teams.csv"), chosen)
    split(intake, chosen, tmp_path / "sent")
    made = gathered([tmp_path / "sent"])
    assert made.is_whole
    assert made.intake is not None
    assert_frame_equal(made.intake.visits, intake.visits)
    assert made.settings == replace(chosen, region="", as_of=intake.as_of, stages=made.settings.stages)


def test_remedies_are_everybodys_and_what_a_region_adds_is_kept_and_named(sent: Path, tmp_path: Path) -> None:
    before = len(_remedies(sent / "South.xlsx"))
    edited(sent / "North.xlsx", add_rows("tbl_remedies", ("Short of reserve", "few leads", "Ask Bob", "Ann", 3)))
    made = gathered([sent])
    assert "North.xlsx: 1 rows of its own on “Remedies”, added below the others." in said(made)
    written(made, tmp_path / "HQ.xlsx")
    found = _remedies(tmp_path / "HQ.xlsx")
    assert len(found) == before + 1
    assert found[-1][:4] == ["Short of reserve", "few leads", "Ask Bob", "Ann"]
    chinese = gathered([sent], language="zh-CN")
    written(chinese, tmp_path / "zh.xlsx")
    shown = _remedies(tmp_path / "zh.xlsx")
    assert shown[-1][1:4] == ["few leads", "Ask Bob", "Ann"]
    assert shown[:-1] == _remedies(_chinese(tmp_path))


def _remedies(path: Path) -> list[list[Any]]:
    return inputs.table_frame(path, "tbl_remedies").to_numpy().tolist()


def _chinese(folder: Path) -> Path:
    app.copy_template("zh-CN", folder / "empty.xlsx")
    return folder / "empty.xlsx"
