"""Our VBA compiled and run by LibreOffice: what each button would have Python do, and what the ribbon is told.

xlwings' module is replaced by one that writes down what it is asked for; a test of its own loads the real one.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hosts.basic import Macros, macros, resolved, variant
from hosts.office_live import desktop_of, office

from xlfunnel.excel import artifacts, ribbon
from xlfunnel.excel.artifacts import file_name, modules
from xlfunnel.excel.package import CONTENT_TYPES, Package
from xlfunnel.excel.vba_project import VbaModule
from xlfunnel.settings import LANGUAGES
from xlfunnel.strings import words

pytestmark = pytest.mark.office

VBA = Path(__file__).resolve().parents[2] / "workbook" / "vba"
PYTHON = r"C:\py\python.exe"
IMPORT = "import xlfunnel.macros; xlfunnel.macros."
TRIAL = f'Run|"{PYTHON}" -B -c "import xlwings.com_server"'
MACRO = re.compile(r"^Public Sub (\w+)\((.*?)\)", re.M)

# What our modules use of xlwings' own, by the same names; `Broken` plays a computer on which something is missing.
RECORDER = f"""\
Option Explicit
Public Said As String
Public Broken As String
Public Function RunPython(PythonCommand As String)
    If Broken = "server" Then Err.Raise 1000, "xlwings", "Could not activate Python COM server"
    Said = Said & "RunPython|" & PythonCommand & Chr(10)
End Function
Public Function ExecuteWindows(IsFrozen As Boolean, PythonCommand As String, PYTHON_WIN As String, _
                               Optional PYTHONPATH As String, Optional FrozenArgs As String) As Integer
    Said = Said & "ExecuteWindows|" & PythonCommand & "|" & PYTHON_WIN & "|" & PYTHONPATH & Chr(10)
End Function
Public Function GetConfig(configKey As String, Optional default As String = "", Optional source As String = "")
    If configKey = "INTERPRETER_WIN" Then GetConfig = "{PYTHON}"
End Function
Public Function FileExists(ByVal FileSpec As String) As Boolean
    FileExists = (Broken <> "missing")
End Function
Public Function ParentFolder(ByVal Folder)
    ParentFolder = Left$(Folder, InStrRev(Folder, "\\") - 1)
End Function
Public Function WScript(Optional CreateNew As Boolean) As Object
    Set WScript = New Shell
End Function
Public Function XLPy()
    Set XLPy = New Shell
End Function
"""
SHELL = """\
Option Explicit
Public Function Run(Command As String, Style As Long, Wait As Boolean) As Long
    Said = Said & "Run|" & Command & Chr(10)
    If Broken = "missing" Then Err.Raise 53, "WScript", "not found"
    If Broken = "imports" Then Run = 1
End Function
Public Function Popup(Text As String, Seconds As Long, Title As String, Kind As Long) As Long
    Said = Said & "Popup|" & Text & Chr(10)
End Function
"""
CONTROL = "Option Explicit\nPublic ID As String\n"
DRIVER = """\
Option Explicit
Public Picked As Variant
Public Function Break(What): Broken = What: End Function
Public Function Pick(Path): Picked = Path: End Function
Public Function PickThree(Folder)
    Picked = Array(Folder & "a.xlsx", Folder & "b & c.xlsm", Folder & ChrW(21326) & ChrW(19996) & ".xlsx")
End Function
Public Function PickedByTest(Filter, Optional MultiSelect)
    If MultiSelect Then PickedByTest = Picked
End Function
Public Function CustomProperty(Name)
    CustomProperty = ThisComponent.DocumentProperties.UserDefinedProperties.getPropertyValue(Name)
End Function
Public Function Press(Macro)
    Said = ""
    Select Case Macro
{presses}
    End Select
    Press = Said
End Function
Public Function Ask(Macro, ControlId)
    Dim Answer As Variant, Control As New FakeControl
    Control.ID = ControlId
    Select Case Macro
{questions}
    End Select
    Ask = Answer
