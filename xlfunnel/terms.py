"""The vocabulary: names of columns, stages, outcomes, flags and issues. No logic beyond what a word means.

An enum member's value is at once the key in frames, in JSON and of its label in `strings/`.
"""

from enum import StrEnum

STAGES = ("T0", "T1", "T2", "T3", "T4")
"""Stage codes from the first lead to the key decision; their names are settings."""

SPANS = ("T0-T2", "T0-T3", "T3")
"""Spans that the check-up draws: the consultant's two, and the stage that sounds the alarm."""


class Outcome(StrEnum):
    """What ended a stage visit when it was not the next stage."""

    WON = "won"
    LOST = "lost"
    OPEN = "open"  # not ended yet
    GONE = "gone"  # ended, and the source does not say where it went


OUTCOMES = (Outcome.WON, Outcome.LOST)

STEPS = tuple(f"{before}-{after}" for i, before in enumerate(STAGES) for after in (*STAGES[i + 1 :], Outcome.WON.value))
"""Steps forward, from a stage to a later one or to won; a CRM without T1 has the step "T0-T2"."""

NEW = "new"
"""Where an opportunity's first visit came from. Others came from a stage, from an outcome, or nobody says ("gone")."""


class Col(StrEnum):
    """Columns of the canonical frames. The visits frame is drawn in `xlfunnel.crm.visits`."""

    OPPORTUNITY = "opportunity_id"
    VISIT = "visit"
    REGION = "region"
    OWNER = "owner"
    STAGE = "stage"
    NEXT_STAGE = "next_stage"
    CAME_FROM = "came_from"
    ENTERED_DAY = "entered_day"
    LEFT_DAY = "left_day"
    ENTERED_MONTH = "entered_month"
    LEFT_MONTH = "left_month"
    AMOUNT_CENTS = "amount_cents"
    CAME_CENTS = "came_cents"
    MONTH = "month"
    DAYS = "days"
    COUNT = "count"
    SINCE_DAY = "since_day"
    SPAN = "span"


class Field(StrEnum):
    """What a column of a CRM export can mean to the data door."""

    OPPORTUNITY = "opportunity_id"
    REGION = "region"
    OWNER = "owner"
    STAGE = "stage"
    NEXT_STAGE = "next_stage"
    ENTERED = "entered"
    LEFT = "left"
    CREATED = "created"
    CLOSED = "closed"
    AMOUNT = "amount"
    MONTH = "month"
    COUNT = "count"


class Shape(StrEnum):
    """Shapes of export that the data door knows."""

    HISTORY = "history"  # one row per stage visit
    STAGE_DATES = "stage_dates"  # one row per opportunity, one date column per stage
    CURRENT_STAGE = "current_stage"  # one row per opportunity: where it stands, since when, closed when
    AGGREGATED = "aggregated"  # month x owner x stage: count
    SNAPSHOTS = "snapshots"  # one row per opportunity and snapshot: where it stood that day
    LOOKUP = "lookup"  # names of owners or stages that other files call by their ids


class IssueCode(StrEnum):
    """Why a row was refused, repaired or remarked upon."""

    MISSING_ID = "missing_id"
    MISSING_STAGE = "missing_stage"
    UNKNOWN_STAGE = "unknown_stage"
    MISSING_DATE = "missing_date"
    BAD_DATE = "bad_date"
    FUTURE_DATE = "future_date"
    LEFT_BEFORE_ENTERED = "left_before_entered"
    BAD_AMOUNT = "bad_amount"
    BAD_COUNT = "bad_count"
    DUPLICATE_ROW = "duplicate_row"
    CONFLICTING_ROW = "conflicting_row"
    ORPHAN_HISTORY = "orphan_history"
    MISSING_OWNER = "missing_owner"
    OWNER_WITHOUT_REGION = "owner_without_region"
    CLEANED_TEXT = "cleaned_text"
    TOTAL_ROW = "total_row"
    NO_RESERVE = "no_reserve"  # won or lost in a table of reserves
    MONTHLY_RESOLUTION = "monthly_resolution"  # of visits that only snapshots tell of
    DATE_ORDER = "date_order"  # month before day or day before month, and how that was decided
    DECIMAL_MARK = "decimal_mark"  # comma or point before the decimals of amounts, and how that was decided
    PERCENT_COLUMN = "percent_column"  # taken for amounts, but it holds percentages
    UNMAPPED_COLUMN = "unmapped_column"  # dates of a stage that nobody mapped
    OTHER_PROPERTY = "other_property"  # rows of changes that are not about the stage
    UNDATED_START = "undated_start"  # nobody says when the stage before the first change was entered
    STAGE_BACKWARDS = "stage_backwards"
    OUT_OF_ORDER = "out_of_order"  # rows of a history that do not follow in time
    SAME_INSTANT = "same_instant"  # two changes of one moment, whose order only the file tells
    SIMILAR_OWNER = "similar_owner"
    ASSUMED_ENCODING = "assumed_encoding"  # of a text that says nothing about it


