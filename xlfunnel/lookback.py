"""Visits as they were on a day, each beside the one before: what the steps mean on which `xlfunnel.facts` counts.

Every meaning is written once, over columns that are arrays where the visits are in memory (`lookback_memory`), and
expressions of Narwhals where an engine holds them (`lookback_engines`). Those two know how to walk along the visits of
an opportunity; a test holds what they find against each other.

Beside the columns of `xlfunnel.crm.visits` a visit has

    was_stage, was_next_stage, was_left_day, was_amount_cents   of the visit before; "", NEVER, null if there is none
    came_from, came_cents, since_day, days                      see `xlfunnel.facts`
"""

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import pandas as pd

from xlfunnel.terms import NEW, OUTCOMES, STAGES, Col, Outcome

NEVER = -(10**9)
"""A day, or a month, before all others."""

CARRIED = (Col.STAGE, Col.NEXT_STAGE, Col.LEFT_DAY, Col.AMOUNT_CENTS)
"""What is looked at of the visit before, as was_…"""


class Columns(Protocol):
    """Columns of visits that can be compared and reckoned with."""

    def __getitem__(self, name: str) -> Any:
        """A column."""

    def word(self, word: str) -> Any:
        """A stage or an outcome, as its columns hold it."""

    def either(self, holds: Any, then: Any, otherwise: Any) -> Any:
        """`then` where it holds, else `otherwise`."""


class Part(Protocol):
    """Visits of some opportunities as they were on a day. What is found stays where the visits are until it is asked.

    Words that were numbered for speed are numbers in what `picked` gives, and `named` puts the words back.
    """

    def size(self) -> float:
        """Sum of the absolute amounts, in cents."""

    def arrivals(self) -> Any:
        """Every visit with came_from and came_cents."""

    def exits(self) -> Any:
        """The visits that are over."""

    def stays(self) -> Any:
        """The last visit of each stay, with since_day, entered_month and days of the whole stay."""

    def standing(self) -> Any:
        """The stays that are open."""

    def stays_of_closed(self, since: int) -> Any:
        """The stays of the opportunities that were won or lost on the day number `since` or later."""

    def journeys(self, stages: Sequence[str]) -> Iterator[Any]:
        """Opportunities that reached each stage: see `xlfunnel.facts.Seen.journeys`."""

    def fates(self, stages: Sequence[str]) -> Iterator[Any]:
        """Opportunities that stood in each stage: see `xlfunnel.facts.Seen.fates`."""

    def picked(self, found: Any, when: Col, keys: Sequence[str], sums: Sequence[str]) -> pd.DataFrame:
        """Keys, of which the last is the column `when`, with count and sums (null = 0); perhaps several rows a key."""

    def listed(self, found: Any, columns: Sequence[str], order: list[str]) -> pd.DataFrame:
        """These columns, row by row, in the order of some of them."""

    def named(self, frame: pd.DataFrame) -> pd.DataFrame:
        """What came from here, with the words of the visits in place of their numbers."""


def later_than(stage: str) -> tuple[str, ...]:
    """The stage and those after it."""
    return STAGES[STAGES.index(stage) :]


def is_one_of(of: Columns, column: Any, words: Sequence[str]) -> Any:
    """Whether a column has one of the words."""
    first, *others = (column == of.word(word) for word in words)
    for other in others:
        first |= other
    return first


def went(of: Columns, as_of_day: int) -> Any:
    """next_stage as one saw it on the day, left_day being filled: left later is still open, left unsaid is gone."""
    said = of.either(of[Col.NEXT_STAGE] == of.word(Outcome.OPEN), of.word(Outcome.GONE), of[Col.NEXT_STAGE])
    return of.either(of[Col.LEFT_DAY] <= as_of_day, said, of.word(Outcome.OPEN))


def has_ended(of: Columns) -> Any:
    """Whether a visit, or a stay, is over."""
    return of[Col.NEXT_STAGE] != of.word(Outcome.OPEN)


def has_closed(of: Columns, since: int) -> Any:
    """Whether a visit ended in won or lost on the day or later."""
    return is_one_of(of, of[Col.NEXT_STAGE], OUTCOMES) & (of[Col.LEFT_DAY] >= since)


def came_from(of: Columns) -> Any:
    """The column of that name."""
    was = of["was_next_stage"]
    elsewhere = of.either(is_one_of(of, was, OUTCOMES), was, of.word(Outcome.GONE))
    later = of.either(was == of[Col.STAGE], of["was_stage"], elsewhere)
    return of.either(of[Col.VISIT] == 1, of.word(NEW), later)


def came_cents(of: Columns) -> Any:
    """The column of that name."""
    return of.either(of["was_next_stage"] == of[Col.STAGE], of["was_amount_cents"], of[Col.AMOUNT_CENTS])


def goes_on(of: Columns) -> Any:
    """Whether a visit continues the stay of the visit before."""
    return (
        (of["was_stage"] == of[Col.STAGE])
        & (of["was_next_stage"] == of[Col.STAGE])
        & (of["was_left_day"] == of[Col.ENTERED_DAY])
    )


def end_of(of: Columns) -> Any:
    """How an opportunity ended, out of its last visit: won, lost, gone, or open (also if handed on beyond the data)."""
    said = of[Col.NEXT_STAGE]
    is_open = (said == of[Col.STAGE]) | (said == of.word(Outcome.OPEN))
    other = of.either(is_one_of(of, said, OUTCOMES), said, of.word(Outcome.GONE))
    return of.either(is_open, of.word(Outcome.OPEN), other)


def days(of: Columns) -> Any:
    """Days from since_day on."""
    return of[Col.LEFT_DAY] - of[Col.SINCE_DAY]
