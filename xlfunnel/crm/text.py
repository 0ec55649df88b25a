"""Text as CRMs export it: cleaned for keeping, and folded to a key for comparing."""

import re
import unicodedata
import weakref
from collections.abc import Callable
from datetime import date, datetime
from functools import wraps
from typing import Any, TypeVar

import numpy as np

Cells = np.ndarray[Any, np.dtype[np.object_]]
"""One column of a source, as read: str, float, int, bool, date, datetime or None."""

_T = TypeVar("_T", bound=tuple[np.ndarray[Any, Any], ...])

BLANKS = frozenset(
    {"", "-", "--", "—", "——", "/", "\\", "n/a", "na", "#n/a", "null", "none", "nan", "(blank)", "无", "空"}
)
"""What stands for nothing in a cell of dates or numbers (compare folded)."""

_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb]")
_ODD_BLANK = re.compile("[\x00-\x1f\x7f-\x9f\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+")
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_SEPARATORS = re.compile(r"[\s_\-–—.·・/\\:：*#'\"“”‘’]+")
_IN_BRACKETS = re.compile(r"\([^()]*\)|\[[^\[\]]*\]|【[^【】]*】")


def plain(cell: object) -> str:
    """A cell as text: 123.0 is "123", None and NaN are "", dates are ISO. Nothing is cleaned yet."""
    if isinstance(cell, str):
        return cell
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return str(cell).upper()
    if isinstance(cell, float):
        if cell != cell:
            return ""
        return f"{cell:.0f}" if cell.is_integer() else repr(cell)
    if isinstance(cell, datetime):
        return cell.isoformat(" ")
    return cell.isoformat() if isinstance(cell, date) else str(cell)


def clean(text: str) -> tuple[str, bool]:
    """Text without invisible characters and odd blanks, trimmed; and whether more than plain blanks at the ends went.

    >>> clean("Moses\\xa0Frase ")
    ('Moses Frase', True)
    >>> clean(" LX ")
    ('LX', False)
    """
    if text.isascii() and text.isprintable():
        kept = text.strip(" ")
        return kept, False
    kept = _LONE_SURROGATE.sub("\ufffd", _INVISIBLE.sub("", text))
    kept = _ODD_BLANK.sub(" ", kept).strip(" ")
    return kept, kept != text.strip(" ")


def fold(text: str) -> str:
    """The form in which names are compared: NFKC, no case, no blanks or separators.

    >>> fold("Ｃlosed - WON")
    'closedwon'
    """
    return _SEPARATORS.sub("", unicodedata.normalize("NFKC", clean(text)[0]).casefold())


def without_brackets(text: str) -> str:
    """`成交金额(元)` → `成交金额`."""
    return _IN_BRACKETS.sub("", unicodedata.normalize("NFKC", text))


def is_blank(text: str) -> bool:
    """True for what stands for nothing: "", "-", "N/A", "无"."""
    return text.strip().casefold() in BLANKS


def _kept(work: Callable[[Cells], _T]) -> Callable[[Cells], _T]:
    """`work`, done once a column as long as that lives; which is why neither the column nor the result may change."""
    results: dict[int, _T] = {}

    @wraps(work)
    def kept(cells: Cells) -> _T:
        key = id(cells)
        if key not in results:
            cells.flags.writeable = False
            results[key] = work(cells)
            for array in results[key]:
                array.flags.writeable = False
            weakref.finalize(cells, results.pop, key).atexit = False
        return results[key]

    return kept


@_kept
def factorized(cells: Cells) -> tuple[np.ndarray[Any, np.dtype[np.intp]], Cells]:
    """Codes and unique values, so that slow work is done once a value. None and NaN have code -1."""
    import pandas as pd  # here, so that files can be opened while it is being loaded

    codes, uniques = pd.factorize(cells)
    return codes, np.asarray(uniques, dtype=object)


def _is_clean(uniques: Cells) -> bool:
    """Whether none of many texts needs cleaning, seen in one look at all of them: ids and dates, as a rule."""
    if not set(map(type, uniques)) <= {str}:
        return False
    joined = "\n".join(uniques)
    lines = joined.replace("\n", "")
    return (
        joined.isascii()
        and lines.isprintable()
        and len(lines) == len(joined) - max(len(uniques) - 1, 0)
        and " \n" not in joined
        and "\n " not in joined
        and joined == joined.strip(" ")
    )


@_kept
def texts(cells: Cells) -> tuple[Cells, np.ndarray[Any, np.dtype[np.bool_]]]:
    """Cleaned text of a column ("" for nothing), and where cleaning took something away."""
    codes, uniques = factorized(cells)
    if _is_clean(uniques):
        return np.array([*uniques, ""], dtype=object)[codes], np.zeros(len(cells), dtype=bool)
    cleaned = [clean(plain(u)) for u in uniques]
    values = np.array([c[0] for c in cleaned] + [""], dtype=object)
    dirty = np.array([c[1] for c in cleaned] + [False], dtype=bool)
    return values[codes], dirty[codes]
