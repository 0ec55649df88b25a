"""Facts: counted by hand, and by a naive loop over the days."""

from collections import Counter
from collections.abc import Iterator
from datetime import date
from itertools import zip_longest
from typing import Any

import numpy as np
import pandas as pd
import pytest
from facts_by_hand import (
    AS_OF,
    CELL,
    FIRST,
    FRAMES,
    HAND,
    HANDED_ON,
    SPAN,
    WORDS,
    Row,
    assert_same,
    assert_well_formed,
    d,
    triples,
    visits_frame,
)  # fmt: skip
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from xlfunnel.calendar import date_of, day_number, month_end
from xlfunnel.errors import InputError
from xlfunnel.facts import facts_of, facts_of_reserves, standing

unhurried = settings(deadline=None, max_examples=50)

JAN, FEB, MAR = 660, 661, 662


def test_every_frame_as_counted_by_hand() -> None:
    facts = facts_of(visits_frame(HAND), AS_OF)
    assert (facts.first_month, facts.last_month, facts.as_of) == (JAN, MAR, AS_OF)
    assert triples(facts.entries) == [
        ("", "", "T3", JAN, 1, 0),
        ("LX", "B", "T0", FEB, 2, 12),
        ("LX", "B", "T1", MAR, 1, 1),
        ("LX", "张伟", "T0", JAN, 2, 100),
        ("LX", "张伟", "T0", FEB, 1, 100),
        ("LX", "张伟", "T1", JAN, 1, 100),
    ]
    assert triples(facts.exits) == [
        ("", "", "T3", "gone", FEB, 1, 0),
        ("LX", "B", "T0", "lost", MAR, 1, 5),
        ("LX", "张伟", "T0", "T1", JAN, 1, 100),
        ("LX", "张伟", "T0", "lost", JAN, 1, 0),
        ("LX", "张伟", "T1", "T0", FEB, 1, 100),
    ]
    assert triples(facts.created) == [
        ("", "", JAN, 1, 0),
        ("LX", "B", FEB, 2, 12),
        ("LX", "B", MAR, 1, 1),
        ("LX", "张伟", JAN, 2, 100),
    ]
    assert triples(facts.reserves) == [
        ("", "", "T3", JAN, 1, 0),
        ("", "", "T3", FEB, 0, 0),
        ("", "", "T3", MAR, 0, 0),
        ("LX", "B", "T0", JAN, 0, 0),
        ("LX", "B", "T0", FEB, 2, 12),
        ("LX", "B", "T0", MAR, 1, 7),
        ("LX", "B", "T1", JAN, 0, 0),
        ("LX", "B", "T1", FEB, 0, 0),
        ("LX", "B", "T1", MAR, 1, 1),
        ("LX", "张伟", "T0", JAN, 0, 0),
        ("LX", "张伟", "T0", FEB, 1, 100),
        ("LX", "张伟", "T0", MAR, 1, 100),
        ("LX", "张伟", "T1", JAN, 1, 100),
        ("LX", "张伟", "T1", FEB, 0, 0),
        ("LX", "张伟", "T1", MAR, 0, 0),
    ]
    assert triples(facts.durations) == [
        ("", "", "T3", "gone", JAN, 58, 1),
        ("LX", "B", "T0", "lost", FEB, 42, 1),
        ("LX", "B", "T0", "open", FEB, 15, 1),
        ("LX", "B", "T1", "open", MAR, 0, 1),
        ("LX", "张伟", "T0", "T1", JAN, 15, 1),
        ("LX", "张伟", "T0", "lost", JAN, 0, 1),
        ("LX", "张伟", "T0", "open", FEB, 33, 1),
        ("LX", "张伟", "T1", "T0", JAN, 21, 1),
    ]
    assert triples(facts.arrivals) == [
        ("", "", "T3", "new", JAN, 1, 0, 0),
        ("LX", "B", "T0", "new", FEB, 2, 12, 12),
        ("LX", "B", "T1", "new", MAR, 1, 1, 1),
        ("LX", "张伟", "T0", "T1", FEB, 1, 100, 100),
        ("LX", "张伟", "T0", "new", JAN, 2, 100, 100),
        ("LX", "张伟", "T1", "T0", JAN, 1, 100, 100),
    ]


