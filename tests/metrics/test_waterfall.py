"""Waterfalls between two month ends: by hand, and balanced whatever moved."""

from datetime import date

import numpy as np
import pandas as pd
import pytest
from hand_visits import HAND, Visit, visits
from hypothesis import given
from hypothesis import settings as effort
from test_conversion import histories
from test_movement import JUNE, MAY, assert_balanced, steps

from xlfunnel.facts import Facts, facts_of
from xlfunnel.metrics.movement import STEPS_SHOWN, monthly_movement, movement
from xlfunnel.metrics.waterfall import BARS, SPANS, bars, between, month_by_month, moved_most, picked, window
from xlfunnel.settings import Settings

AS_OF = date(2025, 6, 30)


def region(rows: list[Visit], measure: str = "count") -> pd.DataFrame:
    found = monthly_movement(facts_of(visits(rows), AS_OF))
    return found[found["owner"].isna() & (found["measure"] == measure)]


def of(table: pd.DataFrame, stage: str) -> dict[str, float]:
    (found,) = table[table["stage"] == stage].to_dict("records")
    return {name: float(found[name]) for name in STEPS_SHOWN if found[name]}


def test_stages_are_those_of_movement() -> None:
    table = between(region(HAND), MAY, JUNE)
    whole = movement(facts_of(visits(HAND), AS_OF), MAY, JUNE)
    whole = whole[whole["owner"].isna() & (whole["measure"] == "count")].reset_index(drop=True)
    assert table["stage"].tolist() == [*whole["stage"], *SPANS]
    pd.testing.assert_frame_equal(table.iloc[: len(whole)][list(STEPS_SHOWN)], whole[list(STEPS_SHOWN)])


def test_what_moves_within_a_span_is_no_movement_of_it() -> None:
    """In June one goes on from T2 to T3 and one back from T3 to T2; one skips from T2 to T4, and one is won."""
    table = between(region(HAND), JUNE, JUNE)
    assert of(table, "T2") == steps("start=3 new=2 reopened=1 back_in=1 advanced_out=2 lost=1 unknown=-1 end=3")
    assert of(table, "T3") == steps("start=2 advanced_in=1 back_out=1 won=1 end=1")
    assert of(table, "T0-T3") == steps("start=5 new=2 reopened=1 advanced_out=1 won=1 lost=1 unknown=-1 end=4")
    assert of(table, "T0-T4") == steps("start=5 new=2 reopened=1 won=1 lost=1 unknown=-1 end=5")


def test_start_and_end_are_those_of_the_outer_months() -> None:
    assert of(between(region(HAND), MAY, JUNE), "T3") == steps("new=2 advanced_in=1 back_out=1 won=1 end=1")


@pytest.mark.parametrize(
    ("months", "start", "end", "found"),
    [
        (6, None, None, (6, 6)),
        (6, 0, 6, (1, 6)),
        (6, 2, None, (3, 6)),
        (6, None, 3, (3, 3)),
        (6, 6, 2, (3, 6)),  # the wrong way round
        (6, 3, 3, (3, 3)),
        (6, 0, 0, (1, 1)),
        (6, None, 0, (1, 1)),
        (6, 6, None, (6, 6)),
        (1, None, None, (1, 1)),
        (0, None, None, (1, 1)),
    ],
)
def test_picked_months(months: int, start: int | None, end: int | None, found: tuple[int, int]) -> None:
    assert picked(months, start, end) == found


def test_bars_stand_on_each_other() -> None:
    """10 + 4 new + 1 other in − 8 lost = 7."""
    row = dict.fromkeys(STEPS_SHOWN, 0.0) | {"start": 10, "new": 4, "back_in": 3, "back_out": 3, "lost": 8}
    found = {b.name: b for b in bars(row | {"transferred": 2, "changed": -1, "end": 7})}
    assert tuple(found) == BARS
    assert found["start"][1:] == (10, 10, 0, 0, 0, 10)
    assert found["new"][1:] == (4, 14, 10, 4, 0, 0)
    assert found["back"][1:] == (0, 14, 14, 0, 0, 0)
    assert found["lost"][1:] == (-8, 6, 6, 0, 8, 0)
    assert found["other"][1:] == (1, 7, 6, 1, 0, 0)
    assert found["end"][1:] == (7, 7, 0, 0, 0, 7)


def test_a_bar_ends_at_zero() -> None:
    row = dict.fromkeys(STEPS_SHOWN, 0.0) | {"start": 10, "lost": 15, "changed": 8, "end": 3}
    found = {b.name: b for b in bars(row)}
    assert (found["lost"].base, found["lost"].down, found["lost"].value) == (0, 10, -15)
    assert (found["other"].base, found["other"].up, found["other"].value) == (0, 3, 8)


def test_less_than_one_unit_lost_is_a_bar_down_and_none_up() -> None:
    row = dict.fromkeys(STEPS_SHOWN, 0.0) | {"start": 2, "new": 0.25, "lost": 0.5, "end": 1.75}
    found = {b.name: b for b in bars(row)}
    assert found["new"][1:] == (0.25, 2.25, 2, 0.25, 0, 0)
    assert found["lost"][1:] == (-0.5, 1.75, 1.75, 0, 0.5, 0)


def test_moved_most() -> None:
    found = moved_most(between(region(HAND), JUNE, JUNE))
    assert found is not None
    assert found["stage"] in ("T3", "T4")  # each by one
    assert moved_most(between(region(HAND), JUNE, JUNE).assign(start=1, end=1)) is None


def test_came_less_went_is_the_change_of_every_month() -> None:
    for stage in ("T2", "T0-T3", "T0-T4"):
        for measure in ("count", "amount"):
            table = month_by_month(region(HAND, measure), stage)
            assert table["month"].tolist() == [MAY, JUNE]
            assert (table["start"] + table["came"] - table["went"] == table["end"]).all()
    assert month_by_month(region(HAND), "T9").empty


def test_window_is_two_years_or_what_is_asked_for() -> None:
    rows: list[Visit] = [("a", "LX", "A", "T0", "open", "2021-01-01", None, 1)]
    facts: Facts = facts_of(visits(rows), AS_OF)
    assert len(window(facts, Settings())) == 24
    assert len(window(facts, Settings(trend_months=0))) == 24
    assert len(window(facts, Settings(trend_months=36))) == 36
    assert window(facts, Settings())[-1] == JUNE


@given(histories())
@effort(max_examples=30)
def test_spans_balance_and_bars_end_where_the_stock_does(made: list[Visit]) -> None:
    facts = facts_of(visits(made), AS_OF)
    rows = monthly_movement(facts)
    if rows.empty:
        return
    rows = rows[rows["owner"].isna() & rows["region"].eq(rows["region"].dropna().iloc[0])]
    for _, each in rows.groupby("measure"):
        table = between(each, facts.first_month, facts.last_month)
        assert_balanced(table)
        for row in table.to_dict("records"):
            drawn = bars(row)
            assert drawn[-2].level == pytest.approx(drawn[-1].value, abs=1e-6)
            assert min(min(b.base, b.up, b.down, b.total) for b in drawn) >= -1e-9
        spans = table[table["stage"].isin(SPANS)]
        for coming, going in (("advanced_in", "advanced_out"), ("back_in", "back_out")):
            assert np.allclose(spans[[coming, going]].min(axis=1), 0)
