"""The two lines: certified values, what moving the data must not change, degenerate series, oracles."""

import json
from math import isnan, nan
from pathlib import Path

import numpy as np
import pymannkendall
import pytest
import statsmodels.api as sm
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from xlfunnel.metrics.line import is_flat, least_squares, theil_sen
from xlfunnel.metrics.trend import fit

NORRIS = json.loads((Path(__file__).parents[1] / "golden/nist_norris.json").read_text("utf-8"))
SERIES = st.lists(st.integers(-1000, 1000), min_size=3, max_size=24).filter(lambda v: len(set(v)) > 1)


def right_digits(value: float, certified: float) -> float:
    """NIST's LRE: the number of leading digits that agree."""
    return 15.0 if value == certified else -float(np.log10(abs(value - certified) / abs(certified)))


def test_nist_norris_to_twelve_digits() -> None:
    line = fit(NORRIS["y"], NORRIS["x"])
    certified = NORRIS["certified"]
    for name in ("slope", "intercept", "r_squared"):
        assert right_digits(getattr(line, name), certified[name]) >= 12, name
    slope_sd = (line.slope_high - line.slope) / stats.t.ppf(0.975, 34)
    assert right_digits(slope_sd, certified["slope_sd"]) >= 11  # the width of the interval costs a digit


@pytest.mark.parametrize(("dx", "dy"), [(1e8, 0.0), (0.0, 1e12), (1e8, 1e12), (-1e8, -1e12)], ids=str)
def test_moving_the_data_moves_only_the_intercept(dx: float, dy: float) -> None:
    x, y = np.arange(1.0, 7), np.array([162.0, 113, 76, 59, 68, 85])
    here, there = fit(y, x), fit(y + dy, x + dx)
    assert there.slope == here.slope
    assert there.r_squared == here.r_squared
    assert there.p_value == here.p_value
    assert (there.slope_low, there.slope_high) == (here.slope_low, here.slope_high)
    assert there.theil_sen_slope == here.theil_sen_slope
    assert there.kendall_p == here.kendall_p
    assert there.verdict == here.verdict
    assert there.intercept == pytest.approx(here.intercept + dy - here.slope * dx, rel=1e-14)


def test_norris_moved_far_keeps_its_digits() -> None:
    """x + 1e8 rounds the data to 1.5e-8: the line can be no better than that, and is no worse."""
    line = fit(NORRIS["y"], np.array(NORRIS["x"]) + 1e8)
    assert line.slope == pytest.approx(NORRIS["certified"]["slope"], rel=1e-10)
    assert line.r_squared == pytest.approx(NORRIS["certified"]["r_squared"], rel=1e-12)


@given(SERIES)
def test_least_squares_as_scipy_and_statsmodels(values: list[int]) -> None:
    y, x = np.array(values, dtype=float), np.arange(1.0, len(values) + 1)
    ours, theirs = least_squares(x, y), stats.linregress(x, y)
    assert ours.slope == pytest.approx(theirs.slope, abs=1e-9)
    assert ours.intercept == pytest.approx(theirs.intercept, abs=1e-8)
    assert ours.r_squared == pytest.approx(theirs.rvalue**2, abs=1e-9)
    model = sm.OLS(y, sm.add_constant(x)).fit()
    assume(model.ssr > 1e-9)  # of a perfect line only rounding is left, in theirs as in ours
    assert ours.p_value == pytest.approx(model.pvalues[1], rel=1e-6, abs=1e-12)
    assert (ours.slope_low, ours.slope_high) == pytest.approx(model.conf_int()[1].tolist(), rel=1e-7, abs=1e-8)


@given(SERIES.filter(lambda v: len(v) >= 5))
def test_theil_sen_as_scipy_and_pymannkendall(values: list[int]) -> None:
    y, x = np.array(values, dtype=float), np.arange(1.0, len(values) + 1)
    ours, theirs = theil_sen(x, y), stats.theilslopes(y, x, 0.95)
    assert ours.slope == pytest.approx(theirs.slope, abs=1e-12)
    assert (ours.low, ours.high) == pytest.approx((theirs.low_slope, theirs.high_slope), abs=1e-12)
    assert ours.slope == pytest.approx(pymannkendall.sens_slope(values).slope, abs=1e-12)


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=5, max_size=20))
def test_both_lines_with_any_x(points: list[tuple[int, int]]) -> None:
    x, y = (np.array(v, dtype=float) for v in zip(*points, strict=True))
    assume(len(set(x)) > 1 and len(set(y)) > 1)
    assert least_squares(x, y).slope == pytest.approx(stats.linregress(x, y).slope, abs=1e-9)
    with np.errstate(invalid="ignore"):  # scipy's root of a variance below 0
        theirs = stats.theilslopes(y, x, 0.95)
    expected = (theirs.slope, theirs.low_slope, theirs.high_slope)
    assert tuple(theil_sen(x, y)) == pytest.approx(expected, abs=1e-12, nan_ok=True)


def test_theil_sen_interval_keeps_its_promise_for_five_months() -> None:
    """At 5 points the interval is least…greatest slope, which misses only if all 5 are in order: 2 of 120."""
    rng = np.random.default_rng(5)
    inside = [low <= 0 <= high for _, low, high in (theil_sen(np.arange(5.0), rng.normal(size=5)) for _ in range(4000))]
    assert np.mean(inside) == pytest.approx(1 - 2 / 120, abs=0.008)


def test_flat_series() -> None:
    line = fit([7.0] * 6)
    assert (line.slope, line.intercept, line.n, line.theil_sen_slope) == (0.0, 7.0, 6, 0.0)
    undefined = (line.r_squared, line.p_value, line.slope_low, line.slope_high, line.theil_sen_low, line.kendall_p)
    assert all(isnan(v) for v in undefined)


def test_flat_but_for_the_last_bit() -> None:
    assert is_flat(np.array([0.1 + 0.2, 0.3, 0.3]))
    assert not is_flat(np.array([1e12, 1e12 + 1]))


def test_two_points_have_a_line_but_no_evidence() -> None:
    line = fit([3.0, 5.0])
    assert (line.slope, line.intercept, line.r_squared, line.n, line.theil_sen_slope) == (2.0, 1.0, 1.0, 2, 2.0)
    assert all(isnan(v) for v in (line.p_value, line.slope_low, line.slope_high, line.theil_sen_low))


@pytest.mark.parametrize("values", [[], [4.0], [nan, 4.0, nan]], ids=["none", "one", "one among gaps"])
def test_under_two_points_there_is_no_line(values: list[float]) -> None:
    line = fit(values)
    assert line.n == sum(not isnan(v) for v in values)
    assert all(isnan(v) for v in (line.slope, line.intercept, line.r_squared, line.p_value, line.theil_sen_slope))


def test_no_line_without_two_different_x() -> None:
    assert isnan(fit([1.0, 2.0, 3.0, 4.0], [5.0] * 4).slope)
    assert theil_sen(np.ones(6), np.arange(6.0)).slope is nan


def test_a_perfect_line_is_certain() -> None:
    line = fit([10.0, 8.0, 6.0, 4.0])
    assert (line.slope, line.r_squared, line.p_value) == (-2.0, 1.0, 0.0)
    assert (line.slope_low, line.slope_high) == (-2.0, -2.0)
