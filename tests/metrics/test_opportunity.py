"""Health of open opportunities: the stale rule, the scores, the table of advice, what is listed."""

from datetime import datetime
from math import nan
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hand_visits import Visit, visits
from hypothesis import given
from hypothesis import strategies as st

from xlfunnel.facts import facts_of, standing
from xlfunnel.metrics import opportunity as o
from xlfunnel.metrics.duration import durations
from xlfunnel.settings import Settings
from xlfunnel.terms import BANT, SCORES, WIN_STEPS, Advice

ID = "opportunity_id"
AS_OF = datetime(2025, 6, 30)
ROW = {"region": "LX", "owner": "A", "stage": "T3", "since_day": 20000, "days": 10, "amount_cents": 100}
SPEED = [("LX", None, "T2", 10.0, 30.0), ("LX", None, "T3", 20.0, 60.0), ("LX", "A", "T3", 1.0, 2.0)]


def standing_of(*rows: dict[str, Any]) -> pd.DataFrame:
    frame = pd.DataFrame([{ID: f"o{i}", **ROW, **row} for i, row in enumerate(rows)], columns=[ID, *ROW])
    return frame.astype({"amount_cents": "Int64", "days": "int64", "since_day": "int64"})


def speeds(rows: list[tuple[Any, ...]] = SPEED) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["region", "owner", "stage", "median", "p90"])


def typed(**rows: dict[str, Any]) -> pd.DataFrame:
    frame = [{ID: key, **row} for key, row in rows.items()]
    return pd.DataFrame(frame, columns=[ID, *o.TYPED, *WIN_STEPS, *(b for b in BANT if b not in o.TYPED)], dtype=object)


def scores(*values: Any) -> dict[str, Any]:
    return dict(zip(SCORES, values, strict=True))


def checked(rows: list[dict[str, Any]], speed: pd.DataFrame | None = None, **own: dict[str, Any]) -> pd.DataFrame:
    found = o.health(standing_of(*rows), speeds() if speed is None else speed, typed(**own), AS_OF)
    assert tuple(found.columns) == o.HEALTH
    return found


def one(row: dict[str, Any], speed: pd.DataFrame | None = None, **own: Any) -> dict[str, Any]:
    return dict(checked([row], speed, **({"o0": own} if own else {})).iloc[0])


@pytest.mark.parametrize(
    ("days", "speed", "limit", "aged"),
    [
        (40, [("LX", None, "T3", 20, 60)], 40, False),  # twice the median is not yet too long
        (41, [("LX", None, "T3", 20, 60)], 40, True),
        (41, [("LX", None, "T3", 20, nan)], 40, True),
        (61, [("LX", None, "T3", 0, 60)], 60, True),  # a median of 0 would make everything stale
        (900, [("LX", None, "T3", 0, 0)], nan, False),
        (900, [("LX", None, "T3", nan, nan)], nan, False),
        (900, [("LX", None, "T2", 20, 60)], nan, False),  # another stage's
        (900, [("N", None, "T3", 20, 60)], nan, False),  # another region's
        (900, [("LX", "A", "T3", 20, 60)], nan, False),  # the rep's own
        (900, [(None, None, "T3", 20, 60)], nan, False),  # all regions'
        (900, [], nan, False),
    ],
)
def test_stale_by_age(days: int, speed: list[tuple[Any, ...]], limit: float, aged: bool) -> None:
    row = one({"days": days}, speeds(speed))
    assert row["limit_days"] == limit or (np.isnan(limit) and np.isnan(row["limit_days"]))
    assert (row["is_aged"], row["is_stale"]) == (aged, aged)
    assert row["advice"] == (Advice.SCORE_STALE if aged else Advice.SCORE)


