"""What becomes of each file that regions send back, as data, and how it is put in a sentence."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from xlfunnel.pages import PAGES
from xlfunnel.pages.phrases import Phrases


class Status(StrEnum):
    """What became of a file."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    ASIDE = "aside"  # no region's answer: no table of any kind, or a copy of another file


@dataclass(frozen=True)
class RegionName:
    """A region as data; its name as sheets show it."""

    name: str


@dataclass(frozen=True)
class Setting:
    """A setting that has two values."""

    name: str
    theirs: object
    ours: object


@dataclass(frozen=True)
class Figure:
    """A total that changed; `what` is the key of its word, or a stage."""

    what: str
    sent: float
    now: float


@dataclass(frozen=True)
class SheetOf:
    """The sheet that a table stands on; the table without its prefix."""

    table: str


@dataclass(frozen=True)
class Remark:
    """One sentence: the string `code`, filled in with `params`."""

    code: str
    params: Mapping[str, object] = field(default_factory=dict)


def remark(code: str, **params: object) -> Remark:
    """A remark, written as a sentence is asked for."""
    return Remark(code, params)


@dataclass(frozen=True)
class Answer:
    """What became of one file, and why; of an accepted one, what else is worth saying."""

    file: str
    status: Status
    regions: tuple[str, ...] = ()
    rows: int | None = None
    opportunities: int | None = None
    remarks: tuple[Remark, ...] = ()


def worded(one: Remark, say: Phrases) -> str:
    """A remark as a sentence."""
    return say(one.code, **{name: _shown(value, say) for name, value in one.params.items()})


def told(remarks: tuple[Remark, ...], say: Phrases) -> str:
    """Remarks in a row."""
    return say("consolidate.between").join(worded(r, say) for r in remarks)


def _shown(value: object, say: Phrases) -> object:
    if isinstance(value, tuple):
        return tuple(_shown(v, say) for v in value)
    if isinstance(value, RegionName):
        return say.region(value.name)
    if isinstance(value, SheetOf):
        return next(say(f"sheets.{p.key}") for p in PAGES for t in p.tables if t.short == value.table)
    if isinstance(value, Figure):
        what = value.what if "." not in value.what else say(value.what)
        return say("consolidate.figure", what=what, sent=say.count(value.sent), now=say.count(value.now))
    if isinstance(value, Setting):
        return _setting(value, say)
    if isinstance(value, int) and not isinstance(value, bool):
        return say.count(value)
    return value


def _setting(setting: Setting, say: Phrases) -> str:
    """The name on the Settings sheet, and both values where they are short."""
    keys = (f"settings_sheet.name.{setting.name}", f"consolidate.setting.{setting.name}")
    name = next((say(k) for k in keys if say.has(k)), setting.name)
    values = [say("sheets.undefined") if v is None or v == "" else v for v in (setting.theirs, setting.ours)]
    if any(isinstance(v, Mapping | tuple | list) for v in values):
        return name
    return say("consolidate.two_values", name=name, theirs=values[0], ours=values[1])
