"""The LX sample: committed as generated, its reserves the published ones, and a pipeline that behaves like one."""

import csv
import io
import json
from collections import Counter, defaultdict
from datetime import date
from itertools import pairwise
from pathlib import Path
from statistics import mean, median

import pytest

from xlfunnel import sample
from xlfunnel.calendar import month_end, month_of_text
from xlfunnel.crm import Intake, read_sources
from xlfunnel.facts import facts_of
from xlfunnel.sample_pipeline import AS_OF
from xlfunnel.settings import load
from xlfunnel.terms import IssueCode

FOLDER = Path(__file__).resolve().parents[1] / "workbook" / "sample"
T0_T2 = [162, 113, 76, 59, 68, 85]
T3 = [41, 29, 16, 11, 10, 7]
MONTHS = [month_of_text(f"2025-{m:02d}") for m in range(1, 7)]
AT_THE_END = {  # T0-T4 of each rep on 30 June 2025
    "A": [12, 6, 4, 2, 1],
    "B": [6, 2, 1, 0, 0],
    "C": [12, 6, 3, 1, 1],
    "D": [4, 2, 1, 1, 0],
    "E": [5, 3, 2, 1, 0],
    "F": [9, 5, 2, 2, 1],
}
STAGES = ["线索", "高潜线索", "有效商机", "高阶商机", "关键决策"]

Steps = list[tuple[str, date]]


def rows(name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO((FOLDER / name).read_bytes().decode("utf-8-sig"))))


@pytest.fixture(scope="module")
def heads() -> dict[str, dict[str, str]]:
    return {row["商机编号"]: row for row in rows("lx_opportunities.csv")}


@pytest.fixture(scope="module")
def steps() -> dict[str, Steps]:
    """Opportunity → its stages and outcome with their days, in order of the file; the impossible date left out."""
    found: dict[str, Steps] = defaultdict(list)
    for row in rows("lx_stage_history.csv"):
        if row["进入日期"] != "2025-02-30":
            found[row["商机编号"]].append((row["阶段"], date.fromisoformat(row["进入日期"])))
    return found


@pytest.fixture(scope="module")
def moves(steps: dict[str, Steps]) -> list[tuple[str, str, int, date]]:
    """(from, to, days between, day) of every move out of a stage."""
    pairs = [pair for way in steps.values() for pair in pairwise(way)]
    return [(a, b, (there - here).days, there) for (a, here), (b, there) in pairs if a in STAGES]


@pytest.fixture(scope="module")
def intake() -> Intake:
    settings = load(FOLDER / "lx_settings.toml")
    return read_sources([FOLDER / "lx_opportunities.csv"], settings, history=FOLDER / "lx_stage_history.csv")


def standing(steps: dict[str, Steps], day: date) -> dict[str, str]:
    """Opportunity → stage on a day, looked up one by one."""
    last = {key: [stage for stage, since in way if since <= day][-1:] for key, way in steps.items()}
    return {key: stage[0] for key, stage in last.items() if stage and stage[0] in STAGES}


def test_committed_files_are_what_the_generator_makes() -> None:
    made = sample.files()
    assert {p.name for p in FOLDER.iterdir() if not p.name.startswith(".")} == set(made)
    for name, content in made.items():
        assert (FOLDER / name).read_bytes() == content, f"run python -m xlfunnel.sample: {name} differs"


def test_another_seed_is_another_sample_with_the_same_end(tmp_path: Path) -> None:
    sample.write(tmp_path / "new", seed=5)
    other = (tmp_path / "new" / "lx_opportunities.csv").read_bytes()
    assert other != (FOLDER / "lx_opportunities.csv").read_bytes()
    current = Counter(row["当前阶段"] for row in csv.DictReader(io.StringIO(other.decode("utf-8-sig"))))
    assert [current[stage] for stage in STAGES] == [48, 24, 13, 7, 3]


def test_month_end_reserves_are_the_published_ones(steps: dict[str, Steps], shared: Path) -> None:
    counts = [Counter(standing(steps, month_end(month)).values()) for month in MONTHS]
    early, t3 = [sum(c[s] for s in STAGES[:3]) for c in counts], [c[STAGES[3]] for c in counts]
    assert (early, t3) == (T0_T2, T3)
    golden = json.loads((shared / "golden" / "lx.json").read_text("utf-8"))["reserve_count"]
    assert golden == {"T0-T2": early, "T3": t3, "T0-T3": [a + b for a, b in zip(early, t3, strict=True)]}


def test_reps_at_the_end_and_who_is_below_the_mean(heads: dict[str, dict[str, str]], steps: dict[str, Steps]) -> None:
    held = Counter((heads[key]["负责人"], stage) for key, stage in standing(steps, AS_OF).items())
    assert {rep: [held[rep, stage] for stage in STAGES] for rep in AT_THE_END} == AT_THE_END
    reserve = {rep: sum(held[rep, stage] for stage in STAGES[:4]) for rep in AT_THE_END}
    assert [rep for rep, n in reserve.items() if n < mean(reserve.values())] == ["B", "D", "E"]


def test_history_and_opportunities_tell_the_same_story(
    heads: dict[str, dict[str, str]], steps: dict[str, Steps]
) -> None:
    assert list(heads) == list(steps)
    for key, way in steps.items():
        (stage, day), head = way[-1], heads[key]
        assert head["当前阶段"] == stage
        assert head["创建日期"] == way[0][1].isoformat()
        assert head["关闭日期"] == ("" if stage in STAGES else day.isoformat())
        assert bool(head["丢单原因"]) == (stage == "丢单")
        assert key.startswith(f"LX-{way[0][1].year}-")
        assert (head["大区"], head["负责人"] in AT_THE_END) == ("LX", True)


