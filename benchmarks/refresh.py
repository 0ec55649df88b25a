"""Time and memory of a refresh against what else could do it: `python benchmarks/refresh.py [ROWS …]`.

One workbook of stage visits a size, three ways to bring it up to date, each in a process of its own:

    xlfunnel     `xlfunnel refresh`: read the Data sheet, analyse, fill all result sheets, replace the file
    openpyxl     load the same workbook, change one cell, save it: nothing is computed
    formulas     the same monthly and rep tables as COUNTIFS and SUMIFS over the same rows, opened, recalculated and
                 saved by LibreOffice
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import openpyxl
import pandas as pd
import xlsxwriter
from visits import LAST_DAY, history_table

from xlfunnel.calendar import date_of, month_end, month_number
from xlfunnel.excel import template
from xlfunnel.excel.file_sink import FileSink
from xlfunnel.report import Report, fill
from xlfunnel.terms import STAGES

SIZES = (10_000, 50_000, 100_000, 200_000)
MONTHS_SHOWN = 12
_LOAD_MODIFY_SAVE = """
import sys, openpyxl
book = openpyxl.load_workbook(sys.argv[1])
book.worksheets[0]["B2"] = "changed"
book.save(sys.argv[2])
"""


class Cost(NamedTuple):
    """Seconds and peak memory in megabytes of one process and its children."""

    seconds: float
    megabytes: float


def cost(command: Sequence[str | Path], folder: Path) -> Cost:
    """Run a command to its end. Raises RuntimeError with its output if it fails."""
    # As installed, so with bytecode: compiling anew in every run is nobody's lot but a developer's.
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    with (folder / "log.txt").open("w+b") as log:
        begin = time.perf_counter()
        child = subprocess.Popen([str(c) for c in command], stdout=log, stderr=subprocess.STDOUT, env=environment)
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - begin
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            log.seek(0)
            raise RuntimeError(f"{command}: {child.returncode}\n{log.read().decode(errors='replace')}")
    return Cost(seconds, usage.ru_maxrss / 1024)


def data_workbook(rows: pd.DataFrame, path: Path) -> None:
    """Our template with its Data sheet filled and every result still blank."""
    empty = path.with_name("template.xlsx")
    template.build("zh-CN", empty)
    fill(Report({"tbl_data": rows}, {"cfg_as_of": date_of(LAST_DAY)}), FileSink(empty, path))


def formula_workbook(rows: pd.DataFrame, path: Path) -> None:
    """The same rows, and the tables of the Trend and Reps sheets in nothing but formulas."""
    book = xlsxwriter.Workbook(str(path), {"constant_memory": True})
    result = book.add_worksheet("Result")
    day = book.add_format({"num_format": "yyyy-mm-dd"})
    n = len(rows) + 1
    column = dict(zip(("region", "owner", "stage", "entered", "left", "next", "amount"), "BCDEFGH", strict=True))
    at = {name: f"Data!${letter}$2:${letter}${n}" for name, letter in column.items()}
    last = month_number(date_of(LAST_DAY))
    row = 1
    for month in range(last - MONTHS_SHOWN + 1, last + 1):
        result.write_datetime(row, 0, pd.Timestamp(month_end(month)).to_pydatetime(), day)
        here, x = f"$A{row + 1}", row
        result.write_number(row, 1, x)
        for j, stage in enumerate(STAGES):
            _formula(result, row, 2 + j, _standing("COUNTIFS(", at, stage, here))
        _formula(result, row, 7, f"=SUM(C{row + 1}:E{row + 1})")
        _formula(result, row, 8, f"=SUM(C{row + 1}:F{row + 1})")
        since = f'">"&EOMONTH({here},-1)'
        _formula(result, row, 9, f'=COUNTIFS({at["stage"]},"T0",{at["entered"]},{since},{at["entered"]},"<="&{here})')
        for j, outcome in enumerate(("赢单", "丢单")):
            _formula(
                result,
                row,
                10 + j,
                f'=COUNTIFS({at["next"]},"{outcome}",{at["left"]},{since},{at["left"]},"<="&{here})',
            )
        _formula(result, row, 12, _standing(f"SUMIFS({at['amount']},", at, "T3", here))
        row += 1
    for j, span in enumerate("HIF"):
        for i, function in enumerate(("SLOPE", "INTERCEPT", "RSQ")):
            _formula(result, row + 1 + j, 2 + i, f"={function}({span}2:{span}{row},$B$2:$B${row})")
    row += 6
    for region, owner in sorted(set(zip(rows["大区"], rows["负责人"], strict=True))):
        result.write_row(row, 0, [region, owner])
        who = f"{at['region']},$A{row + 1},{at['owner']},$B{row + 1},"
        for j, stage in enumerate(STAGES):
            _formula(result, row, 2 + j, _standing(f"COUNTIFS({who}", at, stage, f"$A${MONTHS_SHOWN + 1}"))
        row += 1
    data = book.add_worksheet("Data")
    data.write_row(0, 0, list(rows.columns))
    for i, values in enumerate(rows.itertuples(index=False), 1):
        for j, value in enumerate(values):
            if isinstance(value, pd.Timestamp):
                data.write_datetime(i, j, value.to_pydatetime(), day)
            elif not pd.isna(value):
                data.write(i, j, value)
    book.close()


def _standing(function: str, at: dict[str, str], stage: str, day: str) -> str:
    """Reserve of a stage at a day's end: entered until then, less left until then."""
    call = f'{function}{at["stage"]},"{stage}",{{}},"<="&{day})'
    return f"={call.format(at['entered'])}-{call.format(at['left'])}"


