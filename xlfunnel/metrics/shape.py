"""Funnel shape: what stands in each stage now, what entered it over the recent months, and where it narrows.

The narrowing ratio of a stage is what entered it ÷ what entered the stage before. Hand-overs enter nothing; what fell
back or was taken up again enters once more, and what skipped a stage did not enter it. The ratio can exceed 1, since
opportunities may begin in any stage and those of the month before move on in this one.

Its interval: given how many entered both stages together, those of the later one are a binomial share p of them, and
the ratio is p ÷ (1 − p); so the ends of Wilson's interval of p, carried over (two Poisson counts, conditioned on their
sum: Przyborowski and Wilenski 1940). As entries follow from one another, the truth scatters less: cautious limits.

The history is the region's, or the owner's, own: the same ratio over all complete months before the recent ones.
"""

from collections.abc import Hashable, Iterator
from math import nan
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from xlfunnel.facts import Facts
from xlfunnel.metrics.evidence import ENOUGH, FEW, judgement, windows
from xlfunnel.metrics.levels import monthly_counts, stages_met, whos
from xlfunnel.metrics.proportion import Proportion, wilson
from xlfunnel.settings import Settings
from xlfunnel.terms import Col, Judgement

USUAL = (0.1, 0.5, 0.9)
"""Shares of the earlier month ends that lay below the lower, the middle and the upper usual ratio of stocks."""


class StageShape(NamedTuple):
    """One stage of a funnel. `shape` gives a frame with these columns.

    region, owner    None = all regions together, the region as a whole
    now              opportunities that stand in the stage as of `as_of`
    entered          entries of the recent complete months first_month…last_month (numbers; None = there are none)
    now_before, entered_before  the same of the stage before; 0 where there is none
    ratio            entered ÷ entered of the stage before, low…high its 95 % interval; NaN where nothing entered before
    history          the same ratio of all earlier complete months; history_entered: what entered the stage before then
    verdict          by the entries of the stage before: see `metrics.evidence.judgement`; "blocked" = it narrows more
                     steeply than it used to
    now_ratio        now ÷ now of the stage before; NaN where none stand there
    usual            the middle of now_ratio at the earlier month ends, usual_low…usual_high a tenth and nine tenths of
                     them: for the eye, not judged

    In the first stage there is nothing before: ratios NaN, verdict None.
    """

    region: str | None
    owner: str | None
    stage: str
    now: int
    entered: int
    first_month: int | None
    last_month: int | None
    ratio: float
    low: float
    high: float
    history: float
    history_entered: int
    verdict: Judgement | None
    now_ratio: float
    usual_low: float
    usual: float
    usual_high: float
    now_before: int
    entered_before: int


def shape(facts: Facts, settings: Settings) -> pd.DataFrame:
    """The funnel of everyone, stage by stage, totals first: a frame with the columns of `StageShape`.

    Where reserves were counted elsewhere nothing is known of entries: they are 0, and only stocks have ratios.
    """
    rows = list(_rows(facts, settings))
    frame = pd.DataFrame(rows, columns=list(StageShape._fields))
    for name in ("region", "owner", "first_month", "last_month", "verdict"):
        frame[name] = pd.Series([getattr(r, name) for r in rows], dtype=object)
    return frame


def ratio(later: int, before: int) -> Proportion:
    """later ÷ before (0 and more) with the interval described above; all NaN where `before` is 0."""
    if before == 0:
        return Proportion(nan, nan, nan)
    share = wilson(later, later + before)
    return Proportion(later / before, share.low / (1 - share.low), share.high / (1 - share.high))


def steepest(rows: pd.DataFrame) -> dict[Hashable, Any] | None:
    """Of the stages of one funnel that are compared with a history, the row whose ratio is least against it."""
    judged = rows["verdict"].isin((Judgement.COMPARED, Judgement.BLOCKED)) & (rows["history_entered"] >= ENOUGH)
    found = rows[judged & (rows["history"] > 0)]
    return None if found.empty else found.to_dict("records")[int((found["ratio"] / found["history"]).argmin())]


def unusual(rows: pd.DataFrame) -> dict[Hashable, Any] | None:
    """Of the stages of one funnel that stand below their usual ratio of stocks, the one furthest below its middle.

    Only where FEW and more stand in the stage before; None = none does.
    """
    found = rows[(rows["now_before"] >= FEW) & (rows["now_ratio"] < rows["usual_low"]) & (rows["usual"] > 0)]
    return None if found.empty else found.to_dict("records")[int((found["now_ratio"] / found["usual"]).argmin())]


def _rows(facts: Facts, settings: Settings) -> Iterator[StageShape]:
    recent, earlier = windows(facts, settings)
    first, last = (recent[0], recent[-1]) if recent else (None, None)
    stages = stages_met(facts)
    came = facts.arrivals[facts.arrivals[Col.CAME_FROM] != facts.arrivals[Col.STAGE]]
    entries, stocks = monthly_counts(came, facts), monthly_counts(facts.reserves, facts)
    late, early = ([m - facts.first_month for m in months] for months in (recent, earlier))
    lately, earlier_on = (entries[..., months].sum(axis=-1) for months in (late, early))
    for i, who in enumerate(whos(facts)):
        before: _Stage | None = None
        for j, stage in enumerate(stages):
            stock = stocks[i, j]
            here = _Stage(int(stock[-1]), int(lately[i, j]), int(earlier_on[i, j]), stock[early])
            yield StageShape(*who, stage, here.now, here.recent, first, last, **_narrowing(here, before)._asdict())
            before = here


class _Stage(NamedTuple):
    """What stands in a stage now, entries of the recent and of the earlier months, stocks at earlier month ends."""

    now: int
    recent: int
    earlier: int
    stocks: NDArray[np.int64]


class _Narrowing(NamedTuple):
    """The columns of `StageShape` that compare a stage with the one before."""

    ratio: float = nan
    low: float = nan
    high: float = nan
    history: float = nan
    history_entered: int = 0
    verdict: Judgement | None = None
    now_ratio: float = nan
    usual_low: float = nan
    usual: float = nan
    usual_high: float = nan
    now_before: int = 0
    entered_before: int = 0


def _narrowing(here: _Stage, before: _Stage | None) -> _Narrowing:
    if before is None:
        return _Narrowing()
    found, past = ratio(here.recent, before.recent), ratio(here.earlier, before.earlier)
    verdict = judgement(before.recent, found, history=past, n_history=before.earlier)
    now_ratio = here.now / before.now if before.now else nan
    stood = before.stocks > 0
    low, middle, high = _usual(here.stocks[stood] / before.stocks[stood])
    compared = (*found, past.rate, before.earlier, verdict)
    return _Narrowing(*compared, now_ratio, low, middle, high, before.now, before.recent)


def _usual(ratios: NDArray[np.float64]) -> list[float]:
    """The quantiles USUAL, as np.quantile has them, which takes ten times as long over so few."""
    if not len(ratios):
        return [nan] * len(USUAL)
    places = np.arange(len(ratios))
    return [float(r) for r in np.interp(np.multiply(USUAL, places[-1]), places, np.sort(ratios))]
