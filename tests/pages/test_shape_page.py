"""Funnel shape: what the sheet says of a funnel that narrows, of few cases, of stocks alone, of one stage."""

from datetime import date

import pandas as pd
import pytest
from hand_visits import Visit, intake, visits
from test_rates_pages import told

from xlfunnel.analysis import FunnelAnalysis, analyse
from xlfunnel.calendar import month_number
from xlfunnel.crm import Intake
from xlfunnel.pages import shape
from xlfunnel.pages.model import Content
from xlfunnel.pages.phrases import Phrases
from xlfunnel.settings import LANGUAGES, Settings

ENGLISH = Settings(language="en", recent_months=2)


def came(month: str, **counts: int) -> list[Visit]:
    """So many opportunities that came and were lost in a month, in each stage."""
    return [
        (f"{month}{stage}{i}", "LX", "A", stage, "lost", f"{month}-05", f"{month}-20", 1)
        for stage, n in counts.items()
        for i in range(n)
    ]


def standing(**counts: int) -> list[Visit]:
    """So many that came on the last day and stand there still."""
    return [(f"open{s}{i}", "LX", "A", s, "open", "2025-06-30", None, 1) for s, n in counts.items() for i in range(n)]


def page(rows: list[Visit], as_of: str = "2025-06-30", settings: Settings = ENGLISH) -> Content:
    analysis = analyse(intake(rows, as_of), settings)
    return shape.content(analysis, Phrases(analysis.settings))


def test_a_stage_that_narrows_too_steeply_is_named_with_its_numbers() -> None:
    found = page([*came("2025-01", T0=100, T1=60), *came("2025-05", T0=50, T1=15)])
    row = found.tables["tbl_shape"].iloc[1]
    assert (row["stage"], row["entered"], row["ratio"], row["history"], row["history_entered"]) == (
        "T1", 15, 0.3, 0.6, 100,
    )  # fmt: skip
    assert (row["mark"], row["verdict"]) == ("▲", "Narrows too steeply")
    (first, *_) = told(shape.PAGE, found)
    assert first.startswith("Narrows too steeply: T1 got 30% of what entered T0 (95 % interval ")
    assert "n = 50), clearly below its own history of 60% (n = 100)" in first
    bar = found.tables["tbl_shape_bars"].iloc[0]
    assert (bar["step"], bar["bar_blocked"], bar["history"]) == ("T0→T1", 0.3, 0.6)
    assert pd.isna(bar["bar_compared"])
    assert bar["bar_blocked"] - bar["below"] == pytest.approx(row["low"])
    assert bar["bar_blocked"] + bar["above"] == pytest.approx(row["high"]) == bar["high"]


def test_otherwise_the_one_nearest_to_it_is_named() -> None:
    history = came("2025-01", T0=100, T1=60, T2=30)
    within = told(shape.PAGE, page([*history, *came("2025-05", T0=50, T1=25, T2=14)]))[0]
    assert "Nearest to it is T0→T1: 50% against 60%, within chance" in within
    wider = told(shape.PAGE, page([*history, *came("2025-05", T0=50, T1=35, T2=18)]))[0]
    assert wider.endswith("the least above it is T1→T2: 51% against 50%.")


def test_the_first_stage_has_no_ratio_and_no_verdict() -> None:
    row = page([*came("2025-01", T0=100, T1=60), *came("2025-05", T0=50, T1=30)]).tables["tbl_shape"].iloc[0]
    assert (row["stage"], row["entered"], row["mark"], row["verdict"]) == ("T0", 50, "", "")
    assert row[["ratio", "low", "high", "history", "history_entered", "now_ratio"]].isna().all()


