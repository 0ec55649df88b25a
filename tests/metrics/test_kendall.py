"""Kendall's S, tau and exact p: by hand, by brute force over all orders, and against scipy and pymannkendall."""

from itertools import permutations
from math import factorial, isnan, nan

import numpy as np
import pymannkendall
import pytest
from hand_facts import LX
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from xlfunnel.metrics.kendall import EXACT_UP_TO, inversions, kendall


def brute_p(values: list[float], x: list[float] | None = None) -> float:
    """P(|S| ≥ |s|) over every order of the values, counted one by one."""

    def s_of(order: tuple[float, ...]) -> int:
        at = x or list(range(len(order)))
        return sum(
            int(np.sign(at[j] - at[i]) * np.sign(order[j] - order[i])) for j in range(len(order)) for i in range(j)
        )

    observed = abs(s_of(tuple(values)))
    return float(np.mean([abs(s_of(order)) >= observed for order in permutations(values)]))


@pytest.mark.parametrize(
    ("values", "s", "p"),
    [
        pytest.param((1, 2), 1, 1.0, id="two points prove nothing"),
        pytest.param((1, 2, 3), 3, 2 / 6, id="three in order: 2 of 6 orders"),
        pytest.param((3, 2, 1), -3, 2 / 6, id="down as up"),
        pytest.param((1, 2, 3, 4), 6, 2 / 24, id="four in order: 2 of 24"),
        pytest.param((1, 3, 2, 4), 4, 8 / 24, id="one swap: 2·(1+3) of 24"),
        pytest.param((1, 1, 2), 2, 2 / 3, id="a tie: orders 112 121 211, two of them as extreme"),
        pytest.param((1, 2, 1), 0, 1.0, id="symmetric: S is 0"),
        pytest.param(LX["T0-T2"], -7, 196 / 720, id="LX T0-T2: 0.27"),
        pytest.param(LX["T0-T3"], -8, 68 / 360, id="LX T0-T3 with 92 twice: 0.19"),
        pytest.param(LX["T3"], -15, 2 / 720, id="LX T3 falls every month: 0.0028"),
    ],
)
def test_by_hand(values: tuple[float, ...], s: int, p: float) -> None:
    result = kendall(range(len(values)), values)
    assert (result.s, result.exact) == (s, True)
    assert result.p == pytest.approx(p, rel=1e-14)


@pytest.mark.parametrize(
    ("groups", "counts"),
    [
        ((), (1,)),
        ((1,), (1,)),
        ((3,), (1,)),
        ((1, 1), (1, 1)),
        ((1, 1, 1), (1, 2, 2, 1)),
        ((1, 1, 1, 1), (1, 3, 5, 6, 5, 3, 1)),
        ((2, 2), (1, 1, 2, 1, 1)),
        ((1, 2), (1, 1, 1)),
    ],
    ids=str,
)
def test_inversions_by_hand(groups: tuple[int, ...], counts: tuple[int, ...]) -> None:
    assert inversions(groups) == counts


def test_inversions_count_every_order_once() -> None:
    assert sum(inversions((1,) * EXACT_UP_TO)) == factorial(EXACT_UP_TO)
    assert sum(inversions((1, 2, 3, 4, 5))) == factorial(15) // (2 * 6 * 24 * 120)


@given(st.lists(st.integers(0, 4), min_size=2, max_size=7))
def test_exact_p_with_ties_is_the_share_of_all_orders(values: list[int]) -> None:
    result = kendall(range(len(values)), values)
    if len(set(values)) == 1:
        assert isnan(result.p)
        assert isnan(result.tau)
    else:
        assert result.p == pytest.approx(brute_p(values), rel=1e-12)


@given(st.lists(st.integers(0, 2), min_size=2, max_size=6).filter(lambda x: len(set(x)) > 1), st.randoms())
def test_exact_p_with_ties_in_x_is_the_share_of_all_orders(x: list[int], random: object) -> None:
    values = list(range(len(x)))
    random.shuffle(values)
    result = kendall(x, values)
    assert result.exact
    assert result.p == pytest.approx(brute_p(values, x), rel=1e-12)


@given(st.permutations(range(14)), st.integers(2, 14))
def test_without_ties_as_scipys_exact_method(order: list[int], n: int) -> None:
    values = order[:n]
    theirs = stats.kendalltau(range(n), values, method="exact")
    ours = kendall(range(n), values)
    assert ours.tau == pytest.approx(theirs.statistic, abs=1e-12)
    assert ours.p == pytest.approx(theirs.pvalue, rel=1e-9)


@given(st.lists(st.integers(0, 9), min_size=3, max_size=40).filter(lambda v: len(set(v)) > 1))
def test_s_and_tau_as_pymannkendall_and_scipy(values: list[int]) -> None:
    ours = kendall(range(len(values)), values)
    assert ours.s == pymannkendall.original_test(values).s
    assert ours.tau == pytest.approx(stats.kendalltau(range(len(values)), values).statistic, abs=1e-12)


def test_approximation_is_used_and_said_where_both_have_ties() -> None:
    x, y = [1, 1, 2, 3, 4, 5, 6, 7], [2, 3, 3, 1, 4, 4, 6, 5]
    ours = kendall(x, y)
    assert not ours.exact
    z = stats.norm.isf(stats.kendalltau(x, y, method="asymptotic").pvalue / 2)  # scipy: no continuity correction
    assert ours.p == pytest.approx(2 * stats.norm.sf(z * (ours.s - 1) / ours.s), rel=1e-9)
    assert ours.p == pytest.approx(brute_p(y, x), abs=0.01)


def test_approximation_beyond_the_exact_table_joins_on() -> None:
    rng = np.random.default_rng(3)
    values = rng.normal(size=EXACT_UP_TO + 1) + 0.01 * np.arange(EXACT_UP_TO + 1)
    ours = kendall(range(len(values)), values)
    assert not ours.exact
    assert ours.p == pytest.approx(pymannkendall.original_test(values).p, rel=1e-9)
    assert ours.p == pytest.approx(stats.kendalltau(range(len(values)), values, method="exact").pvalue, abs=1e-4)


@pytest.mark.parametrize("values", [(), (5,), (5, 5), (5, 5, 5, 5)], ids=str)
def test_nothing_to_rank_is_undefined(values: tuple[float, ...]) -> None:
    result = kendall(range(len(values)), values)
    assert result.s == 0
    assert result.tau is nan
    assert result.p is nan


def test_only_the_order_of_x_matters() -> None:
    values = (4.0, 1.0, 3.0, 2.0, 9.0)
    assert kendall((1, 2, 3, 4, 5), values) == kendall((-1e9, 0, 1e-9, 5, 1e12), values)
