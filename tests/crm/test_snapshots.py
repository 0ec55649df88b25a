"""Repeated snapshots: by hand, and that on every snapshot's day the reserve is what the snapshot shows."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from crm_files import csv_bytes, short, told
from hypothesis import given
from hypothesis import settings as profile
from hypothesis import strategies as st

from xlfunnel.calendar import day_number
from xlfunnel.crm import Intake, read_sources
from xlfunnel.crm.snapshots import day_in_name
from xlfunnel.errors import InputError
from xlfunnel.settings import Settings
from xlfunnel.terms import STAGES

Read = Callable[..., Intake]
ALL = Settings(refuse_share=1)
HEADER = ["快照日期", "商机编号", "负责人", "阶段", "金额"]
ROWS = [
    ["2025-01-31", "A", "张伟", "线索", "5"],
    ["2025-01-31", "B", "王芳", "高潜线索", ""],
    ["2025-02-28", "A", "张伟", "有效商机", "6"],
    ["2025-02-28", "B", "王芳", "高潜线索", ""],
    ["2025-03-31", "A", "张伟", "赢单", "7"],
    ["2025-03-31", "C", "张伟", "线索", ""],
]
VISITS = [
    ("A", 1, "T0", "T2", "2025-01-31", "2025-02-28"),
    ("A", 2, "T2", "won", "2025-02-28", "2025-03-31"),
    ("B", 1, "T1", "gone", "2025-01-31", "2025-03-31"),
    ("C", 1, "T0", "open", "2025-03-31", ""),
]


def test_a_column_of_snapshot_days(read: Read) -> None:
    intake = read([HEADER, *ROWS])
    assert short(intake.visits) == VISITS
    assert intake.visits["amount_cents"].tolist()[:2] == [500, 600]
    assert told(intake) == [("monthly_resolution", None, "2025-01-31 … 2025-03-31 (3)", "noted")]
    assert intake.sources[0].shape == "snapshots"
    assert intake.as_of == date(2025, 3, 31)


def test_an_amount_that_a_later_snapshot_leaves_blank_is_still_known(read: Read) -> None:
    days = ("2025-01-31", "2025-02-28", "2025-03-31")
    rows = [[day, "A", "张伟", "线索", amount] for day, amount in zip(days, ("5", "6", ""), strict=True)]
    assert read([HEADER, *rows]).visits["amount_cents"].tolist() == [600]


def test_the_order_of_rows_does_not_matter(read: Read) -> None:
    assert short(read([HEADER, *ROWS[::-1]]).visits) == VISITS


@pytest.mark.parametrize("header", ["月份", "快照日期"])
def test_a_month_is_its_last_day(read: Read, header: str) -> None:
    assert short(read([[header, *HEADER[1:]], *([r[0][:7], *r[1:]] for r in ROWS)]).visits) == VISITS


@pytest.mark.parametrize("name", ["pipeline_{}.csv", "商机{}.csv", "{} 导出.csv"])
@pytest.mark.parametrize("style", [lambda d: d, lambda d: d.replace("-", ""), lambda d: d[:7]])
def test_one_file_a_month_with_the_day_in_its_name(tmp_path: Path, name: str, style: Callable[[str], str]) -> None:
    paths = []
    for day in ("2025-01-31", "2025-02-28", "2025-03-31"):
        paths.append(tmp_path / name.format(style(day)))
        paths[-1].write_bytes(csv_bytes([HEADER[1:], *(r[1:] for r in ROWS if r[0] == day)]))
    assert short(read_sources(paths, Settings()).visits) == VISITS
    assert short(read_sources([tmp_path], Settings()).visits) == VISITS


def test_files_of_different_opportunities_are_no_snapshots(tmp_path: Path) -> None:
    for day, number in (("2025-01-31", 1), ("2025-02-28", 2)):
        rows = [["id", "stage", "created"], [number, "T1", "2025-01-01"]]
        (tmp_path / f"{day}.csv").write_bytes(csv_bytes(rows))
    intake = read_sources([tmp_path], Settings())
    assert {s.shape for s in intake.sources} == {"current_stage"}
    assert [v[4] for v in short(intake.visits)] == ["2025-01-01"] * 2


def test_days_that_the_rows_know_themselves(read: Read) -> None:
    rows = [
        ["snapshot date", "id", "stage", "created", "date entered", "close date"],
        ["2025-01-31", "A", "T0", "2025-01-05", "2025-01-07", "2025-12-31"],
        ["2025-02-28", "A", "T1", "2025-01-05", "2025-02-11", "2025-12-31"],
        ["2025-03-31", "A", "won", "2025-01-05", "", "2025-03-09"],
        ["2025-01-31", "B", "T0", "2025-03-05", "2025-03-07", ""],
        ["2025-03-31", "C", "lost", "2025-03-05", "", "2025-03-07"],
        ["2025-03-31", "D", "lost", "", "", ""],
    ]
    intake = read(rows)
    assert short(intake.visits) == [
        ("A", 1, "T0", "T1", "2025-01-07", "2025-02-11"),
        ("A", 2, "T1", "won", "2025-02-11", "2025-03-09"),
        ("B", 1, "T0", "gone", "2025-01-31", "2025-02-28"),
        ("C", 1, "T0", "lost", "2025-03-05", "2025-03-07"),
    ]
    assert [i[:3] for i in told(intake) if i[3] == "refused"] == [("missing_date", 7, "lost")]


def test_what_vanishes_and_returns_makes_two_visits(read: Read) -> None:
    rows = [["snapshot", "id", "stage"], *([f"2025-0{m}-01", "B", "T0"] for m in (1, 2, 3, 4))]
    rows += [[f"2025-0{m}-01", "A", "T1"] for m in (1, 3, 4)]
    assert [v for v in short(read(rows).visits) if v[0] == "A"] == [
        ("A", 1, "T1", "gone", "2025-01-01", "2025-02-01"),
        ("A", 2, "T1", "open", "2025-03-01", ""),
    ]


def test_rows_twice_in_one_snapshot(read: Read) -> None:
    rows = [["snapshot", "id", "stage"], ["2025-01-01", "A", "T0"], ["2025-01-01", "A", "T0"]]
    rows += [["2025-02-01", "A", "T0"], ["2025-02-01", "A", "T1"], ["2025-02-30", "A", "T1"], ["2025-02-01", "", "T1"]]
    codes = [i[:2] for i in told(read(rows)) if i[1]]
    assert codes == [("duplicate_row", 3), ("conflicting_row", 5), ("bad_date", 6), ("missing_id", 7)]


def test_one_snapshot_is_a_list_of_current_stages_or_refused(read: Read) -> None:
    rows = [["export date", "id", "stage", "created"], ["2025-01-31", "A", "T0", "2025-01-05"]]
    intake = read(rows)
    assert short(intake.visits) == [("A", 1, "T0", "open", "2025-01-05", "")]
    assert intake.sources[0].shape == "current_stage"
    with pytest.raises(InputError, match="one_snapshot"):
        read([r[:3] for r in rows])


@pytest.mark.parametrize(
    ("name", "day"),
    [
        ("a_2025-06-30.csv", date(2025, 6, 30)),
        ("2025.6.3 x.csv", date(2025, 6, 3)),
        ("商机2025年6月.xlsx", date(2025, 6, 30)),
        ("20250630T120000.csv", date(2025, 6, 30)),
        ("202502.csv › Sheet1", date(2025, 2, 28)),
        ("a_2025-02-30.csv", None),
        ("a_2025.csv", None),
        ("order 1202506301.csv", None),
        ("a_202513.csv", None),
    ],
)
def test_the_day_in_a_name(name: str, day: date | None) -> None:
    assert day_in_name(name) == day


@profile(max_examples=80)
@given(
    table=st.dictionaries(
        st.tuples(st.integers(0, 4), st.sampled_from("ABCD")), st.sampled_from([*STAGES, "won", "lost"]), min_size=1
    )
)
def test_on_the_day_of_a_snapshot_the_reserve_is_what_it_shows(
    tmp_path_factory: pytest.TempPathFactory, table: dict[tuple[int, str], str]
) -> None:
    days = [date(2025, m, 28) for m in range(1, 6)]
    rows: list[list[Any]] = [["snapshot", "id", "stage"], *([d.isoformat(), "Z", "T0"] for d in days)]
    rows += [[days[k].isoformat(), name, stage] for (k, name), stage in table.items()]
    path = tmp_path_factory.getbasetemp() / "snapshots.csv"
    path.write_bytes(csv_bytes(rows))
    visits = read_sources([path], ALL).visits
    for k, day in enumerate(days):
        number = day_number(day)
        left = visits["left_day"].fillna(10**6)
        standing = visits[(visits["entered_day"] <= number) & (left > number)]
        shown = {name: stage for (n, name), stage in table.items() if n == k and stage in STAGES} | {"Z": "T0"}
        assert dict(zip(standing["opportunity_id"], standing["stage"], strict=True)) == shown
    assert isinstance(visits, pd.DataFrame)