@pytest.mark.parametrize(
    ("own", "overdue", "quiet"),
    [
        ({"expected_close": datetime(2025, 6, 30)}, False, False),
        ({"expected_close": datetime(2025, 6, 29)}, True, False),
        ({"last_activity": datetime(2025, 5, 31)}, False, False),
        ({"last_activity": datetime(2025, 5, 30)}, False, True),
        ({"last_activity": datetime(2025, 8, 1)}, False, False),
        ({"expected_close": "soon", "last_activity": 3}, False, False),
        ({"expected_close": datetime(2025, 1, 1), "last_activity": datetime(2024, 1, 1)}, True, True),
    ],
)
def test_stale_by_what_users_typed(own: dict[str, Any], overdue: bool, quiet: bool) -> None:
    row = one({}, **own)
    assert (row["is_overdue"], row["is_quiet"], row["is_stale"]) == (overdue, quiet, overdue or quiet)


@pytest.mark.parametrize(
    ("values", "moving", "stale"),
    [
        ((5, 5, 5, 5, 5), Advice.KEEP, Advice.REVIVE),
        ((3, 3, 3, 3, 3), Advice.KEEP, Advice.REVIVE),
        ((3, 3, 3, 3, 2), Advice.REVIVE, Advice.DROP),
        ((2, 2, 2, 2, 2), Advice.REVIVE, Advice.DROP),
        ((2, 2, 2, 2, 1), Advice.DROP, Advice.DROP),
        ((1, 1, 1, 1, 1), Advice.DROP, Advice.DROP),
        ((5, 5, 5, 5, None), Advice.SCORE, Advice.SCORE_STALE),
        ((5, 5, 5, 5, 6), Advice.SCORE, Advice.SCORE_STALE),
        ((5, 5, 5, 5, "x"), Advice.SCORE, Advice.SCORE_STALE),
        ((5, 5, 5, 5, True), Advice.SCORE, Advice.SCORE_STALE),
    ],
    ids=str,
)
def test_advice(values: tuple[Any, ...], moving: Advice, stale: Advice) -> None:
    assert one({"days": 10}, **scores(*values))["advice"] == moving
    assert one({"days": 99}, **scores(*values))["advice"] == stale
    total = one({}, **scores(*values))["total"]
    assert np.isnan(total) if moving == Advice.SCORE else total == sum(values)


def test_only_T2_and_later_stale_first_then_the_largest() -> None:
    found = checked([
        {"stage": "T1"}, {"amount_cents": 500}, {"amount_cents": pd.NA}, {"days": 99, "amount_cents": 1},
        {"stage": "T4"},
        {"days": 50, "amount_cents": pd.NA}, {"stage": "T0"}, {"stage": "T2", "days": 20, "amount_cents": 500},
    ])  # fmt: skip
    assert found[ID].tolist() == ["o3", "o5", "o7", "o1", "o4", "o2"]
    assert found["amount"].tolist()[:1] == [0.01]
    assert o.summary(found) == o.Health(6, 2, 2, 0, 0, 0, 11.01, 0.01, 2)


def test_an_opportunity_that_stands_twice_is_listed_once() -> None:
    found = checked([{"since_day": 20000}, {ID: "o0", "stage": "T4", "since_day": 20050}])
    assert found[["opportunity_id", "stage"]].to_numpy().tolist() == [["o0", "T4"]]


def test_nothing_open_and_nothing_typed() -> None:
    found = checked([])
    assert found.empty
    assert o.summary(found).open == 0
    assert o.by_advice(found)["count"].tolist() == [0] * 5
    assert o.by_stage(found)["moving"].tolist() == [0, 0, 0]
    assert o.assurance(standing_of(), typed()).empty
    assert o.leads(standing_of(), typed()).empty


def test_a_handed_over_opportunity_is_as_old_as_its_stay() -> None:
    rows: list[Visit] = [(f"d{i}", "LX", "A", "T3", "T4", "2025-01-01", "2025-01-11", 1) for i in range(5)]
    rows += [
        ("x", "LX", "A", "T3", "T3", "2025-05-01", "2025-06-20", 1),
        ("x", "LX", "B", "T3", "open", "2025-06-20", None, 2),
    ]
    frame, day = visits(rows), AS_OF.date()
    found = o.health(standing(frame, day), durations(facts_of(frame, day), Settings()), typed(), AS_OF)
    row = found.iloc[0]
    assert (row[ID], row["owner"], row["days"], row["median"], row["is_aged"]) == ("x", "B", 60, 10, True)


