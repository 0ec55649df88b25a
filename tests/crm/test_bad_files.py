"""Files that cannot be used: one sentence each, in both languages, and no other exception."""

import io
import os
import zipfile
from pathlib import Path

import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st

from xlfunnel.crm import Intake, Source, read_sources
from xlfunnel.errors import InputError
from xlfunnel.settings import Settings
from xlfunnel.strings import words

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
ROWS = [["id", "stage", "entered"], ["A", "T1", "2025-01-01"]]


def refusal(path: Path, sheet: str | None = None) -> InputError:
    """The error of reading one file, after both sentences were formed."""
    with pytest.raises(InputError) as e:
        read_sources([Source(path, sheet)], Settings())
    for language in ("zh-CN", "en"):
        sentence = words(language)(e.value.code, **e.value.params)
        assert sentence
        assert "\n" not in sentence
    return e.value


def workbook(path: Path, sheets: dict[str, list[list[object]]], hidden: tuple[str, ...] = ()) -> Path:
    """A workbook with these sheets."""
    book = xlsxwriter.Workbook(path)
    for name, rows in sheets.items():
        sheet = book.add_worksheet(name)
        for i, row in enumerate(rows):
            sheet.write_row(i, 0, row)
        if name in hidden:
            sheet.hide()
    book.close()
    return path


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("a.csv", b"", "empty_file"),
        ("a.csv", b"\xef\xbb\xbf\r\n\r\n", "empty_file"),
        ("a.xlsx", b"", "empty_file"),
        ("a.xlsx", b"id,stage,entered\n", "not_a_workbook"),
        ("a.xlsx", b"PK\x03\x04 and then nothing", "broken_workbook"),
        ("a.xlsx", b"PK\x05\x06" + bytes(18), "not_a_workbook"),
        ("a.xlsx", OLE + "EncryptedPackage".encode("utf-16-le"), "encrypted"),
        ("a.xls", OLE + bytes(512), "not_supported"),
        ("a.csv", OLE + bytes(512), "not_supported"),
        ("a.xls", b"<html><table>", "not_supported"),
        ("a.csv", b"<?xml version='1.0'?>", "not_supported"),
        ("a.pdf", b"%PDF-1.7", "not_supported"),
        ("~$a.xlsx", b"\x05Admin", "lock_file"),
        ("a.csv", b"id,stage\0,entered\n", "undecodable"),
        ("a.csv", b"id,stage,\xff\xff\xff\n", "undecodable"),
        ("a.csv", b"\xff\xfei\0d", "undecodable"),
        ("a.csv", "id,stage,Müller,Böhm\n".encode("latin-1"), "wrong_columns"),
        ("a.csv", b"hello\nworld\n", "wrong_columns"),
        ("a.csv", b",,,\n,,\n", "no_header"),
        ("a.csv", b"id,stage,entered\n", "no_rows"),
        ("a.csv", b"id,stage,entered\n,,\n , ,\n", "no_rows"),
        ("a.csv", b'id,stage,entered\nA,"T1,' + b"x" * 200_000, "broken_text"),
        ("a.csv", b"id,stage,entered\nA,T1,3/4/2025\nB,T1,5/6/2025\n", "ambiguous_dates"),
        ("a.csv", b"id,stage,entered\nA,?,2025-01-01\n", "too_many_refused"),
    ],
    ids=lambda v: v if isinstance(v, str) else None,
)
def test_one_sentence_each(tmp_path: Path, name: str, content: bytes, code: str) -> None:
    (tmp_path / name).write_bytes(content)
    error = refusal(tmp_path / name)
    assert error.code == f"input.{code}"


def test_no_file_and_a_folder(tmp_path: Path) -> None:
    assert refusal(tmp_path / "none.csv").code == "input.missing_file"
    assert refusal(tmp_path / ("x" * 300 + ".csv")).code in ("input.unreadable", "input.missing_file")
    assert refusal(tmp_path).code == "input.is_folder"
    assert refusal(tmp_path / "none.csv" / "a.csv").code == "input.missing_file"


def test_a_file_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"id,stage,entered\n")
    path.chmod(0)
    if os.access(path, os.R_OK):  # root may read everything, so the system's refusal is put in its mouth

        def refuse(self: Path) -> bytes:
            raise PermissionError(13, "Permission denied", str(self))

        monkeypatch.setattr(Path, "read_bytes", refuse)
    assert refusal(path).code == "input.locked"


