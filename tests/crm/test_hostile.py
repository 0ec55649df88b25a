"""Files made to harm: read or refused in one sentence, within bounded memory and processor time, in a child process."""

import json
import struct
import subprocess
import sys
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from crm_files import csv_bytes

pytest.importorskip("resource", reason="limits of processes are set as on Unix")

MAX_MEGABYTES = 1024
MAX_SECONDS = 10
"""Of the processor, for one file: not of the clock, which depends on who else is at work."""

CHILD = """
import json, resource, sys
from pathlib import Path
from xlfunnel.crm import read_sources
from xlfunnel.errors import InputError
from xlfunnel.settings import Settings
from xlfunnel.strings import words

def used():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime

for path in map(Path, sys.argv[2:]):
    before = used()
    soft = int(before) + int(sys.argv[1]) + 2
    resource.setrlimit(resource.RLIMIT_CPU, (soft, -1))
    try:
        intake = read_sources([path], Settings())
        outcome = "read" if len(intake.visits) or intake.reserves is not None else "nothing"
    except InputError as e:
        outcome = e.code
        assert all(words(language)(e.code, **e.params) for language in ("zh-CN", "en"))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(json.dumps([path.name, outcome, used() - before, peak]), flush=True)
"""


def outcomes(paths: list[Path]) -> dict[str, str]:
    """File -> "read" or the code of its refusal; fails for a crash, a hang, or too much memory."""
    command = [sys.executable, "-c", CHILD, str(MAX_SECONDS), *map(str, paths)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0, (rows[-1:], done.stderr[-2000:])
    assert len(rows) == len(paths)
    assert [r for r in rows if r[2] > MAX_SECONDS or r[3] > MAX_MEGABYTES] == []
    return {name: outcome for name, outcome, _, _ in rows}


NAMESPACE = "http://schemas.openxmlformats.org/"
KIND = "application/vnd.openxmlformats-officedocument.spreadsheetml"
PARTS = {
    "[Content_Types].xml": f'<Types xmlns="{NAMESPACE}package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    f'<Override PartName="/xl/workbook.xml" ContentType="{KIND}.sheet.main+xml"/>'
    f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{KIND}.worksheet+xml"/></Types>',
    "_rels/.rels": f'<Relationships xmlns="{NAMESPACE}package/2006/relationships"><Relationship Id="r" Target='
    f'"xl/workbook.xml" Type="{NAMESPACE}officeDocument/2006/relationships/officeDocument"/></Relationships>',
    "xl/workbook.xml": f'<workbook xmlns="{NAMESPACE}spreadsheetml/2006/main" xmlns:r="{NAMESPACE}officeDocument/2006/'
    'relationships"><sheets><sheet name="S" sheetId="1" r:id="r"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{NAMESPACE}package/2006/relationships"><Relationship Id="r" '
    f'Target="worksheets/sheet1.xml" Type="{NAMESPACE}officeDocument/2006/relationships/worksheet"/></Relationships>',
}
SHEET = "xl/worksheets/sheet1.xml"
LAUGHS = '<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;">]>'


def cells(row: int, *values: str) -> str:
    return f'<row r="{row}">' + "".join(
        f'<c r="{chr(65 + i)}{row}" t="inlineStr"><is><t xml:space="preserve">{v}</t></is></c>'
        for i, v in enumerate(values)
    ) + "</row>"  # fmt: skip


DATA = cells(1, "id", "stage", "entered") + cells(2, "X", "T1", "2025-01-01")


def book(path: Path, rows: Iterator[str] | None = None, after: str = "", **changed: str) -> Path:
    """A workbook of one row of history, `rows` after it, XML `after` the rows, and parts with text put before them."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as package:
        for name, text in PARTS.items():
            package.writestr(name, changed.get(name.rpartition("/")[2].partition(".")[0], "") + text)
        with package.open(SHEET, "w", force_zip64=True) as part:
            before = changed.get("sheet1", "")
            part.write(f'{before}<worksheet xmlns="{NAMESPACE}spreadsheetml/2006/main"><sheetData>{DATA}'.encode())
            for text in rows or ():
                part.write(text.encode())
            part.write(f"</sheetData>{after}</worksheet>".encode())
    return path


def column(number: int) -> str:
    letters = ""
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def blank_rows(last: int) -> Iterator[str]:
    for start in range(3, last, 10_000):
        yield "".join(
            f'<row r="{r}"><c r="A{r}" s="1"/><c r="B{r}" s="1"/><c r="C{r}" s="1"/></row>'
            for r in range(start, min(start + 10_000, last))
        )


def test_workbooks_made_to_harm(tmp_path: Path) -> None:
    names = [column(i) for i in range(1, 16_385)]
    merges = "".join(f'<mergeCell ref="E{i}:F{i}"/>' for i in range(3, 50_003))
    spaces = (" " * (1 << 20) for _ in range(300))
    all_columns = (
        f'<row r="{r}">' + "".join(f'<c r="{n}{r}"><v>1</v></c>' for n in names) + "</row>" for r in range(3, 33)
    )
    expected = {
        book(tmp_path / "bomb.xlsx", spaces): "input.too_large",
        book(tmp_path / "laughs_in_the_sheet.xlsx", sheet1=LAUGHS): "input.unsafe_xml",
        book(tmp_path / "laughs_in_the_book.xlsx", workbook=LAUGHS): "input.unsafe_xml",
        book(tmp_path / "outside.xlsx", workbook='<!DOCTYPE x SYSTEM "file:///etc/passwd">'): "input.unsafe_xml",
        book(tmp_path / "formatted_blanks.xlsx", blank_rows(1_048_577)): "read",
        book(tmp_path / "all_columns.xlsx", all_columns): "input.too_many_refused",
        book(tmp_path / "merges.xlsx", after=f"<mergeCells>{merges}</mergeCells>"): "read",
        book(tmp_path / "merged_all.xlsx", after='<mergeCells><mergeCell ref="D1:XFD1048576"/></mergeCells>'): "read",
        book(tmp_path / "note.xlsx", iter([cells(3, "Y", "T1", "2025-01-02", "x" * 40_000)])): "read",
        book(tmp_path / "controls.xlsx", iter([cells(3, "Y_x0001_&#x9;", "T1", "2025-01-02")])): "read",
        with_names(tmp_path / "names.xlsx", ["../../x", "/etc/passwd", "CON", "..\\..\\x", "a\nb"]): "read",
        with_names(tmp_path / "many.xlsx", [f"xl/media/{i}" for i in range(21_000)]): "input.too_large",
        lying(book(tmp_path / "lying.xlsx", iter([" " * (80 << 20)]))): "input.broken_workbook",
        wide(tmp_path / "utf16.xlsx", "D2"): "read",
        wide(tmp_path / "utf16_far.xlsx", "XFD1048576"): "input.too_large",
        zipped(tmp_path / "bomb.zip", b"A,T1,2025-01-01\n" * 6_000_000): "input.too_large",
        zipped(tmp_path / "up.zip", csv_bytes([["id", "stage", "entered"], ["A", "T1", "2025-01-01"]])): "read",
    }
    assert outcomes(list(expected)) == {path.name: outcome for path, outcome in expected.items()}


def with_names(path: Path, names: list[str]) -> Path:
    book(path)
    with zipfile.ZipFile(path, "a") as package:
        for name in names:
            package.writestr(name, "x")
    return path


def wide(path: Path, cell: str) -> Path:
    """A workbook whose sheet is UTF-16, with one more cell."""
    number = cell.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    book(path, iter([f'<row r="{number}"><c r="{cell}"><v>1</v></c></row>']))
    with zipfile.ZipFile(path) as old:
        parts = {i.filename: old.read(i) for i in old.infolist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name, content in parts.items():
            text = '<?xml version="1.0" encoding="UTF-16"?>' + content.decode()
            new.writestr(name, text.encode("utf-16") if name == SHEET else content)
    return path


def lying(path: Path) -> Path:
    """The sheet is declared to be far smaller than what it unpacks to."""
    data = bytearray(path.read_bytes())
    at = data.rfind(SHEET.encode()) - 46
    assert data[at : at + 4] == b"PK\1\2"
    struct.pack_into("<I", data, at + 24, 2000)
    path.write_bytes(data)
    return path


def zipped(path: Path, content: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("../../x.csv", content)
    return path


def test_texts_made_to_harm(tmp_path: Path) -> None:
    head = b"id,stage,entered\nA,T1,2025-01-01\n"
    stages = b"".join(b"%d,s%d,2025-01-01\n" % (i, i) for i in range(99_999))
    half_a_pair = (head.decode() + "B").encode("utf-16-le") + b"\x00\xd8,\0"
    contents = {
        "one_line.csv": (b"id,stage,entered" + b",x" * 5_000_000, "input.no_rows"),
        "open_quote.csv": (b'id,stage,entered\nA,"T1\n' + b"B,T1,2025-01-01\n" * 500_000, "input.broken_text"),
        "blank_rows.csv": (head + b",,,,\n" * 2_000_000, "read"),
        "blank_lines.csv": (head + b"\n" * 10_000_000, "read"),
        "long_cell.csv": (head + b'B,T1,2025-01-01,"' + b"n" * 40_000 + b'"\n', "read"),
        "longer_cell.csv": (head + b'B,T1,2025-01-01,"' + b"n" * 140_000 + b'"\n', "input.broken_text"),
        "surrogate.csv": (head + b"\xed\xa0\x80B,T1,2025-01-01\n", "read"),
        "half_a_pair.csv": (b"\xff\xfe" + half_a_pair, "input.undecodable"),
        "all_stages.csv": (head + stages, "input.too_many_refused"),
        "CON": (head, "read"),
        "names.csv": (head.replace(b"A", b"../../x"), "read"),
    }
    for name, (content, _) in contents.items():
        (tmp_path / name).write_bytes(content)
    assert outcomes([tmp_path / n for n in contents]) == {n: outcome for n, (_, outcome) in contents.items()}


def test_every_hostile_workbook_of_other_projects(shared: Path) -> None:
    found = outcomes(sorted((shared / "data" / "hostile").glob("*.xls[xm]")))
    assert len(found) > 90
    assert "nothing" not in found.values()
    assert found["phpspreadsheet__utf16be.xlsx"] == "input.wrong_columns", "it is read, and holds something else"
    assert found["poi__poc-xmlbomb.xlsx"] == found["poi__54764.xlsx"] == "input.unsafe_xml"
    counts = Counter(found.values())
    assert counts["input.encrypted"] == 6
    assert counts["input.broken_workbook"] <= 9
