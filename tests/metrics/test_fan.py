"""What the forecast's charts are drawn from: history, then a band that begins where it ends."""

from datetime import date
from math import isnan

import pandas as pd
from clockwork import AS_OF, clockwork
from hand_visits import visits

from xlfunnel.calendar import month_of_text
from xlfunnel.facts import facts_of, stays
from xlfunnel.metrics.fan import HISTORY, fan, stock_path
from xlfunnel.metrics.forecast import MONTHS, Forecast, forecast
from xlfunnel.metrics.sojourns import sojourns
from xlfunnel.settings import Settings

GAPS = pd.DataFrame({"region": ["LX"], "floor": [9.0]})


def drawn(as_of: date = AS_OF, months: int = 18) -> tuple[pd.DataFrame, Forecast]:
    frame = visits(clockwork(months))
    found = forecast(sojourns(stays(frame, as_of), as_of), Settings())
    return fan(facts_of(frame, as_of), found, GAPS, "LX"), found


def test_history_then_a_band_that_begins_in_its_last_month() -> None:
    rows, found = drawn()
    assert len(rows) == HISTORY + MONTHS
    june, july = rows.loc[month_of_text("2025-06")], rows.loc[month_of_text("2025-07")]
    assert (june["won"], june["won_amount"], june["stock"]) == (6, 600, 6)
    assert june[["count_base", "count_low", "count_high", "amount_base"]].tolist() == [6, 0, 0, 600]
    assert july[["won", "won_amount", "stock"]].isna().all()
    assert july[["count_base", "count_low", "count_high"]].tolist() == [6, 0, 0]  # the clock's six are sure
    assert rows.loc[: month_of_text("2025-05"), ["count_base", "amount_base"]].isna().all(axis=None)
    past = rows.loc[: june.name]
    assert past["stock_base"].tolist() == past["stock"].tolist()
    top = rows["stock_base"] + rows["stock_low"] + rows["stock_high"]
    assert top.iloc[-MONTHS:].tolist() == found.stock["p90"].tolist()
    assert (rows["floor"] == 9).all()


def test_the_running_month_shows_what_is_closed_so_far_within_its_band() -> None:
    rows, _ = drawn(date(2025, 6, 24))
    june = rows.loc[month_of_text("2025-06")]
    assert (june["won"], june["count_base"]) == (6, 6)
    assert isnan(june["stock"])
    assert len(rows) == HISTORY + MONTHS


def test_without_a_forecast_only_history() -> None:
    rows, found = drawn(months=8)
    assert not len(found.rows)
    assert rows.index.max() == month_of_text("2025-06")
    assert rows[["count_base", "amount_low", "stock_high"]].isna().all(axis=None)
    assert rows["won"].sum() > 0


def test_the_path_lacks_what_its_median_lacks() -> None:
    _, found = drawn()
    path = stock_path(found, GAPS, "LX")
    assert path["short"].tolist() == [max(0.0, 9 - p50) for p50 in path["p50"]]
    assert stock_path(found, GAPS.head(0), "LX")[["floor", "short"]].isna().all(axis=None)
