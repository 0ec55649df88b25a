"""Definitions: what every number means, how it is computed, on what base."""

from xlfunnel.pages.model import Link, Page, Text

TERMS = (
    "stage", "reserve", "span", "flows", "month", "slope", "r_squared", "interval", "theil_sen", "kendall", "flow_p",
    "verdict", "native", "mean", "floor", "safety_stock", "win_rate", "narrowing", "too_steep", "stock_ratio",
    "conversion", "conversion_kinds", "horizon", "blocked",
    "duration", "over_age", "over_age_share", "stale", "advice", "grade", "movement", "changed", "span_movement",
    "regions", "weakest_step", "severity", "quality", "undefined",
)  # fmt: skip
_LONG = ("verdict", "mean", "safety_stock", "conversion", "conversion_kinds", "stale", "movement")
"""Terms that need three lines."""

_HEADER = {"B": "term", "C": "meaning", "D": "formula"}
_FIRST = 6

PAGE = Page(
    key="definitions",
    widths=(1.7, 20, 74, 60, 1.7),
    heights={1: 8, 2: 28, 3: 18, 4: 6, **{_FIRST + i: 50 if t in _LONG else 36 for i, t in enumerate(TERMS)}},
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
