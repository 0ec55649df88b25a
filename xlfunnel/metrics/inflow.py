"""How many new opportunities come in, and at which stage: the recent months' rate, as uneven as the months are.

Arrivals of a month are counted with an overdispersed Poisson law. Dispersion D = variance ÷ mean of a month's
arrivals, the variance taken as half the mean squared difference of months that follow each other (von Neumann 1941),
so that a trend is not taken for noise; never below 1. The rate's own uncertainty is that of n ÷ D arrivals seen.
"""

from typing import NamedTuple

import numpy as np

from xlfunnel.calendar import day_number, month_end
from xlfunnel.metrics.sojourns import Flags, Floats, Sojourns, month_of, months_of
from xlfunnel.terms import STAGES

DISPERSION_MONTHS = 12
"""Complete months by which unevenness is measured, where there are so many."""


class Inflow(NamedTuple):
    """arrived (complete month, stage): arrivals from outside, oldest month first; dispersion: D, 1 and more."""

    arrived: Floats
    dispersion: float


def inflow(stays: Sojourns, first_month: int, recent_months: int, chosen: Flags) -> Inflow:
    """The arrivals of the recent complete months, no earlier than `first_month`, and how uneven the months are."""
    last = month_of(stays.day)
    if stays.day < day_number(month_end(last)):
        last -= 1
    months = max(min(max(recent_months, DISPERSION_MONTHS), last - first_month + 1), 0)
    first = last - months + 1
    after, until = (day_number(month_end(m)) for m in (first - 1, last))
    came = chosen & stays.is_arrival & (stays.since > after) & (stays.since <= until)
    place = (months_of(stays.since[came]) - first) * len(STAGES) + stays.stage[came]
    arrived = np.bincount(place, minlength=months * len(STAGES)).reshape(months, len(STAGES)).astype(np.float64)
    return Inflow(arrived[-recent_months:], dispersion(arrived.sum(axis=1)[-DISPERSION_MONTHS:]))


def dispersion(counts: Floats) -> float:
    """D of monthly counts; 1 where there are fewer than two months, or nothing came."""
    if len(counts) < 2 or not counts.mean() > 0:
        return 1.0
    return max(1.0, float((np.diff(counts) ** 2).mean()) / 2 / float(counts.mean()))


def rates(draw: np.random.Generator, seen: Inflow, draws: int, months: int) -> Floats:
    """Drawn arrivals a whole month (draw, coming month, stage), before chance has its way with each single one."""
    count, wide = seen.arrived.sum(axis=0), seen.dispersion
    if not count.any():
        return np.zeros((draws, months, len(STAGES)))
    level = draw.standard_gamma(np.broadcast_to(count / wide, (draws, len(STAGES)))) * wide / len(seen.arrived)
    if wide == 1:
        return np.repeat(level[:, None, :], months, axis=1)
    mean = float(count.sum()) / len(seen.arrived)
    uneven = draw.standard_gamma(mean / (wide - 1), (draws, months)) * (wide - 1) / mean
    return level[:, None, :] * uneven[:, :, None]
