"""Post-mortem: what was won and lost lately, which stage took long, where and why opportunities were lost."""

import pandas as pd

from xlfunnel.analysis import FunnelAnalysis
from xlfunnel.calendar import date_of
from xlfunnel.metrics import opportunity, review
from xlfunnel.pages.model import Chart, Choice, Column, Content, Link, Mark, Page, Series, Slot, Table, Text
from xlfunnel.pages.phrases import Phrases
from xlfunnel.report import Value
from xlfunnel.terms import STAGES, Outcome, Reason, Severity

_SENTENCES = range(6, 10)
_CHARTS = range(11, 23)
_REASONS = 26
_LIST = _REASONS + len(Reason) + 5
"""Header rows: reasons and stages side by side, and the list below them."""

_CHOICE = Choice("list", options=tuple(f"review.reason.{r}" for r in Reason if r != Reason.NOT_STATED), free=True)


def _column(column: str) -> str:
    return f"tbl_review[{{tables.review.{column}}}]"


def _own(table: str, column: str) -> str:
    return f"{table}[[#This Row],[{{{column}}}]]"


def _counted(outcome: Outcome) -> str:
    """How many of that outcome have the row's reason: its word; any other words; none."""
    where = f'{_column("outcome")},"{{data.outcome.{outcome}}}"'
    reason, here = _column("reason"), _own("tbl_reason_counts", "reason")
    stated = f'COUNTIFS({reason},"?*",{where})'
    listed = f"SUMPRODUCT(COUNTIFS({reason},tbl_reason_counts[{{reason}}],{where}))"
    return (
        f"=COUNTIFS({reason},{here},{where})"
        f'+IF({here}="{{review.reason.other}}",{stated}-{listed},0)'
        f'+IF({here}="{{review.reason.not_stated}}",COUNTIFS({where})-{stated},0)'
    )


def _amount() -> str:
    """The lost amount of the row's reason, likewise."""
    where = f'{_column("outcome")},"{{data.outcome.{Outcome.LOST}}}"'
    amount, reason, here = _column("amount"), _column("reason"), _own("tbl_reason_counts", "reason")
    stated = f'SUMIFS({amount},{reason},"?*",{where})'
    listed = f"SUMPRODUCT(SUMIFS({amount},{reason},tbl_reason_counts[{{reason}}],{where}))"
    return (
        f"=SUMIFS({amount},{reason},{here},{where})"
        f'+IF({here}="{{review.reason.other}}",{stated}-{listed},0)'
        f'+IF({here}="{{review.reason.not_stated}}",SUMIFS({amount},{where})-{stated},0)'
    )


_ORDER = (
    f'=IF({_own("tbl_reason_counts", "reason")}="{{review.reason.not_stated}}",-1000,'
    f"1000*{_own('tbl_reason_counts', 'lost')})-{_own('tbl_reason_counts', 'n')}"
)
"""Most lost first, those without a reason last, equal counts in the order of the list."""


def _ranked(column: str) -> str:
    counts = "tbl_reason_counts[{tables.reason_counts.%s}]"
    order = counts % "order"
    return f"INDEX({counts % column},MATCH(LARGE({order},{_own('tbl_reasons', 'rank')}),{order},0))"


_LOST, _REASON = _own("tbl_reasons", "lost"), _own("tbl_reasons", "reason")
_IS_LAST = f'{_REASON}="{{review.reason.not_stated}}"'
_STATED = 'SUMIF(tbl_reasons[{reason}],"<>{review.reason.not_stated}",tbl_reasons[{lost}])'
_UP_TO = f'SUMIF(tbl_reasons[{{rank}}],"<="&{_own("tbl_reasons", "rank")},tbl_reasons[{{lost}}])'
_SHARE = f'=IF({_STATED}=0,IF(AND({_IS_LAST},{_LOST}>0),1,""),IF({_IS_LAST},"",{_LOST}/{_STATED}))'
_CUMULATIVE = f'=IF({_STATED}=0,IF(AND({_IS_LAST},{_LOST}>0),1,""),IF({_IS_LAST},"",{_UP_TO}/{_STATED}))'

