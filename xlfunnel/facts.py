"""Visits → the few small frames that every metric needs.

The counting is written once in Narwhals and runs where the data is: pandas, a DuckDB relation, a Spark DataFrame. What
comes back is small, always pandas, and equal whatever counted it.

    entries    region owner stage month count amount_cents              visits that began in the month
    exits      region owner stage next_stage month count amount_cents   visits that ended in it, and where they went
    created    region owner month count amount_cents                    opportunities' first visits
    reserves   region owner stage month count amount_cents              visits that stand at the month's end (a stock)
    durations  region owner stage next_stage days count                 days in stage; "open" = age of a visit not ended

Each is sorted by its columns up to `count`, with a RangeIndex; words are str, numbers int64. E.g. a row of reserves:

    region  owner  stage  month  count  amount_cents
    LX      A      T3     665        2     118000000
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd

from xlfunnel.calendar import day_number, month_number
from xlfunnel.errors import InputError
from xlfunnel.terms import Col, Outcome

_WORDS = (Col.REGION, Col.OWNER, Col.STAGE, Col.NEXT_STAGE)
_SUMS = (Col.COUNT, Col.AMOUNT_CENTS)
_CELL = (Col.REGION, Col.OWNER, Col.STAGE)
_LARGEST_SUM = 9.2e18  # in cents; the last 64-bit integer is 9.223e18

ENTRIES = (*_CELL, Col.MONTH, *_SUMS)
EXITS = (*_CELL, Col.NEXT_STAGE, Col.MONTH, *_SUMS)
CREATED = (Col.REGION, Col.OWNER, Col.MONTH, *_SUMS)
RESERVES = ENTRIES
DURATIONS = (*_CELL, Col.NEXT_STAGE, Col.DAYS, Col.COUNT)


@dataclass(frozen=True)
class Facts:
    """The small frames drawn at the top of this module, as they stood at the end of the day `as_of`.

    first_month  month of the first entry (of `as_of`, if there is none)
    last_month   last month that `reserves` covers: the month of `as_of`
    reserves     dense: every (region, owner, stage) met × every month first…last, 0 where nothing stood;
                 in the last month the stock at `as_of`. reserve = entries so far − exits so far
    """

    as_of: date
    first_month: int
    last_month: int
    entries: pd.DataFrame
    exits: pd.DataFrame
    created: pd.DataFrame
    reserves: pd.DataFrame
    durations: pd.DataFrame


def facts_of(visits: Any, as_of: date) -> Facts:
    """Count the canonical visits frame (see `xlfunnel.crm.visits`) as it stood at the end of the day `as_of`.

    `visits`: pandas DataFrame, DuckDB relation or Spark DataFrame; it is read, never changed, and scanned once for each
    frame that comes back (persist it if it is costly to compute). A visit entered later is not there yet; one left
    later is still open. A visit stands in the reserve of a day if it was entered on or before that day and not left by
    then; so one that was entered and left on the same day never stands. Unknown amounts count as 0 in sums.

    Raises InputError "input.amounts_too_large" where sums of amounts would not fit 64 bits.
    """
    seen = _as_seen(visits, day_number(as_of))
    _refuse_overflow(seen)
    ended = seen.filter(nw.col(Col.NEXT_STAGE) != Outcome.OPEN.value)
    entries = _counted(seen, Col.ENTERED_MONTH, ENTRIES)
    exits = _counted(ended, Col.LEFT_MONTH, EXITS)
    changes = pd.concat([entries, _negated(exits)])
    last_month = month_number(as_of)
    first_month = int(changes[Col.MONTH].min()) if len(changes) else last_month
    return Facts(
        as_of=as_of,
        first_month=first_month,
        last_month=last_month,
        entries=entries,
        exits=exits,
        created=_counted(seen.filter(nw.col(Col.VISIT) == 1), Col.ENTERED_MONTH, CREATED),
        reserves=_dense(changes, first_month, last_month, cumulate=True),
        durations=_counted(seen, Col.DAYS, DURATIONS),
    )


def facts_of_reserves(reserves: pd.DataFrame, as_of: date) -> Facts:
    """Facts from reserves that were counted elsewhere (the aggregated shape): the flows are empty frames.

    `reserves`: region owner stage month count amount_cents, in any order; rows of one cell and month are added up, and
    a cell that is not listed in a month counts 0. Months after that of `as_of` are left out; months after the last one
    reported are not invented, so here `last_month` can lie before `as_of`.
    """
    last_month = month_number(as_of)
    known = reserves.loc[reserves[Col.MONTH] <= last_month, list(RESERVES)]
    known = _normal(known.fillna(dict.fromkeys(_SUMS, 0)), RESERVES)
    if len(known):
        first_month, last_month = int(known[Col.MONTH].min()), int(known[Col.MONTH].max())
    else:
        first_month = last_month
    return Facts(
        as_of=as_of,
        first_month=first_month,
        last_month=last_month,
        entries=_empty(ENTRIES),
        exits=_empty(EXITS),
        created=_empty(CREATED),
        reserves=_dense(known, first_month, last_month, cumulate=False),
        durations=_empty(DURATIONS),
    )


def _as_seen(visits: Any, as_of_day: int) -> nw.LazyFrame[Any]:
    """The visits as one saw them on the day: later entries dropped, later exits undone, nulls filled, days in stage."""
    left = nw.col(Col.LEFT_DAY)
    has_left = ~left.is_null() & (left.fill_null(as_of_day + 1) <= as_of_day)
    went = nw.when(nw.col(Col.NEXT_STAGE) == Outcome.OPEN.value).then(nw.lit(Outcome.GONE.value))
    frame: nw.LazyFrame[Any] = nw.from_native(visits).lazy()
    return frame.filter(nw.col(Col.ENTERED_DAY) <= as_of_day).with_columns(
        nw.col(Col.REGION).fill_null(""),
        nw.col(Col.OWNER).fill_null(""),
        nw.col(Col.AMOUNT_CENTS).fill_null(0),
        nw.when(has_left)
        .then(went.otherwise(nw.col(Col.NEXT_STAGE)))
        .otherwise(nw.lit(Outcome.OPEN.value))
        .alias(Col.NEXT_STAGE),
        (nw.when(has_left).then(left).otherwise(nw.lit(as_of_day)) - nw.col(Col.ENTERED_DAY)).alias(Col.DAYS),
    )


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
    picked = seen.select(*keys[:-1], nw.col(when).alias(last_key), nw.col(Col.AMOUNT_CENTS))
    sums = [nw.len().alias(Col.COUNT)]
    if Col.AMOUNT_CENTS in columns:
        sums.append(nw.col(Col.AMOUNT_CENTS).sum())
    return _normal(_collect(picked.group_by(*keys).agg(*sums)), columns)


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
    return exits.drop(columns=Col.NEXT_STAGE).assign(**{c.value: -exits[c] for c in _SUMS})


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
    for name in _SUMS:
        values = np.zeros((len(cells), len(months)), dtype="int64")
        np.add.at(values, (row, column), changes[name].to_numpy())
        grid[name.value] = (values.cumsum(axis=1) if cumulate else values).ravel()
    return _normal(grid, RESERVES)
