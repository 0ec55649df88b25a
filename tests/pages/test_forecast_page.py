"""Forecast: what the sheet says with and without targets, with a short past, of several regions; the sample."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from clockwork import AS_OF, clockwork
from hand_visits import Visit, intake, visits

from xlfunnel.analysis import FunnelAnalysis, analyse
from xlfunnel.crm import Intake, read_sources
from xlfunnel.pages import forecast
from xlfunnel.pages.model import Content
from xlfunnel.pages.phrases import Phrases
from xlfunnel.settings import LANGUAGES, Settings, Target, load

ENGLISH = Settings(language="en")
SAMPLE = Path(__file__).resolve().parents[2] / "workbook" / "sample"


def of(rows: list[Visit], settings: Settings = ENGLISH, as_of: str = AS_OF.isoformat()) -> FunnelAnalysis:
    return analyse(intake(rows, as_of), settings)


def shown(analysis: FunnelAnalysis) -> Content:
    return forecast.content(analysis, Phrases(analysis.settings))


def told(found: Content) -> list[str]:
    slots = [s.name for s in forecast.PAGE.slots if s.name.removeprefix("txt_forecast_").isdigit()]
    return [str(found.cells[s]) for s in slots if found.cells[s]]


@pytest.mark.parametrize(
    ("target", "mark", "words"),
    [
        (None, "○", "no target is set"),
        (100_000, "▲", "target 100,000, 98,"),  # beyond P90
        (100, "●", "exceeded by"),
    ],
)
def test_a_quarter_against_its_target(target: float | None, mark: str, words: str) -> None:
    aims = () if target is None else (Target("", "2025-Q3", target),)
    found = shown(of(clockwork(), replace(ENGLISH, targets=aims, currency="CNY")))
    first = told(found)[0]
    assert first.startswith("2025-Q3: ")
    assert words in first
    assert found.cells["txt_forecast_mark_1"] == mark
    assert str(found.cells["txt_forecast_scope"]).endswith("· Amounts in CNY.")
    rows = found.tables["tbl_forecast"]
    assert rows["period"].tolist() == ["2025-Q3", "2025-Q3", "2025-Q4", "2025-Q4"]
    assert rows["measure"].tolist() == ["Wins", "Amount"] * 2
    assert rows["gap"].notna().tolist() == [False, target is not None, False, False]


def test_what_is_closed_stands_in_the_quarter() -> None:
    found = shown(of(clockwork(), as_of="2025-05-31"))
    rows = found.tables["tbl_forecast"].set_index(["period", "measure"])
    assert rows.loc[("2025-Q2", "Wins"), "closed"] == 12
    assert "closed 1,200" in told(found)[0]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_short_past_says_why_and_still_draws_history(language: str) -> None:
    analysis = of(clockwork(8), Settings(language=language))
    found = shown(analysis)
    say = Phrases(analysis.settings)
    lines = told(found)
    assert lines[0] == say("forecast.silent.short_history")
    assert found.tables["tbl_forecast"].isna().all(axis=None)
    assert found.tables["tbl_backtest"].isna().all(axis=None)
    fan = found.tables["tbl_fan"]
    assert fan["won"].sum() > 0
    assert fan["count_base"].isna().all()


@pytest.mark.parametrize("language", LANGUAGES)
def test_ready_made_reserves_say_why(language: str) -> None:
    table = pd.DataFrame(
        [("LX", "A", "T3", 654 + m, 10 + m, 0) for m in range(12)],
        columns=["region", "owner", "stage", "month", "count", "amount_cents"],
    )
    analysis = analyse(Intake(visits([]), table, (), (), AS_OF), Settings(language=language))
    found = shown(analysis)
    say = Phrases(analysis.settings)
    assert told(found)[0] == say("forecast.silent.no_flows")
    assert found.tables["tbl_fan"]["stock"].notna().all()


def test_a_silent_region_is_named_beside_the_total() -> None:
    found = shown(of(clockwork() + clockwork(3, 4, region="HD")))
    assert "HD region. No forecast: under 12 months of history" in told(found)[-1]
    assert set(found.tables["tbl_forecast_months"]["region"]) == {"All regions", "LX region"}


def test_amounts_unknown_are_said_to_be() -> None:
    found = shown(of([(*r[:7], None) for r in clockwork()]))
    assert "there are no amounts in the data" in told(found)[0]


def test_the_back_test_tells_its_share_and_its_months() -> None:
    found = shown(of(clockwork(20)))
    lines = [t for t in told(found) if t.startswith("Back-test")]
    tests = found.tables["tbl_backtest"].dropna(how="all")
    assert len(lines) == 1
    assert tests["actual"].tolist() == [6.0] * len(tests)
    assert set(tests["a_inside"]) == {"✓"}
    assert tests["c_inside"].notna().sum() < tests["a_inside"].notna().sum()


def test_the_sample_is_forecast_with_its_doubts() -> None:
    """Of the LX sample: the T3 reserve is broken, and the back-test shows its share."""
    settings = replace(load(SAMPLE / "lx_settings.toml"), language="en")
    read = read_sources([SAMPLE / "lx_opportunities.csv", SAMPLE / "lx_stage_history.csv"], settings)
    lines = told(shown(analyse(read, settings)))
    assert any(t.startswith("The T3 reserve is broken: 7 against a floor of 30, since 2025-02.") for t in lines)
    back = next(t for t in lines if t.startswith("Back-test"))
    assert "of 21 months by wins" in back
    assert "some 80 % should" in back
