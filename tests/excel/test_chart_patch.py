"""A chart's references and caches, element by element."""

from collections.abc import Sequence

import pytest
from lxml import etree

from xlfunnel.excel.cells import Plain
from xlfunnel.excel.chart_patch import C, follow_chart
from xlfunnel.excel.ranges import Move, Range

NS = C[1:-1]
MOVES = {"trend": [Move(2, 5, 11, 12, 13, 14)]}
CELLS: dict[tuple[int, int], Plain] = {
    (12, 2): "Jan",
    (13, 2): "Feb",
    (14, 2): "Mar",
    (12, 3): 1,
    (13, 3): None,
    (14, 3): 2.5,
}


def _values(sheet: str, at: Range) -> Sequence[Plain] | None:
    refs = [(r, c) for r in range(at.r1, at.r2 + 1) for c in range(at.c1, at.c2 + 1)]
    return [CELLS[ref] for ref in refs] if sheet == "Trend" and all(ref in CELLS for ref in refs) else None


def _series(inner: str) -> etree._Element:
    return etree.fromstring(f'<c:ser xmlns:c="{NS}">{inner}</c:ser>')


def _num(ref: str, cache: str = "") -> str:
    return f"<c:numRef><c:f>{ref}</c:f>{cache}</c:numRef>"


def _text(root: etree._Element) -> str:
    return etree.tostring(root, encoding="unicode").split(">", 1)[1].replace("c:", "")


def test_values_are_numbers_with_gaps_and_keep_their_format() -> None:
    cache = "<c:numCache><c:formatCode>0%</c:formatCode><c:ptCount val='1'/></c:numCache>"
    root = _series(f"<c:val>{_num('Trend!$C$12:$C$13', cache)}</c:val>")
    assert follow_chart(root, MOVES, _values)
    assert _text(root) == (
        '<val><numRef><f>Trend!$C$12:$C$14</f><numCache><formatCode>0%</formatCode><ptCount val="3"/>'
        '<pt idx="0"><v>1</v></pt><pt idx="2"><v>2.5</v></pt></numCache></numRef></val></ser>'
    )
    assert not follow_chart(root, {}, _values)


@pytest.mark.parametrize("tag", ["cat", "xVal"])
def test_categories_become_text_when_their_cells_do(tag: str) -> None:
    root = _series(f"<c:{tag}>{_num('Trend!$B$12:$B$13')}</c:{tag}>")
    assert follow_chart(root, MOVES, _values)
    assert _text(root) == (
        f'<{tag}><strRef><f>Trend!$B$12:$B$14</f><strCache><ptCount val="3"/><pt idx="0"><v>Jan</v></pt>'
        f'<pt idx="1"><v>Feb</v></pt><pt idx="2"><v>Mar</v></pt></strCache></strRef></{tag}></ser>'
    )


def test_categories_become_numbers_again() -> None:
    root = _series("<c:cat><c:strRef><c:f>Trend!$C$12:$C$13</c:f></c:strRef></c:cat>")
    follow_chart(root, MOVES, _values)
    assert "<numRef>" in _text(root)


def test_text_among_values_is_a_gap() -> None:
    root = _series(f"<c:val>{_num('Trend!$B$12:$B$13')}</c:val>")
    follow_chart(root, MOVES, _values)
    assert "<pt" not in _text(root).replace("<ptCount", "")


def test_a_moved_range_of_unknown_values_forgets_its_cache() -> None:
    cache = "<c:numCache><c:ptCount val='2'/></c:numCache>"
    root = _series(f"<c:val>{_num('Trend!$D$12:$D$13', cache)}</c:val>")
    assert follow_chart(root, MOVES, _values)
    assert _text(root) == "<val><numRef><f>Trend!$D$12:$D$14</f></numRef></val></ser>"


@pytest.mark.parametrize("ref", ["Other!$C$12:$C$13", "Trend!$G$12:$G$13", "Trend!$D$11", "Trend!#REF!", "name"])
def test_what_is_not_the_tables_stays(ref: str) -> None:
    cache = "<c:numCache><c:ptCount val='2'/></c:numCache>"
    root = _series(f"<c:val>{_num(ref, cache)}</c:val>")
    assert not follow_chart(root, MOVES, _values)


def test_categories_of_several_levels_follow() -> None:
    inner = "<c:multiLvlStrRef><c:f>Trend!$B$12:$C$13</c:f><c:multiLvlStrCache/></c:multiLvlStrRef>"
    root = _series(f"<c:cat>{inner}</c:cat>")
    assert follow_chart(root, MOVES, _values)
    assert _text(root) == "<cat><multiLvlStrRef><f>Trend!$B$12:$C$14</f></multiLvlStrRef></cat></ser>"


def test_a_series_of_one_cell_grows_with_a_table_of_one_row() -> None:
    root = _series(f"<c:val>{_num('Trend!$C$12')}</c:val>")
    follow_chart(root, {"trend": [Move(2, 5, 11, 12, 12, 14)]}, _values)
    assert "Trend!$C$12:$C$14" in _text(root)
