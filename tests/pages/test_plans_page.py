"""The sheet of nurture plans: what it proposes, and why it says nothing."""

from pathlib import Path
from typing import Any

import pandas as pd
from hand_visits import Visit, intake

from xlfunnel import app
from xlfunnel.analysis import analyse
from xlfunnel.pages import plans
from xlfunnel.pages.phrases import Phrases
from xlfunnel.settings import Settings


def held(owner: str, stage: str, n: int) -> list[Visit]:
    return [(f"{owner}{stage}{i}", "LX", owner, stage, "open", "2025-06-01", None, 1) for i in range(n)]


def content(rows: list[Visit], **chosen: Any) -> tuple[pd.DataFrame, dict[str, Any]]:
    settings = Settings(**{"language": "en", "floor_t1": 0.0, "floor_t3": 5.0} | chosen)
    made = plans.content(analyse(intake(rows, "2025-06-30"), settings), Phrases(settings))
    return made.tables["tbl_plans"], dict(made.cells)


def test_nobody_short_is_said() -> None:
    frame, cells = content(held("A", "T3", 9))
    assert frame.empty
    assert cells["txt_plans_1"] == "Nobody is short of reserve, and no plan is going on."


def test_one_rep_only_and_rates_that_nobody_knows() -> None:
    frame, cells = content([*held("A", "T3", 1), *held("A", "T2", 1)])
    assert frame["plan_id"].tolist() == ["LX·A·T3·2025-06-30"]
    assert frame["need"].tolist() == ["4 more T3 by 2025-09-29, by one of:\nT2: too few cases of T2→T3 to say"]
    assert cells["txt_plans_1"].startswith("1 plans for 1 reps")


def test_a_region_without_t3_and_ready_made_nothing() -> None:
    frame, _ = content(held("A", "T2", 1))
    assert frame.empty
    frame, _ = content([])
    assert frame.empty


def test_actions_bear_who_and_the_day_from_the_opening() -> None:
    frame, _ = content([*held("A", "T3", 1), *held("A", "T2", 1)])
    first, second = frame["actions"][0].split("\n")
    assert first.startswith("1. Give every T2 a next step")
    assert first.endswith("(Region manager, by 2025-07-14)")
    assert second.endswith("(Presales, by 2025-07-21)")


def test_needs_below_the_mean_are_leads() -> None:
    frame, _ = content([*held("A", "T0", 27), *held("B", "T0", 1)], floor_t3=0.0)
    assert frame["need"].tolist() == ["13 more in T0→T3 by 2025-09-29: 1 more T0 a week"]


def test_the_demo_proposes_plans_for_the_short_reps(tmp_path: Path) -> None:
    files, chosen = app.sample("zh-CN")
    found = analyse(app.check(files, chosen), chosen).plans
    assert {p.owner for p in found if p.diagnosis == "short_reserve"} == {"B", "D", "E"}
    assert {p.owner for p in found if p.diagnosis == "short_T3"} == set("ABCDEF")


def test_typed_columns_look_like_inputs() -> None:
    assert all(c.style.startswith("input") == c.typed for c in plans.PAGE.tables[0].columns)
