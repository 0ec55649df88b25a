"""Visits written down and read back are the same visits: on our own sheet, and in every shape, encoding and style."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import xlsxwriter
from crm_files import csv_bytes
from hypothesis import given, settings
from hypothesis import strategies as st

from xlfunnel.calendar import date_of, day_number
from xlfunnel.crm import Source, read_sources
from xlfunnel.crm.dates import BLANK
from xlfunnel.crm.visits import canonical
from xlfunnel.settings import Settings
from xlfunnel.terms import STAGES

HEADERS = {
    "zh-CN": ["商机编号", "大区", "负责人", "阶段", "进入日期", "离开日期", "去向", "金额"],
    "en": ["Opportunity ID", "Region", "Rep", "Stage", "Entered", "Left", "Went to", "Amount"],
}
ENDS = {
    "zh-CN": {"won": "赢单", "lost": "丢单", "gone": "未知", "open": ""},
    "en": {"won": "Won", "lost": "Lost", "gone": "Unknown", "open": ""},
}
STAGE_NAMES = {"T0": "线索", "T1": "高潜线索", "T2": "有效商机", "T3": "高阶商机", "T4": "关键决策"}
FIRST, LAST = day_number(date(2023, 1, 1)), day_number(date(2025, 12, 31))
NAME = st.text(st.sampled_from("张伟王芳李娜赵磊Ann Bob=+-@'"), min_size=1, max_size=6).map(str.strip).filter(bool)


@st.composite
def visits(draw: st.DrawFn, climbing: bool = False) -> pd.DataFrame:
    """Clean canonical visits. `climbing`: each opportunity goes up the stages, with one owner and amount."""
    rows = []
    for number in range(draw(st.integers(1, 6))):
        owner, region, amount = draw(NAME), draw(NAME), draw(st.none() | st.integers(0, 10**10))
        path = draw(st.lists(st.sampled_from(STAGES), min_size=1, max_size=5, unique=climbing))
        path = sorted(path) if climbing else [s for s, before in zip(path, [None, *path], strict=False) if s != before]
        end = draw(st.sampled_from(["won", "lost", "open"] if climbing else ["won", "lost", "open", "gone"]))
        days = sorted(draw(st.lists(st.integers(FIRST, LAST), min_size=len(path) + 1, max_size=len(path) + 1)))
        for order, (stage, entered, left) in enumerate(zip(path, days, days[1:], strict=False)):
            last = order == len(path) - 1
            following = end if last else path[order + 1]
            left_day = BLANK if last and end == "open" else left
            rows.append((f"{number:04d}", region, owner, amount, stage, following, entered, left_day, order))
    names = [
        "opportunity_id",
        "region",
        "owner",
        "amount_cents",
        "stage",
        "next_stage",
        "entered_day",
        "left_day",
        "order",
    ]
    frame = pd.DataFrame(rows, columns=names)
    return canonical(frame.assign(amount_cents=frame["amount_cents"].astype("Int64")))


def data_sheet(path: Path, frame: pd.DataFrame, language: str, *, named: bool) -> None:
    """The visits as the Data sheet of our workbook shows them, title rows above."""
    book = xlsxwriter.Workbook(path, {"strings_to_formulas": False, "strings_to_urls": False})
    sheet, dates = book.add_worksheet("Data"), book.add_format({"num_format": "yyyy-mm-dd"})
    sheet.write_string(0, 0, "Data")
    sheet.write_row(3, 0, HEADERS[language])
    for i, row in enumerate(frame.itertuples(index=False), 4):
        stage = STAGE_NAMES[row.stage] if named else row.stage
        for column, text in enumerate((row.opportunity_id, row.region, row.owner, stage)):
            sheet.write_string(i, column, text)
        sheet.write_datetime(i, 4, date_of(row.entered_day), dates)
        if not pd.isna(row.left_day):
            sheet.write_datetime(i, 5, date_of(row.left_day), dates)
        sheet.write_string(i, 6, ENDS[language].get(row.next_stage, row.next_stage))
        if not pd.isna(row.amount_cents):
            sheet.write_number(i, 7, row.amount_cents / 100)
    book.close()


@settings(max_examples=40, deadline=None)
@given(frame=visits(), language=st.sampled_from(["zh-CN", "en"]), named=st.booleans())
def test_the_data_sheet(
    tmp_path_factory: pytest.TempPathFactory, frame: pd.DataFrame, language: str, named: bool
) -> None:
    path = tmp_path_factory.getbasetemp() / "book.xlsx"
    data_sheet(path, frame, language, named=named)
    intake = read_sources([Source(path, "Data")], Settings())
    pd.testing.assert_frame_equal(intake.visits, frame)
    assert {i.code for i in intake.issues} <= {"similar_owner"}


DATE_STYLES = {
    "iso": lambda d: d.isoformat(),
    "slashes": lambda d: f"{d.year}/{d.month}/{d.day}",
    "hanzi": lambda d: f"{d.year}年{d.month}月{d.day}日",
    "eight": lambda d: f"{d:%Y%m%d}",
    "stamp": lambda d: f"{d.isoformat()}T00:00:00+08:00",
    "serial": lambda d: str((d - date(1899, 12, 30)).days),
    "month first": lambda d: f"{d.month}/{d.day}/{d.year}",
    "day first": lambda d: f"{d.day}/{d.month}/{d.year}",
}


def as_history(frame: pd.DataFrame, style: Any) -> list[list[object]]:
    """Rows of stage changes, ends included."""
    rows: list[list[object]] = [["商机编号", "所属区域", "负责人", "商机阶段", "变更时间", "金额(元)"]]
    for row in frame.itertuples(index=False):
        amount = "" if pd.isna(row.amount_cents) else f"¥{row.amount_cents / 100:,.2f}"
        start = [row.opportunity_id, row.region, row.owner]
        rows.append([*start, STAGE_NAMES[row.stage], style(date_of(row.entered_day)), amount])
        if row.next_stage in ("won", "lost"):
            rows.append([*start, ENDS["zh-CN"][row.next_stage], style(date_of(row.left_day)), amount])
    return rows


def as_stage_dates(frame: pd.DataFrame, style: Any) -> list[list[object]]:
    """One row per opportunity, one date column per stage, won and lost among them."""
    rows: list[list[object]] = [
        ["id", "region", "owner", "amount", *(f"Date entered {s}" for s in STAGES), "Won on", "lost date"]
    ]
    for key, group in frame.groupby("opportunity_id"):
        first, last = group.iloc[0], group.iloc[-1]
        dates = {r.stage: style(date_of(r.entered_day)) for r in group.itertuples()}
        ends = [style(date_of(last["left_day"])) if last["next_stage"] == o else "" for o in ("won", "lost")]
        amount = "" if pd.isna(first["amount_cents"]) else f"{first['amount_cents'] / 100:.2f}"
        rows.append([key, first["region"], first["owner"], amount, *(dates.get(s, "") for s in STAGES), *ends])
    return rows


@settings(max_examples=120, deadline=None)
@given(
    frame=visits(climbing=True),
    shape=st.sampled_from([as_history, as_stage_dates]),
    style=st.sampled_from(sorted(DATE_STYLES)),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "gb18030", "utf-16"]),
    delimiter=st.sampled_from([",", ";", "\t"]),
    titles=st.integers(0, 5),
    blanks=st.booleans(),
)
def test_every_shape_encoding_and_style(
    tmp_path_factory: pytest.TempPathFactory,
    frame: pd.DataFrame,
    shape: Any,
    style: str,
    encoding: str,
    delimiter: str,
    titles: int,
    blanks: bool,
) -> None:
    if style in ("month first", "day first"):
        # a 31st somewhere, so that the column tells; the round trip of ambiguous columns is refused, tested elsewhere
        frame = with_a_31st(frame)
    rows = shape(frame, DATE_STYLES[style])
    rows = [*([f"导出 {i}"] for i in range(titles)), rows[0], *([[], ["", ""]] if blanks else []), *rows[1:]]
    path = tmp_path_factory.getbasetemp() / "any_shape.csv"
    path.write_bytes(csv_bytes(rows, encoding, delimiter))
    intake = read_sources([path], Settings())
    pd.testing.assert_frame_equal(intake.visits, frame)
    assert {i.code for i in intake.issues} <= {"date_order", "same_instant", "similar_owner"}
    assert intake.sources[0].rows_refused == 0


def with_a_31st(frame: pd.DataFrame) -> pd.DataFrame:
    """The visits with one more opportunity that entered on a 31st."""
    day = day_number(date(2024, 1, 1) + timedelta(30))
    extra = frame.iloc[:1].assign(
        opportunity_id="9999", visit=1, stage="T1", next_stage="open", entered_day=day, entered_month=648
    )
    extra[["left_day", "left_month"]] = pd.NA
    both = pd.concat([frame, extra], ignore_index=True)
    return both.astype(frame.dtypes.to_dict())
