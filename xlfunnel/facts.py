"""Visits → the few small frames that every metric needs.

The counting is written once in Narwhals and runs where the data is: pandas, a DuckDB relation, a Spark DataFrame. What
comes back is small, always pandas, and equal whatever counted it.

    arrivals   region owner stage came_from month count amount_cents came_cents   visits that began in the month
    entries    region owner stage month count amount_cents                        the same, wherever they came from
    exits      region owner stage next_stage month count amount_cents             visits that ended in the month
    created    region owner month count amount_cents                              opportunities' first visits
    reserves   region owner stage month count amount_cents                        standing at the month's end (a stock)
    durations  region owner stage next_stage entered_month days count             stays: days in stage, or age if open

came_from   the stage of the visit before, if that went here; "won" or "lost" if that ended so (taken up again); "new"
            for an opportunity's first visit; "gone" where the visit before went elsewhere or is not in the data
came_cents  the amount that came along from the visit before: amount_cents − came_cents is a change of amount. Equal to
            amount_cents where nothing came along (new, taken up again, "gone")
stay        one or more visits on end in one stage: a hand-over to another owner ends a visit but not the stay. It
            belongs to whoever held it last, and `entered_month` is that in which the first of its visits began.
            Its next_stage is that of its last visit: "open", or the stage itself if it was handed on beyond the data

Each is sorted by its columns up to `count`, with a RangeIndex; words are str, numbers int64. E.g. a row of reserves:

    region  owner  stage  month  count  amount_cents
    LX      A      T3     665        2     118000000
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd

from xlfunnel.calendar import day_number, month_number
from xlfunnel.errors import InputError
from xlfunnel.terms import NEW, OUTCOMES, STAGES, Col, Outcome

_WORDS = (Col.OPPORTUNITY, Col.REGION, Col.OWNER, Col.STAGE, Col.NEXT_STAGE, Col.CAME_FROM)
_SUMS = (Col.COUNT, Col.AMOUNT_CENTS, Col.CAME_CENTS)
_STOCK = (Col.COUNT, Col.AMOUNT_CENTS)
_CELL = (Col.REGION, Col.OWNER, Col.STAGE)
_VISIT = (Col.OPPORTUNITY.value, Col.VISIT.value)
_LARGEST_SUM = 9.2e18  # in cents; the last 64-bit integer is 9.223e18
_NEVER = -(10**9)  # a day, or a month, before all others

ARRIVALS = (*_CELL, Col.CAME_FROM, Col.MONTH, *_SUMS)
ENTRIES = (*_CELL, Col.MONTH, *_STOCK)
EXITS = (*_CELL, Col.NEXT_STAGE, Col.MONTH, *_STOCK)
CREATED = (Col.REGION, Col.OWNER, Col.MONTH, *_STOCK)
RESERVES = ENTRIES
DURATIONS = (*_CELL, Col.NEXT_STAGE, Col.ENTERED_MONTH, Col.DAYS, Col.COUNT)
STANDING = (Col.OPPORTUNITY, *_CELL, Col.SINCE_DAY, Col.DAYS, Col.AMOUNT_CENTS)
STAYS = (Col.OPPORTUNITY, Col.VISIT, *_CELL, Col.NEXT_STAGE, Col.SINCE_DAY, Col.DAYS, Col.AMOUNT_CENTS)

_STANDING_ORDER = [str(c) for c in (Col.OPPORTUNITY, *_CELL, Col.SINCE_DAY)]


@dataclass(frozen=True, eq=False)
class Facts:
    """The small frames drawn at the top of this module, as they stood at the end of the day `as_of`.

    Facts are only equal to themselves, so that what is derived from them can be kept (`functools.lru_cache`).

    first_month  month of the first entry (of `as_of`, if there is none)
    last_month   last month that `reserves` covers: the month of `as_of`
    reserves     dense: every (region, owner, stage) met × every month first…last, 0 where nothing stood;
                 in the last month the stock at `as_of`. reserve = entries so far − exits so far
    """

    as_of: date
    first_month: int
    last_month: int
    arrivals: pd.DataFrame
    entries: pd.DataFrame
    exits: pd.DataFrame
    created: pd.DataFrame
    reserves: pd.DataFrame
    durations: pd.DataFrame


class Seen:
    """Visits as one saw them at the end of the day `as_of`, each beside the one before: what facts are counted from.

    `visits`: the canonical frame (see `xlfunnel.crm.visits`) as pandas DataFrame, DuckDB relation or Spark DataFrame;
    it is read, never changed (persist it if it is costly to compute). A visit entered later is not there yet; one left
    later is still open. A visit stands in the reserve of a day if it was entered on or before that day and not left by
    then; so one that was entered and left on the same day never stands.
    """

    def __init__(self, visits: Any, as_of: date) -> None:
        self.as_of = as_of
        self._seen = _as_seen(visits, day_number(as_of))

    @cached_property
    def _linked(self) -> nw.LazyFrame[Any]:
        return _linked(self._seen)

    @cached_property
    def _stays(self) -> nw.LazyFrame[Any]:
        return _stays(self._linked)

    def facts(self) -> Facts:
        """Everything counted. Unknown amounts count as 0 in sums.

        Raises InputError "input.amounts_too_large" where sums of amounts would not fit 64 bits.
        """
        _refuse_overflow(self._seen)
        ended = self._seen.filter(nw.col(Col.NEXT_STAGE) != Outcome.OPEN.value)
        arrivals = _counted(_with_origin(self._linked), Col.ENTERED_MONTH, ARRIVALS)
        entries = _summed(arrivals, ENTRIES)
        exits = _counted(ended, Col.LEFT_MONTH, EXITS)
        changes = pd.concat([entries, _negated(exits)])
        last_month = month_number(self.as_of)
        first_month = int(changes[Col.MONTH].min()) if len(changes) else last_month
        return Facts(
            as_of=self.as_of,
            first_month=first_month,
            last_month=last_month,
            arrivals=arrivals,
            entries=entries,
            exits=exits,
            created=_summed(arrivals[arrivals[Col.CAME_FROM] == NEW], CREATED),
            reserves=_dense(changes, first_month, last_month, cumulate=True),
            durations=_counted(self._stays, Col.DAYS, DURATIONS),
        )

    def stays(self) -> pd.DataFrame:
        """Every stay as it stood at the end of the day, one row each.

            opportunity_id  visit  region  owner  stage  next_stage  since_day  days  amount_cents
            "SJ-0001"       4      LX      Zhang  T3     open        20117      64    1250000

        visit      number of the stay's last visit; since_day when its first one began; days as in `durations`
        int64, but amount_cents Int64: NA = unknown. Sorted by opportunity_id, then visit.
        """
        return _listed(self._stays, STAYS).sort_values(list(_VISIT), ignore_index=True)

    def standing(self) -> pd.DataFrame:
        """The opportunities open at the end of the day, one row each.

            opportunity_id  region  owner  stage  since_day  days  amount_cents
            "SJ-0001"       LX      Zhang  T3     20117      64    1250000

        since_day  when the stay began (an earlier owner's part included); days = as_of − since_day
        int64, but amount_cents Int64: NA = unknown. Sorted by opportunity_id, then stage.
        """
        still_open = self._stays.filter(nw.col(Col.NEXT_STAGE) == Outcome.OPEN.value)
        return _listed(still_open, STANDING).sort_values(_STANDING_ORDER, ignore_index=True)

    def journeys(self, stages: Sequence[str]) -> pd.DataFrame:
        """How opportunities that reached a stage ended: columns as `durations`, an opportunity instead of a stay.

        stage          one of `stages`, reached as soon as it, or a later stage, was entered for the first time
        entered_month  of that first entry; days from it to the end, or to `as_of`
        next_stage     how the opportunity's last visit ended: "won", "lost", "gone", or "open" (also if it was handed
                       on beyond the data); region and owner are those of that visit
        """
        seen = self._seen
        ends = seen.group_by(Col.OPPORTUNITY.value).agg(nw.col(Col.VISIT).max())
        went, here = nw.col(Col.NEXT_STAGE), nw.col(Col.STAGE)
        is_open = (went == here) | (went == Outcome.OPEN.value)
        other = nw.when(went.is_in([o.value for o in OUTCOMES])).then(went).otherwise(nw.lit(Outcome.GONE.value))
        last = seen.join(ends, on=list(_VISIT), how="inner").select(
            nw.col(Col.OPPORTUNITY, Col.REGION, Col.OWNER, Col.LEFT_DAY),
            nw.when(is_open).then(nw.lit(Outcome.OPEN.value)).otherwise(other).alias(Col.NEXT_STAGE),
        )
        found = [_empty(DURATIONS)]
        for stage in stages:
            reached = seen.filter(here.is_in(list(STAGES[STAGES.index(stage) :])))
            first = reached.group_by(Col.OPPORTUNITY.value).agg(
                nw.col(Col.ENTERED_DAY).min().alias(Col.SINCE_DAY), nw.col(Col.ENTERED_MONTH).min()
            )
            made = last.join(first, on=Col.OPPORTUNITY.value, how="inner").with_columns(
                nw.lit(stage).alias(Col.STAGE), (nw.col(Col.LEFT_DAY) - nw.col(Col.SINCE_DAY)).alias(Col.DAYS)
            )
            found.append(_counted(made, Col.DAYS, DURATIONS))
        return _normal(pd.concat(found), DURATIONS)


def facts_of(visits: Any, as_of: date) -> Facts:
    """`Seen.facts` of visits of which nothing else is asked."""
    return Seen(visits, as_of).facts()


def stays(visits: Any, as_of: date) -> pd.DataFrame:
    """`Seen.stays` of visits of which nothing else is asked."""
    return Seen(visits, as_of).stays()


def standing(visits: Any, as_of: date) -> pd.DataFrame:
    """`Seen.standing` of visits of which nothing else is asked."""
    return Seen(visits, as_of).standing()


def open_stays(found: pd.DataFrame) -> pd.DataFrame:
    """What `standing` gives, out of the frame of `stays`."""
    there = found.loc[found[Col.NEXT_STAGE] == Outcome.OPEN.value, [c.value for c in STANDING]]
    return there.sort_values(_STANDING_ORDER, ignore_index=True)


def journeys(visits: Any, as_of: date, stages: Sequence[str]) -> pd.DataFrame:
    """`Seen.journeys` of visits of which nothing else is asked."""
    return Seen(visits, as_of).journeys(stages)


def facts_of_reserves(reserves: pd.DataFrame, as_of: date) -> Facts:
    """Facts from reserves that were counted elsewhere (the aggregated shape): the flows are empty frames.

    `reserves`: region owner stage month count amount_cents, in any order; rows of one cell and month are added up, and
    a cell that is not listed in a month counts 0. Months after that of `as_of` are left out; months after the last one
    reported are not invented, so here `last_month` can lie before `as_of`.
    """
    last_month = month_number(as_of)
    known = reserves.loc[reserves[Col.MONTH] <= last_month, list(RESERVES)]
    known = _normal(known.fillna(dict.fromkeys(_STOCK, 0)), RESERVES)
    if len(known):
        first_month, last_month = int(known[Col.MONTH].min()), int(known[Col.MONTH].max())
    else:
        first_month = last_month
    return Facts(
        as_of=as_of,
        first_month=first_month,
        last_month=last_month,
        arrivals=_empty(ARRIVALS),
        entries=_empty(ENTRIES),
        exits=_empty(EXITS),
        created=_empty(CREATED),
        reserves=_dense(known, first_month, last_month, cumulate=False),
        durations=_empty(DURATIONS),
    )


def _as_seen(visits: Any, as_of_day: int) -> nw.LazyFrame[Any]:
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


def _linked(seen: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """With what the opportunity's visit before was: was_stage and was_next_stage ("" = none), was_left_day …"""
    # A join, because Narwhals' shift along an order stumbles over pandas' nullable integers.
    before = seen.select(
        nw.col(Col.OPPORTUNITY),
        nw.col(Col.VISIT) + 1,
        nw.col(Col.STAGE, Col.NEXT_STAGE, Col.LEFT_DAY, Col.AMOUNT_CENTS).name.prefix("was_"),
    )
    return seen.join(before, on=list(_VISIT), how="left").with_columns(
        nw.col("was_stage", "was_next_stage").fill_null(""), nw.col("was_left_day").fill_null(_NEVER)
    )


