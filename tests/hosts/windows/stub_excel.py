"""A stand-in for Excel.Application, for Windows Python: `python stub_excel.py WORKBOOK`.

It shows the windows by which xlwings finds Excel (XLMAIN, XLDESK, EXCEL7) and answers for one workbook, with openpyxl
behind it: what xlwings' Windows engine asks for when a macro reads a workbook and fills it. It proves that everything
is plugged in, not how Excel behaves: nothing is calculated, and rows are neither inserted nor deleted.

Prints one line, the handle of its window, when it is ready. `Application.Quit` ends it.
"""

import ctypes
import os
import sys
import tempfile
from datetime import UTC, datetime
from functools import partial

import pythoncom
import pywintypes
import win32con
import win32gui
import winerror
from openpyxl import load_workbook
from openpyxl.utils import get_column_letter, range_boundaries
from win32com.server.exception import COMException
from win32com.server.policy import DynamicPolicy
from win32com.server.util import NewEnum, unwrap, wrap

TYPES = {"Range": "{00020846-0000-0000-C000-000000000046}", "Object": "{00020813-0000-0000-C000-000000000047}"}
OBJID_NATIVEOM = 0xFFFFFFF0
_ERRORS = {"#NULL!": 2000, "#DIV/0!": 2007, "#VALUE!": 2015, "#REF!": 2023, "#NAME?": 2029, "#NUM!": 2036, "#N/A": 2042}


def type_infos():
    """Type information with nothing but names: xlwings knows a range by its GUID, the UDF server asks for the name."""
    path = os.path.join(tempfile.mkdtemp(), "stub.tlb")
    library = pythoncom.CreateTypeLib2(pythoncom.SYS_WIN32, path)
    for name, guid in TYPES.items():
        made = library.CreateTypeInfo(name, pythoncom.TKIND_DISPATCH)
        made.SetGuid(pywintypes.IID(guid))
        made.LayOut()
    library.SaveAllChanges()
    loaded = pythoncom.LoadTypeLib(path)
    return {name: loaded.GetTypeInfo(i) for i, name in enumerate(TYPES)}


class Policy(DynamicPolicy):
    """Late binding, with the type information of the object's kind."""

    def _GetTypeInfoCount_(self):
        return 1

    def _GetTypeInfo_(self, index, lcid):
        return 0, TYPE_INFOS["Range" if isinstance(self._obj_, Range) else "Object"]


class Com:
    """Attributes are properties, methods are methods; `_value_` is the default member."""

    def _dynamic_(self, name, lcid, flags, args):
        if flags & (pythoncom.DISPATCH_PROPERTYPUT | pythoncom.DISPATCH_PROPERTYPUTREF):
            setattr(self, name, args[-1])
            return None
        if name == "_NewEnum":
            return NewEnum([outward(o) for o in self], usePolicy=None)
        found = getattr(self, name, None)
        if not hasattr(self, name) or (callable(found) and not flags & pythoncom.DISPATCH_METHOD):
            raise COMException(scode=winerror.DISP_E_MEMBERNOTFOUND, desc=name)
        if callable(found):
            return outward(found(*map(inward, args)))
        return outward(found._value_(*map(inward, args)) if args else found)


def outward(value):
    if isinstance(value, Com):
        return wrap(value, usePolicy=Policy)
    return (value,) if isinstance(value, tuple) else value  # a bare tuple would be a result and what is passed back


def inward(value):
    try:
        return unwrap(value)
    except Exception:
        return value


def missing(what):
    return COMException(scode=winerror.DISP_E_EXCEPTION, desc=f"no {what}")


class Collection(Com):
    """A collection that is asked by name or position."""

    def __init__(self, items):
        self._items = items

    def __iter__(self):
        return iter(self._items)

    @property
    def Count(self):
        return len(self._items)

    def Item(self, key):
        for i, item in enumerate(self._items, 1):
            if key == i or (isinstance(key, str) and item.Name.lower() == key.lower()):
                return item
        raise missing(key)

    _value_ = Item


