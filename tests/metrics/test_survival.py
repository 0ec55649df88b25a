"""Kaplan-Meier, Aalen-Johansen and log-rank: by hand, against lifelines, and against what was simulated."""

from math import exp, isnan, log, nan, sqrt
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lifelines import AalenJohansenFitter, KaplanMeierFitter
from lifelines.statistics import logrank_test
from lifelines.utils import qth_survival_time
from scipy.stats import ecdf, gamma, norm

from xlfunnel.metrics.proportion import wilson
from xlfunnel.metrics.survival import (
    CENSORED,
    COMPETING,
    EVENT,
    LifeTable,
    cumulative_incidence,
    cumulative_incidences,
    kaplan_meier,
    life_table,
    life_tables,
    log_rank,
    quantile,
    quantiles,
)

pytestmark = pytest.mark.filterwarnings("ignore::Warning:lifelines")  # what the oracle has to say of itself and pandas

Case = tuple[int, int]


def table(*cases: Case) -> LifeTable:
    """The life table of (days, kind) cases, one each."""
    return life_table([d for d, _ in cases], [k for _, k in cases], np.ones(len(cases)))


def left(*days: int) -> tuple[Case, ...]:
    return tuple((d, EVENT) for d in days)


def still(*days: int) -> tuple[Case, ...]:
    return tuple((d, CENSORED) for d in days)


@pytest.mark.parametrize(
    ("cases", "curve"),
    [
        (left(10, 20), {10: 1 / 2, 20: 0}),
        (left(10, 10, 20, 20), {10: 1 / 2, 20: 0}),
        ((*left(10), *still(10, 20)), {10: 2 / 3, 20: 2 / 3}),  # the one censored at the tie was still there
        ((*left(5, 15), *still(10)), {5: 2 / 3, 10: 2 / 3, 15: 0}),
        (left(0, 0, 4, 8), {0: 1 / 2, 4: 1 / 4, 8: 0}),
        (still(3, 9), {3: 1, 9: 1}),
        (((5, COMPETING), (9, EVENT)), {5: 1 / 2, 9: 0}),  # an ending is an ending
        ((), {}),
    ],
    ids=["two", "ties", "censored at a tie", "censored between", "no length", "all open", "either kind", "nothing"],
)
def test_curve(cases: tuple[Case, ...], curve: dict[int, float]) -> None:
    made = table(*cases)
    assert made.day.tolist() == list(curve)
    assert kaplan_meier(made).tolist() == pytest.approx(list(curve.values()))


@pytest.mark.parametrize(
    ("cases", "median"),
    [
        (left(10, 20), 15),
        (left(10, 20, 30), 20),
        (left(10, 20, 30, 40), 25),
        (left(10, 20, 20, 30), 20),
        ((*left(10), *still(30)), 10),  # at one half for good: the first day of it
        ((*left(10, 25), *still(15, 30)), 25),  # 3/4, then 3/8
        ((*left(10, 20, 40), *still(15)), 20),  # 3/4, 3/8, 0
        ((*left(10, 20, 30), *still(20, 20, 40)), 30),  # 5/6, 2/3, 1/3
        ((*left(10, 20, 30, 40), *still(10, 20, 20, 40)), 30),
        (left(0, 0, 0, 9), 0),
        ((*left(10), *still(30, 30)), nan),
        (still(5, 6), nan),
        ((), nan),
        (left(7), 7),
    ],
)
def test_median(cases: tuple[Case, ...], median: float) -> None:
    assert quantile(table(*cases), 0.5) == pytest.approx(median, nan_ok=True)


def test_exactly_one_half_is_found_although_fractions_do_not_multiply_to_it() -> None:
    """6/7 · 5/6 · … of the first seven of 14 is one half, but not in floating point on the way."""
    assert quantile(table(*left(*range(1, 15))), 0.5) == 7.5
    assert quantile(table(*left(*range(1, 29))), 0.25) == 7.5


def test_quantiles_by_name() -> None:
    assert quantiles(table(*left(*range(1, 101)))) == (25.5, 50.5, 75.5, 90.5)


FIVE = ((1, EVENT), (2, COMPETING), (3, CENSORED), (4, EVENT), (5, CENSORED))


@pytest.mark.parametrize(
    ("horizon", "rate"), [(0, 0), (1, 1 / 5), (3.9, 1 / 5), (4, 1 / 2), (5, 1 / 2), (6, nan), (nan, nan)]
)
def test_incidence(horizon: float, rate: float) -> None:
    """1/5; then ·4/5·3/4 are left, of two at risk on day 4 one advances: 1/5 + 3/5·1/2. Nobody was seen for 6 days."""
    assert cumulative_incidence(table(*FIVE), horizon).rate == pytest.approx(rate, nan_ok=True)


