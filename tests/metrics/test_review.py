"""Post-mortem: what counts as closed, where the time went, why they ended."""

from datetime import date
from math import isnan, nan
from typing import Any

import pandas as pd
import pytest
from hand_visits import Visit, visits
from hypothesis import given, settings
from hypothesis import strategies as st

from xlfunnel.calendar import day_number
from xlfunnel.facts import facts_of, stays
from xlfunnel.metrics import review
from xlfunnel.settings import Settings
from xlfunnel.terms import Reason

ID = "opportunity_id"
AS_OF = date(2025, 6, 30)
SPEED = [("LX", None, "T0", 10.0), ("LX", None, "T3", 20.0), ("LX", None, "T4", 0.0), ("LX", "A", "T3", 1.0)]
SINCE = day_number(date(2025, 1, 1))


def typed(**rows: tuple[Any, Any]) -> pd.DataFrame:
    return pd.DataFrame([(k, *v) for k, v in rows.items()], columns=[ID, *review.TYPED], dtype=object)


def closed(rows: list[Visit], since: int = SINCE, speed: list[tuple[Any, ...]] = SPEED, **own: Any) -> pd.DataFrame:
    medians = pd.DataFrame(speed, columns=["region", "owner", "stage", "median"])
    found = review.closed(stays(visits(rows), AS_OF), medians, typed(**own), since)
    assert tuple(found.columns) == review.CLOSED
    return found


def journey(
    key: str, *steps: tuple[str, str, str], end: str, amount: int | None = 100, owner: str = "A"
) -> list[Visit]:
    """Visits (stage, entered, left); each goes to the next one's stage, the last to `end`."""
    goes = [*(s for s, _, _ in steps[1:]), end]
    return [(key, "LX", owner, s, g, a, z, amount) for (s, a, z), g in zip(steps, goes, strict=True)]


def test_a_closed_opportunity_by_hand() -> None:
    rows = journey("x", ("T0", "2025-01-01", "2025-01-31"), ("T3", "2025-01-31", "2025-03-01"), end="lost")
    row = closed(rows, x=("price", "ask early")).iloc[0]
    assert row[[ID, "outcome", "stage", "days", "amount"]].tolist() == ["x", "lost", "T3", 59, 100.0]
    assert row["closed_day"] == day_number(date(2025, 3, 1))
    assert row[["slow_stage", "slow_days", "slow_median", "slow_ratio"]].tolist() == ["T0", 30, 10, 3]
    assert row[["reason", "lesson"]].tolist() == ["price", "ask early"]


def test_days_of_a_stage_that_was_entered_twice_are_added() -> None:
    rows = journey(
        "x", ("T3", "2025-01-01", "2025-01-16"), ("T0", "2025-01-16", "2025-01-26"), ("T3", "2025-01-26", "2025-02-20"),
        end="won",
    )  # fmt: skip
    row = closed(rows).iloc[0]
    assert row[["slow_stage", "slow_days", "slow_ratio", "days"]].tolist() == ["T3", 40, 2, 50]


def test_a_tie_goes_to_the_earlier_stage() -> None:
    rows = journey("x", ("T0", "2025-01-01", "2025-01-11"), ("T3", "2025-01-11", "2025-01-31"), end="won")
    assert closed(rows).iloc[0][["slow_stage", "slow_ratio"]].tolist() == ["T0", 1]


@pytest.mark.parametrize("speed", [[], [("LX", None, "T3", nan)], [("N", None, "T3", 5.0)], [("LX", None, "T3", 0.0)]])
def test_without_a_median_no_stage_is_the_slowest(speed: list[tuple[Any, ...]]) -> None:
    row = closed(journey("x", ("T3", "2025-01-01", "2025-02-01"), end="lost"), speed=speed).iloc[0]
    assert row["slow_stage"] is None
    assert isnan(row["slow_ratio"])


def test_what_is_open_gone_old_or_taken_up_again_is_not_closed() -> None:
    rows = [
        *journey("open", ("T3", "2025-01-01", "2025-02-01"), end="T4"),
        ("open", "LX", "A", "T4", "open", "2025-02-01", None, 1),
        *journey("gone", ("T3", "2025-01-01", "2025-02-01"), end="gone"),
        *journey("old", ("T3", "2024-01-01", "2024-12-31"), end="lost"),
        *journey("edge", ("T3", "2024-01-01", "2025-01-01"), end="lost"),
        *journey("again", ("T3", "2025-01-01", "2025-02-01"), end="lost"),
        ("again", "LX", "A", "T3", "open", "2025-03-01", None, 1),
        *journey("later", ("T3", "2025-01-01", "2025-07-01"), end="won"),  # after the day looked back from
    ]
    assert closed(rows)[ID].tolist() == ["edge"]


