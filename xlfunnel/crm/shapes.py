"""The shapes of export that the door knows, as a table of rules over the fields that were recognised."""

from collections.abc import Mapping
from dataclasses import dataclass

from xlfunnel.crm.aliases import EXTRAS, SNAPSHOT
from xlfunnel.terms import STAGES, Field, Shape


@dataclass(frozen=True)
class Rule:
    """A table has `shape` if it has all of `needs`, one of each of `one_of`, none of `lacks`, and enough stage columns.

    stage_columns  columns that bear a stage's name; one that the settings name counts as two
    """

    shape: Shape
    needs: tuple[str, ...]
    one_of: tuple[tuple[str, ...], ...] = ()
    lacks: tuple[str, ...] = ()
    stage_columns: int = 0

    @property
    def is_special(self) -> bool:
        """Whether it needs a column that only special exports have: no error should ask for it."""
        return any(need in EXTRAS for need in self.needs) or self.shape in (Shape.LOOKUP, Shape.SNAPSHOTS)

    def is_met(self, columns: Mapping[str, int], chosen: Mapping[str, str]) -> bool:
        """Whether a table with these `columns` has the shape; `chosen` are the columns that the settings name."""
        bearing = sum(2 if s in chosen else 1 for s in STAGES if s in columns)
        return not self.missing(columns) and not any(f in columns for f in self.lacks) and bearing >= self.stage_columns

    def missing(self, columns: Mapping[str, int]) -> tuple[str, ...]:
        """The fields that a table lacks for this shape."""
        lacking = [f for f in self.needs if f not in columns]
        return (*lacking, *(group[0] for group in self.one_of if not any(f in columns for f in group)))


_ID, _STAGE = Field.OPPORTUNITY, Field.STAGE

RULES = (
    Rule(Shape.SNAPSHOTS, (_ID, _STAGE, SNAPSHOT)),
    Rule(Shape.STAGE_DATES, (_ID,), stage_columns=2),
    Rule(Shape.HISTORY, (_ID, _STAGE, Field.ENTERED, Field.LEFT)),
    Rule(Shape.HISTORY, (_ID, _STAGE, Field.ENTERED), lacks=(Field.CLOSED,)),
    Rule(Shape.CURRENT_STAGE, (_ID, _STAGE), one_of=((Field.ENTERED, Field.CREATED),)),
    Rule(Shape.SNAPSHOTS, (_ID, _STAGE, Field.MONTH), lacks=(Field.CLOSED, Field.COUNT)),
    Rule(Shape.AGGREGATED, (Field.MONTH, Field.OWNER, _STAGE, Field.COUNT), lacks=(_ID,)),
    Rule(Shape.AGGREGATED, (Field.MONTH, Field.OWNER), lacks=(_ID,), stage_columns=1),
)
"""The first rule that is met decides."""

LOOKUP = Rule(Shape.LOOKUP, ("id", "name"))
"""A table of names of reps or stages: met by dialects only."""

HISTORY_RULES = tuple(r for r in RULES if r.shape == Shape.HISTORY)
"""What a separate file of stage history must meet."""

OPPORTUNITIES = Rule(Shape.HISTORY, (_ID,))
"""Enough for the opportunities beside a separate history."""

OWNERS = Rule(Shape.HISTORY, (Field.OWNER, Field.REGION))
"""What the file of owners must have."""
