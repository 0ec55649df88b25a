"""Movement: how the reserve at one month's end became that of another, stage by stage, in numbers that add up.

    start + new + reopened + advanced_in + back_in − advanced_out − back_out − won − lost
          + transferred + changed + unknown = end

new           opportunities' first visits; reopened: taken up again out of won or lost
advanced_in   came from an earlier stage, also with another owner; advanced_out went on to a later one
back_in       fell back from a later stage; back_out fell back to an earlier one
transferred   came from another owner of the same stage less what went to one (also where that lies beyond the data)
changed       amounts only: what those that came were worth more than when they left the visit before
unknown       came from, less went, where nobody says

Signs: the outs, won and lost are positive numbers that are taken away; transferred, changed and unknown carry their own
sign. `changed` is found where visits carry amounts of their own: what comes in is counted at the amount it went out
with before, and the difference stands in `changed`. So, where the data knows both ends, all that advanced out of some
stage has advanced into another, and transfers cancel out over all owners.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from xlfunnel.facts import Facts
from xlfunnel.metrics.levels import owner_places, pair_values, stages_met, whos, with_totals
from xlfunnel.metrics.reserve import CENTS
from xlfunnel.terms import NEW, OUTCOMES, STAGES, Col, Measure

Whole = NDArray[np.int64]

INS = ("new", "reopened", "advanced_in", "back_in")
OUTS = ("advanced_out", "back_out", "won", "lost")
NETS = ("transferred", "changed", "unknown")
FLOWS = (*INS, *OUTS, *NETS)
STEPS_SHOWN = ("start", *FLOWS, "end")
"""Columns in the order of the waterfall."""

_SIGN = np.array([-1 if name in OUTS else 1 for name in FLOWS])
_IS_NET = np.array([name in NETS for name in FLOWS])


def movement(facts: Facts, first_month: int, last_month: int) -> pd.DataFrame:
    """The waterfall from the end of the month before `first_month` to the end of `last_month`.

        region  owner  stage  measure  start  new  reopened  …  changed  unknown  end
        LX      None   T3     count    10.0   0.0  0.0          0.0      0.0      7.0

    Every who (totals first, None as in `metrics.reserve.reserves`) × every stage the CRM has × count and amount; count
    in opportunities, amount in currency units, float. `last_month` = that of `as_of`: as of that day.
    Empty where nothing is known of flows (reserves counted elsewhere).
    Raises ValueError for months outside first…last of the facts, or in the wrong order; ArithmeticError if a row did
    not balance, which no facts of `facts_of` can bring about.
    """
    if not facts.first_month <= first_month <= last_month <= facts.last_month:
        raise ValueError(f"no movement from {first_month} to {last_month}")
    return _shown(facts, [(first_month, last_month)]).drop(columns="month")


def monthly_movement(facts: Facts) -> pd.DataFrame:
    """`movement` of every month first…last by itself, with its number in the column `month`."""
    return _shown(facts, [(m, m) for m in range(facts.first_month, facts.last_month + 1)])


def _shown(facts: Facts, spans: list[tuple[int, int]]) -> pd.DataFrame:
    names = ["month", "region", "owner", "stage", "measure", *STEPS_SHOWN]
    if facts.arrivals.empty:
        return pd.DataFrame(columns=names)
    cells = _Cells(facts)
    firsts, lasts = (np.array(side) - facts.first_month for side in zip(*spans, strict=True))
    # span × who × stage × measure × step, which is the order of the rows
    values = np.stack([_steps(cells, measure, firsts, lasts) for measure in Measure], axis=3)
    n_span, n_who, n_stage, n_measure, _ = values.shape
    frame = pd.DataFrame(values.reshape(-1, len(STEPS_SHOWN)), columns=list(STEPS_SHOWN))
    span, who, stage, measure = (at.ravel() for at in np.indices((n_span, n_who, n_stage, n_measure)))
    region, owner = np.array(cells.whos, dtype=object)[who].T
    return frame.assign(
        month=(lasts + facts.first_month)[span],
        region=pd.Series(region, dtype=object),
        owner=pd.Series(owner, dtype=object),
        stage=pd.array(cells.stages, dtype="str").take(stage),
        measure=pd.array([str(m) for m in Measure], dtype="str").take(measure),
    )[names]


def _steps(cells: "_Cells", measure: Measure, firsts: Whole, lasts: Whole) -> NDArray[np.float64]:
    """span × who × stage × STEPS_SHOWN of one measure, in its unit; spans are places of months."""
    flows, stocks = (with_totals(g, cells.owners) for g in (cells.flows(measure), cells.stocks(measure)))
    # Sums of months first…last out of sums so far.
    so_far = np.insert(flows.cumsum(axis=2), 0, 0, axis=2)
    moved = so_far[:, :, lasts + 1] - so_far[:, :, firsts]
    stood = np.insert(stocks, 0, 0, axis=2)
    start, end = stood[:, :, firsts], stood[:, :, lasts + 1]
    if not np.array_equal(start + moved @ _SIGN, end):
        raise ArithmeticError("movement does not balance")
    values = np.concatenate([start[..., None], moved, end[..., None]], axis=3)
    return np.moveaxis(values, 2, 0) / (CENTS if measure == Measure.AMOUNT else 1)


class _Cells:
    """Flows and stocks in whole numbers: owner × stage × month (× flow)."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.whos, self.stages = whos(facts), stages_met(facts)
        self.owners = [(region, owner) for region, owner in self.whos if region is not None and owner is not None]
        self.shape = (len(self.owners), len(self.stages), facts.last_month - facts.first_month + 1)
        came, went = facts.arrivals, facts.exits
        self._came, self._went, self._stood = (self._place(f) for f in (came, went, facts.reserves))
        self._origin = pair_values(came[Col.STAGE], came[Col.CAME_FROM], _origin)
        self._whither = pair_values(went[Col.STAGE], went[Col.NEXT_STAGE], _whither)

    def flows(self, measure: Measure) -> Whole:
        """owner × stage × month × FLOWS."""
        grid = np.zeros((*self.shape, len(FLOWS)), dtype=np.int64)
        came, went = self.facts.arrivals, self.facts.exits
        is_count = measure == Measure.COUNT
        value = came[Col.COUNT if is_count else Col.CAME_CENTS].to_numpy()
        np.add.at(grid, (*self._came, self._origin), value)
        if not is_count:
            np.add.at(grid[..., FLOWS.index("changed")], self._came, came[Col.AMOUNT_CENTS].to_numpy() - value)
        value = went[Col.COUNT if is_count else Col.AMOUNT_CENTS].to_numpy()
        np.add.at(grid, (*self._went, self._whither), np.where(_IS_NET[self._whither], -value, value))
        return grid

    def stocks(self, measure: Measure) -> Whole:
        """owner × stage × month."""
        grid = np.zeros(self.shape, dtype=np.int64)
        value = self.facts.reserves[Col.COUNT if measure == Measure.COUNT else Col.AMOUNT_CENTS].to_numpy()
        np.add.at(grid, self._stood, value)
        return grid

    def _place(self, frame: pd.DataFrame) -> tuple[Whole, Whole, Whole]:
        codes, words = pd.factorize(frame[Col.STAGE])
        stage = np.array([self.stages.index(word) for word in words], dtype=np.int64)[codes]
        return owner_places(frame, self.owners), stage, frame[Col.MONTH].to_numpy() - self.facts.first_month


def _origin(stage: str, source: str) -> int:
    """The flow that arrivals in a stage are part of, by where they came from."""
    if source == NEW:
        return FLOWS.index("new")
    if source in OUTCOMES:
        return FLOWS.index("reopened")
    return _by_rank(stage, source, "advanced_in", "back_in")


def _whither(stage: str, target: str) -> int:
    """The flow that exits from a stage are part of, by where they went."""
    if target in OUTCOMES:
        return FLOWS.index(target)
    return _by_rank(target, stage, "advanced_out", "back_out")


def _by_rank(here: str, there: str, earlier: str, later: str) -> int:
    """The flow between two stages, by whether `there` lies before or after `here`."""
    if here == there:
        return FLOWS.index("transferred")
    if here not in STAGES or there not in STAGES:
        return FLOWS.index("unknown")
    return FLOWS.index(earlier if STAGES.index(there) < STAGES.index(here) else later)
