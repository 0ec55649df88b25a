"""Cells: reading them from a row's XML, writing values as XML, and turning frames into values a cell can hold."""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from math import isfinite
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from xlfunnel.excel.ranges import column_number, letters
from xlfunnel.excel.xml_text import attribute_text, attributes, clean, escape, runs_text, shown, unescape

Plain = bool | int | float | str | None
"""What a cell holds: dates are serial numbers already, text is clean, undefined is None."""

Strings = Callable[[int], str]
"""Shared string by its index."""

_CELL = re.compile(r"<c((?:[\s/][^>]*)?)>")
_CELL_END = "</c>"
_PLACE = re.compile(r'\sr="([A-Z]+)\d+"')
_FORMULA = re.compile(r"<f((?:\s[^>]*?)?)(?:/>|>(.*?)</f>)", re.DOTALL)
_VALUE = re.compile(r"<v(?:\s[^>]*?)?>(.*?)</v>", re.DOTALL)
_EPOCHS = {False: date(1899, 12, 30), True: date(1904, 1, 1)}
_DAY = 86_400_000_000
_LEAP_BUG = 61  # 1900-03-01: before it Excel counts a 29 February 1900 that never was


class Cell(NamedTuple):
    """One `<c>`: its attributes without `r`, and what is inside, as XML."""

    attrs: Mapping[str, str]
    inner: str

    @property
    def style(self) -> str | None:
        """Style index."""
        return self.attrs.get("s")

    @property
    def empty(self) -> bool:
        """True if it only carries a style."""
        return not self.inner or ("<f" not in self.inner and _shown(self.inner) is None and "<is" not in self.inner)

    def formula(self) -> tuple[dict[str, str], str] | None:
        """Attributes and text of its formula; None if it has none. A follower of a shared formula has no text."""
        match = _FORMULA.search(self.inner)
        return (attributes(match[1]), unescape(match[2] or "")) if match else None

    def value(self, strings: Strings) -> Plain:
        """What it shows. Errors are their text."""
        kind = self.attrs.get("t", "n")
        if kind == "inlineStr":
            return runs_text(self.inner) or None
        text = unescape(_shown(self.inner) or "")
        if text == "":
            return None
        if kind == "s":
            return strings(int(text)) or None
        if kind == "b":
            return text.strip() == "1"
        return _number(text) if kind == "n" else shown(text)

    def xml(self, ref: str) -> str:
        """The element, at `ref`."""
        attrs = f'r="{ref}"' + attribute_text(self.attrs)
        return f"<c {attrs}>{self.inner}</c>" if self.inner else f"<c {attrs}/>"

    def holds(self, value: Plain, strings: Strings) -> bool:
        """True if it shows just that value already."""
        return self.attrs.get("t") != "e" and same(self.value(strings), value)

    def with_value(self, value: Plain) -> "Cell":
        """The cell with its formula kept and another cached value."""
        match = _FORMULA.search(self.inner) if self.inner else None
        formula = match[0] if match else ""
        attrs = {k: v for k, v in self.attrs.items() if k == "s" or (formula and k in ("cm", "ph"))}
        if formula:
            kind = "b" if isinstance(value, bool) else "str" if isinstance(value, str) else None
            return Cell({**attrs, "t": kind} if kind else attrs, formula + _cached(value))
        if isinstance(value, str):
            attrs["t"] = "inlineStr"
        elif isinstance(value, bool):
            attrs["t"] = "b"
        return Cell(attrs, content(value))

    def with_formula(self, attrs: Mapping[str, str], text: str) -> "Cell":
        """The cell with another formula, its cached value kept."""
        formula = f"<f{attribute_text(attrs)}>{escape(text)}</f>"
        rest = _FORMULA.sub("", self.inner)
        return Cell(self.attrs, formula + rest)


def cells_of(xml: str) -> dict[int, Cell]:
    """The cells of a row by column number; a cell that does not say where it is stands after the one before it."""
    cells, column = {}, 0
    for tag, inner in _elements(xml):
        place = _PLACE.match(tag)
        attrs = _attributes(tag[place.end() :] if place else tag)
        ref = place[1] if place else attrs.get("r", "").rstrip("0123456789")
        column = column_number(ref) if ref else column + 1
        cells[column] = Cell(attrs if place else {k: v for k, v in attrs.items() if k != "r"}, inner)
    return cells


def _elements(xml: str) -> Iterator[tuple[str, str]]:
    """The attributes of each `<c>`, as they are written, and what is inside."""
    at = 0
    while match := _CELL.search(xml, at):
        tag, at = match[1], match.end()
        if tag.endswith("/"):
            yield tag[:-1], ""
        elif (end := xml.find(_CELL_END, at)) >= 0:
            yield tag, xml[at:end]
            at = end + len(_CELL_END)


@lru_cache(maxsize=1024)
def _attributes(text: str) -> Mapping[str, str]:
    """The attributes of a cell but for its place, which comes first as a rule: nearly all cells share a few."""
    return attributes(text)


