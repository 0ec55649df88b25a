"""What is shipped: built alike twice, committed as built, sound as a package, and wired to macros that exist."""

import importlib
import inspect
import io
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
import xlwings
from oletools.olevba import VBA_Parser
from pyvbaanalysis import analyze_loose_files, analyze_workbook
from ran import Run

from xlfunnel.excel import artifacts, ribbon, template_id
from xlfunnel.excel.artifacts import (
    ADDIN,
    ADDIN_CONF_SHEET,
    CONF,
    CONF_SHEET,
    LABELS_SHEET,
    MACRO_PAGES,
    addin_text,
    file_name,
)
from xlfunnel.excel.inputs import is_ours
from xlfunnel.excel.udf_wrappers import udf_wrappers
from xlfunnel.excel.vba_project import code, read_module
from xlfunnel.settings import LANGUAGES
from xlfunnel.strings import words
from xlfunnel.udfs import FUNCTIONS

WORKBOOK = Path(__file__).resolve().parents[2] / "workbook"
VBA = WORKBOOK / "vba"
XLWINGS = Path(xlwings.__file__).parent
MACRO_BOOKS = [file_name(language) for language in LANGUAGES]
BUILT = [*MACRO_BOOKS, ADDIN]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("artifacts")
    artifacts.build_all(folder)
    return folder


def source_of(path: Path) -> dict[str, str]:
    """Module -> its code, attributes of the module aside, as olevba reads it."""
    parser = VBA_Parser(str(path))
    return {name.rsplit(".", 1)[0]: code(text) for _, _, name, text in parser.extract_macros()}


def part(path: Path, name: str) -> bytes:
    with zipfile.ZipFile(path) as file:
        return file.read(name)


def opened(path: Path) -> openpyxl.Workbook:
    """A workbook as openpyxl reads it; it knows no add-ins, so one is said to be a workbook."""
    copy = io.BytesIO()
    with zipfile.ZipFile(path) as file, zipfile.ZipFile(copy, "w") as out:
        for name in file.namelist():
            out.writestr(name, file.read(name).replace(b"ms-excel.addin.macro", b"ms-excel.sheet.macro"))
    return openpyxl.load_workbook(copy, keep_vba=True)


def test_two_builds_are_equal(built: Path, tmp_path: Path) -> None:
    artifacts.build_all(tmp_path)
    for path in sorted(p for p in built.rglob("*") if p.is_file()):
        assert (tmp_path / path.relative_to(built)).read_bytes() == path.read_bytes(), path.name


def test_committed_files_are_the_built_ones(built: Path) -> None:
    for path in sorted(p for p in built.rglob("*") if p.is_file()):
        assert (WORKBOOK / path.relative_to(built)).read_bytes() == path.read_bytes(), f"{path.name}: run make template"


