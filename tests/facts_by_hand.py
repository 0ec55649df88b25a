"""Visits written down by hand, and what every Facts must look like: shared by the tests of facts."""

from datetime import date
from typing import Any

import pandas as pd
from pandas.testing import assert_frame_equal

from xlfunnel.calendar import day_number, month_number
from xlfunnel.facts import Facts

FRAMES = ("arrivals", "entries", "exits", "created", "reserves", "durations")
WORDS = {"region", "owner", "stage", "next_stage", "came_from"}
CELL = ["region", "owner", "stage"]

Row = tuple[str, int, str, str, str, str, date, date | None, int | None]


def visits_frame(rows: list[Row]) -> pd.DataFrame:
    """The canonical visits frame from (opportunity, visit, region, owner, stage, next, entered, left, cents)."""
    ids, visit, region, owner, stage, following, entered, left, cents = zip(*rows, strict=True) if rows else [()] * 9
    return pd.DataFrame(
        {
            "opportunity_id": pd.Series(ids, dtype="str"),
            "visit": pd.Series(visit, dtype="Int64"),
            "region": pd.Series(region, dtype="str"),
            "owner": pd.Series(owner, dtype="str"),
            "stage": pd.Series(stage, dtype="str"),
            "next_stage": pd.Series(following, dtype="str"),
            "entered_day": pd.Series([day_number(d) for d in entered], dtype="int64"),
            "left_day": pd.Series([d and day_number(d) for d in left], dtype="Int64"),
            "entered_month": pd.Series([month_number(d) for d in entered], dtype="int64"),
            "left_month": pd.Series([d and month_number(d) for d in left], dtype="Int64"),
            "amount_cents": pd.Series(cents, dtype="Int64"),
        }
    )


def d(text: str) -> date:
    return date.fromisoformat(f"2025-{text}")


AS_OF = d("03-15")
HAND: list[Row] = [
    ("a", 1, "LX", "张伟", "T0", "T1", d("01-05"), d("01-20"), 100),
    ("a", 2, "LX", "张伟", "T1", "T0", d("01-20"), d("02-10"), 100),  # falls back
    ("a", 3, "LX", "张伟", "T0", "won", d("02-10"), d("03-16"), 100),  # won the day after
    ("b", 1, "LX", "张伟", "T0", "lost", d("01-31"), d("01-31"), None),  # zero length, at the month's end
    ("c", 1, "LX", "B", "T0", "open", d("02-28"), None, 7),
    ("c2", 1, "LX", "B", "T0", "lost", d("02-01"), d("03-15"), 5),  # left on the very day
    ("d", 1, "", "", "T3", "gone", d("01-01"), d("02-28"), None),
    ("f", 1, "LX", "B", "T1", "open", d("03-15"), None, 1),  # came on the very day
    ("e", 1, "LX", "B", "T0", "open", d("03-16"), None, 999),  # not there yet
]


HANDED_ON: list[Row] = [
    ("a", 1, "LX", "A", "T2", "T2", d("01-05"), d("01-20"), 100),  # to B
    ("a", 2, "LX", "B", "T2", "T2", d("01-20"), d("02-10"), 150),  # on to C, worth more
    ("a", 3, "LX", "C", "T2", "T3", d("02-10"), d("02-20"), None),
    ("a", 4, "LX", "C", "T3", "lost", d("02-20"), d("02-25"), 70),
    ("a", 5, "LX", "C", "T2", "open", d("03-01"), None, 80),  # taken up again
    ("b", 1, "LX", "A", "T2", "T2", d("01-10"), d("01-20"), 9),  # a pause
    ("b", 2, "LX", "A", "T2", "T2", d("02-01"), d("02-11"), 9),  # handed on beyond the data
    ("c", 1, "LX", "A", "T2", "gone", d("01-10"), d("01-20"), 9),
    ("c", 2, "LX", "A", "T3", "won", d("01-20"), d("02-01"), 9),  # against its own word
    ("e", 2, "LX", "A", "T2", "T3", d("01-10"), d("03-16"), 9),  # its first visit is elsewhere; left tomorrow
]

# The first day of drawn visits, and the days after it: about three months.
FIRST, SPAN = day_number(date(2024, 12, 20)), 80


def triples(frame: pd.DataFrame) -> list[tuple[Any, ...]]:
    return list(frame.itertuples(index=False, name=None))


def assert_well_formed(facts: Facts) -> None:
    for name in FRAMES:
        frame = getattr(facts, name)
        keys = [c for c in frame if c not in ("count", "amount_cents", "came_cents")]
        assert isinstance(frame.index, pd.RangeIndex), name
        for column in frame:
            assert str(frame[column].dtype) == ("str" if column in WORDS else "int64"), (name, column)
        assert triples(frame[keys]) == sorted(set(triples(frame[keys]))), name


def assert_same(one: Facts, other: Facts) -> None:
    for name in FRAMES:
        assert_frame_equal(getattr(one, name), getattr(other, name), check_dtype=True, check_index_type=True)
    assert (one.as_of, one.first_month, one.last_month) == (other.as_of, other.first_month, other.last_month)
