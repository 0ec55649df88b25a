"""Blocks of cells: which ranges are read together, and what becomes of what Excel hands over."""

from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from xlfunnel.excel import live_cells
from xlfunnel.excel.live_cells import Blocks, joined, put, values
from xlfunnel.excel.ranges import Range


class Cells:
    """A sheet whose every cell says where it is; what was read and written is noted."""

    def __init__(self) -> None:
        self.read: list[Range] = []
        self.written: list[tuple[str, Any]] = []

    def rows(self, at: Range) -> list[list[Any]]:
        self.read.append(at)
        return [[(r, c) for c in range(at.c1, at.c2 + 1)] for r in range(at.r1, at.r2 + 1)]

    def range(self, address: str) -> "_Noting":
        return _Noting(self, address)


class _Noting:
    def __init__(self, cells: Cells, address: str) -> None:
        object.__setattr__(self, "_at", (cells, address))

    def __setattr__(self, name: str, value: Any) -> None:
        cells, address = self._at
        cells.written.append((address, value))


@pytest.mark.parametrize(
    ("ranges", "expected"),
    [
        ([], []),
        ([Range(2, 2, 4, 4)], [Range(2, 2, 4, 4)]),
        ([Range(2, 2, 4, 4), Range(2, 2, 4, 4)], [Range(2, 2, 4, 4)]),
        ([Range(9, 9, 9, 9), Range(2, 2, 2, 2), Range(5, 4, 5, 4)], [Range(2, 2, 9, 9)]),
        ([Range(1, 1, 9_000, 2), Range(1, 4, 9_000, 9)], [Range(1, 1, 9_000, 2), Range(1, 4, 9_000, 9)]),
        ([Range(1, 1, 9_000, 9), Range(3, 4, 3, 4)], [Range(1, 1, 9_000, 9)]),
        ([Range(1, 1, 1, 1), Range(900_000, 1, 900_000, 1)], [Range(1, 1, 1, 1), Range(900_000, 1, 900_000, 1)]),
    ],
    ids=["none", "one", "twice", "near", "beside a long one", "inside", "far"],
)
def test_ranges_are_read_together_where_little_idle_lies_between(ranges: list[Range], expected: list[Range]) -> None:
    assert joined(ranges) == expected


def test_any_range_that_was_asked_for_is_given_back() -> None:
    sheet = Cells()
    wanted = [Range(3, 2, 5, 4), Range(9, 3, 9, 3), Range(400, 50, 401, 51)]
    blocks = Blocks(sheet.rows, wanted)
    assert sheet.read == [Range(3, 2, 9, 4), Range(400, 50, 401, 51)]
    assert blocks[wanted[0]] == Cells().rows(wanted[0])
    assert blocks[wanted[1]] == [[(9, 3)]]
    assert blocks[wanted[2]] == Cells().rows(wanted[2])


def test_a_long_block_is_written_in_bands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_cells, "_CELLS_A_WRITE", 4)
    sheet: Any = Cells()
    put(sheet, Range(2, 2, 4, 3), [[1, None], ["a", 2], [3, 4]])
    assert sheet.written == [("B2:C3", [[1, ""], ["a", 2]]), ("B4:C4", [[3, 4]])]


@pytest.mark.parametrize(
    ("raw", "expected"),
    [(12.0, 12), (12.5, 12.5), (True, True), ("", None), (None, None), ("a", "a"), (Decimal("1.5"), 1.5)],
)
def test_what_excel_hands_over(raw: object, expected: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_cells, "_converted", lambda _, raw, *__, **___: [[raw]])
    sheet: Any = SimpleNamespace(range=lambda _: SimpleNamespace(options=lambda **_: SimpleNamespace(raw_value=raw)))
    assert values(sheet, Range(1, 1, 1, 1)) == [[expected]]
