"""Headers: which column means what, in which row the header stands, and so which shape the table has."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from itertools import pairwise

from xlfunnel.crm import aliases, dialects
from xlfunnel.crm.dialects import Dialect
from xlfunnel.crm.shapes import OPPORTUNITIES, OWNERS, RULES, Rule
from xlfunnel.crm.stages import UNKNOWN, StageNames
from xlfunnel.crm.text import clean, fold, plain, without_brackets
from xlfunnel.errors import InputError
from xlfunnel.settings import Settings
from xlfunnel.terms import OUTCOMES, STAGES, Field, Shape

STAGE_KEYS = (*STAGES, *OUTCOMES)

_UNUSED_SHOWN = 100


@dataclass(frozen=True)
class Header:
    """A header row that was understood.

    skip     rows of the file up to and including it
    rule     the rule of `xlfunnel.crm.shapes.RULES` that it meets
    columns  field, extra or stage code -> index of its column
    names    the same -> header as it stands in the file
    more     stage code -> indexes of further columns of that stage: several pipelines, or several CRM stages in one
    loose    headers that announce the dates of a stage that nobody mapped
    unused   headers of columns that nothing was taken from
    dialect  the export of `xlfunnel.crm.dialects` that it is of, if any
    """

    skip: int
    rule: Rule
    columns: dict[str, int]
    names: dict[str, str]
    more: dict[str, list[int]] = field(default_factory=dict)
    loose: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()
    dialect: Dialect | None = None


def header(
    head: Sequence[Sequence[object]], settings: Settings, stages: StageNames, rules: Sequence[Rule] = RULES
) -> Header | None:
    """The first row of `head` that meets a rule; failing that the first two rows that do so together; or None."""
    rows = [[clean(plain(cell))[0] for cell in row] for row in head]
    strict = [r for r in rules if r is not OPPORTUNITIES]
    found = _single(rows, settings, stages, strict) or _double(rows, settings, stages, strict)
    if found or len(strict) == len(rules):
        return found
    bare = (_met(number, names, settings, stages, [OPPORTUNITIES]) for number, names in enumerate(rows, 1))
    # a title may be all that a bare column of ids is, so the row that says most is the header
    return max(filter(None, bare), key=lambda h: len(h.columns), default=None)


def _single(
    rows: Sequence[Sequence[str]], settings: Settings, stages: StageNames, rules: Sequence[Rule]
) -> Header | None:
    met = (_met(number, names, settings, stages, rules) for number, names in enumerate(rows, 1))
    return next(filter(None, met), None)


def _double(
    rows: Sequence[Sequence[str]], settings: Settings, stages: StageNames, rules: Sequence[Rule]
) -> Header | None:
    pairs = ((n, names) for n, (a, b) in enumerate(pairwise(rows), 2) for names in _together(a, b))
    return next(filter(None, (_met(number, names, settings, stages, rules) for number, names in pairs)), None)


def _met(
    skip: int, names: Sequence[str], settings: Settings, stages: StageNames, rules: Sequence[Rule]
) -> Header | None:
    dialect = dialects.of([fold(n) for n in names])
    if dialect is not None:
        own = [r for r in rules if r.shape == dialect.shape and r not in (OPPORTUNITIES, OWNERS)]
        columns = recognised(names, settings, stages, dialect)
        if own and (dialect.shape == Shape.LOOKUP or {Field.OPPORTUNITY, Field.STAGE} <= columns.keys()):
            return _header(skip, replace(own[0], shape=dialect.shape), names, columns, stages, dialect)
    columns = recognised(names, settings, stages)
    rule = next((r for r in rules if r.is_met(columns, settings.columns)), None)
    return None if rule is None else _header(skip, rule, names, columns, stages, None)


def _header(
    skip: int, rule: Rule, names: Sequence[str], columns: dict[str, int], stages: StageNames, dialect: Dialect | None
) -> Header:
    used = set(columns.values())
    more: dict[str, list[int]] = {}
    loose = []
    for i, name in enumerate(names):
        folded = fold(name)
        if i in used or not name or folded in aliases.RANKS or fold(without_brackets(name)) in aliases.RANKS:
            continue
        stage = _stage_of_header(name, stages)
        if stage in columns:
            more.setdefault(str(stage), []).append(i)
        elif not stage and folded.startswith(aliases.STAGE_DATE_WORDS):
            loose.append(name)
    taken = used.union(*more.values())
    unused = tuple(name for i, name in enumerate(names) if name and i not in taken and name not in loose)
    by_key = {key: names[i] for key, i in columns.items()}
    return Header(skip, rule, columns, by_key, more, tuple(loose), unused[:_UNUSED_SHOWN], dialect)


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


def recognised(
    names: Sequence[str], settings: Settings, stages: StageNames, dialect: Dialect | None = None
) -> dict[str, int]:
    """Field, extra or stage code -> index of its column, among the header cells `names`.

    Settings come first, then the dialect, then aliases.
    """
    folded = [fold(n) for n in names]
    found: dict[str, int] = {}
    for key, chosen in settings.columns.items():
        if fold(chosen) in folded:
            found[str(key)] = folded.index(fold(chosen))
    for key, index in (dialect.taken(folded) if dialect else {}).items():
        if key not in found and index not in found.values():
            found[key] = index
    taken, ignored = set(found.values()), dialect.ignore if dialect else frozenset()
    ranked: dict[str, tuple[int, int]] = {}
    for i, name in enumerate(names):
        if not name or i in taken:
            continue
        field_rank = aliases.RANKS.get(folded[i]) or aliases.RANKS.get(fold(without_brackets(name)))
        if field_rank:
            key, rank = field_rank
            if key not in ignored:
                ranked[key] = min(ranked.get(key, (rank, i)), (rank, i))
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
        stage = stages(text) if fold(text) not in aliases.WEAK else UNKNOWN
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
    """The error that says what was found, what is missing, and which header may have been meant, if any."""
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
    lacking = [rule.missing(columns) for rule in rules if not rule.stage_columns and not rule.is_special]
    missing = min(lacking, key=len)
    used = set(columns.values())
    spare = {fold(n): n for i, n in enumerate(names) if n and i not in used}
    hints = sorted({h for f in missing if (h := _closest(Field(f), spare))})
    found = [n[:40] for n in names if n]
    shown = ", ".join(found[:12]) + (" …" if len(found) > 12 else "")
    if not hints:
        return InputError("input.wrong_columns", file=name, found=shown, missing=missing)
    return InputError("input.wrong_columns_close", file=name, found=shown, missing=missing, hint=", ".join(hints))


def _closest(lacking: Field, spare: dict[str, str]) -> str | None:
    for alias in aliases.FIELDS[lacking]:
        close = get_close_matches(fold(alias), spare, n=1, cutoff=0.7)
        if close:
            return spare[close[0]]
    return None
