Attribute VB_Name = "XlfunnelRun"
Option Explicit
Option Private Module

' How a button reaches Python, and what the ribbon has to know of the workbook in front.

Public XlfRibbon As IRibbonUI

Private Const UNTRIED As Long = 0
Private Const WORKS As Long = 1
Private Const BROKEN As Long = 2
Private Python As Long

Public Sub XlfRun(Target As String)
    ' In the Python that already runs for the worksheet functions; in a process of its own if that one fails to start.
    If Not XlfPythonWorks(True) Then XlfTell XlfWord("no_python"): Exit Sub
    On Error GoTo NoServer
    RunPython XlfCommand(Target)
    Exit Sub
NoServer:
    Resume Alone
Alone:
    On Error GoTo 0
    XlfRunAlone Target
End Sub

Public Sub XlfRunAlone(Target As String)
    ' The first fields say "no folder of a workbook on Python's path": nothing depends on where the workbook lies.
    If Not xlwings.FileExists(XlfInterpreter()) Then XlfTell XlfWord("no_python"): Exit Sub
    ExecuteWindows False, XlfCommand(Target), XlfInterpreter(), "false;;;;;;" & ParentFolder(XlfInterpreter())
End Sub

Public Sub XlfRunOnFile(Target As String)
    XlfRunOnPicked Target, "CSV + Excel", "*.csv;*.tsv;*.txt;*.xlsx;*.xlsm;*.xlsb;*.xls;*.ods;*.zip"
End Sub

Public Sub XlfRunOnFiles(Target As String)
    XlfRunOnPicked Target, "Excel", "*.xlsx;*.xlsm"
End Sub

Private Sub XlfRunOnPicked(Target As String, Name As String, Kinds As String)
    ' The files of one folder: its path, and their names behind it, parted by what no name may hold.
    Dim Picked As Variant, Folder As String, Text As String, i As Long
    Picked = Application.GetOpenFilename(Name & " (" & Kinds & ")," & Kinds, MultiSelect:=True)
    If Not IsArray(Picked) Then Exit Sub
    Folder = Left$(Picked(LBound(Picked)), InStrRev(Picked(LBound(Picked)), "\"))
    Text = Folder
    For i = LBound(Picked) To UBound(Picked)
        Text = Text & "|" & Mid$(Picked(i), Len(Folder) + 1)
    Next i
    XlfRun Target & "(" & XlfLiteral(Text) & ")"
End Sub

Public Function XlfLiteral(Text As String) As String
    ' Any text as a Python expression of plain letters and digits: a path may hold what cmd.exe or a quote would spoil.
    Dim Units As String, i As Long
    For i = 1 To Len(Text)
        Units = Units & Right$("000" & Hex$(AscW(Mid$(Text, i, 1))), 4)
    Next i
    XlfLiteral = "bytes.fromhex('" & Units & "').decode('utf-16-be')"
End Function

Public Function XlfServer() As Object
    ' For the worksheet functions: the running Python, or at once an error whose text the cell then shows.
    If Not XlfPythonWorks(False) Then Err.Raise 1000, "xlfunnel", XlfWord("no_python")
    Set XlfServer = xlwings.XLPy()
End Function

Private Function XlfPythonWorks(Again As Boolean) As Boolean
    ' Excel would hang for two minutes on a server that cannot start, so its imports are tried in a process first,
    ' once a session. After a failure a click tries again, a cell does not.
    Dim Answer As Long
    If Python = UNTRIED Or (Python = BROKEN And Again) Then
        Answer = -1
        On Error Resume Next
        Answer = WScript.Run("""" & XlfInterpreter() & """ -B -c ""import xlwings.com_server""", 0, True)
        On Error GoTo 0
        Python = IIf(Answer = 0, WORKS, BROKEN)
    End If
    XlfPythonWorks = (Python = WORKS)
End Function

Private Function XlfCommand(Target As String) As String
    XlfCommand = "import xlfunnel.macros; xlfunnel.macros." & Target
End Function

Private Function XlfInterpreter() As String
    XlfInterpreter = GetConfig("INTERPRETER_WIN")
End Function

Private Sub XlfTell(Text As String)
    ' Not MsgBox: that one knows only the letters of the system's code page.
    WScript.Popup Text, 0, "xlfunnel", 48
End Sub

Public Function XlfWord(Key As String) As String
    Dim Words As Worksheet, Found As Variant
    Set Words = ThisWorkbook.Worksheets("xlfunnel.labels")
    Found = Application.Match(Key, Words.Range("A:A"), 0)
    If Not IsError(Found) Then XlfWord = Words.Cells(Found, IIf(XlfChinese(), 2, 3)).Value
End Function

Private Function XlfChinese() As Boolean
    ' 2 = the language of the menus; the low ten bits are the language without its region.
    XlfChinese = ((Application.LanguageSettings.LanguageID(2) And 1023) = 4)
End Function

Public Sub XlfInvalidate()
    If Not XlfRibbon Is Nothing Then XlfRibbon.Invalidate
End Sub

Public Function XlfHasBook() As Boolean
    XlfHasBook = Not ActiveWorkbook Is Nothing
End Function

Public Function XlfIsOurs() As Boolean
    ' Without such a property, or without a workbook, the line fails and False stays.
    On Error Resume Next
    XlfIsOurs = (ActiveWorkbook.CustomDocumentProperties("xlfunnel_template").Value <> "")
End Function

Public Function XlfHasOwnRibbon() As Boolean
    If XlfIsOurs() Then XlfHasOwnRibbon = ActiveWorkbook.HasVBProject
End Function

Public Function Twice(Number)
    ' Proves that the project compiles and runs.
    Twice = 2 * Number
End Function
