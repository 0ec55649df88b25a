"""Conversion and Flow speed: what the sheets say of many cases, of few, and of none."""

from dataclasses import replace
from datetime import date, timedelta

import pandas as pd
import pytest
from hand_visits import Visit, intake, visits

from xlfunnel.analysis import FunnelAnalysis, analyse
from xlfunnel.calendar import month_number
from xlfunnel.crm import Intake
from xlfunnel.pages import conversion, flow
from xlfunnel.pages.model import Content, Page
from xlfunnel.pages.phrases import Phrases
from xlfunnel.settings import LANGUAGES, Settings

AS_OF = "2025-06-30"
ENGLISH = Settings(language="en")


def cohort(stage: str, went: str, entered: str, n: int, advanced: int, days: int = 10) -> list[Visit]:
    """So many stays of one day of entry, of which so many go on after some days and the others are lost."""
    start = date.fromisoformat(entered)
    left = (start + timedelta(days)).isoformat()
    return [
        (f"{stage}{entered}{i}", "LX", "A", stage, went if i < advanced else "lost", entered, left, 1) for i in range(n)
    ]


def of(rows: list[Visit], settings: Settings = ENGLISH) -> FunnelAnalysis:
    """Analysed with one opportunity open in every later stage, so that the CRM has them all."""
    others: list[Visit] = [(s, "LX", "A", s, "open", AS_OF, None, 1) for s in ("T1", "T2", "T3", "T4")]
    return analyse(intake(rows + others, AS_OF), settings)


def told(page: Page, content: Content) -> list[str]:
    name = f"txt_{page.key}_"
    slots = [s.name for s in page.slots if s.name.removeprefix(name).isdigit()]
    return [str(content.cells[s]) for s in slots if content.cells[s]]


def rates(rows: list[Visit], settings: Settings = ENGLISH) -> Content:
    analysis = of(rows, settings)
    return conversion.content(analysis, Phrases(analysis.settings))


def test_a_step_below_its_benchmark_is_blocked_with_its_numbers() -> None:
    found = rates(cohort("T0", "T1", "2025-03-10", 40, 8), replace(ENGLISH, benchmarks={"T0-T1": 0.5}))
    row = found.tables["tbl_conversion"].iloc[0]
    assert (row["step"], row["entered"], row["advanced"], row["benchmark"]) == ("T0→T1", 40, 8, 0.5)
    assert row["rate"] == pytest.approx(0.2)
    assert (row["mark"], row["verdict"]) == ("▲", "Blocked")
    first = told(conversion.PAGE, found)[0]
    assert "T0→T1 is blocked: of 40" in first
    assert "20% advance within 10 days" in first
    assert "benchmark of 50%" in first
    bars = found.tables["tbl_conversion_bars"].iloc[0]
    assert bars["bar_blocked"] == row["rate"]
    assert pd.isna(bars["bar_compared"])
    assert row["rate"] - bars["below"] == pytest.approx(row["low"])
    assert row["rate"] + bars["above"] == pytest.approx(row["high"])


def test_steps_below_their_own_history_are_told_in_one_sentence() -> None:
    first = [*cohort("T0", "T1", "2024-09-10", 60, 45), *cohort("T0", "T1", "2025-03-10", 40, 8)]
    second = [*cohort("T1", "T2", "2024-09-10", 60, 45), *cohort("T1", "T2", "2025-03-10", 40, 8)]
    assert "own history of 75% (60 cases)" in told(conversion.PAGE, rates(first))[0]
    both = told(conversion.PAGE, rates(first + second))[0]
    assert both.startswith("Blocked: T0→T1 20%")
    assert "T1→T2 20%" in both


def test_enough_cases_without_a_yardstick_are_not_called_unblocked() -> None:
    found = rates(cohort("T0", "T1", "2025-03-10", 40, 8))
    row = found.tables["tbl_conversion"].iloc[0]
    assert (row["mark"], row["verdict"]) == ("○", "No yardstick")
    assert not [t for t in told(conversion.PAGE, found) if t.startswith("Not blocked")]


