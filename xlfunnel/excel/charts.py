"""Native charts of the template from their plain description."""

from collections.abc import Callable
from typing import Any

from xlfunnel.excel.styles import COLORS, FONTS
from xlfunnel.pages.model import Chart, Series
from xlfunnel.strings import Words
from xlfunnel.terms import STAGES

_DOT_SIZE = 9
_LAYERS = ("area", "bar", "column", "line")
"""Kinds of series from the back to the front; a chart may have two of them."""

_FIRST_DARK = 2
"""First stage whose bar is too dark for ink."""

RangeOf = Callable[[str, str], str]
"""(table, column key) → absolute A1 range of the column's body, with its sheet."""


def native_chart(
    workbook: Any, chart: Chart, say: Words, range_of: RangeOf, name_of: RangeOf, slot_at: Callable[[str], str]
) -> Any:
    """An XlsxWriter chart. Bars and columns first; lines are laid over them on the same axes.

    slot_at  named cell → its absolute A1 reference, with its sheet
    """
    drawing = _Drawing(workbook, chart, say, range_of, name_of)
    drawing.title = slot_at(chart.title_slot) if chart.title_slot else say(chart.title)
    return drawing.made()


class _Drawing:
    def __init__(self, workbook: Any, chart: Chart, say: Words, range_of: RangeOf, name_of: RangeOf) -> None:
        self._workbook, self._chart, self._say = workbook, chart, say
        self._range_of, self._name_of = range_of, name_of
        self._font = FONTS[say.language]
        self.title = ""

    def made(self) -> Any:
        chart = self._chart
        kinds = [kind for kind in _LAYERS if any(s.kind == kind for s in chart.series)]
        layers = []
        for kind in kinds:
            options: dict[str, Any] = {"type": kind}
            if kind == "area" or (chart.stacked and kind != "line"):
                options["subtype"] = "stacked"
            layers.append(self._workbook.add_chart(options))
            for series in (s for s in chart.series if s.kind == kind):
                layers[-1].add_series(self._series(series))
        native, *overlay = layers
        if overlay:
            native.combine(overlay[0])
        self._frame(native, kinds[0])
        return native

    def _series(self, series: Series) -> dict[str, Any]:
        color = COLORS.get(series.color, COLORS["teal"])
        out: dict[str, Any] = {
            "name": self._name_of(series.table, series.column),
            **self._categories(),
            "values": self._range_of(series.table, series.column),
        }
        if series.kind == "line":
            out["line"] = {"color": color, "width": 1.25 if series.dashed else 2.25}
            if series.dashed:
                out["line"]["dash_type"] = "dash"
            out["marker"] = (
                {"type": "circle", "size": 6, "fill": {"color": color}, "border": {"color": color}}
                if series.marker
                else {"type": "none"}
            )
            if series.color == "none":
                out["line"], out["marker"] = {"none": True}, {"type": "none"}
            elif series.dots:
                out["line"] = {"none": True}
                out["marker"] |= {"type": series.dots, "size": _DOT_SIZE}
        elif series.color == "none":
            out["fill"], out["border"] = {"none": True}, {"none": True}
        else:
            out["fill"], out["border"] = {"color": color}, {"none": True}
        if series.kind in ("column", "bar"):
            out["gap"] = self._chart.gap
            if not self._chart.stacked:
                out["overlap"] = -5
        if series.color == "stages":
            out["points"] = [{"fill": {"color": COLORS[f"stage{i}"]}} for i in range(len(STAGES))]
        if all(series.errors):
            below, above = (self._range_of(series.table, column) for column in series.errors)
            whisker = {"color": COLORS["ink"], "width": 1}
            out["y_error_bars"] = {"type": "custom", "minus_values": below, "plus_values": above, "line": whisker}
        if series.labels:
            out["data_labels"] = self._labels(series)
        if series.trendline:
            out["trendline"] = {
                "type": "linear",
                "name": self._say("sheets.trendline"),
                "line": {"color": COLORS["muted"], "width": 1.25, "dash_type": "dash"},
                "display_equation": True,
                "display_r_squared": True,
                "label": {"font": self._text(10, "ink")},
            }
        return out

    def _categories(self) -> dict[str, Any]:
        table, column = self._chart.categories
        whole = self._range_of(table, column)
        if not self._chart.groups:
            return {"categories": whole}
        first = self._range_of(table, self._chart.groups).partition(":")[0]
        # Without a cache XlsxWriter would take a range of two columns for numbers.
        return {"categories": f"{first}:{whole.partition(':')[2]}", "categories_data": [["", ""], ["", ""]]}

    def _labels(self, series: Series) -> dict[str, Any]:
        if series.color == "stages":
            # Dark bars, close to the win, carry white numbers.
            fonts = [{**self._text(9, "ink" if i < _FIRST_DARK else "white"), "bold": True} for i in range(len(STAGES))]
            return {"value": True, "position": "center", "custom": [{"font": font} for font in fonts]}
        # Inside a column the number stands at its foot, where no line of a mean or a floor runs through it.
        beyond = "inside_base" if self._chart.stacked else "outside_end"
        position = {"line": "above", "column": beyond, "bar": beyond}
        number = "0%" if self._chart.percent else "#,##0"
        return {
            "value": True,
            "position": position[series.kind] if not all(series.errors) or self._chart.stacked else "right",
            "num_format": f"{number};−{number};" if self._chart.stacked or self._chart.top else number,
            "font": self._text(9, series.label_color or "ink"),
        }

    def _frame(self, native: Any, kind: str) -> None:
        chart = self._chart
        native.set_title({"name": self.title, "name_font": {**self._text(11, "ink"), "bold": True}, "overlay": False})
        quiet = {"num_font": self._text(9, "muted"), "line": {"color": COLORS["line"]}}
        grid = {"visible": True, "line": {"color": COLORS["line"], "width": 0.75}}
        values: dict[str, Any] = {
            **quiet,
            "min": 0,
            "num_format": "0%" if chart.percent else "#,##0",
            "line": {"none": True},
        }
        if chart.top:
            values["max"] = chart.top
        if kind == "bar":
            native.set_x_axis({**values, "visible": chart.axis, "major_gridlines": {"visible": False}})
            native.set_y_axis({**quiet, "reverse": True, "major_tick_mark": "none"})
        else:
            # Areas too begin in the middle of their category, where columns and points stand.
            native.set_x_axis({**quiet, "major_tick_mark": "none", "text_axis": True, "position_axis": "between"})
            native.set_y_axis({**values, "major_gridlines": grid})
        if chart.legend:
            ordered = sorted(chart.series, key=lambda s: _LAYERS.index(s.kind))  # as they are numbered
            unseen = [i for i, s in enumerate(ordered) if s.color == "none" or not s.listed]
            native.set_legend({"position": "bottom", "font": self._text(9, "muted"), "delete_series": unseen})
        else:
            native.set_legend({"none": True})
        native.set_chartarea({"border": {"color": COLORS["line"]}, "fill": {"color": COLORS["white"]}})
        native.set_plotarea({"fill": {"none": True}})
        native.show_blanks_as("gap")

    def _text(self, size: float, color: str) -> dict[str, Any]:
        return {"name": self._font, "size": size, "color": COLORS[color]}
