"""Facts: counted by hand, by a naive loop over days, and on every engine."""

import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from xlfunnel.calendar import date_of, day_number, month_end, month_number
from xlfunnel.errors import InputError
from xlfunnel.facts import Facts, facts_of, facts_of_reserves

FRAMES = ("entries", "exits", "created", "reserves", "durations")
WORDS = {"region", "owner", "stage", "next_stage"}
CELL = ["region", "owner", "stage"]

Row = tuple[str, int, str, str, str, str, date, date | None, int | None]


def visits_frame(rows: list[Row]) -> pd.DataFrame:
    """The canonical visits frame from (opportunity, visit, region, owner, stage, next, entered, left, cents)."""
    ids, visit, region, owner, stage, following, entered, left, cents = zip(*rows, strict=True) if rows else [()] * 9
    return pd.DataFrame(
        {
            "opportunity_id": pd.Series(ids, dtype="str"),
            "visit": pd.Series(visit, dtype="Int64"),
            "region": pd.Series(region, dtype="str"),
            "owner": pd.Series(owner, dtype="str"),
            "stage": pd.Series(stage, dtype="str"),
            "next_stage": pd.Series(following, dtype="str"),
            "entered_day": pd.Series([day_number(d) for d in entered], dtype="int64"),
            "left_day": pd.Series([d and day_number(d) for d in left], dtype="Int64"),
            "entered_month": pd.Series([month_number(d) for d in entered], dtype="int64"),
            "left_month": pd.Series([d and month_number(d) for d in left], dtype="Int64"),
            "amount_cents": pd.Series(cents, dtype="Int64"),
        }
    )


def d(text: str) -> date:
    return date.fromisoformat(f"2025-{text}")


unhurried = settings(deadline=None, max_examples=50)

AS_OF = d("03-15")
HAND: list[Row] = [
    ("a", 1, "LX", "张伟", "T0", "T1", d("01-05"), d("01-20"), 100),
    ("a", 2, "LX", "张伟", "T1", "T0", d("01-20"), d("02-10"), 100),  # falls back
    ("a", 3, "LX", "张伟", "T0", "won", d("02-10"), d("03-16"), 100),  # won the day after
    ("b", 1, "LX", "张伟", "T0", "lost", d("01-31"), d("01-31"), None),  # zero length, at the month's end
    ("c", 1, "LX", "B", "T0", "open", d("02-28"), None, 7),
    ("c2", 1, "LX", "B", "T0", "lost", d("02-01"), d("03-15"), 5),  # left on the very day
    ("d", 1, "", "", "T3", "gone", d("01-01"), d("02-28"), None),
    ("f", 1, "LX", "B", "T1", "open", d("03-15"), None, 1),  # came on the very day
    ("e", 1, "LX", "B", "T0", "open", d("03-16"), None, 999),  # not there yet
]


def triples(frame: pd.DataFrame) -> list[tuple[Any, ...]]:
    return list(frame.itertuples(index=False, name=None))


JAN, FEB, MAR = 660, 661, 662


def test_every_frame_as_counted_by_hand() -> None:
    facts = facts_of(visits_frame(HAND), AS_OF)
    assert (facts.first_month, facts.last_month, facts.as_of) == (JAN, MAR, AS_OF)
    assert triples(facts.entries) == [
        ("", "", "T3", JAN, 1, 0),
        ("LX", "B", "T0", FEB, 2, 12),
        ("LX", "B", "T1", MAR, 1, 1),
        ("LX", "张伟", "T0", JAN, 2, 100),
        ("LX", "张伟", "T0", FEB, 1, 100),
        ("LX", "张伟", "T1", JAN, 1, 100),
    ]
    assert triples(facts.exits) == [
        ("", "", "T3", "gone", FEB, 1, 0),
        ("LX", "B", "T0", "lost", MAR, 1, 5),
        ("LX", "张伟", "T0", "T1", JAN, 1, 100),
        ("LX", "张伟", "T0", "lost", JAN, 1, 0),
        ("LX", "张伟", "T1", "T0", FEB, 1, 100),
    ]
    assert triples(facts.created) == [
        ("", "", JAN, 1, 0),
        ("LX", "B", FEB, 2, 12),
        ("LX", "B", MAR, 1, 1),
        ("LX", "张伟", JAN, 2, 100),
    ]
    assert triples(facts.reserves) == [
        ("", "", "T3", JAN, 1, 0),
        ("", "", "T3", FEB, 0, 0),
        ("", "", "T3", MAR, 0, 0),
        ("LX", "B", "T0", JAN, 0, 0),
        ("LX", "B", "T0", FEB, 2, 12),
        ("LX", "B", "T0", MAR, 1, 7),
        ("LX", "B", "T1", JAN, 0, 0),
        ("LX", "B", "T1", FEB, 0, 0),
        ("LX", "B", "T1", MAR, 1, 1),
        ("LX", "张伟", "T0", JAN, 0, 0),
        ("LX", "张伟", "T0", FEB, 1, 100),
        ("LX", "张伟", "T0", MAR, 1, 100),
        ("LX", "张伟", "T1", JAN, 1, 100),
        ("LX", "张伟", "T1", FEB, 0, 0),
        ("LX", "张伟", "T1", MAR, 0, 0),
    ]
    assert triples(facts.durations) == [
        ("", "", "T3", "gone", 58, 1),
        ("LX", "B", "T0", "lost", 42, 1),
        ("LX", "B", "T0", "open", 15, 1),
        ("LX", "B", "T1", "open", 0, 1),
        ("LX", "张伟", "T0", "T1", 15, 1),
        ("LX", "张伟", "T0", "lost", 0, 1),
        ("LX", "张伟", "T0", "open", 33, 1),
        ("LX", "张伟", "T1", "T0", 21, 1),
    ]


