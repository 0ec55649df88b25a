"""Workbooks that came back from the regions → one workbook of headquarters.

A controller's rule throughout: no opportunity is counted twice, nobody's rows are chosen over another's by guess, and
whatever is left out, differs or was changed is named with its file. So a file is accepted or refused as a whole; two
different files of one region are both refused; ids that two files hold at the same time stop the run, or, if it may be
partial, are left out on both sides. Nothing is written unless everything is there, or the user said it need not be.
"""

import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Any

import pandas as pd

from xlfunnel.analysis import FunnelAnalysis, analyse
from xlfunnel.answers import Answer, RegionName, Remark, SheetOf, Status, remark, told, worded
from xlfunnel.app import Progress, has_macros, quiet, template_file, write
from xlfunnel.carried import Carried, joined
from xlfunnel.controls import answer_of, refuse_currencies, refuse_doubles, refuse_strangers
from xlfunnel.crm import Intake, SourceSummary
from xlfunnel.entered import Entered
from xlfunnel.errors import InputError, XlfunnelError
from xlfunnel.excel import inputs
from xlfunnel.excel.file_sink import FileSink
from xlfunnel.excel.safe_write import backup_path
from xlfunnel.manifest import MANIFEST, Manifest, own_stage_names, own_targets, read_manifest, settings_sha256
from xlfunnel.merge import Shared, merged_entered, merged_visits
from xlfunnel.pages import build_report
from xlfunnel.pages.phrases import Phrases
from xlfunnel.report import Report
from xlfunnel.returned import REFUSALS, Returned, read_returned
from xlfunnel.settings import Settings
from xlfunnel.terms import Shape, Treatment

_TABLES = (".xlsx", ".xlsm", ".xltx", ".xltm", ".xlsb", ".xls", ".et", ".ods", ".csv", ".tsv", ".zip", ".numbers")
"""Files that may be somebody's answer, so that they are refused by name, not passed over."""

_IDS_NAMED = 20


class DayFrom(StrEnum):
    """Who said which day headquarters looks back from."""

    OPTION = "option"
    MANIFEST = "manifest"
    FILES = "files"  # the latest that all of them cover


@dataclass(frozen=True)
class Consolidation:
    """What came of the regions' files.

    answers    what became of each file, in the order of their names
    remarks    what concerns several files
    missing    regions of the manifest of which nothing was accepted
    conflicts  opportunities that were left out, since several files hold them at the same time
    as_of      the day headquarters looks back from, and who said so
    intake     all rows together; None if no file was accepted
    settings   those of headquarters' workbook
    """

    answers: tuple[Answer, ...]
    remarks: tuple[Remark, ...]
    missing: tuple[str, ...]
    conflicts: tuple[Shared, ...]
    as_of: date
    day_from: DayFrom
    settings: Settings
    intake: Intake | None
    entered: Entered
    carried: Carried

    @property
    def refused(self) -> tuple[Answer, ...]:
        """The files that were refused."""
        return tuple(a for a in self.answers if a.status == Status.REFUSED)

    @property
    def is_whole(self) -> bool:
        """True if nothing is left out: a workbook of headquarters may be written without asking."""
        return self.intake is not None and not (self.refused or self.missing or self.conflicts)

    def with_own(self, own: Entered) -> "Consolidation":
        """The same, over what stands typed in headquarters' own workbook: what a region says of a cell wins.

        Last time's words of a region are not kept beside its new ones: they were the region's to change.
        """
        found = merged_entered([self.entered, own], {}, self.settings.language)
        beaten = {e for c in found.collisions for e in c.entries}
        apart = tuple(e for e in found.entered.apart if e not in beaten)
        return replace(self, entered=Entered({**own.tables, **found.entered.tables}, apart))

    @property
    def stopped(self) -> InputError:
        """Why nothing was written."""
        if self.intake is None:
            return InputError("consolidate.nothing")
        params = {"refused": len(self.refused), "missing": len(self.missing), "conflicts": len(self.conflicts)}
        return InputError("consolidate.stopped", **params)

    def analysed(self) -> FunnelAnalysis:
        """The check-up of all regions. Raises InputError `consolidate.nothing` if no file was accepted."""
        if self.intake is None:
            raise InputError("consolidate.nothing")
        return analyse(self.intake, self.settings, self.carried, self.entered)

    def to_json(self, say: Phrases) -> dict[str, Any]:
        """The part `consolidation` of the results."""
        files = [
            {
                "file": a.file,
                "status": a.status.value,
                "regions": list(a.regions),
                "rows": a.rows,
                "opportunities": a.opportunities,
                "reasons": [{"code": _short(r), "text": worded(r, say)} for r in a.remarks],
            }
            for a in self.answers
        ]
        return {
            "as_of": self.as_of.isoformat(),
            "as_of_from": self.day_from.value,
            "files": files,
            "missing": list(self.missing),
            "conflicts": [c.opportunity_id for c in self.conflicts],
            "remarks": [{"code": _short(r), "text": worded(r, say)} for r in self.remarks],
        }


