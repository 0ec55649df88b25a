"""The sheets, in the order of the workbook, and the report that fills them."""

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


def build_report(analysis: FunnelAnalysis, *, with_data: bool) -> Report:
    """The report of a run, in the language of its settings.

    with_data  True for an import: the Data and Settings sheets are written too, and where the data came from
    """
    say = Phrases(analysis.settings)
    contents = [page(analysis, say) for page in _RESULTS]
    if with_data:
        contents += [page(analysis, say) for page in _INPUTS]
        contents.append(Content(cells=quality.import_cells(analysis, say)))
    tables = {t.name: t for p in PAGES for t in p.tables}
    return Report(
        tables={
            name: frame.rename(columns=headers(tables[name], say)) for c in contents for name, frame in c.tables.items()
        },
        cells={name: value for c in contents for name, value in c.cells.items()},
    )


def headers(table: Table, say: Phrases | Words) -> dict[str, str]:
    """Column key → header shown, in one language."""
    return {c.key: say(f"tables.{table.short}.{c.key}") for c in table.columns}
