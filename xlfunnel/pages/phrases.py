"""How names, numbers and evidence are worded on sheets: the words of one language and the settings of one run."""

from collections.abc import Iterable, Sequence
from math import isnan

from xlfunnel.analysis import FunnelAnalysis
from xlfunnel.calendar import month_text
from xlfunnel.metrics.flags import Flag
from xlfunnel.metrics.tags import Tagged
from xlfunnel.metrics.trend import TrendFit
from xlfunnel.report import Value
from xlfunnel.settings import Settings
from xlfunnel.strings import words
from xlfunnel.terms import OUTCOMES, Outcome, Severity

_NAMES_SHOWN = 5
_MANIFOLD = 10
"""From so many times as much on, a change in per cent says nothing."""


class Phrases:
    """`say("home.title", region=…)` gives a sentence; the methods word what many sheets need alike."""

    def __init__(self, settings: Settings) -> None:
        self._words = words(settings.language)
        self._settings = settings

    def __call__(self, key: str, **params: object) -> str:
        return self._words(key, **params)

    def count(self, n: float) -> str:
        """A whole number with thousands separators; a dash where it is undefined."""
        return self("sheets.undefined") if isnan(n) else f"{n:,.0f}"

    def number(self, x: float, digits: int = 1) -> str:
        """A number with `digits` decimals, trailing zeros dropped, a true minus sign."""
        if isnan(x):
            return self("sheets.undefined")
        text = f"{x:,.{digits}f}"
        return (text.rstrip("0").rstrip(".") if "." in text else text).replace("-", "−")

    def p_value(self, p: float) -> str:
        """A probability behind "p": = 0.0123, or < 0.0001, for none is nought."""
        return "< 0.0001" if p < 0.0001 else f"= {p:.4f}"

    def r2(self, x: float) -> str:
        """R² with three decimals, or a dash."""
        return self("sheets.undefined") if isnan(x) else f"{x:.3f}"

    def percent(self, share: float) -> str:
        """A share as a whole percentage; nearly all is not all, and hardly any is not none."""
        if isnan(share):
            return self("sheets.undefined")
        if 0.995 <= share < 1:
            return ">99%"
        return "<1%" if 0 < share <= 0.005 else f"{share:.0%}".replace("-", "−")

    def names(self, names: Sequence[str], room: int = 1000) -> str:
        """Names in a list, cut after a few with the number of the rest: as few as have room, in letters, but one."""
        each = [self.owner(n) for n in names[:_NAMES_SHOWN]]
        comma = self("sheets.comma")
        while len(each) > 1 and _width(comma.join(each)) > room:
            each.pop()
        rest = len(names) - len(each)
        shown = comma.join(each)
        return self("sheets.and_more", names=self.spaced(shown), n=rest) if rest > 0 else shown

    def spaced(self, name: str) -> str:
        """A name as it stands before more words: Chinese sets Latin letters off from Han ones by a blank."""
        return name + " " if self._words.language == "zh-CN" and name[-1:].isascii() else name

    def owner(self, name: str) -> str:
        """A rep's name, or that there is none."""
        return name or self("sheets.no_owner")

    def region(self, name: str | None) -> str:
        """A region's name as on a title; None is all of them."""
        if name is None:
            return self("sheets.all_regions")
        if not name:
            return self("sheets.no_region")
        return name if name.endswith(self("sheets.region_suffix")) else self("sheets.region", name=name)

    def amount_unit(self) -> str:
        """A sentence naming the unit of amounts; nothing where the settings name none."""
        currency = self._settings.currency
        return self("sheets.amount_unit", currency=currency) if currency else ""

    def stage_name(self, code: str) -> str:
        """The name of a stage, from the settings or the language."""
        return self._settings.stages.get(code) or self(f"sheets.stage.{code}")

    def stage(self, code: str) -> str:
        """Code and name of a stage."""
        return f"{code} {self.stage_name(code)}"

    def target(self, code: str) -> str:
        """A stage code, or the word for won, lost and gone."""
        return self(f"data.outcome.{code}") if code in (*OUTCOMES, Outcome.GONE) else code

    def step(self, stage: str, to_stage: str) -> str:
        """A step of the funnel: from a stage to a later one, or to won."""
        return f"{stage}→{self.target(to_stage)}"

    def field(self, name: str) -> str:
        """The word for a field of an export; stage columns keep their code."""
        key = f"settings_sheet.field.{name}"
        return self(key) if self._words.has(key) else self.target(name)

    def told(self, page: str, sentences: Sequence[tuple[Severity, str]], slots: int) -> dict[str, Value]:
        """The sentences at a sheet's head with their marks, slot by slot; blank where there are fewer."""
        cells: dict[str, Value] = {}
        for i in range(1, slots + 1):
            severity, text = sentences[i - 1] if i <= len(sentences) else (None, None)
            cells[f"txt_{page}_mark_{i}"] = self(f"home.mark.{severity}") if severity else None
            cells[f"txt_{page}_{i}"] = text
        return cells

    def scope(self, analysis: FunnelAnalysis) -> str:
        """Region, day and base under a sheet's title."""
        head = analysis.headline
        return self(
            "sheets.scope",
            region=self.region(analysis.scope),
            as_of=analysis.as_of.isoformat(),
            reps=head.owners,
            open=self.count(head.open_count),
        )

    def alert_scope(self, analysis: FunnelAnalysis) -> str:
        """Scope and number of alerts by severity."""
        n = {s: sum(f.severity == s for f in analysis.alerts) for s in (Severity.RISK, Severity.WATCH)}
        return self("alerts.scope", scope=self.scope(analysis), risk=n[Severity.RISK], watch=n[Severity.WATCH])

    def change(self, now: float, then: float, month: int) -> str:
        """Now against then, in units and per cent."""
        if isnan(now) or isnan(then):
            return self("sheets.undefined")
        share = self.percent(now / then - 1) if then and now < _MANIFOLD * then else self("sheets.undefined")
        sign = "+" if now > then else ""
        return self("home.note.change", month=month_text(month), change=sign + self.number(now - then, 0), share=share)

    def against_floor(self, value: float, floor: float, gap: float) -> str:
        """A figure a head against its floor, with what is missing over all heads."""
        if isnan(floor) or isnan(value):
            return self("home.note.no_floor")
        key = "home.note.below_floor" if value < floor else "home.note.above_floor"
        return self(key, floor=self.number(floor), gap=self.number(gap, 0))

    def equation(self, fit: TrendFit) -> str:
        """The line as the consultant writes it, with R²."""
        if isnan(fit.slope):
            return self("sheets.undefined")
        sign = "+" if fit.intercept >= 0 else "−"
        slope = f"{fit.slope:.3f}".replace("-", "−")
        return f"y = {slope}x {sign} {abs(fit.intercept):.2f}, R² = {self.r2(fit.r_squared)}"

    def check(self, fit: TrendFit) -> str:
        """What the native cross-check must come to."""
        return "–" if isnan(fit.r_squared) else "✓"

    def who(self, flag: Flag) -> str:
        """Whom a flag is about; the region is named where it is not the rep's."""
        return self.region(flag.region) if flag.owner is None else self.owner(flag.owner)

    def rule(self, flag: Flag) -> str:
        """The rule's name, with the span it is about."""
        label = self(f"flags.code.{flag.code}")
        return f"{label} {self.span(flag)}" if flag.span else label

    def span(self, flag: Flag) -> str:
        """The span, stage or step that a flag is about."""
        before, _, after = flag.span.partition("-")
        return self.step(before, after) if after else before

    def has(self, key: str) -> bool:
        """True if there is a text of that key."""
        return self._words.has(key)

    def flag_list(self, flags: Iterable[Flag]) -> str | None:
        """The rules one rep breaks, in a row; None if there is none."""
        return self("sheets.dot").join(self(f"flags.code.{f.code}") for f in flags) or None

    def tag_list(self, tags: Iterable[Tagged]) -> str | None:
        """What kind of rep, each tag once; None if there is none."""
        return self("sheets.dot").join(dict.fromkeys(self(f"tags.name.{t.tag}") for t in tags)) or None

    def tag_evidence(self, tags: Iterable[Tagged]) -> str | None:
        """The numbers behind the tags; None if there is none."""
        each = [
            self(
                f"tags.evidence.{t.tag}",
                value=self.number(t.value) if isnan(t.of) else self.percent(t.value),
                limit=self.number(t.limit) if isnan(t.of) else self.percent(t.limit),
                cases=self.count(t.cases),
                of=self.count(t.of),
                step=self.spaced(self.step(*t.step.split("-"))) if t.step else "",
            )
            for t in tags
        ]
        return self("sheets.semicolon").join(each) or None


def _width(text: str) -> int:
    """Letters wide, Han letters two each."""
    return sum(2 if ord(letter) > 0x2E7F else 1 for letter in text)
