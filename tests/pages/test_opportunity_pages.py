"""Opportunity check, wins and leads: what the sheets say of many, of few, and of none."""

from datetime import date, datetime
from typing import Any

import pandas as pd
import pytest
from hand_visits import Visit, intake, visits

from xlfunnel.analysis import FunnelAnalysis, analyse
from xlfunnel.calendar import month_number
from xlfunnel.crm import Intake
from xlfunnel.entered import Entered
from xlfunnel.pages import assurance, opportunities
from xlfunnel.pages.model import Content, Page
from xlfunnel.pages.phrases import Phrases
from xlfunnel.settings import LANGUAGES, Settings
from xlfunnel.terms import SCORES

AS_OF = "2025-06-30"
ENGLISH = Settings(language="en")
DONE: list[Visit] = [(f"d{i}", "LX", "A", "T3", "T4", "2025-01-01", "2025-01-11", 1) for i in range(5)]


def of(rows: list[Visit], settings: Settings = ENGLISH, **typed: list[dict[str, Any]]) -> FunnelAnalysis:
    frames = {name: pd.DataFrame(rows).astype(object) for name, rows in typed.items()}
    return analyse(intake(rows, AS_OF), settings, None, Entered(frames))


def shown(page: Any, analysis: FunnelAnalysis) -> Content:
    found: Content = page.content(analysis, Phrases(analysis.settings))
    return found


def told(page: Page, found: Content) -> list[str]:
    name = f"txt_{page.key}_"
    slots = [s.name for s in page.slots if s.name.removeprefix(name).isdigit()]
    return [str(found.cells[s]) for s in slots if found.cells[s]]


def scores(*values: int) -> dict[str, int]:
    return dict(zip(SCORES, values, strict=True))


def test_the_list_says_who_is_stale_why_and_what_to_do() -> None:
    rows: list[Visit] = [
        *DONE,
        ("old", "LX", "B", "T3", "open", "2025-05-01", None, 500),
        ("new", "LX", "", "T3", "open", "2025-06-25", None, 90),
        ("late", "LX", "A", "T4", "open", "2025-06-29", None, None),
    ]  # fmt: skip
    typed = [
        {"opportunity_id": "old", **scores(5, 5, 5, 5, 5), "last_activity": datetime(2025, 1, 1)},
        {"opportunity_id": "late", "expected_close": datetime(2025, 6, 1)},
    ]
    found = shown(opportunities, of(rows, opportunities=typed))
    listed = found.tables["tbl_opportunities"]
    columns = ["opportunity_id", "owner", "days", "limit_days", "total", "stale", "verdict"]
    assert listed[columns].astype(object).where(listed[columns].notna(), None).to_numpy().tolist() == [
        ["old", "B", 60, 20.0, 25, "Age · Quiet", "Revive"],
        ["late", "A", 1, None, None, "Overdue", "Stale: score"],
        ["new", "not named", 5, 20.0, None, "", "To score"],
    ]
    assert not set(SCORES) & set(listed.columns)  # the user's own columns are not written
    assert found.cells["kpi_opportunities_as_of"] == date(2025, 6, 30)
    stale, why, scored, limits = told(opportunities.PAGE, found)
    assert stale.startswith("2 of 3 open opportunities from T2 on are stale (67%); they hold 500 of 590")
    assert stale.endswith("1 have no amount.")
    assert why.startswith("1 stand longer")
    assert "old of B, 60 days in T3 (median 10)" in why
    assert scored.startswith("1 of 3 are scored: keep 0, revive 1, drop 0")
    assert limits.startswith("Too few stays have ended in T4")


def test_verdicts_of_all_are_those_listed_and_the_rest() -> None:
    many: list[Visit] = [(f"o{i:04}", "LX", "A", "T3", "open", "2025-06-25", None, 1000 - i) for i in range(520)]
    found = shown(opportunities, of([*DONE, *many], opportunities=[{"opportunity_id": "o0515", "next_step": "call"}]))
    listed, advice, stages = (found.tables[f"tbl_{n}"] for n in ("opportunities", "advice", "stale"))
    assert len(listed) == 501
    assert listed["opportunity_id"].iloc[-1] == "o0515"
    row = advice.set_index("verdict").loc["To score"]
    assert (row["count"], row["rest_count"]) == (520, 19)
    assert row["amount"] - row["rest_amount"] == listed["amount"].sum()
    assert stages.set_index("stage").loc["T3"].tolist() == [520, 0, 19, 0]
    assert "501 of 520 are listed" in told(opportunities.PAGE, found)[-1]


def test_without_amounts_only_numbers_are_told() -> None:
    found = shown(opportunities, of([*DONE, ("x", "LX", "A", "T3", "open", "2025-01-01", None, None)]))
    assert told(opportunities.PAGE, found)[0] == "1 of 1 open opportunities from T2 on are stale (100%)."


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "rows", [[], DONE, [("a", "LX", "A", "T0", "open", AS_OF, None, 1)]], ids=["no", "closed", "T0"]
)
def test_nothing_to_check_says_so(language: str, rows: list[Visit]) -> None:
    analysis = of(rows, Settings(language=language))
    say = Phrases(analysis.settings)
    key = "none" if rows else "no_visits"
    found = shown(opportunities, analysis)
    assert told(opportunities.PAGE, found) == [say(f"opportunities.sentence.{key}", stage="T2")]
    assert found.tables["tbl_opportunities"].empty
    assert told(assurance.PAGE, shown(assurance, analysis)) == [
        say("assurance.sentence.no_wins", stage="T4"), say("assurance.sentence.no_leads", stage="T1"),
    ]  # fmt: skip


def test_ready_made_reserves_cannot_be_checked() -> None:
    columns = ["region", "owner", "stage", "month", "count", "amount_cents"]
    table = pd.DataFrame([("LX", "A", "T3", month_number(date(2025, 6, 1)), 10, 0)], columns=columns)
    found = shown(opportunities, analyse(Intake(visits([]), table, (), (), date(2025, 6, 30)), ENGLISH))
    assert len(told(opportunities.PAGE, found)) == 1


def test_wins_and_leads_count_what_was_answered() -> None:
    rows: list[Visit] = [
        *((f"w{i}", "LX", "A", "T4", "open", "2025-06-01", None, 100 - i) for i in range(3)),
        *((f"l{i}", "LX", "B", "T1", "open", "2025-06-01", None, 100 - i) for i in range(3)),
    ]
    yes = {"visit": "yes", "solution": "yes", "negotiation": "yes"}
    analysis = of(
        rows,
        assurance=[{"opportunity_id": "w0", **yes}, {"opportunity_id": "w1", "visit": "yes"}],
        leads=[{"opportunity_id": "l1", "budget": "yes", "need": "yes"}, {"opportunity_id": "l2", "need": "no"}],
    )
    found = shown(assurance, analysis)
    assert found.tables["tbl_assurance"]["done"].tolist() == [3, 1, 0]
    assert found.tables["tbl_leads"]["grade"].tolist() == [None, "C", "D"]
    wins, graded = told(assurance.PAGE, found)
    assert wins.startswith("3 open opportunities in T4: 1 have all three")
    assert wins.endswith("Largest still open to do: w1 of A.")
    assert graded == "2 of 3 leads in T1 are graded: A 0, B 0, C 1, D 1."
