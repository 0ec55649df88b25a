"""What an earlier import left on the Data quality sheet of a workbook, read back."""

from contextlib import suppress

import pandas as pd

from xlfunnel.carried import Carried
from xlfunnel.errors import WorkbookError
from xlfunnel.excel.book import one_break
from xlfunnel.excel.reader import Shows
from xlfunnel.pages import PAGES, headers
from xlfunnel.settings import LANGUAGES
from xlfunnel.strings import words

_TABLES = ("sources", "assumed", "issues")


def carried_shown(reader: Shows) -> Carried:
    """What stands there, in a closed workbook or an open one, whatever language its headers are in.

    Nothing of a table that an older template does not have.
    """
    tables = {t.short: t for p in PAGES for t in p.tables}
    frames = {}
    for name in _TABLES:
        table = tables[name]
        with suppress(WorkbookError):
            shown, rows = [one_break(h) for h in reader.headers(table.name)], reader.rows(table.name)
            columns = {}
            for key in (c.key for c in table.columns if not c.formula):
                names = [one_break(headers(table, words(lang))[key]) for lang in LANGUAGES]
                at = next((shown.index(n) for n in names if n in shown), None)
                columns[key] = [None if at is None else row[at] for row in rows]
            frame = pd.DataFrame(columns, dtype=object)
            frames[name] = frame[frame["source"].notna()].reset_index(drop=True)
    return Carried(**frames)
