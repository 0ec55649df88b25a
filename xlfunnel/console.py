"""What the command line says: one sentence for an error, tables for a result. Words only, no figures of its own."""

import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from errno import EDQUOT, ENOSPC
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
from rich import box
from rich.console import Console
from rich.table import Table

from xlfunnel.analysis import FunnelAnalysis
from xlfunnel.app import Progress
from xlfunnel.calendar import date_of
from xlfunnel.crm import DataIssue, Intake, SourceSummary
from xlfunnel.errors import XlfunnelError
from xlfunnel.metrics.quality import Account
from xlfunnel.metrics.trend import TrendFit
from xlfunnel.pages.assumed import assumed_rows
from xlfunnel.pages.phrases import Phrases
from xlfunnel.pages.quality import came_through
from xlfunnel.settings import Settings
from xlfunnel.strings import Words, words
from xlfunnel.terms import ASSUMED, Col, Measure, Outcome, Treatment

if TYPE_CHECKING:  # what a region is sent and answers is known to its two commands only
    from xlfunnel.consolidate import Consolidation
    from xlfunnel.manifest import Manifest, Totals

_FLAGS_SHOWN = 12
_ROWS_SHOWN = 5
_PREVIEWED = 5
_PIPE_WIDTH = 120


class Terminal:
    """Speaks one language at a time; `language` may change once a settings file or a workbook has named another."""

    def __init__(self, language: str) -> None:
        self.language = language
        for stream in (sys.stdout, sys.stderr):
            if hasattr(stream, "reconfigure"):
                stream.reconfigure(errors="replace")  # a terminal that lacks a letter must not stop a run

    @property
    def say(self) -> Words:
        """The words of the language of the moment."""
        return words(self.language)

    def error(self, problem: XlfunnelError) -> None:
        """The sentence of an error, on stderr."""
        self.sentence(problem.code, **problem.params)

    def os_error(self, problem: OSError) -> None:
        """The sentence for what the system refused, on stderr."""
        path = problem.filename2 or problem.filename or "?"
        if isinstance(problem, PermissionError):
            self.sentence("cli.no_permission", path=path)
        elif problem.errno in (ENOSPC, EDQUOT):
            self.sentence("cli.no_space")
        else:
            self.sentence("cli.system", path=path, reason=problem.strerror or problem)

    def sentence(self, key: str, **params: object) -> None:
        """One sentence on stderr, on one line."""
        text = self.say(key, **params)
        print(" ".join(text.split()), file=sys.stderr)

    @contextmanager
    def progress(self) -> Iterator[Progress]:
        """A line that says what is being done, where somebody watches; nothing in a pipe."""
        console = _console(error=True)
        if not console.is_terminal:
            yield lambda step: None
            return
        with console.status(self.say("cli.step.begin")) as status:
            yield lambda step: status.update(
                self.say(step) if self.say.has(step) else self.say("cli.step.file", name=step)
            )

    def result(self, analysis: FunnelAnalysis, paths: Sequence[tuple[str, Path]], *, on_stderr: bool) -> None:
        """Rows, equations, flags and where the files are: `paths` holds (string key, path) pairs."""
        console, say = _console(error=on_stderr), Phrases(analysis.settings)
        console.print(say.scope(analysis), soft_wrap=True)
        console.print(_sources(analysis.sources, say))
        for trend in analysis.trends:
            if trend.owner is None and trend.region == analysis.scope and trend.measure == Measure.COUNT:
                verdict = say(f"trend.verdict.{trend.fit.verdict}")
                console.print(f"{_arrow(trend.span)}: {_equation(trend.fit, say)}, {verdict}", soft_wrap=True)
        console.print(_flags(analysis, say) if analysis.flags else say("cli.no_flags"))
        for key, path in paths:
            console.print(say(key, path=path), soft_wrap=True)

    def split(self, manifest: "Manifest", folder: Path) -> None:
        """What each region got, what that adds up to, and where it is."""
        from xlfunnel.manifest import MANIFEST

        console, say = _console(error=False), Phrases(Settings(language=manifest.language))
        columns = ("region", "workbook", "rows#", "opportunities#", "open#", "amount#")
        table = _table(say, "split.wrote", *columns, path=folder)
        for share in manifest.regions:
            table.add_row(say.region(share.region), share.file, *_sums(share.totals, say))
        table.add_row(say("split.total"), "", *_sums(manifest.totals, say))
        console.print(table)
        if manifest.encrypted:
            console.print(say("split.encrypted", manifest=MANIFEST), soft_wrap=True)

    def consolidation(self, made: "Consolidation", *, on_stderr: bool) -> None:
        """What became of each file, and what concerns several of them."""
        from xlfunnel.answers import told, worded

        console, say = _console(error=on_stderr), Phrases(made.settings)
        table = _table(say, "consolidate.title", "source", "region", "status", "rows#", "opportunities#", "remarks")
        for answer in made.answers:
            regions = say("sheets.comma").join(say.region(r) for r in answer.regions)
            sums = ("" if n is None else say.count(n) for n in (answer.rows, answer.opportunities))
            table.add_row(
                answer.file, regions, say(f"consolidate.status.{answer.status}"), *sums, told(answer.remarks, say)
            )
        console.print(table)
        for one in made.remarks:
            console.print(worded(one, say), soft_wrap=True)

    def quality(self, intake: Intake, settings: Settings) -> None:
        """What was read and what became of every row, on stdout."""
        console, say = _console(error=False), Phrases(settings)
        console.print(_sources(intake.sources, say))
        counts = (sum(getattr(s, f"rows_{n}") for s in intake.sources) for n in Account._fields)
        account = Account(*counts)
        issues = [i for i in intake.issues if i.code not in ASSUMED]
        beside = sum(i.row is None and i.treatment == Treatment.NOTED for i in issues)
        console.print(came_through(account, beside, say), soft_wrap=True)
        console.print(_preview(intake, say) if len(intake.visits) else "")
        console.print(_assumed(intake, settings, say))
        console.print(_causes(issues, say) if issues else say("cli.no_issues"))


