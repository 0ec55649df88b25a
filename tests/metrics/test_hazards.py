"""Weekly chances and the paths made of them: by hand, against Aalen-Johansen, and against a walk in single steps."""

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest
from lifelines import AalenJohansenFitter
from numpy.typing import NDArray
from true_pipeline import stays

from xlfunnel.metrics.hazards import AGES, PLACES, Exposure, Hazards, exposure, leaning, pooled
from xlfunnel.metrics.inflow import Inflow
from xlfunnel.metrics.passage import STANDS, WINS, at_days, of_arrivals, passage
from xlfunnel.metrics.simulation import Amounts, simulate
from xlfunnel.metrics.sojourns import OUT, WON, Sojourns, sojourns
from xlfunnel.terms import STAGES

AS_OF = date(2025, 6, 30)
DAY = (AS_OF - date(1970, 1, 1)).days


def of(*rows: tuple[str, str, int, int]) -> Sojourns:
    """Stays of one region as (stage, next stage, days ago that it began, days that it lasted)."""
    frame = pd.DataFrame(
        [(f"{i}", 1, "LX", "A", stage, went, DAY - ago, days, None) for i, (stage, went, ago, days) in enumerate(rows)],
        columns=[
            "opportunity_id",
            "visit",
            "region",
            "owner",
            "stage",
            "next_stage",
            "since_day",
            "days",
            "amount_cents",
        ],
    )
    return sojourns(frame.astype({"amount_cents": "Int64"}), AS_OF)


def certain(*moves: tuple[str, int, int]) -> Hazards:
    """One draw of chances: (stage, week of age, place) surely happens; nothing else ever does."""
    to = np.zeros((1, len(STAGES), AGES, PLACES))
    for stage, week, place in moves:
        to[0, STAGES.index(stage), week, place] = 1
    return Hazards(to, 1 - to.sum(axis=3))


def paths(chances: Hazards, weeks: int, stage: int = 3) -> NDArray[np.float64]:
    """What `passage` says of every cell: (week, question, draw, stage, week of age)."""
    found = passage(chances, weeks, np.arange(len(STAGES) * AGES), stage).aged
    return found.reshape(*found.shape[:3], len(STAGES), AGES)


def test_exposure_by_hand() -> None:
    """One ended on its 10th day, one is open for 10 days: both lived through week 0, the second 3/7 of week 1."""
    found = exposure(of(("T2", "T3", 100, 10), ("T2", "open", 10, 10), ("T2", "lost", 50, 0)), DAY - 730)
    assert found.at_risk[2, :3].tolist() == pytest.approx([3, 1 + 3 / 7, 0])
    assert (found.ended[2, 1, 3], found.ended[2, 0, OUT], found.ended.sum()) == (1, 1, 2)


def test_a_stay_begun_before_the_window_counts_from_its_age_then() -> None:
    found = exposure(of(("T2", "won", 40, 30)), DAY - 26)  # 14 days old when the window opens, gone at 30
    assert found.at_risk[2, :6].tolist() == [0, 0, 1, 1, 1, 0]
    assert found.ended[2, 4, WON] == 1


def test_what_ended_before_the_window_and_what_is_not_chosen_count_nothing() -> None:
    two = of(("T2", "won", 400, 30), ("T3", "won", 100, 30))
    assert exposure(two, DAY - 200, two.stage == 2).at_risk.sum() == 0


