"""Settings: everything a user may decide, frozen, with unknown names refused.

Read from TOML (command line) or from the Settings sheet (`xlfunnel.excel.inputs`); both end here.
"""

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NamedTuple

from xlfunnel.errors import SettingsError
from xlfunnel.terms import OUTCOMES, STAGES, STEPS, Field

LANGUAGES = ("zh-CN", "en")
DATE_ORDERS = ("auto", "day_first", "month_first")
WAREHOUSE = ("database", "master", "memory")
"""What may be said of a warehouse."""

_PERIOD = re.compile(r"[12]\d{3}-(0[1-9]|1[0-2]|Q[1-4])")


class Target(NamedTuple):
    """What a region is to win in a period, in currency units; region "" = all together."""

    region: str
    period: str
    target: float


@dataclass(frozen=True)
class Settings:
    """All settings with their defaults.

    language       of sheets and messages
    region         name in the title, and region of rows whose source has no region column; "" = none
    as_of          the day the check-up looks back from; None = last date found in the data
    trend_months   complete months that a trend is drawn through; 0 = all there are
    recent_months  complete months that are "recent" where a thing is compared with its own history; 1 and more
    benchmarks     step ("T2-T3", "T4-won") -> conversion rate (0-1) that it should reach
    horizon_days   stage -> days within which advancing counts; default: the 90th percentile of the time to advance
    floor_t1       least T1 reserve a head, opportunities; None = the safety stock, 0 = no rule
    floor_t3       least T3 reserve a head, opportunities; None = the safety stock, 0 = no rule
    wins_needed    wins that the T1, or the T3, a head holds must yield: what the safety stock is for
    service_level  chance (0-1, below 1) with which it must
    targets        what is to be won: a month ("2025-07") or a quarter ("2025-Q3"), of a region or of all
    fiscal_start   month (1-12) in which the fiscal year starts; its number is that of the calendar year it starts in
    plan_weeks     weeks in which a gap is to be closed, from the day the check-up looks back from
    date_order     of day and month in dates that can be read either way: "auto" (decided from the whole column, else
                   refused), "day_first" or "month_first"
    refuse_share   share of refused rows (0-1) beyond which a run stops
    currency       unit shown behind amounts
    stages         stage code -> name shown; only codes of STAGES
    stage_map      stage name in the CRM -> stage code, "won" or "lost"; compared without case and blanks
    columns        field -> header in the export, where recognition by alias is not enough
    warehouse      where an engine finds its tables: "database" (DuckDB: "sqlite:crm.db", "postgres:dbname=crm"),
                   "master" (of Spark), "memory" (DuckDB's limit: "1500MB")
    """

    language: str = "zh-CN"
    region: str = ""
    as_of: date | None = None
    trend_months: int = 12
    recent_months: int = 6
    floor_t1: float | None = 5
    floor_t3: float | None = 5
    wins_needed: int = 1
    service_level: float = 0.9
    plan_weeks: int = 13
    refuse_share: float = 0.2
    date_order: str = "auto"
    currency: str = ""
    stages: Mapping[str, str] = field(default_factory=dict)
    stage_map: Mapping[str, str] = field(default_factory=dict)
    columns: Mapping[str, str] = field(default_factory=dict)
    warehouse: Mapping[str, str] = field(default_factory=dict)
    benchmarks: Mapping[str, float] = field(default_factory=dict)
    horizon_days: Mapping[str, float] = field(default_factory=dict)
    targets: tuple[Target, ...] = ()
    fiscal_start: int = 1

    def __post_init__(self) -> None:
        _one_of("language", self.language, LANGUAGES)
        _one_of("date_order", self.date_order, DATE_ORDERS)
        _within("trend_months", self.trend_months, 0, 600)
        _within("recent_months", self.recent_months, 1, 600)
        _within("refuse_share", self.refuse_share, 0, 1)
        _within("wins_needed", self.wins_needed, 1, 1000)
        _within("plan_weeks", self.plan_weeks, 1, 104)
        _within("service_level", self.service_level, 0.01, 0.999)
        _within("fiscal_start", self.fiscal_start, 1, 12)
        for aim in self.targets:
            if not _PERIOD.fullmatch(aim.period):
                raise SettingsError("settings.not_a_period", value=aim.period)
            _within("targets", aim.target, 0, 1e15)
        for step, rate in self.benchmarks.items():
            _one_of("benchmarks", step, STEPS)
            _within("benchmarks", rate, 0, 1)
        for code, days in self.horizon_days.items():
            _one_of("horizon_days", code, STAGES)
            _within("horizon_days", days, 1, 36500)
        for name in ("floor_t1", "floor_t3"):
            value = getattr(self, name)
            if value is not None:
                _within(name, value, 0, 1e6)
        for code in self.stages:
            _one_of("stages", code, STAGES)
        for target in self.stage_map.values():
            _one_of("stage_map", target, (*STAGES, *OUTCOMES))
        for key in self.columns:
            _one_of("columns", key, tuple(Field) + STAGES + OUTCOMES)
        for key in self.warehouse:
            _one_of("warehouse", key, WAREHOUSE)


