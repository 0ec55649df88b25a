"""Regions' workbooks become one of headquarters: nothing lost, nothing twice, each file accepted or refused by name."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import jsonschema
import openpyxl
import pytest
from pandas.testing import assert_frame_equal
from regional import add_rows, day, edited, offices, set_cell, set_where

from xlfunnel import app, settings
from xlfunnel.answers import Answer, Status, told, worded
from xlfunnel.consolidate import Consolidation, DayFrom, gathered, written
from xlfunnel.crm import Intake, read_sources
from xlfunnel.errors import InputError
from xlfunnel.excel import inputs
from xlfunnel.excel.template_id import TEMPLATE_VERSION
from xlfunnel.manifest import MANIFEST
from xlfunnel.pages.phrases import Phrases
from xlfunnel.settings import Settings
from xlfunnel.split import split

ROOT = Path(__file__).resolve().parents[1]
ENGLISH = Settings(language="en", currency="CNY")
SCHEMA = json.loads((ROOT / "docs/results.schema.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the split was made, once for all; it is left alone."""
    folder = tmp_path_factory.mktemp("split")
    split(offices(folder), ENGLISH, folder / "sent")
    return folder


@pytest.fixture
def intake(once: Path) -> Intake:
    return offices(once)


@pytest.fixture
def sent(once: Path, tmp_path: Path) -> Path:
    """The folder of a split: "No region", North and South, with the manifest."""
    return Path(shutil.copytree(once / "sent", tmp_path / "sent"))


@pytest.fixture
def loose(sent: Path) -> Path:
    """The same without the manifest."""
    (sent / MANIFEST).unlink()
    return sent


def of(made: Consolidation, file: str) -> Answer:
    return next(a for a in made.answers if a.file == file)


def said(made: Consolidation, file: str = "") -> str:
    """What is said of a file, or of all together."""
    say = Phrases(replace(made.settings, language="en"))
    return told(of(made, file).remarks, say) if file else "\n".join(worded(r, say) for r in made.remarks)


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
    edited(sent / "South.xlsx", set_where("tbl_data", "S-2", Stage="T3"))
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
    account = {(row[2], row[4]) for row in inputs.carried_issues(out)}
    assert ("No region.xlsx", "Came back as it was sent.") in account
    edits = "Data edited: Rows 5 → 6, Opportunities 4 → 5, Open 2 → 3, T0 0 → 1, Open amount 1,080 → 1,085."
    assert ("North.xlsx", edits) in account


def test_edits_are_named_with_their_totals(sent: Path) -> None:
    edited(sent / "South.xlsx", set_where("tbl_data", "S-2", Stage="T3"))
    edited(sent / "North.xlsx", set_where("tbl_data", "N-3", Rep="Ann"))
    edited(sent / "No region.xlsx", lambda book: None)
    made = gathered([sent])
    assert said(made, "South.xlsx") == "Data edited: T2 2 → 1, T3 1 → 2."
    assert said(made, "North.xlsx") == "Data edited; the totals are the same."
    assert said(made, "No region.xlsx") == "Data as sent."
    assert made.is_whole


def test_a_sheet_or_column_of_the_regions_own_is_named(sent: Path) -> None:
    def own(book: openpyxl.Workbook) -> None:
        book.create_sheet("My notes")["A1"] = "call Ann"
        sheet = book["Data"]
        table = sheet.tables["tbl_data"]
        bottom = table.ref.split(":")[1].lstrip("ABCDEFGH")
        sheet["I3"], sheet["I4"] = "Note", "hot"
        table.ref = table.autoFilter.ref = f"A3:I{bottom}"
        table.tableColumns.append(openpyxl.worksheet.table.TableColumn(id=9, name="Note"))

    edited(sent / "North.xlsx", own)
    assert said(gathered([sent]), "North.xlsx").endswith(
        "Not carried upward, added in the region: My notes, Data › Note."
    )


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        (
            "East.csv",
            b"id,stage\n1,T0\n",
            "East.csv is not a workbook that xlfunnel sent out (.xlsx); ask for that one.",
        ),
        ("East.xlsx", b"", "East.xlsx is empty (0 bytes)."),
        ("East.xlsx", b"PK\x03\x04 half", "East.xlsx is not an Excel workbook, or only part of one arrived."),
    ],
    ids=["csv", "empty", "torn"],
)
def test_files_that_are_refused_by_name(sent: Path, name: str, content: bytes, reason: str) -> None:
    (sent / name).write_bytes(content)
    made = gathered([sent])
    assert of(made, name).status == Status.REFUSED
    assert said(made, name).startswith(reason)
    assert [a.file for a in made.refused] == [name]
    assert not made.is_whole


