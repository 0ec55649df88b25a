"""Builds the template workbook: `python -m xlfunnel.excel.template [FOLDER]` writes one a language into `workbook/`.

Two builds are equal byte for byte, so that the committed files can be proved to be the built ones.
"""

import re
import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import xlsxwriter
from xlsxwriter.utility import xl_cell_to_rowcol, xl_col_to_name, xl_range_abs

from xlfunnel.excel.charts import native_chart
from xlfunnel.excel.finish import finish_charts
from xlfunnel.excel.marks import add_marks
from xlfunnel.excel.styles import COLORS, NUMBER_STYLES, STYLES, resolved, tile_style
from xlfunnel.excel.template_id import TEMPLATE_VERSION, file_name
from xlfunnel.pages import PAGES, headers
from xlfunnel.pages.model import Choice, Column, Fixed, Page, Slot, Table
from xlfunnel.report import Value
from xlfunnel.settings import LANGUAGES
from xlfunnel.strings import Words, words

_BUILT = datetime(2025, 1, 1)
_DEFAULT_ROW = 16.5
_GAP, _EDGE = 10, 2
"""Pixels a chart ends before its last column does: between charts, and so that the frame is printed at the edge."""
_PRINTABLE = 900
"""Pixels of an A4 landscape page between the margins at 96 dpi, less what wider digits of a stand-in font may need."""
_BRACES = re.compile(r"\{([^{}]+)\}")


def build(
    language: str, path: Path, extend: Callable[[Any], None] | None = None, pages: Sequence[Page] = PAGES
) -> None:
    """Write the template of one language. Raises OSError if `path` cannot be written.

    extend  is given the XlsxWriter workbook, all sheets in it, before it is closed
    """
    _Builder(language, path, pages).build(extend)
    finish_charts(path)


