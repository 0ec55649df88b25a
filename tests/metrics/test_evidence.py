"""Recent months and their history; the interval of a difference."""

from datetime import date
from math import isnan, nan

import numpy as np
import pytest
from hand_facts import facts, monthly
from statsmodels.stats.proportion import confint_proportions_2indep

from xlfunnel.calendar import month_of_text
from xlfunnel.metrics.evidence import difference_high, judgement, judgements, windows
from xlfunnel.metrics.proportion import wilson, wilsons
from xlfunnel.settings import Settings
from xlfunnel.terms import Judgement

JAN = month_of_text("2025-01")


@pytest.mark.parametrize(
    ("as_of", "recent_months", "recent", "earlier"),
    [
        (date(2025, 6, 30), 2, (4, 5), (0, 1, 2, 3)),
        (date(2025, 6, 29), 2, (3, 4), (0, 1, 2)),
        (date(2025, 6, 30), 6, (0, 1, 2, 3, 4, 5), ()),
        (date(2025, 6, 30), 9, (0, 1, 2, 3, 4, 5), ()),
        (date(2025, 1, 15), 1, (), ()),
    ],
)
def test_windows(as_of: date, recent_months: int, recent: tuple[int, ...], earlier: tuple[int, ...]) -> None:
    made = facts(monthly("LX", "A", "T0", "2025-01", [1] * as_of.month), as_of)
    found = windows(made, Settings(recent_months=recent_months))
    assert found == (tuple(JAN + i for i in recent), tuple(JAN + i for i in earlier))


@pytest.mark.parametrize("cases", [(8, 20, 50, 100), (0, 20, 5, 40), (20, 20, 20, 20), (56, 70, 48, 80)])
def test_difference_is_newcombes(cases: tuple[int, int, int, int]) -> None:
    _, high = confint_proportions_2indep(*cases, method="newcomb")
    assert difference_high(wilson(*cases[:2]), wilson(*cases[2:])) == pytest.approx(high)


def test_difference_as_published() -> None:
    """Newcombe 1998, table II, case (a): 56/70 less 48/80 lies between 0.0524 and 0.3339."""
    assert difference_high(wilson(56, 70), wilson(48, 80)) == pytest.approx(0.3339, abs=5e-5)
    assert isnan(difference_high(wilson(0, 0), wilson(48, 80)))


@pytest.mark.parametrize(
    ("cases", "benchmark", "history", "verdict"),
    [
        ((3, 4), nan, (0, 0), Judgement.TOO_FEW),
        ((5, 19), nan, (0, 0), Judgement.GREYED),
        ((5, 20), nan, (0, 0), Judgement.COMPARED),
        ((5, 20), 0.6, (0, 0), Judgement.BLOCKED),
        ((5, 20), 0.4, (0, 0), Judgement.COMPARED),
        ((5, 20), nan, (90, 100), Judgement.BLOCKED),
        ((5, 20), nan, (18, 19), Judgement.COMPARED),
    ],
)
def test_judgement_of_one_and_of_many(
    cases: tuple[int, int], benchmark: float, history: tuple[int, int], verdict: Judgement
) -> None:
    assert judgement(cases[1], wilson(*cases), benchmark, wilson(*history), history[1]) == verdict
    (k, n), (past_k, past_n) = (np.array([pair, pair]).T for pair in (cases, history))
    many = judgements(n, wilsons(k, n), np.array([benchmark, benchmark]), wilsons(past_k, past_n), past_n)
    assert many.tolist() == [verdict, verdict]


def test_not_observed_for_long_enough() -> None:
    assert judgement(30, wilson(0, 0)) == Judgement.NOT_YET
