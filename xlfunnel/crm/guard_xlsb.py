"""How large a sheet of a binary workbook (.xlsb) is, before a parser allots it.

Records are a type of one or two bytes, a length of one to four, and the content (MS-XLSB 2.1.4); a row begins with
BrtRowHdr (its number), and cells with their column.
"""

from collections.abc import Iterator
from struct import error, unpack_from

_ROW = 0
_CELLS = range(2, 12)  # BrtCellRk … BrtFmlaError; 1 is a blank cell, which is not allotted
MAX_PART = 64 << 20
"""Bytes of a sheet: about four million cells, which take some seconds to count."""
TOO_LARGE = 1 << 62
"""Area of a sheet whose part is not even looked through."""


def xlsb_area(pieces: Iterator[bytes]) -> int:
    """Cells of the rectangle from A1 to the last filled cell; TOO_LARGE for a part beyond MAX_PART."""
    content = bytearray()
    for piece in pieces:
        content += piece
        if len(content) > MAX_PART:
            return TOO_LARGE
    at, row, rows, columns = 0, 0, 0, 0
    try:
        while at < len(content):
            kind = content[at]
            at += 1
            if kind > 127:
                kind = (kind & 127) | (content[at] & 127) << 7
                at += 1
            length = shift = 0
            for _ in range(4):
                byte = content[at]
                at += 1
                length |= (byte & 127) << shift
                shift += 7
                if byte < 128:
                    break
            if kind == _ROW:
                row = unpack_from("<I", content, at)[0] + 1
            elif kind in _CELLS:
                rows, columns = max(rows, row), max(columns, unpack_from("<I", content, at)[0] + 1)
            at += length
    except (IndexError, error):
        pass  # cut short: the parser says so
    return rows * columns
