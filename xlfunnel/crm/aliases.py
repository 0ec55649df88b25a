"""The names in `aliases.toml`, folded for comparing."""

import tomllib
from importlib.resources import files
from typing import Any

from xlfunnel.crm.text import fold
from xlfunnel.terms import Field

_TABLE: dict[str, Any] = tomllib.loads(files(__package__).joinpath("aliases.toml").read_text("utf-8"))

FIELDS: dict[Field, tuple[str, ...]] = {Field(k): tuple(names) for k, names in _TABLE["fields"].items()}
"""Field -> names of its column, best first."""

PREVIOUS, PROPERTY, SNAPSHOT, IS_WON, IS_CLOSED = EXTRAS = ("previous", "property", "snapshot", "is_won", "is_closed")
"""Columns that no field of the settings names: the stage before, what a row of changes is about, the day of a
snapshot, and whether an opportunity was won or is closed."""

_COLUMNS: dict[str, tuple[str, ...]] = {**{str(f): n for f, n in FIELDS.items()}, **_TABLE["extras"]}
RANKS: dict[str, tuple[str, int]] = {fold(n): (key, i) for key, ns in _COLUMNS.items() for i, n in enumerate(ns)}
"""Folded name -> its field or extra, and how good a name it is (0 = best)."""

STAGES: dict[str, str] = {fold(n): code for code, names in _TABLE["stages"].items() for n in (*names, code)}
"""Folded name -> stage code, "won" or "lost"."""

ENDS: dict[str, str] = {fold(n): end for end, names in _TABLE["ends"].items() for n in (*names, end)}
"""Folded name -> "open" or "gone"."""

DATE_WORDS, COUNT_WORDS = (
    tuple(sorted((fold(n) for n in _TABLE["around"][kind]), key=len, reverse=True)) for kind in ("dates", "counts")
)
"""Folded words that stand around a stage's name in a header, longest first."""

STAGE_DATE_WORDS = tuple(w for w in DATE_WORDS if w.endswith(("entered", "becamea", "进入", "到达", "转入")))
"""Folded words with which a header announces the date of a stage, and of nothing else."""

WEAK = frozenset(fold(n) for n in _TABLE["around"]["weak"])
"""Folded stage names that alone make no column of counts or dates."""

TOTALS = frozenset(fold(n) for n in _TABLE["totals"]["words"])
"""Folded labels of a row of totals."""
