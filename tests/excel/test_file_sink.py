"""FileSink: tables take the height of their frames, everything around follows, everything else stays as it is."""

import re
import zipfile
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import xlsxwriter
from small_books import TREND, C, M, body, build, checker, months, parts, refill, repack, root

SHEET = "xl/worksheets/sheet1.xml"
TABLE = "xl/tables/table1.xml"
CHART = "xl/charts/chart1.xml"
BOOK = "xl/workbook.xml"
XM = "{http://schemas.microsoft.com/office/excel/2006/main}"


@pytest.fixture
def template(tmp_path: Path) -> Path:
    return build(tmp_path / "template.xlsx")


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out.xlsx"


def _cell(path: Path, ref: str, sheet: str = SHEET) -> Any:
    return next(c for c in root(path, sheet).iter(f"{M}c") if c.get("r") == ref)


def _row(path: Path, number: int, sheet: str = SHEET) -> Any:
    return next((r for r in root(path, sheet).iter(f"{M}row") if r.get("r") == str(number)), None)


def _names(path: Path) -> dict[str, str]:
    return {n.get("name"): n.text for n in root(path, BOOK).iter(f"{M}definedName")}


def test_a_table_grows_and_everything_over_it_follows(template: Path, out: Path, shared: Path) -> None:
    refill(template, out, {"tbl_month": months(3, 5, 8, 13, 21)})
    assert checker(shared).check(out) == []
    assert [row[:3] for row in body(out, "tbl_month")] == [
        [f"2025-0{i + 1}", 10.5 + i, t3] for i, t3 in enumerate([3, 5, 8, 13, 21])
    ]
    table = root(out, TABLE)
    assert (table.get("ref"), table.find(f"{M}autoFilter").get("ref")) == ("B11:F16", "B11:F16")
    sheet = root(out, SHEET)
    assert {c.get("sqref") for c in sheet.iter(f"{M}conditionalFormatting")} == {"C12:C16", "D12:D16", "B12:I13"}
    assert next(sheet.iter(f"{M}dataValidation")).get("sqref") == "E12:E16"
    assert [e.text for e in sheet.iter(f"{XM}sqref")] == ["C12:C16", "L1"]
    assert [e.text for e in sheet.iter(f"{XM}f")] == [f"'{TREND}'!C12:C16"]
    assert "=$D12>AVERAGE($D$12:$D$16)".lstrip("=") in [e.text for e in sheet.iter(f"{M}formula")]
    assert sheet.find(f"{M}dimension").get("ref").endswith("16")
    assert _names(out)["t3_body"] == f"'{TREND}'!$D$12:$D$16"
    assert _names(out)["_xlnm.Print_Area"] == f"'{TREND}'!$A$1:$I$23"  # seven rows below the table, as before
    assert _names(out)["_xlnm.Print_Titles"] == f"'{TREND}'!$11:$11"
    assert _cell(out, "K1").findtext(f"{M}f") == f"SUM('{TREND}'!$D$12:$D$16)"
    assert root(out, BOOK).find(f"{M}calcPr").get("fullCalcOnLoad") == "1"


def test_tables_side_by_side_grow_together(template: Path, out: Path, shared: Path) -> None:
    side = pd.DataFrame({"名称": list("abcd"), "数值": [1.0, 2.0, 3.0, 4.0]})
    refill(template, out, {"tbl_month": months(1, 2, 3, 4), "tbl_side": side})
    assert checker(shared).check(out) == []
    assert body(out, "tbl_side") == [["a", 1], ["b", 2], ["c", 3], ["d", 4]]
    sqrefs = {c.get("sqref") for c in root(out, SHEET).iter(f"{M}conditionalFormatting")}
    assert "B12:I15" in sqrefs
    assert _cell(out, "J15") is not None


def test_new_rows_look_like_the_first_and_old_rows_keep_their_look(template: Path, out: Path) -> None:
    refill(template, out, {"tbl_month": months(1, 2, 3, 4)})
    first, second, third, fourth = (_cell(out, f"C{r}").get("s") for r in (12, 13, 14, 15))
    assert first == third == fourth != second == _cell(template, "C13").get("s")
    row = _row(out, 15)
    assert (row.get("ht"), row.get("customHeight")) == (None, None)  # the row was there already: J15 stands in it
    assert (_row(out, 14).get("ht"), _row(out, 14).get("customHeight")) == ("21.75", "1")


