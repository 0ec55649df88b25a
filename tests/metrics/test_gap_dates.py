"""The month in which the T3 reserve breaks, from stocks and paths typed by hand."""

from datetime import date
from math import nan

import hand_facts
import pandas as pd
import pytest

from xlfunnel.calendar import month_of_text
from xlfunnel.metrics.forecast import Forecast
from xlfunnel.metrics.gap_dates import gap_dates
from xlfunnel.metrics.owners import owner_reserves
from xlfunnel.settings import Settings
from xlfunnel.terms import GapKind

AS_OF = date(2025, 6, 30)
JULY = month_of_text("2025-07")
FLOOR_5 = Settings(floor_t3=5)


def found(
    stocks: dict[str, tuple[int, ...]], paths: dict[str | None, list[tuple[float, float]]], settings: Settings = FLOOR_5
) -> pd.DataFrame:
    """T3 stocks of one rep a region from January 2025 on, and the coming (P10, P50) from July on."""
    reserves = [
        r for region, counts in stocks.items() for r in hand_facts.monthly(region, "A", "T3", "2025-01", counts)
    ]
    facts = hand_facts.facts(reserves, AS_OF)
    stock = [(r, JULY + i, p10, p50, 99.0) for r, path in paths.items() for i, (p10, p50) in enumerate(path)]
    frame = pd.DataFrame(stock, columns=["region", "month", "p10", "p50", "p90"])
    frame["region"] = pd.Series([s[0] for s in stock], dtype=object)
    limits = dict.fromkeys(stocks, nan if settings.floor_t3 is None else settings.floor_t3)
    return gap_dates(facts, owner_reserves(facts, settings), Forecast(pd.DataFrame(), {}, frame), limits)


@pytest.mark.parametrize(
    ("stock", "path", "kind", "month", "earliest"),
    [
        ((9, 9, 4, 9, 4, 3), [(1, 2)], GapKind.NOW, "2025-05", "2025-07"),
        ((9, 9, 9, 9, 9, 4), [(5, 6)], GapKind.NOW, "2025-06", None),
        ((9, 9, 4, 5, 4, 4), [(5, 6)], GapKind.NOW, "2025-05", None),
        ((1, 2, 3, 4, 4, 4), [(5, 6)], GapKind.NOW, "2025-01", None),
        ((9, 9, 9, 9, 9, 9), [(5, 6), (3, 5), (2, 4)], GapKind.EXPECTED, "2025-09", "2025-08"),
        ((9, 9, 9, 9, 9, 5), [(5, 6), (3, 5), (2, 5)], GapKind.POSSIBLE, "2025-08", "2025-08"),
        ((9, 9, 9, 9, 9, 5), [(5, 6), (5, 5)], GapKind.NONE, None, None),
        ((9, 9, 9, 9, 9, 5), [], GapKind.UNKNOWN, None, None),
        ((9, 9, 9, 9, 9, 4), [], GapKind.NOW, "2025-06", None),
    ],
    ids=[
        "since_may",
        "june_only",
        "april_just_at_it",
        "ever",
        "median",
        "plausible",
        "no",
        "silent",
        "silent_but_below",
    ],
)
def test_one_region(
    stock: tuple[int, ...], path: list[tuple[float, float]], kind: GapKind, month: str | None, earliest: str | None
) -> None:
    row = found({"LX": stock}, {"LX": path}).iloc[0]
    assert (row["region"], row["floor"], row["stock"], row["kind"]) == ("LX", 5, stock[-1], kind)
    expected = [nan if m is None else month_of_text(m) for m in (month, earliest)]
    assert row[["month", "earliest"]].tolist() == pytest.approx(expected, nan_ok=True)


def test_all_regions_together_have_the_floors_of_all_reps() -> None:
    rows = found({"HD": (9,) * 6, "LX": (4,) * 6}, {None: [(9, 12)], "HD": [(7, 8)], "LX": [(3, 4)]})
    assert rows[["floor", "stock"]].to_numpy().tolist() == [[10, 13], [5, 9], [5, 4]]
    assert rows["kind"].tolist() == [GapKind.POSSIBLE, GapKind.NONE, GapKind.NOW]
    assert rows["region"].tolist() == [None, "HD", "LX"]


def test_the_floor_of_a_region_is_that_of_each_of_its_reps_together() -> None:
    reserves = [r for owner in ("A", "B", "C") for r in hand_facts.monthly("LX", owner, "T3", "2025-01", (6, 4, 4))]
    facts = hand_facts.facts(reserves, date(2025, 3, 31))
    stock = pd.DataFrame(columns=["region", "month", "p10", "p50", "p90"])
    row = gap_dates(facts, owner_reserves(facts, FLOOR_5), Forecast(pd.DataFrame(), {}, stock), {"LX": 5}).iloc[0]
    assert row[["floor", "stock", "kind", "month"]].tolist() == [15, 12, GapKind.NOW, month_of_text("2025-02")]


def test_no_floor_no_date() -> None:
    for none in (None, 0):
        assert found({"LX": (9,) * 6}, {"LX": [(1, 2)]}, Settings(floor_t3=none)).empty


def test_a_crm_without_the_stage_has_no_date() -> None:
    facts = hand_facts.facts(hand_facts.monthly("LX", "A", "T1", "2025-01", (9,) * 6), AS_OF)
    stock = pd.DataFrame(columns=["region", "month", "p10", "p50", "p90"])
    assert gap_dates(facts, owner_reserves(facts, FLOOR_5), Forecast(pd.DataFrame(), {}, stock), {"LX": 5}).empty
