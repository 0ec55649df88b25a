"""Delimited text: which encoding, which delimiter, and its rows."""

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


def grids(name: str, data: bytes) -> list[Grid]:
    """The text read with each delimiter, the most frequent one first.

    Raises InputError "input.undecodable" if it is neither UTF-8, UTF-16 with a mark, nor GB18030.
    """
    text, encoding = decoded(name, data)
    head = text[:20_000]
    ranked = sorted(_DELIMITERS, key=lambda d: -head.count(d))
    return [Grid(name, encoding, partial(_rows, name, text, d)) for d in ranked]


def decoded(name: str, data: bytes) -> tuple[str, str]:
    """Text and the name of its encoding."""
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            try:
                return data.decode(encoding), encoding.removesuffix("-sig")
            except UnicodeDecodeError:
                raise InputError("input.undecodable", file=name) from None
    if b"\0" in data:
        raise InputError("input.undecodable", file=name)
    try:
        return data.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        pass
    try:
        text = data.decode("gb18030")
    except UnicodeDecodeError:
        raise InputError("input.undecodable", file=name) from None
    if len(_WITH_LETTER.findall(data)) > len(_HANZI.findall(data)):
        # "Müller" in a Western code page is valid GB18030 too: one Chinese character that swallows a letter
        raise InputError("input.undecodable", file=name)
    return text, "gb18030"


def _rows(name: str, text: str, delimiter: str) -> Iterator[list[str]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    while True:
        try:
            yield next(reader)
        except StopIteration:
            return
        except csv.Error as e:
            raise InputError("input.broken_text", file=name, line=reader.line_num, reason=e) from None