def test_a_height_nobody_set_is_not_copied(template: Path, out: Path) -> None:
    repack(template, {SHEET: lambda xml: xml.replace(b' customHeight="1"', b"")})
    refill(template, out, {"tbl_month": months(1, 2, 3, 4)})
    assert _row(out, 14).get("ht") is None


def test_calculated_columns_go_on_in_new_rows(template: Path, out: Path) -> None:
    frame = months(1, 2, 3).assign(双倍=[2.0, 4.0, 6.0])
    refill(template, out, {"tbl_month": frame})
    cells = [_cell(out, f"F{r}") for r in (12, 13, 14)]
    assert {c.findtext(f"{M}f") for c in cells} == {"tbl_month[[#This Row],[T3]]*2"}
    assert [c.findtext(f"{M}v") for c in cells] == ["2", "4", "6"]


def test_a_column_of_own_formulas_is_copied_row_by_row(template: Path, out: Path) -> None:
    def give_formulas(xml: bytes) -> bytes:
        for row in (b"12", b"13"):
            xml = xml.replace(b'r="C' + row + b'" s="2"/>', b'r="C' + row + b'" s="2"><f>D' + row + b"-$D$12</f></c>")
            xml = xml.replace(b'r="C' + row + b'" s="1"/>', b'r="C' + row + b'" s="1"><f>D' + row + b"-$D$12</f></c>")
        return xml

    repack(template, {SHEET: give_formulas})
    refill(template, out, {"tbl_month": months(1, 2, 3)[["月份", "T3"]]})
    assert [_cell(out, f"C{r}").findtext(f"{M}f") for r in (12, 13, 14)] == ["D12-$D$12", "D13-$D$12", "D14-$D$12"]


def test_a_table_shrinks_and_only_its_own_cells_go(template: Path, out: Path, shared: Path) -> None:
    side = pd.DataFrame({"名称": list("abcdef"), "数值": range(6)})
    refill(template, out, {"tbl_month": months(*range(6)), "tbl_side": side})
    refill(out, out, {"tbl_month": months(7, 8, 9)})
    assert checker(shared).check(out) == []
    assert len(body(out, "tbl_month")) == 3
    assert len(body(out, "tbl_side")) == 6
    assert [c.get("r") for c in _row(out, 16)] == ["H16", "I16"]
    refill(out, out, {"tbl_side": side.iloc[:2]})
    assert _row(out, 17) is None
    assert [c.get("r") for c in _row(out, 15)] == ["J15"]


@pytest.mark.parametrize("n", [0, 1])
def test_never_fewer_than_two_rows(template: Path, out: Path, n: int, shared: Path) -> None:
    refill(template, out, {"tbl_month": months(1, 2, 3, 4)})
    refill(out, out, {"tbl_month": months(1, 2, 3, 4).iloc[:n]})
    assert checker(shared).check(out) == []
    assert root(out, TABLE).get("ref") == "B11:F13"
    blank = [None, None, None]
    assert [row[:3] for row in body(out, "tbl_month")] == [*[["2025-01", 10.5, 1]][:n], blank, blank][:2]


def test_a_chart_follows_with_its_memory(template: Path, out: Path) -> None:
    refill(template, out, {"tbl_month": months(3, None, 8)}, {"txt_title": "新标题"})
    chart = root(out, CHART)
    assert [f.text for f in chart.iter(f"{C}f")] == [
        f"'{TREND}'!$A$1",
        f"'{TREND}'!$D$11",
        f"'{TREND}'!$B$12:$B$14",
        f"'{TREND}'!$D$12:$D$14",
    ]
    assert chart.find(f".//{C}title//{C}v").text == "新标题"
    values = chart.find(f".//{C}val//{C}numCache")
    assert values.find(f"{C}ptCount").get("val") == "3"
    assert [(p.get("idx"), p.findtext(f"{C}v")) for p in values.iter(f"{C}pt")] == [("0", "3"), ("2", "8")]
    names = chart.find(f".//{C}cat/{C}strRef/{C}strCache")
    assert [v.text for v in names.iter(f"{C}v")] == ["2025-01", "2025-02", "2025-03"]
    assert chart.find(f".//{C}trendline/{C}dispRSqr").get("val") == "1"


def test_a_chart_of_another_sheet_is_left_alone(template: Path, out: Path) -> None:
    refill(template, out, {"tbl_data": pd.DataFrame({"id": ["1"], "day": [date(2025, 1, 1)], "amount": [1]})})
    assert parts(out)[CHART] == parts(template)[CHART]


