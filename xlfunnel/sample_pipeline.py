"""The pipeline behind the LX sample, moved month by month so that its stocks come out exactly.

The stocks at each month's end are given (`STOCK`; January to June 2025 are the published ones), and so are the visits
that end in each month (`EXITS`). A month is then solved from the top of the funnel down: what must enter a stage is
end − start + exits, so what must advance from the stage below is known, and the rest of its exits is lost. Which
opportunities move is decided from the bottom up, by how long each was going to stay.
"""

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from datetime import date
from random import Random

from xlfunnel.calendar import date_of, day_number, month_end, month_of_text
from xlfunnel.terms import STAGES, Outcome

FIRST_MONTH = month_of_text("2024-01")
AS_OF = date(2025, 6, 30)
OWNERS = ("A", "B", "C", "D", "E", "F")

STOCK = (
    (42, 43, 49, 50, 51, 58, 60, 58, 66, 68, 77, 76, 79, 53, 34, 27, 35, 48),
    (29, 30, 34, 36, 37, 40, 42, 42, 45, 48, 53, 55, 59, 40, 26, 21, 23, 24),
    (14, 17, 19, 20, 21, 22, 24, 24, 27, 27, 27, 28, 24, 20, 16, 11, 10, 13),
    (6, 8, 12, 15, 15, 19, 21, 25, 26, 32, 35, 40, 41, 29, 16, 11, 10, 7),
    (1, 2, 2, 3, 4, 3, 4, 4, 4, 4, 4, 4, 5, 7, 7, 5, 3, 3),
)
"""Opportunities standing in T0…T4 at the end of each month from January 2024 to June 2025."""

EXITS = (
    (45, 83, 92, 99, 103, 108, 116, 119, 124, 136, 147, 156, 149, 123, 82, 61, 63),
    (22, 44, 48, 52, 55, 57, 62, 65, 66, 72, 76, 83, 81, 84, 59, 38, 32),
    (8, 18, 21, 24, 24, 26, 27, 31, 29, 34, 32, 35, 29, 29, 22, 16, 12),
    (3, 7, 6, 9, 12, 9, 12, 12, 13, 11, 13, 13, 14, 26, 24, 13, 7),
    (1, 3, 3, 4, 5, 5, 5, 6, 6, 6, 6, 6, 6, 11, 12, 9, 5),
)
"""Visits that end in each month; June 2025 is solved rep by rep."""

FINAL_STOCK = {
    "A": (12, 6, 4, 2, 1),
    "B": (6, 2, 1, 0, 0),
    "C": (12, 6, 3, 1, 1),
    "D": (4, 2, 1, 1, 0),
    "E": (5, 3, 2, 1, 0),
    "F": (9, 5, 2, 2, 1),
}
"""What each rep holds at the end of June 2025."""

STARTED = (0, 26, 12, 5, 1)
"""Opportunities that were already under way when the CRM went live in January 2024, by stage."""

_SHARE_FIRST = (20, 17, 18, 15, 15, 15)  # of new opportunities, per rep, in the first month …
_SHARE_LAST = (26, 10, 23, 8, 11, 18)  # … and in the last: B, D and E stop sowing
_SKILL = (1.25, 0.9, 1.15, 0.8, 0.75, 1.05)
_STAY_DAYS = (15, 20, 25, 45, 20)
_WON_SHARE = 0.5
_BACK_SHARE = 0.08
_REOPENED_SHARE = 0.02
_HOLIDAYS = (
    ("2024-01-01", 1), ("2024-02-09", 9), ("2024-04-04", 3), ("2024-05-01", 5), ("2024-06-10", 1), ("2024-09-16", 2),
    ("2024-10-01", 7), ("2025-01-01", 1), ("2025-01-28", 8), ("2025-04-04", 3), ("2025-05-01", 5), ("2025-06-02", 1),
)  # fmt: skip


@dataclass(eq=False)
class Opportunity:
    """Whose it is (place in `OWNERS`), and the stages and the outcome it came to, each with its day."""

    owner: int
    steps: list[tuple[int | Outcome, int]] = field(default_factory=list)  # stage or outcome, and the day of it
    due: int = 0  # the day on which it was going to leave its stage

    @property
    def day(self) -> int:
        return self.steps[-1][1]


