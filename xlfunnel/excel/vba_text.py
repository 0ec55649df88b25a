"""Reads VBA back from a workbook, as far as the diagnosis needs it: which xlwings its macros were built with."""

import re
from io import BytesIO
from pathlib import Path
from zipfile import BadZipFile, ZipFile

_PROJECT = "xl/vbaProject.bin"
_VERSION = re.compile(rb'XLWINGS_VERSION As String = "([\d.]+)"')


def xlwings_version(workbook: Path) -> str | None:
    """The version in the text of a workbook's module `xlwings`; None if there is no such module or no VBA."""
    import olefile  # here, so that a broken installation can be looked over without it

    try:
        with ZipFile(workbook) as package, olefile.OleFileIO(BytesIO(package.read(_PROJECT))) as project:
            stream = project.openstream("VBA/xlwings").read()
    except (BadZipFile, KeyError, OSError):
        return None
    found = _VERSION.search(decompressed(stream))
    return found[1].decode() if found else None


def decompressed(container: bytes) -> bytes:
    """A compressed container ([MS-OVBA] 2.4.1) → its text. Raises IndexError if it is cut off."""
    out, at = bytearray(), 1
    while at < len(container):
        header = int.from_bytes(container[at : at + 2], "little")
        end, start = at + (header & 0xFFF) + 3, len(out)
        at += 2
        if not header & 0x8000:
            out += container[at:end]
            at = end
        while at < end:
            flags, at = container[at], at + 1
            for bit in range(8):
                if at >= end:
                    break
                if flags >> bit & 1:
                    token = int.from_bytes(container[at : at + 2], "little")
                    shift = 16 - max(4, (len(out) - start - 1).bit_length())
                    back = (token >> shift) + 1
                    for _ in range((token & ((1 << shift) - 1)) + 3):
                        out.append(out[-back])
                    at += 2
                else:
                    out.append(container[at])
                    at += 1
    return bytes(out)
