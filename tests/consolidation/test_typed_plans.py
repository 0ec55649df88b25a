"""A plan goes down to its own region and comes up again, with what headquarters and the region typed."""

from pathlib import Path

from regional import ENGLISH, OFFICES, edited, set_where
from test_split import leaks

from xlfunnel import app
from xlfunnel.consolidate import gathered, written
from xlfunnel.excel import inputs
from xlfunnel.split import split, workbook_data


def plans(path: Path) -> dict[str, tuple[object, ...]]:
    frame = inputs.read_entered(path).frame("plans", ("plan_id", "note", "status", "start"))
    return {str(row[0]): row[1:] for row in frame.itertuples(index=False, name=None)}


def test_plans_go_down_to_their_region_and_come_up_again(tmp_path: Path) -> None:
    whole, source = tmp_path / "whole.xlsx", tmp_path / "offices.csv"
    source.write_text(OFFICES, "utf-8")
    app.report(app.Inputs([source]), whole, ENGLISH)
    named = [str(k) for k in inputs.table_frame(whole, "tbl_plans").iloc[:, 0]]
    north, south = (next(k for k in named if k.startswith(f"{r}·")) for r in ("North", "South"))
    edited(whole, set_where("tbl_plans", north, note="secret of North"))
    edited(whole, set_where("tbl_plans", south, note="secret of South"))
    intake, chosen = workbook_data(whole)
    split(intake, chosen, tmp_path / "parts", entered=inputs.read_entered(whole))
    start = plans(whole)[north][2]
    assert plans(tmp_path / "parts/North.xlsx") == {north: ("secret of North", None, start)}
    assert leaks((tmp_path / "parts/North.xlsx").read_bytes(), ["secret of South"]) == set()
    edited(tmp_path / "parts/North.xlsx", set_where("tbl_plans", north, status="Doing"))
    made = gathered([tmp_path / "parts"])
    written(made, tmp_path / "HQ.xlsx")
    found = plans(tmp_path / "HQ.xlsx")
    assert found[north] == ("secret of North", "doing", start)
    assert found[south][0] == "secret of South"
    assert inputs.table_frame(tmp_path / "HQ.xlsx", "tbl_kept").empty
