"""What users typed into a workbook: scores, plans, reasons, remedies. Data of their own, beside what was computed."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd


@dataclass(frozen=True)
class Entered:
    """Rows of the tables in which users type, as they stand in the workbook.

    tables  table without its prefix ("opportunities") -> frame of objects whose columns are column keys: what
            identifies a row and what was typed; None where a cell is empty. A table that the workbook does not have is
            not there either
    """

    tables: Mapping[str, pd.DataFrame] = field(default_factory=dict)

    def frame(self, table: str, columns: tuple[str, ...]) -> pd.DataFrame:
        """These columns of a table, None where it does not have them; no rows if there is no such table."""
        found = self.tables.get(table, pd.DataFrame())
        return pd.DataFrame(
            {c: found[c] if c in found else pd.Series([None] * len(found), dtype=object) for c in columns},
            columns=list(columns),
            dtype=object,
        )
