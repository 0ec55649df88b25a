"""Engines that compute where the data are, DuckDB and Spark; each is loaded only when it is asked for.

Both are spoken to in the SQL they have in common; where they differ, the engine has the expression.
"""

import re
import tempfile
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import pandas as pd

from xlfunnel.errors import InputError

INTEGER, NUMBER, MOMENT, TEXT = "integer", "number", "moment", "text"
"""Kinds of column."""

ENGINES = ("duckdb", "spark")
DATABASES = ("postgres", "sqlite", "mysql", "duckdb")
"""Kinds of database that DuckDB attaches; all but its own need an extension of it."""

_SUFFIXES = {".parquet": "parquet", ".csv": "csv", ".tsv": "csv", ".txt": "csv"}
_MEMORY = "1500MB"
_SECRET = re.compile(r"(password\s*=\s*|://[^\s:/@]*:)('(?:[^'\\]|\\.)*'|[^\s@'\"]+)", re.IGNORECASE)
"""A password within a connection's text, in either form."""
PART_ROWS = 2_500_000
"""Visits that DuckDB looks at together."""


class Engine(Protocol):
    """Opens one table and computes over it. Relations are the engine's own: DuckDB's, or Spark DataFrames."""

    name: str

    def opened(self, source: str) -> Mapping[str, str]:
        """Make a file, a folder or a table known as `source`; its columns and their kinds.

        Raises InputError missing_table, no_warehouse_files, unknown_database, no_extension, engine_failed (all under
        `input.`).
        """

    def frame(self, sql: str) -> pd.DataFrame:
        """The rows of a query, which are few. Raises InputError engine_failed."""

    def named(self, name: str, sql: str) -> None:
        """Give a query a name; it is run where the name is used."""

    def stored(self, name: str, sql: str) -> None:
        """Run a query and keep its rows under a name."""

    def parted(self, name: str, sql: str, words: tuple[str, ...], key: str, rows: int) -> tuple[Any, ...]:
        """The rows of a query, kept under a name, as relations that hold together what has the same key.

        words  columns that repeat a few texts; `rows`: about how many there are
        """

    def kept(self, relation: Any) -> Any:
        """A relation computed once for all who ask."""

    def quoted(self, column: str) -> str:
        """A column's name in SQL."""

    def text(self, value: str) -> str:
        """A text in SQL."""

    def day(self, moment: str) -> str:
        """Days since 1970-01-01 of a timestamp."""

    def from_day(self, number: str) -> str:
        """The timestamp of such days."""


def engine(name: str, chosen: Mapping[str, str]) -> Engine:
    """DuckDB or Spark. `chosen`: settings.warehouse. Raises InputError `input.no_engine` if it is not installed."""
    try:
        return DuckDB(chosen) if name == DuckDB.name else Spark(chosen)
    except ImportError:
        raise InputError("input.no_engine", engine=name) from None


