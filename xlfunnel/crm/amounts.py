"""Amounts and counts as people write them, exactly: ¥1,054 · 12.5万 · (1,000) · 1.2E+05."""

import re
import unicodedata
from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from xlfunnel.crm.text import Cells, clean, factorized, is_blank, plain

_UNITS = {"万": 10_000, "w": 10_000, "亿": 100_000_000, "千": 1_000, "k": 1_000, "m": 1_000_000, "百万": 1_000_000}
_CODES = "CNY|RMB|USD|EUR|HKD|JPY|GBP|TWD|SGD|人民币|美元|元整|元"
_CURRENCY = re.compile(rf"^(?:{_CODES}|[A-Z]{{0,2}}\$|[¥€£])|(?:{_CODES}|[¥$€£])$", re.I)
_NUMBER = re.compile(r"(?:\d+|\d{1,3}(?:,\d{3})+|\d{1,3}(?:,\d{4})+)?(?:\.\d*)?(?:e[+-]?\d{1,2})?", re.I)
_DECIMAL_COMMA = re.compile(r"\d{1,3}(?:\.\d{3})+,\d{1,2}")
_MAYBE_COMMA = re.compile(r"[,，][\d０-９]{1,2}(?![\d０-９])")
_SHORT_COMMA = re.compile(r"\d+,\d{1,2}")
_DECIMAL_POINT = re.compile(r"\d{1,3}(?:,\d{3})+\.\d*|\d+\.(?:\d{0,2}|\d{4,})|\d{1,3}(?:,\d{3,4}){2,}|\d{1,3},\d{4}")
_EITHER = re.compile(r"[1-9]\d{0,2}\.\d{3}")
_MAYBE_EITHER = re.compile(r"[.．]\d{3}(?!\d)")
_NO_THOUSANDS = re.compile(r"(?:0\d*|\d{4,})?\.\d*")
_WITH_COMMA = re.compile(r"(?:\d+|\d{1,3}(?:\.\d{3})+)(?:,\d*)?")
_UNIT = re.compile(r"\s*(百万|万|亿|千|[wkm])$", re.I)
_HEADER_UNIT = re.compile(r"[(\[（【]\s*(百万|万|亿|千|[wkm])\s*(?:元|人民币|美元|[A-Z]{3}|[¥$€£])?\s*[)\]）】]", re.I)
_PERCENT = re.compile(r"[+-]?\d+(?:[.,]\d+)?\s*%")
_LIMIT = Decimal(9_000_000_000_000_000)

Flags = np.ndarray[Any, np.dtype[np.bool_]]


def amount(text: str, has_comma: bool = False) -> Decimal | None:
    """The number that `text` writes; None if it writes none.

    has_comma  decimals stand behind a comma: 10.000 is ten thousand, 12,5 twelve and a half

    >>> [str(amount(t)) for t in ("¥1,054", "12.5万元", "(1,000.50)", "1.054,50 €", "面议")]
    ['1054', '125000.0', '-1000.50', '1054.50', 'None']
    """
    negative, digits, factor = _parts(text)
    if _DECIMAL_COMMA.fullmatch(digits) or (has_comma and _WITH_COMMA.fullmatch(digits)):
        digits = digits.replace(".", "").replace(",", ".")
    elif has_comma:
        return None
    if not any(c.isdigit() for c in digits[:400]) or len(digits) > 400 or not _NUMBER.fullmatch(digits):
        return None
    try:
        value = Decimal(digits.replace(",", "")) * factor
    except InvalidOperation:
        return None
    return -value if negative else value


def decimal_comma(texts: Iterable[str]) -> bool:
    """Whether a column writes 1.234,56: a value, or two that end as in 12,5, say so, and none has a decimal point."""
    digits = {_parts(t)[1] for t in texts}
    if any(map(_DECIMAL_POINT.fullmatch, digits)):
        return False
    return any(map(_DECIMAL_COMMA.fullmatch, digits)) or sum(map(bool, map(_SHORT_COMMA.fullmatch, digits))) > 1


class Mark(NamedTuple):
    """How a column that could be read in two ways was read.

    has_comma  decimals stand behind a comma; False: behind a point, as far as anybody can tell
    example    a value that decided it, or one that could be ten thousand as well as ten
    taken      the number it was read as, and `other` the one it would be the other way (None = no number)
    """

    has_comma: bool
    example: str
    taken: Decimal | None
    other: Decimal | None

    def __str__(self) -> str:
        """As ", ← 1.234,56 = 1,234.56" or ". ← 10.000 = 10 ≠ 10,000"."""
        taken, other = (f"{n.normalize():,f}" if n is not None else "-" for n in (self.taken, self.other))
        told = f"{self.example} = {taken}"
        return f", ← {told}" if self.has_comma else f". ← {told} ≠ {other}"