def test_tallies_add_up() -> None:
    found = checked(
        [{"days": d, "stage": s, "amount_cents": 100} for d in (1, 99) for s in ("T2", "T3", "T4")],
        o0=scores(5, 5, 5, 5, 5), o3=scores(1, 1, 1, 1, 1),
    )  # fmt: skip
    assert dict(o.by_advice(found)[["advice", "count"]].itertuples(index=False)) == {
        "keep": 1, "revive": 0, "drop": 1, "score": 3, "score_stale": 1,
    }  # fmt: skip
    assert o.by_advice(found)["amount"].sum() == 6
    assert o.by_stage(found).to_numpy().tolist() == [["T2", 1, 1], ["T3", 1, 1], ["T4", 2, 0]]


def test_long_lists_show_the_first_and_all_that_something_was_typed_of() -> None:
    found = checked([{"amount_cents": 1000 - i} for i in range(9)])
    shown = o.listed(found, {"o7", "gone"}, most=3)
    assert shown[ID].tolist() == ["o0", "o1", "o2", "o7"]
    assert o.unlisted(found, shown)[ID].tolist() == ["o3", "o4", "o5", "o6", "o8"]


@pytest.mark.parametrize(
    ("answers", "grade"),
    [
        (("yes", "yes", "yes", "yes"), "A"),
        (("yes", "yes", "yes", "no"), "B"),
        (("yes", None, "yes", None), "C"),
        ((None, None, None, "yes"), "D"),
        (("no", "no", "no", "no"), "D"),
        ((None, None, None, None), None),
    ],
    ids=str,
)
def test_grade_of_a_lead(answers: tuple[str | None, ...], grade: str | None) -> None:
    found = o.leads(standing_of({"stage": "T1"}, {"stage": "T2"}), typed(o0=dict(zip(BANT, answers, strict=True))))
    assert found["grade"].tolist() == [grade]


def test_what_makes_sure_of_a_win_is_counted() -> None:
    rows = [{"stage": "T4"}, {"stage": "T4", "amount_cents": 900}, {"stage": "T3"}]
    found = o.assurance(standing_of(*rows), typed(o0={"visit": "yes", "solution": "no", "negotiation": "yes"}))
    assert found[[ID, "done"]].to_numpy().tolist() == [["o1", 0], ["o0", 2]]


def test_lists_of_one_stage_have_a_fixed_order_and_their_columns_only() -> None:
    rows: list[dict[str, Any]] = [
        {"region": "N"}, {}, {"days": 20}, {"amount_cents": pd.NA, "days": 99}, {ID: "a", "days": 10},
    ]  # fmt: skip
    found = o.assurance(standing_of(*({"stage": "T4", **row} for row in rows)), typed())
    assert found[ID].tolist() == ["o2", "a", "o1", "o0", "o3"]
    assert list(found) == [ID, "region", "owner", "stage", "since_day", "days", "amount", "done"]


ROWS = st.fixed_dictionaries({
    "stage": st.sampled_from(["T1", "T2", "T3", "T4"]), "days": st.integers(0, 200),
    "amount_cents": st.one_of(st.just(pd.NA), st.integers(0, 10**9)), "region": st.sampled_from(["LX", "N"]),
})  # fmt: skip


@given(st.lists(ROWS, max_size=12), st.randoms())
def test_order_of_rows_changes_nothing_and_all_is_accounted_for(rows: list[dict[str, Any]], chance: Any) -> None:
    frame = standing_of(*rows)
    mixed = frame.iloc[chance.sample(range(len(frame)), len(frame))]
    own = typed(o1=scores(1, 2, 3, 4, 5), o2={"expected_close": datetime(2025, 1, 1)})
    before = frame.copy()
    found = o.health(frame, speeds(), own, AS_OF)
    pd.testing.assert_frame_equal(found, o.health(mixed, speeds(), own, AS_OF))
    pd.testing.assert_frame_equal(frame, before)
    total = o.summary(found)
    assert total.open == (frame["stage"] != "T1").sum() == o.by_advice(found)["count"].sum()
    assert total.stale == o.by_stage(found)["stale"].sum()
    assert (found["total"].dropna().between(5, 25)).all()
