"""Amounts and counts: truth tables by hand."""

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlfunnel.crm.amounts import amount, cents, counts, header_unit, is_share, mark


@pytest.mark.parametrize(
    ("text", "cents_expected"),
    [
        ("1054", 105400),
        ("1,054", 105400),
        ("¥1,054", 105400),
        ("￥1,054", 105400),
        ("$1,054", 105400),
        ("1,054.50", 105450),
        ("US$1,054", 105400),
        ("CNY 1,054", 105400),
        ("1054元", 105400),
        ("1,054.5 人民币", 105450),
        ("12.5万", 12500000),
        ("12.5万元", 12500000),
        ("¥12.5 万", 12500000),
        ("1.2亿", 12000000000),
        ("3k", 300000),
        ("3w", 3000000),
        ("2千", 200000),
        ("1百万", 100000000),
        ("1.5M", 150000000),
        ("(1,000)", -100000),
        ("(¥1,000)", -100000),
        ("-¥5", -500),
        ("¥-5", -500),
        ("−5", -500),
        ("+5", 500),
        ("0", 0),
        ("1.2E+05", 12000000),
        ("1.054,50 €", 105450),
        ("12,3456", 12345600),
        ("1'054", 105400),
        ("１，０５４", 105400),
        (".5", 50),
        ("0.005", 1),
        ("0.004", 0),
        ("1\u00a0054", 105400),
    ],
)
def test_every_way_to_write_an_amount(text: str, cents_expected: int) -> None:
    values, bad = cents(np.array([text], dtype=object))
    assert values[0] == cents_expected
    assert not bad[0]


@pytest.mark.parametrize(
    "text",
    ["面议", "about 5", "12,5", "1,05", "1.2.3", "5%", "--5", "(-5)", "1e999", "9" * 30, "5 6 x", "2025-06-30", "abc5"],
)
def test_no_amount_is_guessed(text: str) -> None:
    values, bad = cents(np.array([text], dtype=object))
    assert bad[0]
    assert values.isna()[0]


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (["1.234,56", "10.000", "12,5", "1.234.567", "7"], [123456, 1000000, 1250, 123456700, 700]),
        (["1234,56 €", "99,9", "€ 1.000"], [123456, 9990, 100000]),
        (["(1,50)", "-2,25", "3,5万"], [-150, -225, 3500000]),
        (["12,5", "10.000"], [None, 1000]),  # one may be a slip of the pen
        (["1.234,56", "10.50", "10.000"], [123456, 1050, 1000]),  # neither way: each as it stands
        (["12,5", "13,5", "1,234.00"], [None, None, 123400]),
        (["1,234", "10,000", "12"], [123400, 1000000, 1200]),
        ([12.5, "1.234,56", "10.000"], [1250, 123456, 1000000]),
    ],
)
def test_a_column_tells_point_from_comma(column: list[object], expected: list[int | None]) -> None:
    values, bad = cents(np.array(column, dtype=object))
    assert [None if b else v for v, b in zip(values.tolist(), bad.tolist(), strict=True)] == expected


@pytest.mark.parametrize(
    ("column", "told"),
    [
        (["7", "1.234,56", "12,5"], ", ← 1.234,56 = 1,234.56"),
        (["12,5 €", "13,5 €"], ", ← 12,5 € = 12.5"),
        (["10.000", "500"], ". ← 10.000 = 10 ≠ 10,000"),
        (["¥1.250万"], ". ← ¥1.250万 = 12,500 ≠ 12,500,000"),
        (["10.000", "9.50"], None),
        (["10.000", "0.125"], None),
        (["10.000", "1234.567"], None),
        (["1,234.00", "12"], None),
        (["1234.5", "10,000"], None),
        ([10.125, 3], None),
        (["", None, "n/a"], None),
    ],
)
def test_how_decimals_were_told_is_said_where_it_had_to_be_decided(column: list[object], told: str | None) -> None:
    found = mark(np.array(column, dtype=object))
    assert (found and str(found)) == told


@pytest.mark.parametrize("cell", ["", None, "-", "无", float("nan"), "\u00a0"])
def test_a_blank_amount_is_unknown_and_not_zero(cell: object) -> None:
    values, bad = cents(np.array([cell], dtype=object))
    assert values.isna()[0]
    assert not bad[0]


def test_numbers_are_exact_to_the_cent() -> None:
    cells = np.array([1054.0, 0.1, 1.005, 2.675, 123456789012.34, True, float("inf")], dtype=object)
    values, bad = cents(cells)
    assert values.tolist()[:5] == [105400, 10, 101, 268, 12345678901234]
    assert bad.tolist() == [False] * 5 + [True] * 2


@pytest.mark.parametrize("sign", ["", "-"])
def test_ninety_trillion_is_the_most_to_the_cent(sign: str) -> None:
    most, more = f"{sign}90,000,000,000,000", f"{sign}90,000,000,000,000.01"
    values, bad = cents(np.array([most, more], dtype=object))
    assert bad.tolist() == [False, True]
    assert abs(values[0]) == 9 * 10**15


@pytest.mark.parametrize(
    ("header", "unit"),
    [
        ("金额", 1),
        ("金额(元)", 1),
        ("金额（万元）", 10_000),
        ("成交金额(万)", 10_000),
        ("Amount (k)", 1_000),
        ("Amount (M USD)", 1_000_000),
    ],
)
def test_the_header_may_name_the_unit(header: str, unit: int) -> None:
    assert header_unit(header) == unit
    assert cents(np.array(["1.5"], dtype=object), header)[0][0] == 150 * unit


def test_counts_are_whole_and_not_negative() -> None:
    values, bad = counts(np.array(["3", 4.0, 0, "", "1,200", "2.5", -1, "many"], dtype=object))
    assert values.fillna(-9).tolist() == [3, 4, 0, -9, 1200, -9, -9, -9]
    assert bad.tolist() == [False] * 5 + [True] * 3


@given(st.decimals(-(10**12), 10**12, places=2), st.sampled_from(["{:f}", "{:,f}", "¥{:,f}", "{:,f}元"]))
def test_two_decimals_survive_any_style(value: Decimal, style: str) -> None:
    assert amount(style.format(value)) == value


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["45%", "80 %", "５０％", ""], True),
        (["45%", "1,000", "2,000"], False),
        (["45", "80"], False),
        ([0.45, 0.8], False),
        (["", None], False),
        (["12,5 %", "n/a"], True),
    ],
)
def test_a_column_of_percentages_is_none_of_amounts(cells: list[object], expected: bool) -> None:
    assert is_share(np.array(cells, dtype=object)) is expected