def test_the_packages_have_no_fault(built: Path, shared: Path) -> None:
    checker = [sys.executable, str(shared / "tools" / "check_ooxml.py")]
    done = subprocess.run([*checker, *(str(built / n) for n in BUILT)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, f"0 fault(s) in {len(BUILT)} workbook(s)\n")


@pytest.mark.parametrize("name", BUILT)
def test_olevba_gives_back_what_stands_in_the_sources(built: Path, name: str) -> None:
    found = source_of(built / name)
    own = "XlfunnelAddin" if name == ADDIN else "XlfunnelRibbon"
    for module in ("ThisWorkbook.cls", f"{own}.bas", "XlfunnelRun.bas", "XlfunnelErrors.bas"):
        read = read_module(VBA / module)
        assert found.pop(read.name) == code(read.source), module
    if name == ADDIN:
        assert found.pop("xlwings") == code(addin_text((XLWINGS / "xlwings_custom_addin.bas").read_text("ascii")))
    else:
        assert found.pop("xlwings") == code((XLWINGS / "xlwings.bas").read_text("ascii"))
    assert found.pop("xlwings_udfs") == udf_wrappers("xlfunnel.udfs", name)
    assert {n for n, text in found.items() if text == ""} == set(found)


@pytest.mark.parametrize("name", BUILT)
def test_document_modules_are_the_code_names_of_the_sheets(built: Path, name: str) -> None:
    book = opened(built / name)
    codes = [sheet.sheet_properties.codeName for sheet in book.worksheets]
    assert {n for n, text in source_of(built / name).items() if n.startswith("sheet_")} == set(codes)
    assert book.code_name == "ThisWorkbook"
    if name != ADDIN:
        assert codes == [*(f"sheet_{p.key}" for p in MACRO_PAGES), "sheet_labels", "sheet_conf"]


@pytest.mark.parametrize("name", BUILT)
def test_the_ribbon_is_inside_and_linked(built: Path, name: str) -> None:
    language = None if name == ADDIN else name.split(".")[1]
    assert part(built / name, ribbon.PART) == ribbon.ribbon_xml(language)
    assert f'Type="{ribbon.RELATIONSHIP}" Target="{ribbon.PART}"' in part(built / name, "_rels/.rels").decode()


def test_content_types_tell_workbook_from_addin(built: Path) -> None:
    for name in BUILT:
        kind = "addin" if name == ADDIN else "sheet"
        types = part(built / name, "[Content_Types].xml").decode()
        assert f"application/vnd.ms-excel.{kind}.macroEnabled.main+xml" in types
        assert types.count("macroEnabled.main") == 1


def test_the_macro_workbook_is_the_template_with_functions_and_two_sheets_nobody_sees(built: Path) -> None:
    for language in LANGUAGES:
        with_macros = opened(built / file_name(language))
        without = opened(built / template_id.file_name(language))
        functions = words(language)("sheets.functions")
        assert with_macros.sheetnames == [*without.sheetnames, functions, LABELS_SHEET, CONF_SHEET]
        assert {with_macros[n].sheet_state for n in (LABELS_SHEET, CONF_SHEET)} == {"veryHidden"}
        assert set(with_macros.defined_names) == set(without.defined_names)
        for sheet in without.worksheets:
            assert with_macros[sheet.title].dimensions == sheet.dimensions


def test_ours_are_the_workbooks_and_not_the_addin(built: Path) -> None:
    assert [is_ours(built / name) for name in BUILT] == [True, True, False]


def test_settings_for_xlwings_stand_where_each_module_looks(built: Path) -> None:
    for name, sheet in ((MACRO_BOOKS[0], CONF_SHEET), (MACRO_BOOKS[1], CONF_SHEET), (ADDIN, ADDIN_CONF_SHEET)):
        project = re.search(r'PROJECT_NAME As String = "(\w+)"', source_of(built / name)["xlwings"])
        assert project
        assert f"{project[1]}.conf" == sheet
        rows = opened(built / name)[sheet].iter_rows(values_only=True, max_col=2)
        assert {key: value or "" for key, value in rows} == CONF


@pytest.mark.parametrize("file", ["xlwings.bas", "xlwings_custom_addin.bas"])
def test_every_setting_is_answered_by_the_sheet(file: str) -> None:
    """One that is not would be looked for in a file beside the workbook, which anybody may have put there."""
    text = (XLWINGS / file).read_text("ascii")
    asked = set(re.findall(r'GetConfig\("([^"]+)"', text))
    elsewhere = {k for k in asked if k.endswith("_MAC")} | {"INTERPRETER"}  # the latter if INTERPRETER_WIN is empty
    assert asked - elsewhere == set(CONF)


def test_nothing_depends_on_where_the_workbook_lies() -> None:
    assert CONF["ADD_WORKBOOK_TO_PYTHONPATH"] == "False"
    assert CONF["USE UDF SERVER"] == "True"
    assert all(CONF[k] for k in ("INTERPRETER_WIN", "PYTHONPATH", "UDF MODULES"))


def test_the_workbook_in_front_decides_nothing_in_the_addin() -> None:
    text = addin_text((XLWINGS / "xlwings_custom_addin.bas").read_text("ascii"))
    left = [line.strip() for line in text.splitlines() if "ActiveWorkbook" in line]
    assert len(left) == 2
    assert left[0] == 'XLPy.SetAttr XLPy.Module("xlwings._xlwindows"), "BOOK_CALLER", ActiveWorkbook'
    assert left[1].startswith('" --wb=" & """" & ActiveWorkbook.Name')


def test_a_changed_module_of_xlwings_is_noticed() -> None:
    text = (XLWINGS / "xlwings_custom_addin.bas").read_text("ascii")
    for spoiled in (text.replace("myaddin", "other"), text.replace('"BOOK_CALLER"', '"CALLER"'), text + text):
        with pytest.raises(ValueError, match="has changed"):
            addin_text(spoiled)


def test_the_dll_that_vba_names_is_the_installed_one() -> None:
    assert f'"xlwings64-{xlwings.__version__}.dll"' in (XLWINGS / "xlwings.bas").read_text("ascii")


def test_the_licence_of_xlwings_is_shipped() -> None:
    installed = next(XLWINGS.parent.glob("xlwings-*.dist-info/licenses/LICENSE.txt"))
    assert (VBA / "LICENSE-xlwings.txt").read_bytes() == installed.read_bytes()


# Of the analyser, not of the code: LanguageSettings.LanguageID takes which language is meant, and xlwings writes no
# Option Explicit into what it generates.
MISTAKEN = ("Wrong number of arguments to 'LanguageID'", "Option Explicit is not specified")


@pytest.mark.parametrize("name", BUILT)
def test_an_analyser_of_vba_finds_no_undeclared_name_and_no_unknown_call(built: Path, name: str) -> None:
    found = {module: said for module, said in analyze_workbook(built / name).items() if module != "xlwings"}
    assert {"XlfunnelRun", "XlfunnelErrors", "xlwings_udfs", "ThisWorkbook"} < set(found)
    said = [(module, d.message) for module, all_of_it in found.items() for d in all_of_it]
    assert [(module, text) for module, text in said if not text.startswith(MISTAKEN)] == []


def test_the_analyser_sees_what_it_should(tmp_path: Path) -> None:
    path = tmp_path / "Mod.bas"
    path.write_text(
        'Attribute VB_Name = "Mod"\nOption Explicit\nSub A()\n    Known = 1\n    XlfNoSuch 2\nEnd Sub\n', "ascii"
    )
    (said,) = analyze_loose_files([path]).values()
    assert any("Known" in d.message for d in said)
    assert any("XlfNoSuch" in d.message for d in said)


TARGET = re.compile(r'Xlf(Run|RunAlone|RunOnFiles?) "(\w+)')


def test_every_python_target_exists_and_needs_no_argument() -> None:
    macros = importlib.import_module("xlfunnel.macros")
    targets = {
        m for f in ("XlfunnelRibbon.bas", "XlfunnelAddin.bas") for m in TARGET.findall((VBA / f).read_text("ascii"))
    }
    assert len(targets) == len(ribbon.BUTTONS)
    for kind, target in targets:
        signature = inspect.signature(getattr(macros, target), follow_wrapped=False)
        signature.bind(*(["a path"] if kind.startswith("RunOnFile") else []))


@pytest.mark.parametrize("name", ["book.xlsm", "addin.xlam"])
def test_each_worksheet_function_has_a_wrapper_and_a_description(name: str) -> None:
    text = udf_wrappers("xlfunnel.udfs", name)
    assert sorted(re.findall(r"^Function (\w+)\(", text, re.M)) == sorted(FUNCTIONS)
    for function in FUNCTIONS.values():
        doc = inspect.getdoc(function) or ""
        said = f'Attribute {function.__name__}.VB_Description = "{doc}"'.replace("\n", " ")
        assert said in text
        assert len(doc) <= 255, "Excel shows no more"
        args = ", ".join(inspect.signature(function).parameters)
        workbook = "ActiveWorkbook" if name.endswith(".xlam") else "ThisWorkbook"
        assert (
            f'XLPy.CallUDF("xlfunnel.udfs", "{function.__name__}", Array({args}), {workbook}, Application.Caller)'
            in text
        )
        assert f"    {function.__name__} = XlfError(Err.Description)" in text
    assert text.isascii()


def test_the_generator_leaves_the_windows_modules_out_of_this_process() -> None:
    udf_wrappers("xlfunnel.udfs", "book.xlsm")
    assert "pythoncom" not in sys.modules
    assert "xlwings.udfs" not in sys.modules


def standin(folder: Path, parameter: str) -> str:
    """A module with one worksheet function, and its name."""
    name = f"standin_{parameter.lower()}"
    (folder / f"{name}.py").write_text(
        f'import xlwings as xw\n@xw.func\ndef F({parameter}):\n    """Doc."""\n', "utf-8"
    )
    return name


@pytest.mark.parametrize("parameter", ["function", "next", "Date"])
def test_a_parameter_that_vba_cannot_have_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, parameter: str
) -> None:
    """Excel would compile none of the project's modules, and every button would fail."""
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(RuntimeError, match=f"F: VBA cannot have a parameter named '{parameter}'"):
        udf_wrappers(standin(tmp_path, parameter), "book.xlsm")


