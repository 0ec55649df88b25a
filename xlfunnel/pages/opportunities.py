"""Opportunity check: which open opportunities no longer move, five scores that users type, and what to do with each."""

from itertools import compress

import pandas as pd

from xlfunnel.analysis import FunnelAnalysis
from xlfunnel.calendar import date_of
from xlfunnel.metrics import opportunity
from xlfunnel.metrics.opportunity import CAUSES, FAIR, FIRST_STAGE, QUIET_DAYS, STRONG, TIMES_MEDIAN
from xlfunnel.pages.model import Chart, Choice, Column, Content, Link, Mark, Page, Series, Slot, Table, Text
from xlfunnel.pages.phrases import Phrases
from xlfunnel.report import Value
from xlfunnel.terms import SCORES, STAGES, Advice, Severity, Stale

_SENTENCES = range(6, 10)
_CHARTS = range(11, 22)
_LIST = 27
"""Header row of the list."""

_STAGES = STAGES[STAGES.index(FIRST_STAGE) :]
_ADVICE, _BY_STAGE = _LIST, _LIST + len(Advice) + 3
"""Header rows of the two tables behind the charts."""

_AS_OF = "kpi_opportunities_as_of"


def _cell(column: str) -> str:
    return f"tbl_opportunities[[#This Row],[{{{column}}}]]"


def _column(column: str) -> str:
    """A column of the list, as another table's formula calls it: by the string of its header."""
    return f"tbl_opportunities[{{tables.opportunities.{column}}}]"


_SCORED = f"tbl_opportunities[[#This Row],[{{{SCORES[0]}}}]:[{{{SCORES[-1]}}}]]"
_TOTAL = f'=IF(COUNTIFS({_SCORED},">=1",{_SCORED},"<=5")={len(SCORES)},SUM({_SCORED}),"")'
_IF = {
    Stale.AGE: f"IF(ISNUMBER({_cell('limit_days')}),{_cell('days')}>{_cell('limit_days')})",
    Stale.OVERDUE: f"IF(ISNUMBER({_cell('expected_close')}),{_cell('expected_close')}<{_AS_OF})",
    Stale.QUIET: f"IF(ISNUMBER({_cell('last_activity')}),{_AS_OF}-{_cell('last_activity')}>{QUIET_DAYS})",
}
_STALE = (
    f'=IF({_cell("opportunity_id")}="","",SUBSTITUTE(TRIM('
    + '&" "&'.join(f'IF({test},"{{opportunities.stale.{cause}}}","")' for cause, test in _IF.items())
    + '")," "," · "))'.removeprefix('"')
)
_IS_MOVING = f'{_cell("stale")}=""'


def _either(moving: Advice, stale: Advice) -> str:
    return f'IF({_IS_MOVING},"{{opportunities.advice.{moving}}}","{{opportunities.advice.{stale}}}")'


_VERDICT = (
    f'=IF({_cell("opportunity_id")}="","",IF({_cell("total")}="",{_either(Advice.SCORE, Advice.SCORE_STALE)},'
    f"IF({_cell('total')}>={STRONG},{_either(Advice.KEEP, Advice.REVIVE)},"
    f"IF({_cell('total')}>={FAIR},{_either(Advice.REVIVE, Advice.DROP)},"
    f'"{{opportunities.advice.{Advice.DROP}}}"))))'
)


def _stale_count(of: str) -> str:
    """Listed opportunities of the row's stage that have, or have not, a reason to be stale."""
    rows = f"({_column('stage')}=tbl_stale[[#This Row],[{{stage}}]])"
    return f'=SUMPRODUCT({rows}*({_column("stale")}{of}""))'


