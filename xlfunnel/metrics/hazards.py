"""How stays end, week by week: the chance to leave a stage for each place, by weeks already spent there.

Within one week of age a stay of a stage goes on, or ends in one of the places of `metrics.sojourns`: a draw with as
many faces. The share of those at risk that took each is the Nelson-Aalen (Aalen-Johansen) estimate on a grid of weeks;
the Dirichlet law around it says how far it can be trusted (Hjort 1990, beta processes; independent over the weeks, as
the likelihood factorises). Stays still open count for as much of the week as they were seen.

Where few were ever seen, the estimate leans on what holds at large: a week of age on all ages of the stage together,
with the weight of PRIOR_STAYS; a region on all regions, with the weight of REGION_STAYS stays.
"""

from typing import NamedTuple

import numpy as np

from xlfunnel.metrics.sojourns import OUT, UNSEEN, Flags, Floats, Integers, Sojourns
from xlfunnel.terms import STAGES

WEEK = 7
AGES = 53
"""Weeks of age told apart; all later ones share the last."""

PRIOR_STAYS, REGION_STAYS = 1.0, 10.0

PLACES = OUT + 1
_STAGES = len(STAGES)


class Exposure(NamedTuple):
    """ended (stage, week of age, place): endings; at_risk (stage, week of age): stays seen through it or partly."""

    ended: Floats
    at_risk: Floats


class Hazards(NamedTuple):
    """Drawn chances, adding to 1: to (draw, stage, week of age, place), stay (draw, stage, week of age)."""

    to: Floats
    stay: Floats


def exposure(stays: Sojourns, first_day: int, chosen: Flags | None = None) -> Exposure:
    """What was seen from `first_day` on; stays that had begun before count from the age they had then."""
    seen = stays.left >= first_day
    rows = np.flatnonzero(seen if chosen is None else seen & chosen)
    stage, went, since, left = (values[rows] for values in (stays.stage, stays.went, stays.since, stays.left))
    entry, end = np.maximum(first_day - since, 0), left - since
    first, last = entry // WEEK, end // WEEK
    is_over = (went != UNSEEN).astype(np.int64)
    weeks = max(int(last.max(initial=0)) + 2, AGES)

    row = stage * weeks
    late, cut_off = np.flatnonzero(entry % WEEK), np.flatnonzero(went == UNSEEN)

    def counted(place: Integers, weights: Floats | None = None) -> Floats:
        return np.bincount(place, weights, _STAGES * weeks).reshape(_STAGES, weeks).astype(np.float64)

    whole = counted(row + first) - counted(row + last + is_over)
    before = counted((row + first)[late], entry[late] % WEEK / WEEK)
    at_risk = whole.cumsum(axis=1) - before + counted((row + last)[cut_off], end[cut_off] % WEEK / WEEK)
    # One place more, the first one, for those of which nobody saw the end.
    place = (stage * AGES + np.minimum(last, AGES - 1)) * (PLACES + 1) + (went - UNSEEN)
    met = np.bincount(place, minlength=_STAGES * AGES * (PLACES + 1)).reshape(_STAGES, AGES, PLACES + 1)
    ended = met[..., 1:].astype(np.float64)
    folded = np.append(at_risk[:, : AGES - 1], at_risk[:, AGES - 1 :].sum(axis=1, keepdims=True), axis=1)
    return Exposure(ended, np.maximum(folded, ended.sum(axis=2)))


def pooled(draw: np.random.Generator, every: Exposure, draws: int) -> Hazards:
    """Chances as all stays tell them."""
    over, seen = every.ended.sum(axis=1), every.at_risk.sum(axis=1)
    at_large = over / np.where(seen > 0, seen, 1.0)[:, None]
    rest = 1 - at_large.sum(axis=1)
    ended = every.ended + PRIOR_STAYS * at_large[:, None, :]
    stayed = every.at_risk - every.ended.sum(axis=2) + PRIOR_STAYS * rest[:, None]
    return _drawn(draw, np.broadcast_to(ended, (draws, *ended.shape)), np.broadcast_to(stayed, (draws, *stayed.shape)))


def leaning(draw: np.random.Generator, own: Exposure, at_large: Hazards) -> Hazards:
    """Chances as a region's own stays tell them, leaning on those of all regions, draw by draw."""
    stayed = own.at_risk - own.ended.sum(axis=2)
    return _drawn(draw, own.ended + REGION_STAYS * at_large.to, stayed + REGION_STAYS * at_large.stay)


def _drawn(draw: np.random.Generator, ended: Floats, stayed: Floats) -> Hazards:
    to, stay = draw.standard_gamma(ended), draw.standard_gamma(np.maximum(stayed, 0.0))
    total = to @ np.ones(PLACES) + stay
    total[total == 0] = 1.0
    to /= total[..., None]
    stay /= total
    return Hazards(to, stay)
