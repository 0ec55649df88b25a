"""Charts follow their tables: the ranges of their series, and the values they remember of them."""

from collections.abc import Callable, Sequence

from lxml import etree

from xlfunnel.excel.cells import Plain, number_text
from xlfunnel.excel.ranges import Moves, Range, followed, followed_formula, letters, parse_reference

CHART_TYPE = "application/vnd.openxmlformats-officedocument.drawingml.chart+xml"

C = "{http://schemas.openxmlformats.org/drawingml/2006/chart}"

Values = Callable[[str, Range], Sequence[Plain] | None]
"""(sheet, range) → its values row by row; None if they are not known to have changed."""

_AXIS_DATA = {f"{C}cat", f"{C}xVal"}


def follow_chart(root: etree._Element, moves: Moves, values: Values) -> bool:
    """Give every reference of a chart its new range and fresh cache; True if anything changed."""
    before: bytes = etree.tostring(root)
    for element in list(root.iter("{*}f")):
        reference = element.getparent()
        if reference is None or not element.text:
            continue
        new = _followed(element.text, moves)
        moved = new != element.text
        element.text = new
        found = parse_reference(new)
        fresh = values(*found) if found else None
        if reference.tag in (f"{C}numRef", f"{C}strRef"):
            if fresh is not None:
                _refresh(reference, fresh)
            elif moved:
                _forget(reference)
        elif reference.tag == f"{C}multiLvlStrRef" and (moved or fresh is not None):
            _forget(reference)
    after: bytes = etree.tostring(root)
    return after != before


def _followed(text: str, moves: Moves) -> str:
    found = parse_reference(text)
    if found and found[1].r1 == found[1].r2:
        # A table of one row makes series of one cell; in a formula a single cell would mean just that cell.
        sheet, at = found
        here = [m for m in moves.get(sheet.lower(), ()) if m.first == m.old_last == at.r1]
        new = followed(at, here)
        if new != at:
            name = text.rpartition("!")[0]
            return f"{name}!${letters(new.c1)}${new.r1}:${letters(new.c2)}${new.r2}"
    return followed_formula(text, "", moves)


def _refresh(reference: etree._Element, values: Sequence[Plain]) -> None:
    """Rewrite the cache. Categories are texts or numbers, as their cells are; series values are always numbers."""
    parent = reference.getparent()
    if parent is not None and parent.tag in _AXIS_DATA:
        filled = [v for v in values if v is not None]
        as_text = any(isinstance(v, (str, bool)) for v in filled) if filled else reference.tag == f"{C}strRef"
        reference.tag = f"{C}strRef" if as_text else f"{C}numRef"
    as_text = reference.tag == f"{C}strRef"
    old = next(reference.iterchildren(f"{C}numCache", f"{C}strCache"), None)
    code = "General" if old is None else old.findtext(f"{C}formatCode", "General")
    cache = etree.Element(f"{C}strCache" if as_text else f"{C}numCache")
    if not as_text:
        etree.SubElement(cache, f"{C}formatCode").text = code
    etree.SubElement(cache, f"{C}ptCount").set("val", str(len(values)))
    for i, value in enumerate(values):
        text = _text(value) if as_text else _number(value)
        if text is not None:
            point = etree.SubElement(cache, f"{C}pt", {"idx": str(i)})
            etree.SubElement(point, f"{C}v").text = text
    if old is not None and _points(old) == _points(cache) and old.tag == cache.tag:
        return
    _forget(reference)
    reference.insert(1, cache)


def _points(cache: etree._Element) -> list[tuple[str | None, str | None]]:
    count = cache.find(f"{C}ptCount")
    size = (None, None if count is None else count.get("val"))
    return [size, *((p.get("idx"), p.findtext(f"{C}v")) for p in cache.iter(f"{C}pt"))]


def _forget(reference: etree._Element) -> None:
    for name in ("numCache", "strCache", "multiLvlStrCache"):
        for cache in reference.findall(f"{C}{name}"):
            reference.remove(cache)


def _text(value: Plain) -> str | None:
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    return value if value is None or isinstance(value, str) else number_text(value)


def _number(value: Plain) -> str | None:
    return None if value is None or isinstance(value, (str, bool)) else number_text(value)
