"""Data quality: how the rows came through, what was repaired and refused by cause and by row, what was assumed."""

from collections import Counter
from collections.abc import Sequence

import pandas as pd

from xlfunnel.analysis import FunnelAnalysis
from xlfunnel.metrics.quality import Account
from xlfunnel.pages import data
from xlfunnel.pages.assumed import assumed_rows
from xlfunnel.pages.model import Chart, Column, Content, Link, Mark, Page, Series, Slot, Table, Text
from xlfunnel.pages.phrases import Phrases
from xlfunnel.report import Value
from xlfunnel.terms import ASSUMED, Col, IssueCode, Treatment

MOST_ISSUES = 200_000
"""Rows that the list holds; the refused ones first, if there are more."""
_SOURCES = 4
_TILES = (
    ("score", "B", "tile_share"),
    ("read", "C", ""),
    ("clean", "F", ""),
    ("repaired", "G", ""),
    ("refused", "H", ""),
)
_SENTENCES = range(9, 13)
_CAUSES, _READ, _ISSUES = 27, 6, 14
"""Header rows of the tables."""
_BY_ROW = "tbl_issues[[#This Row],[{data_row}]]"


def _at(letter: str, row: int) -> str:
    return f"{letter}{row}:D{row}" if letter == "C" else f"{letter}{row}"


PAGE = Page(
    key="quality",
    widths=(1.7, 31, 13, 9, 2, 27, 44, 24, 2, 24, 9, 11, 10, 9, 18, 27, 30, 1.7),
    heights={
        1: 8, 2: 28, 3: 18, 4: 6, 5: 22, 6: 28, 7: 19, 8: 22, **dict.fromkeys(_SENTENCES, 19), 13: 16,
        14: 22, _CAUSES - 1: 22, _CAUSES: 22,
    },
    area=f"B1:Q{_CAUSES + 2}",
    repeat="2:3",
    freeze="A4",
    parts=("J",),
    bands=(("B2:H3", "title_band"), ("J2:Q3", "title_band"), ("B5:H6", "tile"), ("B8:H8", "section")),
    texts=(
        Text("B2:G2", "quality.title", "title_small"),
        Text("J2:P2", "quality.rows", "title_small"),
        *(Text(_at(c, 5), f"quality.tile.{n}", "tile_label") for n, c, _ in _TILES),
        Text("B8:H8", "quality.sentences", "section"),
        Text(f"B{_CAUSES - 1}:D{_CAUSES - 1}", "quality.causes.title", "section"),
        Text(f"F{_CAUSES - 1}:H{_CAUSES - 1}", "quality.assumed.title", "section"),
        Text(f"J{_READ - 1}:Q{_READ - 1}", "quality.sources.title", "section"),
        Text(f"J{_ISSUES - 2}:Q{_ISSUES - 2}", "quality.issues.title", "section"),
        Text(f"J{_ISSUES - 1}:Q{_ISSUES - 1}", "quality.issues.note", "note"),
    ),
    slots=(
        Slot("txt_quality_scope", "B3:H3", "subtitle"),
        *(Slot(f"kpi_quality_{n}", _at(c, 6), style or "tile_count") for n, c, style in _TILES),
        *(Slot(f"txt_quality_{i}", f"B{row}:H{row}", "sentence") for i, row in enumerate(_SENTENCES, 1)),
    ),
    links=(
        Link("H2", "sheets.to_home", "home", "link_band"), Link("Q2", "sheets.to_home", "home", "link_band"),
    ),
    tables=(
        Table("tbl_causes", f"B{_CAUSES}", (
            Column("cause", "text"), Column("treatment", "text"), Column("rows", "count"),
        )),
        Table("tbl_assumed", f"F{_CAUSES}", (
            Column("what", "text"), Column("taken", "help_text"), Column("source", "help_text"),
        )),
        Table("tbl_sources", f"J{_READ}", (
            Column("source", "help_text"), Column("rows_read", "count"), Column("rows_clean", "count"),
            Column("rows_repaired", "count"), Column("rows_refused", "count"), Column("shape", "help_text"),
            Column("how", "help_text"), Column("score", "percent1", bars="teal4"),
        ), rows=_SOURCES),
        Table("tbl_issues", f"J{_ISSUES}", (
            Column("source", "help_text"), Column("row", "row_number"), Column("treatment", "text"),
            Column("data_row", "row_number"),
            Column("link", "go_to", formula=(
                f'=IF({_BY_ROW}="","",HYPERLINK("#\'{{sheets.data}}\'!A"&{_BY_ROW},"→"))'
            )),
            Column("opportunity_id", "help_text"), Column("cause", "help_text"), Column("value", "help_text"),
        ), filter=True),
    ),
    charts=(
        Chart(f"B14:H{_CAUSES - 2}", "quality.chart", ("tbl_causes", "cause"), (
            Series("tbl_causes", "rows", "bar", "teal2", labels=True),
        ), gap=40, axis=False),
    ),
    marks=(
        Mark(f"L{_ISSUES + 1}:L{_ISSUES + 2}", "", "treatment"),
        Mark(f"C{_CAUSES + 1}:C{_CAUSES + 2}", "", "treatment"),
    ),
)  # fmt: skip
_KEYS = {t.name: [c.key for c in t.columns] for t in PAGE.tables}


