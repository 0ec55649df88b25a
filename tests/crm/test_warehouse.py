"""Data that stay where they are: what DuckDB and Spark count is what pandas counts, to the last row."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from crm_files import csv_bytes
from extras import needed
from visits import history_table, visits

from xlfunnel import analysis, results
from xlfunnel.analysis import analyse
from xlfunnel.crm import engines, read_sources
from xlfunnel.crm.warehouse import read_warehouse
from xlfunnel.errors import InputError
from xlfunnel.settings import Settings
from xlfunnel.strings import words
from xlfunnel.terms import IssueCode, Treatment

N = 1500
SETTINGS = Settings(language="en", stage_map={"Sniffing": "T1"})


@pytest.fixture(scope="module", params=["duckdb", "spark"])
def engine(request: pytest.FixtureRequest) -> str:
    module = {"duckdb": "duckdb", "spark": "pyspark.sql"}[request.param]
    needed(module)
    if request.param == "spark" and not (shutil.which("java") or os.environ.get("JAVA_HOME") or os.environ.get("CI")):
        pytest.skip("Spark needs Java 17")
    return str(request.param)


def told(found: Any) -> dict[str, Any]:
    """The JSON results without what quotes a source."""
    return {k: v for k, v in results.to_json(analyse(found, SETTINGS)).items() if k != "issues"}


def test_canonical_visits_and_their_history_give_the_results_of_pandas(
    engine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "PART_ROWS", N // 3)
    for name in ("canonical", "history"):
        (tmp_path / name).mkdir()
    visits(N).iloc[: N // 2].to_parquet(tmp_path / "canonical" / "a.parquet")
    visits(N).iloc[N // 2 :].to_parquet(tmp_path / "canonical" / "b.parquet")
    history_table(N).to_csv(tmp_path / "history" / "h.csv", index=False)
    expected = told(read_sources([tmp_path / "history" / "h.csv"], SETTINGS))
    assert expected["reserves"]
    for name in ("canonical", "history"):
        found = read_warehouse(str(tmp_path / name), engine, SETTINGS)
        assert [(s.rows_read, s.rows_used) for s in found.sources] == [(N, N)]
        assert told(found) == expected


OF_MANY = ("forecast", "forecast_silent", "backtest", "backtest_share", "gap_dates")
"""Results that need every visit, so that they are silent where there are very many."""


def test_of_very_many_only_the_forecast_is_silent(engine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    visits(N).to_parquet(tmp_path / "visits.parquet")
    whole = told(read_warehouse(str(tmp_path), engine, SETTINGS))
    monkeypatch.setattr(analysis, "STAYS_FETCHED", 10)
    found = told(read_warehouse(str(tmp_path), engine, SETTINGS))
    assert found["forecast"] == []
    assert {k: v for k, v in found.items() if k not in OF_MANY} == {k: v for k, v in whole.items() if k not in OF_MANY}


AWKWARD = """
id,region,rep,stage,entered,left,went to,amount
A,N,Ann,T0,2025-01-05,,,100
A,N,Ann,T0,2025-01-20,,,150.005
A,N,Ann,Sniffing,2025-02-01,,,
A,N,Bob,T1,2025-02-10,,,150
A,N,Bob,Won,2025-03-01,,,150
B,,Ann,T2,2025-01-03,2025-02-03,T3,
B,,Ann,T2,2025-01-03,2025-02-03,T3,
B,,Ann,T3,2025-02-03,2025-02-03,,7
C,S,Cid,T0,2025-01-01,2025-01-31,lost,"1,234.50"
C,S,Cid,T0,2025-04-01,,,9
D,S,Cid,T3,2025-03-03,9999-12-31,,9
,S,Cid,T3,2025-03-03,,,9
E,S,Cid,T9,2025-03-03,,,9
F,S,Cid,T3,,,,9
G,S,Cid,T3,soon,,,9
H,S,Cid,T3,2025-03-03,2025-02-03,,9
I,S,Cid,Lost,2025-03-03,,,9
J,S,O'Hara,,2025-03-03,,,9
"""


def test_awkward_rows_are_joined_dropped_and_refused_as_in_a_file(engine: str, tmp_path: Path) -> None:
    path = tmp_path / "awkward.csv"
    path.write_text(AWKWARD.lstrip(), "utf-8")
    settings = Settings(language="en", region="Home", stage_map=SETTINGS.stage_map, refuse_share=0.5)
    mine, theirs = read_warehouse(str(path), engine, settings), read_sources([path], settings)

    def summed(found: Any) -> tuple[Any, ...]:
        facts = analyse(found, settings).facts
        return facts.as_of, *(f.values.tolist() for f in (facts.arrivals, facts.exits, facts.durations, facts.reserves))

    assert summed(mine) == summed(theirs)
    kinds = (Treatment.REFUSED, Treatment.REPAIRED)
    causes = [sorted((i.treatment, i.code) for i in found.issues if i.treatment in kinds) for found in (mine, theirs)]
    assert causes[0] == causes[1]
    assert (mine.sources[0].rows_read, mine.sources[0].rows_refused) == (18, 7)
    assert next(i.value for i in mine.issues if i.code == IssueCode.UNKNOWN_STAGE) == "E"


def test_an_amount_with_a_decimal_comma_is_unknown_and_not_a_hundredfold(engine: str, tmp_path: Path) -> None:
    rows = [
        ["A", "T1", "2025-01-01", "1234,56"],
        ["B", "T1", "2025-01-01", "1.234,56"],
        ["C", "T1", "2025-01-01", "1,234"],
    ]
    (tmp_path / "c.csv").write_bytes(csv_bytes([["id", "stage", "entered", "amount"], *rows]))
    found = read_warehouse(str(tmp_path / "c.csv"), engine, SETTINGS)
    assert analyse(found, SETTINGS).facts.entries["amount_cents"].tolist() == [123400]


def test_what_cannot_be_read_is_one_sentence(engine: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "odd.csv").write_bytes(csv_bytes([["a", "b"], ["1", "2"]]))
    (tmp_path / "bad.csv").write_bytes(
        csv_bytes([["id", "stage", "entered"], *(["x", "T9", "2025-01-01"] for _ in range(9))])
    )
    for source, code in (
        (tmp_path / "empty", "no_warehouse_files"),
        ("nowhere.at_all", "missing_table"),
        (tmp_path / "odd.csv", "wrong_columns"),
        (tmp_path / "bad.csv", "too_many_refused"),
    ):
        with pytest.raises(InputError) as caught:
            read_warehouse(str(source), engine, SETTINGS)
        assert caught.value.code == f"input.{code}"


def test_a_table_of_a_database_is_read_where_it_is(tmp_path: Path) -> None:
    duckdb = needed("duckdb")
    path = tmp_path / "crm.duckdb"
    with duckdb.connect(str(path)) as there:
        there.execute("CREATE SCHEMA sales")
        there.execute('CREATE TABLE sales.history ("Opportunity ID" TEXT, "Stage" TEXT, "Entered" DATE)')
        there.execute("INSERT INTO sales.history VALUES ('A', 'T1', '2025-01-05'), ('A', 'won', '2025-02-01')")
    settings = Settings(warehouse={"database": f"duckdb:{path}"})
    found = read_warehouse("sales.history", "duckdb", settings)
    assert (found.as_of.isoformat(), found.sources[0].rows_used) == ("2025-02-01", 2)
    facts = analyse(found, settings).facts
    assert facts.durations[["stage", "next_stage", "days"]].values.tolist() == [["T1", "won", 27]]
    with pytest.raises(InputError) as caught:
        read_warehouse("sales.nothing", "duckdb", settings)
    assert caught.value.code == "input.engine_failed"


@pytest.fixture
def homeless(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """DuckDB for a user who has installed no extension."""
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    return needed("duckdb")


@pytest.mark.usefixtures("homeless")
@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_a_missing_extension_is_not_downloaded_but_told_how_to_install(
    kind: str, language: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    statements: list[str] = []
    run = engines.DuckDB._run
    monkeypatch.setattr(engines.DuckDB, "_run", lambda self, sql: statements.append(sql) or run(self, sql))
    with pytest.raises(InputError) as caught:
        read_warehouse("history", "duckdb", Settings(warehouse={"database": f"{kind}:{tmp_path / 'crm.db'}"}))
    assert caught.value.code == "input.no_extension"
    sentence = words(language)(caught.value.code, **caught.value.params)
    assert f"duckdb.sql('INSTALL {kind}')" in sentence
    assert "\n" not in sentence
    assert statements == []  # nothing is attached, so that DuckDB is never tempted


def test_duckdb_is_told_to_download_nothing() -> None:
    needed("duckdb")
    told = engines.DuckDB({}).frame("SELECT value FROM duckdb_settings() WHERE name = 'autoinstall_known_extensions'")
    assert told["value"].tolist() == ["false"]


@pytest.mark.usefixtures("homeless")
@pytest.mark.parametrize("database", ["host=db password=hush", "nosuch:crm.db", "sqlite (TYPE duckdb):x"])
def test_a_database_of_no_known_kind_is_refused_and_its_password_not_repeated(database: str) -> None:
    with pytest.raises(InputError) as caught:
        read_warehouse("history", "duckdb", Settings(warehouse={"database": database}))
    assert caught.value.code == "input.unknown_database"
    assert "hush" not in str(caught.value.params)


@pytest.mark.parametrize(
    "given",
    [
        'at "host=db password=hush user=a": refused',
        "at host=db Password = 'hu\\'sh hush' user=a",
        "at postgresql://a:hush@db/crm: refused",
    ],
)
def test_a_password_is_not_repeated_in_what_an_engine_says(given: str) -> None:
    reason = engines._failed("duckdb", ValueError(given)).params["reason"]
    assert "hush" not in reason
    assert "db" in reason or "host" in reason


SQLITE_CHECK = """
import json, os, pathlib, sys, duckdb, duckdb_extension_sqlite_scanner as extension
file = next(pathlib.Path(extension.__file__).parent.rglob("*.duckdb_extension"))
duckdb.sql(f"INSTALL '{file}'")
from xlfunnel import results
from xlfunnel.analysis import analyse
from xlfunnel.crm.warehouse import read_warehouse
from xlfunnel.settings import Settings
chosen = Settings(language="en", refuse_share=0.5, warehouse={"database": "sqlite:" + sys.argv[1]})
found = read_warehouse("history", "duckdb", chosen)
told = {k: v for k, v in results.to_json(analyse(found, chosen)).items() if k != "issues"}
print(json.dumps([[(i.code, i.value) for i in found.issues], told]))
"""


def test_a_table_of_sqlite_gives_what_its_rows_give_in_a_file(tmp_path: Path) -> None:
    beside = Path(sys.prefix) / "duckdb-attach"  # a DuckDB for which its extensions are packaged: see the Makefile
    if not beside.exists() and not os.environ.get("CI"):
        pytest.skip(f"no DuckDB with extensions in {beside}")
    rows = history_table(N).astype({"进入日期": "str", "离开日期": "str"}).replace("NaT", None)
    rows.to_csv(tmp_path / "h.csv", index=False)
    with sqlite3.connect(tmp_path / "crm.db") as there:
        kinds = {"进入日期": "date", "离开日期": "date", "金额": "real"}
        columns = ", ".join(f'"{name}" {kinds.get(name, "text")}' for name in rows)
        there.execute(f"CREATE TABLE history ({columns})")
        there.executemany("INSERT INTO history VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows.astype(object).values.tolist())
        there.execute("INSERT INTO history (商机编号, 阶段, 进入日期) VALUES ('odd', 'T1', 'soon')")
    there.close()
    env = {
        **os.environ,
        "HOME": str(tmp_path),
        "USERPROFILE": str(tmp_path),
        "PYTHONPATH": os.pathsep.join([str(beside), *sys.path]),
    }
    command = [sys.executable, "-c", SQLITE_CHECK, str(tmp_path / "crm.db")]
    ran = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    issues, found = json.loads(ran.stdout)
    assert issues == [["bad_date", "odd"]]
    assert found == json.loads(json.dumps(told(read_sources([tmp_path / "h.csv"], SETTINGS))))


@pytest.mark.parametrize(("name", "module"), [("duckdb", "duckdb"), ("spark", "pyspark.sql")])
def test_a_missing_engine_says_what_to_install(name: str, module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.setitem(sys.modules, module.partition(".")[0], None)
    with pytest.raises(InputError) as caught:
        read_warehouse("somewhere", name, SETTINGS)
    assert caught.value.code == "input.no_engine"
