"""The score of the data: shares by hand, and two readings in a row."""

from math import isnan

import pytest

from xlfunnel.metrics.quality import Account, quality


@pytest.mark.parametrize(
    ("imported", "sheet", "score"),
    [
        (Account(100, 100, 0, 0), None, 1.0),
        (Account(100, 90, 4, 5), None, 0.9),
        (Account(100, 90, 4, 5), Account(95, 95, 0, 0), 0.9),
        (Account(100, 90, 4, 5), Account(200, 150, 0, 10), 0.675),
        (Account(4, 0, 0, 4), None, 0.0),
        (Account(100, 90, 4, 5), Account(0, 0, 0, 0), 0.9),
    ],
    ids=["all clean", "an import", "a refresh without damage", "and with it", "nothing clean", "an emptied sheet"],
)
def test_score(imported: Account, sheet: Account | None, score: float) -> None:
    assert quality(imported, sheet).score == pytest.approx(score)


def test_nothing_read_has_no_score() -> None:
    assert isnan(quality(Account(0, 0, 0, 0)).score)


def test_rows_that_are_neither_clean_nor_repaired_nor_refused_bear_a_remark() -> None:
    rows = Account(100, 90, 4, 5)
    assert (rows.used, rows.noted) == (95, 1)
