"""Facts counted by DuckDB and by Spark are those counted by pandas."""

import os
import shutil
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from extras import needed
from facts_by_hand import AS_OF, FIRST, HAND, HANDED_ON, WORDS, Row, assert_same, d, visits_frame
from pandas.testing import assert_frame_equal

from xlfunnel.calendar import date_of
from xlfunnel.errors import InputError
from xlfunnel.facts import Seen, facts_of

Load = Callable[[pd.DataFrame], Any]


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
    for rows, as_of in (
        (made_up(400), date(2025, 11, 17)),
        (visits_frame(HAND), AS_OF),
        (visits_frame(HANDED_ON), AS_OF),
    ):
        assert_same(facts_of(load(rows), as_of), facts_of(rows, as_of))
        there, here = Seen(load(rows), as_of), Seen(rows, as_of)
        assert_frame_equal(there.standing(), here.standing())
        assert_frame_equal(there.stays(), here.stays())
        assert_frame_equal(there.stays_closed(FIRST + 60), here.stays_closed(FIRST + 60))
        assert_frame_equal(there.journeys(("T1", "T2")), here.journeys(("T1", "T2")))
        assert_frame_equal(there.fates(("T0", "T2")), here.fates(("T0", "T2")))


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
