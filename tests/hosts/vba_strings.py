"""The command lines that xlwings' VBA makes, put together from the very text of its module, not from memory."""

import re
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

_TERM = re.compile(r'\s*(?:"((?:[^"]|"")*)"|Chr\((\d+)\)|([A-Za-z_][\w.]*))\s*(?:&|$)')


def module_text(name: str = "xlwings.bas") -> str:
    """xlwings' VBA with continued lines joined."""
    spec = find_spec("xlwings")
    assert spec is not None
    assert spec.origin is not None
    return re.sub(r" _\n\s*", " ", (Path(spec.origin).parent / name).read_text("ascii").replace("\r\n", "\n"))


def expression(text: str, pattern: str) -> str:
    """The one expression that `pattern` finds in its first group."""
    found = re.findall(pattern, text)
    assert len(found) == 1, f"{pattern}: {found}"
    return str(found[0])


def joined(expression: str, values: Mapping[str, str]) -> str:
    """The value of VBA's texts, Chr(n) and names joined by &."""
    out, at = "", 0
    while at < len(expression):
        term = _TERM.match(expression, at)
        assert term is not None, expression[at:]
        text, code, name = term.groups()
        out += text.replace('""', '"') if text is not None else chr(int(code)) if code else values[name]
        at = term.end()
    return out


def run_python_alone(command: str, interpreter: str, values: Mapping[str, str]) -> str:
    """ExecuteWindows: what WScript.Shell is given for a click that has a process of its own.

    values  ThisWorkbook.Name, Application.Path, .Name and .Hwnd, LOG_FILE
    """
    text, folder = module_text(), interpreter.rpartition("\\")[0]
    path = f"false;;;;;;{folder}".replace("&", "^&").replace("\\", "\\\\")
    known = {
        **values, "PYTHON_WIN": interpreter, "PythonDir": folder, "PYTHONPATH": path, "PythonCommand": command,
        "CondaCmd": "", "PythonInterpreter": f'"{interpreter}"', "_drive": interpreter[:2],
    }  # fmt: skip
    drive = expression(text, r"DriveCommand = Left\$\(PYTHON_WIN, 2\) & (.+)")
    known["DriveCommand"] = interpreter[:2] + joined(drive, known)
    known["RunCommand"] = joined(expression(text, r"RunCommand = (CondaCmd & PythonInterpreter & .+)"), known)
    return joined(expression(text, r"ExitCode = WScript\.Run\((.+), WindowStyle, WaitOnReturn\)"), known)


def server_command(interpreter: str, workbook: str) -> str:
    """XLPyCommand: what the DLL is given to start the Python of the worksheet functions of a workbook (a full name)."""
    text, folder = module_text(), interpreter.rpartition("\\")[0]
    path = f"False;{workbook};{workbook};;;;{folder}"
    path = path.replace("\\", "\\\\").replace("'", "\\'").replace("&", "^&")
    known = {"ConsoleSwitch": "", "PYTHON_WIN": interpreter, "LicenseKeyEnvString": "", "PYTHONPATH": path}
    known["PYTHON_WIN"] = joined(expression(text, r'PYTHON_WIN = ("cmd\.exe " .+ PYTHON_WIN & Chr\(34\))'), known)
    known["tail"] = joined(expression(text, r'tail = (" -B -c .+)'), known)
    return joined(expression(text, r"XLPyCommand = (PYTHON_WIN & tail & Chr\(34\))"), known)
