"""What does not work is said, at once: a damaged installation, WPS in Excel's place, macros turned off."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hosts.windows_home import Home
from hosts.wine import Run

from xlfunnel.strings import words

pytestmark = pytest.mark.windows

SAY = words("zh-CN")
PREFLIGHT = '"{python}" -B -c "import xlwings.com_server"'
"""What the ribbon's VBA runs before it dares to start the server inside Excel."""


@contextmanager
def away(path: Path) -> Iterator[None]:
    aside = path.with_name(path.name + ".away")
    path.rename(aside)
    try:
        yield
    finally:
        aside.rename(path)


def doctor(home: Home, *, code: int) -> Run:
    run = home.run_python("-m", "xlfunnel.doctor")
    assert run.code == code, run.out
    return run


def lines(run: Run, level: str) -> list[str]:
    return [line for line in run.out.splitlines() if line.startswith(level)]


def test_a_sound_installation_is_found_sound(home: Home) -> None:
    run = doctor(home, code=0)
    assert not lines(run, "✗")
    assert SAY("doctor.finding.python", version="3.13.2", path=home.python) in run.out


@pytest.mark.parametrize("lost", ["pandas/_libs/lib.cp313-win_amd64.pyd", "xlwings/udfs.py", "openpyxl/__init__.py"])
def test_a_library_that_is_damaged_is_named(home: Home, lost: str) -> None:
    with away(home.wine.path(home.place) / "python/Lib/site-packages" / lost):
        run = doctor(home, code=1)
    (line,) = lines(run, "✗")
    assert line.startswith("✗ " + SAY("doctor.finding.server_broken", reason="·").partition("·")[0])
    assert "Error" in line


def test_vba_learns_from_the_preflight_and_does_not_start_the_server(home: Home) -> None:
    line = PREFLIGHT.format(python=home.python)
    assert home.vba(shell=line) == 0
    with away(home.wine.path(home.place) / "python/Lib/site-packages/win32com/server"):
        assert home.vba(shell=line) != 0


def test_a_lost_dll_is_named(home: Home) -> None:
    with away(home.wine.path(home.place) / "python/xlwings64-0.37.8.dll"):
        run = doctor(home, code=1)
    path = home.python.replace("python.exe", "xlwings64-0.37.8.dll")
    assert lines(run, "✗") == ["✗ " + SAY("doctor.finding.no_library", path=path)]


def test_a_server_that_does_not_come_up_is_given_up(home: Home) -> None:
    code = (
        "import dataclasses; from xlfunnel import doctor; from xlfunnel.strings import words;"
        "m = dataclasses.replace(doctor.this_machine(), seconds=1);"
        "print(*doctor.sentences(doctor.diagnose(m), words('zh-CN')), sep='\\n')"
    )
    # A second, not less: Wine may hang on a process that is killed while it is still being set up.
    run = home.run_python("-c", code)
    assert "✗ " + SAY("doctor.finding.server_slow", seconds="1") in run.out


def looked_up(home: Home) -> str:
    """What is made of the registry; the server is not tried each time."""
    code = (
        "from xlfunnel import doctor; from xlfunnel.strings import words; m = doctor.this_machine();"
        "found = (f for c in doctor.CHECKS if c.__name__ in ('_excel', '_macros') for f in c(m));"
        "print(*doctor.sentences(doctor.DoctorReport(tuple(found)), words('zh-CN')), sep='\\n')"
    )
    return home.run_python("-c", code).out


@contextmanager
def registered(home: Home, key: str, name: str, value: str, kind: str = "REG_SZ") -> Iterator[None]:
    named = ("/v", name) if name else ("/ve",)
    assert home.wine.run("reg", "add", key, *named, "/t", kind, "/d", value, "/f").code == 0
    try:
        yield
    finally:
        home.wine.run("reg", "delete", key, "/f")


def test_wps_in_the_place_of_excel_is_found(home: Home) -> None:
    clsid, server = "{45540001-5750-5300-4B49-4E47534F4655}", r"C:\Kingsoft\WPS Office\office6\et.exe /Automation"
    classes = "HKCR"
    with (
        registered(home, rf"{classes}\Excel.Application\CLSID", "", clsid),
        registered(home, rf"{classes}\CLSID\{clsid}\LocalServer32", "", server),
    ):
        assert "✗ " + SAY("doctor.finding.wps", path=server) in looked_up(home)


@pytest.mark.parametrize(
    ("key", "value", "code"),
    [
        (r"Software\Policies\Microsoft\Office\16.0\Excel\Security", "4", "macros_by_policy"),
        (r"Software\Microsoft\Office\16.0\Excel\Security", "4", "macros_off"),
        (r"Software\Microsoft\Office\16.0\Excel\Security", "3", "macros_signed"),
    ],
)
def test_macros_turned_off_are_found(home: Home, key: str, value: str, code: str) -> None:
    with registered(home, rf"HKCU\{key}", "VBAWarnings", value, "REG_DWORD"):
        assert "✗ " + SAY(f"doctor.finding.{code}", office="16.0") in looked_up(home)
    assert "✗" not in looked_up(home)
