"""The data door: CRM exports in, the canonical visits frame out. Nothing is dropped without a DataIssue."""

from xlfunnel.crm.door import read_sources, visits_of_rows
from xlfunnel.crm.intake import DataIssue, Intake, Source, SourceSummary

__all__ = ["DataIssue", "Intake", "Source", "SourceSummary", "read_sources", "visits_of_rows"]
