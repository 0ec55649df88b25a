"""What the commands do, from files to files. Nothing is written unless everything before it succeeded."""

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

from xlfunnel import results, settings
from xlfunnel.analysis import FunnelAnalysis, analyse
from xlfunnel.carried import Carried
from xlfunnel.crm import Intake, Source, as_toml, mapping_of, read_data_sheet, read_sources, remembered
from xlfunnel.entered import Entered
from xlfunnel.errors import InputError, UsageError, WorkbookError
from xlfunnel.excel import inputs, template_id
from xlfunnel.excel.file_sink import FileSink
from xlfunnel.excel.safe_write import replace_file
from xlfunnel.pages import build_report, mapping_report
from xlfunnel.pages.phrases import Phrases
from xlfunnel.paths import shipped
from xlfunnel.report import Report, Sink, fill
from xlfunnel.settings import Settings

_KINDS = (".xlsx", ".xlsm")

Progress = Callable[[str], None]
"""Is told the string key of each step as it begins, and the name of each file before it is read."""


def quiet(step: str) -> None:
    """Progress that nobody watches."""


@dataclass(frozen=True)
class Inputs:
    """The files of one import: exports, and optionally a stage history and a table of owners.

    sheet  the worksheet of the exports that holds the data, where that is not the first that can be understood
    """

    sources: Sequence[Path]
    history: Path | None = None
    owners: Path | None = None
    sheet: str | None = None

    def tables(self) -> list[Source]:
        """The exports."""
        return [Source(path, self.sheet) for path in self.sources]

    def workbook(self) -> Path | None:
        """The workbook of ours that is the only source, and whose Data sheet is meant."""
        path = self.sources[0] if len(self.sources) == 1 else None
        if path is None or self.sheet or self.history or self.owners or path.suffix.lower() not in _KINDS:
            return None
        try:
            return path if inputs.is_ours(path) else None
        except (WorkbookError, OSError):
            return None

    def paths(self) -> list[Path]:
        """All of them."""
        return [*self.sources, *(p for p in (self.history, self.owners) if p)]


def check(files: Inputs, chosen: Settings, progress: Progress = quiet) -> Intake:
    """Read the files and say what became of every row. Writes nothing. Raises InputError if they cannot be used."""
    progress("cli.step.read")
    if own := files.workbook():
        return read_data_sheet(inputs.data_source(own), chosen, progress)
    return read_sources(
        files.tables(), chosen, history=files.history, owners=files.owners, as_of=chosen.as_of, progress=progress
    )


def mapped(files: Inputs, out: Path | None, chosen: Settings, say: Callable[..., str]) -> str:
    """How the exports are understood, as the text of a settings file; written to `out`, whose old version is kept.

    Raises InputError for exports that are not understood at all, UsageError, OSError.
    """
    if out is not None:
        guard([out], files.paths())
    text = as_toml(mapping_of(files.tables(), chosen), chosen, say)
    if out is not None:
        replace_file(out, lambda file: _put(file, text.encode()), backup=True)
    return text


def mapped_into(files: Inputs, workbook: Path) -> Path:
    """The mapping of exports into the Settings sheet of `workbook`, whose old version is kept; chosen ones stay.

    Raises InputError, SettingsError, WorkbookError, UsageError, OSError.
    """
    guard([workbook], files.paths())
    chosen = inputs.read_settings(workbook, base_language=inputs.language(workbook))
    found = mapping_of(files.tables(), chosen)
    stages = {s.name: s.target for s in found.stages}
    columns, stage_map = remembered(chosen, [(t.how, t.shape, t.headers) for t in found.tables], stages)
    fill(mapping_report(columns, stage_map, Phrases(chosen)), FileSink(workbook, workbook, backup=True))
    return workbook


def report(
    files: Inputs,
    out: Path,
    chosen: Settings,
    *,
    template_path: Path | None = None,
    json_path: Path | None = None,
    settings_path: Path | None = None,
    entered: Entered | None = None,
    engine: str | None = None,
    progress: Progress = quiet,
) -> FunnelAnalysis:
    """Exports, and what users typed → the finished workbook `out`, made from the template.

    An existing `out` is kept as .bak; what was typed into it is taken over, unless `entered` is given. With an `engine`
    of `xlfunnel.crm.engines` the one source is a file, a folder or a table whose rows stay where they are.

    Raises UsageError if an output would overwrite an input, InputError, WorkbookError, OSError.
    """
    others = [p for p in (template_path, settings_path) if p]
    guard([p for p in (out, json_path) if p], [*files.paths(), *others])
    guard_kind(out, template_path)
    if template_path and (kept_in := inputs.language(template_path)) != chosen.language:
        raise WorkbookError("cli.template_language", path=template_path, kept_in=kept_in, language=chosen.language)
    if engine is None:
        intake = check(files, chosen, progress)
    else:
        from xlfunnel.crm.warehouse import read_warehouse  # with an engine only

        progress("cli.step.read")
        intake = read_warehouse(str(files.sources[0]), engine, chosen)
    progress("cli.step.analyse")
    analysis = analyse(intake, chosen, entered=inputs.typed_before(out) if entered is None else entered)
    with template_file(chosen.language, template_path, macros=has_macros(out)) as base:
        progress("cli.step.write")
        made = build_report(analysis, with_data=True, with_entered=True)
        write(analysis, made, FileSink(base, out, backup=True), json_path)
    return analysis


