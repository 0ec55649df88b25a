"""Data quality: what was read, repaired and refused, by cause and by row."""

from collections import Counter

import pandas as pd

from xlfunnel.analysis import FunnelAnalysis
from xlfunnel.pages.model import Column, Content, Link, Mark, Page, Slot, Table, Text
from xlfunnel.pages.phrases import Phrases

_TILES = ("rows_read", "rows_used", "rows_repaired", "rows_refused")
_TILE_AT = (("B5:C5", "B6:C6"), ("D5:F5", "D6:F6"), ("G5:H5", "G6:H6"), ("I5:J5", "I6:J6"))

PAGE = Page(
    key="quality",
    widths=(1.7, 26, 12, 9, 2, 12, 24, 30, 9, 36, 1.7),
    heights={1: 8, 2: 28, 3: 18, 4: 6, 5: 18, 6: 28, 8: 30, 9: 30},
    area="B1:J14",
    repeat="2:3",
    freeze="A13",
    bands=(("B2:J3", "title_band"), *((f"{a.split(':')[0]}:{b.split(':')[1]}", "tile") for a, b in _TILE_AT)),
    texts=(
        Text("B2:H2", "quality.title", "title_small"),
        *(Text(a, f"quality.tile.{n}", "tile_label") for n, (a, _) in zip(_TILES, _TILE_AT, strict=True)),
        Text("B11:D11", "quality.causes.title", "section"),
        Text("F11:J11", "quality.issues.title", "section"),
    ),
    slots=(
        Slot("txt_quality_scope", "B3:J3", "subtitle"),
        *(Slot(f"kpi_{n}", b, "tile_count") for n, (_, b) in zip(_TILES, _TILE_AT, strict=True)),
        Slot("txt_import", "B8:J8", "note_wrap"),
        Slot("txt_columns", "B9:J9", "note_wrap"),
    ),
    links=(Link("I2:J2", "sheets.to_home", "home", "link_band"),),
    tables=(
        Table("tbl_causes", "B12", (Column("cause", "text"), Column("treatment", "text"), Column("rows", "count"))),
        Table("tbl_issues", "F12", (
            Column("treatment", "text"), Column("cause", "text"), Column("source", "text"), Column("row", "count"),
            Column("value", "text"),
        ), filter=True),
    ),
    marks=(Mark("F13:F14", "", "treatment"), Mark("C13:C14", "", "treatment")),
)  # fmt: skip


def content(analysis: FunnelAnalysis, say: Phrases) -> Content:
    """Counts, causes and rows. Issues of an earlier import that `analysis.carried` holds stand before today's."""
    rows = [
        (say(f"issues.treatment.{i.treatment}"), say(f"issues.code.{i.code}"), i.source, i.row, i.value)
        for i in analysis.issues
    ]
    columns = [c.key for c in PAGE.tables[1].columns]
    issues = pd.DataFrame([*analysis.carried, *rows], columns=columns)
    causes = Counter(zip(issues["cause"], issues["treatment"], strict=True))
    counted: list[tuple[str, str | None, int | None]] = [
        (cause, treatment, n) for (cause, treatment), n in sorted(causes.items(), key=lambda kv: (-kv[1], kv[0]))
    ]
    by_cause = pd.DataFrame(
        counted or [(say("quality.none"), None, None)], columns=[c.key for c in PAGE.tables[0].columns]
    )
    totals = {n: sum(getattr(s, n) for s in analysis.sources) for n in _TILES}
    return Content(
        {"tbl_causes": by_cause, "tbl_issues": issues},
        {"txt_quality_scope": say.scope(analysis), **{f"kpi_{n}": v for n, v in totals.items()}},
    )


def import_cells(analysis: FunnelAnalysis, say: Phrases) -> dict[str, str]:
    """Where the data came from and how their columns were understood; written by an import only."""
    return {"txt_import": say.sources(analysis.sources), "txt_columns": say.columns(analysis.sources)}