def content(analysis: FunnelAnalysis, say: Phrases) -> Content:
    """The account of this run, behind that of an earlier import that `analysis.carried` holds."""
    issues = _issues(analysis, say)
    causes = Counter(zip(issues["cause"], issues["treatment"], strict=True))
    counted: list[tuple[str, str | None, int]] = [
        (cause, treatment, n) for (cause, treatment), n in sorted(causes.items(), key=lambda kv: (-kv[1], kv[0]))
    ]
    cells: dict[str, Value] = {"txt_quality_scope": say.scope(analysis)}
    found = analysis.quality
    cells |= {f"kpi_quality_{n}": getattr(found.imported, n) for n, _, _ in _TILES[1:]}
    cells["kpi_quality_score"] = found.score
    beside = int((issues["row"].isna() & (issues["treatment"] == say(f"issues.treatment.{Treatment.NOTED}"))).sum())
    sentences = _sentences(analysis, counted, len(issues), beside, say)
    cells |= {f"txt_quality_{i + 1}": s for i, s in enumerate([*sentences, *[None] * 4][: len(_SENTENCES)])}
    return Content(
        {
            "tbl_causes": pd.DataFrame(counted or [(say("quality.none"), None, 0)], columns=_KEYS["tbl_causes"]),
            "tbl_assumed": _assumed(analysis, say),
            "tbl_sources": _sources(analysis, say),
            "tbl_issues": _shown(issues, say(f"issues.treatment.{Treatment.REFUSED}")),
        },
        cells,
    )


def came_through(rows: Account, beside: int, say: Phrases) -> str:
    """What became of the rows, and how many remarks are `beside` them: on no single row."""
    numbers = {n: say.count(getattr(rows, n)) for n in ("read", "clean", "repaired", "noted", "refused")}
    numbers["share"] = say.percent(rows.share)
    if beside:
        return say("quality.came_through_beside", beside=say.count(beside), **numbers)
    return say("quality.came_through", **numbers)


def _sentences(
    analysis: FunnelAnalysis, counted: Sequence[tuple[str, str | None, int]], listed: int, beside: int, say: Phrases
) -> list[str]:
    (score, rows, sheet), out = analysis.quality, []
    if rows.read:
        out.append(came_through(rows, beside, say))
    if sheet is not None:
        numbers = {n: say.count(getattr(sheet, n)) for n in ("read", "clean", "refused")}
        out.append(say("quality.sheet_now", score=say.percent(score), share=say.percent(sheet.share), **numbers))
    if listed > MOST_ISSUES:
        out.append(say("quality.cut", n=say.count(MOST_ISSUES), of=say.count(listed)))
    unknown = sum(not target for target in analysis.stages.values())
    if unknown:
        out.append(say("quality.unknown_stages", n=unknown))
    if counted:
        cause, treatment, n = counted[0]
        out.append(say("quality.most", cause=cause, treatment=treatment, n=say.count(n)))
    return out


