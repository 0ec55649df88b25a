"""How good the data are: the share of rows that came through as they stood."""

from math import nan
from typing import NamedTuple


class Account(NamedTuple):
    """Rows of one reading: each is used or refused; `clean` are used as they stand, `repaired` after a repair."""

    read: int
    clean: int
    repaired: int
    refused: int

    @property
    def used(self) -> int:
        """Rows that enter the figures."""
        return self.read - self.refused

    @property
    def noted(self) -> int:
        """Rows that are used as they are though something in them is missing or odd."""
        return self.used - self.clean - self.repaired

    @property
    def share(self) -> float:
        """Clean ÷ read, 0-1; NaN where nothing was read."""
        return self.clean / self.read if self.read else nan


class Quality(NamedTuple):
    """score     share (0-1) of rows that came through as they stood: neither refused nor repaired, nothing odd in them
    imported  of the exports, or of the Data sheet where nothing was imported
    sheet     of the Data sheet that an import filled and users may have changed; None right after the import
    """

    score: float
    imported: Account
    sheet: Account | None


def quality(imported: Account, sheet: Account | None = None) -> Quality:
    """The score of one reading, or of two in a row: their shares multiplied, as the rows pass one after the other.

    >>> quality(Account(100, 90, 5, 5), Account(95, 95, 0, 0)).score
    0.9
    """
    score = imported.share if sheet is None or not sheet.read else imported.share * sheet.share
    return Quality(score, imported, sheet)
