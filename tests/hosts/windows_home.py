"""A Windows user under Wine: the bundle unpacked, xlfunnel installed, Excel's stub with a workbook open."""

import json
import shutil
from pathlib import Path
from typing import Any, NamedTuple
from zipfile import ZipFile

from hosts import vba_strings
from hosts.wine import SOURCES, Run, Wine

FIGURES = "windows: "
"""How a figure's name begins that the end of the run prints."""


class Home(NamedTuple):
    """A Windows user: where things are, as Windows and as we name them."""

    wine: Wine
    name: str
    unpacked: str

    @property
    def environment(self) -> dict[str, str]:
        local = rf"{self.name}\AppData\Local"
        return {"LOCALAPPDATA": local, "APPDATA": rf"{self.name}\AppData\Roaming", "USERPROFILE": self.name,
                "TEMP": rf"{local}\Temp", "TMP": rf"{local}\Temp"}  # fmt: skip

    @property
    def place(self) -> str:
        """Where xlfunnel is installed."""
        return rf"{self.name}\AppData\Local\xlfunnel"

    @property
    def python(self) -> str:
        return rf"{self.place}\python\python.exe"

    @property
    def startup(self) -> Path:
        return self.wine.path(rf"{self.name}\AppData\Roaming\Microsoft\Excel\XLSTART")

    def double_click(self, script: str, timeout: float = 240) -> Run:
        """A .cmd file as Explorer starts it, but without questions."""
        line = f'cmd.exe /c ""{script}" /quiet"'
        return self.wine.line(rf"{self.unpacked}\files\python\python.exe", line, self.environment, timeout)

    def install(self) -> Run:
        return self.double_click(rf"{self.unpacked}\install.cmd")

    def run_python(self, *arguments: str, timeout: float = 120) -> Run:
        """The installed Python, as this user."""
        quoted = " ".join(f'"{a}"' for a in arguments)
        return self.wine.line(self.python, f'"{self.python}" -X utf8 {quoted}', self.environment, timeout)

    def vba(self, **request: Any) -> Any:
        """Have `as_vba.py` do something; its answer."""
        file = self.wine.path(r"C:\request.json")
        file.write_text(json.dumps(request), "utf-8")
        run = self.run_python(script(self.wine, "as_vba.py"), r"C:\request.json")
        assert run.code == 0, run.out + self.log()
        return json.loads(run.out.splitlines()[-1])

    def python_of_vba(self, workbook: str, *steps: list[Any], hwnd: int = 0) -> Any:
        """Steps in the Python that xlwings' DLL starts by VBA's own command."""
        dll = self.python.replace("python.exe", "xlwings64-0.37.8.dll")
        command = vba_strings.server_command(self.python, workbook)
        return self.vba(dll=dll, command=command, hwnd=hwnd, steps=steps)

    def log(self) -> str:
        path = self.wine.path(rf"{self.place}\log\xlfunnel.log")
        return path.read_text("utf-8") if path.exists() else ""


def script(wine: Wine, name: str) -> str:
    """The Windows path of a copy of one of our scripts for Windows Python."""
    shutil.copy(SOURCES / name, wine.path(rf"C:\{name}"))
    return rf"C:\{name}"


class Excel(NamedTuple):
    """The stub with one workbook open."""

    home: Home
    hwnd: int
    workbook: str

    def click_alone(self, command: str) -> Any:
        """RunPython in a process of its own, by the very line of xlwings' VBA."""
        values = {
            "ThisWorkbook.Name": self.workbook.rpartition("\\")[2], "Application.Hwnd": str(self.hwnd),
            "Application.Name": "Microsoft Excel", "Application.Path": r"C:\Program Files\Microsoft Office\Office16",
            "LOG_FILE": rf"{self.home.environment['TEMP']}\xlwings-{self.hwnd}.log",
        }  # fmt: skip
        return self.home.vba(shell=vba_strings.run_python_alone(command, self.home.python, values))

    def python_of_vba(self, *steps: list[Any]) -> Any:
        return self.home.python_of_vba(self.workbook, *steps, hwnd=self.hwnd)


def home_of(wine: Wine, bundle_zip: Path, name: str) -> Home:
    """A new user who has unpacked the bundle."""
    home = Home(wine, name, rf"{name}\Down loads\xlfunnel-windows 1 & 2")
    with ZipFile(bundle_zip) as packed:
        packed.extractall(wine.path(home.unpacked))
    wine.path(home.environment["TEMP"]).mkdir(parents=True)
    return home
