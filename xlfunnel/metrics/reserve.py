"""Reserves: the opportunities that stand in a stage at a month's end, as counts and amounts; the flows; the win rate.

Everything here reads `Facts` (drawn in `xlfunnel.facts`); `region=None` means all regions, `owner=None` all owners.
Amounts leave in currency units: the cents of the facts ÷ 100.
"""

from collections.abc import Sequence
from datetime import date
from functools import lru_cache
from math import nan
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from xlfunnel.calendar import month_end
from xlfunnel.facts import Facts
from xlfunnel.metrics.levels import owner_places, with_parents, with_totals
from xlfunnel.terms import STAGES, Col, Measure, Outcome

CENTS = 100


class WinRate(NamedTuple):
    """rate = won ÷ closed, 0…1, NaN if nothing closed; closed = won + lost opportunities."""

    rate: float
    won: int
    closed: int


class Stocks(NamedTuple):
    """The reserves of facts as grids: owner × stage × month (first…last), whole numbers.

    owners  (region, owner) pairs, sorted
    met     owner × stage: whether the owner's rows have the stage
    grids   opportunities, and cents
    """

    owners: tuple[tuple[str, str], ...]
    met: NDArray[np.bool_]
    grids: dict[Measure, NDArray[np.int64]]


@lru_cache(maxsize=2)
def stocks_of(facts: Facts) -> Stocks:
    """The grids of the facts, kept for the next who asks."""
    known = facts.reserves
    pairs = known[[Col.REGION, Col.OWNER]].drop_duplicates().sort_values([Col.REGION, Col.OWNER])
    owners = tuple(pairs.itertuples(index=False, name=None))
    stages, words = pd.factorize(known[Col.STAGE])
    stage = np.array([STAGES.index(word) for word in words], dtype=np.int64)[stages]
    place = (owner_places(known, owners), stage, known[Col.MONTH].to_numpy() - facts.first_month)
    shape = (len(owners), len(STAGES), facts.last_month - facts.first_month + 1)
    met = np.zeros(shape[:2], dtype=bool)
    met[place[:2]] = True
    grids = {}
    for measure, column in ((Measure.COUNT, Col.COUNT), (Measure.AMOUNT, Col.AMOUNT_CENTS)):
        grids[measure] = np.zeros(shape, dtype=np.int64)
        np.add.at(grids[measure], place, known[column].to_numpy())
    return Stocks(owners, met, grids)


class SpanSeries:
    """Month-end reserves, to be asked for by span, measure, region and owner.

    months   some of first…last; None = all
    regions  names, sorted; "" is the region of rows without one
    owners   (region, owner) pairs, sorted
    """

    def __init__(self, facts: Facts, months: Sequence[int] | None = None) -> None:
        stocks = stocks_of(facts)
        self.owners = stocks.owners
        self.regions: tuple[str, ...] = tuple(sorted({region for region, _ in self.owners}))
        months = range(facts.first_month, facts.last_month + 1) if months is None else months
        self._met = {STAGES[i] for i in np.flatnonzero(stocks.met.any(axis=0))}
        self._months = pd.Index(list(months), name="month", dtype="int64")
        at = np.array(months, dtype=np.int64) - facts.first_month
        self._grids = {measure: grid[:, :, at] for measure, grid in stocks.grids.items()}

    def values(self, span: str, measure: Measure, region: str | None, owner: str | None) -> tuple[float, ...]:
        """One value a month: opportunities, or currency units; NaN if nothing ever stood in any stage of the span,
        because then the CRM does not have it."""
        if not self._met.intersection(stages_of(span)):
            return (nan,) * len(self._months)
        rows = [
            i
            for i, (r, o) in enumerate(self.owners)
            if (region is None or r == region) and (owner is None or o == owner)
        ]
        columns = [STAGES.index(stage) for stage in stages_of(span)]
        sums = self._grids[measure][np.ix_(rows, columns)].sum(axis=(0, 1))
        return tuple((sums / CENTS if measure == Measure.AMOUNT else sums).astype(float).tolist())

    def series(
        self, span: str, measure: Measure = Measure.COUNT, region: str | None = None, owner: str | None = None
    ) -> "pd.Series[float]":
        """`values` with the month numbers as index; the series bears the span's name."""
        return pd.Series(self.values(span, measure, region, owner), index=self._months, name=span, dtype=float)


def stages_of(span: str) -> tuple[str, ...]:
    """Stage codes of a span: "T0-T2" → T0, T1, T2; "T3" → T3. Raises ValueError for anything else."""
    first, _, last = span.partition("-")
    a, z = STAGES.index(first), STAGES.index(last or first)
    if a > z:
        raise ValueError(f"{span}: the first stage lies after the last")
    return STAGES[a : z + 1]