@pytest.mark.parametrize(
    ("n", "shown", "word"), [(4, False, "Too few"), (5, True, "Few cases"), (19, True, "Few cases")]
)
def test_few_cases_are_counts_or_grey(n: int, shown: bool, word: str) -> None:
    found = rates(cohort("T0", "T1", "2025-03-10", n, 2), replace(ENGLISH, benchmarks={"T0-T1": 1}))
    row = found.tables["tbl_conversion"].iloc[0]
    assert (row["entered"], row["advanced"]) == (n, 2)
    assert [pd.notna(row[c]) for c in ("rate", "low", "high")] == [shown] * 3
    assert row["verdict"] == word
    assert found.tables["tbl_conversion_bars"].loc[0, ["bar_compared", "bar_blocked"]].isna().all()
    assert f"T0→T1 2 of {n} ({word})" in " ".join(told(conversion.PAGE, found))


def test_the_kinds_stand_in_columns_of_their_own() -> None:
    rows = [*cohort("T0", "T1", "2025-03-10", 30, 15), *cohort("T0", "T1", "2025-06-25", 10, 5, days=3)]
    found = rates(rows)
    kinds = found.tables["tbl_kinds"].iloc[0]
    assert (kinds["m_entered"], kinds["m_advanced"], kinds["m_rate"]) == (30, 15, 0.5)  # June is not mature yet
    assert (kinds["p_entered"], kinds["p_advanced"]) == (40, 20)
    months = found.tables["tbl_conversion_months"].set_index(["month", "step"])
    assert months.loc[("2025-03", "T0→T1"), "m_rate"] == 0.5
    assert pd.isna(months.loc[("2025-06", "T0→T1"), "m_entered"])
    assert months.loc[("2025-06", "T0→T1"), "p_entered"] == 10
    assert found.tables["tbl_conversion_lines"].set_index("month").loc["2025-03", "T0"] == 0.5


@pytest.mark.parametrize("language", LANGUAGES)
def test_ready_made_reserves_say_why_there_is_nothing(language: str) -> None:
    table = pd.DataFrame(
        [("LX", "A", "T0", month_number(date(2025, m, 1)), 10 - m, 0) for m in range(1, 7)],
        columns=["region", "owner", "stage", "month", "count", "amount_cents"],
    )
    analysis = analyse(Intake(visits([]), table, (), (), date(2025, 6, 30)), Settings(language=language))
    say = Phrases(analysis.settings)
    for page, found in ((conversion.PAGE, conversion.content(analysis, say)), (flow.PAGE, flow.content(analysis, say))):
        assert told(page, found) == [say(f"{page.key}.sentence.nothing")]
        assert all(t.drop(columns="month", errors="ignore").isna().all(axis=None) for t in found.tables.values())


def test_flow_tells_the_slower_stage_and_the_oldest_opportunity() -> None:
    rows: list[Visit] = []
    for i in range(20):
        for entered, days in (("2024-10-01", 10 + i), ("2025-03-01", 40 + i)):
            left = (date.fromisoformat(entered) + timedelta(days)).isoformat()
            rows.append((f"{entered}{i}", "LX", "A", "T3", "T4", entered, left, 1))
    rows.append(("old", "LX", "B", "T3", "open", "2025-01-01", None, 5))
    analysis = analyse(intake(rows, AS_OF), ENGLISH)
    found = flow.content(analysis, Phrases(analysis.settings))
    slower, cycle, old = told(flow.PAGE, found)
    assert slower.startswith("Slower recently: T3 median")
    assert "before 19.5" in slower
    assert cycle.startswith("T3 cycle: median")
    assert "old of B: 180 days in T3" in old
    row = found.tables["tbl_flow"].iloc[0]
    assert (row["mark"], row["pace"], row["n"]) == ("◆", "Slower", 41)
    listed = found.tables["tbl_over_age"]
    assert listed["opportunity_id"].tolist() == ["old"]
    assert listed["since"].iloc[0] == pd.Timestamp("2025-01-01")
