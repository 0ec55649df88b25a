"""A workbook whose data stay in a warehouse: made in one go, honest about it when it is to be refreshed."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
from extras import needed
from ran import Run
from visits import history_table

from xlfunnel import analysis
from xlfunnel.strings import words


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    needed("duckdb")
    (tmp_path / "data").mkdir()
    history_table(2000).to_csv(tmp_path / "data" / "history.csv", index=False)
    return tmp_path / "data"


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_the_data_sheet_says_where_the_data_are_and_a_refresh_too(
    xlfunnel: Callable[..., Run], folder: Path, tmp_path: Path, language: str
) -> None:
    out = tmp_path / "out.xlsx"
    made = xlfunnel("report", folder, "--engine", "duckdb", "-o", out, "--lang", language)
    assert made.code == 0, made.err
    say = words(language)
    note = say("data.elsewhere", where=str(folder))
    sheet = openpyxl.load_workbook(out)[say("sheets.data")]
    assert sheet["A2"].value == note
    assert [c.value for c in sheet[4]][:3] == [None, None, None]
    before = out.read_bytes()
    again = xlfunnel("refresh", out)
    assert (again.code, again.err.strip()) == (3, say("workbook.data_elsewhere", path=out.name, note=note))
    assert out.read_bytes() == before


def test_a_process_of_its_own_ends_without_a_word(folder: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "xlfunnel", "report", folder, "--engine", "duckdb", "-o", tmp_path / "out.xlsx"]
    ran = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=True)
    assert ran.stderr == ""


def test_an_engine_takes_one_source_and_nothing_beside_it(
    xlfunnel: Callable[..., Run], folder: Path, tmp_path: Path
) -> None:
    out = ("-o", tmp_path / "out.xlsx", "--lang", "en")
    for more in (("--engine", "abacus"), ("--engine", "duckdb", "--owners", folder), (folder, "--engine", "duckdb")):
        ran = xlfunnel("report", folder, *more, *out)
        assert ran.code == 2, ran.err
        assert len(ran.err.splitlines()) == 1
    assert not (tmp_path / "out.xlsx").exists()


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_too_many_visits_to_fetch_leave_all_but_the_forecast(
    xlfunnel: Callable[..., Run], folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, language: str
) -> None:
    monkeypatch.setattr(analysis, "STAYS_FETCHED", 100)
    out = tmp_path / "out.xlsx"
    made = xlfunnel("report", folder, "--engine", "duckdb", "-o", out, "--lang", language)
    assert made.code == 0, made.err
    say = words(language)
    book = openpyxl.load_workbook(out)
    told = [c.value for row in book[say("sheets.forecast")].iter_rows() for c in row]
    assert say("forecast.silent.elsewhere").strip() in {str(t).strip() for t in told}
    assert say("forecast.silent.elsewhere").strip() in str([c.value for r in book[say("sheets.home")] for c in r])
