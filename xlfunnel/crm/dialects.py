"""The exports in `dialects.toml`: headers that are recognised together, because alone they mean something else."""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from xlfunnel.crm.text import fold
from xlfunnel.terms import Shape


@dataclass(frozen=True)
class Dialect:
    """One export of one CRM; all names are folded.

    has       groups of headers, of each of which one is there
    columns   field (or extra, see `xlfunnel.crm.aliases`) or outcome -> its headers, best first
    property  values of the property column in the rows that are about the stage
    creation  its values in the rows that say when the opportunity was created
    """

    name: str
    shape: Shape
    has: tuple[frozenset[str], ...]
    lacks: frozenset[str]
    columns: dict[str, tuple[str, ...]]
    ignore: frozenset[str]
    property: frozenset[str]
    creation: frozenset[str]

    def is_met(self, folded: Sequence[str]) -> bool:
        """Whether a row of folded headers is of this dialect."""
        names = set(folded)
        return all(names & group for group in self.has) and not names & self.lacks

    def taken(self, folded: Sequence[str]) -> dict[str, int]:
        """Field -> index of its column, of the fields that the dialect names itself."""
        found = {}
        for key, names in self.columns.items():
            here = [folded.index(n) for n in names if n in folded]
            if here:
                found[key] = here[0]
        return found


def of(folded: Sequence[str]) -> Dialect | None:
    """The dialect of a row of folded headers, if it has one."""
    return next((d for d in DIALECTS if d.is_met(folded)), None)


def _dialect(row: dict[str, Any]) -> Dialect:
    return Dialect(
        name=row["name"],
        shape=Shape(row["shape"]),
        has=tuple(frozenset(fold(n) for n in group.split("|")) for group in row["has"]),
        lacks=frozenset(map(fold, row.get("lacks", ()))),
        columns={key: tuple(map(fold, names)) for key, names in row["columns"].items()},
        ignore=frozenset(row.get("ignore", ())),
        property=frozenset(map(fold, row.get("property", ()))),
        creation=frozenset(map(fold, row.get("creation", ()))),
    )


DIALECTS = tuple(
    _dialect(row) for row in tomllib.loads(files(__package__).joinpath("dialects.toml").read_text("utf-8"))["dialect"]
)
"""In the order of the file; the first that is met counts."""
