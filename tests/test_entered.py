"""What was typed, gathered by key: first what stands in a row, then what is kept apart."""

import pandas as pd
import pytest

from xlfunnel.entered import Entered, Entry, by_key

ID = "opportunity_id"


def typed(*rows: tuple[object, ...]) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=[ID, "urgency", "note"], dtype=object)


def kept(key: str, column: str, value: object) -> Entry:
    return Entry("opportunities", key, column, value)


def gathered(frame: pd.DataFrame, *apart: Entry) -> tuple[dict[object, tuple[object, ...]], list[Entry]]:
    found, left = by_key("opportunities", ID, frame, apart)
    return {row[0]: row[1:] for row in found.itertuples(index=False, name=None)}, left


def test_what_stands_in_rows_is_itself() -> None:
    assert gathered(typed(("a", 1, None), ("b", None, "x"))) == ({"a": (1, None), "b": (None, "x")}, [])


def test_a_row_without_a_key_is_nobodys() -> None:
    assert gathered(typed((None, 1, "x"))) == ({}, [])


@pytest.mark.parametrize(
    ("apart", "cells", "left"),
    [
        (kept("a", "note", "old"), {"a": (1, "old")}, True),  # its cell is free: it comes back
        (kept("a", "urgency", 1), {"a": (1, None)}, False),  # it stands there already
        (kept("a", "urgency", 5), {"a": (1, None)}, True),  # something else was typed since: both are kept
        (kept("z", "urgency", 5), {"a": (1, None), "z": (5, None)}, True),
    ],
    ids=["free", "same", "other", "no_row"],
)
def test_what_is_kept_apart(apart: Entry, cells: object, left: bool) -> None:
    assert gathered(typed(("a", 1, None)), apart) == (cells, [apart] if left else [])


def test_a_key_twice_keeps_the_first_and_loses_nothing() -> None:
    cells, left = gathered(typed(("a", 1, "x"), ("a", 2, "x"), ("a", None, "y")))
    assert cells == {"a": (1, "x")}
    assert left == [kept("a", "urgency", 2), kept("a", "note", "y")]


def test_a_column_that_only_the_kept_know_is_there() -> None:
    found, left = by_key("opportunities", ID, typed(), [kept("a", "lesson", "ask early")])
    assert found.loc[0, "lesson"] == "ask early"
    assert left == [kept("a", "lesson", "ask early")]


def test_beside_gives_a_row_a_key() -> None:
    entered = Entered({"opportunities": typed(("a", 1, None), ("b", 2, "x"))})
    found = entered.beside("opportunities", ID, ["b", "c", "a"], ("note", "urgency", "unknown"))
    assert found.to_numpy().tolist() == [["x", 2, None], [None, None, None], [None, 1, None]]
    assert Entered().beside("opportunities", ID, ["a"], ("note",)).to_numpy().tolist() == [[None]]
