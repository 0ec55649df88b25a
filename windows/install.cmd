@echo off
rem Puts xlfunnel into the user's own folder: no administrator, nothing outside the profile.
rem ASCII only but for the lines that are put in below; what is said stands in files\messages, in both languages.
rem   install.cmd /quiet    ask nothing, open nothing
setlocal EnableExtensions DisableDelayedExpansion
chcp 65001 >nul
set "FROM=%~dp0files"
set "TO=%LOCALAPPDATA%\xlfunnel"
set "START=%APPDATA%\Microsoft\Excel\XLSTART"
set "ENTRY=HKCU\Software\Microsoft\Windows\CurrentVersion\Uninstall\xlfunnel"
set "QUIET="
if /i "%~1"=="/quiet" set "QUIET=1"
if exist "%FROM%\python\python.exe" goto unpacked
@UNPACK_FIRST@
if not defined QUIET pause
exit /b 2

:unpacked
type "%FROM%\messages\begin.txt"
echo   "%TO%"
if not exist "%TO%" md "%TO%"
if not exist "%TO%" goto failed
if not exist "%START%" md "%START%"
if not exist "%START%" goto failed

rem Excel holds the add-in and Python open while it runs; what is open cannot be renamed.
if exist "%START%\xlfunnel.old" del /f /q "%START%\xlfunnel.old" 2>nul
if exist "%START%\xlfunnel.xlam" ren "%START%\xlfunnel.xlam" xlfunnel.old 2>nul
if exist "%START%\xlfunnel.xlam" goto busy
for %%D in (python xlfunnel) do if exist "%TO%\%%D.old" rd /s /q "%TO%\%%D.old" 2>nul
if exist "%TO%\python" ren "%TO%\python" python.old 2>nul
if exist "%TO%\python" goto busy
if exist "%TO%\xlfunnel" ren "%TO%\xlfunnel" xlfunnel.old 2>nul
if exist "%TO%\xlfunnel" goto busy

type "%FROM%\messages\copying.txt"
for %%D in (python xlfunnel workbook messages) do (
  xcopy "%FROM%\%%D" "%TO%\%%D" /e /i /q /h /r /y >nul
  if errorlevel 1 goto failed
)
for %%F in (LICENSE.txt bundle.json uninstall.cmd guide.zh-CN.html guide.en.html) do (
  copy /b /y "%FROM%\%%F" "%TO%\%%F" >nul
  if errorlevel 1 goto failed
)
copy /b /y "%FROM%\workbook\xlfunnel.xlam" "%START%\xlfunnel.xlam" >nul
if errorlevel 1 goto failed

type "%FROM%\messages\compiling.txt"
"%TO%\python\python.exe" -X utf8 -m xlfunnel.installed "%TO%" "%FROM%\workbook" "%START%\xlfunnel.xlam"
if errorlevel 1 goto failed

reg add "%ENTRY%" /f /v DisplayName /t REG_SZ /d "xlfunnel" >nul
if errorlevel 1 goto failed
reg add "%ENTRY%" /f /v DisplayVersion /t REG_SZ /d "@VERSION@" >nul
reg add "%ENTRY%" /f /v InstallLocation /t REG_SZ /d "%TO%" >nul
reg add "%ENTRY%" /f /v UninstallString /t REG_SZ /d "cmd.exe /c \"\"%TO%\uninstall.cmd\"\"" >nul
reg add "%ENTRY%" /f /v NoModify /t REG_DWORD /d 1 >nul
reg add "%ENTRY%" /f /v NoRepair /t REG_DWORD /d 1 >nul
for %%D in (python xlfunnel) do if exist "%TO%\%%D.old" rd /s /q "%TO%\%%D.old" 2>nul
if exist "%START%\xlfunnel.old" del /f /q "%START%\xlfunnel.old" 2>nul

rem From here on it is installed. What the diagnosis finds is a matter of this computer, and said.
type "%FROM%\messages\checking.txt"
"%TO%\python\python.exe" -X utf8 -m xlfunnel.doctor
if errorlevel 1 (set "SAY=warned") else set "SAY=done"
type "%FROM%\messages\%SAY%.txt"
if defined QUIET exit /b 0
start "" "%TO%\workbook"
pause
exit /b 0

:busy
set "SAY=busy"
set "CODE=3"
goto restore

:failed
set "SAY=failed"
set "CODE=1"

:restore
rem What was there before and had been set aside comes back.
call :back "%TO%\python"
call :back "%TO%\xlfunnel"
if exist "%START%\xlfunnel.old" del /f /q "%START%\xlfunnel.xlam" 2>nul
if exist "%START%\xlfunnel.old" ren "%START%\xlfunnel.old" xlfunnel.xlam
type "%FROM%\messages\%SAY%.txt"
if not defined QUIET pause
exit /b %CODE%

:back
if not exist "%~1.old" exit /b 0
if exist "%~1" rd /s /q "%~1" 2>nul
ren "%~1.old" "%~nx1"
exit /b 0
