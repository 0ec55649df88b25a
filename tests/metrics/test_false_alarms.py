"""How often each test cries wolf where there is no trend: the claims of the docstrings, counted by simulation."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from xlfunnel.metrics.kendall import kendall
from xlfunnel.metrics.trend import fit
from xlfunnel.terms import Verdict

Floats = NDArray[np.float64]
CLAIMS = (Verdict.DECLINING, Verdict.GROWING)
TRIALS = 1500


def independent(n: int) -> Floats:
    return np.random.default_rng(n).normal(100, 20, size=(TRIALS, n))


def random_walk(n: int) -> Floats:
    return np.random.default_rng(n).normal(size=(TRIALS, n)).cumsum(axis=1)


def share(series: Floats, holds: Callable[[Floats], bool]) -> float:
    return float(np.mean([holds(row) for row in series]))


def claims(row: Floats) -> bool:
    return fit(row).verdict in CLAIMS


def correlations(series: Floats) -> Floats:
    n = series.shape[1]
    x = np.arange(n) - (n - 1) / 2
    y = series - series.mean(axis=1, keepdims=True)
    return (y @ x) / np.sqrt((x @ x) * (y * y).sum(axis=1))


def test_six_trendless_months_give_r_squared_above_a_half_in_11_percent() -> None:
    series = np.random.default_rng(1).normal(size=(100_000, 6))
    assert np.mean(correlations(series) ** 2 > 0.5) == pytest.approx(0.115, abs=0.01)


def test_a_driftless_random_walk_looks_significant_35_percent_of_the_time() -> None:
    r = correlations(np.random.default_rng(2).normal(size=(100_000, 6)).cumsum(axis=1))
    p = 2 * stats.t.sf(np.abs(r) * np.sqrt(4 / (1 - r**2)), 4)
    assert np.mean(p < 0.05) == pytest.approx(0.35, abs=0.03)


@pytest.mark.parametrize("n", [6, 9, 11, 12, 18, 24])
def test_independent_months_are_called_a_trend_less_than_5_percent(n: int) -> None:
    assert share(independent(n), claims) < 0.05


@pytest.mark.parametrize(("n", "at_most"), [(12, 0.11), (18, 0.08), (24, 0.07)])
def test_a_year_of_random_walk_is_seldom_called_a_trend(n: int, at_most: float) -> None:
    walks = random_walk(n)
    assert share(walks, lambda row: kendall(range(n), row).p < 0.05) > 0.5  # what the order alone would claim
    assert share(walks, claims) < at_most


def test_the_flow_p_keeps_its_level_on_random_walks() -> None:
    assert share(random_walk(18), lambda row: fit(row).flow_p < 0.05) == pytest.approx(0.05, abs=0.015)


@pytest.mark.parametrize(
    ("series", "at_least"),
    [
        pytest.param(independent(12) - 20 * np.arange(12), 0.9, id="levels falling by one spread a month"),
        pytest.param(independent(18) - 10 * np.arange(18), 0.6, id="by half a spread, 18 months"),
        pytest.param(random_walk(12) - np.arange(12), 0.8, id="a stock losing one spread of its flow a month"),
    ],
)
def test_real_declines_are_found(series: Floats, at_least: float) -> None:
    assert share(series, lambda row: fit(row).verdict == Verdict.DECLINING) > at_least
