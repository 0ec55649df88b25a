"""CPU of the analysis, without reading or writing a file, part by part: `python benchmarks/analysis.py [VISITS]`.

Seeded visits as in `visits.py`; once to warm up on a tenth of them, then once for the figures. The profiler that
tells the parts apart makes small calls slower, so the total is measured without it.
"""

import argparse
import cProfile
import pstats
import time
from dataclasses import dataclass
from typing import Any

from visits import LAST_DAY, visits

from xlfunnel import analysis
from xlfunnel.calendar import date_of
from xlfunnel.crm import Intake
from xlfunnel.settings import Settings


@dataclass(frozen=True)
class Part:
    """Something the analysis asks for, and its CPU seconds."""

    name: str
    seconds: float


def main() -> None:
    """Measure and print a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("visits", nargs="?", type=int, default=100_000)
    n = parser.parse_args().visits
    analysis.analyse(_intake(n // 10), Settings())
    intake = _intake(n)
    begin = time.process_time()
    analysis.analyse(intake, Settings())
    total = time.process_time() - begin
    profile = cProfile.Profile()
    profile.runcall(analysis.analyse, intake, Settings())
    print(f"{len(intake.visits):,} visits: {total:.2f} s of CPU\n\n| part | s, under the profiler |\n|---|---:|")
    for part in parts(profile):
        print(f"| {part.name} | {part.seconds:.2f} |")


def parts(profile: cProfile.Profile) -> list[Part]:
    """What `analyse` calls itself, the dearest first; what takes under a hundredth of a second left out."""
    stats: dict[Any, Any] = vars(pstats.Stats(profile))["stats"]
    own = next(at for at in stats if at[0] == analysis.__file__ and at[2] == "analyse")
    called = [Part(at[2], callers[own][3]) for at, (*_, callers) in stats.items() if own in callers]
    return sorted((p for p in called if p.seconds >= 0.01), key=lambda p: -p.seconds)


def _intake(n: int) -> Intake:
    return Intake(visits(n), None, (), (), date_of(LAST_DAY))


if __name__ == "__main__":
    main()
