"""What is used all the same, and remarked upon."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from crm_files import told

from xlfunnel.crm import Intake
from xlfunnel.crm.ledger import Ledger
from xlfunnel.crm.remarks import similar_owners

Read = Callable[..., Intake]
H = ["id", "owner", "stage", "entered"]


def remarks(intake: Intake) -> list[tuple[str, str]]:
    return [(code, value) for code, row, value, treatment in told(intake) if row is None and treatment == "noted"]


def test_steps_back(read: Read) -> None:
    rows = [["A", "Ann", "T1", "2025-01-01"], ["A", "Ann", "T0", "2025-01-02"], ["B", "Ann", "T0", "2025-01-02"]]
    assert remarks(read([H, *rows])) == [("stage_backwards", "1 (A)")]


def test_rows_out_of_order_in_time(read: Read) -> None:
    days = ["2025-01-01", "2025-01-03", "2025-01-02", "2025-01-04"]
    rows = [["A", "Ann", f"T{i}", d] for i, d in zip((0, 2, 1, 3), days, strict=True)]
    assert remarks(read([H, *rows])) == [("out_of_order", "1 (A)")]
    assert remarks(read([H, *sorted(rows, key=lambda r: r[3])])) == []
    assert remarks(read([H, *sorted(rows, key=lambda r: r[3], reverse=True)])) == []


def test_two_changes_of_one_moment(read: Read) -> None:
    rows = [["A", "Ann", "T0", "2025-01-01"], ["A", "Ann", "T1", "2025-01-01"], ["B", "Ann", "T1", "2025-01-01"]]
    assert remarks(read([H, *rows])) == [("same_instant", "1 (A)")]
    later = [["A", "Ann", "T0", "2025-01-01 09:00"], ["A", "Ann", "T1", "2025-01-01 09:01"]]
    assert remarks(read([H, *later])) == []


@pytest.mark.parametrize(
    ("owners", "pairs"),
    [
        (["Ann Lee", "Lee, Ann", "Bob"], ["Ann Lee ≈ Lee, Ann"]),
        (["Jennifer Smith", "Jenifer Smith"], ["Jenifer Smith ≈ Jennifer Smith"]),
        (["张伟", "张伟(离职)", "张伟2"], ["张伟 ≈ 张伟(离职)", "张伟 ≈ 张伟2", "张伟(离职) ≈ 张伟2"]),
        (["张伟", "张炜", "王芳", "王方"], []),
        (["张伟", "张 伟", "伟张"], ["张 伟 ≈ 张伟"]),
        (["ANN", "Ann", "Anne"], ["ANN ≈ Ann"]),
        (["Ann", "", "Jan"], []),
    ],
)
def test_owners_whose_names_look_alike(owners: list[str], pairs: list[str]) -> None:
    ledger = Ledger()
    similar_owners(owners, "a.csv", ledger)
    assert [i.value for i in ledger.issues()] == pairs


def test_owners_are_suggested_not_merged(read: Read) -> None:
    intake = read([H, ["A", "Ann Lee", "T1", "2025-01-01"], ["B", "ann  lee", "T1", "2025-01-01"]])
    assert remarks(intake) == [("similar_owner", "Ann Lee ≈ ann  lee")]
    assert sorted(set(intake.visits["owner"])) == ["Ann Lee", "ann  lee"]


def test_the_nearest_stage_stands_beside_an_unknown_one(read: Read) -> None:
    rows = [
        ["A", "Ann", "Propsal", "2025-01-01"],
        ["B", "Ann", "天使轮", "2025-01-01"],
        ["C", "Ann", "T1", "2025-01-01"],
    ]
    assert [(i.row, i.value) for i in read([H, *rows]).issues] == [(2, "Propsal ≈ proposal"), (3, "天使轮")]


def test_a_date_of_the_far_future_is_not_what_the_data_look_back_from(read: Read) -> None:
    start = date(2025, 1, 1)
    rows = [[f"{i}", "Ann", "T1", (start + timedelta(i)).isoformat()] for i in range(60)]
    intake = read([H, *rows, ["X", "Ann", "T1", "2052-01-01"]])
    assert intake.as_of == start + timedelta(59)
    assert [i for i in told(intake) if i[0] == "future_date"] == [("future_date", 62, "2052-01-01", "noted")]
    assert read([H, *rows[:3], ["X", "Ann", "T1", "2052-01-01"]]).as_of == start + timedelta(2)
    later = start + timedelta(9 * 366)  # few rows may well lie years apart
    assert read([H, *rows[:3], ["X", "Ann", "T1", later.isoformat()]]).as_of == later
