"""The reverse funnel, worked by hand: needs, lags, weeks, and why nothing can be said."""

from dataclasses import replace
from datetime import date
from math import isnan, nan
from typing import Any

import pandas as pd
import pytest
from hand_visits import Visit, intake, visits

from xlfunnel.analysis import analyse
from xlfunnel.metrics.flags import Flag
from xlfunnel.metrics.reverse import Reverse, mean_wins, missing_to_floor, reverse, to_the_floors, to_the_targets
from xlfunnel.settings import Settings
from xlfunnel.terms import ConversionKind, FlagCode, Judgement, Measure, Reach, Severity

# Of ten leads five become T1, two T2, one T3; they take two, three and four weeks.
STEPS = [
    ("T0", "T1", 0.5, 14),
    ("T1", "T2", 0.4, 21),
    ("T2", "T3", 0.5, 28),
    ("T3", "T4", 0.5, 30),
    ("T4", "won", 0.5, 20),
]
TODAY, QUARTER = 1000, 1000 + 91
Known = tuple[pd.DataFrame, pd.DataFrame]


def known(
    steps: list[tuple[str, str, float, float]] = STEPS,
    entered: dict[str, int] | None = None,
    verdicts: dict[str, Judgement] | None = None,
) -> Known:
    rates = pd.DataFrame(
        {
            "region": "LX", "owner": None, "from_stage": a, "to_stage": z, "kind": kind, "month": None,
            "entered": (entered or {}).get(a, 100), "rate": rate if kind == ConversionKind.CENSORED else 0.99,
            "verdict": (verdicts or {}).get(a, Judgement.COMPARED),
        }
        for a, z, rate, _ in steps
        for kind in ConversionKind
    )  # fmt: skip
    days = pd.DataFrame({"region": "LX", "owner": None, "stage": a, "median": float(d)} for a, _, _, d in steps)
    return rates, days


def of(gap: float, frames: Known, deadline: int = QUARTER, target: str = "T3") -> dict[str, Reverse]:
    return {r.from_stage: r for r in reverse({("LX", "B"): gap}, target, *frames, TODAY, deadline)}


@pytest.mark.parametrize(
    ("stage", "rate", "needed", "lag", "weeks", "per_week"),
    [
        pytest.param("T2", 0.5, 6, 28, 9, 6 / 9, id="T2: 3 ÷ 1/2, 13 − 4 weeks"),
        pytest.param("T1", 0.2, 15, 49, 6, 2.5, id="T1: 3 ÷ 1/5, 13 − 7 weeks"),
        pytest.param("T0", 0.1, 30, 63, 4, 7.5, id="T0: 3 ÷ 1/10, 13 − 9 weeks"),
    ],
)
def test_three_missing_t3_by_hand(
    stage: str, rate: float, needed: float, lag: float, weeks: float, per_week: float
) -> None:
    found = of(3, known())
    assert list(found) == ["T2", "T1", "T0"]
    row = found[stage]
    assert (row.rate, row.needed, row.lag_days, row.weeks) == (pytest.approx(rate), needed, lag, weeks)
    assert row.per_week == pytest.approx(per_week)
    assert row.start_by == QUARTER - lag
    assert row.earliest_day == TODAY + 7 + lag
    assert (row.reach, row.lacking) == (Reach.IN_TIME, "")


def test_back_from_a_win_every_stage_counts() -> None:
    found = of(1, known(), deadline=TODAY + 364, target="won")
    assert {s: r.needed for s, r in found.items()} == {"T4": 2, "T3": 4, "T2": 8, "T1": 20, "T0": 40}
    assert found["T0"].lag_days == 14 + 21 + 28 + 30 + 20


def forecast_of(*gaps: tuple[str | None, str, float]) -> pd.DataFrame:
    rows = [(r, p, m, g) for r, p, g in gaps for m in Measure]
    frame = pd.DataFrame(rows, columns=["region", "period", "measure", "gap"])
    return frame.assign(region=pd.Series([r for r, *_ in rows], dtype=object))


