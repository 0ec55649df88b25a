"""Flow speed: how long stages take, recently and before, and which opportunities stand too long."""

from math import isnan

import pandas as pd

from xlfunnel.analysis import FunnelAnalysis
from xlfunnel.calendar import date_of, month_text
from xlfunnel.metrics.duration import CYCLE_STAGE
from xlfunnel.pages.model import Chart, Column, Content, Link, Mark, Page, Series, Slot, Table, Text
from xlfunnel.pages.phrases import Phrases
from xlfunnel.report import Value
from xlfunnel.terms import STAGES, Pace, Severity

_SENTENCES = range(6, 10)
_STAGES, _OLD = 31, 40
"""Header rows of the two tables."""

_SEVERITY = {Pace.SLOWER: Severity.WATCH, Pace.FASTER: Severity.OK, Pace.SAME: Severity.OK}

PAGE = Page(
    key="flow",
    widths=(1.7, 14, *(10,) * 11, 5, 15, 1.7, 13, *(9,) * 9),
    heights={
        1: 8, 2: 28, 3: 18, 4: 6, 5: 22, **dict.fromkeys(_SENTENCES, 19), 10: 8, **dict.fromkeys(range(11, 27), 21),
        27: 8, 28: 22, _STAGES: 31,
        38: 22, _OLD: 31,
    },
    area=f"B1:O{_OLD + 2}",
    breaks=(27,),
    repeat="2:4",
    bands=(("B2:O3", "title_band"), ("B5:O5", "section")),
    texts=(
        Text("B2:I2", "flow.title", "title_small"),
        Text("B5:O5", "flow.sentences", "section"),
        Text("B28:O28", "flow.stages.title", "section"),
        Text("B29:O29", "flow.stages.note", "note"),
        Text("B30:O30", "flow.stages.judged", "note"),
        Text("B38:O38", "flow.old.title", "section"),
        Text("B39:O39", "flow.old.note", "note"),
        Text("Q29", "home.chart_data", "muted"),
    ),
    slots=(
        Slot("txt_flow_scope", "B3:O3", "subtitle"),
        *(Slot(f"txt_flow_mark_{i}", f"B{row}", "mark_near") for i, row in enumerate(_SENTENCES, 1)),
        *(Slot(f"txt_flow_{i}", f"C{row}:O{row}", "sentence") for i, row in enumerate(_SENTENCES, 1)),
    ),
    links=(Link("L2:O2", "sheets.to_home", "home", "link_band"),),
    tables=(
        Table("tbl_flow", f"B{_STAGES}", (
            Column("stage", "text"), Column("n", "count"), Column("n_open", "count"),
            Column("q25", "days1"), Column("median", "days1"), Column("q75", "days1"), Column("p90", "days1"),
            Column("recent_n", "count"), Column("recent_median", "days1"),
            Column("earlier_n", "count"), Column("earlier_median", "days1"),
            Column("log_rank_p", "p_value"), Column("mark", "center_mark"), Column("pace", "text_wide"),
        ), rows=len(STAGES)),
        Table("tbl_over_age", f"B{_OLD}", (
            Column("opportunity_id", "help_text"), Column("region", "help_text"), Column("owner", "help_text"),
            Column("stage", "text"), Column("since", "date"), Column("days", "count"), Column("limit_days", "days1"),
            Column("days_over", "days1"), Column("amount", "money"),
        )),
        Table("tbl_flow_bars", f"Q{_STAGES}", (
            Column("stage", "text"), Column("median", "days1"), Column("q75", "days1"), Column("below", "days1"),
            Column("above", "days1"),
        ), rows=len(STAGES)),
        Table("tbl_cycle", f"Q{_OLD}", (
            Column("month", "text"), Column("n", "count"), Column("n_open", "count"), Column("median", "days1"),
            Column("q25", "days1"), Column("q75", "days1"), Column("below", "days1"),
            Column("above", "days1"),
        )),
    ),
    charts=(
        Chart("B11:G26", "flow.chart.stages", ("tbl_flow_bars", "stage"), (
            Series("tbl_flow_bars", "median", "column", "teal2", labels=True, label_color="white",
                   errors=("below", "above")),
            Series("tbl_flow_bars", "q75", "line", "none"),
        ), stacked=True, gap=60),
        Chart("H11:O26", "flow.chart.cycle", ("tbl_cycle", "month"), (
            Series("tbl_cycle", "median", "line", "grain", labels=True, errors=("below", "above")),
            Series("tbl_cycle", "q75", "line", "none"),
        )),
    ),
    marks=(Mark("B6:B9", "", "font"), Mark(f"N{_STAGES + 1}:N{_STAGES + len(STAGES)}", f"$N{_STAGES + 1}", "mark"),),
)  # fmt: skip