def test_somebody_elses_workbook_is_refused_and_other_things_are_left_aside(sent: Path) -> None:
    openpyxl.Workbook().save(sent / "Budget.xlsx")
    (sent / "read me.txt").write_text("hello")
    (sent / "old").mkdir()
    (sent / ".DS_Store").write_text("x")
    made = gathered([sent])
    assert said(made, "Budget.xlsx").startswith("Budget.xlsx is not an xlfunnel workbook")
    assert of(made, "read me.txt").status == of(made, "old").status == Status.ASIDE
    assert len(made.answers) == 6


def test_a_workbook_that_is_open_is_refused(sent: Path) -> None:
    (sent / "~$North.xlsx").write_text("Ann")
    made = gathered([sent])
    assert said(made, "North.xlsx").startswith("North.xlsx is open in another program")
    assert made.missing == ("North",)
    assert len(made.answers) == 3


def test_two_files_of_a_region_are_both_refused_unless_one_is_a_copy(sent: Path) -> None:
    shutil.copy(sent / "North.xlsx", sent / "North (2).xlsx")
    made = gathered([sent])
    assert made.is_whole
    assert said(made, "North.xlsx") == "The same file as North (2).xlsx."
    edited(sent / "North (2).xlsx", set_where("tbl_data", "N-3", Rep="Ann"))
    made = gathered([sent])
    assert [a.file for a in made.refused] == ["North (2).xlsx", "North.xlsx"]
    assert (
        said(made, "North.xlsx")
        == "North region has sent another file too, and they differ (North (2).xlsx); keep the one that counts."
    )
    assert made.missing == ("North",)


def test_a_region_that_nothing_was_sent_to_is_refused(sent: Path, tmp_path: Path) -> None:
    other = offices(tmp_path, "Opportunity ID,Region,Owner,Stage,Entered\nE-1,East,Flo,T0,2024-03-01\n")
    split(other, ENGLISH, tmp_path / "other")
    made = gathered([sent, tmp_path / "other/East.xlsx"])
    assert said(made, "East.xlsx") == "Nothing was sent out to: East region."


def test_a_missing_region_is_named(sent: Path) -> None:
    (sent / "South.xlsx").unlink()
    made = gathered([sent])
    assert (made.missing, made.is_whole) == (("South",), False)
    assert "Nothing accepted from: South region." in said(made)


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
    edited(sent / "North.xlsx", set_where("tbl_data", "N-3", Left=day("2024-03-04"), Went_to="T3"))
    edited(sent / "South.xlsx", add_rows("tbl_data", ("N-3", "South", "Cid", "T3", day("2024-03-04"), None, None, 80)))
    made = gathered([sent])
    assert made.intake is not None
    rows = made.intake.visits.query("opportunity_id == 'N-3'")
    assert rows[["visit", "region", "stage", "next_stage"]].to_numpy().tolist() == [
        [1, "North", "T2", "T3"], [2, "South", "T3", "open"],
    ]  # fmt: skip
    assert "2 opportunities changed regions and lie in several files (North.xlsx, South.xlsx): M-1, N-3." in said(made)


def test_without_a_manifest_the_day_is_the_latest_that_all_cover(loose: Path) -> None:
    edited(loose / "North.xlsx", set_cell("cfg_as_of", day("2024-03-31")))
    edited(loose / "South.xlsx", set_cell("cfg_as_of", None))
    edited(loose / "South.xlsx", add_rows("tbl_data", ("S-3", "South", "Cid", "T0", day("2024-04-09"), None, None, 5)))
    made = gathered([loose])
    assert (made.as_of, made.day_from) == (date(2024, 3, 20), DayFrom.FILES)
    assert said(made).splitlines()[0] == "As of 2024-03-20, the latest day that all files cover."
    assert said(made, "North.xlsx") == "Looks back from 2024-03-31, headquarters from 2024-03-20."
    assert said(made, "South.xlsx") == (
        "Looks back from 2024-04-09: 1 rows go on after 2024-03-20, and count only up to that day."
    )
    later = gathered([loose], as_of=date(2024, 4, 30))
    assert (later.as_of, later.day_from) == (date(2024, 4, 30), DayFrom.OPTION)


