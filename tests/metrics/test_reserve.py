"""Reserves, their totals, spans, flows and the win rate."""

from dataclasses import replace
from datetime import date
from math import isnan

import pandas as pd
import pytest
from hand_facts import LX, facts, monthly
from hypothesis import given
from hypothesis import strategies as st

from xlfunnel.calendar import month_of_text
from xlfunnel.facts import Facts
from xlfunnel.metrics.reserve import (
    complete_months,
    flows,
    is_partial,
    reserves,
    series,
    stages_of,
    win_rate,
)
from xlfunnel.terms import STAGES, Measure

JAN, FEB, MAR = (month_of_text(f"2025-0{m}") for m in (1, 2, 3))


@pytest.fixture
def two_regions() -> Facts:
    rows = [
        *monthly("N", "A", "T0", "2025-01", [4, 5]),
        *monthly("N", "A", "T3", "2025-01", [1, 0]),
        *monthly("N", "B", "T0", "2025-01", [2, 2]),
        *monthly("S", "C", "T0", "2025-01", [7, 9]),
    ]
    won, lost, gone = ("N", "A", "T3", "won"), ("N", "A", "T0", "lost"), ("N", "A", "T0", "gone")
    return facts(
        rows,
        date(2025, 2, 28),
        created=[("N", "A", JAN, 4, 400_00), ("N", "A", FEB, 2, 200_50), ("S", "C", JAN, 7, 700_00)],
        exits=[
            (*won, JAN, 1, 100_00),
            (*lost, FEB, 3, 300_00),
            (*won, FEB, 1, 99_99),
            (*gone, FEB, 5, 500_00),
            ("S", "C", "T0", "lost", FEB, 4, 400_00),
        ],
    )


@pytest.mark.parametrize(
    ("span", "stages"),
    [
        ("T0-T2", ("T0", "T1", "T2")),
        ("T0-T3", ("T0", "T1", "T2", "T3")),
        ("T3", ("T3",)),
        ("T0-T4", STAGES),
        ("T1-T1", ("T1",)),
    ],
)
def test_stages_of(span: str, stages: tuple[str, ...]) -> None:
    assert stages_of(span) == stages


