"""The command line. Exit codes: 0 done, 1 a fault of the program, 2 usage, 3 an input or a file was refused.

What only some commands need is loaded by them: the others start without it.
"""

import sys
import traceback
from argparse import Namespace
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from xlfunnel import app, arguments, results, settings
from xlfunnel.analysis import FunnelAnalysis
from xlfunnel.console import Terminal
from xlfunnel.crm import Source
from xlfunnel.errors import InputError, UsageError, WorkbookError, XlfunnelError
from xlfunnel.excel import inputs
from xlfunnel.excel.safe_write import backup_path
from xlfunnel.pages.phrases import Phrases
from xlfunnel.settings import Settings
from xlfunnel.strings import words

_DONE, _FAULT, _USAGE, _REFUSED, _STOPPED = 0, 1, 2, 3, 130
_STDOUT = Path("-")
_DEMO = Path("xlfunnel-demo.xlsx")


def main(argv: Sequence[str] | None = None, data: Source | None = None) -> int:
    """Run one command; the exit code. Expected problems are one sentence on stderr and never a traceback.

    data  the Data sheet of the workbook to be refreshed, if it is being parsed already (`xlfunnel.__main__`)
    """
    typed = list(sys.argv[1:] if argv is None else argv)
    terminal = Terminal(arguments.system_language())
    try:
        terminal.language, asked = arguments.language(typed)
        args = arguments.parse(typed, words(terminal.language))
        args.asked, args.data = asked, data
        return _COMMANDS[args.command](args, terminal)
    except UsageError as e:
        terminal.error(e)
        return _USAGE
    except XlfunnelError as e:
        terminal.error(e)
        return _REFUSED
    except OSError as e:
        terminal.os_error(e)
        return _REFUSED
    except KeyboardInterrupt:
        terminal.sentence("cli.stopped")
        return _STOPPED
    except Exception as e:
        if "--debug" in typed:
            traceback.print_exc()
        terminal.sentence("cli.fault", kind=type(e).__name__, reason=e)
        return _FAULT


def _demo(args: Namespace, terminal: Terminal) -> int:
    out = args.output or _DEMO
    before = _identity(out)
    with terminal.progress() as progress:
        analysis = app.demo(out, terminal.language, json_path=_json_file(args), progress=progress)
    return _finish(args, terminal, analysis, out, before)


def _report(args: Namespace, terminal: Terminal) -> int:
    if args.engine:
        _refuse_beside_engine(args)
    own = None if args.engine else _own_workbook(args)
    chosen = _settings(args, terminal, own)
    before = _identity(args.output)
    with terminal.progress() as progress:
        analysis = app.report(
            app.Inputs(args.source, args.history, args.owners, args.sheet),
            args.output,
            chosen,
            template_path=args.template,
            json_path=_json_file(args),
            settings_path=args.settings,
            entered=inputs.read_entered(own) if own else None,
            engine=args.engine,
            progress=progress,
        )
    return _finish(args, terminal, analysis, args.output, before)


def _refuse_beside_engine(args: Namespace) -> None:
    """An engine reads one folder, file or table, which says everything itself."""
    from xlfunnel.crm.engines import ENGINES

    if args.engine not in ENGINES:
        raise UsageError("cli.unknown_engine", engine=args.engine, known=", ".join(ENGINES))
    for name in ("history", "owners", "sheet"):
        if getattr(args, name) is not None:
            raise UsageError("cli.beside_engine", option=arguments.OPTIONS[name].flags[-1])
    if len(args.source) > 1:
        raise UsageError("cli.beside_engine", option=args.source[1])


def _refresh(args: Namespace, terminal: Terminal) -> int:
    if not args.asked:
        with suppress(WorkbookError):  # which the refresh itself comes upon, after what is wrong with the command
            terminal.language = inputs.language(args.workbook)
    out = args.output or args.workbook
    before = _identity(out)
    with terminal.progress() as progress:
        analysis = app.refresh(
            args.workbook, args.output, json_path=_json_file(args), data=args.data, progress=progress
        )
    return _finish(args, terminal, analysis, out, before)


def _check(args: Namespace, terminal: Terminal) -> int:
    chosen = _settings(args, terminal)
    files = app.Inputs(args.source, args.history, args.owners, args.sheet)
    refused = None
    with terminal.progress() as progress:
        try:
            intake = app.check(files, chosen, progress)
        except InputError as e:
            if e.code != "input.too_many_refused":
                raise
            refused = e  # the table is what shows why, so it is drawn all the same
            intake = app.check(files, replace(chosen, refuse_share=1), progress)
    terminal.quality(intake, chosen)
    if refused:
        raise refused
    return _DONE


def _split(args: Namespace, terminal: Terminal) -> int:
    from xlfunnel import split

    password = split.password_of(args.password_file) if args.password_file else None
    workbook = _own_workbook(args)
    if workbook:
        _refuse_options(args, workbook, ("history", "owners", "settings", "sheet", "as_of", "date_order", "region"))
    with terminal.progress() as progress:
        if workbook:
            intake, chosen = split.workbook_data(workbook, progress)
            chosen = replace(chosen, language=terminal.language) if args.asked else chosen
        else:
            chosen = _settings(args, terminal)
            intake = app.check(app.Inputs(args.source, args.history, args.owners, args.sheet), chosen, progress)
        terminal.language = chosen.language
        entered = inputs.read_entered(workbook) if workbook else None
        made = split.split(intake, chosen, args.folder, entered=entered, password=password, progress=progress)
    terminal.split(made, args.folder)
    return _DONE


def _own_workbook(args: Namespace) -> Path | None:
    """The source, if it is one workbook of ours: it brings its own settings, and what users typed into it."""
    from xlfunnel import split

    return args.source[0] if len(args.source) == 1 and split.is_workbook(args.source[0]) else None


