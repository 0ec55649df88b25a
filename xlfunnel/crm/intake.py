"""What the data door hands over: visits, what was wrong with the rows, and how each file was understood."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xlfunnel.terms import Col, IssueCode, Shape, Treatment

if TYPE_CHECKING:
    import pandas as pd

    from xlfunnel.crm.grid import Grid


@dataclass(frozen=True)
class Source:
    """One file to read; `sheet` names the sheet of a workbook, None = the first visible one that holds a table.

    rows    what the sheet holds, from its first row on, where that was read already (the open workbook); `path` and
            `sheet` are then only its name
    tables  gives the same as tables that are being opened already: see `xlfunnel.crm.read.begun`
    """

    path: Path
    sheet: str | None = None
    rows: Sequence[Sequence[object]] | None = None
    tables: Callable[[], Sequence[Grid]] | None = None


@dataclass(frozen=True)
class DataIssue:
    """One thing that was wrong with one row.

    source     file name, or "file name › sheet"
    row        row in the file as a person sees it (1 = first, header included); None = no single row
    value      the offending value as text
    treatment  what became of the row
    opportunity  id that stands in the row; "" = none
    """

    code: IssueCode
    source: str
    row: int | None
    value: str
    treatment: Treatment
    opportunity: str = ""


@dataclass(frozen=True)
class SourceSummary:
    """How one file was understood.

    rows_read      rows under the header that are not blank; each is used or refused
    rows_repaired  rows used after a repair
    rows_clean     rows used as they stand: not repaired, and nothing to remark upon
    columns        field ("owner") or stage code ("T2") -> header that was found
    unused         headers of columns that mean nothing to the check-up
    how            "utf-8", "gb18030", or "xlsx › Opportunities"
    """

    name: str
    shape: Shape
    rows_read: int
    rows_used: int
    rows_repaired: int
    rows_refused: int
    rows_clean: int
    columns: Mapping[str, str]
    how: str
    unused: tuple[str, ...] = ()


@dataclass(frozen=True)
class Elsewhere:
    """Visits that stay where they are (see `xlfunnel.crm.warehouse`).

    parts   the canonical frame as the engine has it, in one part or more (DuckDB relations, one Spark DataFrame)
    keep    has the engine compute such a frame once, for all who ask
    where   the path or table they are in, and `engine` the name of what computes there
    """

    parts: tuple[Any, ...]
    keep: Callable[[Any], Any]
    where: str
    engine: str


@dataclass(frozen=True)
class Intake:
    """All that was read.

    visits    the canonical frame, drawn in `xlfunnel.crm.visits`; without rows if they are elsewhere
    reserves  only for the aggregated shape: region, owner, stage (str), month, count, amount_cents (int64)
    as_of     the day the data look back from
    origins   of each visit: source (its number in `sources`), row (in its file); None = not known
    stages    stage name in the sources -> stage code, "won" or "lost" that it was taken for; "" = not known
    """

    visits: pd.DataFrame
    reserves: pd.DataFrame | None
    issues: tuple[DataIssue, ...]
    sources: tuple[SourceSummary, ...]
    as_of: date
    origins: pd.DataFrame | None = None
    stages: Mapping[str, str] = field(default_factory=dict)
    elsewhere: Elsewhere | None = None

    def first_rows(self, count: int) -> pd.DataFrame:
        """The first visits in the order of the sources, with `source` (its name) and `row`: how rows are understood.

        Empty where nobody knows where the visits come from.
        """
        if self.origins is None:
            return self.visits.head(0).assign(source="", row=0)
        first = self.origins.sort_values(["source", "row"], kind="stable").head(count)
        names = [self.sources[i].name for i in first["source"]]
        return self.visits.loc[first.index].assign(source=names, row=first["row"]).reset_index(drop=True)

    @property
    def regions(self) -> tuple[str, ...]:
        """The regions of all rows, sorted; "" is that of rows without one."""
        rows = self.visits if self.reserves is None else self.reserves
        return tuple(sorted(set(rows[Col.REGION])))

    def of_region(self, region: str) -> Intake:
        """What was read of one region alone, looked at on the same day, its visits counted anew from 1.

        An opportunity that changed regions is in each of them with the visits that it spent there. Issues and sources
        are left out: they quote rows and files of all regions.
        """
        visits = self.visits[self.visits[Col.REGION] == region].reset_index(drop=True)
        if len(visits):
            visits[Col.VISIT] = (visits.groupby(Col.OPPORTUNITY).cumcount() + 1).astype("Int64")
        reserves = self.reserves
        if reserves is not None:
            reserves = reserves[reserves[Col.REGION] == region].reset_index(drop=True)
        return Intake(visits, reserves, (), (), self.as_of)