def gathered(
    paths: Sequence[Path],
    *,
    out: Path | None = None,
    manifest_path: Path | None = None,
    password: str | None = None,
    chosen: Settings | None = None,
    as_of: date | None = None,
    language: str | None = None,
    progress: Progress = quiet,
) -> Consolidation:
    """Read the regions' files and put their rows together; nothing is written.

    paths     folders and files; a manifest.json among them is taken as the manifest if none is named
    out       where the result will go, so that an earlier one in the same folder is no answer of a region
    chosen    headquarters' settings; else those that the files agree on
    language  of headquarters' workbook; else that of its settings
    Raises InputError `consolidate.no_files`, or for a manifest that cannot be used.
    """
    files, asides, found = _listed(paths, out)
    where = manifest_path or found
    manifest = read_manifest(where) if where else None
    if not files:
        raise InputError("consolidate.no_files")
    refused: dict[Path, Remark] = {}
    with tempfile.TemporaryDirectory() as scratch:
        read = list(_read(files, Path(scratch), password, refused, progress))
    ours = chosen or _agreed(read, manifest)
    currency = (manifest.currency if manifest else "") or ours.currency or _most(r.settings.currency for r in read)
    names = own_stage_names(ours)
    ours = replace(ours, region="", currency=currency, language=language or ours.language, stages=names)
    refuse_currencies(read, currency, refused)
    refuse_strangers(read, manifest, refused)
    copies = refuse_doubles(read, refused)
    accepted = [r for r in read if r.path not in refused and r.path not in copies]
    day, day_from = _day(accepted, manifest, as_of or (chosen.as_of if chosen else None))
    aims = ours.targets if chosen else tuple(t for r in accepted for t in own_targets(r.settings, r.regions))
    ours = replace(ours, as_of=day, targets=aims)
    covered = {region for r in accepted for region in r.regions}
    answers = [Answer(path.name, Status.REFUSED, remarks=(why,)) for path, why in refused.items()]
    answers += [Answer(name, Status.ASIDE, remarks=(why,)) for name, why in asides]
    answers += [Answer(path.name, Status.ASIDE, remarks=(why,)) for path, why in copies.items()]
    answers += [answer_of(r, ours, manifest) for r in accepted]
    whole = _Whole(accepted, ours, day)
    missing = tuple(s.region for s in manifest.regions if s.region not in covered) if manifest else ()
    return Consolidation(
        answers=tuple(sorted(answers, key=lambda a: (a.file.casefold(), a.file))),
        remarks=(*_days(day, day_from), *_missing(missing), *whole.remarks),
        missing=missing,
        conflicts=whole.conflicts,
        as_of=day,
        day_from=day_from,
        settings=ours,
        intake=whole.intake,
        entered=whole.entered,
        carried=whole.carried,
    )


