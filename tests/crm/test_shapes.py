"""Each shape of export, small enough to check by eye."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pandas as pd
import pytest

from xlfunnel.crm import Intake
from xlfunnel.crm.visits import ORDER
from xlfunnel.settings import Settings
from xlfunnel.terms import Shape

Read = Callable[..., Intake]
Short = Callable[[pd.DataFrame], list[tuple[Any, ...]]]

HISTORY = [
    ["商机编号", "负责人", "大区", "阶段", "进入日期", "金额"],
    ["001", "张伟", "LX", "线索", "2025-01-05", "1,000.50"],
    ["001", "张伟", "LX", "有效商机", "2025-02-10", "1,000.50"],
    ["001", "张伟", "LX", "赢单", "2025-03-01", ""],
    ["002", "王芳", "LX", "T2", "2025-02-01", ""],
    ["002", "王芳", "LX", "T3", "2025-03-15", ""],
]
HISTORY_VISITS = [
    ("001", 1, "T0", "T2", "2025-01-05", "2025-02-10"),
    ("001", 2, "T2", "won", "2025-02-10", "2025-03-01"),
    ("002", 1, "T2", "T3", "2025-02-01", "2025-03-15"),
    ("002", 2, "T3", "open", "2025-03-15", ""),
]


def test_history_alone(read: Read, as_rows: Short) -> None:
    intake = read(HISTORY)
    assert as_rows(intake.visits) == HISTORY_VISITS
    assert intake.sources[0].shape == Shape.HISTORY
    assert intake.as_of == date(2025, 3, 15)
    assert intake.issues == ()
    assert intake.reserves is None


def test_the_canonical_frame(read: Read) -> None:
    visits = read(HISTORY).visits
    assert list(visits.columns) == ORDER
    assert visits["amount_cents"].tolist() == [100050, 100050, pd.NA, pd.NA]
    assert visits["owner"].tolist() == ["张伟", "张伟", "王芳", "王芳"]
    assert visits["entered_month"].tolist() == [660, 661, 661, 662]
    assert visits["left_month"].tolist() == [661, 662, 662, pd.NA]
    kinds = {name: str(kind) for name, kind in visits.dtypes.items()}
    assert kinds["entered_day"] == kinds["entered_month"] == "int64"
    assert {kinds[n] for n in ("visit", "left_day", "left_month", "amount_cents")} == {"Int64"}
    assert isinstance(visits.index, pd.RangeIndex)


@pytest.mark.parametrize("turn", [lambda r: r, lambda r: r[::-1], lambda r: sorted(r, key=lambda x: x[4])])
def test_the_order_of_rows_does_not_matter(read: Read, as_rows: Short, turn: Callable[..., Any]) -> None:
    assert as_rows(read([HISTORY[0], *turn(HISTORY[1:])]).visits) == HISTORY_VISITS


def test_stages_of_one_day_stand_as_in_the_file_from_its_older_end(read: Read, as_rows: Short) -> None:
    rows = [["A", "T0", "2025-01-01"], ["A", "T2", "2025-01-01"], ["A", "T1", "2025-01-01"], ["A", "T3", "2025-01-09"]]
    header = ["opportunity id", "stage", "entered"]
    expected = ["T0", "T2", "T1", "T3"]
    assert [v[2] for v in as_rows(read([header, *rows]).visits)] == expected
    assert [v[2] for v in as_rows(read([header, *rows[::-1]]).visits)] == expected


def test_the_hour_tells_the_order_within_a_day(read: Read, as_rows: Short) -> None:
    rows = [["id", "stage", "entered"], ["A", "T1", "2025-01-01 15:00"], ["A", "T0", "2025-01-01 09:00"]]
    assert [v[2] for v in as_rows(read(rows).visits)] == ["T0", "T1"]


def test_history_that_says_when_and_where_to(read: Read, as_rows: Short) -> None:
    rows = [
        ["Opportunity ID", "Stage", "Entered", "Left", "Went to"],
        ["A", "T1", "2025-01-01", "2025-01-10", "T3"],
        ["A", "T3", "2025-01-20", "9999-12-31", ""],
        ["B", "T2", "2025-01-01", "2025-02-01", "Lost"],
        ["C", "T2", "2025-01-01", "2025-02-01", "Unknown"],
        ["D", "T2", "2025-01-01", "2025-02-01", ""],
        ["E", "T2", "2025-01-01", "", "Open"],
        ["F", "T2", "2025-01-01", "2025-01-01", "赢单"],
    ]
    assert as_rows(read(rows).visits) == [
        ("A", 1, "T1", "T3", "2025-01-01", "2025-01-10"),
        ("A", 2, "T3", "open", "2025-01-20", ""),
        ("B", 1, "T2", "lost", "2025-01-01", "2025-02-01"),
        ("C", 1, "T2", "gone", "2025-01-01", "2025-02-01"),
        ("D", 1, "T2", "gone", "2025-01-01", "2025-02-01"),
        ("E", 1, "T2", "open", "2025-01-01", ""),
        ("F", 1, "T2", "won", "2025-01-01", "2025-01-01"),
    ]


def test_re_entry_and_reopening_make_new_visits(read: Read, as_rows: Short) -> None:
    rows = [["id", "stage", "entered"]]
    rows += [["A", s, f"2025-01-{d:02d}"] for d, s in enumerate(["T2", "T3", "T2", "lost", "T2"], 1)]
    assert [v[1:4] for v in as_rows(read(rows).visits)] == [
        (1, "T2", "T3"),
        (2, "T3", "T2"),
        (3, "T2", "lost"),
        (4, "T2", "open"),
    ]


def test_a_row_that_only_changes_the_amount_continues_the_visit(read: Read, as_rows: Short) -> None:
    rows = [
        ["id", "owner", "stage", "entered", "amount"],
        ["A", "x", "T2", "2025-01-01", "10"],
        ["A", "x", "T2", "2025-01-05", "20"],
        ["A", "x", "T2", "2025-01-07", ""],
        ["A", "y", "T2", "2025-01-09", "20"],
    ]
    visits = read(rows).visits
    assert as_rows(visits) == [
        ("A", 1, "T2", "T2", "2025-01-01", "2025-01-09"),
        ("A", 2, "T2", "open", "2025-01-09", ""),
    ]
    assert visits["amount_cents"].tolist() == [2000, 2000]
    assert visits["owner"].tolist() == ["x", "y"]


def test_opportunities_with_their_history_beside_them(read: Read, as_rows: Short) -> None:
    opportunities = [
        ["Opportunity ID", "Owner", "Region", "Amount"],
        ["A", "Ann", "North", "10"],
        ["B", "Bob", "South", "20"],
    ]
    history = [
        ["Opportunity ID", "New Stage", "Changed On", "Amount"],
        ["A", "T1", "2025-01-01", ""],
        ["B", "T2", "2025-01-02", "25"],
        ["A", "Closed Won", "2025-01-03", ""],
    ]
    intake = read(opportunities, history=history)
    assert as_rows(intake.visits) == [
        ("A", 1, "T1", "won", "2025-01-01", "2025-01-03"),
        ("B", 1, "T2", "open", "2025-01-02", ""),
    ]
    assert intake.visits[["region", "owner", "amount_cents"]].values.tolist() == [
        ["North", "Ann", 1000],
        ["South", "Bob", 2500],
    ]
    assert [(s.name, s.rows_read, s.rows_used) for s in intake.sources] == [
        ("opportunities.csv", 2, 2),
        ("history.csv", 3, 3),
    ]


def test_an_opportunity_that_never_moved_is_taken_from_its_own_row(read: Read, as_rows: Short) -> None:
    opportunities = [
        ["id", "owner", "stage", "created date", "close date"],
        ["A", "Ann", "T3", "2025-01-01", ""],
        ["B", "Bob", "T1", "2025-01-05", ""],
    ]
    history = [["id", "stage", "entered"], ["A", "T2", "2025-01-02"], ["A", "T3", "2025-01-03"]]
    intake = read(opportunities, history=history)
    assert as_rows(intake.visits)[-1] == ("B", 1, "T1", "open", "2025-01-05", "")
    assert len(intake.visits) == 3
    assert intake.issues == ()


def test_one_date_column_per_stage(read: Read, as_rows: Short) -> None:
    rows = [
        ["商机编号", "线索日期", "进入T2时间", "高阶商机", "赢单日期", "丢单日期"],
        ["1", "2025-01-01", "2025-02-01", "2025-03-01", "2025-03-20", ""],
        ["2", "2025-01-01", "", "2025-01-01", "", ""],
        ["3", "", "2025-02-01", "", "", "2025-02-01"],
    ]
    intake = read(rows)
    assert intake.sources[0].shape == Shape.STAGE_DATES
    assert as_rows(intake.visits) == [
        ("1", 1, "T0", "T2", "2025-01-01", "2025-02-01"),
        ("1", 2, "T2", "T3", "2025-02-01", "2025-03-01"),
        ("1", 3, "T3", "won", "2025-03-01", "2025-03-20"),
        ("2", 1, "T0", "T3", "2025-01-01", "2025-01-01"),
        ("2", 2, "T3", "open", "2025-01-01", ""),
        ("3", 1, "T2", "lost", "2025-02-01", "2025-02-01"),
    ]


def test_stage_dates_with_an_outcome_column(read: Read, as_rows: Short) -> None:
    rows = [
        ["id", "T1", "Date entered Proposal", "stage", "close date"],
        ["A", "2025-01-01", "2025-02-01", "Closed Lost", "2025-03-01"],
        ["B", "2025-01-01", "2025-02-01", "Proposal", "2025-12-01"],
    ]
    assert as_rows(read(rows).visits) == [
        ("A", 1, "T1", "T3", "2025-01-01", "2025-02-01"),
        ("A", 2, "T3", "lost", "2025-02-01", "2025-03-01"),
        ("B", 1, "T1", "T3", "2025-01-01", "2025-02-01"),
        ("B", 2, "T3", "open", "2025-02-01", ""),
    ], "the closing date of an open opportunity is only expected"


def test_stage_dates_closed_without_saying_how(read: Read, as_rows: Short) -> None:
    rows = [["id", "T1", "T2", "closed"], ["A", "2025-01-01", "", "2025-03-01"], ["B", "2025-01-01", "2025-01-02", ""]]
    assert [v[3] for v in as_rows(read(rows).visits)] == ["gone", "T2", "open"]


CURRENT = [
    ["deal id", "stage", "create date", "close date"],
    ["A", "T1", "2025-01-01", "2025-09-30"],
    ["B", "T3", "2025-01-02", ""],
    ["C", "Closed Won", "2025-01-03", "2025-02-03"],
]


def test_current_stage(read: Read, as_rows: Short) -> None:
    intake = read(CURRENT)
    assert intake.sources[0].shape == Shape.CURRENT_STAGE
    assert as_rows(intake.visits) == [
        ("A", 1, "T1", "open", "2025-01-01", ""),
        ("B", 1, "T3", "open", "2025-01-02", ""),
        ("C", 1, "T1", "won", "2025-01-03", "2025-02-03"),
    ], "a closed one is booked in the first stage of the file"
    assert intake.as_of == date(2025, 2, 3)


def test_current_stage_with_the_day_it_was_entered(read: Read, as_rows: Short) -> None:
    rows = [
        ["id", "stage", "created", "last stage change date", "close date"],
        ["A", "T2", "2025-01-01", "2025-01-20", ""],
        ["B", "lost", "2025-01-01", "2025-02-20", ""],
    ]
    assert as_rows(read(rows).visits) == [
        ("A", 1, "T2", "open", "2025-01-20", ""),
        ("B", 1, "T2", "lost", "2025-01-01", "2025-02-20"),
    ]


def test_settings_may_say_which_stage_a_date_column_belongs_to(read: Read, as_rows: Short) -> None:
    settings = Settings(columns={"T3": "Create Date"}, refuse_share=1)
    intake = read(CURRENT, settings)
    assert intake.sources[0].shape == Shape.STAGE_DATES
    assert [v[2:4] for v in as_rows(intake.visits)] == [("T3", "open"), ("T3", "open"), ("T3", "won")]


LONG = [
    ["月份", "负责人", "大区", "阶段", "数量", "金额(万元)"],
    ["2025-01", "张伟", "LX", "线索", "12", "1.5"],
    ["2025-01", "张伟", "LX", "T3", "0", ""],
    ["2025年2月", "张伟", "LX", "线索", "9", "2"],
]


def test_aggregated_with_a_stage_column(read: Read) -> None:
    intake = read(LONG)
    assert intake.reserves is not None
    assert intake.reserves.values.tolist() == [
        ["LX", "张伟", "T0", 660, 12, 1500000],
        ["LX", "张伟", "T0", 661, 9, 2000000],
        ["LX", "张伟", "T3", 660, 0, 0],
    ]
    assert list(intake.reserves.columns) == ["region", "owner", "stage", "month", "count", "amount_cents"]
    assert len(intake.visits) == 0
    assert list(intake.visits.columns) == ORDER
    assert intake.visits.dtypes.astype(str).to_dict() == read(HISTORY).visits.dtypes.astype(str).to_dict()
    assert intake.as_of == date(2025, 2, 28)


def test_aggregated_with_a_column_per_stage(read: Read) -> None:
    rows = [
        ["Month", "Rep", "T0", "T1 count", "Proposal"],
        ["2025-06", "Ann", "5", "", "2"],
        ["2025-05", "Ann", "4", "1", "0"],
    ]
    intake = read(rows, Settings(region="North"))
    assert intake.sources[0].shape == Shape.AGGREGATED
    assert intake.reserves is not None
    assert intake.reserves.values.tolist() == [
        ["North", "Ann", "T0", 664, 4, 0],
        ["North", "Ann", "T0", 665, 5, 0],
        ["North", "Ann", "T1", 664, 1, 0],
        ["North", "Ann", "T3", 664, 0, 0],
        ["North", "Ann", "T3", 665, 2, 0],
    ], "a blank is not a zero"


def test_region_by_row_then_owner_then_settings(read: Read) -> None:
    rows = [
        ["id", "owner", "region", "stage", "entered"],
        ["A", "Ann", "West", "T1", "2025-01-01"],
        ["B", "ann ", "", "T1", "2025-01-01"],
        ["C", "Bob", "", "T1", "2025-01-01"],
    ]
    intake = read(rows, Settings(region="Else"), owners=[["Sales agent", "Regional office"], ["Ann", "East"]])
    assert intake.visits["region"].tolist() == ["West", "East", "Else"]


def test_as_of_argument_then_settings_then_data(read: Read) -> None:
    settings = Settings(as_of=date(2025, 5, 1))
    assert read(HISTORY, settings, as_of=date(2025, 4, 1)).as_of == date(2025, 4, 1)
    assert read(HISTORY, settings).as_of == date(2025, 5, 1)