ASSUMED = frozenset(
    (
        IssueCode.ASSUMED_ENCODING, IssueCode.DATE_ORDER, IssueCode.MONTHLY_RESOLUTION, IssueCode.UNDATED_START,
        IssueCode.OTHER_PROPERTY, IssueCode.UNMAPPED_COLUMN, IssueCode.DECIMAL_MARK, IssueCode.PERCENT_COLUMN,
    )
)  # fmt: skip
"""Remarks on how a file was understood, and not on what is wrong with it."""


class Treatment(StrEnum):
    """What became of a row with an issue."""

    REFUSED = "refused"
    REPAIRED = "repaired"
    NOTED = "noted"


class Measure(StrEnum):
    """What is summed."""

    COUNT = "count"
    AMOUNT = "amount"


class Verdict(StrEnum):
    """What may honestly be said of a trend; the ladder stands in `xlfunnel.metrics.trend`."""

    NO_DATA = "no_data"
    TOO_SHORT = "too_short"
    FLAT = "flat"
    INDICATIVE_DECLINING = "indicative_declining"
    INDICATIVE_GROWING = "indicative_growing"
    DECLINING_THIN = "declining_thin"
    GROWING_THIN = "growing_thin"
    DECLINING = "declining"
    GROWING = "growing"
    NO_TREND = "no_trend"


class ConversionKind(StrEnum):
    """Three answers to "how many advance"; they are never mixed. See `xlfunnel.metrics.conversion`."""

    PERIOD = "period"
    MATURED = "matured"
    CENSORED = "censored"


class Judgement(StrEnum):
    """What so many cases may say of a rate or a ratio; the ladder stands in `xlfunnel.metrics.evidence`."""

    TOO_FEW = "too_few"
    NOT_YET = "not_yet"  # nothing has been observed for as long as the horizon
    GREYED = "greyed"
    COMPARED = "compared"
    BLOCKED = "blocked"


class Pace(StrEnum):
    """Whether a stage is passed faster than it used to be; the rule stands in `xlfunnel.metrics.duration`."""

    TOO_FEW = "too_few"
    SAME = "same"
    FASTER = "faster"
    SLOWER = "slower"
    DIFFERS = "differs"  # not at one speed, and the medians do not say which is faster


class Placement(StrEnum):
    """Where a rep's rate lies among the region's; the ladder stands in `xlfunnel.metrics.comparison`."""

    TOO_FEW = "too_few"
    GREYED = "greyed"
    ALONE = "alone"  # nobody in the region to be compared with
    INSIDE = "inside"
    LOW = "low"  # below the 95 % limit
    VERY_LOW = "very_low"  # below the 99.8 % limit
    HIGH = "high"
    VERY_HIGH = "very_high"


class Tag(StrEnum):
    """What kind of rep; several may hold. The rules stand in `xlfunnel.metrics.tags`."""

    HIGH_YIELD = "high_yield"
    SHORT = "short"
    HARDENING = "hardening"
    LOW_CONVERSION = "low_conversion"


class Silence(StrEnum):
    """Why nothing is forecast; the rules stand in `xlfunnel.metrics.forecast`."""

    NO_FLOWS = "no_flows"  # reserves counted elsewhere, or no data
    SHORT_HISTORY = "short_history"
    NO_STEPS = "no_steps"  # nothing ever went from one stage to another
    FEW_CLOSED = "few_closed"
    FEW_WON = "few_won"
    ELSEWHERE = "elsewhere"  # the visits are in a warehouse, too many of them to be fetched one by one


