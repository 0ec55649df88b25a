"""What is looked at in a zipped file before a parser may touch it: what is it, and is it of a bearable size?"""

import io
import re
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from itertools import chain

from xlfunnel.crm.guard_ods import ods_area
from xlfunnel.crm.guard_xlsb import xlsb_area
from xlfunnel.errors import InputError

MAX_UNPACKED = 1 << 30
"""Bytes of all parts unpacked."""
MAX_CELLS = 30_000_000
"""Cells of the smallest rectangle around a sheet's content: the parser allots all of them at once."""
MAX_PARTS = 20_000
"""Files in one package."""
MAX_RATIO, SMALL = 150, 64 << 20
"""By how much a part may unpack, unless what comes out is small: sheets unpack to about ten times their size."""

MAX_WIDE = 32 << 20
"""Bytes of a part in UTF-16, which only the slow parser reads."""

TEXTS = (".csv", ".tsv", ".tab", ".txt")
"""Names of delimited text."""

_CHUNK = 4 << 20
_NAMES = (rb"([A-Z]{2,3})\d", rb"[A-Z]{1,3}(\d{6,})", rb"(\d+)")
_WIDE, _FAR, _ROW = (re.compile(b'r="' + p) for p in _NAMES)
_WIDE_ODD, _FAR_ODD, _ROW_ODD = (re.compile(rb"\br\s*=\s*[\"']" + p) for p in _NAMES)
_ODD = re.compile(rb"r(?:\s+=|=\s|=')")
_BEYOND = re.compile(rb"r[\s=](?:[\s=']|\"(?:[A-Z]{2}|[A-Z]?\d{7}))")
"""What may take a sheet beyond 26 columns and 999,999 rows, or may be put in an odd way."""
_FILLED = re.compile(rb"<(?:\w+:)?c\b[^<>]*\br\s*=\s*[\"']([A-Z]{1,3})(\d+)[\"'][^<>]*(?<!/)>\s*<(?!/)")
_DATE_1904 = re.compile(rb"date1904\s*=\s*[\"'](?:1|true|on)[\"']")
_DECLARATION = re.compile(rb"<!(?:DOCTYPE|ENTITY)")
_UTF16 = (b"\xff\xfe", b"\xfe\xff", b"<\0", b"\0<")


class Kind(Enum):
    """What a zipped file is."""

    XLSX = "xlsx"
    XLSB = "xlsb"
    ODS = "ods"
    TEXTS = "texts"


@dataclass(frozen=True)
class Package:
    """A zipped file that may be parsed.

    epoch_1904  its bare numbers count days from 1904
    is_wide     some of its XML is UTF-16, which the fast parser does not read
    texts       names of its delimited texts, if it is nothing but such
    """

    kind: Kind
    epoch_1904: bool = False
    is_wide: bool = False
    texts: tuple[str, ...] = ()


