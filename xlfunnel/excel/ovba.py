"""The pieces of a VBA project as [MS-OVBA] lays them down: compression, the `dir` records, the PROJECT text.

There is no performance cache: Excel compiles the modules from their text when it opens the file, and saves its own.
"""

import struct
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

CODE_PAGE = 1252
SOURCE_CACHE = bytes.fromhex("cc61ffff000000")
"""The `_VBA_PROJECT` stream of a project that has only its text (2.3.4.1: version 0xFFFF)."""

_CHUNK = 4096
_SHORTEST = 3
_LCID = 0x0409
_WINDOWS_64 = 3
_NO_COOKIE = 0xFFFF
_HOST = "{3832D640-CF90-11CF-8E43-00A0C911005A}"
# Excel's and VBA's own libraries are there unasked; Office's holds IRibbonControl. Windows finds them by their ids; the
# paths are those of a usual installation, as Excel writes them.
_LIBRARIES = (
    ("stdole", r"*\G{00020430-0000-0000-C000-000000000046}#2.0#0#C:\Windows\System32\stdole2.tlb#OLE Automation"),
    (
        "Office",
        r"*\G{2DF8D04C-5BFA-101B-BDE5-00AA0044DE52}#2.0#0"
        r"#C:\Program Files\Common Files\Microsoft Shared\OFFICE16\MSO.DLL#Microsoft Office 16.0 Object Library",
    ),
)


@dataclass(frozen=True)
class Entry:
    """A module as the project lists it; kind is "standard", "class" or "document"."""

    name: str
    kind: str


def compressed(data: bytes) -> bytes:
    """A CompressedContainer (2.4.1) of `data`: its chunks of 4096 bytes one by one.

    Raises ValueError if the last, partial chunk does not shrink at all: the format can hold that only padded.
    """
    out = bytearray(b"\x01")
    for start in range(0, len(data), _CHUNK):
        chunk = data[start : start + _CHUNK]
        packed = _tokens(chunk)
        if len(packed) <= _CHUNK:
            out += struct.pack("<H", 0xB000 | (len(packed) - 1)) + packed
        elif len(chunk) == _CHUNK:
            out += struct.pack("<H", 0x3FFF) + chunk
        else:
            raise ValueError(f"the last {len(chunk)} bytes cannot be compressed")
    return bytes(out)


def dir_records(project: str, modules: Sequence[Entry]) -> bytes:
    """The `dir` stream (2.3.4.2) before compression."""
    out = b"".join((
        _record(0x01, struct.pack("<L", _WINDOWS_64)),
        _record(0x02, struct.pack("<L", _LCID)),
        _record(0x14, struct.pack("<L", _LCID)),
        _record(0x03, struct.pack("<H", CODE_PAGE)),
        _record(0x04, project.encode("ascii")),
        _record(0x05, b"") + _record(0x40, b""),
        _record(0x06, b"") + _record(0x3D, b""),
        _record(0x07, struct.pack("<L", 0)),
        _record(0x08, struct.pack("<L", 0)),
        struct.pack("<HLLH", 0x09, 4, 1, 0),
        _record(0x0C, b"") + _record(0x3C, b""),
    ))  # fmt: skip
    for name, library in _LIBRARIES:
        out += _both(0x16, 0x3E, name)
        out += _record(0x0D, _sized(library.encode("ascii")) + struct.pack("<LH", 0, 0))
    out += _record(0x0F, struct.pack("<H", len(modules))) + _record(0x13, struct.pack("<H", _NO_COOKIE))
    for module in modules:
        out += _both(0x19, 0x47, module.name) + _both(0x1A, 0x32, module.name) + _both(0x1C, 0x48, "")
        out += _record(0x31, struct.pack("<L", 0)) + _record(0x1E, struct.pack("<L", 0))
        out += _record(0x2C, struct.pack("<H", _NO_COOKIE))
        out += _record(0x21 if module.kind == "standard" else 0x22, b"") + _record(0x2B, b"")
    return out + _record(0x10, b"")


