"""The stock that is enough: by hand, against scipy's binomial, and what must hold for any chances."""

from math import isnan, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from xlfunnel.metrics.safety_stock import chance, safety_stock


def test_five_at_a_quarter_leave_a_chance_of_24_percent_to_win_nothing() -> None:
    assert 1 - chance(5, 1, 0.25) == pytest.approx(0.75**5)
    assert round(1 - chance(5, 1, 0.25), 2) == 0.24


@pytest.mark.parametrize(
    ("win_rate", "wins", "level", "stock"),
    [
        pytest.param(0.25, 1, 0.9, 9, id="0.75^8 = 0.100 is just too much, 0.75^9 = 0.075 is not"),
        pytest.param(0.5, 1, 0.5, 1, id="a coin, half sure: met exactly"),
        pytest.param(0.5, 1, 0.75, 2, id="two coins: met exactly"),
        pytest.param(0.1, 1, 0.19, 2, id="1 − 0.9²: met exactly"),
        pytest.param(0.3, 1, 0.51, 2, id="1 − 0.7²: met exactly"),
        pytest.param(0.2, 1, 0.488, 3, id="1 − 0.8³: met exactly"),
        pytest.param(0.5, 2, 0.75, 5, id="two of four coins: 11 of 16; of five: 26 of 32"),
        pytest.param(0.25, 0, 0.9, 0, id="no win needed"),
        pytest.param(0.25, 3, 0, 0, id="no certainty asked for"),
        pytest.param(0, 0, 1, 0, id="no win needed of the hopeless"),
        pytest.param(1, 3, 1, 3, id="every one is won"),
        pytest.param(0, 1, 0.5, nan, id="the hopeless"),
        pytest.param(0.9, 1, 1, nan, id="certainty"),
        pytest.param(1e-6, 1, 0.9, 2302584, id="ln 0.1 ÷ ln(1 − 1e-6)"),
    ],
)
def test_by_hand(win_rate: float, wins: float, level: float, stock: float) -> None:
    assert safety_stock(win_rate, wins, level) == pytest.approx(stock, nan_ok=True)


rates, levels, needed = st.floats(0.01, 0.99), st.floats(0.01, 0.999), st.integers(1, 40)


@given(rates, needed, levels)
def test_smallest_by_scipys_binomial(win_rate: float, wins: int, level: float) -> None:
    stock = safety_stock(win_rate, wins, level)
    assert stock == int(stock) >= wins
    assert binom.sf(wins - 1, stock, win_rate) >= level - 2e-12
    assert binom.sf(wins - 1, stock - 1, win_rate) < level + 2e-12


@given(st.integers(0, 200), st.integers(0, 40), st.floats(0, 1))
def test_chance_as_scipy(n: int, wins: int, win_rate: float) -> None:
    assert chance(n, wins, win_rate) == pytest.approx(float(binom.sf(wins - 1, n, win_rate)), rel=1e-9, abs=1e-12)


@given(rates, needed, levels)
def test_more_is_never_less(win_rate: float, wins: int, level: float) -> None:
    stock = safety_stock(win_rate, wins, level)
    assert safety_stock(win_rate, wins + 1, level) > stock
    assert safety_stock(win_rate, wins, (level + 1) / 2) >= stock
    assert safety_stock((win_rate + 1) / 2, wins, level) <= stock


@pytest.mark.parametrize(
    "arguments",
    [(-0.1, 1, 0.9), (1.1, 1, 0.9), (0.5, -1, 0.9), (0.5, 1.5, 0.9), (0.5, 1, 1.1), (nan, 1, 0.9), (0.5, nan, 0.9)],
)
def test_what_is_no_question(arguments: tuple[float, float, float]) -> None:
    with pytest.raises(ValueError, match="no such stock"):
        safety_stock(*arguments)


def test_a_chance_too_small_to_count_with() -> None:
    assert isnan(safety_stock(1e-17, 1, 0.9))
