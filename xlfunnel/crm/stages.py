"""Stage names: from whatever a CRM calls it to T0…T4, won or lost. What is not known stays unknown."""

import re
import unicodedata
from collections.abc import Mapping
from difflib import get_close_matches

import numpy as np

from xlfunnel.crm import aliases
from xlfunnel.crm.text import Cells, clean, factorized, fold, plain, without_brackets
from xlfunnel.settings import Settings

UNKNOWN = "?"
"""Stands where a cell names a stage that nobody mapped."""

_CODE = re.compile(r"(?:\d{1,2}[\s.、:_\-]*)?(t[0-4])(?![0-9a-z])")
_ORDINAL = re.compile(r"^(?:第?[一二三四五六七八九十]+[阶段步]*[.、:\s]+|\(?\d{1,2}\)?[\s.、:_\-]+)")


class StageNames:
    """Which stage a name means. Order: settings' map, settings' names, the code itself, built-in names.

    >>> names = StageNames(Settings(stage_map={"立项评审": "T2"}))
    >>> [names(n) for n in ("立项评审", "T3 方案", "3-T3", "2-需求确认", "Closed Won", "天使轮")]
    ['T2', 'T3', 'T3', 'T2', 'won', '?']
    """

    def __init__(self, settings: Settings, extra: Mapping[str, str] | None = None) -> None:
        self._named = {**aliases.STAGES, **(extra or {})}
        self._chosen = {fold(name): str(code) for code, name in settings.stages.items() if fold(name)}
        self._chosen |= {fold(name): str(code) for name, code in settings.stage_map.items() if fold(name)}

    def __call__(self, name: str) -> str:
        """Stage code, "won", "lost" (or what `extra` names); "" for a blank name; UNKNOWN for any other."""
        if not clean(name)[0]:
            return ""
        for candidate in (name, without_brackets(name)):
            key = fold(candidate)
            if key in self._chosen:
                return self._chosen[key]
        shown = unicodedata.normalize("NFKC", clean(name)[0]).casefold()
        code = _CODE.match(shown)
        if code:
            return code[1].upper()
        rest = _ORDINAL.sub("", shown)
        for candidate in (name, rest, without_brackets(name), without_brackets(rest)):
            key = fold(candidate)
            found = self._chosen.get(key) or self._named.get(key)
            if found:
                return found
        return UNKNOWN

    def column(self, cells: Cells) -> Cells:
        """The stages of a column of names."""
        codes, uniques = factorized(cells)
        values: Cells = np.array([self(plain(u)) for u in uniques] + [""], dtype=object)
        return values.take(codes)


def nearest(name: str) -> str:
    """The known stage name that looks most like `name`; "" = none does."""
    key = fold(name)
    close = get_close_matches(key, aliases.STAGES, n=1, cutoff=0.72)
    return close[0] if close else ""