def mark(cells: Cells) -> Mark | None:
    """How the decimals of a column were told, where that had to be decided or could not be: a column with a comma, or
    one whose points all stand before three digits, as in 10.000. None for a column that says it itself."""
    shown = [u for u in factorized(cells)[1] if isinstance(u, str)]
    if _has_comma(shown):
        forms = (_DECIMAL_COMMA, _SHORT_COMMA)
        example = next(t for form in forms for t in shown if form.fullmatch(_parts(t)[1]))
        return Mark(True, example.strip(), amount(example, True), amount(example))
    if not any(map(_MAYBE_EITHER.search, shown)):
        return None
    digits = {t: _parts(t)[1] for t in shown}
    if any(_DECIMAL_POINT.fullmatch(d) or _NO_THOUSANDS.fullmatch(d) for d in digits.values()):
        return None
    example = next((t for t, d in digits.items() if _EITHER.fullmatch(d)), "")
    return Mark(False, example.strip(), amount(example), amount(example, True)) if example else None


def _has_comma(shown: list[str]) -> bool:
    """`decimal_comma`, after a look that most columns do not get past."""
    return any(map(_MAYBE_COMMA.search, shown)) and decimal_comma(shown)


def _parts(text: str) -> tuple[bool, str, int]:
    """Whether it is negative, what should be digits ("" = there is no number), and the unit behind them."""
    shown = unicodedata.normalize("NFKC", clean(text)[0]).replace(" ", "").replace("−", "-").replace("'", "")
    negative = False
    if shown.startswith("(") and shown.endswith(")"):
        negative, shown = True, shown[1:-1]
    for _ in range(2):  # -¥5 and ¥-5
        if shown[:1] in ("-", "+"):
            if negative and shown[0] == "-":
                return False, "", 1
            negative, shown = negative or shown[0] == "-", shown[1:]
        shown = _CURRENCY.sub("", shown)
    unit = _UNIT.search(shown)
    factor = _UNITS[unit[1].lower()] if unit else 1
    return negative, shown[: unit.start()] if unit else shown, factor


def header_unit(header: str) -> int:
    """By how much the header says to multiply: `金额(万元)` → 10000."""
    unit = _HEADER_UNIT.search(unicodedata.normalize("NFKC", header))
    return _UNITS[unit[1].lower()] if unit else 1


def cents(cells: Cells, header: str = "") -> tuple["pd.Series[Any]", Flags]:
    """Hundredths (Int64, NA = unknown) of a column, half a cent rounded up; and where it holds no amount."""
    unit = header_unit(header)
    return _mapped(cells, lambda d: (d * unit * 100).quantize(Decimal(1), ROUND_HALF_UP))


def is_share(cells: Cells) -> bool:
    """Whether most of a column's values are percentages, such as a probability: those are no amounts."""
    shown = [t for t in (clean(plain(u))[0] for u in factorized(cells)[1]) if not is_blank(t)]
    return 2 * sum(bool(_PERCENT.fullmatch(unicodedata.normalize("NFKC", t))) for t in shown) > len(shown)


def counts(cells: Cells) -> tuple["pd.Series[Any]", Flags]:
    """Whole numbers from 0 (Int64, NA = blank) of a column; and where it holds anything else."""
    return _mapped(cells, lambda d: d if d >= 0 and d == d.to_integral_value() else None)


def _mapped(cells: Cells, rule: Any) -> tuple["pd.Series[Any]", Flags]:
    codes, uniques = factorized(cells)
    values = np.zeros(len(uniques) + 1, dtype=np.int64)
    bad = np.zeros(len(uniques) + 1, dtype=bool)
    blank = np.ones(len(uniques) + 1, dtype=bool)
    shown = [u for u in uniques if isinstance(u, str)]
    has_comma = _has_comma(shown)
    for i, cell in enumerate(uniques):
        found = _number(cell, has_comma)
        if found is None:
            continue
        kept = rule(found) if found.is_finite() and abs(found) < _LIMIT else None
        if kept is None or abs(kept) > _LIMIT:
            bad[i] = True
        else:
            values[i], blank[i] = int(kept), False
    series = pd.Series(pd.arrays.IntegerArray(values[codes], blank[codes].copy()))
    return series, bad[codes]


def _number(cell: object, has_comma: bool) -> Decimal | None:
    """A cell as a number: None = blank, Decimal("NaN") = no number."""
    if isinstance(cell, (int, float)) and not isinstance(cell, bool):
        return Decimal(repr(cell))
    text = plain(cell)
    if is_blank(clean(text)[0]):
        return None
    found = None if isinstance(cell, bool) else amount(text, has_comma)
    return Decimal("NaN") if found is None else found
