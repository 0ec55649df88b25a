"""Nurture plans: when one is proposed, becomes somebody's own, stays, closes, and is proposed anew."""

from datetime import date, datetime
from math import isnan, nan

import pandas as pd
import pytest

from xlfunnel.metrics.flags import Flag
from xlfunnel.metrics.plan import PLAN_COLUMNS, Plan, plans
from xlfunnel.terms import Diagnosis, FlagCode, PlanStatus, Severity

JUNE, JULY, AUGUST = date(2025, 6, 30), date(2025, 7, 31), date(2025, 8, 31)
ID = "LX·B·T3·2025-06-30"


def short(owner: str, held: float, code: FlagCode = FlagCode.BELOW_FLOOR_T3, region: str = "LX") -> Flag:
    return Flag(region, owner, code, held, 5, Severity.RISK)


def owners(held: dict[tuple[str, str], float]) -> pd.DataFrame:
    rows = [(region, owner, n, n, n) for (region, owner), n in held.items()]
    return pd.DataFrame(rows, columns=["region", "owner", "T1", "T3", "reserve"])


def row(plan_id: str = ID, **typed: object) -> dict[str, object]:
    stands = {"plan_id": plan_id, "region": "LX", "owner": "B", "opened": datetime(2025, 6, 30), "start": 2.0}
    return dict.fromkeys(PLAN_COLUMNS) | stands | typed


def of(*rows: dict[str, object], flags: tuple[Flag, ...] = (), held: float = 2, as_of: date = JULY) -> tuple[Plan, ...]:
    typed = pd.DataFrame(list(rows), columns=list(PLAN_COLUMNS), dtype=object)
    return plans(flags, owners({("LX", "B"): held}), typed, as_of)


def test_a_proposal_bears_the_day_of_the_check_up_and_what_is_held() -> None:
    (plan,) = of(flags=(short("B", 2),), as_of=JUNE)
    assert plan == Plan(
        ID, "LX", "B", Diagnosis.SHORT_T3, JUNE, 2, 2, 3, False, PlanStatus.OPEN, None, pytest.approx(nan, nan_ok=True)
    )
    (later,) = of(flags=(short("B", 2),), as_of=JULY)
    assert later.plan_id == "LX·B·T3·2025-07-31"


def test_nobody_short_and_a_region_that_is_propose_nothing() -> None:
    assert of() == ()
    assert of(flags=(Flag("LX", None, FlagCode.BELOW_FLOOR_T3, 2, 5, Severity.RISK),)) == ()
    assert of(flags=(Flag("LX", "B", FlagCode.OVER_AGE, 0.5, 0.1, Severity.WATCH),)) == ()


def test_what_somebody_typed_into_keeps_name_opening_and_start() -> None:
    (plan,) = of(row(status="doing"), flags=(short("B", 1),), held=1)
    assert (plan.plan_id, plan.opened, plan.start, plan.now, plan.missing) == (ID, JUNE, 2, 1, 4)
    assert (plan.is_own, plan.status, plan.closed) == (True, PlanStatus.DOING, None)


def test_it_stays_when_the_rep_is_no_longer_short_and_when_the_rep_has_left() -> None:
    (plan,) = of(row(), held=6)
    assert (plan.start, plan.now) == (2, 6)
    assert isnan(plan.missing)
    (gone,) = of(row(owner="Z", plan_id="LX·Z·T3·2025-06-30", status="doing"))
    assert (gone.owner, gone.is_closed) == ("Z", False)
    assert isnan(gone.now)


@pytest.mark.parametrize("status", ["done", "dropped"])
def test_closing_keeps_the_day_and_what_was_held_then(status: str) -> None:
    (first,) = of(row(status=status, now=4.0), held=6)
    assert (first.closed, first.end, first.is_closed) == (JULY, 6, True)  # the 4 are of the run before
    (later,) = of(row(status=status, now=6.0, closed=datetime(2025, 7, 31)), held=1, as_of=AUGUST)
    assert (later.closed, later.end, later.now) == (JULY, 6, 1)


def test_reopened_it_goes_on() -> None:
    (plan,) = of(row(status="doing", now=6.0, closed=datetime(2025, 7, 31)), held=1, as_of=AUGUST)
    assert (plan.is_closed, plan.closed, plan.now) == (False, None, 1)
    assert isnan(plan.end)


def test_done_and_short_again_is_a_new_plan_with_a_name_of_its_own() -> None:
    done = row(status="done", now=6.0, closed=datetime(2025, 7, 31))
    new, old = of(done, flags=(short("B", 1),), held=1, as_of=AUGUST)
    assert (new.plan_id, new.start, old.plan_id) == ("LX·B·T3·2025-08-31", 1, ID)
    same_day = row("LX·B·T3·2025-07-31", status="done")
    assert of(same_day, flags=(short("B", 1),))[0].plan_id == "LX·B·T3·2025-07-31/2"
    second = row("LX·B·T3·2025-07-31/2", status="done")
    names = [p.plan_id for p in of(same_day, second, flags=(short("B", 1),))]
    assert names[0] == "LX·B·T3·2025-07-31/3"
    assert len(set(names)) == 3


def test_dropped_is_silent_for_the_month() -> None:
    dropped = row(status="dropped", now=2.0, closed=datetime(2025, 7, 3))
    assert len(of(dropped, flags=(short("B", 2),), as_of=JULY)) == 1
    assert len(of(dropped, flags=(short("B", 2),), as_of=AUGUST)) == 2


def test_names_that_hold_the_separator_or_are_not_ours() -> None:
    name = "LX·买买提·艾力·T3·2025-06-30"
    (plan,) = of(row(name, owner="买买提·艾力"), held=0)
    assert (plan.region, plan.owner, plan.diagnosis) == ("LX", "买买提·艾力", Diagnosis.SHORT_T3)
    (own,) = of(row("my own idea", region=None, owner=None, opened=None, start=None, status="doing"))
    assert (own.plan_id, own.diagnosis, own.opened, own.status) == ("my own idea", None, None, PlanStatus.DOING)
    (bare,) = of(row(region=None, owner=None, opened=None, start=None))  # only the name is left
    assert (bare.region, bare.owner, bare.opened) == ("LX", "B", JUNE)


def test_the_most_urgent_first_closed_ones_last() -> None:
    flags = (
        short("B", 3, FlagCode.BELOW_MEAN), short("B", 2, FlagCode.BELOW_FLOOR_T1), short("C", 4), short("B", 2),
        short("A", 0, region="N"),
    )  # fmt: skip
    typed = pd.DataFrame([row(status="done"), row("LX·D·T3·2025-06-30", owner="D")], columns=list(PLAN_COLUMNS))
    held = owners({("LX", o): 2 for o in "BCD"} | {("N", "A"): 0})
    found = [(p.region, p.owner, p.diagnosis, p.is_closed) for p in plans(flags, held, typed.astype(object), JULY)]
    assert found == [
        ("LX", "B", "short_T3", False), ("LX", "C", "short_T3", False), ("LX", "D", "short_T3", False),
        ("LX", "B", "short_T1", False), ("LX", "B", "short_reserve", False), ("N", "A", "short_T3", False),
        ("LX", "B", "short_T3", True),
    ]  # fmt: skip
