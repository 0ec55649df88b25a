"""What users typed goes down with its opportunity and comes up again, however the workbook was saved on the way."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hosts import office
from pandas.testing import assert_frame_equal
from regional import ENGLISH, OFFICES, add_rows, day, edited, offices, said, set_where
from test_split import leaks

from xlfunnel import app
from xlfunnel.answers import Status
from xlfunnel.consolidate import gathered, written
from xlfunnel.crm import read_sources
from xlfunnel.excel import inputs
from xlfunnel.settings import Target
from xlfunnel.split import split, workbook_data
from xlfunnel.strings import words

TYPED = {"N-3": ("secret of North", 2), "S-2": ("secret of South", 4), "M-1": ("Dot calls", 5)}
"""Opportunity → next step and urgency that headquarters typed."""

REASON = "review.reason.price"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Headquarters' workbook with something typed beside three opportunities, and its parts; they are left alone."""
    folder = tmp_path_factory.mktemp("typed")
    path, source = folder / "whole.xlsx", folder / "offices.csv"
    source.write_text(OFFICES, "utf-8")
    app.report(app.Inputs([source]), path, ENGLISH)
    for key, (step, urgency) in TYPED.items():
        edited(path, set_where("tbl_opportunities", key, next_step=step, urgency=urgency))
    intake, chosen = workbook_data(path)
    split(intake, chosen, folder / "parts", entered=inputs.read_entered(path))
    return folder


@pytest.fixture
def whole(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(made / "whole.xlsx", tmp_path))


def typed(path: Path, table: str = "opportunities") -> dict[str, dict[str, Any]]:
    """Key → what was typed beside it."""
    frame = inputs.read_entered(path).tables[table]
    return {
        str(row.pop("opportunity_id")): {str(k): v for k, v in row.items() if v is not None}
        for row in frame.to_dict("records")
    }


@pytest.fixture
def parts(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made / "parts", tmp_path / "parts"))


def test_each_region_gets_what_was_typed_beside_its_own_opportunities(parts: Path) -> None:
    assert typed(parts / "North.xlsx") == {"N-3": {"urgency": 2, "next_step": "secret of North"}}
    assert typed(parts / "South.xlsx") == {  # M-1 has moved there
        "M-1": {"urgency": 5, "next_step": "Dot calls"}, "S-2": {"urgency": 4, "next_step": "secret of South"},
    }  # fmt: skip
    assert typed(parts / "No region.xlsx") == {}
    assert leaks((parts / "North.xlsx").read_bytes(), ["secret of South", "Dot calls", "S-2"]) == set()
    assert leaks((parts / "South.xlsx").read_bytes(), ["secret of North", "N-3"]) == set()


def test_targets_of_others_and_of_all_stay_at_headquarters(tmp_path: Path) -> None:
    aims = (Target("North", "2024-Q2", 777001), Target("South", "2024-Q2", 777002), Target("", "2024-Q2", 777003))
    chosen = ENGLISH.__class__(language="en", targets=aims)
    split(offices(tmp_path), chosen, tmp_path / "out")
    assert inputs.read_settings(tmp_path / "out/North.xlsx").targets == (aims[0],)
    assert inputs.read_settings(tmp_path / "out/No region.xlsx").targets == ()
    assert leaks((tmp_path / "out/North.xlsx").read_bytes(), ["777001", "777002", "777003"]) == {"777001"}
    made = gathered([tmp_path / "out"])
    assert set(made.settings.targets) == set(aims[:2])
    assert {said(made, a.file) for a in made.answers} == {"Came back as it was sent."}
    kept = gathered([tmp_path / "out"], chosen=chosen)
    assert kept.settings.targets == aims
    assert said(gathered([tmp_path / "out"], chosen=ENGLISH), "North.xlsx").endswith("Targets.")


def test_a_round_trip_without_edits_loses_nothing(whole: Path, parts: Path, tmp_path: Path) -> None:
    written(gathered([parts]), tmp_path / "HQ.xlsx")
    assert typed(tmp_path / "HQ.xlsx") == typed(whole)
    assert_frame_equal(_visits(tmp_path / "HQ.xlsx"), _visits(whole))


def test_a_report_over_a_workbook_takes_over_what_was_typed_into_it(made: Path, whole: Path) -> None:
    before = whole.read_bytes()
    app.report(app.Inputs([made / "offices.csv"]), whole, ENGLISH)
    assert typed(whole) == typed(made / "whole.xlsx")
    assert whole.with_name("whole.xlsx.bak").read_bytes() == before
    app.report(app.Inputs([made / "offices.csv"]), whole, replace(ENGLISH, language="zh-CN"))
    assert typed(whole) == typed(made / "whole.xlsx")
    whole.write_bytes(before[:5000])  # what cannot be read has nothing to give, and is kept as it is
    app.report(app.Inputs([made / "offices.csv"]), whole, ENGLISH)
    assert typed(whole) == {}
    assert whole.with_name("whole.xlsx.bak").read_bytes() == before[:5000]


