"""Excel itself while a macro works: asked first whether it may be disturbed, held still, given back as it was."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import xlwings as xw

from xlfunnel.errors import WorkbookError

_REJECTED = {-2147418111, -2146777998, -2147417846}
"""COM's "call rejected by callee", Excel's "a cell is being edited", COM's "application is busy"."""

_TRIES = 50


@contextmanager
def settled(app: xw.App) -> Iterator[Callable[[str], None]]:
    """The application without redrawing and recalculating; all of it is put back, whatever happens.

    Gives a function that shows a text in the status bar.
    """
    names = ("screen_updating", "calculation", "status_bar")
    before = {name: getattr(app, name) for name in names}
    try:
        app.screen_updating = False
        app.calculation = "manual"

        def show(text: str) -> None:
            app.status_bar = text

        yield show
    finally:
        # Calculation first: what it makes of the cells shall be seen once, finished. One that fails must not keep
        # the others from being put back.
        for name in ("calculation", "status_bar", "screen_updating"):
            with suppress(Exception):
                setattr(app, name, before[name])


def refuse_if_busy(app: xw.App) -> None:
    """Raise WorkbookError `macros.busy` while a cell is edited or a dialog is open: Excel then rejects every call.

    xlwings would ask again for ever, so it is told for the time of this question to give up.
    """
    windows: Any = getattr(xw, "_xlwindows", None)
    tries = getattr(windows, "N_COM_ATTEMPTS", None)
    try:
        if windows is not None:
            windows.N_COM_ATTEMPTS = _TRIES
        ready = app.interactive
    except Exception as e:
        if is_rejected(e):
            raise WorkbookError("macros.busy") from e
        raise
    finally:
        if windows is not None:
            windows.N_COM_ATTEMPTS = tries
    if not ready:
        raise WorkbookError("macros.busy")


def is_rejected(problem: BaseException) -> bool:
    """True for an error that says that Excel is busy, not that something is wrong."""
    return getattr(problem, "hresult", None) in _REJECTED
