"""The names in `aliases.toml`, folded for comparing."""

import tomllib
from importlib.resources import files
from typing import Any

from xlfunnel.crm.text import fold
from xlfunnel.terms import Field

_TABLE: dict[str, Any] = tomllib.loads(files(__package__).joinpath("aliases.toml").read_text("utf-8"))

FIELDS: dict[Field, tuple[str, ...]] = {Field(k): tuple(names) for k, names in _TABLE["fields"].items()}
"""Field -> names of its column, best first."""

RANKS: dict[str, tuple[Field, int]] = {fold(n): (f, i) for f, names in FIELDS.items() for i, n in enumerate(names)}
"""Folded name -> its field, and how good a name it is (0 = best)."""

STAGES: dict[str, str] = {fold(n): code for code, names in _TABLE["stages"].items() for n in (*names, code)}
"""Folded name -> stage code, "won" or "lost"."""

ENDS: dict[str, str] = {fold(n): end for end, names in _TABLE["ends"].items() for n in (*names, end)}
"""Folded name -> "open" or "gone"."""

DATE_WORDS, COUNT_WORDS = (
    tuple(sorted((fold(n) for n in _TABLE["around"][kind]), key=len, reverse=True)) for kind in ("dates", "counts")
)
"""Folded words that stand around a stage's name in a header, longest first."""

TOTALS = frozenset(fold(n) for n in _TABLE["totals"]["words"])
"""Folded labels of a row of totals."""
