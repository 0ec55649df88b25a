"""Small files, written and read back through the door."""

import csv
import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from xlfunnel.calendar import date_of
from xlfunnel.crm import Intake, read_sources
from xlfunnel.settings import Settings

Row = Sequence[object]


def csv_bytes(rows: Sequence[Row], encoding: str = "utf-8", delimiter: str = ",") -> bytes:
    """Rows as delimited text."""
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows(rows)
    return text.getvalue().encode(encoding)


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., Intake]:
    """Write `rows` as opportunities.csv (and history, owners beside it) and read them. All refusals are let through."""

    def run(
        rows: Sequence[Row],
        settings: Settings | None = None,
        *,
        history: Sequence[Row] | None = None,
        owners: Sequence[Row] | None = None,
        **kwargs: Any,
    ) -> Intake:
        paths = {}
        for name, given in (("opportunities", rows), ("history", history), ("owners", owners)):
            if given is not None:
                paths[name] = tmp_path / f"{name}.csv"
                paths[name].write_bytes(csv_bytes(given))
        return read_sources(
            [paths["opportunities"]],
            settings or Settings(refuse_share=1),
            history=paths.get("history"),
            owners=paths.get("owners"),
            **kwargs,
        )

    return run


def short(visits: pd.DataFrame) -> list[tuple[str, int, str, str, str, str]]:
    """Visits as (id, visit, stage, next_stage, entered, left) with ISO dates, "" for open."""
    left = ["" if pd.isna(d) else date_of(d).isoformat() for d in visits["left_day"]]
    entered = [date_of(d).isoformat() for d in visits["entered_day"]]
    names = ("opportunity_id", "visit", "stage", "next_stage")
    return list(zip(*(visits[n].tolist() for n in names), entered, left, strict=True))


def told(intake: Intake) -> list[tuple[str, int | None, str, str]]:
    """Issues as (code, row, value, treatment)."""
    return [(i.code.value, i.row, i.value, i.treatment.value) for i in intake.issues]


@pytest.fixture
def as_rows() -> Callable[[pd.DataFrame], list[tuple[str, int, str, str, str, str]]]:
    """`short`, for tests."""
    return short


@pytest.fixture
def issues_of() -> Callable[[Intake], list[tuple[str, int | None, str, str]]]:
    """`told`, for tests."""
    return told
