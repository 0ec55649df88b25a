"""Rep card: everything about one rep, whom the user chooses from a list. Choosing needs no Python.

What is seen is looked up by native formulas in tables that stand right of the printed page, a key each: the rep's
number × 100 + the line's number. A refresh fills the tables; the chosen name stays the user's.
"""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from xlfunnel.analysis import FunnelAnalysis
from xlfunnel.calendar import month_text
from xlfunnel.pages.card_lines import (
    ALERT_LINES,
    CARDS,
    KEY,
    LINES,
    OPEN_LINES,
    STAGE_LINES,
    STEP_LINES,
    RepLines,
    labels,
)
from xlfunnel.pages.model import Chart, Choice, Column, Content, Link, Mark, Page, Series, Slot, Table, Text
from xlfunnel.pages.phrases import Phrases
from xlfunnel.report import Value

CHOSEN = "rep"
"""The cell with the chosen name, without "cfg_"."""

_TABLES, _FLAGS, _OLDEST = 27, 37, 45
"""Header row of the tables, first row of the alerts, header row of the oldest opportunities."""

_ROW = "kpi_card_row"
_TILES = (("reserve", "B", "D"), ("t3", "E", "G"), ("rate", "H", "J"), ("tags", "K", "N"))


def _shown(cell: str) -> str:
    """A formula that shows a cell, blank where it is blank or there is none."""
    return f'=IFERROR(IF({cell}="","",{cell}),"")'


def _of_rep(column: str) -> str:
    return _shown(f"INDEX({{tbl_cards.{column}}},{_ROW})")


def _line(table: str, column: str, number: int) -> str:
    """A formula for one of the chosen rep's lines."""
    return _shown(f"INDEX({{{table}.{column}}},MATCH({_ROW}*{KEY}+{number},{{{table}.key}},0))")


def _lines(table: str, column: str, style: str, n: int) -> Column:
    return Column(column, style, formulas=tuple(_line(table, column, i) for i in range(1, n + 1)))


def _of_month(column: str) -> str:
    cell = (
        f"INDEX({{tbl_card_months.{column}}},"
        f"MATCH({_ROW}*{KEY}+tbl_card_trend[[#This Row],[{{x}}]],{{tbl_card_months.key}},0))"
    )
    return f'=IF(tbl_card_trend[[#This Row],[{{x}}]]="",NA(),IFERROR(IF({cell}="",NA(),{cell}),NA()))'


_AT = dict(zip(LINES, ("AA", "AH", "AQ", "AU", "BC"), strict=True))
_CARD_STYLES = {"reserve": "count", "t3": "count", "rate": "percent1"}


def _seen(table: str, n: int, leave: Sequence[str] = ("key",)) -> tuple[Column, ...]:
    """The visible columns of a table of lines."""
    return tuple(_lines(table, c, style, n) for c, style in LINES[table] if c not in leave)


