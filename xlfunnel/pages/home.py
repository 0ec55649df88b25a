"""Home: what a manager must know in one minute."""

import pandas as pd

from xlfunnel.analysis import FunnelAnalysis
from xlfunnel.pages import reps, trend
from xlfunnel.pages.model import Chart, Column, Content, Link, Mark, Page, Series, Slot, Table, Text
from xlfunnel.pages.phrases import Phrases
from xlfunnel.pages.sentences import sentences
from xlfunnel.report import Value
from xlfunnel.terms import STAGES, FlagCode, Severity

_START = 3
"""Sentences that a template without data has: what to do first."""
_TILE_LETTERS = 18
"""Letters of names that the note of a tile has room for, beside the number of the rest."""
_TILES = ("reserve", "slope", "t3_per_owner", "short_reps", "win_rate")
_TILE_COLUMNS = (("B", "E"), ("G", "J"), ("L", "O"), ("Q", "T"), ("V", "Y"))
_NAV = (
    ("trend", "shape", "conversion", "flow", "reps", "card", "alerts", "forecast", "opportunities", "assurance"),
    ("plans", "review", "movement", "regions", "data", "remedies", "settings", "quality", "kept", "definitions"),
)
_NAV_COLUMNS = (
    ("B", "C"), ("D", "F"), ("G", "H"), ("I", "K"), ("L", "M"), ("N", "O"), ("P", "Q"), ("R", "S"), ("T", "V"),
    ("W", "Y"),
)  # fmt: skip
_PARTS = (
    ("t3", "forecast"), ("reps", "reps"), ("trend", "trend"), ("conversion", "conversion"), ("forecast", "forecast"),
)  # fmt: skip
"""What the sentences speak of, in their order, and the sheet with the evidence of each."""
_SENTENCES = range(12, 12 + len(_PARTS))
_HELP_ROWS = range(31, 36)
_HEAD = {1: 8, 2: 33, 3: 20, 4: 18, 5: 18, 6: 3.5, 7: 18, 8: 30, 9: 18, 10: 8, 11: 22, **dict.fromkeys(_SENTENCES, 20)}
_HEIGHTS = {**_HEAD, 17: 8, 28: 8, **dict.fromkeys((29, *_HELP_ROWS), 20)}


def _tile_slots() -> tuple[Slot, ...]:
    slots: list[Slot] = []
    for name, (a, z) in zip(_TILES, _TILE_COLUMNS, strict=True):
        slots += [
            Slot(f"kpi_{name}_mark", f"{a}6:{z}6", "tile_bar"),
            Slot(f"kpi_{name}", f"{a}8:{z}8", f"tile_{name}"),
            Slot(f"kpi_{name}_note", f"{a}9:{z}9", "tile_note"),
        ]
    return tuple(slots)


def _help_slots() -> tuple[Slot, ...]:
    slots: list[Slot] = []
    for i, row in enumerate(_HELP_ROWS, 1):
        slots += [
            Slot(f"txt_help_{i}_owner", f"R{row}:S{row}", "help_text"),
            Slot(f"kpi_help_{i}_reserve", f"T{row}:U{row}", "help_number"),
            Slot(f"kpi_help_{i}_t3", f"V{row}", "help_number"),
            Slot(f"txt_help_{i}_remedy", f"W{row}:Y{row}", "help_text"),
        ]
    return tuple(slots)


PAGE = Page(
    key="home",
    widths=(1.7, *(6,) * 24, 1.7, 12, 8, 8),
    heights=_HEIGHTS,
    area="B1:Y38",
    one_page=True,
    bands=(("B2:Y3", "title_band"), ("B11:Y11", "section"), *((f"{a}7:{z}9", "tile") for a, z in _TILE_COLUMNS)),
    texts=(
        *(Text(f"{a}7:{z}7", f"home.tile.{n}", "tile_label") for n, (a, z) in zip(_TILES, _TILE_COLUMNS, strict=True)),
        Text("B11:Y11", "home.sentences", "section"),
        *(Text(f"C{r}:D{r}", f"home.part.{p}", "sentence_part") for r, (p, _) in zip(_SENTENCES, _PARTS, strict=True)),
        Text("R29:Y29", "home.help.title", "section"),
        Text("R30:S30", "home.help.rep", "header"),
        Text("T30:U30", "home.help.reserve", "header_number"),
        Text("V30", "home.help.t3", "header_number"),
        Text("W30:Y30", "home.help.remedy", "header"),
        Text("AA17", "home.chart_data", "muted"),
        Text("R36:Y38", "home.base", "note_wrap"),
    ),
    slots=(
        Slot("txt_title", "B2:R2", "title", default_key="home.title_empty"),
        Slot("txt_conclusion", "S2:Y2", "conclusion"),
        Slot("txt_subtitle", "B3:R3", "subtitle", default_key="home.subtitle_empty"),
        Slot("txt_version", "S3:Y3", "subtitle_right", default_key="home.version"),
        *_tile_slots(),
        *(Slot(f"txt_mark_{i}", f"B{r}", "mark") for i, r in enumerate(_SENTENCES, 1)),
        *(
            Slot(f"txt_sentence_{i}", f"E{r}:W{r}", "sentence", default_key=f"home.start.{i}" if i <= _START else "")
            for i, r in enumerate(_SENTENCES, 1)
        ),
        *_help_slots(),
    ),
    links=(
        *(Link(f"X{r}:Y{r}", "home.evidence", sheet) for r, (_, sheet) in zip(_SENTENCES, _PARTS, strict=True)),
        *(
            Link(f"{a}{row}:{z}{row}", f"sheets.{sheet}", sheet, "nav")
            for row, sheets in enumerate(_NAV, 4)
            for sheet, (a, z) in zip(sheets, _NAV_COLUMNS, strict=True)
        ),
    ),
    tables=(
        Table(
            "tbl_funnel",
            "AA18",
            (Column("stage", "text"), Column("spacer", "number1"), Column("count", "count")),
            rows=len(STAGES),
        ),
    ),
    charts=(
        Chart("B18:M27", "home.chart.T0-T2", ("tbl_trend", "month"), trend.line("T0-T2", "grain")),
        Chart("N18:Y27", "home.chart.T0-T3", ("tbl_trend", "month"), trend.line("T0-T3", "teal")),
        Chart("B29:H38", "home.chart.funnel", ("tbl_funnel", "stage"), (
            Series("tbl_funnel", "spacer", "bar", "none"),
            Series("tbl_funnel", "count", "bar", "stages", labels=True),
        ), stacked=True, gap=18, axis=False),
        Chart("I29:Q38", "home.chart.reps", ("tbl_reps", "owner"), (
            *reps.bars(),
            Series("tbl_rep_bars", "mean", "line", "ink", dashed=True, marker=False),
        ), stacked=True, legend=True, gap=55),
    ),
    marks=(
        *(Mark(f"{a}6:{z}6", "", "fill") for a, z in _TILE_COLUMNS),
        *(Mark(f"{a}9:{z}9", f"${a}$6", "font") for a, z in _TILE_COLUMNS),
        Mark(f"B{_SENTENCES[0]}:B{_SENTENCES[-1]}", "", "font"),
    ),
)  # fmt: skip


