"""The diagnosis: what it makes of a registry, of files and of a Python that does not work."""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from xlfunnel import doctor, log
from xlfunnel.doctor import CHECKS, DoctorReport, Finding, Level, Machine, diagnose, sentences
from xlfunnel.excel.ovba import compressed
from xlfunnel.excel.vba_project import VbaModule, vba_project
from xlfunnel.excel.vba_text import decompressed, xlwings_version
from xlfunnel.installed import clear_marks, compile_all, mark_of, marked, name_interpreter, unprotected
from xlfunnel.strings import table, words

CLSID = "{00024500-0000-0000-C000-000000000046}"
EXCEL = {
    (r"HKCR\Excel.Application\CLSID", ""): CLSID,
    (
        rf"HKCR\CLSID\{CLSID}\LocalServer32",
        "",
    ): r"C:\Microsoft Office\Root\Office16\EXCEL.EXE /automation",
}
OWN, POLICY = (rf"HKCU\Software\{part}Microsoft\Office\16.0\Excel\Security" for part in ("", "Policies\\"))
Registry = Mapping[tuple[str, str], str | int]


def machine(folder: Path, registry: Registry | None = None, interpreter: Path = Path(sys.executable)) -> Machine:
    """A Windows installation in a folder, as far as files and registry go."""
    known = {**EXCEL, **(registry or {})}
    return Machine(interpreter, folder, folder / "log" / "x.log", folder / "XLSTART", lambda k, n: known.get((k, n)))


def codes(report: DoctorReport) -> set[str]:
    return {f.code for f in report.findings}


def only(check: str, m: Machine) -> set[str]:
    """What one check finds."""
    found = next(c for c in CHECKS if c.__name__ == f"_{check}")
    return {f.code for f in found(m)}


def test_where_there_is_no_excel_only_what_applies_is_looked_at(tmp_path: Path) -> None:
    report = diagnose(Machine(Path(sys.executable), tmp_path, tmp_path / "x.log"))
    assert codes(report) == {"python", "versions", "server", "log"}
    assert report.level == Level.OK


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_every_finding_has_its_sentence(language: str) -> None:
    report = DoctorReport((Finding("log", Level.OK, {"path": "p"}), Finding("no_excel", Level.WARN)))
    first, second = sentences(report, words(language))
    assert first == "✓ " + words(language)("doctor.finding.log", path="p")
    assert second.startswith("! ")


def test_every_sentence_has_its_finding() -> None:
    source = Path(doctor.__file__).read_text("utf-8")
    names = [k.removeprefix("doctor.finding.") for k in table("en") if k.startswith("doctor.finding.")]
    assert [n for n in names if f'"{n}"' not in source] == []


def test_the_worst_finding_decides() -> None:
    levels = [Level.OK, Level.WARN, Level.FAIL]
    for worst in levels:
        some = [Finding("x", level) for level in levels[: levels.index(worst) + 1]]
        assert DoctorReport(tuple(reversed(some))).level == worst
    assert DoctorReport(()).level == Level.OK


@pytest.mark.parametrize(
    ("registry", "code"),
    [
        ({}, "excel"),
        ({(r"HKCR\Excel.Application\CLSID", ""): ""}, "no_excel"),
        ({(rf"HKCR\CLSID\{CLSID}\LocalServer32", ""): r'"C:\Kingsoft\WPS Office\et.exe" /automation'}, "wps"),
        ({(rf"HKCR\CLSID\{CLSID}\LocalServer32", ""): r"D:\office6\et.exe"}, "wps"),
    ],
)
def test_who_answers_for_excel(tmp_path: Path, registry: Registry, code: str) -> None:
    assert only("excel", machine(tmp_path, registry)) == {code}


@pytest.mark.parametrize(
    ("registry", "found"),
    [
        ({}, set()),
        ({(OWN, "VBAWarnings"): 1}, set()),
        ({(OWN, "VBAWarnings"): 2}, set()),
        ({(OWN, "VBAWarnings"): 3}, {"macros_signed"}),
        ({(OWN, "VBAWarnings"): 4}, {"macros_off"}),
        ({(POLICY, "VBAWarnings"): 4, (OWN, "VBAWarnings"): 1}, {"macros_by_policy"}),
        ({(POLICY, "VBAWarnings"): 2, (OWN, "VBAWarnings"): 4}, set()),
    ],
    ids=["nothing set", "all run", "asked", "signed only", "off", "policy forbids", "policy wins"],
)
def test_may_macros_run(tmp_path: Path, registry: Registry, found: set[str]) -> None:
    assert only("macros", machine(tmp_path, registry)) == found


def test_the_interpreter_is_the_one_that_was_installed(tmp_path: Path) -> None:
    conf, m = tmp_path / "xlfunnel.conf", machine(tmp_path)
    assert only("interpreter", m) == {"python", "no_conf"}
    name_interpreter(conf)
    assert only("interpreter", m) == {"python"}
    conf.write_text('"X","1"\n"INTERPRETER_WIN","/nowhere/张 & 三/python.exe"\n', "utf-8")
    assert only("interpreter", m) == {"python", "no_interpreter"}
    conf.write_text(f'"INTERPRETER_WIN","{conf}"\n', "utf-8")
    assert only("interpreter", m) == {"python", "other_interpreter"}
    conf.write_bytes(b"\xff\xfe\xff")
    assert only("interpreter", m) == {"python", "no_conf"}


def test_what_is_placed_is_protected_or_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = tmp_path / "a.xlsm", tmp_path / "b.xlam"
    for path in (first, second):
        path.touch()
    assert unprotected([first]) == []
    assert not first.stat().st_mode & 0o222
    monkeypatch.setattr("xlfunnel.installed._PAUSES", (0,))
    monkeypatch.setattr(Path, "chmod", lambda *_: None)  # root may change anything, so nothing real refuses here
    assert unprotected([first, second]) == [second]


