"""The stays of `xlfunnel.facts.stays` as arrays that can be turned back to what was known on an earlier day."""

from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from xlfunnel.calendar import date_of, day_number, month_number
from xlfunnel.metrics.reserve import CENTS
from xlfunnel.terms import STAGES, Col, Outcome

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

WON, OUT, UNSEEN = len(STAGES), len(STAGES) + 1, -1
"""Where a stay went, when that is no stage (0…4: T0…T4): won; lost or gone; nobody saw, it is open or cut off."""

_WENT = {stage: i for i, stage in enumerate(STAGES)} | {Outcome.WON.value: WON, Outcome.OPEN.value: UNSEEN}


@dataclass(frozen=True)
class Sojourns:
    """One item a stay, in the order of opportunity and visit. Days are day numbers.

    regions        names, sorted; region is an index into them
    stage          0…4
    went           a stage, WON, OUT or UNSEEN
    since, left    day on which it began, on which it ended or was last seen
    amount         currency units; NaN = unknown
    is_open        it stands on `day`
    is_arrival     it came from outside the stages: new, taken up again after an outcome, or nobody says from where
    """

    day: int
    regions: tuple[str, ...]
    region: Integers
    stage: Integers
    went: Integers
    since: Integers
    left: Integers
    amount: Floats
    is_open: Flags
    is_arrival: Flags

    def __len__(self) -> int:
        return len(self.stage)

    def of(self, chosen: Flags) -> "Sojourns":
        """Only the stays chosen."""
        names = ("region", "stage", "went", "since", "left", "amount", "is_open", "is_arrival")
        rows = np.flatnonzero(chosen)  # several times as fast as asking of each column which are chosen
        return replace(self, **{name: getattr(self, name)[rows] for name in names})

    def known_on(self, day: int) -> "Sojourns":
        """What was known at the end of an earlier day: later stays are not there yet, later endings have not come.

        Owner, region and amount stay those of each stay's last visit: what they were before is not kept by stay.
        """
        kept = self.of(self.since <= day)
        ahead = kept.left > day
        return replace(
            kept,
            day=day,
            went=np.where(ahead, UNSEEN, kept.went),
            left=np.minimum(kept.left, day),
            is_open=kept.is_open | ahead,
        )

    @property
    def left_month(self) -> Integers:
        """Month number of `left`."""
        return months_of(self.left)


def months_of(days: Integers) -> Integers:
    """Month numbers of day numbers."""
    if not len(days):
        return days.astype(np.int64)
    first = int(days.min())
    calendar = np.arange(first, int(days.max()) + 1).astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    return calendar[days - first]


def sojourns(stays: pd.DataFrame, as_of: date) -> Sojourns:
    """The frame of `xlfunnel.facts.stays` as arrays."""
    codes, met = pd.factorize(stays[Col.REGION])
    regions = tuple(sorted(met))
    stage, went = _places(stays[Col.STAGE]), _places(stays[Col.NEXT_STAGE])
    same = ~is_first(stays)
    before = np.append(np.int64(UNSEEN), went[:-1])[: len(went)]
    since = stays[Col.SINCE_DAY].to_numpy(dtype=np.int64)
    return Sojourns(
        day=day_number(as_of),
        regions=regions,
        region=np.array([regions.index(name) for name in met], dtype=np.int64)[codes],
        stage=stage,
        went=np.where(went == stage, UNSEEN, went),  # handed on beyond the data
        since=since,
        left=since + stays[Col.DAYS].to_numpy(dtype=np.int64),
        amount=stays[Col.AMOUNT_CENTS].to_numpy(dtype=float, na_value=np.nan) / CENTS,
        is_open=went == UNSEEN,
        is_arrival=~(same & (before == stage)),
    )


def is_first(stays: pd.DataFrame) -> Flags:
    """Whether each row of the frame of `xlfunnel.facts.stays` is of another opportunity than the one before."""
    ids = stays[Col.OPPORTUNITY].array
    return np.append(True, np.asarray(ids[1:] != ids[:-1], dtype=bool))[: len(ids)]


def _places(names: "pd.Series[str]") -> Integers:
    """What `_WENT` has for each; the rest is OUT."""
    codes, met = pd.factorize(names)
    return np.array([_WENT.get(str(name), OUT) for name in met], dtype=np.int64)[codes]


def month_of(day: int) -> int:
    """The month number of a day number."""
    return month_number(date_of(day))
