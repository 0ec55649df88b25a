"""Days and months as integers: days since 1970-01-01, months since January 1970.

Integers group, join and subtract alike on pandas, DuckDB and Spark; dates do not.
"""

from calendar import monthrange
from datetime import date, timedelta

_EPOCH = date(1970, 1, 1)


def day_number(day: date) -> int:
    """Days since 1970-01-01. `day_number(date(1970, 1, 2)) == 1`."""
    return (day - _EPOCH).days


def date_of(day: int) -> date:
    """The date of a day number."""
    return _EPOCH + timedelta(days=int(day))


def month_number(day: date) -> int:
    """Months since January 1970. `month_number(date(1971, 1, 31)) == 12`."""
    return (day.year - 1970) * 12 + day.month - 1


def month_text(month: int) -> str:
    """`"YYYY-MM"` of a month number."""
    return f"{1970 + month // 12:04d}-{month % 12 + 1:02d}"


def month_of_text(text: str) -> int:
    """The month number of `"YYYY-MM"`. Raises ValueError for anything else."""
    year, month = text.split("-")
    return month_number(date(int(year), int(month), 1))


def month_end(month: int) -> date:
    """The last date of a month."""
    year, m = 1970 + month // 12, month % 12 + 1
    return date(year, m, monthrange(year, m)[1])
