"""Visits as they were on a day, each beside the one before: the steps on which `xlfunnel.facts` counts.

Written once in Narwhals. Where one way is much the faster for pandas and another for engines, both stand here, and a
test holds them against each other.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from functools import cached_property
from typing import Any

import narwhals as nw
import pandas as pd

from xlfunnel.calendar import day_number
from xlfunnel.terms import NEW, OUTCOMES, STAGES, Col, Outcome

_VISIT = (Col.OPPORTUNITY.value, Col.VISIT.value)
_NUMBERED = (Col.OPPORTUNITY.value, Col.REGION.value, Col.OWNER.value)
_NEVER = -(10**9)  # a day, or a month, before all others


class Part:
    """Visits of some opportunities as they were on a day. Parameters as those of `xlfunnel.facts.Seen`."""

    def __init__(self, visits: Any, as_of: date, keep: Callable[[Any], Any] | None = None) -> None:
        self._names: dict[str, pd.Index] = {}
        self.seen = as_seen(visits, day_number(as_of))
        if self.seen.implementation.is_pandas():
            self.seen = self._numbered(self.seen.collect().to_native())
        self._keep = keep

    def _numbered(self, seen: pd.DataFrame) -> nw.LazyFrame[Any]:
        """With a whole number, in the order of the words, for what is only carried along: several times as fast."""
        numbers = {}
        for name in _NUMBERED:
            numbers[name], self._names[name] = pd.factorize(seen[name].astype("str"), sort=True)
        return nw.from_native(seen.assign(**numbers)).lazy()

    def named(self, collected: pd.DataFrame) -> pd.DataFrame:
        """What was collected from here, with the words of the visits in place of their numbers."""
        if collected.empty:
            return collected
        return collected.assign(
            **{n: w.take(collected[n].to_numpy()) for n, w in self._names.items() if n in collected}
        )

    @cached_property
    def linked(self) -> nw.LazyFrame[Any]:
        """`linked`, of all visits."""
        return linked(self.seen)

    @cached_property
    def stays(self) -> nw.LazyFrame[Any]:
        """`stays`, of all visits."""
        return stays(self.linked)

    def stays_of_open(self) -> nw.LazyFrame[Any]:
        """The stays of the opportunities of which any is open: few, in an engine, out of very many."""
        return self.stays if self.seen.implementation.is_pandas() else self._stays_where(~has_ended())

    def stays_of_closed(self, since: int) -> nw.LazyFrame[Any]:
        """The stays of the opportunities that were won or lost on the day number `since` or later."""
        is_closed = nw.col(Col.NEXT_STAGE).is_in([o.value for o in OUTCOMES])
        return self._stays_where(is_closed & (nw.col(Col.LEFT_DAY) >= since))

    def _stays_where(self, holds: nw.Expr) -> nw.LazyFrame[Any]:
        """The stays of the opportunities of which this holds of any visit."""
        there = self.seen.filter(holds).select(Col.OPPORTUNITY.value).unique()
        return stays(linked(self.seen.join(there, on=Col.OPPORTUNITY.value, how="semi")))

    def journeys(self, stages: Sequence[str]) -> Iterator[nw.LazyFrame[Any]]:
        """Opportunities that reached each stage: see `xlfunnel.facts.Seen.journeys`."""
        went, here = nw.col(Col.NEXT_STAGE), nw.col(Col.STAGE)
        is_open = (went == here) | (went == Outcome.OPEN.value)
        other = nw.when(went.is_in([o.value for o in OUTCOMES])).then(went).otherwise(nw.lit(Outcome.GONE.value))
        last = self._last.select(
            nw.col(Col.OPPORTUNITY, Col.REGION, Col.OWNER, Col.LEFT_DAY),
            nw.when(is_open).then(nw.lit(Outcome.OPEN.value)).otherwise(other).alias(Col.NEXT_STAGE),
        )
        for stage in stages:
            reached = self.seen.filter(here.is_in(list(STAGES[STAGES.index(stage) :])))
            first = reached.group_by(Col.OPPORTUNITY.value).agg(
                nw.col(Col.ENTERED_DAY).min().alias(Col.SINCE_DAY), nw.col(Col.ENTERED_MONTH).min()
            )
            yield last.join(first, on=Col.OPPORTUNITY.value, how="inner").with_columns(
                nw.lit(stage).alias(Col.STAGE), (nw.col(Col.LEFT_DAY) - nw.col(Col.SINCE_DAY)).alias(Col.DAYS)
            )

    def fates(self, stages: Sequence[str]) -> Iterator[nw.LazyFrame[Any]]:
        """Opportunities that stood in each stage: see `xlfunnel.facts.Seen.fates`."""
        last = self._last.select(nw.col(Col.OPPORTUNITY, Col.LEFT_DAY, Col.NEXT_STAGE))
        for stage in stages:
            here = self.seen.filter(nw.col(Col.STAGE) == stage)
            first = here.group_by(Col.OPPORTUNITY.value).agg(nw.col(Col.VISIT).min())
            begun = here.join(first, on=list(_VISIT), how="inner").select(
                nw.col(Col.OPPORTUNITY, Col.REGION, Col.STAGE), nw.col(Col.ENTERED_DAY).alias(Col.SINCE_DAY)
            )
            yield begun.join(last, on=Col.OPPORTUNITY.value, how="inner").with_columns(
                (nw.col(Col.LEFT_DAY) - nw.col(Col.SINCE_DAY)).alias(Col.DAYS)
            )

    @cached_property
    def _last(self) -> nw.LazyFrame[Any]:
        """The last visit of each opportunity."""
        ends = self.seen.group_by(Col.OPPORTUNITY.value).agg(nw.col(Col.VISIT).max())
        last = self.seen.join(ends, on=list(_VISIT), how="inner")
        return last if self._keep is None else nw.from_native(self._keep(last.to_native())).lazy()


def has_ended() -> nw.Expr:
    """Whether a visit, or a stay, is over."""
    return nw.col(Col.NEXT_STAGE) != Outcome.OPEN.value


def as_seen(visits: Any, as_of_day: int) -> nw.LazyFrame[Any]:
    """The visits as one saw them on the day: later entries dropped, later exits undone, nulls of words filled.

    `left_day` of a visit not ended is the day itself.
    """
    left = nw.col(Col.LEFT_DAY)
    has_left = ~left.is_null() & (left.fill_null(as_of_day + 1) <= as_of_day)
    went = nw.when(nw.col(Col.NEXT_STAGE) == Outcome.OPEN.value).then(nw.lit(Outcome.GONE.value))
    there = nw.from_native(visits).filter(nw.col(Col.ENTERED_DAY) <= as_of_day)
    # Narwhals takes pandas' index for positions where it looks along an order.
    frame: nw.LazyFrame[Any] = nw.maybe_reset_index(there).lazy()
    return frame.with_columns(
        nw.col(Col.REGION).fill_null(""),
        nw.col(Col.OWNER).fill_null(""),
        nw.when(has_left)
        .then(went.otherwise(nw.col(Col.NEXT_STAGE)))
        .otherwise(nw.lit(Outcome.OPEN.value))
        .alias(Col.NEXT_STAGE),
        nw.when(has_left).then(left).otherwise(nw.lit(as_of_day)).alias(Col.LEFT_DAY),
    )


def linked(seen: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """With what the opportunity's visit before was: was_stage and was_next_stage ("" = none), was_left_day …"""
    columns = (Col.STAGE, Col.NEXT_STAGE, Col.LEFT_DAY, Col.AMOUNT_CENTS)
    if seen.implementation.is_pandas():  # which joins five times as fast as it looks along an order
        before = seen.select(nw.col(Col.OPPORTUNITY), nw.col(Col.VISIT) + 1, nw.col(*columns).name.prefix("was_"))
        found = seen.join(before, on=list(_VISIT), how="left")
    else:
        shifted = seen.with_columns(
            *(_along(nw.col(c).shift(1)).alias(f"was_{c}") for c in (Col.VISIT, *columns)),
        )
        is_next = nw.col("was_visit") + 1 == nw.col(Col.VISIT)
        found = shifted.with_columns(nw.when(is_next).then(nw.col(f"was_{c}")).alias(f"was_{c}") for c in columns)
    return found.with_columns(
        nw.col("was_stage", "was_next_stage").fill_null(""), nw.col("was_left_day").fill_null(_NEVER)
    )


