"""What people in a region do to the workbook they were sent, as tests do it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import openpyxl
from openpyxl.worksheet.table import Table
from openpyxl.worksheet.worksheet import Worksheet

from xlfunnel.answers import Answer, told, worded
from xlfunnel.consolidate import Consolidation
from xlfunnel.crm import Intake, read_sources
from xlfunnel.pages import TABLES, headers
from xlfunnel.pages.phrases import Phrases
from xlfunnel.settings import Settings
from xlfunnel.strings import words

ENGLISH = Settings(language="en", currency="CNY")

OFFICES = """\
Opportunity ID,Region,Owner,Stage,Entered,Left,Went to,Amount
N-1,North,Ann,T0,2024-01-10,2024-02-15,T1,1000
N-1,North,Ann,T1,2024-02-15,,,1000
N-2,North,Bob,T0,2024-01-20,2024-03-01,Lost,500.25
N-3,North,Bob,T2,2024-01-22,,,80
S-1,South,Cid,T0,2024-02-03,2024-03-05,T3,700
S-1,South,Cid,T3,2024-03-05,,,700
S-2,South,Dot,T2,2024-02-07,,,90
M-1,North,Ann,T0,2024-01-05,2024-02-05,T2,40
M-1,South,Dot,T2,2024-02-05,,,40
X-1,,Eve,T1,2024-03-20,,,9.5
"""
"""Two regions, an opportunity that went from one to the other, and one of nobody's."""

Row = tuple[object, ...]


def offices(folder: Path, text: str = OFFICES, **chosen: Any) -> Intake:
    """The rows above as they are read."""
    path = folder / "offices.csv"
    path.write_text(text, "utf-8")
    return read_sources([path], Settings(language="en", **chosen))


def edited(path: Path, edit: Callable[[openpyxl.Workbook], None]) -> None:
    """The workbook changed and saved by openpyxl."""
    book = openpyxl.load_workbook(path)
    edit(book)
    book.save(path)


def table_of(book: openpyxl.Workbook, name: str) -> tuple[Worksheet, Table]:
    """Where a table lies."""
    return next((s, s.tables[name]) for s in book.worksheets if name in s.tables)


def add_rows(name: str, *rows: Row) -> Callable[[openpyxl.Workbook], None]:
    """Rows below those of a table, which grows."""

    def edit(book: openpyxl.Workbook) -> None:
        sheet, table = table_of(book, name)
        first, last = table.ref.split(":")
        left, bottom = sheet[first].column, sheet[last].row
        while all(sheet.cell(bottom, c).value is None for c in range(left, sheet[last].column + 1)):
            bottom -= 1  # a table of one row has a blank second one
        for i, row in enumerate(rows, 1):
            for j, value in enumerate(row):
                sheet.cell(bottom + i, left + j, value)
        table.ref = f"{first}:{sheet[last].column_letter}{max(bottom + len(rows), sheet[last].row)}"
        if table.autoFilter:
            table.autoFilter.ref = table.ref

    return edit


def set_where(name: str, key: object, language: str = "en", **values: object) -> Callable[[openpyxl.Workbook], None]:
    """Cells, by the keys of their columns, in the first row of a table in which `key` stands."""
    names = headers(TABLES[name], words(language))

    def edit(book: openpyxl.Workbook) -> None:
        sheet, table = table_of(book, name)
        rows = list(sheet[table.ref])
        heads = [c.value for c in rows[0]]
        row = next(r for r in rows[1:] if key in [c.value for c in r])
        for head, value in values.items():
            row[heads.index(names[head])].value = value

    return edit


def set_cell(name: str, value: object) -> Callable[[openpyxl.Workbook], None]:
    """The cell behind a defined name."""

    def edit(book: openpyxl.Workbook) -> None:
        sheet, at = next(iter(book.defined_names[name].destinations))
        book[sheet][at.replace("$", "")].value = value

    return edit


def day(text: str) -> datetime:
    """A day as a cell holds it."""
    return datetime.fromisoformat(text)


def of(made: Consolidation, file: str) -> Answer:
    return next(a for a in made.answers if a.file == file)


def said(made: Consolidation, file: str = "") -> str:
    """What is said of a file, or of all together."""
    say = Phrases(replace(made.settings, language="en"))
    return told(of(made, file).remarks, say) if file else "\n".join(worded(r, say) for r in made.remarks)
