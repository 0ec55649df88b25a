"""Quarters of fiscal years, and the targets that can be told from what is set."""

from math import isnan

import numpy as np
import pytest

from xlfunnel.calendar import month_of_text, month_text
from xlfunnel.metrics.inflow import dispersion
from xlfunnel.metrics.periods import months_in, periods_ahead, quarter_of, target_of
from xlfunnel.settings import Target


@pytest.mark.parametrize(
    ("month", "start", "quarter"),
    [
        ("2025-01", 1, "2025-Q1"), ("2025-12", 1, "2025-Q4"), ("2025-04", 4, "2025-Q1"), ("2025-03", 4, "2024-Q4"),
        ("2025-09", 10, "2024-Q4"), ("2025-10", 10, "2025-Q1"), ("2025-12", 12, "2025-Q1"),
    ],
)  # fmt: skip
def test_a_month_lies_in_its_quarter(month: str, start: int, quarter: str) -> None:
    assert quarter_of(month_of_text(month), start) == quarter
    assert month_of_text(month) in months_in(quarter, start)


@pytest.mark.parametrize("start", range(1, 13))
def test_quarters_part_the_months(start: int) -> None:
    months = range(month_of_text("2020-01"), month_of_text("2026-01"))
    for month in months:
        inside = months_in(quarter_of(month, start), start)
        assert len(inside) == 3
        assert month in inside
        assert {quarter_of(m, start) for m in inside} == {quarter_of(month, start)}


def test_periods_ahead() -> None:
    assert periods_ahead(month_of_text("2025-06"), 6) == (
        "2025-06", "2025-07", "2025-08", "2025-09", "2025-10", "2025-11", "2025-Q2", "2025-Q3",
    )  # fmt: skip
    assert periods_ahead(month_of_text("2025-07"), 6)[6:] == ("2025-Q3", "2025-Q4")
    assert periods_ahead(month_of_text("2025-07"), 6, 2)[6:] == ("2025-Q2", "2025-Q3")
    assert [month_text(m) for m in months_in("2025-Q3", 2)] == ["2025-08", "2025-09", "2025-10"]


AIMS = (
    Target("", "2025-Q3", 100),
    Target("LX", "2025-Q3", 60),
    Target("LX", "2025-07", 10), Target("LX", "2025-08", 20), Target("LX", "2025-09", 40),
    Target("HD", "2025-Q4", 7), Target("LX", "2025-Q4", 8),
    Target("HD", "2025-07", 5),
)  # fmt: skip


@pytest.mark.parametrize(
    ("region", "period", "regions", "target"),
    [
        (None, "2025-Q3", ("HD", "LX"), 100),
        ("LX", "2025-Q3", ("HD", "LX"), 60),  # not the 70 of its months
        (None, "2025-Q4", ("HD", "LX"), 15),  # of the regions
        (None, "2025-07", ("HD", "LX"), 15),
        (None, "2025-08", ("HD", "LX"), None),  # one has none
        ("HD", "2025-Q3", ("HD", "LX"), None),
        ("HD", "2025-Q3", ("HD",), 100),  # the only one: what is set for all is its own
        ("LX", "2026-Q1", ("LX",), None),
        (None, "2025-Q4", (), None),
    ],
)
def test_targets(region: str | None, period: str, regions: tuple[str, ...], target: float | None) -> None:
    found = target_of(AIMS, region, period, regions)
    assert isnan(found) if target is None else found == target


def test_a_quarter_is_the_sum_of_its_months_where_each_has_a_target() -> None:
    months = AIMS[2:5]
    assert target_of(months, "LX", "2025-Q3", ("LX",)) == 70
    assert isnan(target_of(months[:2], "LX", "2025-Q3", ("LX",)))


@pytest.mark.parametrize(
    ("counts", "expected"),
    [([], 1), ([5], 1), ([0, 0, 0], 1), ([4, 4, 4], 1), ([0, 10, 0, 10], 10), ([10, 11, 12, 13], 1)],
    ids=["none", "one", "nothing", "even", "uneven", "a_trend_is_no_noise"],
)
def test_dispersion(counts: list[float], expected: float) -> None:

    assert dispersion(np.array(counts, dtype=float)) == expected