class Range(Com):
    def __init__(self, sheet, r1, c1, r2, c2):
        self._sheet, self._at = sheet, (r1, c1, r2, c2)
        self.Row, self.Column, self.Worksheet = r1, c1, sheet
        self.Rows, self.Columns = Span(r2 - r1 + 1), Span(c2 - c1 + 1)
        self.Count = self.Rows.Count * self.Columns.Count

    @property
    def Address(self):
        r1, c1, r2, c2 = self._at
        first = f"${get_column_letter(c1)}${r1}"
        return first if (r1, c1) == (r2, c2) else f"{first}:${get_column_letter(c2)}${r2}"

    def _rows(self, sheet, show):
        r1, c1, r2, c2 = self._at
        rows = tuple(tuple(show(sheet.cell(r, c).value) for c in range(c1, c2 + 1)) for r in range(r1, r2 + 1))
        return rows[0][0] if self.Count == 1 else rows

    @property
    def Value(self):
        return self._rows(self._sheet._shown, shown)

    @property
    def Formula(self):
        return self._rows(self._sheet._typed, lambda v: "" if v is None else str(v))

    @Value.setter
    def Value(self, rows):
        rows = rows if isinstance(rows, tuple) else ((rows,),)
        r1, c1, _, _ = self._at
        for r, row in enumerate(rows, r1):
            for c, value in enumerate(row, c1):
                plain = typed(value)
                self._sheet._typed.cell(r, c).value = plain
                formula = isinstance(plain, str) and plain.startswith("=")
                if not formula:
                    self._sheet._shown.cell(r, c).value = plain
        self._sheet.Parent.writes.append((self._sheet.Name, self.Address))

    Formula = Formula.setter(Value.fset)
    _value_ = Value


class Areas(Range):
    """Several ranges of a sheet, in the order in which they were named; the rest is said of the first one."""

    def __init__(self, parts):
        super().__init__(parts[0]._sheet, *parts[0]._at)
        self._parts = parts

    @property
    def Address(self):
        return ",".join(part.Address for part in self._parts)


class Span(Com):
    def __init__(self, count):
        self.Count = count


def shown(value):
    if isinstance(value, str) and value in _ERRORS:
        return -2146828288 + _ERRORS[value]
    if isinstance(value, datetime):
        return pywintypes.Time(value.replace(tzinfo=UTC))
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def typed(value):
    """What Excel makes of a text that a macro writes: an apostrophe in front keeps it a text and is not part of it."""
    if isinstance(value, str):
        return None if value == "" else value[1:] if value.startswith("'") else value
    return value.replace(tzinfo=None) if isinstance(value, datetime) else value


class PageSetup(Com):
    PrintArea = ""


class ListObject(Com):
    ShowTotals, ShowAutoFilter = False, False

    def __init__(self, sheet, table):
        self.Name = self.DisplayName = table.displayName
        self.Parent = sheet
        c1, r1, c2, r2 = range_boundaries(table.ref)
        self.Range = Range(sheet, r1, c1, r2, c2)


class Sheet(Com):
    ProtectContents, Visible = False, -1

    def __init__(self, book, typed_sheet, shown_sheet, index):
        self.Parent, self.Application, self.Name, self.Index = book, book.Application, typed_sheet.title, index
        self._typed, self._shown = typed_sheet, shown_sheet
        self.PageSetup = PageSetup()
        self.ListObjects = Collection([ListObject(self, t) for t in typed_sheet.tables.values()])

    def Cells(self, row, column):
        return Range(self, int(row), int(column), int(row), int(column))

    def Range(self, first, last=None):
        if isinstance(first, str):
            parts = [self._part(text) for text in first.split(",")]
            return parts[0] if len(parts) == 1 else Areas(parts)
        return Range(self, *first._at[:2], *(last or first)._at[2:])

    def _part(self, text):
        """Cells by their address, or by a name that refers to cells of this sheet."""
        named = next((n for n in self.Parent.Names if n.Name.lower() == text.lower()), None)
        if named is not None:
            sheet, _, text = named.RefersTo.lstrip("=").rpartition("!")
            if sheet.strip("'").replace("''", "'") != self.Name:
                raise missing(f"{named.Name} on {self.Name}")
        try:
            c1, r1, c2, r2 = range_boundaries(text.replace("$", ""))
        except ValueError:
            raise missing(text) from None
        return Range(self, r1, c1, r2, c2)

    def Activate(self):
        self.Parent.ActiveSheet = self


