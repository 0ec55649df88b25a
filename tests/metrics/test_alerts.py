"""Rules of the other rooms, each with what breaks it and what does not, and one order for all."""

from dataclasses import replace
from datetime import date, timedelta
from math import nan

import pandas as pd
import pytest
from hand_visits import Visit, intake

from xlfunnel.analysis import analyse
from xlfunnel.metrics.alerts import ROOM_RULES, Rooms, alerts, diagnosis
from xlfunnel.metrics.flags import RULES, TREND_RULES, Flag
from xlfunnel.metrics.gap_dates import GapDate
from xlfunnel.settings import Settings
from xlfunnel.terms import Diagnosis, FlagCode, GapKind, Severity

NO_FLOORS = Settings(floor_t1=0, floor_t3=0)
Case = tuple[str | None, str, float, float]
"""owner, span, value, limit"""


def passed(n: int, advanced: int, entered: str, days: int = 10, stage: str = "T1", region: str = "LX") -> list[Visit]:
    """So many stays of which so many went on, the others were lost."""
    left = (date.fromisoformat(entered) + timedelta(days)).isoformat()
    return [
        (f"{region}{stage}{entered}{days}-{i}", region, "A", stage, "T2" if i < advanced else "lost", entered, left, 1)
        for i in range(n)
    ]


def found(rows: list[Visit], code: FlagCode, settings: Settings = NO_FLOORS) -> list[Case]:
    raised = analyse(intake(rows, "2025-06-30"), settings).alerts
    return [(f.owner, f.span, f.value, f.limit) for f in raised if f.code == code]


def test_a_step_below_its_own_history_is_blocked() -> None:
    rows = [*passed(60, 45, "2024-09-10"), *passed(40, 8, "2025-03-10")]
    assert found(rows, FlagCode.STEP_BLOCKED) == [(None, "T1-won", pytest.approx(0.2), pytest.approx(0.75))]


def test_a_step_below_its_benchmark_is_measured_by_that() -> None:
    chosen = Settings(floor_t1=0, floor_t3=0, benchmarks={"T1-won": 0.5})
    assert found(passed(40, 8, "2025-03-10"), FlagCode.STEP_BLOCKED, chosen) == [(None, "T1-won", 0.2, 0.5)]


@pytest.mark.parametrize(
    ("high", "limit", "base"),
    [
        pytest.param(0.49, 0.5, {}, id="surely below the benchmark"),
        pytest.param(0.5, 0.75, {"base": 60.0}, id="up to the benchmark: blocked by its history"),
        pytest.param(0.51, 0.75, {"base": 60.0}, id="perhaps above the benchmark"),
    ],
)
def test_a_blocked_step_names_what_it_is_surely_below(high: float, limit: float, base: dict[str, float]) -> None:
    numbers = {"low": 0.1, "high": high, "entered": 40.0, "horizon_days": 10.0}
    row = {
        "region": "LX", "owner": None, "kind": "censored", "month": None, "verdict": "blocked", "from_stage": "T1",
        "to_stage": "T2", "rate": 0.2, "benchmark": 0.5, "history": 0.75, "history_entered": 60, **numbers,
    }  # fmt: skip
    (flag,) = alerts((), replace(rooms({"A": 8}, {}), conversions=pd.DataFrame([row])))
    assert (flag.limit, dict(flag.numbers)) == (limit, numbers | base)


@pytest.mark.parametrize("n", [4, 19], ids=["too few", "greyed"])
def test_few_cases_block_nothing(n: int) -> None:
    rows = [*passed(60, 45, "2024-09-10"), *passed(n, 0, "2025-03-10")]
    assert found(rows, FlagCode.STEP_BLOCKED) == []


def test_a_slower_stage_is_told_with_its_medians() -> None:
    rows = [v for d in range(20) for v in passed(1, 1, "2024-10-01", 10 + d)]
    slow = [v for d in range(20) for v in passed(1, 1, "2025-03-01", 40 + d)]
    assert found(rows + slow, FlagCode.FLOW_SLOWER) == [(None, "T1", 49.5, 19.5)]
    assert found(rows + rows, FlagCode.FLOW_SLOWER) == []


