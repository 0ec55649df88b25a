"""A zip file written entry by entry, so that compressed bytes can be taken over as they are (PKWARE APPNOTE 6.3.10)."""

import struct
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import BinaryIO

STORED, DEFLATED = 0, 8
_UTF8 = 0x800
_FIXED_TIME = 1 << 21 | 1 << 16  # 1980-01-01 00:00 as DOS counts: output does not depend on the clock
_ZIP64_VERSION = 45
_LIMIT = 0xFFFFFFFF


@dataclass(frozen=True)
class Entry:
    """What the directory says of an entry.

    stamp  DOS time and date, date in the high half
    size, packed  bytes before and after compression
    """

    name: str
    method: int
    crc: int
    size: int
    packed: int
    stamp: int = _FIXED_TIME
    attributes: int = 0


def deflated(name: str, chunks: Iterable[bytes]) -> tuple[Entry, bytes]:
    """Compress chunks as they come: what was given is never held as a whole."""
    # Level 4 is a quarter larger than level 6 on sheets full of numbers, but twice as fast.
    packer = zlib.compressobj(4, zlib.DEFLATED, -zlib.MAX_WBITS)
    out, crc, size = [], 0, 0
    for chunk in chunks:
        crc = zlib.crc32(chunk, crc)
        size += len(chunk)
        out.append(packer.compress(chunk))
    data = b"".join([*out, packer.flush()])
    return Entry(name, DEFLATED, crc, size, len(data)), data


class ZipWriter:
    """Writes entries to an open file and, on `finish`, the directory.

    limit  first value that the 32-bit fields cannot hold; beyond it the zip64 fields are used
    """

    def __init__(self, file: BinaryIO, limit: int = _LIMIT) -> None:
        self._file, self._limit = file, limit
        self._directory: list[bytes] = []
        self._at = 0

    def add(self, entry: Entry, chunks: Iterable[bytes]) -> None:
        """Write one entry; `chunks` are its compressed bytes, `entry.packed` long."""
        start = self._at
        big = entry.size >= self._limit or entry.packed >= self._limit
        extra = struct.pack("<HHQQ", 1, 16, entry.size, entry.packed) if big else b""
        self._write(struct.pack("<4s", b"PK\3\4") + self._common(entry, big, big, extra) + entry.name.encode() + extra)
        for chunk in chunks:
            self._write(chunk)
        far = start >= self._limit
        fields = ([entry.size, entry.packed] if big else []) + ([start] if far else [])
        extra = struct.pack(f"<HH{len(fields)}Q", 1, 8 * len(fields), *fields) if fields else b""
        wide = big or far
        self._directory.append(
            struct.pack("<4sH", b"PK\1\2", _ZIP64_VERSION if wide else 20)
            + self._common(entry, wide, big, extra)
            + struct.pack("<HHHLL", 0, 0, 0, entry.attributes, _LIMIT if far else start)
            + entry.name.encode()
            + extra
        )

    def finish(self) -> None:
        """Write the directory. Nothing can be added afterwards."""
        start, n = self._at, len(self._directory)
        for record in self._directory:
            self._write(record)
        size = self._at - start
        if n >= min(self._limit, 0xFFFF) or start >= self._limit or size >= self._limit:
            end = self._at
            self._write(struct.pack("<4sQHHLLQQQQ", b"PK\6\6", 44, 45, 45, 0, 0, n, n, size, start))
            self._write(struct.pack("<4sLQL", b"PK\6\7", 0, end, 1))
            n, size, start = 0xFFFF, _LIMIT, _LIMIT
        self._write(struct.pack("<4sHHHHLLH", b"PK\5\6", 0, 0, n, n, size, start, 0))

    def _common(self, entry: Entry, wide: bool, big: bool, extra: bytes) -> bytes:
        """The fields that local header and directory share, from "version needed" on."""
        name = entry.name.encode()
        size, packed = (_LIMIT, _LIMIT) if big else (entry.size, entry.packed)
        flags = 0 if name.isascii() else _UTF8
        version = _ZIP64_VERSION if wide else 20
        return struct.pack(
            "<HHHLLLLHH", version, flags, entry.method, entry.stamp, entry.crc, packed, size, len(name), len(extra)
        )

    def _write(self, data: bytes) -> None:
        self._file.write(data)
        self._at += len(data)
