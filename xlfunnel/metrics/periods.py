"""Months and quarters of a fiscal year, and what was meant to be won in them.

A period is written "2025-07" or "2025-Q3". With a fiscal year that starts in month 4, 2025-Q1 is April to June 2025:
a fiscal year bears the number of the calendar year in which it starts.
"""

from collections.abc import Iterable
from math import nan

from xlfunnel.calendar import month_of_text, month_text
from xlfunnel.settings import Target

QUARTER = 3


def quarter_of(month: int, fiscal_start: int = 1) -> str:
    """The quarter that a month number lies in."""
    year, at = divmod(month - (fiscal_start - 1), 12)
    return f"{1970 + year}-Q{at // QUARTER + 1}"


def months_in(period: str, fiscal_start: int = 1) -> tuple[int, ...]:
    """The month numbers of a period. Raises ValueError for what is neither a month nor a quarter."""
    year, _, quarter = period.partition("-Q")
    if not quarter:
        return (month_of_text(period),)
    first = (int(year) - 1970) * 12 + (fiscal_start - 1) + (int(quarter) - 1) * QUARTER
    return tuple(range(first, first + QUARTER))


def periods_ahead(first: int, months: int, fiscal_start: int = 1) -> tuple[str, ...]:
    """The coming months from `first` on, then every quarter that ends within them."""
    coming = range(first, first + months)
    quarters = dict.fromkeys(quarter_of(m, fiscal_start) for m in coming)
    whole = [q for q in quarters if months_in(q, fiscal_start)[-1] in coming]
    return (*(month_text(m) for m in coming), *whole)


def target_of(
    targets: Iterable[Target], region: str | None, period: str, regions: tuple[str, ...], fiscal_start: int = 1
) -> float:
    """The target (currency units) of a region, or of all together (None), in a period; NaN if none can be told.

    What is set for the period itself counts; else, for a quarter, the sum of its months if each has one. All regions
    together: a target without a region; else the sum of the regions', if each has one. With one region only, a target
    without a region is its own.
    """
    known = {(t.region, t.period): t.target for t in targets}
    names = ("",) if region is None else (region, "") if len(regions) == 1 else (region,)
    parts = [month_text(m) for m in months_in(period, fiscal_start)]
    for name in names:
        if (name, period) in known:
            return known[name, period]
        if all((name, part) in known for part in parts):
            return sum(known[name, part] for part in parts)
    if region is None and regions:
        return sum(target_of(targets, r, period, regions, fiscal_start) for r in regions) if len(regions) > 1 else nan
    return nan
