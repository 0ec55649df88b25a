"""How names and numbers are worded."""

import pytest
from hand_visits import Visit, intake

from xlfunnel.analysis import analyse
from xlfunnel.pages import build_report
from xlfunnel.pages.phrases import Phrases
from xlfunnel.settings import Settings

EN, ZH = Phrases(Settings(language="en")), Phrases(Settings(language="zh-CN"))


@pytest.mark.parametrize(
    ("names", "room", "shown"),
    [
        ([], 1000, ""),
        (["Ann", "Bob"], 1000, "Ann, Bob"),
        (list("ABCDEFG"), 1000, "A, B, C, D, E and 2 more"),
        (["Donn Cantrell", "Garret Kinder"], 18, "Donn Cantrell and 1 more"),
        (["A very long name that no tile holds"], 18, "A very long name that no tile holds"),
    ],
)
def test_as_many_names_as_have_room(names: list[str], room: int, shown: str) -> None:
    assert EN.names(names, room) == shown


def test_han_letters_are_two_wide() -> None:
    assert ZH.names(["张三丰", "李四光", "王五一"], 14) == "张三丰、李四光及另外 1 人"


@pytest.mark.parametrize(
    ("share", "shown"),
    [(0, "0%"), (0.004, "<1%"), (0.005, "<1%"), (0.5, "50%"), (0.9949, "99%"), (0.9997, ">99%"), (1, "100%"),
     (2.5, "250%"), (-0.3, "−30%"), (float("nan"), "—")],
)  # fmt: skip
def test_nearly_all_is_not_all(share: float, shown: str) -> None:
    assert EN.percent(share) == shown


@pytest.mark.parametrize(
    ("p", "shown"),
    [(0.0, "< 0.0001"), (0.000099, "< 0.0001"), (0.0001, "= 0.0001"), (0.04236, "= 0.0424"), (1.0, "= 1.0000")],
)
def test_no_probability_is_nought(p: float, shown: str) -> None:
    assert EN.p_value(p) == shown


def test_a_manifold_change_has_no_percentage() -> None:
    assert "(+" not in EN.change(1589, 7, 561)
    assert "+1,582 (—)" in EN.change(1589, 7, 561)
    assert "−111 (−55%)" in EN.change(92, 203, 661)


def test_a_tile_without_a_number_shows_a_dash() -> None:
    rows: list[Visit] = [("1", "LX", "A", "T1", "open", "2025-06-01", None, 100)]
    cells = build_report(analyse(intake(rows, "2025-06-30"), Settings(language="en")), with_data=False).cells
    assert (cells["kpi_reserve"], cells["kpi_slope"], cells["kpi_win_rate"]) == (1, "—", "—")
