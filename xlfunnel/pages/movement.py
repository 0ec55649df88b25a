"""Movement: how the reserve at one month's end became that of another; months, stage and measure are chosen by hand."""

from xlfunnel.metrics.movement import STEPS_SHOWN
from xlfunnel.metrics.waterfall import BARS, SPANS
from xlfunnel.pages import movement_formulas as formulas
from xlfunnel.pages.model import Chart, Choice, Column, Link, Mark, Page, Series, Slot, Table, Text
from xlfunnel.terms import STAGES, Measure

LABELS = len(STAGES) + len(SPANS)
SENTENCES = range(6, 9)
CHOICES = ("from", "to", "stage", "measure")
"""What is chosen, in the order of its rows."""

_CHOICE, _CHOSEN, _RECENT, _CHARTS, _MONTHS = 11, 25, 36, 45, 62
"""Header rows of the tables, and the first row of the second pair of charts."""
_USED = {name: f"$E${_CHOICE + 1 + i}" for i, name in enumerate(CHOICES)}
_MEASURES = tuple(f"movement.measure.{m}" for m in Measure)
_STAGE_CHOICES = (*(s.replace("-", "→") for s in SPANS), *STAGES)
_FIRST, _LAST = formulas.positions(f"$D${_CHOICE + 1}", f"$D${_CHOICE + 2}")


def _stages(name: str, row: int, first: str, last: str) -> Table:
    """The waterfalls of all stages and spans between two month ends."""
    found = formulas.steps(name, first, last)
    return Table(name, f"B{row}", (
        Column("stage", "label"), Column("name", "help_text"),
        *(Column(c, "flow_strong" if c in ("start", "end") else "flow", formula=found[c]) for c in STEPS_SHOWN),
        Column("check", "center", formula=formulas.check(name, "stage")),
    ), rows=LABELS)  # fmt: skip


def _bars(name: str, row: int, table: str, start: str, end: str) -> Table:
    """What the chart of one waterfall is drawn from; `start` and `end` name its month ends."""
    level = "Y"
    pieces = formulas.pieces(name, level, row + 1)
    return Table(name, f"V{row}", (
        Column("label", "text", formulas=formulas.labels(name, start, end)), Column("name", "text"),
        Column("value", "flow", formulas=formulas.values(table, _USED["stage"])),
        Column("level", "flow", formulas=formulas.levels(name, level, row + 1)),
        *(Column(piece, "flow", formulas=pieces[piece]) for piece in pieces),
    ), rows=len(BARS))  # fmt: skip


def _waterfall(at: str, title: str, table: str, inset: int = 0) -> Chart:
    return Chart(at, title, (table, "label"), (
        Series(table, "base", "column", "none"), Series(table, "total", "column", "teal"),
        Series(table, "up", "column", "teal3"), Series(table, "down", "column", "grain"),
    ), stacked=True, legend=True, gap=35, inset=inset)  # fmt: skip


_MONTHLY = formulas.monthly("tbl_movement_flow", _USED["stage"])

