"""Nurture plans: who lacks what, how much must come in by when, who does what; and what came of earlier plans."""

from datetime import date, timedelta
from math import ceil, floor, isnan

import pandas as pd

from xlfunnel.analysis import FunnelAnalysis
from xlfunnel.calendar import date_of
from xlfunnel.metrics.plan import HELD, Plan
from xlfunnel.metrics.reverse import Reverse
from xlfunnel.pages.model import Choice, Column, Content, Link, Mark, Page, Slot, Table, Text
from xlfunnel.pages.phrases import Phrases
from xlfunnel.pages.remedies import remedies
from xlfunnel.report import Value
from xlfunnel.terms import Diagnosis, PlanStatus, Reach

_SENTENCES = (6, 7)
_HEAD = 10
_ACTIONS = 2

PAGE = Page(
    key="plans",
    widths=(1.7, 22, 8, 9, 15, 10.5, 6.5, 6.5, 7, 40, 60, 8, 11, 10.5, 10, 22, 10.5, 1.7),
    heights={
        1: 8, 2: 28, 3: 18, 4: 6, 5: 22, **dict.fromkeys(_SENTENCES, 19), 8: 17, 9: 17, _HEAD: 31,
        _HEAD + 1: 62, _HEAD + 2: 62,
    },
    area=f"B1:Q{_HEAD + 2}",
    repeat=f"2:{_HEAD}",
    freeze=f"A{_HEAD + 1}",
    bands=(("B2:Q3", "title_band"), ("B5:Q5", "section")),
    texts=(
        Text("B2:J2", "plans.title", "title_small"),
        Text("B5:Q5", "plans.sentences", "section"),
        Text("B8:Q8", "plans.note", "note"),
        Text("B9:Q9", "plans.rules", "note"),
    ),
    slots=(
        Slot("txt_plans_scope", "B3:Q3", "subtitle"),
        *(Slot(f"txt_plans_{i}", f"B{row}:Q{row}", "sentence") for i, row in enumerate(_SENTENCES, 1)),
    ),
    links=(Link("P2:Q2", "sheets.to_home", "home", "link_band"),),
    tables=(
        Table("tbl_plans", f"B{_HEAD}", (
            Column("plan_id", "help_text"), Column("region", "help_text", kept=True),
            Column("owner", "help_text", kept=True), Column("diagnosis", "help_text"),
            Column("opened", "date", kept=True), Column("start", "count", kept=True),
            Column("now", "count", kept=True), Column("change", "signed0"),
            Column("need", "wrap"), Column("actions", "wrap"),
            Column("own_target", "input_number", typed=True, choice=Choice("decimal", low=0, high=1e6)),
            Column("responsible", "input_wrap", typed=True, choice=Choice("text")),
            Column("due", "input_date", typed=True, choice=Choice("date")),
            Column("status", "input_text", typed=True,
                   choice=Choice("list", options=tuple(f"plans.status.{s}" for s in PlanStatus))),
            Column("note", "input_wrap", typed=True, choice=Choice("text", longest=1000)),
            Column("closed", "date", kept=True),
        ), filter=True, key="plan_id"),
    ),
    marks=(Mark(f"B{_HEAD + 1}:Q{_HEAD + 2}", f"$Q{_HEAD + 1}", "closed"),),
)  # fmt: skip


