"""Equal facts of seeded visits from pandas, DuckDB and Spark: `python benchmarks/engines.py [VISITS]`.

Each engine reads the Parquet of `warehouse_data.py` in a process of its own and counts everything that a report asks of
it: facts, closed and open stays. The run stops if one frame differs.
"""

import argparse
import pickle
import sys
import tempfile
from dataclasses import fields
from pathlib import Path

import pandas as pd
from refresh import cost
from visits import LAST_DAY
from warehouse_data import write

from xlfunnel.calendar import date_of
from xlfunnel.crm.engines import ENGINES
from xlfunnel.crm.warehouse import read_warehouse
from xlfunnel.facts import Seen
from xlfunnel.settings import Settings

PANDAS = "pandas"
CLOSED_DAYS = 92
"""Stays of the opportunities closed within these days are fetched."""


def counted(engine: str, folder: Path) -> dict[str, pd.DataFrame]:
    """All frames that are asked of visits, by name."""
    day = date_of(LAST_DAY)
    if engine == PANDAS:
        seen = Seen(pd.read_parquet(folder), day)
    else:
        left = read_warehouse(str(folder), engine, Settings(), day).elsewhere
        assert left is not None
        seen = Seen(left.parts, day, left.keep)
    facts = seen.facts()
    frames = {f.name: getattr(facts, f.name) for f in fields(facts)}
    frames = {name: frame for name, frame in frames.items() if isinstance(frame, pd.DataFrame)}
    return frames | {"closed stays": seen.stays_closed(LAST_DAY - CLOSED_DAYS), "open": seen.standing()}


def main() -> None:
    """Count with each engine, compare, and print one line an engine and one a frame."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("visits", nargs="?", type=int, default=1_000_000)
    parser.add_argument("--data", type=Path, help="a folder to make the visits in, or that holds them from before")
    parser.add_argument("--only", nargs=2, metavar=("ENGINE", "FILE"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.only:
        Path(asked.only[1]).write_bytes(pickle.dumps(counted(asked.only[0], asked.data)))
        return
    with tempfile.TemporaryDirectory() as name:
        folder = (asked.data or Path(name)) / str(asked.visits)
        if not folder.exists():
            write(asked.visits, folder)
        found = {}
        print(f"{'engine':>8} {'seconds':>9} {'MB':>7}", flush=True)
        for engine in (PANDAS, *ENGINES):
            out = Path(name) / f"{engine}.pickle"
            spent = cost([sys.executable, __file__, "--data", folder, "--only", engine, out], Path(name))
            print(f"{engine:>8} {spent.seconds:>9.1f} {spent.megabytes:>7.0f}", flush=True)
            found[engine] = pickle.loads(out.read_bytes())
    for frame, expected in found[PANDAS].items():
        for engine in ENGINES:
            pd.testing.assert_frame_equal(found[engine][frame], expected, obj=f"{frame} of {engine}")
        print(f"{frame:>13} {len(expected):>9,} rows: equal")


if __name__ == "__main__":
    main()
