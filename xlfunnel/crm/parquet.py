"""Parquet files, column by column. pyarrow is an extra of the package: whoever has such files has it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from xlfunnel.crm.grid import HEAD_ROWS, Grid
from xlfunnel.crm.text import Cells
from xlfunnel.crm.turned import MAX_ROWS, Numbers
from xlfunnel.errors import InputError

_T = TypeVar("_T")
_SIMPLE = (str, bool, int, float)


@dataclass(frozen=True)
class ParquetGrid(Grid):
    """A Grid whose columns are read one by one; its first row is the names of the columns."""

    file: Any = None

    def head(self) -> list[Sequence[object]]:
        """The names of the columns and the first rows."""
        return _guarded(self.name, self._head)

    def body(self, skip: int, columns: Sequence[int]) -> tuple[Numbers, list[Cells]]:
        """See Grid.body; row 1 is the names of the columns."""
        return _guarded(self.name, lambda: self._body(skip, columns))

    def _head(self) -> list[Sequence[object]]:
        batch = next(self.file.iter_batches(batch_size=HEAD_ROWS - 1), None)
        columns = [] if batch is None else [_cells(c) for c in batch.columns]
        return [self.file.schema_arrow.names, *(list(row) for row in zip(*columns, strict=True))]

    def _body(self, skip: int, columns: Sequence[int]) -> tuple[Numbers, list[Cells]]:
        names = self.file.schema_arrow.names
        cells = {i: _cells(self.file.read(columns=[names[i]]).column(0)) for i in sorted(set(columns))}
        start = skip - 1
        rows = range(skip + 1, skip + 1 + self.file.metadata.num_rows - start)
        return np.array(rows, dtype=np.int64), [cells[i][start:] for i in columns]


def grid(name: str, data: bytes) -> Grid:
    """The table of a Parquet file. Raises InputError no_parquet (pyarrow is missing), broken_parquet, too_large."""
    try:
        from pyarrow import BufferReader
        from pyarrow.parquet import ParquetFile
    except ImportError:
        raise InputError("input.no_parquet", file=name) from None
    file = _guarded(name, lambda: ParquetFile(BufferReader(data)))
    if file.metadata.num_rows > MAX_ROWS:
        raise InputError("input.too_large", file=name)
    return ParquetGrid(name, "parquet", tuple, file=file)


def _guarded(name: str, work: Callable[[], _T]) -> _T:
    try:
        return work()
    except InputError:
        raise
    except Exception as e:
        raise InputError("input.broken_parquet", file=name, reason=" ".join(str(e).split())[:120]) from None


def _cells(column: Any) -> Cells:
    values = column.to_pylist()
    cells: Cells = np.empty(len(values), dtype=object)
    cells[:] = [v if isinstance(v, _SIMPLE) else _plain(v) for v in values]
    return cells


def _plain(value: Any) -> object:
    """What the door knows: nothing is blank, bytes are text, dates stay, and anything else is as it is written."""
    if value is None:
        return ""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return value if hasattr(value, "isoformat") and hasattr(value, "year") else str(value)
