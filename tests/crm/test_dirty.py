"""Clean pipelines written in every dirty way at once: the clean facts come back, or an issue names the damage."""

import io
import zipfile
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest
import xlsxwriter
import xlwt
from crm_files import csv_bytes, short
from hypothesis import given, settings
from hypothesis import strategies as st
from odd_books import ods, xlsb

from xlfunnel.crm import read_sources
from xlfunnel.errors import InputError
from xlfunnel.facts import facts_of
from xlfunnel.settings import Settings

STAGES = ["线索", "高潜线索", "有效商机", "高阶商机", "关键决策"]
START = date(2025, 1, 31)
AS_OF = date(2026, 12, 31)
CHOSEN = Settings(refuse_share=0.5)
PAYLOADS = [
    "=1+1", "=cmd|'/c calc'!A1", "+SUM(A1)", "-2+3", "@SUM(1)", "|calc", '=HYPERLINK("http://x")', "＝1+1",
    "=IMPORTXML(1)", "%0A=1", '";=1+1', "{=1}", "=DDE(\"x\";\"y\")",
]  # fmt: skip

DATES: dict[str, Callable[[date], object]] = {
    "iso": date.isoformat,
    "slashes": lambda d: f"{d.year}/{d.month}/{d.day}",
    "hanzi": lambda d: f"{d.year}年{d.month}月{d.day}日",
    "stamp": lambda d: f"{d.isoformat()}T23:30:00-08:00",
    "afternoon": lambda d: f"{d.year}/{d.month}/{d.day} 下午 3:20",
    "month first": lambda d: f"{d.month}/{d.day}/{d.year}",
    "day first": lambda d: f"{d.day:02d}/{d.month:02d}/{d.year}",
    "dots": lambda d: f"{d.day}.{d.month}.{d.year}",
    "named": lambda d: f"{d.day}-{'JanFebMarAprMayJunJulAugSepOctNovDec'[d.month * 3 - 3 : d.month * 3]}-{d.year}",
    "date cell": lambda d: d,
    "serial": lambda d: (d - date(1899, 12, 30)).days,
    "milliseconds": lambda d: str((d - date(1970, 1, 1)).days * 86_400_000 + 7_200_000),
}
AMOUNTS: dict[str, Callable[[int], object]] = {
    "plain": lambda n: n,
    "grouped": lambda n: f"¥{n:,}.00",
    "wan": lambda n: f"{n / 10_000:g}万",
    "full width": lambda n: f"￥{n}".translate({ord(str(i)): ord("０") + i for i in range(10)}),
    "dollar": lambda n: f"$ {n:,}",
}


@st.composite
def pipeline(draw: st.DrawFn) -> list[tuple[str, str, int, str, date]]:
    """Rows of a clean history: id, owner, amount, stage, entered; the first of them on a 31st."""
    rows = [("SJ-0", "张伟", 10_000, STAGES[0], START)]
    owners = draw(st.lists(st.sampled_from(["张伟", "王芳", "李 娜", "Ann O'Hara", *PAYLOADS]), min_size=1, max_size=4))
    for number in range(1, draw(st.integers(2, 7))):
        day, amount = START + timedelta(draw(st.integers(0, 200))), draw(st.integers(1, 900)) * 10_000
        climb = sorted(draw(st.sets(st.integers(0, 4), min_size=1)))
        stages = [STAGES[i] for i in climb] + draw(st.sampled_from([[], ["赢单"], ["丢单"]]))
        for stage in stages:
            rows.append((f"SJ-{number}", draw(st.sampled_from(owners)) if number > 9 else owners[number % len(owners)],
                         amount, stage, day))  # fmt: skip
            day += timedelta(draw(st.integers(1, 60)))
    return rows