def content(analysis: FunnelAnalysis, say: Phrases) -> Content:
    """Days in each stage, the cycle by month of entry, the opportunities over age."""
    stages = analysis.of_scope(analysis.durations)
    cycle = analysis.of_scope(analysis.cycle)
    cycle = cycle[cycle["month"].isin(analysis.monthly.index)].reset_index(drop=True)
    old = analysis.over_age
    keys = {t.name: [c.key for c in t.columns] for t in PAGE.tables}
    whole = range(len(STAGES))
    shown = stages.assign(
        mark=[say(f"home.mark.{_SEVERITY.get(p, Severity.NONE)}") for p in stages["pace"]],
        pace=[say(f"flow.pace.{p}") for p in stages["pace"]],
    )
    by_month = [say("flow.month", month=month_text(m), n=n) for m, n in zip(cycle["month"], cycle["n"], strict=True)]
    listed = old.assign(
        region=[say.region(r) for r in old["region"]],
        owner=[say.owner(o) for o in old["owner"]],
        since=[pd.Timestamp(date_of(d)) for d in old["since_day"]],
    )
    tables = {
        "tbl_flow": shown[keys["tbl_flow"]].reindex(whole),
        "tbl_flow_bars": _with_whiskers(stages)[keys["tbl_flow_bars"]].reindex(whole),
        "tbl_cycle": _with_whiskers(cycle.assign(month=by_month))[keys["tbl_cycle"]],
        "tbl_over_age": listed[keys["tbl_over_age"]],
    }
    cells: dict[str, Value] = {"txt_flow_scope": say.scope(analysis)}
    cells |= say.told("flow", _sentences(stages, analysis, say), len(_SENTENCES))
    return Content(tables, cells)


def _with_whiskers(frame: pd.DataFrame) -> pd.DataFrame:
    """From the median down to the first quartile and up to the third; none upwards where the curve ends before."""
    return frame.assign(below=frame["median"] - frame["q25"], above=frame["q75"] - frame["median"])


def _sentences(stages: pd.DataFrame, analysis: FunnelAnalysis, say: Phrases) -> list[tuple[Severity, str]]:
    """Slower, faster, or neither; the cycle; who is over age."""
    if stages.empty:
        return [(Severity.NONE, say("flow.sentence.nothing"))]
    told = []
    for pace in (Pace.SLOWER, Pace.FASTER, Pace.DIFFERS):
        found = stages[stages["pace"] == pace].to_dict("records")
        if found:
            each = [
                say(
                    "flow.sentence.change",
                    stage=row["stage"],
                    recent=say.number(row["recent_median"]),
                    earlier=say.number(row["earlier_median"]),
                    p=say.p_value(row["log_rank_p"]),
                )
                for row in found
            ]
            text = say(f"flow.sentence.{pace}", stages=say("sheets.semicolon").join(each))
            told.append((_SEVERITY.get(pace, Severity.WATCH), text))
    if not told:
        silent = (stages["pace"] == Pace.TOO_FEW).all()
        told = [(Severity.NONE, say("flow.sentence.too_few"))] if silent else [(Severity.OK, say("flow.sentence.same"))]
    return [*told[:2], _cycle(stages, say), _old(analysis, say)]


def _cycle(stages: pd.DataFrame, say: Phrases) -> tuple[Severity, str]:
    found = stages[stages["stage"] == CYCLE_STAGE].to_dict("records")
    row = found[0] if found else {"n": 0, "n_open": 0, "median": float("nan")}
    counts = {"stage": CYCLE_STAGE, "n": say.count(row["n"]), "open": say.count(row["n_open"])}
    if isnan(row["median"]):
        return Severity.NONE, say("flow.sentence.no_cycle", **counts)
    days = {name: say.number(row[name]) for name in ("median", "q25", "q75")}
    return Severity.NONE, say("flow.sentence.cycle", **counts, **days)


def _old(analysis: FunnelAnalysis, say: Phrases) -> tuple[Severity, str]:
    old = analysis.over_age.to_dict("records")
    if not old:
        return Severity.OK, say("flow.sentence.none_old")
    worst = old[0]
    return Severity.WATCH, say(
        "flow.sentence.old",
        n=len(old),
        id=worst["opportunity_id"],
        owner=say.owner(worst["owner"]),
        stage=worst["stage"],
        days=say.count(worst["days"]),
        limit=say.number(worst["limit_days"]),
    )
