"""A workbook read back: settings as they were chosen, the data's sheet, what tables show."""

from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from small_books import build, months, refill

from xlfunnel import app
from xlfunnel.analysis import analyse
from xlfunnel.crm import Source, read_data_sheet
from xlfunnel.errors import SettingsError, WorkbookError
from xlfunnel.excel import inputs, template
from xlfunnel.excel.book import Book
from xlfunnel.excel.file_sink import FileSink
from xlfunnel.excel.package import Package
from xlfunnel.pages import build_report
from xlfunnel.report import fill
from xlfunnel.settings import LANGUAGES, Settings, Target
from xlfunnel.strings import words


@pytest.fixture(params=LANGUAGES)
def book(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / "book.xlsx"
    template.build(request.param, path)
    return path


def _headers(path: Path, table: str) -> list[str]:
    with Package(path) as package:
        return [c.name for c in Book(package).table(table).columns]


def _rows(path: Path, table: str, *rows: tuple[Any, ...]) -> dict[str, pd.DataFrame]:
    return {table: pd.DataFrame(list(rows), columns=_headers(path, table), dtype=object)}


def test_an_empty_template_gives_the_defaults(book: Path) -> None:
    language = inputs.language(book)
    assert language in LANGUAGES
    assert inputs.read_settings(book) == Settings(language=language)


def test_settings_come_back_as_they_were_written(book: Path) -> None:
    say = words(inputs.language(book))
    cells = {
        "cfg_region": "LX 大区", "cfg_as_of": date(2025, 6, 30), "cfg_trend_months": 6, "cfg_floor_t1": 7.5,
        "cfg_recent_months": 3,
        "cfg_fiscal_start": 4, "cfg_plan_weeks": 26, "cfg_wins_needed": 2, "cfg_service_level": 0.8,
        "cfg_floor_t3": None, "cfg_refuse_share": 0.05, "cfg_currency": "元",
    }  # fmt: skip
    tables = {
        **_rows(book, "tbl_stages", ("T0", "线索"), ("T3", "高阶")),
        **_rows(
            book, "tbl_stage_map", ("新建", "t0"), ("提案", "T3"), ("签约", say("data.outcome.won")), ("死了", "lost"),
            ("half a row", None), (2025, "高阶"),
        ),
        **_rows(
            book, "tbl_columns", (say("settings_sheet.field.owner"), "跟进人"), ("amount", "Betrag"), ("T2", "到达T2"),
        ),
        **_rows(book, "tbl_horizons", ("T0", None), ("T2", 45)),
        **_rows(
            book, "tbl_targets", (None, "2025-Q3", 5e6), ("LX", datetime(2025, 7, 1), 1000), (None, "2025-Q4", None),
        ),
        **_rows(book, "tbl_benchmarks", ("T2→T3", 0.4), (f"T4→{say('data.outcome.won')}", 1), ("t3 - won", 0.2)),
    }  # fmt: skip
    refill(book, book, tables, cells)
    assert inputs.read_settings(book) == Settings(
        language=inputs.language(book),
        region="LX 大区",
        as_of=date(2025, 6, 30),
        trend_months=6,
        recent_months=3,
        floor_t1=7.5,
        floor_t3=None,
        wins_needed=2,
        service_level=0.8,
        plan_weeks=26,
        refuse_share=0.05,
        currency="元",
        stages={"T0": "线索", "T3": "高阶"},
        stage_map={"新建": "T0", "提案": "T3", "签约": "won", "死了": "lost", "2025": "T3"},
        columns={"owner": "跟进人", "amount": "Betrag", "T2": "到达T2"},
        benchmarks={"T2-T3": 0.4, "T4-won": 1, "T3-won": 0.2},
        horizon_days={"T2": 45},
        fiscal_start=4,
        targets=(Target("", "2025-Q3", 5e6), Target("LX", "2025-07", 1000)),
    )


def test_empty_cells_mean_the_default_and_empty_floors_the_safety_stock(book: Path) -> None:
    names = [
        "region",
        "as_of",
        "trend_months",
        "recent_months",
        "floor_t1",
        "floor_t3",
        "wins_needed",
        "service_level",
        "plan_weeks",
        "refuse_share",
        "currency",
        "language",
    ]
    refill(book, book, {}, {f"cfg_{n}": None for n in names})
    expected = replace(Settings(language="en"), floor_t1=None, floor_t3=None)
    assert inputs.read_settings(book, base_language="en") == expected
    assert inputs.language(book) == LANGUAGES[0]


@pytest.mark.parametrize("shown", ["2025-06-30", "2025/6/30", " 2025.06.30 "])
def test_a_date_typed_as_text_is_a_date(book: Path, shown: str) -> None:
    refill(book, book, {}, {"cfg_as_of": shown})
    assert inputs.read_settings(book).as_of == date(2025, 6, 30)


@pytest.mark.parametrize(
    ("cell", "value", "code"),
    [
        ("cfg_as_of", "last Monday", "settings.wrong_kind"),
        ("cfg_as_of", "2025-02-30", "settings.wrong_kind"),
        ("cfg_as_of", True, "settings.wrong_kind"),
        ("cfg_trend_months", "six", "settings.wrong_kind"),
        ("cfg_trend_months", 6.5, "settings.wrong_kind"),
        ("cfg_refuse_share", 3, "settings.out_of_range"),
        ("cfg_floor_t3", "many", "settings.wrong_kind"),
        ("cfg_language", "fr", "settings.not_allowed"),
    ],
)
def test_a_cell_that_cannot_be_is_named(book: Path, cell: str, value: Any, code: str) -> None:
    refill(book, book, {}, {cell: value})
    with pytest.raises(SettingsError) as e:
        inputs.read_settings(book)
    assert e.value.code == code
    assert e.value.params["name"] == cell.removeprefix("cfg_")


@pytest.mark.parametrize(
    ("table", "row", "code"),
    [
        ("tbl_benchmarks", ("T3→T2", 0.4), "settings.not_allowed"),
        ("tbl_benchmarks", ("T2→T3", "much"), "settings.wrong_kind"),
        ("tbl_horizons", ("T2", 0), "settings.out_of_range"),
    ],
)
def test_a_benchmark_or_horizon_that_cannot_be_is_refused(book: Path, table: str, row: Any, code: str) -> None:
    refill(book, book, _rows(book, table, row))
    with pytest.raises(SettingsError) as e:
        inputs.read_settings(book)
    assert e.value.code == code


def test_an_older_template_without_them_means_the_defaults() -> None:
    class Older:
        """Shows the settings of a template that knew neither benchmarks nor horizons nor targets."""

        date1904 = False

        def cell(self, name: str) -> None:
            assert name

        def rows(self, table: str) -> list[list[Any]]:
            if table in ("tbl_benchmarks", "tbl_horizons", "tbl_targets"):
                raise WorkbookError("workbook.missing_table", table=table, path="older.xlsx")
            return []

    expected = replace(Settings(), floor_t1=None, floor_t3=None)
    assert inputs.settings_shown(Older()) == expected


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_refresh_keeps_what_a_run_was_given(language: str, tmp_path: Path) -> None:
    """From the settings of a run to its workbook and back."""
    path = tmp_path / "demo.xlsx"
    app.demo(path, language)
    given = replace(
        inputs.read_settings(path),
        recent_months=3,
        benchmarks={"T2-T3": 0.4, "T4-won": 0.25, "T0-T1": 0.5},
        horizon_days={"T2": 45},
    )
    intake = read_data_sheet(inputs.data_source(path), given)
    fill(build_report(analyse(intake, given), with_data=True), FileSink(path, path))
    assert inputs.read_settings(path) == given
    app.refresh(path)
    assert inputs.read_settings(path) == given


def test_an_unknown_stage_in_the_mapping_is_refused(book: Path) -> None:
    refill(book, book, _rows(book, "tbl_stage_map", ("新建", "T9")))
    with pytest.raises(SettingsError, match=r"settings\.not_allowed"):
        inputs.read_settings(book)


def test_own_labels_replace_the_languages(book: Path) -> None:
    refill(book, book, _rows(book, "tbl_stage_map", ("signed", "成交")))
    assert inputs.read_settings(book, {"成交": "won"}).stage_map == {"signed": "won"}


def test_the_data_are_on_the_sheet_of_their_table(book: Path) -> None:
    say = words(inputs.language(book))
    assert inputs.data_source(book) == Source(book, say("sheets.data"))


def test_a_table_shows_dates_as_dates(book: Path) -> None:
    headers = _headers(book, "tbl_data")
    row = ["0012", "华东", "王伟", "T2", pd.Timestamp("2025-06-30"), None, None, 12.5]
    refill(book, book, {"tbl_data": pd.DataFrame([row], columns=headers)})
    shown = inputs.table_frame(book, "tbl_data")
    assert list(shown.columns) == headers
    assert shown.to_numpy().tolist() == [["0012", "华东", "王伟", "T2", datetime(2025, 6, 30), None, None, 12.5]]


def test_issues_of_an_earlier_run_are_carried(book: Path) -> None:
    headers = _headers(book, "tbl_issues")
    issues = [("c.csv", 7, "a", 4, "→", "P", "b", "x"), ("c.csv", None, "a", None, None, None, "b", None)]
    refill(book, book, {"tbl_issues": pd.DataFrame(issues, columns=headers, dtype=object)})
    found = inputs.read_carried(book).issues
    assert list(found) == ["source", "row", "treatment", "data_row", "opportunity_id", "cause", "value"]
    assert found.astype(object).to_numpy().tolist() == [[*row[:4], *row[5:]] for row in issues]


def test_a_workbook_of_another_kind_is_not_ours(tmp_path: Path) -> None:
    other = build(tmp_path / "other.xlsx")
    assert not inputs.is_ours(other)
    for read in (inputs.read_settings, inputs.data_source, inputs.language, inputs.read_carried):
        with pytest.raises(WorkbookError, match=r"workbook\.not_ours"):
            read(other)


def test_our_own_is_ours_also_after_a_fill(book: Path) -> None:
    refill(book, book, {}, {"cfg_region": "x"})
    assert inputs.is_ours(book)


def test_a_deleted_table_is_named(tmp_path: Path) -> None:
    other = build(tmp_path / "other.xlsx")
    refill(other, other, {"tbl_month": months(1, 2)})
    with pytest.raises(WorkbookError, match=r"workbook\.missing_table"):
        inputs.table_frame(other, "tbl_none")