def test_a_stay_goes_through_hands_and_belongs_to_the_last() -> None:
    facts = facts_of(visits_frame(HANDED_ON), AS_OF)
    assert triples(facts.durations) == [
        ("LX", "A", "T2", "T2", JAN, 10, 1),
        ("LX", "A", "T2", "T2", FEB, 10, 1),
        ("LX", "A", "T2", "gone", JAN, 10, 1),
        ("LX", "A", "T2", "open", JAN, 64, 1),
        ("LX", "A", "T3", "won", JAN, 12, 1),
        ("LX", "C", "T2", "T3", JAN, 46, 1),
        ("LX", "C", "T2", "open", FEB + 1, 14, 1),
        ("LX", "C", "T3", "lost", FEB, 5, 1),
    ]


def test_where_visits_came_from_and_what_came_along() -> None:
    facts = facts_of(visits_frame(HANDED_ON), AS_OF)
    assert triples(facts.arrivals) == [
        ("LX", "A", "T2", "T2", FEB, 1, 9, 9),
        ("LX", "A", "T2", "gone", JAN, 1, 9, 9),
        ("LX", "A", "T2", "new", JAN, 3, 118, 118),
        ("LX", "A", "T3", "gone", JAN, 1, 9, 9),
        ("LX", "B", "T2", "T2", JAN, 1, 150, 100),
        ("LX", "C", "T2", "T2", FEB, 1, 0, 150),
        ("LX", "C", "T2", "lost", MAR, 1, 80, 80),
        ("LX", "C", "T3", "T2", FEB, 1, 70, 0),
    ]


def test_from_the_middle_of_a_stay_it_is_open_with_the_owner_of_the_day() -> None:
    facts = facts_of(visits_frame(HANDED_ON[:3]), d("02-09"))
    assert triples(facts.durations) == [("LX", "B", "T2", "open", JAN, 35, 1)]


def test_what_stands_on_the_day() -> None:
    found = standing(visits_frame(HAND), AS_OF)
    assert triples(found) == [
        ("a", "LX", "张伟", "T0", day_number(d("02-10")), 33, 100),
        ("c", "LX", "B", "T0", day_number(d("02-28")), 15, 7),
        ("f", "LX", "B", "T1", day_number(d("03-15")), 0, 1),
    ]
    assert triples(standing(visits_frame(HANDED_ON[:3]), d("02-20"))) == []  # left on that very day
    unknown = standing(visits_frame(HANDED_ON[:3]), d("02-19"))
    assert triples(unknown[["opportunity_id", "owner", "since_day", "days"]]) == [
        ("a", "C", day_number(d("01-05")), 45)
    ]
    assert unknown["amount_cents"].isna().all()


def test_left_without_a_word_where_it_went_is_gone() -> None:
    row: Row = ("a", 1, "", "", "T0", "open", d("01-01"), d("01-09"), 1)
    assert triples(facts_of(visits_frame([row]), AS_OF).exits) == [("", "", "T0", "gone", JAN, 1, 1)]


@pytest.mark.parametrize("rows", [[], HAND[-1:]], ids=["no visits", "only visits to come"])
def test_nothing_seen_gives_well_formed_empty_frames(rows: list[Row]) -> None:
    facts = facts_of(visits_frame(rows), AS_OF)
    assert facts.first_month == facts.last_month == MAR
    for name in FRAMES:
        assert len(getattr(facts, name)) == 0
    assert_well_formed(facts)


def test_sums_beyond_64_bits_are_refused_not_wrapped() -> None:
    rows: list[Row] = [(str(i), 1, "", "", "T0", "open", d("01-01"), None, 2**62) for i in range(2)]
    with pytest.raises(InputError) as refused:
        facts_of(visits_frame(rows), AS_OF)
    assert refused.value.code == "input.amounts_too_large"
    assert facts_of(visits_frame(rows[:1]), AS_OF).entries["amount_cents"].tolist() == [2**62]


def test_object_words_and_plain_integers_are_as_good() -> None:
    frame = visits_frame(HAND)
    plain = frame.astype(dict.fromkeys(("opportunity_id", *WORDS - {"came_from"}), object)).astype({"visit": "int64"})
    assert_same(facts_of(plain, AS_OF), facts_of(frame, AS_OF))


