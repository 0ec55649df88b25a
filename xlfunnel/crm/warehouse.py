"""The door for data that outgrow one machine: visits are derived where the rows are, and only small frames come here.

Two layouts are understood, by the same aliases and settings as files are:

    canonical   all columns of `xlfunnel.crm.visits`: taken as they are
    history     opportunity id, stage, entered, and if there are any left, next stage, region, owner, amount: one row a
                stage that an opportunity entered, or a change within it, as `xlfunnel.crm.visits.from_history` takes it

Rows that cannot be used are counted exactly; of each cause the first few are named. There are no row numbers in a
database, so an issue shows the opportunity instead.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np

from xlfunnel.crm import aliases, visits
from xlfunnel.crm.amounts import header_unit
from xlfunnel.crm.columns import recognised
from xlfunnel.crm.dates import NEVER_YEAR
from xlfunnel.crm.door import few_of, latest_day, refuse_too_many
from xlfunnel.crm.engines import INTEGER, TEXT, Engine, engine
from xlfunnel.crm.intake import DataIssue, Elsewhere, Intake, SourceSummary
from xlfunnel.crm.stages import UNKNOWN, StageNames
from xlfunnel.crm.warehouse_sql import CANONICAL_ROWS, CANONICAL_VISITS, COMPARED, HISTORY_ROWS, history_visits
from xlfunnel.errors import InputError
from xlfunnel.settings import Settings
from xlfunnel.terms import STAGES, Col, Field, IssueCode, Outcome, Shape, Treatment

NAMED = 200
"""Refused rows that are named, of each cause."""
_MOST_STAGES = 2000
_WORDS = (str(Col.REGION), str(Col.OWNER), str(Col.STAGE), str(Col.NEXT_STAGE))
_DECIMAL_COMMA = ("%,", "%,_", "%,__", "%.%,%")
"""Forms of an amount whose comma parts no thousands: it is unknown rather than a hundred times too large."""
_NEEDED = (Field.OPPORTUNITY, Field.STAGE, Field.ENTERED)


def read_warehouse(source: str, name: str, settings: Settings, as_of: date | None = None) -> Intake:
    """The visits of a file, a folder or a table, left where they are.

    source  a path, or a table of settings.warehouse["database"] (DuckDB) or of Spark's catalogue
    name    of the engine: "duckdb" or "spark"

    Raises InputError: no_engine, engine_failed, missing_table, no_warehouse_files, wrong_columns, no_rows_used,
    too_many_refused (all under `input.`).
    """
    sql = engine(name, settings.warehouse)
    table = _table(sql, source, settings)
    sql.named("given", table.given)
    if table.is_canonical:
        sql.named("rows_read", CANONICAL_ROWS)  # a look at the table: nothing has to be found out about its rows
    else:
        sql.stored("compared", COMPARED)
        sql.stored("rows_read", HISTORY_ROWS)
    read = int(sql.frame("SELECT COUNT(*) AS n FROM given")["n"].iloc[0])
    counted = sql.frame("SELECT cause, COUNT(*) AS n FROM rows_read GROUP BY cause ORDER BY cause")
    causes = {str(c): int(n) for c, n in zip(counted["cause"], counted["n"], strict=True) if c not in ("", "end")}
    repaired = causes.pop(IssueCode.DUPLICATE_ROW.value, 0)
    refuse_too_many(Counter({IssueCode(c): n for c, n in causes.items()}), read, settings)
    visited = CANONICAL_VISITS if table.is_canonical else history_visits(sql.day)
    parts = sql.parted("visits", visited, _WORDS, str(Col.OPPORTUNITY), read)
    day = as_of or settings.as_of or _latest(sql)
    if day is None:
        raise InputError("input.no_rows_used", file=source)
    refused = sum(causes.values())
    how = f"{name} · {table.layout}"
    used = read - refused
    summary = SourceSummary(source, Shape.HISTORY, read, used, repaired, refused, used - repaired, table.headers, how)
    named = [*causes, *([IssueCode.DUPLICATE_ROW.value] if repaired else [])]
    issues = tuple(i for cause in named for i in _issues(sql, source, IssueCode(cause)))
    return Intake(visits.empty(), None, issues, (summary,), day, elsewhere=Elsewhere(parts, sql.kept, source, name))


@dataclass(frozen=True)
class _Table:
    """How a table is read: `given` is SQL for its rows in our words, each with a first `cause` ("" = usable)."""

    layout: str
    headers: Mapping[str, str]
    given: str
    is_canonical: bool = False


def _table(sql: Engine, source: str, settings: Settings) -> _Table:
    kinds = sql.opened(source)
    names = list(kinds)
    if set(visits.ORDER) <= set(names):
        return _canonical(sql, settings)
    found = {k: names[i] for k, i in recognised(names, settings, StageNames(settings)).items() if k in (*Field,)}
    missing = tuple(f for f in _NEEDED if f not in found)
    if missing:
        raise InputError("input.wrong_columns", file=source, found=", ".join(names[:12]), missing=missing)
    return _history(sql, found, kinds, settings)


def _history(sql: Engine, found: Mapping[str, str], kinds: Mapping[str, str], settings: Settings) -> _Table:
    def text(key: str) -> str:
        return f"COALESCE(TRIM(CAST({sql.quoted(found[key])} AS STRING)), '')" if key in found else "''"

    def moment(key: str) -> str:
        if key not in found:
            return "CAST(NULL AS TIMESTAMP)"
        column = sql.quoted(found[key])
        is_number = kinds[found[key]] == INTEGER
        return sql.from_day(column) if is_number else f"TRY_CAST({column} AS TIMESTAMP)"

    stage = _coded(sql, text(Field.STAGE), StageNames(settings))
    said = "''"
    if Field.NEXT_STAGE in found:
        said = _coded(sql, text(Field.NEXT_STAGE), StageNames(settings, aliases.ENDS))
    region = text(Field.REGION)
    cents = "CAST(NULL AS BIGINT)"
    if Field.AMOUNT in found:
        unit = 100 * header_unit(found[Field.AMOUNT])
        plain = sql.quoted(found[Field.AMOUNT])
        if kinds[found[Field.AMOUNT]] == TEXT:
            comma = " OR ".join(f"{plain} LIKE '{form}'" for form in _DECIMAL_COMMA)
            plain = f"CASE WHEN {comma} THEN NULL ELSE REPLACE({plain}, ',', '') END"
        cents = f"CAST(ROUND(TRY_CAST({plain} AS DECIMAL(28, 6)) * {unit}, 0) AS BIGINT)"
    given = f"""
        SELECT *, CASE
            WHEN id = '' THEN '{IssueCode.MISSING_ID}'
            WHEN stage = '' THEN '{IssueCode.MISSING_STAGE}'
            WHEN stage = '{UNKNOWN}' OR said = '{UNKNOWN}' THEN '{IssueCode.UNKNOWN_STAGE}'
            WHEN entered IS NULL AND entered_text = '' THEN '{IssueCode.MISSING_DATE}'
            WHEN entered IS NULL OR (left_given IS NULL AND left_text <> '') THEN '{IssueCode.BAD_DATE}'
            WHEN CAST(left_given AS DATE) < CAST(entered AS DATE) THEN '{IssueCode.LEFT_BEFORE_ENTERED}'
            ELSE '' END AS cause,
            CASE WHEN left_given < TIMESTAMP '{NEVER_YEAR}-01-01 00:00:00' THEN left_given END AS left_at
        FROM (SELECT {text(Field.OPPORTUNITY)} AS id,
            CASE WHEN {region} = '' THEN {sql.text(settings.region)} ELSE {region} END AS region,
            {text(Field.OWNER)} AS owner, {stage} AS stage, {said} AS said, {moment(Field.ENTERED)} AS entered,
            {text(Field.ENTERED)} AS entered_text, {moment(Field.LEFT)} AS left_given,
            {text(Field.LEFT)} AS left_text, {cents} AS cents
            FROM source) AS given"""
    headers = {k: found[k] for k in (str(f) for f in Field) if k in found}
    return _Table("history", headers, given)


def _canonical(sql: Engine, settings: Settings) -> _Table:
    stages, went = (", ".join(f"'{c}'" for c in codes) for codes in (STAGES, (*STAGES, *Outcome)))
    given = f"""
        SELECT opportunity_id AS id, visit, COALESCE(NULLIF(region, ''), {sql.text(settings.region)}) AS region,
            COALESCE(owner, '') AS owner, stage, next_stage, entered_day, left_day, entered_month, left_month,
            amount_cents AS cents, CASE
            WHEN COALESCE(opportunity_id, '') = '' THEN '{IssueCode.MISSING_ID}'
            WHEN COALESCE(stage, '') NOT IN ({stages}) THEN '{IssueCode.UNKNOWN_STAGE}'
            WHEN COALESCE(next_stage, '') NOT IN ({went}) THEN '{IssueCode.UNKNOWN_STAGE}'
            WHEN visit IS NULL OR entered_day IS NULL OR entered_month IS NULL THEN '{IssueCode.MISSING_DATE}'
            WHEN left_day < entered_day THEN '{IssueCode.LEFT_BEFORE_ENTERED}'
            ELSE '' END AS cause
        FROM source"""
    return _Table("canonical", {name: name for name in visits.ORDER}, given, is_canonical=True)


def _coded(sql: Engine, text: str, stages: StageNames) -> str:
    """SQL for the stage that a text names: "" for a blank, UNKNOWN for what nobody mapped."""
    names = sql.frame(f"SELECT DISTINCT {text} AS name FROM source LIMIT {_MOST_STAGES}")["name"]
    known = {str(n): stages(str(n)) for n in names}
    parts = " ".join(f"WHEN {sql.text(n)} THEN '{code}'" for n, code in known.items() if code not in ("", UNKNOWN))
    return f"CASE {text} WHEN '' THEN '' {parts} ELSE '{UNKNOWN}' END"


def _latest(sql: Engine) -> date | None:
    """The last day that the visits tell of, stray ones aside, as `xlfunnel.crm.door` has it."""
    count = int(sql.frame("SELECT COUNT(*) AS n FROM visits")["n"].iloc[0])
    days = sql.frame(
        "SELECT CASE WHEN left_day > entered_day THEN left_day ELSE entered_day END AS day FROM visits "
        f"ORDER BY day DESC LIMIT {max(few_of(count) + 1, 1)}"
    )
    return latest_day(np.sort(days["day"].to_numpy(dtype="int64")), count)


def _issues(sql: Engine, source: str, cause: IssueCode) -> Iterator[DataIssue]:
    treatment = Treatment.REPAIRED if cause == IssueCode.DUPLICATE_ROW else Treatment.REFUSED
    ids = sql.frame(f"SELECT id FROM rows_read WHERE cause = '{cause}' ORDER BY id LIMIT {NAMED}")["id"]
    for value in ids:
        yield DataIssue(cause, source, None, "" if value is None else str(value), treatment)
