"""The forecast: pipelines that leave nothing to chance, what must always hold, and coverage where the law is known."""

from dataclasses import replace
from datetime import date, timedelta
from random import Random

import numpy as np
import pandas as pd
import pytest
from clockwork import AS_OF, clockwork
from hand_visits import Visit, visits
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal
from true_pipeline import stays as true_stays

from xlfunnel.calendar import month_of_text
from xlfunnel.facts import facts_of, stays
from xlfunnel.metrics.forecast import Forecast, forecast, silence
from xlfunnel.metrics.periods import months_in
from xlfunnel.metrics.reserve import flows
from xlfunnel.metrics.simulation import ahead
from xlfunnel.metrics.sojourns import WON, Sojourns, sojourns
from xlfunnel.settings import Settings, Target
from xlfunnel.terms import STAGES, Measure, Silence

NONE = Settings()


def of(rows: list[Visit], as_of: date = AS_OF) -> Sojourns:
    return sojourns(stays(visits(rows), as_of), as_of)


def row(found: Forecast, period: str, measure: Measure = Measure.COUNT, region: str | None = "LX") -> pd.Series:
    rows = found.rows
    there = np.array([r == region for r in rows["region"]], dtype=bool)
    here = rows[there & (rows["period"] == period) & (rows["measure"] == measure)]
    assert len(here) == 1
    return here.iloc[0]


@pytest.fixture(scope="module")
def steady() -> Forecast:
    return forecast(of(clockwork()), NONE)


def test_clockwork_goes_on_as_a_clock(steady: Forecast) -> None:
    """What entered on 15 June is won on 25 July; what comes later, 40 days after it comes: 6 a month."""
    july = row(steady, "2025-07")
    assert (july["closed"], july["open_p10"], july["open_p50"], july["open_p90"], july["new_p50"]) == (0, 6, 6, 6, 0)
    october = row(steady, "2025-10")
    assert (october["open_p90"], october["open_mean"] < 0.2) == (0, True)
    assert october["new_p50"] in (5, 6, 7)
    assert october["total_p10"] < 6 < october["total_p90"]


def test_amounts_follow_their_opportunities(steady: Forecast) -> None:
    july = row(steady, "2025-07", Measure.AMOUNT)
    assert (july["open_p10"], july["open_p50"], july["total_p90"]) == (600, 600, 600)


def test_closed_months_of_a_quarter_are_counted_not_drawn() -> None:
    """As of 31 May: April brought 6 wins (entered 15 March), May 6 (15 April); June will (15 May)."""
    found = forecast(of(clockwork(), date(2025, 5, 31)), NONE)
    quarter = row(found, "2025-Q2")
    assert (quarter["closed"], quarter["total_p50"]) == (12, 18)
    assert row(found, "2025-Q3")["closed"] == 0
    assert set(found.rows["period"]) == {*(f"2025-{m:02d}" for m in range(6, 12)), "2025-Q2", "2025-Q3"}


def test_the_running_month_has_both() -> None:
    """As of 24 June: what entered on 15 May is won on the 24th, so June is all closed; in July nothing is left out."""
    found = forecast(of(clockwork(), date(2025, 6, 24)), NONE)
    assert row(found, "2025-06")["closed"] == 6
    assert row(found, "2025-06")["total_p90"] <= 7
    before = forecast(of(clockwork(), date(2025, 6, 20)), NONE)
    assert (row(before, "2025-06")["closed"], row(before, "2025-06")["total_p50"]) == (0, 6)


def test_all_lost_from_one_stage_never_wins() -> None:
    lost: list[Visit] = [(f"l{i}", "LX", "A", "T2", "lost", "2025-01-01", "2025-01-31", 7) for i in range(50)]
    standing: list[Visit] = [(f"s{i}", "LX", "A", "T2", "open", "2025-06-10", None, 7) for i in range(50)]
    alone, both = forecast(of(clockwork()), NONE), forecast(of(clockwork() + lost + standing), NONE)
    assert row(both, "2025-07")["open_p90"] == row(alone, "2025-07")["open_p90"]


