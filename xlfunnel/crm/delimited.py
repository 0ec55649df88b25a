"""Delimited text: which encoding, which delimiter, and its rows.

Encodings are tried in this order, and the first that fits is taken: the one a byte order mark names (UTF-8, UTF-16),
UTF-16 without a mark where every other byte is zero, UTF-8, GB18030 (which covers GBK and GB2312), Windows-1252. The
last fits nearly any bytes, so it is taken only where all it yields are letters and signs of Western European text, and
the reader is told. A statistical detector was not used: it answers with a likely encoding where this order knows.
"""

import csv
import io
import re
from collections.abc import Iterator
from functools import partial

from xlfunnel.crm.grid import Grid
from xlfunnel.errors import InputError

_DELIMITERS = (",", ";", "\t", "|")
_BOMS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_HANZI = re.compile(rb"[\xa1-\xf7][\xa1-\xfe]")
_WITH_LETTER = re.compile(rb"[\x81-\xfe][\x40-\x7e]")
_WESTERN = "windows-1252"
_WESTERN_SIGNS = frozenset("€£§°«»–—‘’“”…·ºª¿¡\xa0²³½´®™")
_NUL_HEAD = 4096
_SHOWN = {"\t": "tab"}


def grids(name: str, data: bytes) -> list[Grid]:
    """The text read with each delimiter, the most frequent one first.

    Raises InputError "input.undecodable" if no encoding fits.
    """
    text, encoding = decoded(name, data)
    head = text[:20_000]
    ranked = sorted(_DELIMITERS, key=lambda d: -head.count(d))
    return [
        Grid(
            name,
            f"{encoding} ({_SHOWN.get(d, d)})",
            partial(_rows, name, text, d),
            is_guessed=encoding == _WESTERN,
        )
        for d in ranked
    ]


def decoded(name: str, data: bytes) -> tuple[str, str]:
    """Text and the name of its encoding."""
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            try:
                return data.decode(encoding), encoding.removesuffix("-sig")
            except UnicodeDecodeError:
                raise InputError("input.undecodable", file=name) from None
    if b"\0" in data:
        return _without_mark(name, data)
    try:
        return data.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        pass
    if len(_WITH_LETTER.findall(data)) <= len(_HANZI.findall(data)):
        # "Müller" in a Western code page is valid GB18030 too: one Chinese character that swallows a letter
        try:
            return data.decode("gb18030"), "gb18030"
        except UnicodeDecodeError:
            pass
    try:
        text = data.decode(_WESTERN)
    except UnicodeDecodeError:
        raise InputError("input.undecodable", file=name) from None
    if not all(c.isascii() or "À" <= c <= "ÿ" or c in _WESTERN_SIGNS for c in set(text)) or not _in_words(text):
        raise InputError("input.undecodable", file=name)
    return text, _WESTERN


def _in_words(text: str) -> bool:
    """Accented letters stand inside words, not three in a row: else the text is of another code page."""
    return re.search(r"[À-ÿ]{3}", text) is None


def _without_mark(name: str, data: bytes) -> tuple[str, str]:
    """UTF-16 whose mark is missing: the zero bytes of its commas and digits stand all on the same side."""
    head = data[:_NUL_HEAD]
    even, odd = head[::2].count(0), head[1::2].count(0)
    encoding = "utf-16-le" if odd > even else "utf-16-be"
    if min(even, odd) == 0 and max(even, odd) >= 3:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            text = "\0"
        if "\0" not in text and "\n" in text:
            return text, encoding
    raise InputError("input.undecodable", file=name)


def _rows(name: str, text: str, delimiter: str) -> Iterator[list[str]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        yield from reader
    except csv.Error as e:
        raise InputError("input.broken_text", file=name, line=reader.line_num, reason=e) from None
