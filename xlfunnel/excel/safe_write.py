"""Files replaced in one step: whoever looks sees the old one or the new one, never half of it."""

import filecmp
import os
import shutil
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from xlfunnel.errors import WorkbookError


def refuse_if_held(path: Path) -> None:
    """Raise WorkbookError `workbook.open` if a spreadsheet program holds `path` open.

    Excel leaves an owner file `~$name` beside an open workbook, LibreOffice a `.~lock.name#`.
    """
    path = path.resolve()
    for owner in (path.with_name(f"~${path.name}"), path.with_name(f".~lock.{path.name}#")):
        if owner.exists():
            raise WorkbookError("workbook.open", path=path.name, owner=owner.name)


def refuse_if_open(path: Path) -> None:
    """Raise WorkbookError `workbook.open` as `refuse_if_held`, `workbook.locked` if `path` is write-protected."""
    refuse_if_held(path)
    path = path.resolve()
    # The mode is looked at too: an administrator may write anywhere, but a protected file was meant to stay.
    if path.exists() and (not os.access(path, os.W_OK) or not path.stat().st_mode & 0o222):
        raise WorkbookError("workbook.locked", path=path.name)


def replace_file(path: Path, write: Callable[[BinaryIO], None], *, backup: bool) -> bool:
    """Write a new file beside `path` and let it take its place; False if both were equal and nothing was done.

    backup  keep what was there as `path` + ".bak"
    The mode of an existing file is kept. Raises WorkbookError `workbook.locked`; other OSErrors pass.
    """
    path = path.resolve()
    refuse_if_open(path)
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
    except PermissionError:
        raise WorkbookError("workbook.locked", path=path.name) from None
    part = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        if path.exists() and filecmp.cmp(part, path, shallow=False):
            return False
        _like(path, part)
        if backup and path.exists():
            replace_file(backup_path(path), lambda out: _copy(path, out), backup=False)
        try:
            part.replace(path)
        except PermissionError:
            raise WorkbookError("workbook.locked", path=path.name) from None
        _sync_folder(path.parent)
        return True
    finally:
        part.unlink(missing_ok=True)


def backup_path(path: Path) -> Path:
    """Where the previous state of `path` is kept."""
    return path.with_name(path.name + ".bak")


def _copy(path: Path, out: BinaryIO) -> None:
    with path.open("rb") as file:
        shutil.copyfileobj(file, out, 1 << 20)


def _like(path: Path, part: Path) -> None:
    """Give a new file the mode and owner of the one it replaces, or those of any new file."""
    if not path.exists():
        mask = os.umask(0)
        os.umask(mask)
        part.chmod(0o666 & ~mask)
        return
    state = path.stat()
    if hasattr(os, "chown"):
        with suppress(PermissionError):
            os.chown(part, state.st_uid, state.st_gid)
    part.chmod(state.st_mode & 0o7777)


def _sync_folder(folder: Path) -> None:
    """Make the new name itself last through a power cut, where folders can be opened."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