def test_a_target_that_is_missed_asks_for_wins_and_all_before_them() -> None:
    """250 at 100 a win are two wins and a half, in 92 days: T4 takes 20 of them, T3 50, T2 78, T1 99."""
    rows = forecast_of(
        ("LX", "2025-Q3", 250.0), ("LX", "2025-Q4", -1.0), ("LX", "2025-07", 99.0), ("N", "2025-Q3", 9.0)
    )
    found = to_the_targets(rows, {"LX": 100.0, None: 100.0}, *known(), date(2025, 6, 30), Settings())
    assert [(r.from_stage, r.period, r.missing, r.needed) for r in found] == [
        ("T4", "2025-Q3", 2.5, 5), ("T3", "2025-Q3", 2.5, 10), ("T2", "2025-Q3", 2.5, 20),
        ("T1", "2025-Q3", 2.5, 50), ("T0", "2025-Q3", 2.5, 100),
    ]  # fmt: skip
    assert [r.weeks for r in found[:3]] == [72 / 7, 6, 2]
    assert [r.reach for r in found] == [*[Reach.IN_TIME] * 3, *[Reach.TOO_LATE] * 2]


def test_without_amounts_of_wins_no_target_is_turned_into_wins() -> None:
    rows = forecast_of(("LX", "2025-Q3", 250.0))
    assert to_the_targets(rows, {}, *known(), date(2025, 6, 30), Settings()) == ()


def test_a_mean_win_leaves_out_what_is_unknown_lost_or_to_come() -> None:
    cases = [
        ("LX", "won", "2025-02-01", 100), ("LX", "won", "2025-02-01", 300), ("LX", "won", "2025-02-01", None),
        ("LX", "lost", "2025-02-01", 900), ("LX", "won", "2025-07-01", 900), ("N", "won", "2025-02-01", 500),
    ]  # fmt: skip
    rows: list[Visit] = [
        (f"{i}", region, "A", "T4", went, "2025-01-01", left, amount)
        for i, (region, went, left, amount) in enumerate(cases)
    ]
    assert mean_wins(visits(rows), date(2025, 6, 30)) == {None: 300, "LX": 200, "N": 500}


@pytest.mark.parametrize(
    ("amounts", "means"),
    [({"LX": 0, "N": 500}, {None: 250, "N": 500}), ({"LX": 0, "N": 0}, {})],
    ids=["one region's", "all"],
)
def test_wins_that_bring_nothing_are_no_measure_of_a_target(amounts: dict[str, int], means: dict[Any, float]) -> None:
    rows: list[Visit] = [
        (region, region, "A", "T4", "won", "2025-01-01", "2025-02-01", amount) for region, amount in amounts.items()
    ]
    found = mean_wins(visits(rows), date(2025, 6, 30))
    assert found == means
    missed = forecast_of((None, "2025-Q3", 250.0), ("LX", "2025-Q3", 250.0))
    regions = {r.region for r in to_the_targets(missed, found, *known(), date(2025, 6, 30), Settings())}
    assert regions <= found.keys()


def test_needs_are_rounded_up_but_not_by_a_last_digit() -> None:
    thirds = [("T2", "T3", 0.3, 28.0)]
    assert of(3, known(thirds))["T2"].needed == 10
    assert of(3.1, known(thirds))["T2"].needed == 11
    assert of(0.1, known(thirds))["T2"].needed == 1


def test_too_late_says_when_it_can_be_at_the_earliest() -> None:
    found = of(3, known(), deadline=TODAY + 35)
    assert found["T2"].reach == Reach.IN_TIME  # one week is left
    assert found["T2"].per_week == 6
    assert found["T1"].reach == Reach.TOO_LATE
    assert isnan(found["T1"].per_week)
    assert found["T1"].needed == 15
    assert found["T1"].earliest_day == TODAY + 7 + 49
    assert of(3, known(), deadline=TODAY + 34)["T2"].reach == Reach.TOO_LATE


@pytest.mark.parametrize("verdict", [Judgement.TOO_FEW, Judgement.NOT_YET])
def test_a_step_with_too_few_cases_is_named_and_all_before_it_are_undefined(verdict: Judgement) -> None:
    found = of(3, known(entered={"T1": 4}, verdicts={"T1": verdict}))
    assert found["T2"].needed == 6
    for stage in ("T1", "T0"):
        assert (found[stage].reach, found[stage].lacking) == (Reach.TOO_FEW, "T1-T2")
        assert all(isnan(v) for v in (found[stage].needed, found[stage].per_week))
    assert found["T0"].base == 4


