"""From a click or a cell to Python and back, by the very command lines of xlwings' VBA and through its real DLL.

Excel is a stub; what stands between it and our code is what runs on a user's computer.
"""

import json
import math
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

import openpyxl
import pytest
from hosts import vba_strings
from hosts.windows_home import FIGURES, Excel, Home
from openpyxl.utils import range_boundaries

from xlfunnel import app, udfs
from xlfunnel.pages import build_report
from xlfunnel.strings import words

pytestmark = pytest.mark.windows

REFRESH = "import xlfunnel.macros; xlfunnel.macros.refresh()"
Record = Callable[[str, object], None]
LX = {"T0-T2": [[98.0], [97.0], [144.0], [123.0], [68.0], [33.0]]}
DATA = [
    ["Opportunity ID", "Region", "Rep", "Stage", "Entered", "Left", "Went to", "Amount"],
    ["1", "LX", "A", "T0", 45296.0, 45332.0, "T3", 5.0],
    ["1", "LX", "A", "T3", 45332.0, None, None, 5.0],
    ["2", "LX", "B", "T0", 45352.0, None, None, None],
]
Y, X = [[3.0], [5.0], [4.0], [8.0]], [[1.0], [2.0], [3.0], [4.5]]
CASES: list[tuple[str, list[Any]]] = [
    ("FUNNEL_SLOPE", [Y, X]),
    ("FUNNEL_SLOPE", [Y, None]),
    ("FUNNEL_INTERCEPT", [Y, X]),
    ("FUNNEL_R2", [Y, X]),
    ("FUNNEL_TREND", [[[9.0], [7.0], [8.0], [5.0], [4.0], [2.0], [1.0]], None, "zh-CN"]),
    ("FUNNEL_FORECAST_LINE", [9.0, Y, None]),
    ("FUNNEL_FORECAST_LINE", [[[9.0], [10.0]], Y, X]),
    ("FUNNEL_CONVERSION", [3.0, 10.0]),
    ("FUNNEL_CONVERSION", [[[3.0], [4.0]], [[10.0], [9.0]]]),
    ("FUNNEL_RESERVE", [DATA, "2024-03", "T0-T3"]),
    ("FUNNEL_RESERVE", [DATA, [["2024-01"], ["2024-02"]], [["T0", "T3"]]]),
    ("FUNNEL_FLAGGED", [[["A"], ["乙"], ["C"]], [[4.0], [9.0], [2.0]]]),
    ("FUNNEL_SAFETY_STOCK", [0.25, 1.0, 0.9]),
    ("FUNNEL_WHY", ["FUNNEL_SLOPE", [["a"]], None, None]),
]


def flat(value: Any) -> list[Any]:
    if isinstance(value, (list, tuple)):
        return [cell for part in value for cell in flat(part)]
    return [value]


def here(name: str, arguments: list[Any]) -> list[Any]:
    given = list(arguments)
    while given and given[-1] is None:
        given.pop()
    return flat(udfs.FUNCTIONS[name](*given))


