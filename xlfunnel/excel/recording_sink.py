"""A sink that writes everything down as text, for golden tests and for the eye."""

from datetime import date, datetime
from numbers import Integral, Real
from typing import Any

import pandas as pd

from xlfunnel.report import Value

UNDEFINED = "·"


class RecordingSink:
    """A `report.Sink`. The text depends on nothing but the report: floats have 10 significant digits."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self.finished = False

    def table(self, name: str, frame: pd.DataFrame, key: str | None) -> None:
        """Note a table: a title line, its headers, one line a row."""
        by = f", by {key}" if key is not None else ""
        self._lines.append(f"{name} ({len(frame)} rows{by})")
        columns = [[_text(v) for v in frame.iloc[:, i].tolist()] for i in range(frame.shape[1])]
        self._lines.append("  " + " | ".join(_text(c) for c in frame.columns))
        self._lines += ["  " + " | ".join(row) for row in zip(*columns, strict=True)]
        self._lines.append("")

    def cell(self, name: str, value: Value) -> None:
        """Note a named cell."""
        self._lines.append(f"{name} = {_text(value)}")

    def finish(self) -> None:
        """Nothing to write."""
        self.finished = True

    def text(self) -> str:
        """All that was handed over, in order."""
        return "\n".join(self._lines).rstrip("\n") + "\n"


def _text(value: Any) -> str:
    if value is None or value is pd.NA or value is pd.NaT or value != value:
        return UNDEFINED
    if isinstance(value, datetime):
        return value.date().isoformat() if value == datetime.combine(value, datetime.min.time()) else value.isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, str):
        return value.replace("\\", "\\\\").replace("\n", "\\n").replace("|", "\\|")
    if isinstance(value, (bool, Integral)):
        return str(value)
    return f"{float(value):.10g}" if isinstance(value, Real) else str(value)
