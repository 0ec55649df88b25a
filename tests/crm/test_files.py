"""Kinds of files and where a table may stand in them: the same three visits from each."""

import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
import xlsxwriter
from crm_files import Row, csv_bytes, short
from extras import needed
from hosts import office
from odd_books import ods, ods_cell, xlsb

from xlfunnel.crm import Source, read_sources
from xlfunnel.errors import InputError
from xlfunnel.settings import Settings
from xlfunnel.strings import words

ROWS: list[Row] = [
    ["id", "owner", "stage", "entered", "amount"],
    ["A-1", "张伟", "T1", "2025-01-05", 1000.5],
    ["A-1", "张伟", "T2", "2025-02-05", 1000.5],
    ["B-2", "Ann", "T1", "2025-01-09", 20],
]
VISITS = [
    ("A-1", 1, "T1", "T2", "2025-01-05", "2025-02-05"),
    ("A-1", 2, "T2", "open", "2025-02-05", ""),
    ("B-2", 1, "T1", "open", "2025-01-09", ""),
]


def how(path: Path, sheet: str | None = None) -> str:
    """How the file was read, after its visits were compared."""
    intake = read_sources([Source(path, sheet)], Settings())
    assert short(intake.visits) == VISITS
    assert intake.visits["owner"].tolist() == ["张伟", "张伟", "Ann"]
    assert intake.visits["amount_cents"].tolist() == [100050, 100050, 2000]
    assert intake.issues == ()
    return intake.sources[0].how


def refusal(path: Path, sheet: str | None = None) -> InputError:
    with pytest.raises(InputError) as e:
        read_sources([Source(path, sheet)], Settings())
    for language in ("zh-CN", "en"):
        assert words(language)(e.value.code, **e.value.params)
    return e.value


@pytest.mark.parametrize(
    ("name", "encoding", "delimiter", "expected"),
    [
        ("a.csv", "utf-8", ",", "utf-8 (,)"),
        ("a.csv", "utf-8-sig", ";", "utf-8 (;)"),
        ("a.tsv", "utf-8", "\t", "utf-8 (tab)"),
        ("a.txt", "utf-16", "\t", "utf-16 (tab)"),
        ("a.txt", "utf-16-le", "\t", "utf-16-le (tab)"),
        ("a.txt", "utf-16-be", ",", "utf-16-be (,)"),
        ("a.csv", "gb18030", "|", "gb18030 (|)"),
        ("a.csv", "gbk", ",", "gb18030 (,)"),
    ],
)
def test_encoding_and_delimiter_are_found_and_told(
    tmp_path: Path, name: str, encoding: str, delimiter: str, expected: str
) -> None:
    path = tmp_path / name
    path.write_bytes(csv_bytes(ROWS, encoding, delimiter))
    assert how(path) == expected


def test_western_text_is_read_and_said_to_be_assumed(tmp_path: Path) -> None:
    rows = [["id", "owner", "stage", "entered"], ["A", "Jörg Müller", "T1", "2025-01-05"]]
    (tmp_path / "a.csv").write_bytes(csv_bytes(rows, "windows-1252", ";"))
    intake = read_sources([tmp_path / "a.csv"], Settings())
    assert intake.visits["owner"].tolist() == ["Jörg Müller"]
    assert [(i.code, i.value) for i in intake.issues] == [("assumed_encoding", "windows-1252 (;)")]


@pytest.mark.parametrize("text", [b"id,stage\n\xc8\xe2\xe0,1\n", b"id,stage\n\x81,1\n", b"a\0b\n\0"])
def test_text_that_could_be_anything_is_refused(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "a.csv").write_bytes(text)
    assert refusal(tmp_path / "a.csv").code == "input.undecodable"


def test_open_document_and_binary_workbooks(tmp_path: Path) -> None:
    assert how(ods(tmp_path / "a.ods", ROWS)) == "ods › Data"
    assert how(xlsb(tmp_path / "a.xlsb", ROWS)) == "xlsb › Data"
    assert how(ods(tmp_path / "wrongly_named.xlsx", ROWS)) == "ods › Data"


@pytest.mark.office
def test_workbooks_of_excel_97(tmp_path: Path) -> None:
    office.require()
    path = office.convert(book(tmp_path / "a.xlsx", [list(r) for r in ROWS]), "xls", tmp_path / "out")
    assert how(path) == "xls › Data"


