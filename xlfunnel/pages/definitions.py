"""Definitions: what every number means, how it is computed, on what base."""

from math import ceil

from xlfunnel.pages.model import Link, Page, Text
from xlfunnel.settings import LANGUAGES
from xlfunnel.strings import words

TERMS = (
    "stage", "reserve", "span", "flows", "month", "slope", "r_squared", "interval", "theil_sen", "kendall", "flow_p",
    "verdict", "native", "mean", "floor", "safety_stock", "win_rate", "narrowing", "too_steep", "stock_ratio",
    "conversion", "conversion_kinds", "horizon", "blocked",
    "duration", "over_age", "over_age_share", "forecast", "forecast_parts", "coverage", "backtest", "gap_date",
    "stale", "advice", "grade", "review", "movement", "changed",
    "span_movement", "rep_rate", "funnel_plot", "shrunk", "headline_step", "tag", "hardening", "regions",
    "weakest_step", "reverse", "plan",
    "severity", "quality_score", "quality", "undefined",
)  # fmt: skip
_HEADER = {"B": "term", "C": "meaning", "D": "formula"}
_FIRST = 6
_WIDTHS = {"term": 20, "meaning": 74, "formula": 60}
"""Characters of the columns."""
_HAN = 0x2E80
"""From here on characters are as wide as they are high."""


def lines(text: str, width: float) -> int:
    """Lines that a text takes in a cell so many characters wide, at 10 pt and with room for words that break early."""
    pixels = sum(13.4 if ord(c) >= _HAN else 6.1 for c in text)
    return ceil(pixels / ((width * 7 - 14) * 0.96))


def _height(term: str) -> float:
    """High enough for the longest of its texts in either language."""
    texts = ((words(lang)(f"definitions.{term}.{part}"), w) for lang in LANGUAGES for part, w in _WIDTHS.items())
    return 8 + 14 * max(lines(text, width) for text, width in texts)


def _heights() -> dict[int, float]:
    return {_FIRST + i: _height(t) for i, t in enumerate(TERMS)}


PAGE = Page(
    key="definitions",
    widths=(1.7, *_WIDTHS.values(), 1.7),
    heights={1: 8, 2: 28, 3: 18, 4: 6},
    fitted=_heights,
    area=f"B1:D{_FIRST + len(TERMS) - 1}",
    repeat="2:5",
    freeze="A6",
    bands=(("B2:D3", "title_band"),),
    texts=(
        Text("B2:C2", "definitions.title", "title_small"),
        Text("B3:D3", "definitions.note", "subtitle"),
        *(Text(f"{c}5", f"definitions.header.{k}", "header") for c, k in _HEADER.items()),
        *(Text(f"B{_FIRST + i}", f"definitions.{t}.term", "term") for i, t in enumerate(TERMS)),
        *(Text(f"C{_FIRST + i}", f"definitions.{t}.meaning", "wrap") for i, t in enumerate(TERMS)),
        *(Text(f"D{_FIRST + i}", f"definitions.{t}.formula", "wrap") for i, t in enumerate(TERMS)),
    ),
    links=(Link("D2", "sheets.to_home", "home", "link_band"),),
)  # fmt: skip