def test_left_without_a_word_where_it_went_is_gone() -> None:
    row: Row = ("a", 1, "", "", "T0", "open", d("01-01"), d("01-09"), 1)
    assert triples(facts_of(visits_frame([row]), AS_OF).exits) == [("", "", "T0", "gone", JAN, 1, 1)]


@pytest.mark.parametrize("rows", [[], HAND[-1:]], ids=["no visits", "only visits to come"])
def test_nothing_seen_gives_well_formed_empty_frames(rows: list[Row]) -> None:
    facts = facts_of(visits_frame(rows), AS_OF)
    assert facts.first_month == facts.last_month == MAR
    for name in FRAMES:
        assert len(getattr(facts, name)) == 0
    assert_well_formed(facts)


def test_sums_beyond_64_bits_are_refused_not_wrapped() -> None:
    rows: list[Row] = [(str(i), 1, "", "", "T0", "open", d("01-01"), None, 2**62) for i in range(2)]
    with pytest.raises(InputError) as refused:
        facts_of(visits_frame(rows), AS_OF)
    assert refused.value.code == "input.amounts_too_large"
    assert facts_of(visits_frame(rows[:1]), AS_OF).entries["amount_cents"].tolist() == [2**62]


def test_object_words_and_plain_integers_are_as_good() -> None:
    frame = visits_frame(HAND)
    plain = frame.astype(dict.fromkeys(("opportunity_id", *WORDS), object)).astype({"visit": "int64"})
    assert_same(facts_of(plain, AS_OF), facts_of(frame, AS_OF))


def assert_well_formed(facts: Facts) -> None:
    for name in FRAMES:
        frame = getattr(facts, name)
        keys = [c for c in frame if c not in ("count", "amount_cents")]
        assert isinstance(frame.index, pd.RangeIndex), name
        for column in frame:
            assert str(frame[column].dtype) == ("str" if column in WORDS else "int64"), (name, column)
        assert triples(frame[keys]) == sorted(set(triples(frame[keys]))), name


def assert_same(one: Facts, other: Facts) -> None:
    for name in FRAMES:
        assert_frame_equal(getattr(one, name), getattr(other, name), check_dtype=True, check_index_type=True)
    assert (one.as_of, one.first_month, one.last_month) == (other.as_of, other.first_month, other.last_month)


# The first day that is drawn, and how many more: about three months.
FIRST, SPAN = day_number(date(2024, 12, 20)), 80


@st.composite
def any_visits(draw: st.DrawFn) -> pd.DataFrame:
    """Up to a dozen opportunities of up to four visits, one after another, with gaps, zero lengths and nulls."""
    rows: list[Row] = []
    for i in range(draw(st.integers(0, 12))):
        owner = draw(st.sampled_from([("LX", "A"), ("LX", "张伟"), ("", "A"), ("华东", "")]))
        cents = draw(st.none() | st.integers(-(10**12), 10**12))
        day = FIRST + draw(st.integers(0, SPAN))
        count = draw(st.integers(1, 4))
        for visit in range(1, count + 1):
            entered, day = day, day + draw(st.integers(0, 40))
            is_last = visit == count
            is_open = is_last and draw(st.booleans())
            following = (
                "open" if is_open else draw(st.sampled_from(["won", "lost", "gone"] if is_last else ["T1", "T2"]))
            )
            stage = draw(st.sampled_from(["T0", "T1", "T4"]))
            left = None if is_open else date_of(day)
            rows.append((f"o{i}", visit, *owner, stage, following, date_of(entered), left, cents))
            day += draw(st.integers(0, 3))
    return visits_frame(rows)


any_day = st.integers(FIRST - 5, FIRST + SPAN + 60).map(date_of)


