"""The verdict ladder, the published fits, limits and flows of a year, and which trends the check-up draws."""

import json
from dataclasses import replace
from datetime import date
from math import isnan, nan
from pathlib import Path

import numpy as np
import pytest
from hand_facts import LX, facts, monthly
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from xlfunnel.calendar import month_of_text
from xlfunnel.metrics.control import months_back
from xlfunnel.metrics.trend import LADDER, Evidence, Trend, fit, trends, verdict
from xlfunnel.settings import Settings
from xlfunnel.terms import SPANS, Measure, Verdict

STEADY = [60, 55, 52, 46, 44, 38, 35, 30, 27, 21, 18, 13]
"""Twelve months that lose about 4 each: flows and order agree."""


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        pytest.param([], Verdict.NO_DATA, id="nothing"),
        pytest.param([9, 6, 3], Verdict.TOO_SHORT, id="3 months, however straight"),
        pytest.param([7, 7, 7], Verdict.TOO_SHORT, id="3 months alike"),
        pytest.param([9, nan, 6, None, 3], Verdict.TOO_SHORT, id="5 months with 2 gaps"),
        pytest.param([7, 7, 7, 7], Verdict.FLAT, id="4 months alike"),
        pytest.param([0] * 24, Verdict.FLAT, id="two years of nothing"),
        pytest.param([9, 7, 5, 3], Verdict.INDICATIVE_DECLINING, id="4 months down"),
        pytest.param([3, 4, 6, 9, 8], Verdict.INDICATIVE_GROWING, id="5 months up"),
        pytest.param([5, 9, 4, 8], Verdict.NO_TREND, id="4 months up and down"),
        pytest.param(LX["T0-T2"], Verdict.DECLINING_THIN, id="LX T0-T2: Kendall p 0.27"),
        pytest.param(LX["T0-T3"], Verdict.DECLINING_THIN, id="LX T0-T3: OLS p 0.051, Kendall p 0.19"),
        pytest.param(LX["T3"], Verdict.DECLINING, id="LX T3: the alarm"),
        pytest.param([7, 10, 11, 16, 29, 41], Verdict.GROWING, id="LX T3 backwards"),
        pytest.param([10, 11, 9, 12, 10, 14], Verdict.GROWING_THIN, id="6 months, some rise"),
        pytest.param([5, 1, 4, 2, 5, 1, 4, 4], Verdict.NO_TREND, id="8 months of noise"),
        pytest.param([1, 2, 3, 4, 5, 6, 7, -90], Verdict.NO_TREND, id="line down, order up"),
        pytest.param([3, 3, 3, 2, 1, 1, 0], Verdict.DECLINING_THIN, id="7 months in order, Theil-Sen reaches 0"),
        pytest.param(STEADY[:11], Verdict.DECLINING, id="11 months down"),
        pytest.param(STEADY, Verdict.DECLINING, id="12 months down, flows agree"),
        pytest.param(STEADY[::-1], Verdict.GROWING, id="12 months up"),
        pytest.param(
            [50, 52, 49, 60, 38, 52, 35, 47, 58, 34, 37, 30], Verdict.DECLINING_THIN, id="12 months, order only"
        ),
    ],
)
def test_verdict(values: list[float], expected: Verdict) -> None:
    assert fit(values).verdict == expected


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, Verdict.DECLINING),
        ({"direction": 1}, Verdict.GROWING),
        ({"n": 3}, Verdict.TOO_SHORT),
        ({"n": 3, "flat": True}, Verdict.TOO_SHORT),
        ({"flat": True}, Verdict.FLAT),
        ({"n": 5}, Verdict.INDICATIVE_DECLINING),
        ({"n": 5, "direction": 1}, Verdict.INDICATIVE_GROWING),
        ({"n": 5, "least_p": 0.5}, Verdict.NO_TREND),
        ({"least_p": 0.5}, Verdict.NO_TREND),
        ({"least_p": 0.499, "ordered": False}, Verdict.DECLINING_THIN),
        ({"direction": 0}, Verdict.NO_TREND),
        ({"ordered": False}, Verdict.DECLINING_THIN),
        ({"ordered": False, "direction": 1}, Verdict.GROWING_THIN),
        ({"n": 6, "backed": False}, Verdict.DECLINING),
        ({"n": 11, "backed": False}, Verdict.DECLINING),
        ({"n": 12, "backed": False}, Verdict.DECLINING_THIN),
        ({"n": 12, "backed": True}, Verdict.DECLINING),
        ({"n": 12, "backed": True, "ordered": False}, Verdict.DECLINING_THIN),
    ],
    ids=str,
)
def test_ladder(change: dict[str, object], expected: Verdict) -> None:
    clear = Evidence(n=8, flat=False, direction=-1, least_p=0.001, ordered=True, backed=False)
    assert verdict(clear._replace(**change)) == expected


def test_ladder_names_every_verdict() -> None:
    assert {v for rung in LADDER for v in (rung.down, rung.up)} == set(Verdict)