def load(path: Path, **defaults: Any) -> Settings:
    """Settings from a TOML file; `defaults` hold for what the file does not say.

    Raises SettingsError naming the first thing that is wrong.
    """
    try:
        table = tomllib.loads(path.read_text("utf-8-sig"))
    except FileNotFoundError:
        raise SettingsError("settings.missing_file", path=path) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as e:
        raise SettingsError("settings.not_toml", path=path, reason=e) from None
    return from_table({**defaults, **table})


def from_table(table: Mapping[str, Any]) -> Settings:
    """Settings from parsed TOML or from the cells of the Settings sheet; unknown names and wrong kinds are refused."""
    known = {f.name: f for f in fields(Settings)}
    values: dict[str, Any] = {}
    for name, value in table.items():
        if name not in known:
            hint = get_close_matches(name, known, n=1)
            raise SettingsError("settings.unknown_name", name=name, hint=hint[0] if hint else ", ".join(known))
        values[name] = _checked(name, value)
    return Settings(**values)


def _checked(name: str, value: Any) -> Any:
    if name in ("stages", "stage_map", "columns", "warehouse"):
        if not isinstance(value, Mapping) or not all(isinstance(v, str) for v in value.values()):
            raise SettingsError("settings.wrong_kind", name=name, value=value)
        return dict(value)
    if name == "targets":
        return _targets(value)
    if name in ("benchmarks", "horizon_days"):
        if not isinstance(value, Mapping) or not all(_is_number(v) for v in value.values()):
            raise SettingsError("settings.wrong_kind", name=name, value=value)
        return dict(value)
    if name in ("language", "region", "currency", "date_order"):
        kinds: tuple[type, ...] = (str,)
    elif name == "as_of":
        kinds = (date, type(None))
    elif name in ("trend_months", "recent_months", "wins_needed", "fiscal_start", "plan_weeks"):
        kinds = (int,)
    elif name in ("refuse_share", "service_level"):
        kinds = (int, float)
    else:
        kinds = (int, float, type(None))
    if not isinstance(value, kinds) or isinstance(value, bool):
        raise SettingsError("settings.wrong_kind", name=name, value=value)
    return value


def _targets(value: Any) -> tuple[Target, ...]:
    """Tables with a period, a target and perhaps a region; of two for the same, the later one counts."""
    found: dict[tuple[str, str], Target] = {}
    for row in value if isinstance(value, Iterable) and not isinstance(value, str | Mapping) else (value,):
        given = row._asdict() if isinstance(row, Target) else row
        if not isinstance(given, Mapping) or not {"period", "target"} <= set(given) <= set(Target._fields):
            raise SettingsError("settings.wrong_kind", name="targets", value=row)
        region, period, target = given.get("region", ""), given["period"], given["target"]
        if not (isinstance(region, str) and isinstance(period, str) and _is_number(target)):
            raise SettingsError("settings.wrong_kind", name="targets", value=row)
        period = period.strip().upper()
        found[region.strip(), period] = Target(region.strip(), period, float(target))
    return tuple(found.values())


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _one_of(name: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        hint = get_close_matches(value, allowed, n=1)
        raise SettingsError(
            "settings.not_allowed", name=name, value=value, allowed=", ".join(hint or [str(a) for a in allowed])
        )


def _within(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise SettingsError("settings.out_of_range", name=name, value=value, low=low, high=high)
