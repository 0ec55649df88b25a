"""The data door: CRM exports in, the canonical visits frame out. Nothing is dropped without a DataIssue."""

from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path

from xlfunnel.crm.intake import DataIssue, Intake, Source, SourceSummary
from xlfunnel.settings import Settings

__all__ = ["DataIssue", "Intake", "Source", "SourceSummary", "read_sources"]


def read_sources(
    sources: Sequence[Path | Source],
    settings: Settings,
    *,
    history: Path | None = None,
    owners: Path | None = None,
    as_of: date | None = None,
    progress: Callable[[str], None] | None = None,
) -> Intake:
    """Visits of all `sources`, with everything that was wrong on the way."""
    raise NotImplementedError
