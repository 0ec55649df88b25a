"""The floors of the house: a file imports its own floor or a lower one, and libraries stay where they belong."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "xlfunnel"
MODULES = sorted(PACKAGE.rglob("*.py"))

FLOORS = {
    "xlfunnel": 0, "xlfunnel.terms": 0, "xlfunnel.errors": 0, "xlfunnel.calendar": 0, "xlfunnel.settings": 0,
    "xlfunnel.strings": 0, "xlfunnel.paths": 0, "xlfunnel.file_names": 0, "xlfunnel.log": 0, "xlfunnel.entered": 0,
    "xlfunnel.carried": 0,
    "xlfunnel.crm": 1,
    "xlfunnel.facts": 2, "xlfunnel.lookback": 2, "xlfunnel.lookback_memory": 2, "xlfunnel.lookback_engines": 2,
    "xlfunnel.metrics": 3,
    "xlfunnel.analysis": 4,
    "xlfunnel.pages": 5, "xlfunnel.report": 5, "xlfunnel.results": 5,
    "xlfunnel.json_parts": 5,
    "xlfunnel.excel": 6,
    "xlfunnel.sample": 7, "xlfunnel.sample_pipeline": 7, "xlfunnel.sample_words": 7,
    "xlfunnel.bundle": 7, "xlfunnel.bundle_parts": 7, "xlfunnel.doctor": 7, "xlfunnel.installed": 7,
    "xlfunnel.app": 7, "xlfunnel.arguments": 7, "xlfunnel.console": 7, "xlfunnel.cli": 7,
    "xlfunnel.udf_cells": 7, "xlfunnel.udfs": 7, "xlfunnel.split": 7, "xlfunnel.manifest": 7,
    "xlfunnel.returned": 7, "xlfunnel.merge": 7, "xlfunnel.consolidate": 7,
    "xlfunnel.answers": 7, "xlfunnel.controls": 7,
    "xlfunnel.click": 7, "xlfunnel.macros": 7,
    "xlfunnel.__main__": 7,
}  # fmt: skip

LIBRARIES = {
    "openpyxl": ("excel/", "crm/read.py"),
    "python_calamine": ("excel/", "crm/read.py"),
    "lxml": ("excel/",),
    "xlsxwriter": ("excel/",),
    "xlwings": ("excel/", "udfs.py", "click.py"),
    "rich": ("console.py",),
    "msoffcrypto": ("excel/",),
    "narwhals": ("lookback_engines.py",),
    "duckdb": ("crm/engines.py",),
    "pyspark": ("crm/engines.py",),
}

HAN = re.compile("[\u4e00-\u9fff]")
HAN_IS_DATA = ("crm/", "sample.py", "sample_words.py")  # what the door recognises, and what the sample is made of
HAN_NAMES = {"\u5fae\u8f6f\u96c5\u9ed1"}  # a font's own name is not a word for a reader


def _name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _inside(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def _floor(module: str) -> int | None:
    """The floor of the longest name in the table that `module` is or lies in."""
    parts = module.split(".")
    for n in range(len(parts), 1 if len(parts) > 1 else 0, -1):
        if ".".join(parts[:n]) in FLOORS:
            return FLOORS[".".join(parts[:n])]
    return None


def _imports(tree: ast.AST, package: str) -> Iterator[str]:
    """Full names of all that is imported anywhere in a file, functions included."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*above, *([base] if base else [])])
            for alias in node.names:
                full = f"{base}.{alias.name}"
                yield full if full in _KNOWN else base


_KNOWN = {_name(p) for p in MODULES}
_IDS = [_inside(p) for p in MODULES]


@pytest.mark.parametrize("path", MODULES, ids=_IDS)
def test_a_file_imports_its_own_floor_or_a_lower_one(path: Path) -> None:
    name = _name(path)
    own = _floor(name)
    assert own is not None, f"{name} stands on no floor: add it to the table"
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for target in _imports(ast.parse(path.read_text("utf-8")), package):
        if target.split(".")[0] == "xlfunnel":
            floor = _floor(target)
            assert floor is not None, f"{name} imports {target}, which stands on no floor"
            assert floor <= own, f"{name} (floor {own}) imports {target} (floor {floor})"


@pytest.mark.parametrize("path", MODULES, ids=_IDS)
def test_libraries_stay_where_they_belong(path: Path) -> None:
    for target in _imports(ast.parse(path.read_text("utf-8")), ""):
        allowed = LIBRARIES.get(target.split(".")[0])
        if allowed is not None:
            assert _inside(path).startswith(allowed), f"{_inside(path)} imports {target}"


@pytest.mark.parametrize("path", MODULES, ids=_IDS)
def test_no_word_for_a_reader_stands_in_code(path: Path) -> None:
    if _inside(path).startswith(HAN_IS_DATA):
        return
    tree = ast.parse(path.read_text("utf-8"))
    prose = {id(d.value) for d in ast.walk(tree) if isinstance(d, ast.Expr) and isinstance(d.value, ast.Constant)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose:
            assert not HAN.search(node.value) or node.value in HAN_NAMES, f"{_inside(path)}:{node.lineno} {node.value}"


@pytest.mark.parametrize("path", MODULES, ids=_IDS)
def test_clock_and_chance_enter_as_arguments(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            assert node.func.attr not in ("now", "today", "utcnow"), f"{_inside(path)}:{node.lineno} asks the clock"


@pytest.mark.parametrize(
    "path", [*MODULES, *sorted((ROOT / "tests").rglob("*.py"))], ids=lambda p: p.relative_to(ROOT).as_posix()
)
def test_no_file_is_over_400_lines(path: Path) -> None:
    assert len(path.read_text("utf-8").splitlines()) <= 400


def test_the_floors_test_sees_what_it_should() -> None:
    code = (
        "from xlfunnel import cli\nfrom xlfunnel.crm import x\ndef f():\n    import lxml.etree\nfrom . import terms\n"
    )
    assert set(_imports(ast.parse(code), "xlfunnel")) == {
        "xlfunnel.cli",
        "xlfunnel.crm",
        "lxml.etree",
        "xlfunnel.terms",
    }
    assert _floor("xlfunnel.crm.read") == 1
    assert _floor("xlfunnel.nowhere") is None
    assert _floor("xlfunnel") == 0
