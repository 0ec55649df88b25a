"""Post-mortem: what the sheet says of many, of few, and of none."""

from typing import Any

import pandas as pd
import pytest
from hand_visits import Visit, intake

from xlfunnel.analysis import FunnelAnalysis, analyse
from xlfunnel.entered import Entered
from xlfunnel.pages import review
from xlfunnel.pages.model import Content
from xlfunnel.pages.phrases import Phrases
from xlfunnel.settings import LANGUAGES, Settings

AS_OF = "2025-06-30"
ENGLISH = Settings(language="en")


def of(rows: list[Visit], settings: Settings = ENGLISH, *typed: dict[str, Any]) -> FunnelAnalysis:
    frame = pd.DataFrame(list(typed), columns=["opportunity_id", "reason", "lesson"]).astype(object)
    frame = frame.where(frame.notna(), None)
    return analyse(intake(rows, AS_OF), settings, (), Entered({"review": frame}))


def shown(analysis: FunnelAnalysis) -> tuple[Content, list[str]]:
    found = review.content(analysis, Phrases(analysis.settings))
    return found, [str(found.cells[f"txt_review_{i}"]) for i in range(1, 5) if found.cells[f"txt_review_{i}"]]


def lost(key: str, stage: str, days: int, end: str = "lost", amount: int | None = 100) -> Visit:
    return (key, "LX", "A", stage, end, "2025-05-01", f"2025-05-{days + 1:02}", amount)


def test_the_list_and_its_sentences() -> None:
    rows = [*(lost(f"d{i}", "T3", 4, amount=i) for i in range(5)), lost("slow", "T3", 20), lost("won", "T3", 2, "won")]
    rows += [lost("lead", "T0", 3), lost("lead2", "T0", 3)]
    found, told = shown(of(rows, ENGLISH, {"opportunity_id": "slow", "reason": "fit", "lesson": "ask early"}))
    listed = found.tables["tbl_review"]
    assert set(listed["opportunity_id"]) == {"slow", "won", *(f"d{i}" for i in range(5))}
    first = listed.iloc[0]
    assert first[["opportunity_id", "outcome", "stage", "days", "slow_stage", "slow_ratio"]].tolist() == [
        "slow", "Lost", "T3", 20, "T3", 5.0,
    ]  # fmt: skip
    closed, at, slow, why = told
    assert closed.startswith("7 opportunities that had reached T2 closed since 2025-05-01: 1 won, 6 lost; 2 more")
    assert closed.endswith("Win rate 14%.")
    assert at == "Of all 8 that were lost, leads included, most were lost at T3: 6 (75%)."
    assert "Longest against the median: slow, 20 days in T3 (median 4)" in slow
    assert why == "1 of 6 lost opportunities have a reason; most often: Solution fit (1)."
    reasons = found.tables["tbl_reasons"]
    assert reasons.iloc[0][["reason", "lost", "share"]].tolist() == ["Solution fit", 1, 1]
    assert found.tables["tbl_lost_stages"]["lost"].tolist() == [2, 0, 0, 6, 0]


def test_without_medians_and_reasons_it_says_so() -> None:
    _, told = shown(of([lost("x", "T3", 4)]))
    assert told[2] == "Too few stays have ended to say which stage takes long."
    assert told[3].startswith("None of the 1 lost opportunities has a reason yet")


def test_only_leads_lost() -> None:
    found, told = shown(of([lost("x", "T0", 4)]))
    assert found.tables["tbl_review"].empty
    assert told == [
        "0 opportunities that had reached T2 closed since 2025-05-01: 0 won, 0 lost; 1 more closed before T2.",
        "Of all 1 that were lost, leads included, most were lost at T0: 1 (100%).",
    ]


def test_a_long_list_is_cut_and_says_so_and_counts_all() -> None:
    rows = [lost(f"o{i:04}", "T3", 4, amount=1000 - i) for i in range(510)]
    found, told = shown(of(rows, ENGLISH, {"opportunity_id": "o0509", "lesson": "x"}))
    assert len(found.tables["tbl_review"]) == 501
    assert "501 of 510 are listed" in told[0]
    counts = found.tables["tbl_reason_counts"].iloc[-1]
    assert (counts["lost"], counts["rest_lost"]) == (510, 9)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("rows", [[], [("a", "LX", "A", "T3", "open", AS_OF, None, 1)]], ids=["nothing", "all_open"])
def test_nothing_closed_says_so(language: str, rows: list[Visit]) -> None:
    analysis = of(rows, Settings(language=language))
    key = "none" if rows else "no_visits"
    _, told = shown(analysis)
    assert told == [Phrases(analysis.settings)(f"review.sentence.{key}", since="2025-06-01")]
