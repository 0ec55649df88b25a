"""What a workbook says of itself: sheets, names, tables, shared texts. Sheets themselves are not parsed for it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from lxml import etree

from xlfunnel.errors import WorkbookError
from xlfunnel.excel.package import Package
from xlfunnel.excel.ranges import Range, parse_range, parse_reference
from xlfunnel.excel.xml_text import M, R, parse, runs_text, shown

if TYPE_CHECKING:
    from xlfunnel.excel.sheet_xml import SheetXml

_STRICT = "{http://purl.oclc.org/ooxml/spreadsheetml/main}"
_ITEM = re.compile(rb"<(?:\w+:)?si(?:\s[^>]*?)?(?:/>|>(.*?)</(?:\w+:)?si>)", re.DOTALL)


@dataclass(frozen=True)
class TableColumn:
    """Name as shown in the header, and the formula of a calculated column."""

    name: str
    formula: str | None


@dataclass(frozen=True)
class Table:
    """A native table and where it lies.

    at        its whole range, header and totals row included
    filtered  True while the user's filter hides rows
    """

    name: str
    part: str
    sheet: str
    sheet_part: str
    at: Range
    header_rows: int
    totals_rows: int
    columns: tuple[TableColumn, ...]
    filtered: bool

    @property
    def first(self) -> int:
        """First body row."""
        return self.at.r1 + self.header_rows

    @property
    def last(self) -> int:
        """Last body row."""
        return self.at.r2 - self.totals_rows

    def column_of(self, header: str) -> int | None:
        """Sheet column of a header; line breaks of any kind are one."""
        wanted = one_break(header)
        return next((self.at.c1 + i for i, c in enumerate(self.columns) if one_break(c.name) == wanted), None)


class Book:
    """A workbook inside a package. Raises WorkbookError `workbook.strict`, `.binary`, `.not_excel` or `.damaged`."""

    def __init__(self, package: Package) -> None:
        self.package = package
        start = [r.target for r in package.relationships("").values() if r.kind == "officeDocument" and not r.external]
        if not start:
            raise WorkbookError("workbook.not_excel", path=package.path.name)
        self.part = start[0]
        if self.part.endswith(".bin"):
            raise WorkbookError("workbook.binary", path=package.path.name)
        root = self.root()
        if root.tag != f"{M}workbook":
            code = "workbook.strict" if root.tag.startswith(_STRICT) else "workbook.not_excel"
            raise WorkbookError(code, path=package.path.name)
        self._links = package.relationships(self.part)
        links = ((s.get("name", ""), self._links.get(s.get(f"{R}id", ""))) for s in root.iter(f"{M}sheet"))
        self.sheets = {name: link.target for name, link in links if link}
        self.names: dict[str, str] = {}
        for name in root.iter(f"{M}definedName"):
            self.names.setdefault(name.get("name", "").lower(), name.text or "")
        properties = root.find(f"{M}workbookPr")
        self.date1904 = properties is not None and properties.get("date1904") in ("1", "true")

    def root(self) -> etree._Element:
        """The workbook part, parsed afresh."""
        return parse(self.package.read(self.part), self.part)

    def linked(self, kind: str) -> str | None:
        """The part that the workbook links to as "styles", "sharedStrings", "calcChain"."""
        return next((link.target for link in self._links.values() if link.kind == kind), None)

    def sheet(self, part: str) -> SheetXml:
        """A sheet taken apart."""
        from xlfunnel.excel.sheet_xml import SheetXml  # which needs pandas: to look where things are does not

        return SheetXml(self.package.read(part), part)

    def cell_of(self, name: str) -> tuple[str, Range] | None:
        """Sheet and first cell behind a defined name; None if there is no such name or it has lost its cell."""
        found = parse_reference(self.names.get(name.lower(), ""))
        sheet = found and next((s for s in self.sheets if s.lower() == found[0].lower()), None)
        if not found or sheet is None:
            return None
        return sheet, Range(found[1].r1, found[1].c1, found[1].r1, found[1].c1)

    def table(self, name: str) -> Table:
        """A table by its name. Raises WorkbookError `workbook.missing_table`."""
        for key, table in self.tables.items():
            if key.lower() == name.lower():
                return table
        raise WorkbookError("workbook.missing_table", table=name, path=self.package.path.name)

    @cached_property
    def tables(self) -> dict[str, Table]:
        """All tables by name."""
        out = {}
        for sheet, part in self.sheets.items():
            for link in self.package.relationships(part).values():
                if link.kind == "table" and self.package.has(link.target):
                    table = _table(parse(self.package.read(link.target), link.target), link.target, sheet, part)
                    out[table.name] = table
        return out

    def tables_of(self, sheet: str) -> list[Table]:
        """The tables of one sheet."""
        return [t for t in self.tables.values() if t.sheet == sheet]

    def string(self, index: int) -> str:
        """A shared text. Raises WorkbookError `workbook.damaged` if there is none of that number."""
        known = self._strings
        if not 0 <= index < len(known):
            raise WorkbookError("workbook.damaged", part="sharedStrings", reason=f"{index} / {len(known)}")
        return runs_text(known[index].decode())

    @cached_property
    def _strings(self) -> Sequence[bytes]:
        part = self.linked("sharedStrings")
        return _ITEM.findall(self.package.read(part)) if part and self.package.has(part) else []


def one_break(text: str) -> str:
    """Text with each line break, however written, as one line feed."""
    one = shown(text)
    return re.sub("\n+", "\n", one) if "\n\n" in one else one


def _table(root: etree._Element, part: str, sheet: str, sheet_part: str) -> Table:
    at = parse_range(root.get("ref", ""))
    if at is None:
        raise WorkbookError("workbook.damaged", part=part, reason="ref")
    columns = tuple(
        TableColumn(one_break(c.get("name", "")), c.findtext(f"{M}calculatedColumnFormula"))
        for c in root.iter(f"{M}tableColumn")
    )
    return Table(
        root.get("displayName") or root.get("name", ""),
        part,
        sheet,
        sheet_part,
        at,
        int(root.get("headerRowCount", "1")),
        int(root.get("totalsRowCount", "0")),
        columns,
        next(root.iter(f"{M}filterColumn"), None) is not None,
    )
