"""All that is wrong, from every room: the rules on what is held (`metrics.flags`) and those of the rooms, as a table.

Each rule speaks only where its room's own verdict does: a step that is blocked, a stage that is passed more slowly, an
old stock that chance does not explain. One scale of severity for all.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import pandas as pd

from xlfunnel.metrics.evidence import FEW
from xlfunnel.metrics.flags import Flag, order
from xlfunnel.metrics.proportion import wilson
from xlfunnel.terms import STAGES, Col, ConversionKind, Diagnosis, FlagCode, GapKind, Judgement, Pace, Severity

OLD_SHARE = 0.1
"""Share of the stays that outlast the 90th percentile, by its definition: so many opportunities over age are normal."""


@dataclass(frozen=True)
class Rooms:
    """What the rules look at: frames of `metrics.conversion.conversions`, `.duration.durations` and `.over_age`,
    `.owners.owner_reserves`, `.gap_dates.gap_dates`."""

    conversions: pd.DataFrame
    durations: pd.DataFrame
    over_age: pd.DataFrame
    owners: pd.DataFrame
    gap_dates: pd.DataFrame


class RoomRule(NamedTuple):
    """`found` yields the flags of a room, all with this code and severity."""

    code: FlagCode
    severity: Severity
    found: Callable[[Rooms], Iterator["_Found"]]


class _Found(NamedTuple):
    """A flag but for its code and severity."""

    region: str
    owner: str | None
    value: float
    limit: float
    span: str
    numbers: dict[str, float]


def alerts(flags: Sequence[Flag], rooms: Rooms) -> tuple[Flag, ...]:
    """The flags and what the rooms add, in one order."""
    more = [
        Flag(f.region, f.owner, rule.code, f.value, f.limit, rule.severity, f.span, f.numbers)
        for rule in ROOM_RULES
        for f in rule.found(rooms)
    ]
    return tuple(sorted([*flags, *more], key=order))


def diagnosis(flag: Flag) -> Diagnosis:
    """What a flag says ails: the key of its remedies."""
    if flag.code == FlagCode.STEP_BLOCKED:
        return Diagnosis(f"blocked_{flag.span.partition('-')[0]}")
    return _DIAGNOSES[flag.code]


def _blocked(rooms: Rooms) -> Iterator[_Found]:
    """Steps of a region whose recent censor-aware rate is surely below the benchmark or the region's own history."""
    rates = rooms.conversions
    is_recent = (rates["kind"] == ConversionKind.CENSORED) & rates["month"].isna()
    for row in _of_regions(rates[is_recent & (rates["verdict"] == Judgement.BLOCKED)]):
        below = row["high"] < row["benchmark"]
        limit = row["benchmark"] if below else row["history"]
        base = {} if below else {"base": float(row["history_entered"])}
        numbers = {name: float(row[name]) for name in ("low", "high", "entered", "horizon_days")} | base
        yield _Found(row["region"], None, row["rate"], limit, f"{row['from_stage']}-{row['to_stage']}", numbers)


def _slower(rooms: Rooms) -> Iterator[_Found]:
    """Stages of a region that opportunities now leave later than they used to."""
    for row in _of_regions(rooms.durations[rooms.durations["pace"] == Pace.SLOWER]):
        numbers = {name: float(row[name]) for name in ("recent_n", "earlier_n", "log_rank_p")}
        yield _Found(row["region"], None, row["recent_median"], row["earlier_median"], row["stage"], numbers)


def _over_age(rooms: Rooms) -> Iterator[_Found]:
    """Reps, and regions, of whose open opportunities surely more than OLD_SHARE are over age."""
    keys = [Col.REGION.value, Col.OWNER.value]
    held = rooms.owners[keys].assign(n=rooms.owners[list(STAGES)].sum(axis=1))
    old = rooms.over_age.groupby(keys).size().rename("old").reset_index()
    each = held.merge(old, on=keys, how="left").fillna({"old": 0.0})
    whole = each.groupby(Col.REGION.value, as_index=False)[["n", "old"]].sum().assign(owner=None)
    for row in pd.concat([whole, each[each[Col.OWNER] != ""]]).to_dict("records"):
        n, old_count = float(row["n"]), float(row["old"])
        if n >= FEW:
            share = wilson(min(old_count, n), n)
            if share.low > OLD_SHARE:
                numbers = {"old": old_count, "n": n, "low": share.low, "high": share.high}
                yield _Found(row["region"], row["owner"], share.rate, OLD_SHARE, "", numbers)


def _breaking(kind: GapKind) -> Callable[[Rooms], Iterator[_Found]]:
    """Regions whose T3 reserve is still at its floor but is forecast to fall below. Below already: a rule on floors."""

    def found(rooms: Rooms) -> Iterator[_Found]:
        for row in rooms.gap_dates.to_dict("records"):
            if pd.notna(row["region"]) and row["kind"] == kind:
                numbers = {name: float(row[name]) for name in ("month", "earliest")}
                yield _Found(row["region"], None, row["stock"], row["floor"], "", numbers)

    return found


ROOM_RULES = (
    RoomRule(FlagCode.STEP_BLOCKED, Severity.RISK, _blocked),
    RoomRule(FlagCode.FLOW_SLOWER, Severity.WATCH, _slower),
    RoomRule(FlagCode.OVER_AGE, Severity.WATCH, _over_age),
    RoomRule(FlagCode.T3_GAP, Severity.RISK, _breaking(GapKind.EXPECTED)),
    RoomRule(FlagCode.T3_GAP, Severity.WATCH, _breaking(GapKind.POSSIBLE)),
)

_DIAGNOSES = {
    FlagCode.BELOW_MEAN: Diagnosis.SHORT_RESERVE,
    FlagCode.BELOW_FLOOR_T1: Diagnosis.SHORT_T1,
    FlagCode.BELOW_FLOOR_T3: Diagnosis.SHORT_T3,
    FlagCode.RESERVE_DECLINING: Diagnosis.DECLINING,
    FlagCode.FLOW_SLOWER: Diagnosis.SLOWER,
    FlagCode.OVER_AGE: Diagnosis.OVER_AGE,
    FlagCode.T3_GAP: Diagnosis.T3_GAP,
}


def _of_regions(frame: pd.DataFrame) -> Iterator[dict[Any, Any]]:
    """The rows of a frame that speak of a region as a whole."""
    return iter(frame[frame["owner"].isna() & frame["region"].notna()].to_dict("records"))