def written(path: Path, rows: list[list[object]], kind: str, encoding: str, delimiter: str) -> Path:
    if kind == "xls":
        return xls(path, rows)
    if kind == "xlsx":
        plain = {"strings_to_formulas": False, "strings_to_urls": False, "default_date_format": "yyyy-mm-dd"}
        book = xlsxwriter.Workbook(path, plain)
        sheet = book.add_worksheet("导出")
        for i, row in enumerate(rows):
            for j, cell in enumerate(row):
                if cell is not None:
                    sheet.write(i, j, cell)
        book.close()
        return path
    rows = [[c.isoformat() if isinstance(c, date) else c for c in row] for row in rows]
    if kind == "ods":
        return ods(path, rows)
    if kind == "xlsb":
        return xlsb(path, rows)
    if kind == "parquet":
        columns = zip(*rows[1:], strict=True)
        named = {
            str(name): [None if c is None else str(c) for c in column]
            for name, column in zip(rows[0], columns, strict=True)
        }
        pd.DataFrame(named, dtype="str").to_parquet(path, index=False)
        return path
    content = csv_bytes([["" if c is None else c for c in r] for r in rows], encoding, delimiter)
    if kind == "zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
            package.writestr("data.txt", content)
    else:
        path.write_bytes(content)
    return path


def xls(path: Path, rows: list[list[object]]) -> Path:
    book = xlwt.Workbook(encoding="utf-8")
    sheet, day = book.add_sheet("导出"), xlwt.easyxf(num_format_str="yyyy-mm-dd")
    for i, row in enumerate(rows):
        for j, cell in enumerate(row):
            if isinstance(cell, date):
                sheet.write(i, j, cell, day)
            elif cell is not None:
                sheet.write(i, j, cell)
    book.save(str(path))
    return path


def clean_facts(rows: list[tuple[str, str, int, str, date]], path: Path) -> Any:
    text = [["商机编号", "负责人", "金额", "阶段", "进入日期"], *rows]
    path.write_bytes(csv_bytes(text))
    return facts_of(read_sources([path], CHOSEN).visits, AS_OF)


