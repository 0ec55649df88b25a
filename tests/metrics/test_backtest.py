"""The back-test: nothing of the future leaks in, the truth is counted, and the share says what it should."""

from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hand_visits import Visit, visits
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal
from true_pipeline import stays as true_stays

from xlfunnel.calendar import date_of, day_number, month_end, month_of_text
from xlfunnel.facts import stays
from xlfunnel.metrics.backtest import CUTS, backtest, coverage
from xlfunnel.metrics.forecast import MONTHS
from xlfunnel.metrics.sojourns import Sojourns, sojourns
from xlfunnel.settings import Settings
from xlfunnel.terms import STAGES, Measure

AS_OF = date(2025, 6, 30)
BEGIN = date(2025, 1, 1)


def true(seed: int, as_of: date = AS_OF, **law: Any) -> Sojourns:
    return sojourns(true_stays(seed, as_of, **law), as_of)


@pytest.fixture(scope="module")
def tested() -> pd.DataFrame:
    return backtest(true(1), Settings())


def test_cuts_and_horizons(tested: pd.DataFrame) -> None:
    counts = tested[tested["measure"] == Measure.COUNT]
    cuts = counts["cut_month"].drop_duplicates().tolist()
    assert cuts == [month_of_text("2025-05") - i for i in range(CUTS)]
    assert counts.groupby("cut_month").size().tolist() == [*[MONTHS] * (CUTS - MONTHS + 1), 5, 4, 3, 2, 1]
    assert (counts["month"] - counts["cut_month"] == counts["horizon"]).all()


def test_the_truth_is_what_was_won(tested: pd.DataFrame) -> None:
    known = true_stays(1, AS_OF)
    won = known[known["next_stage"] == "won"]
    ends = [date_of(since + days).isoformat()[:7] for since, days in zip(won["since_day"], won["days"], strict=True)]
    for row in tested.itertuples():
        here = won[[month_of_text(e) == row.month for e in ends]]
        actual = len(here) if row.measure == Measure.COUNT else here["amount_cents"].sum() / 100
        assert row.actual == pytest.approx(actual)
        assert row.inside == (row.p10 <= actual <= row.p90)


def test_an_earlier_cut_knows_nothing_of_what_came_later(tested: pd.DataFrame) -> None:
    """The pipeline as it was known on 31 March, tested then and tested now: the same forecasts."""
    march = backtest(true(1, date(2025, 3, 31)), Settings())
    both = march.merge(tested, on=["cut_month", "month", "measure"], suffixes=("_then", "_now"))
    assert len(both) == len(march) - sum(march["cut_month"] < tested["cut_month"].min())
    for name in ("p10", "p50", "p90", "actual"):
        assert both[f"{name}_then"].tolist() == both[f"{name}_now"].tolist(), name


def test_share(tested: pd.DataFrame) -> None:
    amounts = tested[tested["measure"] == Measure.AMOUNT]
    found = coverage(tested, Measure.AMOUNT)
    assert found == (amounts["inside"].mean(), len(amounts))
    nothing = coverage(tested.head(0), Measure.COUNT)
    assert (np.isnan(nothing.share), nothing.n) == (True, 0)


def test_without_history_there_are_no_rows() -> None:
    assert backtest(true(1, date(2023, 12, 31)), Settings()).empty
    assert backtest(sojourns(stays(visits([]), AS_OF), AS_OF), Settings()).empty


def test_the_share_is_near_what_was_promised() -> None:
    found = pd.concat([backtest(true(seed, arrivals=60), Settings()) for seed in range(12)])
    assert coverage(found, Measure.AMOUNT).share == pytest.approx(0.8, abs=0.09)


@st.composite
def journeys(draw: st.DrawFn) -> list[Visit]:
    """Opportunities that wander through the stages, are handed on, close and come back."""
    rows: list[Visit] = []
    for i in range(draw(st.integers(1, 5))):
        day = draw(st.integers(0, 60))
        for _ in range(draw(st.integers(1, 4))):
            left = day + draw(st.integers(0, 40))
            stage = draw(st.sampled_from(STAGES))
            went = draw(st.sampled_from([*STAGES, "won", "lost", "gone"]))
            start, end = (date_of(day_number(BEGIN) + d).isoformat() for d in (day, left))
            rows.append((f"o{i}", "LX", draw(st.sampled_from("AB")), stage, went, start, end, 5))
            day = left + draw(st.integers(0, 3))
    return rows


@effort(max_examples=60)
@given(journeys(), st.integers(0, 200))
def test_known_on_is_what_the_facts_of_that_day_say(rows: list[Visit], ahead: int) -> None:
    day = date_of(day_number(BEGIN) + ahead)
    late = date_of(day_number(BEGIN) + 400)
    whole, then = sojourns(stays(visits(rows), late), late), sojourns(stays(visits(rows), day), day)
    if not len(then):
        assert not len(whole.known_on(day_number(day)))
        return
    found = whole.known_on(day_number(day))
    names = ["stage", "went", "since", "left", "is_open"]
    frames = [
        pd.DataFrame({n: getattr(s, n) for n in names}).sort_values(names, ignore_index=True) for s in (found, then)
    ]
    assert_frame_equal(*frames)


def test_month_end_of_a_cut_counts_as_known() -> None:
    row: Visit = ("a", "LX", "A", "T3", "won", "2025-01-01", "2025-03-31", 1)
    whole = sojourns(stays(visits([row]), AS_OF), AS_OF)
    assert not whole.known_on(day_number(month_end(month_of_text("2025-03")))).is_open.any()
    assert whole.known_on(day_number(date(2025, 3, 30))).is_open.all()
