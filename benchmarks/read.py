"""Time and memory from a CSV history to facts, beside pandas reading the same file: `python benchmarks/read.py`.

pandas only parses the cells; the door also recognises columns, reads dates and amounts, and accounts for every row, and
the facts are counted, so the ratio says what that costs. Each reading runs in a process of its own, so that the peak of
memory is its own. Seconds are those of the processor: both work on one core, and other work beside does not count.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd
from visits import visits

from xlfunnel.crm import read_sources
from xlfunnel.facts import facts_of
from xlfunnel.settings import Settings
from xlfunnel.terms import Col, Outcome


def write(path: Path, rows: int) -> None:
    """A history of `rows` stage visits as a CRM would export it."""
    made = visits(rows)
    days = {name: pd.to_datetime(made[name], unit="D").dt.strftime("%Y-%m-%d") for name in ("entered_day", "left_day")}
    gone = made[Col.NEXT_STAGE.value].isin([Outcome.WON, Outcome.LOST])
    table = pd.DataFrame(
        {
            "Opportunity ID": made["opportunity_id"],
            "Region": made["region"],
            "Owner": made["owner"],
            "Stage": made["stage"],
            "Entered": days["entered_day"],
            "Left": days["left_day"],
            "Went to": made["next_stage"].where(gone, ""),
            "Amount": made["amount_cents"] / 100,
        }
    )
    table.to_csv(path, index=False)


def facts(path: Path) -> int:
    """Entries of all months, as the facts count them."""
    intake = read_sources([path], Settings())
    return int(facts_of(intake.visits, intake.as_of).entries[Col.COUNT].sum())


def plain(path: Path) -> int:
    """Rows that pandas parsed."""
    return len(pd.read_csv(path, dtype=str))


READERS = {"facts": facts, "pandas": plain}


def measured(reader: str, path: Path) -> tuple[float, float]:
    """Seconds and peak megabytes of one reading, in a process of its own."""
    told = subprocess.run([sys.executable, __file__, "--child", reader, str(path)], capture_output=True, text=True)
    if told.returncode:
        sys.exit(told.stderr)
    seconds, peak = told.stdout.split()
    return float(seconds), float(peak)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        start = time.process_time()
        READERS[args.child[0]](Path(args.child[1]))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(time.process_time() - start, peak)
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "history.csv"
        write(path, args.rows)
        found = {name: measured(name, path) for name in READERS}
        size = path.stat().st_size / 1e6
    for name, (seconds, peak) in found.items():
        print(f"{name:8}{seconds:7.1f} s {peak:7.0f} MB peak")
    print(f"{args.rows:,} rows, {size:.0f} MB; ratio {found['facts'][0] / found['pandas'][0]:.1f}")


if __name__ == "__main__":
    main()
