"""What the Movement sheet shows and says of one run."""

from collections.abc import Hashable, Mapping
from math import floor
from typing import Any

import pandas as pd

from xlfunnel.analysis import FunnelAnalysis
from xlfunnel.calendar import month_text
from xlfunnel.metrics import waterfall
from xlfunnel.metrics.evidence import windows
from xlfunnel.metrics.movement import FLOWS, STEPS_SHOWN
from xlfunnel.metrics.waterfall import SPANS
from xlfunnel.pages.model import Content
from xlfunnel.pages.movement import CHOICES, LABELS, PAGE, SENTENCES
from xlfunnel.pages.phrases import Phrases
from xlfunnel.report import Value
from xlfunnel.terms import Measure, Severity

_OK = "✓"
_WHOLE = 100
"""Amounts from here on are shown without a decimal below a bar."""


def content(analysis: FunnelAnalysis, say: Phrases) -> Content:
    """Monthly movements, and what the sheet's formulas make of them for the months and the stage that were chosen."""
    shown = _Shown(analysis, say)
    recent_first, recent_last = shown.recent
    chosen = shown.between(shown.measure, *shown.picked)
    recent = shown.between(shown.measure, recent_first, recent_last)
    frames = {
        "tbl_movement_choice": shown.choices(),
        "tbl_movement": shown.stages(chosen),
        "tbl_movement_recent": shown.stages(recent),
        "tbl_movement_months": shown.monthly(Measure.COUNT).assign(check=_OK),
        "tbl_movement_amounts": shown.monthly(Measure.AMOUNT),
        "tbl_movement_bars": shown.bars(chosen, *shown.picked),
        "tbl_movement_recent_bars": shown.bars(recent, recent_first, recent_last),
        "tbl_movement_ends": pd.DataFrame({"month": shown.ends, "x": range(len(shown.ends))}),
        "tbl_movement_flow": shown.flow(),
    }
    keys = {t.name: [c.key for c in t.columns if not c.typed] for t in PAGE.tables}
    cells: dict[str, Value] = {
        "txt_movement_scope": say.scope(analysis),
        "txt_movement_recent": shown.note(),
        "kpi_movement_first": shown.picked[0],
        "kpi_movement_last": shown.picked[1],
        "kpi_movement_recent_first": recent_first,
        "kpi_movement_recent_last": recent_last,
        "kpi_movement_measure": list(Measure).index(shown.measure) + 1,
    }
    cells |= say.told("movement", shown.sentences(), len(SENTENCES))
    return Content({name: frame.reindex(columns=keys[name]) for name, frame in frames.items()}, cells)


