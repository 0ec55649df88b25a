"""Delimited text: which encoding, which delimiter, and its rows.

Encodings are tried in this order, and the first that fits is taken: the one a byte order mark names (UTF-8, UTF-16),
UTF-16 without a mark where every other byte is zero, UTF-8, UTF-8 with a few damaged characters, GB18030 (which covers
GBK and GB2312), Windows-1252. The last fits nearly any bytes, so it is taken only where all it yields are letters and
signs of Western European text; of that and of damage the reader is told. A statistical detector was not used: it
answers with a likely encoding where this order knows.
"""

import csv
import io
import re
from collections.abc import Iterator
from functools import partial
from typing import NamedTuple, NoReturn

from xlfunnel.crm.grid import Grid
from xlfunnel.errors import InputError

_DELIMITERS = (",", ";", "\t", "|")
_BOMS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_HANZI = re.compile(rb"[\xa1-\xf7][\xa1-\xfe]")
_WITH_LETTER = re.compile(rb"[\x81-\xfe][\x40-\x7e]")
_WESTERN = "windows-1252"
_WESTERN_SIGNS = frozenset("€£§°«»–—‘’“”…·ºª¿¡\xa0²³½´®™")
_NUL_HEAD = 4096
_RIGHT_FOR_WRONG = 20
"""Characters of several bytes that must be right for each that is wrong, to take a text for damaged UTF-8."""
_SHOWN = {"\t": "tab"}


class Decoded(NamedTuple):
    """A text, the name of its encoding, and whether that is only likely, or some of its bytes are damaged."""

    text: str
    encoding: str
    is_guessed: bool = False


def grids(name: str, data: bytes) -> list[Grid]:
    """The text read with each delimiter, the most frequent one first.

    Raises InputError "input.undecodable" if no encoding fits.
    """
    text, encoding, is_guessed = decoded(name, data)
    head = text[:20_000]
    ranked = sorted(_DELIMITERS, key=lambda d: -head.count(d))
    return [
        Grid(name, f"{encoding} ({_SHOWN.get(d, d)})", partial(_rows, name, text, d), is_guessed=is_guessed)
        for d in ranked
    ]


def decoded(name: str, data: bytes) -> Decoded:
    """The text of `data`."""
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            try:
                return Decoded(data.decode(encoding), encoding.removesuffix("-sig"))
            except UnicodeDecodeError:
                return (_damaged(data) if encoding == "utf-8-sig" else None) or _refused(name)
    if b"\0" in data:
        return _without_mark(name, data)
    try:
        return Decoded(data.decode("utf-8"), "utf-8")
    except UnicodeDecodeError:
        pass
    return _damaged(data) or _chinese(data) or _western(data) or _refused(name)


def _damaged(data: bytes) -> Decoded | None:
    """UTF-8 in which a few bytes are wrong: halves of surrogates, or a character that was cut. They become U+FFFD."""
    try:
        wide = data.decode("utf-8", "surrogatepass").encode("utf-16-le", "surrogatepass")
        return Decoded(wide.decode("utf-16-le", "replace"), "utf-8", is_guessed=True)
    except UnicodeDecodeError:
        pass
    text = data.decode("utf-8", "replace")
    wrong = text.count("\ufffd")
    right = len(text) - len(text.encode("ascii", "ignore")) - wrong
    return Decoded(text, "utf-8", is_guessed=True) if right >= _RIGHT_FOR_WRONG * wrong else None


def _chinese(data: bytes) -> Decoded | None:
    if len(_WITH_LETTER.findall(data)) > len(_HANZI.findall(data)):
        return None  # "Müller" in a Western code page is valid GB18030: one Chinese character that swallows a letter
    try:
        return Decoded(data.decode("gb18030"), "gb18030")
    except UnicodeDecodeError:
        return None


def _western(data: bytes) -> Decoded | None:
    try:
        text = data.decode(_WESTERN)
    except UnicodeDecodeError:
        return None
    is_plain = all(c.isascii() or "À" <= c <= "ÿ" or c in _WESTERN_SIGNS for c in set(text))
    return Decoded(text, _WESTERN, is_guessed=True) if is_plain and _in_words(text) else None


def _refused(name: str) -> NoReturn:
    raise InputError("input.undecodable", file=name)


def _in_words(text: str) -> bool:
    """Accented letters stand inside words, not three in a row: else the text is of another code page."""
    return re.search(r"[À-ÿ]{3}", text) is None


def _without_mark(name: str, data: bytes) -> Decoded:
    """UTF-16 whose mark is missing: the zero bytes of its commas and digits stand all on the same side."""
    head = data[:_NUL_HEAD]
    even, odd = head[::2].count(0), head[1::2].count(0)
    encoding = "utf-16-le" if odd > even else "utf-16-be"
    if max(even, odd) >= 3 and max(even, odd) > 4 * min(even, odd):  # a few letters have a zero on the other side
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            text = "\0"
        if "\0" not in text and "\n" in text:
            return Decoded(text, encoding)
    _refused(name)


def _rows(name: str, text: str, delimiter: str) -> Iterator[list[str]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        yield from reader
    except csv.Error as e:
        raise InputError("input.broken_text", file=name, line=reader.line_num, reason=e) from None
