"""The native formulas of the Movement sheet: another month, stage or measure is chosen without a run.

All of them sum the tables of monthly movements, of counts or of amounts, over months first…last (numbered as in their
column x) and over the stages of a label: "T2" is a stage, "T0→T3" a span. What moves within a span is set against each
other, as `xlfunnel.metrics.waterfall` does, which computes the values shown until Excel does.
"""

from xlfunnel.metrics.movement import OUTS, STEPS_SHOWN
from xlfunnel.metrics.waterfall import BARS

_ENDS = "tbl_movement_ends[{tables.movement_ends.month}]"
_OTHER_WAY = {
    "advanced_in": "advanced_out", "advanced_out": "advanced_in", "back_in": "back_out", "back_out": "back_in",
}  # fmt: skip
_PARTS = {"back": "{back_in}-{back_out}", "other": "{transferred}+{changed}+{unknown}"}


def this(table: str, column: str) -> str:
    """The cell of a column in the same row."""
    return f"{table}[[#This Row],[{{{column}}}]]"


def positions(start: str, end: str) -> tuple[str, str]:
    """First and last of the chosen months; `start` and `end` are the cells of the chosen month ends.

    As `xlfunnel.metrics.waterfall.picked`: empty = the last end, and the one before it; swapped if the wrong way round.
    """
    of_start, of_end = (f"MATCH({cell},{_ENDS},0)-1" for cell in (start, end))
    of_end = f"IFERROR({of_end},MAX(tbl_movement_ends[x]))"
    last = f"MAX(1,{of_end},IFERROR({of_start},0))"
    # Where no start was chosen, the end before the last month.
    first = f"MAX(0,MIN(IFERROR({of_start},kpi_movement_last-1),{of_end},kpi_movement_last-1))+1"
    return f"={first}", f"={last}"


def month_end(place: str) -> str:
    """The name of a month end: 0 is the one before the first month."""
    return f'=INDEX({_ENDS},MAX(1,{place}+1))&""'


def step(column: str, label: str, first: str, last: str) -> str:
    """What one step of the waterfall comes to, for the stages of `label` in months first…last."""
    first, last = (first, first) if column == "start" else (last, last) if column == "end" else (first, last)
    found = _summed(column, label, first, last)
    if column not in _OTHER_WAY:
        return found
    other = _summed(_OTHER_WAY[column], label, first, last)
    return f"IF(LEN({label})=2,{found},MAX(0,{found}-{other}))"


def steps(table: str, first: str, last: str) -> dict[str, str]:
    """A formula for each step, for a table with a label in its column `stage`."""
    label = this(table, "stage")
    return {c: f'=IF({label}="","",{step(c, label, first, last)})' for c in STEPS_SHOWN}


def check(table: str, filled: str) -> str:
    """✓ where start + … = end, but for rounding; nothing in a row that is not filled."""
    parts = (f"SUM({table}[[#This Row],[{{{a}}}]:[{{{z}}}]])" for a, z in (
        ("start", "back_in"), ("advanced_out", "lost"), ("transferred", "unknown"),
    ))  # fmt: skip
    plus, minus, net = parts
    total = f"{plus}-{minus}+{net}-{this(table, 'end')}"
    return f'=IF({this(table, filled)}="","",IF(ABS({total})<0.000001,"✓","✗"))'


def values(table: str, label: str) -> tuple[str, ...]:
    """What each bar adds: steps of the row of `label` in a table of stages."""
    row = f"MATCH({label},{table}[{{tables.movement.stage}}],0)"
    found = {c: f"IFERROR(INDEX({table}[{{tables.movement.{c}}}],{row}),0)" for c in STEPS_SHOWN}
    return tuple(
        "=" + _PARTS[bar].format_map(found) if bar in _PARTS else f"={'-' if bar in OUTS else ''}{found[bar]}"
        for bar in BARS
    )


def labels(table: str, start: str, end: str) -> tuple[str, ...]:
    """Below each bar its name and what it adds, on lines of their own; at either end the month as well."""
    value = this(table, "value")
    out = []
    for bar in BARS:
        plus = "" if bar in ("start", "end") else "+"
        forms = ",".join(f'"{plus}#,##0{digits};""−""#,##0{digits};0"' for digits in (".0", ""))
        number = f"TEXT({value},IF(AND(kpi_movement_measure=2,ABS({value})<100),{forms}))"
        month = {"start": f"{start}&CHAR(10)&", "end": f"{end}&CHAR(10)&"}.get(bar, "")
        out.append(f"={this(table, 'name')}&CHAR(10)&{month}{number}")
    return tuple(out)


def levels(table: str, column: str, first_row: int) -> tuple[str, ...]:
    """The sum so far; `column` is the sheet column it stands in."""
    value = this(table, "value")
    return tuple(
        f"={value}" if bar in ("start", "end") else f"={column}{first_row + i - 1}+{value}"
        for i, bar in enumerate(BARS)
    )


def pieces(table: str, level: str, first_row: int) -> dict[str, tuple[str, ...]]:
    """base, up, down and total of each bar; `level` is the sheet column of the sum so far."""
    value, base = this(table, "value"), this(table, "base")
    out: dict[str, list[str]] = {name: [] for name in ("base", "up", "down", "total")}
    for i, bar in enumerate(BARS):
        before, after = f"{level}{first_row + i - 1}", f"{level}{first_row + i}"
        is_end = bar in ("start", "end")
        height = f"MAX(0,{before},{after})-{base}"
        out["base"].append("=0" if is_end else f"=MAX(0,MIN({before},{after}))")
        out["up"].append("=0" if is_end else f"=IF({value}>0,{height},0)")
        out["down"].append("=0" if is_end else f"=IF({value}<0,{height},0)")
        out["total"].append(f"={value}" if is_end else "=0")
    return {name: tuple(formulas) for name, formulas in out.items()}


def monthly(table: str, label: str) -> dict[str, str]:
    """The steps of one stage or span month by month, and all that came and went."""
    month = f"{table}[[#This Row],[x]]"
    found = {c: f"={step(c, label, month, month)}" for c in STEPS_SHOWN}
    net = f"SUM({table}[[#This Row],[{{transferred}}]:[{{unknown}}]])"
    found["came"] = f"=SUM({table}[[#This Row],[{{new}}]:[{{back_in}}]])+MAX(0,{net})"
    found["went"] = f"=SUM({table}[[#This Row],[{{advanced_out}}]:[{{lost}}]])-MIN(0,{net})"
    return found


def _summed(column: str, label: str, first: str, last: str) -> str:
    # Each table with its own conditions: a user may sort one of them.
    each = ",".join(_of(f"movement_{m}", column, label, first, last) for m in ("months", "amounts"))
    return f"CHOOSE(kpi_movement_measure,{each})"


def _of(name: str, column: str, label: str, first: str, last: str) -> str:
    month, stage = f"tbl_{name}[x]", f"tbl_{name}[{{tables.{name}.stage}}]"
    return (
        f'SUMIFS(tbl_{name}[{{tables.{name}.{column}}}],{month},">="&{first},{month},"<="&{last},'
        f'{stage},">="&LEFT({label},2),{stage},"<="&RIGHT({label},2))'
    )
