"""A pipeline that leaves nothing to chance, typed as visits."""

from datetime import date, timedelta

from hand_visits import Visit

AS_OF = date(2025, 6, 30)


def clockwork(
    months: int = 18, a_month: int = 6, days: int = 40, region: str = "LX", last: str = "2025-06-15"
) -> list[Visit]:
    """So many a month enter T3 on the 15th, go to T4 after half the days and are won after all of them."""
    rows: list[Visit] = []
    last_day = date.fromisoformat(last)
    for m in range(months):
        year, month = divmod(last_day.year * 12 + last_day.month - 1 - m, 12)
        start = date(year, month + 1, last_day.day)
        moved, won = start + timedelta(days // 2), start + timedelta(days)
        for i in range(a_month):
            name = f"{region}{start}{i}"
            rows += [
                (name, region, "A", "T3", "T4", start.isoformat(), moved.isoformat(), 100),
                (name, region, "A", "T4", "won", moved.isoformat(), won.isoformat(), 100),
            ]
    return rows