def _along(value: nw.Expr) -> nw.Expr:
    """Computed along the visits of each opportunity."""
    return value.over(Col.OPPORTUNITY.value, order_by=Col.VISIT.value)


def with_origin(linked: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """With came_from and came_cents, as drawn above."""
    came_here = nw.col("was_next_stage") == nw.col(Col.STAGE)
    was_closed = nw.col("was_next_stage").is_in([o.value for o in OUTCOMES])
    elsewhere = nw.when(was_closed).then(nw.col("was_next_stage")).otherwise(nw.lit(Outcome.GONE.value))
    later = nw.when(came_here).then(nw.col("was_stage")).otherwise(elsewhere)
    return linked.with_columns(
        nw.when(nw.col(Col.VISIT) == 1).then(nw.lit(NEW)).otherwise(later).alias(Col.CAME_FROM),
        nw.when(came_here).then(nw.col("was_amount_cents")).otherwise(nw.col(Col.AMOUNT_CENTS)).alias(Col.CAME_CENTS),
    )


def stays(linked: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """The last visit of each stay, with since_day, entered_month and days of the whole stay."""
    goes_on = (
        (nw.col("was_stage") == nw.col(Col.STAGE))
        & (nw.col("was_next_stage") == nw.col(Col.STAGE))
        & (nw.col("was_left_day") == nw.col(Col.ENTERED_DAY))
    )
    begun = {Col.SINCE_DAY.value: Col.ENTERED_DAY, Col.ENTERED_MONTH.value: Col.ENTERED_MONTH}
    marked = linked.with_columns(
        goes_on.alias("goes_on"),
        *(nw.when(goes_on).then(nw.lit(_NEVER)).otherwise(nw.col(c)).alias(name) for name, c in begun.items()),
    )
    # Days rise from visit to visit, so the largest of those that begin a stay so far is the one that began this stay.
    since = (_along(nw.col(name).cum_max()) for name in begun)
    if linked.implementation.is_pandas():
        handed_on = marked.filter(nw.col("goes_on")).select(nw.col(Col.OPPORTUNITY), nw.col(Col.VISIT) - 1)
        last = marked.with_columns(*since).join(handed_on, on=list(_VISIT), how="anti")
    else:
        joined = marked.with_columns(*since, _along(nw.col("goes_on").shift(-1)).fill_null(False).alias("is_handed_on"))
        last = joined.filter(~nw.col("is_handed_on"))
    return last.with_columns((nw.col(Col.LEFT_DAY) - nw.col(Col.SINCE_DAY)).alias(Col.DAYS))