End Function
Public Function Serve()
    On Error GoTo failed
    Said = ""
    Serve = TypeName(XlfServer())
    Serve = Said & "served"
    Exit Function
failed:
    Serve = Said & Err.Description
End Function
"""


def driver(*files: str) -> str:
    """Basic that calls each macro of these modules, those that answer with a control and a place for the answer."""
    found = [m for f in files for m in MACRO.findall((VBA / f).read_text("ascii"))]
    presses = [f'    Case "{n}": {n} Nothing' for n, params in found if params == "control As IRibbonControl"]
    questions = [f'    Case "{n}": {n} Control, Answer' for n, params in found if "ByRef" in params]
    return DRIVER.format(presses="\n".join(presses), questions="\n".join(questions))


# What of Excel LibreOffice lacks, and what stands in for it.
STAND_INS = {
    ", MultiSelect:=True)": ", True)",
    "Application.GetOpenFilename(": "PickedByTest(",
    'ActiveWorkbook.CustomDocumentProperties("xlfunnel_template").Value': 'CustomProperty("xlfunnel_template")',
    "ActiveWorkbook.HasVBProject": "True",
    "(Application.LanguageSettings.LanguageID(2) And 1023)": "LanguageOfTest",
}


def real(base: Path, language: str | None) -> list[VbaModule]:
    """The modules as they are built, but for conditional compilation."""
    names = codenames(base)
    return [replace(m, source=resolved(m.source)) for m in modules(language, names)]


def with_recorder(base: Path, language: str | None, office_language: int = 4) -> list[VbaModule]:
    """The modules on a stand-in for xlwings and for what of Excel there is not; 4 = Chinese, 9 = English."""
    out = []
    for module in real(base, language):
        source = RECORDER if module.name == "xlwings" else module.source
        for excel, stand_in in STAND_INS.items():
            source = source.replace(excel, stand_in.replace("LanguageOfTest", str(office_language)))
        out.append(replace(module, source=source))
    own = "XlfunnelRibbon.bas" if language else "XlfunnelAddin.bas"
    parts = [VbaModule("Shell", SHELL, "class"), VbaModule("FakeControl", CONTROL, "class")]
    return [*out, *parts, VbaModule("Driver", driver(own))]


def codenames(path: Path) -> list[str]:
    with Package(path) as package:
        sheets = [n for n in package.names() if re.fullmatch(r"xl/worksheets/sheet\d+\.xml", n)]
        return [re.search(rb'<sheetPr[^>]*codeName="(\w+)"', package.read(n))[1].decode() for n in sheets]


@pytest.fixture(scope="module")
def desktop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with office(tmp_path_factory.mktemp("basic")) as found:
        yield desktop_of(found)


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("built") / file_name("zh-CN")
    artifacts.build_workbook("zh-CN", path)
    return path


@pytest.fixture(scope="module")
def addin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The add-in under the content type of a workbook: LibreOffice opens no add-ins."""
    path = tmp_path_factory.mktemp("built") / "addin.xlsm"
    artifacts.build_addin(path)
    with Package(path) as package:
        types = package.read(CONTENT_TYPES)
        package.replace(CONTENT_TYPES, types.replace(b"ms-excel.addin.macro", b"ms-excel.sheet.macro"))
        package.write(path)
    return path


@pytest.fixture(scope="module", params=["Xlf", "Xla"], ids=["workbook", "addin"])
def prefix_and_macros(
    request: pytest.FixtureRequest, desktop: Any, book: Path, addin: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, Macros]]:
    base, language = (book, "zh-CN") if request.param == "Xlf" else (addin, None)
    path = variant(base, with_recorder(base, language), tmp_path_factory.mktemp("variant") / "book.xlsm")
    with macros(desktop, path) as run:
        assert run("XlfunnelRun.Twice", 2) == 4
        yield request.param, run


