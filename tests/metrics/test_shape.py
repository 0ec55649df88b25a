"""The funnel's shape: counts, narrowing ratios, and when they may be called too steep."""

from datetime import date
from math import isnan
from typing import Any

import pandas as pd
import pytest
from hand_facts import facts, monthly
from hand_visits import Visit, visits
from statsmodels.stats.proportion import proportion_confint

from xlfunnel.calendar import month_of_text
from xlfunnel.facts import facts_of, facts_of_reserves
from xlfunnel.metrics.shape import StageShape, ratio, shape, steepest, unusual
from xlfunnel.settings import Settings

AS_OF = date(2025, 6, 30)


def entered(month: str, **counts: int) -> list[tuple[object, ...]]:
    """Arrivals of one owner in one month: stage → how many, all new."""
    return [("LX", "A", s, "new", month_of_text(month), n, 0, 0) for s, n in counts.items()]


def row(frame: pd.DataFrame, stage: str, owner: str | None = None, region: str | None = "LX") -> dict[str, Any]:
    is_owner = frame["owner"].isna() if owner is None else frame["owner"] == owner
    is_region = frame["region"].isna() if region is None else frame["region"] == region
    (found,) = frame[is_owner & is_region & (frame["stage"] == stage)].to_dict("records")
    return found


STOCKS = [
    *monthly("LX", "A", "T0", "2025-01", [10, 10, 10, 20, 0, 8]),
    *monthly("LX", "A", "T1", "2025-01", [1, 2, 3, 4, 5, 2]),
]


def test_now_entered_and_ratios() -> None:
    came = [*entered("2025-02", T0=100, T1=60), *entered("2025-05", T0=30, T1=9), *entered("2025-06", T0=20, T1=6)]
    came += [("LX", "A", "T1", "T1", month_of_text("2025-06"), 50, 0, 0)]  # handed on: enters nothing
    table = shape(facts(STOCKS, AS_OF, arrivals=came), Settings(recent_months=2))
    assert list(table) == list(StageShape._fields)
    t0, t1 = row(table, "T0"), row(table, "T1")
    assert (t0["now"], t0["entered"], t1["now"], t1["entered"]) == (8, 50, 2, 15)
    assert (t0["first_month"], t0["last_month"]) == (month_of_text("2025-05"), month_of_text("2025-06"))
    assert (t1["ratio"], t1["history"], t1["history_entered"]) == (0.3, 0.6, 100)
    assert t1["now_ratio"] == 0.25
    # Ratios at the ends of January to April: 0.1, 0.2, 0.3, 0.2.
    assert [t1[c] for c in ("usual_low", "usual", "usual_high")] == pytest.approx([0.13, 0.2, 0.27])
    assert t0["verdict"] is None
    assert all(isnan(t0[c]) for c in ("ratio", "low", "high", "history", "now_ratio", "usual"))
    assert row(table, "T1", "A") == t1 | {"owner": "A"}


@pytest.mark.parametrize(
    ("now", "then", "verdict"),
    [
        ((4, 0), (100, 60), "too_few"),
        ((19, 0), (100, 60), "greyed"),
        ((20, 1), (100, 60), "blocked"),
        ((20, 1), (19, 12), "compared"),  # too little history
        ((50, 15), (100, 60), "blocked"),
        ((50, 25), (100, 60), "compared"),
        ((50, 90), (100, 60), "compared"),
        ((0, 9), (100, 60), "too_few"),
    ],
)
def test_verdict(now: tuple[int, int], then: tuple[int, int], verdict: str) -> None:
    came = [*entered("2025-02", T0=then[0], T1=then[1]), *entered("2025-06", T0=now[0], T1=now[1])]
    assert row(shape(facts(STOCKS, AS_OF, arrivals=came), Settings(recent_months=2)), "T1")["verdict"] == verdict


