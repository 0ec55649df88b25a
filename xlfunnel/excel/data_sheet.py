"""Where a workbook of ours holds its data. Loads little, so that they can be parsed while the rest is being loaded."""

from contextlib import suppress
from pathlib import Path

from xlfunnel.crm.intake import Source
from xlfunnel.crm.read import begun
from xlfunnel.errors import XlfunnelError
from xlfunnel.excel.book import Book
from xlfunnel.excel.package import Package

TABLE = "tbl_data"


def data_begun(path: Path) -> Source | None:
    """The Data sheet of a workbook, being parsed from now on; None if it is not found: reading it again says why."""
    with suppress(XlfunnelError, OSError):
        with Package(path) as package:
            sheet = Book(package).table(TABLE).sheet
        return begun(Source(path, sheet))
    return None
