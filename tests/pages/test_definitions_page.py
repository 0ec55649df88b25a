"""Definitions: every row is high enough for its text, in either language."""

import pytest

from xlfunnel.pages.definitions import PAGE, TERMS, lines
from xlfunnel.settings import LANGUAGES
from xlfunnel.strings import words


@pytest.mark.parametrize(
    ("text", "width", "expected"),
    [("won", 20, 1), ("a" * 79, 74, 1), ("a" * 80, 74, 2), ("\u8d62" * 36, 74, 1), ("\u8d62" * 37, 74, 2)],
)
def test_lines(text: str, width: float, expected: int) -> None:
    assert lines(text, width) == expected


@pytest.mark.parametrize("language", LANGUAGES)
def test_rows_are_high_enough(language: str) -> None:
    say = words(language)
    widths = dict(zip(("term", "meaning", "formula"), PAGE.widths[1:4], strict=True))
    for row, term in enumerate(TERMS, 6):
        for part, width in widths.items():
            assert PAGE.all_heights[row] >= 14 * lines(say(f"definitions.{term}.{part}"), width), (term, part)