def test_all_regions_together_are_nobody_to_alert() -> None:
    rows = [*passed(60, 45, "2024-09-10"), *passed(40, 8, "2025-03-10")]
    both = rows + [(f"N{v[0]}", "N", *v[2:]) for v in rows]
    raised = analyse(intake(both, "2025-06-30"), NO_FLOORS).alerts  # type: ignore[arg-type]
    assert [f.region for f in raised if f.code == FlagCode.STEP_BLOCKED] == ["LX", "N"]


def rooms(held: dict[str, int], old: dict[str, int]) -> Rooms:
    owners = pd.DataFrame([("LX", o, n, 0, 0, 0, nan) for o, n in held.items()])
    owners.columns = pd.Index(["region", "owner", "T0", "T1", "T2", "T3", "T4"])
    over = pd.DataFrame([("LX", o) for o, n in old.items() for _ in range(n)], columns=["region", "owner"])
    nothing = pd.DataFrame(columns=["region", "owner", "kind", "month", "verdict", "pace"])
    return Rooms(nothing, nothing, over, owners, nothing)


@pytest.mark.parametrize(
    ("held", "old", "expected"),
    [
        pytest.param({"A": 8}, {"A": 3}, [None, "A"], id="3 of 8: the interval begins at 14 %"),
        pytest.param({"A": 8}, {"A": 2}, [], id="2 of 8 may be chance: it begins at 7 %"),
        pytest.param({"A": 5}, {"A": 4}, [None, "A"], id="five are enough"),
        pytest.param({"A": 4}, {"A": 4}, [], id="of four nothing is said"),
        pytest.param({"A": 8, "B": 92}, {"A": 3}, ["A"], id="one rep, the region is not"),
        pytest.param({"": 8, "A": 92}, {"": 8}, [], id="what belongs to nobody is no rep"),
        pytest.param({"A": 8}, {}, [], id="none"),
    ],
)
def test_more_over_age_than_chance_explains(
    held: dict[str, int], old: dict[str, int], expected: list[str | None]
) -> None:
    assert [(f.region, f.owner) for f in alerts((), rooms(held, old))] == [("LX", owner) for owner in expected]


def test_one_order_for_the_flags_and_the_rooms() -> None:
    short = Flag("LX", "A", FlagCode.BELOW_MEAN, 3, 5, Severity.WATCH)
    floor = Flag("LX", None, FlagCode.BELOW_FLOOR_T3, 3, 5, Severity.RISK)
    codes = [(f.severity, f.owner, f.code) for f in alerts((short, floor), rooms({"A": 8}, {"A": 3}))]
    assert codes == [
        (Severity.RISK, None, FlagCode.BELOW_FLOOR_T3),
        (Severity.WATCH, None, FlagCode.OVER_AGE),
        (Severity.WATCH, "A", FlagCode.BELOW_MEAN),
        (Severity.WATCH, "A", FlagCode.OVER_AGE),
    ]


def test_every_flag_has_its_diagnosis() -> None:
    steps = [f"T{i}-{to}" for i, to in enumerate(("T1", "T2", "T3", "T4", "won"))]
    named = {diagnosis(Flag("LX", None, c, 0, 1, Severity.RISK)) for c in FlagCode if c != FlagCode.STEP_BLOCKED}
    named |= {diagnosis(Flag("LX", None, FlagCode.STEP_BLOCKED, 0, 1, Severity.RISK, step)) for step in steps}
    assert named == set(Diagnosis)


def test_every_code_has_its_rule() -> None:
    assert {rule.code for rule in (*RULES, *TREND_RULES, *ROOM_RULES)} == set(FlagCode)


@pytest.mark.parametrize(
    ("kind", "severity"),
    [(GapKind.EXPECTED, "risk"), (GapKind.POSSIBLE, "watch"), (GapKind.NOW, None), (GapKind.NONE, None),
     (GapKind.UNKNOWN, None)],
)  # fmt: skip
def test_a_reserve_that_will_break_is_told_before_it_does(kind: GapKind, severity: str | None) -> None:
    rows = [GapDate("LX", 30, 34, kind, 24310, 24309), GapDate(None, 60, 70, kind, 24310, 24309)]
    breaks = replace(rooms({"A": 8}, {}), gap_dates=pd.DataFrame(rows).astype({"region": object}))
    found = [(f.region, f.severity, f.value, f.limit, dict(f.numbers)) for f in alerts((), breaks)]
    assert found == ([("LX", severity, 34, 30, {"month": 24310, "earliest": 24309})] if severity else [])
