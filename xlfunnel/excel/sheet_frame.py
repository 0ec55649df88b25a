"""What surrounds the rows of a sheet (conditional formats, drop-downs, filters, sparklines) follows its tables."""

from collections.abc import Sequence

from lxml import etree

from xlfunnel.excel.ranges import Move, Moves, Range, followed, followed_formula, followed_list, parse_range
from xlfunnel.excel.xml_text import XM, M

_WITH_SQREF = {f"{M}{tag}" for tag in ("conditionalFormatting", "dataValidation", "ignoredError", "protectedRange")}
_WITH_REF = {f"{M}{tag}" for tag in ("autoFilter", "sortState", "sortCondition")}
_FORMULAS = {f"{M}{tag}" for tag in ("formula", "formula1", "formula2")}


def follow_frame(root: etree._Element, sheet: str, moves: Moves) -> bool:
    """Make every range in a sheet's frame follow the moves; True if any did."""
    here = moves.get(sheet.lower(), ())
    changed = False
    for element in root.iter(etree.Element):
        tag = element.tag
        if tag in _WITH_SQREF and element.get("sqref"):
            changed |= _set(element, "sqref", followed_list(element.get("sqref"), here))
        elif tag in _WITH_REF and element.get("ref"):
            changed |= _set(element, "ref", followed_list(element.get("ref"), here))
        elif tag == f"{XM}sqref" and not _of_sparkline(element):
            changed |= _set_text(element, followed_list(element.text or "", here))
        elif tag in _FORMULAS:
            changed |= _set_text(element, followed_formula(element.text or "", sheet, moves, shared=True))
        elif tag == f"{XM}f":
            text = followed_formula(element.text or "", sheet, moves, shared=not _of_sparkline(element))
            changed |= _set_text(element, text)
    return changed


def follow_table(root: etree._Element, ref: Range, move: Move, *, clear_filter: bool) -> None:
    """Give a table part its new range; its filter's and sort's ranges follow.

    clear_filter  drop the criteria: they hid rows by values that are no longer there
    """
    for element in root.iter(f"{M}autoFilter", f"{M}sortState", f"{M}sortCondition"):
        at = parse_range(element.get("ref", ""))
        if at:
            element.set("ref", str(followed(at, [move])))
    root.set("ref", str(ref))
    if clear_filter:
        for criteria in list(root.iter(f"{M}filterColumn")):
            parent = criteria.getparent()
            if parent is not None:
                parent.remove(criteria)


def follow_declared(root: etree._Element, sheet: str, moves: Moves) -> bool:
    """Make the formulas that a table declares for its columns follow as those in its cells do; True if any did."""
    changed = False
    for element in root.iter(f"{M}calculatedColumnFormula"):
        changed |= _set_text(element, followed_formula(element.text or "", sheet, moves, exact=True, shared=True))
    return changed


def set_dimension(root: etree._Element, used: Range | None, areas: Sequence[Range]) -> bool:
    """Write the used range: rows as they are now, columns no narrower than they were said to be."""
    element = root.find(f"{M}dimension")
    if element is None or used is None:
        return False
    old = parse_range(element.get("ref", ""))
    boxes = [*areas, old] if old else list(areas)
    c1, c2 = min((b.c1 for b in boxes), default=used.c1), max((b.c2 for b in boxes), default=used.c2)
    return _set(element, "ref", str(Range(used.r1, c1, used.r2, c2)))


def merged(root: etree._Element) -> list[Range]:
    """The merged cells of a sheet."""
    found = (parse_range(m.get("ref", "")) for m in root.iter(f"{M}mergeCell"))
    return [m for m in found if m]


def _of_sparkline(element: etree._Element) -> bool:
    parent = element.getparent()
    return parent is not None and etree.QName(parent).localname == "sparkline"


def _set(element: etree._Element, name: str, value: str) -> bool:
    if element.get(name) == value:
        return False
    element.set(name, value)
    return True


def _set_text(element: etree._Element, text: str) -> bool:
    if (element.text or "") == text:
        return False
    element.text = text
    return True
