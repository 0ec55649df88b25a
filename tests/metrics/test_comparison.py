"""Reps against their region: limits, shrunk rates, who is placed where, by which step."""

from dataclasses import replace
from math import nan

import numpy as np
import pandas as pd
import pytest
from hand_visits import Visit, intake, visits
from hypothesis import given
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal
from scipy import optimize, stats

from xlfunnel.analysis import FunnelAnalysis, analyse
from xlfunnel.metrics.comparison import AMBER, RED, Comparison, funnel_limits, overdispersion, placement, shrunk_rates
from xlfunnel.settings import Settings
from xlfunnel.terms import Placement

AS_OF = "2025-12-31"
ENGLISH = Settings(language="en", recent_months=12)

counts = st.lists(
    st.integers(0, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), min_size=1, max_size=12
)


@pytest.mark.parametrize(
    ("n", "rate", "low", "high"),
    [
        # P(X ≤ 1) = 11/1024, P(X ≤ 2) = 56/1024, so r = 2 and a = (56 − 25.6) ÷ 45
        pytest.param(10, 0.5, (2 - 30.4 / 45) / 10, 1 - (2 - 30.4 / 45) / 10, id="ten_coins"),
        pytest.param(4, 0.5, 0.0, 1.0, id="four_coins_are_never_odd"),  # P(X = 0) = 1/16 is above 2.5 %
        pytest.param(6, 0.5, (1 - (7 - 1.6) / 6) / 6, 1 - (1 - (7 - 1.6) / 6) / 6, id="six_coins"),  # 1/64 is below
        pytest.param(7, 0.0, 0.0, 0.0, id="nobody_ever"),
        pytest.param(7, 1.0, 1.0, 1.0, id="everybody"),
        pytest.param(0, 0.5, nan, nan, id="no_cases"),
        pytest.param(5, nan, nan, nan, id="no_rate"),
    ],
)
def test_limits_by_hand(n: int, rate: float, low: float, high: float) -> None:
    found = funnel_limits(rate, n, AMBER)
    assert [float(x) for x in found] == pytest.approx([low, high], nan_ok=True)


@given(st.integers(1, 400), st.floats(0.01, 0.99), st.sampled_from([AMBER, RED]))
def test_outside_are_exactly_the_counts_that_are_less_likely_than_the_tail(n: int, rate: float, level: float) -> None:
    low, high = funnel_limits(rate, n, level)
    k, tail = np.arange(n + 1), (1 - level) / 2
    below, above = stats.binom.cdf(k, n, rate), stats.binom.sf(k - 1, n, rate)
    clear = np.abs(below - tail) > 1e-9
    assert ((k / n < low) == (below < tail))[clear].all()
    clear = np.abs(above - tail) > 1e-9
    assert ((k / n > high) == (above < tail))[clear].all()


@given(st.integers(1, 300), st.floats(0.02, 0.98))
def test_limits_enclose_the_rate_each_other_and_narrow_with_cases(n: int, rate: float) -> None:
    low95, high95 = funnel_limits(rate, n, AMBER)
    low998, high998 = funnel_limits(rate, n, RED)
    assert 0 <= low998 <= low95 <= rate <= high95 <= high998 <= 1
    low, high = funnel_limits(rate, 4 * n, AMBER)
    assert high - low < high95 - low95 or (low95, high95) == (0, 1)


def test_limits_of_many_reps_at_once_are_those_of_each() -> None:
    rates, sizes = np.array([0.2, 0.5, nan, 0.9]), np.array([30, 0, 8, 7])
    together = funnel_limits(rates, sizes, RED)
    each = [funnel_limits(p, n, RED) for p, n in zip(rates, sizes, strict=True)]
    assert np.array_equal(together, np.array([[float(x) for x in pair] for pair in each]).T, equal_nan=True)