def content(analysis: FunnelAnalysis, say: Phrases) -> Content:
    """Tiles, sentences, the funnel's bars and the reps who need help first."""
    head = analysis.headline
    cells: dict[str, Value] = {
        "txt_title": say("home.title", region=say.region(analysis.scope)),
        "txt_conclusion": say(f"home.conclusion.{head.severity}"),
        "txt_subtitle": say(
            "home.subtitle",
            as_of=analysis.as_of.isoformat(),
            reps=head.owners,
            open=say.count(head.open_count),
            months=head.months,
        ),
        "txt_version": say("home.version"),
        **_tiles(analysis, say),
    }
    for i, (severity, text) in enumerate(sentences(analysis, say), 1):
        cells[f"txt_mark_{i}"] = say(f"home.mark.{severity}")
        cells[f"txt_sentence_{i}"] = text
    cells |= _help(analysis, say)
    funnel = pd.DataFrame([(say.stage(code), n) for code, n in head.funnel], columns=["stage", "count"])
    funnel.insert(1, "spacer", (funnel["count"].max() - funnel["count"]) / 2)
    return Content({"tbl_funnel": funnel}, cells)


def _tiles(analysis: FunnelAnalysis, say: Phrases) -> dict[str, Value]:
    head = analysis.headline
    trend = analysis.trend("T0-T3")
    verdict = say(f"trend.verdict.{trend.fit.verdict}")
    notes = {
        "reserve": say.change(head.reserve_now, head.reserve_first, head.first_month),
        "slope": say("home.note.slope", r2=say.r2(trend.fit.r_squared), verdict=verdict),
        "t3_per_owner": say.against_floor(head.t3_per_owner, head.t3_floor, head.t3_gap),
        "short_reps": say("home.note.short_reps", names=say.names(head.short_owners, _TILE_LETTERS))
        if head.short_owners
        else say("home.note.no_short_reps"),
        "win_rate": say("home.note.win_rate", won=head.won, closed=head.closed, months=head.months),
    }  # fmt: skip
    values: dict[str, Value] = {
        "reserve": head.reserve_now,
        "slope": trend.fit.slope,
        "t3_per_owner": head.t3_per_owner,
        "short_reps": len(head.short_owners) if head.owners else None,
        "win_rate": head.win_rate,
    }
    cells: dict[str, Value] = {}
    for name in _TILES:
        severity = head.severities[name]
        cells[f"kpi_{name}_mark"] = str(severity) if severity != Severity.NONE else None
        value = values[name]
        cells[f"kpi_{name}"] = say("sheets.undefined") if pd.isna(value) else value
        cells[f"kpi_{name}_note"] = notes[name]
    return cells


def _help(analysis: FunnelAnalysis, say: Phrases) -> dict[str, Value]:
    """The five reps with the most alerts, worst first; blanks where there are fewer."""
    cells: dict[str, Value] = {}
    for i, _ in enumerate(_HELP_ROWS, 1):
        row = analysis.help_first[i - 1] if i <= len(analysis.help_first) else None
        cells[f"txt_help_{i}_owner"] = row.owner if row else None
        cells[f"kpi_help_{i}_reserve"] = row.reserve if row else None
        cells[f"kpi_help_{i}_t3"] = row.t3 if row else None
        cells[f"txt_help_{i}_remedy"] = say(f"home.remedy.{_main(row.codes)}") if row else None
    return cells


def _main(codes: tuple[FlagCode, ...]) -> FlagCode:
    """The rule whose remedy comes first: a lean reserve before a lean stage."""
    return min(codes, key=list(FlagCode).index)
