"""Named cells of the open workbook: few questions, and the right cell whatever a user did to the sheets."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest

from xlfunnel.excel.live_names import NAMES_A_CALL, LiveNames
from xlfunnel.excel.ranges import Range, parse_reference
from xlfunnel.pages import PAGES

PAGE = next(tuple(s.name for s in p.slots) for p in PAGES if len(p.slots) > 2 * NAMES_A_CALL)


class Name(NamedTuple):
    name: str
    refers_to: str


class Names:
    """Names of a workbook; what is asked of them is counted."""

    def __init__(self, refers: dict[str, str], own: dict[str, str]) -> None:
        self.refers, self.own, self.asked = refers, own, 0

    def __getitem__(self, name: str) -> Name:
        self.asked += 1
        return Name(f"copy!{name}", self.own[name]) if name in self.own else Name(name, self.refers[name])

    def __contains__(self, name: str) -> bool:
        return name in self.refers

    def __iter__(self) -> Iterator[Name]:
        return iter([Name(f"copy!{n}", at) for n, at in self.own.items()] + [Name(*i) for i in self.refers.items()])


class Book:
    """A workbook whose sheets know names that lie on them and no others, as Excel's do."""

    def __init__(self, refers: dict[str, str], own: dict[str, str] | None = None) -> None:
        self.names = Names(refers, own or {})
        self.texts: list[str] = []

    def sheet(self, name: str) -> Any:
        def cells(text: str) -> Any:
            self.texts.append(text)
            found = [parse_reference(self.names.refers[n]) for n in text.split(",")]
            if not all(f and f[0] == name for f in found):
                raise OSError("not on this sheet")
            return SimpleNamespace(address=",".join(f"${f[1]}" for f in found if f))

        return SimpleNamespace(range=cells)


def _names(book: Any) -> LiveNames:
    return LiveNames(book, book.sheet)


def _column(sheet: str = "one") -> dict[str, str]:
    return {name: f"={sheet}!$C${row}" for row, name in enumerate(PAGE, 1)}


def test_names_of_a_page_are_found_together() -> None:
    book = Book(_column())
    names = _names(book)
    found = [names.place(name) for name in PAGE]
    assert found == [("one", Range(row, 3, row, 3)) for row in range(1, len(PAGE) + 1)]
    assert book.names.asked == 1
    assert len(book.texts) == -(-(len(PAGE) - 1) // NAMES_A_CALL)


def test_an_address_is_never_too_long() -> None:
    for page in PAGES:
        names = [slot.name for slot in page.slots]
        for start in range(len(names)):
            assert len(",".join(names[start : start + NAMES_A_CALL])) <= 255
    assert NAMES_A_CALL * len("$XFD$1048576,") <= 255


def test_a_cell_that_a_user_moved_to_another_sheet_is_found_there() -> None:
    book = Book({**_column(), PAGE[2]: "='an other'!$A$1"})
    names = _names(book)
    assert names.place(PAGE[0]) == ("one", Range(1, 3, 1, 3))
    assert names.place(PAGE[2]) == ("an other", Range(1, 1, 1, 1))
    assert names.place(PAGE[-1]) == ("one", Range(len(PAGE), 3, len(PAGE), 3))


def test_a_name_that_an_older_template_lacks_is_none_and_the_others_are_found() -> None:
    refers = _column()
    del refers[PAGE[1]]
    book = Book(refers)
    names = _names(book)
    found = [names.place(name) for name in PAGE]
    assert found == [None if row == 2 else ("one", Range(row, 3, row, 3)) for row in range(1, len(PAGE) + 1)]
    assert book.names.asked == 1 + NAMES_A_CALL  # each of those that were asked for together with the one
    assert len(book.texts) == -(-(len(PAGE) - 1) // NAMES_A_CALL)
    assert names.place("kpi_of_nobody") is None


@pytest.mark.parametrize("text", ["=#REF!", "=42", "=OFFSET(one!$A$1,1,1)"])
def test_a_name_of_no_cell_is_none(text: str) -> None:
    assert _names(Book({"kpi_mine": text})).place("kpi_mine") is None


def test_of_several_cells_the_first_is_meant() -> None:
    refers = {**_column(), PAGE[0]: "=one!$B$2:$C$9"}
    assert _names(Book(refers)).place(PAGE[0]) == ("one", Range(2, 2, 2, 2))


def test_names_of_a_copied_sheet_in_front_are_not_ours() -> None:
    own = {name: text.replace("one", "copy") for name, text in _column().items()}
    names = _names(Book(_column(), own))
    assert names.place(PAGE[0]) == ("one", Range(1, 3, 1, 3))
    assert names.place(PAGE[5]) == ("one", Range(6, 3, 6, 3))


def test_a_workbook_that_does_not_answer_is_an_error() -> None:
    class Busy(Names):
        def __getitem__(self, name: str) -> Name:
            raise OSError("busy")

    book = Book(_column())
    book.names = Busy(_column(), {})
    with pytest.raises(OSError, match="busy"):
        _names(book).place(PAGE[0])
