"""What an import left on the Data quality sheet, so that later refreshes of its rows still tell of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pandas as pd


@dataclass(frozen=True)
class Carried:
    """Rows of the Data quality sheet as a workbook shows them: frames of objects by column keys, each with `source`.

    sources  how each file was read, and what became of its rows
    assumed  how its columns were understood
    issues   what was wrong with which row
    """

    sources: pd.DataFrame = field(default_factory=lambda: pd.DataFrame({"source": []}))
    assumed: pd.DataFrame = field(default_factory=lambda: pd.DataFrame({"source": []}))
    issues: pd.DataFrame = field(default_factory=lambda: pd.DataFrame({"source": []}))

    def without(self, source: str) -> "Carried":
        """All rows but those of one source."""
        frames = (self.sources, self.assumed, self.issues)
        return Carried(*(f[f["source"] != source].reset_index(drop=True) for f in frames))

    def within(self, name: str) -> "Carried":
        """The same, told by somebody who has it from the file `name`."""
        frames = (self.sources, self.assumed, self.issues)
        return Carried(*(f.assign(source=[f"{name} › {s}" for s in f["source"]]) for f in frames))

    def below(self, issues: pd.DataFrame) -> "Carried":
        """The same, with other issues before its own."""
        return replace(self, issues=pd.concat([issues, self.issues], ignore_index=True))


def joined(parts: Sequence[Carried]) -> Carried:
    """What several workbooks carry, together; one at least is given."""
    frames = zip(*((p.sources, p.assumed, p.issues) for p in parts), strict=True)
    return Carried(*(pd.concat(same, ignore_index=True) for same in frames))