def test_a_handed_over_opportunity_is_the_last_owners_with_all_its_days() -> None:
    rows = journey("x", ("T3", "2025-01-01", "2025-02-10"), end="T3")
    rows += journey("x", ("T3", "2025-02-10", "2025-03-12"), end="lost", owner="B", amount=None)
    row = closed(rows).iloc[0]
    assert row[["owner", "days", "slow_days", "slow_ratio"]].tolist() == ["B", 70, 70, 3.5]
    assert isnan(row["amount"])


def test_latest_first() -> None:
    rows = [
        v for i, (day, amount) in enumerate([("02-01", 1), ("03-01", None), ("03-01", 5), ("03-01", 9)])
        for v in journey(f"o{i}", ("T3", "2025-01-01", f"2025-{day}"), end="won", amount=amount)
    ]  # fmt: skip
    assert closed(rows)[ID].tolist() == ["o3", "o2", "o1", "o0"]


def test_of_one_day_and_amount_by_region_and_name() -> None:
    names = [("b", "LX"), ("a", "N"), ("c", "LX")]
    rows: list[Visit] = [(key, region, "A", "T3", "won", "2025-01-01", "2025-02-01", 1) for key, region in names]
    assert closed(rows)[ID].tolist() == ["b", "c", "a"]


def test_nothing_closed() -> None:
    found = closed([])
    assert review.tally(found) == review.Tally(0, 0, 0, 0)
    assert review.reasons(found)[["lost", "won"]].to_numpy().sum() == 0
    assert review.pareto(review.reasons(found))["share"].isna().all()
    assert review.by_stage(found)["share"].isna().all()


def lost(**reasons: Any) -> pd.DataFrame:
    rows = [
        v for k in reasons for v in journey(k, ("T3", "2025-01-01", "2025-02-01"), end="won" if k[0] == "w" else "lost")
    ]
    return closed(rows, **{k: (r, None) for k, r in reasons.items()})


def test_reasons_are_counted_and_the_most_frequent_stand_first() -> None:
    found = lost(a="fit", b="price", c="price", d="our own words", e=None, f=7, w1="fit", w2=None)
    counted = review.reasons(found)
    assert counted["reason"].tolist() == list(Reason)
    order = review.pareto(counted)
    assert list(order) == ["reason", "lost", "amount", "won", "rank", "share", "cumulative"]
    assert order[["reason", "lost", "amount", "won"]].head(3).to_numpy().tolist() == [
        ["price", 2, 200, 0], ["fit", 1, 100, 1], ["other", 1, 100, 0],
    ]  # fmt: skip
    assert order.iloc[-1][["reason", "lost", "won", "rank"]].tolist() == ["not_stated", 2, 1, 11]
    assert order["share"].head(4).tolist() == [0.5, 0.25, 0.25, 0]
    assert order["cumulative"].head(4).tolist() == [0.5, 0.75, 1, 1]
    assert order[["share", "cumulative"]].iloc[-1].isna().all()
    assert review.tally(found) == review.Tally(2, 6, 8, 4)


def test_a_single_stated_reason_is_all_of_them() -> None:
    order = review.pareto(review.reasons(lost(a="price", b=None)))
    assert order[["reason", "share", "cumulative"]].iloc[0].tolist() == ["price", 1, 1]


def test_while_no_reason_is_stated_that_is_all_there_is_to_say() -> None:
    order = review.pareto(review.reasons(lost(a=None, b=None, w1="fit")))
    assert order[["share", "cumulative"]].iloc[-1].tolist() == [1, 1]
    assert order[["share", "cumulative"]].iloc[:-1].isna().all(axis=None)


def test_leads_that_never_became_opportunities_are_not_reviewed() -> None:
    rows = [
        *journey("lead", ("T0", "2025-01-01", "2025-02-01"), ("T1", "2025-02-01", "2025-02-02"), end="lost"),
        *journey("fell", ("T2", "2025-01-01", "2025-02-01"), ("T0", "2025-02-01", "2025-02-02"), end="lost"),
        *journey("late", ("T4", "2025-01-01", "2025-02-01"), end="won"),
    ]
    assert dict(closed(rows)[[ID, "is_reviewed"]].itertuples(index=False)) == {
        "lead": False,
        "fell": True,
        "late": True,
    }


