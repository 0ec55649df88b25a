"""The account of every row that was read: used, repaired or refused, and why."""

from typing import Any

import numpy as np

from xlfunnel.crm.grid import Numbers
from xlfunnel.crm.intake import DataIssue
from xlfunnel.crm.text import Cells, plain
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
        self._issues: list[tuple[int, int, DataIssue]] = []

    def open(self, source: str, numbers: Numbers) -> Positions:
        """Positions for the rows of one more source, `numbers` being their rows in its file."""
        start, count = len(self._number), len(numbers)
        self._source = np.concatenate([self._source, np.full(count, len(self.sources), dtype=np.int64)])
        self._number = np.concatenate([self._number, numbers])
        self._refused = np.concatenate([self._refused, np.zeros(count, dtype=bool)])
        self._repaired = np.concatenate([self._repaired, np.zeros(count, dtype=bool)])
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
        self._add(code, positions, values, Treatment.NOTED)

    def remark(self, code: IssueCode, source: str, value: str) -> None:
        """Something that belongs to no single row."""
        order = self.sources.index(source) if source in self.sources else len(self.sources)
        self._issues.append((order, 0, DataIssue(code, source, None, value, Treatment.NOTED)))

    def used(self, positions: Positions) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """Which of the rows have not been refused."""
        return ~self._refused[positions]

    def counts(self, source: int) -> tuple[int, int, int, int]:
        """Rows of a source: read, used, repaired, refused."""
        mine = self._source == source
        refused = self._refused & mine
        repaired = self._repaired & mine & ~refused
        return int(mine.sum()), int(mine.sum() - refused.sum()), int(repaired.sum()), int(refused.sum())

    def issues(self) -> tuple[DataIssue, ...]:
        """All issues, by source and row."""
        return tuple(i for _, _, i in sorted(self._issues, key=lambda entry: entry[:2]))

    def _add(self, code: IssueCode, positions: Positions, values: Cells, treatment: Treatment) -> None:
        sources, numbers = self._source[positions].tolist(), self._number[positions].tolist()
        for source, number, value in zip(sources, numbers, values, strict=True):
            issue = DataIssue(code, self.sources[source], number, plain(value), treatment)
            self._issues.append((source, number, issue))
