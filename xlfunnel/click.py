"""One click on the ribbon: the workbook it is meant for, its steps in the status bar, and the sentence it ends in."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import wraps
from hashlib import sha256
from pathlib import Path
from typing import Concatenate, ParamSpec

import xlwings as xw

from xlfunnel import log
from xlfunnel.analysis import FunnelAnalysis
from xlfunnel.arguments import system_language
from xlfunnel.crm import Intake, read_data_sheet
from xlfunnel.entered import Entered
from xlfunnel.errors import InputError, WorkbookError, XlfunnelError
from xlfunnel.excel import inputs, snapshot
from xlfunnel.excel.entered import entered_shown
from xlfunnel.excel.live_app import is_rejected, refuse_if_busy, settled
from xlfunnel.excel.live_book import LiveBook
from xlfunnel.excel.live_sink import LiveSink
from xlfunnel.pages import build_report, is_kept
from xlfunnel.pages.assumed import assumed_rows
from xlfunnel.pages.phrases import Phrases
from xlfunnel.report import Report, fill
from xlfunnel.settings import LANGUAGES, Settings
from xlfunnel.strings import Words, words
from xlfunnel.terms import ASSUMED, Treatment

STEPS = ("settings", "read", "analyse", "report", "check", "write", "calculate")
"""What a click that fills the workbook does, in order."""

_LINES = 12
"""Causes that a dialog lists."""
_P = ParamSpec("_P")


class Click:
    """One click on one workbook: what its steps share.

    live      the workbook
    say       words in its language
    sentence  what the user is told at the end, "" = nothing
    """

    def __init__(self, book: xw.Book) -> None:
        self.live = LiveBook(book)
        self.sentence = ""
        self.say: Words = words(_language(self.live))
        self._show: Callable[[str], None] = log.LOGGER.info

    @contextmanager
    def still(self) -> Iterator[None]:
        """Excel held still for the time of the work."""
        with settled(self.live.book.app) as show:
            self._show = show
            yield

    def show(self, key: str, **params: object) -> None:
        """A text in the status bar."""
        self._show(self.say(key, **params))

    def step(self, name: str) -> None:
        """Say which step begins: 3/7 …"""
        done = STEPS.index(name) + 1
        self.show("macros.step.of", n=done, of=len(STEPS), what=self.say(f"macros.step.{name}"))

    def tell(self, sentence: str) -> None:
        """A sentence for the end, when Excel moves again."""
        self.sentence = "\n\n".join(filter(None, (self.sentence, sentence)))

    def agreed(self, key: str, **params: object) -> bool:
        """The answer to a question."""
        return self.live.book.app.alert(self.say(key, **params), self.say("macros.title"), "yes_no", "info") == "yes"

    def wanted(self, intake: Intake, chosen: Settings) -> bool:
        """Whether what was read shall be written; asked only if rows were refused or something was assumed."""
        if not any(i.treatment == Treatment.REFUSED or i.code in ASSUMED for i in intake.issues):
            return True
        say = Phrases(chosen)
        told = {say(f"issues.code.{c}") for c in ASSUMED}
        rows = assumed_rows(intake.sources, intake.issues, chosen, intake.as_of, say)
        assumed = [say("macros.assumed", what=what, taken=taken) for what, taken, _ in rows if what in told]
        columns = dict.fromkeys(f"{say.field(k)} ← {h}" for s in intake.sources for k, h in s.columns.items())
        return self.agreed(
            "macros.import_question",
            account="\n".join([self.accounted("read", intake, chosen), *assumed[:_LINES]]),
            columns=say("sheets.semicolon").join(columns),
        )

    def settings(self) -> Settings:
        """The settings that the open workbook shows."""
        self.step("settings")
        return inputs.settings_shown(self.live, base_language=self.say.language)

    def entered(self) -> Entered:
        """What users typed into the open workbook."""
        return entered_shown(self.live)

    def data(self, chosen: Settings) -> Intake:
        """The rows of the Data sheet, through the data door. Raises InputError `macros.no_data` if there are none."""
        self.step("read")
        source = self.live.data_source()
        if source is None:
            raise InputError("macros.no_data")
        return read_data_sheet(source, chosen)

    def fill(self, analysis: FunnelAnalysis, *, with_data: bool) -> None:
        """Write a check-up into the open workbook."""
        self.step("report")
        self.write(build_report(analysis, with_data=with_data))

    def write(self, report: Report) -> None:
        """Write a report into the open workbook; what it overwrites is kept."""
        self.step("check")
        sink = LiveSink(self.live, self._keep)
        fill(report, sink)
        self.step("calculate")
        self.live.book.app.calculate()
        lost = [o for o in sink.orphans if not (o.key and is_kept(o.table, o.column, self.say))]
        for orphan in lost:
            log.LOGGER.warning("no row any more: %s", orphan)
        if lost:
            self.tell(self.say("macros.orphans", n=len(lost), path=log.log_path()))

    @property
    def snapshot_path(self) -> Path:
        """The file that keeps what the last click overwrote in this workbook."""
        digest = sha256(self.live.address.encode("utf-8", "surrogatepass")).hexdigest()[:24]
        return log.state_folder() / "restore" / f"{digest}.json"

    def _keep(self, report: Report) -> None:
        """Without room for a copy the click still works; only the way back is missing."""
        try:
            snapshot.keep(self.snapshot_path, report)
        except (OSError, WorkbookError):
            log.LOGGER.exception("the state before this click could not be kept")
        self.step("write")

    def new_file(self, suffix: str) -> Path:
        """A name that is free: beside the workbook where that lies in a folder, else among the user's documents."""
        at = Path(self.live.address)
        homes = (at.parent if at.is_absolute() else None, Path.home() / "Documents", Path.home())
        folder = next(h for h in homes if h is not None and h.is_dir())
        stem = Path(self.live.book.name).stem
        names = (f"{stem}{suffix}", *(f"{stem} ({i}){suffix}" for i in range(2, 1000)))
        return next(folder / n for n in names if not (folder / n).exists())

    def accounted(self, key: str, intake: Intake, chosen: Settings) -> str:
        """What became of the rows."""
        say = Phrases(chosen)
        totals = {
            n: sum(getattr(s, f"rows_{n}") for s in intake.sources) for n in ("read", "used", "repaired", "refused")
        }
        causes: dict[tuple[str, str], int] = {}
        for issue in (i for i in intake.issues if i.code not in ASSUMED):
            label = (say(f"issues.treatment.{issue.treatment}"), say(f"issues.code.{issue.code}"))
            causes[label] = causes.get(label, 0) + 1
        lines = [
            self.say("macros.cause", treatment=treatment, cause=cause, n=say.count(n))
            for (treatment, cause), n in sorted(causes.items(), key=lambda item: -item[1])[:_LINES]
        ]
        head = self.say(f"macros.{key}", **{n: say.count(v) for n, v in totals.items()})
        return "\n".join([head, *(lines or [self.say("macros.no_issues")])])

    def go_to(self, table: str) -> None:
        """The sheet of a table to the front."""
        self.live.sheet(self.live.sheet_of(table)).activate()

    def open(self, path: Path) -> None:
        """Show a file in its own program, or at least say where it is."""
        if not path.exists():
            self.tell(self.say("macros.not_there", path=path))
        elif not _shown_by_its_program(path):
            self.tell(self.say("macros.look_at", path=path))


