"""What the command line refuses: one sentence in the language asked for, exit 3 or 2, and nothing written."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import openpyxl
import pytest

HAN = re.compile("[\u4e00-\u9fff]")
HEADER = "Opportunity ID,Region,Owner,Stage,Entered,Left,Amount"


def listing(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def one_sentence(err: str) -> bool:
    return err.count("\n") == 1 and len(err) > 15 and "Traceback" not in err


def _nothing(folder: Path, shared: Path) -> Path:
    return folder / "missing.xlsx"


def _folder(folder: Path, shared: Path) -> Path:
    (folder / "in.xlsx").mkdir()
    return folder / "in.xlsx"


def _empty(folder: Path, shared: Path) -> Path:
    (folder / "in.xlsx").write_bytes(b"")
    return folder / "in.xlsx"


def _not_a_zip(folder: Path, shared: Path) -> Path:
    (folder / "in.xlsx").write_bytes(b"This is a letter, not a workbook.\n" * 40)
    return folder / "in.xlsx"


def _cut_short(folder: Path, shared: Path) -> Path:
    whole = (shared / "data/maven_crm/plain.xlsx").read_bytes()
    (folder / "in.xlsx").write_bytes(whole[: len(whole) // 2])
    return folder / "in.xlsx"


def _encrypted(folder: Path, shared: Path) -> Path:
    shutil.copyfile(shared / "data/hostile/excelize__encryptAES.xlsx", folder / "in.xlsx")
    return folder / "in.xlsx"


def _strict(folder: Path, shared: Path) -> Path:
    shutil.copyfile(shared / "data/hostile/poi__SampleSS.strict.xlsx", folder / "in.xlsx")
    return folder / "in.xlsx"


def _other_kind(folder: Path, shared: Path) -> Path:
    book = openpyxl.Workbook()
    book.active.append(["Recipe", "Flour", "Sugar"])
    book.active.append(["Cake", 200, 100])
    book.save(folder / "in.xlsx")
    return folder / "in.xlsx"


def _empty_csv(folder: Path, shared: Path) -> Path:
    (folder / "in.csv").write_bytes(b"")
    return folder / "in.csv"


def _wrong_columns(folder: Path, shared: Path) -> Path:
    (folder / "in.csv").write_text("Recipe,Flour\nCake,200\n", "utf-8")
    return folder / "in.csv"


def _headers_only(folder: Path, shared: Path) -> Path:
    (folder / "in.csv").write_text(HEADER + "\n", "utf-8")
    return folder / "in.csv"


def _mostly_refused(folder: Path, shared: Path) -> Path:
    rows = [HEADER, *(f"P-{i},North,Ann,T0,no day,,1" for i in range(9)), "P-9,North,Ann,T0,2024-01-10,,1"]
    (folder / "in.csv").write_text("\n".join(rows), "utf-8")
    return folder / "in.csv"


BAD_BOOKS = [_nothing, _folder, _empty, _not_a_zip, _cut_short, _encrypted, _strict, _other_kind]
BAD_TABLES = [_empty_csv, _wrong_columns, _headers_only, _mostly_refused]


@pytest.mark.parametrize("language", ["en", "zh-CN"])
@pytest.mark.parametrize("bad", [*BAD_BOOKS, *BAD_TABLES], ids=lambda f: f.__name__.strip("_"))
def test_report_refuses_bad_input(
    xlfunnel: Callable[..., Any], tmp_path: Path, shared: Path, bad: Callable[[Path, Path], Path], language: str
) -> None:
    source = bad(tmp_path, shared)
    before = listing(tmp_path)
    run = xlfunnel("report", source, "-o", "out.xlsx", "--json", "out.json", "--lang", language)
    assert run.code == 3
    assert one_sentence(run.err)
    assert bool(HAN.search(run.err)) == (language == "zh-CN")
    assert run.out == ""
    assert listing(tmp_path) == before


@pytest.mark.parametrize("bad", BAD_BOOKS, ids=lambda f: f.__name__.strip("_"))
def test_refresh_refuses_bad_workbooks(
    xlfunnel: Callable[..., Any], tmp_path: Path, shared: Path, bad: Callable[[Path, Path], Path]
) -> None:
    book = bad(tmp_path, shared)
    before = listing(tmp_path)
    run = xlfunnel("refresh", book, "--json", "out.json")
    assert run.code == 3
    assert one_sentence(run.err)
    assert listing(tmp_path) == before


@pytest.mark.parametrize("bad", [*BAD_BOOKS, *BAD_TABLES], ids=lambda f: f.__name__.strip("_"))
def test_check_refuses_bad_input(
    xlfunnel: Callable[..., Any], tmp_path: Path, shared: Path, bad: Callable[[Path, Path], Path]
) -> None:
    run = xlfunnel("check", bad(tmp_path, shared))
    assert run.code == 3
    assert one_sentence(run.err)


def test_the_kinds_of_bad_workbook_are_told_apart(xlfunnel: Callable[..., Any], tmp_path: Path, shared: Path) -> None:
    """Encrypted, strict, foreign, damaged and missing are five different sentences."""
    said = set()
    for i, bad in enumerate([_nothing, _not_a_zip, _encrypted, _strict, _other_kind]):
        folder = tmp_path / str(i)
        folder.mkdir()
        said.add(xlfunnel("report", bad(folder, shared), "-o", "x.xlsx").err.replace(str(folder), ""))
    assert len(said) == 5


@pytest.mark.parametrize(
    "command",
    [
        ("report", "export.csv", "-o", "taken"),
        ("report", "export.csv", "-o", "no/such/folder.xlsx"),
        ("report", "export.csv", "-o", "out.xlsx", "--json", "taken"),
        ("report", "export.csv", "-o", "out.xlsx", "--settings", "nowhere.toml"),
        ("report", "export.csv", "-o", "out.xlsx", "--settings", "export.csv"),
        ("report", "export.csv", "-o", "out.xlsx", "--template", "nowhere.xlsx"),
        ("report", "export.csv", "-o", "out.xlsx", "--template", "export.csv"),
        ("report", "export.csv", "-o", "out.xlsx", "--history", "nowhere.csv"),
        ("report", "export.csv", "-o", "out.xlsx", "--owners", "nowhere.csv"),
        ("demo", "-o", "taken"),
        ("template", "-o", "taken"),
        ("template", "-o", "no/such/folder.xlsx"),
    ],
    ids=" ".join,
)
def test_files_that_cannot_be_used_are_refused(
    xlfunnel: Callable[..., Any], tmp_path: Path, export: Path, command: tuple[str, ...]
) -> None:
    (tmp_path / "taken").mkdir()
    before = listing(tmp_path)
    run = xlfunnel(*command)
    assert (run.code, run.out) == (3, "")
    assert one_sentence(run.err)
    assert listing(tmp_path) == before


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("trend_moths = 6", "trend_months"),
        ("trend_months = 'six'", "trend_months"),
        ("floor_t3 = -1", "floor_t3"),
        ("[stage_map]\nOpen = 'T9'", "T9"),
        ("not toml at all", "s.toml"),
    ],
)
def test_bad_settings_name_what_is_wrong(
    xlfunnel: Callable[..., Any], tmp_path: Path, export: Path, text: str, name: str
) -> None:
    (tmp_path / "s.toml").write_text(text, "utf-8")
    run = xlfunnel("report", export, "-o", "out.xlsx", "--settings", "s.toml")
    assert run.code == 3
    assert one_sentence(run.err)
    assert name in run.err
    assert not Path("out.xlsx").exists()


def test_results_are_not_written_without_their_workbook(
    xlfunnel: Callable[..., Any], tmp_path: Path, export: Path
) -> None:
    """A template that lost a named cell is found out only while the workbook is being filled."""
    assert xlfunnel("template", "-o", "whole.xlsx").code == 0
    with ZipFile(tmp_path / "whole.xlsx") as whole, ZipFile(tmp_path / "own.xlsx", "w") as own:
        for name in whole.namelist():
            own.writestr(name, whole.read(name).replace(b'"kpi_win_rate"', b'"my_win_rate"'))
    before = listing(tmp_path)
    run = xlfunnel("report", export, "-o", "out.xlsx", "--template", "own.xlsx", "--json", "out.json")
    assert (run.code, run.out) == (3, "")
    assert one_sentence(run.err)
    assert "kpi_win_rate" in run.err
    assert listing(tmp_path) == before


def test_a_workbook_open_elsewhere_is_left_alone(xlfunnel: Callable[..., Any], tmp_path: Path, demo_book: Path) -> None:
    book = tmp_path / "b.xlsx"
    shutil.copyfile(demo_book, book)
    (tmp_path / "~$b.xlsx").write_bytes(b"\x05Ann  " + b" " * 159)
    before = listing(tmp_path)
    run = xlfunnel("refresh", book)
    assert run.code == 3
    assert one_sentence(run.err)
    assert listing(tmp_path) == before


@pytest.mark.parametrize(
    "command",
    [
        (),
        ("rapport",),
        ("report",),
        ("report", "export.csv"),
        ("report", "export.csv", "-o"),
        ("report", "export.csv", "-o", "x.xlsx", "--jsn", "y"),
        ("report", "export.csv", "-o", "x.xlsx", "--as-of", "31.12.2017"),
        ("report", "export.csv", "-o", "x.xlsx", "--lang", "fr"),
        ("report", "export.csv", "-o", "export.csv"),
        ("report", "export.csv", "-o", "x.xlsx", "--json", "export.csv"),
        ("report", "export.csv", "-o", "x.xlsx", "--json", "x.xlsx"),
        ("report", "export.csv", "-o", "./sub/../export.csv"),
        ("refresh",),
        ("refresh", "a.xlsx", "b.xlsx"),
        ("refresh", "export.csv", "--json", "export.csv"),
        ("template",),
        ("check",),
        ("-x",),
    ],
    ids=lambda c: " ".join(c) or "nothing",
)
def test_usage_errors(xlfunnel: Callable[..., Any], tmp_path: Path, export: Path, command: tuple[str, ...]) -> None:
    (tmp_path / "sub").mkdir()
    before = listing(tmp_path)
    run = xlfunnel(*command)
    assert run.code == 2
    assert one_sentence(run.err) or (not command and "usage:" in run.out)
    assert listing(tmp_path) == before


@pytest.mark.parametrize("command", ["demo", "report", "refresh", "check", "template"])
def test_help_is_in_the_language_asked_for(xlfunnel: Callable[..., Any], command: str) -> None:
    english, before, after = (xlfunnel(*a) for a in (
        (command, "--help"), ("--lang", "zh-CN", command, "--help"), (command, "--lang=zh-CN", "--help"),
    ))  # fmt: skip
    assert (english.code, before.code, after.code) == (0, 0, 0)
    assert english.out.startswith("usage: xlfunnel " + command)
    assert not HAN.search(english.out)
    assert HAN.search(before.out)
    assert before.out == after.out


@pytest.mark.parametrize(
    ("environment", "han"),
    [
        ({"XLFUNNEL_LANG": "zh-CN", "LC_ALL": "en_US.UTF-8"}, True),
        ({"LC_ALL": "zh_CN.UTF-8"}, True),
        ({"LANG": "zh_CN.UTF-8"}, True),
        ({"LC_ALL": "en_US.UTF-8", "LANG": "zh_CN.UTF-8"}, False),
        ({"LC_ALL": "C"}, False),
    ],
    ids=str,
)
def test_the_environment_chooses_the_language(
    xlfunnel: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], han: bool
) -> None:
    for name in ("XLFUNNEL_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert bool(HAN.search(xlfunnel("--help").out)) == han


def test_an_unexpected_fault_is_one_sentence(
    xlfunnel: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, export: Path
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("seven")

    monkeypatch.setattr("xlfunnel.app.analyse", broken)
    run = xlfunnel("report", export, "-o", "out.xlsx")
    assert run.code == 1
    assert one_sentence(run.err)
    assert "seven" in run.err
    assert not Path("out.xlsx").exists()
    assert "Traceback" in xlfunnel("report", export, "-o", "out.xlsx", "--debug").err


@pytest.mark.parametrize("out", ["out.xls", "out", "out.csv"])
def test_a_workbook_is_written_only_under_the_name_of_its_kind(
    xlfunnel: Callable[..., Any], tmp_path: Path, export: Path, out: str
) -> None:
    for command in (("report", export), ("demo",), ("template",)):
        run = xlfunnel(*command, "-o", out)
        assert run.code == 2
        assert ".xlsx, .xlsm" in run.err
        assert not (tmp_path / out).exists()


def test_a_macro_workbook_comes_of_a_macro_template_alone(
    xlfunnel: Callable[..., Any], tmp_path: Path, export: Path
) -> None:
    assert xlfunnel("report", export, "-o", "plain.xlsx").code == 0
    assert xlfunnel("refresh", "plain.xlsx", "-o", "other.xlsm").code == 2
    assert xlfunnel("report", export, "-o", "macro.xlsm", "--template", "plain.xlsx").code == 2
    assert xlfunnel("report", export, "-o", "macro.xlsm").code == 0
    with ZipFile(tmp_path / "macro.xlsm") as z:
        assert "xl/vbaProject.bin" in z.namelist()
        assert b"macroEnabled" in z.read("[Content_Types].xml")