def _console(*, error: bool) -> Console:
    console = Console(stderr=error, markup=False, highlight=False, emoji=False)
    if not console.is_terminal:
        console.width = _PIPE_WIDTH
    return console


def _arrow(span: str) -> str:
    return span.replace("-", "→")


def _equation(fit: TrendFit, say: Phrases) -> str:
    """The consultant's form in plain characters that can be searched for: y=-15.343x+147.53, R²=0.565."""
    return say.equation(fit).replace("−", "-").replace(" ", "").replace(",", ", ")


def _table(say: Phrases, title: str, *columns: str, **facts: object) -> Table:
    """A table with localised heads; a column whose key ends in # is right-aligned."""
    table = Table(title=say(title, **facts), title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for key in columns:
        table.add_column(say(f"cli.column.{key.rstrip('#')}"), justify="right" if key.endswith("#") else "left")
    return table


def _sums(totals: "Totals", say: Phrases) -> tuple[str, ...]:
    amount = sum(stage["amount"] for stage in totals.stages.values())
    return tuple(say.count(n) for n in (totals.rows, totals.opportunities, totals.open, amount))


def _sources(sources: Sequence[SourceSummary], say: Phrases) -> Table:
    table = _table(say, "cli.title.sources", "source", "shape", "read#", "used#", "repaired#", "refused#")
    for s in sources:
        rows = (s.rows_read, s.rows_used, s.rows_repaired, s.rows_refused)
        table.add_row(s.name, say(f"issues.shape.{s.shape}"), *(say.count(n) for n in rows))
    return table


def _preview(intake: Intake, say: Phrases) -> Table:
    """The first rows as they will be understood."""
    columns = ("row#", "opportunity", "region", "rep", "stage", "entered", "left", "went_to", "worth#")
    table = _table(say, "cli.title.preview", *columns)
    for row in intake.first_rows(_PREVIEWED).to_dict("records"):
        left, cents, to = row[Col.LEFT_DAY], row[Col.AMOUNT_CENTS], row[Col.NEXT_STAGE]
        table.add_row(
            str(row["row"]), row[Col.OPPORTUNITY], row[Col.REGION], row[Col.OWNER], row[Col.STAGE],
            date_of(row[Col.ENTERED_DAY]).isoformat(), "" if pd.isna(left) else date_of(left).isoformat(),
            "" if to == Outcome.OPEN else say.target(to), "" if pd.isna(cents) else say.number(cents / 100, 2),
        )  # fmt: skip
    return table


def _assumed(intake: Intake, settings: Settings, say: Phrases) -> Table:
    """Which column was taken for what, and everything else that was taken for granted."""
    table = _table(say, "cli.title.assumed", "what", "taken", "source")
    for row in assumed_rows(intake.sources, intake.issues, settings, intake.as_of, say):
        table.add_row(*row)
    return table


def _flags(analysis: FunnelAnalysis, say: Phrases) -> Table:
    table = _table(say, "cli.title.flags", "severity", "who", "rule", "value#", "limit#")
    for flag in analysis.flags[:_FLAGS_SHOWN]:
        severity = say(f"alerts.severity.{flag.severity}")
        numbers = (say.number(flag.value), say.number(flag.limit))
        table.add_row(severity, say.who(flag), say.rule(flag), *numbers)
    rest = len(analysis.flags) - _FLAGS_SHOWN
    if rest > 0:
        table.caption = say("cli.more_flags", n=rest)
    return table


def _causes(issues: Sequence[DataIssue], say: Phrases) -> Table:
    """Issues counted by what was done and why, with the first rows of each."""
    found: defaultdict[tuple[str, str, str], list[DataIssue]] = defaultdict(list)
    for issue in issues:
        found[issue.treatment, issue.code, issue.source].append(issue)
    table = _table(say, "cli.title.causes", "treatment", "cause", "source", "rows#", "first_rows", "example")
    for (treatment, code, source), rows in sorted(found.items(), key=lambda kv: -len(kv[1])):
        first = ", ".join(str(i.row) for i in rows[:_ROWS_SHOWN] if i.row is not None)
        more = " …" if len(rows) > _ROWS_SHOWN else ""
        labels = (say(f"issues.treatment.{treatment}"), say(f"issues.code.{code}"))
        table.add_row(*labels, source, say.count(len(rows)), first + more, rows[0].value)
    return table
