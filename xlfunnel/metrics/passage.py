"""Where an opportunity will be: chances over several stages, out of the weekly chances of each.

A semi-Markov path: how long a stay lasts and where it goes depends on the stage and on the time spent in it, not on
what was before. So the chance to be won within t weeks is what this week brings, then the chance within t − 1 weeks
from wherever that leads. Moves happen in the middle of a week, on average.
"""

import numpy as np
from numpy.typing import NDArray

from xlfunnel.metrics.hazards import PLACES, WEEK, Hazards
from xlfunnel.metrics.sojourns import WON, Floats

WINS, STANDS = 0, 1
"""The two questions of `passage`, along its second axis."""


def passage(chances: Hazards, weeks: int, stage: int) -> Floats:
    """Chances (week 0…weeks, question, draw, stage, week of age) for an opportunity that is there and so old now.

    WINS: to have been won by the end of the week. STANDS: to stand in `stage` at the end of the week.
    """
    draws, stages, ages = chances.stay.shape
    found = np.zeros((weeks + 1, 2, draws, stages, ages))
    found[0, STANDS, :, stage] = 1
    ahead = np.zeros((draws, PLACES, 2))
    ahead[:, WON, WINS] = 1
    for week in range(1, weeks + 1):
        now, before = found[week], found[week - 1]
        older = np.concatenate([before[..., 1:], before[..., -1:]], axis=3)
        ahead[:, :stages] = np.moveaxis(before[..., 0], 0, 2)
        for at in reversed(range(stages)):
            moved = np.matmul(chances.to[:, at], ahead)  # draw, age, question
            now[:, :, at] = np.moveaxis(moved, 2, 0) + chances.stay[:, at] * older[:, :, at]
            ahead[:, at] = (now[:, :, at, 0] + before[:, :, at, 0]).T / 2
    return found


def at_days(found: Floats, days: NDArray[np.float64]) -> Floats:
    """`found` along its first axis (weeks) at so many days from now: straight lines between the weeks."""
    place = np.clip(days / WEEK, 0, len(found) - 1)
    low = np.minimum(place.astype(np.int64), len(found) - 2)
    share = (place - low).reshape(-1, *[1] * (found.ndim - 1))
    return np.asarray(found[low] * (1 - share) + found[low + 1] * share)


def of_arrivals(found: Floats, starts: Floats, ends: Floats, points: int = 4) -> Floats:
    """The same (arrival month, month end, question, draw, stage) for those that arrive evenly from a start to an end.

    starts, ends  days from now of each month; the chances at its own and later ends, 0 before
    """
    fresh = found[..., 0]
    out = np.zeros((len(starts), len(ends), *fresh.shape[1:]))
    for i, (start, end) in enumerate(zip(starts, ends, strict=True)):
        for share in (np.arange(points) + 0.5) / points:
            arrival = start + share * (end - start)
            out[i, i:] += at_days(fresh, ends[i:] - arrival) / points
    return out
