"""Our workbook open in LibreOffice, its buttons ready to be clicked."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import xlwings as xw

from xlfunnel.excel.template_id import file_name
from xlfunnel.paths import shipped


class Office:
    """The application, what it has said, and what the status bar has shown since the last look."""

    def __init__(self, app: xw.App) -> None:
        self.app = app

    def said(self) -> list[str]:
        """The sentences of the alerts, taken away."""
        return _taken(self.app.impl.alerts)

    def shown(self) -> list[str]:
        """The texts of the status bar, taken away."""
        return _taken(self.app.impl.statuses)

    def state(self) -> tuple[Any, ...]:
        """What a macro must leave as it was."""
        return self.app.screen_updating, self.app.calculation, self.app.status_bar

    def click(self, macro: Callable[..., None], *args: object) -> list[str]:
        """Click; the sentences that came of it."""
        self.said()
        self.shown()
        macro(*args)
        return self.said()


def workbook(folder: Path, language: str = "zh-CN") -> Path:
    """A copy of the workbook that ships, with macros where there is one, under a name that asks for trouble."""
    name = file_name(language)
    macros = shipped(name.replace(".xlsx", ".xlsm"))
    return renamed(macros if macros.exists() else shipped(name), folder)


def renamed(source: Path, folder: Path) -> Path:
    """A copy under a name that asks for trouble."""
    return Path(shutil.copy(source, folder / f"漏斗 & 'x' 50%{source.suffix}"))


@contextmanager
def clicked(app: xw.App, path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[xw.Book]:
    """The workbook open and calling."""
    book = app.books.open(str(path))
    try:
        monkeypatch.setattr(xw.Book, "_mock_caller", book, raising=False)
        yield book
    finally:
        book.close()


def _taken(texts: list[str]) -> list[str]:
    out = list(texts)
    texts.clear()
    return out
