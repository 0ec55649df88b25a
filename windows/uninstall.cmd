@echo off
rem Takes away what install.cmd put there, and nothing else: a workbook that is no longer write-protected is the user's.
rem   uninstall.cmd /quiet    ask nothing
setlocal EnableExtensions DisableDelayedExpansion
chcp 65001 >nul
set "TO=%LOCALAPPDATA%\xlfunnel"
set "START=%APPDATA%\Microsoft\Excel\XLSTART"
set "ENTRY=HKCU\Software\Microsoft\Windows\CurrentVersion\Uninstall\xlfunnel"
set "QUIET="
if /i "%~1"=="/quiet" set "QUIET=1"
if defined QUIET goto agreed
type "%TO%\messages\ask_remove.txt"
echo   "%TO%"
pause

:agreed
if exist "%START%\xlfunnel.xlam" del /f /q "%START%\xlfunnel.xlam" 2>nul
if exist "%START%\xlfunnel.xlam" goto busy
if exist "%TO%\python" ren "%TO%\python" python.old 2>nul
if exist "%TO%\python" goto busy
rd /s /q "%TO%\python.old"
rd /s /q "%TO%\xlfunnel"
for %%F in (@WORKBOOKS@) do del /f /q /a:r "%TO%\workbook\%%F" 2>nul
rd "%TO%\workbook\sample" 2>nul
rd "%TO%\workbook" 2>nul
rd /s /q "%TO%\log" 2>nul
rd /s /q "%TO%\restore" 2>nul
for %%F in (LICENSE.txt bundle.json xlfunnel.conf guide.zh-CN.html guide.en.html) do if exist "%TO%\%%F" del /f /q "%TO%\%%F"
reg delete "%ENTRY%" /f >nul 2>nul
type "%TO%\messages\removed.txt"
rd /s /q "%TO%\messages"
if not defined QUIET pause
rem One line removes this very file and leaves it: there is no next line to be read any more.
cd /d "%APPDATA%"
del /f /q "%TO%\uninstall.cmd" & rd "%TO%" 2>nul & (goto) 2>nul

:busy
type "%TO%\messages\busy.txt"
if not defined QUIET pause
exit /b 3
