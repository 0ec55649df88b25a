"""What worksheet functions are handed and what they hand back: cells as Excel's own functions take them, and errors.

A cell arrives as float, int, str, bool, datetime or None (blank), an error as its text ("#N/A"); a range as rows of
cells, or as a single cell or row where whoever calls is no spreadsheet.
"""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from functools import wraps
from math import isfinite, nan
from numbers import Real
from typing import Any, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from xlfunnel.arguments import system_language
from xlfunnel.calendar import month_number, month_of_text
from xlfunnel.errors import XlfunnelError
from xlfunnel.settings import LANGUAGES
from xlfunnel.strings import words

Floats = NDArray[np.float64]
_F = TypeVar("_F", bound=Callable[..., Any])
_EPOCH = datetime(1899, 12, 30)
_E_INVALIDARG = -2147024809


class ExcelError(StrEnum):
    """The errors of a cell, as Excel writes them."""

    NULL = "#NULL!"
    DIV0 = "#DIV/0!"
    VALUE = "#VALUE!"
    REF = "#REF!"
    NAME = "#NAME?"
    NUM = "#NUM!"
    NA = "#N/A"


_ERRORS = frozenset(str(e) for e in ExcelError)
_ERROR_CODES = range(-2146826288, -2146826200)
"""Errors younger than xlwings' table (#SPILL!, #CALC! …) arrive as their number, and no other cell as an int."""


class CellError(XlfunnelError):
    """A worksheet function has no answer: `error` is what Excel's own functions show then, `code` the reason."""

    def __init__(self, error: ExcelError, code: str, **params: object) -> None:
        super().__init__(code, **params)
        self.error = error


class UdfError(Exception):
    """What a spreadsheet is told: the name of the error, a blank, and the reason as a sentence."""


def answers(function: _F) -> _F:
    """Let a worksheet function fail as a cell does: an Excel error's name, followed by the reason in a sentence.

    VBA finds that text in Err.Description and turns it into the error that it names (workbook/vba/XlfunnelErrors.bas):
    pywin32 cannot hand over error values, and would put a traceback before the text of any exception but its own.
    """

    @wraps(function)
    def answered(*args: object) -> object:
        try:
            return function(*args)
        except XlfunnelError as e:
            error = e.error if isinstance(e, CellError) else ExcelError.VALUE
            raise _raised(f"{error} {reason(e)}") from None

    return cast(_F, answered)


def _raised(text: str) -> Exception:
    try:
        from win32com.server.exception import COMException
    except ImportError:
        return UdfError(text)
    error: Exception = COMException(description=text, scode=_E_INVALIDARG)
    return error


def reason(problem: XlfunnelError, language: str = "") -> str:
    """The sentence of a problem, in `language` or that of the system."""
    return " ".join(words(language or system_language())(problem.code, **problem.params).split())


def language_of(cell: object) -> str:
    """The language named in a cell; the system's if it is blank."""
    if not isinstance(one := cells(cell)[0], str):
        return system_language()
    known = {name.casefold(): name for name in LANGUAGES} | {name.split("-")[0]: name for name in LANGUAGES}
    if one.strip().casefold() not in known:
        raise CellError(ExcelError.VALUE, "udfs.language", value=one, known=", ".join(LANGUAGES))
    return known[one.strip().casefold()]


def rows_of(value: object) -> list[list[object]]:
    """A range as rows of cells; a single cell is a range of one."""
    if not isinstance(value, (list, tuple)):
        return [[value]]
    if value and isinstance(value[0], (list, tuple)):
        return [list(row) for row in value]
    return [list(value)]


def cells(value: object) -> list[object]:
    """The cells of a range, row by row. Raises CellError with the first error among them, as Excel's functions do."""
    flat = [cell for row in rows_of(value) for cell in row]
    for cell in flat:
        if isinstance(cell, str) and cell in _ERRORS:
            raise CellError(ExcelError(cell), "udfs.error_cell", shown=cell)
        if type(cell) is int and cell in _ERROR_CODES:
            raise CellError(ExcelError.VALUE, "udfs.error_cell", shown=cell)
    return flat


def numbers(value: object) -> Floats:
    """The cells of a range as numbers: dates are serial numbers; blank, text and TRUE/FALSE are NaN."""
    return np.array([_number(cell) for cell in cells(value)], dtype=float)


def pairs(values: object, x: object) -> tuple[Floats, Floats]:
    """x and y of the places where both are numbers; without `x` the places themselves, 1…n.

    Raises CellError #N/A if the ranges differ in size.
    """
    y = numbers(values)
    at = np.arange(1.0, len(y) + 1) if x is None else numbers(x)
    same_size(y, at)
    both = np.isfinite(at) & np.isfinite(y)
    return at[both], y[both]


def same_size(first: Any, second: Any) -> None:
    """Raise CellError #N/A unless both ranges have as many cells."""
    if len(first) != len(second):
        raise CellError(ExcelError.NA, "udfs.sizes", first=len(first), second=len(second))


def number(value: object) -> float:
    """The one number in a cell. Raises CellError #VALUE! for a range, for text and for a blank."""
    found = numbers(value)
    if len(found) != 1 or not isfinite(found[0]):
        raise CellError(ExcelError.VALUE, "udfs.no_number")
    return float(found[0])


def defined(value: float, why: str) -> float:
    """`value`; raises CellError #DIV/0! for NaN, which is what SLOPE, INTERCEPT and RSQ show where there is no line."""
    if not isfinite(value):
        raise CellError(ExcelError.DIV0, why)
    return value


def months(value: object) -> list[int]:
    """Month numbers of cells with a date of the month, or its text "2024-06". Raises CellError #VALUE!."""
    return [_month(cell) for cell in cells(value)]


def texts(value: object) -> list[str]:
    """The cells as text; whole numbers without decimals, blanks ""."""
    return [_text(cell) for cell in cells(value)]


def blank(value: float) -> float | None:
    """`value`, or None for NaN: among the results of a spilled range the undefined ones stay blank."""
    return value if isfinite(value) else None


def _number(cell: object) -> float:
    if isinstance(cell, bool):
        return nan
    if isinstance(cell, (Real, Decimal)):  # cells with a currency format arrive as Decimal
        return float(cell)
    if isinstance(cell, date):
        moment = cell if isinstance(cell, datetime) else datetime(cell.year, cell.month, cell.day)
        return (moment.replace(tzinfo=None) - _EPOCH) / timedelta(days=1)
    return nan


def _month(cell: object) -> int:
    if isinstance(cell, date):
        return month_number(cell)
    if isinstance(cell, str):
        try:
            return month_of_text(cell.strip()[:7])
        except ValueError:
            raise CellError(ExcelError.VALUE, "udfs.no_month", value=cell) from None
    serial = _number(cell)
    if not 1 <= serial < 2958466:  # 9999-12-31
        raise CellError(ExcelError.VALUE, "udfs.no_month", value=_text(cell))
    return month_number((_EPOCH + timedelta(days=serial)).date())


def _text(cell: object) -> str:
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return "" if cell is None else str(cell).strip()
