"""Facts written by hand: reserves and flows as a few short rows, months as "YYYY-MM"."""

from collections.abc import Iterable, Mapping
from datetime import date

import pandas as pd

from xlfunnel.calendar import month_number, month_of_text
from xlfunnel.facts import ARRIVALS, CREATED, DURATIONS, ENTRIES, EXITS, RESERVES, Facts

LX = {
    "T0-T2": (162, 113, 76, 59, 68, 85),
    "T3": (41, 29, 16, 11, 10, 7),
    "T0-T3": (203, 142, 92, 70, 78, 92),
}
"""The six published months."""

Row = tuple[object, ...]


def facts(
    reserves: Iterable[Row],
    as_of: date,
    *,
    entries: Iterable[Row] = (),
    exits: Iterable[Row] = (),
    created: Iterable[Row] = (),
    arrivals: Iterable[Row] = (),
    durations: Iterable[Row] = (),
) -> Facts:
    """Facts of the given rows; `reserves` is made dense with zeros, as `xlfunnel.facts` promises."""
    known = _frame(RESERVES, reserves)
    last = month_number(as_of)
    first = int(known["month"].min()) if len(known) else last
    cells = known[["region", "owner", "stage"]].drop_duplicates()
    grid = cells.merge(pd.DataFrame({"month": range(first, last + 1)}, dtype="int64"), how="cross")
    dense = grid.merge(known, how="left").fillna({"count": 0, "amount_cents": 0})
    return Facts(
        as_of=as_of,
        first_month=first,
        last_month=last,
        arrivals=_frame(ARRIVALS, arrivals),
        entries=_frame(ENTRIES, entries),
        exits=_frame(EXITS, exits),
        created=_frame(CREATED, created),
        reserves=_typed(dense[[str(c) for c in RESERVES]]),
        durations=_frame(DURATIONS, durations),
    )


def monthly(
    region: str, owner: str, stage: str, first: str, counts: Iterable[int], cents_each: int = 100_00
) -> list[Row]:
    """Reserve rows of one cell, a month after the other."""
    start = month_of_text(first)
    return [(region, owner, stage, start + i, n, n * cents_each) for i, n in enumerate(counts)]


def standing(month: str, table: Mapping[str, Mapping[str, int]], region: str = "LX") -> list[Row]:
    """Reserve rows of one month: owner → stage → count, at 100 units an opportunity."""
    return [
        (region, owner, stage, month_of_text(month), n, n * 100_00)
        for owner, stages in table.items()
        for stage, n in stages.items()
    ]


def _frame(columns: Iterable[str], rows: Iterable[Row]) -> pd.DataFrame:
    return _typed(pd.DataFrame(list(rows), columns=[str(c) for c in columns]))


def _typed(frame: pd.DataFrame) -> pd.DataFrame:
    words = ("region", "owner", "stage", "next_stage", "came_from")
    kinds = {c: "str" if c in words else "int64" for c in frame.columns}
    keys = [c for c in frame.columns if c not in ("count", "amount_cents", "came_cents")]
    return frame.astype(kinds).sort_values(keys, ignore_index=True)