class _Shown:
    """The months that can be chosen from, and what is chosen of them.

    picked, recent  first and last of the months, numbered from 1
    """

    def __init__(self, analysis: FunnelAnalysis, say: Phrases) -> None:
        self._analysis, self._say = analysis, say
        self._between: dict[tuple[Measure, int, int], pd.DataFrame] = {}
        rows = analysis.of_scope(analysis.movement)
        self.months: tuple[int, ...] = waterfall.window(analysis.facts, analysis.settings) if len(rows) else ()
        rows = rows[rows["month"].isin(self.months)].astype(dict.fromkeys(STEPS_SHOWN, float))
        self._rows = {m: rows[rows["measure"] == m] for m in Measure}
        # Amounts in thousands or ten thousands, as the language has it.
        self._rows[Measure.AMOUNT].loc[:, list(STEPS_SHOWN)] /= float(say("movement.measure.unit"))
        self.ends = [month_text(m) for m in (self.months[0] - 1, *self.months)] if self.months else []
        typed = analysis.entered.frame("movement_choice", ("n", "choice"))
        choice = dict(zip(typed["n"].astype(str), typed["choice"], strict=True))
        start, end, stage, measure = (choice.get(str(i)) for i in range(1, len(CHOICES) + 1))
        self.picked = waterfall.picked(len(self.months), self._place(start), self._place(end))
        stages = [*dict.fromkeys(rows["stage"]), *SPANS]
        self.stage: str = next((s for s in stages if s.replace("-", "→") == stage), SPANS[0])
        self.measure = Measure.AMOUNT if measure == Measure.AMOUNT else Measure.COUNT
        recent = len(windows(analysis.facts, analysis.settings).recent)
        self.recent = (max(len(self.months) - recent, 0) + 1, max(len(self.months), 1))

    def between(self, measure: Measure, first: int, last: int) -> pd.DataFrame:
        """The waterfalls between two month ends, worked out once; without rows if there is no month."""
        months, asked = self.months, (measure, first, last)
        if not months:
            return pd.DataFrame()
        if asked not in self._between:
            self._between[asked] = waterfall.between(self._rows[measure], months[first - 1], months[last - 1])
        return self._between[asked]

    def choices(self) -> pd.DataFrame:
        first, last = self.picked
        measure = self._say(f"movement.measure.{self.measure}")
        used = (self._end(first - 1), self._end(last), self.stage.replace("-", "→"), measure)
        what = [self._say(f"movement.choice.{name}") for name in CHOICES]
        return pd.DataFrame({"n": [str(i + 1) for i in range(len(what))], "what": what, "used": used})

    def stages(self, table: pd.DataFrame) -> pd.DataFrame:
        if table.empty:
            return pd.DataFrame(index=range(LABELS))
        say = self._say
        names = [say(f"movement.span.{s}") if s in SPANS else say.stage_name(s) for s in table["stage"]]
        labels = table["stage"].str.replace("-", "→")
        return table.assign(stage=labels, name=names, check=_OK).reindex(range(LABELS))

    def monthly(self, measure: Measure) -> pd.DataFrame:
        """The rows that the formulas sum, the latest month first, as it is the one that is read."""
        rows = self._rows[measure].sort_values("month", ascending=False, kind="stable", ignore_index=True)
        return rows.assign(x=[self.months.index(m) + 1 for m in rows["month"]], month=rows["month"].map(month_text))

    def flow(self) -> pd.DataFrame:
        table = waterfall.month_by_month(self._rows[self.measure], self.stage)
        return table.assign(x=range(1, len(table) + 1), month=[month_text(m) for m in table["month"]])

    def bars(self, table: pd.DataFrame, first: int, last: int) -> pd.DataFrame:
        found = table[table["stage"] == self.stage].to_dict("records") if len(table) else []
        row: Mapping[Hashable, Any] = found[0] if found else dict.fromkeys(STEPS_SHOWN, 0.0)
        drawn = pd.DataFrame(waterfall.bars(row))
        months = {"start": self._end(first - 1), "end": self._end(last)}
        names = [self._say(f"movement.bar.{name}") for name in drawn["name"]]
        labels = [
            "\n".join([name, *([months[bar]] if bar in months else []), self._amount(value, signed=bar not in months)])
            for bar, name, value in zip(drawn["name"], names, drawn["value"], strict=True)
        ]
        return drawn.assign(name=names, label=labels)

    def note(self) -> str:
        """Which months are recent, and that the running one is not among them."""
        say, (first, last) = self._say, self.recent
        if not self.months:
            return say("movement.recent.none")
        told = say("movement.recent.note", start=self._end(first - 1), end=self._end(last))
        if self._analysis.partial is not None:
            told += say("movement.recent.partial", month=month_text(self._analysis.facts.last_month))
        currency = self._analysis.settings.currency
        return told + say("movement.recent.unit", currency=currency) if currency else told

    def sentences(self) -> list[tuple[Severity, str]]:
        """The last month, the recent months, the stage that changed most in them."""
        say, n = self._say, len(self.months)
        if not n:
            key = "nothing" if self._analysis.movement.empty else "no_month"
            return [(Severity.NONE, say(f"movement.sentence.{key}"))]
        first, last = self.recent
        told = [self._told("month", self._row(self.between(Measure.COUNT, n, n)), n, n)]
        table = self.between(Measure.COUNT, first, last)
        if first < last:
            told.append(self._told("recent", self._row(table), first, last))
        most = waterfall.moved_most(table)
        if most is not None:
            told.append(self._told("most", most, first, last))
        return [(Severity.NONE, text) for text in told]

    def _told(self, key: str, row: Mapping[Hashable, Any], first: int, last: int) -> str:
        say = self._say
        parts = [say(f"movement.part.{c}", n=say.number(row[c], 0)) for c in FLOWS if row[c]]
        change = row["end"] - row["start"]
        return say(
            f"movement.sentence.{key}",
            stage=str(row["stage"]).replace("-", "→"),
            from_month=self._end(first - 1),
            to_month=self._end(last),
            start=say.count(row["start"]),
            end=say.count(row["end"]),
            change=("+" if change > 0 else "") + say.number(change, 0),
            parts=say("sheets.comma").join(parts) or say("movement.part.none"),
        )

    def _row(self, table: pd.DataFrame) -> dict[Hashable, Any]:
        return table[table["stage"] == SPANS[0]].to_dict("records")[0]

    def _place(self, month: object) -> int | None:
        """The place of a month end that was chosen; None if it is not, or no more, among them."""
        return self.ends.index(str(month)) if str(month) in self.ends else None

    def _end(self, place: int) -> str:
        return self.ends[place] if place < len(self.ends) else ""

    def _amount(self, value: float, *, signed: bool) -> str:
        """A number below a bar, as the cells' own formula has it."""
        if value == 0:
            return "0"
        sign = "−" if value < 0 else "+" if signed else ""
        digits = 1 if self.measure == Measure.AMOUNT and abs(value) < _WHOLE else 0
        # A half goes up, as TEXT has it; Python's own way would be to the even digit.
        shown = floor(abs(value) * 10**digits + 0.5) / 10**digits
        return sign + f"{shown:,.{digits}f}"