def test_unknown_amounts_are_drawn_from_known_ones_of_the_stage() -> None:
    rows = [(*r[:7], None if r[0].endswith(("0", "1")) else 100) for r in clockwork()]
    july = row(forecast(of(rows), NONE), "2025-07", Measure.AMOUNT)
    assert (july["open_p10"], july["open_p90"]) == (600, 600)


def test_without_any_amount_amounts_are_undefined_and_counts_are_not() -> None:
    rows = [(*r[:7], None) for r in clockwork()]
    found = forecast(of(rows), NONE)
    assert row(found, "2025-07", Measure.AMOUNT)[["open_p50", "new_p50", "total_p50"]].isna().all()
    assert row(found, "2025-07")["open_p50"] == 6


def test_target_gap_and_coverage() -> None:
    """600 of July are as good as won; of the quarter's 2,000 nothing is closed, 600 stand open in all."""
    aims = (Target("", "2025-07", 1000), Target("LX", "2025-Q3", 2000), Target("", "2025-08", 0))
    found = forecast(of(clockwork()), replace(NONE, targets=aims))
    july, quarter = row(found, "2025-07", Measure.AMOUNT), row(found, "2025-Q3", Measure.AMOUNT)
    assert (july["target"], july["gap"]) == (1000, 400)
    assert july["weighted_coverage"] == pytest.approx(0.6, abs=0.02)
    assert (quarter["target"], quarter["open_coverage"]) == (2000, 0.3)
    assert quarter["gap"] == 2000 - quarter["total_p50"]
    assert np.isnan(row(found, "2025-08", Measure.AMOUNT)["open_coverage"])  # nothing left to reach
    assert np.isnan(row(found, "2025-09", Measure.AMOUNT)["gap"])
    assert np.isnan(row(found, "2025-07")["target"])  # of counts there is none


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ([], Silence.NO_FLOWS),
        (clockwork(months=11), Silence.SHORT_HISTORY),
        ([(*r[:4], "lost", *r[5:]) for r in clockwork(18)], Silence.NO_STEPS),
        (clockwork(14, 1), Silence.FEW_CLOSED),
        ([(*r[:4], "lost" if r[4] == "won" else r[4], *r[5:]) for r in clockwork(18)], Silence.FEW_WON),
        (clockwork(13), None),
    ],
    ids=["nothing", "short", "no_steps", "few_closed", "no_win", "enough"],
)
def test_silence(rows: list[Visit], why: Silence | None) -> None:
    assert silence(of(rows)) == why
    found = forecast(of(rows), NONE)
    assert (why is None) == bool(len(found.rows)) == bool(len(found.stock))
    assert found.why_silent("LX") == why


def test_a_region_with_too_little_is_silent_but_counts_in_the_total() -> None:
    rows = clockwork() + clockwork(3, 4, region="HD")
    found = forecast(of(rows), NONE)
    assert found.silent == {"HD": Silence.SHORT_HISTORY}
    assert set(found.rows["region"]) == {None, "LX"}
    assert row(found, "2025-07", region=None)["total_p50"] == 10
    assert row(found, "2025-07")["total_p50"] == 6


def test_regions_add_to_the_total_in_what_is_closed_and_expected() -> None:
    found = forecast(of(clockwork() + clockwork(a_month=4, days=55, region="HD"), date(2025, 5, 31)), NONE)
    for period in ("2025-06", "2025-Q2", "2025-Q3"):
        parts = [row(found, period, region=r) for r in ("LX", "HD")]
        whole = row(found, period, region=None)
        for name in ("closed", "open_mean"):
            assert whole[name] == pytest.approx(sum(p[name] for p in parts), rel=1e-9), (period, name)


def test_the_stock_of_a_clock() -> None:
    """Each stands 20 days in T3 from the 15th on: at every month's end the six of that month."""
    found = forecast(of(clockwork()), NONE).stock
    assert found["month"].tolist() == list(range(month_of_text("2025-07"), month_of_text("2025-07") + 6))
    assert found["p50"].between(3, 6).all()  # the day within the month at which they arrive is not learnt
    assert (found["p10"] <= found["p50"]).all()


