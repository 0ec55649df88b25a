"""What the commands do, seen from outside: files, output, and the published numbers."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from xlfunnel.excel import inputs
from xlfunnel.excel.file_sink import FileSink
from xlfunnel.excel.inputs import table_frame

ROOT = Path(__file__).resolve().parents[1]
HAN = re.compile("[\u4e00-\u9fff]")


def listing(folder: Path) -> list[str]:
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


def test_demo_prints_the_published_equations_and_writes_the_published_numbers(
    xlfunnel: Callable[..., Any], shared: Path
) -> None:
    golden = json.loads((shared / "golden/lx.json").read_text("utf-8"))
    run = xlfunnel("demo", "--json", "d.json")
    assert run.code == 0
    assert f"T0→T2: {golden['fits']['T0-T2']['published']}, R²=0.565" in run.out
    assert f"T0→T3: {golden['fits']['T0-T3']['published']}, R²=0.655" in run.out
    assert "xlfunnel-demo.xlsx" in run.out
    assert Path("xlfunnel-demo.xlsx").is_file()
    found = json.loads(Path("d.json").read_text("utf-8"))
    assert found["as_of"] == "2025-06-30"
    trends = {t["span"]: t for t in found["trends"] if t["owner"] is None and t["measure"] == "count"}
    for span, fit in golden["fits"].items():
        assert trends[span]["slope"] == pytest.approx(fit["slope"], rel=1e-12)
        assert trends[span]["intercept"] == pytest.approx(fit["intercept"], rel=1e-12)
        assert round(trends[span]["r_squared"], 3) == fit["r_squared"]
    for span, counts in golden["reserve_count"].items():
        assert trends[span]["months"] == [f"2025-{m:02d}" for m in golden["months"]]
        assert trends[span]["values"] == counts
    below = {f["owner"] for f in found["flags"] if f["code"] == "below_mean"}
    assert len(below) == 3
    t3 = sum(r["count"] for r in found["reserves"] if _is(r, "2025-06", "T3"))
    assert t3 / 6 < 5
    per_head = [f for f in found["flags"] if f["code"] == "below_floor_T3" and f["owner"] is None]
    assert [f["value"] for f in per_head] == [pytest.approx(t3 / 6)]


def _is(reserve: dict[str, object], month: str, stage: str) -> bool:
    return (reserve["month"], reserve["owner"], reserve["stage"]) == (month, None, stage)


def test_json_to_standard_output_stands_alone_there(xlfunnel: Callable[..., Any], export: Path) -> None:
    run = xlfunnel("report", export, "-o", "out.xlsx", "--json", "-")
    assert run.code == 0
    assert json.loads(run.out)["as_of"] == "2024-05-30"
    assert "out.xlsx" in run.err


def test_report_keeps_what_was_there(xlfunnel: Callable[..., Any], tmp_path: Path, export: Path) -> None:
    (tmp_path / "out.xlsx").write_bytes(b"something of mine")
    run = xlfunnel("report", export, "-o", "out.xlsx")
    assert run.code == 0
    assert (tmp_path / "out.xlsx.bak").read_bytes() == b"something of mine"
    assert "out.xlsx.bak" in run.out
    assert sorted(listing(tmp_path)) == ["export.csv", "out.xlsx", "out.xlsx.bak"]


def test_as_of_and_region_are_used(xlfunnel: Callable[..., Any], tmp_path: Path, export: Path) -> None:
    (tmp_path / "e.csv").write_text(export.read_text("utf-8").replace(",North", "").replace("Region,", ""), "utf-8")
    run = xlfunnel("report", "e.csv", "-o", "o.xlsx", "--json", "o.json", "--region", "North", "--as-of", "2024-03-31")
    assert run.code == 0
    found = json.loads((tmp_path / "o.json").read_text("utf-8"))
    assert found["as_of"] == "2024-03-31"
    assert {r["region"] for r in found["reserves"]} == {"North"}
    march = {r["stage"]: r["count"] for r in found["reserves"] if r["month"] == "2024-03" and r["owner"] is None}
    assert march == {"T0": 1, "T1": 1, "T3": 1}


def test_refresh_gives_the_numbers_of_the_report_it_came_from(
    xlfunnel: Callable[..., Any], tmp_path: Path, export: Path
) -> None:
    assert xlfunnel("report", export, "-o", "out.xlsx", "--json", "a.json").code == 0
    made = (tmp_path / "out.xlsx").read_bytes()
    run = xlfunnel("refresh", "out.xlsx", "-o", "new.xlsx", "--json", "b.json")
    assert run.code == 0
    assert (tmp_path / "out.xlsx").read_bytes() == made
    a, b = (json.loads((tmp_path / n).read_text("utf-8")) for n in ("a.json", "b.json"))
    assert {k: a[k] for k in a if k != "issues"} == {k: b[k] for k in b if k != "issues"}


def test_refresh_in_place_keeps_a_backup_and_then_changes_nothing(
    xlfunnel: Callable[..., Any], tmp_path: Path, export: Path
) -> None:
    book = tmp_path / "out.xlsx"
    export.write_text(export.read_text("utf-8") + ",North,Ann,T0,2024-01-01,,5\n", "utf-8")
    assert xlfunnel("report", export, "-o", book).code == 0
    sink = FileSink(book, book)
    sink.cell("cfg_floor_t3", 1)  # as the user would, on the Settings sheet
    sink.finish()
    edited = book.read_bytes()
    run = xlfunnel("refresh", book)
    assert run.code == 0
    assert "out.xlsx.bak" in run.out
    assert (tmp_path / "out.xlsx.bak").read_bytes() == edited
    refreshed = book.read_bytes()
    assert refreshed != edited
    again = xlfunnel("refresh", book)
    assert again.code == 0
    assert ".bak" not in again.out
    assert book.read_bytes() == refreshed


def test_refresh_keeps_what_the_import_found_and_finds_its_own_once(
    xlfunnel: Callable[..., Any], tmp_path: Path, export: Path
) -> None:
    """Row 9 of the export has no id; then the user spoils the date in the first row of the Data sheet."""
    export.write_text(export.read_text("utf-8") + ",North,Ann,T0,2024-01-01,,5\n", "utf-8")
    assert xlfunnel("report", export, "-o", "out.xlsx").code == 0
    frame = table_frame(tmp_path / "out.xlsx", "tbl_data")
    frame.loc[0, "Entered"] = "soon"
    sink = FileSink(tmp_path / "out.xlsx", tmp_path / "out.xlsx")
    sink.table("tbl_data", frame, None)
    sink.finish()
    for _ in range(2):
        assert xlfunnel("refresh", "out.xlsx").code == 0
        listed = table_frame(tmp_path / "out.xlsx", "tbl_issues")
        assert list(listed["Source"]) == ["export.csv", "Data"]
        assert list(listed["Value found"]) == [None, "soon"]


def test_refresh_speaks_the_language_of_the_workbook(
    xlfunnel: Callable[..., Any], tmp_path: Path, demo_book: Path
) -> None:
    shutil.copyfile(demo_book, tmp_path / "b.xlsx")
    assert HAN.search(xlfunnel("refresh", "b.xlsx", "-o", "c.xlsx").out.splitlines()[0])


def test_check_shows_causes_and_rows_and_writes_nothing(
    xlfunnel: Callable[..., Any], tmp_path: Path, export: Path
) -> None:
    export.write_text(
        export.read_text("utf-8") + "P-006,North,Ann,T0,31/31/2024,,5\n" + ",North,Ann,T0,2024-01-01,,5\n", "utf-8"
    )
    before = listing(tmp_path)
    run = xlfunnel("check", export, "--settings", _tolerant(tmp_path))
    assert (run.code, run.err) == (0, "")
    assert "31/31/2024" in run.out
    assert re.search(r"\b9\b", run.out)
    assert re.search(r"\b10\b", run.out)
    (tmp_path / "tolerant.toml").unlink()
    assert listing(tmp_path) == before


@pytest.mark.parametrize(("language", "word"), [("en", "Unknown"), ("zh-CN", "未知")])
def test_where_an_opportunity_that_is_gone_went_to_is_said_in_words(
    xlfunnel: Callable[..., Any], tmp_path: Path, language: str, word: str
) -> None:
    (tmp_path / "gone.csv").write_text("id,stage,entered,left\nA,Lead,2025-01-13,2025-02-14\n", "utf-8")
    run = xlfunnel("check", "gone.csv", "--lang", language)
    assert (run.code, word in run.out, "gone " in run.out) == (0, True, False)


def _tolerant(folder: Path) -> Path:
    path = folder / "tolerant.toml"
    path.write_text("refuse_share = 0.5\n", "utf-8")
    return path


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_template_is_the_committed_one(xlfunnel: Callable[..., Any], tmp_path: Path, language: str) -> None:
    assert xlfunnel("template", "-o", "t.xlsx", "--lang", language).code == 0
    assert (tmp_path / "t.xlsx").read_bytes() == (ROOT / "workbook" / f"xlfunnel.{language}.xlsx").read_bytes()


def test_a_template_of_ones_own_brings_its_language(xlfunnel: Callable[..., Any], tmp_path: Path, export: Path) -> None:
    assert xlfunnel("template", "-o", "own.xlsx", "--lang", "zh-CN").code == 0
    run = xlfunnel("report", export, "-o", "out.xlsx", "--template", "own.xlsx")
    assert run.code == 0
    assert HAN.search(run.out.splitlines()[0])
    refused = xlfunnel("report", export, "-o", "no.xlsx", "--template", "own.xlsx", "--lang", "en")
    assert refused.code == 3
    assert "--lang zh-CN" in refused.err
    assert listing(tmp_path) == ["export.csv", "out.xlsx", "own.xlsx"]


INJECTIONS = ("=1+marker()", "+marker", "-marker", "@marker", "=HYPERLINK(marker)", "\tmarker=1")


def test_text_is_never_written_as_a_formula(xlfunnel: Callable[..., Any], tmp_path: Path, export: Path) -> None:
    rows = [export.read_text("utf-8").splitlines()[0]]
    for i, evil in enumerate(INJECTIONS):
        quoted = '"' + evil.replace('"', '""') + '"'
        rows += [f"P{i},{quoted},{quoted},T{i % 5},2024-0{i % 5 + 1}-10,,1", f"{quoted},N,{quoted},T3,2024-01-10,,1"]
    (tmp_path / "e.csv").write_text("\n".join(rows), "utf-8")
    assert xlfunnel("report", "e.csv", "-o", "o.xlsx").code == 0
    assert xlfunnel("refresh", "o.xlsx").code == 0
    book = openpyxl.load_workbook(tmp_path / "o.xlsx")
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    marked = [c for c in cells if "marker" in str(c.value)]
    assert {str(c.value).strip() for c in marked} >= {i.strip() for i in INJECTIONS}
    assert {c.data_type for c in marked} == {"s"}


def test_the_module_runs_as_a_program(tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "xlfunnel", "report", "nothing.csv", "-o", "x.xlsx", "--lang", "zh-CN"],
        cwd=tmp_path, capture_output=True, timeout=120, check=False,
    )  # fmt: skip
    assert run.returncode == 3
    assert HAN.search(run.stderr.decode())


def test_a_workbook_of_ours_as_source_brings_its_settings(xlfunnel: Callable[..., Any], export: Path) -> None:
    Path("own.toml").write_text('language = "zh-CN"\nfloor_t3 = 7\n', "utf-8")
    assert xlfunnel("report", export, "--settings", "own.toml", "-o", "old.xlsx").code == 0
    assert xlfunnel("report", "old.xlsx", "-o", "new.xlsx").code == 0
    assert inputs.read_settings(Path("new.xlsx")) == inputs.read_settings(Path("old.xlsx"))
    assert inputs.read_settings(Path("new.xlsx")).floor_t3 == 7
