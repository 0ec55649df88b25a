"""Small valid files with bytes changed: they read, or are refused in one sentence; bounded, so that it ends."""

import io
import random
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import xlsxwriter
from crm_files import csv_bytes
from hypothesis import given, settings
from hypothesis import strategies as st
from odd_books import ods, xlsb

from xlfunnel.crm import Intake, read_sources
from xlfunnel.errors import InputError
from xlfunnel.settings import Settings
from xlfunnel.strings import words

ROWS: list[list[object]] = [
    ["商机编号", "owner", "stage", "entered", "left", "went to", "amount"],
    ["A", "张伟", "T1", "2025-01-01", "2025-02-01", "T2", 1000.5],
    ["A", "张伟", "T2", "2025年2月1日", "", "", "12.5万"],
    ["B", "Ann", "T0", "1/31/2025", "", "", ""],
]


def xlsx(path: Path, rows: list[list[object]]) -> Path:
    book = xlsxwriter.Workbook(path)
    sheet = book.add_worksheet("Data")
    for i, row in enumerate(rows):
        sheet.write_row(i, 0, row)
    book.close()
    return path


def attempt(path: Path) -> Intake | InputError:
    """What reading gives: never another exception, never nothing."""
    try:
        intake = read_sources([path], Settings(refuse_share=1))
    except InputError as e:
        for language in ("zh-CN", "en"):
            words(language)(e.code, **e.params)  # a KeyError if there is no sentence
        return e
    assert len(intake.visits) or intake.reserves is not None
    assert all(s.rows_read == s.rows_used + s.rows_refused for s in intake.sources)
    return intake


EDITS = st.lists(
    st.tuples(st.floats(0, 1), st.sampled_from(["set", "cut", "insert", "repeat"]), st.binary(min_size=1, max_size=6)),
    min_size=1,
    max_size=4,
)


def edited(data: bytes, edits: list[tuple[float, str, bytes]]) -> bytes:
    for where, kind, piece in edits:
        at = int(where * len(data))
        if kind == "set":
            data = data[:at] + piece + data[at + len(piece) :]
        elif kind == "cut":
            data = data[:at] + data[at + len(piece) * 7 :]
        elif kind == "insert":
            data = data[:at] + piece + data[at:]
        else:
            data = data[:at] + data[at : at + 9] * 40 + data[at:]
    return data


@settings(max_examples=250, deadline=None)
@given(
    edits=EDITS,
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-16-be"]),
    delimiter=st.sampled_from([",", ";", "\t", "|"]),
)
def test_texts(
    tmp_path_factory: pytest.TempPathFactory, edits: list[tuple[float, str, bytes]], encoding: str, delimiter: str
) -> None:
    path = tmp_path_factory.getbasetemp() / "fuzz.csv"
    path.write_bytes(edited(csv_bytes(ROWS, encoding, delimiter), edits))
    attempt(path)


@pytest.mark.parametrize("write", [xlsx, ods, xlsb])
@settings(max_examples=120, deadline=None)
@given(edits=EDITS, number=st.integers(0, 20), is_packed=st.booleans())
def test_workbooks(
    tmp_path_factory: pytest.TempPathFactory,
    write: Callable[..., Path],
    edits: list[tuple[float, str, bytes]],
    number: int,
    is_packed: bool,
) -> None:
    """Bytes of the package as they are, and bytes of one part, packed again so that its checksum is right."""
    folder = tmp_path_factory.getbasetemp()
    whole = folder / f"whole.{write.__name__}"
    if not whole.exists():
        write(whole, ROWS)
    path = folder / f"fuzz.{write.__name__}"
    path.write_bytes(edited(whole.read_bytes(), edits) if is_packed else repacked(whole, number, edits))
    attempt(path)


@pytest.mark.parametrize("write", [xlsx, ods, xlsb])
@settings(max_examples=100, deadline=None)
@given(
    damage=st.sampled_from(["cut", "swap", "drop", "twice"]),
    where=st.floats(0, 1),
    numbers=st.tuples(*[st.integers(0, 20)] * 2),
)
def test_packages_taken_apart(
    tmp_path_factory: pytest.TempPathFactory,
    write: Callable[..., Path],
    damage: str,
    where: float,
    numbers: tuple[int, int],
) -> None:
    """A package that ends too early, in which two parts have changed places, one is missing, or one is there twice."""
    folder = tmp_path_factory.getbasetemp()
    whole = folder / f"apart.{write.__name__}"
    if not whole.exists():
        write(whole, ROWS)
    path = folder / f"fuzz_apart.{write.__name__}"
    data = whole.read_bytes()
    if damage == "cut":
        path.write_bytes(data[: int(where * len(data))])
    else:
        path.write_bytes(rearranged(whole, damage, *numbers))
    attempt(path)


def rearranged(whole: Path, damage: str, one: int, other: int) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(whole) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        parts = {name: old.read(name) for name in old.namelist()}
        a, b = (list(parts)[n % len(parts)] for n in (one, other))
        if damage == "swap":
            parts[a], parts[b] = parts[b], parts[a]
        if damage == "drop":
            del parts[a]
        for name, content in parts.items():
            new.writestr(name, content)
        if damage == "twice":
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                new.writestr(a, parts[b])
    return out.getvalue()


def repacked(whole: Path, number: int, edits: list[tuple[float, str, bytes]]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(whole) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        parts = old.infolist()
        for i, info in enumerate(parts):
            data = old.read(info)
            new.writestr(info.filename, edited(data, edits) if i == number % len(parts) else data)
    return out.getvalue()


def test_cells_that_are_swapped_and_garbled(tmp_path: Path) -> None:
    draw = random.Random(5)
    pool = [
        "",
        " ",
        "=1+1",
        "\x01",
        "2025-02-30",
        "9" * 400,
        "-1",
        "T9",
        "合计",
        "1e308",
        "\ud800",
        "NaN",
        "∞",
        "²",
        "'",
    ]
    for _ in range(60):
        rows = [[draw.choice([cell, cell, draw.choice(pool)]) for cell in row] for row in ROWS]
        text = "\n".join(",".join(str(c) for c in row) for row in rows)
        (tmp_path / "a.csv").write_bytes(text.encode("utf-8", "surrogatepass"))
        attempt(tmp_path / "a.csv")
