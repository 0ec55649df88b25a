"""Nurture plans: one for each rep and thing that is short, opened by the first word typed into it, open until closed.

A plan that nobody has typed anything into is a proposal: it stands as long as the rep is short, and bears the day of
the check-up. Once something is typed it keeps its name, its opening day and what was held then, whether the rep is
still short or not, until its status says done or dropped; then what was held on closing is kept too.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from math import isnan, nan
from typing import Any, NamedTuple

import pandas as pd

from xlfunnel.metrics.flags import Flag
from xlfunnel.terms import Diagnosis, FlagCode, PlanStatus

SEPARATOR = "·"
_SUFFIX = "/"

PLAN_COLUMNS = ("plan_id", "region", "owner", "opened", "start", "now", "status", "closed")
"""Columns of the plans in a workbook that decide what becomes of them."""

HELD = {Diagnosis.SHORT_T3: "T3", Diagnosis.SHORT_T1: "T1", Diagnosis.SHORT_RESERVE: "T0-T3"}
"""What a plan fills, as its name says it; the most urgent first."""

_CODES = {
    FlagCode.BELOW_FLOOR_T3: Diagnosis.SHORT_T3,
    FlagCode.BELOW_FLOOR_T1: Diagnosis.SHORT_T1,
    FlagCode.BELOW_MEAN: Diagnosis.SHORT_RESERVE,
}
_COLUMNS = {Diagnosis.SHORT_T3: "T3", Diagnosis.SHORT_T1: "T1", Diagnosis.SHORT_RESERVE: "reserve"}
_CLOSED = (PlanStatus.DONE, PlanStatus.DROPPED)


class Plan(NamedTuple):
    """One plan.

    plan_id    "LX·B·T3·2025-06-30", never a second time: region, rep, what is short, opening day (and "/2" …)
    diagnosis  what is short; None for a name that is not one of ours
    opened     the day; start: opportunities held then
    now        opportunities held now, NaN if the rep is not in the data any more
    missing    to the floor or the mean, now; NaN if the rep is not short
    is_own     True once something was typed
    status     open where nothing else was chosen
    closed, end  the day on which it was first seen closed and what was held then; None and NaN while it is open
    """

    plan_id: str
    region: str
    owner: str
    diagnosis: Diagnosis | None
    opened: date | None
    start: float
    now: float
    missing: float
    is_own: bool
    status: PlanStatus
    closed: date | None
    end: float

    @property
    def is_closed(self) -> bool:
        """True if it is done or dropped."""
        return self.status in _CLOSED


def plans(flags: Sequence[Flag], owner_table: pd.DataFrame, typed: pd.DataFrame, as_of: date) -> tuple[Plan, ...]:
    """Every plan: those open, most urgent first, then those closed, the latest first.

    owner_table  frame of `metrics.owners.owner_reserves`
    typed        the rows into which something was typed, with PLAN_COLUMNS
    """
    gaps = {
        (f.region, f.owner, _CODES[f.code]): f.limit - f.value
        for f in flags
        if f.owner is not None and f.code in _CODES
    }
    held = {(str(row["region"]), str(row["owner"])): row for row in owner_table.to_dict("records")}
    own = [_own(row, held, gaps, as_of) for row in typed.to_dict("records")]
    named = {p.plan_id for p in own}
    busy = {(p.region, p.owner, p.diagnosis) for p in own if not p.is_closed or _is_silent(p, as_of)}
    new = [
        Plan(
            _free_name(region, owner, what, as_of, named), region, owner, what, as_of, _now(held, region, owner, what),
            _now(held, region, owner, what), gap, False, PlanStatus.OPEN, None, nan,
        )
        for (region, owner, what), gap in gaps.items()
        if (region, owner, what) not in busy
    ]  # fmt: skip
    return tuple(sorted([*own, *new], key=_order))


def _own(
    row: Mapping[Any, Any],
    held: Mapping[tuple[str, str], Mapping[Any, Any]],
    gaps: Mapping[tuple[str, str, Diagnosis], float],
    as_of: date,
) -> Plan:
    plan_id = str(row["plan_id"])
    region, owner, what, opened = _parts(plan_id, row)
    status = PlanStatus(row["status"]) if row["status"] in tuple(PlanStatus) else PlanStatus.OPEN
    now = nan if what is None else _now(held, region, owner, what)
    start, end = _number(row["start"]), nan
    closed = None
    if status in _CLOSED:
        known = _day(row["closed"])
        # On the first run that sees it closed, what stands beside it is still what was held on the run before.
        closed, end = (as_of, now) if known is None else (known, _number(row["now"]))
    missing = nan if what is None else gaps.get((region, owner, what), nan)
    return Plan(
        plan_id, region, owner, what, opened, now if isnan(start) else start, now, missing, True, status, closed, end
    )


def _parts(plan_id: str, row: Mapping[Any, Any]) -> tuple[str, str, Diagnosis | None, date | None]:
    """Region, rep, diagnosis and opening day: from the name, but region and rep as they stand beside it.

    A rep's name may hold the separator itself, so the name alone does not always tell region from rep.
    """
    who, _, rest = plan_id.rpartition(SEPARATOR)
    who, _, held = who.rpartition(SEPARATOR)
    what = next((d for d, code in HELD.items() if code == held), None)
    region, _, owner = who.partition(SEPARATOR)
    if f"{_text(row['region'])}{SEPARATOR}{_text(row['owner'])}" == who:
        region, owner = _text(row["region"]), _text(row["owner"])
    opened = _day(row["opened"]) or _day(rest.partition(_SUFFIX)[0])
    return region, owner, what, opened


def _now(
    held: Mapping[tuple[str, str], Mapping[Any, Any]], region: str, owner: str, what: Diagnosis
) -> float:  # fmt: skip
    return float(held[region, owner][_COLUMNS[what]]) if (region, owner) in held else nan


def _is_silent(plan: Plan, as_of: date) -> bool:
    """A plan that was dropped is not proposed again in the same month."""
    closed = plan.closed
    is_of_month = closed is not None and (closed.year, closed.month) == (as_of.year, as_of.month)
    return plan.status == PlanStatus.DROPPED and is_of_month


def _free_name(region: str, owner: str, what: Diagnosis, as_of: date, named: Iterable[str]) -> str:
    name = SEPARATOR.join((region, owner, HELD[what], as_of.isoformat()))
    taken, found, n = set(named), name, 2
    while found in taken:
        found, n = f"{name}{_SUFFIX}{n}", n + 1
    return found


def _order(plan: Plan) -> tuple[object, ...]:
    urgency = list(HELD).index(plan.diagnosis) if plan.diagnosis else len(HELD)
    short = 0.0 if isnan(plan.missing) else -plan.missing
    since = plan.closed.toordinal() if plan.closed else 0
    return plan.is_closed, -since, plan.region, urgency, short, plan.owner, plan.plan_id


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else nan


def _day(value: object) -> date | None:
    try:
        return date.fromisoformat(str(value)[:10])
    except ValueError:
        return None


def _text(value: object) -> str:
    return "" if value is None else str(value)
