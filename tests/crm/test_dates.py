"""Dates: truth tables by hand."""

from datetime import date, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlfunnel.calendar import day_number, month_text
from xlfunnel.crm.dates import BAD, BLANK, DAY, Slashed, moment, month, months

NOON = 12 * 3600


@pytest.mark.parametrize(
    "cell",
    [
        "2025-06-30",
        "2025/6/30",
        "2025-6-30",
        "2025.6.30",
        "2025年6月30日",
        "2025 年 6 月 30 日",
        "20250630",
        "２０２５-06-30",
        "2025-06-30T00:00:00",
        "2025-06-30T00:00:00Z",
        "2025-06-30 00:00:00.000",
        "2025-06-30 00:00:00 UTC",
        "2025-06-30T00:00:00+08:00",
        "2025-06-30T00:00:00.000+0800",
        "2025/6/30 0:00",
        "2025年6月30日 0时0分",
        "2025-06-30 周一 0:00",
        "2025-06-30 12:00 AM",
        "2025-06-30 上午 12:00",
        "30-Jun-2025",
        "30 June 2025",
        "Jun 30, 2025",
        "30.06.2025",
        "\u00a02025-06-30\u200b",
        "45838",
        "45838.0",
        45838,
        45838.0,
        20250630,
        20250630.0,
        date(2025, 6, 30),
        datetime(2025, 6, 30),
    ],
)
def test_every_way_to_write_the_30th_of_june(cell: object) -> None:
    assert moment(cell) == day_number(date(2025, 6, 30)) * DAY


@pytest.mark.parametrize(
    ("cell", "seconds"),
    [
        ("2025-06-30T23:30:00+08:00", 23 * 3600 + 1800),
        ("2025-06-30T23:30:00-11:00", 23 * 3600 + 1800),
        ("2025-06-30 1:02:03 pm", 13 * 3600 + 123),
        ("2025-06-30 下午 1:02", 13 * 3600 + 120),
        ("2025-06-30 下午 12:00", NOON),
        (datetime(2025, 6, 30, 12), NOON),
        (45838.5, NOON),
        ("45838.5", NOON),
    ],
)
def test_the_date_is_kept_as_written_whatever_the_zone(cell: object, seconds: int) -> None:
    assert moment(cell) == day_number(date(2025, 6, 30)) * DAY + seconds


@pytest.mark.parametrize("cell", ["", " ", "-", "—", "N/A", "#N/A", "NULL", "无", "\u00a0", "\u3000"])
def test_nothing_is_blank(cell: str) -> None:
    assert moment(cell) == BLANK


@pytest.mark.parametrize(
    "cell",
    [
        "soon",
        "2025-02-30",
        "2025-13-01",
        "2025-06",
        "20251301",
        "0000-00-00",
        "0025-06-30",
        "1899-12-30",
        "6/30/25",
        "12",
        "2025-06-30 25:00",
        "2025-06-30 10:61",
        "x" * 100,
        0,
        1.5,
        -5,
        1e300,
        float("inf"),
        True,
        "30-Xyz-2025",
        "123456",
        "2025-06-30 later",
        "1751241600",
    ],
)
def test_no_date_is_guessed(cell: object) -> None:
    assert moment(cell) == BAD


def test_serial_numbers_of_the_1904_calendar_are_1462_days_later() -> None:
    assert moment(44376, epoch_1904=True) == moment(45838) == day_number(date(2025, 6, 30)) * DAY


@pytest.mark.parametrize(
    "cell",
    [
        "2025-06",
        "202506",
        202506,
        "2025/6",
        "2025年6月",
        "2025年06月份",
        "Jun 2025",
        "June-2025",
        "2025-06-30",
        date(2025, 6, 1),
        45838,
    ],
)
def test_every_way_to_write_june(cell: object) -> None:
    assert month_text(month(cell)) == "2025-06"


@pytest.mark.parametrize("cell", ["6月", "2025", "2025-13", "June", "3/4/2025"])
def test_no_month_is_guessed(cell: object) -> None:
    assert month(cell) == BAD


def test_months_of_a_column_with_blanks() -> None:
    assert months(np.array(["2025-06", None, "", "?"], dtype=object)).tolist() == [665, BLANK, BLANK, BAD]


@given(st.dates(date(1950, 1, 1), date(2098, 12, 31)), st.integers(0, DAY - 1))
def test_all_unambiguous_styles_agree(day: date, second: int) -> None:
    stamp = datetime(day.year, day.month, day.day) + timedelta(seconds=second)
    expected = day_number(day) * DAY + second
    serial = (day - date(1899, 12, 30)).days
    assert moment(stamp) == moment(stamp.isoformat()) == moment(f"{stamp:%Y/%m/%d %H:%M:%S}") == expected
    assert moment(f"{day.year}年{day.month}月{day.day}日") == moment(serial) == moment(str(serial)) == expected - second
    slashed = moment(f"{day.month}/{day.day}/{day.year}")
    assert isinstance(slashed, Slashed)
    assert slashed.seconds(month_first=True) == expected - second


@given(st.one_of(st.text(max_size=30), st.floats(), st.integers(), st.binary(max_size=5)))
def test_whatever_is_in_the_cell_there_is_an_answer(cell: object) -> None:
    assert isinstance(moment(cell), int | Slashed)
    assert isinstance(month(cell), int)
