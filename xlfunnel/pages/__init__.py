"""The sheets, in the order of the workbook, and the report that fills them."""

import pandas as pd

from xlfunnel.analysis import FunnelAnalysis
from xlfunnel.pages import alerts, conversion, data, definitions, flow, home, quality, reps, settings, trend
from xlfunnel.pages.model import Content, Page, Table
from xlfunnel.pages.phrases import Phrases
from xlfunnel.report import Report
from xlfunnel.strings import Words

PAGES: tuple[Page, ...] = tuple(
    m.PAGE for m in (home, trend, conversion, flow, reps, alerts, data, settings, quality, definitions)
)  # fmt: skip
_RESULTS = (
    home.content,
    trend.content,
    conversion.content,
    flow.content,
    reps.content,
    alerts.content,
    quality.content,
)
_INPUTS = (data.content, settings.content)


def build_report(analysis: FunnelAnalysis, *, with_data: bool, with_entered: bool = False) -> Report:
    """The report of a run, in the language of its settings.

    with_data     True for an import: the Data and Settings sheets are written too, and where the data came from
    with_entered  True for a new workbook: what users typed (`analysis.entered`) is written too. In a workbook that
                  exists it stands already, and a sink keeps it beside its row
    """
    say = Phrases(analysis.settings)
    contents = [page(analysis, say) for page in _RESULTS]
    if with_data:
        contents += [page(analysis, say) for page in _INPUTS]
        contents.append(Content(cells=quality.import_cells(analysis, say)))
    tables = {t.name: t for p in PAGES for t in p.tables}
    frames = {name: frame for c in contents for name, frame in c.tables.items()}
    if with_entered:
        frames = {name: _with_entered(frame, tables[name], analysis) for name, frame in frames.items()}
    return Report(
        tables={name: frame.rename(columns=headers(tables[name], say)) for name, frame in frames.items()},
        cells={name: value for c in contents for name, value in c.cells.items()},
        keys={name: headers(tables[name], say)[tables[name].key] for name in frames if tables[name].key},
    )


def _with_entered(frame: pd.DataFrame, table: Table, analysis: FunnelAnalysis) -> pd.DataFrame:
    """The frame with the columns in which users type, each value beside the row of its key."""
    own = tuple(c.key for c in table.columns if c.typed and c.key not in frame)
    if not own or not table.key:
        return frame
    typed = analysis.entered.frame(table.short, (table.key, *own)).drop_duplicates(table.key).set_index(table.key)
    beside = typed.reindex(pd.Index(frame[table.key], dtype=object))
    return frame.assign(**{c: beside[c].to_numpy() for c in own})


def headers(table: Table, say: Phrases | Words) -> dict[str, str]:
    """Column key → header shown, in one language."""
    return {c.key: say(f"tables.{table.short}.{c.key}") for c in table.columns}