def test_only_what_must_change_changes(template: Path, out: Path) -> None:
    refill(template, out, {"tbl_month": months(1, 2, 3)}, {"txt_title": "x"})
    before, after = parts(template), parts(out)
    assert {n for n in before if before[n] != after.get(n)} == {SHEET, TABLE, CHART, BOOK}
    assert list(before) == list(after)


def test_the_same_report_again_touches_nothing(template: Path, out: Path) -> None:
    report: dict[str, Any] = {"tables": {"tbl_month": months(1, None, 3).assign(双倍=[2.0, None, 6.0])}}
    report["cells"] = {"txt_title": "=1+1", "kpi_sum": 4.5}
    assert refill(template, out, **report).written
    before = (out.stat(), out.read_bytes())
    assert not refill(out, out, **report, backup=True).written
    assert not refill(template, out, **report, backup=True).written
    assert (out.stat(), out.read_bytes()) == before
    assert not out.with_name("out.xlsx.bak").exists()


def test_a_restyled_workbook_keeps_its_style_and_the_users_own_sheet(tmp_path: Path, out: Path) -> None:
    restyled = build(tmp_path / "mine.xlsx", accent="#C2402E")
    refill(restyled, out, {"tbl_month": months(1, 2, 3)})
    before, after = parts(restyled), parts(out)
    own = ["xl/styles.xml", "xl/theme/theme1.xml", "xl/worksheets/sheet3.xml", "xl/drawings/drawing1.xml"]
    own += ["xl/media/image1.png", "xl/worksheets/sheet2.xml"]
    assert [n for n in own if before[n] != after[n]] == []


def test_a_filter_that_hid_rows_is_lifted_when_the_rows_change(template: Path, out: Path) -> None:
    refill(template, out, {"tbl_month": months(1, 2, 3)})
    criteria = b'<filterColumn colId="0"><filters><filter val="2025-01"/></filters></filterColumn></autoFilter>'
    repack(
        out,
        {
            TABLE: lambda xml: xml.replace(b'<autoFilter ref="B11:F14"/>', b'<autoFilter ref="B11:F14">' + criteria),
            SHEET: lambda xml: xml.replace(b'<row r="13"', b'<row r="13" hidden="1"'),
        },
    )
    assert not refill(out, out, {"tbl_month": months(1, 2, 3)}).written
    refill(out, out, {"tbl_month": months(1, 2, 4)})
    assert _row(out, 13).get("hidden") is None
    assert list(root(out, TABLE).iter(f"{M}filterColumn")) == []


def test_a_totals_row_moves_down_with_the_table(template: Path, out: Path, shared: Path) -> None:
    total = (
        b'<row r="14"><c r="B14" t="str"><v>sum</v></c><c r="D14"><f>SUBTOTAL(109,tbl_month[T3])</f><v>0</v></c></row>'
    )
    repack(
        template,
        {
            SHEET: lambda xml: xml.replace(b'<row r="15"', total + b'<row r="15"'),
            TABLE: lambda xml: xml.replace(b'ref="B11:F13" totalsRowShown="0"', b'ref="B11:F14" totalsRowCount="1"', 1),
        },
    )
    refill(template, out, {"tbl_month": months(1, 2, 3, 4)})
    assert checker(shared).check(out) == []
    assert root(out, TABLE).get("ref") == "B11:F16"
    assert _cell(out, "D16").findtext(f"{M}f") == "SUBTOTAL(109,tbl_month[T3])"
    assert _cell(out, "D14").findtext(f"{M}v") == "3"
    refill(out, out, {"tbl_month": months(1, 2)})
    assert _cell(out, "D14").findtext(f"{M}f") == "SUBTOTAL(109,tbl_month[T3])"
    assert _row(out, 16) is None


def test_the_calculation_chain_goes_when_formulas_come_or_go(template: Path, out: Path, shared: Path) -> None:
    chain = f'<calcChain xmlns="{M[1:-1]}"><c r="K1" i="1"/><c r="F12" i="1"/><c r="F13" i="1"/></calcChain>'
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.calcChain+xml"
    link = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/calcChain"
    repack(
        template,
        {
            "[Content_Types].xml": lambda xml: xml.replace(
                b"</Types>", f'<Override PartName="/xl/calcChain.xml" ContentType="{kind}"/></Types>'.encode()
            ),
            "xl/_rels/workbook.xml.rels": lambda xml: xml.replace(
                b"</Rel", f'<Relationship Id="rId99" Type="{link}" Target="calcChain.xml"/></Rel'.encode()
            ),
        },
    )
    with zipfile.ZipFile(template, "a") as z:
        z.writestr("xl/calcChain.xml", chain)
    assert checker(shared).check(template) == []
    refill(template, out, {"tbl_month": months(1, 2)})
    assert "xl/calcChain.xml" in parts(out)
    refill(template, out, {"tbl_month": months(1, 2, 3)})
    assert "xl/calcChain.xml" not in parts(out)
    assert checker(shared).check(out) == []


