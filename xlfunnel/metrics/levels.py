"""Whom a row speaks of: each owner, each region as a whole, and all regions together if there is more than one."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from math import nan
from typing import TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from xlfunnel.facts import Facts
from xlfunnel.terms import STAGES, Col, Outcome

T = TypeVar("T", list[tuple["Who", str]], NDArray[np.int64])
Rows = NDArray[np.int64]
Who = tuple[str | None, str | None]
"""(region, owner); owner None = the region as a whole, both None = all regions together."""


@lru_cache(maxsize=2)
def stages_met(facts: Facts) -> tuple[str, ...]:
    """The stages that the CRM has: those in which anything ever stood or came, in order."""
    met = {*facts.entries[Col.STAGE].unique(), *facts.reserves[Col.STAGE].unique()}
    return tuple(stage for stage in STAGES if stage in met)


def steps_met(facts: Facts) -> tuple[tuple[str, str], ...]:
    """(stage, the next one that the CRM has), the last one going to "won"."""
    met = stages_met(facts)
    return tuple(zip(met, (*met[1:], Outcome.WON.value), strict=True)) if met else ()


@lru_cache(maxsize=2)
def whos(facts: Facts) -> tuple[Who, ...]:
    """Everyone that any visit or reserve speaks of, totals before their parts, sorted."""
    frames = [f[[Col.REGION, Col.OWNER]] for f in (facts.entries, facts.reserves)]
    pairs = pd.concat(frames).drop_duplicates().sort_values([Col.REGION, Col.OWNER])
    owners: list[tuple[str, str]] = list(pairs.itertuples(index=False, name=None))
    return with_parents(owners)


def with_parents(owners: Sequence[tuple[str, str]]) -> tuple[Who, ...]:
    """All regions together (if there are several), then each region before its owners; `owners` sorted."""
    starts = _starts(owners)
    found: list[Who] = [(None, None)] if len(starts) > 1 else []
    for start, end in zip(starts, [*starts, len(owners)][1:], strict=True):
        found += [(owners[start][0], None), *owners[start:end]]
    return tuple(found)


def with_totals(grid: Rows, owners: Sequence[tuple[str, str]]) -> Rows:
    """owner × … in whole numbers → the same for each of `with_parents(owners)`, sums of their owners."""
    starts = _starts(owners)
    parts = [grid.sum(axis=0, keepdims=True)] if len(starts) > 1 else []
    for start, end in zip(starts, [*starts, len(owners)][1:], strict=True):
        parts += [grid[start:end].sum(axis=0, keepdims=True), grid[start:end]]
    return np.concatenate(parts) if parts else grid


def monthly_counts(frame: pd.DataFrame, facts: Facts) -> Rows:
    """who × stage × month: the counts of `frame` (region owner stage month count), totals of their owners.

    In the order of `whos`, `stages_met` and first…last month; rows of whom, or of what, facts do not know are left out.
    """
    owners = [(region, owner) for region, owner in whos(facts) if region is not None and owner is not None]
    stages, n = stages_met(facts), facts.last_month - facts.first_month + 1
    codes, words = pd.factorize(frame[Col.STAGE])
    stage = np.array([stages.index(word) if word in stages else -1 for word in words], dtype=np.int64)[codes]
    owner, month = owner_places(frame, owners), frame[Col.MONTH].to_numpy() - facts.first_month
    known = (owner >= 0) & (stage >= 0)
    cell = ((owner * len(stages) + stage) * n + month)[known]
    counts = np.bincount(cell, frame[Col.COUNT].to_numpy()[known], len(owners) * len(stages) * n)
    return with_totals(counts.astype(np.int64).reshape(len(owners), len(stages), n), owners)


def _starts(owners: Sequence[tuple[str, str]]) -> list[int]:
    """Where each region begins."""
    return [i for i, (region, _) in enumerate(owners) if i == 0 or region != owners[i - 1][0]]


def owner_places(frame: pd.DataFrame, owners: Sequence[tuple[str, str]]) -> Rows:
    """Where each row's region and owner stand in `owners`; −1 = nowhere."""
    known = {pair: i for i, pair in enumerate(owners)}
    return pair_values(frame[Col.REGION], frame[Col.OWNER], lambda region, owner: known.get((region, owner), -1))


def pair_values(one: "pd.Series[str]", other: "pd.Series[str]", value: Callable[[str, str], int]) -> Rows:
    """The value of each row's two words, asked for once for every two words that there are."""
    return _of_pairs(one, other, value).astype(np.int64)


def pair_numbers(
    one: "pd.Series[str]", other: "pd.Series[str]", known: Mapping[tuple[str, str], float]
) -> NDArray[np.float64]:
    """What is known of each row's two words; NaN where nothing is."""
    return _of_pairs(one, other, lambda *pair: known.get(pair, nan))


def _of_pairs(
    one: "pd.Series[str]", other: "pd.Series[str]", value: Callable[[str, str], float]
) -> NDArray[np.float64]:
    (first, firsts), (second, seconds) = pd.factorize(one), pd.factorize(other)
    table = np.array([[value(a, b) for b in seconds] for a in firsts], dtype=float)
    return np.asarray(table[first, second]) if len(one) else np.empty(0)


class Places:
    """Where a frame speaks of whom: row numbers of any who and stage, found once."""

    def __init__(self, frame: pd.DataFrame) -> None:
        region, owner, stage = (_codes(frame[c]) for c in (Col.REGION, Col.OWNER, Col.STAGE))
        everyone: tuple[NDArray[np.intp], Sequence[str | None]] = (np.zeros(len(frame), dtype=np.intp), [None])
        self._rows: dict[tuple[str | None, ...], Rows] = {}
        for level in ((region, owner, stage), (region, everyone, stage), (everyone, everyone, stage)):
            sizes = tuple(max(len(words), 1) for _, words in level)
            key = np.ravel_multi_index(tuple(codes for codes, _ in level), sizes)
            order = np.argsort(key, kind="stable")
            keys, starts = np.unique(key[order], return_index=True)
            parts = np.split(order, starts[1:]) if len(keys) else []
            for place, rows in zip(np.transpose(np.unravel_index(keys, sizes)), parts, strict=True):
                self._rows[tuple(words[i] for i, (_, words) in zip(place, level, strict=True))] = rows

    def __call__(self, who: Who, stage: str) -> Rows:
        """Row numbers, possibly none."""
        return self._rows.get((*who, stage), np.empty(0, dtype=np.int64))


def _codes(words: "pd.Series[str]") -> tuple[NDArray[np.intp], Sequence[str | None]]:
    """A number for each row's word, and the words by number."""
    codes, distinct = pd.factorize(words)
    return codes, distinct.tolist()


def joined(groups: Sequence[Rows]) -> tuple[Rows, Rows]:
    """The row numbers of all groups one after the other, and the number of the group of each."""
    sizes = [len(g) for g in groups]
    return np.concatenate([*groups, np.empty(0, dtype=np.int64)]), np.repeat(np.arange(len(groups)), sizes)


def in_blocks(wanted: T, size: int = 64) -> Iterator[T]:
    """So many at a time, so that a table of all their days stays small."""
    return (wanted[start : start + size] for start in range(0, len(wanted), size))


def dense(who: tuple[Who, ...], stages: tuple[str, ...]) -> Iterator[tuple[Who, str]]:
    """Every who with every stage: a funnel has all its stages, also those that nobody entered."""
    for one in who:
        for stage in stages:
            yield one, stage