def test_incidence_interval() -> None:
    """By hand on day 4, with S(t−) 1, 4/5, 3/5 and F(4) − F(t) 3/10, 3/10, 0: variance 0.065."""
    first = 0.09 / (5 * 4) + 0.09 / (4 * 3)
    second = 4 / 125 + 0.36 * 1 / 8
    third = 2 * 0.3 * 1 / 25
    variance = first + second - third
    assert variance == pytest.approx(0.065)
    reach = norm.ppf(0.975) * sqrt(variance) / (0.5 * log(2))
    found = cumulative_incidence(table(*FIVE), 4)
    assert (found.low, found.high) == pytest.approx((0.5 ** exp(reach), 0.5 ** exp(-reach)))


@pytest.mark.parametrize(
    ("cases", "horizon", "rate", "known"),
    [
        ((*still(10, 10, 10), (4, COMPETING)), 10, 0, 4),
        ((*still(2, 10, 10), (4, COMPETING)), 9, 0, 3),
        (left(1, 2, 3), 30, 1, 3),  # all ended: known for ever
        (((3, COMPETING), (5, COMPETING)), 99, 0, 2),
        (left(5, 6), 4, 0, 2),
    ],
    ids=["none advanced", "one not seen so long", "all advanced", "all lost", "before the first"],
)
def test_incidence_of_none_or_all_is_wilsons(cases: tuple[Case, ...], horizon: float, rate: float, known: int) -> None:
    found = cumulative_incidence(table(*cases), horizon)
    assert found == pytest.approx((rate, *wilson(rate * known, known)[1:]))


def test_nothing_has_no_incidence() -> None:
    assert all(isnan(x) for x in cumulative_incidence(table(), 10))


cases_drawn = st.lists(
    st.tuples(st.integers(0, 15), st.sampled_from([CENSORED, EVENT, COMPETING])), min_size=1, max_size=40
)


@given(cases_drawn)
def test_curve_and_median_as_lifelines_has_them(cases: list[Case]) -> None:
    made = table(*cases)
    days, kinds = zip(*cases, strict=True)
    oracle = KaplanMeierFitter().fit(days, [k != CENSORED for k in kinds])
    np.testing.assert_allclose(kaplan_meier(made), oracle.survival_function_at_times(made.day).to_numpy(), atol=1e-12)
    for share in (0.25, 0.5, 0.75, 0.9):
        theirs = float(qth_survival_time(1 - share - 1e-9, oracle))  # strictly below: where no plateau is in the way
        ours, first = quantile(made, share), float(qth_survival_time(1 - share + 1e-9, oracle))
        if theirs == first:
            assert ours == pytest.approx(theirs if np.isfinite(theirs) else nan, nan_ok=True)
        elif np.isfinite(theirs):
            assert ours == (first + theirs) / 2
        else:
            assert ours == first


@given(st.lists(st.sampled_from([CENSORED, EVENT, COMPETING]), min_size=3, max_size=40), st.integers(1, 40))
@settings(max_examples=40)
def test_incidence_as_lifelines_has_it(kinds: list[int], horizon: int) -> None:
    """Without ties, because there lifelines shakes the days; with its variance."""
    if EVENT not in kinds:
        kinds = [*kinds, EVENT]
    days = np.arange(1, len(kinds) + 1)
    horizon = min(horizon, len(kinds))
    oracle: Any = AalenJohansenFitter(calculate_variance=True).fit(days, np.array(kinds), EVENT)
    at = oracle.cumulative_density_.index.get_loc(float(horizon))
    rate, variance = float(oracle.cumulative_density_.iloc[at, 0]), float(oracle.variance_.iloc[at])
    found = cumulative_incidence(table(*zip(days.tolist(), kinds, strict=True)), horizon)
    assert found.rate == pytest.approx(rate)
    if 0 < rate < 1 - 1e-9 and np.isfinite(variance):
        reach = norm.ppf(0.975) * sqrt(max(variance, 0)) / abs(rate * log(rate))
        assert (found.low, found.high) == pytest.approx((rate ** exp(reach), rate ** exp(-reach)), abs=1e-7)


@given(cases_drawn, st.integers(0, 15))
def test_incidence_with_ties_is_that_of_the_curve(cases: list[Case], horizon: int) -> None:
    """Event and competing add up to 1 − S, and with nothing competing the event alone is 1 − Kaplan-Meier."""
    made = table(*cases)
    swapped = table(*((d, {EVENT: COMPETING, COMPETING: EVENT}.get(k, k)) for d, k in cases))
    one, two = (cumulative_incidence(t, horizon) for t in (made, swapped))
    for found in (one, two):
        assert isnan(found.rate) or 0 <= found.low <= found.rate + 1e-9 <= found.high + 2e-9 <= 1 + 3e-9
    if not isnan(one.rate):
        curve = np.append(1.0, kaplan_meier(made)[made.day <= horizon])
        assert one.rate + two.rate == pytest.approx(1 - curve[-1])