@st.composite
def any_visits(draw: st.DrawFn) -> pd.DataFrame:
    """Up to a dozen opportunities of up to four visits, one after another, with gaps, zero lengths and nulls."""
    rows: list[Row] = []
    for i in range(draw(st.integers(0, 12))):
        owner = draw(st.sampled_from([("LX", "A"), ("LX", "张伟"), ("", "A"), ("华东", "")]))
        cents = draw(st.none() | st.integers(-(10**12), 10**12))
        day = FIRST + draw(st.integers(0, SPAN))
        count = draw(st.integers(1, 4))
        for visit in range(1, count + 1):
            entered, day = day, day + draw(st.integers(0, 40))
            is_last = visit == count
            is_open = is_last and draw(st.booleans())
            following = (
                "open" if is_open else draw(st.sampled_from(["won", "lost", "gone"] if is_last else ["T1", "T2", "T1"]))
            )
            stage = draw(st.sampled_from(["T0", "T1", "T1", "T4"]))
            left = None if is_open else date_of(day)
            rows.append((f"o{i}", visit, *owner, stage, following, date_of(entered), left, cents))
            day += draw(st.integers(0, 3))
    return visits_frame(rows)


any_day = st.integers(FIRST - 5, FIRST + SPAN + 60).map(date_of)


@unhurried
@given(any_visits(), any_day)
def test_agrees_with_walking_through_the_days(visits: pd.DataFrame, as_of: date) -> None:
    """Oracle: stand at the end of each month and look at every visit; no cumulation, no grouping."""
    facts = facts_of(visits, as_of)
    assert_well_formed(facts)
    rows = visits.astype(object).where(visits.notna(), None).to_dict("records")
    today = day_number(as_of)
    for month in range(facts.first_month, facts.last_month + 1):
        day = min(day_number(month_end(month)), today)
        there: Counter[tuple[str, str, str]] = Counter()
        amounts: Counter[tuple[str, str, str]] = Counter()
        for row in rows:
            if row["entered_day"] <= day and (row["left_day"] is None or row["left_day"] > day):
                cell = (row["region"], row["owner"], row["stage"])
                there[cell] += 1
                amounts[cell] += row["amount_cents"] or 0
        at = facts.reserves[facts.reserves["month"] == month]
        for *cell_, _, count, amount in triples(at):
            assert (there.pop(tuple(cell_), 0), amounts.pop(tuple(cell_), 0)) == (count, amount)
        assert not there
    stays: Counter[tuple[Any, ...]] = Counter()
    for ends in walked_stays(rows, today):
        stays[ends] += 1
    assert {row[:-1]: row[-1] for row in triples(facts.durations)} == stays


def walked_stays(rows: list[dict[str, Any]], today: int) -> Iterator[tuple[Any, ...]]:
    """Oracle: go from visit to visit; one that takes up where the last one left, in its stage, continues its stay."""
    seen = [row for row in rows if row["entered_day"] <= today]
    since = seen[0] if seen else {}
    for row, after in zip_longest(seen, seen[1:]):
        is_open = row["left_day"] is None or row["left_day"] > today
        if (
            after is not None
            and not is_open
            and after["opportunity_id"] == row["opportunity_id"]
            and after["stage"] == row["stage"] == row["next_stage"]
            and after["entered_day"] == row["left_day"]
        ):
            continue
        days = (today if is_open else row["left_day"]) - since["entered_day"]
        went = "open" if is_open else row["next_stage"]
        yield (*(row[c] for c in CELL), went, since["entered_month"], days)
        since = after or {}


@unhurried
@given(any_visits(), any_day)
def test_reserve_changes_by_entries_less_exits(visits: pd.DataFrame, as_of: date) -> None:
    facts = facts_of(visits, as_of)
    values = ["count", "amount_cents"]
    change = facts.reserves.set_index([*CELL, "month"])[values].groupby(CELL).diff()
    first = facts.reserves["month"].to_numpy() == facts.first_month
    change[first] = facts.reserves.set_index([*CELL, "month"])[values][first]
    flows = [
        f.groupby([*CELL, "month"])[values].sum().reindex(change.index, fill_value=0)
        for f in (facts.entries, facts.exits)
    ]
    np.testing.assert_array_equal(change.to_numpy(), (flows[0] - flows[1]).to_numpy())