def test_stages_lost_at() -> None:
    rows = [
        *journey("a", ("T0", "2025-01-01", "2025-03-01"), ("T3", "2025-03-01", "2025-03-02"), end="lost"),
        *journey("b", ("T3", "2025-01-01", "2025-03-01"), end="lost", amount=None),
        *journey("c", ("T0", "2025-01-01", "2025-03-01"), end="lost"),
        *journey("w", ("T4", "2025-01-01", "2025-03-01"), end="won"),
    ]
    found = review.by_stage(closed(rows)).set_index("stage")
    assert found.loc["T3"].tolist() == [2, 2 / 3, 100.0, 1]
    assert found.loc["T0"].tolist() == [1, 1 / 3, 100.0, 2]
    assert found.loc["T4"].tolist() == [0, 0, 0, 0]


def test_amounts_that_nobody_knows_are_not_zero() -> None:
    rows = [*journey("a", ("T3", "2025-01-01", "2025-03-01"), end="lost", amount=None)]
    rows += journey("b", ("T0", "2025-01-01", "2025-03-01"), end="lost", amount=7)
    found = review.known_amounts(review.by_stage(closed(rows)))["amount"].tolist()
    assert found[:3] == [7, 0, 0]
    assert isnan(found[3])


@pytest.mark.parametrize(("months", "first"), [(1, "2025-06-01"), (3, "2025-04-01"), (600, "2025-01-01")])
def test_the_recent_complete_months_are_reviewed(months: int, first: str) -> None:
    facts = facts_of(visits(journey("x", ("T3", "2025-01-15", "2025-03-01"), end="lost")), AS_OF)
    assert review.first_day(facts, Settings(recent_months=months)) == day_number(date.fromisoformat(first))


@pytest.mark.parametrize(
    ("most", "first"),
    [(None, "2025-04-01"), (5, "2025-04-01"), (4, "2025-05-01"), (2, "2025-05-01"), (1, "2025-06-01")],
    ids=["no limit", "all five", "two and a month of none", "just the two", "the last month at least"],
)
def test_of_very_many_closings_the_latest_whole_months_are_reviewed(most: int | None, first: str) -> None:
    ends = [("a", "04-02"), ("b", "04-30"), ("c", "04-30"), ("d", "06-01"), ("e", "06-30"), ("old", "03-31")]
    rows = [v for key, day in ends for v in journey(key, ("T3", "2025-03-01", f"2025-{day}"), end="lost")]
    facts = facts_of(visits(rows), AS_OF)
    assert review.first_day(facts, Settings(recent_months=3), most) == day_number(date.fromisoformat(first))


def test_a_first_month_not_over_is_reviewed_too() -> None:
    facts = facts_of(visits(journey("x", ("T3", "2025-06-02", "2025-06-03"), end="lost")), date(2025, 6, 20))
    assert review.first_day(facts, Settings()) == day_number(date(2025, 6, 1))


DAYS = st.integers(0, 170)
JOURNEYS = st.lists(
    st.tuples(
        st.lists(st.tuples(st.sampled_from(["T0", "T2", "T3"]), DAYS), min_size=1, max_size=4),
        st.sampled_from(["won", "lost"]),
    ),
    max_size=6,
)


@settings(max_examples=40)
@given(JOURNEYS, st.randoms())
def test_order_of_rows_changes_nothing_and_all_is_accounted_for(found: Any, chance: Any) -> None:
    start = date(2025, 1, 1).toordinal()
    rows = []
    for i, (stages, end) in enumerate(found):
        ends = sorted(d for _, d in stages)
        days = [date.fromordinal(start + d).isoformat() for d in [0, *ends]]
        steps = [(s, days[j], days[j + 1]) for j, (s, _) in enumerate(stages)]
        rows += journey(f"o{i}", *steps, end=end)
    frame = visits(rows)
    mixed = frame.iloc[chance.sample(range(len(frame)), len(frame))].reset_index(drop=True)
    medians = pd.DataFrame(SPEED, columns=["region", "owner", "stage", "median"])
    one, other = (review.closed(stays(f, AS_OF), medians, typed(), SINCE) for f in (frame, mixed))
    pd.testing.assert_frame_equal(one, other)
    total = review.tally(one)
    assert total.won + total.lost == len(found)
    assert review.reasons(one)["lost"].sum() == review.by_stage(one)["lost"].sum() == total.lost
    assert (one["slow_days"].fillna(0) <= one["days"]).all()