def test_without_a_median_there_is_a_need_but_no_date() -> None:
    found = of(3, known([*STEPS[:1], ("T1", "T2", 0.4, nan), *STEPS[2:]]))
    assert (found["T1"].reach, found["T1"].lacking) == (Reach.NO_SPEED, "T1")
    assert found["T1"].needed == 15
    assert all(isnan(v) for v in (found["T1"].lag_days, found["T1"].start_by, found["T1"].per_week))


def test_where_nothing_comes_through_nothing_helps() -> None:
    found = of(3, known([*STEPS[:1], ("T1", "T2", 0.0, 21), *STEPS[2:]]))
    assert (found["T0"].reach, found["T1"].reach) == (Reach.NEVER, Reach.NEVER)
    assert isnan(found["T0"].needed)


@pytest.mark.parametrize("gap", [0, -2, nan])
def test_nothing_missing_needs_nothing(gap: float) -> None:
    assert of(gap, known()) == {}


def test_a_region_of_which_nothing_is_known_and_a_stage_it_lacks() -> None:
    assert reverse({("N", None): 3}, "T3", *known(), TODAY, QUARTER) == ()
    assert of(3, known(STEPS[:2])) == {}


def test_gaps_are_those_of_the_reps_and_the_region_their_sum() -> None:
    code = FlagCode.BELOW_FLOOR_T3
    raised = [Flag("LX", owner, code, held, 5, Severity.RISK) for owner, held in ((None, 2.5), ("B", 0.0), ("C", 4.0))]
    other = Flag("LX", "B", FlagCode.BELOW_MEAN, 3, 9, Severity.WATCH)
    assert missing_to_floor([*raised, other], code) == {("LX", None): 6, ("LX", "B"): 5, ("LX", "C"): 1}


def test_several_regions_have_a_gap_together_first() -> None:
    rates, days = known()
    both = [pd.concat([f, f.assign(region=None)]) for f in (rates, days)]
    raised = [Flag(r, "B", FlagCode.BELOW_FLOOR_T3, 3, 5, Severity.RISK) for r in ("LX", "N")]
    found = to_the_floors(raised, both[0], both[1], date(2025, 6, 30), Settings())
    t2 = [(r.region, r.owner, r.missing, r.needed) for r in found if r.from_stage == "T2"]
    assert t2 == [(None, None, 4, 8), ("LX", None, 2, 4), ("LX", "B", 2, 4)]  # of N nothing is known


def test_from_visits_to_the_entries_a_week() -> None:
    """Half of the T2 go on to T3, after 14 days; one rep lacks two T3 and has 13 weeks, so 11 to let four in."""
    rows: list[Visit] = []
    for i in range(40):
        went = "T3" if i % 2 else "lost"
        rows.append((f"{i}", "LX", "A", "T2", went, "2025-03-01", "2025-03-15", 1))
    rows += [(f"{i}", "LX", "A", "T3", "lost", "2025-03-15", "2025-04-01", 1) for i in range(1, 40, 2)]
    rows += [(f"now{i}", "LX", "B", "T3", "open", "2025-06-20", None, 1) for i in range(3)]
    for chosen, owners in ((Settings(), {None, "A", "B"}), (Settings(floor_t3=3), {None, "A"})):
        found = analyse(intake(rows, "2025-06-30"), chosen).reverse
        assert {r.owner for r in found} == owners
    b = next(r for r in analyse(intake(rows, "2025-06-30"), Settings()).reverse if r.owner == "B")
    assert (b.missing, b.from_stage, b.rate, b.needed, b.lag_days, b.weeks) == (2, "T2", 0.5, 4, 14, 11)
    assert b.per_week == pytest.approx(4 / 11)
    short = analyse(intake(rows, "2025-06-30"), replace(Settings(), plan_weeks=2)).reverse
    assert {r.reach for r in short} == {Reach.TOO_LATE}