@unhurried
@given(any_visits(), any_day)
def test_totals_hang_together(visits: pd.DataFrame, as_of: date) -> None:
    facts = facts_of(visits, as_of)
    day = day_number(as_of)
    seen = visits[visits["entered_day"] <= day]
    is_open = seen["left_day"].isna() | (seen["left_day"] > day).fillna(True)
    last = facts.reserves[facts.reserves["month"] == facts.last_month]
    opened = facts.durations[facts.durations["next_stage"] == "open"]
    assert last["count"].sum() == opened["count"].sum() == is_open.sum()
    assert facts.entries["count"].sum() == facts.arrivals["count"].sum() == len(seen)
    assert len(seen) - facts.durations["count"].sum() <= facts.arrivals.query("came_from == stage")["count"].sum()
    assert standing(visits, as_of)["days"].sum() == (opened["days"] * opened["count"]).sum()
    assert facts.exits["count"].sum() == len(seen) - is_open.sum()
    assert facts.created["count"].sum() == (seen["visit"] == 1).sum()
    assert "open" not in set(facts.exits["next_stage"])
    assert (facts.reserves["count"] >= 0).all()


@unhurried
@given(any_visits(), any_day, st.randoms(use_true_random=False))
def test_order_of_rows_is_nothing_and_input_stays_as_it_was(visits: pd.DataFrame, as_of: date, random: Any) -> None:
    before = visits.copy(deep=True)
    order = list(range(len(visits)))
    random.shuffle(order)
    assert_same(facts_of(visits.iloc[order], as_of), facts_of(visits, as_of))
    assert_frame_equal(visits, before)


@unhurried
@given(any_visits(), any_day)
def test_looking_from_an_earlier_day_is_the_past_as_it_was(visits: pd.DataFrame, as_of: date) -> None:
    facts = facts_of(visits, as_of)
    for month in range(facts.first_month, facts.last_month):
        then = facts_of(visits, month_end(month))
        for name in ("arrivals", "entries", "exits", "created"):
            past = getattr(facts, name).query("month <= @month").reset_index(drop=True)
            assert_frame_equal(getattr(then, name), past)
        known = facts.reserves.merge(then.reserves[CELL].drop_duplicates())
        assert_frame_equal(then.reserves, known.query("month <= @month").reset_index(drop=True))


RESERVES = pd.DataFrame(
    {
        "region": "LX",
        "owner": ["B", "A", "A", "A", "A"],
        "stage": ["T1", "T0", "T0", "T0", "T3"],
        "month": [JAN, MAR, JAN, JAN, MAR + 1],
        "count": [4, 3, 1, 1, 9],
        "amount_cents": [40, 30, 10, 0, 90],
    }
)


def test_ready_made_reserves_are_made_dense() -> None:
    before = RESERVES.copy(deep=True)
    facts = facts_of_reserves(RESERVES, d("03-31"))
    assert triples(facts.reserves) == [
        ("LX", "A", "T0", JAN, 2, 10),
        ("LX", "A", "T0", FEB, 0, 0),
        ("LX", "A", "T0", MAR, 3, 30),
        ("LX", "B", "T1", JAN, 4, 40),
        ("LX", "B", "T1", FEB, 0, 0),
        ("LX", "B", "T1", MAR, 0, 0),
    ]
    assert_well_formed(facts)
    assert not any(len(getattr(facts, name)) for name in FRAMES if name != "reserves")
    assert_frame_equal(RESERVES, before)


def test_months_not_reported_are_not_invented() -> None:
    facts = facts_of_reserves(RESERVES.iloc[:3], d("12-31"))
    assert (facts.first_month, facts.last_month) == (JAN, MAR)


def test_no_reserves_at_all() -> None:
    facts = facts_of_reserves(RESERVES.iloc[:0], AS_OF)
    assert_well_formed(facts)
    assert facts.first_month == facts.last_month == MAR
