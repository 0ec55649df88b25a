"""Regions: what each holds and where it leads, side by side; a ranking that knows chance. Silent with one region."""

from collections.abc import Hashable
from typing import Any

import pandas as pd

from xlfunnel.analysis import FunnelAnalysis
from xlfunnel.calendar import month_text
from xlfunnel.metrics.evidence import ENOUGH, FEW
from xlfunnel.pages.model import Chart, Column, Content, Link, Mark, Page, Series, Slot, Table, Text
from xlfunnel.pages.phrases import Phrases
from xlfunnel.report import Value
from xlfunnel.terms import SPANS, Severity, Verdict

_SENTENCES = range(6, 9)
_CHARTS = range(10, 26)
_HEAD = 31
_FIRST, _LAST = _HEAD + 1, _HEAD + 2
_LINES = ("t02", "t03", "t3")

PAGE = Page(
    key="regions",
    widths=(
        1.7, 5.5, 4, 15, 6.5, 9, 11.5, *(8.5,) * 3, 30, 8, 8, 9.5, 8, 9, 9, 9.5, 8, 8, 8, 12, 12, 1.7, 16, *(9,) * 9,
    ),
    heights={
        1: 8, 2: 28, 3: 18, 4: 6, 5: 22, **dict.fromkeys(_SENTENCES, 20), 9: 8, **dict.fromkeys(_CHARTS, 20), 26: 8,
        27: 22, 30: 18, **dict.fromkeys(range(_HEAD, _HEAD + 3), 31),
    },
    area=f"B1:W{_LAST}",
    repeat="2:4",
    bands=(("B2:W3", "title_band"), ("B5:W5", "section")),
    texts=(
        Text("B2:I2", "regions.title", "title_small"),
        Text("B5:W5", "regions.sentences", "section"),
        Text("B27:W27", "regions.table.title", "section"),
        Text("B28:W28", "regions.table.note", "note"),
        Text("B29:W29", "regions.table.ranked", "note"),
        Text("H30:K30", "regions.group.trend", "group"),
        Text("L30:M30", "regions.group.t3", "group"),
        Text("N30:Q30", "regions.group.step", "group"),
        Text("S30:U30", "regions.group.wins", "group"),
        Text("Y29", "home.chart_data", "muted"),
    ),
    slots=(
        Slot("txt_regions_period", "V30:W30", "group"),
        Slot("txt_regions_scope", "B3:W3", "subtitle"),
        *(Slot(f"txt_regions_mark_{i}", f"B{row}", "mark_near") for i, row in enumerate(_SENTENCES, 1)),
        *(Slot(f"txt_regions_{i}", f"C{row}:W{row}", "sentence") for i, row in enumerate(_SENTENCES, 1)),
    ),
    links=(Link("U2:W2", "sheets.to_home", "home", "link_band"),),
    tables=(
        Table("tbl_regions", f"B{_HEAD}", (
            Column("rank", "count"), Column("mark", "center_mark"), Column("region", "text"),
            Column("owners", "count"), Column("short_owners", "count"), Column("reserve", "count", bars="teal4"),
            *(Column(f"slope_{line}", "signed1") for line in _LINES), Column("verdict", "wrap"),
            Column("t3_per_owner", "number1"), Column("to_floor", "signed1"),
            Column("step", "center"), Column("step_entered", "count"), Column("step_rate", "percent1"),
            Column("step_all", "percent1"),
            Column("t3_median", "days1"), Column("closed", "count"), Column("win_rate", "percent1"),
            Column("win_low", "percent1"), Column("forecast", "money"), Column("gap", "money"),
        )),
        Table("tbl_region_bars", f"Y{_HEAD}", (
            Column("region", "text"), Column("bar_compared", "percent1"), Column("bar_greyed", "percent1"),
            Column("below", "percent1"), Column("above", "percent1"), Column("high", "percent1"),
        )),
        Table("tbl_region_months", f"AF{_HEAD}", (
            Column("region", "text"), Column("month", "text"), *(Column(s, "count") for s in SPANS[1:]),
        )),
    ),
    charts=(
        Chart("B10:I25", "regions.chart.rates", ("tbl_region_bars", "region"), (
            *(
                Series("tbl_region_bars", bar, "column", color, labels=True, label_color=ink, errors=("below", "above"))
                for bar, color, ink in (("bar_compared", "teal2", "white"), ("bar_greyed", "stage0", "ink"))
            ),
            Series("tbl_region_bars", "high", "line", "none"),
        ), stacked=True, gap=80, percent=True),
        Chart("J10:W25", "regions.chart.months", ("tbl_region_months", "month"), (
            Series("tbl_region_months", "T0-T3", "line", "teal2", marker=False),
            Series("tbl_region_months", "T3", "line", "grain", marker=False),
        ), legend=True, groups="region"),
    ),
    marks=(
        Mark("B6:B8", "", "font"), Mark(f"C{_FIRST}:C{_LAST}", f"$C{_FIRST}", "mark"),
        Mark(f"H{_FIRST}:J{_LAST}", "", "negative"), Mark(f"M{_FIRST}:M{_LAST}", "", "negative"),
        Mark(f"P{_FIRST}:P{_LAST}", f"$O{_FIRST}", "thin"), Mark(f"T{_FIRST}:U{_LAST}", f"$S{_FIRST}", "thin"),
    ),
)  # fmt: skip