def new_cell(style: str | None, value: Plain) -> Cell:
    """A cell without a formula."""
    return Cell({"s": style} if style else {}, "").with_value(value)


def content(value: Plain) -> str:
    """What stands inside the `<c>` of a value without formula."""
    return f"<is>{_text(value)}</is>" if isinstance(value, str) else _cached(value)


def same(a: Plain, b: Plain) -> bool:
    """Equal in kind and value."""
    if type(a) is not type(b) and (isinstance(a, bool | str) or isinstance(b, bool | str)):
        return False
    return a == b


def column_xml(column: int, rows: range, style: str | None, values: list[Plain]) -> list[str]:
    """The cells of new rows in one column, quickly."""
    name, s = letters(column), f' s="{style}"' if style else ""
    blank, out = bool(s), []
    for row, value in zip(rows, values, strict=True):
        if value is None:
            out.append(f'<c r="{name}{row}"{s}/>' if blank else "")
        elif isinstance(value, str):
            out.append(f'<c r="{name}{row}"{s} t="inlineStr"><is>{_text(value)}</is></c>')
        elif isinstance(value, bool):
            out.append(f'<c r="{name}{row}"{s} t="b"><v>{value:d}</v></c>')
        else:
            out.append(f'<c r="{name}{row}"{s}><v>{number_text(value)}</v></c>')
    return out


def plain_values(series: pd.Series, date1904: bool) -> list[Plain]:
    """The values of a frame's column."""
    if isinstance(series.dtype, pd.DatetimeTZDtype):
        series = series.dt.tz_localize(None)
    if series.dtype.kind == "M" and isinstance(series.dtype, np.dtype):
        micros = series.to_numpy("datetime64[us]").astype("int64")
        offset = (_EPOCHS[date1904] - date(1970, 1, 1)).days
        days, rest = np.divmod(micros, _DAY)
        gone = series.isna().to_numpy()
        if not (days[~gone] - offset < _LEAP_BUG).any():
            serials = days - offset if not rest[~gone].any() else (days - offset) + rest / _DAY
            return [None if na else v for v, na in zip(serials.tolist(), gone, strict=True)]
    if isinstance(series.dtype, np.dtype) and series.dtype.kind in "iub":
        return series.tolist()
    if isinstance(series.dtype, np.dtype) and series.dtype.kind == "f":
        return [v if isfinite(v) else None for v in series.to_numpy("float64").tolist()]
    return [plain(v, date1904) for v in series.tolist()]


def plain(value: Any, date1904: bool) -> Plain:
    """One value of any kind a frame can hold."""
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, str):
        return clean(value) or None
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, (int, np.integer)):
        return int(value)
    if isinstance(value, date):
        return _serial(value, date1904)
    if isinstance(value, pd.Timedelta):
        return float(value / pd.Timedelta(days=1))
    try:
        number = float(value)
    except (TypeError, ValueError):
        return clean(str(value)) or None
    return number if isfinite(number) else None


def number_text(value: float) -> str:
    """The shortest text that reads back as the same number."""
    text = repr(value)
    return text[:-2] if text.endswith(".0") else text


def serial_date(serial: float, date1904: bool) -> datetime | None:
    """The date and time of a serial number; None if there is no such day."""
    try:
        day = serial if date1904 or serial >= _LEAP_BUG else serial + 1
        return datetime.combine(_EPOCHS[date1904], time()) + timedelta(milliseconds=round(day * 86_400_000))
    except (OverflowError, ValueError):
        return None


def _serial(value: date, date1904: bool) -> Plain:
    moment = value.replace(tzinfo=None) if isinstance(value, datetime) else datetime.combine(value, time())
    delta = moment - datetime.combine(_EPOCHS[date1904], time())
    days = delta.days - (not date1904 and delta.days < _LEAP_BUG)
    if days < (0 if date1904 else 1):
        return value.isoformat()  # older than any day a cell can show
    fraction = (delta.seconds + delta.microseconds / 1e6) / 86_400
    return days + fraction if fraction else days


def _number(text: str) -> Plain:
    try:
        number = float(text)
    except ValueError:
        return text
    return int(number) if number.is_integer() and abs(number) < 2**53 else number


def _shown(inner: str) -> str | None:
    """What stands in the `<v>` of a cell, still escaped; None if it has none."""
    if inner.startswith("<v>") and inner.endswith("</v>") and inner.find("<", 3) == len(inner) - 4:
        return inner[3:-4]  # and nothing else, as in most cells
    match = _VALUE.search(inner)
    return match[1] if match else None


def _cached(value: Plain) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return f"<v>{escape(value)}</v>"
    return f"<v>{value:d}</v>" if isinstance(value, bool) else f"<v>{number_text(value)}</v>"


def _text(value: str) -> str:
    keep = value[0].isspace() or value[-1].isspace() or "\n" in value or "  " in value
    return f'<t xml:space="preserve">{escape(value)}</t>' if keep else f"<t>{escape(value)}</t>"
