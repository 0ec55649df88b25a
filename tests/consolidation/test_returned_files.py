"""Each file that regions send back is accepted or refused by name, with whatever a controller wants to know."""

import shutil
from dataclasses import replace
from datetime import date
from pathlib import Path

import openpyxl
import pytest
from pandas.testing import assert_frame_equal
from regional import ENGLISH, add_rows, day, edited, of, offices, said, set_cell, set_where

from xlfunnel.answers import Status
from xlfunnel.consolidate import DayFrom, gathered, written
from xlfunnel.crm import Intake
from xlfunnel.errors import InputError
from xlfunnel.excel.template_id import TEMPLATE_VERSION
from xlfunnel.manifest import MANIFEST
from xlfunnel.split import split


def test_edits_are_named_with_their_totals(sent: Path) -> None:
    edited(sent / "South.xlsx", set_where("tbl_data", "S-2", stage="T3"))
    edited(sent / "North.xlsx", set_where("tbl_data", "N-3", owner="Ann"))
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
    edited(sent / "North (2).xlsx", set_where("tbl_data", "N-3", owner="Ann"))
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
