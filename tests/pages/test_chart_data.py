"""Numbers in charts: all while there is room, fewer beyond; worked by hand."""

from math import isnan

import pytest
from hand_visits import Visit, intake

from xlfunnel.analysis import FunnelAnalysis, analyse
from xlfunnel.pages import reps, trend
from xlfunnel.pages.phrases import Phrases
from xlfunnel.settings import LANGUAGES, Settings
from xlfunnel.strings import words


def looked_at(rows: list[Visit], settings: Settings) -> FunnelAnalysis:
    return analyse(intake(rows, "2025-06-30"), settings)


def holding(reps_in_all: int, stage: str = "T2") -> list[Visit]:
    """The first rep holds one opportunity, the second two, and so on."""
    return [
        (f"{rep}-{i}", "LX", f"R{rep:02d}", stage, "open", "2025-03-01", None, 1)
        for rep in range(1, reps_in_all + 1)
        for i in range(rep)
    ]


def one_more_each_month(months: int, stage: str = "T2") -> list[Visit]:
    """Entered in the last `months` months up to June 2025: reserves of 1, 2, 3 …"""
    starts = [(2025 + (5 - i) // 12, (5 - i) % 12 + 1) for i in range(months)]
    return [(f"{i}", "LX", "A", stage, "open", f"{y}-{m:02d}-01", None, 1) for i, (y, m) in enumerate(starts)]


@pytest.mark.parametrize(("held", "columns"), [("T2", "bar"), ("T3", "t3")])
@pytest.mark.parametrize(("n", "drawn", "other"), [(15, "", "_many"), (16, "_many", "")])
def test_bars_of_reps_bear_numbers_up_to_fifteen_reps(held: str, columns: str, n: int, drawn: str, other: str) -> None:
    settings = Settings(language="en", floor_t3=8.5)
    found = looked_at(holding(n, held), settings)
    table = reps.content(found, Phrases(settings)).tables["tbl_rep_bars"]
    enough = [*range(n, 8 if columns == "t3" or n == 16 else 7, -1)]  # the mean of 1…15 is 8, of 1…16 it is 8.5
    short = [*range(len(table) - len(enough), 0, -1)]
    assert table[f"{columns}_ok{drawn}"].dropna().tolist() == enough
    assert table[f"{columns}_short{drawn}"].dropna().tolist() == short
    assert table[[f"{columns}_ok{other}", f"{columns}_short{other}"]].isna().all(axis=None)


@pytest.mark.parametrize(
    ("months", "told"),
    [(12, [*range(1, 13)]), (14, [2, 4, 6, 8, 10, 12, 14]), (26, [2, 5, 8, 11, 14, 17, 20, 23, 26])],
)
def test_points_bear_numbers_counted_back_from_the_last(months: int, told: list[int]) -> None:
    settings = Settings(language="en", trend_months=months)
    table = trend.content(looked_at(one_more_each_month(months), settings), Phrases(settings)).tables
    labels = table["tbl_trend_labels"]
    assert len(labels) == len(table["tbl_trend"]) == months
    assert labels["T0-T2"].dropna().tolist() == labels["T0-T3"].dropna().tolist() == told
    assert labels["room_T0-T2"].isna().tolist() == [True] * (months - 1) + [False]
    assert labels["room_T0-T2"].iloc[-1] == pytest.approx(1.2 * months)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_chart_of_a_stage_that_nobody_entered_says_so(language: str) -> None:
    settings, say = Settings(language=language), words(language)
    for stage, key in (("T2", "no_T3"), ("T3", "T3")):
        content = trend.content(looked_at(one_more_each_month(3, stage), settings), Phrases(settings))
        assert content.cells["txt_trend_t3"] == say(f"trend_sheet.chart.{key}")
        assert isnan(content.tables["tbl_trend_labels"]["room_T3"].iloc[-1]) == (stage == "T2")