@pytest.mark.parametrize(
    ("k", "n", "expected"),
    [
        pytest.param([3], [10], [0.3], id="one_rep_is_the_region"),
        pytest.param([5, 5, 5], [10, 10, 10], [0.5] * 3, id="all_alike"),
        pytest.param([4, 6], [10, 10], [0.5, 0.5], id="no_more_than_chance"),
        pytest.param([0, 0], [10, 20], [0, 0], id="nobody_advances"),
        pytest.param([10, 20], [10, 20], [1, 1], id="all_advance"),
        pytest.param([2, 0], [10, 0], [0.2, 0.2], id="the_other_has_no_cases"),
        pytest.param([0, 0], [0, 0], [nan, nan], id="no_cases"),
    ],
)
def test_what_shrinks_wholly_to_the_region(k: list[int], n: list[int], expected: list[float]) -> None:
    assert shrunk_rates(k, n) == pytest.approx(expected, nan_ok=True)


def test_reps_who_clearly_differ_keep_most_of_their_difference() -> None:
    few, many = shrunk_rates([2, 20, 180], [10, 200, 200])[:2]
    region = 202 / 410
    assert region > few > many > 0.1  # 20 % of 10 cases is drawn further than 10 % of 200


def test_a_single_case_draws_its_rep_a_little_from_the_region() -> None:
    region = 200 / 401
    lost, won = shrunk_rates([0, 20, 180], [1, 200, 200])[0], shrunk_rates([1, 20, 180], [1, 200, 200])[0]
    assert 0 < lost < region < won < 1


def test_where_each_rep_wins_all_or_nothing_all_keep_their_rates() -> None:
    assert overdispersion([0, 20], [20, 20]) == pytest.approx(0.999)
    assert shrunk_rates([0, 20], [20, 20]) == pytest.approx([0, 1], abs=1e-3)


@given(counts)
def test_shrunk_rates_lie_between_the_own_and_the_regions(pairs: list[tuple[int, int]]) -> None:
    k, n = np.array(pairs).T
    found = shrunk_rates(k, n)
    if not n.sum():
        assert np.isnan(found).all()
        return
    region = k.sum() / n.sum()
    own = np.where(n > 0, k / np.maximum(n, 1), region)
    assert (np.minimum(own, region) - 1e-12 <= found).all()
    assert (found <= np.maximum(own, region) + 1e-12).all()


@given(counts, st.randoms(use_true_random=False))
def test_the_order_of_the_reps_changes_nothing(pairs: list[tuple[int, int]], random: "np.random.Generator") -> None:
    shuffled = list(pairs)
    random.shuffle(shuffled)
    assert overdispersion(*np.array(pairs).T) == overdispersion(*np.array(shuffled).T)


@pytest.mark.parametrize("seed", range(6))
def test_overdispersion_is_that_of_scipys_beta_binomial(seed: int) -> None:
    """An independent search over scipy's own distribution, in another parameter, finds no likelier one."""
    draw = np.random.default_rng(seed)
    n = draw.integers(5, 80, 15)
    k = draw.binomial(n, draw.beta(3, 5, 15))
    p = k.sum() / n.sum()

    def minus(log_m: float) -> float:
        m = np.exp(log_m)
        return -float(stats.betabinom.logpmf(k, n, m * p, m * (1 - p)).sum())

    best = min((optimize.minimize_scalar(minus, bracket=(b, b + 1)) for b in (0, 2, 5)), key=lambda r: r.fun)
    m = np.exp(best.x)
    if overdispersion(k, n) == 0:
        assert best.fun > -stats.binom.logpmf(k, n, p).sum() - 1e-6
        return
    assert overdispersion(k, n) == pytest.approx(1 / (1 + m), rel=1e-3)
    assert shrunk_rates(k, n) == pytest.approx((k + m * p) / (n + m), rel=1e-4)


def test_shrunk_rates_are_nearer_the_truth_than_the_own_ones() -> None:
    """What they are for: over many teams of a known truth the mean squared error is a good deal smaller."""
    draw = np.random.default_rng(5)
    own_error = shrunk_error = 0.0
    for _ in range(200):
        truth, n = draw.beta(6, 14, 8), draw.integers(5, 40, 8)
        k = draw.binomial(n, truth)
        own_error += float(((k / n - truth) ** 2).sum())
        shrunk_error += float(((shrunk_rates(k, n) - truth) ** 2).sum())
    assert shrunk_error < 0.7 * own_error