def test_a_backup_is_kept_of_what_was_replaced(template: Path) -> None:
    before = template.read_bytes()
    refill(template, template, {"tbl_month": months(1, 2, 3)}, backup=True)
    assert template.with_name("template.xlsx.bak").read_bytes() == before


def test_sheets_written_by_other_programs_are_understood(template: Path, out: Path, shared: Path) -> None:
    def without_places(xml: bytes) -> bytes:
        head, start, rest = xml.partition(b'<row r="3"')
        return head + re.sub(rb' r="[A-C]3"', b"", start + rest)

    def prefixed(xml: bytes) -> bytes:
        head, start, rest = xml.partition(b"<worksheet")
        names = b"worksheet|sheetPr|dimension|sheetViews?|selection|sheetFormatPr|cols?|sheetData|row|c|v|f"
        names += b"|pageMargins|tableParts?|is|t"
        rest = re.sub(rb"(</?)(" + names + rb")(?=[\s/>])", rb"\1x:\2", start + rest)
        return head + rest.replace(b"xmlns=", b"xmlns:x=", 1).replace(b"<x:sheetData>", b"<x:sheetData><!-- note -->")

    repack(template, {"xl/worksheets/sheet2.xml": lambda xml: prefixed(without_places(xml))})
    assert checker(shared).check(template) == []
    assert b"<x:c t=" in parts(template)["xl/worksheets/sheet2.xml"]
    frame = pd.DataFrame({"id": list("abc"), "day": [date(2025, 1, 1)] * 3, "amount": [1.5, 2.5, 3.5]})
    refill(template, out, {"tbl_data": frame})
    assert checker(shared).check(out) == []
    assert [row[0::2] for row in body(out, "tbl_data")] == [["a", 1.5], ["b", 2.5], ["c", 3.5]]


def test_a_plain_filter_over_a_table_follows_it(template: Path, out: Path) -> None:
    plain = b'</sheetData><autoFilter ref="H11:I13"/>'
    repack(template, {SHEET: lambda xml: xml.replace(b"</sheetData>", plain)})
    refill(template, out, {"tbl_side": pd.DataFrame({"名称": list("abc"), "数值": [1, 2, 3]})})
    assert root(out, SHEET).find(f"{M}autoFilter").get("ref") == "H11:I14"


def test_changed_rows_claim_no_span(template: Path, out: Path) -> None:
    assert _row(template, 12).get("spans") is not None
    refill(template, out, {"tbl_month": months(1, 2, 3)})
    assert [_row(out, r).get("spans") for r in (12, 13, 14)] == [None, None, None]
    assert _row(out, 15).get("spans") == _row(template, 15).get("spans") is not None  # nobody touched it


def test_excel_is_asked_to_recalculate_also_where_nobody_did(template: Path, out: Path, shared: Path) -> None:
    repack(template, {BOOK: lambda xml: re.sub(rb"<calcPr[^>]*/>", b"", xml)})
    refill(template, out, {"tbl_month": months(1, 2, 3)})
    assert root(out, BOOK).find(f"{M}calcPr").get("fullCalcOnLoad") == "1"
    assert checker(shared).check(out) == []


def test_a_table_that_begins_lower_down_has_nothing_in_the_rows_above_it(out: Path, shared: Path) -> None:
    book = xlsxwriter.Workbook(str(out))
    sheet = book.add_worksheet("S")
    for name, at in (("tbl_long", "B2:C4"), ("tbl_low", "E9:F11")):
        sheet.add_table(at, {"name": name, "columns": [{"header": "a"}, {"header": "b"}]})
    book.close()
    long, low = (pd.DataFrame({"a": range(n), "b": "x"}) for n in (20, 2))
    refill(out, out, {"tbl_long": long, "tbl_low": low})
    assert checker(shared).check(out) == []
    assert body(out, "tbl_low") == low.to_numpy().tolist()
    assert body(out, "tbl_long") == long.to_numpy().tolist()
    cells = {c.get("r") for c in root(out, SHEET).iter(f"{M}c")}
    assert cells & {f"{c}{r}" for c in "EF" for r in (*range(3, 9), *range(12, 23))} == set()
