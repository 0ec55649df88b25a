"""Names from data as names of files: what any Windows, Mac or Linux folder, a mail and Excel itself take."""

import re
import unicodedata
from collections.abc import Iterable

MOST_BYTES = 150
"""Folders take 255; Excel takes 218 characters for the whole path, and files in the making need some for themselves."""

_FORBIDDEN = re.compile(r'[<>:"/\\|?*\[\]\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]')
_LOOSE_START, _LOOSE_END = re.compile(r"^[\s.]+"), re.compile(r"[\s.]+$")
_DEVICE = re.compile(r"(CON|PRN|AUX|NUL|CLOCK\$|CONIN\$|CONOUT\$|(COM|LPT)[0-9¹²³])", re.IGNORECASE)


def file_names(names: Iterable[str], suffix: str, unnamed: str) -> dict[str, str]:
    """name → a file name of its own ending in `suffix`; `unnamed` stands for a name that leaves nothing to write.

    No two differ by case or by the way accents are encoded only.

    >>> file_names(["华东", "../x", "CON", "con"], ".xlsx", "none")
    {'华东': '华东.xlsx', '../x': '_x.xlsx', 'CON': '_CON.xlsx', 'con': '_con (2).xlsx'}
    """
    taken: set[str] = set()
    made: dict[str, str] = {}
    for name in names:
        stem = safe_stem(name) or safe_stem(unnamed)
        number, candidate = 1, _cut(stem, suffix) + suffix
        while _key(candidate) in taken:
            number += 1
            candidate = _cut(stem, end := f" ({number}){suffix}") + end
        taken.add(_key(candidate))
        made[name] = candidate
    return made


def safe_stem(name: str) -> str:
    """`name` without what no file name may hold: path separators, wildcards, controls, dots and blanks at the ends."""
    stem = _FORBIDDEN.sub("_", unicodedata.normalize("NFC", name))
    stem = _LOOSE_END.sub("", _LOOSE_START.sub("", stem))
    if stem.startswith("~$"):  # Excel's mark of a workbook that is open
        stem = f"_{stem}"
    return f"_{stem}" if _DEVICE.fullmatch(stem.split(".")[0].rstrip()) else stem


def _cut(stem: str, end: str) -> str:
    """As much of `stem` as fits before `end`, no character split, no dot or blank left hanging."""
    room = MOST_BYTES - len(end.encode())
    return _LOOSE_END.sub("", stem.encode()[:room].decode(errors="ignore"))


def _key(name: str) -> str:
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
