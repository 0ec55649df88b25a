"""The Functions sheet: what its cells show before anything is calculated is what the functions answer."""

import json
import re
from datetime import datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hosts import office

from xlfunnel.excel import template
from xlfunnel.pages import PAGES, functions
from xlfunnel.settings import LANGUAGES
from xlfunnel.strings import words
from xlfunnel.udfs import FUNCTIONS

CALL = re.compile(r"=?(FUNNEL_\w+)\((.*)\)")
OURS = [f for f in functions.PAGE.fixed if f.shown and "FUNNEL_" in str(f.value)]


class Built:
    """The template with the sheet, its formulas and the values beside them."""

    def __init__(self, language: str, folder: Path) -> None:
        self.path = folder / f"{language}.xlsx"
        self.say = words(language)
        template.build(language, self.path, pages=(*PAGES, functions.PAGE))
        name = self.say("sheets.functions")
        self.formulas = openpyxl.load_workbook(self.path)[name]
        self.shown = openpyxl.load_workbook(self.path, data_only=True)[name]

    def values(self, at: str) -> list[list[Any]]:
        cells = self.shown[at]
        rows = cells if isinstance(cells, tuple) else ((cells,),)
        return [[float(c.value) if isinstance(c.value, int) else c.value for c in row] for row in rows]

    def answer(self, formula: str) -> Any:
        """What our function makes of the formula's arguments."""
        found = CALL.fullmatch(formula)
        assert found, formula
        return FUNCTIONS[found[1]](*(self._argument(a) for a in found[2].split(",")))

    def _argument(self, text: str) -> Any:
        if not text:
            return None
        if text.startswith('"'):
            return text.strip('"')
        if text.endswith("%"):
            return float(text[:-1]) / 100
        return float(text) if text.replace(".", "").isdigit() else self.values(text)


@pytest.fixture(scope="module", params=LANGUAGES)
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Built:
    return Built(request.param, tmp_path_factory.mktemp("functions"))


@pytest.mark.parametrize("fixed", OURS, ids=lambda f: str(f.value))
def test_cells_show_what_the_function_answers(built: Built, fixed: Any) -> None:
    first = built.formulas[fixed.at.split(":")[0]].value
    formula = first if isinstance(first, str) else first.text
    answer = built.answer(formula)
    expected = answer if isinstance(answer, list) else [[answer]]
    assert built.values(fixed.at) == [
        [pytest.approx(v) if isinstance(v, float) else v for v in row] for row in expected
    ]


def test_every_function_is_shown() -> None:
    texts = " ".join(str(f.value) for f in functions.PAGE.fixed)
    assert [name for name in FUNCTIONS if name not in texts] == []


def test_why_tells_a_reason(built: Built) -> None:
    (text,) = [f.value for f in functions.PAGE.fixed if "FUNNEL_WHY" in str(f.value)]
    sentence = built.answer(str(text))
    assert {"6", "5"} <= set(re.findall(r"\d", sentence))


@pytest.mark.office
def test_excels_own_formulas_come_to_the_same(built: Built, tmp_path: Path) -> None:
    office.require()
    made = office.convert(built.path, "xlsx", tmp_path)
    sheet = openpyxl.load_workbook(made, data_only=True)[built.say("sheets.functions")]
    for row in range(15, 15 + len(functions.PAIRS)):
        assert sheet[f"C{row}"].value == pytest.approx(built.shown[f"C{row}"].value)
        assert built.shown[f"C{row}"].value == built.shown[f"D{row}"].value


def test_the_example_is_the_published_half_year(shared: Path) -> None:
    lx = json.loads((shared / "golden/lx.json").read_text("utf-8"))
    assert {span: list(values) for span, values in functions.SERIES.items()} == lx["reserve_count"]
    flagged = FUNCTIONS["FUNNEL_FLAGGED"]([[r] for r in functions.REPS], [[float(n)] for n in functions.REPS.values()])
    assert [name for (name,) in flagged] == lx["owners_below_mean_reserve"]
    assert sum(functions.REPS.values()) == lx["reserve_count"]["T0-T3"][-1]


def test_days_of_the_example_are_days() -> None:
    for _, _, entered, left in functions.VISITS:
        for day in (entered, left):
            assert day is None or datetime.strptime(day, "%Y-%m-%d")


def test_a_formula_to_read_is_no_formula(built: Built) -> None:
    shown = [f for f in functions.PAGE.fixed if not f.shown and "(" in str(f.value)]
    assert len(shown) == 2 * len(functions.PAIRS) + len(functions.ALONE) + 1
    for fixed in shown:
        cell = built.formulas[fixed.at.split(":")[0]]
        assert cell.data_type == "s"
        assert "{" not in cell.value
