"""Looks over an installation: may Excel's buttons and functions work here, and if not, why?

Findings are data; their sentences stand in strings/<language>/doctor.toml under the finding's code. What can hang or
break (the imports of the UDF server) is tried in a process of its own with a time limit. `python -m xlfunnel.doctor`
needs nothing but the standard library, for it must speak when the libraries are damaged.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from xlfunnel import __version__
from xlfunnel.arguments import system_language
from xlfunnel.excel.vba_text import xlwings_version
from xlfunnel.installed import marked
from xlfunnel.log import log_path, state_folder
from xlfunnel.strings import Words, words

Registry = Callable[[str, str], str | int | None]
"""(key, such as HKCU\\Software\\…; name, "" = the default value) -> value, None if there is none."""

_OFFICES = ("16.0", "15.0")
_EXCEL = r"Software\Microsoft\Office\{}\Excel\Security"
_POLICY = r"Software\Policies\Microsoft\Office\{}\Excel\Security"
_SECONDS = 60.0
_NO_WINDOW: int = getattr(subprocess, "CREATE_NO_WINDOW", 0)
_WORKBOOKS = (".xlsm", ".xlam", ".xlsx")


class Level(StrEnum):
    """What a finding means: nothing to do; worth knowing, or solved by hand; it cannot work like this."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. `code` is the key of its sentence under `doctor.`, `params` fill it in."""

    code: str
    level: Level
    params: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class DoctorReport:
    """All findings, in the order in which they were made."""

    findings: tuple[Finding, ...]

    @property
    def level(self) -> Level:
        """The worst of them."""
        return max((f.level for f in self.findings), key=list(Level).index, default=Level.OK)


@dataclass(frozen=True)
class Machine:
    """What is looked over.

    interpreter  the Python at work
    home         the folder of the installation
    startup      Excel's folder of add-ins that it opens by itself; None where there is no Excel
    registry     None where there is none
    seconds      how long the UDF server may take to import
    """

    interpreter: Path
    home: Path
    log: Path
    startup: Path | None = None
    registry: Registry | None = None
    seconds: float = _SECONDS


def this_machine() -> Machine:
    """The machine and the Python that this runs on."""
    windows = sys.platform == "win32"
    roaming = os.environ.get("APPDATA")
    return Machine(
        Path(sys.executable),
        state_folder(),
        log_path(),
        Path(roaming) / "Microsoft" / "Excel" / "XLSTART" if windows and roaming else None,
        _windows_registry if windows else None,
    )


def diagnose(machine: Machine | None = None) -> DoctorReport:
    """Look everything over. Takes as long as the UDF server takes to import, `machine.seconds` at most."""
    found = machine or this_machine()
    return DoctorReport(tuple(finding for check in CHECKS for finding in check(found)))


def sentences(report: DoctorReport, say: Words) -> list[str]:
    """One line a finding: its level and its sentence."""
    return [f"{say(f'doctor.level.{f.level}')} {say(f'doctor.finding.{f.code}', **f.params)}" for f in report.findings]


def _interpreter(machine: Machine) -> Iterator[Finding]:
    used = {"path": machine.interpreter, "version": ".".join(map(str, sys.version_info[:3]))}
    yield Finding("python", Level.OK, used)
    if machine.registry is None:
        return
    named = _named_interpreter(machine.home / "xlfunnel.conf")
    if named is None:
        yield Finding("no_conf", Level.WARN, {"path": machine.home / "xlfunnel.conf"})
    elif not Path(named).is_file():
        yield Finding("no_interpreter", Level.FAIL, {"path": named})
    elif not Path(named).samefile(machine.interpreter):
        yield Finding("other_interpreter", Level.WARN, {"path": machine.interpreter, "named": named})


def _named_interpreter(conf: Path) -> str | None:
    """The interpreter in a file of xlwings' form: lines of "KEY","value"."""
    try:
        lines = conf.read_text("utf-8-sig").splitlines()
    except (OSError, ValueError):
        return None
    pairs = (line.strip().strip('"').split('","', 1) for line in lines)
    return next((pair[1] for pair in pairs if len(pair) == 2 and pair[0] == "INTERPRETER_WIN"), None)


def _versions(machine: Machine) -> Iterator[Finding]:
    try:
        library = version("xlwings")
    except PackageNotFoundError:
        yield Finding("no_xlwings", Level.FAIL, {"version": __version__})
        return
    yield Finding("versions", Level.OK, {"version": __version__, "xlwings": library})
    if machine.registry is None:
        return
    dll = machine.interpreter.with_name(f"xlwings64-{library}.dll")
    if not dll.is_file():
        yield Finding("no_library", Level.FAIL, {"path": dll})
    if find_spec("olefile") is None:
        return  # the server's imports will fail and say so
    for workbook in _ours(machine):
        built = xlwings_version(workbook)
        if built not in (None, library):
            params = {"path": workbook.name, "built": built, "xlwings": library}
            yield Finding("other_macros", Level.FAIL, params)