def test_days_are_working_days_in_order(steps: dict[str, Steps], moves: list[tuple[str, str, int, date]]) -> None:
    days = [day for way in steps.values() for _, day in way]
    assert max(day.weekday() for day in days) == 4
    assert (min(days), max(days)) == (date(2024, 1, 2), AS_OF)
    assert not any(date(2025, 1, 28) <= day <= date(2025, 2, 4) for day in days)
    assert min(n for _, _, n, _ in moves) >= 1


def test_nothing_happens_all_on_one_day(steps: dict[str, Steps]) -> None:
    entered = Counter(day for way in steps.values() for stage, day in way if stage in STAGES)
    closed = Counter(day for way in steps.values() for stage, day in way if stage not in STAGES)
    assert max(entered.values()) < 3.5 * mean(entered.values())
    assert max(closed.values()) < 3.5 * mean(closed.values())
    assert len(entered) > 300


@pytest.mark.parametrize(
    ("stage", "ahead", "first_year", "last_half"),
    [
        ("线索", "高潜线索", (0.50, 0.60), (0.48, 0.60)),
        ("高潜线索", "有效商机", (0.42, 0.50), (0.28, 0.34)),
        ("有效商机", "高阶商机", (0.45, 0.55), (0.45, 0.55)),
        ("高阶商机", "关键决策", (0.45, 0.55), (0.45, 0.55)),
        ("关键决策", "赢单", (0.40, 0.60), (0.40, 0.60)),
    ],
)
def test_share_that_advances(
    moves: list[tuple[str, str, int, date]],
    stage: str,
    ahead: str,
    first_year: tuple[float, float],
    last_half: tuple[float, float],
) -> None:
    for year, (low, high) in ((2024, first_year), (2025, last_half)):
        ways = [to for came_from, to, _, day in moves if came_from == stage and day.year == year]
        assert low <= ways.count(ahead) / len(ways) <= high, (year, ways.count(ahead), len(ways))


def test_wins_come_from_the_last_stage_and_some_opportunities_come_back(
    moves: list[tuple[str, str, int, date]], steps: dict[str, Steps]
) -> None:
    ways = Counter((came_from, to) for came_from, to, _, _ in moves)
    assert {came_from for came_from, to in ways if to == "赢单"} == {"关键决策"}
    back = sum(n for (a, b), n in ways.items() if b in STAGES and STAGES.index(b) < STAGES.index(a))
    skips = sum(n for (a, b), n in ways.items() if b in STAGES and STAGES.index(b) > STAGES.index(a) + 1)
    reopened = sum(a == "丢单" for way in steps.values() for (a, _), _ in pairwise(way))
    assert back >= 10
    assert 5 <= skips <= 15
    assert reopened >= 10
    from_t3 = ways["关键决策", "赢单"] / (
        ways["关键决策", "赢单"] + ways["关键决策", "丢单"] + ways["高阶商机", "丢单"]
    )
    assert 0.20 <= from_t3 <= 0.30


def test_stays_are_spread_and_longest_before_the_decision(moves: list[tuple[str, str, int, date]]) -> None:
    stays = {stage: [n for came_from, _, n, _ in moves if came_from == stage] for stage in STAGES}
    assert 40 <= mean(stays["高阶商机"]) <= 55
    assert max(stays, key=lambda stage: median(stays[stage])) == "高阶商机"
    for n in stays.values():
        assert median(n) < mean(n) < 1.5 * median(n)


def test_amounts_are_plausible(heads: dict[str, dict[str, str]]) -> None:
    amounts = [int(head["金额"]) for head in heads.values() if head["金额"] != "面议"]
    assert len(amounts) == len(heads) - 1
    assert min(amounts) >= 80_000
    assert max(amounts) <= 3_000_000
    assert 350_000 < median(amounts) < mean(amounts) < 600_000
    assert all(amount % 5000 == 0 for amount in amounts)


def test_the_door_finds_both_dirty_rows_and_the_steps_back_and_nothing_else(intake: Intake) -> None:
    assert sorted((i.code, i.value) for i in intake.issues) == [
        (IssueCode.BAD_AMOUNT, "面议"),
        (IssueCode.BAD_DATE, "2025-02-30"),
        (IssueCode.STAGE_BACKWARDS, "38 (LX-2024-0005)"),
    ]
    assert intake.as_of == AS_OF
    lines = (FOLDER / "lx_stage_history.csv").read_text("utf-8-sig").splitlines()
    bad_date = next(i for i in intake.issues if i.code == IssueCode.BAD_DATE)
    assert bad_date.row is not None
    assert "2025-02-30" in lines[bad_date.row - 1]


def test_through_the_door_the_numbers_are_the_same(intake: Intake, steps: dict[str, Steps]) -> None:
    assert len(intake.visits) == sum(stage in STAGES for way in steps.values() for stage, _ in way)
    facts = facts_of(intake.visits, intake.as_of)
    counts = facts.reserves.pivot_table(index="month", columns="stage", values="count", aggfunc="sum").loc[MONTHS]
    assert counts[["T0", "T1", "T2"]].sum(axis=1).tolist() == T0_T2
    assert counts["T3"].tolist() == T3
    last = facts.reserves[facts.reserves["month"] == MONTHS[-1]]
    held = last.pivot_table(index="owner", columns="stage", values="count", aggfunc="sum", fill_value=0)
    assert {rep: row.tolist() for rep, row in held.iterrows()} == AT_THE_END
    won = facts.exits[facts.exits["next_stage"] == "won"]
    assert won["count"].sum() == sum(way[-1][0] == "赢单" for way in steps.values())
