"""Workbooks in the running LibreOffice, and what stands in them after they were saved."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import xlwings as xw
from openpyxl.utils.cell import range_boundaries

from xlfunnel.excel.ranges import parse_reference
from xlfunnel.report import Report


@contextmanager
def opened(app: xw.App, path: Path) -> Iterator[xw.Book]:
    """A workbook open in LibreOffice for the time of a block; it is not saved."""
    book = app.books.open(str(path))
    try:
        yield book
    finally:
        book.close()


def chart_ranges(book: xw.Book) -> dict[str, list[str]]:
    """Sheet -> the ranges of all series of its charts, in LibreOffice's way of writing."""
    document, out = book.impl.document, {}
    for i in range(document.Sheets.Count):
        sheet = document.Sheets.getByIndex(i)
        out[sheet.Name] = [
            part.Values.SourceRangeRepresentation
            for j in range(sheet.Charts.Count)
            for system in sheet.Charts.getByIndex(j).EmbeddedObject.FirstDiagram.CoordinateSystems
            for kind in system.ChartTypes
            for series in kind.DataSeries
            for part in series.DataSequences
        ]
    return out


def format_ranges(sheet: xw.Sheet) -> list[str]:
    """The ranges of a sheet's conditional formats."""
    found = sheet.impl.sheet.ConditionalFormats.getConditionalFormats()
    return [f.Range.RangeAddressesAsString.rpartition(".")[2] for f in found]


def read_back(path: Path, tables: Sequence[str], names: Sequence[str]) -> Report:
    """What tables and named cells of a saved workbook show to an independent reader; padding rows are left out."""
    book = openpyxl.load_workbook(path, data_only=True)
    refs = {t.name: (sheet, t.ref) for sheet in book for t in sheet.tables.values()}
    frames, cells = {}, {}
    for name in tables:
        sheet, ref = refs[name]
        c1, r1, c2, r2 = range_boundaries(ref)
        head, *rows = [[_plain(c.value) for c in row] for row in sheet.iter_rows(r1, r2, c1, c2)]
        while rows and not any(v is not None for v in rows[-1]):
            rows.pop()
        frames[name] = pd.DataFrame(rows, columns=head, dtype=object)
    for name in names:
        sheet_name, at = parse_reference(book.defined_names[name].attr_text) or ("", None)
        assert at is not None, name
        cells[name] = _plain(book[sheet_name].cell(at.r1, at.c1).value)
    return Report(frames, cells)


def _plain(value: Any) -> Any:
    """Kinds that readers tell apart and workbooks do not: a day is the day at midnight, an empty text a blank."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return datetime.combine(value, time())
    return None if value == "" else value
