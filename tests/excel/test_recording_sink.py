"""The recording: stable text of everything handed over."""

from datetime import date, datetime

import numpy as np
import pandas as pd

from xlfunnel.excel.recording_sink import RecordingSink
from xlfunnel.report import Report, fill


def test_a_recording_reads_like_the_report() -> None:
    frame = pd.DataFrame(
        {
            "月份": ["2025-01", None],
            "斜率": [-15.342857142857143, np.nan],
            "n": pd.Series([6, None], dtype="Int64"),
            "日期": pd.to_datetime(["2025-06-30", None]),
        }
    )
    sink = RecordingSink()
    report = Report(
        {"tbl_a": frame, "tbl_b": frame.iloc[:0, :1]},
        {
            "txt_a": "a|b\nc\\",
            "kpi_b": None,
            "kpi_c": True,
            "kpi_d": 1e-12,
            "as_of": date(2025, 6, 30),
            "n": np.int64(3),
        },
        {"tbl_a": "月份"},
    )
    fill(report, sink)
    assert sink.finished
    assert sink.text() == (
        "tbl_a (2 rows, by 月份)\n"
        "  月份 | 斜率 | n | 日期\n"
        "  2025-01 | -15.34285714 | 6 | 2025-06-30\n"
        "  · | · | · | ·\n"
        "\n"
        "tbl_b (0 rows)\n"
        "  月份\n"
        "\n"
        "txt_a = a\\|b\\nc\\\\\n"
        "kpi_b = ·\n"
        "kpi_c = True\n"
        "kpi_d = 1e-12\n"
        "as_of = 2025-06-30\n"
        "n = 3\n"
    )


def test_times_are_kept_where_there_is_one() -> None:
    sink = RecordingSink()
    sink.cell("a", datetime(2025, 6, 30, 12, 30))
    assert sink.text() == "a = 2025-06-30T12:30:00\n"
