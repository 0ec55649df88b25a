"""The Windows chain under Wine: one prefix, one bundle, one installation for all of these tests.

Run them in one process (-n 0): each process would make its own.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hosts.windows_home import FIGURES, Excel, Home, home_of, script
from hosts.wine import Wine, missing, text_of

from xlfunnel.bundle import bundle
from xlfunnel.errors import InputError

OWNER = r"C:\users\Ann & O'Neil 张三 (x)"
"""A user whose name has all that breaks command lines."""


def _absent(reason: str) -> None:
    if os.environ.get("CI"):
        pytest.fail(f"{reason}: in CI nothing is skipped")
    pytest.skip(reason)


@pytest.fixture(scope="session")
def wine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wine]:
    if missing():
        _absent(f"not on this machine: {', '.join(missing())}")
    made = Wine(tmp_path_factory.mktemp("wine"))
    yield made
    made.close()
    shutil.rmtree(made.folder, ignore_errors=True)


@pytest.fixture(scope="session")
def bundle_zip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    try:
        return bundle(tmp_path_factory.mktemp("bundle") / "xlfunnel-windows.zip").path
    except InputError as e:
        if e.code != "bundle.no_download":
            raise
        _absent(str(e))
        raise


@pytest.fixture(scope="session")
def home(wine: Wine, bundle_zip: Path) -> Home:
    """The user for whom xlfunnel is installed."""
    made = home_of(wine, bundle_zip, OWNER)
    run = made.install()
    assert run.code == 0, run.out
    wine.path(rf"{OWNER}\install.txt").write_text(run.out, "utf-8")
    return made


@pytest.fixture
def open_excel(home: Home) -> Iterator[Callable[[Path], Excel]]:
    """Opens a workbook in the stub, from a folder with spaces, &, ' and Chinese in its path."""
    processes = []

    def opened(path: Path) -> Excel:
        workbook = rf"{home.name}\Documents & 资料\体检 & it's.xlsx"
        file = home.wine.path(workbook)
        file.parent.mkdir(exist_ok=True)
        shutil.copy(path, file)
        process = home.wine.start(home.python, "-W", "ignore", script(home.wine, "stub_excel.py"), workbook)
        processes.append(process)
        assert process.stdout is not None
        line = process.stdout.readline().strip()
        assert line.isdigit(), text_of(line + process.stdout.read())
        return Excel(home, int(line), workbook)

    yield opened
    for process in processes:
        process.kill()
        process.communicate()


@pytest.fixture
def excel(open_excel: Callable[[Path], Excel], demo_book: Path) -> Excel:
    """The demo workbook, open in the stub."""
    return open_excel(demo_book)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """The figures that were measured, one line each."""
    for report in terminalreporter.getreports("passed"):
        for name, value in report.user_properties:
            if str(name).startswith(FIGURES):
                terminalreporter.write_line(f"{name}: {value}")
