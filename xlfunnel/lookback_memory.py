"""Visits in memory: the walk along the visits of an opportunity over arrays, each word being a number.

The rows are put in order once, by opportunity and visit; what comes before or after is then the neighbour.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from xlfunnel import lookback
from xlfunnel.calendar import day_number
from xlfunnel.lookback import CARRIED, NEVER
from xlfunnel.terms import NEW, STAGES, Col, Outcome

Values = NDArray[Any]

_NAMES = (Col.OPPORTUNITY.value, Col.REGION.value, Col.OWNER.value)
_ORDER = [Col.OPPORTUNITY.value, Col.VISIT.value]
_UNKNOWN = "is_unknown"
"""Whether the amount is; it counts as 0."""

_LATER = 2**62
"""A day after all others."""

_VOCABULARY = ("", *STAGES, *Outcome, NEW)


class Rows:
    """`lookback.Columns` as arrays of one length."""

    def __init__(self, columns: Mapping[str, Values], terms: Mapping[str, int]) -> None:
        self._columns, self._terms = columns, terms

    def __getitem__(self, name: str) -> Values:
        return self._columns[name]

    def word(self, word: str) -> np.int64:
        return np.int64(self._terms[word])

    def either(self, holds: Any, then: Any, otherwise: Any) -> Values:
        return np.asarray(np.where(holds, then, otherwise))

    def at(self, rows: Values) -> "Rows":
        """Only these rows: their numbers, or whether each is one of them."""
        return Rows({name: values[rows] for name, values in self._columns.items()}, self._terms)

    def having(self, columns: Mapping[str, Values]) -> "Rows":
        """With these columns added, or in place of those of their names."""
        return Rows({**self._columns, **columns}, self._terms)


class InMemory:
    """`lookback.Part` of a DataFrame."""

    def __init__(self, visits: pd.DataFrame, as_of: date) -> None:
        as_of_day = day_number(as_of)
        is_there = (visits[Col.ENTERED_DAY] <= as_of_day).to_numpy(dtype=bool)
        there = visits if is_there.all() else visits[is_there]
        named = {name: _numbered(there[name]) for name in _NAMES}
        terms, vocabulary = _termed(there)
        words = {name: met for name, (_, met) in named.items()}
        self._words = words | dict.fromkeys((*terms, Col.CAME_FROM.value), pd.Index(vocabulary, dtype="str"))
        columns = {name: codes for name, (codes, _) in named.items()} | terms | _whole_numbers(there)
        rows = Rows(columns, {word: i for i, word in enumerate(vocabulary)})
        key, visit = rows[Col.OPPORTUNITY], rows[Col.VISIT]
        if not ((key[1:] > key[:-1]) | (key[1:] == key[:-1]) & (visit[1:] > visit[:-1])).all():
            rows = rows.at(np.lexsort((visit, key)))
        seen = {Col.NEXT_STAGE.value: lookback.went(rows, as_of_day)}
        self._seen = rows.having(seen | {Col.LEFT_DAY.value: np.minimum(rows[Col.LEFT_DAY], as_of_day)})

    def size(self) -> float:
        return float(np.abs(self._seen[Col.AMOUNT_CENTS].astype(float)).sum())

    def arrivals(self) -> Rows:
        of = self._linked
        return of.having({Col.CAME_FROM.value: lookback.came_from(of), Col.CAME_CENTS.value: lookback.came_cents(of)})

    def exits(self) -> Rows:
        return self._seen.at(lookback.has_ended(self._seen))

    def stays(self) -> Rows:
        return self._stays

    def standing(self) -> Rows:
        return self._stays.at(~lookback.has_ended(self._stays))

    def stays_of_closed(self, since: int) -> Rows:
        closed = self._seen[Col.OPPORTUNITY][lookback.has_closed(self._seen, since)]
        return self._stays.at(np.isin(self._stays[Col.OPPORTUNITY], closed))

    def journeys(self, stages: Sequence[str]) -> Iterator[Rows]:
        last = self._seen.at(self._ends)
        last = last.having({Col.NEXT_STAGE.value: lookback.end_of(last)})
        for stage in stages:
            has_come = lookback.is_one_of(self._seen, self._seen[Col.STAGE], lookback.later_than(stage))
            first = self._first(has_come)
            begun = {Col.SINCE_DAY.value: Col.ENTERED_DAY, Col.ENTERED_MONTH.value: Col.ENTERED_MONTH}
            found = last.at(self._opportunity[first]).having({n: self._seen[c][first] for n, c in begun.items()})
            here = np.full(len(first), found.word(stage))
            yield found.having({Col.STAGE.value: here, Col.DAYS.value: lookback.days(found)})

    def fates(self, stages: Sequence[str]) -> Iterator[Rows]:
        for stage in stages:
            first = self._first(self._seen[Col.STAGE] == self._seen.word(stage))
            ends = self._ends[self._opportunity[first]]
            last = {c.value: self._seen[c][ends] for c in (Col.LEFT_DAY, Col.NEXT_STAGE)}
            found = self._seen.at(first)
            found = found.having(last | {Col.SINCE_DAY.value: found[Col.ENTERED_DAY]})
            yield found.having({Col.DAYS.value: lookback.days(found)})

    def picked(self, found: Rows, when: Col, keys: Sequence[str], sums: Sequence[str]) -> pd.DataFrame:
        columns = {name: found[name] for name in (*keys[:-1], *sums)}
        count = np.ones(len(found[when]), dtype=np.int64)
        return pd.DataFrame({**columns, keys[-1]: found[when], Col.COUNT.value: count}, copy=False)

    def listed(self, found: Rows, columns: Sequence[str], order: list[str]) -> pd.DataFrame:
        amounts = pd.arrays.IntegerArray(found[Col.AMOUNT_CENTS], found[_UNKNOWN])
        frame = pd.DataFrame({n: amounts if n == Col.AMOUNT_CENTS else found[n] for n in columns}, copy=False)
        return frame if order == _ORDER else frame.sort_values(order)

    def named(self, frame: pd.DataFrame) -> pd.DataFrame:
        if frame.empty:
            return frame
        words = {n: w.take(frame[n].to_numpy()) for n, w in self._words.items() if n in frame}
        return frame.assign(**words)

    @cached_property
    def _linked(self) -> Rows:
        """With what the opportunity's visit before was."""
        of = self._seen
        key, visit = of[Col.OPPORTUNITY], of[Col.VISIT]
        follows = (key[1:] == key[:-1]) & (visit[1:] == visit[:-1] + 1)
        nothing = (of.word(""), of.word(""), NEVER, 0)
        return of.having({f"was_{c}": _shifted(of[c], follows, no) for c, no in zip(CARRIED, nothing, strict=True)})

    @cached_property
    def _stays(self) -> Rows:
        of = self._linked
        goes_on = lookback.goes_on(of)
        first = np.maximum.accumulate(np.where(goes_on, 0, np.arange(len(goes_on))))
        last = np.flatnonzero(~np.append(goes_on[1:], False)[: len(goes_on)])
        begun = {Col.SINCE_DAY.value: Col.ENTERED_DAY, Col.ENTERED_MONTH.value: Col.ENTERED_MONTH}
        found = of.at(last).having({name: of[c][first[last]] for name, c in begun.items()})
        return found.having({Col.DAYS.value: lookback.days(found)})

    @cached_property
    def _is_new(self) -> NDArray[np.bool_]:
        """Whether a visit is of another opportunity than the one before."""
        key = self._seen[Col.OPPORTUNITY]
        return np.append(True, key[1:] != key[:-1])[: len(key)]

    @cached_property
    def _opportunity(self) -> Values:
        """The place of each visit's opportunity among all."""
        return np.cumsum(self._is_new) - 1

    @cached_property
    def _ends(self) -> Values:
        """The row of each opportunity's last visit."""
        return np.asarray(np.flatnonzero(np.append(self._is_new[1:], True)[: len(self._is_new)]))

    def _first(self, holds: NDArray[np.bool_]) -> Values:
        """The row of the first visit of which this holds, of each opportunity that has one."""
        rows: Values = np.flatnonzero(holds)
        key = self._opportunity[rows]
        first: Values = rows[np.append(True, key[1:] != key[:-1])[: len(key)]]
        return first