def test_gathering_again_keeps_what_headquarters_typed(parts: Path, tmp_path: Path) -> None:
    out = tmp_path / "HQ.xlsx"
    written(gathered([parts]), out)
    edited(out, set_where("tbl_opportunities", "N-3", next_step="HQ asks", fit=3))
    edited(out, set_where("tbl_opportunities", "S-1", fit=5))
    written(gathered([parts], out=out), out)
    assert typed(out)["S-1"] == {"fit": 5}
    assert typed(out)["N-3"] == {"urgency": 2, "next_step": "secret of North", "fit": 3}  # the region's own word wins


def _work_in_the_regions(parts: Path) -> None:
    edited(parts / "North.xlsx", set_where("tbl_opportunities", "N-3", budget=3, next_step="Bob visits"))
    edited(parts / "North.xlsx", set_where("tbl_data", "N-3", left=day("2024-03-10"), next_stage="T3"))
    edited(parts / "North.xlsx", add_rows("tbl_data", ("N-3", "North", "Bob", "T3", day("2024-03-10"), None, None, 80)))
    edited(parts / "South.xlsx", set_where("tbl_opportunities", "S-1", fit=4, last_activity=day("2024-03-18")))
    edited(parts / "South.xlsx", add_rows("tbl_data", ("S-9", "South", "Cid", "T2", day("2024-03-19"), None, None, 5)))


def _assert_all_came_up(path: Path) -> None:
    found = typed(path)
    assert found["N-3"] == {"urgency": 2, "budget": 3, "next_step": "Bob visits"}
    assert found["S-1"] == {"fit": 4, "last_activity": day("2024-03-18")}
    assert found["M-1"] == {"urgency": 5, "next_step": "Dot calls"}
    visits = _visits(path).set_index("opportunity_id")
    assert visits.loc["N-3", "stage"].tolist() == ["T2", "T3"]
    assert visits.loc["S-9", "amount_cents"] == 500


def test_what_the_regions_typed_and_changed_comes_up(parts: Path, tmp_path: Path) -> None:
    _work_in_the_regions(parts)
    made = gathered([parts])
    assert made.is_whole
    written(made, tmp_path / "HQ.xlsx")
    _assert_all_came_up(tmp_path / "HQ.xlsx")


def test_reasons_come_up_whichever_language_they_were_chosen_in(parts: Path, tmp_path: Path) -> None:
    edited(parts / "North.xlsx", set_where("tbl_data", "N-3", left=day("2024-03-10"), next_stage="Lost"))
    app.refresh(parts / "North.xlsx")
    edited(parts / "North.xlsx", set_where("tbl_review", "N-3", reason=words("en")(REASON), lesson="call earlier"))
    written(gathered([parts], language="zh-CN"), tmp_path / "HQ.xlsx")
    code = REASON.rpartition(".")[2]
    assert typed(tmp_path / "HQ.xlsx", "review")["N-3"] == {"reason": code, "lesson": "call earlier"}
    assert words("zh-CN")(REASON) in inputs.table_frame(tmp_path / "HQ.xlsx", "tbl_review").to_numpy().ravel().tolist()


@pytest.mark.office
def test_files_saved_by_another_program_come_up_as_well(parts: Path, tmp_path: Path) -> None:
    office.require()
    _work_in_the_regions(parts)
    for name in ("North.xlsx", "South.xlsx"):
        shutil.move(office.convert(parts / name, "xlsx", tmp_path / "saved"), parts / name)
    made = gathered([parts])
    assert {a.file: a.status for a in made.answers} == dict.fromkeys(
        ("No region.xlsx", "North.xlsx", "South.xlsx"), Status.ACCEPTED
    )
    assert "Not carried upward" not in said(made, "North.xlsx")
    written(made, tmp_path / "HQ.xlsx")
    _assert_all_came_up(tmp_path / "HQ.xlsx")


def test_of_two_files_that_typed_differently_the_holder_is_kept_and_nothing_lost(parts: Path, tmp_path: Path) -> None:
    edited(parts / "North.xlsx", set_where("tbl_data", "M-1", stage="T2", left=None, next_stage=None))
    app.refresh(parts / "North.xlsx")
    edited(parts / "North.xlsx", set_where("tbl_opportunities", "M-1", next_step="Ann calls", fit=1))
    edited(parts / "North.xlsx", set_where("tbl_data", "M-1", stage="T0", left=day("2024-02-05"), next_stage="T2"))
    made = gathered([parts])
    assert "M-1: typed differently in South.xlsx (kept) and North.xlsx (on “Kept entries”: Ann calls)." in said(made)
    written(made, tmp_path / "HQ.xlsx")
    assert typed(tmp_path / "HQ.xlsx")["M-1"] == {"urgency": 5, "fit": 1, "next_step": "Dot calls"}
    kept = inputs.table_frame(tmp_path / "HQ.xlsx", "tbl_kept")
    assert "Ann calls" in kept.to_numpy().ravel().tolist()


def _visits(path: Path) -> Any:
    return read_sources([inputs.data_source(path)], inputs.read_settings(path)).visits
