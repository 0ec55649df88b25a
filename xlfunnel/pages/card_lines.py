"""What a rep card shows: the lines of every rep, found by key. `pages.card` lays them out."""

from collections import Counter
from collections.abc import Callable
from math import isnan
from typing import Any

import pandas as pd

from xlfunnel.analysis import MONTHS_SHOWN, FunnelAnalysis
from xlfunnel.calendar import date_of
from xlfunnel.metrics.alerts import diagnosis
from xlfunnel.metrics.evidence import FEW
from xlfunnel.pages.evidence import evidence
from xlfunnel.pages.phrases import Phrases
from xlfunnel.pages.remedies import prescription, remedies
from xlfunnel.pages.reps import SEVERITIES
from xlfunnel.terms import STAGES, STEPS, Col, Severity

STAGE_LINES, STEP_LINES, ALERT_LINES, OPEN_LINES = len(STAGES), len(STAGES) + 2, 5, 10
"""Lines that a card has of each kind."""

_ACTIONS = 2
"""Actions of a remedy that a line shows."""

KEY = 100
"""A line's key: number of the rep × KEY + number of the line, both from 1."""

LINES = {
    "tbl_card_stages": (("key", "count"), ("stage", "help_text"), ("now", "count"), ("mean", "number1"),
                        ("median", "days1"), ("region_median", "days1")),
    "tbl_card_steps": (("key", "count"), ("step", "text"), ("entered", "count"), ("advanced", "count"),
                       ("rate", "percent1"), ("region_rate", "percent1"), ("limits", "text"),
                       ("placement", "help_text")),
    "tbl_card_months": (("key", "count"), ("reserve", "count"), ("mean", "number1")),
    "tbl_card_open": (("key", "count"), ("opportunity_id", "help_text"), ("stage", "text"), ("since", "date"),
                      ("days", "count"), ("limit_days", "days1"), ("amount", "money")),
    "tbl_card_flags": (("key", "count"), ("mark", "center_mark"), ("evidence", "text"), ("remedy", "text")),
}  # fmt: skip
"""(column, style) of the tables of lines."""

CARDS = ("rep", "region", "reserve", "reserve_note", "t3", "t3_note", "rate", "rate_note", "tags", "tags_note")


def labels(analysis: FunnelAnalysis, say: Phrases) -> list[str]:
    """The reps in the order of the Reps sheet, as a card's list names them: with the region where two share a name."""
    whos = _whos(analysis)
    often = Counter(owner for _, owner in whos)
    return [
        owner if often[owner] == 1 else say("card.label", owner=owner, region=say.region(region))
        for region, owner in whos
    ]


def _whos(analysis: FunnelAnalysis) -> list[tuple[str, str]]:
    """(region, owner) of every rep."""
    named = analysis.owners[analysis.owners["owner"] != ""]
    return [(str(region), str(owner)) for region, owner in zip(named["region"], named["owner"], strict=True)]


def _by_who(frame: pd.DataFrame) -> dict[tuple[str, str], list[dict[Any, Any]]]:
    """The rows of every (region, owner), as they stand in the frame."""
    found: dict[tuple[str, str], list[dict[Any, Any]]] = {}
    for row in frame.to_dict("records"):
        found.setdefault((row["region"], row["owner"]), []).append(row)
    return found


