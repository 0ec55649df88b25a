"""Wilson's interval: against statsmodels, and what must hold for any counts."""

from math import isnan

import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.proportion import proportion_confint

from xlfunnel.metrics.proportion import wilson, wilsons


@pytest.mark.parametrize(
    ("k", "n", "low", "high"),
    [
        pytest.param(0, 10, 0.0, 0.2775, id="none of ten may still be a quarter"),
        pytest.param(10, 10, 0.7225, 1.0, id="mirror of none"),
        pytest.param(5, 10, 0.2366, 0.7634, id="half of ten"),
        pytest.param(1, 1, 0.2065, 1.0, id="one of one proves little"),
        pytest.param(81, 263, 0.2553, 0.3662, id="Newcombe 1998, table I"),
        pytest.param(15, 148, 0.0624, 0.1605, id="Newcombe 1998, table I"),
    ],
)
def test_published(k: int, n: int, low: float, high: float) -> None:
    found = wilson(k, n)
    assert found.rate == k / n
    assert (found.low, found.high) == pytest.approx((low, high), abs=5e-5)


counts = st.integers(1, 10**9).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@given(counts, st.sampled_from([0.5, 0.8, 0.95, 0.998]))
def test_as_statsmodels(case: tuple[int, int], confidence: float) -> None:
    found = wilson(*case, confidence)
    expected = proportion_confint(*case, alpha=1 - confidence, method="wilson")
    assert (found.low, found.high) == pytest.approx(expected, rel=1e-9, abs=1e-12)


@given(counts)
def test_whatever_the_counts(case: tuple[int, int]) -> None:
    k, n = case
    found = wilson(k, n)
    assert 0 <= found.low <= found.rate <= found.high <= 1
    assert found.low < found.high
    mirror = wilson(n - k, n)
    assert (1 - mirror.high, 1 - mirror.low) == pytest.approx((found.low, found.high), abs=1e-9)
    assert wilson(10 * k, 10 * n).high - wilson(10 * k, 10 * n).low < found.high - found.low


@given(st.lists(counts, min_size=1))
def test_many_are_what_each_is(cases: list[tuple[int, int]]) -> None:
    cases = [*cases, (0, 0)]
    found = zip(*wilsons(*zip(*cases, strict=True)), strict=True)
    for one, case in zip(found, cases, strict=True):
        assert one == pytest.approx(wilson(*case), rel=1e-12, nan_ok=True)


def test_without_cases_nothing_is_known() -> None:
    assert all(isnan(part) for part in wilson(0, 0))


@pytest.mark.parametrize("case", [(-1, 5), (6, 5), (float("nan"), 5), (1, float("nan"))])
def test_what_is_no_share(case: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="no share"):
        wilson(*case)


@pytest.mark.parametrize("confidence", [0, 1, -0.5, 95])
def test_what_is_no_confidence(confidence: float) -> None:
    with pytest.raises(ValueError, match="confidence"):
        wilson(1, 2, confidence)
