"""Regions beside each other: the ranking knows chance, a step is weak against all, the unknown stays unknown."""

from math import isnan

import pandas as pd
import pytest
from hand_visits import Visit, intake
from statsmodels.stats.proportion import proportion_confint

from xlfunnel.analysis import analyse
from xlfunnel.metrics.regions import MONTHS, Region
from xlfunnel.settings import Settings, Target
from xlfunnel.terms import Severity, Verdict

AS_OF = "2025-06-30"


def closed(region: str, won: int, of: int, entered: str = "2025-03-03", left: str = "2025-04-10") -> list[Visit]:
    """So many opportunities of a region that closed, of which so many were won."""
    return [
        (f"{region}{entered}{i}", region, "Ann", "T3", "won" if i < won else "lost", entered, left, 1)
        for i in range(of)
    ]


def beside(rows: list[Visit], **chosen: float) -> pd.DataFrame:
    return analyse(intake(rows, AS_OF), Settings(**chosen)).regions.set_index("region")  # type: ignore[arg-type]


def test_few_lucky_wins_put_nobody_first() -> None:
    found = beside([*closed("Lucky", 5, 6), *closed("Solid", 66, 100), *closed("Few", 4, 4), *closed("Weak", 30, 100)])
    assert found["rank"].to_dict() == {
        "Solid": 1,
        "Lucky": 2,
        "Weak": 3,
        "Few": pytest.approx(float("nan"), nan_ok=True),
    }
    assert list(found.index) == ["Solid", "Lucky", "Weak", "Few"]
    for region, (won, of) in {"Lucky": (5, 6), "Solid": (66, 100), "Weak": (30, 100)}.items():
        row = found.loc[region]
        assert (row["won"], row["closed"], row["win_rate"]) == (won, of, won / of)
        assert (row["win_low"], row["win_high"]) == pytest.approx(proportion_confint(won, of, method="wilson"))


def test_what_is_held_is_held_against_the_regions_floor_and_mean() -> None:
    rows: list[Visit] = [
        *[(f"a{i}", "North", "Ann", "T3", "open", "2025-05-01", None, 1) for i in range(7)],
        *[(f"b{i}", "North", "Bob", "T0", "open", "2025-05-01", None, 1) for i in range(2)],
        ("c", "South", "Cid", "T3", "open", "2025-05-01", None, 1),
    ]
    found = beside(rows, floor_t3=3)
    north, south = found.loc["North"], found.loc["South"]
    assert (north["owners"], north["short_owners"], north["reserve"], north["t3_per_owner"]) == (2, 1, 9, 3.5)
    assert (north["to_floor"], south["to_floor"]) == (0.5, -2)
    assert (north["severity"], south["severity"]) == (Severity.OK, Severity.RISK)
    unruled = analyse(intake(rows, AS_OF), Settings(floor_t3=None)).regions
    assert unruled["to_floor"].isna().all()


def test_a_region_just_at_its_floor_is_not_below_it() -> None:
    rows: list[Visit] = [(f"a{i}", "North", "Ann", "T3", "open", "2025-05-01", None, 1) for i in range(3)]
    row = beside(rows, floor_t3=3).loc["North"]
    assert (row["to_floor"], row["severity"]) == (0, Severity.OK)


def test_the_lines_are_those_of_the_counts_of_all_reps() -> None:
    """Ann gains one T0 a month; Bob had 24 T3 and loses two of them a month, each worth seven."""
    rows: list[Visit] = [(f"a{m}", "North", "Ann", "T0", "open", f"2025-0{m}-10", None, 7) for m in range(1, 7)]
    rows += [
        (f"b{i}", "North", "Bob", "T3", "lost" if i < 12 else "open", "2025-01-01",
         f"2025-0{i // 2 + 1}-15" if i < 12 else None, 7)
        for i in range(24)
    ]  # fmt: skip
    row = beside(rows, floor_t3=0).loc["North"]
    assert row[["slope_t02", "slope_t03", "slope_t3"]].tolist() == pytest.approx([1, -1, -2])
    assert row[["verdict_t02", "verdict_t03", "verdict_t3"]].tolist() == [
        Verdict.GROWING, Verdict.DECLINING, Verdict.DECLINING,
    ]  # fmt: skip
    assert row["severity"] == Severity.RISK


