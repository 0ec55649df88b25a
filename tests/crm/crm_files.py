"""Rows as delimited text, and what was read as short tuples."""

import csv
import io
from collections.abc import Sequence

import pandas as pd

from xlfunnel.calendar import date_of
from xlfunnel.crm import Intake

Row = Sequence[object]


def csv_bytes(rows: Sequence[Row], encoding: str = "utf-8", delimiter: str = ",") -> bytes:
    """Rows as delimited text."""
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows(rows)
    return text.getvalue().encode(encoding)


def short(visits: pd.DataFrame) -> list[tuple[str, int, str, str, str, str]]:
    """Visits as (id, visit, stage, next_stage, entered, left) with ISO dates, "" for open."""
    left = ["" if pd.isna(d) else date_of(d).isoformat() for d in visits["left_day"]]
    entered = [date_of(d).isoformat() for d in visits["entered_day"]]
    names = ("opportunity_id", "visit", "stage", "next_stage")
    return list(zip(*(visits[n].tolist() for n in names), entered, left, strict=True))


def told(intake: Intake) -> list[tuple[str, int | None, str, str]]:
    """Issues as (code, row, value, treatment)."""
    return [(i.code.value, i.row, i.value, i.treatment.value) for i in intake.issues]
