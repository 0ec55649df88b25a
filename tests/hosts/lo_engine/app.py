"""The application and its open documents."""

import datetime as dt
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from hosts.lo_engine.book import Book
from hosts.lo_engine.entries import CellError
from hosts.lo_engine.inside import Inside
from hosts.office_live import desktop_of
from hosts.uno_bridge import values
from xlwings import base_classes

_SPREADSHEET = "com.sun.star.sheet.SpreadsheetDocument"


class Engine:
    """What xlwings asks of an engine, over one running LibreOffice."""

    name = "libreoffice"
    type = "desktop"

    def __init__(self, context: Any) -> None:
        self.apps = Apps(App(desktop_of(context), Inside(context), self))

    @staticmethod
    def prepare_xl_data_element(x: Any, options: Any) -> Any:
        """A value as the application takes it; undefined is an empty text, as the Windows engine has it."""
        if isinstance(x, (dt.date, dt.datetime)) and not pd.isna(x):
            return x
        if x is None or pd.isna(x):
            return ""
        return float(x) if isinstance(x, np.number) else x

    @staticmethod
    def clean_value_data(
        data: Any, datetime_builder: Any, empty_as: Any, number_builder: Any, err_to_str: bool
    ) -> list[list[Any]]:
        """Values as the caller wants to see them."""

        def clean(x: Any) -> Any:
            if x is None or x == "":
                return empty_as
            if isinstance(x, CellError):
                return str(x) if err_to_str else None
            if isinstance(x, dt.datetime):
                parts = (x.hour, x.minute, x.second, x.microsecond)
                names = ("hour", "minute", "second", "microsecond")
                return datetime_builder(x.year, x.month, x.day, **dict(zip(names, parts, strict=True)))
            if number_builder is not None and type(x) is float:
                return number_builder(x)
            return x

        return [[clean(x) for x in row] for row in data]


class Apps(base_classes.Apps):
    """There is only one application."""

    def __init__(self, only: "App") -> None:
        self.only = only

    def keys(self) -> list[int]:
        return [self.only.pid]

    def __iter__(self) -> Iterator["App"]:
        return iter([self.only])

    def __len__(self) -> int:
        return 1

    def __getitem__(self, pid: int) -> "App":
        return self.only


class App(base_classes.App):
    """The application.

    alerts   sentences that a person would have had to click away, in order
    statuses every text the status bar has shown
    """

    pid = 1
    hwnd = None
    display_alerts = True
    enable_events = True
    interactive = True

    def __init__(self, desktop: Any, inside: Inside, engine: Engine) -> None:
        self.desktop, self.inside, self.engine = desktop, inside, engine
        self.alerts: list[str] = []
        self.statuses: list[str] = []
        self._status: str | bool = False

    @property
    def api(self) -> Any:
        return self.desktop

    @property
    def books(self) -> "Books":
        return Books(self)

    @property
    def documents(self) -> list[Any]:
        """The open spreadsheets."""
        found, each = [], self.desktop.Components.createEnumeration()
        while each.hasMoreElements():
            document = each.nextElement()
            if document.supportsService(_SPREADSHEET):
                found.append(document)
        return found

    @property
    def screen_updating(self) -> bool:
        return not any(d.hasControllersLocked() for d in self.documents)

    @screen_updating.setter
    def screen_updating(self, value: bool) -> None:
        for document in self.documents:
            if value and document.hasControllersLocked():
                document.unlockControllers()
            elif not value and not document.hasControllersLocked():
                document.lockControllers()

    @property
    def calculation(self) -> str:
        return "automatic" if all(d.isAutomaticCalculationEnabled() for d in self.documents) else "manual"

    @calculation.setter
    def calculation(self, value: str) -> None:
        for document in self.documents:
            document.enableAutomaticCalculation(value == "automatic")

    def calculate(self) -> None:
        for document in self.documents:
            document.calculateAll()

    @property
    def status_bar(self) -> str | bool:
        return self._status

    @status_bar.setter
    def status_bar(self, value: str | bool) -> None:
        self._status = value
        if isinstance(value, str):
            self.statuses.append(value)

    def alert(self, prompt: str, title: str, buttons: str, mode: str, callback: Any) -> str:
        """Nobody is there to click: the sentence is kept and the answer is yes."""
        self.alerts.append(prompt)
        return {"yes_no": "yes", "yes_no_cancel": "yes"}.get(buttons, "ok")

    def activate(self, steal_focus: bool = False) -> None:
        """Windows of a host without a screen are never in front."""


class Books(base_classes.Books):
    """The open workbooks."""

    def __init__(self, app: App) -> None:
        self.app = app

    @property
    def api(self) -> Any:
        return self.app.desktop

    @property
    def active(self) -> Book | None:
        document = self.app.desktop.getCurrentComponent()
        known = self.app.documents
        if document is None or not document.supportsService(_SPREADSHEET):
            document = known[-1] if known else None
        return Book(document, self.app) if document is not None else None

    def __call__(self, name_or_index: str | int) -> Book:
        for number, book in enumerate(self, 1):
            if name_or_index in (number, book.name):
                return book
        raise KeyError(name_or_index)

    def __len__(self) -> int:
        return len(self.app.documents)

    def __iter__(self) -> Iterator[Book]:
        return iter([Book(d, self.app) for d in self.app.documents])

    def open(self, fullname: str, *args: Sequence[Any]) -> Book:
        """Open a file, its macros enabled (never executed on their own), and recalculate: cached values are trusted."""
        url = Path(fullname).resolve().as_uri()
        document = self.app.desktop.loadComponentFromURL(url, "_blank", 0, values(MacroExecutionMode=4))
        if document is None:
            raise OSError(f"LibreOffice does not open {fullname} (in use, or damaged)")
        document.calculateAll()
        return Book(document, self.app)
