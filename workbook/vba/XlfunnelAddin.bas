Attribute VB_Name = "XlfunnelAddin"
Option Explicit

' The ribbon of the add-in, one line a button. It serves both languages: its words come from the sheet of words.

Public Sub XlaOnLoad(ribbon As IRibbonUI): Set XlfRibbon = ribbon: End Sub
Public Sub XlaBookEnabled(control As IRibbonControl, ByRef enabled): enabled = XlfIsOurs(): End Sub
Public Sub XlaHelpEnabled(control As IRibbonControl, ByRef enabled): enabled = XlfHasBook(): End Sub
Public Sub XlaVisible(control As IRibbonControl, ByRef visible): visible = Not XlfHasOwnRibbon(): End Sub
Public Sub XlaLabel(control As IRibbonControl, ByRef text): text = XlfWord(control.ID & ".label"): End Sub
Public Sub XlaScreentip(control As IRibbonControl, ByRef text): text = XlfWord(control.ID & ".screentip"): End Sub
Public Sub XlaSupertip(control As IRibbonControl, ByRef text): text = XlfWord(control.ID & ".supertip"): End Sub

Public Sub XlaImport(control As IRibbonControl): XlfRunOnFile "import_export": End Sub
Public Sub XlaCheck(control As IRibbonControl): XlfRun "check_data()": End Sub
Public Sub XlaSample(control As IRibbonControl): XlfRun "load_sample()": End Sub
Public Sub XlaRefresh(control As IRibbonControl): XlfRun "refresh()": End Sub
Public Sub XlaReps(control As IRibbonControl): XlfRun "rep_cards()": End Sub
Public Sub XlaRestore(control As IRibbonControl): XlfRun "restore_last()": End Sub
Public Sub XlaPdf(control As IRibbonControl): XlfRun "export_pdf()": End Sub
Public Sub XlaSplit(control As IRibbonControl): XlfRun "split_regions()": End Sub
Public Sub XlaConsolidate(control As IRibbonControl): XlfRunOnFiles "consolidate_regions": End Sub
Public Sub XlaSettings(control As IRibbonControl): XlfRun "show_settings()": End Sub
Public Sub XlaDiagnose(control As IRibbonControl): XlfRunAlone "diagnose()": End Sub
Public Sub XlaLog(control As IRibbonControl): XlfRun "show_log()": End Sub
Public Sub XlaGuide(control As IRibbonControl): XlfRun "show_guide()": End Sub