def test_the_published_fits(shared: Path) -> None:
    golden = json.loads((shared / "golden/lx.json").read_text("utf-8"))
    for span, published in golden["fits"].items():
        line = fit(golden["reserve_count"][span])
        assert line.slope == pytest.approx(published["slope"], rel=1e-14)
        assert line.intercept == pytest.approx(published["intercept"], rel=1e-14)
        assert round(line.r_squared, 3) == published["r_squared"]
        assert f"y={line.slope:.3f}x+{line.intercept:.2f}" == published["published"]


@pytest.mark.parametrize(
    ("span", "ols_p", "kendall_p"),
    [("T0-T2", 0.085, 0.27222), ("T0-T3", 0.051, 0.18889), ("T3", 0.0064, 0.0027778)],
)
def test_evidence_of_the_published_months(span: str, ols_p: float, kendall_p: float) -> None:
    line = fit(LX[span])
    assert line.p_value == pytest.approx(ols_p, abs=0.0005)
    assert line.kendall_p == pytest.approx(kendall_p, rel=1e-4)
    assert line.n == 6


def test_gaps_keep_their_place() -> None:
    assert fit([10, nan, 6, None, 2]).slope == -2.0
    assert fit([10, 8, 6, 4], x=[1, 2, nan, 4]).n == 3
    assert fit([10, float("inf"), 6]).n == 2


def test_x_in_any_order() -> None:
    assert fit([5, 1, 3, 2], x=[4, 1, 3, 2]) == fit([1, 2, 3, 5])


def test_lengths_must_agree() -> None:
    with pytest.raises(ValueError, match="x has 2 numbers, the series 3"):
        fit([1, 2, 3], x=[1, 2])


def test_limits_and_flows_need_a_year() -> None:
    short, year = fit(STEADY[:11]), fit(STEADY)
    assert all(isnan(v) for v in (*short.xmr, short.flow_p))
    assert year.xmr.centre == pytest.approx(439 / 12)
    assert year.xmr.high - year.xmr.centre == pytest.approx(2.66 * 47 / 11)
    assert year.xmr.centre - year.xmr.low == pytest.approx(2.66 * 47 / 11)


def test_flow_p_by_hand() -> None:
    """Changes of 1 and 2 by turns, six and five: mean 16/11, squares about it 30/11, so t = 9.24 with 10 degrees."""
    values = np.cumsum([0] + [1, 2] * 5 + [1])
    t = (16 / 11) / (30 / 11 / 10 / 11) ** 0.5
    assert t == pytest.approx(9.24, abs=0.01)
    assert fit(values).flow_p == pytest.approx(2 * stats.t.sf(t, 10), rel=1e-9)
    assert fit(STEADY).flow_p == pytest.approx(stats.ttest_1samp(np.diff(STEADY), 0).pvalue, rel=1e-9)


def test_flow_p_is_per_month_of_distance() -> None:
    """A missing month makes one change over two months: on a straight line it is no odd one out."""
    straight = [100.0 - 3 * i for i in range(14)]
    straight[4] = nan
    assert fit(straight).n == 13
    assert fit(straight).flow_p == 0.0
    assert isnan(fit([*STEADY[:-1], nan]).flow_p)


@pytest.mark.parametrize(
    ("flow_p", "direction", "backed"),
    [(0.049, -1, True), (0.05, -1, False), (0.001, 1, False), (nan, -1, False)],
    ids=["flows agree", "not quite", "the other way", "undefined"],
)
def test_flows_back_a_trend(flow_p: float, direction: int, backed: bool) -> None:
    """A stock that drifts off in one smooth wave: its limits are broken, but not believed, as months carry over."""
    wave = 10 * np.cos(np.arange(12) / 11 * np.pi)
    line = fit(wave)
    fitted = line.slope * np.arange(1, 13) + line.intercept
    assert wave[0] > line.xmr.high
    assert months_back(direction, flow_p, wave, fitted, alpha=0.05) == backed


def test_limits_back_a_trend_of_months_that_do_not_carry_over() -> None:
    zigzag = np.array([40.0, 36, 38, 33, 35, 30, 31, 26, 28, 22, 24, 19])
    line = fit(zigzag)
    assert line.flow_p > 0.05
    assert zigzag[-1] < line.xmr.low
    assert line.verdict == Verdict.DECLINING


def test_an_early_month_beyond_the_limit_backs_a_decline() -> None:
    values = np.array([57.0, 37, 38, 39, 36, 38, 32, 37, 30, 34, 28, 29])
    line = fit(values)
    assert line.flow_p > 0.05
    assert values[0] > line.xmr.high
    assert values.min() > line.xmr.low
    assert line.verdict == Verdict.DECLINING


def test_input_is_not_changed() -> None:
    values, x = np.array([3.0, nan, 1.0, 2.0]), np.array([4.0, 1.0, 2.0, 3.0])
    before = values.copy(), x.copy()
    fit(values, x)
    np.testing.assert_array_equal(values, before[0])
    np.testing.assert_array_equal(x, before[1])


SERIES = st.lists(st.integers(0, 500), min_size=4, max_size=16)


