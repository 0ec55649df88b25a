"""The VBA that makes Python functions worksheet functions, by xlwings' own generator, when the workbooks are built.

Wrapping at build time spares users the setting "Trust access to the VBA project". The generator belongs to the Windows
half of xlwings; to run it elsewhere, empty modules stand in for pywin32. They live in a process of their own:
`python -m xlfunnel.excel.udf_wrappers MODULE WORKBOOK` writes the text to stdout.
"""

import importlib
import io
import re
import subprocess
import sys
from functools import cache
from types import ModuleType, SimpleNamespace

MODULE_NAME = "xlwings_udfs"
"""What xlwings calls the module, and what its "Import Functions" would replace."""

_HEAD = """\
'Made by xlwings' generator from the docstrings and signatures of {module}.
#Const App = "Microsoft Excel"

"""
# The generated text calls XLPy; a private one goes before xlwings' own, which would freeze Excel for two minutes if
# Python could not start.
_TAIL = """\
Private Function XLPy() As Object: Set XLPy = XlfServer(): End Function
"""
# An error that has a name in Excel is handed over as that, not as its text: see XlfunnelErrors.bas.
_FAILED, _ANSWERED = " = Err.Description\n", " = XlfError(Err.Description)\n"
_FUNCTION = re.compile(r"^Function (\w+)\(.*\n", re.MULTILINE)
_MAX_DESCRIPTION = 255
# [MS-VBAL] 3.3.5.2, reserved identifiers: none of them can name a parameter.
_RESERVED = re.compile(
    r"""
    abs | addressof | and | any | array | as | attribute | boolean | byref | byte | byval | call | case | cbool
    | cbyte | ccur | cdate | cdbl | cdec | cdecl | cint | circle | clng | clnglng | clngptr | close | const |
    csng | cstr | currency | cvar | cverr | date | debug | decimal | declare | defbool | defbyte | defcur |
    defdate | defdbl | defdec | defint | deflng | defobj | defsng | defstr | defvar | dim | do | doevents |
    double | each | else | elseif | empty | end | endif | enum | eqv | erase | event | exit | false | fix | for
    | friend | function | get | global | gosub | goto | if | imp | implements | in | input | inputb | instr |
    instrb | int | integer | is | lbound | len | lenb | let | like | linput | lock | long | longlong | longptr |
    loop | lset | me | mid | midb | mod | new | next | not | nothing | null | on | open | option | optional | or
    | paramarray | preserve | print | private | pset | public | put | raiseevent | redim | rem | resume | return
    | rset | scale | seek | select | set | sgn | shared | single | spc | static | stop | string | sub | tab |
    then | to | true | type | typeof | ubound | unlock | until | variant | wend | while | with | withevents |
    write | xor
    """,
    re.VERBOSE | re.IGNORECASE,
)
_USER_DEFINED = r" \n14"
"""Excel's category "User defined", as VBA writes it."""


@cache
def udf_wrappers(module: str, workbook: str) -> str:
    """The text of the wrapper module for the functions of `module`; an add-in's file name ends in ".xlam".

    Raises RuntimeError with the generator's own complaint if it fails.
    """
    command = [sys.executable, "-m", __name__, module, workbook]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)
    if done.returncode:
        raise RuntimeError(f"no wrappers for {module}: {done.stderr.strip()}")
    return done.stdout


def _stand_ins() -> None:
    """What `xlwings.udfs` wants to import from pywin32, without any of its abilities."""
    pythoncom, pywintypes = ModuleType("pythoncom"), ModuleType("pywintypes")
    win32com, client = ModuleType("win32com"), ModuleType("win32com.client")
    vars(pythoncom)["CoInitialize"] = lambda: None
    vars(pywintypes)["com_error"] = type("com_error", (Exception,), {})
    vars(client)["Dispatch"] = lambda *_: None
    vars(win32com)["client"] = client
    sys.modules |= {m.__name__: m for m in (pythoncom, pywintypes, win32com, client)}


def _generated(module: str, workbook: str) -> str:
    _stand_ins()
    xlwings = importlib.import_module("xlwings")
    udfs = importlib.import_module("xlwings.udfs")
    vars(xlwings).update(func=udfs.xlfunc, arg=udfs.xlarg, ret=udfs.xlret, sub=udfs.xlsub)
    functions = importlib.import_module(module)
    out = io.StringIO()
    udfs.generate_vba_wrapper(module, functions, out, SimpleNamespace(Name=workbook))
    wrapped = [f.__xlfunc__ for f in vars(functions).values() if hasattr(f, "__xlfunc__")]
    for function in wrapped:
        for argument in function["args"]:
            if _RESERVED.fullmatch(argument["name"]):
                raise ValueError(f"{function['name']}: VBA cannot have a parameter named {argument['name']!r}")
    docs = {w["name"]: w["ret"]["doc"] for w in wrapped}
    text = out.getvalue()
    if text.count(_FAILED) != len(docs):
        raise ValueError("xlwings' generator has changed: look at it again")
    return _HEAD.format(module=module) + _described(text.replace(_FAILED, _ANSWERED), docs) + _TAIL


def _described(text: str, docs: dict[str, str]) -> str:
    """Each function followed by what the function wizard says of it, in the attributes in which VBA keeps that."""

    def described(found: re.Match[str]) -> str:
        name = found[1]
        doc = " ".join(docs[name].split())[:_MAX_DESCRIPTION].replace('"', '""')
        return (
            f'{found[0]}Attribute {name}.VB_Description = "{doc}"\n'
            f'Attribute {name}.VB_ProcData.VB_Invoke_Func = "{_USER_DEFINED}"\n'
        )

    return _FUNCTION.sub(described, text)


if __name__ == "__main__":
    sys.stdout.buffer.write(_generated(*sys.argv[1:]).encode("utf-8"))
