"""Month/day or day/month: what decides, what is said about it, and what is refused."""

from collections.abc import Callable
from datetime import date
from typing import Any

import numpy as np
import pytest
from crm_files import short, told

from xlfunnel.calendar import day_number
from xlfunnel.crm import Intake
from xlfunnel.crm.dates import BAD, DAY, moments
from xlfunnel.crm.day_month import Decision, decisions
from xlfunnel.errors import InputError
from xlfunnel.settings import Settings
from xlfunnel.strings import words

Read = Callable[..., Intake]


def decided(pairs: tuple[tuple[str, str], ...] = (), **columns: list[object]) -> dict[str, Decision]:
    cells = {name: np.array(values, dtype=object) for name, values in columns.items()}
    return decisions(cells, pairs, {name: name.upper() for name in columns})


@pytest.mark.parametrize(
    ("values", "expected", "evidence"),
    [
        (["3/4/2025", "6/30/2025"], [date(2025, 3, 4), date(2025, 6, 30)], "M/D ← 6/30/2025"),
        (["3/4/2025", "30/6/2025"], [date(2025, 4, 3), date(2025, 6, 30)], "D/M ← 30/6/2025"),
        (["3-4-2025", "30-6-2025"], [date(2025, 4, 3), date(2025, 6, 30)], "D/M ← 30-6-2025"),
        (["5/5/2025", "7/7/2025"], [date(2025, 5, 5), date(2025, 7, 7)], ""),
        (
            ["6/30/2025 23:59", date(2025, 1, 2), 45838],
            [date(2025, 6, 30), date(2025, 1, 2), date(2025, 6, 30)],
            "M/D ← 6/30/2025 23:59",
        ),
    ],
    ids=["month first", "day first", "day first with hyphens", "the same either way", "mixed with real dates"],
)
def test_the_column_tells(values: list[object], expected: list[date], evidence: str) -> None:
    decision = decided(a=values)["a"]
    assert decision.evidence == evidence
    found = moments(np.array(values, dtype=object), month_first=bool(decision.month_first))
    assert (found // DAY).tolist() == [day_number(d) for d in expected]


def test_nothing_is_said_where_nothing_could_be_misread(read: Read) -> None:
    intake = read([["id", "owner", "stage", "entered"], ["A", "Ann", "T1", "6/30/2025"]], Settings())
    assert intake.issues == ()


def test_columns_without_slashes_need_no_decision() -> None:
    assert decided(a=["2025-06-30", "", None], b=[45838, date(2025, 1, 2)]) == {}


def test_a_column_that_is_the_same_either_way_tells_nothing_of_others() -> None:
    assert decided(a=["3/4/2025"], b=["5/5/2025"])["a"] == Decision(None, example="3/4/2025")


def test_a_date_that_fits_one_reading_is_no_example_of_either() -> None:
    assert decided(a=["30/6/2025"])["a"] == Decision(False, "D/M ← 30/6/2025")
    assert decided(a=["6/30/2025"])["a"] == Decision(True, "M/D ← 6/30/2025")


@pytest.mark.parametrize(("days", "strays", "mixed"), [(3, 1, False), (3, 2, True), (99, 2, True), (100, 2, False)])
def test_one_stray_is_a_slip_and_so_are_two_in_a_hundred(days: int, strays: int, mixed: bool) -> None:
    column: list[object] = [f"{13 + i % 18}/1/{2000 + i // 18}" for i in range(days)]
    assert decided(a=[*column, *(f"1/{13 + i}/2025" for i in range(strays))])["a"].is_mixed == mixed


def test_another_column_of_the_table_tells() -> None:
    assert decided(a=["3/4/2025"], b=["30/6/2025", "1/2/2025"])["a"] == Decision(False, "D/M ← B", "3/4/2025")


def test_each_column_may_have_an_order_of_its_own() -> None:
    made = decided(a=["30/6/2025", "1/2/2025"], b=["6/30/2025", "1/2/2025"], c=["1/2/2025"])
    assert [made[n].month_first for n in "abc"] == [False, True, None]


def test_the_order_in_time_tells() -> None:
    made = decided((("a", "b"),), a=["3/4/2025", "1/1/2025"], b=["1/5/2025", "2/2/2025"])
    assert made["a"] == Decision(False, "D/M ← 3/4/2025 > 1/5/2025 (1 : 0)", "3/4/2025")
    assert made["b"].month_first is False, "4 March is after 5 January, so these must be 3 April and 1 May"


def test_dates_that_are_certain_help_to_tell() -> None:
    made = decided((("a", "b"),), a=["2025-03-20"], b=["4/3/2025"])
    assert made["b"].month_first is True, "4 March would be before 20 March, 3 April is not"


def test_a_contradiction_on_both_sides_tells_nothing() -> None:
    made = decided((("a", "b"),), a=["3/4/2025", "4/3/2025"], b=["1/5/2025", "5/1/2025"])
    assert made["a"].month_first is None


def test_one_typing_error_among_many_is_a_bad_date_not_a_second_order() -> None:
    values = [f"6/{d}/2025" for d in range(13, 31)] + ["30/6/2025"]
    assert decided(a=values)["a"].month_first is True
    assert moments(np.array(values, dtype=object), month_first=True)[-1] == BAD


@pytest.mark.parametrize("values", [["6/30/2025", "30/6/2025"], ["6/30/2025", "7/31/2025", "30/6/2025", "31/7/2025"]])
def test_two_orders_in_one_column_are_refused(read: Read, values: list[object]) -> None:
    assert decided(a=values)["a"].is_mixed
    with pytest.raises(InputError, match="mixed_dates") as e:
        read([["id", "stage", "entered"], *([i, "T1", v] for i, v in enumerate(values))])
    assert e.value.params["column"] == "entered"


def test_ambiguous_dates_are_refused(read: Read) -> None:
    rows = [["id", "stage", "created"], ["A", "T1", "3/4/2025"], ["B", "T1", "5/6/2025"]]
    with pytest.raises(InputError, match="ambiguous_dates") as e:
        read(rows)
    assert (e.value.params["column"], e.value.params["example"]) == ("created", "3/4/2025")


def test_the_evidence_is_reported(read: Read) -> None:
    rows: list[list[Any]] = [["id", "owner", "stage", "Created", "Close date"]]
    rows += [["A", "Ann", "won", "3/4/2025", "1/5/2025"], ["B", "Ann", "won", "1/2/2025", "3/4/2025"]]
    intake = read(rows, Settings())
    assert [v[4:] for v in short(intake.visits)] == [("2025-04-03", "2025-05-01"), ("2025-02-01", "2025-04-03")]
    assert told(intake) == [
        ("date_order", None, "Created: D/M ← 3/4/2025 > 1/5/2025 (1 : 0)", "noted"),
        ("date_order", None, "Close date: D/M ← 3/4/2025 > 1/5/2025 (1 : 0)", "noted"),
    ]


EITHER = [["id", "owner", "stage", "entered"], ["A", "Ann", "T1", "3/4/2025"], ["B", "Ann", "T1", "5/6/2025"]]


@pytest.mark.parametrize(("order", "day"), [("day_first", "2025-04-03"), ("month_first", "2025-03-04")])
def test_settings_say_what_a_column_does_not(read: Read, order: str, day: str) -> None:
    intake = read(EITHER, Settings(date_order=order))
    assert short(intake.visits)[0][4] == day
    (remark,) = [i for i in intake.issues if i.code == "date_order"]
    assert remark.value.endswith("← date_order")


@pytest.mark.parametrize("order", ["day_first", "month_first"])
def test_what_can_only_be_one_way_is_read_that_way_whatever_the_settings_say(read: Read, order: str) -> None:
    rows = [*EITHER, ["C", "Ann", "T1", "30/6/2025"], ["D", "Ann", "T1", "29/6/2025"]]
    assert short(read(rows, Settings(date_order=order)).visits)[0][4] == "2025-04-03"


def test_of_a_column_with_both_orders_the_settings_take_one_and_refuse_the_other(read: Read) -> None:
    rows = [*EITHER, ["C", "Ann", "T1", "30/6/2025"], ["D", "Ann", "T1", "6/29/2025"]]
    with pytest.raises(InputError) as e:
        read(rows, Settings(refuse_share=1))
    assert e.value.code == "input.mixed_dates"
    intake = read(rows, Settings(refuse_share=1, date_order="day_first"))
    assert [(i.row, i.value) for i in intake.issues if i.code == "bad_date"] == [(5, "6/29/2025")]


def test_the_setting_overrules_what_only_the_order_in_time_suggests() -> None:
    columns = {"entered": ["3/1/2025", "4/2/2025"], "left": ["1/5/2025", "2/6/2025"]}
    cells = {name: np.array(values, dtype=object) for name, values in columns.items()}
    found = decisions(cells, [("entered", "left")], {n: n for n in columns}, True)
    assert {d.month_first for d in found.values()} == {True}


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_the_refusal_names_the_setting(read: Read, language: str) -> None:
    with pytest.raises(InputError) as e:
        read(EITHER)
    sentence = words(language)(e.value.code, **e.value.params)
    assert "date_order" in sentence
    assert "--date-order" in sentence