def test_other_parameters_are_taken_and_quotes_doubled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    name = standin(tmp_path, "next_one")
    path = tmp_path / f"{name}.py"
    path.write_text(path.read_text("utf-8").replace("Doc.", 'Says "yes".'), "utf-8")
    text = udf_wrappers(name, "book.xlsm")
    assert "Function F(next_one)" in text
    assert 'Attribute F.VB_Description = "Says ""yes""."' in text


def test_a_refresh_keeps_macros_and_ribbon_byte_for_byte(
    built: Path, export: Path, tmp_path: Path, xlfunnel: Callable[..., Run]
) -> None:
    book = tmp_path / "mine.xlsm"
    base = built / file_name("en")
    assert xlfunnel("report", export, "--template", base, "-o", book).code == 0
    assert xlfunnel("refresh", book).code == 0
    kept = ["xl/vbaProject.bin", ribbon.PART, "_rels/.rels", "docProps/custom.xml"]
    for name in kept:
        assert part(book, name) == part(base, name), name
    assert source_of(book) == source_of(base)
    filled = opened(book)
    assert filled["Data"]["B6"].value is not None or any(
        c.value == "P-001" for r in filled["Data"].iter_rows() for c in r
    )
    assert filled[CONF_SHEET]["B1"].value == CONF["INTERPRETER_WIN"]
