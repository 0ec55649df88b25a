"""Dates as CRMs and people write them, as seconds since 1970-01-01 of the local clock; zones are not converted.

Read are: real dates of a workbook, Excel's serial numbers (1900 and 1904), ISO with or without time and zone,
2025/6/30, 2025.6.30, 2025年6月30日, 20250630, 30-Jun-2025, 30-Jun-25, Jun 30, 2025, 30.6.2025, milliseconds since 1970
(as HubSpot's interface gives them, in UTC), and 6/30/2025 or 30/6/2025, told apart in `xlfunnel.crm.day_month`.
"""

import re
import unicodedata
from datetime import date, datetime
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from xlfunnel.calendar import day_number, month_number
from xlfunnel.crm.text import Cells, clean, factorized, is_blank, plain

DAY = 86_400
BLANK = np.iinfo(np.int64).min
"""No date in the cell."""
BAD = BLANK + 1
"""Something is in the cell, and it is no date."""
NEVER_YEAR = 2099
"""Dates of this year and later mean "never" in a closing date: 2099-12-31, 9999-12-31."""

Seconds = np.ndarray[Any, np.dtype[np.int64]]

_FIRST_YEAR = 1950
_MILLISECONDS = (631_152_000_000, 4_102_444_800_000)  # 1990-01-01 … 2100-01-01
_SERIALS = (18_264, 109_575)  # 1950-01-01 … 2200-01-01 in Excel's own count
_MONTH_NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTHS = {name: number for number, name in enumerate(_MONTH_NAMES, 1)}
_TIME = (
    r"(?:[t\s,]*(?:(?:星期|周)[一二三四五六日天]\s*)?(?P<half>上午|下午|am|pm)?\s*(?P<h>\d{1,2})[:时点](?P<m>\d{1,2})?分?"
    r"(?::?(?P<s>\d{1,2})(?:[.,]\d+)?秒?)?\s*(?P<half2>am|pm)?\s*(?:z|utc|gmt|[+-]\d{2}:?\d{2})?)?"
)
_YEAR_FIRST = r"(?P<y>\d{4})\s*[-/.年]\s*(?P<mo>\d{1,2})\s*[-/.月]\s*(?P<d>\d{1,2})\s*[日号]?" + _TIME
_EIGHT = r"(?P<y>\d{4})(?P<mo>\d{2})(?P<d>\d{2})" + _TIME
_DAY_NAME = r"(?P<d>\d{1,2})[-\s]+(?P<name>[a-z]{3,9})\.?[-,\s]+(?P<y>\d{4}|\d\d)" + _TIME
_NAME_DAY = r"(?P<name>[a-z]{3,9})\.?\s+(?P<d>\d{1,2})(?:st|nd|rd|th)?,?\s+(?P<y>\d{4})" + _TIME
_DOTTED = r"(?P<d>\d{1,2})\.(?P<mo>\d{1,2})\.(?P<y>\d{4})" + _TIME
_SLASHED = r"(?P<a>\d{1,2})\s*[-/]\s*(?P<b>\d{1,2})\s*[-/]\s*(?P<y>\d{4})" + _TIME
_NUMBER_TEXT = r"\d{5}(?:\.\d+)?|\d{12,13}"
_MONTH_FIRST = r"(?P<y>\d{4})\s*[-/.年]?\s*(?P<mo>\d{1,2})\s*月?(?:份)?"
_MONTH_NAME = r"(?P<name>[a-z]{3,9})\.?[-\s]+(?P<y>\d{4})"


class Slashed(NamedTuple):
    """A date of which it is not yet known which of `a` and `b` is the month."""

    a: int
    b: int
    year: int
    time: int

    def seconds(self, month_first: bool) -> int:
        """Seconds since 1970-01-01, or BAD."""
        month, day = (self.a, self.b) if month_first else (self.b, self.a)
        return _seconds(self.year, month, day, self.time)