class Pipeline:
    """Opportunities in motion, month by month."""

    def __init__(self, draw: Random) -> None:
        self.draw = draw
        self.all: list[Opportunity] = []
        self.standing: list[list[Opportunity]] = [[] for _ in STAGES]
        self.lost: list[Opportunity] = []
        off = {day_number(date.fromisoformat(d)) + i for d, n in _HOLIDAYS for i in range(n)}
        days = range(day_number(date(2024, 1, 1)), day_number(AS_OF) + 1)
        self.working_days = [d for d in days if date_of(d).weekday() < 5 and d not in off]

    def run(self) -> list[Opportunity]:
        last = len(STOCK[0]) - 1
        for i in range(last):
            start = [len(s) for s in self.standing]
            exits = [row[i] for row in EXITS]
            self._month(i, start, [row[i] for row in STOCK], exits, STARTED if i == 0 else (0,) * len(STAGES))
        for owner, end in enumerate(FINAL_STOCK.values()):
            start = [sum(o.owner == owner for o in s) for s in self.standing]
            exits = self._exits_of_one(start, end)
            self._month(last, start, end, exits, (0,) * len(STAGES), owner)
        return sorted(self.all, key=lambda o: o.steps[0][1])

    def _exits_of_one(self, start: list[int], end: tuple[int, ...]) -> list[int]:
        """Exits of one rep: about stock ÷ stay, but enough for what must advance and for the stock to come out."""
        exits, advancing = [0] * len(STAGES), 0
        for k in reversed(range(len(STAGES))):
            usual = (start[k] + end[k]) / 2 * 30 / _STAY_DAYS[k]
            exits[k] = max(self._rounded(usual), advancing, start[k] - end[k])
            advancing = end[k] - start[k] + exits[k]
        return exits

    def _month(
        self,
        index: int,
        start: list[int],
        end: list[int] | tuple[int, ...],
        exits: list[int],
        started: tuple[int, ...],
        owner: int | None = None,
    ) -> None:
        last_day = day_number(month_end(FIRST_MONTH + index))
        first_day = day_number(month_end(FIRST_MONTH + index - 1)) + 1
        entering = [e - s + x - y for s, e, x, y in zip(start, end, exits, started, strict=True)]
        top = len(STAGES) - 1
        advancing, back = [0] * len(STAGES), [0] * len(STAGES)
        skipping = 1 if owner is None and index % 2 else 0  # straight from T0 to T2
        for k in reversed(range(len(STAGES))):
            if k == top:
                advancing[k] = min(exits[k], self._rounded(exits[k] * _WON_SHARE))
            else:
                advancing[k] = entering[k + 1] - (skipping if k == 1 else 0)
            if k in (2, 3) and owner is None:
                leaving = exits[k] - advancing[k]
                back[k] = sum(self.draw.random() < _BACK_SHARE for _ in range(leaving))
                entering[k - 1] -= back[k]
        self._begin(entering[0], started, index, first_day, last_day, owner)
        for k in range(len(STAGES)):
            leavers = self._leavers(k, exits[k], last_day, owner)
            leavers.sort(key=lambda o: self.draw.random() ** (1 / _SKILL[o.owner]), reverse=True)
            ahead: int | Outcome = Outcome.WON if k == top else k + 1
            ways: list[int | Outcome] = [ahead] * advancing[k] + [k - 1] * back[k]
            ways += [2] * (skipping if k == 0 else 0)
            ways += [Outcome.LOST] * (len(leavers) - len(ways))
            for o, way in zip(leavers, ways, strict=True):
                self.standing[k].remove(o)
                self._step(o, way, self._day_of_leaving(o, first_day, last_day))

    def _begin(
        self, new: int, started: tuple[int, ...], index: int, first_day: int, last_day: int, owner: int | None
    ) -> None:
        """New opportunities, those under way at the start, and a few lost ones that are taken up again."""
        cold = [o for o in self.lost if o.day < first_day - 30]
        reopened = sum(self.draw.random() < _REOPENED_SHARE for _ in range(new)) if cold and owner is None else 0
        for o in self.draw.sample(cold, min(reopened, len(cold))):
            self.lost.remove(o)
            self._step(o, 0, self._working_day(first_day, last_day))
            new -= 1
        ratio = index / (len(STOCK[0]) - 1)
        shares = [a + (b - a) * ratio for a, b in zip(_SHARE_FIRST, _SHARE_LAST, strict=True)]
        for k, count in enumerate((new, *started[1:])):
            for _ in range(count):
                whose = self.draw.choices(range(len(OWNERS)), shares)[0] if owner is None else owner
                self.all.append(o := Opportunity(whose))
                self._step(o, k, self._working_day(first_day, last_day))

    def _leavers(self, stage: int, count: int, last_day: int, owner: int | None) -> list[Opportunity]:
        last_working_day = self._working_days(0, last_day)[-1]
        able = [o for o in self.standing[stage] if owner in (None, o.owner) and o.day < last_working_day]
        if len(able) < count:
            raise ValueError(f"{count} are to leave stage {stage} by {date_of(last_day)}, only {len(able)} can")
        return sorted(able, key=lambda o: o.due)[:count]

    def _day_of_leaving(self, o: Opportunity, first_day: int, last_day: int) -> int:
        earliest = max(first_day, o.day + 1)
        if earliest <= o.due <= last_day and (days := self._working_days(o.due, last_day)):
            return o.due if days[0] == o.due else self.draw.choice(days[:5])
        return self._working_day(earliest, last_day)

    def _step(self, o: Opportunity, way: int | Outcome, day: int) -> None:
        o.steps.append((way, day))
        if isinstance(way, int):
            mean = _STAY_DAYS[way] / _SKILL[o.owner] ** 0.5
            o.due = day + max(1, round(self.draw.gammavariate(2.0, mean / 2.0)))
            self.standing[way].append(o)
        elif way == Outcome.LOST and not any(step == Outcome.LOST for step, _ in o.steps[:-1]):
            self.lost.append(o)

    def _working_days(self, first: int, last: int) -> list[int]:
        return self.working_days[bisect_left(self.working_days, first) : bisect_right(self.working_days, last)]

    def _working_day(self, first: int, last: int) -> int:
        return self.draw.choice(self._working_days(first, last))

    def _rounded(self, x: float) -> int:
        return int(x) + (self.draw.random() < x % 1)
