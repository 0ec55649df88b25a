"""The Data quality sheet: the account of an import, what a refresh adds to it, and where its rows lead."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest

from xlfunnel import app
from xlfunnel.analysis import analyse
from xlfunnel.crm import read_sources
from xlfunnel.excel import inputs
from xlfunnel.excel.file_sink import FileSink
from xlfunnel.excel.inputs import table_frame
from xlfunnel.pages import quality
from xlfunnel.pages.assumed import assumed_rows
from xlfunnel.pages.model import Content
from xlfunnel.pages.phrases import Phrases
from xlfunnel.settings import LANGUAGES, Settings
from xlfunnel.strings import words

ROWS = """\
Opportunity ID,Region,Owner,Stage,Entered,Amount,Probability
P-1,N,Ann,T0,10/01/2025,1000,45%
P-1,N,Ann,T1,15/02/2025,1000,45%
P-2,N,Bob,T0,20/03/2025,abc,45%
P-3,N,Bob,T9,20/03/2025,500,45%
P-4,N,Ann,T0,20/03/2025,500,45%
P-4,N,Ann,T0,20/03/2025,500,45%
,N,Ann,T0,20/03/2025,500,45%
P-5,N,,T3,20/03/2025,500,45%
"""
"""Clean: rows 2, 3 and 6; row 4 and 9 bear a remark, 7 is a repetition, 5 and 8 are refused."""


@pytest.fixture
def export(tmp_path: Path) -> Path:
    path = tmp_path / "export.csv"
    path.write_text(ROWS, "utf-8")
    return path


def imported(export: Path, language: str = "en", **changed: Any) -> Content:
    chosen = Settings(language=language, refuse_share=1, **changed)
    return quality.content(analyse(read_sources([export], chosen), chosen), Phrases(chosen))


def cells(content: Content) -> list[object]:
    return [content.cells[f"kpi_quality_{n}"] for n in ("score", "read", "clean", "repaired", "refused")]


def test_every_row_is_accounted_for(export: Path) -> None:
    found = imported(export)
    assert cells(found) == [3 / 8, 8, 3, 1, 2]
    assert found.cells["txt_quality_1"] == (
        "Of 8 rows read, 3 (38%) came through as they stood; 1 were repaired, 2 bear a remark, 2 were refused."
    )
    sources = found.tables["tbl_sources"].iloc[0]
    assert sources.tolist() == ["export.csv", 8, 3, 1, 2, "Stage history", "utf-8 (,)", 3 / 8]


@pytest.mark.parametrize(
    ("language", "told"),
    [
        ("en", "0 bear a remark, 0 were refused. Remarks on no single row: 1."),
        ("zh-CN", "带提示 0 行，拒收 0 行。另有 1 条提示不针对某一行。"),
    ],
)
def test_remarks_on_no_single_row_are_told_beside_those_on_rows(
    xlfunnel: Callable[..., Any], export: Path, language: str, told: str
) -> None:
    back = "P-1,N,Ann,T1,2025-01-10\nP-1,N,Ann,T0,2025-01-11\n"
    export.write_text("Opportunity ID,Region,Owner,Stage,Entered\n" + back, "utf-8")
    found = imported(export, language)
    assert str(found.cells["txt_quality_1"]).endswith(told)
    assert found.tables["tbl_causes"]["rows"].tolist() == [1]
    assert told in xlfunnel("check", export, "--lang", language).out


def test_causes_count_the_listed_rows(export: Path) -> None:
    found = imported(export).tables
    listed = found["tbl_issues"].groupby(["cause", "treatment"]).size()
    counted = found["tbl_causes"].set_index(["cause", "treatment"])["rows"]
    pd.testing.assert_series_equal(counted.sort_index(), listed.sort_index(), check_names=False, check_dtype=False)
    assert counted.sum() == 5


def test_rows_lead_to_their_opportunity_on_the_data_sheet(export: Path) -> None:
    """P-1 has rows 4 and 5 there, P-2 row 6, P-4 row 7, P-5 row 8; P-3 and a row without id are nowhere."""
    listed = imported(export).tables["tbl_issues"]
    led = {(row, opportunity): at for row, opportunity, at in listed[["row", "opportunity_id", "data_row"]].values}
    assert led == {(4, "P-2"): 6, (5, "P-3"): None, (7, "P-4"): 7, (8, None): None, (9, "P-5"): 8}
    assert listed["link"].tolist() == ["→", None, "→", None, "→"]


def test_what_was_assumed_stands_apart_with_its_evidence(export: Path) -> None:
    found = imported(export, region="LX").tables["tbl_assumed"]
    told = dict(zip(found["what"], found["taken"], strict=True))
    assert told["As of"] == "2025-03-20 (last day in the data)"
    assert told["Order of day and month"] == "Entered: day before month ← 15/02/2025"
    assert told["Column · Rep"] == "Owner"
    assert told["Columns not used"] == "Probability"


@pytest.mark.parametrize(
    ("amount", "told"),
    [
        ('"1.234,56"', "Amount: decimals behind a comma ← 1.234,56 = 1,234.56"),
        (
            "10.000",
            "Amount: 10.000 read as 10, not 10,000; if that is wrong, export the amounts without thousands separators",
        ),
    ],
)
def test_how_amounts_were_read_is_among_the_assumptions(export: Path, amount: str, told: str) -> None:
    export.write_text(f"Opportunity ID,Owner,Stage,Entered,Amount\nP-1,Ann,T0,2025-01-10,{amount}\n", "utf-8")
    found = imported(export).tables
    assert told in found["tbl_assumed"]["taken"].tolist()
    assert found["tbl_causes"]["cause"].tolist() == ["Nothing to report"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_refresh_keeps_the_account_of_the_import_and_adds_its_own(
    export: Path, tmp_path: Path, language: str
) -> None:
    book = tmp_path / "out.xlsx"
    chosen = Settings(language=language, refuse_share=1)
    app.report(app.Inputs([export]), book, chosen)
    say = words(language)
    data = table_frame(book, "tbl_data")
    turned = data.iloc[::-1].reset_index(drop=True)  # as a user sorts: P-5, P-4, P-2, P-1, P-1
    turned.loc[4, say("tables.data.entered")] = "soon"
    sink = FileSink(book, book)
    sink.table("tbl_data", turned, None)
    sink.finish()
    for _ in range(2):
        analysis = app.refresh(book)
        assert analysis.quality.score == pytest.approx(3 / 8 * 3 / 5)  # of five rows, one lacks a day and one an owner
        carried = inputs.read_carried(book)
        sheet = say("sheets.data")
        assert carried.sources["source"].tolist() == ["export.csv", sheet]
        assert set(carried.assumed["source"]) == {"export.csv"}
        listed = carried.issues
        led = dict(zip(listed["opportunity_id"], listed["data_row"], strict=True))
        assert {k: led[k] for k in ("P-2", "P-3", "P-4", "P-1")} == {"P-2": 6, "P-3": None, "P-4": 5, "P-1": 8}
        own = listed[listed["source"] == sheet]
        assert own["value"].tolist()[-1] == "soon"


@pytest.mark.parametrize("language", LANGUAGES)
def test_links_are_native_formulas_however_long_the_list(tmp_path: Path, language: str) -> None:
    rows = ["Opportunity ID,Region,Owner,Stage,Entered,Amount"]
    rows += [f"P-{i},N,Ann,T{i % 5},2025-01-{i % 28 + 1:02d},x{i}" for i in range(40)]
    (tmp_path / "a.csv").write_text("\n".join(rows), "utf-8")
    app.report(app.Inputs([tmp_path / "a.csv"]), tmp_path / "o.xlsx", Settings(language=language))
    sheet = openpyxl.load_workbook(tmp_path / "o.xlsx")[words(language)("sheets.quality")]
    shown = openpyxl.load_workbook(tmp_path / "o.xlsx", data_only=True)[sheet.title]
    whole = sheet.tables["tbl_issues"].ref
    at = [c.value for c in sheet[whole][0]].index(words(language)("tables.issues.link"))
    column = [(row[at], cached[at]) for row, cached in zip(sheet[whole][1:], shown[whole][1:], strict=True)]
    assert len(column) == 40
    for formula, cached in column:
        assert "HYPERLINK(\"#'" + words(language)("sheets.data") in formula.value
        assert cached.value == "→"


def test_many_files_are_summed_up_and_none_is_lost(tmp_path: Path) -> None:
    for i in range(7):
        text = f"Opportunity ID,Region,Owner,Stage,Entered\nP-{i},N,Ann,T1,2025-01-0{i + 1}\n,N,Ann,T1,2025-01-01\n"
        (tmp_path / f"{i}.csv").write_text(text, "utf-8")
    chosen = Settings(language="en", refuse_share=1)
    intake = read_sources([tmp_path / f"{i}.csv" for i in range(7)], chosen)
    found = quality.content(analyse(intake, chosen), Phrases(chosen)).tables["tbl_sources"]
    assert found["source"].tolist()[:3] == ["0.csv", "1.csv", "5 more"]
    assert found["rows_read"].sum() == 14
    assert found["score"].tolist()[2] == 0.5


def test_what_many_files_have_in_common_is_said_once(tmp_path: Path) -> None:
    for month in range(1, 7):
        for name, owner in ((f"pipeline_2025-0{month}.csv", "Owner"), (f"old_2025-0{month}.csv", "Rep")):
            text = f"Opportunity ID,{owner},Stage,Created\nP-1,Ann,T1,{12 + month}/01/2025\nP-2,Ann,T1,02/03/2025\n"
            (tmp_path / name).write_text(text, "utf-8")
    chosen = Settings(language="en", refuse_share=1)
    intake = read_sources([tmp_path], chosen)
    rows = assumed_rows(intake.sources, intake.issues, chosen, intake.as_of, Phrases(chosen))
    told = [(what, taken, source) for what, taken, source in rows if what != "As of"]
    assert len(told) == len({(what, taken) for what, taken, _ in told})
    everything = "12 files: old_2025-01.csv … pipeline_2025-06.csv"
    assert ("Order of day and month", "Created: day before month ← 13/01/2025", everything) in told
    assert ("Column · Stage", "Stage", everything) in told
    assert ("Column · Rep", "Rep", "6 files: old_2025-01.csv … old_2025-06.csv") in told
    assert ("Column · Rep", "Owner", "6 files: pipeline_2025-01.csv … pipeline_2025-06.csv") in told


def test_without_anything_wrong_one_line_says_so(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id,owner,stage,entered\nA,Ann,T1,2025-01-01\n", "utf-8")
    found = imported(tmp_path / "a.csv")
    assert found.tables["tbl_causes"].values.tolist() == [["Nothing to report", None, 0]]
    assert cells(found) == [1.0, 1, 1, 0, 0]


def test_a_list_that_is_too_long_keeps_what_was_refused(export: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quality, "MOST_ISSUES", 3)
    found = imported(export)
    assert found.tables["tbl_issues"]["row"].tolist() == [4, 5, 8]
    assert "The list shows 3 of 5 entries; xlfunnel check counts them all." in found.cells.values()
    assert found.tables["tbl_causes"]["rows"].sum() == 5


def test_check_shows_score_preview_and_mapping(xlfunnel: Callable[..., Any], export: Path, tmp_path: Path) -> None:
    (tmp_path / "s.toml").write_text("refuse_share = 1.0\n", "utf-8")
    run = xlfunnel("check", export, "--settings", "s.toml")
    assert run.code == 0
    lines = [line.split() for line in run.out.splitlines()]
    assert ["2", "P-1", "N", "Ann", "T0", "2025-01-10", "2025-02-15", "T1", "1,000"] in lines
    assert ["3", "P-1", "N", "Ann", "T1", "2025-02-15", "1,000"] in lines
    assert "3 (38%) came through as they stood" in run.out
    assert "day before month ← 15/02/2025" in run.out