def checked(name: str, data: bytes) -> Package:
    """What the zipped `data` are.

    Raises InputError for what no parser should be given: broken_workbook, not_a_workbook, encrypted, too_large,
    unsafe_xml (all under `input.`).
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as package:
            return _checked(name, data, package.infolist())
    except (
        zipfile.BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError, ValueError, RuntimeError, OSError
    ) as e:  # fmt: skip
        raise InputError("input.broken_workbook", file=name, reason=e) from None


def unpacked(data: bytes, part: zipfile.ZipInfo) -> Iterator[bytes]:
    """The bytes of a part, piece by piece.

    Raises BadZipFile as soon as there are more than the package declares, and in the end if their sum is wrong.
    """
    total = check = 0
    for piece in _inflated(data, part):
        total, check = total + len(piece), zlib.crc32(piece, check)
        if total > part.file_size:
            break
        if piece:
            yield piece
    if total != part.file_size or check != part.CRC:
        raise zipfile.BadZipFile(f"Bad CRC-32 for file {part.filename!r}")


def _inflated(data: bytes, part: zipfile.ZipInfo) -> Iterator[bytes]:
    name_length, extra_length = struct.unpack_from("<HH", data, part.header_offset + 26)
    start = part.header_offset + 30 + name_length + extra_length
    raw = memoryview(data)[start : start + part.compress_size]
    if part.compress_type == zipfile.ZIP_STORED:
        yield from (bytes(raw[i : i + _CHUNK]) for i in range(0, len(raw), _CHUNK))
        return
    if part.compress_type != zipfile.ZIP_DEFLATED:
        raise zipfile.BadZipFile(f"compression method {part.compress_type}")
    inflate, rest = zlib.decompressobj(-15), bytes(raw)
    while not inflate.eof:
        piece = inflate.decompress(rest, _CHUNK)
        rest = inflate.unconsumed_tail
        if not piece and not rest:
            return
        yield piece


def _checked(name: str, data: bytes, parts: list[zipfile.ZipInfo]) -> Package:
    files = [p for p in parts if not p.is_dir() and not p.filename.startswith("__MACOSX/")]
    names = {p.filename.replace("\\", "/").lower().lstrip("/") for p in files}
    if any(p.flag_bits & 1 for p in files):
        raise InputError("input.encrypted", file=name)
    is_bomb = any(p.file_size > max(SMALL, MAX_RATIO * p.compress_size) for p in files)
    if is_bomb or sum(p.file_size for p in files) > MAX_UNPACKED or len(files) > MAX_PARTS:
        raise InputError("input.too_large", file=name)
    if "xl/workbook.bin" in names:
        _refuse_large(name, [xlsb_area(unpacked(data, p)) for p in files if _is_binary_sheet(p)])
        return Package(Kind.XLSB)
    if "content.xml" in names:
        if "meta-inf/manifest.xml" in names and _says(data, files, "META-INF/manifest.xml", b"encryption-data"):
            raise InputError("input.encrypted", file=name)
        for part in (p for p in files if p.filename == "content.xml"):
            _refuse_large(name, [ods_area(name, unpacked(data, part))])
        return Package(Kind.ODS)
    texts = tuple(p.filename for p in files if p.filename.lower().endswith(TEXTS))
    if texts and not any(n.endswith((".xml", ".rels")) for n in names):
        return Package(Kind.TEXTS, texts=texts)
    if not any(n.endswith("workbook.xml") or n == "[content_types].xml" for n in names):
        raise InputError("input.not_a_workbook", file=name)
    return _spreadsheet(name, data, files)


def _spreadsheet(name: str, data: bytes, files: list[zipfile.ZipInfo]) -> Package:
    epoch_1904 = is_wide = False
    for part in files:
        low = part.filename.lower()
        if not low.endswith((".xml", ".rels")):
            continue
        pieces = unpacked(data, part)
        first = next(pieces, b"")
        if first.startswith(_UTF16):
            is_wide = True
            if part.file_size > MAX_WIDE:
                raise InputError("input.too_large", file=name)
            first = b"".join([first, *pieces]).replace(b"\0", b"")
            _refuse_large(name, [_area_of([first])])
        if _DECLARATION.search(first):
            raise InputError("input.unsafe_xml", file=name)
        if low.endswith("workbook.xml"):
            epoch_1904 = epoch_1904 or bool(_DATE_1904.search(first))
        elif b"worksheet" in first[:2048] and _is_beyond(chain([first], pieces)) and _area(data, part) > MAX_CELLS:
            _refuse_large(name, [_filled_area(data, part)])
    return Package(Kind.XLSX, epoch_1904, is_wide)


def _refuse_large(name: str, areas: list[int]) -> None:
    if max(areas, default=0) > MAX_CELLS:
        raise InputError("input.too_large", file=name)


def _is_binary_sheet(part: zipfile.ZipInfo) -> bool:
    low = part.filename.lower()
    return "worksheets/" in low and low.endswith(".bin") and "binaryindex" not in low


def _says(data: bytes, files: list[zipfile.ZipInfo], name: str, word: bytes) -> bool:
    return any(word in b"".join(unpacked(data, p)) for p in files if p.filename == name)


def _is_beyond(pieces: Iterable[bytes]) -> bool:
    """False if the cells of a sheet are at most 26 x 999,999, which is bearable whatever it holds."""
    return any(_BEYOND.search(chunk) for chunk in _overlapping(pieces))


def _area(data: bytes, part: zipfile.ZipInfo) -> int:
    """Cells of the rectangle from A1 to the last row and column that any cell names, filled or not."""
    return _area_of(_overlapping(unpacked(data, part)))


def _area_of(chunks: Iterable[bytes]) -> int:
    rows, wide = 0, {b"Z"}
    for chunk in chunks:
        # how every known writer puts it is looked for first: it is ten times as fast
        columns, far, row = (_WIDE_ODD, _FAR_ODD, _ROW_ODD) if _ODD.search(chunk) else (_WIDE, _FAR, _ROW)
        wide.update(columns.findall(chunk))
        numbers = {*row.findall(chunk), *far.findall(chunk)}
        rows = max(rows, max((int(n[:8]) for n in numbers), default=0))
    return rows * max(_column_number(c) for c in wide)


def _filled_area(data: bytes, part: zipfile.ZipInfo) -> int:
    """The same for cells that hold something: formats without content are not allotted."""
    rows, columns = 0, {b"A"}
    for chunk in _overlapping(unpacked(data, part)):
        for letters, number in _FILLED.findall(chunk):
            columns.add(letters)
            rows = max(rows, int(number[:8]))
    return rows * max(_column_number(c) for c in columns)


def _overlapping(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The pieces of a part, each with the end of the one before, so that no tag is cut in all of them."""
    tail = b""
    for piece in pieces:
        yield tail + piece
        tail = piece[-1024:]


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number