class DuckDB:
    """DuckDB in this process; what does not fit into its memory goes to a temporary folder."""

    name = "duckdb"

    def __init__(self, chosen: Mapping[str, str]) -> None:
        import duckdb

        self._error = duckdb.Error
        self._database = chosen.get("database", "")
        self._folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        self._made = 0
        options = {"memory_limit": chosen.get("memory", _MEMORY), "temp_directory": self._folder.name}
        options |= {"autoinstall_known_extensions": "false"}  # it would download what ATTACH lacks, unasked
        file = str(Path(self._folder.name) / "work.duckdb")  # in a file tables are compressed
        self._db = duckdb.connect(file, config={**options, "preserve_insertion_order": False})

    def opened(self, source: str) -> Mapping[str, str]:
        path = Path(source)
        if path.exists():
            self._run(f"CREATE VIEW source AS SELECT * FROM {self._files(path)}")
        elif self._database:
            kind, _, where = self._database.partition(":")
            self._refuse_unknown(kind)
            self._run(f"ATTACH {_text(where)} AS warehouse (TYPE {kind}, READ_ONLY)")
            table = ".".join(map(self.quoted, ["warehouse", *source.split(".")]))
            self._run(f"CREATE VIEW source AS SELECT * FROM {table}")
            if kind == "sqlite":
                return self._of_sqlite(table)
        else:
            raise InputError("input.missing_table", source=source)
        return self._columns()

    def _columns(self) -> dict[str, str]:
        columns = self.frame("DESCRIBE source")
        return dict(zip(columns["column_name"], map(_kind, columns["column_type"]), strict=True))

    def _of_sqlite(self, table: str) -> dict[str, str]:
        """SQLite keeps any text in a column of dates, and one that is none would end the whole query: read as text."""
        kinds = self._columns()
        if MOMENT in kinds.values():
            self._run("SET GLOBAL sqlite_all_varchar = true")
            self._run(f"CREATE OR REPLACE VIEW source AS SELECT * FROM {table}")
        return {name: TEXT if kind == MOMENT else kind for name, kind in kinds.items()}

    def frame(self, sql: str) -> pd.DataFrame:
        try:
            found: pd.DataFrame = self._db.sql(sql).df()
        except self._error as e:
            raise _failed(self.name, e) from None
        return found

    def named(self, name: str, sql: str) -> None:
        self._run(f"CREATE TEMP VIEW {name} AS {sql}")

    def stored(self, name: str, sql: str) -> None:
        self._run(f"CREATE TABLE {name} AS {sql}")

    def parted(self, name: str, sql: str, words: tuple[str, ...], key: str, rows: int) -> tuple[Any, ...]:
        # Texts that repeat become numbers, and a part is small enough to be sorted and joined within the memory.
        self._run(f"CREATE TEMP VIEW {name}_text AS {sql}")
        self._run(f"CREATE TEMP TABLE {name}_words AS SELECT DISTINCT {', '.join(words)} FROM {name}_text")
        for word in words:
            self._run(f"CREATE TYPE {name}_{word} AS ENUM (SELECT DISTINCT {word} FROM {name}_words ORDER BY 1)")
        typed = ", ".join(f"{w}::{name}_{w} AS {w}" for w in words)
        count = -(-rows // PART_ROWS) or 1
        part = f"CAST(hash({key}) % {count} AS USMALLINT) AS part"
        self._run(f"CREATE TABLE {name} AS SELECT * REPLACE ({typed}), {part} FROM {name}_text")
        return tuple(self._db.sql(f"SELECT * EXCLUDE (part) FROM {name} WHERE part = {i}") for i in range(count))

    def kept(self, relation: Any) -> Any:
        self._made += 1
        self._run(f"CREATE TABLE kept_{self._made} AS {relation.sql_query()}")
        return self._db.table(f"kept_{self._made}")

    def quoted(self, column: str) -> str:
        return '"' + column.replace('"', '""') + '"'

    def text(self, value: str) -> str:
        return _text(value)

    def day(self, moment: str) -> str:
        return f"CAST(date_diff('day', DATE '1970-01-01', CAST({moment} AS DATE)) AS INTEGER)"

    def from_day(self, number: str) -> str:
        return f"CAST(DATE '1970-01-01' + CAST({number} AS INTEGER) AS TIMESTAMP)"

    def _refuse_unknown(self, kind: str) -> None:
        """Raises InputError unknown_database, no_extension (under `input.`)."""
        if kind not in DATABASES:
            raise InputError("input.unknown_database", known=DATABASES)
        known = "SELECT 1 FROM duckdb_extensions() WHERE list_contains(aliases, {0}) AND NOT (installed OR loaded)"
        if len(self.frame(known.format(_text(kind)))):
            raise InputError("input.no_extension", kind=kind)

    def _files(self, path: Path) -> str:
        pattern, kind = _pattern(path)
        if kind == "parquet":
            return f"read_parquet({_text(pattern)}, union_by_name = true)"
        return f"read_csv({_text(pattern)}, header = true, all_varchar = true, union_by_name = true)"

    def _run(self, sql: str) -> None:
        try:
            self._db.execute(sql)
        except self._error as e:
            raise _failed(self.name, e) from None


class Spark:
    """The Spark session of this process, else one for the master that the settings name, else a local one."""

    name = "spark"

    def __init__(self, chosen: Mapping[str, str]) -> None:
        from pyspark.errors import PySparkException
        from pyspark.sql import SparkSession

        self._error: type[Exception] = PySparkException
        # It says at every frame that it does not know this pandas yet; that the frames are equal is tested.
        warnings.filterwarnings("ignore", category=FutureWarning, module="pyspark")
        builder = SparkSession.builder.appName("xlfunnel").master(chosen.get("master", "local[*]"))
        settings = {"spark.sql.session.timeZone": "UTC", "spark.ui.showConsoleProgress": "false"}
        if chosen.get("master", "local").startswith("local"):
            here = "127.0.0.1"  # nobody else has to find this machine, and its own name may lead nowhere
            settings |= {"spark.driver.bindAddress": here, "spark.driver.host": here, "spark.ui.enabled": "false"}
            settings |= {"spark.sql.shuffle.partitions": "8", "spark.log.level": "ERROR"}
        for key, value in settings.items():
            builder = builder.config(key, value)
        self._session = SparkSession.getActiveSession() or builder.getOrCreate()

    def opened(self, source: str) -> Mapping[str, str]:
        try:
            if Path(source).exists():
                path = Path(source)
                _, kind = _pattern(path)
                reader = self._session.read.option("recursiveFileLookup", "true").option("header", "true")
                there = reader.format(kind).load(str(path.resolve()))
            else:
                there = self._session.table(source)
            there.createOrReplaceTempView("source")
        except self._error as e:
            if not Path(source).exists():
                raise InputError("input.missing_table", source=source) from None
            raise _failed(self.name, e) from None
        return {name: _kind(kind) for name, kind in there.dtypes}

    def frame(self, sql: str) -> pd.DataFrame:
        try:
            found: pd.DataFrame = self._session.sql(sql).toPandas()
        except self._error as e:
            raise _failed(self.name, e) from None
        return found

    def named(self, name: str, sql: str) -> None:
        try:
            self._session.sql(sql).createOrReplaceTempView(name)
        except self._error as e:
            raise _failed(self.name, e) from None

    def stored(self, name: str, sql: str) -> None:
        self._persisted(name, sql)

    def parted(self, name: str, sql: str, words: tuple[str, ...], key: str, rows: int) -> tuple[Any, ...]:
        return (self._persisted(name, sql),)  # Spark parts its data itself

    def _persisted(self, name: str, sql: str) -> Any:
        try:
            made = self._session.sql(sql).persist()
            made.createOrReplaceTempView(name)
        except self._error as e:
            raise _failed(self.name, e) from None
        return made

    def kept(self, relation: Any) -> Any:
        return relation.persist()

    def quoted(self, column: str) -> str:
        return "`" + column.replace("`", "``") + "`"

    def text(self, value: str) -> str:
        return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"

    def day(self, moment: str) -> str:
        return f"datediff(CAST({moment} AS DATE), DATE'1970-01-01')"

    def from_day(self, number: str) -> str:
        return f"CAST(date_add(DATE'1970-01-01', CAST({number} AS INT)) AS TIMESTAMP)"


def _pattern(path: Path) -> tuple[str, str]:
    """The files of a file or folder as a pattern, and their format: Parquet if there is any, else delimited text."""
    if path.is_file():
        kind = _SUFFIXES.get(path.suffix.lower())
        if kind is None:
            raise InputError("input.no_warehouse_files", source=path)
        return str(path), kind
    for suffix, kind in _SUFFIXES.items():
        if next(path.rglob(f"*{suffix}"), None) is not None:
            return str(path / "**" / f"*{suffix}"), kind
    raise InputError("input.no_warehouse_files", source=path)


def _kind(name: str) -> str:
    """The kind of a column of an SQL type."""
    low = name.lower()
    if low.startswith(("date", "timestamp")):
        return MOMENT
    if low.startswith(("decimal", "double", "float", "real")):
        return NUMBER
    return INTEGER if "int" in low or low == "long" else TEXT


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _failed(name: str, problem: Exception) -> InputError:
    reason = _SECRET.sub(r"\1…", " ".join(str(problem).split()))
    return InputError("input.engine_failed", engine=name, reason=reason[:200])