PAGE = Page(
    key="review",
    widths=(1.7, 16, 11.5, 14.5, 8, 11, 11, 13, 8, 9, 9, 9, 9, 17, 38, 1.7, 16, *(9,) * 7),
    heights={
        1: 8, 2: 28, 3: 18, 4: 6, 5: 22, **dict.fromkeys(_SENTENCES, 20), 10: 8, **dict.fromkeys(_CHARTS, 20),
        23: 8, 24: 22, 25: 16.5, _REASONS: 31, _LIST - 3: 8, _LIST - 2: 22, _LIST - 1: 16.5, _LIST: 31,
    },
    area=f"B1:O{_LIST + 2}",
    breaks=(_LIST - 3,),
    repeat=f"{_LIST}:{_LIST}",
    bands=(("B2:O3", "title_band"), ("B5:O5", "section")),
    texts=(
        Text("B2:L2", "review.title", "title_small"),
        Text("B5:O5", "review.sentences", "section"),
        Text("B24:H24", "review.reasons.title", "section"),
        Text("B25:H25", "review.reasons.note", "note"),
        Text("J24:O24", "review.stages.title", "section"),
        Text("J25:O25", "review.stages.note", "note"),
        Text(f"B{_LIST - 2}:O{_LIST - 2}", "review.list.title", "section"),
        Text(f"B{_LIST - 1}:O{_LIST - 1}", "review.list.note", "note"),
        Text("Q25", "home.chart_data", "muted"),
    ),
    slots=(
        Slot("txt_review_scope", "B3:O3", "subtitle"),
        *(Slot(f"txt_review_mark_{i}", f"B{row}", "mark_near") for i, row in enumerate(_SENTENCES, 1)),
        *(Slot(f"txt_review_{i}", f"C{row}:O{row}", "sentence") for i, row in enumerate(_SENTENCES, 1)),
    ),
    links=(Link("N2:O2", "sheets.to_home", "home", "link_band"),),
    tables=(
        Table("tbl_reasons", f"B{_REASONS}", (
            Column("reason", "text", formula="=" + _ranked("reason")), Column("rank", "count"),
            Column("lost", "count", formula="=" + _ranked("lost")),
            Column("won", "count", formula="=" + _ranked("won")),
            Column("share", "percent1", formula=_SHARE), Column("cumulative", "percent1", formula=_CUMULATIVE),
            Column("amount", "money", formula=f'=IF(AND({_LOST}>0,{_ranked("amount")}=0),"",{_ranked("amount")})'),
        ), rows=len(Reason)),
        Table("tbl_lost_stages", f"J{_REASONS}", (
            Column("stage", "text"), Column("lost", "count"), Column("share", "percent1"), Column("slowest", "count"),
            Column("amount", "money"),
        ), rows=len(STAGES)),
        Table("tbl_review", f"B{_LIST}", (
            Column("opportunity_id", "help_text"), Column("region", "help_text"), Column("owner", "help_text"),
            Column("outcome", "center"), Column("closed", "date"), Column("stage", "center"),
            Column("amount", "money"), Column("days", "count"), Column("slow_stage", "center"),
            Column("slow_days", "count"), Column("slow_median", "days1"), Column("slow_ratio", "times1"),
            Column("reason", "input_text", typed=True, choice=_CHOICE), Column("lesson", "input_note", typed=True),
        ), filter=True, key="opportunity_id"),
        Table("tbl_reason_counts", f"Q{_REASONS}", (
            Column("reason", "text"), Column("n", "count"),
            Column("lost", "count", formula=_counted(Outcome.LOST) + f"+{_own('tbl_reason_counts', 'rest_lost')}"),
            Column("won", "count", formula=_counted(Outcome.WON) + f"+{_own('tbl_reason_counts', 'rest_won')}"),
            Column("amount", "money", formula=_amount() + f"+{_own('tbl_reason_counts', 'rest_amount')}"),
            Column("order", "count", formula=_ORDER),
            Column("rest_lost", "count"), Column("rest_won", "count"), Column("rest_amount", "money"),
        ), rows=len(Reason)),
    ),
    charts=(
        Chart("B11:I22", "review.chart.reasons", ("tbl_reasons", "reason"), (
            Series("tbl_reasons", "share", "column", "teal2", labels=True),
            Series("tbl_reasons", "cumulative", "line", "grain"),
        ), legend=True, gap=40, percent=True, top=1),
        Chart("J11:O22", "review.chart.stages", ("tbl_lost_stages", "stage"), (
            Series("tbl_lost_stages", "lost", "column", "teal2", labels=True),
        ), gap=60),
    ),
    marks=(Mark("B6:B9", "", "font"),),
)  # fmt: skip


