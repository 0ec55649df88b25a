"""The coming months, drawn many times: wins out of what is open and out of what is still to come, and a stage's stock.

Each draw has chances (`metrics.hazards`) and rates of arrival (`metrics.inflow`) of its own, so that the spread of the
results holds both the luck of single opportunities and what the past leaves unknown. An open opportunity brings its own
amount; one whose amount is unknown, and one still to come, an amount drawn from its like.
"""

from collections.abc import Sequence
from math import nan
from typing import NamedTuple

import numpy as np

from xlfunnel.calendar import day_number, month_end
from xlfunnel.metrics.hazards import AGES, WEEK, Hazards
from xlfunnel.metrics.inflow import Inflow, rates
from xlfunnel.metrics.passage import STANDS, WINS, at_days, of_arrivals, passage
from xlfunnel.metrics.sojourns import WON, Flags, Floats, Integers, Sojourns, month_of
from xlfunnel.terms import STAGES

ENOUGH_AMOUNTS = 10
"""So many amounts of one's own to draw from; with fewer, those of all regions."""

AMOUNT_MONTHS = 12
"""Amounts of what is to come are those of the wins of so many months."""

STOCK_REPEATS = 2

MOST_CHANCES = 20_000_000
"""Open opportunities × draws beyond which fewer draws are made of each set of chances."""


class Amounts(NamedTuple):
    """Known amounts to draw from, currency units: of open opportunities by stage, and of wins; empty = none known."""

    by_stage: tuple[Floats, ...]
    of_wins: Floats


class Drawn(NamedTuple):
    """By draw and coming month. Amounts in currency units, NaN where no amount is known at all.

    open_count, open_amount  won out of what is open now
    new_count, new_amount    won out of what arrives later
    stock                    opportunities in the watched stage at the month's end (fewer draws)
    """

    open_count: Floats
    open_amount: Floats
    new_count: Floats
    new_amount: Floats
    stock: Floats


def ahead(day: int, months: int) -> tuple[int, Floats]:
    """The first month that is not over on `day`, and how many days from then it and the following ones end."""
    first = month_of(day)
    if day >= day_number(month_end(first)):
        first += 1
    return first, np.array([day_number(month_end(first + i)) - day for i in range(months)], dtype=np.float64)


def amounts(stays: Sojourns, chosen: Flags) -> Amounts:
    """The amounts that what is open in `chosen`, or will be won there, may have."""
    known = ~np.isnan(stays.amount)
    since = day_number(month_end(month_of(stays.day) - AMOUNT_MONTHS))
    is_recent_win = known & (stays.went == WON) & (stays.left > since)
    every = stays.amount[known]
    by_stage = _by_stage(stays, known & chosen)
    if any(len(own) < ENOUGH_AMOUNTS for own in by_stage):
        by_stage = [_enough(*both) for both in zip(by_stage, _by_stage(stays, known), strict=True)]
    wins = _enough(stays.amount[is_recent_win & chosen], stays.amount[is_recent_win])
    return Amounts(tuple(a if len(a) else every for a in by_stage), wins if len(wins) else every)


def _by_stage(stays: Sojourns, chosen: Flags) -> list[Floats]:
    """The amounts of the chosen stays, stage by stage, in their order."""
    rows = np.flatnonzero(chosen)
    stage = stays.stage[rows]
    order = rows[np.argsort(stage.astype(np.int8), kind="stable")]
    return np.split(stays.amount[order], np.bincount(stage, minlength=len(STAGES)).cumsum()[:-1])


def _enough(own: Floats, of_all: Floats) -> Floats:
    return own if len(own) >= ENOUGH_AMOUNTS else of_all


