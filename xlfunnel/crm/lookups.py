"""Names for ids: exports that call owners and stages by their ids come with tables that say how these are called."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from xlfunnel.crm import aliases
from xlfunnel.crm.tables import RawTable
from xlfunnel.crm.text import Cells, factorized, fold, plain, texts
from xlfunnel.terms import Field, Outcome, Shape

_TRUE = ("true", "yes", "1")


def named(tables: Sequence[RawTable]) -> list[RawTable]:
    """The tables with the ids in their owner and stage columns replaced by the names of the lookup tables among them.

    Ids that no table names stay. A name that several ids bear is kept apart by the id behind it.
    """
    lookups = [t for t in tables if t.shape == Shape.LOOKUP]
    people = {k: v for t in lookups if "person_id" in t.cells for k, v in _people(t).items()}
    stages = {k: v for t in lookups if "stage_id" in t.cells for k, v in _stages(t).items()}
    return [_with(_with(t, Field.OWNER, people), Field.STAGE, stages) for t in tables]


def _with(table: RawTable, field: Field, names: dict[str, str]) -> RawTable:
    if not names or table.shape == Shape.LOOKUP or field not in table.cells:
        return table
    codes, uniques = factorized(table.cells[field])
    values = np.array([names.get(plain(u).strip(), u) for u in uniques] + [""], dtype=object)
    return replace(table, cells={**table.cells, field: values.take(codes)})


def _people(table: RawTable) -> dict[str, str]:
    ids = texts(table.column("person_id"))[0]
    first, last, whole = (texts(table.column(k))[0] for k in ("first_name", "last_name", "person_name"))
    names = [w or " ".join(filter(None, (f, n))) for f, n, w in zip(first, last, whole, strict=True)]
    times = Counter(dict(zip(ids, names, strict=True)).values())
    return {i: n if times[n] == 1 else f"{n} ({i})" for i, n in zip(ids, names, strict=True) if i and n}


def _stages(table: RawTable) -> dict[str, str]:
    ids, labels = texts(table.column("stage_id"))[0], texts(table.column("stage_name"))[0]
    won, closed = (_is_true(table.column(k)) for k in (aliases.IS_WON, aliases.IS_CLOSED))
    ends = (Outcome.WON.value if w else Outcome.LOST.value if c else "" for w, c in zip(won, closed, strict=True))
    return {i: end or label for i, label, end in zip(ids, labels, ends, strict=True) if i}


def _is_true(cells: Cells) -> list[bool]:
    return [fold(str(v)) in _TRUE for v in texts(cells)[0]]