PAGE = Page(
    key="movement",
    widths=(1.7, 10, 19, *(9.4,) * 13, 7, 5, 1.7, *(10,) * 45),
    heights={
        1: 8, 2: 28, 3: 18, 4: 6, 5: 22, **dict.fromkeys(SENTENCES, 20), 9: 8, 10: 22, _CHOICE: 18,
        **dict.fromkeys(range(12, 22), 23), 22: 8, 23: 22, _CHOSEN: 31,
        **dict.fromkeys(range(_CHOSEN + 1, _CHOSEN + 1 + LABELS), 17.5), 33: 8,
        34: 22, _RECENT: 31, **dict.fromkeys(range(_RECENT + 1, _RECENT + 1 + LABELS), 17.5), 44: 8,
        **dict.fromkeys(range(_CHARTS, 59), 25), 59: 8, 60: 22, _MONTHS: 31,
    },
    area=f"B1:Q{_MONTHS + 2}",
    breaks=(33, 59),
    repeat="2:4",
    bands=(("B2:Q3", "title_band"), ("B5:Q5", "section")),
    texts=(
        Text("B2:L2", "movement.title", "title_small"),
        Text("B5:Q5", "movement.sentences", "section"),
        Text("B10:E10", "movement.choice.title", "section"),
        Text("B17:E21", "movement.choice.note", "note_wrap"),
        Text("B23:Q23", "movement.chosen.title", "section"),
        Text("B24:Q24", "movement.chosen.note", "note"),
        Text("B34:Q34", "movement.recent.title", "section"),
        Text("B60:Q60", "movement.months.title", "section"),
        Text("B61:Q61", "movement.months.note", "note"),
        Text("T10", "home.chart_data", "muted"),
    ),
    slots=(
        Slot("txt_movement_scope", "B3:Q3", "subtitle"),
        *(Slot(f"txt_movement_mark_{i}", f"B{row}", "mark_near") for i, row in enumerate(SENTENCES, 1)),
        *(Slot(f"txt_movement_{i}", f"C{row}:Q{row}", "sentence") for i, row in enumerate(SENTENCES, 1)),
        Slot("txt_movement_recent", "B35:Q35", "note"),
        Slot("kpi_movement_first", "T15", "count", default=_FIRST),
        Slot("kpi_movement_last", "T16", "count", default=_LAST),
        Slot("kpi_movement_recent_first", "T17", "count"),
        Slot("kpi_movement_recent_last", "T18", "count"),
        Slot("kpi_movement_measure", "T19", "count", default=f'=IF({_USED["measure"]}="{{{_MEASURES[1]}}}",2,1)'),
    ),
    links=(Link("N2:Q2", "sheets.to_home", "home", "link_band"),),
    tables=(
        Table("tbl_movement_choice", f"B{_CHOICE}", (
            Column("n", "center"), Column("what", "help_text"),
            Column("choice", "input_choice", typed=True, choice=Choice("list", _MEASURES, free=True), choices=(
                *(Choice("list", source=("tbl_movement_ends", "month")),) * 2,
                Choice("list", _STAGE_CHOICES), Choice("list", _MEASURES),
            )),
            Column("used", "center", formulas=(
                formulas.month_end("kpi_movement_first-1"), formulas.month_end("kpi_movement_last"),
                f'=IF(ISNUMBER(MATCH($D${_CHOICE + 3},tbl_movement[{{tables.movement.stage}}],0)),$D${_CHOICE + 3},'
                f'"{_STAGE_CHOICES[0]}")',
                f'=IF($D${_CHOICE + 4}="{{{_MEASURES[1]}}}","{{{_MEASURES[1]}}}","{{{_MEASURES[0]}}}")',
            )),
        ), rows=len(CHOICES), key="n"),
        _stages("tbl_movement", _CHOSEN, "kpi_movement_first", "kpi_movement_last"),
        _stages("tbl_movement_recent", _RECENT, "kpi_movement_recent_first", "kpi_movement_recent_last"),
        Table("tbl_movement_months", f"B{_MONTHS}", (
            Column("month", "text"), Column("stage", "text"),
            *(Column(c, "flow_strong" if c in ("start", "end") else "flow") for c in STEPS_SHOWN),
            Column("check", "center", formula=formulas.check("tbl_movement_months", "stage")), Column("x", "count"),
        ), filter=True),
        _bars("tbl_movement_bars", _CHOICE, "tbl_movement", _USED["from"], _USED["to"]),
        _bars("tbl_movement_recent_bars", _CHARTS, "tbl_movement_recent", *(
            formulas.month_end(place)[1:] for place in ("kpi_movement_recent_first-1", "kpi_movement_recent_last")
        )),
        Table("tbl_movement_ends", f"T{_MONTHS}", (Column("month", "text"), Column("x", "count"))),
        Table("tbl_movement_flow", f"W{_MONTHS}", (
            Column("month", "text"), Column("x", "count"),
            *(Column(c, "flow", formula=_MONTHLY[c]) for c in (*STEPS_SHOWN, "came", "went")),
        )),
        Table("tbl_movement_amounts", f"AP{_MONTHS}", (
            Column("x", "count"), Column("stage", "text"), *(Column(c, "flow") for c in STEPS_SHOWN),
        )),
    ),
    charts=(
        _waterfall("F10:Q21", "movement.chart.chosen", "tbl_movement_bars", inset=14),
        _waterfall(f"B{_CHARTS}:J58", "movement.chart.recent", "tbl_movement_recent_bars"),
        Chart(f"K{_CHARTS}:Q58", "movement.chart.months", ("tbl_movement_flow", "month"), (
            Series("tbl_movement_flow", "came", "column", "teal3"),
            Series("tbl_movement_flow", "went", "column", "grain"),
            Series("tbl_movement_flow", "end", "line", "teal", marker=False),
        ), legend=True, gap=50),
    ),
    marks=(
        Mark("B6:B8", "", "font"),
        *(
            Mark(f"{columns[0]}{row + 1}:{columns[1]}{row + rows}", "", what)
            for row, rows in ((_CHOSEN, LABELS), (_RECENT, LABELS), (_MONTHS, 2))
            for columns, what in (("QQ", "check"), ("DP", "zero"))
        ),
        *(Mark(f"D{row + 1}:P{row + LABELS}", "kpi_movement_measure=2", "tenths") for row in (_CHOSEN, _RECENT)),
    ),
)  # fmt: skip
