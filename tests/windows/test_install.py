"""install.cmd and uninstall.cmd, run by Wine's cmd.exe for a user whose name has spaces, &, ' and Chinese in it."""

import json
from pathlib import Path
from typing import Any

import pytest
from hosts.windows_home import Home, home_of
from hosts.wine import Wine

from xlfunnel import __version__
from xlfunnel.strings import words

pytestmark = pytest.mark.windows

ENTRY = r"Software\Microsoft\Windows\CurrentVersion\Uninstall\xlfunnel"
PLACED = (
    "python/python.exe", "python/xlwings64-0.37.8.dll", "python/xlwings32-0.37.8.dll", "uninstall.cmd", "LICENSE.txt",
    "guide.zh-CN.html", "guide.en.html", "workbook/sample/lx_opportunities.csv", "bundle.json",
)  # fmt: skip
TEMPLATES = ("xlfunnel.zh-CN.xlsm", "xlfunnel.en.xlsm", "xlfunnel.zh-CN.xlsx", "xlfunnel.en.xlsx", "xlfunnel.xlam")


def said(out: str, key: str) -> bool:
    """True if a sentence was printed. Wine's cmd.exe spoils the Chinese one: it knows no chcp 65001."""
    return words("en")(f"bundle.install.{key}").removesuffix(" …") in out


def registry(home: Home, key: str) -> dict[str, Any] | None:
    """All values of a key below HKEY_CURRENT_USER; None if there is no such key."""
    code = (
        "import json, sys, winreg\n"
        "try: k = winreg.OpenKey(winreg.HKEY_CURRENT_USER, sys.argv[1])\n"
        "except OSError: print('null')\n"
        "else: print(json.dumps(dict(winreg.EnumValue(k, i)[:2] for i in range(winreg.QueryInfoKey(k)[1]))))"
    )
    run = home.wine.run(rf"{home.unpacked}\files\python\python.exe", "-c", code, key)
    found: dict[str, Any] | None = json.loads(run.out)
    return found


def test_everything_is_in_its_place(home: Home) -> None:
    place = home.wine.path(home.place)
    for name in PLACED:
        assert (place / name).is_file(), name
    addin = (home.startup / "xlfunnel.xlam").read_bytes()
    assert addin == (Path(__file__).parents[2] / "workbook" / "xlfunnel.xlam").read_bytes()
    for name in TEMPLATES:
        assert not (place / "workbook" / name).stat().st_mode & 0o222, f"{name} can be overwritten"
    assert (place / "xlfunnel.conf").read_text("utf-8").strip() == f'"INTERPRETER_WIN","{home.python}"'
    assert not list(place.rglob("*.old"))


def test_everything_is_compiled_once_and_for_all(home: Home) -> None:
    for folder in ("xlfunnel", "python/Lib/site-packages/pandas/core", "python/Lib/site-packages/xlwings"):
        sources = list(home.wine.path(home.place).joinpath(folder).glob("*.py"))
        assert sources
        for source in sources:
            head = (source.parent / "__pycache__" / f"{source.stem}.cpython-313.pyc").read_bytes()[4:8]
            assert head == b"\1\0\0\0", f"{source}: bytecode that is not valid whatever the date"


def test_windows_knows_how_to_remove_it(home: Home) -> None:
    entry = registry(home, ENTRY)
    assert entry is not None
    assert entry["DisplayVersion"] == __version__
    assert entry["InstallLocation"] == home.place
    assert entry["UninstallString"] == rf'cmd.exe /c ""{home.place}\uninstall.cmd""'


def test_it_says_what_it_does_and_checks_itself(home: Home) -> None:
    out = home.wine.path(rf"{home.name}\install.txt").read_text("utf-8")
    assert all(said(out, key) for key in ("begin", "copying", "compiling", "checking", "done"))
    assert words("zh-CN")("doctor.finding.no_excel") in out
    assert "✗" not in out


def test_every_module_loads_with_what_the_bundle_holds(home: Home) -> None:
    code = (
        "import importlib, pkgutil, xlfunnel\n"
        "names = [m.name for m in pkgutil.walk_packages(xlfunnel.__path__, 'xlfunnel.') if '__main__' not in m.name]\n"
        "[importlib.import_module(n) for n in names]; print(len(names))"
    )
    script = home.wine.path(r"C:\load.py")
    script.write_text(code)
    run = home.run_python(r"C:\load.py")
    assert run.code == 0, run.out
    assert int(run.out) > 50


def test_the_command_line_makes_a_workbook(home: Home) -> None:
    made = rf"{home.name}\demo & more.xlsx"
    run = home.run_python("-m", "xlfunnel", "demo", "-o", made)
    assert run.code == 0, run.out
    assert "y=-15.343x+147.53" in run.out
    assert home.wine.path(made).is_file()


def test_started_inside_the_zip_it_says_to_unpack_first(home: Home) -> None:
    alone = home.wine.path(rf"{home.name}\Temp1_xlfunnel.zip\install.cmd")
    alone.parent.mkdir()
    alone.write_bytes(home.wine.path(rf"{home.unpacked}\install.cmd").read_bytes())
    run = home.double_click(rf"{home.name}\Temp1_xlfunnel.zip\install.cmd")
    assert run.code == 2
    assert said(run.out, "unpack_first")


@pytest.fixture(scope="module")
def other(wine: Wine, bundle_zip: Path) -> Home:
    return home_of(wine, bundle_zip, r"C:\users\Zoë")


def test_from_first_installation_to_removal(other: Home) -> None:
    """In one test, for each step begins where the last one ended and copies 130 MB."""
    place, ours = other.wine.path(other.place), other.wine.path(other.unpacked) / "files" / "xlfunnel"
    assert other.install().code == 0
    (place / "xlfunnel" / "stale.py").write_text("")
    typed = place / "workbook" / "mine.xlsx"
    typed.write_bytes(b"typed by hand")
    before = {p: p.read_bytes() for p in (place / "xlfunnel").glob("*.py")}

    (ours / "log.py").write_text("def (:\n")  # a download that went wrong
    run = other.install()
    assert run.code == 1
    assert said(run.out, "failed")
    assert {p: p.read_bytes() for p in (place / "xlfunnel").glob("*.py")} == before
    assert (other.startup / "xlfunnel.xlam").is_file()
    assert (place / "python" / "python.exe").is_file()

    good = before[place / "xlfunnel" / "log.py"]
    (ours / "log.py").write_bytes(good)
    run = other.install()
    assert run.code == 0, run.out
    assert not (place / "xlfunnel" / "stale.py").exists()
    assert typed.read_bytes() == b"typed by hand"

    run = other.double_click(rf"{other.place}\uninstall.cmd")
    assert said(run.out, "removed")
    assert [p.relative_to(place).as_posix() for p in place.rglob("*")] == ["workbook", "workbook/mine.xlsx"]
    assert not list(other.startup.iterdir())
    assert registry(other, ENTRY) is None
