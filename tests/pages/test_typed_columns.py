"""What users typed, in a report: what a sink keeps by itself, what is written anew, what is kept without its row."""

from datetime import datetime

import pandas as pd
import pytest

from xlfunnel.entered import Entered, Entry
from xlfunnel.pages.model import Choice, Column, Table
from xlfunnel.pages.phrases import Phrases
from xlfunnel.pages.typed_columns import own_columns, shown, with_entered, without_row
from xlfunnel.settings import Settings

SAY = Phrases(Settings(language="en"))
DONE = Choice("list", options=("data.outcome.won", "data.outcome.lost"))
SCORES = Table(
    "tbl_scores",
    "B2",
    (
        Column("id", "text"),
        Column("days", "count"),
        Column("score", "input_count", typed=True, choice=Choice("integer", low=1, high=5)),
        Column("end", "input_text", typed=True, choice=DONE),
        Column("when", "input_date", typed=True, choice=Choice("date")),
    ),
    key="id",
)
DAY = datetime(2025, 7, 1)
FRAME = pd.DataFrame({"id": ["a", "b"], "days": [1, 2]})


def entered(
    *rows: tuple[object, ...], apart: tuple[Entry, ...] = (), mended: frozenset[tuple[str, str]] = frozenset()
) -> Entered:
    frame = pd.DataFrame(list(rows), columns=["id", "score", "end", "when"], dtype=object)
    return Entered({"scores": frame}, apart, mended)


def kept(key: str, column: str, value: object) -> Entry:
    return Entry("scores", key, column, value)


def written(found: Entered, *, every: bool = False) -> dict[str, list[object]]:
    frame = with_entered(FRAME, SCORES, found, SAY, every=every)
    assert frame[["id", "days"]].equals(FRAME)
    return {str(c): frame[c].tolist() for c in frame.columns[2:]}


def left(found: Entered) -> list[Entry]:
    return [e for e, _ in without_row({"tbl_scores": FRAME}, {"tbl_scores": SCORES}, found)]


def test_a_refresh_leaves_typed_columns_to_the_sink() -> None:
    assert written(entered(("b", 4, "won", DAY))) == {}


def test_a_new_workbook_gets_all_of_them_in_its_language() -> None:
    assert written(entered(("b", 4, "won", DAY)), every=True) == {
        "score": [None, 4], "end": [None, "Won"], "when": [None, DAY],
    }  # fmt: skip


def test_what_comes_back_is_written_with_the_rest_of_its_column() -> None:
    found = entered(("a", 2, None, None), ("b", 4, "lost", None), apart=(kept("b", "score", 4),))
    assert written(found) == {"score": [2, 4]}
    assert left(found) == []


def test_what_was_typed_since_stays_and_the_older_is_kept() -> None:
    found = entered(("b", 5, None, None), apart=(kept("b", "score", 4),))
    assert written(found) == {}
    assert left(found) == [kept("b", "score", 4)]


def test_what_was_mended_is_written() -> None:
    found = entered(("b", None, None, DAY), mended=frozenset({("scores", "when"), ("others", "score")}))
    assert written(found) == {"when": [None, DAY]}


def test_what_has_no_row_is_kept() -> None:
    found = entered(("gone", 4, "won", None), ("b", 1, None, None))
    assert left(found) == [kept("gone", "score", 4), kept("gone", "end", "won")]


def test_what_no_table_of_ours_knows_stays_kept() -> None:
    other = Entry("older_table", "a", "x", "text")
    assert without_row({"tbl_scores": FRAME}, {"tbl_scores": SCORES}, Entered({}, (other,))) == [(other, None)]
    assert without_row({}, {"tbl_scores": SCORES}, Entered({}, (kept("a", "end", "won"),))) == [
        (kept("a", "end", "won"), SCORES.columns[3])
    ]


@pytest.mark.parametrize(
    ("value", "column", "expected"),
    [("won", 3, "Won"), ("our own word", 3, "our own word"), (DAY, 4, "2025-07-01"), (4, 2, 4), ("0012", 2, "0012")],
    ids=str,
)
def test_kept_values_are_readable(value: object, column: int, expected: object) -> None:
    assert shown(kept("a", "x", value), SCORES.columns[column], SAY) == expected


def test_only_columns_that_follow_a_key_are_asked_about() -> None:
    assert list(own_columns(SCORES, FRAME)) == ["score", "end", "when"]
    assert list(own_columns(SCORES, FRAME.assign(score=1))) == ["end", "when"]
    by_user = Table("tbl_x", "B2", (Column("id", "input_text", typed=True), Column("note", "input_text", typed=True)))
    assert own_columns(by_user, FRAME) == {}