def _with_origin(linked: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """With came_from and came_cents, as drawn above."""
    came_here = nw.col("was_next_stage") == nw.col(Col.STAGE)
    was_closed = nw.col("was_next_stage").is_in([o.value for o in OUTCOMES])
    elsewhere = nw.when(was_closed).then(nw.col("was_next_stage")).otherwise(nw.lit(Outcome.GONE.value))
    later = nw.when(came_here).then(nw.col("was_stage")).otherwise(elsewhere)
    return linked.with_columns(
        nw.when(nw.col(Col.VISIT) == 1).then(nw.lit(NEW)).otherwise(later).alias(Col.CAME_FROM),
        nw.when(came_here).then(nw.col("was_amount_cents")).otherwise(nw.col(Col.AMOUNT_CENTS)).alias(Col.CAME_CENTS),
    )


def _stays(linked: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
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
    joined = marked.with_columns(nw.col(*begun).cum_max().over(Col.OPPORTUNITY.value, order_by=Col.VISIT.value))
    handed_on = marked.filter(nw.col("goes_on")).select(nw.col(Col.OPPORTUNITY), nw.col(Col.VISIT) - 1)
    last = joined.join(handed_on, on=list(_VISIT), how="anti")
    return last.with_columns((nw.col(Col.LEFT_DAY) - nw.col(Col.SINCE_DAY)).alias(Col.DAYS))


def _refuse_overflow(seen: nw.LazyFrame[Any]) -> None:
    """Engines wrap, widen or raise on overflow, each its own way; no partial sum can exceed that of absolute values."""
    sizes = _collect(seen.select(nw.col(Col.AMOUNT_CENTS).cast(nw.Float64).abs().sum()))
    total = float(sizes[Col.AMOUNT_CENTS].fillna(0).sum())
    if total >= _LARGEST_SUM:
        raise InputError("input.amounts_too_large", total=total / 100)


def _counted(seen: nw.LazyFrame[Any], when: Col, columns: Sequence[Col]) -> pd.DataFrame:
    """Count, and sum of amounts if asked for, per key; `when` is the column that gives the month or days."""
    keys = [c.value for c in columns if c not in _SUMS]
    last_key = keys[-1]
    amounts = [c.value for c in (Col.AMOUNT_CENTS, Col.CAME_CENTS) if c in columns]
    picked = seen.select(*keys[:-1], nw.col(when).alias(last_key), *(nw.col(c).fill_null(0) for c in amounts))
    sums = [nw.len().alias(Col.COUNT), *(nw.col(c).sum() for c in amounts)]
    return _normal(_collect(picked.group_by(*keys).agg(*sums)), columns)


def _summed(frame: pd.DataFrame, columns: Sequence[Col]) -> pd.DataFrame:
    """Sums over the keys that `columns` leaves out."""
    keys = [c.value for c in columns if c not in _SUMS]
    return _normal(frame.groupby(keys, as_index=False)[[c.value for c in columns if c in _SUMS]].sum(), columns)


def _listed(frame: nw.LazyFrame[Any], columns: Sequence[Col]) -> pd.DataFrame:
    """These columns, row by row."""
    kinds = {c.value: "str" if c in _WORDS else "int64" for c in columns} | {Col.AMOUNT_CENTS.value: "Int64"}
    return _collect(frame.select(*(c.value for c in columns))).astype(kinds)


def _collect(frame: nw.LazyFrame[Any]) -> pd.DataFrame:
    collected: pd.DataFrame = frame.collect("pandas").to_native()
    return collected


def _normal(frame: pd.DataFrame, columns: Sequence[Col]) -> pd.DataFrame:
    """The same dtypes, column order, row order and index whichever engine counted."""
    kinds = {c.value: "str" if c in _WORDS else "int64" for c in columns}
    keys = [c.value for c in columns if c not in _SUMS]
    return frame[list(kinds)].astype(kinds).sort_values(keys, ignore_index=True)


def _empty(columns: Sequence[Col]) -> pd.DataFrame:
    return _normal(pd.DataFrame(columns=[c.value for c in columns]), columns)


def _negated(exits: pd.DataFrame) -> pd.DataFrame:
    return exits.drop(columns=Col.NEXT_STAGE).assign(**{c.value: -exits[c] for c in _STOCK})


def _dense(changes: pd.DataFrame, first_month: int, last_month: int, *, cumulate: bool) -> pd.DataFrame:
    """Every (region, owner, stage) met × every month, with sums of `changes` in the month, or up to its end."""
    cells = changes[list(_CELL)].drop_duplicates().sort_values(list(_CELL), ignore_index=True)
    if not len(cells):
        return _empty(RESERVES)
    months = np.arange(first_month, last_month + 1)
    row = changes[list(_CELL)].merge(cells.reset_index(), how="left")["index"].to_numpy()
    column = changes[Col.MONTH].to_numpy() - first_month
    grid = cells.loc[np.repeat(cells.index, len(months))].reset_index(drop=True)
    grid[Col.MONTH.value] = np.tile(months, len(cells))
    for name in _STOCK:
        values = np.zeros((len(cells), len(months)), dtype="int64")
        np.add.at(values, (row, column), changes[name].to_numpy())
        grid[name.value] = (values.cumsum(axis=1) if cumulate else values).ravel()
    return _normal(grid, RESERVES)
