"""The finished demo workbook, read by others: golden text, LibreOffice's own arithmetic, charts, a user's changes."""

import os
import re
import subprocess
import zipfile
from pathlib import Path

import openpyxl
import pytest
from hosts import office
from python_calamine import CalamineWorkbook

from xlfunnel import app, results
from xlfunnel.analysis import FunnelAnalysis
from xlfunnel.excel.recording_sink import RecordingSink
from xlfunnel.pages import build_report
from xlfunnel.report import Report, fill
from xlfunnel.settings import LANGUAGES
from xlfunnel.strings import words

GOLDEN = Path(__file__).parent / "golden"
Demo = tuple[str, Path, FunnelAnalysis]


@pytest.fixture(scope="module", params=LANGUAGES)
def demo(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Demo:
    path = tmp_path_factory.mktemp("demo") / "demo.xlsx"
    return request.param, path, app.demo(path, request.param)


@pytest.fixture(scope="module")
def recalculated(demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> Path:
    office.require()
    return office.convert(demo[1], "xlsx", tmp_path_factory.mktemp("office"))


def test_pages_read_as_they_did(demo: Demo) -> None:
    """What a person reads, in both languages. Rewrite with XLFUNNEL_WRITE_GOLDEN=1 after reading the difference."""
    language, _, analysis = demo
    whole = build_report(analysis, with_data=True)
    report = Report({k: v for k, v in whole.tables.items() if k != "tbl_data"}, whole.cells, whole.keys)
    sink = RecordingSink()
    fill(report, sink)
    golden = GOLDEN / f"report.{language}.txt"
    if os.environ.get("XLFUNNEL_WRITE_GOLDEN"):
        golden.write_text(sink.text(), "utf-8", newline="\n")
    assert sink.text() == golden.read_text("utf-8")


def test_the_reps_below_the_mean_are_the_published_ones(demo: Demo) -> None:
    flags = results.to_json(demo[2])["flags"]
    assert sorted(f["owner"] for f in flags if f["code"] == "below_mean") == ["B", "D", "E"]
    (region,) = [f for f in flags if f["code"] == "below_floor_T3" and f["owner"] is None]
    assert region["value"] == pytest.approx(7 / 6)
    assert region["value"] < region["limit"] == 5


@pytest.mark.office
def test_office_calculates_every_formula_and_every_check_is_true(demo: Demo, recalculated: Path) -> None:
    language, _, analysis = demo
    book = openpyxl.load_workbook(recalculated, data_only=True)
    formulas, shown = (openpyxl.load_workbook(demo[1], data_only=cached) for cached in (False, True))
    count = 0
    for sheet in formulas.worksheets:
        for row in sheet.iter_rows():
            for cell in row:
                if cell.data_type == "f":
                    value = book[sheet.title][cell.coordinate].value
                    is_blank = shown[sheet.title][cell.coordinate].value in (None, "")
                    assert (value in (None, "")) == is_blank, (sheet.title, cell.coordinate)
                    assert not str(value).startswith("#"), (sheet.title, cell.coordinate, value)
                    count += not is_blank
    assert count > 20
    sheet = book[words(language)("sheets.trend")]
    table = formulas[words(language)("sheets.trend")].tables["tbl_fits"]
    header, *rows = sheet[table.ref]
    at = {cell.value: i for i, cell in enumerate(header)}
    for span, row in zip(("T0-T2", "T0-T3", "T3"), rows, strict=True):
        fit = analysis.trend(span).fit
        assert row[at[words(language)("tables.fits.check")]].value == "✓"
        native = [row[at[f"Excel {f}"]].value for f in ("SLOPE", "INTERCEPT", "RSQ")]
        assert native == pytest.approx([fit.slope, fit.intercept, fit.r_squared], rel=1e-12)


@pytest.mark.office
def test_office_draws_the_equations_of_the_published_lines(demo: Demo, tmp_path: Path) -> None:
    office.require()
    pdf = office.convert(demo[1], "pdf", tmp_path)
    drawn = subprocess.run(
        ["pdftotext", "-l", "2", str(pdf), "-"], capture_output=True, text=True, check=True
    ).stdout.replace(" ", "").replace("−", "-")  # fmt: skip
    for number in ("-15.342857142", "147.533333333", "-21.971428571", "189.733333333"):
        assert drawn.count(number) == 2, number  # once on Home, once on Trend
    for square in ("0.56503", "0.65504"):
        assert drawn.count(square) >= 2, square


def test_charts_of_the_spans_switch_equation_and_r_squared_on(demo: Demo) -> None:
    with zipfile.ZipFile(demo[1]) as z:
        charts = [z.read(n).decode() for n in z.namelist() if re.fullmatch(r"xl/charts/chart\d+\.xml", n)]
    lined = [c for c in charts if "<c:trendline>" in c]
    assert len(lined) == 5  # two on Home, three on Trend
    for chart in lined:
        assert '<c:trendlineType val="linear"/>' in chart
        assert '<c:dispRSqr val="1"/>' in chart
        assert '<c:dispEq val="1"/>' in chart
    for values in ((162, 113, 76, 59, 68, 85), (203, 142, 92, 70, 78, 92)):
        cache = "".join(f'<c:pt idx="{i}"><c:v>{v}</c:v></c:pt>' for i, v in enumerate(values))
        assert sum(cache in chart for chart in lined) == 2, values


def test_whiskers_reach_as_far_as_the_intervals(demo: Demo) -> None:
    """The lengths that the charts remember of their whiskers are those of the tables."""
    with zipfile.ZipFile(demo[1]) as z:
        charts = [z.read(n).decode() for n in z.namelist() if re.fullmatch(r"xl/charts/chart\d+\.xml", n)]
    whiskered = [c for c in charts if "<c:errBars>" in c]
    # One a colour of bar on Funnel shape and on Conversion; on Regions two colours of one win rate.
    assert [c.count("<c:errBars>") for c in whiskered] == [3, 3, 1, 1, 2]
    tables = build_report(demo[2], with_data=False).tables
    names = ("tbl_shape_bars", "tbl_conversion_bars", "tbl_flow_bars", "tbl_cycle", "tbl_region_bars")
    for chart, name in zip(whiskered, names, strict=True):
        for side, key in (("plus", "above"), ("minus", "below")):
            lengths = tables[name][words(demo[0])(f"tables.{name.removeprefix('tbl_')}.{key}")].dropna()
            found = re.search(rf"<c:{side}>.*?</c:{side}>", chart, re.S)
            assert found
            shown = [float(v) for v in re.findall(r"<c:v>([^<]+)</c:v>", found[0])]
            assert shown == pytest.approx(lengths.tolist()), (name, side)


def test_two_other_readers_see_the_same_values(demo: Demo) -> None:
    by_openpyxl = openpyxl.load_workbook(demo[1], data_only=True)
    by_calamine = CalamineWorkbook.from_path(str(demo[1]))
    for sheet in by_openpyxl.worksheets:
        rows = by_calamine.get_sheet_by_name(sheet.title).to_python(skip_empty_area=False)
        for r, row in enumerate(sheet.iter_rows(values_only=True)):
            for c, value in enumerate(row):
                other = rows[r][c] if r < len(rows) and c < len(rows[r]) else ""
                if isinstance(value, int | float) and not isinstance(value, bool):
                    assert other == pytest.approx(value), (sheet.title, r, c)
                elif value is None:
                    assert other == "", (sheet.title, r, c, other)
                elif isinstance(value, str):
                    assert other == value, (sheet.title, r, c)


def test_a_restyled_workbook_survives_a_refresh_untouched(tmp_path: Path) -> None:
    """Other colours, a logo, an own sheet with formulas: all of it stays; what follows the data follows."""
    path = tmp_path / "own.xlsx"
    app.demo(path, "zh-CN")
    own = _restyled(path)
    before = _parts(path)
    _set_trend_months(path, 9)
    app.refresh(path)
    after = _parts(path)
    assert all(after[part] == before[part] for part in own)
    changed = {p for p in after if after[p] != before[p]}
    assert "xl/styles.xml" not in changed
    assert not [p for p in changed if "drawing" in p or "theme" in p or "media" in p]
    book = openpyxl.load_workbook(path)
    assert book.sheetnames[-1] == "我的表"
    assert book["我的表"]["A1"].value == "=COUNTA(tbl_trend[x])"
    assert len(list(book["趋势"][book["趋势"].tables["tbl_trend"].ref])) == 1 + 9
    refreshed = path.read_bytes()
    app.refresh(path)
    assert path.read_bytes() == refreshed


@pytest.mark.office
def test_own_formulas_are_recalculated_after_a_refresh(tmp_path: Path) -> None:
    office.require()
    path = tmp_path / "own.xlsx"
    app.demo(path, "zh-CN")
    _restyled(path)
    _set_trend_months(path, 9)
    app.refresh(path)
    book = openpyxl.load_workbook(office.convert(path, "xlsx", tmp_path / "office"), data_only=True)
    assert book["我的表"]["A1"].value == 9


def _parts(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as z:
        return {n: z.read(n) for n in z.namelist()}


def _save(path: Path, parts: dict[str, bytes]) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as z:
        for name, data in parts.items():
            z.writestr(name, data)


def _set_trend_months(path: Path, months: int) -> None:
    """What a user does on the Settings sheet, done in the file."""
    parts = _parts(path)
    name = re.search(rb'name="cfg_trend_months">[^!]+!\$([A-Z]+)\$(\d+)<', parts["xl/workbook.xml"])
    assert name
    at = (name[1] + name[2]).decode()
    for part, data in parts.items():
        if re.fullmatch(r"xl/worksheets/sheet\d+\.xml", part) and b'codeName="sheet_settings"' in data:
            new, n = re.subn(rf'(<c r="{at}"[^>]*><v>)[^<]+(</v>)'.encode(), rb"\g<1>%d\g<2>" % months, data)
            assert n == 1
            parts[part] = new
    _save(path, parts)


def _restyled(path: Path) -> set[str]:
    """Give the workbook other colours, a logo on Home and a sheet of the user's own; the parts that are now theirs."""
    parts = _parts(path)
    parts["xl/styles.xml"] = parts["xl/styles.xml"].replace(b"FF0F5C6E", b"FF7A1F5C")
    sheet = "xl/worksheets/sheet99.xml"
    parts[sheet] = (
        b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
        b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData><row r="1">'
        b'<c r="A1"><f>COUNTA(tbl_trend[x])</f><v>6</v></c></row></sheetData></worksheet>'
    )
    book = parts["xl/workbook.xml"].decode()
    ids = [int(i) for i in re.findall(r'sheetId="(\d+)"', book)]
    new = f'<sheet name="我的表" sheetId="{max(ids) + 1}" r:id="rId999"/></sheets>'
    parts["xl/workbook.xml"] = book.replace("</sheets>", new).encode()
    parts["xl/_rels/workbook.xml.rels"] = parts["xl/_rels/workbook.xml.rels"].replace(
        b"</Relationships>",
        b'<Relationship Id="rId999" Target="worksheets/sheet99.xml" '
        b'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet"/></Relationships>',
    )
    kind = b"application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"
    parts["[Content_Types].xml"] = parts["[Content_Types].xml"].replace(
        b"</Types>",
        b'<Default Extension="png" ContentType="image/png"/>'
        b'<Override PartName="/xl/worksheets/sheet99.xml" ContentType="' + kind + b'"/></Types>',
    )
    parts["xl/media/image1.png"] = bytes.fromhex(
        "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c4944415408d763b8c3c30000024100c1"
        "1f5b1b0000000049454e44ae426082"
    )
    drawing = "xl/drawings/drawing1.xml"
    rels = "xl/drawings/_rels/drawing1.xml.rels"
    parts[rels] = parts[rels].replace(
        b"</Relationships>",
        b'<Relationship Id="rId999" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/image" '
        b'Target="../media/image1.png"/></Relationships>',
    )
    picture = (
        b"<xdr:oneCellAnchor><xdr:from><xdr:col>1</xdr:col><xdr:colOff>0</xdr:colOff><xdr:row>1</xdr:row>"
        b'<xdr:rowOff>0</xdr:rowOff></xdr:from><xdr:ext cx="200000" cy="200000"/><xdr:pic><xdr:nvPicPr>'
        b'<xdr:cNvPr id="999" name="logo"/><xdr:cNvPicPr/></xdr:nvPicPr><xdr:blipFill>'
        b'<a:blip xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships" r:embed="rId999"/>'
        b'<a:stretch><a:fillRect/></a:stretch></xdr:blipFill><xdr:spPr><a:prstGeom prst="rect"><a:avLst/>'
        b"</a:prstGeom></xdr:spPr></xdr:pic><xdr:clientData/></xdr:oneCellAnchor></xdr:wsDr>"
    )
    parts[drawing] = parts[drawing].replace(b"</xdr:wsDr>", picture)
    _save(path, parts)
    return {"xl/styles.xml", sheet, "xl/media/image1.png", drawing, rels}