def test_reps_alike_are_seldom_called_different() -> None:
    """Of reps of one true rate about 5 % at most lie outside the amber limits, and 0.2 % outside the red ones."""
    draw = np.random.default_rng(6)
    n = draw.integers(20, 60, 20_000)
    rate = draw.binomial(n, 0.3) / n
    for level in (AMBER, RED):
        low, high = funnel_limits(0.3, n, level)
        outside = float(((rate < low) | (rate > high)).mean())
        assert (1 - level) / 3 < outside <= (1 - level) * 1.1


def ladder(**changed: object) -> Placement:
    row: dict[str, object] = {
        "entered": 20, "rate": 0.5, "low998": 0.1, "low95": 0.3, "high95": 0.7, "high998": 0.9, "alone": False,
    }  # fmt: skip
    return placement({**row, **changed})


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"entered": 4, "rate": 0.0}, Placement.TOO_FEW),
        ({"entered": 5, "rate": 0.0}, Placement.GREYED),
        ({"entered": 19, "rate": 0.0}, Placement.GREYED),
        ({"alone": True}, Placement.ALONE),
        ({}, Placement.INSIDE),
        ({"rate": 0.3}, Placement.INSIDE),
        ({"rate": 0.29}, Placement.LOW),
        ({"rate": 0.09}, Placement.VERY_LOW),
        ({"rate": 0.71}, Placement.HIGH),
        ({"rate": 0.91}, Placement.VERY_HIGH),
    ],
)
def test_the_ladder(changed: dict[str, object], expected: Placement) -> None:
    assert ladder(**changed) == expected


def team(per_rep: dict[str, tuple[int, int]], region: str = "LX", stage: str = "T0", went: str = "T1") -> list[Visit]:
    """So many mature stays of each rep, so many of which went on; the others were lost."""
    return [
        (f"{region}{owner}{i}", region, owner, stage, went if i < k else "lost", "2025-03-01", "2025-03-11", 1)
        for owner, (k, n) in per_rep.items()
        for i in range(n)
    ]


def of(rows: list[Visit], settings: Settings = ENGLISH) -> FunnelAnalysis:
    return analyse(intake(rows, AS_OF), settings)


def step(analysis: FunnelAnalysis, owner: str, stage: str = "T0", region: str = "LX") -> dict[str, object]:
    rows = analysis.comparisons
    (found,) = rows[(rows["owner"] == owner) & (rows["from_stage"] == stage) & (rows["region"] == region)].to_dict(
        "records"
    )
    return {str(k): v for k, v in found.items()}


def test_a_team_against_its_own_region() -> None:
    rows = [*team({"A": (31, 40), "B": (9, 40), "C": (20, 40)}), *team({"X": (1, 40), "Y": (2, 40)}, "North")]
    found = of(rows)
    a, b, c, x = (step(found, *who) for who in (("A",), ("B",), ("C",), ("X", "T0", "North")))
    assert [r["region_rate"] for r in (a, b, c, x)] == [0.5, 0.5, 0.5, 3 / 80]
    assert [r["placement"] for r in (a, b, c, x)] == [
        Placement.VERY_HIGH, Placement.VERY_LOW, Placement.INSIDE, Placement.INSIDE,
    ]  # fmt: skip
    assert (a["entered"], a["advanced"], a["rate"]) == (40, 31, 31 / 40)
    shrunk = [float(str(r["shrunk"])) for r in (b, c, a)]
    assert 9 / 40 < shrunk[0] < 0.5 < shrunk[2] < 31 / 40
    assert shrunk[1] == pytest.approx(0.5)


def test_what_belongs_to_nobody_is_no_rep_and_no_yardstick() -> None:
    found = of(team({"A": (20, 40), "": (0, 100)}))
    assert found.comparisons["owner"].unique().tolist() == ["A"]
    assert step(found, "A")["region_rate"] == 0.5
    assert step(found, "A")["placement"] == Placement.ALONE


def test_one_case_of_another_rep_is_company_and_none_is_not() -> None:
    assert step(of(team({"A": (20, 40), "B": (1, 1)})), "A")["placement"] == Placement.INSIDE
    late: list[Visit] = [("late", "LX", "B", "T0", "open", "2025-12-30", None, 1)]
    assert step(of(team({"A": (20, 40)}) + late), "A")["placement"] == Placement.ALONE


