"""How files were understood, in words: which column was taken for what, and what else was taken for granted."""

from collections.abc import Sequence
from datetime import date

from xlfunnel.crm import DataIssue, SourceSummary
from xlfunnel.pages.phrases import Phrases
from xlfunnel.settings import Settings
from xlfunnel.terms import ASSUMED, Field, IssueCode, Shape

_UNUSED_SHOWN = 12
_ORDERS = {"D/M": "day_first", "M/D": "month_first"}

Row = tuple[str, str, str]
"""What, as what it was taken, and in which source."""


def assumed_rows(
    sources: Sequence[SourceSummary], issues: Sequence[DataIssue], settings: Settings, as_of: date, say: Phrases
) -> list[Row]:
    """What was assumed, file by file: remarks with their evidence first, then columns, then what is not used."""
    everywhere = ", ".join(dict.fromkeys(s.name for s in sources))
    how = say("quality.as_of_given" if settings.as_of == as_of else "quality.as_of_found", day=as_of.isoformat())
    rows = [(say("settings_sheet.name.as_of"), how, everywhere)]
    for source in sources:
        told = [i for i in issues if i.code in ASSUMED and i.source == source.name]
        rows += [(say(f"issues.code.{i.code}"), _evidence(i, say), source.name) for i in told]
        rows += [
            (say("quality.column", field=say.field(key)), header, source.name) for key, header in source.columns.items()
        ]
        if _needs_region(source) and settings.region:
            rows.append(
                (say("quality.column", field=say.field(Field.REGION)), say.region(settings.region), source.name)
            )
        if source.unused:
            shown = say("sheets.comma").join(source.unused[:_UNUSED_SHOWN])
            rest = len(source.unused) - _UNUSED_SHOWN
            shown = say("sheets.and_more", names=shown, n=rest) if rest > 0 else shown
            rows.append((say("quality.unused"), shown, source.name))
    return rows


def _evidence(issue: DataIssue, say: Phrases) -> str:
    if issue.code != IssueCode.DATE_ORDER:
        return issue.value
    told, _, why = issue.value.partition(" ← ")
    column, _, order = told.rpartition(": ")
    return say(f"quality.order.{_ORDERS[order]}", column=column, why=why)


def _needs_region(source: SourceSummary) -> bool:
    return Field.REGION not in source.columns and source.shape != Shape.LOOKUP and bool(source.columns)
