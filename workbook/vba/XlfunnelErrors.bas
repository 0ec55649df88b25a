Attribute VB_Name = "XlfunnelErrors"
Option Explicit

' What a FUNNEL_ function failed with: a text that begins with the name of an Excel error becomes that error,
' so that IFERROR, charts and sums treat it as one; =FUNNEL_WHY("FUNNEL_...", ...) tells the rest of the text.
' Python cannot hand over error values. The numbers are xlErrNull ... xlErrNA.
Public Function FunnelError(ByVal Text As String) As Variant
    Select Case Split(Text & " ", " ")(0)
        Case "#NULL!": FunnelError = CVErr(2000)
        Case "#DIV/0!": FunnelError = CVErr(2007)
        Case "#VALUE!": FunnelError = CVErr(2015)
        Case "#REF!": FunnelError = CVErr(2023)
        Case "#NAME?": FunnelError = CVErr(2029)
        Case "#NUM!": FunnelError = CVErr(2036)
        Case "#N/A": FunnelError = CVErr(2042)
        Case Else: FunnelError = Text
    End Select
End Function
