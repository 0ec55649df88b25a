"""The look: colours and cell styles by name, as XlsxWriter properties. Nothing else in the package names a colour."""

from typing import Any

COLORS = {
    "ink": "#1F2A37", "muted": "#6B7280", "faint": "#9AA1AC", "line": "#E3E7EC", "panel": "#F5F7F9", "white": "#FFFFFF",
    "teal": "#0F5C6E", "teal2": "#2F7C8F", "teal3": "#5FA1B1", "teal4": "#9CC6D0", "teal5": "#CFE3E8",
    "header": "#D9E9ED", "grain": "#E0A526", "red": "#C2402E", "amber": "#DE8A1B", "green": "#3B8C5A",
    "input": "#FFF9E5", "input_line": "#E6D9A8", "red_soft": "#FBEBE8",
    "stage0": "#CFE3E8", "stage1": "#9CC6D0", "stage2": "#5FA1B1", "stage3": "#2F7C8F", "stage4": "#0F5C6E",
}  # fmt: skip

FONTS = {"zh-CN": "微软雅黑", "en": "Microsoft YaHei"}

SEVERITY_COLORS = {"risk": "red", "watch": "amber", "ok": "green"}

_BAND = {"bg_color": "teal", "font_color": "white", "valign": "vcenter"}
_TILE = {"bg_color": "panel", "indent": 1}
_BODY = {"bottom": 1, "bottom_color": "line", "valign": "vcenter"}
_INPUT = {"bg_color": "input", "border": 1, "border_color": "input_line", "valign": "vcenter"}
_BIG = {**_TILE, "font_size": 20, "bold": True, "align": "left", "valign": "vcenter"}
_HEADER = {"bg_color": "header", "bold": True, "font_color": "teal", "valign": "vcenter", "text_wrap": True}
_NUMBER = {**_BODY, "align": "right"}

