"""The account of every row that was read: used, repaired or refused, and why."""

from typing import Any

import numpy as np
import pandas as pd

from xlfunnel.crm.intake import DataIssue
from xlfunnel.crm.text import Cells, clean, plain
from xlfunnel.crm.turned import Numbers
from xlfunnel.terms import IssueCode, Treatment

Positions = np.ndarray[Any, np.dtype[np.intp]]


class Ledger:
    """Rows of all sources under one running position, so that frames can be cut, joined and accounted for."""

    def __init__(self) -> None:
        self.sources: list[str] = []
        self._source = np.zeros(0, dtype=np.int64)
        self._number = np.zeros(0, dtype=np.int64)
        self._refused = np.zeros(0, dtype=bool)
        self._repaired = np.zeros(0, dtype=bool)
        self._noted = np.zeros(0, dtype=bool)
        self._ids: list[Cells] = []
        self._starts: list[int] = []
        self._issues: list[tuple[int, int, DataIssue]] = []

    def open(self, source: str, numbers: Numbers, ids: Cells) -> Positions:
        """Positions for the rows of one more source: their rows in its file, and what names their opportunities."""
        start, count = len(self._number), len(numbers)
        self._source = np.concatenate([self._source, np.full(count, len(self.sources), dtype=np.int64)])
        self._number = np.concatenate([self._number, numbers])
        self._refused = np.concatenate([self._refused, np.zeros(count, dtype=bool)])
        self._repaired = np.concatenate([self._repaired, np.zeros(count, dtype=bool)])
        self._noted = np.concatenate([self._noted, np.zeros(count, dtype=bool)])
        self._ids.append(ids)
        self._starts.append(start)
        self.sources.append(source)
        return np.arange(start, start + count)

    def refuse(self, code: IssueCode, positions: Positions, values: Cells) -> None:
        """The rows at `positions` are not used; the first reason given stays the only one."""
        fresh = ~self._refused[positions]
        positions, values = positions[fresh], values[fresh]
        self._refused[positions] = True
        self._add(code, positions, values, Treatment.REFUSED)

    def repair(self, code: IssueCode, positions: Positions, values: Cells) -> None:
        """The rows are used, after something in them was put right."""
        self._repaired[positions] = True
        self._add(code, positions, values, Treatment.REPAIRED)

    def note(self, code: IssueCode, positions: Positions, values: Cells) -> None:
        """The rows are used as they are."""
        self._noted[positions] = True
        self._add(code, positions, values, Treatment.NOTED)

    def remark(self, code: IssueCode, source: str, value: str) -> None:
        """Something that belongs to no single row."""
        order = self.sources.index(source) if source in self.sources else len(self.sources)
        self._issues.append((order, 0, DataIssue(code, source, None, value, Treatment.NOTED)))

    def used(self, positions: Positions) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """Which of the rows have not been refused."""
        return ~self._refused[positions]

    def kept(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The rows of a frame, indexed by position, that have not been refused."""
        used = self.used(frame.index.to_numpy())
        return frame if used.all() else frame[used]

    def counts(self, source: int) -> dict[str, int]:
        """Rows of a source, as `xlfunnel.crm.intake.SourceSummary` counts them."""
        mine = self._source == source
        used = mine & ~self._refused
        counted = {
            "rows_read": mine,
            "rows_used": used,
            "rows_repaired": self._repaired & used,
            "rows_refused": mine & self._refused,
            "rows_clean": used & ~self._repaired & ~self._noted,
        }
        return {name: int(where.sum()) for name, where in counted.items()}

    def origins(self, positions: Positions) -> pd.DataFrame:
        """Where rows come from: `source`, its number in `sources`, and `row` in its file."""
        return pd.DataFrame({"source": self._source[positions], "row": self._number[positions]})

    def issues(self) -> tuple[DataIssue, ...]:
        """All issues, by source and row."""
        return tuple(i for _, _, i in sorted(self._issues, key=lambda entry: entry[:2]))

    def _add(self, code: IssueCode, positions: Positions, values: Cells, treatment: Treatment) -> None:
        sources, numbers = self._source[positions].tolist(), self._number[positions].tolist()
        for source, number, position, value in zip(sources, numbers, positions.tolist(), values, strict=True):
            opportunity = clean(plain(self._ids[source][position - self._starts[source]]))[0]
            issue = DataIssue(code, self.sources[source], number, plain(value), treatment, opportunity)
            self._issues.append((source, number, issue))
