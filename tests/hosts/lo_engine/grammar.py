"""Formulas between Excel's way of writing and LibreOffice's: separators, and sheets before references."""

import re
from collections.abc import Callable

_QUOTED = re.compile(r"(\"(?:[^\"]|\"\")*\")")
_EXCEL_SHEET = re.compile(r"('(?:[^']|'')+'|[^\W\d][\w.]*)!(?=\$?[A-Za-z]{1,3}\$?\d)")
_OFFICE_SHEET = re.compile(r"\$?('(?:[^']|'')+'|[^\W\d]\w*)\.(?=\$?[A-Za-z]{1,3}\$?\d)")


def to_office(formula: str) -> str:
    """Excel's text of a formula as LibreOffice reads it."""
    return _outside_texts(formula, lambda part: _EXCEL_SHEET.sub(r"$\1.", part).replace(",", ";"))


def to_excel(formula: str) -> str:
    """LibreOffice's text of a formula as Excel shows it."""
    return _outside_texts(formula, lambda part: _OFFICE_SHEET.sub(r"\1!", part).replace(";", ","))


def _outside_texts(formula: str, change: Callable[[str], str]) -> str:
    parts = _QUOTED.split(formula)
    return "".join(part if part.startswith('"') else change(part) for part in parts)
