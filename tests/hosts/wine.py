"""Windows programs on this machine: a Wine prefix of their own, and what Wine lacks for numpy, scipy and Rust.

The bundle's files stay as they are: what is missing is put into the prefix's system folder. It is a Chinese Windows,
code page 936: VBA hands texts to xlwings' DLL and to the shell in that, so a path must survive it.
"""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

SOURCES = Path(__file__).resolve().parent / "windows"
WINE, SERVER = Path("/usr/lib/wine/wine64"), Path("/usr/lib/wine/wineserver64")
COMPILER, LISTER = "x86_64-w64-mingw32-gcc", "x86_64-w64-mingw32-objdump"
OWN = [
    "cabs", "carg", "cimag", "creal", "cacos", "cacosh", "casin", "casinh", "catan", "catanh", "ccos", "ccosh", "cexp",
    "clog", "conj", "cproj", "csin", "csinh", "csqrt", "ctan", "ctanh", "cpow",
]  # fmt: skip

_SETTINGS = {
    "WINEARCH": "win64",
    "WINEDEBUG": "-all",
    # No .NET, no browser, no crash dialog; our ucrtbase first; no WMI, on which platform.machine() waits for a second.
    "WINEDLLOVERRIDES": "mscoree=;mshtml=;winedbg.exe=d;_wmi.pyd=;ucrtbase=n,b",
    "LC_ALL": "zh_CN.UTF-8",
}

_SILENT: dict[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.DEVNULL)


class Run(NamedTuple):
    """How a program ended: exit code, what it printed (both streams), seconds."""

    code: int
    out: str
    seconds: float


def text_of(printed: bytes) -> str:
    """What a program printed; each line is UTF-8 or in the code page of a Chinese Windows."""
    return "\n".join(map(_line, printed.replace(b"\r\n", b"\n").split(b"\n")))


def _line(printed: bytes) -> str:
    try:
        return printed.decode("utf-8")
    except UnicodeDecodeError:
        return printed.decode("gb18030", "replace")


def missing() -> list[str]:
    """What this machine lacks, by Debian's names."""
    lacks = [] if WINE.exists() and SERVER.exists() else ["wine64"]
    lacks += [] if Path("/usr/share/i18n/locales/zh_CN").exists() else ["locales"]
    return lacks + ([] if shutil.which(COMPILER) and shutil.which(LISTER) else ["gcc-mingw-w64-x86-64-win32"])


class Wine:
    """A Windows of one's own in a folder. `close` ends everything that runs in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "LC_", "LANG", "XLFUNNEL", "WINE"))}
        locales = folder / "locale"
        locales.mkdir(parents=True)
        made = ["localedef", "-i", "zh_CN", "-f", "UTF-8", "--no-archive", locales / "zh_CN.UTF-8"]
        subprocess.run(made, check=True, **_SILENT)
        self._env = {**kept, **_SETTINGS, "WINEPREFIX": str(folder), "LOCPATH": str(locales)}
        self._quietly(WINE, "wineboot", "-i")
        self._quietly(WINE, "winecfg", "-v", "win10")
        self._quietly(WINE, "reg", "add", r"HKCU\Software\Wine\Drivers", "/v", "Graphics", "/d", "null", "/f")
        self._quietly(SERVER, "-w")
        _build_runtime(self.system)
        # The server and Windows' services live on between programs. They are started here without pipes: a service
        # that had inherited a program's pipe would hold it open, and whoever reads it would wait for ever.
        self._quietly(SERVER, "-p")
        self._quietly(WINE, "cmd.exe", "/c", "exit")
        self._desktop = subprocess.Popen([WINE, "explorer.exe", "/desktop"], env=self._env, **_SILENT)

    @property
    def system(self) -> Path:
        """Windows' system folder."""
        return self.folder / "drive_c" / "windows" / "system32"

    def path(self, inside: str) -> Path:
        """The path here of a Windows path on drive C."""
        drive, _, rest = inside.partition(":\\")
        assert drive.upper() == "C", inside
        return self.folder / "drive_c" / rest.replace("\\", "/")

    def run(self, *command: str, timeout: float = 120) -> Run:
        """Run a program with its arguments. Raises TimeoutExpired after ending it."""
        return self._finish(self.start(*command), timeout)

    def start(self, *command: str, stdin: int = subprocess.DEVNULL) -> subprocess.Popen[bytes]:
        """Start a program; its output comes through a pipe, as Windows Python under Wine needs it."""
        return subprocess.Popen(
            [WINE, *command], stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=self._env
        )

    def line(self, python: str, line: str, env: Mapping[str, str] | None = None, timeout: float = 120) -> Run:
        """Run a command line exactly as written, as CreateProcess gets it from a double click or from VBA.

        `python` (a Windows path) only hands it on: arguments given from here would be quoted anew.
        """
        handed = "import json, os, subprocess, sys; line, env = json.loads(sys.argv[1]); " \
            "sys.exit(subprocess.call(line, env={**os.environ, **env}))"  # fmt: skip
        return self.run(python, "-I", "-c", handed, json.dumps([line, dict(env or {})]), timeout=timeout)

    def close(self) -> None:
        """End whatever runs in this prefix, and nothing else."""
        subprocess.run([SERVER, "-k"], env=self._env, check=False, **_SILENT)
        self._desktop.wait(30)

    def _finish(self, process: subprocess.Popen[bytes], timeout: float) -> Run:
        began = time.monotonic()
        try:
            out, _ = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        return Run(process.returncode, text_of(out), time.monotonic() - began)

    def _quietly(self, *command: str | Path) -> None:
        subprocess.run(command, env=self._env, check=True, timeout=120, **_SILENT)


def _build_runtime(system: Path) -> None:
    """Put our ucrtbase.dll before Wine's, which goes on under another name, and add the DLL of random numbers."""
    theirs, ours = system / "ucrtwine.dll", system / "ucrtbase.dll"
    ours.rename(theirs)
    own = {f"{name}{kind}": f"own_{name}{'f' if kind == 'f' else ''}" for name in OWN for kind in ("", "f", "l")}
    exports = "".join(f"{name}={own.get(name, f'ucrtwine.{name}')}\n" for name in _exports(theirs))
    definition = system / "ucrtbase.def"
    definition.write_text(f"LIBRARY ucrtbase\nEXPORTS\n{exports}", "ascii")
    _compile(ours, SOURCES / "ucrt.c", definition)
    _compile(system / "bcryptprimitives.dll", SOURCES / "prng.c", "-ladvapi32")


def _exports(dll: Path) -> Sequence[str]:
    listed = subprocess.run([LISTER, "-p", dll], capture_output=True, text=True, check=True).stdout
    table = listed.partition("[Ordinal/Name Pointer] Table")[2].partition("\n\n")[0]
    return [row[-1] for line in table.splitlines() if (row := line.split())]


def _compile(dll: Path, *sources: Path | str) -> None:
    subprocess.run([COMPILER, "-O2", "-s", "-static-libgcc", "-shared", "-o", dll, *sources], check=True)