PAGE = Page(
    key="opportunities",
    widths=(1.7, 13, 11.5, 14.5, 6, 12, 10.5, 7, 8, 8, 11, 11, *(8.5,) * 3, 11.5, 8.5, 7, 17, 12, 28, 2, 16, *(9,) * 4),
    heights={
        1: 8, 2: 28, 3: 18, 4: 6, 5: 22, **dict.fromkeys(_SENTENCES, 20), 10: 8, **dict.fromkeys(_CHARTS, 20),
        22: 8, 23: 22, 24: 16.5, 25: 16.5, 26: 18, _LIST: 31,
    },
    area=f"B1:U{_LIST + 2}",
    repeat=f"{_LIST}:{_LIST}",
    bands=(("B2:U3", "title_band"), ("B5:U5", "section")),
    texts=(
        Text("B2:N2", "opportunities.title", "title_small"),
        Text("B5:U5", "opportunities.sentences", "section"),
        Text("B23:U23", "opportunities.list.title", "section"),
        Text("B24:U24", "opportunities.list.note", "note"),
        Text("B25:U25", "opportunities.list.rule", "note"),
        Text("B26:J26", "opportunities.list.computed", "group"),
        Text("K26:Q26", "opportunities.list.typed", "group"),
        Text("R26:T26", "opportunities.list.found", "group"),
        Text("U26", "opportunities.list.yours", "group"),
        Text("W24", "home.chart_data", "muted"),
    ),
    slots=(
        Slot("txt_opportunities_scope", "B3:U3", "subtitle"),
        *(Slot(f"txt_opportunities_mark_{i}", f"B{row}", "mark_near") for i, row in enumerate(_SENTENCES, 1)),
        *(Slot(f"txt_opportunities_{i}", f"C{row}:U{row}", "sentence") for i, row in enumerate(_SENTENCES, 1)),
        Slot(_AS_OF, "W25", "date"),
    ),
    links=(Link("T2:U2", "sheets.to_home", "home", "link_band"),),
    tables=(
        Table("tbl_opportunities", f"B{_LIST}", (
            Column("opportunity_id", "help_text"), Column("region", "help_text"), Column("owner", "help_text"),
            Column("stage", "center"), Column("amount", "money"), Column("since", "date"), Column("days", "count"),
            Column("median", "days1"), Column("limit_days", "days1_near"),
            Column("expected_close", "center_date", typed=True, choice=Choice("date")),
            Column("last_activity", "center_date", typed=True, choice=Choice("date")),
            *(Column(s, "center_input", typed=True, choice=Choice("integer", low=1, high=5)) for s in SCORES),
            Column("total", "center", formula=_TOTAL), Column("stale", "help_text", formula=_STALE),
            Column("verdict", "help_text", formula=_VERDICT), Column("next_step", "input_note", typed=True),
        ), filter=True, key="opportunity_id"),
        Table("tbl_advice", f"W{_ADVICE}", (
            Column("verdict", "text"),
            Column("count", "count", formula=(
                f"=COUNTIF({_column('verdict')},tbl_advice[[#This Row],[{{verdict}}]])"
                "+tbl_advice[[#This Row],[{rest_count}]]"
            )),
            Column("amount", "money", formula=(
                f"=SUMIF({_column('verdict')},tbl_advice[[#This Row],[{{verdict}}]],{_column('amount')})"
                "+tbl_advice[[#This Row],[{rest_amount}]]"
            )),
            Column("rest_count", "count"), Column("rest_amount", "money"),
        ), rows=len(Advice)),
        Table("tbl_stale", f"W{_BY_STAGE}", (
            Column("stage", "text"),
            Column("moving", "count", formula=_stale_count("=") + "+tbl_stale[[#This Row],[{rest_moving}]]"),
            Column("stale", "count", formula=_stale_count("<>") + "+tbl_stale[[#This Row],[{rest_stale}]]"),
            Column("rest_moving", "count"), Column("rest_stale", "count"),
        ), rows=len(_STAGES)),
    ),
    charts=(
        Chart("B11:J21", "opportunities.chart.stages", ("tbl_stale", "stage"), (
            Series("tbl_stale", "moving", "column", "teal2", labels=True, label_color="white"),
            Series("tbl_stale", "stale", "column", "amber", labels=True, label_color="ink"),
        ), stacked=True, legend=True, gap=60),
        Chart("K11:U21", "opportunities.chart.advice", ("tbl_advice", "verdict"), (
            Series("tbl_advice", "count", "column", "teal2", labels=True),
        ), gap=60),
    ),
    marks=(
        Mark("B6:B9", "", "font"),
        Mark(f"S{_LIST + 1}:S{_LIST + 2}", f"$S{_LIST + 1}", "flagged"),
        Mark(f"T{_LIST + 1}:T{_LIST + 2}", "", "advice"),
    ),
)  # fmt: skip


