"""Visits → the few small frames that every metric needs.

The counting runs where the data is: pandas, a DuckDB relation, a Spark DataFrame; what it counts is written once, in
`xlfunnel.lookback`. What comes back is small, always pandas, and equal whatever counted it.

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

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from xlfunnel.calendar import month_number
from xlfunnel.errors import InputError
from xlfunnel.lookback import Part
from xlfunnel.lookback_memory import InMemory
from xlfunnel.terms import NEW, Col, Outcome

_WORDS = (Col.OPPORTUNITY, Col.REGION, Col.OWNER, Col.STAGE, Col.NEXT_STAGE, Col.CAME_FROM)
_SUMS = (Col.COUNT, Col.AMOUNT_CENTS, Col.CAME_CENTS)
_STOCK = (Col.COUNT, Col.AMOUNT_CENTS)
_CELL = (Col.REGION, Col.OWNER, Col.STAGE)
_LARGEST_SUM = 9.2e18  # in cents; the last 64-bit integer is 9.223e18

ARRIVALS = (*_CELL, Col.CAME_FROM, Col.MONTH, *_SUMS)
ENTRIES = (*_CELL, Col.MONTH, *_STOCK)
EXITS = (*_CELL, Col.NEXT_STAGE, Col.MONTH, *_STOCK)
CREATED = (Col.REGION, Col.OWNER, Col.MONTH, *_STOCK)
RESERVES = ENTRIES
DURATIONS = (*_CELL, Col.NEXT_STAGE, Col.ENTERED_MONTH, Col.DAYS, Col.COUNT)
FATES = (Col.REGION, Col.STAGE, Col.NEXT_STAGE, Col.DAYS, Col.COUNT)
STANDING = (Col.OPPORTUNITY, *_CELL, Col.SINCE_DAY, Col.DAYS, Col.AMOUNT_CENTS)
STAYS = (Col.OPPORTUNITY, Col.VISIT, *_CELL, Col.NEXT_STAGE, Col.SINCE_DAY, Col.DAYS, Col.AMOUNT_CENTS)

_VISIT_ORDER = [Col.OPPORTUNITY.value, Col.VISIT.value]
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

    def __init__(self, visits: Any, as_of: date, keep: Callable[[Any], Any] | None = None) -> None:
        """A tuple of frames is counted one after the other, which takes less memory: every opportunity is in one only.

        `keep` has an engine compute a frame once for several questions.
        """
        self.as_of = as_of
        parts = visits if isinstance(visits, tuple) else (visits,)
        self._parts = [_part(v, as_of, keep) for v in parts]

    def facts(self) -> Facts:
        """Everything counted. Unknown amounts count as 0 in sums.

        Raises InputError "input.amounts_too_large" where sums of amounts would not fit 64 bits.
        """
        _refuse_overflow(self._parts)
        arrivals = _counted(((p, [p.arrivals()]) for p in self._parts), Col.ENTERED_MONTH, ARRIVALS)
        entries = _summed(arrivals, ENTRIES)
        exits = _counted(((p, [p.exits()]) for p in self._parts), Col.LEFT_MONTH, EXITS)
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
            durations=_counted(((p, [p.stays()]) for p in self._parts), Col.DAYS, DURATIONS),
        )

    def stays(self) -> pd.DataFrame:
        """Every stay as it stood at the end of the day, one row each.

            opportunity_id  visit  region  owner  stage  next_stage  since_day  days  amount_cents
            "SJ-0001"       4      LX      Zhang  T3     open        20117      64    1250000

        visit      number of the stay's last visit; since_day when its first one began; days as in `durations`
        int64, but amount_cents Int64: NA = unknown. Sorted by opportunity_id, then visit.
        """
        return _listed(((p, p.stays()) for p in self._parts), STAYS, _VISIT_ORDER)

    def stays_closed(self, since: int) -> pd.DataFrame:
        """The rows of `stays` of the opportunities that were won or lost on the day number `since` or later."""
        return _listed(((p, p.stays_of_closed(since)) for p in self._parts), STAYS, _VISIT_ORDER)

    def standing(self) -> pd.DataFrame:
        """The opportunities open at the end of the day, one row each.

            opportunity_id  region  owner  stage  since_day  days  amount_cents
            "SJ-0001"       LX      Zhang  T3     20117      64    1250000

        since_day  when the stay began (an earlier owner's part included); days = as_of − since_day
        int64, but amount_cents Int64: NA = unknown. Sorted by opportunity_id, then stage.
        """
        return _listed(((p, p.standing()) for p in self._parts), STANDING, _STANDING_ORDER)

    def journeys(self, stages: Sequence[str]) -> pd.DataFrame:
        """How opportunities that reached a stage ended: columns as `durations`, an opportunity instead of a stay.

        stage          one of `stages`, reached as soon as it, or a later stage, was entered for the first time
        entered_month  of that first entry; days from it to the end, or to `as_of`
        next_stage     how the opportunity's last visit ended: "won", "lost", "gone", or "open" (also if it was handed
                       on beyond the data); region and owner are those of that visit
        """
        return _counted(((p, [*p.journeys(stages)]) for p in self._parts), Col.DAYS, DURATIONS)

    def fates(self, stages: Sequence[str]) -> pd.DataFrame:
        """What became of opportunities that ever stood in a stage: region, stage, next_stage, days, count (of them).

        region      that of their first visit in the stage; days from its first day to the end, or to `as_of`
        next_stage  that of their last visit: if it is a stage, they were handed on beyond the data
        """
        return _counted(((p, [*p.fates(stages)]) for p in self._parts), Col.DAYS, FATES)


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


def _part(visits: Any, as_of: date, keep: Callable[[Any], Any] | None) -> Part:
    if isinstance(visits, pd.DataFrame):
        return InMemory(visits, as_of)
    from xlfunnel.lookback_engines import InEngine  # only warehouses need Narwhals

    return InEngine(visits, as_of, keep)


def _refuse_overflow(parts: Iterable[Part]) -> None:
    """Engines wrap, widen or raise on overflow, each its own way; no partial sum can exceed that of absolute values."""
    total = sum(part.size() for part in parts)
    if total >= _LARGEST_SUM:
        raise InputError("input.amounts_too_large", total=total / 100)


def _counted(views: Iterable[tuple[Part, Sequence[Any]]], when: Col, columns: Sequence[Col]) -> pd.DataFrame:
    """Count, and sum of amounts if asked for, per key; `when` is the column that gives the month or days."""
    keys = [c.value for c in columns if c not in _SUMS]
    amounts = [c.value for c in (Col.AMOUNT_CENTS, Col.CAME_CENTS) if c in columns]
    found = []
    for part, its in views:
        picked = [part.picked(view, when, keys, amounts) for view in its]
        found.append(part.named(_summed(picked[0] if len(picked) == 1 else pd.concat(picked), columns)))
    return found[0] if len(found) == 1 else _summed(pd.concat(found), columns)


def _summed(frame: pd.DataFrame, columns: Sequence[Col]) -> pd.DataFrame:
    """Sums over the keys that `columns` leaves out; whatever counted it, the same dtypes, order and index."""
    keys = [c.value for c in columns if c not in _SUMS]
    if not len(frame):
        return _empty(columns)
    place = _place(frame, keys)
    order = np.argsort(place)
    placed = place[order]
    starts = np.flatnonzero(np.append(True, placed[1:] != placed[:-1]))
    sums = [c.value for c in columns if c in _SUMS]
    return pd.DataFrame(
        _taken(frame, keys, order[starts])
        | {c: np.add.reduceat(frame[c].to_numpy(dtype="int64")[order], starts) for c in sums},
        copy=False,
    )


def _place(frame: pd.DataFrame, keys: Sequence[str]) -> NDArray[np.intp]:
    """One number for each row's keys, in their order."""
    codes, sizes = zip(*(_codes(frame[key]) for key in keys), strict=True)
    place: NDArray[np.intp] = np.ravel_multi_index(codes, sizes)
    return place


