"""Conditional formats that give a verdict its colour. The word or mark in the cell says the same without colour."""

from typing import Any

from xlfunnel.excel.styles import COLORS, SEVERITY_COLORS
from xlfunnel.metrics.evidence import ENOUGH
from xlfunnel.pages.model import Mark
from xlfunnel.strings import Words
from xlfunnel.terms import Advice, Treatment

_ADVICE_COLORS = {
    Advice.KEEP: "green", Advice.REVIVE: "amber", Advice.DROP: "red", Advice.SCORE_STALE: "amber",
}  # fmt: skip
_TREATMENT_COLORS = {Treatment.REFUSED: "red", Treatment.REPAIRED: "amber", Treatment.NOTED: "muted"}


def add_marks(book: Any, sheet: Any, marks: tuple[Mark, ...], say: Words) -> None:
    """Add the conditional formats of a page's marks to its sheet."""
    for mark in marks:
        for rule in _rules(book, mark, say):
            sheet.conditional_format(mark.at, rule)


def _rules(book: Any, mark: Mark, say: Words) -> list[dict[str, Any]]:
    def font(color: str, **more: Any) -> Any:
        return book.add_format({"font_color": COLORS[color], **more})

    first = mark.by or "$" + mark.at.split(":")[0]
    if mark.what == "fill":
        return [
            _formula(f'={first}="{s}"', book.add_format({"bg_color": COLORS[c], "font_color": COLORS[c]}))
            for s, c in SEVERITY_COLORS.items()
        ]
    if mark.what == "font" and mark.by:
        return [_formula(f'={first}="{s}"', font(c)) for s, c in SEVERITY_COLORS.items()]
    if mark.what in ("font", "mark"):
        return [_formula(f'={first}="{say(f"home.mark.{s}")}"', font(c)) for s, c in SEVERITY_COLORS.items()]
    if mark.what == "advice":
        return [_equals(say(f"opportunities.advice.{a}"), font(c, bold=True)) for a, c in _ADVICE_COLORS.items()]
    if mark.what == "check":
        return [_equals("✓", font("green", bold=True)), _equals("✗", font("red", bold=True))]
    if mark.what == "negative":
        return [{"type": "cell", "criteria": "<", "value": 0, "format": font("red")}]
    if mark.what == "tenths":
        return [_formula(f"={mark.by}", book.add_format({"num_format": "#,##0.0;−#,##0.0;0"}))]
    if mark.what == "zero":
        return [{"type": "cell", "criteria": "==", "value": 0, "format": font("faint")}]
    if mark.what == "thin":
        return [_formula(f'=AND({first}<>"",{first}<{ENOUGH})', font("faint", italic=True))]
    if mark.what == "heat":
        return [{
            "type": "2_color_scale", "min_type": "num", "min_value": 0, "max_type": "max",
            "min_color": COLORS["white"], "max_color": COLORS["teal3"],
        }]  # fmt: skip
    if mark.what == "true":
        return [_formula(f"={mark.by}", font("red", bold=True))]
    if mark.what == "led":
        return [_formula(f'=LEFT({first},1)="{say(f"home.mark.{s}")}"', font(c)) for s, c in SEVERITY_COLORS.items()]
    if mark.what == "closed":
        return [_formula(f'={first}<>""', font("faint"))]
    if mark.what == "flagged":
        return [_formula(f'={first}<>""', font("red", bold=True))]
    return [_equals(say(f"issues.treatment.{t}"), font(c)) for t, c in _TREATMENT_COLORS.items()]


def _formula(criteria: str, fmt: Any) -> dict[str, Any]:
    return {"type": "formula", "criteria": criteria, "format": fmt}


def _equals(text: str, fmt: Any) -> dict[str, Any]:
    return {"type": "cell", "criteria": "==", "value": f'"{text}"', "format": fmt}