def refresh(
    workbook: Path,
    out: Path | None = None,
    *,
    json_path: Path | None = None,
    data: Source | None = None,
    progress: Progress = quiet,
) -> FunnelAnalysis:
    """The Data and Settings sheets of a workbook → its result sheets, in place (kept as .bak) or into `out`.

    data  the Data sheet, if it is being read already (`xlfunnel.excel.data_sheet`)

    Raises UsageError, InputError, SettingsError, WorkbookError, OSError.
    """
    target = out or workbook
    in_place = _same(target, workbook)
    guard([p for p in (target, json_path) if p], [] if in_place else [workbook])
    guard_kind(target, workbook)
    if json_path and _same(json_path, workbook):
        raise UsageError("cli.overwrites_input", path=json_path)
    progress("cli.step.read")
    held = inputs.holdings(workbook)
    source = data or held.data
    try:
        intake = read_data_sheet(source, held.settings, progress)
    except InputError as e:
        if e.code == "input.no_rows" and (note := inputs.data_elsewhere(workbook)):
            raise WorkbookError("workbook.data_elsewhere", path=workbook.name, note=note) from None
        raise
    progress("cli.step.analyse")
    analysis = analyse_again(intake, held.settings, source.sheet or "", held.carried, held.entered)
    progress("cli.step.write")
    write(analysis, build_report(analysis, with_data=False), FileSink(workbook, target, backup=True), json_path)
    return analysis


def analyse_again(intake: Intake, chosen: Settings, sheet: str, carried: Carried, entered: Entered) -> FunnelAnalysis:
    """The check-up of what a workbook's own data sheet holds.

    carried  what its Data quality sheet shows; what is of an import is carried on
    """
    # The sheet itself bears its name alone, so that the next refresh knows it from the files of an import.
    issues = tuple(replace(i, source=sheet or i.source) for i in intake.issues)
    sources = tuple(replace(s, name=sheet or s.name) for s in intake.sources)
    return analyse(replace(intake, issues=issues, sources=sources), chosen, carried.without(sheet), entered)


def demo(out: Path, language: str, *, json_path: Path | None = None, progress: Progress = quiet) -> FunnelAnalysis:
    """The bundled LX sample → a finished workbook. Raises as `report` does."""
    files, chosen = sample(language)
    return report(files, out, chosen, json_path=json_path, progress=progress)


def sample(language: str) -> tuple[Inputs, Settings]:
    """The files of the bundled LX sample and the settings they are to be read with."""
    chosen = replace(settings.load(shipped("sample/lx_settings.toml")), language=language)
    return Inputs([shipped("sample/lx_opportunities.csv")], shipped("sample/lx_stage_history.csv")), chosen


def copy_template(language: str, out: Path) -> None:
    """The empty template of one language as `out`; an existing `out` is kept as .bak. Raises WorkbookError, OSError."""
    guard([out], [])
    guard_kind(out, None)
    with template_file(language, macros=has_macros(out)) as base:
        content = base.read_bytes()
    replace_file(out, lambda file: _put(file, content), backup=True)


@contextmanager
def template_file(language: str, own: Path | None = None, *, macros: bool = False) -> Iterator[Path]:
    """The user's template, the shipped one with or without macros, or a macro-free one built for the occasion."""
    path = own or shipped(template_id.file_name(language, macros=macros))
    if own or macros or path.exists():
        yield path
        return
    with tempfile.TemporaryDirectory() as folder:
        from xlfunnel.excel import template  # slow to import, and hardly ever needed

        built = Path(folder) / template_id.file_name(language)
        template.build(language, built)
        yield built


def write(
    analysis: FunnelAnalysis,
    made: Report,
    sink: Sink,
    json_path: Path | None,
    more: Mapping[str, Any] | None = None,
) -> None:
    """The workbook and the results, `more` parts among them; either both are there afterwards or neither."""
    if json_path is None:
        fill(made, sink)
        return

    def both(file: BinaryIO) -> None:
        _put(file, results.dumps(analysis, more).encode())
        fill(made, sink)  # while the results are on disk and have only to take their name

    replace_file(json_path, both, backup=False)


def _put(file: BinaryIO, content: bytes) -> None:
    file.write(content)
    file.flush()


def guard(outs: Sequence[Path], ins: Sequence[Path]) -> None:
    """Refuse, before anything is read, outputs that cannot be or must not be written."""
    for i, out in enumerate(outs):
        if not out.parent.is_dir():
            raise WorkbookError("cli.no_folder", path=out.parent)
        if out.is_dir():
            raise WorkbookError("cli.is_folder", path=out)
        if any(_same(out, p) for p in (*ins, *outs[:i])):
            raise UsageError("cli.overwrites_input", path=out)


def guard_kind(out: Path, base: Path | None) -> None:
    """Excel opens a workbook only under the name of its kind: .xlsm with macros, .xlsx without."""
    wanted = (base.suffix.lower(),) if base else _KINDS
    if out.suffix.lower() not in wanted and (base is None or base.suffix.lower() in _KINDS):
        raise UsageError("cli.other_kind", path=out, kinds=wanted)


def has_macros(out: Path) -> bool:
    return out.suffix.lower() == ".xlsm"


def _same(a: Path, b: Path) -> bool:
    return a.resolve() == b.resolve() or (a.exists() and b.exists() and a.samefile(b))