@pytest.fixture
def chinese(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")


def test_every_function_is_tried() -> None:
    assert {name for name, _ in CASES} == set(udfs.FUNCTIONS)


def test_every_function_answers_through_the_dll(home: Home, chinese: None, record_property: Record) -> None:
    book = rf"{home.name}\Documents & 资料\it's.xlsm"
    steps = [["udf", name, arguments] for name, arguments in CASES]
    told = home.python_of_vba(book, *steps, ["repeat", 1000, "FUNNEL_SLOPE", [Y, X]])
    assert "error" not in told, told
    *answers, seconds = told["steps"]
    for (name, arguments), answer in zip(CASES, answers, strict=True):
        truth = here(name, arguments)
        assert len(flat(answer)) == len(truth), f"{name}: {answer}"
        for cell, expected in zip(flat(answer), truth, strict=True):
            if isinstance(expected, float) and math.isfinite(expected):
                assert cell == pytest.approx(expected, rel=1e-12), name
            else:
                assert cell == expected, name
    record_property(f"{FIGURES}Python for worksheet functions started and answering, s", f"{told['started']:.1f}")
    record_property(f"{FIGURES}worksheet functions a second", f"{1000 / seconds:.0f}")


def test_published_slopes_come_out(home: Home, shared: Path) -> None:
    lx = json.loads((shared / "golden" / "lx.json").read_text("utf-8"))
    spans = ("T0-T2", "T0-T3")
    steps = [
        ["udf", name, [[[float(v)] for v in lx["reserve_count"][span]], None]]
        for span in spans
        for name in ("FUNNEL_SLOPE", "FUNNEL_INTERCEPT", "FUNNEL_R2")
    ]
    answers = home.python_of_vba(rf"{home.name}\b.xlsm", *steps)["steps"]
    for i, span in enumerate(spans):
        fit = lx["fits"][span]
        assert answers[3 * i] == pytest.approx(fit["slope"])
        assert answers[3 * i + 1] == pytest.approx(fit["intercept"])
        assert answers[3 * i + 2] == pytest.approx(fit["r_squared"], abs=5e-4)


def test_an_error_arrives_as_its_name_and_a_sentence(home: Home, chinese: None) -> None:
    (answer,) = home.python_of_vba(rf"{home.name}\b.xlsm", ["udf", "FUNNEL_SLOPE", [[["a"], ["b"]], None]])["steps"]
    assert answer == {"error": f"#DIV/0! {words('zh-CN')('udfs.no_line')}"}


def test_a_function_reads_the_cells_that_it_is_given(excel: Excel) -> None:
    sheet, address, column = "趋势", "C48:C53", 3
    book = openpyxl.load_workbook(excel.home.wine.path(excel.workbook), data_only=True)
    values = [[float(book[sheet].cell(row, column).value)] for row in range(48, 54)]
    told = excel.python_of_vba(["udf", "FUNNEL_SLOPE", [{"range": [sheet, address]}, None]])
    assert told["steps"] == [pytest.approx(udfs.FUNCTIONS["FUNNEL_SLOPE"](values))]


def _cells(path: Path) -> dict[tuple[str, str], Any]:
    book = openpyxl.load_workbook(path)
    return {(s.title, c.coordinate): c.value for s in book for row in s.iter_rows() for c in row if c.value is not None}


def _emptied(path: Path, names: Iterable[str]) -> set[tuple[str, str]]:
    """Wipe what a refresh writes: the named results and the bodies of two tables."""
    book = openpyxl.load_workbook(path)
    wiped = set()
    places = [(str(book.defined_names[name].value), 0) for name in names]
    places += [(f"{s.title}!{t.ref}", 1) for s in book for t in s.tables.values() if t.name in ("tbl_fits", "tbl_reps")]
    for place, head in places:
        sheet, _, address = place.replace("'", "").replace("$", "").partition("!")
        c1, r1, c2, r2 = range_boundaries(address)
        for row in book[sheet].iter_rows(r1 + head, r2, c1, c2):
            for cell in row:
                if cell.value is not None and not str(cell.value).startswith("="):
                    wiped.add((sheet, cell.coordinate))
                    cell.value = None
    book.save(path)
    return wiped


class Prepared(NamedTuple):
    """A workbook whose results are wiped, which cells that are, and what the command line makes of its data."""

    empty: Path
    wiped: set[tuple[str, str]]
    refreshed: Path


@pytest.fixture
def prepared(demo_book: Path, tmp_path: Path) -> Prepared:
    empty, refreshed = tmp_path / "empty.xlsx", tmp_path / "refreshed.xlsx"
    written = build_report(app.refresh(demo_book, refreshed), with_data=False).cells
    empty.write_bytes(demo_book.read_bytes())
    return Prepared(empty, _emptied(empty, written), refreshed)


@pytest.mark.parametrize("way", ["alone", "server"])
def test_a_click_fills_the_open_workbook_as_the_command_line_does(
    way: str, open_excel: Callable[[Path], Excel], prepared: Prepared, record_property: Record
) -> None:
    assert len(prepared.wiped) > 50
    excel = open_excel(prepared.empty)
    copy = rf"C:\copy-{way}.xlsx"
    began = time.monotonic()
    if way == "alone":
        code = excel.click_alone(REFRESH)
        assert code == 0, excel.home.log()
        record_property(f"{FIGURES}click to result in a process of its own, s", f"{time.monotonic() - began:.1f}")
        told = excel.python_of_vba(["excel", copy])
    else:
        told = excel.python_of_vba(["click", REFRESH], ["click", REFRESH], ["excel", copy])
        first, second, _ = told["steps"]
        record_property(f"{FIGURES}first click in the server, s", f"{told['started'] + first:.1f}")
        record_property(f"{FIGURES}second click in the server, s", f"{second:.1f}")
    journal = told["steps"][-1]
    assert words("zh-CN")("macros.step.of", n=1, of=7, what=words("zh-CN")("macros.step.settings")) in journal
    assert "calc 0" not in journal
    truth, made = _cells(prepared.refreshed), _cells(excel.home.wine.path(copy))
    for at in sorted(prepared.wiped):
        expected = truth.get(at)
        if isinstance(expected, (int, float)) and not isinstance(expected, bool):
            assert made[at] == pytest.approx(expected, rel=1e-9), at
        else:
            assert made.get(at) == expected, at


def test_the_lines_are_those_of_the_pinned_xlwings() -> None:
    line = vba_strings.run_python_alone(
        "import m; m.f()", r"C:\P & Q\python.exe",
        {"ThisWorkbook.Name": "b.xlsm", "Application.Path": "P", "Application.Name": "N", "Application.Hwnd": "7",
         "LOG_FILE": "L"},
    )  # fmt: skip
    assert line == (
        r'cmd.exe /C C: & cd "C:\P & Q" & "C:\P & Q\python.exe" -B -c "import xlwings.utils;'
        r"xlwings.utils.prepare_sys_path(\"false;;;;;;C:\\P ^& Q\"); import m; m.f()"
        r'"  --wb="b.xlsm" --from_xl=1 --app="P\N" --hwnd="7" 2> "L" '
    )
    assert vba_strings.server_command(r"C:\P\python.exe", r"C:\it's.xlsm").startswith(
        r'cmd.exe  /K ""C:\P\python.exe" -B -c "import sys, os;'
    )