def test_nothing_given() -> None:
    with pytest.raises(InputError, match="no_sources"):
        read_sources([], Settings())


def test_nothing_usable_where_all_refusals_are_let_through(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"id,stage,entered\nA,?,2025-01-01\n")
    with pytest.raises(InputError, match="no_rows_used"):
        read_sources([tmp_path / "a.csv"], Settings(refuse_share=1))


def test_aggregates_beside_opportunities(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"id,stage,entered\nA,T1,2025-01-01\n")
    (tmp_path / "b.csv").write_bytes(b"month,owner,T1\n2025-01,x,3\n")
    with pytest.raises(InputError, match="mixed_shapes"):
        read_sources([tmp_path / "a.csv", tmp_path / "b.csv"], Settings())


def test_sheets(tmp_path: Path) -> None:
    notes: list[list[object]] = [["How to read this"]]
    path = workbook(tmp_path / "a.xlsx", {"Notes": notes, "Secret": ROWS, "Data": ROWS}, hidden=("Secret",))
    assert read_sources([path], Settings()).sources[0].name == "a.xlsx › Data"
    assert read_sources([Source(path, "Secret")], Settings()).sources[0].how == "xlsx › Secret"
    assert refusal(path, "Notes").code == "input.wrong_columns"
    missing = refusal(path, "Daten")
    assert missing.code == "input.sheet_not_found"
    assert missing.params["sheets"] == "Notes, Secret, Data"


def test_opportunities_are_preferred_to_a_table_of_counts(tmp_path: Path) -> None:
    counts: list[list[object]] = [["month", "owner", "T0", "T3"], ["2025-01", "x", 1, 2]]
    path = workbook(tmp_path / "a.xlsx", {"Counts": counts, "Data": ROWS})
    assert read_sources([path], Settings()).reserves is None


