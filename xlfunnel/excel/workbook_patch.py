"""The workbook part after a fill: names and print areas follow, and Excel is asked to recalculate when it opens."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from lxml import etree

from xlfunnel.excel.book import Book, Table
from xlfunnel.excel.ranges import Moves, Range, followed_formula, letters, parse_reference
from xlfunnel.excel.table_fill import TableFill
from xlfunnel.excel.xml_text import M

_PRINT_AREA = "_xlnm.Print_Area"
# What may stand before calcPr in a workbook (ECMA-376 part 1, 18.2.27).
_BEFORE_CALC = {"fileVersion", "fileSharing", "workbookPr", "workbookProtection", "bookViews", "sheets"}
_BEFORE_CALC |= {"functionGroups", "externalReferences", "definedNames"}


def follow_workbook(root: etree._Element, book: Book, fills: Sequence[TableFill], moves: Moves) -> None:
    """Rewrite defined names for the moves and set `fullCalcOnLoad`."""
    for name in root.iter(f"{M}definedName"):
        text = name.text or ""
        if name.get("name") == _PRINT_AREA:
            new = ",".join(_print_area(part, book, fills) for part in _split(text))
        else:
            new = followed_formula(text, "", moves)
        if new != text:
            name.text = new
    calc = root.find(f"{M}calcPr")
    if calc is None:
        calc = etree.Element(f"{M}calcPr")
        before = [e for e in root if isinstance(e.tag, str) and etree.QName(e).localname in _BEFORE_CALC]
        root.insert(root.index(before[-1]) + 1 if before else 0, calc)
    calc.set("fullCalcOnLoad", "1")


def _print_area(text: str, book: Book, fills: Sequence[TableFill]) -> str:
    """A print area keeps its distance below the lowest table in its columns."""
    found = parse_reference(text)
    if found is None:
        return text
    sheet, at = found
    new = printed_area(at, [t for t in book.tables.values() if t.sheet.lower() == sheet.lower()], fills)
    return text if new == at else f"{text.rpartition('!')[0]}!{absolute(new)}"


def printed_area(at: Range, tables: Iterable[Table], fills: Sequence[TableFill]) -> Range:
    """The area that prints after a fill, given what it was and the tables of its sheet as they were."""
    heights: Mapping[str, TableFill] = {f.table.name: f for f in fills}
    here = [t for t in tables if t.at.c1 <= at.c2 and at.c1 <= t.at.c2]
    if not here:
        return at
    pad = at.r2 - max(t.at.r2 for t in here)
    last = max(heights[t.name].at.r2 if t.name in heights else t.at.r2 for t in here) + pad
    return at if pad < 0 else replace(at, r2=last)


def absolute(at: Range) -> str:
    """`$B$2:$C$9`."""
    return f"${letters(at.c1)}${at.r1}:${letters(at.c2)}${at.r2}"


def _split(text: str) -> list[str]:
    """Parts of a union; commas inside quoted sheet names do not count."""
    parts, quoted = [""], False
    for char in text:
        quoted ^= char == "'"
        if char == "," and not quoted:
            parts.append("")
        else:
            parts[-1] += char
    return parts
