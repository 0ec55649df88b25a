"""What every test may ask for."""

import os
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import xlwings as xw
from hypothesis import settings
from ran import Run

if TYPE_CHECKING:
    from clicked import Office

settings.register_profile("unhurried", deadline=None)  # no test depends on how busy the machine is
settings.load_profile("unhurried")

# Spark for a minute: compiling to the last costs more than it gains.
os.environ.setdefault(
    "PYSPARK_SUBMIT_ARGS", '--driver-java-options "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC" pyspark-shell'
)

SHARED = Path(__file__).resolve().parents[1].parent / "shared"


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real and hostile data beside the repository; in CI it must be there."""
    if not SHARED.is_dir():
        if os.environ.get("CI"):
            pytest.fail(f"{SHARED} is missing: in CI nothing is skipped")
        pytest.skip(f"no folder of test data at {SHARED}")
    return SHARED


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """In CI nothing is skipped: a skip is a failure with the skip's reason."""
    report = yield
    if os.environ.get("CI") and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome, report.longrepr = "failed", f"in CI nothing is skipped: {report.longrepr}"
    return report


HISTORY = """\
Opportunity ID,Region,Owner,Stage,Entered,Left,Amount
P-001,North,Ann,T0,2024-01-10,2024-02-15,1000
P-001,North,Ann,T1,2024-02-15,,1000
P-002,North,Ann,T0,2024-01-20,,500
P-003,North,Bob,T0,2024-02-03,2024-03-05,700
P-003,North,Bob,T3,2024-03-05,,700
P-004,North,Bob,T0,2024-04-11,,900
P-005,North,Ann,T2,2024-05-30,,100
"""


@pytest.fixture
def xlfunnel(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Run]:
    """Runs a command in an empty folder, in English unless told otherwise."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XLFUNNEL_LANG", "en")

    from xlfunnel.cli import main  # here, so that the tests of lower floors need no command line

    def run(*args: object) -> Run:
        try:
            code = main([str(a) for a in args])
        except SystemExit as e:  # argparse's own way out after --help
            code = int(e.code or 0)
        captured = capfd.readouterr()
        return Run(code, captured.out, captured.err)

    return run


@pytest.fixture
def export(tmp_path: Path) -> Path:
    path = tmp_path / "export.csv"
    path.write_text(HISTORY, "utf-8")
    return path


@pytest.fixture(scope="session")
def office_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[xw.App]:
    """LibreOffice as the application behind xlwings, started once a test process."""
    import hosts.lo_engine
    from hosts.office_live import office

    with office(tmp_path_factory.mktemp("office")) as context:
        yield hosts.lo_engine.activate(context)


@pytest.fixture
def office(office_app: xw.App) -> "Office":
    """The application with what it says and shows."""
    from clicked import Office

    return Office(office_app)


@pytest.fixture
def book(office: "Office", tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[xw.Book]:
    """The Chinese workbook that ships, empty and open, its buttons ready to be clicked."""
    from clicked import clicked, workbook

    with clicked(office.app, workbook(tmp_path), monkeypatch) as opened:
        yield opened


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """A language -> its workbook with macros and the sample in it, made once a test process; leave it alone."""
    from xlfunnel import app

    folder = tmp_path_factory.mktemp("filled")

    def made(language: str) -> Path:
        path = folder / f"{language}.xlsm"
        if not path.exists():
            app.demo(path, language)
        return path

    return made


@pytest.fixture(scope="session")
def demo_book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo workbook in Chinese, made once; read it, copy it, leave it alone."""
    from xlfunnel.cli import main

    path = tmp_path_factory.mktemp("demo") / "demo.xlsx"
    assert main(["demo", "--lang", "zh-CN", "-o", str(path)]) == 0
    return path