def _consolidate(args: Namespace, terminal: Terminal) -> int:
    from xlfunnel import consolidate, split

    password = split.password_of(args.password_file) if args.password_file else None
    chosen = settings.load(args.settings, language=terminal.language) if args.settings else None
    named = [p for p in (args.manifest, args.password_file, args.settings) if p]
    app.guard([p for p in (args.output, _json_file(args)) if p], [*args.returned, *named])
    app.guard_kind(args.output, None)
    before = _identity(args.output)
    with terminal.progress() as progress:
        made = consolidate.gathered(
            args.returned,
            out=args.output,
            manifest_path=args.manifest,
            password=password,
            chosen=chosen,
            as_of=args.as_of,
            language=terminal.language if args.asked else None,
            progress=progress,
        )
        terminal.language = made.settings.language
        may_go_on = made.is_whole or (args.partial and made.intake is not None)
        if may_go_on:
            analysis = consolidate.written(made, args.output, json_path=_json_file(args), progress=progress)
    terminal.consolidation(made, on_stderr=args.json == _STDOUT)
    if not may_go_on:
        raise made.stopped
    more = {"consolidation": made.to_json(Phrases(made.settings))}
    return _finish(args, terminal, analysis, args.output, before, more)


def _refuse_options(args: Namespace, workbook: Path, names: Sequence[str]) -> None:
    for name in names:
        if getattr(args, name) is not None:
            option = arguments.OPTIONS[name].flags[-1]
            raise UsageError("split.own_data", path=workbook, option=option)


def _map(args: Namespace, terminal: Terminal) -> int:
    spoken = terminal.language
    chosen = settings.load(args.settings, language=spoken) if args.settings else Settings(language=spoken)
    chosen = replace(chosen, language=spoken) if args.asked else chosen
    terminal.language = chosen.language
    if args.into:
        if args.output or args.settings:
            raise UsageError("cli.map_one_target")
        app.mapped_into(app.Inputs(args.source, sheet=args.sheet), args.into)
        print(terminal.say("cli.wrote.mapping", path=args.into))
        return _DONE
    text = app.mapped(app.Inputs(args.source, sheet=args.sheet), args.output, chosen, terminal.say)
    print(
        terminal.say("cli.wrote.settings", path=args.output) if args.output else text, end="\n" if args.output else ""
    )
    return _DONE


def _template(args: Namespace, terminal: Terminal) -> int:
    app.copy_template(terminal.language, args.output)
    print(terminal.say("cli.wrote.template", path=args.output))
    return _DONE


def _bundle(args: Namespace, terminal: Terminal) -> int:
    from xlfunnel import bundle

    with terminal.progress() as progress:
        made = bundle.bundle(args.output, python=args.python, progress=progress)
    mega = {"size": f"{made.size / 1e6:.0f}", "unpacked": f"{made.unpacked / 1e6:.0f}"}
    print(terminal.say("bundle.wrote", path=made.path, files=made.files, **mega))
    return _DONE


def _doctor(args: Namespace, terminal: Terminal) -> int:
    from xlfunnel import doctor

    report = doctor.diagnose()
    print("\n".join(doctor.sentences(report, terminal.say)))
    return _FAULT if report.level == doctor.Level.FAIL else _DONE


_COMMANDS: Mapping[str, Callable[[Namespace, Terminal], int]] = {
    "demo": _demo,
    "report": _report,
    "refresh": _refresh,
    "check": _check,
    "map": _map,
    "split": _split,
    "consolidate": _consolidate,
    "template": _template,
    "bundle": _bundle,
    "doctor": _doctor,
}


def _settings(args: Namespace, terminal: Terminal, workbook: Path | None = None) -> Settings:
    """Settings of the file, or of the workbook that is read, overruled by what was typed.

    The terminal goes on in their language: what was typed, else the settings', else that of a template of one's own.
    """
    spoken = terminal.language
    own = getattr(args, "template", None)
    if own and not args.asked:
        with suppress(WorkbookError):  # the report says so
            spoken = inputs.language(own)
    if args.settings:
        chosen = settings.load(args.settings, language=spoken)
    else:
        chosen = inputs.read_settings(workbook) if workbook else Settings(language=spoken)
    typed = {"language": spoken if args.asked else None, "region": args.region, "as_of": args.as_of}
    typed["date_order"] = args.date_order
    chosen = replace(chosen, **{name: value for name, value in typed.items() if value is not None})
    terminal.language = chosen.language
    return chosen


def _json_file(args: Namespace) -> Path | None:
    return None if args.json == _STDOUT else args.json


def _identity(path: Path) -> int | None:
    """Which file it is that bears the name now; another one afterwards means that the old one was kept as a backup."""
    return path.stat().st_ino if path.is_file() else None


def _finish(
    args: Namespace,
    terminal: Terminal,
    analysis: FunnelAnalysis,
    out: Path,
    before: int | None,
    more: Mapping[str, Any] | None = None,
) -> int:
    """Say what was done; results asked for on stdout come first and alone there."""
    to_stdout = args.json == _STDOUT
    if to_stdout:
        sys.stdout.flush()
        sys.stdout.buffer.write(results.dumps(analysis, more).encode())
        sys.stdout.buffer.flush()
    wrote = [("cli.wrote.workbook", out)]
    if before not in (None, _identity(out)):
        wrote.append(("cli.wrote.backup", backup_path(out)))
    if args.json and not to_stdout:
        wrote.append(("cli.wrote.json", args.json))
    terminal.result(analysis, wrote, on_stderr=to_stdout)
    return _DONE