def test_without_censoring_incidence_is_the_share() -> None:
    cases = [(d, EVENT if d % 3 == 0 else COMPETING) for d in range(60)]
    assert cumulative_incidence(table(*cases), 29).rate == pytest.approx(10 / 60)
    days = [d for d, k in cases if k == EVENT]
    assert ecdf(days).cdf.evaluate(29) * 20 / 60 == pytest.approx(10 / 60)


@given(cases_drawn, cases_drawn)
def test_log_rank_as_lifelines_has_it(one: list[Case], two: list[Case]) -> None:
    (a, ak), (b, bk) = (zip(*cases, strict=True) for cases in (one, two))
    ours = log_rank(table(*one), table(*two))
    with np.errstate(all="ignore"):
        theirs = logrank_test(a, b, [k != CENSORED for k in ak], [k != CENSORED for k in bk]).p_value
    if not isnan(ours):
        assert ours == pytest.approx(theirs, abs=1e-9)
        assert ours == pytest.approx(log_rank(table(*two), table(*one)))


def test_log_rank_by_hand() -> None:
    """Days 1, 2 against 3, 4. Expected in the first: 2/4 + 1/3; variance 1/4 + 2/9; so (7/6)² ÷ 17/36 = 49/17."""
    p = log_rank(table(*left(1, 2)), table(*left(3, 4)))
    assert p == pytest.approx(2 * norm.sf(sqrt(49 / 17)))
    assert isnan(log_rank(table(*still(1, 2)), table(*still(3))))
    assert isnan(log_rank(table(), table(*left(3))))


@given(cases_drawn, st.integers(1, 5), st.randoms(use_true_random=False))
def test_weights_are_cases_and_order_is_nothing(cases: list[Case], times: int, random: Any) -> None:
    days, kinds = (list(side) for side in zip(*cases, strict=True))
    weighted = life_table(days, kinds, [times] * len(cases))
    many = list(cases) * times
    random.shuffle(many)
    for one, other in zip(weighted, table(*many), strict=True):
        np.testing.assert_array_equal(one, other)


def test_only_the_censor_aware_rate_is_right() -> None:
    """Three in ten advance, slowly (60 days on average); the others are lost fast (20). Entered over the last 180 days.

    200 made-up regions of 250 stays; the truth within 90 days is known.
    """
    draw = np.random.default_rng(20)
    truth = 0.3 * gamma.cdf(90.5, 4, scale=15)  # days are rounded
    covered, rates = 0, []
    for _ in range(200):
        advances = draw.random(250) < 0.3
        days = np.where(advances, draw.gamma(4, 15, 250), draw.gamma(2, 10, 250)).round()
        seen = draw.integers(1, 181, 250)
        kind = np.where(days > seen, CENSORED, np.where(advances, EVENT, COMPETING))
        stays = np.minimum(days, seen)
        found = cumulative_incidence(life_table(stays, kind, np.ones(250)), 90)
        covered += found.low <= truth <= found.high
        within = int(((kind == EVENT) & (stays <= 90)).sum())
        lost = int((kind == COMPETING).sum())
        alone = life_table(stays, np.where(kind == EVENT, EVENT, CENSORED), np.ones(250))
        one_less_km = 1 - kaplan_meier(alone)[alone.day <= 90][-1]
        rates.append((found.rate, within / 250, within / (within + lost), one_less_km))
    censor_aware, of_entered, of_closed, naive = np.mean(rates, axis=0)
    assert 0.92 <= covered / 200 <= 0.98
    assert censor_aware == pytest.approx(truth, abs=0.01)
    assert of_entered < truth - 0.05
    assert of_closed < truth - 0.02
    assert naive > truth + 0.2


@given(st.lists(cases_drawn, min_size=1, max_size=5), st.integers(0, 40))
def test_groups_beside_each_other_are_what_each_is_alone(groups: list[list[Case]], horizon: int) -> None:
    days, kinds = (np.array(side, dtype=np.int64) for side in zip(*(case for g in groups for case in g), strict=True))
    ends = np.cumsum([len(g) for g in groups])
    rows = [np.arange(end - len(g), end) for g, end in zip(groups, ends, strict=True)]
    nobody = np.empty(0, dtype=np.int64)
    (found,) = life_tables(days, kinds, [np.ones(len(days), dtype=np.int64)], [*rows, nobody])
    shares = cumulative_incidences(found, np.full(len(groups) + 1, float(horizon)))
    tests = log_rank(found, LifeTable(found.day, *(np.roll(values, 1, axis=0) for values in found[1:])))
    for i, cases in enumerate([*groups, []]):
        alone, before = table(*cases), table(*[*groups, []][i - 1])
        assert [q[i] for q in quantiles(found)] == pytest.approx([float(q) for q in quantiles(alone)], nan_ok=True)
        assert [p[i] for p in shares] == pytest.approx([*cumulative_incidence(alone, horizon)], nan_ok=True)
        assert tests[i] == pytest.approx(float(log_rank(alone, before)), nan_ok=True)
