"""Which region a row belongs to: its own word, else the file of owners, else the settings."""

import numpy as np
import pandas as pd

from xlfunnel.crm.intake import Source
from xlfunnel.crm.ledger import Ledger
from xlfunnel.crm.shapes import OWNERS
from xlfunnel.crm.stages import StageNames
from xlfunnel.crm.tables import opened
from xlfunnel.crm.text import fold, texts
from xlfunnel.settings import Settings
from xlfunnel.terms import Col, Field, IssueCode


class Regions:
    """The regions of owners."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._by_owner: dict[str, str] = {}
        self._file: str | None = None

    def read(self, source: Source, stages: StageNames) -> None:
        """Read the file of owners; of several regions of one owner the first counts. Raises InputError as `opened`."""
        table = opened(source, self._settings, stages, Ledger(), [OWNERS])
        self._file = table.name
        for owner, region in zip(*(texts(table.column(f))[0] for f in (Field.OWNER, Field.REGION)), strict=True):
            if owner and region:
                self._by_owner.setdefault(fold(owner), region)

    def filled(self, frame: pd.DataFrame, ledger: Ledger) -> pd.DataFrame:
        """`frame` with a region in every row that lacks one. Owners that the file does not know are noted once."""
        blank = (frame[Col.REGION] == "").to_numpy()
        if not blank.any():
            return frame
        region = frame[Col.REGION].to_numpy(dtype=object).copy()
        owners = frame[Col.OWNER].to_numpy(dtype=object)[blank]
        known = {o: self._by_owner.get(fold(o), "") for o in dict.fromkeys(owners)}
        if self._file is not None:
            for owner in sorted(o for o, found in known.items() if o and not found):
                ledger.remark(IssueCode.OWNER_WITHOUT_REGION, self._file, owner)
        region[blank] = [known[o] or self._settings.region for o in owners]
        return frame.assign(region=np.asarray(region, dtype=object))