@settings(max_examples=120, deadline=None)
@given(
    rows=pipeline(),
    kind=st.sampled_from(["csv", "csv", "zip", "xlsx", "xls", "ods", "xlsb", "parquet"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-16-le"]),
    delimiter=st.sampled_from([",", ";", "\t", "|"]),
    dates=st.sampled_from(sorted(DATES)),
    amounts=st.sampled_from(sorted(AMOUNTS)),
    titles=st.integers(0, 4),
    left=st.integers(0, 2),
    data=st.data(),
)
def test_the_clean_facts_come_back(
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[tuple[str, str, int, str, date]],
    kind: str,
    encoding: str,
    delimiter: str,
    dates: str,
    amounts: str,
    titles: int,
    left: int,
    data: st.DataObject,
) -> None:
    folder = tmp_path_factory.getbasetemp()
    expected = clean_facts(rows, folder / "clean.csv")
    body: list[list[object]] = [
        [i, dirty(data, owner), AMOUNTS[amounts](amount), dirty(data, stage), DATES[dates](day)]
        for i, owner, amount, stage, day in rows
    ]
    again = data.draw(st.lists(st.sampled_from(body), max_size=3))
    table = [*body, *again, *([["合计", None, 99, None, None]] if data.draw(st.booleans()) else [])]
    header: list[object] = ["商机编号", "负责人", "金额(元)", " 商机阶段\u3000", "进入日期"]
    shifted = [[None] * left + row + [None, "备注"] for row in [header, *table]]
    blank: list[list[object]] = [[None]] if data.draw(st.booleans()) else []
    whole: list[list[object]] = [*([f"导出 {n}"] for n in range(titles)), *blank, shifted[0], *blank, *shifted[1:]]
    if kind == "parquet":  # its columns have names: nothing stands above or beside them
        whole = [header, *table]
    path = written(folder / f"dirty.{kind}", whole, kind, encoding, delimiter)
    intake = read_sources([path], CHOSEN)
    found = facts_of(intake.visits, AS_OF)
    for name in ("entries", "exits", "created", "reserves", "durations"):
        pd.testing.assert_frame_equal(getattr(found, name), getattr(expected, name))
    codes = [i.code for i in intake.issues]
    assert codes.count("duplicate_row") == len(again)
    assert codes.count("total_row") == len(table) - len(body) - len(again)
    assert set(codes) <= {
        "duplicate_row", "total_row", "cleaned_text", "date_order", "similar_owner", "same_instant", "out_of_order",
    }  # fmt: skip


def dirty(data: st.DataObject, text: str) -> str:
    """The text with what copying leaves in it; whether it was there is told by cleaned_text."""
    return data.draw(st.sampled_from(["{}", "{} ", "\u00a0{}", "{}\u200b", "\t{}", "\u3000{}"])).format(text)


DAMAGES: dict[str, tuple[int, object, str]] = {
    "no id": (0, "", "missing_id"),
    "no stage": (3, "", "missing_stage"),
    "another stage": (3, "天使轮", "unknown_stage"),
    "no date": (4, "", "missing_date"),
    "no such day": (4, "2025-02-30", "bad_date"),
    "no date at all": (4, "soon", "bad_date"),
    "no amount": (2, "面议", "bad_amount"),
    "no owner": (1, "", "missing_owner"),
}


@settings(max_examples=80, deadline=None)
@given(rows=pipeline(), which=st.sampled_from(sorted(DAMAGES)), data=st.data())
def test_damage_is_named_with_its_row(
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[tuple[str, str, int, str, date]],
    which: str,
    data: st.DataObject,
) -> None:
    column, value, code = DAMAGES[which]
    at = data.draw(st.integers(0, len(rows) - 1))
    body = [list[object](r) for r in rows]
    body[at][column] = value
    path = tmp_path_factory.getbasetemp() / "damaged.csv"
    header = ["商机编号", "负责人", "金额", "阶段", "进入日期"]
    path.write_bytes(csv_bytes([header, *body]))
    if len(rows) == 1 and column not in (1, 2):
        with pytest.raises(InputError, match="no_rows_used"):
            read_sources([path], Settings(refuse_share=1))
        return
    intake = read_sources([path], Settings(refuse_share=1))
    if (code, at + 2) not in [(i.code, i.row) for i in intake.issues]:
        # the owner of the row that says won or lost is nobody's: nothing is lost with it
        assert (which, body[at][3] in ("赢单", "丢单")) == ("no owner", True)
        path.write_bytes(csv_bytes([header, *rows]))
        pd.testing.assert_frame_equal(intake.visits, read_sources([path], Settings()).visits)


@pytest.mark.parametrize("payload", PAYLOADS)
def test_payloads_pass_as_text(tmp_path: Path, payload: str) -> None:
    rows = [["id", "owner", "region", "stage", "entered"], [payload, payload, payload, "T1", "2025-01-01"]]
    (tmp_path / "a.csv").write_bytes(csv_bytes(rows))
    visits = read_sources([tmp_path / "a.csv"], Settings()).visits
    assert visits[["opportunity_id", "owner", "region"]].to_numpy().tolist() == [[payload] * 3]


def test_payloads_stand_as_text_in_the_workbook(xlfunnel: Callable[..., Any], tmp_path: Path) -> None:
    rows = [["id", "owner", "region", "stage", "entered"]]
    rows += [
        [f"{p}{i}", p, "N", f"T{i % 5}", f"2025-0{i % 6 + 1}-1{i % 9}"]
        for i, p in enumerate([*PAYLOADS, "\t=1", "\r=1"])
    ]
    rows += [["=bad", p, "N", p, "2025-01-01"] for p in PAYLOADS]
    (tmp_path / "a.csv").write_bytes(csv_bytes(rows))
    (tmp_path / "s.toml").write_text("refuse_share = 1.0\n", "utf-8")
    assert xlfunnel("report", "a.csv", "--settings", "s.toml", "-o", "out.xlsx").code == 0
    book = openpyxl.load_workbook(io.BytesIO((tmp_path / "out.xlsx").read_bytes()))
    shown = set()
    for sheet in book.worksheets:
        for cell in (c for row in sheet.iter_rows() for c in row if isinstance(c.value, str)):
            if any(cell.value.startswith(p) for p in PAYLOADS):
                assert cell.data_type == "s", (sheet.title, cell.coordinate, cell.value)
                shown.add(cell.value)
    assert set(PAYLOADS) <= shown
    assert not any("externalLink" in n for n in zipfile.ZipFile(tmp_path / "out.xlsx").namelist())
    assert len(short(read_sources([tmp_path / "a.csv"], Settings(refuse_share=1)).visits)) == len(PAYLOADS) + 2
