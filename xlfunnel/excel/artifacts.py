"""Builds what is shipped in `workbook/`: `python -m xlfunnel.excel.artifacts [FOLDER]`.

For each language the template without macros and the one with them (ribbon and VBA inside), and one add-in for both
languages, which acts on the workbook in front. Two builds are equal byte for byte.
"""

import sys
from collections.abc import Mapping
from datetime import datetime
from functools import partial
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import Any

import xlsxwriter
from lxml import etree

from xlfunnel.excel import ribbon, template, template_id
from xlfunnel.excel.package import CONTENT_TYPES, Package
from xlfunnel.excel.udf_wrappers import MODULE_NAME, udf_wrappers
from xlfunnel.excel.vba_project import VbaModule, read_module, vba_project
from xlfunnel.excel.xml_text import parse, serialise
from xlfunnel.pages import PAGES, functions
from xlfunnel.paths import shipped
from xlfunnel.settings import LANGUAGES
from xlfunnel.strings import words

ADDIN = "xlfunnel.xlam"
MACRO_PAGES = (*PAGES, functions.PAGE)
"""The sheets of the macro workbook: one more than others have, for only its macros know the functions."""
CONF_SHEET, ADDIN_CONF_SHEET = "xlwings.conf", "xlfunnel.conf"
"""Where xlwings' VBA looks for its settings: a sheet named after its constant PROJECT_NAME."""
LABELS_SHEET = "xlfunnel.labels"

# Every setting that xlwings' VBA asks for, also those left empty: what the sheet lacks it would take from a file beside
# the workbook, so that a folder somebody else filled could decide which program runs. The place is where
# install.cmd puts Python. python.exe, not pythonw.exe: cmd.exe waits for it and gets its messages.
_PYTHON = r"%LOCALAPPDATA%\xlfunnel\python"
CONF: Mapping[str, str] = {
    "INTERPRETER_WIN": rf"{_PYTHON}\python.exe",
    "PYTHONPATH": _PYTHON,  # an empty one would put the current folder on the path
    "ADD_WORKBOOK_TO_PYTHONPATH": "False",
    "UDF MODULES": "xlfunnel.udfs",
    "USE UDF SERVER": "True",
    "DEBUG UDFS": "False",
    "SHOW CONSOLE": "False",
    "SHOW_ERROR_POPUPS": "True",
    "TEMP DIR": "%TEMP%",
    "CONDA PATH": "",
    "CONDA ENV": "",
    "LICENSE_KEY": "",
    "ONEDRIVE_CONSUMER_WIN": "",
    "ONEDRIVE_COMMERCIAL_WIN": "",
    "SHAREPOINT_WIN": "",
}

_BUILT = datetime(2025, 1, 1)
_UDFS = CONF["UDF MODULES"]
_SHARED_MODULES = ("XlfunnelRun.bas", "XlfunnelErrors.bas")
_RELATIONSHIP = "{http://schemas.openxmlformats.org/package/2006/relationships}Relationship"


def file_name(language: str) -> str:
    """The macro workbook's file name in `workbook/`."""
    return template_id.file_name(language, macros=True)


def build_workbook(language: str, path: Path) -> None:
    """Write the template of one language with its macros and ribbon. Raises OSError, RuntimeError, ValueError."""
    template.build(language, path, extend=partial(_extend, language=language), pages=MACRO_PAGES)
    _add_ribbon(path, language)


def build_addin(path: Path) -> None:
    """Write the add-in. Raises OSError, RuntimeError, ValueError."""
    chinese, english = (words(lang) for lang in LANGUAGES)
    book = xlsxwriter.Workbook(str(path))
    book.set_properties({
        "title": f"{chinese('ribbon.tab')} / {english('ribbon.tab')}",
        "comments": f"{chinese('sheets.app')} / {english('sheets.app')}",
        "author": "xlfunnel",
        "created": _BUILT,
    })  # fmt: skip
    _extend(book, language=None)
    book.close()
    _add_ribbon(path, None)


