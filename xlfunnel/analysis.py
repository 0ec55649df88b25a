"""The check-up in one value: asks each metric in turn and computes nothing itself."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time

import pandas as pd

from xlfunnel.carried import Carried
from xlfunnel.crm import DataIssue, Intake, SourceSummary
from xlfunnel.entered import Entered
from xlfunnel.facts import Facts, Seen, facts_of_reserves, open_stays, stays
from xlfunnel.metrics import opportunity, reserve, review, summary
from xlfunnel.metrics.alerts import Rooms, alerts
from xlfunnel.metrics.backtest import backtest
from xlfunnel.metrics.comparison import JOURNEYS, comparisons
from xlfunnel.metrics.conversion import conversions
from xlfunnel.metrics.duration import aged, cycle, durations, over_limit
from xlfunnel.metrics.fan import fan, stock_path
from xlfunnel.metrics.flags import Flag, flags
from xlfunnel.metrics.floors import FLOOR_STAGES, Floor, floors, in_force
from xlfunnel.metrics.forecast import Forecast, forecast, untold
from xlfunnel.metrics.gap_dates import gap_dates
from xlfunnel.metrics.movement import monthly_movement
from xlfunnel.metrics.owners import owner_months, owner_reserves, stage_means
from xlfunnel.metrics.plan import PLAN_COLUMNS, Plan, plans
from xlfunnel.metrics.quality import Account, Quality, quality
from xlfunnel.metrics.regions import MOST_DRAWN, region_months, regions
from xlfunnel.metrics.reverse import Reverse, mean_wins, to_the_floors, to_the_targets
from xlfunnel.metrics.shape import shape
from xlfunnel.metrics.sojourns import sojourns
from xlfunnel.metrics.summary import Headline, HelpRow
from xlfunnel.metrics.tags import Tagged, tags
from xlfunnel.metrics.trend import Trend, trends
from xlfunnel.settings import Settings
from xlfunnel.terms import BANT, WIN_STEPS, Col, Measure, Silence

STAYS_FETCHED = 500_000
"""Stays that are fetched from a warehouse one by one, which the forecast needs; with more of them it is silent."""
CLOSINGS_FETCHED = 100_000
"""Closed opportunities that are then reviewed one by one: the latest months of the recent ones that have no more."""

MONTHS_SHOWN = 12
"""Complete months that reps are shown over."""


@dataclass(frozen=True)
class FunnelAnalysis:
    """Everything a page, the JSON results or a worksheet function may show.

    scope    the one region of the data, or None for all regions together
    monthly  frame of `metrics.summary.monthly` for the scope
    partial  reserves per span in the running month, None if it is complete
    owners   frame of `metrics.owners.owner_reserves`, largest reserve first within the region
    conversions  frame of `metrics.conversion.conversions`; `durations`, `cycle`, `over_age` those of `metrics.duration`
    shape    frame of `metrics.shape.shape`; `movement` that of `metrics.movement.monthly_movement`
    comparisons  frame of `metrics.comparison.comparisons`: reps against their region; `tags` what kind of reps they are
    regions  frame of `metrics.regions.regions`: regions beside each other; `region_months` the last month ends of the
             first of them
    flags    broken rules on what is held; `alerts` those and what the other rooms found
    floors   reserve floors of `metrics.floors`, by region and stage
    forecast     `metrics.forecast`; `backtest`, `gap_dates` the frames of the metrics of these names
    opportunities, assurance, leads  frames of `metrics.opportunity`: open ones of T2 and later, of T4, of T1
    aged     frame of `metrics.duration.aged`: the open opportunities with the limit of their age
    owner_months, stage_means  frames of `metrics.owners`: reps month by month, the region's average rep stage by stage
    reviewed  frame of `metrics.review.closed`: won and lost since the day reviewed_since
    fan, stock_path  frames of `metrics.fan` for the scope: what the forecast's charts are drawn from
    reverse  what must come in early to close the gaps to the floors and to the targets, of `metrics.reverse`
    plans    nurture plans of `metrics.plan`
    visits   the canonical frame; without rows if they stay in a warehouse, and `where` says in which table
    entered  what users typed into the workbook
    quality  how the rows came through, since the import
    stages   stage name in the sources -> what it was taken for; "" = not known
    data_rows  row of the Data sheet in which each visit stands; None = they are about to be written there in order
    carried  what an earlier import left on the Data quality sheet
    """

    settings: Settings
    as_of: date
    visits: pd.DataFrame
    facts: Facts
    scope: str | None
    reserves: pd.DataFrame
    monthly: pd.DataFrame
    partial: dict[str, float] | None
    trends: tuple[Trend, ...]
    owners: pd.DataFrame
    flags: tuple[Flag, ...]
    alerts: tuple[Flag, ...]
    floors: tuple[Floor, ...]
    reverse: tuple[Reverse, ...]
    plans: tuple[Plan, ...]
    conversions: pd.DataFrame
    durations: pd.DataFrame
    cycle: pd.DataFrame
    over_age: pd.DataFrame
    shape: pd.DataFrame
    movement: pd.DataFrame
    comparisons: pd.DataFrame
    tags: tuple[Tagged, ...]
    regions: pd.DataFrame
    region_months: pd.DataFrame
    forecast: Forecast
    backtest: pd.DataFrame
    gap_dates: pd.DataFrame
    opportunities: pd.DataFrame
    assurance: pd.DataFrame
    leads: pd.DataFrame
    owner_months: pd.DataFrame
    stage_means: pd.DataFrame
    aged: pd.DataFrame
    reviewed: pd.DataFrame
    reviewed_since: int
    fan: pd.DataFrame
    stock_path: pd.DataFrame
    headline: Headline
    help_first: tuple[HelpRow, ...]
    issues: tuple[DataIssue, ...]
    sources: tuple[SourceSummary, ...]
    quality: Quality
    stages: Mapping[str, str]
    where: str = ""
    entered: Entered = field(default_factory=Entered)
    data_rows: pd.Series | None = None
    carried: Carried = field(default_factory=Carried)

    def trend(self, span: str, measure: Measure = Measure.COUNT) -> Trend:
        """The scope's own trend of a span."""
        return next(
            t
            for t in self.trends
            if t.owner is None and t.region == self.scope and t.span == span and t.measure == measure
        )

    def of_scope(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The rows of a frame with a region, and perhaps an owner, that speak of the scope as a whole."""
        owner = frame["owner"].isna() if "owner" in frame else True
        region = frame["region"].isna() if self.scope is None else frame["region"] == self.scope
        return frame[region & owner].reset_index(drop=True)

    def tags_of(self, region: str, owner: str) -> tuple[Tagged, ...]:
        """The tags of one rep."""
        return tuple(t for t in self.tags if t.region == region and t.owner == owner)

    def alerts_of(self, region: str, owner: str) -> tuple[Flag, ...]:
        """The alerts that are about one rep."""
        return tuple(f for f in self.alerts if f.region == region and f.owner == owner)

    def flags_of(self, region: str, owner: str) -> tuple[Flag, ...]:
        """The flags of one rep."""
        return tuple(f for f in self.flags if f.region == region and f.owner == owner)


def analyse(
    intake: Intake,
    settings: Settings,
    carried: Carried | None = None,
    entered: Entered | None = None,
) -> FunnelAnalysis:
    """Visits (or ready-made reserves), and what users typed → the whole check-up as of `intake.as_of`.

    carried  what an import left on the Data quality sheet, where the visits are those of the Data sheet; None where
             they are about to be written there
    """
    as_of = intake.as_of
    entered = entered or Entered()
    there = intake.elsewhere
    seen = Seen(intake.visits, as_of) if there is None else Seen(there.parts, as_of, there.keep)
    facts = seen.facts() if intake.reserves is None else facts_of_reserves(intake.reserves, as_of)
    names = sorted(facts.reserves["region"].unique())
    scope = names[0] if len(names) == 1 else None
    drawn = trends(facts, settings)
    limits = floors(seen.fates(FLOOR_STAGES), names, settings)
    t3_floors = {f.region: f.limit for f in limits if f.region is not None and f.stage == "T3"}
    owners = owner_reserves(facts, settings, floors=t3_floors)
    raised = flags(owners, drawn, settings, limits)
    own = tuple(t for t in drawn if t.owner is None and t.region == scope)
    rates, days = conversions(facts, settings), durations(facts, settings)
    if there is None or int(facts.durations[Col.COUNT].sum()) <= STAYS_FETCHED:
        visited = ended = seen.stays()
        now, since = open_stays(visited), review.first_day(facts, settings)
        paths = sojourns(visited, as_of)
        coming = forecast(paths, settings)
    else:
        since = review.first_day(facts, settings, CLOSINGS_FETCHED)
        now, ended = seen.standing(), seen.stays_closed(since)
        paths, coming = sojourns(stays(intake.visits, as_of), as_of), untold(Silence.ELSEWHERE)
    compared = comparisons(rates, seen.journeys(JOURNEYS), facts, settings)
    beside = regions(facts, settings, owners, drawn, limits, rates, days, coming.rows)
    known = aged(now, facts)
    old = over_limit(known)
    shown = reserve.complete_months(facts, MONTHS_SHOWN)
    breaks = gap_dates(facts, owners, coming, t3_floors)
    return FunnelAnalysis(
        settings=settings,
        as_of=as_of,
        visits=intake.visits,
        facts=facts,
        scope=scope,
        reserves=reserve.reserves(facts),
        monthly=summary.monthly(facts, settings, scope),
        partial=summary.partial(facts, scope),
        trends=drawn,
        owners=owners,
        flags=raised,
        alerts=alerts(raised, Rooms(rates, days, old, owners, breaks)),
        floors=limits,
        reverse=(
            *to_the_floors(raised, rates, days, as_of, settings),
            *to_the_targets(coming.rows, mean_wins(intake.visits, as_of), rates, days, as_of, settings),
        ),
        plans=plans(raised, owners, entered.frame("plans", PLAN_COLUMNS), as_of),
        conversions=rates,
        durations=days,
        cycle=cycle(facts),
        shape=shape(facts, settings),
        movement=monthly_movement(facts),
        over_age=old,
        comparisons=compared,
        tags=tags(owners, compared, old, facts, settings),
        regions=beside,
        region_months=region_months(facts, beside["region"][:MOST_DRAWN]),
        aged=known,
        forecast=coming,
        backtest=backtest(paths, settings),
        gap_dates=breaks,
        fan=fan(facts, coming, breaks, scope),
        stock_path=stock_path(coming, breaks, scope),
        opportunities=opportunity.health(
            now, days, _typed(entered, "opportunities", opportunity.TYPED), datetime.combine(as_of, time())
        ),
        assurance=opportunity.assurance(now, _typed(entered, "assurance", WIN_STEPS)),
        leads=opportunity.leads(now, _typed(entered, "leads", BANT)),
        owner_months=owner_months(facts, owners, shown),
        stage_means=stage_means(owners),
        reviewed=review.closed(ended, days, _typed(entered, "review", review.TYPED), since),
        reviewed_since=since,
        headline=summary.headline(facts, owners, own, raised, in_force(settings, limits, scope)),
        help_first=summary.help_first(owners, raised),
        issues=intake.issues,
        sources=intake.sources,
        where="" if there is None else there.where,
        entered=entered,
        quality=_quality(intake, carried),
        stages=intake.stages,
        data_rows=None if not carried or intake.origins is None else intake.origins["row"],
        carried=carried or Carried(),
    )


def _typed(entered: Entered, table: str, columns: tuple[str, ...]) -> pd.DataFrame:
    """What users typed beside opportunities."""
    return entered.frame(table, (Col.OPPORTUNITY.value, *columns))


def _quality(intake: Intake, carried: Carried | None) -> Quality:
    now = Account(
        *(sum(getattr(s, f"rows_{name}") for s in intake.sources) for name in ("read", "clean", "repaired", "refused"))
    )
    if not carried or carried.sources.empty:
        return quality(now)
    before = (carried.sources.get(f"rows_{name}", pd.Series(dtype=object)) for name in Account._fields)
    return quality(Account(*(int(pd.to_numeric(rows, errors="coerce").fillna(0).sum()) for rows in before)), now)
