"""One row a rep: means, shares, ranks, floors; who counts as a head."""

from dataclasses import replace
from datetime import date
from math import isnan

import pandas as pd
import pytest
from hand_facts import facts, monthly, standing
from hypothesis import given
from hypothesis import strategies as st

from xlfunnel.calendar import month_of_text
from xlfunnel.metrics.owners import ACTIVE_MONTHS, owner_months, owner_reserves, stage_means
from xlfunnel.settings import Settings
from xlfunnel.terms import STAGES

AS_OF = date(2025, 6, 30)
TEAM = {
    "A": {"T0": 10, "T1": 8, "T2": 5, "T3": 2, "T4": 1},
    "B": {"T0": 3, "T1": 2, "T2": 1, "T3": 0},
    "C": {"T0": 12, "T1": 7, "T2": 4, "T3": 2},
    "D": {"T0": 3, "T1": 2, "T2": 1, "T3": 0},
}
"""Reserves 25, 6, 25, 6: the mean is 15.5."""


def row(table: pd.DataFrame, owner: str, region: str = "LX") -> dict[str, object]:
    (found,) = table[(table["owner"] == owner) & (table["region"] == region)].to_dict("records")
    return found


def test_a_team() -> None:
    table = owner_reserves(facts(standing("2025-06", TEAM), AS_OF), Settings(floor_t3=5))
    assert table["owner"].tolist() == ["A", "C", "B", "D"]
    assert table["rank"].tolist() == [1, 1, 3, 3]
    assert table["reserve"].tolist() == [25, 25, 6, 6]  # T4 is not in it
    assert table["region_mean"].tolist() == [15.5] * 4
    assert table["to_mean"].tolist() == [9.5, 9.5, -9.5, -9.5]
    assert table["share"].tolist() == [25 / 62, 25 / 62, 6 / 62, 6 / 62]
    assert table["to_floor"].tolist() == [-3, -3, -5, -5]
    assert row(table, "A") | {"t1": 8.0, "t3": 2.0, "T4": 1.0, "amount": 2600.0} == row(table, "A")


def test_columns() -> None:
    expected = ["region", "owner", *STAGES, "reserve", "region_mean", "to_mean", "share", "rank", "t1", "t3"]
    for rows in (standing("2025-06", TEAM), []):
        assert list(owner_reserves(facts(rows, AS_OF), Settings())) == [*expected, "to_floor", "amount"]


def test_each_region_has_its_own_mean_and_rank() -> None:
    rows = standing("2025-06", {"A": {"T0": 4}, "B": {"T0": 2}}, "N") + standing("2025-06", {"A": {"T0": 100}}, "S")
    table = owner_reserves(facts(rows, AS_OF), Settings())
    assert [tuple(r) for r in table[["region", "owner", "region_mean", "rank", "share"]].to_numpy()] == [
        ("N", "A", 3, 1, 4 / 6),
        ("N", "B", 3, 2, 2 / 6),
        ("S", "A", 100, 1, 1),
    ]


def test_what_belongs_to_nobody_is_no_head() -> None:
    rows = standing("2025-06", {"A": {"T0": 4}, "B": {"T0": 2}, "": {"T0": 6}})
    nobody, a = (row(owner_reserves(facts(rows, AS_OF), Settings()), o) for o in ("", "A"))
    assert (a["region_mean"], a["rank"], a["share"]) == (3, 1, 4 / 12)
    assert (nobody["reserve"], nobody["share"]) == (6, 6 / 12)
    assert all(isnan(nobody[c]) for c in ("rank", "to_mean", "to_floor"))


def test_a_stage_the_crm_does_not_have_is_undefined_not_zero() -> None:
    table = owner_reserves(facts(standing("2025-06", {"A": {"T2": 4}, "B": {"T2": 2, "T4": 1}}), AS_OF), Settings())
    a = row(table, "A")
    assert all(isnan(a[c]) for c in ("T0", "T1", "T3", "t1", "t3", "to_floor"))
    assert (a["T2"], a["T4"], a["reserve"]) == (4, 0, 4)


def test_no_floor_no_distance() -> None:
    table = owner_reserves(facts(standing("2025-06", TEAM), AS_OF), Settings(floor_t3=None))
    assert table["to_floor"].isna().all()


def test_no_reserve_at_all_has_no_shares() -> None:
    rows = standing("2025-05", {"A": {"T0": 1}}) + standing("2025-06", {"A": {"T0": 0}})
    a = row(owner_reserves(facts(rows, AS_OF), Settings()), "A")
    assert (a["reserve"], a["region_mean"], a["to_mean"]) == (0, 0, 0)
    assert isnan(a["share"])


