"""The sheets, in the order of the workbook, and the report that fills them."""

from collections.abc import Mapping

import pandas as pd

from xlfunnel.analysis import FunnelAnalysis
from xlfunnel.pages import (
    alerts,
    assurance,
    card,
    conversion,
    data,
    definitions,
    flow,
    forecast,
    home,
    kept,
    movement,
    movement_told,
    opportunities,
    plans,
    quality,
    regions,
    remedies,
    reps,
    review,
    settings,
    shape,
    trend,
    typed_columns,
)
from xlfunnel.pages.model import Content, Page, Table
from xlfunnel.pages.phrases import Phrases
from xlfunnel.report import Report
from xlfunnel.strings import Words

PAGES: tuple[Page, ...] = tuple(
    m.PAGE for m in (
        home, trend, shape, conversion, flow, reps, card, alerts, forecast, opportunities, assurance, plans, review,
        movement, regions, data, remedies, settings, quality, kept, definitions,
    )
)  # fmt: skip
TABLES: dict[str, Table] = {t.name: t for p in PAGES for t in p.tables}
_RESULTS = (
    home.content,
    trend.content,
    shape.content,
    conversion.content,
    flow.content,
    reps.content,
    card.content,
    alerts.content,
    forecast.content,
    opportunities.content,
    assurance.content,
    plans.content,
    review.content,
    movement_told.content,
    regions.content,
    quality.content,
)
_INPUTS = (data.content, settings.content)


def build_report(analysis: FunnelAnalysis, *, with_data: bool, with_entered: bool = False) -> Report:
    """The report of a run, in the language of its settings.

    with_data     True for an import: the Data and Settings sheets are written too, and where the data came from
    with_entered  True for a new workbook: what users typed (`analysis.entered`) is written too. In a workbook that
                  exists it stands already, and a sink keeps it beside its row; what has lost its row goes to the
                  sheet of kept entries, and back from there when the row returns
    """
    say = Phrases(analysis.settings)
    contents = [page(analysis, say) for page in _RESULTS]
    if with_data:
        contents += [page(analysis, say) for page in _INPUTS]
        contents.append(Content(cells=card.chosen(analysis, say)))
    if remedies.is_due(analysis, with_data=with_data, with_entered=with_entered):
        contents.append(remedies.content(analysis, say))
    frames = {name: frame for c in contents for name, frame in c.tables.items()}
    cells = {name: value for c in contents for name, value in c.cells.items()}
    spare = typed_columns.without_row(frames, TABLES, analysis.entered)
    frames = {
        n: typed_columns.with_entered(f, TABLES[n], analysis.entered, say, every=with_entered)
        for n, f in frames.items()
    }
    apart = kept.content(spare, {t.short: (p.key, t) for p in PAGES for t in p.tables}, say)
    frames, cells = {**frames, **apart.tables}, {**cells, **apart.cells}
    return Report(
        tables={name: _headed(frame, headers(TABLES[name], say)) for name, frame in frames.items()},
        cells=cells,
        keys={name: headers(TABLES[name], say)[TABLES[name].key] for name in frames if TABLES[name].key},
    )


def is_kept(table: str, header: str, say: Phrases | Words) -> bool:
    """True if `build_report` keeps what was typed into that column, also when its row is gone."""
    found = TABLES.get(table)
    own = typed_columns.own_columns(found, pd.DataFrame()) if found else {}
    return found is not None and header in {headers(found, say)[c] for c in own}


def mapping_report(columns: Mapping[str, str], stage_map: Mapping[str, str], say: Phrases) -> Report:
    """What writes only the mapping into the Settings sheet."""
    frames = settings.mapping(columns, stage_map, say)
    return Report({name: _headed(frame, headers(TABLES[name], say)) for name, frame in frames.items()}, {})


def _headed(frame: pd.DataFrame, shown: Mapping[str, str]) -> pd.DataFrame:
    return frame.set_axis([shown[c] for c in frame.columns], axis="columns")


def headers(table: Table, say: Phrases | Words) -> dict[str, str]:
    """Column key → header shown, in one language."""
    return {c.key: say(f"tables.{table.short}.{c.key}") for c in table.columns}