@unhurried
@given(any_visits(), any_day)
def test_agrees_with_walking_through_the_days(visits: pd.DataFrame, as_of: date) -> None:
    """Oracle: stand at the end of each month and look at every visit; no cumulation, no grouping."""
    facts = facts_of(visits, as_of)
    assert_well_formed(facts)
    rows = visits.astype(object).where(visits.notna(), None).to_dict("records")
    today = day_number(as_of)
    for month in range(facts.first_month, facts.last_month + 1):
        day = min(day_number(month_end(month)), today)
        standing: Counter[tuple[str, str, str]] = Counter()
        amounts: Counter[tuple[str, str, str]] = Counter()
        for row in rows:
            if row["entered_day"] <= day and (row["left_day"] is None or row["left_day"] > day):
                cell = (row["region"], row["owner"], row["stage"])
                standing[cell] += 1
                amounts[cell] += row["amount_cents"] or 0
        at = facts.reserves[facts.reserves["month"] == month]
        for *cell_, _, count, amount in triples(at):
            assert (standing.pop(tuple(cell_), 0), amounts.pop(tuple(cell_), 0)) == (count, amount)
        assert not standing
    ages: Counter[tuple[Any, ...]] = Counter()
    for row in rows:
        if row["entered_day"] <= today:
            is_open = row["left_day"] is None or row["left_day"] > today
            days = (today if is_open else row["left_day"]) - row["entered_day"]
            ages[(*(row[c] for c in CELL), "open" if is_open else row["next_stage"], days)] += 1
    assert {row[:-1]: row[-1] for row in triples(facts.durations)} == ages


@unhurried
@given(any_visits(), any_day)
def test_reserve_changes_by_entries_less_exits(visits: pd.DataFrame, as_of: date) -> None:
    facts = facts_of(visits, as_of)
    values = ["count", "amount_cents"]
    change = facts.reserves.set_index([*CELL, "month"])[values].groupby(CELL).diff()
    first = facts.reserves["month"].to_numpy() == facts.first_month
    change[first] = facts.reserves.set_index([*CELL, "month"])[values][first]
    flows = [
        f.groupby([*CELL, "month"])[values].sum().reindex(change.index, fill_value=0)
        for f in (facts.entries, facts.exits)
    ]
    np.testing.assert_array_equal(change.to_numpy(), (flows[0] - flows[1]).to_numpy())


@unhurried
@given(any_visits(), any_day)
def test_totals_hang_together(visits: pd.DataFrame, as_of: date) -> None:
    facts = facts_of(visits, as_of)
    day = day_number(as_of)
    seen = visits[visits["entered_day"] <= day]
    standing = seen["left_day"].isna() | (seen["left_day"] > day).fillna(True)
    last = facts.reserves[facts.reserves["month"] == facts.last_month]
    opened = facts.durations[facts.durations["next_stage"] == "open"]
    assert last["count"].sum() == opened["count"].sum() == standing.sum()
    assert facts.entries["count"].sum() == facts.durations["count"].sum() == len(seen)
    assert facts.exits["count"].sum() == len(seen) - standing.sum()
    assert facts.created["count"].sum() == (seen["visit"] == 1).sum()
    assert "open" not in set(facts.exits["next_stage"])
    assert (facts.reserves["count"] >= 0).all()


@unhurried
@given(any_visits(), any_day, st.randoms(use_true_random=False))
def test_order_of_rows_is_nothing_and_input_stays_as_it_was(visits: pd.DataFrame, as_of: date, random: Any) -> None:
    before = visits.copy(deep=True)
    order = list(range(len(visits)))
    random.shuffle(order)
    assert_same(facts_of(visits.iloc[order], as_of), facts_of(visits, as_of))
    assert_frame_equal(visits, before)


@unhurried
@given(any_visits(), any_day)
def test_looking_from_an_earlier_day_is_the_past_as_it_was(visits: pd.DataFrame, as_of: date) -> None:
    facts = facts_of(visits, as_of)
    for month in range(facts.first_month, facts.last_month):
        then = facts_of(visits, month_end(month))
        for name in ("entries", "exits", "created"):
            past = getattr(facts, name).query("month <= @month").reset_index(drop=True)
            assert_frame_equal(getattr(then, name), past)
        known = facts.reserves.merge(then.reserves[CELL].drop_duplicates())
        assert_frame_equal(then.reserves, known.query("month <= @month").reset_index(drop=True))


RESERVES = pd.DataFrame(
    {
        "region": "LX",
        "owner": ["B", "A", "A", "A", "A"],
        "stage": ["T1", "T0", "T0", "T0", "T3"],
        "month": [JAN, MAR, JAN, JAN, MAR + 1],
        "count": [4, 3, 1, 1, 9],
        "amount_cents": [40, 30, 10, 0, 90],
    }
)


