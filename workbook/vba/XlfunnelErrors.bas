Attribute VB_Name = "XlfunnelErrors"
Option Explicit
Option Private Module

' What a FUNNEL_ function failed with: a text that begins with the name of an Excel error becomes that error,
' so that IFERROR, charts and sums treat it as one; =FUNNEL_WHY("FUNNEL_...", ...) tells the rest of the text.
' Python cannot hand over error values. The numbers are xlErrNull ... xlErrNA.
Public Function XlfError(ByVal Text As String) As Variant
    Select Case Split(Text & " ", " ")(0)
        Case "#NULL!": XlfError = CVErr(2000)
        Case "#DIV/0!": XlfError = CVErr(2007)
        Case "#VALUE!": XlfError = CVErr(2015)
        Case "#REF!": XlfError = CVErr(2023)
        Case "#NAME?": XlfError = CVErr(2029)
        Case "#NUM!": XlfError = CVErr(2036)
        Case "#N/A": XlfError = CVErr(2042)
        Case Else: XlfError = Text
    End Select
End Function
