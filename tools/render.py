#!/usr/bin/env python3
"""Draws every sheet of a workbook as it would print: `tools/render.py WORKBOOK FOLDER [--suffix zh-CN] [--pages 1]`.

Writes FOLDER/<sheet>[.<suffix>].png, further pages as <sheet>-2… . Needs LibreOffice with its Python bridge (on Debian
python3-uno, so run it with the system's python3) and pdftoppm. The workbook itself is only read.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uno
from com.sun.star.beans import PropertyValue
from com.sun.star.connection import NoConnectException

_START_SECONDS = 60
_DIGITS = "0.000"
_EQUATION_AT = (0.56, 0.2)
_FONTS = """<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><include>/etc/fonts/fonts.conf</include>{}</fontconfig>"""
_ALIAS = """<match target="pattern"><test name="family"><string>{}</string></test>
<edit name="family" mode="assign" binding="strong"><string>Noto Sans CJK SC</string></edit></match>"""
_STANDS_FOR = ("\u5fae\u8f6f\u96c5\u9ed1", "Microsoft YaHei")
"""The font of the sheets, which is on no free system; Noto Sans CJK is drawn much like it."""


def main() -> int:
    """Render the workbook named on the command line."""
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("workbook", type=Path)
    ask.add_argument("folder", type=Path)
    ask.add_argument("--suffix", default="", help="put before .png, such as zh-CN")
    ask.add_argument("--pages", type=int, default=1, help="pages drawn of each sheet at most")
    ask.add_argument("--dpi", type=int, default=110)
    args = ask.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch, _office(Path(scratch)) as desktop:
        book = desktop.loadComponentFromURL(args.workbook.resolve().as_uri(), "_blank", 0, _values(Hidden=True))
        book.calculateAll()
        sheets = [book.Sheets.getByIndex(i) for i in range(book.Sheets.Count)]
        areas = [sheet.getPrintAreas() for sheet in sheets]
        for number, sheet in enumerate(sheets, 1):
            _place_equations(sheet)
            # Where one sheet has a print area, sheets without one are left out of the print.
            for other, area in zip(sheets, areas, strict=True):
                other.setPrintAreas(area if other.Name == sheet.Name else ())
            pdf = Path(scratch) / "sheet.pdf"
            book.storeToURL(pdf.as_uri(), _values(FilterName="calc_pdf_Export"))
            _draw(pdf, args.folder, _name(sheet, number), args)
        book.close(True)
    return 0


def _name(sheet: Any, number: int) -> str:
    """The sheet's key in the template ("home"), or its number where it has none."""
    code = str(getattr(sheet, "CodeName", ""))
    return code.removeprefix("sheet_") if code.startswith("sheet_") else f"sheet{number}"


def _draw(pdf: Path, folder: Path, name: str, args: argparse.Namespace) -> None:
    stem = pdf.with_suffix("")
    subprocess.run(
        ["pdftoppm", "-png", "-r", str(args.dpi), "-f", "1", "-l", str(args.pages), str(pdf), str(stem)], check=True
    )
    suffix = f".{args.suffix}" if args.suffix else ""
    for page, picture in enumerate(sorted(pdf.parent.glob(f"{pdf.stem}-*.png")), 1):
        target = folder / f"{name}{f'-{page}' if page > 1 else ''}{suffix}.png"
        target.write_bytes(picture.read_bytes())
        picture.unlink()
        print(target)


def _place_equations(sheet: Any) -> None:
    """Excel shows a trendline's equation short and where the template puts it; LibreOffice knows neither by itself."""
    charts = sheet.Charts
    for i in range(charts.Count):
        chart = charts.getByIndex(i).EmbeddedObject
        formats, where = chart.NumberFormats, uno.createUnoStruct("com.sun.star.lang.Locale")
        key = formats.queryKey(_DIGITS, where, False)
        key = formats.addNew(_DIGITS, where) if key < 0 else key
        for system in chart.FirstDiagram.CoordinateSystems:
            for kind in system.ChartTypes:
                for series in kind.DataSeries:
                    for curve in series.RegressionCurves:
                        curve.EquationProperties.NumberFormat = key
                        place = uno.createUnoStruct("com.sun.star.chart2.RelativePosition")
                        place.Primary, place.Secondary = _EQUATION_AT
                        curve.EquationProperties.RelativePosition = place


def _values(**pairs: object) -> tuple[Any, ...]:
    return tuple(PropertyValue(Name=name, Value=value) for name, value in pairs.items())


@contextmanager
def _office(scratch: Path) -> Iterator[Any]:
    """A LibreOffice of our own with a fresh profile. It ends with code 81 once while it sets the profile up."""
    pipe = f"xlfunnel{time.monotonic_ns()}"
    command = [
        "soffice", "--headless", "--norestore", "--nologo", f"-env:UserInstallation={(scratch / 'profile').as_uri()}",
        f"--accept=pipe,name={pipe};urp;",
    ]  # fmt: skip
    context = uno.getComponentContext()
    resolver = context.ServiceManager.createInstanceWithContext("com.sun.star.bridge.UnoUrlResolver", context)
    fonts = scratch / "fonts.conf"
    fonts.write_text(_FONTS.format("".join(_ALIAS.format(f) for f in _STANDS_FOR)), "utf-8")
    world = {**os.environ, "FONTCONFIG_FILE": str(fonts)}
    child = subprocess.Popen(command, env=world)
    deadline = time.monotonic() + _START_SECONDS
    try:
        while True:
            try:
                remote = resolver.resolve(f"uno:pipe,name={pipe};urp;StarOffice.ComponentContext")
                break
            except NoConnectException:
                if time.monotonic() > deadline:
                    raise
                if child.poll() is not None:
                    child = subprocess.Popen(command, env=world)
                time.sleep(0.2)
        desktop = remote.ServiceManager.createInstanceWithContext("com.sun.star.frame.Desktop", remote)
        yield desktop
        desktop.terminate()
        child.wait(timeout=30)
    finally:
        if child.poll() is None:
            child.kill()
            child.wait()


if __name__ == "__main__":
    sys.exit(main())
