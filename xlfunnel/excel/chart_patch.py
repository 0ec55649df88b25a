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
    changed = False
    for element in list(root.iter("{*}f")):
        reference = element.getparent()
        if reference is None or not element.text:
            continue
        new = _followed(element.text, moves)
        moved = new != element.text
        element.text = new
        changed |= moved
        found = parse_reference(new)
        fresh = values(*found) if found else None
        if reference.tag in (f"{C}numRef", f"{C}strRef"):
            if fresh is not None:
                changed |= _refresh(reference, fresh)
            elif moved:
                _forget(reference)
        elif reference.tag == f"{C}multiLvlStrRef" and (moved or fresh is not None):
            changed |= _forget(reference)
    return changed


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


def _refresh(reference: etree._Element, values: Sequence[Plain]) -> bool:
    """Rewrite the cache if it says anything else; True if so. Categories are texts or numbers, as their cells are;
    series values are always numbers."""
    parent, was = reference.getparent(), reference.tag
    if parent is not None and parent.tag in _AXIS_DATA:
        filled = [v for v in values if v is not None]
        as_text = any(isinstance(v, (str, bool)) for v in filled) if filled else reference.tag == f"{C}strRef"
        reference.tag = f"{C}strRef" if as_text else f"{C}numRef"
    as_text = reference.tag == f"{C}strRef"
    old = next(reference.iterchildren(f"{C}numCache", f"{C}strCache"), None)
    tag = f"{C}strCache" if as_text else f"{C}numCache"
    texts = [_text(v) if as_text else _number(v) for v in values]
    points = {str(i): text for i, text in enumerate(texts) if text is not None}
    if old is not None and old.tag == tag and _points(old) == (str(len(values)), list(points.items())):
        return bool(reference.tag != was)
    cache = etree.Element(tag)
    if not as_text:
        code = "General" if old is None else old.findtext(f"{C}formatCode", "General")
        etree.SubElement(cache, f"{C}formatCode").text = code
    etree.SubElement(cache, f"{C}ptCount").set("val", str(len(values)))
    for index, text in points.items():
        point = etree.SubElement(cache, f"{C}pt", {"idx": index})
        etree.SubElement(point, f"{C}v").text = text
    _forget(reference)
    reference.insert(1, cache)
    return True


def _points(cache: etree._Element) -> tuple[str | None, list[tuple[str | None, str | None]]]:
    """How many points a cache says it has, and those that it names: index and text."""
    count = cache.find(f"{C}ptCount")
    size = None if count is None else count.get("val")
    return size, [(p.get("idx"), p.findtext(f"{C}v")) for p in cache.iter(f"{C}pt")]


def _forget(reference: etree._Element) -> bool:
    """Take the cache away; True if there was one."""
    caches = [c for name in ("numCache", "strCache", "multiLvlStrCache") for c in reference.findall(f"{C}{name}")]
    for cache in caches:
        reference.remove(cache)
    return bool(caches)


def _text(value: Plain) -> str | None:
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    return value if value is None or isinstance(value, str) else number_text(value)


def _number(value: Plain) -> str | None:
    return None if value is None or isinstance(value, (str, bool)) else number_text(value)
