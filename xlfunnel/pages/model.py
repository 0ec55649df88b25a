"""What a sheet is made of, as plain data. A page says what and where; `xlfunnel.excel.template` says how it looks.

Addresses are A1 text ("B2", or "B2:R2" for merged cells) so that a page reads like the sheet. Words are keys of
`xlfunnel.strings`; styles are names of `xlfunnel.excel.styles`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import pandas as pd

from xlfunnel.report import Value


@dataclass(frozen=True)
class Text:
    """Fixed words."""

    at: str
    key: str
    style: str


@dataclass(frozen=True)
class Fixed:
    """What stays as the template has it and is no word: an example's number, or a formula.

    at     "C9", or "B20:H20" for one formula over several cells; {language} in a formula is the workbook's own
    shown  of a formula: a value a cell, seen until it is calculated; a string key stands for its word
    """

    at: str
    value: Value
    style: str
    shown: tuple[Value, ...] = ()


@dataclass(frozen=True)
class Choice:
    """What may be typed into an input cell.

    kind     "list", "date", "integer", "decimal" or "text"
    options  for "list": string keys of the choices, or the choices themselves
    source   of a "list": (table, column) of the same sheet whose cells are the choices, instead of options
    low, high  bounds, both included
    free     of a "list": something else may be typed too
    longest  for "text": characters
    """

    kind: str
    options: tuple[str, ...] = ()
    low: float = 0
    high: float = 1e9
    free: bool = False
    longest: int = 100
    source: tuple[str, str] = ("", "")


@dataclass(frozen=True)
class Slot:
    """A named cell that a refresh fills (`kpi_`, `txt_`) or the user does (`cfg_`).

    default  may be a formula, as of a `Column`; what a refresh fills in is then shown until it is calculated
    """

    name: str
    at: str
    style: str
    choice: Choice | None = None
    default: Value = None
    default_key: str = ""


@dataclass(frozen=True)
class Link:
    """Words that lead to another sheet."""

    at: str
    key: str
    sheet: str
    style: str = "link"


@dataclass(frozen=True)
class Column:
    """One column of a table; its header is the string `tables.<table>.<key>`.

    formulas  one formula a body row, for tables whose height never varies; written as `formula`
    formula   one for every row, however many: "=SUM(tbl_x[[#This Row],[{a}]:[{b}]])", headers by column keys in
              braces, words by string keys ({data.outcome.won}), the cells of another table's column as {tbl_y.b};
              a frame's values are shown until it is calculated
    kept      written by a report, and read back beside what was typed, for the next report to carry on
    typed     the user's own: a report leaves it alone, and its cells follow their row by the table's key
    bars      data bars of that colour
    choice    validation of the body cells
    choices   one a body row instead, for tables whose height never varies
    """

    key: str
    style: str
    formulas: tuple[str, ...] = ()
    formula: str = ""
    typed: bool = False
    kept: bool = False
    bars: str = ""
    choice: Choice | None = None
    choices: tuple[Choice, ...] = ()


@dataclass(frozen=True)
class Table:
    """A native table.

    rows      how many body rows the template has; more than two only where that never varies, or with `defaults`
    key       of the column that identifies a row, for tables with columns in which the user types
    defaults  what stands in the rows of the template, for a table that users edit: a string key stands for its word
    """

    name: str
    at: str
    columns: tuple[Column, ...]
    rows: int = 2
    filter: bool = False
    key: str = ""
    defaults: tuple[tuple[Value, ...], ...] = ()

    @property
    def short(self) -> str:
        """The name without its prefix, as used in string keys."""
        return self.name.removeprefix("tbl_")


@dataclass(frozen=True)
class Series:
    """One series of a chart: a column of a table.

    kind   "line", "column", "bar", or "area" (areas lie on each other, behind all else)
    color  name of a colour, or "none" for an invisible one: a spacer, or a line that makes room for whiskers
    errors whiskers: the columns with their lengths below and above the value
    listed  named in the chart's legend, where it has one
    dots   of a "line": marks of that shape ("diamond", "long_dash") without a line between them
    """

    table: str
    column: str
    kind: str
    color: str
    labels: bool = False
    label_color: str = ""
    trendline: bool = False
    dashed: bool = False
    marker: bool = True
    name_key: str = ""
    errors: tuple[str, str] = ("", "")
    dots: str = ""
    listed: bool = True


@dataclass(frozen=True)
class Chart:
    """A native chart over `at` ("B15:M30"); `categories` is (table, column).

    percent  values are shares of 1
    top      where the axis of values ends, 0 = where the program likes
    inset    pixels that it stands off what is left of it
    groups   column left of the categories whose texts bracket them: a name stands for all rows down to the next one
    title_slot  the named cell in which the title stands, where a refresh words it; `title` then describes the chart
    """

    at: str
    title: str
    categories: tuple[str, str]
    series: tuple[Series, ...]
    stacked: bool = False
    legend: bool = False
    gap: int = 60
    axis: bool = True
    percent: bool = False
    top: float = 0
    inset: int = 0
    groups: str = ""
    title_slot: str = ""


@dataclass(frozen=True)
class Mark:
    """Cells coloured by a severity word.

    at      the cells to colour
    by      the cell that holds the word ("risk", "watch", "ok"), or "" if the cells hold it themselves; for "true"
            and "tenths" a condition
    what    "fill" or "font"; "zero" greys noughts among other numbers; "tenths" shows a decimal
    """

    at: str
    by: str
    what: str


@dataclass(frozen=True)
class Page:
    """One sheet. `key` names it in strings (`sheets.<key>`) and is its code name.

    widths   column widths in characters, from column A
    heights  row number -> height in points
    fitted   gives the heights of further rows, which are worked out from their words when the sheet is drawn
    bands    cells filled with a style before anything is written into them
    area     print area; its last row moves with the tables it ends on
    repeat   rows repeated on each printed page ("1:3"), or ""
    freeze   first cell that scrolls, or ""
    breaks   rows after which a printed page ends
    parts    columns at which further parts of the sheet begin, each as wide as a printed page
    """

    key: str
    widths: tuple[float, ...]
    area: str
    heights: Mapping[int, float] = field(default_factory=dict)
    bands: tuple[tuple[str, str], ...] = ()
    texts: tuple[Text, ...] = ()
    fixed: tuple[Fixed, ...] = ()
    slots: tuple[Slot, ...] = ()
    links: tuple[Link, ...] = ()
    tables: tuple[Table, ...] = ()
    charts: tuple[Chart, ...] = ()
    marks: tuple[Mark, ...] = ()
    repeat: str = ""
    freeze: str = ""
    breaks: tuple[int, ...] = ()
    parts: tuple[str, ...] = ()
    one_page: bool = False
    input: bool = False
    fitted: Callable[[], Mapping[int, float]] = dict

    @cached_property
    def all_heights(self) -> Mapping[int, float]:
        """Row number -> height in points, of all rows that have one of their own."""
        return {**self.heights, **self.fitted()}


@dataclass(frozen=True)
class Content:
    """What a page contributes to a report: frames by table name (columns are column keys) and values by slot name."""

    tables: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    cells: Mapping[str, Value] = field(default_factory=dict)