def _issues(analysis: FunnelAnalysis, say: Phrases) -> pd.DataFrame:
    """One row an issue, and where its opportunity stands on the Data sheet."""
    labels = {c: say(f"issues.code.{c}") for c in IssueCode}
    treated = {t: say(f"issues.treatment.{t}") for t in Treatment}
    found = [i for i in analysis.issues if i.code not in ASSUMED]
    own = pd.DataFrame(
        {
            "source": [i.source for i in found],
            "row": [i.row for i in found],
            "treatment": [treated[i.treatment] for i in found],
            "opportunity_id": [i.opportunity or None for i in found],
            "cause": [labels[i.code] for i in found],
            "value": [i.value for i in found],
        },
        dtype=object,
    )
    whole = pd.concat([analysis.carried.issues.reindex(columns=list(own.columns)), own], ignore_index=True)
    at = _first_rows(analysis, set(whole["opportunity_id"].dropna()))
    rows = [at.get(i) for i in whole["opportunity_id"]]
    if analysis.data_rows is not None:  # what this run read is the Data sheet itself
        rows[len(rows) - len(own) :] = own["row"].tolist()
    linked = ["→" if row is not None else None for row in rows]
    whole = whole.assign(data_row=pd.Series(rows, dtype=object), link=pd.Series(linked, dtype=object))
    return whole[_KEYS["tbl_issues"]]


def _first_rows(analysis: FunnelAnalysis, wanted: set[str]) -> dict[str, int]:
    """The row of the Data sheet in which each of these opportunities begins, now or after the import."""
    ids = analysis.visits[Col.OPPORTUNITY]
    rows = pd.Series(range(data.FIRST, data.FIRST + len(ids))) if analysis.data_rows is None else analysis.data_rows
    mine = ids.isin(wanted).to_numpy()
    first = rows[mine].groupby(ids[mine].to_numpy()).min()
    return {str(opportunity): int(row) for opportunity, row in first.items()}


def _shown(issues: pd.DataFrame, refused: str) -> pd.DataFrame:
    """As many as the list holds, in their order; others than refused ones give way."""
    kept = issues.sort_values("treatment", key=lambda t: t != refused, kind="stable").head(MOST_ISSUES)
    return kept.sort_index()


def _assumed(analysis: FunnelAnalysis, say: Phrases) -> pd.DataFrame:
    """How the files of the import were understood; of the Data sheet itself only if there was none."""
    if not analysis.carried.assumed.empty:
        return analysis.carried.assumed.reindex(columns=_KEYS["tbl_assumed"])
    rows = assumed_rows(analysis.sources, analysis.issues, analysis.settings, analysis.as_of, say)
    return pd.DataFrame(rows, columns=_KEYS["tbl_assumed"])


def _sources(analysis: FunnelAnalysis, say: Phrases) -> pd.DataFrame:
    """Each file of the import, then what this run read; many are summed up in the last row but one."""
    now = pd.DataFrame(
        {
            "source": [s.name for s in analysis.sources],
            "rows_read": [s.rows_read for s in analysis.sources],
            "rows_clean": [s.rows_clean for s in analysis.sources],
            "rows_repaired": [s.rows_repaired for s in analysis.sources],
            "rows_refused": [s.rows_refused for s in analysis.sources],
            "shape": [say(f"issues.shape.{s.shape}") for s in analysis.sources],
            "how": [s.how for s in analysis.sources],
            "score": [s.rows_clean / s.rows_read if s.rows_read else None for s in analysis.sources],
        },
        dtype=object,
    )
    before = analysis.carried.sources.reindex(columns=_KEYS["tbl_sources"])
    whole = pd.concat([_summed(before, _SOURCES - 1, say), now], ignore_index=True)
    return _summed(whole, _SOURCES if len(before) else _SOURCES - 1, say).reindex(range(_SOURCES))


def _summed(sources: pd.DataFrame, room: int, say: Phrases) -> pd.DataFrame:
    """At most `room` rows: the last one sums up those that have no room."""
    if len(sources) <= room:
        return sources
    rest = sources.iloc[room - 1 :]
    counts = rest[["rows_read", "rows_clean", "rows_repaired", "rows_refused"]].apply(pd.to_numeric).sum()
    total = {"source": say("quality.more_sources", n=len(rest)), **counts.to_dict()}
    total["score"] = counts["rows_clean"] / counts["rows_read"] if counts["rows_read"] else None
    summed = pd.DataFrame([total], columns=sources.columns, dtype=object)
    return pd.concat([sources.iloc[: room - 1], summed], ignore_index=True)