def project_text(project: str, guid: str, modules: Sequence[Entry]) -> bytes:
    """The PROJECT stream (2.3.1): an unprotected, visible project. `guid` with its braces."""
    words = {"document": "Document={}/&H00000000", "standard": "Module={}", "class": "Class={}"}
    lines = [
        f'ID="{guid}"',
        *(words[m.kind].format(m.name) for m in modules),
        f'Name="{project}"',
        'HelpContextID="0"',
        'VersionCompatible32="393222000"',
        f'CMG="{_obfuscated(guid, 0x07, bytes(4))}"',
        f'DPB="{_obfuscated(guid, 0x0D, bytes(1))}"',
        f'GC="{_obfuscated(guid, 0x15, bytes([0xFF]))}"',
        "",
        "[Host Extender Info]",
        f"&H00000001={_HOST};VBE;&H00000000",
        "",
        "[Workspace]",
        *(f"{m.name}=0, 0, 0, 0, C" for m in modules),
        "",
    ]
    return "\r\n".join(lines).encode("ascii")


def project_names(names: Iterable[str]) -> bytes:
    """The PROJECTwm stream (2.3.3): each name in the code page and in UTF-16."""
    return b"".join(n.encode("ascii") + b"\0" + n.encode("utf-16-le") + b"\0\0" for n in names) + b"\0\0"


def _tokens(chunk: bytes) -> bytes:
    """One chunk as token sequences: greedy, the longest match, of equal ones the nearest (2.4.1.3.19.4)."""
    out = bytearray()
    places: dict[bytes, list[int]] = defaultdict(list)
    at = 0
    while at < len(chunk):
        flag_at, flags = len(out), 0
        out.append(0)
        for bit in range(8):
            if at >= len(chunk):
                break
            bits = max((at - 1).bit_length(), 4)
            offset, length = _match(chunk, at, places, (0xFFFF >> bits) + _SHORTEST)
            if length:
                flags |= 1 << bit
                out += struct.pack("<H", (offset - 1) << (16 - bits) | (length - _SHORTEST))
            else:
                out.append(chunk[at])
                length = 1
            for i in range(at, at + length):
                places[chunk[i : i + _SHORTEST]].append(i)
            at += length
        out[flag_at] = flags
    return bytes(out)


def _match(chunk: bytes, at: int, places: dict[bytes, list[int]], longest: int) -> tuple[int, int]:
    """(offset back, length) of the best match before `at`; (0, 0) if there is none of three bytes or more."""
    best_offset = best = 0
    limit = min(longest, len(chunk) - at)
    if limit < _SHORTEST:
        return 0, 0
    for start in reversed(places.get(chunk[at : at + _SHORTEST], ())):
        length = _SHORTEST
        while length < limit and chunk[start + length] == chunk[at + length]:
            length += 1
        if length > best:
            best_offset, best = at - start, length
            if best == limit:
                break
    return best_offset, best


def _obfuscated(guid: str, seed: int, data: bytes) -> str:
    """Data Encryption (2.4.3.2) with a fixed seed, so that builds are equal."""
    key = sum(guid.encode("ascii")) & 0xFF
    out = bytearray((seed, seed ^ 2, seed ^ key))
    plain = key
    for byte in bytes((seed & 6) // 2) + struct.pack("<L", len(data)) + data:
        out.append(byte ^ ((out[-2] + plain) & 0xFF))
        plain = byte
    return out.hex().upper()


def _record(kind: int, data: bytes) -> bytes:
    return struct.pack("<H", kind) + _sized(data)


def _both(kind: int, wide: int, text: str) -> bytes:
    """A record in the code page and its twin in UTF-16."""
    return _record(kind, text.encode("ascii")) + _record(wide, text.encode("utf-16-le"))


def _sized(data: bytes) -> bytes:
    return struct.pack("<L", len(data)) + data
