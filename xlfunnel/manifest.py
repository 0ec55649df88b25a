"""The manifest of a split: what went to which region, so that headquarters knows the files again and adds them up."""

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

from xlfunnel import __version__
from xlfunnel.crm import Intake
from xlfunnel.errors import InputError
from xlfunnel.excel.template_id import TEMPLATE_VERSION
from xlfunnel.facts import Facts, facts_of, facts_of_reserves
from xlfunnel.metrics.reserve import CENTS
from xlfunnel.settings import Settings, Target
from xlfunnel.strings import words
from xlfunnel.terms import STAGES, Col

MANIFEST = "manifest.json"
_FORMAT = 1


@dataclass(frozen=True)
class Totals:
    """What can be added up.

    rows           rows of the Data sheet: stage visits (or reserves, if only these were exported)
    opportunities  different ids; one that changed regions counts in each of them, and once in the whole
    open           opportunities that stand in a stage on the day looked back from
    stages         stage → how many stand there (count), and what they are worth in currency units (amount)
    """

    rows: int
    opportunities: int
    open: int
    stages: Mapping[str, Mapping[str, float]]


@dataclass(frozen=True)
class Share:
    """The workbook of one region; `region` "" holds the rows without one.

    sha256       of the file as it lies
    data_sha256  of the rows of its Data sheet, whatever else changes in the file; "" in a manifest that lacks it
    """

    region: str
    file: str
    sha256: str
    data_sha256: str
    totals: Totals


@dataclass(frozen=True)
class Manifest:
    """What was split, into what; written as described by docs/manifest.schema.json.

    settings_sha256  of all settings but those of a region's own: equal where the same ones were used
    """

    as_of: date
    language: str
    currency: str
    settings_sha256: str
    encrypted: bool
    regions: tuple[Share, ...]
    totals: Totals
    template_version: str = TEMPLATE_VERSION

    def text(self) -> str:
        """The manifest as JSON."""
        head = {"format": _FORMAT, "xlfunnel": __version__, "template_version": self.template_version}
        shares = [
            {"region": s.region, "file": s.file, "sha256": s.sha256, "data_sha256": s.data_sha256, **asdict(s.totals)}
            for s in self.regions
        ]
        body = {**asdict(self), "as_of": self.as_of.isoformat(), "regions": shares}
        return json.dumps({**head, **body}, ensure_ascii=False, indent=2, allow_nan=False) + "\n"

    def share(self, region: str) -> Share | None:
        """What went to a region; None if nothing did."""
        return next((s for s in self.regions if s.region == region), None)


def read_manifest(path: Path) -> Manifest:
    """The manifest in a file. Raises InputError `input.missing_file`, `consolidate.not_a_manifest`."""
    try:
        found = json.loads(path.read_text("utf-8-sig"))
        if found["format"] != _FORMAT:
            raise InputError("consolidate.other_manifest", path=path)
        return Manifest(
            as_of=date.fromisoformat(found["as_of"]),
            language=str(found["language"]),
            currency=str(found["currency"]),
            settings_sha256=str(found["settings_sha256"]),
            encrypted=bool(found["encrypted"]),
            regions=tuple(
                Share(s["region"], s["file"], s["sha256"], s.get("data_sha256", ""), _read_totals(s))
                for s in found["regions"]
            ),
            totals=_read_totals(found["totals"]),
            template_version=str(found["template_version"]),
        )
    except FileNotFoundError:
        raise InputError("input.missing_file", file=path) from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise InputError("consolidate.not_a_manifest", path=path) from None


def totals(intake: Intake, facts: Facts | None = None) -> Totals:
    """What can be added up of what was read, as of its day; `facts` are counted from it unless given."""
    facts = facts or _facts(intake)
    now = facts.reserves[facts.reserves[Col.MONTH] == facts.last_month]
    by_stage = now.groupby(Col.STAGE)[[Col.COUNT, Col.AMOUNT_CENTS]].sum().reindex(list(STAGES), fill_value=0)
    stages = {
        str(stage): {"count": int(count), "amount": int(cents) / CENTS}
        for stage, count, cents in by_stage.itertuples(name=None)
    }
    rows = len(intake.visits if intake.reserves is None else intake.reserves)
    return Totals(rows, int(intake.visits[Col.OPPORTUNITY].nunique()), int(by_stage[Col.COUNT].sum()), stages)


def data_sha256(visits: pd.DataFrame) -> str:
    """A fingerprint of the canonical visits: equal where every row says the same."""
    return hashlib.sha256(visits.to_csv(index=False, lineterminator="\n").encode()).hexdigest()


def settings_sha256(chosen: Settings) -> str:
    """A fingerprint of all settings but what is a region's own, stages by the names they are shown with."""
    text = json.dumps(asdict(same_everywhere(chosen)), sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def same_everywhere(chosen: Settings) -> Settings:
    """The settings without what is a region's own: name, day, targets, mapping; stages by the names shown."""
    say = words(chosen.language)
    stages = {code: chosen.stages.get(code) or say(f"sheets.stage.{code}") for code in STAGES}
    # How exports are read is settled in the rows, and a workbook remembers more of that than it was given.
    return replace(chosen, region="", as_of=None, targets=(), stages=stages, columns={}, stage_map={})


def own_targets(chosen: Settings, regions: Collection[str]) -> tuple[Target, ...]:
    """The targets of these regions; where it is one alone, targets of all together are its own, and bear its name."""
    alone = next(iter(regions)) if len(regions) == 1 else None
    named = (t._replace(region=alone) if alone is not None and not t.region else t for t in chosen.targets)
    return tuple(t for t in named if t.region in regions)


def own_stage_names(chosen: Settings) -> dict[str, str]:
    """The names of stages that somebody gave them: those that are not the language's own."""
    say = words(chosen.language)
    return {code: name for code, name in chosen.stages.items() if name != say(f"sheets.stage.{code}")}


def _facts(intake: Intake) -> Facts:
    if intake.reserves is None:
        return facts_of(intake.visits, intake.as_of)
    return facts_of_reserves(intake.reserves, intake.as_of)


def _read_totals(found: Mapping[str, Any]) -> Totals:
    stages = {s: {k: float(v) for k, v in found["stages"][s].items()} for s in STAGES}
    return Totals(int(found["rows"]), int(found["opportunities"]), int(found["open"]), stages)
