"""Files in, grids of cells out. Everything that can be wrong with a file is one InputError, never another exception."""

import io
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

from python_calamine import CalamineWorkbook, PasswordError, SheetTypeEnum, SheetVisibleEnum

from xlfunnel.crm import delimited, guard
from xlfunnel.crm.grid import Grid
from xlfunnel.crm.intake import Source
from xlfunnel.errors import InputError

MAX_BYTES = 1 << 30
"""Size of a file that is read at all."""

_T = TypeVar("_T")
_ZIP = b"PK\x03\x04"
_EMPTY_ZIP = b"PK\x05\x06"
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_WORKBOOK_NAMES = (".xlsx", ".xlsm", ".xltx", ".xltm")
_OTHER_NAMES = (".xls", ".xlsb", ".ods", ".numbers", ".pdf", ".doc", ".docx", ".json", ".html", ".htm", ".xml")


def grids(source: Source) -> Iterator[Grid]:
    """The tables that `source` may hold, likeliest first: sheets of a workbook, or readings of a text.

    Raises InputError: missing_file, is_folder, locked, lock_file, empty_file, too_large, encrypted, not_supported,
    not_a_workbook, broken_workbook, no_sheets, sheet_not_found, undecodable, broken_text (all under `input.`).
    """
    if source.rows is not None:
        yield _given(source, source.rows)
        return
    name, data = source.path.name, _bytes(source.path)
    if data.startswith(_OLE):
        raise InputError("input.encrypted" if _ENCRYPTED in data else "input.not_supported", file=name)
    if data.startswith((_ZIP, _EMPTY_ZIP)):
        yield from _workbook(source, data)
        return
    if source.path.suffix.lower() in _WORKBOOK_NAMES:
        raise InputError("input.not_a_workbook", file=name)
    if source.path.suffix.lower() in _OTHER_NAMES or data.lstrip()[:1] == b"<":
        raise InputError("input.not_supported", file=name)
    if source.sheet is not None:
        raise InputError("input.sheet_not_found", file=name, sheet=source.sheet, sheets="-")
    yield from delimited.grids(name, data)


def _given(source: Source, rows: Sequence[Sequence[object]]) -> Grid:
    """Rows that somebody else has read; blanks as the parser gives them."""
    name = source.path.name if source.sheet is None else f"{source.path.name} › {source.sheet}"
    cells = [["" if v is None else v for v in row] for row in rows]
    return Grid(name, source.sheet or source.path.name, lambda: cells)


def _bytes(path: Path) -> bytes:
    try:
        if path.is_dir():
            raise InputError("input.is_folder", file=path)
        if path.name.startswith("~$"):
            raise InputError("input.lock_file", file=path.name, workbook=path.name[2:])
        if path.stat().st_size > MAX_BYTES:
            raise InputError("input.too_large", file=path.name)
        data = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise InputError("input.missing_file", file=path) from None
    except PermissionError:
        raise InputError("input.locked", file=path.name) from None
    except (OSError, ValueError) as e:
        raise InputError("input.unreadable", file=path, reason=getattr(e, "strerror", None) or e) from None
    if not data.strip(b"\0 \t\r\n\xef\xbb\xbf"):
        raise InputError("input.empty_file", file=path.name)
    return data


def _workbook(source: Source, data: bytes) -> Iterator[Grid]:
    name = source.path.name
    epoch_1904 = guard.checked(name, data)
    book = _parsed(name, lambda: CalamineWorkbook.from_filelike(io.BytesIO(data)))
    sheets = [s for s in book.sheets_metadata if s.typ == SheetTypeEnum.WorkSheet]
    if source.sheet is not None:
        chosen = [s.name for s in sheets if s.name == source.sheet]
        if not chosen:
            known = ", ".join(s.name for s in sheets)
            raise InputError("input.sheet_not_found", file=name, sheet=source.sheet, sheets=known)
    else:
        chosen = [s.name for s in sheets if s.visible == SheetVisibleEnum.Visible]
        if not chosen:
            raise InputError("input.no_sheets", file=name)
    kind = source.path.suffix.lower().lstrip(".") or "xlsx"
    for sheet in chosen:
        label = f"{name} › {sheet}"
        yield Grid(label, f"{kind} › {sheet}", _Sheet(book, label, sheet), epoch_1904)


class _Sheet:
    """The rows of one sheet, parsed when first asked for."""

    def __init__(self, book: CalamineWorkbook, label: str, sheet: str) -> None:
        self._parse = partial(_parsed, label, partial(_rows, book, sheet))
        self._rows: Sequence[Sequence[object]] | None = None

    def __call__(self) -> Sequence[Sequence[object]]:
        if self._rows is None:
            self._rows = self._parse()
        return self._rows


def _rows(book: CalamineWorkbook, sheet: str) -> Sequence[Sequence[object]]:
    return book.get_sheet_by_name(sheet).to_python(skip_empty_area=False)


def _parsed(name: str, work: Callable[[], _T]) -> _T:
    """What the parser makes of it. Its panics are no Exception, so everything but a stop by the user is caught."""
    try:
        return work()
    except PasswordError:
        raise InputError("input.encrypted", file=name) from None
    except (KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except MemoryError:
        raise InputError("input.too_large", file=name) from None
    except BaseException as e:
        raise InputError("input.broken_workbook", file=name, reason=e) from None
