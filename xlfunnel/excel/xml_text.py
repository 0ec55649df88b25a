"""XML as Excel means it: escapes, text runs, and a parser that fetches and expands nothing."""

import re
from collections.abc import Mapping
from functools import lru_cache

from lxml import etree

from xlfunnel.errors import WorkbookError

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE_RELS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
M = f"{{{MAIN}}}"
R = f"{{{OFFICE_RELS}}}"
XM = "{http://schemas.microsoft.com/office/excel/2006/main}"

MAX_TEXT = 32_767
"""Longest text of a cell, in UTF-16 units."""

_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_LOOKS_ESCAPED = re.compile("_(?=x[0-9A-Fa-f]{4}_)")
_ESCAPED = re.compile("_x([0-9A-Fa-f]{4})_")
_ENTITY = re.compile(r"&(?:#(\d+)|#x([0-9A-Fa-f]+)|(\w+));")
_NAMED = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}
_ATTRIBUTE = re.compile(r"""([^\s=]+)\s*=\s*(?:"([^"]*)"|'([^']*)')""")
_PHONETIC = re.compile(r"<(\w+:)?rPh\b.*?</(?:\w+:)?rPh>", re.DOTALL)
_RUN = re.compile(r"<(?:\w+:)?t(?:\s[^>]*)?(?<!/)>(.*?)</(?:\w+:)?t>", re.DOTALL)


def clean(text: str) -> str:
    """What a cell can hold of `text`: no control characters, line feeds as line breaks, at most MAX_TEXT long."""
    if not text.isprintable():  # what is printable holds none of these
        text = text.replace("\r\n", "\n").replace("\r", "\n")
        text = _SURROGATE.sub("\ufffd", _ILLEGAL.sub("", text))
    if len(text) > MAX_TEXT // 2:
        units = text.encode("utf-16-le")[: 2 * MAX_TEXT]
        text = units.decode("utf-16-le", "ignore")
    return text


def escape(text: str) -> str:
    """Text as element content; what looks like one of Excel's own `_xHHHH_` escapes is kept literal."""
    if "&" in text or "<" in text or ">" in text:
        text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _LOOKS_ESCAPED.sub("_x005F_", text) if "_x" in text else text


def unescape(text: str) -> str:
    """The characters that XML text stands for."""
    return _ENTITY.sub(_entity, text) if "&" in text else text


def shown(text: str) -> str:
    """Excel's `_xHHHH_` escapes resolved; line breaks as one line feed."""
    if "_x" in text:
        text = _ESCAPED.sub(lambda m: chr(int(m[1], 16)), text)
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def runs_text(xml: str) -> str:
    """The text of an `<is>` or `<si>`: its runs joined, phonetic guides left out."""
    if xml.startswith("<is><t>") and xml.endswith("</t></is>") and xml.find("<", 7) == len(xml) - 9:
        return shown(unescape(xml[7:-9]))  # one run, as in most cells
    if "rPh" in xml:
        xml = _PHONETIC.sub("", xml)
    return shown("".join(unescape(t) for t in _RUN.findall(xml)))


def attributes(text: str) -> dict[str, str]:
    """The attributes of a start tag, in order, unescaped."""
    return {name: unescape(a or b) for name, a, b in _ATTRIBUTE.findall(text)}


def attribute_text(pairs: Mapping[str, str]) -> str:
    """Attributes as they stand in a start tag, each with a leading blank."""
    return "".join(_attribute(name, value) for name, value in pairs.items())


@lru_cache(maxsize=1024)
def _attribute(name: str, value: str) -> str:
    """One attribute; nearly all cells of a sheet share a few styles."""
    return f' {name}="{escape(value).replace(chr(34), "&quot;")}"'


def parse(xml: bytes, part: str) -> etree._Element:
    """The root element of a part. Raises WorkbookError `workbook.damaged` for anything but plain, well-formed XML."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True)
    try:
        root = etree.fromstring(xml, parser)
    except (etree.XMLSyntaxError, ValueError) as e:
        raise WorkbookError("workbook.damaged", part=part, reason=str(e)) from None
    if root.getroottree().docinfo.doctype:
        raise WorkbookError("workbook.damaged", part=part, reason="DOCTYPE")
    return root


def serialise(root: etree._Element) -> bytes:
    """A part's bytes, declaration as Excel writes it."""
    body: bytes = etree.tostring(root, encoding="UTF-8")
    return b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n' + body


def _entity(match: re.Match[str]) -> str:
    if match[1]:
        return chr(int(match[1]))
    return chr(int(match[2], 16)) if match[2] else _NAMED.get(match[3], match[0])