def _numbered(words: "pd.Series[str]") -> tuple[Values, pd.Index]:
    """A number for each word, in the order of the words, and the words by number. A missing one is ""."""
    codes, met = pd.factorize(words.astype("str").fillna(""))
    if (met.array[1:] > met.array[:-1]).all():
        return codes, met
    order = met.argsort()
    place = np.empty(len(order), dtype=np.intp)
    place[order] = np.arange(len(order))
    return place[codes], met.take(order)


def _termed(visits: pd.DataFrame) -> tuple[dict[str, Values], list[str]]:
    """Stages and outcomes as places in the sorted vocabulary, and the vocabulary."""
    met = {name.value: pd.factorize(visits[name].fillna("")) for name in (Col.STAGE, Col.NEXT_STAGE)}
    vocabulary = sorted({*map(str, _VOCABULARY), *(word for _, words in met.values() for word in words)})
    return {
        name: np.array([vocabulary.index(word) for word in words], dtype=np.int64)[codes]
        for name, (codes, words) in met.items()
    }, vocabulary


def _whole_numbers(visits: pd.DataFrame) -> dict[str, Values]:
    """Days, months and amounts, where they are missing 0, or a later day than all; and which amounts are missing."""
    numbers = (Col.VISIT, Col.ENTERED_DAY, Col.ENTERED_MONTH, Col.LEFT_MONTH, Col.AMOUNT_CENTS)
    found: dict[str, Values] = {n.value: visits[n].to_numpy(dtype=np.int64, na_value=0) for n in numbers}
    found[Col.LEFT_DAY.value] = visits[Col.LEFT_DAY].to_numpy(dtype=np.int64, na_value=_LATER)
    return found | {_UNKNOWN: visits[Col.AMOUNT_CENTS].isna().to_numpy(dtype=bool)}


def _shifted(values: Values, follows: NDArray[np.bool_], nothing: Any) -> Values:
    """What the row before has, or nothing where this one does not follow it."""
    found = np.full(len(values), nothing)
    np.copyto(found[1:], values[:-1], where=follows)
    return found
