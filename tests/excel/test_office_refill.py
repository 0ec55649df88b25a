"""LibreOffice opens a filled workbook, recalculates it, and sees what we wrote."""

from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from hosts import office
from small_books import TREND, body, build, checker, months, refill

pytestmark = pytest.mark.office


def test_formulas_over_a_grown_table_see_all_of_it(tmp_path: Path) -> None:
    office.require()
    out = tmp_path / "out.xlsx"
    frame = months(3, 5, 8, 13, 21)
    refill(build(tmp_path / "t.xlsx"), out, {"tbl_month": frame}, {"txt_title": "=标题", "kpi_sum": 0})
    sheet = openpyxl.load_workbook(office.convert(out, "xlsx", tmp_path / "lo"), data_only=True)[TREND]
    assert sheet["K1"].value == 50
    assert sheet["A1"].value == "=标题"
    assert [sheet.cell(r, 4).value for r in range(12, 17)] == [3, 5, 8, 13, 21]
    assert [sheet.cell(r, 6).value for r in range(12, 17)] == [6, 10, 16, 26, 42]


def test_a_workbook_that_libreoffice_saved_can_be_filled_again(tmp_path: Path, shared: Path) -> None:
    office.require()
    out = tmp_path / "out.xlsx"
    refill(build(tmp_path / "t.xlsx"), out, {"tbl_month": months(1, 2, 3)})
    saved = office.convert(out, "xlsx", tmp_path / "lo")
    side = pd.DataFrame({"名称": list("abcd"), "数值": [1.5, None, 3.0, 4.0]})
    refill(saved, saved, {"tbl_month": months(4, 5, 6, 7, 8), "tbl_side": side}, {"txt_title": "x"})
    assert [row[2] for row in body(saved, "tbl_month")] == [4, 5, 6, 7, 8]
    assert body(saved, "tbl_side") == side.astype(object).where(side.notna(), None).to_numpy().tolist()
    again = openpyxl.load_workbook(office.convert(saved, "xlsx", tmp_path / "lo2"), data_only=True)[TREND]
    assert again["K1"].value == 30
    faults_of_libreoffice = set(checker(shared).check(office.convert(out, "xlsx", tmp_path / "lo3")))
    assert set(checker(shared).check(saved)) <= faults_of_libreoffice
