"""What a workbook held before the last click, in a file: Excel forgets its undo list whenever a macro writes."""

import json
from pathlib import Path
from typing import BinaryIO

import pandas as pd

from xlfunnel.errors import WorkbookError
from xlfunnel.excel.safe_write import replace_file
from xlfunnel.report import Report

_VERSION = 1


def keep(path: Path, report: Report) -> None:
    """Write a report of plain values (numbers, texts, blanks) as JSON, in one step. Raises OSError, WorkbookError."""
    content = {
        "version": _VERSION,
        "tables": {
            name: {"columns": list(frame.columns), "rows": frame.to_numpy(dtype=object).tolist()}
            for name, frame in report.tables.items()
        },
        "cells": dict(report.cells),
        "keys": dict(report.keys),
    }

    def write(file: BinaryIO) -> None:
        file.write(json.dumps(content, ensure_ascii=False, allow_nan=False).encode())

    path.parent.mkdir(parents=True, exist_ok=True)
    replace_file(path, write, backup=False)


def kept(path: Path) -> Report | None:
    """The report that was kept; None if there is none. Raises WorkbookError `workbook.damaged` for a broken file."""
    try:
        content = json.loads(path.read_text("utf-8"))
        if content["version"] != _VERSION:
            return None
        tables = {
            name: pd.DataFrame(table["rows"], columns=pd.Index(table["columns"]), dtype=object)
            for name, table in content["tables"].items()
        }
        return Report(tables, content["cells"], content["keys"])
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError, AttributeError) as e:
        raise WorkbookError("workbook.damaged", part=path.name, reason=e) from None