def simulate(
    draw: np.random.Generator,
    there: Sojourns,
    chances: Hazards,
    coming: Inflow,
    pool: Amounts,
    months: int,
    repeats: int,
    watched: int | None = None,
) -> Drawn:
    """The wins of the stays that are open, and of arrivals, in the coming months; `repeats` draws a set of chances.

    there    the open stays
    watched  the stage whose stock is drawn too, last of all; None = none is
    """
    sets = len(chances.stay)
    first, ends = ahead(there.day, months)
    # To the nearest week of age, so that on average nobody is taken for older or younger.
    age = np.minimum((there.left - there.since + WEEK // 2) // WEEK, AGES - 1)
    cells, cell = np.unique(there.stage * AGES + age, return_inverse=True)
    found = passage(chances, int(np.ceil(ends[-1] / WEEK)), cells, watched)
    chance = at_days(found.aged, ends)
    repeats = max(2, min(repeats, MOST_CHANCES // (sets * max(len(cell), 1))))
    open_count, open_amount = _won(draw, chance[:, WINS], cell, there, pool, repeats)

    share = np.append(ends[0] / month_end(first).day, np.ones(months - 1))
    arrivals = rates(draw, coming, sets * repeats, months) * share[:, None]
    later = of_arrivals(found.fresh, np.append(0.0, ends[:-1]), ends)
    new_count, new_amount = _new(draw, arrivals, np.diff(later[:, :, WINS], axis=1, prepend=0.0), pool, repeats)
    stock = np.zeros((0, months))
    if watched is not None:
        stock = _stock(draw, chance[:, STANDS], np.bincount(cell), arrivals, later[:, :, STANDS])
    return Drawn(open_count, open_amount, new_count, new_amount, stock)


def _won(
    draw: np.random.Generator, chance: Floats, cell: Integers, there: Sojourns, pool: Amounts, repeats: int
) -> tuple[Floats, Floats]:
    """Wins (draw, month) of open opportunities one by one; chance (month, set, cell) by each month's end."""
    months, sets, cells = chance.shape
    counts, sums = np.zeros((repeats, sets, months)), np.zeros((repeats, sets, months))
    by_the_end = chance[-1][:, cell]
    of_cell = chance.reshape(months, -1)
    some_unknown = np.isnan(there.amount).any()
    lots = np.empty(by_the_end.shape)
    for i in range(repeats):
        draw.random(out=lots)
        met = np.flatnonzero(lots < by_the_end)
        one = met // len(cell)
        which = met - one * len(cell)
        at, luck = one * cells + cell[which], lots.ravel()[met]
        place = one * months
        for by_then in of_cell[:-1]:
            place += luck >= by_then[at]
        value = there.amount[which]
        if some_unknown:
            _fill(draw, value, there.stage[which], pool)
        counts[i] = np.bincount(place, minlength=sets * months).reshape(sets, months)
        sums[i] = np.bincount(place, value, sets * months).reshape(sets, months)
    return counts.reshape(-1, months), (sums if len(pool.of_wins) else np.full_like(sums, nan)).reshape(-1, months)


def _fill(draw: np.random.Generator, value: Floats, stage: Integers, pool: Amounts) -> None:
    """Draws the unknown ones of the amounts, in place, out of the known ones of their stage."""
    lacking = np.flatnonzero(np.isnan(value))
    for i, known in enumerate(pool.by_stage):
        lacks = lacking[stage[lacking] == i]
        if len(known) and len(lacks):
            value[lacks] = draw.choice(known, len(lacks))


def _new(
    draw: np.random.Generator, arrivals: Floats, chance: Floats, pool: Amounts, repeats: int
) -> tuple[Floats, Floats]:
    """Wins (draw, month) of arrivals; chance (arrival month, month, set, stage) of a win in that month."""
    months, sets = chance.shape[1:3]
    counts = draw.poisson(_expected(arrivals.reshape(repeats, sets, months, -1), chance)).reshape(-1, months)
    if not len(pool.of_wins):
        return counts.astype(np.float64), np.full(counts.shape, nan)
    picked = draw.choice(pool.of_wins, int(counts.sum()))
    owner = np.repeat(np.arange(counts.size), counts.ravel())
    sums = np.bincount(owner, picked, counts.size).astype(np.float64)
    return counts.astype(np.float64), sums.reshape(counts.shape)


def _expected(arrivals: Floats, chance: Floats) -> Floats:
    """Expected number (repeat, set, month): arrivals (repeat, set, month, stage) × their chances (as in `_new`)."""
    months, ends, sets, stages = chance.shape
    each = np.maximum(chance, 0.0).transpose(2, 0, 3, 1).reshape(sets, months * stages, ends)
    return np.asarray(np.matmul(arrivals.reshape(len(arrivals), sets, -1).swapaxes(0, 1), each).swapaxes(0, 1))


def _stock(draw: np.random.Generator, chance: Floats, held: Integers, arrivals: Floats, later: Floats) -> Floats:
    """Stock (draw, month): those `held` by each cell now that stand there, and arrivals; chance (month, set, cell)."""
    months, sets, cells = chance.shape
    old = draw.binomial(held, np.clip(chance, 0, 1), (STOCK_REPEATS, months, sets, cells)).sum(axis=3)
    some = arrivals.reshape(-1, sets, *arrivals.shape[1:])[:STOCK_REPEATS]
    new = draw.poisson(np.moveaxis(_expected(some, later), 1, 2))
    stock: Floats = np.moveaxis(old + new, 1, 2).reshape(-1, months).astype(np.float64)
    return stock


def together(parts: Sequence[Drawn]) -> Drawn:
    """All parts' draws added up, draw by draw."""
    fewest = min(len(p.open_count) for p in parts)
    return Drawn(*(np.sum([values[:fewest] for values in same], axis=0) for same in zip(*parts, strict=True)))