def test_ready_made_reserves_are_made_dense() -> None:
    before = RESERVES.copy(deep=True)
    facts = facts_of_reserves(RESERVES, d("03-31"))
    assert triples(facts.reserves) == [
        ("LX", "A", "T0", JAN, 2, 10),
        ("LX", "A", "T0", FEB, 0, 0),
        ("LX", "A", "T0", MAR, 3, 30),
        ("LX", "B", "T1", JAN, 4, 40),
        ("LX", "B", "T1", FEB, 0, 0),
        ("LX", "B", "T1", MAR, 0, 0),
    ]
    assert_well_formed(facts)
    assert not any(len(getattr(facts, name)) for name in FRAMES if name != "reserves")
    assert_frame_equal(RESERVES, before)


def test_months_not_reported_are_not_invented() -> None:
    facts = facts_of_reserves(RESERVES.iloc[:3], d("12-31"))
    assert (facts.first_month, facts.last_month) == (JAN, MAR)


def test_no_reserves_at_all() -> None:
    facts = facts_of_reserves(RESERVES.iloc[:0], AS_OF)
    assert_well_formed(facts)
    assert facts.first_month == facts.last_month == MAR


Load = Callable[[pd.DataFrame], Any]


def needed(module: str) -> Any:
    """The engine's module; where the extra is not installed the test is skipped, but never in CI."""
    if os.environ.get("CI"):
        return import_module(module)
    return pytest.importorskip(module, reason="the extra warehouse is not installed")


@pytest.fixture(scope="session")
def duckdb_load() -> Iterator[Load]:
    duckdb = needed("duckdb")
    with duckdb.connect() as connection:
        yield connection.from_df


@pytest.fixture(scope="session")
def spark_load(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Load]:
    sql = needed("pyspark.sql")
    if not (shutil.which("java") or os.environ.get("JAVA_HOME") or os.environ.get("CI")):
        pytest.skip("Spark needs Java 17")
    home: Path = tmp_path_factory.mktemp("spark")
    session = (
        sql.SparkSession.builder.master("local[2]")
        .config("spark.sql.shuffle.partitions", 2)
        .config("spark.ui.enabled", "false")
        .config("spark.sql.warehouse.dir", str(home))
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.log.level", "ERROR")
        .getOrCreate()
    )

    def load(frame: pd.DataFrame) -> Any:
        kinds = ", ".join(f"{c} {'string' if c in {*WORDS, 'opportunity_id'} else 'bigint'}" for c in frame)
        rows = frame.astype(object).where(frame.notna(), None)
        return session.createDataFrame([tuple(r) for r in rows.itertuples(index=False, name=None)], kinds)

    yield load
    session.stop()


def made_up(n: int) -> pd.DataFrame:
    """Many visits with every oddity: nulls, re-entries, visits to come, unicode, large amounts."""
    draw = np.random.default_rng(7)
    rows: list[Row] = []
    for i in range(n):
        day = FIRST + int(draw.integers(0, 400))
        owner = ("LX", "华东", "")[i % 3], ("A", "张伟", "Émile", "")[i % 4]
        cents = None if i % 5 == 0 else int(draw.integers(0, 10**15))
        count = int(draw.integers(1, 5))
        for visit in range(1, count + 1):
            left = day + int(draw.integers(0, 60))
            end = None if visit == count and i % 2 else date_of(left)
            following = f"T{visit % 3}" if visit < count else ("won", "open")[i % 2]
            rows.append((f"商机{i}", visit, *owner, f"T{(visit - 1) % 3}", following, date_of(day), end, cents))
            day = left
    return visits_frame(rows)


ENGINES = ["duckdb_load", "spark_load"]


@pytest.mark.warehouse
@pytest.mark.parametrize("engine", ENGINES)
def test_other_engines_count_the_same(engine: str, request: pytest.FixtureRequest) -> None:
    load: Load = request.getfixturevalue(engine)
    for rows, as_of in ((made_up(400), date(2025, 11, 17)), (visits_frame(HAND), AS_OF)):
        assert_same(facts_of(load(rows), as_of), facts_of(rows, as_of))


@pytest.mark.warehouse
@pytest.mark.parametrize("engine", ENGINES)
def test_other_engines_with_nothing_to_count(engine: str, request: pytest.FixtureRequest) -> None:
    load: Load = request.getfixturevalue(engine)
    assert_same(facts_of(load(visits_frame([])), AS_OF), facts_of(visits_frame([]), AS_OF))


@pytest.mark.warehouse
@pytest.mark.parametrize("engine", ENGINES)
def test_other_engines_refuse_too_large_amounts(engine: str, request: pytest.FixtureRequest) -> None:
    load: Load = request.getfixturevalue(engine)
    rows: list[Row] = [(str(i), 1, "", "", "T0", "open", d("01-01"), None, 2**62) for i in range(2)]
    with pytest.raises(InputError):
        facts_of(load(visits_frame(rows)), AS_OF)