def written(
    made: Consolidation, out: Path, *, json_path: Path | None = None, progress: Progress = quiet
) -> FunnelAnalysis:
    """Headquarters' workbook as `out`; an existing one is kept as .bak, and what was typed into it is taken over.

    Raises InputError `consolidate.nothing`, WorkbookError, OSError.
    """
    progress("cli.step.analyse")
    analysis, report = reported(made.with_own(inputs.typed_before(out)))
    with template_file(made.settings.language, macros=has_macros(out)) as base:
        progress("cli.step.write")
        more = {"consolidation": made.to_json(Phrases(made.settings))}
        write(analysis, report, FileSink(base, out, backup=True), json_path, more)
    return analysis


def reported(made: Consolidation) -> tuple[FunnelAnalysis, Report]:
    """The check-up of all regions, and the report that fills a workbook with it and with the account of the files."""
    analysis = with_account(made).analysed()
    report = build_report(analysis, with_data=True, with_entered=True)
    return analysis, report


def account(made: Consolidation, say: Phrases) -> str:
    """What became of the files, in a few lines: each that was not accepted, and what concerns several."""
    taken = [a for a in made.answers if a.status == Status.ACCEPTED]
    rows = say.count(sum(a.rows or 0 for a in taken))
    others = [
        say("consolidate.line", file=a.file, status=say(f"consolidate.status.{a.status}"), text=told(a.remarks, say))
        for a in made.answers
        if a.status != Status.ACCEPTED
    ]
    remarks = [say("consolidate.point", text=worded(r, say)) for r in made.remarks]
    return "\n".join([say("consolidate.head", n=len(taken), of=len(made.answers), rows=rows), *others, *remarks])


class _Whole:
    """The rows of the accepted files together, and what is to be said of them."""

    def __init__(self, accepted: Sequence[Returned], ours: Settings, day: date) -> None:
        self.remarks: list[Remark] = []
        self.conflicts: tuple[Shared, ...] = ()
        self.intake: Intake | None = None
        self.entered = Entered()
        self.carried = Carried()
        if not accepted:
            return
        names = [r.path.name for r in accepted]
        merged = merged_visits([r.intake.visits for r in accepted])
        self.conflicts = merged.conflicts
        for code in ("conflicts", "moved", "repeated"):
            self.remarks += _shared(code, getattr(merged, code), names)
        typed = merged_entered([r.entered for r in accepted], merged.holder, ours.language)
        self.entered = typed.entered
        for table, file, rows in typed.added:
            self.remarks.append(remark("consolidate.remark.added", file=names[file], n=rows, sheet=SheetOf(table)))
        for c in typed.collisions:
            kept, dropped = names[c.kept], names[c.dropped]
            values = tuple(str(e.value) for e in c.entries)
            said = remark("consolidate.remark.collision", what=c.key, kept=kept, dropped=dropped, values=values)
            self.remarks.append(said)
        sources = [s for r in accepted for s in r.intake.sources]
        read = SourceSummary(
            name=Phrases(ours)("consolidate.source", n=len(accepted)),
            shape=Shape.HISTORY,
            rows_read=sum(s.rows_read for s in sources),
            rows_used=sum(s.rows_used for s in sources),
            rows_repaired=sum(s.rows_repaired for s in sources),
            rows_refused=sum(s.rows_refused for s in sources),
            rows_clean=sum(s.rows_clean for s in sources),
            columns={},
            how="xlsx",
        )
        issues = tuple(i for r in accepted for i in r.intake.issues)
        self.intake = Intake(merged.visits, None, issues, (read,), day)
        self.carried = joined([r.carried.within(r.path.name) for r in accepted])


