"""One workbook a region, each with its own rows only, and a manifest from which headquarters adds them up again."""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from xlfunnel.analysis import FunnelAnalysis, analyse
from xlfunnel.app import Progress, quiet, template_file
from xlfunnel.crm import Intake, SourceSummary, read_data_sheet
from xlfunnel.entered import Entered
from xlfunnel.errors import InputError, UsageError, WorkbookError
from xlfunnel.excel import inputs
from xlfunnel.excel.encryption import MOST_CHARACTERS, encrypt
from xlfunnel.excel.file_sink import FileSink
from xlfunnel.file_names import file_names
from xlfunnel.manifest import MANIFEST, Manifest, Share, data_sha256, settings_sha256, totals
from xlfunnel.merge import REGION, entered_of_region, holders, says_region
from xlfunnel.pages import TABLES, build_report, headers
from xlfunnel.pages.phrases import Phrases
from xlfunnel.report import fill
from xlfunnel.settings import Settings
from xlfunnel.strings import words
from xlfunnel.terms import Shape

_SUFFIX = ".xlsx"


def is_workbook(path: Path) -> bool:
    """True for a workbook of ours, which brings its own data and settings; False for whatever else is to be read."""
    try:
        return path.suffix.lower() in (".xlsx", ".xlsm") and inputs.is_ours(path)
    except (WorkbookError, OSError):
        return False


def workbook_data(workbook: Path, progress: Progress = quiet) -> tuple[Intake, Settings]:
    """Data and settings of a workbook of ours. Raises WorkbookError, SettingsError, InputError."""
    progress("cli.step.read")
    chosen = inputs.read_settings(workbook)
    return read_data_sheet(inputs.data_source(workbook), chosen, progress), chosen


def password_of(path: Path) -> str:
    """The first line of a file, so that no password stands on a command line. Raises InputError."""
    try:
        first = (path.read_text("utf-8-sig").splitlines() or [""])[0]
    except FileNotFoundError:
        raise InputError("input.missing_file", file=path) from None
    except UnicodeDecodeError:
        raise InputError("split.password_not_text", path=path) from None
    if not first.strip():
        raise InputError("split.no_password", path=path)
    if len(first) > MOST_CHARACTERS:
        raise InputError("split.long_password", path=path, most=MOST_CHARACTERS)
    return first


def split(
    intake: Intake,
    chosen: Settings,
    folder: Path,
    *,
    entered: Entered | None = None,
    password: str | None = None,
    progress: Progress = quiet,
) -> Manifest:
    """Write `folder`: a macro-free workbook a region, and manifest.json. All of it appears at once, or nothing.

    entered   what users typed into the workbook that is split; each region gets what stands beside its own rows
    password  encrypts the workbooks; the manifest, which names every region, is for headquarters and stays readable
    Raises UsageError if `folder` is there and not empty, WorkbookError, OSError.
    """
    say = words(chosen.language)
    entered = entered or Entered()
    holder, owners = holders(intake.visits), _owners(intake, chosen, entered)
    names = file_names(intake.regions, _SUFFIX, say("sheets.no_region"))
    with _new_folder(folder) as made, template_file(chosen.language) as base, _plain(made, password) as plain:
        shares = []
        for region, name in names.items():
            progress("cli.step.write")
            part = intake.of_region(region)
            own = entered_of_region(entered, holder, owners, region)
            # Nobody learns what others, or all together, are to win; with one region only that is its own.
            aims = (
                chosen.targets if len(names) == 1 else tuple(t for t in chosen.targets if region and t.region == region)
            )
            analysis = _analysis(part, replace(chosen, region=region, as_of=intake.as_of, targets=aims), own)
            _fill(analysis, base, plain / name)
            if password is not None:
                with (made / name).open("xb") as out:
                    encrypt(plain / name, password, out)
                (plain / name).unlink()
            digest = hashlib.sha256((made / name).read_bytes()).hexdigest()
            data = data_sha256(part.visits)
            shares.append(Share(region, name, digest, data, totals(part, analysis.facts)))
        manifest = Manifest(
            as_of=intake.as_of,
            language=chosen.language,
            currency=chosen.currency,
            settings_sha256=settings_sha256(chosen),
            encrypted=password is not None,
            regions=tuple(shares),
            totals=totals(intake),
        )
        (made / MANIFEST).write_text(manifest.text(), "utf-8", newline="\n")
    return manifest


def _owners(intake: Intake, chosen: Settings, entered: Entered) -> dict[str, str]:
    """Whose the rows are beside which something was typed and that are no opportunities: "table key" → region."""
    wanted = [t for t in TABLES.values() if says_region(t) and len(entered.tables.get(t.short, ()))]
    say = Phrases(chosen)
    regions = {name: r for r in intake.regions for name in (say.region(r), r)}
    report = None
    found: dict[str, str] = {}
    for table in wanted:
        frame = entered.tables[table.short]
        key, region = table.key, REGION
        if REGION not in frame:  # it was not read with the rest: a report of all says it
            report = report or build_report(analyse(intake, chosen, entered=entered), with_data=False)
            names = headers(table, say)
            frame, key, region = report.tables[table.name], names[table.key], names[REGION]
        rows = frame[[key, region]].itertuples(index=False, name=None)
        found |= {f"{table.short} {k}": regions[shown] for k, shown in rows if shown in regions}
    return found


def _analysis(intake: Intake, chosen: Settings, entered: Entered) -> FunnelAnalysis:
    rows = _rows(intake)
    shape = Shape.HISTORY if intake.reserves is None else Shape.AGGREGATED
    name = words(chosen.language)("split.source")
    source = SourceSummary(name, shape, rows, rows, 0, 0, rows, columns={}, how=_SUFFIX.lstrip("."))
    return analyse(replace(intake, sources=(source,)), chosen, entered=entered)


def _fill(analysis: FunnelAnalysis, template: Path, target: Path) -> None:
    report = build_report(analysis, with_data=True, with_entered=True)
    fill(report, FileSink(template, target))


def _rows(intake: Intake) -> int:
    return len(intake.visits if intake.reserves is None else intake.reserves)


@contextmanager
def _new_folder(folder: Path) -> Iterator[Path]:
    """A hidden folder beside `folder` that takes its name at the end, and vanishes if anything goes wrong before."""
    folder = folder.resolve()
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise UsageError("split.not_empty" if folder.is_dir() else "split.is_file", path=folder)
    if not folder.parent.is_dir():
        raise WorkbookError("cli.no_folder", path=folder.parent)
    made = Path(tempfile.mkdtemp(prefix=".xlfunnel-split-", dir=folder.parent))
    try:
        yield made
        mask = os.umask(0)
        os.umask(mask)
        made.chmod(0o777 & ~mask)
        if folder.exists():
            folder.rmdir()
        made.rename(folder)
    finally:
        shutil.rmtree(made, ignore_errors=True)


@contextmanager
def _plain(made: Path, password: str | None) -> Iterator[Path]:
    """Where workbooks are filled: in place, or, to be encrypted, in a folder that nobody else looks into."""
    if password is None:
        yield made
        return
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)