def _taken(frame: pd.DataFrame, keys: Sequence[str], rows: NDArray[np.intp]) -> dict[str, Any]:
    """The keys of these rows."""
    found = {key: frame[key].take(rows) for key in keys}
    return {key: values.astype("int64" if values.dtype.kind == "i" else "str").array for key, values in found.items()}


def _codes(values: "pd.Series[Any]") -> tuple[NDArray[np.intp], int]:
    """A number for each value, in the order of the values, and how many numbers there may be."""
    if values.dtype.kind != "i":
        codes, words = pd.factorize(values.astype("str"), sort=True)
        return codes, len(words)
    whole = values.to_numpy(dtype="int64")
    first, last = int(whole.min()), int(whole.max())
    if last - first < len(whole):
        return whole - first, last - first + 1
    codes, numbers = pd.factorize(whole, sort=True)
    return codes, len(numbers)


def _listed(views: Iterable[tuple[Part, Any]], columns: Sequence[Col], order: list[str]) -> pd.DataFrame:
    """These columns, row by row, sorted."""
    kinds = {c.value: "str" if c in _WORDS else "int64" for c in columns} | {Col.AMOUNT_CENTS.value: "Int64"}
    found = [part.named(part.listed(view, list(kinds), order)).astype(kinds) for part, view in views]
    return (
        found[0].reset_index(drop=True) if len(found) == 1 else pd.concat(found).sort_values(order, ignore_index=True)
    )


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
    if not len(changes):
        return _empty(RESERVES)
    keys = [c.value for c in _CELL]
    cells, which, row = np.unique(_place(changes, keys), return_index=True, return_inverse=True)
    months = np.arange(first_month, last_month + 1)
    column = changes[Col.MONTH].to_numpy() - first_month
    found = _taken(changes, keys, np.repeat(which, len(months))) | {Col.MONTH.value: np.tile(months, len(cells))}
    for name in _STOCK:
        values = np.zeros((len(cells), len(months)), dtype="int64")
        np.add.at(values, (row, column), changes[name].to_numpy())
        found[name.value] = (values.cumsum(axis=1) if cumulate else values).ravel()
    return pd.DataFrame(found)