@pytest.mark.parametrize("span", ["", "T9", "T2-T0", "T0-won", "t0", "T0-T1-T2"])
def test_stages_of_nonsense(span: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        stages_of(span)


@pytest.mark.parametrize(
    ("month", "as_of", "partial"),
    [
        ("2025-06", date(2025, 6, 29), True),
        ("2025-06", date(2025, 6, 30), False),
        ("2025-06", date(2025, 7, 1), False),
        ("2024-02", date(2024, 2, 28), True),
        ("2025-02", date(2025, 2, 28), False),
        ("2025-12", date(2025, 12, 31), False),
    ],
)
def test_is_partial(month: str, as_of: date, partial: bool) -> None:
    assert is_partial(month_of_text(month), as_of) == partial


def test_complete_months() -> None:
    rows = monthly("LX", "A", "T0", "2025-01", [1, 2, 3])
    assert complete_months(facts(rows, date(2025, 3, 30))) == (JAN, FEB)
    assert complete_months(facts(rows, date(2025, 3, 31))) == (JAN, FEB, MAR)
    assert complete_months(facts(rows, date(2025, 3, 31)), window=2) == (FEB, MAR)
    assert complete_months(facts(rows, date(2025, 3, 31)), window=1) == (MAR,)
    assert complete_months(facts(rows[:1], date(2025, 1, 5))) == ()


def test_reserves_with_their_totals(two_regions: Facts) -> None:
    frame = reserves(two_regions)
    assert list(frame) == ["month", "region", "owner", "stage", "count", "amount"]
    february = frame[frame["month"] == FEB].drop(columns="month")
    assert list(february.itertuples(index=False, name=None)) == [
        (None, None, "T0", 16, 1600.0),
        (None, None, "T3", 0, 0.0),
        ("N", None, "T0", 7, 700.0),
        ("N", None, "T3", 0, 0.0),
        ("N", "A", "T0", 5, 500.0),
        ("N", "A", "T3", 0, 0.0),
        ("N", "B", "T0", 2, 200.0),
        ("S", None, "T0", 9, 900.0),
        ("S", "C", "T0", 9, 900.0),
    ]


def test_reserves_of_one_region_have_no_grand_total() -> None:
    frame = reserves(facts(monthly("LX", "A", "T3", "2025-01", LX["T3"]), date(2025, 6, 30)))
    assert frame["region"].tolist() == ["LX"] * 12
    assert frame["owner"].tolist() == [None, "A"] * 6
    assert frame["count"].tolist() == [n for n in LX["T3"] for _ in range(2)]


def test_unknown_region_and_owner_are_not_totals() -> None:
    frame = reserves(facts([("", "", "T0", JAN, 3, 0), ("N", "A", "T0", JAN, 1, 0)], date(2025, 1, 31)))
    assert list(frame[["region", "owner", "count"]].itertuples(index=False, name=None)) == [
        (None, None, 4),
        ("", None, 3),
        ("", "", 3),
        ("N", None, 1),
        ("N", "A", 1),
    ]


def test_series(two_regions: Facts) -> None:
    total = series(two_regions, "T0-T3")
    assert (total.name, total.index.tolist(), total.tolist()) == ("T0-T3", [JAN, FEB], [14.0, 16.0])
    assert series(two_regions, "T0-T2", region="N").tolist() == [6.0, 7.0]
    assert series(two_regions, "T0-T3", region="N", owner="A").tolist() == [5.0, 5.0]
    assert series(two_regions, "T3", owner="C").tolist() == [0.0, 0.0]
    assert series(two_regions, "T0-T3", Measure.AMOUNT, region="S").tolist() == [700.0, 900.0]


def test_flows(two_regions: Facts) -> None:
    frame = flows(two_regions, region="N")
    assert frame.to_dict("list") == {
        "created": [4, 2],
        "won": [1, 1],
        "lost": [0, 3],
        "created_amount": [400.0, 200.5],
        "won_amount": [100.0, 99.99],
        "lost_amount": [0.0, 300.0],
    }
    assert flows(two_regions)["lost"].tolist() == [0, 7]
    assert flows(two_regions, owner="B").to_numpy().sum() == 0


def test_win_rate(two_regions: Facts) -> None:
    assert win_rate(two_regions, JAN, FEB, region="N") == (2 / 5, 2, 5)  # "gone" is not closed
    assert win_rate(two_regions, FEB, FEB) == (1 / 8, 1, 8)
    assert win_rate(two_regions, JAN, JAN, owner="A") == (1.0, 1, 1)
    nothing = win_rate(two_regions, MAR, MAR)
    assert isnan(nothing.rate)
    assert (nothing.won, nothing.closed) == (0, 0)


CELLS = st.lists(
    st.tuples(
        st.sampled_from(["", "N", "S"]),
        st.sampled_from(["", "A", "B"]),
        st.sampled_from(STAGES),
        st.integers(JAN, MAR),
        st.integers(0, 50),
        st.integers(0, 10**9),
    ),
    min_size=1,
    max_size=20,
    unique_by=lambda row: row[:4],
)


@given(CELLS, st.randoms(use_true_random=False))
def test_parts_add_up_and_row_order_does_not_matter(rows: list[tuple[object, ...]], random: object) -> None:
    made = facts(rows, date(2025, 3, 15))
    before = made.reserves.copy()
    frame = reserves(made)
    owners, regions = frame[frame["owner"].notna()], frame[frame["owner"].isna() & frame["region"].notna()]
    by_owner = owners.groupby(["month", "region", "stage"])[["count", "amount"]].sum()
    by_region = regions.set_index(["month", "region", "stage"])[["count", "amount"]].sort_index()
    pd.testing.assert_frame_equal(by_owner, by_region, check_names=False, check_index_type=False)
    whole = frame[frame["region"].isna()]
    if made.reserves["region"].nunique() > 1:
        total = regions.groupby(["month", "stage"])["count"].sum()
        assert whole.set_index(["month", "stage"])["count"].sort_index().tolist() == total.tolist()
    else:
        assert whole.empty
    assert series(made, "T0-T4").sum() == regions["count"].sum() == sum(row[4] for row in rows)
    mixed = replace(made, reserves=made.reserves.sample(frac=1, random_state=random.randrange(1000)))
    pd.testing.assert_frame_equal(reserves(mixed), frame)
    pd.testing.assert_frame_equal(made.reserves, before)


@given(st.lists(st.tuples(st.sampled_from(["won", "lost", "gone", "T1"]), st.integers(1, 9)), max_size=8))
def test_win_rate_is_a_share(ends: list[tuple[str, int]]) -> None:
    exits = [("N", "A", "T0", end, JAN, n, 0) for end, n in ends]
    rate, won, closed = win_rate(facts([("N", "A", "T0", JAN, 1, 0)], date(2025, 1, 31), exits=exits), JAN, JAN)
    assert won == sum(n for end, n in ends if end == "won")
    assert closed == sum(n for end, n in ends if end in ("won", "lost"))
    assert isnan(rate) if closed == 0 else 0 <= rate <= 1
