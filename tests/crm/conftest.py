"""Small files, written and read back through the door."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from crm_files import Row, csv_bytes, short, told

from xlfunnel.crm import Intake, read_sources
from xlfunnel.settings import Settings


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


@pytest.fixture
def as_rows() -> Callable[[pd.DataFrame], list[tuple[str, int, str, str, str, str]]]:
    """`short`, for tests."""
    return short


@pytest.fixture
def issues_of() -> Callable[[Intake], list[tuple[str, int | None, str, str]]]:
    """`told`, for tests."""
    return told
