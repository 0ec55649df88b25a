"""Visits typed by hand for tests: one tuple a visit, dates as ISO text."""

from datetime import date

import pandas as pd

from xlfunnel.calendar import day_number, month_number
from xlfunnel.crm import Intake

Visit = tuple[str, str, str, str, str, str, str | None, int | None]
"""opportunity, region, owner, stage, next stage, entered, left, amount in whole units"""


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
