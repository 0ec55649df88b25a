"""Rep card: whose it is, what it shows of much and of little, and that choosing another needs no Python."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from math import isnan
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from hand_visits import Visit, intake
from hosts import office

from xlfunnel import app
from xlfunnel.analysis import FunnelAnalysis, analyse
from xlfunnel.entered import Entered
from xlfunnel.excel import inputs
from xlfunnel.excel.file_sink import FileSink
from xlfunnel.excel.ranges import parse_range
from xlfunnel.excel.template import build
from xlfunnel.pages import build_report, card, reps
from xlfunnel.pages.model import Content
from xlfunnel.pages.phrases import Phrases
from xlfunnel.report import Report, fill
from xlfunnel.settings import LANGUAGES, Settings
from xlfunnel.strings import words

AS_OF = "2025-06-30"
ENGLISH = Settings(language="en")


def team(n: int, region: str = "LX", months: int = 14) -> list[Visit]:
    """So many reps with two opportunities a month each, one of which goes on and one is lost, and some still open."""
    rows: list[Visit] = []
    for rep in range(n):
        owner = f"Rep {rep + 1:02}"
        for month in range(months):
            day = date(2025, 6, 20) - timedelta(30 * month)
            left = (day + timedelta(9)).isoformat()
            stem = f"{region}{rep}-{month}"
            rows.append((f"{stem}a", region, owner, "T0", "T1", day.isoformat(), left, 5))
            rows.append(
                (
                    f"{stem}a",
                    region,
                    owner,
                    "T1",
                    "open" if month < 3 else "lost",
                    left,
                    None if month < 3 else (day + timedelta(29)).isoformat(),
                    5,
                )
            )
            rows.append((f"{stem}b", region, owner, "T0", "lost", day.isoformat(), left, 5))
        rows += [(f"{region}{rep}open{i}", region, owner, "T2", "open", "2025-05-01", None, 1) for i in range(rep % 4)]
    return rows  # fmt: skip


def of(rows: list[Visit], chosen: str | None = None, settings: Settings = ENGLISH) -> FunnelAnalysis:
    return analyse(intake(rows, AS_OF), settings, entered=Entered(cells={card.CHOSEN: chosen}))


def shown(analysis: FunnelAnalysis) -> Content:
    return card.content(analysis, Phrases(analysis.settings))


def test_the_card_of_the_chosen_rep() -> None:
    found = shown(of(team(4), "Rep 03"))
    assert found.cells["txt_card_title"] == "Rep card · Rep 03"
    labels = found.tables["tbl_cards"]["rep"].tolist()
    assert found.cells["kpi_card_row"] == labels.index("Rep 03") + 1
    assert found.cells["kpi_card_reserve"] == 5  # three in T1, two in T2
    assert found.tables["tbl_card_funnel"]["now"].tolist()[:3] == [0, 3, 2]
    assert found.tables["tbl_card_funnel"]["mean"].tolist()[:3] == [0, 3, 1.5]
    assert found.tables["tbl_card_trend"]["reserve"].iloc[-1] == 5
    assert found.tables["tbl_card_trend"]["month"].tolist()[-1] == "2025-06"
    assert found.tables["tbl_card_oldest"]["days"].tolist()[:3] == [61, 60, 60]
    assert "cfg_rep" not in found.cells


@pytest.mark.parametrize("chosen", ["Rep 99", None], ids=["gone", "empty"])
def test_a_choice_that_is_gone_becomes_the_first(chosen: str | None) -> None:
    gone = shown(of(team(2), chosen))
    assert gone.cells["cfg_rep"] == gone.tables["tbl_cards"]["rep"].iloc[0]
    assert gone.cells["txt_card_title"] == "Rep card · Rep 02"  # holds most


def test_where_nobody_can_be_chosen_nothing_is_written() -> None:
    assert "cfg_rep" not in shown(of([])).cells


def test_an_import_keeps_the_choice_and_a_new_workbook_gets_the_first() -> None:
    say = Phrases(ENGLISH)
    assert card.chosen(of(team(3), "Rep 02"), say) == {"cfg_rep": "Rep 02"}
    assert card.chosen(of(team(3)), say) == {"cfg_rep": "Rep 03"}  # holds most
    assert card.chosen(of([]), say) == {"cfg_rep": None}


def test_reps_of_one_name_are_told_apart_by_their_region() -> None:
    found = shown(of([*team(2, "North"), *team(1, "South")]))
    assert sorted(found.tables["tbl_cards"]["rep"]) == ["Rep 01 (North region)", "Rep 01 (South region)", "Rep 02"]


def test_keys_are_whole_and_never_twice() -> None:
    found = shown(of(team(60)))
    for name in ("stages", "steps", "months", "open", "flags"):
        keys = found.tables[f"tbl_card_{name}"]["key"]
        assert keys.is_unique
        assert set(keys // 100) == set(range(1, 61))
        assert (keys % 100).between(1, 12).all()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("rows", "hint"),
    [
        pytest.param([], "nobody", id="nothing"),
        pytest.param([("a", "LX", "", "T1", "open", "2025-01-01", None, 1)], "nobody", id="no_owner"),
        pytest.param([("a", "LX", "A", "T1", "open", "2025-01-01", None, 1)], "hint", id="one_open"),
        pytest.param([("a", "LX", "A", "T1", "lost", "2025-05-01", "2025-06-01", 1)], "hint", id="one_lost"),
        pytest.param([("a", "LX", "A", "T1", "open", "2025-06-03", None, None)], "hint", id="one_month"),
    ],
)
def test_of_little_the_card_says_why_it_is_silent(rows: list[Visit], hint: str, language: str) -> None:
    analysis = of(rows, settings=replace(ENGLISH, language=language))
    say = Phrases(analysis.settings)
    found = card.content(analysis, say)
    assert found.cells["txt_card_hint"] == say(f"card.{hint}")
    if rows and hint == "hint":
        assert found.cells["kpi_card_rate"] is None
        assert str(found.cells["txt_card_rate_note"])
        assert found.tables["tbl_card_conversion"]["rate"].isna().all()
    rates = reps.content(analysis, say)
    assert rates.cells["txt_reps_limits"] == say("reps.chart.limits_of_none")
    assert rates.tables["tbl_rep_limits"].empty


def test_ready_made_reserves_have_cards_without_conversion() -> None:
    table = pd.DataFrame(
        [("LX", o, "T1", month, n, 0) for o, n in (("A", 9), ("B", 2)) for month in range(660, 666)],
        columns=["region", "owner", "stage", "month", "count", "amount_cents"],
    )
    made = intake([], AS_OF)
    analysis = analyse(replace(made, reserves=table), ENGLISH)
    found = shown(analysis)
    assert found.cells["kpi_card_reserve"] == 9
    assert found.cells["txt_card_rate_note"] == Phrases(ENGLISH)("card.note.no_rate")
    assert found.tables["tbl_card_trend"]["mean"].tolist() == [5.5] * 6


def filled(path: Path, analysis: FunnelAnalysis) -> Report:
    build(analysis.settings.language, path)
    report = build_report(analysis, with_data=True, with_entered=True)
    fill(report, FileSink(path, path))
    return report


@pytest.mark.parametrize("n", [1, 60])
def test_list_tables_and_print_areas_follow_the_number_of_reps(n: int, tmp_path: Path) -> None:
    path = tmp_path / "book.xlsx"
    filled(path, of(team(n)))
    book = openpyxl.load_workbook(path)
    sheet = book["Rep card"]
    rows = max(n, 2)
    (rule,) = sheet.data_validations.dataValidation
    (name,) = book.defined_names["cfg_rep"].destinations
    assert str(rule.sqref) == name[1].replace("$", "")
    at, table = parse_range(rule.formula1.rpartition("!")[2]), parse_range(sheet.tables["tbl_cards"].ref)
    assert at
    assert table
    assert (at.r1, at.r2, at.c1) == (table.r1 + 1, table.r2, table.c1)
    assert table.r2 - table.r1 == rows
    declared = [c.calculatedColumnFormula for c in sheet.tables["tbl_card_trend"].tableColumns]
    months = parse_range(sheet.tables["tbl_card_months"].ref)
    assert months
    for letter, found in zip("RS", declared[2:], strict=True):
        assert found is not None
        assert f"$A{letter}${months.r1 + 1}:$A{letter}${months.r2}" in found.attr_text
    assert sheet.print_area.endswith("$N$55")
    whole = parse_range(book["Reps"].print_area.rpartition("!")[2])
    assert whole
    assert whole.r2 == 23 + rows
    assert inputs.read_entered(path).cells == {"rep": sheet[name[1].replace("$", "")].value}


@pytest.mark.office
@pytest.mark.parametrize("language", LANGUAGES)
def test_another_choice_shows_another_rep_without_python(language: str, tmp_path: Path) -> None:
    """Choose E by openpyxl, recalculate in LibreOffice: every cell of the card is what Python says of E."""
    office.require()
    files, settings = app.sample(language)
    made = app.check(files, settings)
    path = tmp_path / "card.xlsx"
    build(language, path)
    fill(build_report(analyse(made, settings), with_data=True, with_entered=True), FileSink(path, path))
    book = openpyxl.load_workbook(path)
    title, at = next(iter(book.defined_names["cfg_rep"].destinations))
    first = book[title][at.replace("$", "")].value
    book[title][at.replace("$", "")] = "E"
    book.save(path)
    expected = analyse(made, settings, entered=Entered(cells={card.CHOSEN: "E"}))
    content, say = card.content(expected, Phrases(settings)), words(language)
    seen = openpyxl.load_workbook(office.convert(path, "xlsx", tmp_path / "office"), data_only=True)
    sheet = seen[say("sheets.card")]
    assert first == "A"
    for name, value in content.cells.items():
        at = next(iter(book.defined_names[name].destinations))[1].replace("$", "")
        assert _same(sheet[at].value, value), (name, at, sheet[at].value, value)
    for table in ("tbl_card_funnel", "tbl_card_conversion", "tbl_card_oldest", "tbl_card_trend", "tbl_card_bars"):
        head, *body = book[say("sheets.card")][book[say("sheets.card")].tables[table].ref]
        names = {say(f"tables.{table.removeprefix('tbl_')}.{c}"): c for c in content.tables[table]}
        for i, row in enumerate(body):
            for cell, header in zip(row, head, strict=True):
                value = content.tables[table][names[header.value]].iloc[i]
                assert _same(sheet[cell.coordinate].value, value), (table, cell.coordinate, value)


def _same(seen: object, value: object) -> bool:
    if value is None or value is pd.NaT or (isinstance(value, float) and isnan(value)):
        return seen in (None, "")
    if isinstance(value, str | datetime):
        return seen == value
    return seen == pytest.approx(value)
