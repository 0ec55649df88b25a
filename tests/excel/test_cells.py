"""Cells: what Python values become, and what a row's XML says."""

from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from xlfunnel.excel.cells import (
    Cell,
    Plain,
    cells_of,
    column_xml,
    new_cell,
    plain,
    plain_values,
    same,
    serial_date,
)
from xlfunnel.excel.xml_text import MAX_TEXT, clean, escape, runs_text, shown, unescape


def _none(index: int) -> str:
    raise AssertionError(index)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        (float("nan"), None),
        (float("inf"), None),
        (pd.NA, None),
        (pd.NaT, None),
        (np.float64("nan"), None),
        (Decimal("NaN"), None),
        ("", None),
        ("\x00\x1f", None),
        (True, True),
        (np.bool_(False), False),
        (np.int64(3), 3),
        (np.float32(0.5), 0.5),
        (Decimal("1.25"), 1.25),
        (date(2025, 6, 30), 45838),
        (datetime(2025, 6, 30, 12), 45838.5),
        (pd.Timestamp("2025-06-30"), 45838),
        (datetime(2025, 6, 30, 12, tzinfo=timezone(timedelta(hours=8))), 45838.5),
        (date(1900, 3, 1), 61),
        (date(1900, 2, 28), 59),
        (date(1900, 1, 1), 1),
        (date(1899, 12, 31), "1899-12-31"),
        (pd.Timedelta(hours=36), 1.5),
        ("=1+1", "=1+1"),
        ("a\r\nb\rc\x0b", "a\nb\nc"),
        ("x\ud800y", "x\ufffdy"),
        (("a", 1), "('a', 1)"),
    ],
)
def test_plain(value: Any, expected: Plain) -> None:
    assert same(plain(value, False), expected)


def test_dates_of_1904_workbooks() -> None:
    assert plain(date(1904, 1, 2), True) == 1
    assert plain(date(2025, 6, 30), True) == 45838 - 1462
    assert plain_values(pd.Series(pd.to_datetime(["2025-06-30", None])), True) == [45838 - 1462, None]


@pytest.mark.parametrize("date1904", [False, True])
@given(st.datetimes(datetime(1904, 1, 2), datetime(9999, 12, 31)).map(lambda d: d.replace(microsecond=0)))
def test_serial_numbers_read_back(date1904: bool, moment: datetime) -> None:
    serial = plain(moment, date1904)
    assert isinstance(serial, (int, float))
    assert serial_date(serial, date1904) == moment


def test_whole_columns_equal_single_values() -> None:
    columns = [
        pd.Series([1, 2]),
        pd.Series([1.5, np.nan, np.inf]),
        pd.Series([True, False]),
        pd.Series([1, None], dtype="Int64"),
        pd.Series(["a", None, "=x"], dtype="str"),
        pd.Series([True, None], dtype="boolean"),
        pd.Series(["a", "b"], dtype="category"),
        pd.Series(pd.to_datetime(["2025-06-30 06:00", None, "1900-01-05 00:00"])),
        pd.Series(pd.to_datetime(["2025-06-30 06:00"])).dt.tz_localize("Asia/Shanghai"),
        pd.Series([date(2025, 6, 30), "x", 3, None], dtype=object),
    ]
    for column in columns:
        expected = [plain(v, False) for v in column.tolist()]
        assert all(same(a, b) for a, b in zip(plain_values(column, False), expected, strict=True)), column.dtype


@given(st.text())
def test_text_reads_back_through_xml(text: str) -> None:
    kept = clean(text)
    xml = f"<is><t>{escape(kept)}</t></is>"
    assert etree.fromstring(xml) is not None
    assert runs_text(xml) == kept


@pytest.mark.parametrize(
    ("text", "length"), [("a" * 40_000, MAX_TEXT), ("长" * 40_000, MAX_TEXT), ("😀" * 20_000, MAX_TEXT // 2)]
)
def test_long_text_is_cut_at_whole_characters(text: str, length: int) -> None:
    assert len(clean(text)) == length
    assert text.startswith(clean(text))


def test_escapes_of_excel() -> None:
    assert escape("_x000D_") == "_x005F_x000D_"
    assert shown("_x005F_x000D_") == "_x000D_"
    assert shown("a_x000a_b") == "a\nb"
    assert unescape("&lt;&#10;&#x4e2d;&amp;lt;&quot;") == '<\n中&lt;"'


def test_rich_text_and_phonetics() -> None:
    phonetic = '<rPh sb="0" eb="1"><t>とう</t></rPh>'
    xml = f'<is><r><rPr><b/></rPr><t>东</t></r><r><t xml:space="preserve"> 京</t></r>{phonetic}</is>'
    assert runs_text(xml) == "东 京"
    assert runs_text("<t/>") == ""


def test_cells_of_a_row() -> None:
    xml = (
        '<c r="B1" s="3"/><c><v>1.50</v></c><c r="F1" t="s"><v>7</v></c><c r="G1" t="b"><v>1</v></c>'
        '<c r="H1" t="str"><f t="shared" si="0" ref="H1:H2">A1&gt;"x"</f><v>a&amp;b</v></c>'
        '<c r="I1" t="e"><v>#N/A</v></c><c r="J1"><f>1+1</f></c>'
    )
    cells = cells_of(xml)
    values = {c: cell.value(lambda i: f"shared {i}") for c, cell in cells.items()}
    assert values == {2: None, 3: 1.5, 6: "shared 7", 7: True, 8: "a&b", 9: "#N/A", 10: None}
    assert cells[2].style == "3"
    assert [c for c, cell in cells.items() if cell.empty] == [2]
    assert cells[8].formula() == ({"t": "shared", "si": "0", "ref": "H1:H2"}, 'A1>"x"')
    assert not cells[9].holds("#N/A", _none)


def test_a_formula_keeps_its_text_under_a_new_value() -> None:
    cell = cells_of('<c r="A1" s="4" t="str"><f>IF(A2,"x",1)</f><v>x</v></c>')[1]
    assert cell.with_value(1.5).xml("A1") == '<c r="A1" s="4"><f>IF(A2,"x",1)</f><v>1.5</v></c>'
    assert cell.with_value(None).xml("A1") == '<c r="A1" s="4"><f>IF(A2,"x",1)</f></c>'
    assert cell.with_value("=a").xml("A1") == '<c r="A1" s="4" t="str"><f>IF(A2,"x",1)</f><v>=a</v></c>'


PLAIN = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**53) + 1, 2**53 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text().map(clean).filter(bool),
)


@given(st.lists(PLAIN, min_size=1, max_size=5), st.sampled_from([None, "7"]))
def test_written_cells_read_back(values: list[Plain], style: str | None) -> None:
    rows = range(5, 5 + len(values))
    for xml, row, value in zip(column_xml(28, rows, style, values), rows, values, strict=True):
        one = new_cell(style, value)
        if xml:
            assert xml == one.xml(f"AB{row}")
            etree.fromstring(xml)
            cell = cells_of(xml)[28]
            assert same(cell.value(_none), value)
            assert cell.style == style
        else:
            assert one == Cell({}, "")


@pytest.mark.parametrize(
    ("a", "b", "equal"),
    [
        (1, 1.0, True),
        (True, 1, False),
        (False, 0, False),
        (True, True, True),
        ("1", 1, False),
        ("a", "a", True),
        (None, "", False),
        (None, 0, False),
        (None, None, True),
    ],
)
def test_same_in_kind_and_value(a: Plain, b: Plain, equal: bool) -> None:
    assert same(a, b) is equal
