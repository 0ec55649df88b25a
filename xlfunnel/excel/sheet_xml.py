"""A worksheet's XML, taken apart into its rows and the rest. Rows stay bytes until somebody asks for their cells."""

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache

from lxml import etree

from xlfunnel.errors import WorkbookError
from xlfunnel.excel.cells import Cell, cells_of
from xlfunnel.excel.xml_text import MAIN, M, attributes, parse, serialise

_DATA = re.compile(rb"<sheetData(?:\s[^>]*?)?(/?)>")
_END = b"</sheetData>"
_ROW = re.compile(rb"<row((?:\s[^>]*?)?)(/?)>")
_ROW_END = b"</row>"
_NUMBER = re.compile(rb"""\sr\s*=\s*["'](\d+)["']""")
_ENCODING = re.compile(rb"""^(?:\xef\xbb\xbf)?\s*<\?xml[^>]*encoding\s*=\s*["']([\w-]+)["']""")


class SheetXml:
    """The rows of one worksheet, by number, and its frame: everything before and after them.

    Raises WorkbookError `workbook.damaged` if it is no worksheet.
    """

    def __init__(self, xml: bytes, part: str) -> None:
        self.part = part
        found = _DATA.search(xml) if _is_simple(xml) else None
        if found is None:
            xml = _simplified(xml, part)
            found = _DATA.search(xml)
        if found is None:
            raise WorkbookError("workbook.damaged", part=part, reason="sheetData")
        self._head = xml[: found.start()]
        if found[1]:
            body, self._tail = b"", xml[found.end() :]
        else:
            end = xml.rfind(_END)
            body, self._tail = xml[found.end() : end], xml[end + len(_END) :]
        self.rows: dict[int, bytes] = {}
        last = 0
        for attrs, row in _rows_of(body):
            number = _NUMBER.search(attrs)
            last = int(number[1]) if number else last + 1
            self.rows[last] = row

    def attrs(self, row: int) -> dict[str, str]:
        """The attributes of a row, without its number; empty if it is not there."""
        match = _ROW.match(self.rows.get(row, b""))
        attrs = attributes(match[1].decode()) if match else {}
        attrs.pop("r", None)
        return attrs

    def cells(self, row: int) -> dict[int, Cell]:
        """The cells of a row by column number; empty if it is not there."""
        return dict(_cells_of(self.rows.get(row, b"")))

    def frame(self) -> etree._Element:
        """The sheet without its rows, parsed."""
        return parse(self._head + b"<sheetData/>" + self._tail, self.part)

    def xml(self, rows: Iterable[bytes], frame: etree._Element | None) -> Iterable[bytes]:
        """The whole sheet in chunks, from its rows in order; `frame` replaces the frame if it was changed."""
        head, tail = self._head, self._tail
        if frame is not None:
            head, _, tail = serialise(frame).partition(b"<sheetData/>")
        yield head + b"<sheetData>"
        yield from rows
        yield _END + tail


def _rows_of(body: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The attributes of each row, and the whole row."""
    at = 0
    while match := _ROW.search(body, at):
        end = match.end() if match[2] else body.find(_ROW_END, match.end())
        if end < 0:
            return
        at = end if match[2] else end + len(_ROW_END)
        yield match[1], body[match.start() : at]


@lru_cache(maxsize=4096)
def _cells_of(row: bytes) -> Mapping[int, Cell]:
    """The cells of a row; before and after a fill the same rows are asked for more than once."""
    match = _ROW.match(row)
    return cells_of(row[match.end() : -len(_ROW_END)].decode()) if match and not match[2] else {}


def _is_simple(xml: bytes) -> bool:
    """UTF-8 and nothing in it that a search for tags could stumble over."""
    encoding = _ENCODING.match(xml)
    if xml.startswith((b"\xff\xfe", b"\xfe\xff", b"<\0", b"\0<")) or (encoding and encoding[1].lower() != b"utf-8"):
        return False
    return b"<!" not in xml and not xml.startswith(b"\xef\xbb\xbf")


def _simplified(xml: bytes, part: str) -> bytes:
    """The same sheet in UTF-8 with the main namespace as default, comments and CDATA sections resolved."""
    root = parse(xml, part)
    if root.tag != f"{M}worksheet":
        raise WorkbookError("workbook.damaged", part=part, reason=etree.QName(root).localname)
    etree.strip_tags(root, etree.Comment)
    plain = etree.Element(
        root.tag, dict(root.attrib), {None: MAIN, **{k: v for k, v in root.nsmap.items() if v != MAIN}}
    )
    plain.extend(list(root))
    return serialise(plain)
