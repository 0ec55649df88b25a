"""Regions: one row and one panel a region; one sentence where there is nothing to compare."""

import re
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from hand_visits import Visit, intake

from xlfunnel.analysis import analyse
from xlfunnel.excel.chart_patch import CHART_TYPE
from xlfunnel.excel.file_sink import FileSink
from xlfunnel.excel.package import Package
from xlfunnel.excel.template import build
from xlfunnel.pages import build_report, regions
from xlfunnel.pages.model import Content
from xlfunnel.pages.phrases import Phrases
from xlfunnel.report import fill
from xlfunnel.settings import LANGUAGES, Settings

AS_OF = "2025-06-30"
ENGLISH = Settings(language="en")


def shown(rows: list[Visit], settings: Settings = ENGLISH) -> Content:
    return regions.content(analyse(intake(rows, AS_OF), settings), Phrases(settings))


def told(content: Content) -> list[str]:
    return [str(content.cells[f"txt_regions_{i}"]) for i in (1, 2, 3) if content.cells[f"txt_regions_{i}"]]


def closed(region: str, won: int, of: int) -> list[Visit]:
    return [
        (f"{region}{i}", region, "Ann", "T3", "won" if i < won else "lost", "2025-03-03", "2025-04-10", 1)
        for i in range(of)
    ]


def falling(region: str, first: int = 30) -> list[Visit]:
    """T3 reserves that fall by three a month over twelve months."""
    return [
        (f"{region}f{i}", region, "Ann", "T3", "lost", "2024-05-02", f"{2024 + (m > 12)}-{(m - 1) % 12 + 1:02d}-15", 1)
        for i in range(first)
        for m in [7 + i // 3]
    ] + [(f"{region}o{i}", region, "Ann", "T3", "open", "2024-05-02", None, 1) for i in range(3)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_one_region_says_why_it_is_silent_and_no_chart_is_empty(language: str) -> None:
    found = shown(closed("LX", 10, 30), replace(ENGLISH, language=language))
    assert len(told(found)) == 1
    assert "xlfunnel consolidate" in told(found)[0]
    assert found.tables["tbl_region_bars"]["bar_compared"].tolist() == [1 / 3]
    assert found.tables["tbl_region_months"]["T3"].notna().any()


def test_no_data_say_so() -> None:
    assert told(shown([])) == ["There are no data yet."]


def test_win_rates_are_told_apart_only_where_their_intervals_do_not_meet() -> None:
    apart = told(shown([*closed("North", 80, 100), *closed("South", 30, 100)]))
    assert apart[-1].startswith("North region surely wins more often than South region: 80% of 100 closed (71%–87%)")
    alike = told(shown([*closed("North", 52, 100), *closed("South", 50, 100)]))
    assert alike[-1].startswith("The win rates do not tell the regions apart: first North region with 52% of 100")
    few = told(shown([*closed("North", 2, 3), *closed("South", 50, 100)]))
    assert few[-1] == "No ranking: fewer than two regions have 5 closed opportunities."


def test_what_falls_and_what_is_short_is_named() -> None:
    found = shown([*falling("North"), *closed("South", 3, 9)])
    assert told(found)[0].startswith("Reserve clearly declining: North region T3 (−")
    assert told(found)[1] == "T3 a head below the floor: South region 0 (floor 5), North region 3 (floor 5)."
    rows = found.tables["tbl_regions"].set_index("region")
    assert rows.loc["North region", "verdict"] == "T0→T3, T3 declining"
    assert rows.loc["North region", "mark"] == "▲"


def test_panels_are_parted_by_a_blank_row_and_named_once() -> None:
    panels = shown([*closed("B", 30, 40), *closed("A", 5, 40)]).tables["tbl_region_months"]
    names = panels["region"].tolist()
    assert [n for n in names if isinstance(n, str)] == ["B region", "A region"]
    blank = panels.isna().all(axis=1)
    assert blank.tolist() == [False] * 4 + [True] + [False] * 4
    assert panels["month"].dropna().tolist() == ["03", "04", "05", "06"] * 2


@pytest.mark.parametrize("regions_", [1, 3])
def test_the_chart_of_panels_follows_its_table_in_a_file(tmp_path: Path, regions_: int) -> None:
    """Its categories are two columns, region and month, and a range of as many rows as there are month ends."""
    rows = [v for region in "ABC"[:regions_] for v in closed(region, 5, 10)]
    report = build_report(analyse(intake(rows, AS_OF), ENGLISH), with_data=True)
    build("en", tmp_path / "empty.xlsx")
    fill(report, FileSink(tmp_path / "empty.xlsx", tmp_path / "full.xlsx"))
    with Package(tmp_path / "full.xlsx") as package:
        texts = [package.read(p).decode() for p in package.parts_of_type(CHART_TYPE)]
    (chart,) = (t for t in texts if "multiLvlStrRef" in t)
    last = 31 + len(report.tables["tbl_region_months"])
    found = set(re.findall(r"<c:multiLvlStrRef><c:f>'?Regions'?!([^<]+)</c:f>", chart))
    assert found == {f"$AF$32:$AG${last}"}
    assert f"$AH$32:$AH${last}" in chart


def test_few_cases_are_counted_not_rated() -> None:
    found = shown([*closed("North", 2, 3), *closed("South", 5, 10)]).tables
    rows = found["tbl_regions"].set_index("region")
    assert pd.isna(rows.loc["North region", "win_rate"])
    assert rows.loc["North region", "closed"] == 3
    bars = found["tbl_region_bars"].set_index("region")
    assert bars.loc["North region"].isna().all()
    assert bars.loc["South region", "bar_greyed"] == 0.5
