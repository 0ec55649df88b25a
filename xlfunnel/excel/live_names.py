"""Where the named cells of the open workbook lie, asked for together: those of one page mostly stand on one sheet."""

from collections.abc import Callable, Sequence
from functools import cached_property

import xlwings as xw

from xlfunnel.excel.ranges import Range, parse_range, parse_reference
from xlfunnel.pages import PAGES

Place = tuple[str, Range]
"""Sheet and cell."""

NAMES_A_CALL = 12
"""Excel takes an address of 255 characters and gives no longer one back."""
_PAGES = [tuple(slot.name for slot in page.slots) for page in PAGES]
_PAGE_OF = {name: names for names in _PAGES for name in names}


class LiveNames:
    """The names of a workbook. Where one lies is asked once.

    sheet  gives a sheet by its name
    """

    def __init__(self, book: xw.Book, sheet: Callable[[str], xw.Sheet]) -> None:
        self._book, self._sheet = book, sheet
        self._found: dict[str, Place | None] = {}
        self._pages_done: set[tuple[str, ...]] = set()

    def __contains__(self, name: str) -> bool:
        return name in self._names

    def place(self, name: str) -> Place | None:
        """The cell behind a name of the workbook, the first one if there are more; None if there is none."""
        if name not in self._found:
            found = self._found[name] = self._alone(name)
            if found is not None:
                self._find_beside(found[0], name)
        return self._found[name]

    def _find_beside(self, sheet: str, name: str) -> None:
        """Look on its sheet for the other names of its page, once a page."""
        page = _PAGE_OF.get(name, ())
        others = [n for n in page if n != name] if page not in self._pages_done else []
        self._pages_done.add(page)
        for start in range(0, len(others), NAMES_A_CALL):
            self._find_together(sheet, others[start : start + NAMES_A_CALL])

    def _find_together(self, sheet: str, names: Sequence[str]) -> None:
        """If not all are there, Excel refuses; each is then asked for by itself when it is wanted."""
        try:
            text = self._sheet(sheet).range(",".join(names)).address
        except Exception:
            return
        cells = [parse_range(part) for part in text.split(",")]
        if len(cells) == len(names):
            self._found |= {name: (sheet, at.first) for name, at in zip(names, cells, strict=True) if at}

    def _alone(self, name: str) -> Place | None:
        """A copied sheet has names of its own, which Excel finds first while that sheet is in front."""
        try:
            named = self._names[name]
            text = named.refers_to
        except Exception:
            if name in self._names:
                raise
            return None
        if "!" in named.name:
            text = next((n.refers_to for n in self._names if n.name.lower() == name.lower()), None)
        found = parse_reference(text or "")
        return (found[0], found[1].first) if found else None

    @cached_property
    def _names(self) -> xw.main.Names:
        return self._book.names
