"""Pipelines of known law: so many arrivals a month, stays of gamma-distributed days, advances by chance."""

from datetime import date, timedelta

import numpy as np
import pandas as pd

from xlfunnel.terms import STAGES

BEGIN = date(2023, 1, 1)
_NEXT = (*STAGES[1:], "won")


def stays(
    seed: int,
    as_of: date,
    *,
    months: int = 36,
    arrivals: float = 40,
    advance: tuple[float, ...] = (0.5, 0.55, 0.6, 0.6, 0.6),
    mean_days: tuple[float, ...] = (15, 20, 25, 45, 20),
    regions: tuple[str, ...] = ("LX",),
) -> pd.DataFrame:
    """The frame of `xlfunnel.facts.stays` as of a day; the same seed goes on the same way on a later day."""
    draw = np.random.default_rng(seed)
    rows = []
    today = (as_of - BEGIN).days
    for one in range(draw.poisson(arrivals * months)):
        day = int(draw.integers(0, round(months * 30.4375)))
        amount = int(draw.lognormal(12, 0.7)) * 100
        luck, gamma = draw.random(len(STAGES)), draw.standard_gamma(2.0, len(STAGES))
        for i, stage in enumerate(STAGES):
            days = round(float(gamma[i]) * mean_days[i] / 2)
            end = day + days
            went = _NEXT[i] if luck[i] < advance[i] else "lost"
            if day <= today:
                is_open = end > today
                rows.append(
                    (
                        f"{one:06d}", i + 1, regions[one % len(regions)], "A", stage, "open" if is_open else went,
                        (BEGIN + timedelta(day) - date(1970, 1, 1)).days, today - day if is_open else days, amount,
                    )
                )  # fmt: skip
            if went == "lost" or end > today:
                break
            day = end
    names = ["opportunity_id", "visit", "region", "owner", "stage", "next_stage", "since_day", "days", "amount_cents"]
    return pd.DataFrame(rows, columns=names).astype({"amount_cents": "Int64"})