class Name(Com):
    def __init__(self, name, refers_to):
        self.Name, self.RefersTo = name, f"={refers_to}"


class Book(Com):
    Date1904 = False

    def __init__(self, application, path):
        self.Application, self.FullName = application, path
        self.Path, self.Name = os.path.split(path)
        self.writes = []
        self._typed = load_workbook(path, keep_vba=path.endswith("m"))
        shown_book = load_workbook(path, data_only=True)
        pairs = [(s, shown_book[s.title]) for s in self._typed.worksheets]
        self.Worksheets = self.Sheets = Collection([Sheet(self, *pair, i) for i, pair in enumerate(pairs, 1)])
        self.Names = Collection([Name(n, d.value) for n, d in self._typed.defined_names.items()])
        self.ActiveSheet = self.Worksheets.Item(1)

    def SaveCopyAs(self, path):
        self._typed.save(path)


class Application(Com):
    Name, Version, Calculation, StatusBar = "Microsoft Excel", "16.0", -4105, False
    Interactive, Visible, ScreenUpdating, DisplayAlerts = True, True, True, True

    def __init__(self, path, quit_):
        self.said, self.calculated, self._quit = [], 0, quit_
        self.Application = self
        self.Workbooks = Collection([Book(self, path)])
        self.ActiveWorkbook = self.Workbooks.Item(1)

    def __setattr__(self, name, value):
        object.__setattr__(self, name, value)
        if name == "StatusBar" and value is not False:
            self.said.append(str(value))

    def Calculate(self):
        self.calculated += 1

    def Quit(self):
        self._quit()

    def Journal(self):
        """For the test, not Excel's: what the status bar said, which blocks were written, how often was calculated."""
        return "\n".join([*self.said, *(f"{s}!{a}" for s, a in self.ActiveWorkbook.writes), f"calc {self.calculated}"])


def show_windows(application):
    """XLMAIN › XLDESK › EXCEL7; the last one hands out the application to whoever asks by WM_GETOBJECT."""
    pointer = ctypes.c_void_p()
    guid = (ctypes.c_byte * 16).from_buffer_copy(bytes(memoryview(pythoncom.IID_IDispatch)))
    to_pointer = ctypes.PyDLL(pythoncom.__file__).PyCom_InterfaceFromPyObject
    to_pointer.argtypes = [ctypes.py_object, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int]
    served = wrap(application.ActiveWorkbook, usePolicy=Policy)
    assert to_pointer(served, ctypes.byref(guid), ctypes.byref(pointer), 0)
    answer = ctypes.oledll.oleacc.LresultFromObject
    answer.argtypes, answer.restype = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_void_p], ctypes.c_ssize_t

    def asked(window, message, wparam, lparam):
        if lparam & 0xFFFFFFFF == OBJID_NATIVEOM:
            return answer(ctypes.byref(guid), wparam, pointer)
        return 0

    parent = 0
    for name in ("XLMAIN", "XLDESK", "EXCEL7"):
        kind = win32gui.WNDCLASS()
        kind.lpszClassName = name
        kind.lpfnWndProc = {win32con.WM_GETOBJECT: asked} if name == "EXCEL7" else {}
        win32gui.RegisterClass(kind)
        style = win32con.WS_CHILD if parent else win32con.WS_OVERLAPPEDWINDOW
        parent = win32gui.CreateWindow(name, "stub", style | win32con.WS_VISIBLE, 0, 0, 9, 9, parent, 0, 0, None)
    return win32gui.GetAncestor(parent, win32con.GA_ROOT), served


if __name__ == "__main__":
    pythoncom.CoInitialize()
    TYPE_INFOS = type_infos()
    excel = Application(sys.argv[1], partial(win32gui.PostQuitMessage, 0))
    excel.Hwnd, keep = show_windows(excel)
    print(excel.Hwnd, flush=True)
    win32gui.PumpMessages()
