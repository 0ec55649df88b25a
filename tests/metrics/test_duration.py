"""Days in stage: medians with the open ones counted, recent against earlier, the T3 cycle, who is over age."""

from datetime import date, timedelta
from math import isnan, nan
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hand_visits import Visit, visits
from lifelines import KaplanMeierFitter
from lifelines.statistics import logrank_test
from pandas.testing import assert_frame_equal

from xlfunnel.calendar import month_of_text
from xlfunnel.facts import facts_of, standing
from xlfunnel.metrics.duration import PACE_LEVEL, CycleMonth, Duration, cycle, durations, over_age, pace
from xlfunnel.settings import Settings
from xlfunnel.terms import Pace

pytestmark = pytest.mark.filterwarnings("ignore::Warning:lifelines")  # what the oracle has to say of itself and pandas

AS_OF = date(2025, 6, 30)


def stays(days: list[int], entered: str, stage: str = "T3", went: str = "T4", owner: str = "A") -> list[Visit]:
    """Stays that began on one day and ended after so many days; a negative number is one still open."""
    start = date.fromisoformat(entered)
    return [
        (
            f"{owner}{stage}{entered}-{i}", "LX", owner, stage, went if n >= 0 else "open", entered,
            (start + timedelta(n)).isoformat() if n >= 0 else None, 1,
        )
        for i, n in enumerate(days)
    ]  # fmt: skip


def row(frame: pd.DataFrame, stage: str = "T3", owner: str | None = None) -> dict[str, Any]:
    is_owner = frame["owner"].isna() if owner is None else frame["owner"] == owner
    (found,) = frame[is_owner & (frame["stage"] == stage)].to_dict("records")
    return found


@pytest.mark.parametrize(
    ("days", "n_open", "median", "q25", "q75"),
    [
        ([2, 4, 6, 8, 10], 0, 6, 4, 8),
        ([2, 4, 6, 8], 0, nan, nan, nan),  # four are too few
        ([2, 4, 6, 8, 10, 12], 0, 7, 4, 10),  # exactly one half from the sixth day to the eighth
        ([2, 3, 4, 5, 6, -1, -1, -1, -1, -1], 5, 6, 4, nan),  # exactly one half, and for good
        ([1, 2, 3, 4, 5, 6, *[-1] * 8], 8, nan, 4, nan),
        ([2, 4, 6, 8, -1, -1], 2, nan, nan, nan),  # four endings are too few
        ([5, 5, 5, 5, 5], 0, 5, 5, 5),
        ([0, 0, 0, 4, 4], 0, 0, 0, 4),
        ([-1] * 6, 6, nan, nan, nan),
    ],
)
def test_median_and_quartiles(days: list[int], n_open: int, median: float, q25: float, q75: float) -> None:
    found = row(durations(facts_of(visits(stays(days, "2025-05-01")), AS_OF), Settings()))
    assert (found["n"], found["n_open"]) == (len(days), n_open)
    assert [found[c] for c in ("median", "q25", "q75")] == pytest.approx([median, q25, q75], nan_ok=True)


def test_every_ending_counts_and_a_hand_over_is_none() -> None:
    made = [
        ("a", "LX", "A", "T3", "T3", "2025-05-01", "2025-05-10", 1),  # to B, who loses it after 19 days in all
        ("a", "LX", "B", "T3", "lost", "2025-05-10", "2025-05-20", 1),
        *(
            (went, "LX", "B", "T3", went, "2025-05-01", f"2025-05-{day}", 1)
            for went, day in (("T2", 12), ("won", 14), ("gone", 16), ("T4", 18))
        ),
    ]
    table = durations(facts_of(visits(made), AS_OF), Settings())
    assert row(table, owner="B") == pytest.approx(row(table) | {"owner": "B"}, nan_ok=True)
    assert (row(table)["n"], row(table)["median"], row(table)["p90"]) == (5, 15, 19)
    assert row(table, owner="A")["n"] == 0


def test_recent_against_earlier() -> None:
    early, late = [3, 5, 8, 9, 12, 14, 15], [10, 20, 22, 30, 35, -1]
    made = [*stays(early, "2025-01-01"), *stays(late, "2025-05-20"), *stays([1, 2, 3, 4, 5], "2025-06-20")]
    found = row(durations(facts_of(visits(made), date(2025, 6, 29)), Settings(recent_months=2)))
    assert (found["recent_n"], found["earlier_n"]) == (6, 7)  # June is not over
    age = (date(2025, 6, 29) - date(2025, 5, 20)).days
    late_days, ended = [n if n > 0 else age for n in late], [n > 0 for n in late]
    oracle = logrank_test(late_days, early, ended, np.ones(len(early))).p_value
    assert found["log_rank_p"] == pytest.approx(oracle)
    curve = KaplanMeierFitter().fit(late_days, ended).survival_function_at_times([20, 22, 29, 30])
    assert curve.tolist() == pytest.approx([2 / 3, 1 / 2, 1 / 2, 1 / 3])
    assert found["recent_median"] == 26
    assert found["earlier_median"] == 9


