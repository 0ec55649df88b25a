"""The alert rules, each with a team that breaks it, touches it, or has nothing to compare."""

from datetime import date

import pytest
from hand_facts import LX, facts, monthly, standing

from xlfunnel.facts import Facts
from xlfunnel.metrics.flags import Flag, flags
from xlfunnel.metrics.floors import Floor
from xlfunnel.metrics.owners import owner_reserves
from xlfunnel.metrics.trend import fit, trends
from xlfunnel.settings import LANGUAGES, Settings
from xlfunnel.strings import words
from xlfunnel.terms import FlagCode, Severity, Verdict

AS_OF = date(2025, 6, 30)
NO_FLOORS = Settings(floor_t1=None, floor_t3=None)
FLOORS = Settings(floor_t1=10, floor_t3=5)
SIX_REPS = dict(zip("ABCDEF", (20, 9, 21, 8, 10, 24), strict=True))
"""T0…T3 reserves as at LX's June: 92 in all, a mean of 15.33."""


def raised(made: Facts, settings: Settings = NO_FLOORS) -> tuple[Flag, ...]:
    return flags(owner_reserves(made, settings), trends(made, settings), settings)


def team(reserves: dict[str, dict[str, int]]) -> Facts:
    return facts(standing("2025-06", reserves), AS_OF)


def found(made: Facts, settings: Settings, code: FlagCode) -> list[tuple[str | None, float, float, Severity]]:
    return [(f.owner, f.value, f.limit, f.severity) for f in raised(made, settings) if f.code == code]


def test_below_mean_as_the_consultant_found_them() -> None:
    low = found(team({o: {"T0": n} for o, n in SIX_REPS.items()}), NO_FLOORS, FlagCode.BELOW_MEAN)
    assert low == [(o, SIX_REPS[o], 92 / 6, Severity.WATCH) for o in "DBE"]  # the furthest below first


@pytest.mark.parametrize(
    "reserves",
    [{"A": {"T0": 5}, "B": {"T0": 5}}, {"A": {"T0": 5}}, {"A": {"T0": 5}, "": {"T0": 50}}],
    ids=["both at the mean", "one rep only", "one rep, and what belongs to nobody"],
)
def test_nobody_below_mean(reserves: dict[str, dict[str, int]]) -> None:
    assert found(team(reserves), NO_FLOORS, FlagCode.BELOW_MEAN) == []


@pytest.mark.parametrize(
    ("code", "stage", "severity"),
    [(FlagCode.BELOW_FLOOR_T1, "T1", Severity.WATCH), (FlagCode.BELOW_FLOOR_T3, "T3", Severity.RISK)],
)
@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        pytest.param(5, 5, [], id="all at the floor"),
        pytest.param(9, 4, [("B", 4)], id="one below, the region not"),
        pytest.param(6, 3, [(None, 4.5), ("B", 3)], id="one below, and the region a head"),
        pytest.param(0, 0, [(None, 0), ("A", 0), ("B", 0)], id="nothing"),
    ],
)
def test_below_floor(
    code: FlagCode, stage: str, severity: Severity, a: int, b: int, expected: list[tuple[str | None, float]]
) -> None:
    made = team({"A": {"T2": 1, stage: a}, "B": {"T2": 1, stage: b}})
    wanted = [(owner, value, 5.0, severity) for owner, value in expected]
    assert found(made, Settings(floor_t1=5, floor_t3=5), code) == wanted


def test_no_floor_no_flag() -> None:
    assert raised(team({"A": {"T1": 0, "T3": 0}, "B": {"T1": 0, "T3": 0}})) == ()


def test_a_stage_the_crm_does_not_have_raises_nothing() -> None:
    codes = {f.code for f in raised(team({"A": {"T2": 2}, "B": {"T2": 1, "T1": 1}}), FLOORS)}
    assert codes == {FlagCode.BELOW_FLOOR_T1}


def test_what_belongs_to_nobody_is_not_in_the_average() -> None:
    made = team({"A": {"T3": 4}, "B": {"T3": 5}, "": {"T3": 90}})
    values = [(o, v) for o, v, _, _ in found(made, FLOORS, FlagCode.BELOW_FLOOR_T3)]
    assert values == [(None, 4.5), ("A", 4.0)]
    assert found(team({"": {"T3": 1}}), FLOORS, FlagCode.BELOW_FLOOR_T3) == []


