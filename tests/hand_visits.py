"""Visits typed by hand for tests: one tuple a visit, dates as ISO text."""

from datetime import date

import pandas as pd

from xlfunnel.calendar import day_number, month_number
from xlfunnel.crm import Intake

Visit = tuple[str, str, str, str, str, str, str | None, int | None]
"""opportunity, region, owner, stage, next stage, entered, left, amount in whole units"""

HAND: list[Visit] = [
    ("a", "LX", "A", "T2", "T3", "2025-05-10", "2025-06-02", 100),  # advances, and is worth more there
    ("a", "LX", "A", "T3", "open", "2025-06-02", None, 130),
    ("b", "LX", "A", "T2", "T2", "2025-05-10", "2025-06-05", 40),  # to B, who finds it is worth less
    ("b", "LX", "B", "T2", "open", "2025-06-05", None, 30),
    ("c", "LX", "A", "T3", "T2", "2025-05-01", "2025-06-20", 7),  # falls back
    ("c", "LX", "A", "T2", "lost", "2025-06-20", "2025-06-21", 7),
    ("c", "LX", "A", "T2", "open", "2025-06-25", None, 9),  # taken up again
    ("d", "LX", "A", "T3", "won", "2025-05-01", "2025-06-30", 500),
    ("e", "LX", "A", "T2", "open", "2025-06-30", None, None),  # new, of unknown amount
    ("f", "LX", "A", "T2", "gone", "2025-05-30", "2025-06-01", 3),
    ("g", "LX", "B", "T2", "T4", "2025-06-01", "2025-06-02", 11),  # skips T3
    ("g", "LX", "B", "T4", "open", "2025-06-02", None, 11),
]
"""Every way to come and to go, in May and June 2025."""


def visits(rows: list[Visit]) -> pd.DataFrame:
    """The canonical visits frame of hand-typed rows, in the order given."""
    count: dict[str, int] = {}
    out = []
    for opportunity, region, owner, stage, went, entered, left, amount in rows:
        count[opportunity] = count.get(opportunity, 0) + 1
        a, z = date.fromisoformat(entered), date.fromisoformat(left) if left else None
        out.append(
            {
                "opportunity_id": opportunity,
                "visit": count[opportunity],
                "region": region,
                "owner": owner,
                "stage": stage,
                "next_stage": went,
                "entered_day": day_number(a),
                "left_day": day_number(z) if z else None,
                "entered_month": month_number(a),
                "left_month": month_number(z) if z else None,
                "amount_cents": None if amount is None else amount * 100,
            }
        )
    columns = [
        "opportunity_id", "visit", "region", "owner", "stage", "next_stage",
        "entered_day", "left_day", "entered_month", "left_month", "amount_cents",
    ]  # fmt: skip
    frame = pd.DataFrame(out, columns=columns)
    kinds = dict.fromkeys(("visit", "left_day", "left_month", "amount_cents"), "Int64")
    kinds |= dict.fromkeys(("entered_day", "entered_month"), "int64")
    kinds |= dict.fromkeys(("opportunity_id", "region", "owner", "stage", "next_stage"), "str")
    return frame.astype(kinds)


def intake(rows: list[Visit], as_of: str) -> Intake:
    """What the data door would hand over for these visits."""
    return Intake(visits(rows), None, (), (), date.fromisoformat(as_of))