PAGE = Page(
    key="card",
    widths=(
        1.7, 21, 8, 11, 9.5, 9.5, 11, 12, 9, 9.5, 9, 9, 13, 22, 1.7,
        *(10,) * 10, 1.7, *(10,) * 6, 1.7, *(10,) * 8, 1.7, *(10,) * 3, 1.7, *(10,) * 7, 1.7, *(10,) * 4, 1.7,
        *(10,) * 4, 1.7, *(10,) * 3,
    ),
    heights={
        1: 8, 2: 28, 3: 18, 4: 6, 5: 24, 6: 8, 7: 17, 8: 30, 9: 17, 10: 8, **dict.fromkeys(range(11, 25), 18), 25: 8,
        26: 22, _TABLES: 31, 35: 8, 36: 22, **dict.fromkeys(range(_FLAGS, _FLAGS + ALERT_LINES), 31), 42: 8, 43: 22,
        _OLDEST: 31,
    },
    area=f"B1:N{_OLDEST + OPEN_LINES}",
    breaks=(35,),
    repeat="2:4",
    bands=(("B2:N3", "title_band"), ("B7:N9", "tile_note")),
    texts=(
        Text("B5:C5", "card.choose", "pick_label"),
        *(Text(f"{a}7:{z}7", f"card.tile.{name}", "tile_label") for name, a, z in _TILES),
        Text("B26:G26", "card.stages", "section"),
        Text("H26:N26", "card.conversion", "section"),
        Text("B36:N36", "card.alerts", "section"),
        Text("B43:N43", "card.oldest", "section"),
        Text("B44:N44", "card.oldest_note", "note"),
        Text("P24", "card.data", "muted"),
    ),
    slots=(
        Slot("txt_card_title", "B2:J2", "title_small",
             default=f'="{{card.title}}"&INDEX({{tbl_cards.rep}},{_ROW})&""'),
        Slot("txt_card_scope", "B3:N3", "subtitle"),
        Slot(f"cfg_{CHOSEN}", "D5:F5", "input_pick", Choice("list", source=("tbl_cards", "rep"))),
        Slot("txt_card_hint", "G5:N5", "note"),
        Slot(_ROW, "Q25", "muted", default=f"=IFERROR(MATCH(cfg_{CHOSEN},{{tbl_cards.rep}},0),1)"),
        *(
            Slot(f"kpi_card_{name}", f"{a}8:{z}8", style, default=_of_rep(name))
            for (name, a, z), style in zip(_TILES, ("tile_count", "tile_count", "tile_percent", "tile_text"),
                                           strict=True)
        ),
        *(Slot(f"txt_card_{name}_note", f"{a}9:{z}9", "tile_note", default=_of_rep(f"{name}_note"))
          for name, a, z in _TILES),
        *(
            Slot(f"txt_card_{name}_{i}", f"{at}{_FLAGS + i - 1}{end}", style, default=_line("tbl_card_flags", name, i))
            for i in range(1, ALERT_LINES + 1)
            for name, at, end, style in (
                ("mark", "B", "", "mark_near"), ("evidence", "C", f":G{_FLAGS + i - 1}", "wrap_plain"),
                ("remedy", "H", f":N{_FLAGS + i - 1}", "wrap_plain"),
            )
        ),
    ),
    links=(Link("K2:L2", "card.to_reps", "reps", "link_band"), Link("M2:N2", "sheets.to_home", "home", "link_band")),
    tables=(
        Table("tbl_card_funnel", f"B{_TABLES}", _seen("tbl_card_stages", STAGE_LINES), rows=STAGE_LINES),
        Table("tbl_card_conversion", f"H{_TABLES}", _seen("tbl_card_steps", STEP_LINES), rows=STEP_LINES),
        Table("tbl_card_oldest", f"B{_OLDEST}", _seen("tbl_card_open", OPEN_LINES), rows=OPEN_LINES),
        Table("tbl_cards", f"P{_TABLES}", tuple(Column(c, _CARD_STYLES.get(c, "text")) for c in CARDS)),
        *(Table(name, f"{_AT[name]}{_TABLES}", tuple(Column(c, style) for c, style in columns))
          for name, columns in LINES.items()),
        Table("tbl_card_trend", f"BH{_TABLES}", (
            Column("x", "count"), Column("month", "text"), Column("reserve", "count", formula=_of_month("reserve")),
            Column("mean", "number1", formula=_of_month("mean")),
        )),
        Table("tbl_card_bars", f"BM{_TABLES}", (
            Column("stage", "text", formulas=tuple(f"=B{_TABLES + i}" for i in range(1, STAGE_LINES + 1))),
            Column("spacer", "number1", formulas=tuple(
                f"=(MAX($C${_TABLES + 1}:$C${_TABLES + STAGE_LINES})-N(C{_TABLES + i}))/2"
                for i in range(1, STAGE_LINES + 1)
            )),
            Column("now", "count", formulas=tuple(f"=N(C{_TABLES + i})" for i in range(1, STAGE_LINES + 1))),
        ), rows=STAGE_LINES),
    ),
    charts=(
        Chart("B11:G24", "card.chart.funnel", ("tbl_card_bars", "stage"), (
            Series("tbl_card_bars", "spacer", "bar", "none"),
            Series("tbl_card_bars", "now", "bar", "stages", labels=True),
        ), stacked=True, gap=18, axis=False),
        Chart("H11:N24", "card.chart.trend", ("tbl_card_trend", "month"), (
            Series("tbl_card_trend", "reserve", "line", "teal2", labels=True),
            Series("tbl_card_trend", "mean", "line", "ink", dashed=True, marker=False),
        ), legend=True),
    ),
    marks=(
        Mark(f"B{_FLAGS}:B{_FLAGS + ALERT_LINES - 1}", "", "font"),
        Mark(f"K{_TABLES + 1}:M{_TABLES + STEP_LINES}", f"$I{_TABLES + 1}", "thin"),
        Mark(f"N{_TABLES + 1}:N{_TABLES + STEP_LINES}", f"$N{_TABLES + 1}", "led"),
        Mark(
            f"E{_OLDEST + 1}:E{_OLDEST + OPEN_LINES}",
            f"AND(ISNUMBER($F{_OLDEST + 1}),$E{_OLDEST + 1}>$F{_OLDEST + 1})",
            "true",
        ),
    ),
)  # fmt: skip


