"""Time and memory from visits in Parquet to the finished workbook: `python benchmarks/warehouse.py [VISITS …]`.

Each number of seeded visits (`warehouse_data.py`) goes through `xlfunnel report --engine` in a process of its own.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import pyarrow.parquet as pq
from refresh import cost
from warehouse_data import write

SIZES = (1_000_000, 5_000_000, 20_000_000)


def main() -> None:
    """Measure and print one line a size."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("visits", nargs="*", type=int, default=SIZES)
    parser.add_argument("--engine", default="duckdb")
    parser.add_argument("--data", type=Path, help="a folder to make the visits in, or that holds them from before")
    asked = parser.parse_args()
    print(f"{'visits':>12} {'seconds':>9} {'MB':>7} {'µs a visit':>11}", flush=True)
    with tempfile.TemporaryDirectory() as name:
        for n in asked.visits:
            folder = (asked.data or Path(name)) / str(n)
            if not folder.exists():
                write(n, folder)
            count = sum(pq.ParquetFile(p).metadata.num_rows for p in folder.glob("*.parquet"))
            out = Path(name) / f"{n}.xlsx"
            command = [sys.executable, "-m", "xlfunnel", "report", folder, "--engine", asked.engine, "-o", out]
            spent = cost(command, Path(name))
            print(f"{count:>12,} {spent.seconds:>9.1f} {spent.megabytes:>7.0f} {1e6 * spent.seconds / count:>11.2f}")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