def is_partial(month: int, as_of: date) -> bool:
    """True if `as_of` is before the last day of the month: its figures are not final."""
    return as_of < month_end(month)


def complete_months(facts: Facts, window: int = 0) -> tuple[int, ...]:
    """The months first…last without a partial one; only the last `window` of them if it is above 0."""
    months = tuple(m for m in range(facts.first_month, facts.last_month + 1) if not is_partial(m, facts.as_of))
    return months[-window:] if window > 0 else months


def reserves(facts: Facts) -> pd.DataFrame:
    """All month-end reserves with their totals.

        month  region  owner  stage  count  amount
        665    None    None   T3     9      4310000.0     all regions, only if there is more than one
        665    LX      None   T3     7      3120000.0     the region
        665    LX      A      T3     2      1180000.0     an owner

    month int, count int, amount in currency units; sorted by month, region, owner, stage, totals first.
    """
    stocks = stocks_of(facts)
    who, stage = np.nonzero(with_totals(stocks.met.astype(np.int64), stocks.owners))
    counts, cents = (
        with_totals(stocks.grids[measure], stocks.owners)[who, stage].T.ravel()
        for measure in (Measure.COUNT, Measure.AMOUNT)
    )
    months = np.arange(facts.first_month, facts.last_month + 1)
    whos = np.array([*with_parents(stocks.owners), ("", "")], dtype=object)  # one too many: never without two columns
    region, owner = whos[who].T
    return pd.DataFrame(
        {
            "month": np.repeat(months, len(who)),
            "region": pd.Series(np.tile(region, len(months)), dtype=object),
            "owner": pd.Series(np.tile(owner, len(months)), dtype=object),
            "stage": pd.array(STAGES, dtype="str").take(np.tile(stage, len(months))),
            "count": counts,
            "amount": cents / CENTS,
        }
    )


def series(
    facts: Facts, span: str, measure: Measure = Measure.COUNT, region: str | None = None, owner: str | None = None
) -> "pd.Series[float]":
    """Reserve of a span at each month's end, first…last month (the last one as of `as_of`); index month number."""
    return SpanSeries(facts).series(span, measure, region, owner)


def flows(facts: Facts, region: str | None = None, owner: str | None = None) -> pd.DataFrame:
    """What came and went each month, first…last; index month number.

    created, won, lost (opportunities, int) · created_amount, won_amount, lost_amount (currency units)
    """
    exits, own = facts.exits, _of(facts.exits, region, owner)
    parts = {"created": (facts.created, _of(facts.created, region, owner))}
    for outcome in (Outcome.WON, Outcome.LOST):
        parts[str(outcome)] = (exits, own & (exits[Col.NEXT_STAGE] == outcome).to_numpy(dtype=bool))
    counts = {name: _by_month(*part, Col.COUNT, facts) for name, part in parts.items()}
    amounts = {f"{name}_amount": _by_month(*part, Col.AMOUNT_CENTS, facts) / CENTS for name, part in parts.items()}
    months = range(facts.first_month, facts.last_month + 1)
    return pd.DataFrame(counts | amounts, index=pd.Index(months, name="month", dtype="int64"))


def _by_month(frame: pd.DataFrame, chosen: NDArray[np.bool_], column: Col, facts: Facts) -> NDArray[np.int64]:
    """Sums of a column over the chosen rows, one for each month first…last."""
    sums = np.zeros(facts.last_month - facts.first_month + 1, dtype=np.int64)
    month, values = (frame[c].to_numpy(dtype=np.int64)[chosen] for c in (Col.MONTH, column))
    np.add.at(sums, month - facts.first_month, values)
    return sums


def win_rate(
    facts: Facts, first_month: int, last_month: int, region: str | None = None, owner: str | None = None
) -> WinRate:
    """Won ÷ (won + lost) of the opportunities closed in the months first_month…last_month, both included."""
    exits = facts.exits
    inside = exits[Col.MONTH].between(first_month, last_month).to_numpy() & _of(exits, region, owner)
    count, went = exits[Col.COUNT].to_numpy(), exits[Col.NEXT_STAGE]
    won, lost = (int(count[inside & (went == o).to_numpy(dtype=bool)].sum()) for o in (Outcome.WON, Outcome.LOST))
    closed = won + lost
    return WinRate(won / closed if closed else nan, won, closed)


def _of(frame: pd.DataFrame, region: str | None, owner: str | None) -> NDArray[np.bool_]:
    """Which rows are those of a region, and of an owner; None = any."""
    chosen = np.full(len(frame), True)
    for column, name in ((Col.REGION, region), (Col.OWNER, owner)):
        if name is not None:
            chosen &= (frame[column] == name).to_numpy(dtype=bool)
    return chosen