@pytest.mark.parametrize(("month", "reserve"), [("2025-04", 9), ("2025-05", 5), (None, 2)])
def test_month(month: str | None, reserve: int) -> None:
    made = facts(monthly("LX", "A", "T1", "2025-04", [9, 5, 2]), AS_OF)
    table = owner_reserves(made, Settings(), None if month is None else month_of_text(month))
    assert table["reserve"].tolist() == [reserve]


@pytest.mark.parametrize(
    ("idle_months", "moved", "counted"),
    [
        (ACTIVE_MONTHS - 1, False, True),
        (ACTIVE_MONTHS, False, False),
        (ACTIVE_MONTHS, True, True),
    ],
    ids=["held something in the window", "gone for half a year", "lost one without holding it at a month's end"],
)
def test_who_has_left_is_no_head(idle_months: int, moved: bool, counted: bool) -> None:
    n = idle_months + 1
    first = date(2025, 6 - idle_months, 1) if idle_months < 6 else date(2024, 12, 1)
    start = f"{first:%Y-%m}"
    rows = monthly("LX", "A", "T0", start, [8] * n) + monthly("LX", "Z", "T0", start, [3] + [0] * idle_months)
    exits = [("LX", "Z", "T0", "lost", month_of_text("2025-03"), 1, 0)] if moved else []
    table = owner_reserves(facts(rows, AS_OF, exits=exits), Settings())
    assert ("Z" in table["owner"].tolist()) == counted
    assert row(table, "A")["region_mean"] == (4 if counted else 8)


CELLS = st.lists(
    st.tuples(st.sampled_from("NS"), st.sampled_from(["", "A", "B", "C"]), st.sampled_from(STAGES), st.integers(0, 9)),
    min_size=1,
    max_size=30,
    unique_by=lambda cell: cell[:3],
)


@given(CELLS, st.integers(0, 99))
def test_what_always_holds(cells: list[tuple[str, str, str, int]], seed: int) -> None:
    june = month_of_text("2025-06")
    made = facts([(*cell[:3], june, cell[3], cell[3] * 100) for cell in cells], AS_OF)
    before = made.reserves.copy()
    table = owner_reserves(made, Settings())
    for _, rows in table.groupby("region"):
        assert rows["share"].sum() == pytest.approx(1) or rows["reserve"].sum() == 0
        named = rows[rows["owner"] != ""]
        assert named["to_mean"].sum() == pytest.approx(0, abs=1e-9)
        assert named["rank"].min() == 1 or named.empty
    assert table["reserve"].sum() == sum(n for *_, stage, n in cells if stage != "T4")
    assert table["amount"].sum() == pytest.approx(sum(n for *_, n in cells))
    mixed = replace(made, reserves=made.reserves.sample(frac=1, random_state=seed))
    pd.testing.assert_frame_equal(owner_reserves(mixed, Settings()), table)
    pd.testing.assert_frame_equal(made.reserves, before)


def test_months_of_reps_are_what_each_month_would_have_said() -> None:
    """B came in April, C left in the autumn; the mean of a month is that of those who were reps then."""
    rows = [
        *monthly("LX", "A", "T1", "2024-06", [4] * 13),
        *monthly("LX", "B", "T3", "2024-06", [0] * 10 + [6, 6, 8]),
        *monthly("LX", "C", "T0", "2024-06", [2, 2, *[0] * 11]),
        *monthly("LX", "", "T0", "2024-06", [50] * 13),
        *monthly("North", "X", "T4", "2024-06", [3] * 13),
    ]
    made = facts(rows, AS_OF)
    owners = owner_reserves(made, Settings())
    months = [month_of_text(m) for m in ("2024-06", "2024-12", "2025-02", "2025-04", "2025-06")]
    found = owner_months(made, owners, months)
    assert (
        found[["region", "owner"]].drop_duplicates().to_numpy().tolist()
        == owners[["region", "owner"]].to_numpy().tolist()
    )
    for month in months:
        then = owner_reserves(made, Settings(), month).set_index(["region", "owner"])
        for line in found[found["month"] == month].to_dict("records"):
            who = (line["region"], line["owner"])
            assert line["reserve"] == (then.loc[who, "reserve"] if who in then.index else 0)
    means = found[found["owner"] == "A"].set_index("month")["region_mean"]
    # C counts until six months after the last reserve
    assert means.tolist() == [3, 2, 4, 5, 6]
    assert owner_months(made, owners, []).empty


def test_the_average_rep_stage_by_stage() -> None:
    owners = owner_reserves(facts(standing("2025-06", {**TEAM, "": {"T0": 99}}), AS_OF), Settings())
    assert stage_means(owners).loc["LX"].tolist() == [7, 4.75, 2.75, 1, 0.25]