def content(analysis: FunnelAnalysis, say: Phrases) -> Content:
    """The list, worst first; verdicts of all, those listed by formulas that follow what is typed."""
    found = analysis.opportunities
    typed = analysis.entered.frame("opportunities", ("opportunity_id",))["opportunity_id"]
    shown = opportunity.listed(found, set(typed))
    rest = opportunity.unlisted(found, shown)
    listed = shown.assign(
        region=[say.region(r) for r in shown["region"]],
        owner=[say.owner(o) for o in shown["owner"]],
        since=[pd.Timestamp(date_of(d)) for d in shown["since_day"]],
        stale=_causes(shown, say),
        verdict=[say(f"opportunities.advice.{a}") for a in shown["advice"]],
    )
    every, left = opportunity.by_advice(found), opportunity.by_advice(rest)
    stages, left_stages = opportunity.by_stage(found), opportunity.by_stage(rest)
    columns = [c.key for c in PAGE.tables[0].columns if not c.typed]
    tables = {
        "tbl_opportunities": listed[columns],
        "tbl_advice": every.assign(
            verdict=[say(f"opportunities.advice.{a}") for a in every["advice"]],
            rest_count=left["count"],
            rest_amount=left["amount"],
        )[["verdict", "count", "amount", "rest_count", "rest_amount"]],
        "tbl_stale": stages.assign(rest_moving=left_stages["moving"], rest_stale=left_stages["stale"]),
    }
    cells: dict[str, Value] = {"txt_opportunities_scope": say.scope(analysis), _AS_OF: analysis.as_of}
    told = _sentences(analysis, shown, every, say)
    for i in range(1, len(_SENTENCES) + 1):
        severity, text = told[i - 1] if i <= len(told) else (None, None)
        cells[f"txt_opportunities_mark_{i}"] = say(f"home.mark.{severity}") if severity else None
        cells[f"txt_opportunities_{i}"] = text
    return Content(tables, cells)


def _causes(shown: pd.DataFrame, say: Phrases) -> list[str]:
    """Why each is stale, as the sheet's formula words it."""
    words = [say(f"opportunities.stale.{cause}") for cause in CAUSES]
    held = zip(*(shown[column].tolist() for column in CAUSES.values()), strict=True)
    return [" · ".join(compress(words, holds)) for holds in held]


def _sentences(
    analysis: FunnelAnalysis, shown: pd.DataFrame, advised: pd.DataFrame, say: Phrases
) -> list[tuple[Severity, str]]:
    """How many no longer move and what they are worth; why; what is scored; what cannot be said."""
    found = analysis.opportunities
    total = opportunity.summary(found)
    if not total.open:
        key = "no_visits" if analysis.facts.entries.empty else "none"
        return [(Severity.NONE, say(f"opportunities.sentence.{key}", stage=FIRST_STAGE))]
    told = [_stale(total, say)]
    if total.stale:
        told.append(_why(found, total, say))
    counts = dict(zip(advised["advice"], advised["count"], strict=True))
    each = {str(a): say.count(counts[a]) for a in (Advice.KEEP, Advice.REVIVE, Advice.DROP)}
    scored = {"n": say.count(total.scored), "of": say.count(total.open)}
    if total.scored:
        told.append((Severity.NONE, say("opportunities.sentence.scored", **scored, **each)))
    else:
        told.append((Severity.NONE, say("opportunities.sentence.unscored", **scored)))
    limits = [say("opportunities.sentence.no_dates")]
    unjudged = sorted(set(found.loc[found["limit_days"].isna(), "stage"]))
    if unjudged:
        limits.insert(0, say("opportunities.sentence.no_limit", stages=say("sheets.comma").join(unjudged)))
    if len(shown) < total.open:
        limits.insert(0, say("opportunities.sentence.shown", n=say.count(len(shown)), of=say.count(total.open)))
    return [*told, (Severity.NONE, say("opportunities.join").join(limits))]


def _stale(total: opportunity.Health, say: Phrases) -> tuple[Severity, str]:
    counts = {"n": say.count(total.stale), "of": say.count(total.open), "stage": FIRST_STAGE}
    if not total.stale:
        return Severity.OK, say("opportunities.sentence.moving", **counts)
    share = say.percent(total.stale / total.open)
    if not total.amount:
        return Severity.WATCH, say("opportunities.sentence.stale", **counts, share=share)
    worth = {"amount": say.count(total.stale_amount), "total": say.count(total.amount)}
    text = say("opportunities.sentence.stale_amount", **counts, share=share, **worth)
    if total.unknown_amounts:
        text += say("opportunities.sentence.unknown_amounts", unknown=say.count(total.unknown_amounts))
    return Severity.WATCH, text


def _why(found: pd.DataFrame, total: opportunity.Health, say: Phrases) -> tuple[Severity, str]:
    aged = found[found["is_aged"]]
    counts = {name: say.count(getattr(total, name)) for name in ("aged", "overdue", "quiet")}
    text = say("opportunities.sentence.why", times=TIMES_MEDIAN, quiet_days=QUIET_DAYS, **counts)
    if aged.empty:
        return Severity.NONE, text
    worst = aged.sort_values("days", ascending=False, kind="stable").head(1).to_dict("records")[0]
    return Severity.NONE, text + say(
        "opportunities.sentence.oldest",
        id=worst["opportunity_id"],
        owner=say.owner(worst["owner"]),
        stage=worst["stage"],
        days=say.count(worst["days"]),
        median=say.number(worst["median"]),
    )