def moment(cell: object, epoch_1904: bool = False) -> int | Slashed:
    """One cell: seconds since 1970-01-01, BLANK, BAD, or a Slashed that its column must decide.

    >>> [moment(t) // DAY for t in ("1970-01-02T23:00:00+08:00", "1970年1月3日", "19700104", 25573.5)]
    [1, 2, 3, 4]
    """
    if isinstance(cell, datetime):
        return _seconds(cell.year, cell.month, cell.day, cell.hour * 3600 + cell.minute * 60 + cell.second)
    if isinstance(cell, date):
        return _seconds(cell.year, cell.month, cell.day, 0)
    if isinstance(cell, (int, float)) and not isinstance(cell, bool):
        return _number(float(cell), epoch_1904)
    text = unicodedata.normalize("NFKC", clean(plain(cell))[0]).casefold().strip("'\" ")
    if is_blank(text):
        return BLANK
    if len(text) > 60:
        return BAD
    for form in (_YEAR_FIRST, _EIGHT, _DAY_NAME, _NAME_DAY, _DOTTED):
        found = _form(form).fullmatch(text)
        if found:
            parts = found.groupdict()
            month = int(parts["mo"]) if parts.get("mo") else _MONTHS.get(parts["name"][:3], 0)
            return _seconds(_year(parts["y"]), month, int(parts["d"]), _clock(found))
    found = _form(_SLASHED).fullmatch(text)
    if found:
        return Slashed(int(found["a"]), int(found["b"]), int(found["y"]), _clock(found))
    return _number(float(text), epoch_1904) if _form(_NUMBER_TEXT).fullmatch(text) else BAD


def month(cell: object, epoch_1904: bool = False) -> int:
    """One cell as a month number; BLANK or BAD. Reads 2025-06, 202506, 2025年6月, Jun 2025 and dates."""
    text = unicodedata.normalize("NFKC", clean(plain(cell))[0]).casefold() if not isinstance(cell, date) else ""
    found = _form(_MONTH_FIRST).fullmatch(text) or _form(_MONTH_NAME).fullmatch(text)
    if found and len(text) > 5:  # five digits are a serial number
        parts = found.groupdict()
        number = int(parts["mo"]) if "mo" in parts else _MONTHS.get(parts["name"][:3], 0)
        seconds = _seconds(int(parts["y"]), number, 1, 0)
    else:
        read = moment(cell, epoch_1904)
        seconds = read if isinstance(read, int) else read.seconds(True)
        if isinstance(read, Slashed) and seconds != read.seconds(False):
            return BAD
    if seconds in (BLANK, BAD):
        return seconds
    return month_number(date.fromordinal(seconds // DAY + date(1970, 1, 1).toordinal()))


def months(cells: Cells, epoch_1904: bool = False) -> Seconds:
    """`month` of a column."""
    codes, uniques = factorized(cells)
    return np.array([month(u, epoch_1904) for u in uniques] + [BLANK], dtype=np.int64).take(codes)


def moments(cells: Cells, epoch_1904: bool = False, month_first: bool = True) -> Seconds:
    """`moment` of a column; `month_first` reads its slashed dates (see `xlfunnel.crm.day_month`)."""
    codes, uniques = factorized(cells)
    found = [moment(u, epoch_1904) for u in uniques]
    values = [f if isinstance(f, int) else f.seconds(month_first) for f in found]
    return np.take(np.array([*values, BLANK], dtype=np.int64), codes)


@cache
def _form(pattern: str) -> re.Pattern[str]:
    """A form of dates, compiled when a text is first held against it: the real dates of a workbook need none."""
    return re.compile(pattern)


def _year(text: str) -> int:
    """A year; of two digits as Excel takes them: 29 is 2029, 30 is 1930."""
    return int(text) if len(text) > 2 else int(text) + (2000 if int(text) < 30 else 1900)


def _seconds(year: int, month: int, day: int, time: int) -> int:
    if time < 0 or year < _FIRST_YEAR:
        return BAD
    try:
        return day_number(date(year, month, day)) * DAY + time
    except ValueError:
        return BAD


def _clock(found: re.Match[str]) -> int:
    """Seconds of the day; -1 for a time that does not exist."""
    if found["h"] is None:
        return 0
    hour, minute, second = int(found["h"]), int(found["m"] or 0), int(found["s"] or 0)
    half = found["half"] or found["half2"]
    if half in ("下午", "pm") and hour < 12:
        hour += 12
    if half in ("上午", "am") and hour == 12:
        hour = 0
    return hour * 3600 + minute * 60 + second if hour < 24 and minute < 60 and second < 61 else -1


def _number(value: float, epoch_1904: bool) -> int:
    """A bare number: Excel's serial, 20250630, or milliseconds."""
    if _MILLISECONDS[0] <= value < _MILLISECONDS[1]:
        return int(value // 1000)
    if value.is_integer() and 19_500_101 <= value <= 99_991_231:
        whole = int(value)
        return _seconds(whole // 10_000, whole // 100 % 100, whole % 100, 0)
    serial = value + 1462 if epoch_1904 else value
    if not _SERIALS[0] <= serial < _SERIALS[1]:
        return BAD
    return round((serial - 25_569) * DAY)