def content(analysis: FunnelAnalysis, say: Phrases) -> Content:
    """What closed, latest first; reasons by formulas that follow what is typed; where opportunities were lost."""
    found = analysis.reviewed[analysis.reviewed["is_reviewed"]]
    typed = analysis.entered.frame("review", ("opportunity_id",))["opportunity_id"]
    shown = opportunity.listed(found, set(typed))
    listed = shown.assign(
        region=[say.region(r) for r in shown["region"]],
        owner=[say.owner(o) for o in shown["owner"]],
        outcome=[say(f"data.outcome.{o}") for o in shown["outcome"]],
        closed=[pd.Timestamp(date_of(d)) for d in shown["closed_day"]],
    )
    counted, rest = review.reasons(found), review.reasons(opportunity.unlisted(found, shown))
    order, stages = review.pareto(counted), review.by_stage(analysis.reviewed)
    keys = {t.name: [c.key for c in t.columns if not c.typed] for t in PAGE.tables}
    counts = counted.assign(
        n=range(1, len(counted) + 1), rest_lost=rest["lost"], rest_won=rest["won"], rest_amount=rest["amount"]
    )
    counts["order"] = (1000 * counts["lost"]).where(counts["reason"] != Reason.NOT_STATED, -1000) - counts["n"]
    tables = {
        "tbl_review": listed[keys["tbl_review"]],
        "tbl_reasons": _worded(review.known_amounts(order), say)[keys["tbl_reasons"]],
        "tbl_reason_counts": _worded(counts, say)[keys["tbl_reason_counts"]],
        "tbl_lost_stages": review.known_amounts(stages)[keys["tbl_lost_stages"]],
    }
    cells: dict[str, Value] = {"txt_review_scope": say.scope(analysis)}
    told = _sentences(analysis, order, stages, shown, say)
    for i in range(1, len(_SENTENCES) + 1):
        severity, text = told[i - 1] if i <= len(told) else (None, None)
        cells[f"txt_review_mark_{i}"] = say(f"home.mark.{severity}") if severity else None
        cells[f"txt_review_{i}"] = text
    return Content(tables, cells)


def _worded(frame: pd.DataFrame, say: Phrases) -> pd.DataFrame:
    return frame.assign(reason=[say(f"review.reason.{r}") for r in frame["reason"]])


def _sentences(
    analysis: FunnelAnalysis, order: pd.DataFrame, stages: pd.DataFrame, shown: pd.DataFrame, say: Phrases
) -> list[tuple[Severity, str]]:
    """What closed; where it was lost; which stage took long; why."""
    every = analysis.reviewed
    found = every[every["is_reviewed"]]
    total = review.tally(found)
    since = date_of(analysis.reviewed_since).isoformat()
    if every.empty:
        key = "no_visits" if analysis.visits.empty else "none"
        return [(Severity.NONE, say(f"review.sentence.{key}", since=since))]
    lost = review.tally(every).lost
    counts = {"won": say.count(total.won), "lost": say.count(total.lost), "before": say.count(len(every) - len(found))}
    told = [say("review.sentence.closed", since=since, stage=review.EFFECTIVE, n=say.count(len(found)), **counts)]
    if len(found):
        told[0] += say("review.sentence.rate", rate=say.percent(total.won / (total.won + total.lost)))
    if len(shown) < len(found):
        told[0] += say("review.sentence.shown", n=say.count(len(shown)), of=say.count(len(found)))
    if lost:
        worst = stages.sort_values("lost", ascending=False, kind="stable").to_dict("records")[0]
        at = {"stage": worst["stage"], "n": say.count(worst["lost"]), "of": say.count(lost)}
        told.append(say("review.sentence.lost_at", share=say.percent(worst["share"]), **at))
    if len(found):
        told.append(_slow(found, total, say))
    if total.lost:
        first = order.to_dict("records")[0]
        stated = {"n": say.count(total.stated), "of": counts["lost"]}
        if total.stated:
            why = {"reason": say(f"review.reason.{first['reason']}"), "k": say.count(first["lost"])}
            told.append(say("review.sentence.stated", **stated, **why))
        else:
            told.append(say("review.sentence.unstated", **stated))
    return [(Severity.NONE, text) for text in told]


def _slow(found: pd.DataFrame, total: review.Tally, say: Phrases) -> str:
    """The stage that was the slowest most often, and the opportunity that took longest against the median."""
    if not total.compared:
        return say("review.sentence.no_medians")
    often = found["slow_stage"].value_counts().rename_axis("stage").reset_index(name="n")
    top = often.sort_values(["n", "stage"], ascending=[False, True]).to_dict("records")[0]
    worst = found.sort_values("slow_ratio", ascending=False, kind="stable").head(1).to_dict("records")[0]
    return say(
        "review.sentence.slow",
        stage=top["stage"],
        n=say.count(top["n"]),
        of=say.count(total.compared),
        id=worst["opportunity_id"],
        at=worst["slow_stage"],
        days=say.count(worst["slow_days"]),
        median=say.number(worst["slow_median"]),
    )
