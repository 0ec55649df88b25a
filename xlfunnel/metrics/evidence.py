"""How much so many cases may say, and which months are recent: one convention for every comparison."""

from math import hypot, isnan, nan
from typing import NamedTuple

from xlfunnel.facts import Facts
from xlfunnel.metrics.proportion import Proportion
from xlfunnel.metrics.reserve import complete_months
from xlfunnel.settings import Settings
from xlfunnel.terms import Judgement

FEW = 5
"""With fewer cases only k of n is shown, no rate is judged."""

ENOUGH = 20
"""From so many cases on a rate is compared; with FEW and more it is shown in grey."""


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
    if n < FEW:
        return Judgement.TOO_FEW
    if isnan(found.rate):
        return Judgement.NOT_YET
    if n < ENOUGH:
        return Judgement.GREYED
    if found.high < benchmark:
        return Judgement.BLOCKED
    if history is not None and n_history >= ENOUGH and difference_high(found, history) < 0:
        return Judgement.BLOCKED
    return Judgement.COMPARED


def difference_high(one: Proportion, other: Proportion) -> float:
    """Upper limit of the 95 % interval of one − other, out of the two intervals; NaN if either is undefined.

    Newcombe's square-and-add (method 10, Statistics in Medicine 17, 1998): d + √((high₁ − rate₁)² + (rate₂ − low₂)²).
    """
    return one.rate - other.rate + hypot(one.high - one.rate, other.rate - other.low)
