"""Writes a VBA project, `vbaProject.bin`, from the text of its modules. Equal texts give equal bytes."""

import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from xlfunnel.excel.cfb import compound_file
from xlfunnel.excel.ovba import SOURCE_CACHE, Entry, compressed, dir_records, project_names, project_text

Kind = Literal["standard", "class", "document"]

WORKBOOK_BASE = "0{00020819-0000-0000-C000-000000000046}"
SHEET_BASE = "0{00020820-0000-0000-C000-000000000046}"
"""What a document module extends: Excel's Workbook and Worksheet."""

_CLASS_BASE = "0{FCFB3D2A-A0FA-1068-A738-08002B3371B5}"
_NAMESPACE = uuid.UUID("6f0c1f0e-3f3b-5f0e-9d2a-0c6a8f3d7b11")
_MAX_NAME = 31
_MAX_LINE = 1023
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_BREAK = re.compile(r"\r\n|\r|\n")
_HEADER = re.compile(r"(?:Attribute VB_\w+ = .*\n|VERSION .*\n|BEGIN\n(?:.*\n)*?END\n)*")


@dataclass(frozen=True)
class VbaModule:
    """A module and its text.

    source  the VBA text as a person writes it, with or without the `Attribute VB_…` lines an export begins with
    kind    "standard", "class", or "document" for ThisWorkbook and the sheets (the name is the code name)
    """

    name: str
    source: str
    kind: Kind = "standard"


def read_module(path: Path) -> VbaModule:
    """A module from a `.bas` or `.cls` file; ThisWorkbook and what begins with `sheet_` are document modules."""
    kind: Kind = "class" if path.suffix == ".cls" else "standard"
    if path.stem == "ThisWorkbook" or path.stem.startswith("sheet_"):
        kind = "document"
    return VbaModule(path.stem, path.read_text("ascii"), kind)


def vba_project(modules: Sequence[VbaModule], *, project: str = "xlfunnel") -> bytes:
    """The bytes of `vbaProject.bin`, in the form that has no compiled code.

    Raises ValueError for a name or a line that VBA could not take: names have at most 31 letters, digits and
    underscores and differ beyond case, lines at most 1023 characters, and all of it is ASCII.
    """
    _check_name(project, "project")
    seen: set[str] = set()
    for module in modules:
        _check_name(module.name, "module")
        if module.name.lower() in seen:
            raise ValueError(f"two modules bear the name {module.name}")
        seen.add(module.name.lower())
    texts = {m.name: full_text(m) for m in modules}
    entries = [Entry(m.name, m.kind) for m in modules]
    content = "\0".join((project, *(part for item in texts.items() for part in item)))
    guid = f"{{{uuid.uuid5(_NAMESPACE, content)}}}".upper()
    streams = {name: compressed(text.encode("ascii")) for name, text in texts.items()}
    return compound_file({
        "PROJECT": project_text(project, guid, entries),
        "PROJECTwm": project_names(m.name for m in modules),
        "VBA": {
            "dir": compressed(dir_records(project, entries)),
            "_VBA_PROJECT": SOURCE_CACHE,
            **streams,
        },
    })  # fmt: skip


def full_text(module: VbaModule) -> str:
    """The text as the project stores it: CRLF, our attributes first. Raises ValueError for what VBA cannot take."""
    body = code(module.source)
    for number, line in enumerate(body.split("\n"), 1):
        if not line.isascii():
            raise ValueError(f"{module.name}, line {number} of the code: only ASCII can be stored: {line.strip()!r}")
        if len(line) > _MAX_LINE:
            raise ValueError(f"{module.name}, line {number} of the code: {len(line)} characters, VBA takes {_MAX_LINE}")
    return (_attributes(module) + body).replace("\n", "\r\n")


def code(source: str) -> str:
    """A module's text with line feeds, without the attributes and the class header that an export begins with."""
    text = _BREAK.sub("\n", source)
    found = _HEADER.match(text)
    text = text[found.end() :] if found else text
    return text if text.endswith("\n") or not text else text + "\n"


def _attributes(module: VbaModule) -> str:
    lines = [f'VB_Name = "{module.name}"']
    if module.kind != "standard":
        document = module.kind == "document"
        base = _CLASS_BASE if not document else WORKBOOK_BASE if module.name == "ThisWorkbook" else SHEET_BASE
        lines += [
            f'VB_Base = "{base}"',
            "VB_GlobalNameSpace = False",
            "VB_Creatable = False",
            f"VB_PredeclaredId = {document}",
            f"VB_Exposed = {document}",
            "VB_TemplateDerived = False",
            f"VB_Customizable = {document}",
        ]
    return "".join(f"Attribute {line}\n" for line in lines)


def _check_name(name: str, what: str) -> None:
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name for a VBA {what}: a letter first, then letters, digits, underscores")
    if len(name) > _MAX_NAME:
        raise ValueError(f"{name!r} is no name for a VBA {what}: {len(name)} characters, VBA takes {_MAX_NAME}")
