"""What XlsxWriter cannot say about charts, added to the built template: the equation's place, the Han letters' font."""

import re
from pathlib import Path

from xlfunnel.excel.package import Package

EQUATION_OFFSET = (-0.02, -0.24)
"""Shift of the equation from its own place at the line's right end, as shares of the chart's size: a reserve that runs
dry leaves the upper right corner empty. Excel reads these two as an offset, whatever the mode says."""

_CHART = "application/vnd.openxmlformats-officedocument.drawingml.chart+xml"
_LABEL = "<c:trendlineLbl><c:layout/>"
_PLACED = (
    "<c:trendlineLbl><c:layout><c:manualLayout>"
    f'<c:x val="{EQUATION_OFFSET[0]}"/><c:y val="{EQUATION_OFFSET[1]}"/>'
    "</c:manualLayout></c:layout>"
)
_LATIN = re.compile(r'(<a:latin typeface="([^"]+)"[^>]*/>)')


def finish_charts(path: Path) -> None:
    """Patch every chart of a freshly built workbook, in place."""
    with Package(path) as package:
        for part in package.parts_of_type(_CHART):
            text = package.read(part).decode("utf-8").replace(_LABEL, _PLACED)
            package.replace(part, _LATIN.sub(r'\1<a:ea typeface="\2"/>', text).encode("utf-8"))
        package.write(path)
