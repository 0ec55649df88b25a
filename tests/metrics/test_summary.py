"""The figures of Home, from pipelines that can be counted in the head."""

from math import isnan

import pytest
from hand_visits import Visit, intake

from xlfunnel.analysis import FunnelAnalysis, analyse
from xlfunnel.settings import Settings
from xlfunnel.terms import FlagCode, Severity

TWO_REPS: list[Visit] = [
    ("1", "LX", "A", "T0", "T1", "2025-01-05", "2025-02-10", 100),
    ("1", "LX", "A", "T1", "open", "2025-02-10", None, 100),
    ("2", "LX", "A", "T3", "won", "2025-01-07", "2025-03-03", 300),
    ("3", "LX", "A", "T3", "open", "2025-01-20", None, 200),
    ("4", "LX", "B", "T3", "lost", "2025-01-09", "2025-02-28", None),
    ("5", "LX", "A", "T2", "open", "2025-03-01", None, 50),
]


def made(rows: list[Visit], as_of: str, **settings: object) -> FunnelAnalysis:
    return analyse(intake(rows, as_of), Settings(region="LX", **settings))  # type: ignore[arg-type]


def test_headline_of_two_reps() -> None:
    head = made(TWO_REPS, "2025-03-31", floor_t3=2).headline
    assert (head.reserve_first, head.reserve_now) == (4, 3)  # 31 January: 1 2 3 4; 31 March: 1 3 5
    assert (head.t3_first, head.t3_now) == (3, 1)
    assert (head.owners, head.t3_per_owner, head.t3_gap) == (2, 0.5, 3)
    assert (head.won, head.closed, head.win_rate) == (1, 2, 0.5)
    assert head.short_owners == ("B",)
    assert head.short_share == 0
    assert head.funnel[:4] == (("T0", 0), ("T1", 1), ("T2", 1), ("T3", 1))
    assert isnan(dict(head.funnel)["T4"])  # nothing ever stood in T4: the CRM does not have it
    assert head.severities["reserve"] == Severity.WATCH  # 4 → 3 is −25 %
    assert head.severities["t3_per_owner"] == Severity.RISK
    assert head.severities["slope"] == Severity.NONE  # three months are too short
    assert head.severity == Severity.RISK


@pytest.mark.parametrize(
    ("then", "now", "severity"),
    [
        (10, 7, Severity.RISK), (10, 8, Severity.WATCH), (10, 9, Severity.WATCH), (20, 19, Severity.OK),
        (2, 3, Severity.OK),
    ],
    ids=["-30%", "-20%", "-10%", "-5%", "grows"],
)  # fmt: skip
def test_fall_of_the_reserve(then: int, now: int, severity: Severity) -> None:
    rows: list[Visit] = [
        (f"a{i}", "LX", "A", "T0", "lost", "2025-01-02", "2025-02-02", None) for i in range(max(0, then - now))
    ]
    rows += [(f"b{i}", "LX", "A", "T0", "open", "2025-01-02", None, None) for i in range(min(then, now))]
    rows += [(f"c{i}", "LX", "A", "T0", "open", "2025-02-02", None, None) for i in range(max(0, now - then))]
    assert made(rows, "2025-02-28").headline.severities["reserve"] == severity


def test_monthly_table_counts_stocks_and_flows() -> None:
    table = made(TWO_REPS, "2025-03-31").monthly
    assert table["x"].tolist() == [1, 2, 3]
    assert table["T0-T3"].tolist() == [4, 3, 3]
    assert table["T0-T2"].tolist() == [1, 1, 2]
    assert table["created"].tolist() == [4, 0, 1]
    assert table["won"].tolist() == [0, 0, 1]
    assert table["lost"].tolist() == [0, 1, 0]
    assert table["amount"].tolist() == [600, 600, 350]


def test_running_month_is_kept_out_of_the_table_and_named() -> None:
    run = made(TWO_REPS, "2025-03-15")
    assert len(run.monthly) == 2
    assert run.partial == {"T0-T2": 2, "T0-T3": 3, "T3": 1}
    assert made(TWO_REPS, "2025-03-31").partial is None


def test_opportunities_without_an_owner_make_no_head() -> None:
    rows = [*TWO_REPS, ("9", "LX", "", "T3", "open", "2025-03-02", None, None)]
    head = made(rows, "2025-03-31", floor_t3=2).headline  # type: ignore[arg-type]
    assert head.owners == 2
    assert head.t3_per_owner == 0.5
    assert head.reserve_now == 4


def test_a_crm_without_t3_has_no_t3_per_head() -> None:
    rows: list[Visit] = [("1", "LX", "A", "T0", "open", "2025-01-05", None, None)]
    head = made(rows, "2025-03-31").headline
    assert isnan(head.t3_per_owner)
    assert isnan(head.t3_gap)
    assert head.severities["t3_per_owner"] == Severity.NONE


def test_help_goes_first_to_the_rep_who_breaks_most_rules() -> None:
    rows = made(TWO_REPS, "2025-03-31", floor_t3=1, floor_t1=1).help_first
    assert [(r.owner, len(r.codes)) for r in rows] == [("B", 3)]
    assert set(rows[0].codes) == {FlagCode.BELOW_MEAN, FlagCode.BELOW_FLOOR_T1, FlagCode.BELOW_FLOOR_T3}


def test_nothing_at_all_is_no_verdict_rather_than_a_crash() -> None:
    run = made([], "2025-03-31")
    assert run.headline.severity == Severity.NONE
    assert run.headline.owners == 0
    assert run.help_first == ()


def test_the_headline_knows_the_floor_that_applies() -> None:
    """0 is no rule; an empty one is the safety stock, unknown here with so few cases."""
    assert made(TWO_REPS, "2025-03-31", floor_t3=4).headline.t3_floor == 4
    for floor in (0, None):
        head = made(TWO_REPS, "2025-03-31", floor_t3=floor).headline
        assert isnan(head.t3_floor)
        assert isnan(head.t3_gap)
        assert head.severities["t3_per_owner"] == Severity.NONE