def with_account(made: Consolidation) -> Consolidation:
    """The same, with every sentence as a row of the list of data issues, where a reader of the workbook finds it."""
    say = Phrases(made.settings)
    rows: list[tuple[str, str, str]] = []
    for answer in made.answers:
        treatment = Treatment.REFUSED if answer.status == Status.REFUSED else Treatment.NOTED
        text = told(answer.remarks, say) or say("consolidate.status.accepted")
        rows.append((answer.file, say(f"issues.treatment.{treatment}"), text))
    for one in made.remarks:
        treatment = Treatment.REFUSED if one.code.endswith("conflicts") else Treatment.NOTED
        rows.append((say("consolidate.all_files"), say(f"issues.treatment.{treatment}"), worded(one, say)))
    account = pd.DataFrame(rows, columns=["source", "treatment", "value"], dtype=object)
    return replace(made, carried=made.carried.below(account.assign(cause=say("consolidate.cause"))))


def _listed(paths: Sequence[Path], out: Path | None) -> tuple[list[Path], list[tuple[str, Remark]], Path | None]:
    """Files to read; things of another kind in a folder, each with why it is left aside; a manifest that lies there."""
    files: dict[Path, Path] = {}
    asides, manifest = [], None
    own = {p.resolve() for p in (out, backup_path(out) if out else None) if p}
    for path in paths:
        is_folder = path.is_dir()
        for one in sorted(path.iterdir()) if is_folder else [path]:
            if one.resolve() in own or (is_folder and one.name.startswith((".", "~$"))):
                continue
            if one.name == MANIFEST:
                manifest = one
            elif not is_folder or (one.is_file() and one.suffix.lower() in _TABLES):
                files.setdefault(one.resolve(), one)
            else:
                code = "consolidate.folder" if one.is_dir() else "consolidate.no_table"
                asides.append((one.name, remark(code)))
    return list(files.values()), asides, manifest


def _read(
    files: Iterable[Path], scratch: Path, password: str | None, refused: dict[Path, Remark], progress: Progress
) -> Iterator[Returned]:
    for path in files:
        progress(path.name)
        try:
            yield read_returned(path, scratch, password)
        except REFUSALS as e:
            refused[path] = _refusal(e)


def _refusal(problem: XlfunnelError) -> Remark:
    return Remark(problem.code, problem.params)


def _agreed(read: Sequence[Returned], manifest: Manifest | None) -> Settings:
    """The settings that were split, else those of most files, else of the first of them."""
    prints = [settings_sha256(r.settings) for r in read]
    wanted = manifest.settings_sha256 if manifest and manifest.settings_sha256 in prints else _most(prints)
    return next((r.settings for r, p in zip(read, prints, strict=True) if p == wanted), Settings())


def _most(values: Iterable[str]) -> str:
    """The value met most often, the first of several; "" is none."""
    found = Counter(v for v in values if v)
    return max(found, key=lambda v: found[v], default="")


def _day(accepted: Sequence[Returned], manifest: Manifest | None, given: date | None) -> tuple[date, DayFrom]:
    if given:
        return given, DayFrom.OPTION
    if manifest:
        return manifest.as_of, DayFrom.MANIFEST
    return min((r.as_of for r in accepted), default=date.min), DayFrom.FILES


def _days(day: date, day_from: DayFrom) -> Iterator[Remark]:
    if day != date.min:
        yield remark(f"consolidate.day.{day_from}", day=day.isoformat())


def _missing(regions: tuple[str, ...]) -> Iterator[Remark]:
    if regions:
        yield remark("consolidate.remark.missing", regions=tuple(RegionName(r) for r in regions))


def _shared(code: str, found: Sequence[Shared], names: Sequence[str]) -> Iterator[Remark]:
    """One sentence for each set of files that share ids."""
    by_files: dict[tuple[int, ...], list[str]] = defaultdict(list)
    for shared in found:
        by_files[shared.files].append(shared.opportunity_id)
    for files, ids in by_files.items():
        shown = ids if code == "conflicts" else ids[:_IDS_NAMED]
        senders = tuple(names[i] for i in files)
        yield remark(f"consolidate.remark.{code}", n=len(ids), ids=tuple(shown), files=senders)


def _short(remark: Remark) -> str:
    return remark.code.removeprefix("consolidate.").removeprefix("remark.")
