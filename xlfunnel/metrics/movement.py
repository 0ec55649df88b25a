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
from xlfunnel.metrics.levels import Who, stages_met, whos
from xlfunnel.metrics.reserve import CENTS
from xlfunnel.terms import NEW, OUTCOMES, STAGES, Col, Measure, Outcome

Whole = NDArray[np.int64]

INS = ("new", "reopened", "advanced_in", "back_in")
OUTS = ("advanced_out", "back_out", "won", "lost")
NETS = ("transferred", "changed", "unknown")
FLOWS = (*INS, *OUTS, *NETS)
STEPS_SHOWN = ("start", *FLOWS, "end")
"""Columns in the order of the waterfall."""

_SIGN = np.array([-1 if name in OUTS else 1 for name in FLOWS])
_RANK = {stage: i for i, stage in enumerate((*STAGES, Outcome.WON.value))}


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
    frames = [_of_measure(facts, measure, spans) for measure in Measure]
    table = pd.concat(frames, ignore_index=True)
    return table.sort_values(["month", "row"], ignore_index=True)[names]


def _of_measure(facts: Facts, measure: Measure, spans: list[tuple[int, int]]) -> pd.DataFrame:
    """The rows of one measure, unsorted, with `row`, their place within the month."""
    cells = _Cells(facts)
    flows, stocks = cells.flows(measure), cells.stocks(measure)
    flows, stocks = cells.with_totals(flows), cells.with_totals(stocks)
    firsts, lasts = (np.array(side) - facts.first_month for side in zip(*spans, strict=True))
    # Sums of months first…last out of sums so far.
    so_far = np.insert(flows.cumsum(axis=2), 0, 0, axis=2)
    moved = so_far[:, :, lasts + 1] - so_far[:, :, firsts]
    stood = np.insert(stocks, 0, 0, axis=2)
    start, end = stood[:, :, firsts], stood[:, :, lasts + 1]
    if not np.array_equal(start + (moved * _SIGN).sum(axis=3), end):
        raise ArithmeticError("movement does not balance")
    values = np.concatenate([start[..., None], moved, end[..., None]], axis=3)
    n_who, n_stage, n_span = values.shape[:3]
    unit = CENTS if measure == Measure.AMOUNT else 1
    frame = pd.DataFrame(values.reshape(-1, len(STEPS_SHOWN)) / unit, columns=list(STEPS_SHOWN))
    place = np.arange(n_who * n_stage).repeat(n_span)
    who = [cells.whos[i] for i in place // n_stage]
    return frame.assign(
        region=pd.Series([region for region, _ in who], dtype=object),
        owner=pd.Series([owner for _, owner in who], dtype=object),
        stage=np.array(cells.stages, dtype=object)[place % n_stage],
        measure=str(measure),
        month=np.tile(lasts + facts.first_month, n_who * n_stage),
        row=place * len(Measure) + list(Measure).index(measure),
    )


class _Cells:
    """Flows and stocks in whole numbers: owner × stage × month (× flow)."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.whos, self.stages = whos(facts), stages_met(facts)
        self.owners = [who for who in self.whos if who[1] is not None]
        self.shape = (len(self.owners), len(self.stages), facts.last_month - facts.first_month + 1)

    def flows(self, measure: Measure) -> Whole:
        """owner × stage × month × FLOWS."""
        grid = np.zeros((*self.shape, len(FLOWS)), dtype=np.int64)
        came, went = self.facts.arrivals, self.facts.exits
        is_count = measure == Measure.COUNT
        value = came[Col.COUNT if is_count else Col.CAME_CENTS].to_numpy()
        self._add(grid, came, _origin(came), value)
        if not is_count:
            changed = came[Col.AMOUNT_CENTS].to_numpy() - value
            self._add(grid, came, np.full(len(came), "changed", dtype=object), changed)
        whither = _whither(went)
        value = went[Col.COUNT if is_count else Col.AMOUNT_CENTS].to_numpy()
        self._add(grid, went, whither, np.where(np.isin(whither, NETS), -value, value))
        return grid

    def stocks(self, measure: Measure) -> Whole:
        """owner × stage × month."""
        grid = np.zeros((*self.shape, 1), dtype=np.int64)
        known = self.facts.reserves
        value = known[Col.COUNT if measure == Measure.COUNT else Col.AMOUNT_CENTS].to_numpy()
        np.add.at(grid, (*self._place(known), np.zeros(len(known), dtype=int)), value)
        return grid[..., 0]

    def with_totals(self, grid: Whole) -> Whole:
        """The same for all of `whos`: regions and the total are the sums of their owners."""
        member = np.array([[_includes(who, owner) for owner in self.owners] for who in self.whos])
        return np.tensordot(member.astype(np.int64), grid, axes=1)

    def _add(self, grid: Whole, frame: pd.DataFrame, flow: NDArray[np.object_], value: Whole) -> None:
        np.add.at(grid, (*self._place(frame), pd.Index(FLOWS).get_indexer(pd.Index(flow))), value)

    def _place(self, frame: pd.DataFrame) -> tuple[NDArray[np.intp], NDArray[np.intp], Whole]:
        pairs = pd.MultiIndex.from_frame(frame[[Col.REGION, Col.OWNER]])
        return (
            pd.MultiIndex.from_tuples(self.owners).get_indexer(pairs),
            pd.Index(self.stages).get_indexer(pd.Index(frame[Col.STAGE])),
            frame[Col.MONTH].to_numpy() - self.facts.first_month,
        )


def _includes(who: Who, owner: Who) -> bool:
    return all(part in (None, own) for part, own in zip(who, owner, strict=True))


def _origin(came: pd.DataFrame) -> NDArray[np.object_]:
    """The flow that each row of arrivals is part of."""
    source, stage = came[Col.CAME_FROM], came[Col.STAGE]
    here, there = stage.map(_RANK), source.map(_RANK)
    return np.select(
        [source == NEW, source.isin(OUTCOMES), source == stage, there < here, there > here],
        ["new", "reopened", "transferred", "advanced_in", "back_in"],
        "unknown",
    ).astype(object)


def _whither(went: pd.DataFrame) -> NDArray[np.object_]:
    """The flow that each row of exits is part of."""
    target, stage = went[Col.NEXT_STAGE], went[Col.STAGE]
    here, there = stage.map(_RANK), target.map(_RANK)
    return np.select(
        [target == Outcome.WON, target == Outcome.LOST, target == stage, there > here, there < here],
        ["won", "lost", "transferred", "advanced_out", "back_out"],
        "unknown",
    ).astype(object)
