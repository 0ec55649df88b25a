"""Movement's native formulas, calculated by LibreOffice, come to what Python computed: as shipped, and chosen anew."""

from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hand_visits import Visit, intake
from hosts import office
from test_movement_page import chosen

from xlfunnel import app
from xlfunnel.analysis import analyse
from xlfunnel.excel.file_sink import FileSink
from xlfunnel.pages import build_report, headers, movement
from xlfunnel.report import Report, fill
from xlfunnel.settings import Settings
from xlfunnel.strings import words

Choice = tuple[str | None, str | None, str | None, str | None]


def table(sheet: Any, name: str) -> list[list[Any]]:
    return [[c.value for c in line] for line in sheet[sheet.tables[name].ref]]


def choose(path: Path, language: str, choice: Choice) -> None:
    """What a user does with the yellow cells, done in the file by another program."""
    book = openpyxl.load_workbook(path)
    sheet = book[words(language)("sheets.movement")]
    head, *body = sheet[sheet.tables["tbl_movement_choice"].ref]
    at = [c.value for c in head].index(words(language)("tables.movement_choice.choice"))
    for line, value in zip(body, choice, strict=True):
        line[at].value = words(language)(f"movement.measure.{value}") if value in ("count", "amount") else value
    # A table may be sorted otherwise, too.
    body = sheet[sheet.tables["tbl_movement_months"].ref][1:]
    at = [c.value for c in sheet[sheet.tables["tbl_movement_months"].ref][0]].index("x")
    turned = [[c.value for c in line[: at - 1]] + [line[at].value] for line in reversed(body)]
    for line, values in zip(body, turned, strict=True):
        for cell, value in zip((*line[: at - 1], line[at]), values, strict=True):
            cell.value = value
    book.save(path)


def assert_same(sheet: Any, report: Report, language: str, skipped: str = "") -> None:
    """Every cell of every table of the sheet is what the report holds."""
    for one in (t for t in movement.PAGE.tables if t.name != skipped):
        names = headers(one, words(language))
        head, *body = table(sheet, one.name)
        frame = report.tables[one.name]
        for column in (c for c in one.columns if not c.typed):
            at = head.index(names[column.key])
            for i, expected in enumerate(frame[names[column.key]]):
                found = body[i][at]
                if expected is None or expected != expected:
                    assert found in (None, ""), (one.name, column.key, i, found)
                elif isinstance(expected, str):
                    assert found == expected, (one.name, column.key, i)
                else:
                    assert found == pytest.approx(expected, abs=1e-6), (one.name, column.key, i)


@pytest.mark.office
@pytest.mark.parametrize(
    ("language", "choice"),
    [
        ("en", (None, None, None, None)),
        ("zh-CN", ("2025-06", "2024-06", "T0→T3", "amount")),
    ],
    ids=["as shipped", "another, wrong way round"],
)
def test_another_choice_gives_the_right_numbers_without_a_run(language: str, choice: Choice, tmp_path: Path) -> None:
    office.require()
    path = tmp_path / "demo.xlsx"
    app.demo(path, language)
    choose(path, language, choice)
    files, settings = app.sample(language)
    report = build_report(analyse(app.check(files, settings), settings, None, chosen(*choice)), with_data=False)
    book = openpyxl.load_workbook(office.convert(path, "xlsx", tmp_path / "office"), data_only=True)
    assert_same(book[words(language)("sheets.movement")], report, language, skipped="tbl_movement_months")


@pytest.mark.office
@pytest.mark.parametrize("is_filled", [False, True], ids=["before the first run", "two stages, two months"])
def test_little_data(is_filled: bool, tmp_path: Path) -> None:
    office.require()
    path = tmp_path / "little.xlsx"
    app.copy_template("en", path)
    rows: list[Visit] = [
        ("a", "LX", "A", "T1", "T2", "2025-05-02", "2025-06-01", 1),
        ("a", "LX", "A", "T2", "lost", "2025-06-01", "2025-06-03", 2),
    ]
    report = build_report(analyse(intake(rows, "2025-06-30"), Settings(language="en")), with_data=True)
    if is_filled:
        fill(report, FileSink(path, path))
    book = openpyxl.load_workbook(office.convert(path, "xlsx", tmp_path / "office"), data_only=True)
    sheet = book["Movement"]
    values = [str(c.value) for line in sheet.iter_rows() for c in line if c.value is not None]
    assert not [v for v in values if v.startswith("#") and v != "#"]
    assert "\u2717" not in values
    if is_filled:
        assert_same(sheet, report, "en")


def test_a_refresh_keeps_the_choice_and_shows_its_numbers(tmp_path: Path) -> None:
    path = tmp_path / "demo.xlsx"
    app.demo(path, "en")
    choice: Choice = ("2024-11", "2025-03", "T2", "amount")
    choose(path, "en", choice)
    app.refresh(path)
    book = openpyxl.load_workbook(path, data_only=True)
    shown = table(book["Movement"], "tbl_movement_choice")
    assert [line[2:] for line in shown[1:]] == [[v, v] for v in ("2024-11", "2025-03", "T2", "Amount (k)")]
    files, settings = app.sample("en")
    report = build_report(analyse(app.check(files, settings), settings, None, chosen(*choice)), with_data=False)
    assert_same(book["Movement"], report, "en")
