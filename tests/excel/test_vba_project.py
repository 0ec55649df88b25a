"""vbaProject.bin, read back by olevba, olefile and pyOpenVBA; what VBA could not take is refused in words."""

import io
import re
from pathlib import Path

import olefile
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oletools.olevba import VBA_Parser
from pyopenvba.vba import CFB, parse_vba_project

from xlfunnel.excel.vba_project import SHEET_BASE, WORKBOOK_BASE, VbaModule, code, full_text, read_module, vba_project

PLAIN = VbaModule("Mod", "Option Explicit\nPublic Function Twice(Number)\n    Twice = 2 * Number\nEnd Function\n")
BOOK = VbaModule("ThisWorkbook", "Private Sub Workbook_Open()\nEnd Sub\n", "document")
SHEET = VbaModule("sheet_home", "", "document")
CLASS = VbaModule("Shell", "Public Kind As Long\n", "class")
ALL = (BOOK, SHEET, PLAIN, CLASS)

SOURCES = st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=126), max_size=200)


def by_olevba(data: bytes) -> dict[str, str]:
    """Module name -> its whole text with line feeds, attributes included."""
    parser = VBA_Parser("vbaProject.bin", data=data)
    return {name.rsplit(".", 1)[0]: text.replace("\r\n", "\n") for _, _, name, text in parser.extract_macros()}


def test_olevba_gives_every_module_back() -> None:
    found = by_olevba(vba_project(ALL))
    assert set(found) == {m.name for m in ALL}
    for module in ALL:
        assert found[module.name].endswith(code(module.source))
        head = found[module.name].removesuffix(code(module.source))
        assert all(line.startswith("Attribute VB_") for line in head.splitlines())
        assert f'Attribute VB_Name = "{module.name}"' in head


def test_document_and_class_modules_say_what_they_are() -> None:
    found = by_olevba(vba_project(ALL))
    assert WORKBOOK_BASE in found["ThisWorkbook"]
    assert SHEET_BASE in found["sheet_home"]
    for name, predeclared in (("ThisWorkbook", True), ("sheet_home", True), ("Shell", False)):
        assert f"Attribute VB_PredeclaredId = {predeclared}\n" in found[name]


def test_streams_have_no_defect_and_the_names_of_the_modules() -> None:
    file = olefile.OleFileIO(io.BytesIO(vba_project(ALL)), raise_defects=olefile.DEFECT_UNSURE)
    assert file.parsing_issues == []
    inside = {"/".join(path) for path in file.listdir()}
    assert inside == {"PROJECT", "PROJECTwm", "VBA/dir", "VBA/_VBA_PROJECT", *(f"VBA/{m.name}" for m in ALL)}
    listed = file.openstream("PROJECT").read().decode("ascii")
    assert re.findall(r"^(Document|Module|Class)=([^/\r]+)", listed, re.M) == [
        ("Document", "ThisWorkbook"),
        ("Document", "sheet_home"),
        ("Module", "Mod"),
        ("Class", "Shell"),
    ]


def test_a_second_reader_finds_the_same() -> None:
    project = parse_vba_project(CFB.from_bytes(vba_project(ALL, project="check")))
    assert (project.name, project.code_page) == ("check", 1252)
    assert list(project.module_names()) == [m.name for m in ALL]
    for module in ALL:
        assert project.get_module(module.name).source == full_text(module)
    project.validate()


def test_two_builds_are_equal_and_the_id_follows_the_text() -> None:
    assert vba_project(ALL) == vba_project(ALL)
    other = (BOOK, SHEET, VbaModule("Mod", PLAIN.source + "'\n"), CLASS)

    def ident(data: bytes) -> bytes:
        return olefile.OleFileIO(io.BytesIO(data)).openstream("PROJECT").read().split(b"\r\n")[0]

    assert ident(vba_project(ALL)) != ident(vba_project(other))


@given(st.lists(SOURCES, min_size=1, max_size=40))
def test_any_ascii_text_comes_back(lines: list[str]) -> None:
    module = VbaModule("Mod", "'\n" + "\n".join(lines))
    assert by_olevba(vba_project([module]))["Mod"] == full_text(module).replace("\r\n", "\n")


@pytest.mark.parametrize("breaks", ["\n", "\r\n", "\r"])
def test_line_breaks_of_any_kind_become_crlf(breaks: str) -> None:
    module = VbaModule("Mod", PLAIN.source.replace("\n", breaks))
    assert full_text(module) == full_text(PLAIN)
    assert "\r\n" in full_text(module)
    assert not re.search(r"(?<!\r)\n|\r(?!\n)", full_text(module))


@pytest.mark.parametrize("size", [63, 64, 65, 4095, 4096, 4097, 300_000])
def test_modules_of_every_size_come_back(size: int) -> None:
    lines = "".join(f"' line {i:06d} of a long module\n" for i in range(size // 30 + 2))
    module = VbaModule("Mod", lines[:size])
    assert by_olevba(vba_project([module]))["Mod"] == full_text(module).replace("\r\n", "\n")


def test_the_longest_module_of_xlwings_comes_back() -> None:
    import xlwings

    path = Path(xlwings.__file__).parent / "addin" / "WebHelpers.bas"
    text = path.read_bytes().decode("ascii")
    assert len(text) > 117_000
    found = by_olevba(vba_project([VbaModule("WebHelpers", text)]))["WebHelpers"]
    assert found == text.replace("\r\n", "\n")


REFUSED = {
    "empty name": (VbaModule("", ""), "is no name"),
    "underscore first": (VbaModule("_Mod", ""), "a letter first"),
    "digit first": (VbaModule("1Mod", ""), "a letter first"),
    "blank inside": (VbaModule("My Mod", ""), "letters, digits, underscores"),
    "too long": (VbaModule("M" * 32, ""), "32 characters, VBA takes 31"),
    "Han letters": (VbaModule("\u6a21\u5757", ""), "is no name"),
    "not ASCII": (VbaModule("Mod", "Option Explicit\n' caf\u00e9\n"), "Mod, line 2 of the code: only ASCII"),
    "line too long": (VbaModule("Mod", "'" + "x" * 1023), "Mod, line 1 of the code: 1024 characters"),
}


@pytest.mark.parametrize(("module", "said"), REFUSED.values(), ids=REFUSED)
def test_what_vba_cannot_take_is_refused_in_words(module: VbaModule, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        vba_project([module])


def test_the_longest_name_and_line_are_taken() -> None:
    module = VbaModule("M" * 31, "'" + "x" * 1022)
    assert by_olevba(vba_project([module]))["M" * 31] == full_text(module).replace("\r\n", "\n")


def test_names_that_differ_in_case_only_are_refused() -> None:
    with pytest.raises(ValueError, match="two modules bear the name mod"):
        vba_project([PLAIN, VbaModule("mod", "")])


def test_an_exported_class_loses_its_header_and_keeps_its_code(tmp_path: Path) -> None:
    text = 'VERSION 1.0 CLASS\nBEGIN\n  MultiUse = -1\nEND\nAttribute VB_Name = "Shell"\nOption Explicit\n'
    (tmp_path / "Shell.cls").write_text(text, "ascii")
    module = read_module(tmp_path / "Shell.cls")
    assert (module.name, module.kind) == ("Shell", "class")
    assert code(module.source) == "Option Explicit\n"


def test_attributes_of_a_function_stay_where_they_are() -> None:
    source = 'Function F(x)\nAttribute F.VB_Description = "Says what F does."\n    F = x\nEnd Function\n'
    assert by_olevba(vba_project([VbaModule("Mod", source)]))["Mod"].endswith(source)