def content(analysis: FunnelAnalysis, say: Phrases) -> Content:
    """The tables that cards are looked up in, and what the card of the chosen rep shows."""
    reps = RepLines(analysis, say)
    stays = analysis.entered.cells.get(CHOSEN)
    at = reps.labels.index(stays) if stays in reps.labels else 0
    tables = {"tbl_cards": reps.cards(), **{name: reps.lines(name) for name in LINES}}
    shown = {
        name: _picked(tables[source], at, n)
        for name, source, n in (
            ("tbl_card_funnel", "tbl_card_stages", STAGE_LINES),
            ("tbl_card_conversion", "tbl_card_steps", STEP_LINES),
            ("tbl_card_oldest", "tbl_card_open", OPEN_LINES),
        )
    }
    flags = _picked(tables["tbl_card_flags"], at, ALERT_LINES)
    months = _picked(tables["tbl_card_months"], at, len(reps.months))
    names = pd.Series([month_text(m) for m in reps.months], dtype=object)
    now = shown["tbl_card_funnel"]["now"].astype(float).fillna(0)
    shown["tbl_card_trend"] = months.assign(x=range(1, len(months) + 1), month=names)[["x", "month", "reserve", "mean"]]
    shown["tbl_card_bars"] = pd.DataFrame(
        {"stage": shown["tbl_card_funnel"]["stage"], "spacer": (now.max() - now) / 2, "now": now}
    )
    card: dict[Any, Any] = tables["tbl_cards"].iloc[at].to_dict() if reps.labels else {}
    cells: dict[str, Value] = {
        "txt_card_title": say("card.title") + str(card.get("rep", "")),
        "txt_card_scope": say.scope(analysis),
        "txt_card_hint": say("card.hint" if reps.labels else "card.nobody"),
        _ROW: at + 1,
        **{f"kpi_card_{name}": card.get(name) for name, *_ in _TILES},
        **{f"txt_card_{name}_note": card.get(f"{name}_note") for name, *_ in _TILES},
        **{
            f"txt_card_{name}_{i}": flags[name].iloc[i - 1]
            for i in range(1, ALERT_LINES + 1)
            for name in ("mark", "evidence", "remedy")
        },
    }
    if reps.labels and stays not in reps.labels and CHOSEN in analysis.entered.cells:
        cells |= chosen(analysis, say)
    return Content(tables | shown, cells)


def chosen(analysis: FunnelAnalysis, say: Phrases) -> dict[str, Value]:
    """The choice of a new workbook, or of one whose rep is gone: the first rep."""
    names = labels(analysis, say)
    stays = analysis.entered.cells.get(CHOSEN)
    return {f"cfg_{CHOSEN}": stays if stays in names else names[0] if names else None}


def _picked(lines: pd.DataFrame, at: int, n: int) -> pd.DataFrame:
    """The chosen rep's lines without their key: `n`, blank where there are fewer."""
    first = (at + 1) * KEY
    return lines.set_index("key").reindex(range(first + 1, first + n + 1)).astype(object).reset_index(drop=True)
