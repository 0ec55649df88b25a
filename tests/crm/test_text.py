"""Cleaning of text and the form in which names are compared."""

from datetime import date, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlfunnel.crm.text import clean, fold, plain, texts, without_brackets


@pytest.mark.parametrize(
    ("text", "kept", "dirty"),
    [
        ("张伟", "张伟", False),
        (" LX ", "LX", False),
        ("Moses\u00a0Frase ", "Moses Frase", True),
        ("\u3000Won", "Won", True),
        ("A\u200bB\ufeff", "AB", True),
        ("A\x00\x07B", "A B", True),
        ("two\r\nlines", "two lines", True),
        ("\u202eevil", "evil", True),
        ("ＬＸ", "ＬＸ", False),
        ("=1+1", "=1+1", False),
    ],
)
def test_what_cleaning_takes_away(text: str, kept: str, dirty: bool) -> None:
    assert clean(text) == (kept, dirty)


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (123.0, "123"),
        (123, "123"),
        (1.5, "1.5"),
        (1e15, "1000000000000000"),
        ("00123", "00123"),
        (None, ""),
        (True, "TRUE"),
        (float("nan"), ""),
        (date(2025, 6, 30), "2025-06-30"),
        (datetime(2025, 6, 30, 1, 2), "2025-06-30 01:02:00"),
    ],
)
def test_cells_as_text(cell: object, text: str) -> None:
    assert plain(cell) == text


def test_names_are_compared_without_case_blanks_and_width() -> None:
    assert fold("Ｃlosed - WON") == fold("closed_won") == fold(" ClosedWon\u00a0") == "closedwon"
    assert without_brackets("成交金额（元）") == "成交金额"


def test_a_column_keeps_its_order_and_its_blanks() -> None:
    values, dirty = texts(np.array(["b", None, "a\u00a0", "b", 7.0, ""], dtype=object))
    assert values.tolist() == ["b", "", "a", "b", "7", ""]
    assert dirty.tolist() == [False, False, True, False, False, False]


@given(st.text(st.characters(codec=None), max_size=40))
def test_clean_text_stays_as_it_is(text: str) -> None:
    kept, _ = clean(text)
    assert clean(kept) == (kept, False)
    assert fold(kept) == fold(text)
    kept.encode("utf-8")