def content(analysis: FunnelAnalysis, say: Phrases) -> Content:
    """A row a region, its bar with whiskers, its last month ends; what stands out, in sentences."""
    found = analysis.regions
    names = [say.region(r) for r in found["region"]]
    columns = {t.name: [c.key for c in t.columns] for t in PAGE.tables}
    shown = found.assign(
        region=pd.Series(names, index=found.index, dtype=object),
        mark=pd.Series([say(f"home.mark.{s}") for s in found["severity"]], index=found.index, dtype=object),
        verdict=pd.Series([_verdict(row, say) for row in found.to_dict("records")], index=found.index, dtype=object),
        step=pd.Series(
            [say.step(a, z) if a else None for a, z in zip(found["step_from"], found["step_to"], strict=True)],
            index=found.index,
            dtype=object,
        ),
    )
    proven = found["closed"] >= FEW
    clear = found["closed"] >= ENOUGH
    bars = shown.assign(
        bar_compared=found["win_rate"].where(proven & clear),
        bar_greyed=found["win_rate"].where(proven & ~clear),
        below=(found["win_rate"] - found["win_low"]).where(proven),
        above=(found["win_high"] - found["win_rate"]).where(proven),
        high=found["win_high"].where(proven),
    )
    tables = {
        "tbl_regions": shown.assign(**{c: shown[c].where(proven) for c in ("win_rate", "win_low")})[
            columns["tbl_regions"]
        ],
        "tbl_region_bars": bars[columns["tbl_region_bars"]],
        "tbl_region_months": _panels(analysis.region_months, say)[columns["tbl_region_months"]],
    }
    period = next((p for p in found["period"] if p), "")
    cells: dict[str, Value] = {
        "txt_regions_scope": say.scope(analysis),
        "txt_regions_period": say("regions.group.forecast", period=period)
        if period
        else say("regions.group.no_forecast"),
    }
    told = _sentences(found.to_dict("records"), say)
    for i in range(1, len(_SENTENCES) + 1):
        severity, text = told[i - 1] if i <= len(told) else (None, None)
        cells[f"txt_regions_mark_{i}"] = say(f"home.mark.{severity}") if severity else None
        cells[f"txt_regions_{i}"] = text
    return Content(tables, cells)


def _panels(months: pd.DataFrame, say: Phrases) -> pd.DataFrame:
    """Region after region with a blank row between them, so that one chart shows a panel each on one axis."""
    parts = []
    for region, rows in months.groupby("region", sort=False):
        panel = rows.assign(month=[month_text(m)[-2:] for m in rows["month"]]).astype(object)
        panel["region"] = pd.Series([say.region(str(region))], index=rows.index[:1], dtype=object)
        parts += [panel, pd.DataFrame([dict.fromkeys(months.columns)], dtype=object)]
    every = pd.concat(parts[:-1], ignore_index=True) if parts else months.astype(object)
    return every.astype(dict.fromkeys(SPANS[1:], float))


def _verdict(row: dict[Hashable, Any], say: Phrases) -> str:
    """What may be said of the lines of one region; spans of which the same is said together."""
    spans: dict[str, list[str]] = {}
    for span, line in zip(SPANS, _LINES, strict=True):
        if row[f"verdict_{line}"] != Verdict.NO_DATA:
            spans.setdefault(say(f"trend.verdict.{row[f'verdict_{line}']}"), []).append(span.replace("-", "→"))
    each = [say("regions.verdict", spans=say("sheets.comma").join(names), verdict=v) for v, names in spans.items()]
    return say("sheets.dot").join(each)


def _sentences(rows: list[dict[Hashable, Any]], say: Phrases) -> list[tuple[Severity, str]]:
    """Who falls, who is below the floor, who is behind in which step, who stands first, or why nothing is said."""
    if len(rows) < 2:
        return [(Severity.NONE, say("regions.sentence.one" if rows else "regions.sentence.nothing"))]
    told = []
    fallen = [r for r in rows if Verdict.DECLINING in (r["verdict_t03"], r["verdict_t3"])]
    if fallen:
        each = [_fall(r, say) for r in fallen]
        told.append((Severity.RISK, say("regions.sentence.fall", regions=say("sheets.comma").join(each))))
    short = [r for r in rows if r["to_floor"] < 0]
    if short:
        each = [
            say("regions.sentence.held", region=say.region(r["region"]), held=say.number(r["t3_per_owner"]),
                floor=say.number(r["t3_per_owner"] - r["to_floor"]))
            for r in short
        ]  # fmt: skip
        told.append((Severity.RISK, say("regions.sentence.floor", regions=say("sheets.comma").join(each))))
    if not told:
        told.append((Severity.OK, say("regions.sentence.calm")))
    return [*told, _first(rows, say)]


def _fall(row: dict[Hashable, Any], say: Phrases) -> str:
    line, span = ("t3", "T3") if row["verdict_t3"] == Verdict.DECLINING else ("t03", "T0→T3")
    return say(
        "regions.sentence.falls",
        region=say.region(row["region"]),
        span=span,
        slope=say.number(row[f"slope_{line}"]),
    )


def _first(rows: list[dict[Hashable, Any]], say: Phrases) -> tuple[Severity, str]:
    """The ranking in a sentence: surely first only where the intervals do not meet."""
    ranked = [r for r in rows if r["rank"] == r["rank"]]
    if len(ranked) < 2:
        return Severity.NONE, say("regions.sentence.unranked")
    best, last = ranked[0], ranked[-1]
    apart = best["win_low"] > last["win_high"]
    return Severity.NONE, say(
        "regions.sentence.apart" if apart else "regions.sentence.alike",
        **{f"best_{k}": v for k, v in _win(best, say).items()},
        **{f"last_{k}": v for k, v in _win(last, say).items()},
    )


def _win(row: dict[Hashable, Any], say: Phrases) -> dict[str, str]:
    shares = {k: say.percent(row[f"win_{k}"]) for k in ("rate", "low", "high")}
    return {"region": say.region(row["region"]), "closed": say.count(row["closed"]), **shares}