@pytest.mark.parametrize(("later", "before"), [(15, 50), (0, 20), (60, 40), (1, 1)])
def test_interval_is_that_of_a_share_carried_over(later: int, before: int) -> None:
    found = ratio(later, before)
    low, high = proportion_confint(later, later + before, method="wilson")
    assert (found.rate, found.low, found.high) == pytest.approx(
        (later / before, max(low, 0) / (1 - max(low, 0)), high / (1 - high)), abs=1e-12
    )


def test_nothing_before_has_no_ratio() -> None:
    assert all(isnan(x) for x in ratio(3, 0))
    table = shape(
        facts([*monthly("LX", "A", "T0", "2025-06", [0]), *monthly("LX", "A", "T1", "2025-06", [3])], AS_OF), Settings()
    )
    assert isnan(row(table, "T1")["now_ratio"])
    assert row(table, "T1")["now"] == 3


def test_reserves_counted_elsewhere_have_ratios_of_stocks_only() -> None:
    reserves = pd.DataFrame(STOCKS, columns=["region", "owner", "stage", "month", "count", "amount_cents"])
    found = row(shape(facts_of_reserves(reserves, AS_OF), Settings(recent_months=2)), "T1")
    assert (found["entered"], found["now_ratio"], found["verdict"]) == (0, 0.25, "too_few")


def test_owners_add_to_regions_and_regions_to_all() -> None:
    made: list[Visit] = []
    for i in range(60):
        region, owner, stage = "NS"[i % 2], "ABC"[i % 3], f"T{i % 4}"
        made.append((f"o{i}", region, owner, stage, "open", f"2025-0{1 + i % 6}-03", None, 1))
    table = shape(facts_of(visits(made), AS_OF), Settings(recent_months=3))
    for name in ("now", "entered"):
        for stage in ("T0", "T1", "T2", "T3"):
            whole = row(table, stage, region=None)[name]
            parts = table[table["stage"] == stage]
            assert parts.loc[parts["owner"].notna(), name].sum() == whole
            assert parts.loc[parts["owner"].isna() & parts["region"].notna(), name].sum() == whole
    assert shape(facts_of(visits([]), AS_OF), Settings()).empty


def test_what_stands_and_entered_before_is_the_row_above() -> None:
    came = [*entered("2025-05", T0=30, T1=9), *entered("2025-06", T0=20, T1=6)]
    table = shape(facts(STOCKS, AS_OF, arrivals=came), Settings(recent_months=2))
    assert [row(table, s)[c] for s in ("T0", "T1") for c in ("now_before", "entered_before")] == [0, 0, 8, 50]


def compared(**ratios: tuple[float, float]) -> pd.DataFrame:
    rows = [(s, "compared", 20, r, h) for s, (r, h) in ratios.items()]
    return pd.DataFrame(rows, columns=["stage", "verdict", "history_entered", "ratio", "history"])


def test_steepest_is_least_against_its_history() -> None:
    found = steepest(compared(T1=(0.5, 0.6), T2=(0.1, 0.2), T3=(0.9, 0.9)))
    assert found is not None
    assert found["stage"] == "T2"
    assert steepest(compared(T1=(0.5, 0.0))) is None
    assert steepest(compared(T1=(0.5, 0.6)).assign(history_entered=19)) is None
    assert steepest(compared(T1=(0.5, 0.6)).assign(verdict="greyed")) is None


def test_unusual_is_below_nine_in_ten_month_ends() -> None:
    frame = pd.DataFrame(
        [("T1", 10, 0.4, 0.5, 0.6), ("T2", 4, 0.0, 0.5, 0.6), ("T3", 5, 0.2, 0.3, 0.9), ("T4", 9, 0.5, 0.5, 0.9)],
        columns=["stage", "now_before", "now_ratio", "usual_low", "usual"],
    )
    found = unusual(frame)
    assert found is not None
    assert found["stage"] == "T3"
    assert unusual(frame[frame["stage"].isin(("T2", "T4"))]) is None
