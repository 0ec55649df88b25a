"""Workbooks of the kinds that no library here writes, made by hand: OpenDocument (.ods) and binary (.xlsb)."""

import struct
import zipfile
from collections.abc import Sequence
from pathlib import Path
from xml.sax.saxutils import escape

_NAMESPACES = " ".join(
    f'xmlns:{p}="urn:oasis:names:tc:opendocument:xmlns:{p}:1.0"' for p in ("office", "table", "text")
)


def ods_cell(value: object) -> str:
    """One cell of text or number; None is empty."""
    if value is None:
        return "<table:table-cell/>"
    if isinstance(value, (int, float)):
        return f'<table:table-cell office:value-type="float" office:value="{value}"/>'
    return f'<table:table-cell office:value-type="string"><text:p>{escape(str(value))}</text:p></table:table-cell>'


def ods(path: Path, rows: Sequence[Sequence[object]], *, extra: str = "", head: str = "") -> Path:
    """An OpenDocument workbook of one sheet; `extra` is XML after its rows, `head` stands before the root."""
    body = "".join(f"<table:table-row>{''.join(map(ods_cell, row))}</table:table-row>" for row in rows)
    content = (
        f'<?xml version="1.0"?>{head}<office:document-content {_NAMESPACES}><office:body><office:spreadsheet>'
        f'<table:table table:name="Data">{body}{extra}</table:table>'
        "</office:spreadsheet></office:body></office:document-content>"
    )
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        package.writestr("META-INF/manifest.xml", "<manifest/>")
        package.writestr("content.xml", content)
    return path


def _record(kind: int, content: bytes = b"") -> bytes:
    head = bytes([kind]) if kind < 128 else bytes([kind & 127 | 128, kind >> 7])
    size, length = b"", len(content)
    while length > 127:
        size, length = size + bytes([length & 127 | 128]), length >> 7
    return head + size + bytes([length]) + content


def _wide(text: str) -> bytes:
    return struct.pack("<I", len(text)) + text.encode("utf-16-le")


def xlsb(path: Path, rows: Sequence[Sequence[object]], *, far: tuple[int, int] | None = None) -> Path:
    """A binary workbook of one sheet; `far` is the row and column (from 0) of one more cell."""
    cells = [(r, c, v) for r, row in enumerate(rows) for c, v in enumerate(row) if v is not None]
    if far is not None:
        cells.append((*far, 1.0))
    last = max(r for r, _, _ in cells), max(c for _, c, _ in cells)
    sheet = [_record(129), _record(148, struct.pack("<4I", 0, last[0], 0, last[1])), _record(145)]
    current = -1
    for r, c, value in cells:
        if r != current:
            sheet.append(_record(0, struct.pack("<II", r, 0) + struct.pack("<HBBBI", 300, 0, 0, 0, 0)))
            current = r
        start = struct.pack("<II", c, 0)
        if isinstance(value, str):
            sheet.append(_record(6, start + _wide(value)))
        else:
            assert isinstance(value, (int, float))
            sheet.append(_record(5, start + struct.pack("<d", value)))
    sheet += [_record(146), _record(130)]
    bundle = struct.pack("<II", 0, 1) + _wide("rId1") + _wide("Data")
    book = _record(131) + _record(143) + _record(156, bundle) + _record(144) + _record(132)
    relation = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("[Content_Types].xml", "<Types/>")
        package.writestr("xl/workbook.bin", book)
        package.writestr(
            "xl/_rels/workbook.bin.rels",
            '<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
            f'<Relationship Id="rId1" Type="{relation}/worksheet" Target="worksheets/sheet1.bin"/></Relationships>',
        )
        package.writestr("xl/worksheets/sheet1.bin", b"".join(sheet))
    return path
