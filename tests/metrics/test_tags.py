"""What kind of rep: each rule at its edge, with the numbers that it rests on."""

from datetime import date, timedelta

import pandas as pd
import pytest
from hand_visits import Visit, intake

from xlfunnel import app
from xlfunnel.analysis import FunnelAnalysis, analyse
from xlfunnel.metrics.tags import Tagged
from xlfunnel.settings import Settings
from xlfunnel.terms import Tag

AS_OF = "2025-06-30"
ENGLISH = Settings(language="en")


def held(owner: str, stage: str, n: int, days: int = 1, region: str = "LX") -> list[Visit]:
    """So many opportunities that have stood in a stage for so many days."""
    since = (date.fromisoformat(AS_OF) - timedelta(days)).isoformat()
    return [(f"{region}{owner}{stage}{days}-{i}", region, owner, stage, "open", since, None, 1) for i in range(n)]


def won(owner: str, n: int, left: str = "2025-05-15") -> list[Visit]:
    return [(f"won{owner}{left}{i}", "LX", owner, "T4", "won", "2025-05-01", left, 1) for i in range(n)]


def of(rows: list[Visit]) -> FunnelAnalysis:
    return analyse(intake(rows, AS_OF), ENGLISH)


def tagged(analysis: FunnelAnalysis, tag: Tag) -> list[Tagged]:
    return [t for t in analysis.tags if t.tag == tag]


@pytest.mark.parametrize(
    ("wins", "expected"),
    [
        pytest.param({"A": 6, "B": 2}, ["A"], id="exactly_one_and_a_half_times_the_mean"),
        pytest.param({"A": 5, "B": 2}, [], id="less"),
        pytest.param({"A": 4, "B": 0}, [], id="twice_the_mean_but_too_few"),
        pytest.param({"A": 9}, [], id="alone"),
    ],
)
def test_high_yield(wins: dict[str, int], expected: list[str]) -> None:
    rows = [v for owner, n in wins.items() for v in (*won(owner, n), *held(owner, "T0", 3))]
    found = tagged(of(rows), Tag.HIGH_YIELD)
    assert [t.owner for t in found] == expected
    if found:
        assert (found[0].value, found[0].limit) == (6, 6)


def test_a_rep_who_won_nothing_is_one_of_the_mean() -> None:
    (found,) = tagged(of([*won("A", 6), *held("A", "T0", 3), *held("B", "T0", 3)]), Tag.HIGH_YIELD)
    assert (found.owner, found.value, found.limit) == ("A", 6, 1.5 * 3)


def test_wins_of_long_ago_make_no_high_yield() -> None:
    old = [(v[0], *v[1:5], "2024-01-01", "2024-02-01", 1) for v in won("A", 20)]
    assert not tagged(of([*old, *held("A", "T0", 2), *held("B", "T0", 2)]), Tag.HIGH_YIELD)


def test_short_is_below_the_regions_mean() -> None:
    found = tagged(of([*held("A", "T0", 4), *held("B", "T1", 2), *held("C", "T0", 3)]), Tag.SHORT)
    assert [(t.owner, t.value, t.limit) for t in found] == [("B", 2, 3)]


def usual(stage: str, days: int = 10) -> list[Visit]:
    """Stays that ended, so that the stage has a 90th percentile."""
    left = (date(2025, 3, 1) + timedelta(days)).isoformat()
    return [(f"usual{stage}{i}", "LX", "Z", stage, "lost", "2025-03-01", left, 1) for i in range(90)]


@pytest.mark.parametrize(
    ("old", "young", "expected"),
    [
        pytest.param(2, 4, [2 / 6], id="a_third"),
        pytest.param(2, 5, [], id="less"),
        pytest.param(4, 0, [], id="fewer_than_five"),
        pytest.param(5, 0, [1], id="five"),
    ],
)
def test_hardening(old: int, young: int, expected: list[float]) -> None:
    rows = [*usual("T2"), *usual("T0"), *held("A", "T2", old, 60), *held("A", "T2", young, 3)]
    found = tagged(of([*rows, *held("A", "T0", 9, 60)]), Tag.HARDENING)  # leads that lie about are another matter
    assert [t.value for t in found] == pytest.approx(expected)
    assert [(t.cases, t.of) for t in found] == [(old, old + young)] * len(expected)


def advancing(owner: str, stage: str, went: str, k: int, n: int) -> list[Visit]:
    return [
        (f"{stage}{owner}{i}", "LX", owner, stage, went if i < k else "lost", "2025-03-01", "2025-03-11", 1)
        for i in range(n)
    ]


def test_low_conversion_of_the_headline_step_and_of_others() -> None:
    """By the headline step (T2 to won) an amber limit is enough; of the many other steps only the red one counts."""
    rows = [v for o in "ABC" for v in advancing(o, "T2", "won", 6 if o == "A" else 15, 30)]
    rows += [v for o in "ABC" for v in advancing(o, "T0", "T2", 7 if o == "B" else 15, 30)]
    rows += [v for o in "ABC" for v in held(o, "T0", 1)]
    found = tagged(of(rows), Tag.LOW_CONVERSION)
    assert {(t.owner, t.step) for t in found} == {("A", "T2-won")}  # 7 of 30 at 41 %: amber only
    worse = [v for v in rows if not v[0].startswith("T0B")] + advancing("B", "T0", "T2", 1, 30)
    both = tagged(of(worse), Tag.LOW_CONVERSION)
    assert {(t.owner, t.step) for t in both} == {("A", "T2-won"), ("B", "T0-T2")}
    (a,) = [t for t in both if t.owner == "A"]
    assert (a.cases, a.of, a.value) == (6, 30, 0.2)
    assert a.value < a.limit


def test_several_tags_at_once_and_nobody_has_none() -> None:
    rows = [*usual("T2"), *held("A", "T2", 5, 60), *held("B", "T0", 19), *held("", "T0", 50)]
    found = of(rows)
    assert [t.tag for t in found.tags_of("LX", "A")] == [Tag.SHORT, Tag.HARDENING]
    assert not found.tags_of("LX", "")


def test_of_the_sample_the_published_reps_are_short() -> None:
    files, chosen = app.sample("en")
    found = analyse(app.check(files, chosen), chosen)
    assert sorted(t.owner for t in tagged(found, Tag.SHORT)) == ["B", "D", "E"]
    assert sorted(t.owner for t in tagged(found, Tag.HIGH_YIELD)) == ["A", "C"]


def test_ready_made_reserves_know_only_who_is_short() -> None:
    table = pd.DataFrame(
        [("LX", o, "T1", 665, n, 0) for o, n in (("A", 9), ("B", 2))],
        columns=["region", "owner", "stage", "month", "count", "amount_cents"],
    )
    made = intake([], AS_OF)
    found = analyse(type(made)(made.visits, table, (), (), made.as_of), ENGLISH)
    assert [(t.owner, t.tag) for t in found.tags] == [("B", Tag.SHORT)]