def test_too_few_on_either_side_say_nothing() -> None:
    made = [*stays([3, 5, 8, 9, 12, 14, 15], "2025-01-01"), *stays([10, 20, 22, 30], "2025-05-20")]
    found = row(durations(facts_of(visits(made), AS_OF), Settings(recent_months=2)))
    assert isnan(found["recent_median"])
    assert isnan(found["log_rank_p"])
    assert found["earlier_median"] == 9


def test_finished_visits_alone_would_look_fast() -> None:
    draw = np.random.default_rng(11)
    made = []
    for i in range(300):
        entered = AS_OF - timedelta(int(draw.integers(0, 120)))
        made += [
            (f"o{i}", *v[1:])
            for v in stays([int(draw.exponential(50))], entered.isoformat())
            if date.fromisoformat(str(v[6])) <= AS_OF
        ] or [(f"o{i}", "LX", "A", "T3", "open", entered.isoformat(), None, 1)]
    facts = facts_of(visits(made), AS_OF)
    found = row(durations(facts, Settings()))
    finished = facts.durations[facts.durations["next_stage"] != "open"]
    assert finished["days"].repeat(finished["count"]).median() < 27
    assert found["median"] == pytest.approx(50 * np.log(2), abs=5)


def test_cycle_by_month_of_entry() -> None:
    made = [
        *stays([10, 20, 30, 40, 50], "2025-02-01"),
        *stays([5, 6, 7, 8], "2025-04-01"),
        *stays([-1] * 5, "2025-06-01"),
    ]
    found = cycle(facts_of(visits(made), AS_OF))
    assert list(found) == list(CycleMonth._fields)
    february = month_of_text("2025-02")
    assert found["month"].tolist() == [february + i for i in range(5)]
    assert found["n"].tolist() == [5, 0, 4, 0, 5]
    assert found["n_open"].tolist() == [0, 0, 0, 0, 5]
    assert found["median"].tolist() == pytest.approx([30, nan, nan, nan, nan], nan_ok=True)
    assert cycle(facts_of(visits(made), AS_OF), "T1").empty


def test_over_age() -> None:
    ended = stays(list(range(1, 20)), "2025-01-01", owner="B")  # with the two below: nine tenths of 21 within 19 days
    made = [*ended, *stays([-1], "2025-06-11", owner="C"), *stays([-1], "2025-06-10")]
    facts = facts_of(visits(made), AS_OF)
    found = over_age(standing(visits(made), AS_OF), facts)
    assert row(durations(facts, Settings()))["p90"] == 19
    assert found[["owner", "days", "limit_days", "days_over", "amount"]].to_numpy().tolist() == [["A", 20, 19, 1, 1.0]]


def test_a_stage_without_a_limit_has_none_over_age() -> None:
    made = stays([-1] * 9, "2024-01-01")
    assert over_age(standing(visits(made), AS_OF), facts_of(visits(made), AS_OF)).empty
    few = [*stays([1, 2, 3], "2025-01-01"), *stays([-1], "2024-01-01")]
    assert over_age(standing(visits(few), AS_OF), facts_of(visits(few), AS_OF)).empty


def test_nothing() -> None:
    facts = facts_of(visits([]), AS_OF)
    assert list(durations(facts, Settings())) == list(Duration._fields)
    assert durations(facts, Settings()).empty
    assert cycle(facts).empty
    assert over_age(standing(visits([]), AS_OF), facts).empty


def test_order_of_rows_is_nothing() -> None:
    made = visits([*stays([3, 5, 8, 9, -1], "2025-01-01"), *stays([10, 20, -1, 30, 4], "2025-05-20", owner="B")])
    one, other = (facts_of(f, AS_OF) for f in (made, made.sample(frac=1, random_state=4)))
    assert_frame_equal(durations(one, Settings()), durations(other, Settings()))


@pytest.mark.parametrize(
    ("recent", "earlier", "p", "expected"),
    [
        (20, 40, 0.0099, Pace.FASTER),
        (40, 20, 0.0099, Pace.SLOWER),
        (40, 20, PACE_LEVEL, Pace.SAME),  # exactly at the level is not below it
        (40, 20, 0.04, Pace.SAME),  # one of five stages by chance
        (20, 20, 0.001, Pace.DIFFERS),
        (nan, 20, 0.001, Pace.DIFFERS),
        (40, 20, nan, Pace.TOO_FEW),
    ],
)
def test_pace_is_said_only_where_the_test_says_so(recent: float, earlier: float, p: float, expected: Pace) -> None:
    assert pytest.approx(0.01) == PACE_LEVEL
    assert pace(recent, earlier, p) == expected


def test_a_stage_that_became_slower_is_called_so() -> None:
    days = [*range(10, 30)]
    rows = stays(days, "2024-10-01") + stays([d + 30 for d in days], "2025-03-01", owner="B")
    found = row(durations(facts_of(visits(rows), AS_OF), Settings()))
    assert (found["earlier_median"], found["recent_median"]) == (19.5, 49.5)
    assert found["pace"] == Pace.SLOWER
