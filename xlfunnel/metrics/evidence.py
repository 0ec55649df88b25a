"""How much so many cases may say, and which months are recent: one convention for every comparison."""

from math import nan
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from xlfunnel.facts import Facts
from xlfunnel.metrics.proportion import Floats, Proportion, Proportions
from xlfunnel.metrics.reserve import complete_months
from xlfunnel.settings import Settings
from xlfunnel.terms import Judgement

FEW = 5
"""With fewer cases only k of n is shown, no rate is judged."""

ENOUGH = 20
"""From so many cases on a rate is compared; with FEW and more it is shown in grey."""


_RUNGS = (Judgement.TOO_FEW, Judgement.NOT_YET, Judgement.GREYED, Judgement.BLOCKED, Judgement.BLOCKED)


class Windows(NamedTuple):
    """Complete months: the last `settings.recent_months` of them, and those before; ascending."""

    recent: tuple[int, ...]
    earlier: tuple[int, ...]


def windows(facts: Facts, settings: Settings) -> Windows:
    """The recent months and the history they are compared with; the running month is in neither."""
    months = complete_months(facts)
    return Windows(months[-settings.recent_months :], months[: -settings.recent_months])


def judgement(
    n: float, found: Proportion, benchmark: float = nan, history: Proportion | None = None, n_history: float = 0
) -> Judgement:
    """The ladder: under FEW cases too few, under ENOUGH greyed, else compared; blocked only where it is surely worse.

    Blocked: the interval lies wholly below the benchmark, or the interval of the difference to its own history, of
    ENOUGH cases too, lies wholly below 0 (`difference_high`), so that the history's own uncertainty counts.
    NaN as benchmark = none. A rate of NaN with FEW cases and more has not been observed for long enough.
    """
    conditions = _ladder(n, found, benchmark, history or Proportion(nan, nan, nan), n_history)
    return next((rung for holds, rung in zip(conditions, _RUNGS, strict=True) if holds), Judgement.COMPARED)


def judgements(
    n: NDArray[np.int64], found: Proportions, benchmark: Floats, history: Proportions, n_history: NDArray[np.int64]
) -> NDArray[np.object_]:
    """`judgement` of many."""
    conditions = _ladder(n, found, benchmark, history, n_history)
    rung = np.select(conditions, range(len(_RUNGS)), default=len(_RUNGS))
    return np.asarray(np.array([*_RUNGS, Judgement.COMPARED], dtype=object)[rung])


def _ladder(n: Any, found: Any, benchmark: Any, history: Any, n_history: Any) -> tuple[Any, ...]:
    """Whether each of _RUNGS holds, of which the first that does decides; of numbers or of arrays."""
    is_worse = difference_high(found, history) < 0
    return n < FEW, found.rate != found.rate, n < ENOUGH, found.high < benchmark, (n_history >= ENOUGH) & is_worse


def difference_high(one: Any, other: Any) -> Any:
    """Upper limit of the 95 % interval of one − other, out of the two intervals; NaN if either is undefined.

    Newcombe's square-and-add (method 10, Statistics in Medicine 17, 1998): d + √((high₁ − rate₁)² + (rate₂ − low₂)²).
    Of two `Proportion` or two `Proportions`.
    """
    return one.rate - other.rate + np.hypot(one.high - one.rate, other.rate - other.low)
