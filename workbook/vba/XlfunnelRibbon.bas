Attribute VB_Name = "XlfunnelRibbon"
Option Explicit

' The ribbon inside the macro workbook, one line a button. The add-in has the same lines under other names, because
' Excel may run the first macro of a name that it finds, in whichever open workbook.

Public Sub XlfOnLoad(ribbon As IRibbonUI): Set XlfRibbon = ribbon: End Sub
Public Sub XlfBookEnabled(control As IRibbonControl, ByRef enabled): enabled = XlfIsOurs(): End Sub
Public Sub XlfHelpEnabled(control As IRibbonControl, ByRef enabled): enabled = XlfHasBook(): End Sub

Public Sub XlfImport(control As IRibbonControl): XlfRunOnFile "import_export": End Sub
Public Sub XlfCheck(control As IRibbonControl): XlfRun "check_data()": End Sub
Public Sub XlfSample(control As IRibbonControl): XlfRun "load_sample()": End Sub
Public Sub XlfRefresh(control As IRibbonControl): XlfRun "refresh()": End Sub
Public Sub XlfReps(control As IRibbonControl): XlfRun "rep_cards()": End Sub
Public Sub XlfRestore(control As IRibbonControl): XlfRun "restore_last()": End Sub
Public Sub XlfPdf(control As IRibbonControl): XlfRun "export_pdf()": End Sub
Public Sub XlfSplit(control As IRibbonControl): XlfRun "split_regions()": End Sub
Public Sub XlfConsolidate(control As IRibbonControl): XlfRunOnFiles "consolidate_regions": End Sub
Public Sub XlfSettings(control As IRibbonControl): XlfRun "show_settings()": End Sub
Public Sub XlfDiagnose(control As IRibbonControl): XlfRunAlone "diagnose()": End Sub
Public Sub XlfLog(control As IRibbonControl): XlfRun "show_log()": End Sub
Public Sub XlfGuide(control As IRibbonControl): XlfRun "show_guide()": End Sub
