"""Text from a CRM never becomes a formula: in files, through the open workbook, in names of files, in charts and JSON.

Nothing here writes CSV, so there is nothing to be said of payloads in one.
"""

import csv
import json
import re
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import xlwings as xw
from clicked import Office, clicked, workbook

from xlfunnel import log, macros

PAYLOADS = (
    "=marker()", "+marker", "-marker", "@marker", "|marker", "\tmarker", "\rmarker", "\t=marker()", "\r=marker()",
    "=HYPERLINK(\"http://marker\",\"x\")", "=cmd|'/c marker'!A0", "=DDE(\"cmd\",\"/c marker\",\"x\")",
    "{=marker()}", "=IMPORTXML(marker)", "'=marker()", "＝marker()", "%0A=marker",
)  # fmt: skip
HEADER = ["Opportunity ID", "Region", "Owner", "Stage", "Entered", "Left", "Went to", "Amount", "=marker_header()"]


@pytest.fixture
def export(tmp_path: Path) -> Path:
    """Each payload as id, region, owner, unknown stage and amount, in rows that are used and rows that are refused."""
    rows: list[list[str]] = [HEADER]
    for i, p in enumerate(PAYLOADS):
        day = f"2025-0{i % 5 + 1}-1{i % 9}"
        rows.append([f"{p}{i}", p, p, f"T{i % 5}", day, "", "", "5", p])
        rows.append([f"N{i}", "North", p, "T3", day, "", "", p, p])
        rows.append([f"R{i}", p, p, p, day, "", "", "5", p])
        rows.append([f"D{i}", p, p, "T1", p, "", p, "5", p])
    path = tmp_path / "e.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    return path


def seen(text: str) -> str:
    """A payload as it is kept: without the blanks around it and the tabs in it."""
    return " ".join(text.split())


def inert(path: Path) -> set[str]:
    """The texts of a closed workbook that hold a payload; fails if one is more than a text."""
    found = set()
    for sheet in openpyxl.load_workbook(path):
        for cell in (c for row in sheet.iter_rows() for c in row if "marker" in str(c.value)):
            assert cell.data_type == "s", (sheet.title, cell.coordinate, cell.value)
            found.add(str(cell.value).strip())
    with zipfile.ZipFile(path) as package:
        parts = {name: package.read(name) for name in package.namelist()}
    assert not any("externalLink" in name for name in parts)
    for name, content in parts.items():
        formulas = re.findall(rb"<(?:f|c:f|xm:f|formula\d?|calculatedColumnFormula|definedName)\b[^>]*>[^<]*", content)
        assert not any(b"marker" in f for f in formulas), name
    return found


def test_in_workbooks_files_and_json(xlfunnel: Callable[..., Any], export: Path, tmp_path: Path) -> None:
    (tmp_path / "s.toml").write_text("refuse_share = 1.0\n", "utf-8")
    run = xlfunnel("report", export, "--settings", "s.toml", "-o", "o.xlsx", "--json", "o.json", "--lang", "en")
    assert run.code == 0
    for _ in range(2):
        assert {seen(p) for p in PAYLOADS} <= inert(tmp_path / "o.xlsx")
        assert xlfunnel("refresh", "o.xlsx").code == 0
    owners = {r["owner"] for r in json.loads((tmp_path / "o.json").read_text("utf-8"))["reserves"]}
    assert {seen(p) for p in PAYLOADS} <= owners
    assert xlfunnel("map", export, "--workbook", "o.xlsx").code == 0
    inert(tmp_path / "o.xlsx")
    assert xlfunnel("split", "o.xlsx", "-o", "regions").code == 0
    made = list((tmp_path / "regions").iterdir())
    assert len(made) > len(PAYLOADS) / 2
    for path in made:
        assert path.resolve().parent == (tmp_path / "regions").resolve()
        assert not set(path.name) & set('\t\r\n/\\:|<>"?*')
        if path.suffix == ".xlsx":
            inert(path)


@pytest.fixture
def book(office_app: xw.App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[xw.Book]:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("HOME", str(tmp_path))
    with clicked(office_app, workbook(tmp_path), monkeypatch) as opened:
        opened.sheets["参数"].book.names["cfg_refuse_share"].refers_to_range.value = 1
        yield opened


@pytest.mark.office
def test_in_the_open_workbook(office_app: xw.App, book: xw.Book, export: Path, tmp_path: Path) -> None:
    *_, said = Office(office_app).click(macros.import_export, str(export))
    assert str(log.log_path()) not in said
    for turn in range(2):
        out = tmp_path / f"saved{turn}.xlsx"
        book.save(out)
        assert {seen(p) for p in PAYLOADS} <= inert(out)
        Office(office_app).click(macros.refresh)