def _python(folder: Path, script: str) -> Path:
    """A program that takes the place of Python."""
    path = folder / "python"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


@pytest.mark.skipif(sys.platform == "win32", reason="programs of two lines are shell scripts here")
@pytest.mark.parametrize(
    ("script", "code", "told"),
    [
        ("echo boom >&2; echo ImportError: no such thing >&2; exit 1", "server_broken", "ImportError: no such thing"),
        ("exit 7", "server_broken", "exit code 7"),
        ("exec sleep 60", "server_slow", "0.2"),
        ("exit 0", "server", "s."),
    ],
)
def test_the_server_is_tried_in_a_process_of_its_own(tmp_path: Path, script: str, code: str, told: str) -> None:
    m = Machine(_python(tmp_path, script), tmp_path, tmp_path / "x.log", seconds=0.2 if "sleep" in script else 60)
    report = DoctorReport(tuple(next(c for c in CHECKS if c.__name__ == "_server")(m)))
    assert codes(report) == {code}
    assert told in sentences(report, words("en"))[0]


def test_a_python_that_is_gone_is_a_finding(tmp_path: Path) -> None:
    assert only("server", Machine(tmp_path / "none", tmp_path, tmp_path / "x.log")) == {"server_broken"}


def test_a_log_that_cannot_be_written_is_a_finding(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("a file where the folder should be")
    assert only("log", machine(tmp_path)) == {"no_log"}


def test_the_library_beside_the_interpreter_and_the_macros_are_of_one_version(tmp_path: Path) -> None:
    import xlwings

    python = tmp_path / "python.exe"
    m = machine(tmp_path, interpreter=python)
    assert only("versions", m) == {"versions", "no_library"}
    (tmp_path / f"xlwings64-{xlwings.__version__}.dll").touch()
    assert only("versions", m) == {"versions"}


def test_macros_of_another_version_are_named(tmp_path: Path) -> None:
    import xlwings

    (tmp_path / f"xlwings64-{xlwings.__version__}.dll").touch()
    book = tmp_path / "workbook" / "xlfunnel.en.xlsm"
    book.parent.mkdir()
    module = VbaModule("xlwings", 'Public Const XLWINGS_VERSION As String = "0.1.2"\n')
    with ZipFile(book, "w") as made:
        made.writestr("xl/vbaProject.bin", vba_project([VbaModule("ThisWorkbook", "", "document"), module]))
    report = DoctorReport(tuple(CHECKS[1](machine(tmp_path, interpreter=tmp_path / "python.exe"))))
    assert codes(report) == {"versions", "other_macros"}
    assert "0.1.2" in sentences(report, words("en"))[1]


def test_the_version_in_the_shipped_macros_is_the_pinned_one() -> None:
    import xlwings

    folder = Path(__file__).parents[1] / "workbook"
    for name in ("xlfunnel.zh-CN.xlsm", "xlfunnel.en.xlsm", "xlfunnel.xlam"):
        assert xlwings_version(folder / name) == xlwings.__version__, name
    assert xlwings_version(folder / "xlfunnel.en.xlsx") is None
    assert xlwings_version(folder / "none.xlsm") is None


def test_decompression_undoes_our_compression_and_reads_the_specifications_examples() -> None:
    """[MS-OVBA] 3.2.1 (nothing repeats) and 3.2.3 (all repeats)."""
    assert decompressed(bytes.fromhex("0119b000616263646566676800696a6b6c6d6e6f70007172737475762e")) == (
        b"abcdefghijklmnopqrstuv."
    )
    assert decompressed(bytes.fromhex("0103b002614500")) == b"a" * 73
    for text in (b"", b"x", bytes(range(256)) * 40, b"Sub A()\r\nEnd Sub\r\n" * 900):
        assert decompressed(compressed(text)) == text


def test_marks_of_downloads_are_found_and_cleared(tmp_path: Path) -> None:
    ours, clean = tmp_path / "xlfunnel.xlam", tmp_path / "other.xlsm"
    for path in (ours, clean):
        path.touch()
    Path(mark_of(ours)).write_text("[ZoneTransfer]\nZoneId=3\n")
    assert list(marked([ours, clean])) == [ours]
    (tmp_path / "XLSTART").mkdir()
    placed = tmp_path / "XLSTART" / "xlfunnel.xlam"
    placed.touch()
    assert only("files", machine(tmp_path)) == {"addin"}
    Path(mark_of(placed)).touch()
    assert only("files", machine(tmp_path)) == {"addin", "marked"}
    clear_marks([ours, clean, placed, tmp_path / "none"])
    assert list(marked([ours, clean, placed])) == []


def test_only_our_own_errors_stop_an_installation(tmp_path: Path) -> None:
    library, ours = tmp_path / "python/Lib/site-packages/old.py", tmp_path / "xlfunnel/x.py"
    for path in (library, ours):
        path.parent.mkdir(parents=True)
        path.write_text("x = 1\n")
    library.write_text("print 'Python 2'\n")
    assert compile_all(tmp_path)
    (made,) = ours.parent.rglob("*.pyc")
    assert made.read_bytes()[4:8] == b"\1\0\0\0", "valid whatever the date of the source"
    ours.write_text("def (:\n")
    assert not compile_all(tmp_path)


def test_the_command_says_it_in_lines(
    xlfunnel: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    run = xlfunnel("doctor")
    assert run.code == 0
    assert str(log.log_path()) in run.out
    assert all(line[:2] in ("✓ ", "! ", "✗ ") for line in run.out.splitlines())