def test_without_a_rank_the_larger_reserve_stands_first() -> None:
    rows: list[Visit] = [
        (f"{region}{i}", region, "Ann", "T0", "open", "2025-05-01", None, 1)
        for region, n in {"East": 1, "North": 3, "South": 2, "West": 2}.items()
        for i in range(n)
    ]
    assert list(beside(rows).index) == ["North", "South", "West", "East"]


def test_the_weakest_step_is_the_one_furthest_behind_all_regions_together() -> None:
    def step(region: str, stage: str, to: str, advanced: int, of: int = 20) -> list[Visit]:
        return [
            (f"{region}{stage}{i}", region, "Ann", stage, to if i < advanced else "lost", "2025-03-03", "2025-03-20", 1)
            for i in range(of)
        ]

    rows = [
        *step("North", "T0", "T1", 10), *step("South", "T0", "T1", 14),
        *step("North", "T1", "won", 8), *step("South", "T1", "won", 2),
    ]  # fmt: skip
    found = beside(rows)
    north, south = found.loc["North"], found.loc["South"]
    assert (north["step_from"], north["step_to"], north["step_entered"]) == ("T0", "T1", 20)
    assert (north["step_rate"], north["step_all"]) == pytest.approx((0.5, 0.6))
    assert (south["step_from"], south["step_to"]) == ("T1", "won")
    assert (south["step_rate"], south["step_all"]) == pytest.approx((0.1, 0.25))


def test_one_region_has_nobody_to_stand_beside() -> None:
    found = beside([*closed("Lone", 30, 40)])
    assert isnan(found.loc["Lone", "rank"])
    assert found.loc["Lone", "step_from"] == ""
    assert found.loc["Lone", "win_rate"] == 0.75


def test_the_forecast_is_that_of_the_first_whole_quarter_against_its_target() -> None:
    rows: list[Visit] = [
        (f"{r}{m}{i}", r, "Ann", "T3", "won" if i < 2 else "lost", f"2024-{m:02d}-03", f"2024-{m:02d}-25", 100)
        for r in ("North", "South")
        for m in range(1, 13)
        for i in range(4)
    ]
    aims = (Target("North", "2025-Q1", 5000),)
    made = analyse(intake(rows, "2024-12-31"), Settings(targets=aims))
    found = made.regions.set_index("region")
    ahead = made.forecast.rows.query("period == '2025-Q1' and measure == 'amount'").set_index("region")
    for region in ("North", "South"):
        assert found.loc[region, "period"] == "2025-Q1"
        assert found.loc[region, "forecast"] == ahead.loc[region, "total_p50"] > 0
    assert found.loc["North", "gap"] == 5000 - found.loc["North", "forecast"]
    assert isnan(found.loc["South", "gap"])


def test_no_data_are_no_regions() -> None:
    nothing = analyse(intake([], AS_OF), Settings())
    assert list(nothing.regions) == [*Region._fields, "rank"]
    assert len(nothing.regions) == len(nothing.region_months) == 0


def test_month_ends_stand_side_by_side_in_the_order_of_the_table() -> None:
    rows = [*closed("B", 20, 40, "2024-01-05"), *closed("A", 5, 40, "2024-02-05")]
    months = analyse(intake(rows, AS_OF), Settings()).region_months
    assert months["region"].tolist() == ["B"] * MONTHS + ["A"] * MONTHS
    assert months["T3"].tolist() == ([40.0] * 9 + [0.0] * 3) * 2
    assert months["month"].is_monotonic_increasing is False
