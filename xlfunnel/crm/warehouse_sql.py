"""The SQL that makes visits of a history where its rows are, in the words that DuckDB and Spark have in common.

The rules are those of `xlfunnel.crm.visits.from_history`; a test holds the two against each other.
"""

from collections.abc import Callable

from xlfunnel.terms import OUTCOMES, IssueCode, Outcome

CANONICAL_ROWS = "SELECT * FROM given"

CANONICAL_VISITS = """
    SELECT id AS opportunity_id, CAST(visit AS INTEGER) AS visit, region, owner, stage, next_stage,
        CAST(entered_day AS INTEGER) AS entered_day, CAST(left_day AS INTEGER) AS left_day,
        CAST(entered_month AS INTEGER) AS entered_month, CAST(left_month AS INTEGER) AS left_month,
        CAST(cents AS BIGINT) AS amount_cents
    FROM rows_read WHERE cause = ''"""

_ENDS = ", ".join(f"'{outcome}'" for outcome in OUTCOMES)

COMPARED = """
    SELECT *,
        before_stage = stage AND before_owner = owner AND before_region = region AND before_said = said
            AND before_entered = entered AND before_left IS NOT DISTINCT FROM left_at
            AND before_cents IS NOT DISTINCT FROM cents AS is_again,
        before_stage = stage AND before_owner = owner AND before_region = region
            AND before_left IS NULL AND before_said = '' AS goes_on
    FROM (SELECT *, LAG(stage) OVER w AS before_stage, LAG(owner) OVER w AS before_owner,
            LAG(region) OVER w AS before_region, LAG(said) OVER w AS before_said, LAG(entered) OVER w AS before_entered,
            LAG(left_at) OVER w AS before_left, LAG(cents) OVER w AS before_cents
        FROM given WHERE cause = ''
        WINDOW w AS (PARTITION BY id ORDER BY entered, left_at NULLS LAST, stage)) AS looked_back"""
"""Along an opportunity: which rows repeat the one before altogether, and which only go on with its visit."""

# Rows that go on with a visit become one with it: its first day, its last word, the last amount known.
_JOINED = """
    SELECT id, MAX(region) AS region, MAX(owner) AS owner, MAX(stage) AS stage, MAX(said) AS said,
        MIN(entered) AS entered, MAX(left_at) AS left_at,
        MAX_BY(cents, CASE WHEN cents IS NOT NULL THEN entered END) AS cents, run
    FROM (SELECT *, SUM(CASE WHEN COALESCE(goes_on, FALSE) THEN 0 ELSE 1 END) OVER (
            PARTITION BY id ORDER BY entered, left_at NULLS LAST, stage ROWS UNBOUNDED PRECEDING) AS run
        FROM compared WHERE NOT COALESCE(is_again, FALSE)) AS counted
    GROUP BY id, run"""

# A visit ends where its row says so, else with the opportunity's next row; won and lost are no visits.
_VISITED = f"""
    SELECT id, region, owner, stage, entered, run, cents, ends_at,
        CASE WHEN ends_at IS NULL THEN '{Outcome.OPEN}'
            WHEN said IN ('', '{Outcome.OPEN}') THEN COALESCE(next_one, '{Outcome.GONE}') ELSE said END AS next_stage,
        CASE WHEN stage IN ({_ENDS}) THEN
                CASE WHEN number = 1 THEN '{IssueCode.MISSING_STAGE}' ELSE 'end' END
            WHEN ends_at IS NULL AND said NOT IN ('', '{Outcome.OPEN}') THEN '{IssueCode.MISSING_DATE}'
            ELSE '' END AS cause
    FROM (SELECT *, COALESCE(left_at, LEAD(entered) OVER w) AS ends_at, LEAD(stage) OVER w AS next_one,
            ROW_NUMBER() OVER w AS number
        FROM ({_JOINED}) AS joined WINDOW w AS (PARTITION BY id ORDER BY entered, run)) AS looked_ahead"""

HISTORY_ROWS = f"""
    {_VISITED}
    UNION ALL
    SELECT id, region, owner, stage, entered, 0 AS run, cents, left_at AS ends_at, said AS next_stage, cause
    FROM given WHERE cause <> ''
    UNION ALL
    SELECT id, region, owner, stage, entered, 0 AS run, cents, left_at AS ends_at, said AS next_stage,
        '{IssueCode.DUPLICATE_ROW}' AS cause
    FROM compared WHERE COALESCE(is_again, FALSE)"""
"""All rows with what became of them: cause "" = a visit, "end" = what ended the visit before."""


def history_visits(day: Callable[[str], str]) -> str:
    """The canonical frame of HISTORY_ROWS; `day`: SQL for the day number of a timestamp."""
    month = "CAST((YEAR({0}) - 1970) * 12 + MONTH({0}) - 1 AS INTEGER)".format
    return f"""
    SELECT id AS opportunity_id,
        CAST(ROW_NUMBER() OVER (PARTITION BY id ORDER BY CAST(entered AS DATE), run) AS INTEGER) AS visit,
        region, owner, stage, next_stage, {day("entered")} AS entered_day, {day("ends_at")} AS left_day,
        {month("entered")} AS entered_month, {month("ends_at")} AS left_month, cents AS amount_cents
    FROM rows_read WHERE cause = ''"""