@pytest.mark.parametrize(
    ("day", "first", "ends"),
    [("2025-06-30", "2025-07", [31, 62]), ("2025-06-29", "2025-06", [1, 32]), ("2024-02-29", "2024-03", [31, 61])],
)
def test_months_ahead(day: str, first: str, ends: list[int]) -> None:
    found = ahead((date.fromisoformat(day) - date(1970, 1, 1)).days, 2)
    assert (found[0], found[1].tolist()) == (month_of_text(first), ends)


@st.composite
def pipelines(draw: st.DrawFn) -> list[Visit]:
    """A clock of 14 months with a few more opportunities anywhere."""
    more: list[Visit] = []
    for i in range(draw(st.integers(0, 8))):
        start = date(2025, 6, 30) - timedelta(draw(st.integers(0, 500)))
        end = start + timedelta(draw(st.integers(0, 200)))
        went = draw(st.sampled_from(["won", "lost", "gone", "open"]))
        amount = draw(st.one_of(st.none(), st.integers(0, 10_000)))
        region, stage = draw(st.sampled_from(["LX", "HD"])), draw(st.sampled_from(STAGES))
        left = None if went == "open" else end.isoformat()
        more.append((f"m{i}", region, "B", stage, went, start.isoformat(), left, amount))
    return clockwork(14, 2) + more


@effort(max_examples=15)
@given(pipelines(), st.randoms(use_true_random=False))
def test_what_always_holds(rows: list[Visit], shuffle: Random) -> None:
    frame = visits(rows)
    found = forecast(sojourns(stays(frame, AS_OF), AS_OF), NONE)
    order = list(range(len(frame)))
    shuffle.shuffle(order)
    again = forecast(sojourns(stays(frame.iloc[order], AS_OF), AS_OF), NONE)
    assert_frame_equal(found.rows, again.rows)
    assert_frame_equal(found.stock, again.stock)
    known = found.rows
    for part in ("open", "total"):
        assert (known[f"{part}_p10"] <= known[f"{part}_p50"]).all()
        assert (known[f"{part}_p50"] <= known[f"{part}_p90"]).all()
    assert (known["total_p10"] >= known["closed"]).all()
    facts = facts_of(frame, AS_OF)
    for region, period, measure, closed in known[["region", "period", "measure", "closed"]].itertuples(index=False):
        name = {Measure.COUNT: "won", Measure.AMOUNT: "won_amount"}[measure]
        assert closed == pytest.approx(flows(facts, region)[name].reindex(months_in(period)).sum()), (region, period)


def test_amounts_scale_and_another_seed_differs() -> None:
    rows = [(*r[:7], 100 + int(r[0][-1]) * 30) for r in clockwork()]
    once, thrice = forecast(of(rows), NONE).rows, forecast(of([(*r[:7], 3 * (r[7] or 0)) for r in rows]), NONE).rows
    amount = once["measure"] == Measure.AMOUNT
    for name in ("open_p10", "open_mean", "new_p50", "total_p50", "total_p90"):
        assert thrice.loc[amount, name].tolist() == pytest.approx((3 * once.loc[amount, name]).tolist())
    assert not forecast(of(rows), NONE, seed=1).rows.equals(once)


def test_eight_in_ten_truths_lie_between_p10_and_p90() -> None:
    """40 pipelines of known law, forecast after two years, then let run on: 80 % of the months' amounts lie inside.

    The months of one pipeline hang together, so the sampling error is that of some 100 independent ones: 4 %.
    """
    then, later = date(2024, 12, 31), date(2025, 6, 30)
    inside, over = [], []
    for seed in range(40):
        known, truth = (sojourns(true_stays(seed, day, arrivals=60), day) for day in (then, later))
        found = forecast(known, NONE).rows
        won = truth.went == WON
        for line in found[found["measure"] == Measure.AMOUNT].itertuples():
            actual = truth.amount[won & np.isin(truth.left_month, months_in(line.period))].sum()
            inside.append(line.total_p10 <= actual <= line.total_p90)
            over.append(actual > line.total_p50)
    assert np.mean(inside) == pytest.approx(0.8, abs=0.08)
    assert np.mean(over) == pytest.approx(0.5, abs=0.12)