class _Builder:
    def __init__(self, language: str, path: Path, pages: Sequence[Page]) -> None:
        self._say: Words = words(language)
        self._pages = pages
        self._language = language
        base = {k: v for k, v in resolved({}, language).items() if k != "font_color"}
        self._book = xlsxwriter.Workbook(str(path), {"default_format_properties": base})
        self._formats: dict[str, Any] = {}
        self._sheets: dict[str, Any] = {}
        self._tables: dict[str, tuple[Page, Table]] = {t.name: (p, t) for p in pages for t in p.tables}

    def build(self, extend: Callable[[Any], None] | None) -> None:
        book, say = self._book, self._say
        book.set_properties({"title": say("sheets.app"), "created": _BUILT, "author": "xlfunnel"})
        book.set_custom_property("xlfunnel_template", TEMPLATE_VERSION, "text")
        book.set_size(1920, 1080)
        for page in self._pages:
            sheet = book.add_worksheet(say(f"sheets.{page.key}"))
            sheet.set_vba_name(f"sheet_{page.key}")
            self._sheets[page.key] = sheet
        for page in self._pages:
            self._lay_out(page, self._sheets[page.key])
        for page in self._pages:
            self._draw(page, self._sheets[page.key])
        self._sheets[self._pages[0].key].activate()
        if extend:
            extend(book)
        book.close()

    def _style(self, name: str) -> Any:
        if name not in self._formats:
            if name.startswith("tile_") and name not in STYLES:
                tile = name.removeprefix("tile_")
                props = tile_style(self._language, tile, self._say(f"home.unit.{tile}"))
            else:
                props = STYLES[name]
            self._formats[name] = self._book.add_format(resolved(props, self._language))
        return self._formats[name]

    def _lay_out(self, page: Page, sheet: Any) -> None:
        for i, width in enumerate(page.widths):
            sheet.set_column(i, i, width)
        for row in range(1, _fixed_rows(page) + 1):
            sheet.set_row(row - 1, page.all_heights.get(row, _DEFAULT_ROW))
        for at, style in page.bands:
            for row, col in _cells(at):
                sheet.write_blank(row, col, None, self._style(style))
        for text in page.texts:
            self._write(sheet, text.at, self._say(text.key) if text.key else "", text.style)
        for fixed in page.fixed:
            self._fix(sheet, fixed)
        for slot in page.slots:
            self._slot(page, sheet, slot)
        for link in page.links:
            target, shown = self._say(f"sheets.{link.sheet}"), self._say(link.key)
            self._write(sheet, link.at, "", link.style)
            # A formula, not a hyperlink element: it keeps the cell's own colour on the title band everywhere.
            formula = f'=HYPERLINK("#\'{target}\'!A1","{shown}")'
            sheet.write_formula(link.at.split(":")[0], formula, self._style(link.style), shown)
        for table in page.tables:
            self._table(sheet, table)
        add_marks(self._book, sheet, page.marks, self._say)
        self._print(page, sheet)

    def _fix(self, sheet: Any, fixed: Fixed) -> None:
        style, value = self._style(fixed.style), fixed.value
        shown = [self._say(v) if isinstance(v, str) and self._say.has(v) else v for v in fixed.shown]
        if not shown:
            self._write(sheet, fixed.at, value, fixed.style)
        elif ":" not in fixed.at:
            sheet.write_formula(fixed.at, str(value).replace("{language}", self._language), style, shown[0])
        else:
            sheet.write_array_formula(fixed.at, str(value).replace("{language}", self._language), style, shown[0])
            for (row, col), later in list(zip(_cells(fixed.at), shown, strict=True))[1:]:
                sheet.write(row, col, later, self._style("text") if isinstance(later, str) else style)

    def _write(self, sheet: Any, at: str, value: Any, style: str) -> None:
        if ":" in at:
            sheet.merge_range(at, value if value is not None else "", self._style(style))
        elif value is None or value == "":
            sheet.write_blank(at, None, self._style(style))
        else:
            sheet.write(at, value, self._style(style))

    def _slot(self, page: Page, sheet: Any, slot: Slot) -> None:
        value = self._say(slot.default_key) if slot.default_key else slot.default
        if isinstance(value, str) and value.startswith("="):
            self._write(sheet, slot.at, None, slot.style)
            sheet.write_formula(slot.at.split(":")[0], self._worded(value, {}), self._style(slot.style), "")
            value = None
        else:
            self._write(sheet, slot.at, self._language if slot.name == "cfg_language" else value, slot.style)
        first = slot.at.split(":")[0]
        row, col = xl_cell_to_rowcol(first)
        self._book.define_name(slot.name, f"='{sheet.name}'!{xl_range_abs(row, col, row, col)}")
        if slot.choice:
            self._validate(sheet, first, slot.choice)

    def _validate(self, sheet: Any, at: str, choice: Choice) -> None:
        rule: dict[str, Any] = {
            "ignore_blank": True,
            "error_title": self._say("sheets.invalid_title"),
            "error_message": self._say(
                f"sheets.invalid.{choice.kind}", low=f"{choice.low:g}", high=f"{choice.high:g}", most=choice.longest
            ),
        }
        if choice.kind == "list":
            rule |= {"validate": "list", "source": [self._say(o) if "." in o else o for o in choice.options]}
            rule["show_error"] = not choice.free
            if choice.source[0]:
                rule["source"] = "=" + self._range(*choice.source).partition("!")[2]
        elif choice.kind == "date":
            rule |= {"validate": "date", "criteria": ">=", "value": datetime(1990, 1, 1)}
        elif choice.kind == "text":
            rule |= {"validate": "length", "criteria": "<=", "value": choice.longest}
        else:
            rule |= {
                "validate": choice.kind,
                "criteria": "between",
                "minimum": choice.low,
                "maximum": choice.high,
            }
        sheet.data_validation(at, rule)

    def _table(self, sheet: Any, table: Table) -> None:
        row, col = xl_cell_to_rowcol(table.at)
        names = headers(table, self._say)
        last_row, last_col = row + table.rows, col + len(table.columns) - 1
        sheet.add_table(row, col, last_row, last_col, {
            "name": table.name,
            "style": None,
            "autofilter": table.filter,
            "columns": [
                {"header": names[c.key]} | ({"formula": self._worded(c.formula, names)} if c.formula else {})
                for c in table.columns
            ],
        })  # fmt: skip
        for j, column in enumerate(table.columns):
            head = "header_number" if column.style in NUMBER_STYLES else "header"
            head = "header_center" if column.style.startswith("center") else head
            sheet.write_string(row, col + j, names[column.key], self._style(head))
            for i in range(table.rows):
                default = table.defaults[i][j] if i < len(table.defaults) else None
                self._body_cell(sheet, row + 1 + i, col + j, column, i, names, default)
            body = f"{xl_col_to_name(col + j)}{row + 2}:{xl_col_to_name(col + j)}{last_row + 1}"
            if column.bars:
                sheet.conditional_format(body, {
                    "type": "data_bar", "data_bar_2010": True, "bar_solid": True, "bar_color": COLORS[column.bars],
                    "min_type": "num", "min_value": 0, "bar_border_color": COLORS[column.bars],
                    **({"max_type": "num", "max_value": 1} if column.style.startswith("percent") else {}),
                })  # fmt: skip
            for i, choice in enumerate(column.choices):
                self._validate(sheet, f"{xl_col_to_name(col + j)}{row + 2 + i}", choice)
            if column.choice and not column.choices:
                self._validate(sheet, body, column.choice)

    def _body_cell(
        self, sheet: Any, row: int, col: int, column: Column, i: int, names: dict[str, str], default: Value
    ) -> None:
        style = self._style(column.style)
        if column.formulas or column.formula:
            formula = column.formulas[i] if column.formulas else column.formula
            sheet.write_formula(row, col, self._worded(formula, names), style, "")
        elif default is not None:
            sheet.write(row, col, self._say(default) if isinstance(default, str) else default, style)
        else:
            sheet.write_blank(row, col, None, style)

    def _worded(self, formula: str, names: dict[str, str]) -> str:
        """A formula with the headers and words of the language in place of their keys."""

        def meant(match: re.Match[str]) -> str:
            table, _, column = match[1].partition(".")
            if table in self._tables:
                return self._range(table, column).removeprefix("=")
            return names[match[1]] if match[1] in names else self._say(match[1])

        return _BRACES.sub(meant, formula)

    def _draw(self, page: Page, sheet: Any) -> None:
        for chart in page.charts:
            native = native_chart(self._book, chart, self._say, self._range, self._header, self._slot_at)
            first, last = chart.at.split(":")
            (r1, c1), (r2, c2) = xl_cell_to_rowcol(first), xl_cell_to_rowcol(last)
            edges = [page.area.split(":")[1], *(f"{part}1" for part in page.parts)]
            right_edge = c2 in [xl_cell_to_rowcol(edges[0])[1], *(xl_cell_to_rowcol(e)[1] - 2 for e in edges[1:])]
            # A frame that begins a part must not be drawn on the page before.
            left = chart.inset + (_EDGE if c1 in [xl_cell_to_rowcol(e)[1] for e in edges[1:]] else 0)
            off = left + (_EDGE if right_edge else _GAP)
            native.set_size({
                "width": sum(_pixels(page.widths[c]) for c in range(c1, c2 + 1)) - off,
                "height": sum(round(page.all_heights.get(r + 1, _DEFAULT_ROW) * 4 / 3) for r in range(r1, r2 + 1)),
            })  # fmt: skip
            place = {"object_position": 1, "description": self._say(chart.title), "x_offset": left}
            sheet.insert_chart(r1, c1, native, place)

    def _range(self, table: str, column: str) -> str:
        page, found = self._tables[table]
        row, col = xl_cell_to_rowcol(found.at)
        j = col + [c.key for c in found.columns].index(column)
        return f"='{self._say(f'sheets.{page.key}')}'!{xl_range_abs(row + 1, j, row + found.rows, j)}"

    def _header(self, table: str, column: str) -> str:
        page, found = self._tables[table]
        row, col = xl_cell_to_rowcol(found.at)
        j = col + [c.key for c in found.columns].index(column)
        return f"='{self._say(f'sheets.{page.key}')}'!{xl_range_abs(row, j, row, j)}"

    def _slot_at(self, name: str) -> str:
        page, slot = next((p, s) for p in self._pages for s in p.slots if s.name == name)
        row, col = xl_cell_to_rowcol(slot.at.split(":")[0])
        return f"='{self._say(f'sheets.{page.key}')}'!{xl_range_abs(row, col, row, col)}"

    def _print(self, page: Page, sheet: Any) -> None:
        sheet.hide_gridlines(1 if page.key == "data" else 2)
        sheet.set_landscape()
        sheet.set_paper(9)
        sheet.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.6)
        sheet.center_horizontally()
        if page.breaks or page.parts:
            # Excel ignores manual breaks on a sheet that is fitted to a width, so the width is met by a scale.
            first, last = (xl_cell_to_rowcol(a)[1] for a in page.area.split(":"))
            starts = [first, *(xl_cell_to_rowcol(f"{c}1")[1] for c in page.parts), last + 1]
            widest = max(sum(_pixels(w) for w in page.widths[a:z]) for a, z in pairwise(starts))
            sheet.set_print_scale(min(100, _PRINTABLE * 100 // widest))
            sheet.set_h_pagebreaks(list(page.breaks))
            sheet.set_v_pagebreaks(starts[1:-1])
        else:
            sheet.fit_to_pages(1, 1 if page.one_page else 0)
        sheet.print_area(page.area)
        if page.repeat:
            sheet.repeat_rows(*(int(n) - 1 for n in page.repeat.split(":")))
        if page.freeze:
            sheet.freeze_panes(page.freeze)
        sheet.set_footer(f"&L&8{self._say('sheets.app')} · &A&C&8{self._say('sheets.page')}&R&8&F")
        sheet.set_tab_color(COLORS["input_line" if page.input else "teal2"])


def _fixed_rows(page: Page) -> int:
    """Rows whose height the template sets: down to the last chart, or the last row named."""
    drawn = [xl_cell_to_rowcol(c.at.split(":")[1])[0] + 1 for c in page.charts]
    return max([*page.all_heights, *drawn], default=0)


def _cells(at: str) -> Iterator[tuple[int, int]]:
    first, _, last = at.partition(":")
    (r1, c1), (r2, c2) = xl_cell_to_rowcol(first), xl_cell_to_rowcol(last or first)
    return ((r, c) for r in range(r1, r2 + 1) for c in range(c1, c2 + 1))


def _pixels(width: float) -> int:
    """Pixels of a column of that many characters, as Excel counts them for its default font."""
    return int(width * 12 + 0.5) if width < 1 else int(width * 7 + 0.5) + 5


if __name__ == "__main__":
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "workbook")
    for lang in LANGUAGES:
        build(lang, folder / file_name(lang))