def test_immature_cases_do_not_count() -> None:
    late: list[Visit] = [(f"late{i}", "LX", "A", "T0", "open", "2025-12-30", None, 1) for i in range(50)]
    assert step(of(team({"A": (20, 40), "B": (20, 40)}) + late), "A")["entered"] == 40


def test_a_journey_counts_opportunities_from_the_first_time_they_got_so_far() -> None:
    """Twenty reach T2, skip a stage, fall back and come again, and half are won: one case each."""
    rows: list[Visit] = []
    for owner in "AB":
        for i in range(20):
            rows += [
                (f"{owner}{i}", "LX", owner, "T1", "T3", "2025-01-01", "2025-01-05", 1),
                (f"{owner}{i}", "LX", owner, "T3", "T2", "2025-01-05", "2025-01-09", 1),
                (f"{owner}{i}", "LX", owner, "T2", "T4", "2025-01-09", "2025-01-20", 1),
                (f"{owner}{i}", "LX", owner, "T4", "won" if i % 2 else "lost", "2025-01-20", "2025-01-31", 1),
            ]
    found = of(rows)
    overall = found.comparisons[(found.comparisons["from_stage"] == "T2") & (found.comparisons["to_stage"] == "won")]
    assert overall[["entered", "advanced", "horizon_days"]].iloc[0].tolist() == [20, 10, 26]
    assert overall["is_headline"].all()


@pytest.mark.parametrize(
    ("entered", "cases"),
    [("2025-11-30", 5), ("2025-12-01", 4)],
    ids=["open for just the horizon", "its month is not mature"],
)
def test_a_journey_seen_for_its_whole_horizon_is_a_case(entered: str, cases: int) -> None:
    """Four are won after 31 days, which is the horizon; another one is open."""
    rows: list[Visit] = [("open", "LX", "A", "T2", "open", entered, None, 1)]
    for i in range(4):
        rows += [
            (f"won{i}", "LX", "A", "T2", "T3", "2025-01-01", "2025-01-15", 1),
            (f"won{i}", "LX", "A", "T3", "won", "2025-01-15", "2025-02-01", 1),
        ]
    found = of(rows).comparisons
    journey = found[(found["from_stage"] == "T2") & (found["to_stage"] == "won")]
    assert journey[["entered", "advanced", "horizon_days"]].to_numpy().tolist() == [[cases, 4, 31]]


def test_the_headline_is_the_step_nearest_the_win_with_cases_enough() -> None:
    early = team({"A": (10, 20), "B": (10, 20)})
    late = team({"A": (3, 6), "B": (3, 6)}, stage="T3", went="won")
    late = [(f"late{v[0]}", *v[1:]) for v in late]
    chosen = of(early + late).comparisons
    assert set(chosen.loc[chosen["is_headline"], "from_stage"]) == {"T0"}
    only = of(late).comparisons
    assert set(only.loc[only["is_headline"], "from_stage"]) == {"T2"}  # nobody has enough: as near the win as can be


def test_no_visits_no_rows() -> None:
    found = analyse(replace(intake([], AS_OF), visits=visits([])), ENGLISH).comparisons
    assert found.empty
    assert list(found.columns) == list(Comparison._fields)


@pytest.mark.parametrize("went", ["open", "lost"])
def test_all_open_and_all_lost(went: str) -> None:
    rows: list[Visit] = [
        (f"{o}{i}", "LX", o, "T0", went, "2025-01-01", None if went == "open" else "2025-02-01", 1)
        for o in "AB"
        for i in range(30)
    ]
    found = step(of(rows), "A")
    if went == "open":  # nothing says how long an advance takes, so nothing is mature
        assert (found["entered"], found["placement"]) == (0, Placement.TOO_FEW)
        assert pd.isna(found["rate"])
    else:
        assert (found["entered"], found["rate"], found["placement"]) == (30, 0, Placement.INSIDE)


def test_rows_in_any_order_give_the_same() -> None:
    made = intake(team({"A": (12, 30), "B": (25, 31), "C": (4, 33)}), AS_OF)
    shuffled = made.visits.sample(frac=1, random_state=3)
    other = replace(made, visits=shuffled)
    assert_frame_equal(analyse(made, ENGLISH).comparisons, analyse(other, ENGLISH).comparisons)