def test_parquet(tmp_path: Path) -> None:
    needed("pyarrow")
    frame = pd.DataFrame(ROWS[1:], columns=pd.Index(ROWS[0]))
    frame["entered"] = pd.to_datetime(frame["entered"]).dt.tz_localize("Asia/Shanghai")
    frame["amount"] = frame["amount"].astype(float)
    frame.to_parquet(tmp_path / "a.parquet")
    assert how(tmp_path / "a.parquet") == "parquet"
    data = (tmp_path / "a.parquet").read_bytes()
    (tmp_path / "b.parquet").write_bytes(data[: len(data) // 2])
    assert refusal(tmp_path / "b.parquet").code == "input.broken_parquet"


def test_parquet_rows_are_counted_as_a_person_sees_them(tmp_path: Path) -> None:
    needed("pyarrow")
    frame = pd.DataFrame({"id": ["A", None], "stage": ["T1", "T1"], "entered": ["2025-01-01", "2025-01-01"]})
    frame.to_parquet(tmp_path / "a.parquet")
    intake = read_sources([tmp_path / "a.parquet"], Settings(refuse_share=1))
    assert [(i.code, i.row) for i in intake.issues if i.row] == [("missing_id", 3)]


def test_parquet_without_its_library_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.parquet").write_bytes(b"PAR1" + bytes(64))
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert refusal(tmp_path / "a.parquet").code == "input.no_parquet"


def test_zipped_texts_and_folders_are_one_table(tmp_path: Path) -> None:
    parts = {
        "b/second.csv": csv_bytes([ROWS[0], ROWS[3]], "gb18030"),
        "a/first.txt": csv_bytes(ROWS[:3], "utf-8", "\t"),
    }
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as package:
        for name, content in {**parts, "__MACOSX/a/._first.txt": b"\0\5", "read me.pdf": b"%PDF"}.items():
            package.writestr(name, content)
    (tmp_path / "folder").mkdir()
    for name, content in parts.items():
        (tmp_path / "folder" / name.partition("/")[2]).write_bytes(content)
    (tmp_path / "folder" / "~$second.xlsx").write_bytes(b"x")
    for path in (tmp_path / "a.zip", tmp_path / "folder"):
        intake = read_sources([path], Settings())
        assert short(intake.visits) == VISITS
        assert len(intake.sources) == 2
    assert read_sources([tmp_path / "a.zip"], Settings()).sources[0].name == "a.zip › a/first.txt"


def test_one_member_of_an_archive_can_be_named(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("data.csv", csv_bytes(ROWS))
        package.writestr("../../x.csv", csv_bytes(ROWS[:2]))
    assert how(tmp_path / "a.zip", "data.csv") == "utf-8 (,)"
    assert len(read_sources([Source(tmp_path / "a.zip", "../../x.csv")], Settings()).visits) == 1
    assert refusal(tmp_path / "a.zip", "none.csv").code == "input.sheet_not_found"


def book(path: Path, rows: list[list[object]], merged: tuple[str, ...] = ()) -> Path:
    made = xlsxwriter.Workbook(path)
    sheet = made.add_worksheet("Data")
    for i, row in enumerate(rows):
        sheet.write_row(i, 0, row)
    for area in merged:
        first = rows[int(area.split(":")[0][1:]) - 1][ord(area[0]) - 65]
        sheet.merge_range(area, first)
    made.close()
    return path


def test_a_header_of_two_rows_with_merged_cells(tmp_path: Path) -> None:
    rows: list[list[object]] = [
        ["Pipeline", None, None, None, None],
        ["id", "owner", "Date entered", None, "amount"],
        [None, None, "T1", "T2", None],
        ["A-1", "张伟", "2025-01-05", "2025-02-05", 1000.5],
        ["B-2", "Ann", "2025-01-09", None, 20],
        ["合计", None, None, None, 1020.5],
    ]
    path = book(tmp_path / "a.xlsx", rows, ("A2:A3", "B2:B3", "C2:D2", "E2:E3"))
    intake = read_sources([path], Settings())
    assert short(intake.visits) == VISITS
    assert [(i.code, i.row) for i in intake.issues] == [("total_row", 6)]


def test_a_header_of_two_rows_whose_upper_one_only_groups(tmp_path: Path) -> None:
    rows: list[list[object]] = [["商机", None, "进展", None, None], *map(list, ROWS)]
    assert how(book(tmp_path / "a.xlsx", rows, ("A1:B1", "C1:E1"))) == "xlsx › Data"


def test_a_header_of_two_rows_that_makes_sense_only_together(tmp_path: Path) -> None:
    rows = [["opportunity", "sales", "stage", "stage", "amount"], ["id", "rep", "name", "entered date", "(CNY)"]]
    (tmp_path / "a.csv").write_bytes(csv_bytes([*rows, *ROWS[1:]]))
    assert how(tmp_path / "a.csv") == "utf-8 (,)"


@pytest.mark.parametrize("write", [ods, xlsb, book], ids=["ods", "xlsb", "xlsx"])
def test_a_table_below_titles_and_beside_blank_columns(tmp_path: Path, write: Callable[..., Path]) -> None:
    rows: list[list[object]] = [["Export of today"], [], *([None, None, *r, None, "see notes"] for r in ROWS)]
    write(tmp_path / "a.book", rows)
    intake = read_sources([tmp_path / "a.book"], Settings())
    assert short(intake.visits) == VISITS


def hidden_book(path: Path, sheets: dict[str, bool]) -> Path:
    made = xlsxwriter.Workbook(path)
    for name, is_hidden in sheets.items():
        sheet = made.add_worksheet(name)
        for i, row in enumerate(ROWS if name != "Notes" else [["read", "me"]]):
            sheet.write_row(i, 0, row)
        if is_hidden:
            sheet.very_hidden()
        else:
            sheet.activate()
            sheet.set_first_sheet()
    made.close()
    return path


def test_a_hidden_sheet_is_asked_about_not_used(tmp_path: Path) -> None:
    path = hidden_book(tmp_path / "a.xlsx", {"Notes": False, "Secret": True})
    error = refusal(path)
    assert (error.code, error.params["sheets"]) == ("input.hidden_sheet", "Secret")
    assert how(path, "Secret") == "xlsx › Secret"
    assert how(hidden_book(tmp_path / "b.xlsx", {"Secret": True, "Data": False})) == "xlsx › Data"
    assert refusal(hidden_book(tmp_path / "c.xlsx", {"Data": False, "Notes": True}), "Notes").code != "input.no_sheets"


def test_what_repeats_a_million_times_is_not_unrolled(tmp_path: Path) -> None:
    repeated = '<table:table-row table:number-rows-repeated="1048000">{}</table:table-row>'
    wide = '<table:table-cell table:number-columns-repeated="16384" office:value-type="float" office:value="1"/>'
    assert refusal(ods(tmp_path / "a.ods", ROWS, extra=repeated.format(wide))).code == "input.too_large"
    blank = repeated.format('<table:table-cell table:number-columns-repeated="16384"/>')
    assert how(ods(tmp_path / "b.ods", ROWS, extra=blank)) == "ods › Data"
    assert refusal(xlsb(tmp_path / "a.xlsb", ROWS, far=(1_048_575, 16_383))).code == "input.too_large"
    assert how(ods(tmp_path / "c.ods", ROWS, extra=f"<table:table-row>{ods_cell(None)}</table:table-row>"))


def test_entities_are_not_expanded(tmp_path: Path) -> None:
    head = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    assert refusal(ods(tmp_path / "a.ods", ROWS, head=head)).code == "input.unsafe_xml"


def test_damaged_characters_are_shown_as_damaged(tmp_path: Path) -> None:
    whole = csv_bytes([*ROWS, *(["C", f"王芳{i}", "T1", "2025-01-09", 1] for i in range(30))])
    cut = whole.replace("张".encode(), "张".encode()[:2], 1)
    (tmp_path / "a.csv").write_bytes(cut)
    intake = read_sources([tmp_path / "a.csv"], Settings(refuse_share=1))
    assert ("assumed_encoding", "utf-8 (,)") in [(i.code, i.value) for i in intake.issues]
    assert intake.visits["owner"].iloc[0] == "\ufffd伟"
    (tmp_path / "b.csv").write_bytes(whole.replace(b"A-1", b"A\xed\xa0\xbd\xed\xb8\x80"))  # a pair of halves: one sign
    assert read_sources([tmp_path / "b.csv"], Settings()).visits["opportunity_id"].iloc[0] == "A\U0001f600"