@pytest.fixture
def press(prefix_and_macros: tuple[str, Macros]) -> Iterator[Any]:
    """Presses a button on a computer where everything is in order, unless told otherwise; gives what was asked for."""
    prefix, run = prefix_and_macros

    def pressed(button: str, broken: str = "") -> list[str]:
        run("Driver.Break", broken)
        return run("Driver.Press", f"{prefix}{button}").splitlines()

    pressed("Refresh")  # Python is tried before the first click of a session, and then no more
    yield pressed
    run("Driver.Break", "")


def test_the_canary_sings_in_what_is_built(desktop: Any, book: Path, addin: Path, tmp_path: Path) -> None:
    """All our modules and xlwings' own, with nothing replaced."""
    for base, language in ((book, "zh-CN"), (addin, None)):
        all_of_them = real(base, language)
        with macros(desktop, variant(base, all_of_them, tmp_path / "real.xlsm")) as run:
            assert run("XlfunnelRun.Twice", 2) == 4
            names = run.document.BasicLibraries.getByName("xlfunnel").getElementNames()
            assert {m.name for m in all_of_them} == set(names)


def test_a_module_that_does_not_compile_silences_the_canary(desktop: Any, book: Path, tmp_path: Path) -> None:
    broken = [*real(book, "zh-CN"), VbaModule("Bad", "Sub Bad(function)\nEnd Sub\n")]
    with macros(desktop, variant(book, broken, tmp_path / "broken.xlsm")) as run:
        assert run("XlfunnelRun.Twice", 2) != 4


TARGETS = {
    "Check": "check_data()", "Sample": "load_sample()", "Refresh": "refresh()", "Reps": "rep_cards()",
    "Restore": "restore_last()", "Pdf": "export_pdf()", "Split": "split_regions()", "Settings": "show_settings()",
    "Log": "show_log()", "Guide": "show_guide()",
}  # fmt: skip


@pytest.mark.parametrize(("button", "target"), TARGETS.items(), ids=TARGETS)
def test_each_button_runs_python(press: Any, button: str, target: str) -> None:
    assert press(button) == [f"RunPython|{IMPORT}{target}"]


def test_all_buttons_are_tested() -> None:
    assert {b.macro for b in ribbon.BUTTONS} == {*TARGETS, "Import", "Consolidate", "Diagnose"}


def test_diagnose_starts_a_python_of_its_own(press: Any) -> None:
    assert press("Diagnose") == [f"ExecuteWindows|{IMPORT}diagnose()|{PYTHON}|false;;;;;;C:\\py"]


def test_a_server_that_fails_hands_the_click_to_a_python_of_its_own(press: Any) -> None:
    assert press("Refresh", broken="server") == [f"ExecuteWindows|{IMPORT}refresh()|{PYTHON}|false;;;;;;C:\\py"]


PATHS = [
    r"C:\data\export.csv",
    r"C:\data with blanks\it's 100%done% & more ^(1)!.csv",
    "C:\\\u6570\u636e\\\u5546\u673a \u5bfc\u51fa.xlsx",
    "D:\\\u00fc\u00e9\\\u201cq\u201d\\\U0001f600\U00020000.csv",
]


@pytest.mark.parametrize("path", PATHS)
def test_any_path_reaches_python_as_it_is(prefix_and_macros: Any, press: Any, path: str) -> None:
    folder, _, name = path.rpartition("\\")
    assert picked(prefix_and_macros, press, path) == f"{folder}\\|{name}"


def test_several_files_reach_python_as_their_folder_and_names(prefix_and_macros: Any, press: Any) -> None:
    given = [rf"C:\数据 x\{name}" for name in ("商机 1.csv", "it's & 2.csv", "3.xlsx")]
    assert picked(prefix_and_macros, press, *given) == "C:\\数据 x\\|商机 1.csv|it's & 2.csv|3.xlsx"


def picked(prefix_and_macros: Any, press: Any, *paths: str) -> object:
    prefix_and_macros[1]("Driver.Pick", paths)
    (said,) = press("Import")
    call = said.removeprefix(f"RunPython|{IMPORT}import_export(").removesuffix(")")
    assert re.fullmatch(r"bytes\.fromhex\('[0-9A-F]+'\)\.decode\('utf-16-be'\)", call)  # nothing that cmd.exe reads
    return eval(call)