def test_reserve_declining_of_the_published_months() -> None:
    rows = monthly("LX", "A", "T0", "2025-01", LX["T0-T2"]) + monthly("LX", "A", "T3", "2025-01", LX["T3"])
    slopes = {span: fit(LX[span]).slope for span in LX}
    assert raised(facts(rows, AS_OF)) == (
        Flag("LX", None, FlagCode.RESERVE_DECLINING, slopes["T3"], 0.0, Severity.RISK, "T3"),
        Flag("LX", None, FlagCode.RESERVE_DECLINING, slopes["T0-T2"], 0.0, Severity.WATCH, "T0-T2"),
        Flag("LX", None, FlagCode.RESERVE_DECLINING, slopes["T0-T3"], 0.0, Severity.WATCH, "T0-T3"),
    )


def test_trends_of_all_regions_together_and_of_reps_raise_nothing() -> None:
    falling = monthly("N", "A", "T3", "2025-01", LX["T3"])
    flat = monthly("N", "B", "T3", "2025-01", [100 - n for n in LX["T3"]]) + monthly("S", "C", "T3", "2025-01", [9] * 6)
    made = facts(falling + flat, AS_OF)
    down = [t for t in trends(made, NO_FLOORS) if t.fit.verdict == Verdict.DECLINING]
    assert {(t.region, t.owner) for t in down} == {("N", "A")}
    assert found(made, NO_FLOORS, FlagCode.RESERVE_DECLINING) == []
    both = facts(falling + monthly("S", "C", "T3", "2025-01", LX["T3"]), AS_OF)
    declining = [(f.region, f.span) for f in raised(both) if f.code == FlagCode.RESERVE_DECLINING]
    assert sorted(set(declining)) == [("N", "T0-T3"), ("N", "T3"), ("S", "T0-T3"), ("S", "T3")]
    assert {t.region for t in trends(both, NO_FLOORS) if t.fit.verdict == Verdict.DECLINING} == {None, "N", "S"}


def test_worst_first() -> None:
    rows = standing("2025-06", {"A": {"T0": 30, "T1": 9, "T3": 5}, "B": {"T0": 1, "T1": 12, "T3": 0}}, "S")
    rows += standing("2025-06", {"C": {"T1": 2, "T3": 1}}, "N")
    short = [(str(f.severity), f.region, f.owner, str(f.code)) for f in raised(facts(rows, AS_OF), FLOORS)]
    assert short == [
        ("risk", "N", None, "below_floor_T3"),
        ("risk", "S", None, "below_floor_T3"),
        ("risk", "N", "C", "below_floor_T3"),
        ("risk", "S", "B", "below_floor_T3"),
        ("watch", "N", None, "below_floor_T1"),
        ("watch", "S", "B", "below_mean"),
        ("watch", "N", "C", "below_floor_T1"),
        ("watch", "S", "A", "below_floor_T1"),
    ]


def test_floors_of_a_region_replace_those_of_the_settings_and_bring_their_risk() -> None:
    made = team({"A": {"T3": 4}, "B": {"T3": 8}})
    floor = Floor("LX", "T3", 44, 11, 0.25, 0.1, 0.4, 9, 9, False, 0.075)
    low = flags(owner_reserves(made, NO_FLOORS), (), NO_FLOORS, (floor,))
    assert [(f.owner, f.value, f.limit) for f in low if f.code == FlagCode.BELOW_FLOOR_T3] == [
        (None, 6, 9), ("A", 4, 9), ("B", 8, 9),
    ]  # fmt: skip
    assert low[1].numbers == pytest.approx({"rate": 0.25, "entered": 44, "stock": 9, "risk": 0.75**4, "wins": 1})


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("verdict", Verdict)
def test_every_verdict_has_its_words(language: str, verdict: Verdict) -> None:
    say = words(language)
    assert say(f"trend.verdict.{verdict}") != say(f"trend.meaning.{verdict}")
