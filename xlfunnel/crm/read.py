"""Files in, grids of cells out. Everything that can be wrong with a file is one InputError, never another exception."""

import io
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from python_calamine import CalamineSheet, CalamineWorkbook, PasswordError, SheetTypeEnum, SheetVisibleEnum

from xlfunnel.crm import delimited, guard, packed
from xlfunnel.crm.grid import Grid
from xlfunnel.crm.guard import Kind
from xlfunnel.crm.intake import Source
from xlfunnel.errors import InputError

MAX_BYTES = 1 << 30
"""Size of a file that is read at all."""

_T = TypeVar("_T")
_ZIP = b"PK\x03\x04"
_EMPTY_ZIP = b"PK\x05\x06"
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_PARQUET = b"PAR1"
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_WORKBOOK_STREAMS = tuple(s.encode("utf-16-le") for s in ("Workbook", "Book"))
_WORKBOOK_NAMES = (".xlsx", ".xlsm", ".xltx", ".xltm", ".xlsb", ".ods", ".xls")
_OTHER_NAMES = (".numbers", ".pdf", ".doc", ".docx", ".json", ".html", ".htm", ".xml", ".gz", ".7z", ".rar")


def grids(source: Source) -> Iterator[Grid]:
    """The tables that `source` may hold, likeliest first: sheets of a workbook, or readings of a text. Sheets that are
    hidden come last and are marked.

    Raises InputError: missing_file, is_folder, locked, lock_file, empty_file, too_large, encrypted, not_supported,
    not_a_workbook, broken_workbook, unsafe_xml, no_sheets, sheet_not_found, undecodable, broken_text, no_parquet,
    broken_parquet, no_texts (all under `input.`).
    """
    if source.tables is not None:
        yield from source.tables()
        return
    if source.rows is not None:
        yield _given(source, source.rows)
        return
    name, data, suffix = source.path.name, _bytes(source.path), source.path.suffix.lower()
    if data.startswith(_OLE):
        yield from _old_workbook(source, data)
    elif data.startswith((_ZIP, _EMPTY_ZIP)):
        package = guard.checked(name, data)
        if package.kind == Kind.TEXTS:
            yield from packed.grids(source, data, package.texts)
        else:
            yield from _workbook(source, data, package)
    elif data.startswith(_PARQUET) and suffix not in guard.TEXTS:
        from xlfunnel.crm import parquet  # loads numpy, before which any other file can be opened

        yield parquet.grid(name, data)
    elif suffix in _WORKBOOK_NAMES and not (suffix == ".xls" and data.lstrip()[:1] == b"<"):
        raise InputError("input.not_a_workbook", file=name)
    elif suffix in (*_OTHER_NAMES, ".xls") or data.lstrip()[:1] == b"<":
        raise InputError("input.not_supported", file=name)
    elif source.sheet is not None:
        raise InputError("input.sheet_not_found", file=name, sheet=source.sheet, sheets="-")
    else:
        yield from delimited.grids(name, data)


def begun(source: Source) -> Source:
    """The source with its tables being opened, and the first of them parsed, from now on while others work.

    The parser holds no interpreter lock: what it takes is gained. Who asks for the tables is told what `grids` raises.
    """

    def opened() -> Sequence[Grid]:
        tables = list(grids(source))
        tables[0].rows()
        return tables

    pool = ThreadPoolExecutor(1)
    tables = pool.submit(opened)
    pool.shutdown(wait=False)
    return replace(source, tables=tables.result)


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


def _old_workbook(source: Source, data: bytes) -> Iterator[Grid]:
    """An OLE container: encrypted, a workbook of Excel 97-2003, or neither."""
    name = source.path.name
    if _ENCRYPTED in data:
        raise InputError("input.encrypted", file=name)
    if not any(stream in data for stream in _WORKBOOK_STREAMS):
        raise InputError("input.not_supported", file=name)
    yield from _sheets(source, "xls", _parsed(name, lambda: CalamineWorkbook.from_filelike(io.BytesIO(data))), False)


def _workbook(source: Source, data: bytes, package: guard.Package) -> Iterator[Grid]:
    name = source.path.name
    suffix = source.path.suffix.lower().lstrip(".")
    kind = suffix if package.kind == Kind.XLSX and suffix else package.kind.value
    if package.is_wide:
        yield from _wide(source, data, package.epoch_1904)
        return
    book = _parsed(name, lambda: CalamineWorkbook.from_filelike(io.BytesIO(data)))
    yield from _sheets(source, kind, book, package.epoch_1904)


def _sheets(source: Source, kind: str, book: CalamineWorkbook, epoch_1904: bool) -> Iterator[Grid]:
    sheets = {
        s.name: s.visible == SheetVisibleEnum.Visible for s in book.sheets_metadata if s.typ == SheetTypeEnum.WorkSheet
    }
    for sheet, is_visible in _chosen(source, sheets).items():
        label = f"{source.path.name} › {sheet}"
        rows = _Sheet(label, partial(book.get_sheet_by_name, sheet))
        yield Grid(label, f"{kind} › {sheet}", rows, epoch_1904, is_hidden=not is_visible)


def _wide(source: Source, data: bytes, epoch_1904: bool) -> Iterator[Grid]:
    """A workbook whose XML is UTF-16, which only the slow parser reads."""
    from openpyxl import load_workbook  # which takes its time to load, and is hardly ever needed

    name = source.path.name
    book = _parsed(name, lambda: load_workbook(io.BytesIO(data), read_only=True, data_only=True))
    sheets = {s.title: s.sheet_state == "visible" for s in book.worksheets}
    for sheet, is_visible in _chosen(source, sheets).items():
        label = f"{name} › {sheet}"
        rows = _parsed(label, partial(_values, book, sheet))
        yield Grid(label, f"xlsx › {sheet}", partial(iter, rows), epoch_1904, is_hidden=not is_visible)


def _values(book: Any, sheet: str) -> list[list[object]]:
    return [["" if c is None else c for c in row] for row in book[sheet].values]


def _chosen(source: Source, sheets: dict[str, bool]) -> dict[str, bool]:
    """The sheets to look at: the one that was named (as if it were visible), else all, visible ones first."""
    if source.sheet is not None:
        if source.sheet not in sheets:
            shown = ", ".join(sheets) or "-"
            raise InputError("input.sheet_not_found", file=source.path.name, sheet=source.sheet, sheets=shown)
        return {source.sheet: True}
    if not sheets:
        raise InputError("input.no_sheets", file=source.path.name)
    return dict(sorted(sheets.items(), key=lambda s: not s[1]))


class _Sheet:
    """The rows of one sheet, parsed when first asked for; they are handed out one by one, not all at once."""

    def __init__(self, label: str, open_sheet: Callable[[], CalamineSheet]) -> None:
        self._open = partial(_parsed, label, open_sheet)
        self._sheet: CalamineSheet | None = None

    def __call__(self) -> Iterator[Sequence[object]]:
        if self._sheet is None:
            self._sheet = self._open()
        if self._sheet.start is None:
            return iter(())
        before = [""] * self._sheet.start[1]
        rows = self._sheet.iter_rows()
        return ([*before, *row] for row in rows) if before else rows


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
