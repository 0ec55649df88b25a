"""Headers: which column means what, in which row the header stands, and so which shape the table has."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import pairwise

from xlfunnel.crm import aliases
from xlfunnel.crm.shapes import RULES, Rule
from xlfunnel.crm.stages import UNKNOWN, StageNames
from xlfunnel.crm.text import clean, fold, plain, without_brackets
from xlfunnel.errors import InputError
from xlfunnel.settings import Settings
from xlfunnel.terms import OUTCOMES, STAGES, Field

STAGE_KEYS = (*STAGES, *OUTCOMES)


@dataclass(frozen=True)
class Header:
    """A header row that was understood.

    skip     rows of the file up to and including it
    rule     the rule of `xlfunnel.crm.shapes.RULES` that it meets
    columns  field or stage code -> index of its column
    names    field or stage code -> header as it stands in the file
    """

    skip: int
    rule: Rule
    columns: dict[str, int]
    names: dict[str, str]


def header(
    head: Sequence[Sequence[object]], settings: Settings, stages: StageNames, rules: Sequence[Rule] = RULES
) -> Header | None:
    """The first row of `head` that meets a rule; failing that the first two rows that do so together; or None."""
    rows = [[clean(plain(cell))[0] for cell in row] for row in head]
    for number, names in enumerate(rows, 1):
        found = _met(number, names, settings, stages, rules)
        if found:
            return found
    for number, (upper, lower) in enumerate(pairwise(rows), 2):
        for names in _together(upper, lower):
            found = _met(number, names, settings, stages, rules)
            if found:
                return found
    return None


def _met(
    skip: int, names: Sequence[str], settings: Settings, stages: StageNames, rules: Sequence[Rule]
) -> Header | None:
    columns = recognised(names, settings, stages)
    for rule in rules:
        if rule.is_met(columns, settings.columns):
            return Header(skip, rule, columns, {key: names[i] for key, i in columns.items()})
    return None


def _together(upper: Sequence[str], lower: Sequence[str]) -> Iterator[list[str]]:
    """A header of two rows as one: the lower names where there are any, else the upper; and both, one after the other.

    A merged cell holds its text in its first column only, so it goes on to the right over blanks, as long as there is
    something under it.
    """
    if not any(upper) or not any(lower):
        return
    width = max(len(upper), len(lower))
    above, below = ([*row, *[""] * (width - len(row))] for row in (upper, lower))
    yield [b or a for a, b in zip(above, below, strict=True)]
    filled, last = [], ""
    for a, b in zip(above, below, strict=True):
        last = a or (last if b else "")
        filled.append(last)
    yield [" ".join(filter(None, pair)) for pair in zip(filled, below, strict=True)]


def recognised(names: Sequence[str], settings: Settings, stages: StageNames) -> dict[str, int]:
    """Field or stage code -> index of its column, among the header cells `names`. Settings come first, then aliases."""
    folded = [fold(n) for n in names]
    found: dict[str, int] = {}
    for key, chosen in settings.columns.items():
        if fold(chosen) in folded:
            found[str(key)] = folded.index(fold(chosen))
    taken = set(found.values())
    ranked: dict[str, tuple[int, int]] = {}
    for i, name in enumerate(names):
        if not name or i in taken:
            continue
        field_rank = aliases.RANKS.get(folded[i]) or aliases.RANKS.get(fold(without_brackets(name)))
        if field_rank:
            field, rank = field_rank
            ranked[field] = min(ranked.get(field, (rank, i)), (rank, i))
            continue
        stage = _stage_of_header(name, stages)
        if stage:
            ranked.setdefault(stage, (0, i))
    for key, (_, i) in ranked.items():
        found.setdefault(str(key), i)
    return found


def _stage_of_header(name: str, stages: StageNames) -> str | None:
    """The stage whose dates or counts a header announces: `进入T2日期`, `Date entered Proposal`, `T2数量`, `T2`."""
    for text in (name, without_brackets(name)):
        stage = stages(text)
        if stage in STAGE_KEYS:
            return stage
        for words in (aliases.DATE_WORDS, aliases.COUNT_WORDS):
            stage = _stripped(fold(text), words, stages)
            if stage in STAGE_KEYS:
                return stage
    return None


def _stripped(text: str, words: Sequence[str], stages: StageNames) -> str:
    """The stage that is left when `words` are taken off both ends, one after the other; "won date" is no "w"."""
    for word in words:
        for rest in (text.removeprefix(word), text.removesuffix(word)):
            if rest and rest != text:
                stage = stages(rest)
                found = stage if stage in STAGE_KEYS else _stripped(rest, words, stages)
                if found in STAGE_KEYS:
                    return found
    return UNKNOWN


def wrong_columns(
    name: str,
    heads: Sequence[Sequence[Sequence[object]]],
    settings: Settings,
    stages: StageNames,
    rules: Sequence[Rule],
) -> InputError:
    """The error that says what was found, what is missing, and which header may have been meant."""
    best: tuple[int, int, list[str], dict[str, int]] | None = None
    for head in heads:
        for row in head:
            names = [clean(plain(cell))[0] for cell in row]
            columns = recognised(names, settings, stages)
            score = (len(columns), sum(map(bool, names)))
            if any(map(str.isalnum, "".join(names))) and (best is None or score > best[:2]):
                best = (*score, names, columns)
    if best is None:
        return InputError("input.no_header", file=name)
    _, _, names, columns = best
    missing = min((rule.missing(columns) for rule in rules if not rule.stage_columns), key=len)
    used = set(columns.values())
    spare = {fold(n): n for i, n in enumerate(names) if n and i not in used}
    hints = [_closest(field, spare) for field in missing]
    found = [n[:40] for n in names if n]
    shown = ", ".join(found[:12]) + (" …" if len(found) > 12 else "")
    hint = ", ".join(sorted({h for h in hints if h})) or "-"
    return InputError("input.wrong_columns", file=name, found=shown, missing=missing, hint=hint)


def _closest(field: Field, spare: dict[str, str]) -> str | None:
    for alias in aliases.FIELDS[field]:
        close = get_close_matches(fold(alias), spare, n=1, cutoff=0.7)
        if close:
            return spare[close[0]]
    return None