def modules(language: str | None, sheets: list[str]) -> list[VbaModule]:
    """The VBA of a macro workbook, or of the add-in (None); `sheets` are the code names of its sheets."""
    own = shipped("vba")
    names = ("ThisWorkbook.cls", "XlfunnelRibbon.bas" if language else "XlfunnelAddin.bas", *_SHARED_MODULES)
    ours = [read_module(own / name) for name in names]
    xlwings = _of_xlwings("xlwings.bas") if language else addin_text(_of_xlwings("xlwings_custom_addin.bas"))
    return [
        ours[0],
        *(VbaModule(name, "", "document") for name in sheets),
        *ours[1:],
        VbaModule("xlwings", xlwings),
        VbaModule(MODULE_NAME, udf_wrappers(_UDFS, file_name(language) if language else ADDIN)),
    ]


def addin_text(text: str) -> str:
    """xlwings' module for add-ins, named after us, and with nothing decided by the workbook in front but which it is.

    As it comes it reads its settings from a sheet of that workbook first: a workbook from a mail, without any macro,
    could name the program that the add-in starts. Its path is part of the server's command as well, so that each
    workbook would start a Python of its own.
    Raises ValueError if the text is not what is known to need that.
    """
    name = 'PROJECT_NAME As String = "myaddin"'
    which = ('"BOOK_CALLER", ActiveWorkbook', '" --wb=" & """" & ActiveWorkbook.Name')
    if any(text.count(known) != 1 for known in (name, *which)):
        raise ValueError("xlwings' module for add-ins has changed: look at it again")
    kept = [line if any(w in line for w in which) else line.replace("ActiveWorkbook", "ThisWorkbook")
            for line in text.split("\n")]  # fmt: skip
    return "\n".join(kept).replace(name, 'PROJECT_NAME As String = "xlfunnel"')


def _of_xlwings(name: str) -> str:
    spec = find_spec("xlwings")
    if spec is None or spec.origin is None:
        raise RuntimeError("xlwings is not installed")
    return (Path(spec.origin).parent / name).read_text("ascii")


def _extend(book: Any, language: str | None) -> None:
    """Put the sheets for VBA and the VBA itself into a workbook that is being made."""
    labels = book.add_worksheet(LABELS_SHEET)
    labels.set_vba_name("sheet_labels")
    for row in enumerate(ribbon.label_rows(language)):
        labels.write_row(row[0], 0, row[1])
    conf = book.add_worksheet(CONF_SHEET if language else ADDIN_CONF_SHEET)
    conf.set_vba_name("sheet_conf")
    for i, (key, value) in enumerate(CONF.items()):
        conf.write_string(i, 0, key)
        conf.write_string(i, 1, value)
    conf.very_hidden()
    if language:
        labels.very_hidden()
    names = [sheet.vba_codename for sheet in book.worksheets()]
    project = vba_project(modules(language, names), project="xlfunnel" if language else "xlfunnel_addin")
    book.set_vba_name("ThisWorkbook")
    book.add_vba_project(BytesIO(project), is_stream=True)


def _add_ribbon(path: Path, language: str | None) -> None:
    with Package(path) as package:
        package.add(ribbon.PART, ribbon.ribbon_xml(language))
        links = parse(package.read("_rels/.rels"), "_rels/.rels")
        etree.SubElement(links, _RELATIONSHIP, Id="rIdRibbon", Type=ribbon.RELATIONSHIP, Target=ribbon.PART)
        package.replace("_rels/.rels", serialise(links))
        if not language:
            types = package.read(CONTENT_TYPES)
            package.replace(CONTENT_TYPES, types.replace(b"ms-excel.sheet.macro", b"ms-excel.addin.macro"))
        package.write(path)


def build_all(folder: Path) -> None:
    """Write every workbook, the add-in, and the ribbons' XML for reading."""
    (folder / "ribbon").mkdir(exist_ok=True)
    for language in LANGUAGES:
        template.build(language, folder / template_id.file_name(language))
        build_workbook(language, folder / file_name(language))
        (folder / "ribbon" / f"customUI14.{language}.xml").write_bytes(ribbon.ribbon_xml(language))
    build_addin(folder / ADDIN)
    (folder / "ribbon" / "customUI14.addin.xml").write_bytes(ribbon.ribbon_xml(None))


if __name__ == "__main__":
    build_all(Path(sys.argv[1] if len(sys.argv) > 1 else "workbook"))