def button(work: Callable[Concatenate[Click, _P], None]) -> Callable[_P, None]:
    """Make a macro of what it does to a workbook of ours. It never raises: every error ends in a sentence."""
    return _macro(work, ours=True)


def help_button(work: Callable[Concatenate[Click, _P], None]) -> Callable[_P, None]:
    """The same for what is of use whatever workbook is in front."""
    return _macro(work, ours=False)


def _macro(work: Callable[Concatenate[Click, _P], None], *, ours: bool) -> Callable[_P, None]:
    @wraps(work)
    def macro(*args: _P.args, **kwargs: _P.kwargs) -> None:
        with log.logged() as logger:
            app, say, sentence = None, words(system_language()), ""
            try:
                book = _book()
                app = book.app
                refuse_if_busy(app)
                click = Click(book)
                say = click.say
                if ours and not click.live.is_ours:
                    raise WorkbookError("workbook.not_ours", path=book.name)
                logger.info("%s: %s", work.__name__, click.live.address)
                with click.still():
                    work(click, *args, **kwargs)
                sentence = click.sentence
                logger.info("%s: done", work.__name__)
            except XlfunnelError as e:
                logger.warning("%s: %s", work.__name__, e)
                sentence = say(e.code, **e.params)
            except Exception as e:
                logger.exception("%s failed", work.__name__)
                busy = is_rejected(e)
                sentence = say("macros.busy") if busy else say("macros.fault", reason=_reason(e), path=log.log_path())
            app = app or xw.apps.active
            if sentence and app is not None:
                app.alert(sentence, say("macros.title"), "ok", "info")

    return macro


def _book() -> xw.Book:
    """The workbook whose button was clicked; in the add-in the one in front. Raises WorkbookError `macros.no_book`."""
    with suppress(Exception):
        caller = xw.Book.caller()
        if LiveBook(caller).is_ours:
            return caller
    with suppress(Exception):
        active = xw.books.active
        if active.impl is not None:
            return active
    raise WorkbookError("macros.no_book")


def _language(live: LiveBook) -> str:
    """The workbook's own language; the system's for a workbook that has none."""
    shown = live.cell("cfg_language")
    return shown if isinstance(shown, str) and shown in LANGUAGES else system_language()


def _reason(problem: Exception) -> str:
    return f"{type(problem).__name__}: {problem}".splitlines()[0][:200]


def _shown_by_its_program(path: Path) -> bool:
    """Open a file as a double click would; False where there is nobody to do so."""
    if sys.platform == "win32":
        os.startfile(path)
        return True
    program = shutil.which("open" if sys.platform == "darwin" else "xdg-open")
    if program is None:
        return False
    subprocess.Popen([program, str(path)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return True
