"""Our VBA on LibreOffice's Basic: a copy of a built workbook with other modules in it, loaded and its macros called.

LibreOffice compiles a module when it is first needed; if one of the library does not compile, every call returns at
once without an error. So a test calls `Twice` first.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hosts.uno_bridge import values

from xlfunnel.excel.package import Package
from xlfunnel.excel.vba_project import VbaModule, vba_project

VBA_PART = "xl/vbaProject.bin"
LIBRARY = "xlfunnel"
WINDOWS_EXCEL = {"vba7": True, "win64": True, "mac": False}
_ALWAYS_EXECUTE = 4
_DIRECTIVE = re.compile(r"\s*#(If|ElseIf|Else|End If|Const)\b(.*)")
_ONE_LINE = re.compile(r"((?:Public |Private )?Sub \w+\(.*?\)): (.*): End Sub")
_APP = re.compile(r'App = "([^"]*)"')


def resolved(text: str) -> str:
    """A module as LibreOffice can take it.

    It ignores `#If`, so what Excel 64-bit on Windows sees is chosen here. A `Sub` on one line makes it lose that one
    if another follows, so those are written on three.
    """
    out: list[str] = []
    stack: list[tuple[bool, bool]] = []  # (this branch holds, one of this #If has held)
    for line in re.sub(r"\r\n?", "\n", text).split("\n"):
        found = _DIRECTIVE.fullmatch(line)
        if not found:
            if all(holds for holds, _ in stack):
                out.append(_ONE_LINE.sub(r"\1\n    \2\nEnd Sub", line))
            continue
        word, rest = found[1], found[2].strip()
        if word == "If":
            stack.append((_holds(rest),) * 2)
        elif word == "End If":
            stack.pop()
        elif word in ("ElseIf", "Else"):
            _, held = stack[-1]
            holds = not held and (word == "Else" or _holds(rest))
            stack[-1] = (holds, held or holds)
    assert not stack
    return "\n".join(out)


def _holds(condition: str) -> bool:
    condition = condition.partition("'")[0].strip().removesuffix("Then").strip()
    app = _APP.fullmatch(condition)
    if app:
        return app[1] == "Microsoft Excel"
    if condition.startswith("MAC_OFFICE_VERSION"):
        return False
    wanted = not condition.lower().startswith("not ")
    return WINDOWS_EXCEL[condition.lower().removeprefix("not ")] == wanted


def variant(built: Path, modules: Sequence[VbaModule], target: Path) -> Path:
    """A copy of a built workbook with these modules in place of its own."""
    with Package(built) as package:
        package.replace(VBA_PART, vba_project(modules, project=LIBRARY))
        package.write(target)
    return target


class Macros:
    """The macros of an open document."""

    def __init__(self, document: Any) -> None:
        self.document = document
        self._provider = document.getScriptProvider()

    def __call__(self, name: str, *arguments: Any) -> Any:
        """What the function `Module.Name` returns. Only parameters without a type receive what is given here."""
        address = f"vnd.sun.star.script:{LIBRARY}.{name}?language=Basic&location=document"
        return self._provider.getScript(address).invoke(arguments, (), ())[0]


@contextmanager
def macros(desktop: Any, path: Path) -> Iterator[Macros]:
    """The macros of a workbook, loaded for as long as the context lasts."""
    url = path.resolve().as_uri()
    document = desktop.loadComponentFromURL(url, "_blank", 0, values(MacroExecutionMode=_ALWAYS_EXECUTE, Hidden=True))
    try:
        yield Macros(document)
    finally:
        document.close(True)
