"""What becomes of a value that is written into a cell: Excel reads a text as if somebody had typed it."""

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

_NUMBER = re.compile(r"[-+]?[$¥€£]?\d[\d,]*(?:\.\d*)?(?:[eE][-+]?\d+)?%?|[-+]?\.\d+%?")
_DATE = re.compile(r"\d{1,4}[-/.年]\d{1,2}(?:[-/.月]\d{0,4}日?)?|\d{1,2}月\d{0,2}日?|\d{1,2}:\d{2}(?::\d{2})?")
_EPOCH = datetime(1899, 12, 30)
_DAY = timedelta(days=1)


class CellError(str):
    """The text of an error that stands in a cell."""


@dataclass(frozen=True)
class Entry:
    """What the cell holds then.

    value  number or text; "" is blank
    kind   "plain", "formula" (value is its text), "logical" or "date" (value is the number behind it)
    """

    value: float | str
    kind: str = "plain"


def entered(value: object, is_text_cell: bool) -> Entry:
    """What Excel makes of a value. In a cell formatted as text everything but a formula without apostrophe is text.

    A text that begins with + - or @ is taken for a formula and one that looks like a number or a day for that.
    """
    if isinstance(value, bool):
        return Entry(float(value), "logical")
    if isinstance(value, (int, float)):
        return Entry(f"{value:.15g}" if is_text_cell else float(value))
    if isinstance(value, datetime):
        return Entry((value.replace(tzinfo=None) - _EPOCH) / _DAY, "date")
    if isinstance(value, date):
        return Entry((datetime.combine(value, time()) - _EPOCH) / _DAY, "date")
    text = str(value)
    if text.startswith("'"):
        return Entry(text[1:])
    if is_text_cell or not text:
        return Entry(text)
    if text.startswith("=") and len(text) > 1:
        return Entry(text, "formula")
    if text.upper() in ("TRUE", "FALSE"):
        return Entry(float(text.upper() == "TRUE"), "logical")
    if _NUMBER.fullmatch(text):
        digits = re.sub(r"[$¥€£,%]", "", text)
        return Entry(float(digits) / (100 if text.endswith("%") else 1))
    if _DATE.fullmatch(text):
        return Entry(float(sum(map(int, re.findall(r"\d+", text)))), "date")
    if text[0] in "+-@" and len(text) > 1:
        return Entry(f"={text}", "formula")
    return Entry(text)


def moment(serial: float) -> datetime:
    """The day and time behind a number."""
    return _EPOCH + timedelta(seconds=round(serial * 86_400, 3))
