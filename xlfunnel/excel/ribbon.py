"""The ribbon tab: which buttons there are, and its XML for a workbook in one language or for the add-in in both."""

from collections.abc import Iterator
from dataclasses import dataclass

from lxml import etree

from xlfunnel.excel.xml_text import serialise
from xlfunnel.settings import LANGUAGES
from xlfunnel.strings import words

PART = "customUI/customUI14.xml"
RELATIONSHIP = "http://schemas.microsoft.com/office/2007/relationships/ui/extensibility"
NAMESPACE = "http://schemas.microsoft.com/office/2009/07/customui"

TAB = "xlf_tab"
TAB_KEYTIP = "Y1"
"""What Alt and these two keys reach; Excel's own tabs use single letters, and Y with a number is free."""

BOOK_PREFIX, ADDIN_PREFIX = "Xlf", "Xla"
"""Macro names differ between workbook and add-in: with both open, Excel may call the other's macro of the same name."""


@dataclass(frozen=True)
class Button:
    """A button; its words are `ribbon.<key>.label`, `.screentip` and `.supertip`.

    icon      an image that Office ships (imageMso)
    keytip    its key once the tab is chosen, the same in every language
    anywhere  True if it is of use in any workbook, not only in ours
    """

    key: str
    icon: str
    keytip: str
    anywhere: bool = False
    large: bool = False

    @property
    def macro(self) -> str:
        """The macro it calls, without the prefix."""
        return self.key.capitalize()

    @property
    def id(self) -> str:
        """Its id in the XML, under which the add-in asks for its words."""
        return f"xlf_{self.key}"


GROUPS: dict[str, tuple[Button, ...]] = {
    "data": (
        Button("import", "GetExternalDataFromText", "I", large=True),
        Button("check", "ErrorChecking", "C"),
        Button("sample", "TableInsertExcel", "S"),
    ),
    "checkup": (
        Button("refresh", "RefreshAll", "R", large=True),
        Button("reps", "AddressBook", "P"),
        Button("restore", "Undo", "U"),
    ),
    "share": (
        Button("pdf", "FileSaveAsPdfOrXps", "F"),
        Button("split", "FileSendAsAttachment", "W"),
        Button("consolidate", "Consolidate", "G"),
    ),
    "help": (
        Button("settings", "ControlProperties", "T"),
        Button("diagnose", "OfficeDiagnostics", "D", anywhere=True),
        Button("log", "AdvancedFileProperties", "L", anywhere=True),
        Button("guide", "Help", "H", anywhere=True),
    ),
}

BUTTONS = tuple(b for group in GROUPS.values() for b in group)


def ribbon_xml(language: str | None) -> bytes:
    """The customUI14 part of a workbook in `language`, or of the add-in (None), which asks for its words."""
    prefix = BOOK_PREFIX if language else ADDIN_PREFIX
    ui = etree.Element(f"{{{NAMESPACE}}}customUI", {"onLoad": f"{prefix}OnLoad"}, nsmap={None: NAMESPACE})
    tabs = _inside(_inside(ui, "ribbon"), "tabs")
    tab = _inside(tabs, "tab", id=TAB, keytip=TAB_KEYTIP, **_words(TAB, language, "label"))
    if not language:
        tab.set("getVisible", f"{prefix}Visible")
    for key, buttons in GROUPS.items():
        group = _inside(tab, "group", id=f"xlf_group_{key}", **_words(f"xlf_group_{key}", language, "label"))
        for button in buttons:
            _inside(
                group,
                "button",
                id=button.id,
                size="large" if button.large else "normal",
                imageMso=button.icon,
                keytip=button.keytip,
                onAction=f"{prefix}{button.macro}",
                getEnabled=f"{prefix}{'Help' if button.anywhere else 'Book'}Enabled",
                **_words(button.id, language, "label", "screentip", "supertip"),
            )
    etree.indent(ui)
    return serialise(ui) + b"\n"


def label_rows(language: str | None) -> Iterator[tuple[str, str, str]]:
    """(key, Chinese, English) of every word that VBA asks for; in a workbook both are of its own language."""
    chinese, english = (words(language or lang) for lang in LANGUAGES)
    yield "no_python", chinese("ribbon.no_python"), english("ribbon.no_python")
    for key, name in _keys().items():
        yield key, chinese(name), english(name)


def _keys() -> dict[str, str]:
    """Key on the sheet of words -> key of the string."""
    keys = {f"{TAB}.label": "ribbon.tab"}
    keys |= {f"xlf_group_{key}.label": f"ribbon.group.{key}" for key in GROUPS}
    for button in BUTTONS:
        for part in ("label", "screentip", "supertip"):
            keys[f"{button.id}.{part}"] = f"ribbon.{part}.{button.key}"
    return keys


def _words(control: str, language: str | None, *parts: str) -> dict[str, str]:
    if language:
        say = words(language)
        return {part: say(_keys()[f"{control}.{part}"]) for part in parts}
    return {f"get{part.capitalize()}": f"{ADDIN_PREFIX}{part.capitalize()}" for part in parts}


def _inside(parent: etree._Element, name: str, **attributes: str) -> etree._Element:
    return etree.SubElement(parent, f"{{{NAMESPACE}}}{name}", attributes)
