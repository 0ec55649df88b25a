"""Texts in a zip archive, and folders: which sources they hold. Names of members are shown, never used as paths."""

import io
import zipfile
import zlib
from collections.abc import Iterator, Sequence

from xlfunnel.crm import delimited, guard
from xlfunnel.crm.grid import Grid
from xlfunnel.crm.intake import Source
from xlfunnel.errors import InputError

MAX_TEXT = 256 << 20
"""Bytes of the texts of one archive unpacked: a text takes several times its size while it is read."""
READABLE = (*guard.TEXTS, ".xlsx", ".xlsm", ".xlsb", ".xls", ".ods", ".parquet", ".zip")
"""Names of the files that are taken from a folder."""


def expanded(source: Source) -> list[Source]:
    """The tables of a folder or of a zip archive of texts, in order of their names; anything else is itself.

    Raises InputError is_folder for a folder without a file to read.
    """
    path = source.path
    if source.rows is not None or source.sheet is not None:
        return [source]
    try:
        if path.is_dir():
            files = [p for p in sorted(path.iterdir()) if p.suffix.lower() in READABLE and p.is_file()]
            files = [p for p in files if not p.name.startswith(("~$", "."))]
            if not files:
                raise InputError("input.is_folder", file=path)
            return [s for p in files for s in expanded(Source(p))]
        if path.suffix.lower() != ".zip":
            return [source]
        with zipfile.ZipFile(path) as package:
            names = [i.filename for i in package.infolist()]
    except (OSError, ValueError, zipfile.BadZipFile):
        return [source]  # reading it says what is wrong
    texts = sorted(n for n in names if n.lower().endswith(guard.TEXTS) and not n.startswith("__MACOSX/"))
    return [Source(path, n) for n in texts] if len(texts) > 1 else [source]


def grids(source: Source, data: bytes, members: Sequence[str]) -> Iterator[Grid]:
    """The tables of the archive `data`: of the member that the source names as its sheet, else of all."""
    name = source.path.name
    if source.sheet is not None and source.sheet not in members:
        raise InputError("input.sheet_not_found", file=name, sheet=source.sheet, sheets=", ".join(members))
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        for part in package.infolist():
            if part.filename not in members or source.sheet not in (None, part.filename):
                continue
            if part.file_size > MAX_TEXT:
                raise InputError("input.too_large", file=name)
            yield from delimited.grids(f"{name} › {part.filename}", _content(name, data, part))


def _content(name: str, data: bytes, part: zipfile.ZipInfo) -> bytes:
    try:
        content = b"".join(guard.unpacked(data, part))
    except (zipfile.BadZipFile, zlib.error) as e:
        raise InputError("input.broken_workbook", file=name, reason=e) from None
    if not content.strip(b"\0 \t\r\n\xef\xbb\xbf"):
        raise InputError("input.empty_file", file=f"{name} › {part.filename}")
    return content
