"""What kind of rep: high-yield, short of reserve, hardening, low conversion. Rules as a table, with their evidence."""

import operator
from collections.abc import Callable
from math import nan
from typing import NamedTuple

import numpy as np
import pandas as pd

from xlfunnel.facts import Facts
from xlfunnel.metrics.evidence import FEW, windows
from xlfunnel.settings import Settings
from xlfunnel.terms import Col, Outcome, Placement, Tag

HIGH_YIELD_TIMES = 1.5
"""So many times the wins of the region's average rep make a high-yield rep, and FEW wins at least."""

OLD_SHARE = 1 / 3
"""From this share of over-age opportunities on a reserve is hardening: one in ten stays lasts as long as the limit."""

OLD_STAGES = ("T1", "T2", "T3")
"""Stages whose reserve hardens: leads are sifted, and a key decision has its own list."""


class Tagged(NamedTuple):
    """One tag of one rep.

    value, limit  what was found and what it was measured by, in the rule's unit (see RULES)
    cases, of     k of n behind a share; NaN where the value is a count
    step          of a conversion: "T1-won", else ""
    """

    region: str
    owner: str
    tag: Tag
    value: float
    limit: float
    cases: float = nan
    of: float = nan
    step: str = ""


class Rep(NamedTuple):
    """What the rules look at.

    old, aged  over-age opportunities of OLD_STAGES, and all that stand there
    won, mean_won  wins of the recent months, and the region's mean per rep
    """

    reserve: float
    region_mean: float
    won: float
    mean_won: float
    old: float
    aged: float


class Rule(NamedTuple):
    """`value` stands in the relation `holds` to `limit`, on a base of at least `least`: the tag is given."""

    tag: Tag
    value: Callable[[Rep], float]
    holds: Callable[[float, float], bool]
    limit: Callable[[Rep], float]
    base: Callable[[Rep], float]
    least: float


RULES = (
    Rule(
        Tag.HIGH_YIELD,
        lambda rep: rep.won,
        operator.ge,
        lambda rep: HIGH_YIELD_TIMES * rep.mean_won,
        lambda rep: rep.won,
        FEW,
    ),
    Rule(Tag.SHORT, lambda rep: rep.reserve, operator.lt, lambda rep: rep.region_mean, lambda _: 0, 0),
    Rule(
        Tag.HARDENING,
        lambda rep: rep.old / rep.aged if rep.aged else nan,
        operator.ge,
        lambda _: OLD_SHARE,
        lambda rep: rep.aged,
        FEW,
    ),
)
"""The rules on counts. LOW_CONVERSION: the headline step lies below its 95 % limit, or any other step, of which there
are many, below its 99.8 % limit; value = rate, limit = the limit it broke."""

_BROKEN = {True: (Placement.LOW, Placement.VERY_LOW), False: (Placement.VERY_LOW,)}


def tags(
    owners: pd.DataFrame, comparisons: pd.DataFrame, over_age: pd.DataFrame, facts: Facts, settings: Settings
) -> tuple[Tagged, ...]:
    """The tags of every rep, in the order of `owners` and of the enum; a step each for low conversion.

    owners, comparisons, over_age  frames of `metrics.owners`, `.comparison`, `.duration`
    """
    won = _won(facts, settings)
    old = over_age[over_age[Col.STAGE.value].isin(OLD_STAGES)].groupby([Col.REGION.value, Col.OWNER.value]).size()
    named = owners[owners["owner"] != ""]
    keys = pd.MultiIndex.from_frame(named[["region", "owner"]])
    counts = won.reindex(keys, fill_value=0)
    wins, means = counts.to_dict(), counts.groupby(level=0).mean().to_dict()
    low = comparisons[comparisons["placement"].isin((Placement.LOW, Placement.VERY_LOW))]
    slow = {key: rows.to_dict("records") for key, rows in low.groupby(["region", "owner"])}
    found: list[Tagged] = []
    for row in named.to_dict("records"):
        key = (str(row["region"]), str(row["owner"]))
        aged = float(np.nansum([row[s] for s in OLD_STAGES]))
        rep = Rep(
            reserve=row["reserve"],
            region_mean=row["region_mean"],
            won=float(wins[key]),
            mean_won=float(means[key[0]]),
            old=float(old.get(key, 0)),
            aged=aged,
        )
        found += _counted(key, rep)
        found += [
            Tagged(
                *key,
                Tag.LOW_CONVERSION,
                value=step["rate"],
                limit=step["low95" if step["is_headline"] else "low998"],
                cases=step["advanced"],
                of=step["entered"],
                step=f"{step['from_stage']}-{step['to_stage']}",
            )
            for step in slow.get(key, ())
            if step["placement"] in _BROKEN[bool(step["is_headline"])]
        ]
    return tuple(found)


def _counted(key: tuple[str, str], rep: Rep) -> list[Tagged]:
    out = []
    for rule in RULES:
        value, limit = rule.value(rep), rule.limit(rep)
        if rule.base(rep) >= rule.least and rule.holds(value, limit):  # False for NaN
            share = (rep.old, rep.aged) if rule.tag == Tag.HARDENING else (nan, nan)
            out.append(Tagged(*key, rule.tag, float(value), float(limit), *share))
    return out


def _won(facts: Facts, settings: Settings) -> "pd.Series[int]":
    """Wins of the recent complete months by region and owner."""
    exits, months = facts.exits, windows(facts, settings).recent
    won = exits[(exits[Col.NEXT_STAGE] == Outcome.WON) & exits[Col.MONTH].isin(months)]
    return won.groupby([Col.REGION.value, Col.OWNER.value])[Col.COUNT.value].sum()