# Two decimals at most where a reader compares, three where the method publishes three.
STYLES: dict[str, dict[str, Any]] = {
    "title_band": _BAND,
    "title": {**_BAND, "font_size": 20, "bold": True, "indent": 1},
    "title_small": {**_BAND, "font_size": 18, "bold": True, "indent": 1},
    "conclusion": {**_BAND, "font_size": 14, "bold": True, "font_color": "#FFD991", "align": "right", "indent": 1},
    "subtitle": {**_BAND, "font_size": 10, "font_color": "teal5", "indent": 1},
    "subtitle_right": {**_BAND, "font_size": 9, "font_color": "teal5", "align": "right", "indent": 1},
    "link_band": {**_BAND, "font_size": 10, "font_color": "teal5", "align": "right", "indent": 1},
    "nav": {"font_color": "teal2", "align": "center", "valign": "vcenter", "font_size": 9, "shrink": True},
    "link": {"font_color": "teal2", "align": "right", "valign": "vcenter", "font_size": 9},
    "section": {
        "font_size": 12, "bold": True, "font_color": "teal", "bottom": 2, "bottom_color": "teal", "valign": "vcenter",
    },
    "tile": _TILE,
    "tile_bar": {"bg_color": "teal4", "font_color": "teal4", "num_format": ";;;", "font_size": 1},
    "tile_label": {**_TILE, "font_color": "muted", "valign": "vcenter"},
    "tile_note": {**_TILE, "font_size": 9, "font_color": "muted", "valign": "vcenter", "shrink": True},
    "tile_count": {**_BIG, "num_format": "#,##0"},
    "tile_share": {**_BIG, "num_format": "0.00%"},
    "mark": {"font_size": 11, "align": "center", "valign": "vcenter", "font_color": "muted"},
    "mark_near": {"font_size": 11, "align": "right", "valign": "vcenter", "font_color": "muted", "indent": 1},
    "sentence": {"valign": "vcenter", "shrink": True},
    "sentence_part": {"valign": "vcenter", "bold": True, "font_color": "teal", "shrink": True},
    "header": {**_HEADER, "indent": 1},
    "header_number": {**_HEADER, "align": "right"},
    "header_center": {**_HEADER, "align": "center"},
    "muted": {"font_size": 9, "font_color": "muted"},
    "note": {"font_size": 9, "font_color": "muted", "valign": "vcenter"},
    "note_wrap": {"font_size": 9, "font_color": "muted", "valign": "top", "text_wrap": True},
    "help_text": {**_BODY, "shrink": True, "indent": 1},
    "help_number": {**_NUMBER, "num_format": "#,##0"},
    "text": {**_BODY, "indent": 1},
    "text_wide": {**_BODY, "indent": 1},
    "term": {**_BODY, "bold": True, "font_color": "teal", "text_wrap": True, "indent": 1},
    "wrap": {**_BODY, "text_wrap": True, "indent": 1},
    "wrap_note": {**_BODY, "text_wrap": True, "font_size": 9, "font_color": "muted", "indent": 1},
    "center": {**_BODY, "align": "center"},
    "center_mark": {**_BODY, "align": "center", "font_size": 11},
    "label": {**_BODY, "bold": True, "indent": 1},
    "count": {**_NUMBER, "num_format": "#,##0"},
    "center_heat": {**_BODY, "align": "center", "num_format": "#,##0"},
    "month": {"font_size": 9, "font_color": "muted", "align": "center", "valign": "vcenter"},
    "count_strong": {**_NUMBER, "num_format": "#,##0", "bold": True},
    "flow": {**_NUMBER, "num_format": "#,##0;−#,##0;0", "shrink": True},
    "flow_strong": {**_NUMBER, "num_format": "#,##0;−#,##0;0", "shrink": True, "bold": True},
    "row_number": {**_NUMBER, "num_format": "0"},
    "go_to": {**_BODY, "align": "center", "font_color": "teal2"},
    "number1": {**_NUMBER, "num_format": "#,##0.0;−#,##0.0"},
    "number2": {**_NUMBER, "num_format": "#,##0.00;−#,##0.00"},
    "number3": {**_NUMBER, "num_format": "#,##0.000;−#,##0.000"},
    "signed1": {**_NUMBER, "num_format": "+#,##0.0;−#,##0.0;0.0"},
    "signed0": {**_NUMBER, "num_format": "+#,##0;−#,##0;0"},
    "date": {**_NUMBER, "num_format": "yyyy-mm-dd"},
    "percent1": {**_NUMBER, "num_format": "0.0%"},
    "times": {**_NUMBER, "num_format": '0.0"×"'},
    "days1": {**_NUMBER, "num_format": "#,##0.0"},
    "group": {
        "bg_color": "panel", "bold": True, "font_color": "teal", "align": "center", "valign": "vcenter",
        "bottom": 1, "bottom_color": "teal3",
    },
    "p_value": {**_NUMBER, "num_format": '[<0.0001]"<0.0001";0.0000'},
    "money": {**_NUMBER, "num_format": "#,##0"},
    "input_pick": {**_INPUT, "num_format": "@", "indent": 1, "bold": True, "font_size": 12},
    "pick_label": {"bold": True, "font_color": "teal", "align": "right", "valign": "vcenter", "indent": 1},
    "tile_text": {**_TILE, "font_size": 14, "bold": True, "align": "left", "valign": "vcenter", "shrink": True},
    "tile_percent": {**_BIG, "num_format": "0.0%"},
    "wrap_plain": {"text_wrap": True, "indent": 1, "valign": "vcenter"},
    "input_text": {**_INPUT, "num_format": "@", "indent": 1},
    "input_wrap": {**_INPUT, "num_format": "@", "indent": 1, "text_wrap": True},
    "center_input": {**_INPUT, "num_format": "0", "align": "center"},
    "center_answer": {**_INPUT, "align": "center"},
    "input_note": {**_INPUT, "text_wrap": True, "indent": 1},
    "center_date": {**_INPUT, "num_format": "yyyy-mm-dd", "align": "center"},
    "count_near": {**_NUMBER, "num_format": "#,##0", "indent": 1},
    "days1_near": {**_NUMBER, "num_format": "#,##0.0", "indent": 1},
    "times1": {**_NUMBER, "num_format": '0.0"×"'},
    "center_of_three": {**_BODY, "align": "center", "num_format": '0" / 3"'},
    "input_choice": {**_INPUT, "num_format": "@", "align": "center", "shrink": True},
    "input_date": {**_INPUT, "num_format": "yyyy-mm-dd", "align": "right"},
    "input_count": {**_INPUT, "num_format": "0", "align": "right"},
    "input_number": {**_INPUT, "num_format": "0.0", "align": "right"},
    "input_percent": {**_INPUT, "num_format": "0%", "align": "right"},
    "input_money": {**_INPUT, "num_format": "#,##0.00", "align": "right"},
}  # fmt: skip

NUMBER_STYLES = frozenset(name for name, props in STYLES.items() if props.get("align") == "right")
"""Styles whose header stands right too."""


def tile_style(language: str, name: str, unit: str) -> dict[str, Any]:
    """The big number of a Home tile, its unit in the number format."""
    pattern = {"slope": "#,##0.00", "t3_per_owner": "0.0", "win_rate": "0.0%", "reserve": "#,##0", "short_reps": "0"}[
        name
    ]
    text = f'{pattern}"{unit}";−{pattern}"{unit}"' if unit else pattern
    return {**_BIG, "num_format": text}


def resolved(props: dict[str, Any], language: str) -> dict[str, Any]:
    """XlsxWriter properties: colour names replaced, the font set."""
    out: dict[str, Any] = {"font_name": FONTS[language], "font_size": 10, "font_color": COLORS["ink"]}
    for key, value in props.items():
        out[key] = COLORS.get(value, value) if key.endswith("color") else value
    return out