def _server(machine: Machine) -> Iterator[Finding]:
    """Import all that the UDF server and the buttons need, in a process that may hang or die."""
    modules = ["xlfunnel.udfs", "xlfunnel.macros", *(["xlwings.com_server"] if machine.registry else [])]
    late = "from openpyxl import load_workbook"  # loaded only where a file asks for it, but then it must be there
    command = [str(machine.interpreter), "-B", "-c", f"import {', '.join(modules)}; {late}"]
    began = time.perf_counter()
    with tempfile.TemporaryFile() as errors:  # not a pipe: whatever else the child starts could hold it open for ever
        try:
            child = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=errors, stderr=errors, creationflags=_NO_WINDOW
            )
        except OSError as e:
            yield Finding("server_broken", Level.FAIL, {"reason": e})
            return
        try:
            code = child.wait(machine.seconds)
        except subprocess.TimeoutExpired:
            child.kill()
            yield Finding("server_slow", Level.FAIL, {"seconds": f"{machine.seconds:g}"})
            return
        errors.seek(0)
        told = errors.read().decode("utf-8", "replace").strip().splitlines()
    if code:
        yield Finding("server_broken", Level.FAIL, {"reason": told[-1] if told else f"exit code {code}"})
    else:
        yield Finding("server", Level.OK, {"seconds": f"{time.perf_counter() - began:.1f}"})


def _log(machine: Machine) -> Iterator[Finding]:
    try:
        machine.log.parent.mkdir(parents=True, exist_ok=True)
        with machine.log.open("a"):
            pass
    except OSError as e:
        yield Finding("no_log", Level.WARN, {"path": machine.log, "reason": e.strerror or e})
    else:
        yield Finding("log", Level.OK, {"path": machine.log})


def _excel(machine: Machine) -> Iterator[Finding]:
    """Which program answers when "Excel.Application" is asked for: WPS registers itself under that name."""
    if machine.registry is None:
        return
    clsid = machine.registry(r"HKCR\Excel.Application\CLSID", "")
    server = machine.registry(rf"HKCR\CLSID\{clsid}\LocalServer32", "") if clsid else None
    if not server:
        yield Finding("no_excel", Level.WARN)
    elif any(word in str(server).lower() for word in ("wps", "kingsoft", r"\et.exe", r"office6")):
        yield Finding("wps", Level.FAIL, {"path": server})
    else:
        yield Finding("excel", Level.OK, {"path": server})


def _macros(machine: Machine) -> Iterator[Finding]:
    """May macros run? A policy of the organisation wins over the user's own choice."""
    if machine.registry is None:
        return
    for office in _OFFICES:
        for root, code in ((_POLICY, "macros_by_policy"), (_EXCEL, "macros_off")):
            setting = machine.registry(rf"HKCU\{root.format(office)}", "VBAWarnings")
            if setting is None:
                continue
            if setting == 4:
                yield Finding(code, Level.FAIL, {"office": office})
            elif setting == 3:
                yield Finding("macros_signed", Level.FAIL, {"office": office})
            break


def _files(machine: Machine) -> Iterator[Finding]:
    """The add-in where Excel looks for it, and no file of ours that Office holds for a download."""
    if machine.startup is None:
        return
    addin = machine.startup / "xlfunnel.xlam"
    if addin.is_file():
        yield Finding("addin", Level.OK, {"path": addin})
    else:
        yield Finding("no_addin", Level.WARN, {"path": addin})
    blocked = [path.name for path in marked(_ours(machine))]
    if blocked:
        yield Finding("marked", Level.WARN, {"files": ", ".join(blocked)})


def _ours(machine: Machine) -> list[Path]:
    """The workbooks and the add-in of the installation."""
    addin = [machine.startup / "xlfunnel.xlam"] if machine.startup else []
    placed = sorted((machine.home / "workbook").glob("xlfunnel.*"))
    return [p for p in (*addin, *placed) if p.is_file() and p.suffix in _WORKBOOKS]


CHECKS: tuple[Callable[[Machine], Iterator[Finding]], ...] = (
    _interpreter, _versions, _server, _log, _excel, _macros, _files,
)  # fmt: skip


def _windows_registry(key: str, name: str) -> str | int | None:
    if sys.platform != "win32":
        return None
    import winreg

    root, _, rest = key.partition("\\")
    roots = {"HKCR": winreg.HKEY_CLASSES_ROOT, "HKCU": winreg.HKEY_CURRENT_USER}
    try:
        with winreg.OpenKey(roots[root], rest) as opened:
            value, _ = winreg.QueryValueEx(opened, name)
    except OSError:
        return None
    return value if isinstance(value, (str, int)) else None


def main() -> int:
    """Print what was found, in the system's language; 1 if something cannot work."""
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")
    report = diagnose()
    print("\n".join(sentences(report, words(system_language()))))
    return 1 if report.level == Level.FAIL else 0


if __name__ == "__main__":
    sys.exit(main())