def test_late_ages_share_the_last_week() -> None:
    found = exposure(of(("T3", "open", 500, 500), ("T3", "won", 600, 490)), DAY - 730)
    assert found.at_risk[3, AGES - 1] == pytest.approx(500 / 7 - (AGES - 1) + 490 // 7 + 1 - (AGES - 1))
    assert found.ended[3, AGES - 1, WON] == 1


def test_without_uncertainty_the_chances_are_aalen_and_johansens() -> None:
    """Many stays: the chance to be won within t weeks of a stay is lifelines' cumulative incidence."""
    draw = np.random.default_rng(1)
    n = 4000
    week, went = draw.integers(0, 20, n), draw.choice(["won", "lost", "open"], n, p=[0.3, 0.4, 0.3])
    days = np.where(went == "open", 7 * week + 7, 7 * week + 3)  # cut off between two weeks, ended within one
    rows = [("T4", str(w), 300, int(d)) for d, w in zip(days, went, strict=True)]
    chances = pooled(draw, exposure(of(*rows), DAY - 730), 400)
    found = paths(chances, 15)[:, WINS, :, 4, 0].mean(axis=1)
    oracle = AalenJohansenFitter(calculate_variance=False).fit(
        days / 7, pd.Series(went).map({"won": 1, "lost": 2, "open": 0}), 1
    )
    curve = oracle.cumulative_density_.iloc[:, 0]
    for weeks in range(1, 15):
        assert found[weeks] == pytest.approx(float(curve[curve.index < weeks].iloc[-1]), abs=0.005), weeks


def test_chances_add_to_one_and_widen_with_few_stays() -> None:
    draw = np.random.default_rng(2)
    many = pooled(draw, exposure(of(*[("T4", "won" if i % 2 else "lost", 300, 30) for i in range(200)]), 0), 300)
    few = pooled(draw, exposure(of(*[("T4", "won" if i % 2 else "lost", 300, 30) for i in range(6)]), 0), 300)
    for chances in (many, few):
        assert np.allclose(chances.to.sum(axis=3) + chances.stay, 1)
    spread = [paths(c, 10)[10, WINS, :, 4, 0].std() for c in (many, few)]
    assert spread[1] > 3 * spread[0] > 0


def test_a_stage_never_seen_never_moves() -> None:
    chances = pooled(np.random.default_rng(3), exposure(of(("T4", "won", 30, 3)), 0), 5)
    assert (chances.stay[:, :4] == 1).all()


def test_a_region_without_stays_has_the_chances_of_all() -> None:
    draw = np.random.default_rng(4)
    at_large = pooled(draw, exposure(of(*[("T4", "won" if i % 2 else "lost", 300, 30) for i in range(400)]), 0), 500)
    nothing = Exposure(np.zeros((len(STAGES), AGES, PLACES)), np.zeros((len(STAGES), AGES)))
    own = leaning(draw, nothing, at_large)
    assert own.to[:, 4, 4, WON].mean() == pytest.approx(at_large.to[:, 4, 4, WON].mean(), abs=0.03)


def test_a_sure_path_week_by_week() -> None:
    """T3 goes to T4 in its second week, T4 is won in its first: moves are in mid-week, so half by the second week."""
    found = paths(certain(("T3", 1, 4), ("T4", 0, WON)), 4)
    assert found[:, WINS, 0, 3, 0].tolist() == [0, 0, 0.5, 1, 1]
    assert found[:, WINS, 0, 3, 1].tolist() == [0, 0.5, 1, 1, 1]
    assert found[:, STANDS, 0, 3, 0].tolist() == [1, 1, 0, 0, 0]
    assert found[:, WINS, 0, 4, 0].tolist() == [0, 1, 1, 1, 1]


def test_what_is_fresh_is_a_cell_of_age_0_and_wins_do_not_depend_on_the_stage_asked_for() -> None:
    whole = sojourns(stays(5, AS_OF, arrivals=40), AS_OF)
    chances = pooled(np.random.default_rng(6), exposure(whole, 0), 3)
    cells = np.arange(len(STAGES)) * AGES
    found, wins = passage(chances, 9, cells, 3), passage(chances, 9, cells)
    assert (found.fresh == found.aged).all()
    assert (found.fresh[:, WINS] == wins.fresh[:, WINS]).all()
    assert wins.fresh.shape[1] == 1


def test_falling_back_is_a_path_too() -> None:
    found = paths(certain(("T4", 0, 3), ("T3", 0, WON)), 5)
    assert found[1, WINS, 0, 4, 0] <= 0.5
    assert found[3, WINS, 0, 4, 0] == 1
    assert found[5, STANDS, 0, 4, 0] == 0


def test_chances_over_several_stages_against_a_walk() -> None:
    """From T2 of the true pipeline: the share that was won within 26 weeks, by walking the paths one by one."""
    whole = sojourns(stays(5, AS_OF, arrivals=400), AS_OF)
    chances = pooled(np.random.default_rng(6), exposure(whole, 0), 50)
    found = at_days(paths(chances, 27)[:, WINS, :, 2, 0].mean(axis=1)[:, None], np.array([60.0, 90.0, 180.0]))
    draw = np.random.default_rng(7)
    end = draw.gamma(2, 12.5, 100_000) + draw.gamma(2, 22.5, 100_000) + draw.gamma(2, 10, 100_000)
    won = draw.random(100_000) < 0.6**3
    truth = [(won & (end <= d)).mean() for d in (60, 90, 180)]
    assert found[:, 0] == pytest.approx(truth, abs=0.015)


def test_days_between_weeks_lie_on_straight_lines() -> None:
    line = np.array([[0.0], [1.0], [4.0]])
    assert at_days(line, np.array([0.0, 3.5, 7.0, 10.5, 99.0]))[:, 0].tolist() == [0, 0.5, 1, 2.5, 4]


@pytest.mark.parametrize(("days", "week"), [(363, 51), (364, 52), (371, 52), (700, 52)])
def test_a_stay_as_old_as_the_last_week_of_age_tells_of_its_own_stage_only(days: int, week: int) -> None:
    found = exposure(of(("T2", "won", 1000, days), ("T3", "open", 14, 14)), 0)
    assert found.ended[2, week, WON] == found.ended.sum() == 1
    assert found.at_risk.sum(axis=1).tolist() == [0, 0, days // 7 + 1, 2, 0]


def test_of_a_running_month_only_the_rest_brings_arrivals() -> None:
    """9,000 come to T4 a month, and are won a week later, on average half a week's way within it.

    From 20 June on a third of June's come, of whom 65 % are won within the ten days that are left; July has the other
    35 % of them, and of its own all but those of half its last week; August is like any month.
    """
    day = (date(2025, 6, 20) - date(1970, 1, 1)).days
    arrived = np.zeros((6, len(STAGES)))
    arrived[:, 4] = 9000
    nobody = replace(of(("T4", "won", 100, 3)), day=day).of(np.array([False]))
    pool = Amounts((np.array([]),) * len(STAGES), np.array([2.0]))
    draw = np.random.default_rng(8)
    found = simulate(draw, nobody, certain(("T4", 0, WON)), Inflow(arrived, 1.0), pool, 3, 20)
    june, july, august = 3000 * 0.65, 3000 * 0.35 + 9000 * (1 - 3.5 / 31), 9000
    assert found.new_count.mean(axis=0) == pytest.approx([june, july, august], rel=0.02)
    assert (found.new_amount == 2 * found.new_count).all()
    assert (found.open_count == 0).all()


def test_arrivals_come_evenly_over_their_month() -> None:
    """Won a week after arrival: of a month of 28 days 21 days' arrivals are won by its end, all by the next."""
    found = passage(certain(("T4", 1, WON)), 12, np.arange(0))
    later = of_arrivals(found.fresh, np.array([0.0, 28.0]), np.array([28.0, 56.0]), points=28)
    assert later[0, :, WINS, 0, 4] == pytest.approx([17.5 / 28, 1], abs=0.01)  # on average 10.5 days after arrival
    assert later[1, 0, WINS, 0, 4] == 0
