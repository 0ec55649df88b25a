"""Every cause for which a row is refused, repaired or remarked upon; and that the account adds up."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from crm_files import csv_bytes

from xlfunnel.crm import Intake, read_sources
from xlfunnel.errors import InputError
from xlfunnel.settings import Settings
from xlfunnel.strings import words
from xlfunnel.terms import IssueCode

Read = Callable[..., Intake]
Told = Callable[[Intake], list[tuple[str, int | None, str, str]]]

H = ["id", "owner", "stage", "entered", "left", "amount"]
GOOD = ["A", "Ann", "T1", "2025-01-01", "", "5"]


@pytest.mark.parametrize(
    ("row", "issue"),
    [
        (["", "Ann", "T1", "2025-01-01"], ("missing_id", 3, "", "refused")),
        (["B", "Ann", "", "2025-01-01"], ("missing_stage", 3, "B", "refused")),
        (["B", "Ann", "天使轮", "2025-01-01"], ("unknown_stage", 3, "天使轮", "refused")),
        (["B", "Ann", "won", "2025-01-01"], ("missing_stage", 3, "won", "refused")),
        (["B", "Ann", "T1", ""], ("missing_date", 3, "B", "refused")),
        (["B", "Ann", "T1", "2025-02-30"], ("bad_date", 3, "2025-02-30", "refused")),
        (["B", "Ann", "T1", "2025-01-09", "soon"], ("bad_date", 3, "soon", "refused")),
        (["B", "Ann", "T1", "2025-01-09", "2025-01-08"], ("left_before_entered", 3, "2025-01-08", "refused")),
        (["合计", "", "", "", "", "105"], ("total_row", 3, "合计", "refused")),
        (["", "Total:", "", "", "", "105"], ("total_row", 3, "Total:", "refused")),
        (["B", "Ann", "T1", "2025-01-09", "", "面议"], ("bad_amount", 3, "面议", "noted")),
        (["B", "", "T1", "2025-01-09"], ("missing_owner", 3, "B", "noted")),
        (["B", "Ann", "T1", "2025-04-09"], ("future_date", 3, "2025-04-09", "noted")),
        (["B", "An\u200bn", "T1", "2025-01-09"], ("cleaned_text", 3, "An\u200bn", "repaired")),
        (["B", "Ann", "\u3000T1", "2025-01-09"], ("cleaned_text", 3, "\u3000T1", "repaired")),
        (GOOD, ("duplicate_row", 3, "A", "repaired")),
    ],
    ids=lambda v: v[0] if isinstance(v, tuple) else None,
)
def test_history_rows(read: Read, issues_of: Told, row: list[str], issue: tuple[Any, ...]) -> None:
    intake = read([H, GOOD, row], as_of=date(2025, 3, 31))
    assert issues_of(intake) == [issue]
    assert intake.issues[0].source == "opportunities.csv"
    source = intake.sources[0]
    refused, repaired = issue[3] == "refused", issue[3] == "repaired"
    assert (source.rows_read, source.rows_used, source.rows_repaired, source.rows_refused) == (
        2,
        1 if refused else 2,
        int(repaired),
        int(refused),
    )
    assert len(intake.visits) == (1 if refused or issue[0] == "duplicate_row" else 2)


@pytest.mark.parametrize(
    ("rows", "issues", "cents"),
    [
        ([["A", "T1", "2025-01-01", "5"], ["A", "T1", "2025-01-01", "7.5"]], [(2, "5 ≠ 7.5")], [750]),
        ([["A", "T1", "2025-01-01", "5"], ["A", "T1", "2025-01-01", ""]], [], [500]),
        ([["A", "T1", "2025-01-01", "5"], ["A", "T1", "2025-01-02", "7.5"]], [], [750]),
        ([["A", "T1", "2025-01-01 09:00", "5"], ["A", "T1", "2025-01-01 09:01", "7.5"]], [], [750]),
        ([["A", "T1", "2025-01-01", "5"], ["A", "T2", "2025-01-01", "7.5"]], [], [500, 750]),
        ([["A", "T1", "2025-01-01", "5"], ["A", "T1", "2025-01-01", "7.5", "Bob"]], [], [500, 750]),
        (
            [["A", "T2", "2025-02-01", "1"], ["A", "T1", "2025-01-01", "5"], ["A", "T1", "2025-01-01", "7.5"]],
            [(4, "7.5 ≠ 5")],  # the newest row stands first in this file
            [500, 100],
        ),
    ],
    ids=["conflict", "one is blank", "another day", "another minute", "another stage", "another owner", "newest first"],
)
def test_amounts_of_one_stage_and_moment_that_differ_are_shown(
    read: Read, rows: list[list[str]], issues: list[tuple[int, str]], cents: list[int]
) -> None:
    owned = [[*r, "Ann"][:5] for r in rows]
    intake = read([["id", "stage", "entered", "amount", "owner"], *owned])
    found = [(i.row, i.value) for i in intake.issues if i.code == IssueCode.CONFLICTING_ROW]
    assert found == issues
    assert intake.visits["amount_cents"].tolist() == cents
    assert all(i.treatment == "noted" for i in intake.issues)


def test_amounts_that_differ_between_two_files_are_shown(tmp_path: Path, issues_of: Told) -> None:
    for name, amount in (("a.csv", "5"), ("b.csv", "6")):
        (tmp_path / name).write_bytes(csv_bytes([H, [*GOOD[:5], amount]]))
    intake = read_sources([tmp_path / "a.csv", tmp_path / "b.csv"], Settings())
    assert intake.visits["amount_cents"].tolist() == [600]
    assert issues_of(intake) == [("conflicting_row", 2, "5 ≠ 6", "noted")]


def test_a_bad_amount_leaves_the_amount_unknown(read: Read) -> None:
    visits = read([H, GOOD, ["B", "Ann", "T1", "2025-01-09", "", "面议"]]).visits
    assert visits["amount_cents"].isna().tolist() == [False, True]


@pytest.mark.parametrize(
    ("row", "issue"),
    [
        (["B", "T1", "", ""], ("missing_date", 3, "B", "refused")),
        (["B", "T1", "soon", ""], ("bad_date", 3, "soon", "refused")),
        (["B", "won", "2025-01-01", ""], ("missing_date", 3, "B", "refused")),
        (["B", "won", "2025-01-05", "2025-01-04"], ("left_before_entered", 3, "2025-01-04", "refused")),
        (["B", "won", "2025-01-05", "?"], ("bad_date", 3, "?", "refused")),
        (["A", "T1", "2025-01-01", ""], ("duplicate_row", 3, "A", "repaired")),
        (["A", "T2", "2025-01-01", ""], ("conflicting_row", 3, "A", "refused")),
    ],
)
def test_current_stage_rows(read: Read, issues_of: Told, row: list[str], issue: tuple[Any, ...]) -> None:
    intake = read([["id", "stage", "created", "close date"], ["A", "T1", "2025-01-01", ""], row])
    assert [i for i in issues_of(intake) if i[0] != "missing_owner"] == [issue]


@pytest.mark.parametrize(
    ("row", "issue"),
    [
        (["B", "", "", "", ""], ("missing_date", 3, "B", "refused")),
        (["B", "2025-01-05", "2025-01-04", "", ""], ("left_before_entered", 3, "2025-01-04", "refused")),
        (["B", "2025-01-05", "x", "", ""], ("bad_date", 3, "x", "refused")),
        (["B", "2025-01-05", "", "2025-01-04", ""], ("left_before_entered", 3, "2025-01-04", "refused")),
        (["B", "2025-01-05", "", "2025-02-01", "2025-02-02"], ("conflicting_row", 3, "2025-02-02", "refused")),
        (["A", "2025-01-01", "2025-01-02", "", ""], ("conflicting_row", 3, "A", "refused")),
    ],
)
def test_stage_dates_rows(read: Read, issues_of: Told, row: list[str], issue: tuple[Any, ...]) -> None:
    intake = read([["id", "T1", "T2", "won date", "lost date"], ["A", "2025-01-01", "", "", ""], row])
    assert [i for i in issues_of(intake) if i[0] != "missing_owner"] == [issue]


@pytest.mark.parametrize(
    ("row", "issue"),
    [
        (["2025-01", "Bob", "T1", "some"], ("bad_count", 3, "some", "refused")),
        (["2025-01", "Bob", "T1", ""], ("bad_count", 3, "", "refused")),
        (["", "Bob", "T1", "3"], ("missing_date", 3, "", "refused")),
        (["6月", "Bob", "T1", "3"], ("bad_date", 3, "6月", "refused")),
        (["2025-01", "Bob", "won", "3"], ("no_reserve", 3, "won", "noted")),
        (["2025-01", "", "T1", "3"], ("missing_owner", 3, "2025-01", "noted")),
        (["2025-01", "合计", "T1", "3"], ("total_row", 3, "合计", "refused")),
        (["2025-01", "Ann", "T1", "4"], ("conflicting_row", 3, "Ann T1", "refused")),
        (["2025-01", "Ann", "T1", "3"], ("duplicate_row", 3, "Ann T1", "repaired")),
    ],
)
def test_aggregated_rows(read: Read, issues_of: Told, row: list[str], issue: tuple[Any, ...]) -> None:
    intake = read([["month", "owner", "stage", "count"], ["2025-01", "Ann", "T1", "3"], row])
    assert issues_of(intake) == [issue]


def test_history_of_unknown_opportunities(read: Read, issues_of: Told) -> None:
    history = [
        ["id", "owner", "stage", "entered"],
        ["A", "", "T1", "2025-01-01"],
        ["B", "", "T1", "2025-01-01"],
        ["C", "Cy", "T1", "2025-01-01"],
    ]
    intake = read([["id", "owner"], ["A", "Ann"], ["Z", "Zoe"]], history=history)
    assert issues_of(intake) == [
        ("missing_date", 3, "Z", "refused"),
        ("orphan_history", 3, "B", "refused"),
        ("orphan_history", 4, "C", "noted"),
    ]
    assert intake.visits["owner"].tolist() == ["Ann", "Cy"]


def test_a_file_without_owners_is_remarked_upon_once(read: Read, issues_of: Told) -> None:
    intake = read([["id", "stage", "entered"], *([str(i), "T1", "2025-01-01"] for i in range(50))])
    assert issues_of(intake) == [("missing_owner", None, "", "noted")]


def test_an_owner_whom_the_owners_file_does_not_know(read: Read, issues_of: Told) -> None:
    rows = [H, GOOD, ["B", "Bob", "T1", "2025-01-01"], ["C", "Bob", "T1", "2025-01-01"]]
    intake = read(rows, owners=[["owner", "region"], ["Ann", "West"]])
    assert issues_of(intake) == [("owner_without_region", None, "Bob", "noted")]
    assert intake.issues[0].source == "owners.csv"


def test_the_first_reason_is_the_only_one(read: Read, issues_of: Told) -> None:
    intake = read([H, GOOD, ["", "", "天使轮", "never", "x", "y"]])
    assert issues_of(intake) == [("missing_id", 3, "", "refused")]


def test_row_numbers_count_title_and_blank_rows(read: Read, issues_of: Told) -> None:
    rows = [["Pipeline 2025"], [], H, GOOD, [], ["", " ", "\u3000"], ["B", "Ann", "T9", "2025-01-01"]]
    intake = read(rows)
    assert issues_of(intake) == [("unknown_stage", 7, "T9", "refused")]
    assert intake.sources[0].rows_read == 2


def test_too_many_refused(read: Read) -> None:
    rows = [H, *([f"A{i}", "Ann", "T1", "2025-01-01"] for i in range(7))]
    rows += [["B", "Ann", "?", "2025-01-01"], ["C", "Ann", "?", "2025-01-01"], ["D", "Ann", "T1", ""]]
    assert len(read(rows, Settings(refuse_share=0.3)).visits) == 7
    with pytest.raises(InputError, match="too_many_refused") as e:
        read(rows, Settings(refuse_share=0.29))
    assert e.value.params["cause"] == IssueCode.UNKNOWN_STAGE
    assert "10 行数据中有 3 行" in words("zh-CN")(e.value.code, **e.value.params)
    assert '"Unknown stage" (2 rows)' in words("en")(e.value.code, **e.value.params)


def test_rows_of_totals_do_not_count_as_refused(read: Read) -> None:
    assert len(read([H, GOOD, ["合计", "", "", "", "", "5"]], Settings(refuse_share=0)).visits) == 1


def test_the_same_opportunity_in_two_shapes_is_taken_from_its_history(tmp_path: Path, issues_of: Told) -> None:
    header = ["id", "owner", "stage", "created", "close date"]
    current = [header, ["A", "Ann", "T1", "2025-01-01", ""], ["B", "Ann", "T2", "2025-01-01", ""]]
    (tmp_path / "history.csv").write_bytes(csv_bytes([H, GOOD]))
    (tmp_path / "current.csv").write_bytes(csv_bytes(current))
    intake = read_sources([tmp_path / "current.csv", tmp_path / "history.csv"], Settings(refuse_share=1))
    assert intake.visits["opportunity_id"].tolist() == ["A", "B"]
    assert issues_of(intake) == [("conflicting_row", 2, "A", "refused")]


def test_a_history_in_two_files_is_one_history(tmp_path: Path) -> None:
    for name, row in (("a.csv", GOOD), ("b.csv", ["A", "Ann", "T2", "2025-02-01"])):
        (tmp_path / name).write_bytes(csv_bytes([H, row]))
    told: list[str] = []
    intake = read_sources([tmp_path / "b.csv", tmp_path / "a.csv"], Settings(), progress=told.append)
    assert intake.visits["next_stage"].tolist() == ["T2", "open"]
    assert told == ["b.csv", "a.csv"]


def test_every_cause_has_its_words_in_both_languages() -> None:
    for language in ("zh-CN", "en"):
        assert all(words(language).has(f"issues.code.{code}") for code in IssueCode)


def test_a_column_of_percentages_is_named_once_and_gives_no_amounts(read: Read) -> None:
    rows = [["id", "owner", "stage", "entered", "amount"], *([i, "Ann", "T1", "2025-01-01", "45%"] for i in "ABC")]
    intake = read(rows)
    assert [(i.code, i.row, i.value) for i in intake.issues] == [("percent_column", None, "amount")]
    assert intake.visits["amount_cents"].isna().all()
    assert intake.sources[0].rows_clean == 3
