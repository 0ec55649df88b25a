"""Movement adds up: by hand, and for every who, stage, month and measure of whatever visits."""

from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hand_visits import HAND, Visit, visits
from hypothesis import given
from hypothesis import settings as effort
from pandas.testing import assert_frame_equal
from test_conversion import histories

from xlfunnel.calendar import month_of_text
from xlfunnel.facts import Facts, facts_of, facts_of_reserves
from xlfunnel.metrics.movement import FLOWS, INS, NETS, OUTS, STEPS_SHOWN, monthly_movement, movement
from xlfunnel.metrics.reserve import reserves

AS_OF = date(2025, 6, 30)
MAY, JUNE = month_of_text("2025-05"), month_of_text("2025-06")


def row(table: pd.DataFrame, owner: str | None, stage: str, measure: str = "count") -> dict[str, float]:
    is_owner = table["owner"].isna() if owner is None else table["owner"] == owner
    (found,) = table[is_owner & (table["stage"] == stage) & (table["measure"] == measure)].to_dict("records")
    return {name: float(found[name]) for name in STEPS_SHOWN if found[name]}


def steps(text: str) -> dict[str, float]:
    """ "start=3 new=1" → what is not 0."""
    return {name: float(value) for name, value in (step.split("=") for step in text.split())}


@pytest.mark.parametrize(
    ("owner", "stage", "count"),
    [
        ("A", "T2", "start=3 new=1 reopened=1 back_in=1 advanced_out=1 lost=1 transferred=-1 unknown=-1 end=2"),
        ("B", "T2", "new=1 advanced_out=1 transferred=1 end=1"),
        (None, "T2", "start=3 new=2 reopened=1 back_in=1 advanced_out=2 lost=1 unknown=-1 end=3"),
        ("A", "T3", "start=2 advanced_in=1 back_out=1 won=1 end=1"),
        ("B", "T4", "advanced_in=1 end=1"),
        ("B", "T3", ""),
    ],
)  # fmt: skip
def test_counts_of_a_month(owner: str | None, stage: str, count: str) -> None:
    assert row(movement(facts_of(visits(HAND), AS_OF), JUNE, JUNE), owner, stage) == steps(count)


@pytest.mark.parametrize(
    ("owner", "stage", "amount"),
    [
        ("A", "T2", "start=143 reopened=9 back_in=7 advanced_out=100 lost=7 transferred=-40 unknown=-3 end=9"),
        ("B", "T2", "new=11 advanced_out=11 transferred=40 changed=-10 end=30"),
        ("A", "T3", "start=507 advanced_in=100 changed=30 back_out=7 won=500 end=130"),
    ],
)  # fmt: skip
def test_amounts_of_a_month(owner: str | None, stage: str, amount: str) -> None:
    assert row(movement(facts_of(visits(HAND), AS_OF), JUNE, JUNE), owner, stage, "amount") == steps(amount)


def test_over_several_months_start_is_the_first_and_end_the_last() -> None:
    both = row(movement(facts_of(visits(HAND), AS_OF), MAY, JUNE), None, "T2")
    assert both == steps("new=5 reopened=1 back_in=1 advanced_out=2 lost=1 unknown=-1 end=3")


def test_months_outside_are_refused() -> None:
    facts = facts_of(visits(HAND), AS_OF)
    for first, last in ((MAY - 1, JUNE), (MAY, JUNE + 1), (JUNE, MAY)):
        with pytest.raises(ValueError, match="no movement"):
            movement(facts, first, last)


def test_reserves_counted_elsewhere_say_nothing_of_movement() -> None:
    known = pd.DataFrame(
        [["LX", "A", "T0", MAY, 3, 0]], columns=["region", "owner", "stage", "month", "count", "amount_cents"]
    )
    assert monthly_movement(facts_of_reserves(known, AS_OF)).empty
    assert list(monthly_movement(facts_of(visits([]), AS_OF))) == [
        "month",
        "region",
        "owner",
        "stage",
        "measure",
        *STEPS_SHOWN,
    ]


def assert_balanced(table: pd.DataFrame) -> None:
    total = table["start"] + table[[*INS, *NETS]].sum(axis=1) - table[list(OUTS)].sum(axis=1)
    np.testing.assert_allclose(total, table["end"], atol=1e-6)


@given(histories())
@effort(max_examples=40)
def test_what_always_holds(made: list[Visit]) -> None:
    frame = visits(made)
    facts: Facts = facts_of(frame, AS_OF)
    table = monthly_movement(facts)
    if table.empty:
        return
    assert_balanced(table)
    keys = ["region", "owner", "stage", "measure"]
    for _, rows in table.groupby(keys, dropna=False):
        assert rows["start"].tolist()[1:] == rows["end"].tolist()[:-1]
    assert (table[[*INS, *OUTS]] >= 0).all().all()
    counts = table[table["measure"] == "count"]
    assert (counts["changed"] == 0).all()
    owners = table[table["owner"].notna()].groupby(["month", "stage", "measure"])[list(STEPS_SHOWN)].sum()
    whole = table[table["owner"].isna() & (table["region"].isna() if table["region"].isna().any() else True)]
    assert_frame_equal(owners, whole.set_index(["month", "stage", "measure"])[list(STEPS_SHOWN)].sort_index())
    names = ["month", "region", "owner", "stage", "count"]
    known = {tuple(key): n for *key, n in reserves(facts)[names].itertuples(index=False, name=None)}
    for r in counts.to_dict("records"):
        assert known.get((r["month"], r["region"], r["owner"], r["stage"]), 0) == r["end"]
    all_months: Any = movement(facts, facts.first_month, facts.last_month)
    assert_balanced(all_months)
    assert (all_months["start"] == 0).all()
    summed = table.groupby(keys, dropna=False)[list(FLOWS)].sum().sum()
    np.testing.assert_allclose(summed, all_months[list(FLOWS)].sum(), atol=1e-6)
    assert_frame_equal(monthly_movement(facts_of(frame.sample(frac=1, random_state=2), AS_OF)), table)


def test_what_advances_out_advances_in_and_transfers_cancel_out() -> None:
    whole = movement(facts_of(visits([v for v in HAND if v[0] != "f"]), AS_OF), MAY, JUNE)
    region = whole[whole["owner"].isna()].groupby("measure")[list(STEPS_SHOWN)].sum()
    assert (region["advanced_in"] == region["advanced_out"]).all()
    assert (region["back_in"] == region["back_out"]).all()
    assert (region["transferred"] == 0).all()
    assert region.loc["amount", "changed"] == 20
