"""Visits in an engine, DuckDB or Spark: the walk along the visits of an opportunity in Narwhals."""

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from functools import cached_property
from typing import Any

import narwhals as nw
import pandas as pd

from xlfunnel import lookback
from xlfunnel.calendar import day_number
from xlfunnel.lookback import CARRIED, NEVER
from xlfunnel.terms import Col

Frame = nw.LazyFrame[Any]

_VISIT = (Col.OPPORTUNITY.value, Col.VISIT.value)


class _Expressions:
    """`lookback.Columns` of whatever frame they are used on."""

    def __getitem__(self, name: str) -> nw.Expr:
        return nw.col(name)

    def word(self, word: str) -> nw.Expr:
        return nw.lit(str(word))

    def either(self, holds: nw.Expr, then: nw.Expr, otherwise: nw.Expr) -> nw.Expr:
        return nw.when(holds).then(then).otherwise(otherwise)


_OF = _Expressions()


class InEngine:
    """`lookback.Part` of a relation of DuckDB or a DataFrame of Spark. `keep`: see `xlfunnel.facts.Seen`."""

    def __init__(self, visits: Any, as_of: date, keep: Callable[[Any], Any] | None = None) -> None:
        self._seen = _as_seen(visits, day_number(as_of))
        self._keep = keep

    def size(self) -> float:
        found = _collected(self._seen.select(nw.col(Col.AMOUNT_CENTS).cast(nw.Float64).abs().sum()))
        return float(found[Col.AMOUNT_CENTS].fillna(0).sum())

    def arrivals(self) -> Frame:
        return self._linked.with_columns(
            lookback.came_from(_OF).alias(Col.CAME_FROM), lookback.came_cents(_OF).alias(Col.CAME_CENTS)
        )

    def exits(self) -> Frame:
        return self._seen.filter(lookback.has_ended(_OF))

    def stays(self) -> Frame:
        return _stays(self._linked)

    def standing(self) -> Frame:
        """Of the opportunities of which any visit is open: few out of very many."""
        still_open = ~lookback.has_ended(_OF)
        return self._stays_where(still_open).filter(still_open)

    def stays_of_closed(self, since: int) -> Frame:
        return self._stays_where(lookback.has_closed(_OF, since))

    def _stays_where(self, holds: nw.Expr) -> Frame:
        """The stays of the opportunities of which this holds of any visit."""
        there = self._seen.filter(holds).select(Col.OPPORTUNITY.value).unique()
        return _stays(_linked(self._seen.join(there, on=Col.OPPORTUNITY.value, how="semi")))

    def journeys(self, stages: Sequence[str]) -> Iterator[Frame]:
        last = self._last.select(
            nw.col(Col.OPPORTUNITY, Col.REGION, Col.OWNER, Col.LEFT_DAY), lookback.end_of(_OF).alias(Col.NEXT_STAGE)
        )
        for stage in stages:
            reached = self._seen.filter(nw.col(Col.STAGE).is_in(list(lookback.later_than(stage))))
            first = reached.group_by(Col.OPPORTUNITY.value).agg(
                nw.col(Col.ENTERED_DAY).min().alias(Col.SINCE_DAY), nw.col(Col.ENTERED_MONTH).min()
            )
            yield last.join(first, on=Col.OPPORTUNITY.value, how="inner").with_columns(
                nw.lit(stage).alias(Col.STAGE), lookback.days(_OF).alias(Col.DAYS)
            )

    def fates(self, stages: Sequence[str]) -> Iterator[Frame]:
        last = self._last.select(nw.col(Col.OPPORTUNITY, Col.LEFT_DAY, Col.NEXT_STAGE))
        for stage in stages:
            here = self._seen.filter(nw.col(Col.STAGE) == stage)
            first = here.group_by(Col.OPPORTUNITY.value).agg(nw.col(Col.VISIT).min())
            begun = here.join(first, on=list(_VISIT), how="inner").select(
                nw.col(Col.OPPORTUNITY, Col.REGION, Col.STAGE), nw.col(Col.ENTERED_DAY).alias(Col.SINCE_DAY)
            )
            yield begun.join(last, on=Col.OPPORTUNITY.value, how="inner").with_columns(
                lookback.days(_OF).alias(Col.DAYS)
            )

    def picked(self, found: Frame, when: Col, keys: Sequence[str], sums: Sequence[str]) -> pd.DataFrame:
        known = (nw.col(when).alias(keys[-1]), *(nw.col(c).fill_null(0) for c in sums))
        picked = found.select(*keys[:-1], *known, nw.lit(1).alias(Col.COUNT))
        return _collected(picked.group_by(*keys).agg(nw.col(Col.COUNT, *sums).sum()))

    def listed(self, found: Frame, columns: Sequence[str], order: list[str]) -> pd.DataFrame:
        return _collected(found.select(*columns)).sort_values(order)

    def named(self, frame: pd.DataFrame) -> pd.DataFrame:
        return frame

    @cached_property
    def _linked(self) -> Frame:
        return _linked(self._seen)

    @cached_property
    def _last(self) -> Frame:
        """The last visit of each opportunity."""
        ends = self._seen.group_by(Col.OPPORTUNITY.value).agg(nw.col(Col.VISIT).max())
        last = self._seen.join(ends, on=list(_VISIT), how="inner")
        return last if self._keep is None else nw.from_native(self._keep(last.to_native())).lazy()


