"""LibreOffice behind xlwings, so that macros written for Excel run unchanged where there is no Excel.

Written from the abstract classes of `xlwings.base_classes`; what the macros do not use is left out. Where Excel and
LibreOffice differ, Excel's manner is kept: what a text becomes that is written into a cell, tables that may not be
cut by shifted cells.
"""

from typing import Any

import xlwings as xw
from hosts.lo_engine.app import Engine


def activate(context: Any) -> xw.App:
    """Make a running LibreOffice the application that xlwings acts on."""
    engine = xw.Engine(impl=Engine(context))
    if engine.name not in xw.engines.engines_by_name:
        xw.engines.add(engine)
    engine.activate()
    return xw.App(impl=engine.impl.apps.only)


__all__ = ["Engine", "activate"]
