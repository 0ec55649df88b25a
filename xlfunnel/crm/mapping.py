"""How an export is understood, as a settings file: what was recognised, and stage names that are still to be mapped."""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Mapping as Mapping_
from dataclasses import dataclass
from pathlib import Path

from xlfunnel.crm import aliases, lookups
from xlfunnel.crm.intake import Source
from xlfunnel.crm.ledger import Ledger
from xlfunnel.crm.packed import expanded
from xlfunnel.crm.shapes import LOOKUP, OPPORTUNITIES, RULES
from xlfunnel.crm.stages import UNKNOWN, StageNames, nearest
from xlfunnel.crm.tables import RawTable, opened, outcomes
from xlfunnel.crm.text import fold, texts
from xlfunnel.settings import Settings
from xlfunnel.terms import OUTCOMES, STAGES, Field, Shape

_NAMES_SHOWN = 200
"""Stage names that are listed: a column that holds more is no column of stages."""

Say = Callable[..., str]


@dataclass(frozen=True)
class StageName:
    """One name that stands in a stage column.

    target   the stage it means, "won" or "lost"; "" = not known
    nearest  the known name that looks most like it; "" = none does
    hint     what the nearest name, or the rows, make likely; "" = nothing
    """

    name: str
    rows: int
    target: str
    nearest: str
    hint: str


@dataclass(frozen=True)
class Mapping:
    """How the tables of one import were understood; `loose` are columns of dates of stages that nobody mapped."""

    tables: tuple[RawTable, ...]
    stages: tuple[StageName, ...]
    loose: tuple[str, ...]


def mapping_of(sources: Sequence[Path | Source], settings: Settings) -> Mapping:
    """Recognise the tables of `sources` and all names in their stage columns. Raises InputError as `read_sources`."""
    given = [s for one in sources for s in expanded(one if isinstance(one, Source) else Source(Path(one)))]
    names, ledger = StageNames(settings), Ledger()
    rules = (*RULES, LOOKUP, OPPORTUNITIES) if len(given) > 1 else (*RULES, LOOKUP)
    tables = lookups.named([opened(s, settings, names, ledger, rules) for s in given])
    loose = tuple(dict.fromkeys(i.value for i in ledger.issues() if i.code == "unmapped_column"))
    return Mapping(tuple(tables), tuple(_stage_names(tables, names)), loose)


def remembered(
    settings: Settings, tables: Sequence[tuple[str, Shape, Mapping_[str, str]]], stages: Mapping_[str, str]
) -> tuple[dict[str, str], dict[str, str]]:
    """`columns` and `stage_map` of the settings, completed by what was recognised, so that the same export is read the
    same way again; stage names that nobody knows stand for "" and wait for a decision.

    tables  of each that was read: how, shape, and field or stage code -> header

    Columns are those of a lone table: what the settings name is looked for in every file, and of several the same
    header may mean different things ("Id"). For the same reason those of an export that is known by its headers are
    left out. So are stages in the headers of a table that has a stage column: one that the settings name weighs more
    than one that is recognised, and might change what the table is taken for.
    """
    read = [t for t in tables if t[1] != Shape.LOOKUP]
    found: dict[str, str] = {}
    if len(tables) == len(read) == 1 and not is_known(read[0][0]):
        _, shape, columns = read[0]
        keys = (*Field, *STAGES, *OUTCOMES) if shape in (Shape.STAGE_DATES, Shape.AGGREGATED) else tuple(Field)
        found = {key: header for key, header in columns.items() if key in keys}
    known = {fold(name) for name in settings.stage_map}
    return {**found, **settings.columns}, {
        **settings.stage_map,
        **{n: target for n, target in stages.items() if fold(n) not in known and fold(n) != fold(target)},
    }


def is_known(how: str) -> bool:
    """Whether a table was read as the export of a CRM that is known by its headers."""
    return " · " in how


def as_toml(mapping: Mapping, settings: Settings, say: Say) -> str:
    """The mapping as a settings file. Recognised columns and stages are settled in it; what is not known is a comment
    with the nearest suggestion, to be completed by hand. `say` gives the words of the comments."""
    lines = [_comment(say("input.map.head"))]
    for table in mapping.tables:
        lines += [_comment(f"{table.name}: {table.how}, {say(f'issues.shape.{table.shape}')}")]
    lines += ["", f"language = {_quoted(settings.language)}"]
    single = [t for t in mapping.tables if t.shape != Shape.LOOKUP]
    lines += ["", "[columns]"]
    for table in single:
        # of several tables the same field has several headers, which one settings file cannot say
        mark = "" if len(single) == 1 and not is_known(table.how) else "# "
        for key, header in table.headers.items():
            if key in (*Field, *STAGES, *OUTCOMES):
                lines.append(f"{mark}{key} = {_quoted(header)}")
    lines += [_comment(say("input.map.column", column=_quoted(header))) for header in mapping.loose]
    lines += ["", "[stage_map]"]
    for stage in mapping.stages:
        if stage.target:
            lines.append(f"{_quoted(stage.name)} = {_quoted(stage.target)}")
            continue
        why = say("input.map.nearest", name=_quoted(stage.nearest)) if stage.nearest else ""
        lines.append(_comment(say("input.map.undecided", rows=stage.rows) + why))
        lines.append(f"# {_quoted(stage.name)} = {_quoted(stage.hint or STAGES[0])}")
    return "\n".join(lines) + "\n"


def _stage_names(tables: Sequence[RawTable], names: StageNames) -> Iterator[StageName]:
    rows: Counter[str] = Counter()
    ends: dict[str, set[str]] = {}
    for table in tables:
        if Field.STAGE not in table.cells or table.shape == Shape.LOOKUP:
            continue
        found = texts(table.column(Field.STAGE))[0]
        for name, end in zip(found, outcomes(table), strict=True):
            rows[name] += 1
            ends.setdefault(name, set()).add(end)
    for name, times in rows.most_common(_NAMES_SHOWN):
        target = names(name)
        if target == UNKNOWN:
            close = nearest(name)
            end = next(iter(ends[name])) if len(ends[name]) == 1 else ""
            likely = end if end in OUTCOMES else aliases.STAGES.get(close, "")
            yield StageName(name, times, "", close, likely)
        elif target:
            yield StageName(name, times, target, "", "")


def _comment(text: str) -> str:
    return "# " + " ".join(text.split())


def _quoted(text: str) -> str:
    """A TOML string: JSON's escapes are among TOML's, but for the one character that JSON leaves as it is."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