def _as_seen(visits: Any, as_of_day: int) -> Frame:
    """Later entries dropped, later exits undone, nulls of words filled; left_day of what is not ended is the day."""
    there: Frame = nw.from_native(visits).lazy().filter(nw.col(Col.ENTERED_DAY) <= as_of_day)
    filled = there.with_columns(
        nw.col(Col.REGION, Col.OWNER).fill_null(""), nw.col(Col.LEFT_DAY).fill_null(as_of_day + 1)
    )
    has_left = nw.col(Col.LEFT_DAY) <= as_of_day
    return filled.with_columns(
        lookback.went(_OF, as_of_day).alias(Col.NEXT_STAGE),
        nw.when(has_left).then(nw.col(Col.LEFT_DAY)).otherwise(nw.lit(as_of_day)).alias(Col.LEFT_DAY),
    )


def _linked(seen: Frame) -> Frame:
    """With what the opportunity's visit before was."""
    shifted = seen.with_columns(_along(nw.col(c).shift(1)).alias(f"was_{c}") for c in (Col.VISIT, *CARRIED))
    is_next = nw.col("was_visit") + 1 == nw.col(Col.VISIT)
    found = shifted.with_columns(nw.when(is_next).then(nw.col(f"was_{c}")).alias(f"was_{c}") for c in CARRIED)
    return found.with_columns(
        nw.col("was_stage", "was_next_stage").fill_null(""), nw.col("was_left_day").fill_null(NEVER)
    )


def _stays(linked: Frame) -> Frame:
    begun = {Col.SINCE_DAY.value: Col.ENTERED_DAY, Col.ENTERED_MONTH.value: Col.ENTERED_MONTH}
    goes_on = lookback.goes_on(_OF)
    marked = linked.with_columns(
        goes_on.alias("goes_on"),
        *(nw.when(goes_on).then(nw.lit(NEVER)).otherwise(nw.col(c)).alias(name) for name, c in begun.items()),
    )
    # Days rise from visit to visit, so the largest of those that begin a stay so far is the one that began this stay.
    since = (_along(nw.col(name).cum_max()) for name in begun)
    joined = marked.with_columns(*since, _along(nw.col("goes_on").shift(-1)).fill_null(False).alias("is_handed_on"))
    return joined.filter(~nw.col("is_handed_on")).with_columns(lookback.days(_OF).alias(Col.DAYS))


def _along(value: nw.Expr) -> nw.Expr:
    """Computed along the visits of each opportunity."""
    return value.over(Col.OPPORTUNITY.value, order_by=Col.VISIT.value)


def _collected(frame: Frame) -> pd.DataFrame:
    collected: pd.DataFrame = frame.collect("pandas").to_native()
    return collected
