"""How an alert is worded: its number with its unit, and the sentence that gives the evidence behind it."""

from math import isnan

from xlfunnel.calendar import month_text
from xlfunnel.metrics.flags import Flag
from xlfunnel.metrics.floors import Floor
from xlfunnel.pages.phrases import Phrases
from xlfunnel.settings import Settings
from xlfunnel.terms import FlagCode, Severity

_SHARES = (FlagCode.STEP_BLOCKED, FlagCode.OVER_AGE)
_MONTHS = ("month", "earliest")
_SHARE_NUMBERS = ("low", "high", "rate", "risk")


def shown(flag: Flag, value: float) -> float:
    """A value or limit as the table shows it: shares in per cent."""
    return value * 100 if flag.code in _SHARES else value


def unit(flag: Flag, say: Phrases) -> str:
    """The unit of a flag's value and limit."""
    if flag.code in _SHARES:
        return say("alerts.unit.share")
    if flag.code == FlagCode.FLOW_SLOWER:
        return say("alerts.unit.days")
    if flag.code == FlagCode.RESERVE_DECLINING:
        return say("alerts.unit.month")
    if flag.code == FlagCode.T3_GAP:
        return say("alerts.unit.count")
    return say("alerts.unit.head" if flag.owner is None else "alerts.unit.count")


def evidence(flag: Flag, say: Phrases) -> str:
    """The numbers behind a flag, in a sentence; where it is a floor's, with what so few mean."""
    key = f"flags.evidence_region.{flag.code}"
    if flag.owner is not None or not say.has(key):
        key = f"flags.evidence.{flag.code}"
    if flag.code == FlagCode.STEP_BLOCKED and "base" in flag.numbers:
        key = "flags.evidence_history"
    if flag.code == FlagCode.T3_GAP and flag.severity == Severity.WATCH:
        key = "flags.evidence_possible"
    numbers = {name: _number(name, v, say) for name, v in flag.numbers.items()}
    value, limit = (say.percent(v) if flag.code in _SHARES else say.number(v, 2) for v in (flag.value, flag.limit))
    told = say(key, who=say.spaced(say.who(flag)), span=say.span(flag), value=value, limit=limit, **numbers)
    if not isnan(flag.numbers.get("rate", float("nan"))):
        key = "flags.risk_region" if flag.owner is None else "flags.risk"
        told += say(key, stage=_stage(flag), short=_short(flag.numbers["wins"], say), **numbers)
    return told


def floor_sentence(floor: Floor, settings: Settings, say: Phrases) -> tuple[Severity, str]:
    """The floor that applies, the safety stock, and how risky the floor is."""
    numbers = {
        "stage": floor.stage,
        "limit": say.number(floor.limit),
        "stock": say.count(floor.stock),
        "rate": say.percent(floor.rate),
        "low": say.percent(floor.low),
        "high": say.percent(floor.high),
        "entered": say.count(floor.entered),
        "won": say.count(floor.won),
        "wins": settings.wins_needed,
        "level": say.percent(settings.service_level),
        "risk": say.percent(floor.shortfall),
        "short": _short(settings.wins_needed, say),
    }
    if isnan(floor.rate):
        basis = say("alerts.floor.few", **numbers)
    else:
        basis = say("alerts.floor.stock_never" if isnan(floor.stock) else "alerts.floor.stock", **numbers)
    if isnan(floor.limit) or floor.limit == 0:
        return Severity.NONE, say("alerts.floor.none", **numbers) + basis
    rule = say("alerts.floor.set" if floor.is_set else "alerts.floor.computed", **numbers) + basis
    if isnan(floor.rate) or not floor.is_set:
        return Severity.NONE, rule
    is_thin = floor.shortfall > 1 - settings.service_level
    return (Severity.WATCH if is_thin else Severity.OK), rule + say("alerts.floor.risk", **numbers)


def _number(name: str, value: float, say: Phrases) -> str:
    """A number of the evidence by what its name says it is."""
    if name in _MONTHS:
        return say("sheets.undefined") if isnan(value) else month_text(int(value))
    if name in _SHARE_NUMBERS:
        return say.percent(value)
    return say.p_value(value) if name == "log_rank_p" else say.number(value)


def _short(wins: float, say: Phrases) -> str:
    """What is feared: no win, or too few."""
    return say("alerts.no_win") if wins == 1 else say("alerts.few_wins", wins=say.count(wins))


def _stage(flag: Flag) -> str:
    return flag.code.removeprefix("below_floor_")