def test_only_hidden_sheets(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", {"A": ROWS, "B": ROWS}, hidden=("B",))
    packed = rewritten(
        path, "xl/workbook.xml", lambda x: x.replace(b'<sheet name="A"', b'<sheet state="hidden" name="A"')
    )
    assert refusal(packed).code == "input.hidden_sheet"
    none = workbook(tmp_path / "b.xlsx", {"A": [["x"]], "B": [["y"]]}, hidden=("B",))
    none = rewritten(
        none, "xl/workbook.xml", lambda x: x.replace(b'<sheet name="A"', b'<sheet state="hidden" name="A"')
    )
    assert refusal(none).code == "input.no_sheets"


def rewritten(path: Path, part: str, change: object) -> Path:
    """The workbook with one part changed."""
    assert callable(change)
    out = io.BytesIO()
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for info in old.infolist():
            data = old.read(info)
            new.writestr(info.filename, change(data) if info.filename == part else data)
    path.write_bytes(out.getvalue())
    return path


@pytest.mark.parametrize("quote", [b'"', b"'"])
def test_a_cell_far_out_does_not_take_all_memory(tmp_path: Path, quote: bytes) -> None:
    path = workbook(tmp_path / "a.xlsx", {"A": [*ROWS, ["far"]]})
    sheet = "xl/worksheets/sheet1.xml"
    far = rewritten(path, sheet, lambda x: x.replace(b'r="A3"', b"r=" + quote + b"XFD1048576" + quote))
    assert refusal(far).code == "input.too_large"


def test_a_cell_far_down_in_a_narrow_table_is_read(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", {"A": [*ROWS, ["B", "T1", "2025-01-02"]]})
    moved = rewritten(
        path,
        "xl/worksheets/sheet1.xml",
        lambda x: x.replace(b'<row r="3"', b'<row r="200003"').replace(b'3" t="s"><v>6', b'3" t="s"><v>6')
        .replace(b'r="A3"', b'r="A200003"').replace(b'r="B3"', b'r="B200003"').replace(b'r="C3"', b'r="C200003"'),
    )  # fmt: skip
    assert len(read_sources([moved], Settings()).visits) == 2


def test_a_package_that_unpacks_to_too_much(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = workbook(tmp_path / "a.xlsx", {"A": ROWS})
    with zipfile.ZipFile(path) as package:
        total = sum(i.file_size for i in package.infolist())
    monkeypatch.setattr("xlfunnel.crm.guard.MAX_UNPACKED", total - 1)
    assert refusal(path).code == "input.too_large"


@pytest.mark.parametrize("name", ["xl/workbook.bin", "content.xml"])
def test_other_kinds_of_zipped_workbooks_that_are_hollow(tmp_path: Path, name: str) -> None:
    with zipfile.ZipFile(tmp_path / "a.xlsx", "w") as package:
        package.writestr(name, b"")
    assert refusal(tmp_path / "a.xlsx").code == "input.broken_workbook"


@pytest.mark.parametrize("damage", ["cut", "zeros", "no sheet", "bad xml"])
def test_damaged_workbooks(tmp_path: Path, damage: str) -> None:
    path = workbook(tmp_path / "a.xlsx", {"A": ROWS})
    data = path.read_bytes()
    if damage == "cut":
        path.write_bytes(data[: len(data) // 2])
    elif damage == "zeros":
        path.write_bytes(data[:60] + bytes(200) + data[260:])
    elif damage == "bad xml":
        rewritten(path, "xl/worksheets/sheet1.xml", lambda x: x[: len(x) // 2])
    else:
        rewritten(path, "xl/_rels/workbook.xml.rels", lambda x: x.replace(b"worksheets/sheet1", b"worksheets/sheet9"))
    assert refusal(path).code in ("input.broken_workbook", "input.no_rows", "input.no_header")


def test_hostile_workbooks_read_or_refuse(shared: Path) -> None:
    outcomes: dict[str, str] = {}
    for path in sorted((shared / "data" / "hostile").glob("*.xls[xm]")):
        try:
            read_sources([path], Settings())
            outcomes[path.name] = "read"
        except InputError as e:
            for language in ("zh-CN", "en"):
                words(language)(e.code, **e.params)
            outcomes[path.name] = e.code.removeprefix("input.")
    assert len(outcomes) > 90
    assert outcomes["excelize__encryptAES.xlsx"] == outcomes["oletools__encrypted.xlsx"] == "encrypted"
    assert outcomes["openpyxl_mirror__null_file.xlsx"] == "empty_file"
    assert outcomes["poi__xlsx-corrupted.xlsx"] == "broken_workbook"
    assert outcomes["poi__sample.strict.xlsx"] == "wrong_columns", (
        "strict files are read; this one holds something else"
    )
    assert outcomes["xlsxwriter__table01.xlsx"] == "wrong_columns"


def attempt(path: Path) -> Intake | InputError:
    """What reading gives."""
    try:
        return read_sources([path], Settings(refuse_share=1))
    except InputError as e:
        words("en")(e.code, **e.params)
        return e


@settings(max_examples=300, deadline=None)
@given(
    head=st.sampled_from([b"", b"id,stage,entered\n", b"id;T1;T2\r\n", b"PK\x03\x04", OLE]),
    tail=st.binary(max_size=400),
)
def test_any_bytes_read_or_refuse(tmp_path_factory: pytest.TempPathFactory, head: bytes, tail: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any.csv"
    path.write_bytes(head + tail)
    assert isinstance(attempt(path), Intake | InputError)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.lists(st.text(max_size=12), max_size=8), max_size=8), st.sampled_from(["utf-8", "gb18030", "utf-8-sig"])
)
def test_any_cells_read_or_refuse(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]], encoding: str
) -> None:
    header = ["id", "owner", "stage", "entered", "left", "went to", "amount"]
    text = "\n".join(",".join(cell.replace('"', '""') for cell in row) for row in [header, *rows])
    path = tmp_path_factory.getbasetemp() / "cells.csv"
    path.write_bytes(text.encode(encoding, errors="replace"))
    assert isinstance(attempt(path), Intake | InputError)


@settings(max_examples=100, deadline=None)
@given(at=st.integers(0, 5000), piece=st.binary(min_size=1, max_size=8))
def test_a_workbook_with_a_few_bytes_wrong_reads_or_refuses(
    tmp_path_factory: pytest.TempPathFactory, at: int, piece: bytes
) -> None:
    folder = tmp_path_factory.getbasetemp()
    whole = folder / "whole.xlsx"
    if not whole.exists():
        workbook(whole, {"A": ROWS})
    data = whole.read_bytes()
    at %= len(data)
    path = folder / "wrong.xlsx"
    path.write_bytes(data[:at] + piece + data[at + len(piece) :])
    assert isinstance(attempt(path), Intake | InputError)