def test_several_files_reach_python_as_their_folder_and_their_names(prefix_and_macros: Any, press: Any) -> None:
    prefix_and_macros[1]("Driver.PickThree", "C:\\data\\大区 'x'\\")
    (said,) = press("Consolidate")
    call = said.removeprefix(f"RunPython|{IMPORT}consolidate_regions(").removesuffix(")")
    assert re.fullmatch(r"bytes\.fromhex\('[0-9A-F]+'\)\.decode\('utf-16-be'\)", call)
    assert eval(call) == "C:\\data\\大区 'x'\\|a.xlsx|b & c.xlsm|华东.xlsx"


@pytest.mark.parametrize("button", ["Import", "Consolidate"])
def test_no_file_picked_is_nothing_done(prefix_and_macros: Any, press: Any, button: str) -> None:
    prefix_and_macros[1]("Driver.Pick", False)
    assert press(button) == []


OFFICE = {"zh-CN": 4, "en": 9}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("broken", ["missing", "imports"])
def test_without_a_python_that_starts_one_sentence_is_said(
    desktop: Any, addin: Path, tmp_path: Path, language: str, broken: str
) -> None:
    """And the server is not tried at all: Excel would hang on it. A later click tries again, a cell does not."""
    sentence = words(language)("ribbon.no_python")
    path = variant(addin, with_recorder(addin, None, OFFICE[language]), tmp_path / "broken.xlsm")
    with macros(desktop, path) as run:
        run("Driver.Break", broken)
        assert run("Driver.Serve").splitlines() == [TRIAL, sentence]
        assert run("Driver.Serve").splitlines() == [sentence]
        assert run("Driver.Press", "XlaRefresh").splitlines() == [TRIAL, f"Popup|{sentence}"]
        if broken == "missing":
            assert run("Driver.Press", "XlaDiagnose").splitlines() == [f"Popup|{sentence}"]
        run("Driver.Break", "")
        assert run("Driver.Press", "XlaRefresh").splitlines() == [TRIAL, f"RunPython|{IMPORT}refresh()"]
        assert run("Driver.Serve") == "served"


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_addin_asks_for_its_words(desktop: Any, addin: Path, tmp_path: Path, language: str) -> None:
    say = words(language)
    path = variant(addin, with_recorder(addin, None, OFFICE[language]), tmp_path / "words.xlsm")
    with macros(desktop, path) as run:
        for button in ribbon.BUTTONS:
            for part in ("label", "screentip", "supertip"):
                assert run("Driver.Ask", f"Xla{part.capitalize()}", button.id) == say(f"ribbon.{part}.{button.key}")
        assert run("Driver.Ask", "XlaLabel", ribbon.TAB) == say("ribbon.tab")
        assert run("Driver.Ask", "XlaLabel", "xlf_group_checkup") == say("ribbon.group.checkup")
        assert not run("Driver.Ask", "XlaLabel", "no_such_control")


def test_buttons_are_of_use_in_our_workbooks_and_the_help_anywhere(prefix_and_macros: Any) -> None:
    """The add-in itself is no workbook of ours, so as the one in front it greys the buttons."""
    prefix, run = prefix_and_macros
    ours = prefix == "Xlf"
    assert run("Driver.Ask", f"{prefix}BookEnabled", "xlf_refresh") is ours
    assert run("Driver.Ask", f"{prefix}HelpEnabled", "xlf_diagnose") is True


def test_the_addin_leaves_the_tab_to_a_workbook_that_has_its_own(
    prefix_and_macros: Any, desktop: Any, book: Path, tmp_path: Path
) -> None:
    with macros(desktop, variant(book, with_recorder(book, None), tmp_path / "own.xlsm")) as run:
        assert run("Driver.Ask", "XlaVisible", ribbon.TAB) is False
    prefix, run = prefix_and_macros
    if prefix == "Xla":
        assert run("Driver.Ask", "XlaVisible", ribbon.TAB) is True
