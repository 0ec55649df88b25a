"""How large the sheets of an OpenDocument workbook are, before a parser unrolls its repeated rows and columns."""

from collections.abc import Iterator
from xml.parsers import expat

from xlfunnel.errors import InputError

_TABLE = "urn:oasis:names:tc:opendocument:xmlns:table:1.0 "
_OFFICE = "urn:oasis:names:tc:opendocument:xmlns:office:1.0 "
_LIMIT = 1 << 40


def ods_area(name: str, pieces: Iterator[bytes]) -> int:
    """Cells of the largest rectangle from A1 to a sheet's last filled cell.

    Raises InputError: broken_workbook for content that is no XML, unsafe_xml for declarations of entities.
    """
    count = _Count(name)
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler = count.start
    parser.EndElementHandler = count.end
    parser.StartDoctypeDeclHandler = count.refuse
    try:
        for piece in pieces:
            parser.Parse(piece, False)
        parser.Parse(b"", True)
    except expat.ExpatError as e:
        raise InputError("input.broken_workbook", file=name, reason=e) from None
    return count.largest


class _Count:
    """Rows and columns of one sheet after the other."""

    def __init__(self, name: str) -> None:
        self._name = name
        self.largest = 0
        self._rows = self._filled_rows = self._width = 0
        self._repeat = self._column = self._filled = 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == _TABLE + "table":
            self._rows = self._filled_rows = self._width = 0
        elif tag == _TABLE + "table-row":
            self._repeat = _number(attributes.get(_TABLE + "number-rows-repeated", "1"))
            self._column = self._filled = 0
        elif tag in (_TABLE + "table-cell", _TABLE + "covered-table-cell"):
            self._column += _number(attributes.get(_TABLE + "number-columns-repeated", "1"))
            if _OFFICE + "value-type" in attributes or _TABLE + "formula" in attributes:
                self._filled = self._column

    def end(self, tag: str) -> None:
        if tag == _TABLE + "table-row":
            self._rows += self._repeat
            if self._filled:
                self._filled_rows, self._width = self._rows, max(self._width, self._filled)
                self.largest = max(self.largest, self._filled_rows * self._width)

    def refuse(self, *_: object) -> None:
        raise InputError("input.unsafe_xml", file=self._name)


def _number(text: str) -> int:
    return min(int(text), _LIMIT) if text.isdigit() and len(text) < 15 else _LIMIT