def content(analysis: FunnelAnalysis, say: Phrases) -> Content:
    """A row a plan; the sentences say how many there are and what came of those closed."""
    known = remedies(analysis, say)
    needs: dict[tuple[str | None, str | None, str], list[Reverse]] = {}
    for row in analysis.reverse:
        needs.setdefault((row.region, row.owner, row.target), []).append(row)
    rows = []
    for plan in analysis.plans:
        now = plan.end if plan.is_closed else plan.now
        held = HELD[plan.diagnosis] if plan.diagnosis else ""
        need = None if plan.is_closed else _need(plan, needs.get((plan.region, plan.owner, held), []), analysis, say)
        each = [] if plan.is_closed or not plan.diagnosis else known[plan.diagnosis][:_ACTIONS]
        rows.append({
            "plan_id": plan.plan_id,
            "region": plan.region,
            "owner": plan.owner,
            "diagnosis": say(f"remedies.diagnosis.{plan.diagnosis}") if plan.diagnosis else None,
            "opened": _moment(plan.opened),
            "start": plan.start,
            "now": now,
            "change": now - plan.start,
            "need": need,
            "actions": "\n".join(_action(i, r.action, r.who, r.days, plan, say) for i, r in enumerate(each, 1)) or None,
            "closed": _moment(plan.closed),
        })  # fmt: skip
    columns = [c.key for c in PAGE.tables[0].columns if not c.typed]
    frame = pd.DataFrame(rows, columns=columns)
    cells: dict[str, Value] = {
        "txt_plans_scope": say.scope(analysis),
        "txt_plans_1": _of_open(analysis, say),
        "txt_plans_2": _of_closed(analysis, say),
    }
    return Content({"tbl_plans": frame.astype({"opened": "datetime64[ns]", "closed": "datetime64[ns]"})}, cells)


def _need(plan: Plan, ways: list[Reverse], analysis: FunnelAnalysis, say: Phrases) -> str | None:
    """How much of what must come in by when, a line a stage it can come from."""
    if plan.diagnosis is None:
        return None
    if isnan(plan.missing):
        return say("plans.need.enough")
    weeks = analysis.settings.plan_weeks
    by = (analysis.as_of + timedelta(weeks=weeks)).isoformat()
    missing = say.count(ceil(plan.missing))
    if plan.diagnosis == Diagnosis.SHORT_RESERVE:
        return say("plans.need.leads", missing=missing, by=by, per_week=say.number(ceil(plan.missing) / weeks))
    head = say("plans.need.head", missing=missing, stage=HELD[plan.diagnosis], by=by)
    return "\n".join([head, *(_way(way, say) for way in ways)])


def _way(way: Reverse, say: Phrases) -> str:
    facts = {
        "stage": way.from_stage,
        "needed": say.count(way.needed),
        "per_week": say.number(way.per_week),
        "by": "" if isnan(way.start_by) else date_of(floor(way.start_by)).isoformat(),
        "earliest": "" if isnan(way.earliest_day) else date_of(ceil(way.earliest_day)).isoformat(),
        "lacking": say.step(*way.lacking.split("-")) if way.reach == Reach.TOO_FEW else way.lacking,
    }
    return say(f"plans.reach.{way.reach}", **facts)


def _action(i: int, action: str, who: str, days: float | None, plan: Plan, say: Phrases) -> str:
    by = (plan.opened + timedelta(days=days)).isoformat() if plan.opened and days is not None else ""
    form = "both" if who and by else "who" if who else "by" if by else "bare"
    return say(f"plans.action.{form}", n=i, action=action, who=who, by=by)


def _of_open(analysis: FunnelAnalysis, say: Phrases) -> str:
    going = [p for p in analysis.plans if not p.is_closed]
    own = sum(p.is_own for p in going)
    if not going:
        return say("plans.sentence.none")
    reps = len({(p.region, p.owner) for p in going})
    return say("plans.sentence.open", n=len(going), reps=reps, own=own, new=len(going) - own)


def _of_closed(analysis: FunnelAnalysis, say: Phrases) -> str | None:
    """Before and after of the plans that were carried out."""
    done = [p for p in analysis.plans if p.status == PlanStatus.DONE and not isnan(p.end - p.start)]
    if not done:
        return say("plans.sentence.no_done")
    start, end = sum(p.start for p in done), sum(p.end for p in done)
    more = sum(p.end > p.start for p in done)
    return say("plans.sentence.done", n=len(done), start=say.number(start), end=say.number(end), more=more)


def _moment(day: date | None) -> pd.Timestamp | None:
    return None if day is None else pd.Timestamp(day)
