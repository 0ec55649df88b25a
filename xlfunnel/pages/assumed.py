"""How files were understood, in words: which column was taken for what, and what else was taken for granted."""

import re
from collections.abc import Sequence
from datetime import date

from xlfunnel.crm import DataIssue, SourceSummary
from xlfunnel.pages.phrases import Phrases
from xlfunnel.settings import Settings
from xlfunnel.terms import ASSUMED, Field, IssueCode, Shape

_UNUSED_SHOWN = 12
_FILES_NAMED = 2
_ORDERS = {"D/M": "day_first", "M/D": "month_first"}

Row = tuple[str, str, str]
"""What, as what it was taken, and in which sources."""


def assumed_rows(
    sources: Sequence[SourceSummary], issues: Sequence[DataIssue], settings: Settings, as_of: date, say: Phrases
) -> list[Row]:
    """What was assumed: remarks with their evidence first, then columns, then what is not used. What files of one shape
    have in common is said once, with the evidence of the first of them."""
    how = say("quality.as_of_given" if settings.as_of == as_of else "quality.as_of_found", day=as_of.isoformat())
    found: dict[tuple[str, ...], tuple[str, str, list[str]]] = {}
    for source in sources:
        for what, taken, decided in _of_file(source, issues, settings, say):
            found.setdefault((source.shape, what, decided), (what, taken, []))[2].append(source.name)
    rows = [(what, taken, _named(names, say)) for what, taken, names in found.values()]
    return [(say("settings_sheet.name.as_of"), how, _named([s.name for s in sources], say)), *rows]


def _of_file(source: SourceSummary, issues: Sequence[DataIssue], settings: Settings, say: Phrases) -> list[Row]:
    """What, as what it was taken, and that without the evidence."""
    told = [i for i in issues if i.code in ASSUMED and i.source == source.name]
    rows = [(say(f"issues.code.{i.code}"), _evidence(i, say), i.value.partition(" ← ")[0]) for i in told]
    columns = dict(source.columns)
    if _needs_region(source) and settings.region:
        columns[Field.REGION] = say.region(settings.region)
    rows += [(say("quality.column", field=say.field(key)), header, header) for key, header in columns.items()]
    if source.unused:
        shown = say("sheets.comma").join(source.unused[:_UNUSED_SHOWN])
        rest = len(source.unused) - _UNUSED_SHOWN
        shown = say("sheets.and_more", names=shown, n=rest) if rest > 0 else shown
        rows.append((say("quality.unused"), shown, shown))
    return rows


def _named(files: Sequence[str], say: Phrases) -> str:
    """Two files by their names, more by their number."""
    names = list(dict.fromkeys(files))
    if len(names) <= _FILES_NAMED:
        return ", ".join(names)
    return say("quality.files", n=len(names), first=names[0], last=names[-1])


def _evidence(issue: DataIssue, say: Phrases) -> str:
    if issue.code not in (IssueCode.DATE_ORDER, IssueCode.DECIMAL_MARK):
        return issue.value
    told, _, why = issue.value.partition(" ← ")
    column, _, order = told.rpartition(": ")
    if order == ",":
        return say("quality.decimals.comma", column=column, why=why)
    if order == ".":
        example, taken, other = re.split(" = | ≠ ", why)
        return say("quality.decimals.unsure", column=column, example=example, taken=taken, other=other)
    return say(f"quality.order.{_ORDERS[order]}", column=column, why=why)


def _needs_region(source: SourceSummary) -> bool:
    return Field.REGION not in source.columns and source.shape != Shape.LOOKUP and bool(source.columns)
