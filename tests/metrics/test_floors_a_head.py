"""Reserve floors: the rate by hand, what the settings override, how risky a floor is, and where nothing is known."""

from datetime import date
from math import isnan, nan

import pytest
from hand_visits import Visit, visits

from xlfunnel.facts import Seen
from xlfunnel.metrics.floors import FLOOR_STAGES, Floor, floors, in_force, shortfall
from xlfunnel.settings import Settings

AS_OF = date(2025, 6, 30)


def cases(stage: str, won: int, lost: int, still: int = 0, region: str = "LX") -> list[Visit]:
    """So many opportunities that came to the stage on 1 March and ended on the 31st, or have not."""
    ends = [("won", "2025-03-31")] * won + [("lost", "2025-03-31")] * lost + [("open", None)] * still
    return [
        (f"{region}{stage}{i}", region, "A", stage, went, "2025-03-01", left, 1) for i, (went, left) in enumerate(ends)
    ]


def of(rows: list[Visit], stage: str, region: str | None = "LX", **chosen: float | None) -> Floor:
    regions = {r[1] for r in rows}
    found = floors(Seen(visits(rows), AS_OF).fates(FLOOR_STAGES), regions, Settings(**chosen))  # type: ignore[arg-type]
    return next(f for f in found if (f.region, f.stage) == (region, stage))


def test_a_quarter_won_leaves_five_with_a_chance_of_24_percent_to_win_nothing() -> None:
    floor = of(cases("T3", 5, 15), "T3")
    assert (floor.entered, floor.won, floor.rate, floor.stock) == (20, 5, 0.25, 9)
    assert (floor.limit, floor.is_set) == (5, True)
    assert floor.shortfall == pytest.approx(0.75**5)


def test_an_empty_override_leaves_the_safety_stock_and_a_zero_no_rule() -> None:
    free = of(cases("T3", 5, 15), "T3", floor_t3=None)
    assert (free.limit, free.is_set) == (9, False)
    assert free.shortfall == pytest.approx(0.75**9)
    assert of(cases("T3", 5, 15), "T3", floor_t3=0).limit == 0


@pytest.mark.parametrize(
    ("wins", "level", "stock"),
    [(1, 0.5, 3), (1, 0.75, 5), (1, 0.99, 17), (2, 0.9, 15)],
    ids=["1-0.75^3 = 0.58", "1-0.75^5 = 0.76", "1-0.75^17 = 0.992", "two wins"],
)
def test_more_wins_or_more_certainty_ask_for_more(wins: int, level: float, stock: float) -> None:
    assert of(cases("T3", 5, 15), "T3", wins_needed=wins, service_level=level).stock == stock


def test_what_is_open_is_censored_not_lost() -> None:
    """Half of those that ended were won; those still open, seen as long, do not halve the rate."""
    floor = of(cases("T3", 10, 10, still=20), "T3")
    assert floor.entered == 40
    assert floor.rate == pytest.approx(0.25)  # on day 30 all 40 were at risk: 10 of them were won
    early: list[Visit] = [(f"new{i}", "LX", "A", "T3", "open", "2025-06-29", None, 1) for i in range(20)]
    assert of([*cases("T3", 10, 10), *early], "T3").rate == pytest.approx(0.5)


def test_an_opportunity_counts_once_from_its_first_day_in_the_stage() -> None:
    rows = cases("T3", 4, 16)
    rows[0:1] = [
        ("back", "LX", "A", "T3", "T2", "2025-01-01", "2025-02-01", 1),
        ("back", "LX", "A", "T2", "T3", "2025-02-01", "2025-02-10", 1),
        ("back", "LX", "A", "T3", "T4", "2025-02-10", "2025-03-01", 1),
        ("back", "LX", "A", "T4", "won", "2025-03-01", "2025-03-20", 1),
    ]
    floor = of(rows, "T3")
    assert (floor.entered, floor.won, floor.rate) == (20, 4, pytest.approx(0.2))


def test_the_future_is_not_known() -> None:
    late: list[Visit] = [("late", "LX", "A", "T3", "won", "2025-06-01", "2025-07-01", 1)]
    never: list[Visit] = [("never", "LX", "A", "T3", "open", "2025-07-02", None, 1)]
    floor = of([*cases("T3", 10, 10), *late, *never], "T3")
    assert (floor.entered, floor.won) == (21, 10)


def test_too_few_cases_leave_the_rate_and_the_stock_open() -> None:
    floor = of(cases("T3", 5, 14), "T3", floor_t3=None)
    assert floor.entered == 19
    assert all(isnan(v) for v in (floor.rate, floor.stock, floor.limit, floor.shortfall))


@pytest.mark.parametrize(
    ("held", "rate"), [(0, nan), (5, nan), (nan, 0.25)], ids=["nothing held", "no rate", "no count"]
)
def test_of_an_unknown_rate_or_count_no_risk_is_told(held: float, rate: float) -> None:
    assert isnan(shortfall(held, rate, Settings()))


def test_nothing_ever_won_makes_no_stock_enough() -> None:
    floor = of(cases("T3", 0, 25), "T3", floor_t3=None)
    assert floor.rate == 0
    assert isnan(floor.limit)


def test_regions_have_their_own_and_all_together_come_first() -> None:
    rows = [*cases("T3", 5, 15), *cases("T3", 10, 10, region="N")]
    found = floors(Seen(visits(rows), AS_OF).fates(FLOOR_STAGES), ["LX", "N"], Settings(floor_t3=None))
    rates = {f.region: f.rate for f in found if f.stage == "T3"}
    assert list(rates) == [None, "LX", "N"]
    assert rates == pytest.approx({None: 0.375, "LX": 0.25, "N": 0.5})
    applied = in_force(Settings(floor_t3=None), found, "N")
    assert (applied.floor_t1, applied.floor_t3) == (5, 4)  # 1 − 0.5⁴ = 0.94
    nothing = floors(Seen(visits(rows), AS_OF).fates(FLOOR_STAGES), ["N"], Settings(floor_t1=None))
    assert in_force(Settings(), nothing, "N").floor_t1 is None


def test_without_visits_the_override_stands() -> None:
    found = floors(Seen(visits([]), AS_OF).fates(FLOOR_STAGES), ["LX"], Settings())
    assert [(f.stage, f.limit, f.entered) for f in found] == [("T1", 5, 0), ("T3", 5, 0)]
    assert floors(Seen(visits([]), AS_OF).fates(FLOOR_STAGES), [], Settings()) == ()


def test_shortfall_of_what_is_not_known_is_not_known() -> None:
    assert isnan(shortfall(nan, 0.25, Settings()))
    assert isnan(shortfall(5, nan, Settings()))
    assert shortfall(0, 0.25, Settings()) == 1
