"""Conversion of three kinds: by hand, against a loop over the visits, and where the truth is known."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from math import isnan, nan
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hand_visits import Visit, visits
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from xlfunnel.calendar import date_of, day_number, month_end, month_of_text
from xlfunnel.facts import Facts, facts_of
from xlfunnel.metrics.conversion import Conversion, conversions
from xlfunnel.metrics.evidence import FEW, windows
from xlfunnel.metrics.proportion import wilson
from xlfunnel.settings import Settings
from xlfunnel.terms import Judgement

AS_OF = date(2025, 6, 30)
ONE_MONTH = Settings(recent_months=1, horizon_days={"T2": 10})


def visit(
    name: str, stage: str, went: str, entered: str, left: str | None, owner: str = "A", region: str = "LX"
) -> Visit:
    return (name, region, owner, stage, went, f"2025-{entered}", left and f"2025-{left}", 1)


HAND = [
    visit("a", "T2", "T3", "06-01", "06-09"),
    visit("a", "T3", "open", "06-09", None),
    visit("b", "T2", "T4", "06-01", "06-11"),  # skips T3, on the last day that counts
    visit("b", "T4", "won", "06-11", "06-20"),
    visit("c", "T2", "T3", "06-01", "06-12"),  # a day late
    visit("c", "T3", "T2", "06-12", "06-20"),  # falls back …
    visit("c", "T2", "open", "06-20", None),  # … into a stay of its own
    visit("d", "T2", "lost", "06-02", "06-02"),
    visit("e", "T2", "won", "05-10", "06-05"),  # entered in May, won straight out of T2 in June
    visit("f", "T2", "T2", "06-03", "06-05"),  # handed on to B …
    visit("f", "T2", "T3", "06-05", "06-12", "B"),  # … who advances it on its ninth day
    visit("f", "T3", "lost", "06-12", "06-30", "B"),
    visit("g", "T2", "gone", "06-03", "06-20"),
    visit("h", "T2", "T2", "06-03", "06-05"),  # handed on beyond the data
]


def rows(frame: pd.DataFrame, **where: object) -> list[dict[str, Any]]:
    keep = np.full(len(frame), True)
    for name, value in where.items():
        keep &= (frame[name].isna() if value is None else frame[name] == value).to_numpy()
    return frame[keep].to_dict("records")


def row(frame: pd.DataFrame, **where: object) -> dict[str, Any]:
    (found,) = rows(frame, **({"region": "LX", "owner": None, "from_stage": "T2", "month": None} | where))
    return found


@pytest.fixture(scope="module")
def by_hand() -> pd.DataFrame:
    return conversions(facts_of(visits(HAND), AS_OF), ONE_MONTH)


@pytest.mark.parametrize(
    ("who", "kind", "entered", "advanced"),
    [
        (None, "period", 8, 5),  # a b c c' d f g h came; a b c e f went on
        ("A", "period", 8, 4),  # f came to A and went on from B
        ("B", "period", 0, 1),
        (None, "matured", 0, 0),  # June has not ended ten days ago
        (None, "censored", 8, 3),  # a, b, f within ten days
        ("A", "censored", 7, 2),
        ("B", "censored", 1, 1),
    ],
)
def test_cases(by_hand: pd.DataFrame, who: str | None, kind: str, entered: int, advanced: int) -> None:
    found = row(by_hand, owner=who, kind=kind)
    assert (found["entered"], found["advanced"]) == (entered, advanced)


def test_rates(by_hand: pd.DataFrame) -> None:
    period, censored = row(by_hand, kind="period"), row(by_hand, kind="censored")
    assert (period["rate"], period["low"], period["high"]) == wilson(5, 8)
    assert isnan(row(by_hand, owner="B", kind="period")["rate"])
    # Eight at risk on day 0: d is lost, 7/8. Day 2: h is cut off. Day 8: a of six. Day 9: f of five. Day 10: b of four,
    # c' is cut off on the same day and still there.
    step = 7 / 8 / 6
    assert censored["rate"] == pytest.approx(3 * step)
    assert censored["low"] < 3 * step < censored["high"]
    assert censored["verdict"] == Judgement.GREYED


def test_matured_when_the_month_ended_so_many_days_ago() -> None:
    for as_of, entered, advanced in (("2025-07-09", 0, 0), ("2025-07-10", 7, 3), ("2025-08-15", 7, 3)):
        on = date.fromisoformat(as_of)
        found = conversions(facts_of(visits(HAND), on), replace(ONE_MONTH, recent_months=2))
        assert [r["entered"] for r in rows(found, kind="matured", month=month_of_text("2025-06"), from_stage="T2")] == (
            [entered] if entered else []
        )
        if entered:  # h is cut off before its tenth day: no case
            (june,) = rows(found, kind="matured", month=month_of_text("2025-06"), from_stage="T2")
            assert (june["advanced"], june["horizon_days"]) == (advanced, 10)
            assert (june["rate"], june["low"], june["high"]) == wilson(3, 7)


def test_more_advanced_than_entered_is_a_ratio_without_interval() -> None:
    made = [visit(f"o{i}", "T0", "T1" if i else "lost", "01-10", "03-05") for i in range(9)]
    made += [visit(f"n{i}", "T0", "lost", "03-08", "03-09") for i in range(6)]
    found = row(
        conversions(facts_of(visits(made), date(2025, 3, 31)), Settings(recent_months=1)),
        kind="period",
        from_stage="T0",
    )
    assert (found["entered"], found["advanced"], found["rate"]) == (6, 8, 8 / 6)
    assert isnan(found["low"])
    assert isnan(found["high"])
    assert found["verdict"] == Judgement.GREYED


@pytest.mark.parametrize(
    ("late", "entered"),
    [
        pytest.param(visit("i", "T2", "open", "06-30", None), 2, id="open for just the horizon"),
        pytest.param(visit("i", "T2", "T2", "06-20", "06-30"), 2, id="handed on beyond the data on its last day"),
        pytest.param(visit("i", "T2", "T2", "06-20", "06-29"), 1, id="a day before"),
    ],
)
def test_what_was_seen_for_its_whole_horizon_is_a_matured_case(late: Visit, entered: int) -> None:
    made = facts_of(visits([visit("a", "T2", "T3", "06-01", "06-05"), late]), date(2025, 7, 10))
    (june,) = rows(
        conversions(made, replace(ONE_MONTH, recent_months=2)),
        kind="matured", month=month_of_text("2025-06"), from_stage="T2", owner=None,
    )  # fmt: skip
    assert (june["entered"], june["advanced"]) == (entered, 1)


def test_as_many_advanced_as_entered_is_still_a_share_with_its_interval() -> None:
    made = [visit(f"o{i}", "T0", "T1", "03-05", "03-09") for i in range(9)]
    found = row(
        conversions(facts_of(visits(made), date(2025, 3, 31)), Settings(recent_months=1)),
        kind="period",
        from_stage="T0",
    )
    assert (found["entered"], found["advanced"]) == (9, 9)
    assert (found["rate"], found["low"], found["high"]) == wilson(9, 9)


@pytest.mark.parametrize(
    ("set_to", "advancing", "lost", "horizon"),
    [
        ({}, range(1, 11), [99], 9),
        ({}, range(1, 21), [], 18),
        ({}, [], [5, 7], 7),
        ({}, [], [], nan),
        ({"T0": 30}, range(1, 11), [], 30),
    ],
    ids=["nine of ten", "eighteen of twenty", "none advanced", "none ended", "as set"],
)
def test_horizon(set_to: dict[str, float], advancing: Any, lost: list[int], horizon: float) -> None:
    start = day_number(date(2025, 1, 1))
    made: list[Visit] = [("x", "LX", "A", "T0", "open", "2025-06-01", None, 1)]
    for went, days in (("T1", advancing), ("lost", lost)):
        made += [(f"{went}{n}", "LX", "A", "T0", went, "2025-01-01", date_of(start + n).isoformat(), 1) for n in days]
    found = conversions(facts_of(visits(made), AS_OF), Settings(horizon_days=set_to))
    assert row(found, kind="censored", from_stage="T0")["horizon_days"] == pytest.approx(horizon, nan_ok=True)
    assert row(found, kind="censored", from_stage="T0", owner="A")["horizon_days"] == pytest.approx(
        horizon, nan_ok=True
    )


def funnel(advanced: int, entered: int, month: str, region: str = "LX") -> list[Visit]:
    """So many enter T2 on the first of a month; each advances, or is lost, three days later."""
    return [
        (f"{region}{month}{i}", region, "A", "T2", "T3" if i < advanced else "lost", f"{month}-01", f"{month}-04", 1)
        for i in range(entered)
    ]


@pytest.mark.parametrize(
    ("now", "then", "benchmark", "verdict"),
    [
        ((0, 4), (50, 100), 0.9, "too_few"),
        ((0, 19), (50, 100), 0.9, "greyed"),
        ((0, 20), (50, 100), None, "blocked"),
        ((5, 20), (10, 19), None, "compared"),  # too little history
        ((8, 20), (50, 100), None, "compared"),  # 0.22…0.61
        ((8, 20), (50, 100), 0.62, "blocked"),
        ((8, 20), (50, 100), 0.60, "compared"),
        ((0, 0), (50, 100), 0.9, "too_few"),
        ((20, 20), (50, 100), 1.0, "compared"),  # at the top nothing lies below
        ((36, 100), (11, 20), None, "compared"),  # 0.27…0.46 lies below 0.55; but that was 0.34…0.74
        ((30, 100), (55, 100), None, "blocked"),
    ],
)
def test_verdict(now: tuple[int, int], then: tuple[int, int], benchmark: float | None, verdict: str) -> None:
    made = facts_of(visits([*funnel(*then, "2025-02"), *funnel(*now, "2025-05")]), AS_OF)
    marks = {} if benchmark is None else {"T2-won": benchmark}
    settings = Settings(recent_months=2, benchmarks=marks, horizon_days={"T2": 5})
    for kind in ("matured", "censored"):
        found = row(conversions(made, settings), kind=kind)
        assert found["verdict"] == verdict
        assert (found["history"], found["history_entered"]) == pytest.approx((then[0] / then[1], then[1]))
        assert found["benchmark"] == pytest.approx(nan if benchmark is None else benchmark, nan_ok=True)
    assert row(conversions(made, settings), kind="period")["verdict"] != "blocked"


def test_not_observed_for_so_long_is_no_zero() -> None:
    made = [visit(f"o{i}", "T2", "open", "06-20", None) for i in range(30)]
    found = row(
        conversions(facts_of(visits(made), AS_OF), replace(ONE_MONTH, horizon_days={"T2": 30})), kind="censored"
    )
    assert isnan(found["rate"])
    assert found["verdict"] == Judgement.NOT_YET


@pytest.mark.parametrize(
    ("made", "steps"),
    [
        ([visit("a", "T0", "T2", "01-01", "01-05"), visit("a", "T2", "won", "01-05", "02-01")], ["T0-T2", "T2-won"]),
        ([visit("a", "T3", "open", "01-01", None)], ["T3-won"]),
        ([], []),
    ],
    ids=["a CRM without T1, T3, T4", "one stage", "nothing"],
)
def test_steps(made: list[Visit], steps: list[str]) -> None:
    found = conversions(facts_of(visits(made), AS_OF), Settings())
    assert list(found) == list(Conversion._fields)
    assert list(dict.fromkeys(found["from_stage"] + "-" + found["to_stage"])) == steps


def test_all_lost_and_all_open_and_one_month_only() -> None:
    lost = [visit(f"o{i}", "T2", "lost", "06-02", "06-05") for i in range(25)]
    found = row(conversions(facts_of(visits(lost), AS_OF), ONE_MONTH), kind="censored")
    assert found["rate"] == 0
    assert (found["low"], found["high"]) == wilson(0, 25)[1:]
    opened = [visit(f"o{i}", "T2", "open", "06-02", None) for i in range(25)]
    found = row(conversions(facts_of(visits(opened), AS_OF), ONE_MONTH), kind="censored")
    assert found["rate"] == 0  # seen for 28 days, none advanced within ten
    half_a_month = conversions(facts_of(visits(lost), date(2025, 6, 15)), ONE_MONTH)
    assert row(half_a_month, kind="censored")["entered"] == 0  # no complete month at all


def test_the_truth_within_the_interval_where_the_simple_rates_are_wrong() -> None:
    """1500 stays entered over half a year: three in ten advance after 60 days on average, the others are lost in 20."""
    draw = np.random.default_rng(3)
    n, today = 1500, day_number(AS_OF)
    advances = draw.random(n) < 0.3
    stay = np.where(advances, draw.gamma(4, 15, n), draw.gamma(2, 10, n)).astype(int)
    entered = draw.integers(today - 179, today + 1, n)
    made: list[Visit] = []
    for i in range(n):
        gone = today >= entered[i] + stay[i]
        went = ("T3" if advances[i] else "lost") if gone else "open"
        left = date_of(entered[i] + stay[i]).isoformat() if gone else None
        made.append((f"o{i}", "LX", "A", "T2", went, date_of(entered[i]).isoformat(), left, 1))
    found = conversions(facts_of(visits(made), AS_OF), Settings(recent_months=6, horizon_days={"T2": 120}))
    truth = 0.3 * 0.96
    censored, matured = row(found, kind="censored"), row(found, kind="matured")
    assert censored["low"] < truth < censored["high"]
    assert matured["low"] < truth < matured["high"]
    assert matured["high"] - matured["low"] > censored["high"] - censored["low"]  # old news, and less of it
    assert wilson(censored["advanced"], censored["entered"]).high < truth
    assert row(found, kind="period")["high"] < truth


@st.composite
def histories(draw: st.DrawFn) -> list[Visit]:
    """Opportunities that climb, fall back, change hands, are lost, won or open, within a few months."""
    made: list[Visit] = []
    first = day_number(date(2025, 1, 1))
    for i in range(draw(st.integers(0, 15))):
        day = first + draw(st.integers(0, 150))
        stage = draw(st.integers(0, 3))
        region, owner = draw(st.sampled_from([("N", "A"), ("N", "B"), ("S", "A"), ("", "")]))
        for _ in range(draw(st.integers(1, 5))):
            left = day + draw(st.integers(0, 40))
            went = draw(st.sampled_from([*range(5), "won", "lost", "gone", "open"]))
            is_stage = isinstance(went, int)
            ends = None if went == "open" else date_of(left).isoformat()
            name = f"T{went}" if is_stage else str(went)
            made.append((f"o{i}", region, owner, f"T{stage}", name, date_of(day).isoformat(), ends, 100))
            if not is_stage:
                break
            if went == stage:
                owner = draw(st.sampled_from("AB"))
            stage, day = int(went), left
    return made


def looped(made: list[Visit], today: int) -> Iterator[tuple[str, str, str, str, int, int]]:
    """Oracle: (region, owner, stage, went, month, days) of each stay, going from visit to visit."""
    since = None
    for one, after in zip(made, [*made[1:], None], strict=False):
        entered = day_number(date.fromisoformat(one[5]))
        left = day_number(date.fromisoformat(one[6])) if one[6] else None
        if since is None:
            since = entered
        if entered > today:
            since = None
            continue
        is_open = left is None or left > today
        if not is_open and after and after[0] == one[0] and after[3] == one[3] == one[4]:
            continue
        day = date_of(since)
        yield (
            one[1], one[2], one[3], "open" if is_open else one[4], (day.year - 1970) * 12 + day.month - 1,
            (today if is_open or left is None else left) - since,
        )  # fmt: skip
        since = None


@given(histories(), st.integers(20, 60))
@effort(max_examples=40)
def test_matured_as_a_loop_counts_it(made: list[Visit], limit: int) -> None:
    facts = facts_of(visits(made), AS_OF)
    settings = Settings(recent_months=4, horizon_days=dict.fromkeys(("T0", "T1", "T2", "T3", "T4"), limit))
    found = conversions(facts, settings)
    rank = {"T0": 0, "T1": 1, "T2": 2, "T3": 3, "T4": 4, "won": 5}
    today = day_number(AS_OF)
    recent = windows(facts, settings).recent
    for r in rows(found, kind="matured", month=None):
        k = n = 0
        for region, owner, stage, went, month, days in looped(made, today):
            is_here = stage == r["from_stage"] and r["region"] in (None, region) and r["owner"] in (None, owner)
            if not is_here or month not in recent or day_number(month_end(month)) + limit > today:
                continue
            if went in ("open", stage) and days < limit:
                continue
            n += 1
            k += rank.get(went, -1) > rank[stage] and days <= limit
        assert (r["entered"], r["advanced"]) == (n, k)


@given(histories())
@effort(max_examples=30)
def test_what_always_holds(made: list[Visit]) -> None:
    frame = visits(made)
    facts = facts_of(frame, AS_OF)
    found = conversions(facts, Settings(recent_months=2))
    shares = found[found["kind"] != "period"]
    for name in ("rate", "low", "high"):
        assert shares[name].dropna().between(0, 1).all()
    known = shares.dropna(subset=["rate", "low", "high"])
    assert (known["low"] <= known["rate"] + 1e-9).all()
    assert (known["rate"] <= known["high"] + 1e-9).all()
    assert (found["advanced"] <= found["entered"])[found["kind"] != "period"].all()
    assert (found.loc[found["entered"] < FEW, "verdict"] == Judgement.TOO_FEW).all()
    for kind in ("period", "matured", "censored"):
        part = found[(found["kind"] == kind) & found["month"].isna()]
        if kind != "matured":  # owners' horizons are their region's, so counts add up from owners to regions
            for region in {r for r in part["region"] if r is not None}:
                here = part[part["region"] == region]
                owners = here[here["owner"].notna()].groupby("from_stage")["entered"].sum()
                whole = here[here["owner"].isna()].set_index("from_stage")["entered"]
                assert owners.to_dict() == whole.to_dict()
    shuffled: Facts = facts_of(frame.sample(frac=1, random_state=1), AS_OF)
    assert_frame_equal(conversions(shuffled, Settings(recent_months=2)), found)