@given(SERIES, st.sampled_from([0.25, 2.0, 1024.0]))
def test_amounts_scaled_scale_the_line(values: list[int], k: float) -> None:
    here, there = fit(values), fit([k * v for v in values])
    assert there.slope == pytest.approx(k * here.slope, rel=1e-12, abs=1e-12)
    assert there.intercept == pytest.approx(k * here.intercept, rel=1e-12, abs=1e-9)
    assert there.r_squared == pytest.approx(here.r_squared, rel=1e-12, nan_ok=True)
    assert (there.kendall_p, there.verdict) == pytest.approx((here.kendall_p, here.verdict), nan_ok=True)


@given(SERIES, st.integers(-500, 500))
def test_x_shifted_moves_only_the_intercept(values: list[int], shift: int) -> None:
    here, there = fit(values), fit(values, x=[i + 1 + shift for i in range(len(values))])
    assert repr(there._replace(intercept=0.0)) == repr(here._replace(intercept=0.0))
    assert there.intercept == pytest.approx(here.intercept - here.slope * shift, rel=1e-9, abs=1e-9)


@given(SERIES)
def test_time_reversed_turns_the_verdict(values: list[int]) -> None:
    turned = {"declining": "growing", "growing": "declining"}
    word = str(fit(values).verdict)
    for a, b in turned.items():
        if a in word:
            word = word.replace(a, b)
            break
    assert fit(values[::-1]).verdict == word


def lx_year() -> list[tuple[object, ...]]:
    rows = monthly("LX", "A", "T3", "2024-07", [9, 9, 8, 9, 8, 8, *LX["T3"]])
    rows += monthly("LX", "A", "T0", "2025-01", [n - 10 for n in LX["T0-T2"]])
    return rows + monthly("LX", "B", "T1", "2025-01", [10] * 6)


def of(found: tuple[Trend, ...], region: str | None, owner: str | None, span: str, measure: Measure) -> Trend:
    (trend,) = [t for t in found if (t.region, t.owner, t.span, t.measure) == (region, owner, span, measure)]
    return trend


def test_trends_of_one_region() -> None:
    found = trends(facts(lx_year(), date(2025, 6, 30)), Settings(trend_months=6))
    assert [(t.region, t.owner, t.measure) for t in found if t.span == "T3"] == [
        ("LX", None, Measure.COUNT),
        ("LX", None, Measure.AMOUNT),
        ("LX", "A", Measure.COUNT),
        ("LX", "B", Measure.COUNT),
    ]
    for span in SPANS:
        trend = of(found, "LX", None, span, Measure.COUNT)
        assert trend.values == LX[span]
        assert repr(trend.fit) == repr(fit(LX[span]))
    amount = of(found, "LX", None, "T0-T3", Measure.AMOUNT)
    assert amount.values == tuple(100.0 * n for n in LX["T0-T3"])
    assert of(found, "LX", "B", "T3", Measure.COUNT).fit.verdict == Verdict.FLAT


def test_trends_of_more_regions_have_a_total() -> None:
    rows = [*monthly("N", "A", "T0", "2025-01", [1, 2, 3]), *monthly("S", "A", "T0", "2025-01", [10, 20, 30])]
    found = trends(facts(rows, date(2025, 3, 31)), Settings())
    assert of(found, None, None, "T0-T2", Measure.COUNT).values == (11.0, 22.0, 33.0)
    assert of(found, "S", "A", "T0-T2", Measure.COUNT).values == (10.0, 20.0, 30.0)


def test_a_partial_month_is_left_out() -> None:
    rows = monthly("LX", "A", "T0", "2025-01", [5, 6, 7, 99])
    day_before_the_end = of(trends(facts(rows, date(2025, 4, 29)), Settings()), "LX", None, "T0-T2", Measure.COUNT)
    assert day_before_the_end.values == (5.0, 6.0, 7.0)
    assert day_before_the_end.months == tuple(month_of_text(f"2025-0{m}") for m in (1, 2, 3))
    at_the_end = of(trends(facts(rows, date(2025, 4, 30)), Settings()), "LX", None, "T0-T2", Measure.COUNT)
    assert at_the_end.values == (5.0, 6.0, 7.0, 99.0)


@pytest.mark.parametrize(("window", "n"), [(0, 15), (1, 1), (12, 12), (600, 15)])
def test_window(window: int, n: int) -> None:
    rows = monthly("LX", "A", "T0", "2024-01", range(15))
    found = trends(facts(rows, date(2025, 3, 31)), Settings(trend_months=window))
    assert of(found, "LX", None, "T0-T2", Measure.COUNT).values == tuple(map(float, range(15 - n, 15)))


def test_no_data_has_trends_that_say_so() -> None:
    found = trends(facts([], date(2025, 6, 30)), Settings())
    assert {t.fit.verdict for t in found} == {Verdict.NO_DATA}
    assert of(found, None, None, "T3", Measure.COUNT).owner is None


def test_row_order_does_not_matter_and_facts_are_not_changed() -> None:
    ordered = facts(lx_year(), date(2025, 6, 30))
    before = ordered.reserves.copy()
    mixed = replace(ordered, reserves=ordered.reserves.sample(frac=1, random_state=3))
    assert repr(trends(mixed, Settings())) == repr(trends(ordered, Settings()))
    assert ordered.reserves.equals(before)
