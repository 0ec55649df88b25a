"""Seeded visits in Parquet, of any number: `python benchmarks/warehouse_data.py 20000000 FOLDER`.

Written in parts of a million, one file each, so that no machine is too small for it. Columns are the canonical ones of
`xlfunnel.crm.visits`; ids go on from file to file, and files are as they come: neither sorted nor partitioned.
"""

import argparse
from pathlib import Path

import pandas as pd
from visits import visits

from xlfunnel.terms import Col

PART = 1_000_000


def write(rows: int, folder: Path) -> None:
    """Exactly `rows` visits as Parquet files in `folder`, which is made if need be."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, start in enumerate(range(0, rows, PART)):
        frame = visits(min(PART, rows - start), seed=number)
        ids = f"{number:03d}-" + frame[Col.OPPORTUNITY].astype(object)
        frame.assign(**{Col.OPPORTUNITY: pd.Series(ids, dtype="str")}).to_parquet(folder / f"part-{number:03d}.parquet")


def main() -> None:
    """Write what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("visits", type=int)
    parser.add_argument("folder", type=Path)
    asked = parser.parse_args()
    write(asked.visits, asked.folder)


if __name__ == "__main__":
    main()
