"""Reads one of our workbooks back: its settings, where its data are, what a table shows. The Data sheet is not read."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import pandas as pd

from xlfunnel import settings
from xlfunnel.carried import Carried
from xlfunnel.crm import Source
from xlfunnel.entered import Entered
from xlfunnel.errors import WorkbookError, XlfunnelError
from xlfunnel.excel import data_sheet
from xlfunnel.excel.carried import carried_shown
from xlfunnel.excel.entered import day_meant, entered_shown
from xlfunnel.excel.package import Package
from xlfunnel.excel.reader import Reader, Shown, Shows
from xlfunnel.excel.xml_text import parse
from xlfunnel.settings import DATE_ORDERS, LANGUAGES, Settings
from xlfunnel.strings import words
from xlfunnel.terms import OUTCOMES, STAGES, Field

_CUSTOM = "docProps/custom.xml"
_MARK = "xlfunnel_template"
_TEXTS = ("region", "currency", "language")
_NUMBERS = (
    "trend_months",
    "recent_months",
    "refuse_share",
    "fiscal_start",
    "wins_needed",
    "service_level",
    "plan_weeks",
)
_NONE_IF_EMPTY = ("floor_t1", "floor_t3")


@dataclass(frozen=True)
class Holdings:
    """What a workbook of ours holds: its settings, where its data are, what an import left and what users typed."""

    settings: Settings
    data: Source
    carried: Carried
    entered: Entered


def is_ours(path: Path) -> bool:
    """True for a workbook made from our template. Raises WorkbookError if it cannot be opened as a workbook."""
    with Package(path) as package:
        return _is_ours(package)


def language(path: Path) -> str:
    """The language a workbook is kept in. Raises WorkbookError, `workbook.not_ours` among others."""
    with _opened(path) as reader:
        shown = reader.cell("cfg_language")
        return shown if isinstance(shown, str) and shown in LANGUAGES else LANGUAGES[0]


def read_settings(
    path: Path, labels: Mapping[str, str] | None = None, *, base_language: str = LANGUAGES[0]
) -> Settings:
    """The settings of the Settings sheet. An empty cell means the default, an empty floor the safety stock.

    labels  text shown -> code, for outcomes and fields; None = the words of all our languages
    Raises WorkbookError for a workbook that is not ours, SettingsError for a cell that cannot be.
    """
    with _opened(path) as reader:
        return settings_shown(reader, labels, base_language=base_language)


def settings_shown(
    reader: Shows, labels: Mapping[str, str] | None = None, *, base_language: str = LANGUAGES[0]
) -> Settings:
    """The settings that a workbook shows, closed or open. Parameters and errors as `read_settings`."""
    cells: dict[str, object] = {"language": base_language}
    for name in _TEXTS:
        text = reader.cell(f"cfg_{name}")
        if text is not None:
            cells[name] = _text(text)
    order = _plain(_text(reader.cell("cfg_date_order")))
    if order:
        shown = {words(lang)(f"settings_sheet.date_order.{o}"): o for lang in LANGUAGES for o in DATE_ORDERS}
        cells["date_order"] = {_plain(k): o for k, o in shown.items()}.get(order, order)
    cells["as_of"] = day_meant(reader.cell("cfg_as_of"), reader.date1904)
    for name in _NUMBERS:
        number = reader.cell(f"cfg_{name}")
        if number is not None:
            cells[name] = number
    for name in _NONE_IF_EMPTY:
        cells[name] = reader.cell(f"cfg_{name}")
    stages, stage_map, columns = (_pairs(reader, f"tbl_{n}") for n in ("stages", "stage_map", "columns"))
    codes = {c.lower(): c for c in (*STAGES, *OUTCOMES, *Field)}
    codes |= {_plain(k): v for k, v in (_all_labels() if labels is None else labels).items()}
    names = {_plain(name): code.upper() for code, name in stages}
    return settings.from_table(
        {
            **cells,
            "stages": {code.upper(): name for code, name in stages},
            "stage_map": {name: (names | codes).get(_plain(target), target) for name, target in stage_map},
            "columns": {codes.get(_plain(field), field): header for field, header in columns},
            "benchmarks": {_step(text, codes): rate for text, rate in _numbers(reader, "tbl_benchmarks")},
            "targets": _targets(reader),
            "horizon_days": {code.upper(): days for code, days in _numbers(reader, "tbl_horizons")},
        }
    )


def holdings(path: Path) -> Holdings:
    """All that a refresh needs, the workbook being opened once.

    Raises what `read_settings`, `data_source`, `read_carried` and `read_entered` raise.
    """
    with _opened(path) as reader:
        return Holdings(
            settings_shown(reader), _data_source(path, reader), carried_shown(reader), entered_shown(reader)
        )


def data_source(path: Path) -> Source:
    """The sheet of the workbook that holds the data. Raises WorkbookError `workbook.missing_table`, `.not_ours`."""
    with _opened(path) as reader:
        return _data_source(path, reader)


def data_elsewhere(path: Path) -> str | None:
    """What the Data sheet says in place of its usual note; None if it says nothing else."""
    with _opened(path) as reader:
        note = reader.cell("txt_data_note")
        usual = {words(lang)("data.note") for lang in LANGUAGES}
        return note if isinstance(note, str) and note not in usual else None


def table_frame(path: Path, name: str) -> pd.DataFrame:
    """What a table shows, a column a header, without the blank rows at its end; undefined is None.

    Raises WorkbookError `workbook.missing_table`.
    """
    with Package(path) as package:
        reader = Reader(package)
        return pd.DataFrame(reader.rows(name), columns=pd.Index(reader.headers(name)), dtype=object)


def read_carried(path: Path) -> Carried:
    """What an earlier run left on the Data quality sheet. Raises WorkbookError `workbook.not_ours` among others."""
    with _opened(path) as reader:
        return carried_shown(reader)


def read_entered(path: Path) -> Entered:
    """What users typed into a workbook of ours. Raises WorkbookError `workbook.not_ours` among others."""
    with _opened(path) as reader:
        return entered_shown(reader)


def typed_before(path: Path) -> Entered:
    """What users typed into the workbook that a new one will replace; nothing if there is none that can be read."""
    if not path.exists():
        return Entered()
    try:
        return read_entered(path)
    except (XlfunnelError, OSError):  # something else stood there: it is kept whole as .bak
        return Entered()


def _data_source(path: Path, reader: Reader) -> Source:
    return Source(path, reader.book.table(data_sheet.TABLE).sheet)


@contextmanager
def _opened(path: Path) -> Iterator[Reader]:
    with Package(path) as package:
        reader = Reader(package)
        if not _is_ours(package):
            raise WorkbookError("workbook.not_ours", path=path.name)
        yield reader


def _is_ours(package: Package) -> bool:
    if not package.has(_CUSTOM):
        return False
    return any(e.get("name") == _MARK for e in parse(package.read(_CUSTOM), _CUSTOM))


def _pairs(reader: Shows, table: str) -> list[tuple[str, str]]:
    """The filled rows of a table of two columns; a row with one side empty says nothing yet."""
    rows = ((_text(row[0]), _text(row[1])) for row in reader.rows(table))
    return [(a, b) for a, b in rows if a and b]


def _numbers(reader: Shows, table: str) -> list[tuple[str, Shown]]:
    """As `_pairs`, of a table whose second column holds numbers; nothing from a template that has no such table yet."""
    try:
        rows = reader.rows(table)
    except WorkbookError:
        return []
    return [(_text(row[0]), row[1]) for row in rows if _text(row[0]) and row[1] is not None]


def _targets(reader: Shows) -> list[dict[str, object]]:
    """The rows that have a period and a target; a month that a spreadsheet took for a date is that month."""
    try:
        rows = reader.rows("tbl_targets")
    except WorkbookError:
        return []
    found: list[dict[str, object]] = []
    for region, period, target in rows:
        if period is not None and target is not None:
            day = day_meant(period, reader.date1904) if isinstance(period, int | float) else period
            month = f"{day:%Y-%m}" if isinstance(day, date) else _text(period)
            found.append({"region": _text(region), "period": month, "target": target})
    return found


def _step(text: str, codes: Mapping[str, str]) -> str:
    """The code of a step, however its sheet words it: "T4→Won" is "T4-won"."""
    first, _, last = text.replace("→", "-").partition("-")
    return f"{first.strip().upper()}-{codes.get(_plain(last), last)}"


def _all_labels() -> dict[str, str]:
    keys = {f"data.outcome.{o}": str(o) for o in OUTCOMES} | {f"settings_sheet.field.{f}": str(f) for f in Field}
    return {words(lang)(key): code for lang in LANGUAGES for key, code in keys.items() if words(lang).has(key)}


def _text(value: Shown) -> str:
    if isinstance(value, datetime):
        return value.date().isoformat()
    return "" if value is None else str(value).strip()


def _plain(text: str) -> str:
    return text.strip().casefold()
