"""A sheet or a delimited text as rows of cells, before anybody knows what its columns mean."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from xlfunnel.crm.text import Cells
    from xlfunnel.crm.turned import Numbers

HEAD_ROWS = 30
"""The header stands within the first so many rows."""
MAX_COLUMNS = 16_384
"""Columns that are looked at: as many as a worksheet has."""


@dataclass(frozen=True)
class Grid:
    """One table's worth of rows.

    name        "file.csv", or "file.xlsx › Sheet"
    how         "utf-8 (,)", "gb18030 (;)", or "xlsx › Sheet"
    rows        gives all rows from the first of the file on, each time it is called
    epoch_1904  bare numbers in date columns count from 1904
    is_hidden   of a sheet that its author hid: not to be used without being asked for
    is_guessed  of a text whose encoding is only likely
    """

    name: str
    how: str
    rows: Callable[[], Iterable[Sequence[object]]]
    epoch_1904: bool = False
    is_hidden: bool = False
    is_guessed: bool = False

    def head(self) -> list[Sequence[object]]:
        """The first rows, among which the header stands."""
        return [row[:MAX_COLUMNS] for row in islice(self.rows(), HEAD_ROWS)]

    def body(self, skip: int, columns: Sequence[int]) -> tuple[Numbers, list[Cells]]:
        """Row numbers as a person sees them, and the cells of `columns`, of all rows after the first `skip`.

        Rows without any content are left out. Raises InputError too_large beyond MAX_ROWS of them.
        """
        from xlfunnel.crm.turned import turned  # loads numpy, before which a file can be opened

        return turned(self.name, islice(self.rows(), skip, None), skip + 1, columns)
