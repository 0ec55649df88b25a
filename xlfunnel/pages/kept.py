"""Kept entries: what users typed beside rows that are no longer listed. It goes back by itself when the row returns."""

from collections.abc import Mapping, Sequence

import pandas as pd

from xlfunnel.entered import Entry
from xlfunnel.pages import typed_columns
from xlfunnel.pages.model import Column, Content, Link, Page, Slot, Table, Text
from xlfunnel.pages.phrases import Phrases

TABLE = Table("tbl_kept", "B6", (
    Column("sheet", "text"), Column("key", "text"), Column("column", "text"), Column("value", "wrap"),
    Column("code", "wrap_note"),
), filter=True)  # fmt: skip

PAGE = Page(
    key="kept",
    widths=(1.7, 24, 26, 24, 60, 30, 1.7),
    heights={1: 8, 2: 28, 3: 18, 4: 30, 5: 8},
    area="B1:F8",
    repeat="2:6",
    freeze="A7",
    bands=(("B2:F3", "title_band"),),
    texts=(Text("B2:E2", "kept.title", "title_small"), Text("B4:F4", "kept.note", "note_wrap")),
    slots=(Slot("txt_kept", "B3:F3", "subtitle"),),
    links=(Link("F2", "sheets.to_home", "home", "link_band"),),
    tables=(TABLE,),
)


def content(
    entries: Sequence[tuple[Entry, Column | None]], names: Mapping[str, tuple[str, Table]], say: Phrases
) -> Content:
    """The entries, as they came. `names`: table without its prefix -> sheet key and table."""
    rows = []
    for entry, column in entries:
        sheet, table = names.get(entry.table, ("", None))
        header = say(f"tables.{table.short}.{column.key}") if table and column else entry.column
        where = say(f"sheets.{sheet}") if sheet else entry.table
        value = typed_columns.shown(entry, column, say)
        rows.append((where, entry.key, header, value, f"{entry.table}.{entry.column}"))
    told = say("kept.some", n=len(rows)) if rows else say("kept.none")
    frame = pd.DataFrame(rows, columns=[c.key for c in TABLE.columns], dtype=object)
    return Content({TABLE.name: frame}, {"txt_kept": told})
