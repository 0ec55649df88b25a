"""The data door: CRM exports in, the canonical visits frame out. Nothing is dropped without a DataIssue."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from xlfunnel.crm.door import read_data_sheet, read_sources, visits_of_rows
    from xlfunnel.crm.intake import DataIssue, Intake, Source, SourceSummary
    from xlfunnel.crm.mapping import as_toml, mapping_of, remembered

__all__ = [
    "DataIssue",
    "Intake",
    "Source",
    "SourceSummary",
    "as_toml",
    "mapping_of",
    "read_data_sheet",
    "read_sources",
    "remembered",
    "visits_of_rows",
]

_HOMES = {
    "read_data_sheet": "door", "read_sources": "door", "visits_of_rows": "door",
    "as_toml": "mapping", "mapping_of": "mapping", "remembered": "mapping",
}  # fmt: skip


def __getattr__(name: str) -> Any:
    # Loaded when first asked for, so that files can be opened (`xlfunnel.crm.read`) before pandas is there.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES.get(name, 'intake')}"), name)