class RepLines:
    """The reps in the order of the Reps sheet, and what a card says of each."""

    def __init__(self, analysis: FunnelAnalysis, say: Phrases) -> None:
        self._analysis, self._say = analysis, say
        self._remedies = remedies(analysis, say)
        self._owners = analysis.owners[analysis.owners["owner"] != ""].to_dict("records")
        self._whos = _whos(analysis)
        self.labels = labels(analysis, say)
        self.months = sorted(set(analysis.owner_months["month"]))[-MONTHS_SHOWN:]
        keys = [Col.REGION.value, Col.OWNER.value]
        self._parts = {
            name: _by_who(frame)
            for name, frame in (
                ("durations", analysis.durations.dropna(subset=["owner"])[[*keys, "stage", "median"]]),
                ("comparisons", analysis.comparisons),
                ("owner_months", analysis.owner_months),
                ("aged", analysis.aged.groupby(keys, sort=False).head(OPEN_LINES)),
            )
        }
        whole = analysis.durations[analysis.durations["owner"].isna() & analysis.durations["region"].notna()]
        self._means = analysis.stage_means.to_dict("index")
        self._medians = whole.set_index(["region", "stage"])["median"].to_dict()

    def cards(self) -> pd.DataFrame:
        """A row a rep: the tiles."""
        rows = [self._card(*line) for line in zip(self.labels, self._whos, self._owners, strict=True)]
        return pd.DataFrame(rows, columns=list(CARDS))

    def lines(self, table: str) -> pd.DataFrame:
        """The lines of every rep, with their keys."""
        of: Callable[[tuple[str, str], dict[Any, Any]], list[tuple[object, ...]]] = getattr(
            self, f"_{table.removeprefix('tbl_card_')}"
        )
        rows = [
            ((number + 1) * KEY + i, *line)
            for number, (who, owner) in enumerate(zip(self._whos, self._owners, strict=True))
            for i, line in enumerate(of(who, owner), 1)
        ]
        return pd.DataFrame(rows, columns=[c for c, _ in LINES[table]])

    def _card(self, label: str, who: tuple[str, str], row: dict[Any, Any]) -> tuple[object, ...]:
        say = self._say
        heads = sum(region == who[0] for region, _ in self._whos)
        tags = self._analysis.tags_of(*who)
        notes = [
            say("card.note.reserve", rank=say.count(row["rank"]), n=heads, mean=say.number(row["region_mean"])),
            say("home.note.no_floor")
            if isnan(row["to_floor"])
            else say(
                "card.note.t3", floor=say.number(row["t3"] - row["to_floor"]), gap=say.number(max(-row["to_floor"], 0))
            ),
        ]
        rate, said = self._headline(who)
        kinds = say.tag_list(tags) or say("card.no_tags")
        evidence = say.tag_evidence(tags) or say("card.note.no_tags")
        return (
            label, say.region(who[0]), row["reserve"], notes[0], row["t3"], notes[1], rate, said, kinds, evidence,
        )  # fmt: skip

    def _headline(self, who: tuple[str, str]) -> tuple[object, str]:
        say = self._say
        found = [r for r in self._parts["comparisons"].get(who, ()) if r["is_headline"]]
        if not found:
            return None, say("card.note.no_rate")
        row = found[0]
        numbers = {
            "step": say.step(row["from_stage"], row["to_stage"]),
            "entered": say.count(row["entered"]),
            "advanced": say.count(row["advanced"]),
            "region": say.percent(row["region_rate"]),
        }
        if row["entered"] < FEW:
            return None, say("card.note.few", **numbers)
        return row["rate"], say("card.note.rate", **numbers)

    def _stages(self, who: tuple[str, str], row: dict[Any, Any]) -> list[tuple[object, ...]]:
        medians = {r["stage"]: r["median"] for r in self._parts["durations"].get(who, ())}
        means = self._means.get(who[0], {})
        return [
            (
                self._say.stage(s),
                row[s],
                means.get(s),
                medians.get(s),
                self._medians.get((who[0], s)),
            )
            for s in STAGES
        ]

    def _steps(self, who: tuple[str, str], _: dict[Any, Any]) -> list[tuple[object, ...]]:
        say = self._say
        out: list[tuple[object, ...]] = []
        rows = sorted(
            self._parts["comparisons"].get(who, ()),
            key=lambda r: (r["to_stage"] == "won" and f"{r['from_stage']}-won" != STEPS[-1], r["from_stage"]),
        )
        for r in rows[:STEP_LINES]:
            few = r["entered"] < FEW
            limits = say("card.limits", low=say.percent(r["low95"]), high=say.percent(r["high95"]))
            mark = say(f"home.mark.{SEVERITIES.get(r['placement'], Severity.NONE)}")
            placed = say(f"reps.placement.{r['placement']}")
            out.append(
                (
                    say.step(r["from_stage"], r["to_stage"]),
                    r["entered"],
                    r["advanced"],
                    None if few else r["rate"],
                    None if few else r["region_rate"],
                    None if few else limits,
                    f"{mark} {placed}",
                )
            )
        return out

    def _months(self, who: tuple[str, str], _: dict[Any, Any]) -> list[tuple[object, ...]]:
        rows = self._parts["owner_months"].get(who, ())
        return [(r["reserve"], r["region_mean"]) for r in rows[-MONTHS_SHOWN:]]

    def _open(self, who: tuple[str, str], _: dict[Any, Any]) -> list[tuple[object, ...]]:
        rows = self._parts["aged"].get(who, ())
        return [
            (
                r["opportunity_id"],
                r["stage"],
                pd.Timestamp(date_of(r["since_day"])),
                r["days"],
                r["limit_days"],
                r["amount"],
            )
            for r in rows[:OPEN_LINES]
        ]

    def _flags(self, who: tuple[str, str], _: dict[Any, Any]) -> list[tuple[object, ...]]:
        say = self._say
        found = self._analysis.alerts_of(*who)[:ALERT_LINES]
        if not found:
            return [(say(f"home.mark.{Severity.OK}"), say("card.no_alerts"), None)]
        return [
            (
                say(f"home.mark.{f.severity}"),
                evidence(f, say),
                prescription(self._remedies, diagnosis(f), say, _ACTIONS),
            )
            for f in found
        ]