@pytest.mark.parametrize(
    ("before", "shown", "word", "mark"),
    [(4, False, "Too few", "○"), (5, True, "Few cases", "○"), (20, True, "Not too steep", "●")],
)
def test_few_cases(before: int, shown: bool, word: str, mark: str) -> None:
    found = page([*came("2025-01", T0=40, T1=20), *came("2025-05", T0=before, T1=2 * before // 3)])
    row = found.tables["tbl_shape"].iloc[1]
    assert [pd.notna(row[c]) for c in ("ratio", "low", "high")] == [shown] * 3
    assert (row["verdict"], row["mark"]) == (word, mark)
    silent = [t for t in told(shape.PAGE, found) if t.startswith("Not judged")]
    assert bool(silent) == (before < 20)
    assert not silent or f"T0→T1 ({before} entered T0, {2 * before // 3} entered T1: {word})" in silent[0]


def test_without_a_history_nothing_is_compared() -> None:
    found = page(came("2025-05", T0=50, T1=15))
    assert found.tables["tbl_shape"].loc[1, "verdict"] == "No history"
    assert told(shape.PAGE, found) == ["Not judged: T0→T1 (50 entered T0, 15 entered T1: No history)."]


def test_what_stands_now_below_the_usual_is_told_for_the_eye() -> None:
    rows = [*came("2025-01", T0=30, T1=15)]
    rows += [(f"s{m}{s}{i}", "LX", "A", s, "lost", f"2025-0{m}-05", f"2025-0{m + 1}-02", 1)
             for m in (1, 2, 3) for s, n in (("T0", 10), ("T1", 6 + m)) for i in range(n)]  # fmt: skip
    found = page([*rows, *standing(T0=8, T1=2)])
    row = found.tables["tbl_shape"].iloc[1]
    assert (row["now"], row["now_ratio"], row["usual"]) == (2, 0.25, 0.8)
    thin = [t for t in told(shape.PAGE, found) if "for the eye" in t]
    assert len(thin) == 1
    assert thin[0].startswith("2 stand in T1 now, 25% of those in T0; at earlier month ends usually 72%–88%")


def test_the_running_month_is_named() -> None:
    found = page([*came("2025-04", T0=9), *standing(T0=1)], as_of="2025-06-30")
    assert found.cells["txt_shape_months"] == (
        "Recent = the complete months 2025-05 to 2025-06; history = all complete months before."
    )
    rows: list[Visit] = [*came("2025-04", T0=9), ("x", "LX", "A", "T0", "open", "2025-06-03", None, 1)]
    found = page(rows, as_of="2025-06-12")
    assert "2025-04 to 2025-05" in str(found.cells["txt_shape_months"])
    assert "The running month 2025-06 (up to 2025-06-12)" in str(found.cells["txt_shape_months"])
    assert found.tables["tbl_shape"].loc[0, ["now", "entered"]].tolist() == [1, 9]


@pytest.mark.parametrize("language", LANGUAGES)
def test_one_stage_and_ready_made_reserves_say_why_there_is_nothing(language: str) -> None:
    settings = Settings(language=language)
    say = Phrases(settings)
    assert told(shape.PAGE, page(came("2025-05", T0=50), settings=settings)) == [say("shape.sentence.one_stage")]
    found = shape.content(ready_made(settings), say)
    assert told(shape.PAGE, found) == [say("shape.sentence.nothing")]
    table = found.tables["tbl_shape"]
    assert table.loc[[0, 1], "now"].tolist() == [10, 6]
    assert table.loc[1, "now_ratio"] == 0.6
    assert table["entered"].isna().all()
    assert found.tables["tbl_shape_bars"].isna().all(axis=None)


def ready_made(settings: Settings) -> FunnelAnalysis:
    """Six months of reserves that somebody else counted."""
    table = pd.DataFrame(
        [
            ("LX", "A", stage, month_number(date(2025, m, 1)), n, 0)
            for m in range(1, 7)
            for stage, n in (("T0", 10), ("T1", 6))
        ],
        columns=["region", "owner", "stage", "month", "count", "amount_cents"],
    )
    return analyse(Intake(visits([]), table, (), (), date(2025, 6, 30)), settings)


def test_bars_of_the_funnels_stand_in_the_middle() -> None:
    found = page([*came("2025-05", T0=50, T1=15), *standing(T0=4, T1=2)]).tables["tbl_shape_funnels"].dropna()
    for name in ("now", "entered"):
        assert (2 * found[f"{name}_spacer"] + found[name] == found[name].max()).all()