def test_settings_of_a_region_are_not_headquarters_and_are_named(sent: Path) -> None:
    edited(sent / "North.xlsx", set_cell("cfg_floor_t3", 2))
    made = gathered([sent])
    assert made.settings.floor_t3 == 5
    assert (
        said(made, "North.xlsx")
        == "Data as sent. Own settings, not used at headquarters: T3 floor a head: 2, headquarters 5."
    )
    chosen = gathered([sent], chosen=replace(ENGLISH, floor_t3=2))
    assert chosen.settings.floor_t3 == 2
    assert "T3 floor" in said(chosen, "South.xlsx")


def test_money_of_two_kinds_is_not_added_up(sent: Path, loose: Path) -> None:
    edited(loose / "North.xlsx", set_cell("cfg_currency", "USD"))
    made = gathered([loose])
    assert (
        said(made, "North.xlsx")
        == "Amounts are in USD, those of the others in CNY; money of two kinds is not added up."
    )
    assert [a.file for a in made.refused] == ["North.xlsx"]


def test_another_language_is_named_and_read(intake: Intake, sent: Path, tmp_path: Path) -> None:
    split(intake, replace(ENGLISH, language="zh-CN"), tmp_path / "zh")
    shutil.copy(tmp_path / "zh/North.xlsx", sent / "North.xlsx")
    made = gathered([sent])
    assert said(made, "North.xlsx").endswith(
        "Own settings, not used at headquarters: Language: zh-CN, headquarters en."
    )
    assert made.settings.language == "en"
    assert made.intake is not None
    assert_frame_equal(made.intake.visits, intake.visits)
    assert gathered([sent], language="zh-CN").settings.language == "zh-CN"


def test_rows_that_cannot_be_read_are_counted_and_listed(sent: Path) -> None:
    edited(sent / "North.xlsx", add_rows("tbl_data", ("N-8", "North", "Bob", "T9", day("2024-03-18"), None, None, 5)))
    made = gathered([sent])
    assert said(made, "North.xlsx").endswith("1 rows could not be read; see Data quality.")
    assert made.intake is not None
    assert [(i.source, i.value) for i in made.intake.issues] == [("North.xlsx › Data", "T9")]


def test_template_versions(sent: Path) -> None:
    _as_version(sent / "North.xlsx", "0")
    _as_version(sent / "South.xlsx", str(int(TEMPLATE_VERSION) + 1))
    made = gathered([sent])
    assert said(made, "North.xlsx") == f"Made from template 0, the split from {TEMPLATE_VERSION}. Data as sent."
    assert "was made by a newer xlfunnel" in said(made, "South.xlsx")
    assert of(made, "South.xlsx").status == Status.REFUSED


def _as_version(path: Path, version: str) -> None:
    def edit(book: openpyxl.Workbook) -> None:
        book.custom_doc_props["xlfunnel_template"].value = version

    edited(path, edit)


def test_passwords(intake: Intake, tmp_path: Path) -> None:
    split(intake, ENGLISH, tmp_path / "sealed", password="密码 1")
    made = gathered([tmp_path / "sealed"], password="密码 1")
    assert made.is_whole
    assert made.intake is not None
    assert_frame_equal(made.intake.visits, intake.visits)
    assert said(made, "North.xlsx") == "Came back as it was sent."
    assert "opens with a password only" in said(gathered([tmp_path / "sealed"]), "North.xlsx")
    assert "does not open with this password" in said(gathered([tmp_path / "sealed"], password="x"), "North.xlsx")


def test_a_book_of_several_regions_speaks_for_all_of_them(intake: Intake, loose: Path, tmp_path: Path) -> None:
    written(gathered([loose / "North.xlsx", loose / "South.xlsx"]), tmp_path / "two.xlsx")
    made = gathered([tmp_path / "two.xlsx", loose / "No region.xlsx"])
    assert of(made, "two.xlsx").regions == ("North", "South")
    assert made.intake is not None
    assert_frame_equal(made.intake.visits, intake.visits)
    doubled = gathered([tmp_path / "two.xlsx", loose])
    assert [a.file for a in doubled.refused] == ["North.xlsx", "South.xlsx", "two.xlsx"]


@pytest.mark.parametrize("text", ["{}", "[]", "no json", '{"format": 2}', '{"format": 1, "as_of": "x"}'])
def test_manifests_that_are_none(sent: Path, text: str) -> None:
    (sent / MANIFEST).write_text(text)
    with pytest.raises(InputError) as refused:
        gathered([sent])
    assert refused.value.code in ("consolidate.not_a_manifest", "consolidate.other_manifest")


def test_nothing_to_consolidate(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"consolidate\.no_files"):
        gathered([tmp_path / "empty"])


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
    assert run.code == 0
    assert "总部" not in run.err
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
