"""What VBA does, for Windows Python: `python as_vba.py FILE`, a JSON file of one request; the answer goes to stdout.

{"shell": LINE}                             WScript.Shell runs the line, hidden, and waits
{"dll", "command", "hwnd", "steps": [...]}  the DLL starts or finds the Python of `command`; then each step is
  ["udf", NAME, [ARGUMENTS]]                a worksheet function; {"range": [SHEET, ADDRESS]} stands for cells
  ["repeat", N, NAME, [ARGUMENTS]]          the same N times; seconds
  ["click", COMMAND]                        RunPython in that Python, as USE UDF SERVER has it
  ["excel", PATH]                           a copy of the stub's workbook to PATH; what the stub noted
"""

import ctypes
import json
import sys
import time

import pythoncom
import pywintypes
import win32com.client
import winerror

_GUID = (ctypes.c_byte * 16).from_buffer_copy(bytes(memoryview(pythoncom.IID_IDispatch)))
_MISSING = win32com.client.VARIANT(pythoncom.VT_ERROR, winerror.DISP_E_PARAMNOTFOUND)


class Variant(ctypes.Structure):
    _fields_ = [("vt", ctypes.c_ushort), ("reserved", ctypes.c_ushort * 3), ("value", ctypes.c_void_p * 2)]


def server_of(dll, command):
    """XLPy: 0 <> XLPyDLLActivateAuto(XLPy, XLPyCommand, 1); VBA hands over the text in the system's code page."""
    activate = ctypes.WinDLL(dll).XLPyDLLActivateAuto
    activate.argtypes, activate.restype = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_long], ctypes.c_long
    result = Variant()
    failed = activate(ctypes.byref(result), command.encode("mbcs"), 1)
    if failed:
        raise RuntimeError(ctypes.wstring_at(result.value[0]) if result.vt == 8 else f"code {failed}")
    wrapped = ctypes.PyDLL(pythoncom.__file__).PyCom_PyObjectFromIUnknown
    wrapped.restype = ctypes.py_object
    return win32com.client.Dispatch(wrapped(ctypes.c_void_p(result.value[0]), ctypes.byref(_GUID), True))


def plain(value):
    if isinstance(value, (tuple, list)):
        return [plain(v) for v in value]
    return str(value) if isinstance(value, pywintypes.TimeType) else value


class Session:
    def __init__(self, request):
        pythoncom.CoInitialize()
        self._python = server_of(request["dll"], request["command"])
        self._book = None
        if request.get("hwnd"):
            import xlwings._xlwindows as engine

            self._book = engine.get_xl_app_from_hwnd(request["hwnd"]).ActiveWorkbook._inner

    def _given(self, arguments):
        """An argument that is left out is VBA's Missing; a blank cell is None."""
        return tuple(_MISSING if a is None else self._argument(a) for a in arguments)

    def _argument(self, value):
        if isinstance(value, dict):
            sheet, address = value["range"]
            return self._book.Worksheets(sheet).Range(address)
        if isinstance(value, list):
            return tuple(self._argument(v) for v in value)
        return value

    def udf(self, name, arguments):
        given = self._given(arguments)
        try:
            return plain(self._python.CallUDF("xlfunnel.udfs", name, given, self._book, None))
        except pywintypes.com_error as e:
            return {"error": e.excepinfo[2]}

    def repeat(self, times, name, arguments):
        given = self._given(arguments)
        began = time.perf_counter()
        for _ in range(times):
            self._python.CallUDF("xlfunnel.udfs", name, given, self._book, None)
        return time.perf_counter() - began

    def click(self, command):
        began = time.perf_counter()
        python = self._python
        python.SetAttr(python.Module("xlwings._xlwindows"), "BOOK_CALLER", self._book)
        python.Exec(command)
        return time.perf_counter() - began

    def excel(self, path):
        self._book.SaveCopyAs(path)
        return self._book.Application.Journal()


def answer(request):
    if "shell" in request:
        return win32com.client.Dispatch("WScript.Shell").Run(request["shell"], 0, True)
    began = time.perf_counter()
    try:
        session = Session(request)
    except Exception as e:
        return {"error": str(e), "seconds": time.perf_counter() - began}
    started = time.perf_counter() - began
    return {"started": started, "steps": [getattr(session, s[0])(*s[1:]) for s in request["steps"]]}


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as file:
        print(json.dumps(answer(json.load(file))))