class GapKind(StrEnum):
    """When a reserve falls below its floor, as far as can be told; see `xlfunnel.metrics.gap_dates`."""

    NOW = "now"  # it is below already
    EXPECTED = "expected"  # the median path falls below
    POSSIBLE = "possible"  # only the P10 path does
    NONE = "none"  # not within the forecast's reach
    UNKNOWN = "unknown"  # nothing is forecast


class Stale(StrEnum):
    """Why an open opportunity counts as no longer moving; the rule stands in `xlfunnel.metrics.opportunity`."""

    AGE = "age"
    OVERDUE = "overdue"
    QUIET = "quiet"


class Advice(StrEnum):
    """What to do with an open opportunity; the table of rules stands in `xlfunnel.metrics.opportunity`."""

    KEEP = "keep"
    REVIVE = "revive"
    DROP = "drop"
    SCORE = "score"  # nobody has scored it yet
    SCORE_STALE = "score_stale"  # nor has it moved


SCORES = ("urgency", "budget", "decision", "competition", "fit")
"""What a user scores from 1 to 5 for an opportunity of T2 and later."""

WIN_STEPS = ("visit", "solution", "negotiation")
"""What makes sure of a win in T4: executive visit, tailored solution, negotiation."""

BANT = ("budget", "authority", "need", "timing")
"""What a lead in T1 is graded by."""

GRADES = ("A", "B", "C", "D")
"""Grade of a lead by the BANT marks it has: all four, three, two, fewer."""

YES = "yes"
"""The answer that counts."""


class Reason(StrEnum):
    """What decided a closed opportunity, won or lost, as a user chooses it; own words count as OTHER."""

    PRICE = "price"
    COMPETITOR = "competitor"
    BUDGET = "budget"
    DECISION = "decision"
    FIT = "fit"
    RELATION = "relation"
    RESPONSE = "response"
    DELIVERY = "delivery"
    NEED = "need"
    OTHER = "other"
    NOT_STATED = "not_stated"


class Reach(StrEnum):
    """Whether a gap can be made up in time from a stage, or why nobody can say: `xlfunnel.metrics.reverse`."""

    IN_TIME = "in_time"
    TOO_LATE = "too_late"  # what enters in the coming week arrives after the deadline
    TOO_FEW = "too_few"  # a rate on the way has too few cases
    NO_SPEED = "no_speed"  # nobody knows how long a stage on the way takes
    NEVER = "never"  # nothing has come through a step on the way


class PlanStatus(StrEnum):
    """How far a nurture plan is."""

    OPEN = "open"
    DOING = "doing"
    DONE = "done"
    DROPPED = "dropped"


class FlagCode(StrEnum):
    """The rules of the Alerts sheet; their tables stand in `xlfunnel.metrics.flags` and `.alerts`."""

    BELOW_MEAN = "below_mean"
    BELOW_FLOOR_T1 = "below_floor_T1"
    BELOW_FLOOR_T3 = "below_floor_T3"
    RESERVE_DECLINING = "reserve_declining"
    STEP_BLOCKED = "step_blocked"
    FLOW_SLOWER = "flow_slower"
    OVER_AGE = "over_age"
    T3_GAP = "t3_gap"


class Diagnosis(StrEnum):
    """What ails a rep or a region: what remedies are for."""

    SHORT_RESERVE = "short_reserve"
    SHORT_T1 = "short_T1"
    SHORT_T3 = "short_T3"
    DECLINING = "declining"
    BLOCKED_T0 = "blocked_T0"  # from T0 to the next stage
    BLOCKED_T1 = "blocked_T1"
    BLOCKED_T2 = "blocked_T2"
    BLOCKED_T3 = "blocked_T3"
    BLOCKED_T4 = "blocked_T4"
    SLOWER = "slower"
    OVER_AGE = "over_age"
    T3_GAP = "t3_gap"


class Severity(StrEnum):
    """One scale for every alert and tile. Order matters: worst first."""

    RISK = "risk"
    WATCH = "watch"
    OK = "ok"
    NONE = "none"
