"""Ranges: what follows a table whose height changes, and what does not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlfunnel.excel.ranges import (
    Move,
    Range,
    column_number,
    followed,
    followed_formula,
    followed_list,
    letters,
    parse_range,
    parse_reference,
    shifted_formula,
)

GROWS = Move(2, 5, 11, 12, 13, 20)  # B11:E13 becomes B11:E20
MOVES = {"趋势": [GROWS]}


@given(st.integers(1, 16384))
def test_column_letters_read_back(n: int) -> None:
    assert column_number(letters(n)) == n


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("B2", Range(2, 2, 2, 2)),
        ("$B$2:C9", Range(2, 2, 9, 3)),
        ("C9:B2", Range(2, 2, 9, 3)),
        ("AA10", Range(10, 27, 10, 27)),
        ("B:B", None),
        ("2:3", None),
        ("name", None),
        ("", None),
    ],
)
def test_parse_range(text: str, expected: Range | None) -> None:
    assert parse_range(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("'It''s'!$A$1:$B$2", ("It's", Range(1, 1, 2, 2))),
        ("趋势!A1", ("趋势", Range(1, 1, 1, 1))),
        ("='a b'!$A$1", ("a b", Range(1, 1, 1, 1))),
        ("Sheet1!#REF!", None),
        ("A1", None),
        ("Sheet1!$A:$A", None),
    ],
)
def test_parse_reference(text: str, expected: tuple[str, Range] | None) -> None:
    assert parse_reference(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("C12:C13", "C12:C20"),  # a column of the body
        ("B12:E13", "B12:E20"),  # the whole body
        ("B11:E13", "B11:E20"),  # with its header
        ("C13", "C20"),  # the last row moves down with it
        ("C12", "C12"),  # the first row stays
        ("C10:C13", "C10:C13"),  # begins above the table: not its range
        ("A12:E13", "A12:E13"),  # wider than the table
        ("C12:C14", "C12:C14"),  # ends below the table
        ("G12:G13", "G12:G13"),  # beside the table
        ("C12:C13 E12:E13 G1", "C12:C20 E12:E20 G1"),
    ],
)
def test_what_follows_a_growing_table(text: str, expected: str) -> None:
    assert followed_list(text, [GROWS]) == expected


def test_a_range_over_tables_side_by_side_follows_if_they_agree() -> None:
    beside = Move(7, 8, 11, 12, 13, 20)
    over_both = Range(12, 2, 13, 8)
    assert followed(over_both, [GROWS, beside]) == Range(12, 2, 20, 8)
    assert followed(over_both, [GROWS, Move(7, 8, 11, 12, 13, 15)]) == over_both
    assert followed(over_both, [GROWS]) == over_both


def test_a_shrinking_table_pulls_ranges_up() -> None:
    shrinks = Move(2, 5, 11, 12, 20, 13)
    assert followed_list("C12:C20 C18:C20 C20", [shrinks]) == "C12:C13 C13 C13"


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("SUM('趋势'!$C$12:$C$13)", "SUM('趋势'!$C$12:$C$20)"),
        ("SUM(趋势!C12:C13)", "SUM(趋势!C12:C20)"),
        ("OFFSET(趋势!$C$12,0,0,ROWS(趋势!$C$12:$C$13))", "OFFSET(趋势!$C$12,0,0,ROWS(趋势!$C$12:$C$20))"),
        ("趋势!$C$13", "趋势!$C$13"),  # a single cell is just that cell
        ('"趋势!$C$12:$C$13"', '"趋势!$C$12:$C$13"'),  # text
        ("tbl[C12:C13]", "tbl[C12:C13]"),  # a column's name
        ("[1]趋势!$C$12:$C$13", "[1]趋势!$C$12:$C$13"),  # another workbook
        ("'[1]趋势'!$C$12:$C$13", "'[1]趋势'!$C$12:$C$13"),
        ("Other!$C$12:$C$13", "Other!$C$12:$C$13"),
        ("C12:C13", "C12:C13"),  # on another home sheet
        ("my_C12:C13x", "my_C12:C13x"),
    ],
)
def test_formula_follows(formula: str, expected: str) -> None:
    assert followed_formula(formula, "Home", MOVES) == expected


def test_formula_on_the_sheet_itself_and_its_limits() -> None:
    assert followed_formula("SUM(C12:C13)", "趋势", MOVES) == "SUM(C12:C20)"
    assert followed_formula("SUM(C12:C13)", "趋势", MOVES, shared=True) == "SUM(C12:C13)"
    assert followed_formula("SUM(C$12:C$13)", "趋势", MOVES, shared=True) == "SUM(C$12:C$20)"
    assert followed_formula("SUM(C11:C13)", "趋势", MOVES, exact=True) == "SUM(C11:C13)"
    assert followed_formula("SUM(C12:C13)", "趋势", MOVES, exact=True) == "SUM(C12:C20)"


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("C12-D12", "C15-D15"),
        ("C$12-$D12", "C$12-$D15"),
        ("SUM(C12:C$40)", "SUM(C15:C$40)"),
        ("LOG10(C12)", "LOG10(C15)"),
        ("tbl[[#This Row],[C12]]*2", "tbl[[#This Row],[C12]]*2"),
        ('"C12"&C12', '"C12"&C15'),
        ("Other!C12", "Other!C15"),
    ],
)
def test_formula_copied_three_rows_down(formula: str, expected: str) -> None:
    assert shifted_formula(formula, 3) == expected


def test_formula_that_would_leave_the_sheet_stays() -> None:
    assert shifted_formula("C2", -3) == "C2"


def test_a_range_knows_what_lies_in_it_and_around_it() -> None:
    at = Range(2, 3, 5, 4)
    assert (at.cells, at.first) == (8, Range(2, 3, 2, 3))
    assert at.contains(at)
    assert at.contains(Range(3, 4, 5, 4))
    assert not at.contains(Range(3, 4, 6, 4))
    assert not at.contains(Range(3, 2, 3, 3))
    assert at.around(Range(4, 1, 9, 2)) == Range(2, 1, 9, 4)
