"""The data door: CRM exports in, the canonical visits frame out. Nothing is dropped without a DataIssue."""

from xlfunnel.crm.door import read_sources, visits_of_rows
from xlfunnel.crm.intake import DataIssue, Intake, Source, SourceSummary
from xlfunnel.crm.mapping import as_toml, mapping_of

__all__ = [
    "DataIssue",
    "Intake",
    "Source",
    "SourceSummary",
    "as_toml",
    "mapping_of",
    "read_sources",
    "visits_of_rows",
]
