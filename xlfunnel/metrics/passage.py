"""Where an opportunity will be: chances over several stages, out of the weekly chances of each.

A semi-Markov path: how long a stay lasts and where it goes depends on the stage and on the time spent in it, not on
what was before. So the chance to be won within t weeks is what this week brings, then the chance within t − 1 weeks
from wherever that leads. Moves happen in the middle of a week, on average.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from xlfunnel.metrics.hazards import AGES, WEEK, Hazards
from xlfunnel.metrics.sojourns import WON, Floats, Integers

WINS, STANDS = 0, 1
"""The two questions of `passage`, along its second axis."""


class Paths(NamedTuple):
    """Chances week by week, from week 0 on, for an opportunity that is there now.

    fresh  (week, question, draw, stage): it has just come
    aged   (week, question, draw, cell): it has been there for so long; a cell is stage × AGES + week of age

    WINS: to have been won by the end of the week. STANDS: to stand in the stage asked for at the end of the week.
    """

    fresh: Floats
    aged: Floats


def passage(chances: Hazards, weeks: int, cells: Integers, stage: int | None = None) -> Paths:
    """The chances of `weeks` weeks, for what is fresh and for the cells; without a `stage` only WINS is asked."""
    draws, stages, ages = chances.stay.shape
    now = np.zeros((1 if stage is None else 2, stages, ages, draws))
    if stage is not None:
        now[STANDS, stage] = 1
    fresh, aged = (np.empty((weeks + 1, len(now), n, draws)) for n in (stages, len(cells)))
    fresh[0], aged[0] = now[:, :, 0], now[:, cells // AGES, cells % AGES]
    stay, moves = np.ascontiguousarray(chances.stay.transpose(1, 2, 0)), _moves(chances)
    before, added = np.empty_like(now), np.empty_like(now[:, 0])
    for week in range(1, weeks + 1):
        before, now = now, before
        np.multiply(stay[:, :-1], before[:, :, 1:], out=now[:, :, :-1])
        np.multiply(stay[:, -1], before[:, :, -1], out=now[:, :, -1])
        for at, there, chance in moves:
            if there == WON:
                now[WINS, at] += chance
            else:  # later stages of this week are known by now
                then = now[:, there, 0] + before[:, there, 0] if there > at else 2 * before[:, there, 0]
                now[:, at] += np.multiply(chance, (then / 2)[:, None], out=added)
        fresh[week], aged[week] = now[:, :, 0], now[:, cells // AGES, cells % AGES]
    return Paths(fresh.swapaxes(2, 3), aged.swapaxes(2, 3))


def _moves(chances: Hazards) -> list[tuple[int, int, Floats]]:
    """From where, to where, and the chance (week of age, draw), of moves that can happen; from the last stage first."""
    stages = chances.stay.shape[1]
    can = np.asarray(chances.to.any(axis=(0, 2)))
    return [
        (at, there, np.ascontiguousarray(chances.to[:, at, :, there].T))
        for at in reversed(range(stages))
        for there in (*range(stages), WON)
        if can[at, there]
    ]


def at_days(found: Floats, days: NDArray[np.float64]) -> Floats:
    """`found` along its first axis (weeks) at so many days from now: straight lines between the weeks."""
    low, share = _between(len(found), days)
    share = share.reshape(-1, *[1] * (found.ndim - 1))
    return np.asarray(found[low] * (1 - share) + found[low + 1] * share)


def _between(weeks: int, days: Floats) -> tuple[Integers, Floats]:
    """The week before each of the days from now, and the way to the next one, 0…1; the last week's value holds on."""
    place = np.clip(days / WEEK, 0, weeks - 1)
    low = np.minimum(place.astype(np.int64), weeks - 2)
    return low, place - low


def of_arrivals(fresh: Floats, starts: Floats, ends: Floats, points: int = 4) -> Floats:
    """The same (arrival month, month end, question, draw, stage) for those that arrive evenly from a start to an end.

    starts, ends  days from now of each month; the chances at its own and later ends, 0 before
    """
    months, part = len(starts), (np.arange(points) + 0.5) / points
    arrival = starts[:, None] + part * (ends - starts)[:, None]
    low, share = _between(len(fresh), ends[None, :, None] - arrival[:, None, :])
    weights, month = np.zeros((months, months, len(fresh))), np.arange(months)[:, None]
    for week, weight in ((low, 1 - share), (low + 1, share)):
        np.add.at(weights, (month[:, None], month, week), weight / points)
    weights[np.tril_indices(months, -1)] = 0
    return np.asarray(np.tensordot(weights, fresh, 1))