def _formula(sheet: Any, row: int, column: int, formula: str) -> None:
    sheet.write_formula(row, column, formula, None, "")


def convert(source: Path, folder: Path) -> list[str | Path]:
    """LibreOffice's command to open, recalculate and save."""
    profile = f"-env:UserInstallation={(folder / 'profile').resolve().as_uri()}"
    return ["soffice", profile, "--headless", "--convert-to", "xlsx", "--outdir", folder / "converted", source]


def measured(n: int, folder: Path) -> dict[str, Cost]:
    """The costs at one size."""
    rows = history_table(n)
    base, formulas, work = folder / "base.xlsx", folder / "formulas.xlsx", folder / "work.xlsx"
    data_workbook(rows, base)
    formula_workbook(rows, formulas)
    shutil.copyfile(base, work)
    out = {
        "xlfunnel": cost([sys.executable, "-m", "xlfunnel", "refresh", work], folder),
        "openpyxl": cost([sys.executable, "-c", _LOAD_MODIFY_SAVE, base, folder / "saved.xlsx"], folder),
    }
    if shutil.which("soffice"):
        out["formulas"] = cost(convert(formulas, folder), folder)
        _same_reserves(work, folder / "converted" / formulas.name)
    return out


def _same_reserves(ours: Path, theirs: Path) -> None:
    """Both ways must have computed the same monthly reserves, or the comparison means nothing."""
    from xlfunnel.excel.inputs import table_frame

    trend = table_frame(ours, "tbl_trend").set_index("月份")
    sheet = openpyxl.load_workbook(theirs, data_only=True, read_only=True)["Result"]
    for row in sheet.iter_rows(min_row=2, max_row=MONTHS_SHOWN + 1, max_col=7, values_only=True):
        month = f"{row[0]:%Y-%m}"
        if month in trend.index and [*trend.loc[month, list(STAGES)]] != [*row[2:7]]:
            raise RuntimeError(f"{month}: {[*trend.loc[month, list(STAGES)]]} is not {row[2:7]}")


def main() -> None:
    """Measure and print one line a size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", nargs="*", type=int, default=SIZES)
    asked = parser.parse_args()
    header = f"{'rows':>8} {'xlfunnel':>17} {'openpyxl':>17} {'formulas':>17} {'of openpyxl':>12} {'of formulas':>12}"
    print(header, flush=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if shutil.which("soffice"):  # the first start of a profile takes longer, and may end at once with 81
            small = folder / "small.xlsx"
            xlsxwriter.Workbook(str(small)).close()
            for _ in range(2):
                subprocess.run([str(c) for c in convert(small, folder)], capture_output=True, check=False)
        for n in asked.rows:
            costs = measured(n, folder)
            ours = costs["xlfunnel"].seconds
            cells = [f"{c.seconds:7.2f} s {c.megabytes:4.0f} MB" if c else "–" for c in map(costs.get, costs)]
            ratios = [f"{ours / costs[k].seconds:.1%}" if k in costs else "–" for k in ("openpyxl", "formulas")]
            print(
                f"{n:>8} " + " ".join(f"{c:>17}" for c in cells) + " " + " ".join(f"{r:>12}" for r in ratios),
                flush=True,
            )


if __name__ == "__main__":
    main()
