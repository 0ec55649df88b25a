"""One workbook that came back from a region: what it holds, what is worth saying of it, or why it is refused."""

import hashlib
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from xlfunnel.carried import Carried
from xlfunnel.crm import Intake, read_data_sheet
from xlfunnel.entered import Entered
from xlfunnel.errors import InputError, SettingsError, WorkbookError
from xlfunnel.excel import inputs
from xlfunnel.excel.contents import contents
from xlfunnel.excel.encryption import decrypt
from xlfunnel.excel.safe_write import refuse_if_held
from xlfunnel.excel.template_id import TEMPLATE_VERSION
from xlfunnel.settings import Settings
from xlfunnel.terms import Col

_OWN_KINDS = (".xlsx", ".xlsm")


@dataclass(frozen=True)
class Returned:
    """What one accepted workbook holds.

    sha256    of the file as it lies
    settings  those it was read with, its own
    carried   what imports made in the region left on its Data quality sheet, as it words that
    foreign   sheets and columns that somebody in the region added
    """

    path: Path
    sha256: str
    settings: Settings
    intake: Intake
    entered: Entered
    carried: Carried
    template_version: str
    foreign: tuple[str, ...]

    @property
    def as_of(self) -> date:
        """The day it looks back from."""
        return self.intake.as_of

    @property
    def regions(self) -> tuple[str, ...]:
        """The regions it speaks for: its own, or, where its settings name none of those in its rows, all of these."""
        found, own = self.intake.regions, self.settings.region
        return (own,) if not found or (own and own in found) else found

    @property
    def others(self) -> dict[str, int]:
        """Rows that bear other regions than those it speaks for: region → rows."""
        counts = self.intake.visits[Col.REGION].value_counts()
        return {str(r): int(n) for r, n in sorted(counts.items()) if r not in self.regions}


def read_returned(path: Path, scratch: Path, password: str | None = None) -> Returned:
    """What a workbook holds. Raises WorkbookError, SettingsError or InputError with the one reason to refuse it.

    scratch  a private folder in which an encrypted workbook is opened up
    """
    if path.suffix.lower() not in _OWN_KINDS:
        raise InputError("consolidate.other_kind", path=path.name)
    refuse_if_held(path)
    try:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        plain = _opened_up(path, scratch, password)
        held = contents(plain)
    except FileNotFoundError:
        raise InputError("input.missing_file", file=path) from None
    except PermissionError:
        raise WorkbookError("consolidate.locked", path=path.name) from None
    if _number(held.template_version) > _number(TEMPLATE_VERSION):
        raise WorkbookError("consolidate.newer_template", path=path.name, version=held.template_version)
    intake = read_data_sheet(replace(held.source, path=plain), held.settings)
    if intake.reserves is not None:
        raise InputError("consolidate.reserves_only", path=path.name)
    sheet = held.source.sheet
    return Returned(
        path=path,
        sha256=digest,
        settings=held.settings,
        intake=intake,
        entered=held.entered,
        carried=held.carried.without(sheet or ""),
        template_version=held.template_version,
        foreign=held.foreign,
    )


REFUSALS = (InputError, SettingsError, WorkbookError)
"""What makes a file refused, and not the whole run."""


def _opened_up(path: Path, scratch: Path, password: str | None) -> Path:
    """The workbook itself, or what is inside an encrypted one, in the private folder under its own name."""
    try:
        inputs.is_ours(path)
    except WorkbookError as e:
        if e.code != "workbook.encrypted":
            raise
    else:
        return path
    if password is None:
        raise WorkbookError("consolidate.encrypted", path=path.name)
    folder = scratch / hashlib.sha256(str(path).encode()).hexdigest()[:16]
    folder.mkdir()
    with (folder / path.name).open("xb") as out:
        if not decrypt(path, password, out):
            raise WorkbookError("consolidate.wrong_password", path=path.name)
    return folder / path.name


def _number(version: str) -> int:
    return int(version) if version.isdecimal() else 0
